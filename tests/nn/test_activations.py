"""Activations against exact references, at the ends as in the middle, and their derivatives."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, special

from minicolumn import nn
from minicolumn.errors import DataError
from minicolumn.nn import activations as act

# Written in float64 from SciPy's functions, without the forms under test.
REFERENCE = {
    "linear": lambda x: x,
    "step": lambda x: np.heaviside(x, 1.0),
    "logistic": special.expit,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.maximum(x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    ),
    "softplus": lambda x: special.xlog1py(1, np.exp(-np.abs(x))) + np.maximum(x, 0),
    "mish": lambda x: x * np.tanh(special.xlog1py(1, np.exp(-np.abs(x))) + np.maximum(x, 0)),
    "silu": lambda x: x * special.expit(x),
    "gelu": lambda x: x * special.ndtr(x),
    "exponential": np.exp,
    "softmax": lambda x: special.softmax(x, axis=-1),
}
NAMES = sorted(nn.ACTIVATIONS)
POINTS = np.concatenate([np.linspace(-30, 30, 241), [-80, -50, 50, 80]])
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
    ("selu", 200.0, act.SELU_SCALE),
]


def test_every_activation_has_a_reference():
    assert set(REFERENCE) == set(nn.ACTIVATIONS)
    assert all(rule.name == name for name, rule in nn.ACTIVATIONS.items())
    assert all(rule.init in nn.INITIALIZERS for rule in nn.ACTIVATIONS.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_keep_their_digits_at_the_ends_too(name, dtype):
    x = POINTS.astype(dtype).reshape(-1, 1 if name != "softmax" else 5)
    found, exact = nn.ACTIVATIONS[name].function(x), REFERENCE[name](x.astype(np.float64))
    assert (found.dtype, found.shape) == (dtype, x.shape)
    # Ten roundings of the value itself, or for tails one rounding of an exponent that is up to 100 in size.
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, exact, rtol=200 * eps, atol=10 * float(np.finfo(dtype).tiny))


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches_pass(name):
    assert nn.ACTIVATIONS[name].function(np.zeros((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"step"}))
def test_nan_travels(name):
    with np.errstate(invalid="ignore"):  # np.logaddexp reports NaN that it is given
        assert np.isnan(nn.ACTIVATIONS[name].function(np.array([[np.nan]]))).all()


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"exponential"}))
@pytest.mark.parametrize("x", [-1e4, 1e4, -3e38, 3e38])
def test_huge_inputs_stay_finite(name, x):
    # SELU and GELU may pass the largest float32 on scaled; 3e38 * 1.05 is still finite.
    assert np.isfinite(nn.ACTIVATIONS[name].function(np.array([[x, 0.0]], np.float32))).all()


def test_softmax_adds_up_to_one_whatever_the_shift():
    x = np.array([[1.0, 2.0, 3.0]])
    for shift in (0.0, 1000.0, -1e6):
        found = act.softmax(x + shift)
        np.testing.assert_allclose(found, act.softmax(x), rtol=1e-9)  # x + 1e6 itself is rounded to 1e-10
        assert abs(found.sum() - 1) < 1e-15


def test_selu_keeps_mean_0_and_variance_1():
    def expected(power):
        def integrand(z):
            return float(act.selu(np.array(z)) ** power) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        return sum(integrate.quad(integrand, *ends)[0] for ends in ((-12, 0), (0, 12)))

    # Beyond 12 lies less than 1e-30; quad is good to about 1e-9 here.
    assert abs(expected(1)) < 1e-8
    assert abs(expected(2) - 1) < 1e-8


def test_leaky_relu_and_elu_take_their_parameter():
    assert act.leaky_relu(np.array([-2.0]), slope=0.25).tolist() == [-0.5]
    assert act.elu(np.array([-100.0]), alpha=0.5).tolist() == [-0.5]


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

    found = mc.grad(lambda x: act.softmax(x)[0, 0])(np.zeros((1, 4)))
    expected = [Fraction(3, 16), *[-Fraction(1, 16)] * 3]
    np.testing.assert_allclose(found, [[float(p) for p in expected]], rtol=1e-12)  # float64 roundings
