"""Activations against exact references, at the ends as in the middle, and their derivatives."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, optimize, special

from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError, ShapeError
from minicolumn.nn.activations import ALIASES, gated, rectifiers, softmax


def exactly(function):
    """Return a function of one number, worked out with 400 digits, since tails may cancel as many."""

    def call(x: float) -> float:
        with mpmath.workdps(400):
            return float(function(mpmath.mpf(x)))

    return np.vectorize(call, otypes=[float])


def nearest_in_simplex(x):
    """Return the nearest shares to each row, by searching for the level."""

    def shares(row):
        level = optimize.brentq(
            lambda t: np.maximum(row - t, 0).sum() - 1, row.max() - 1, row.max(), xtol=1e-15
        )
        return np.maximum(row - level, 0)

    return np.apply_along_axis(shares, -1, x)


def exact_gelu_tanh(x):
    return x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))) / 2


# Written in float64 from NumPy's and SciPy's functions or with 400 digits, without the forms under test.
REFERENCE = {
    "linear": lambda x: x,
    "step": lambda x: np.heaviside(x, 1.0),
    "logistic": special.expit,
    "tanh": np.tanh,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "sparse_sigmoid": lambda x: np.clip(x / 2 + 0.5, 0, 1),
    "softsign": exactly(lambda x: x / (1 + abs(x))),
    "sine": np.sin,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.maximum(x, 0.01 * x),
    "threshold": lambda x: x * (x > 1),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "celu": lambda x: np.maximum(x, 0) + np.minimum(np.expm1(np.minimum(x, 0)), 0),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    ),
    "softplus": lambda x: special.xlog1py(1, np.exp(-np.abs(x))) + np.maximum(x, 0),
    "squareplus": exactly(lambda x: (x + mpmath.sqrt(x * x + 4)) / 2),
    "sparse_plus": lambda x: np.where(x >= 1, x, np.maximum(x + 1, 0) ** 2 / 4),
    "hard_shrink": lambda x: x * (np.abs(x) > 0.5),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "tanh_shrink": exactly(lambda x: x - mpmath.tanh(x)),
    "mish": lambda x: x * np.tanh(special.xlog1py(1, np.exp(-np.abs(x))) + np.maximum(x, 0)),
    "silu": lambda x: x * special.expit(x),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "gelu": lambda x: x * special.ndtr(x),
    "gelu_tanh": exactly(exact_gelu_tanh),
    "glu": lambda x: x[:, :1] * special.expit(x[:, 1:]),
    "exponential": np.exp,
    "log_sigmoid": special.log_expit,
    "softmax": lambda x: special.softmax(x, axis=-1),
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
    "sparsemax": nearest_in_simplex,
}
# Differences of numbers of this size are no better than its rounding: 1 + a small share, or scores up to 80.
ROUNDED = {"log_softmax": 1.0, "sparsemax": 80.0}
WIDTHS = {"softmax": 5, "log_softmax": 5, "sparsemax": 5, "glu": 2}
NAMES = sorted(nn.ACTIVATIONS)
POINTS = np.concatenate([np.linspace(-30, 30, 241), [-1e-3, 1e-4, 1e-8], [0.3, 0.999, -80, -50, 50, 80]])
# Slopes at points where a formula could go wrong: (activation, x, slope).
SLOPES = [
    ("relu", 0.0, 0.0),
    ("relu", 2.0, 1.0),
    ("leaky_relu", 0.0, 0.01),
    ("elu", 0.0, 1.0),
    ("elu", 100.0, 1.0),
    ("step", 1.0, 0.0),
    ("logistic", 30.0, math.exp(-30.0)),
    ("logistic", -30.0, math.exp(-30.0)),
    ("softplus", -40.0, math.exp(-40.0)),
    ("silu", 100.0, 1.0),
    ("gelu", 100.0, 1.0),
    ("gelu", -100.0, 0.0),
    ("mish", 100.0, 1.0),
    ("selu", 200.0, rectifiers.SELU_SCALE),
    *[(name, x, 0.0) for name, x in (("hard_tanh", -1.0), ("hard_tanh", 1.0), ("hard_sigmoid", -3.0))],
    *[(name, x, 0.0) for name, x in (("hard_sigmoid", 3.0), ("relu6", 0.0), ("relu6", 6.0))],
    *[(name, x, 0.0) for name, x in (("threshold", 1.0), ("hard_shrink", 0.5), ("soft_shrink", -0.5))],
    *[
        (name, x, 0.0)
        for name, x in (("sparse_sigmoid", -1.0), ("sparse_sigmoid", 1.0), ("tanh_shrink", 0.0))
    ],
    ("sparse_plus", -1.0, 0.0),
    ("sparse_plus", 1.0, 1.0),
    ("hard_silu", -3.0, 0.0),
    ("hard_silu", 3.0, 1.0),
    ("celu", 0.0, 1.0),
    ("squareplus", 0.0, 0.5),
    ("squareplus", -1e4, 1e-8),
    ("softsign", 0.0, 1.0),
    ("softsign", 1e4, 1 / 10001**2),
    ("softsign", -1e4, 1 / 10001**2),
    ("tanh_shrink", 1e-3, 1e-6),
    ("tanh_shrink", 100.0, 1.0),
    ("gelu_tanh", 100.0, 1.0),
    ("gelu_tanh", -100.0, 0.0),
    ("log_sigmoid", -100.0, 1.0),
    ("log_sigmoid", 40.0, math.exp(-40.0)),
]
TIES = [
    ("hard_shrink", [-0.5, 0.5], [0.0, 0.0]),
    ("soft_shrink", [-0.5, 0.5], [0.0, 0.0]),
    ("threshold", [1.0], [0.0]),
    ("relu6", [0.0, 6.0], [0.0, 6.0]),
    ("hard_sigmoid", [-3.0, 0.0, 3.0], [0.0, 0.5, 1.0]),
    ("hard_tanh", [-1.0, 1.0], [-1.0, 1.0]),
    ("sparse_sigmoid", [-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
    ("sparse_plus", [-1.0, 0.0, 1.0], [0.0, 0.25, 1.0]),
    ("step", [-0.0, 0.0], [1.0, 1.0]),
    ("softsign", [-1.0, 0.0, 1.0], [-0.5, 0.0, 0.5]),
]


def test_every_activation_has_a_reference():
    assert set(REFERENCE) == set(nn.ACTIVATIONS)
    assert all(rule.name == name for name, rule in nn.ACTIVATIONS.items())
    assert all(rule.init in nn.INITIALIZERS for rule in nn.ACTIVATIONS.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_keep_their_digits_at_the_ends_too(name, dtype):
    width = WIDTHS.get(name, 1)
    x = POINTS[: len(POINTS) // width * width].astype(dtype).reshape(-1, width)
    found, exact = nn.ACTIVATIONS[name].function(x), REFERENCE[name](x.astype(np.float64))
    assert (found.dtype, found.shape) == (dtype, exact.shape)
    # Ten roundings of the value itself, or for tails one rounding of an exponent that is up to 100 in size.
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
    roundings = 2000 if name == "gelu_tanh" else 200  # its exponent is a rounded sum, and up to 700
    atol = ROUNDED[name] * eps if name in ROUNDED else 10 * tiny
    np.testing.assert_allclose(found, exact, rtol=roundings * eps, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_native_code_gives_the_same_at_the_ends_too(dtype):
    import minicolumn as mc

    x = np.concatenate([POINTS, [-np.nan, np.nan, -1e4, 1e4, -3e38, 3e38]]).astype(dtype).reshape(-1, 2)
    functions = {name: rule.function for name, rule in nn.ACTIVATIONS.items()}
    found = mc.compile(lambda x: {name: f(x) for name, f in functions.items()})(x)
    eps = float(np.finfo(dtype).eps)
    for name, f in functions.items():
        with np.errstate(all="ignore"):  # infinity is what e^x is beyond the largest number
            expected = f(x)
        # Either has its own exp, tanh and erfc, good to a few units in the last place; tails as above.
        rtol, atol = (600 if name == "gelu_tanh" else 60) * eps, ROUNDED.get(name, 0.0) * eps
        np.testing.assert_allclose(found[name], expected, rtol, atol + 1e-37, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches_pass(name):
    rule = nn.ACTIVATIONS[name]
    assert rule.function(np.zeros((0, 3 * rule.scores), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"step"}))
def test_nan_travels(name):
    with np.errstate(invalid="ignore"):  # np.logaddexp reports NaN that it is given
        assert np.isnan(nn.ACTIVATIONS[name].function(np.full((1, 2), np.nan))).all()


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"exponential"}))
@pytest.mark.parametrize("x", [-1e4, 1e4, -3e38, 3e38])
def test_huge_inputs_stay_finite(name, x):
    # SELU and GELU may pass the largest float32 on scaled; 3e38 * 1.05 is still finite.
    assert np.isfinite(nn.ACTIVATIONS[name].function(np.array([[x, 0.0]], np.float32))).all()


def test_softmax_adds_up_to_one_whatever_the_shift():
    x = np.array([[1.0, 2.0, 3.0]])
    for shift in (0.0, 1000.0, -1e6):
        found = softmax.softmax(x + shift)
        np.testing.assert_allclose(found, softmax.softmax(x), rtol=1e-9)  # x + 1e6 itself is rounded to 1e-10
        assert abs(found.sum() - 1) < 1e-15


def test_selu_keeps_mean_0_and_variance_1():
    def expected(power):
        def integrand(z):
            return (
                float(rectifiers.selu(np.array(z)) ** power) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            )

        return sum(integrate.quad(integrand, *ends)[0] for ends in ((-12, 0), (0, 12)))

    # Beyond 12 lies less than 1e-30; quad is good to about 1e-9 here.
    assert abs(expected(1)) < 1e-8
    assert abs(expected(2) - 1) < 1e-8


def test_leaky_relu_and_elu_take_their_parameter():
    assert rectifiers.leaky_relu(np.array([-2.0]), slope=0.25).tolist() == [-0.5]
    assert rectifiers.elu(np.array([-100.0]), alpha=0.5).tolist() == [-0.5]


def test_the_others_take_their_parameters():
    assert rectifiers.celu(np.array([-100.0, 1.0]), alpha=0.5).tolist() == [-0.5, 1.0]
    assert rectifiers.threshold(np.array([1.0, 3.0]), level=2.0, value=-7.0).tolist() == [-7.0, 3.0]
    assert rectifiers.squareplus(np.array([0.0]), b=16.0).tolist() == [2.0]
    assert rectifiers.hard_shrink(np.array([1.0, 3.0]), threshold=2.0).tolist() == [0.0, 3.0]
    assert rectifiers.soft_shrink(np.array([-1.0, -3.0]), threshold=2.0).tolist() == [0.0, -1.0]


@pytest.mark.parametrize(("name", "x", "values"), TIES)
def test_values_where_a_formula_changes(name, x, values):
    assert nn.ACTIVATIONS[name].function(np.array(x)).tolist() == values


def test_other_libraries_names_are_taken():
    assert {name: nn.activation_by_name(name).name for name in ALIASES} == ALIASES
    assert not set(ALIASES) & set(nn.ACTIVATIONS)
    with pytest.raises(DataError, match="did you mean 'sigmoid'"):
        nn.activation_by_name("sigmoyd")


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_glu_needs_an_even_last_axis(shape):
    with pytest.raises(ShapeError, match=r"glu: scores have shape .* an even last axis"):
        gated.glu(np.zeros(shape))


def test_gates_of_glu_are_the_second_half():
    found = gated.glu(np.array([[1.0, 2.0, 0.0, math.log(3.0)]]))
    np.testing.assert_allclose(found, [[0.5, 1.5]], rtol=1e-15)  # logistic(log 3) = 3/4, one rounding


@settings(max_examples=200, deadline=None)  # timing on shared machines says nothing
@given(arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_sparsemax_is_the_nearest_point_of_the_simplex(x):
    shares = softmax.sparsemax(x)
    assert (shares >= 0).all()
    # Numbers of up to a million are subtracted, which are rounded to 1e-10.
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-9)
    # Nearest: no corner of the simplex lies on the other side (the variational inequality of a projection).
    for corner in np.eye(4):
        assert (np.sum((x - shares) * (corner - shares), axis=1) <= 1e-9 * (1 + np.abs(x).max())).all()


def test_sparsemax_of_equal_scores_is_even_and_its_slope_is_the_projections():
    import minicolumn as mc

    x = np.array([[2.0, 2.0, 2.0, -9.0]])
    np.testing.assert_allclose(softmax.sparsemax(x), [[1 / 3, 1 / 3, 1 / 3, 0]], rtol=1e-15)
    found = mc.grad(lambda x: softmax.sparsemax(x)[0, 0])(x)
    np.testing.assert_allclose(found, [[2 / 3, -1 / 3, -1 / 3, 0]], rtol=1e-15)


def test_unknown_name_gets_a_hint():
    with pytest.raises(DataError, match="did you mean 'softplus'"):
        nn.activation_by_name("softplsu")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"step"}))
def test_derivatives_are_right(name):
    import minicolumn as mc

    mc.check_grads(
        lambda x: np.sum(nn.ACTIVATIONS[name].function(x) ** 2), (np.array([[-2.1, -0.3, 0.4, 1.7]]),)
    )


@pytest.mark.parametrize(("name", "x", "slope"), SLOPES)
def test_slopes_where_a_formula_could_go_wrong(name, x, slope):
    import minicolumn as mc

    found = mc.grad(lambda x: np.sum(nn.ACTIVATIONS[name].function(x)))(np.array([x], np.float32))
    np.testing.assert_allclose(found, [slope], rtol=1e-5)  # float32, an exponent of size 40


def test_softmax_with_ties_has_the_textbook_derivative():
    import minicolumn as mc

    found = mc.grad(lambda x: softmax.softmax(x)[0, 0])(np.zeros((1, 4)))
    expected = [Fraction(3, 16), *[-Fraction(1, 16)] * 3]
    np.testing.assert_allclose(found, [[float(p) for p in expected]], rtol=1e-12)  # float64 roundings


SET = [
    ("leaky_relu:slope=0.3", lambda x: np.where(x > 0, x, 0.3 * x)),
    ("threshold:level=-0.5,value=2.0", lambda x: np.where(x > -0.5, x, 2.0)),
    ("elu:alpha=0.5", lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0)))),
    ("celu:alpha=2.0", lambda x: np.where(x > 0, x, 2.0 * np.expm1(np.minimum(x, 0) / 2.0))),
    ("squareplus:b=1.0", lambda x: (x + np.sqrt(x**2 + 1.0)) / 2),
    ("hard_shrink:threshold=1.5", lambda x: np.where(np.abs(x) > 1.5, x, 0.0)),
    ("soft_shrink:threshold=1.5", lambda x: np.sign(x) * np.maximum(np.abs(x) - 1.5, 0)),
]


@pytest.mark.parametrize(("name", "formula"), SET)
def test_settings_follow_the_name(name: str, formula: Any) -> None:
    x = np.linspace(-3.0, 3.0, 41)
    rule = nn.activation_by_name(name)
    # Formulas that cancel lose a few of sixteen digits.
    np.testing.assert_allclose(rule.function(x), formula(x), rtol=1e-12, atol=1e-15)
    assert rule.name == name
    assert nn.Dense(3, rule.name) == nn.Dense(3, name) != nn.Dense(3, name.partition(":")[0])
    layer = nn.Dense(3, name)
    assert nn.from_json(nn.to_json(layer)) == layer
    assert layer.declare((2,))["weight"].init == rule.init


def test_every_activation_with_settings_is_tried_with_them() -> None:
    named = {name.partition(":")[0] for name, _ in SET}
    assert named == {name for name, rule in nn.ACTIVATIONS.items() if rule.settings}
    assert all(set(rule.settings) == set(rule.defaults) for rule in nn.ACTIVATIONS.values())


def test_settings_at_their_defaults_and_other_spellings_are_one_activation() -> None:
    assert nn.Dense(3, "leaky_relu:slope=1e-2").activation == "leaky_relu"
    assert nn.Dense(3, "leaky_relu: slope = .30").activation == "leaky_relu:slope=0.3"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("relu:slope=1", "relu: unknown setting 'slope'; it has none"),
        ("leaky_relu:slope=a", "leaky_relu: slope: expected a finite number, got 'a'"),
        ("leaky_relu:slope=inf", "leaky_relu: slope: expected a finite number, got inf"),
        ("leaky_relu:slope", "settings are written as name:setting=value"),
        ("squareplus:b=0", "squareplus: b: expected a number >= 1e-6"),
        ("leaky_rleu:slope=1", "unknown activation 'leaky_rleu'; did you mean 'leaky_relu'"),
    ],
)
def test_settings_that_cannot_be(name: str, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        nn.Dense(3, name)
    with pytest.raises(ModelFileError, match=re.escape(said)):
        nn.from_json({"kind": "dense", "units": 3, "activation": name})
