"""Every row of the ufunc table: values, dtypes, derivatives and compiled form, against NumPy and SciPy."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import minicolumn as mc
from minicolumn.trace.ufuncs import ACCUMULATE, REDUCE, UFUNCS

REALS, POSITIVE, UNIT, INSIDE, ABOVE_ONE = (-2.1, 2.1), (0.2, 3.1), (0.05, 0.95), (-0.9, 0.9), (1.1, 3.0)

# Where to try a function: one interval for each operand, off the kinks.
DOMAINS: dict[str, tuple[tuple[float, float], ...]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin"), (REALS, REALS)),
    **dict.fromkeys(("hypot", "arctan2", "logaddexp", "logaddexp2", "copysign", "heaviside"), (REALS, REALS)),
    **dict.fromkeys(("divide", "true_divide", "remainder", "mod", "fmod", "floor_divide"), (REALS, POSITIVE)),
    "divmod": (REALS, POSITIVE),
    "power": (POSITIVE, REALS),
    "float_power": (POSITIVE, REALS),
    **dict.fromkeys(("negative", "positive", "absolute", "fabs", "sign", "conjugate", "square"), (REALS,)),
    **dict.fromkeys(("floor", "ceil", "trunc", "rint", "modf", "reciprocal", "cbrt"), (REALS,)),
    **dict.fromkeys(("exp", "exp2", "exp10", "expm1", "sin", "cos", "sinh", "cosh", "tanh"), (REALS,)),
    **dict.fromkeys(("arctan", "arcsinh", "degrees", "rad2deg", "radians", "deg2rad"), (REALS,)),
    **dict.fromkeys(("log", "log2", "log10", "log1p", "sqrt"), (POSITIVE,)),
    "tan": ((-1.2, 1.2),),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "erfinv"), (INSIDE,)),
    "arccosh": (ABOVE_ONE,),
    **dict.fromkeys(("expit", "log_expit", "erf", "erfc", "erfcx", "ndtr", "log_ndtr", "i0", "i1"), (REALS,)),
    **dict.fromkeys(("logit", "ndtri"), (UNIT,)),
    "erfcinv": ((0.1, 1.9),),
    **dict.fromkeys(
        ("gamma", "rgamma", "gammaln", "gammasgn", "loggamma", "psi", "digamma", "entr"), (POSITIVE,)
    ),
    **dict.fromkeys(("j0", "j1", "y0", "y1"), (POSITIVE,)),
    **dict.fromkeys(("beta", "betaln", "xlogy", "xlog1py", "rel_entr", "kl_div"), (POSITIVE, POSITIVE)),
}
# Operands that have no derivative come first and stay fixed.
FIXED: dict[str, tuple[tuple[Any, ...], tuple[float, float]]] = {
    "jv": ((1.5,), POSITIVE),
    "yv": ((0.5,), POSITIVE),
    "iv": ((2.5,), POSITIVE),
    "yn": ((2,), POSITIVE),
    "gammainc": ((1.7,), POSITIVE),
    "gammaincc": ((1.7,), POSITIVE),
    "betainc": ((1.7, 2.3), UNIT),
}
TESTS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
ONE_TEST = ("isnan", "isinf", "isfinite", "signbit", "logical_not")
OTHER = {"invert", "ldexp", "matmul", "vecdot", "matvec", "vecmat"}

# Relative difference from NumPy's own value, where the traced form is another formula for the same number.
TOLERANCE = {
    **dict.fromkeys(("exp10", "degrees", "rad2deg", "radians", "deg2rad"), 4e-16),  # one more rounding
    **dict.fromkeys(("expit", "log_expit"), 1e-15),  # the stable form, exp(-log(1 + e^-x))
    **dict.fromkeys(("fmod", "modf", "divmod", "power", "float_power"), 4e-16),  # other loops for one element
    **dict.fromkeys(
        ("logit", "ndtr", "ndtri", "entr", "rel_entr", "kl_div", "loggamma"), 4e-15
    ),  # compositions
    **dict.fromkeys(("beta", "rgamma"), 1e-14),  # exp of a sum of logarithms
    **dict.fromkeys(("j0", "j1", "y0", "y1", "yn"), 1e-14),  # the general order in place of the special one
}


def _ufunc(name: str) -> np.ufunc:
    found = getattr(np, name, None)
    return found if isinstance(found, np.ufunc) else getattr(scipy.special, name)


def _exists(name: str) -> bool:
    return hasattr(np, name) or hasattr(scipy.special, name)


def _draw(interval: tuple[float, float], shape: tuple[int, ...], seed: int) -> Any:
    low, high = interval
    return np.random.default_rng(seed).uniform(low, high, shape)[()]


def test_every_row_has_an_example() -> None:
    known = {*DOMAINS, *FIXED, *TESTS, *LOGIC, *BITS, *ONE_TEST, *OTHER}
    assert {name for name in UFUNCS if _exists(name)} <= known
    assert known <= set(UFUNCS)


SHAPES = {
    "numbers": ((), ()),
    "vectors": ((3,), (3,)),
    "left broadcasts": ((1, 3), (2, 3)),
    "right broadcasts": ((2, 3), (3,)),
    "both broadcast": ((2, 1), (1, 3)),
    "number and matrix": ((), (2, 2)),
    "nothing": ((0, 3), (1, 3)),
}


@pytest.mark.parametrize("name", sorted(n for n in DOMAINS if _exists(n)))
def test_ufunc_keeps_the_laws(name: str, keeps_laws: Callable[..., None]) -> None:
    f, domain = _ufunc(name), DOMAINS[name]
    shapes = SHAPES if len(domain) == 2 else {"number": ((),), "matrix": ((2, 3),), "nothing": ((0,),)}
    for where, of in shapes.items():
        args = [_draw(d, s, seed) for seed, (d, s) in enumerate(zip(domain, of, strict=False))]
        try:
            keeps_laws(f, *args, rtol=TOLERANCE.get(name, 0.0))
        except AssertionError as error:
            raise AssertionError(f"{name} on {where}: {error}") from error


@pytest.mark.parametrize("name", sorted(FIXED))
def test_functions_of_a_fixed_order(name: str, keeps_laws: Callable[..., None]) -> None:
    fixed, domain = FIXED[name]
    for shape in ((), (3,), (0,)):
        keeps_laws(lambda x: _ufunc(name)(*fixed, x), _draw(domain, shape, 0), rtol=TOLERANCE.get(name, 0.0))
    if name != "yn":
        with pytest.raises(mc.TraceError, match=name):
            mc.grad(lambda a: _ufunc(name)(a, *fixed[1:], 0.5))(1.5)


@pytest.mark.parametrize("name", [*TESTS, *LOGIC])
def test_truth_of_two(name: str) -> None:
    f = _ufunc(name)
    x, y = np.array([0.0, 1.0, np.nan, -1.0]), np.array([0.0, 2.0, np.nan, -3.0])
    for dtype in (np.float64, np.float32, np.int64, np.bool_):
        with np.errstate(invalid="ignore"):
            a, b = x.astype(dtype), y.astype(dtype)
        found = mc.compile(f, backend="reference")(a, b)
        assert found.dtype == np.bool_
        np.testing.assert_array_equal(found, f(a, b))
    assert mc.grad(lambda x: np.sum(np.where(f(x, 1.0), x, 0.0)))(x).shape == x.shape


@pytest.mark.parametrize("name", ONE_TEST)
def test_truth_of_one(name: str) -> None:
    f, x = _ufunc(name), np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 3.0])
    np.testing.assert_array_equal(mc.compile(f, backend="reference")(x), f(x))


@pytest.mark.parametrize("name", BITS)
def test_bits(name: str) -> None:
    f = _ufunc(name)
    for dtype in (np.int32, np.int64, np.uint32):
        x, y = np.array([1, 6, 255], dtype), np.array([3, 2, 8], dtype)
        found = mc.compile(f, backend="reference")(x, y)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, f(x, y))
    np.testing.assert_array_equal(mc.compile(np.invert, backend="reference")(np.array([0, 5])), [-1, -6])


def test_ldexp_and_products(keeps_laws: Callable[..., None]) -> None:
    keeps_laws(lambda x: np.ldexp(x, 3), np.array([0.3, -1.5]))
    a, b = _draw(REALS, (2, 3), 0), _draw(REALS, (3, 2), 1)
    # The sums of a product may be taken in another order for other strides.
    keeps_laws(np.matmul, a, b, rtol=1e-15)
    keeps_laws(np.matmul, a, b[:, 0], rtol=1e-15)
    keeps_laws(np.matmul, a[0], b, rtol=1e-15)
    keeps_laws(np.matmul, a[0], b[:, 0], rtol=1e-15)
    keeps_laws(np.matmul, _draw(REALS, (2, 1, 2, 3), 0), _draw(REALS, (4, 3, 1), 1), rtol=1e-15)
    keeps_laws(np.matmul, np.zeros((2, 0)), np.zeros((0, 3)))
    keeps_laws(np.vecdot, a, a + 1.0, rtol=1e-15)
    for name, x, y in (("matvec", a, b[:, 0]), ("vecmat", a[0], b)):
        if hasattr(np, name):  # NumPy 2.2
            keeps_laws(getattr(np, name), x, y, rtol=1e-15)


@pytest.mark.parametrize("name", sorted(REDUCE))
def test_reduce_is_the_reduction(name: str) -> None:
    x = np.array([[0.5, -1.5], [2.5, 1.0]])
    f = getattr(np, name).reduce
    for kwargs in ({}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}):
        np.testing.assert_array_equal(
            mc.compile(lambda x, k=kwargs: f(x, **k), backend="reference")(x), f(x, **kwargs)
        )


@pytest.mark.parametrize("name", sorted(ACCUMULATE))
def test_accumulate_is_the_running_form(name: str, keeps_laws: Callable[..., None]) -> None:
    keeps_laws(getattr(np, name).accumulate, np.array([[0.5, -1.5], [2.5, 1.0]]))


def test_logaddexp_reduce_and_outer(keeps_laws: Callable[..., None]) -> None:
    x = _draw(REALS, (3, 4), 0)
    # The largest element is taken out first; NumPy adds two at a time.
    keeps_laws(lambda x: np.logaddexp.reduce(x, axis=1, keepdims=True), x, rtol=1e-15)
    keeps_laws(np.subtract.outer, x[0], x[1])


MIXES = [
    (np.ones(2, np.float32), 2.0),
    (np.ones(2, np.float32), 2),
    (2.0, np.ones(2, np.float32)),
    (np.ones(2, np.float32), np.float64(2.0)),
    (np.ones(2, np.float32), np.ones(2)),
    (np.ones(2, np.float32), np.ones(2, np.int32)),
    (np.ones(2, np.float32), np.ones(2, np.bool_)),
    (np.ones(2, np.int32), np.ones(2, np.int64)),
    (np.ones(2, np.int32), 2),
    (np.ones(2, np.int32), 2.5),
    (np.ones(2, np.uint32), np.ones(2, np.int32)),
    (np.ones(2, np.bool_), np.ones(2, np.bool_)),
    (np.ones(2, np.bool_), True),
    (3, 2.5),
    (3, 2),
]


@pytest.mark.parametrize(
    "name", ["add", "multiply", "true_divide", "power", "maximum", "less", "arctan2", "floor_divide"]
)
@pytest.mark.parametrize(
    "pair", MIXES, ids=lambda p: "-".join(str(getattr(x, "dtype", type(x).__name__)) for x in p)
)
def test_dtypes_of_mixed_operands(name: str, pair: tuple[Any, Any]) -> None:
    f = getattr(np, name)
    try:
        expected = f(*pair)
    except TypeError:
        return
    if expected.dtype not in (np.float32, np.float64, np.int32, np.int64, np.uint32, np.bool_):
        with pytest.raises(mc.TraceError, match="graphs do not have"):
            mc.compile(f, backend="reference")(*pair)
        return
    found = mc.compile(f, backend="reference")(*pair)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)


def _operators() -> dict[str, Callable[[Any, Any], Any]]:
    return {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "//": lambda a, b: a // b,
        "%": lambda a, b: a % b,
        "**": lambda a, b: a**b,
        "divmod": lambda a, b: divmod(a, b)[1],
        "unary": lambda a, b: -abs(+a) + b,
    }


@pytest.mark.parametrize("dtypes", [(np.float64, np.float32), (np.int64, np.int32)])
@pytest.mark.parametrize("symbol", sorted(_operators()))
def test_arrays_are_not_weak(symbol: str, dtypes: tuple[Any, Any]) -> None:
    # The dtypes float64 and int64 equal Python's float and int, but what came from arrays keeps its own.
    f = _operators()[symbol]
    a, w = np.full(2, 3, dtypes[0]), np.full(2, 1, dtypes[1])
    assert mc.compile(lambda a, w: f(a, a) * w, backend="reference")(a, w).dtype == (f(a, a) * w).dtype


@pytest.mark.parametrize("symbol", sorted(_operators()))
def test_python_numbers_stay_weak(symbol: str) -> None:
    # What operators make of Python numbers alone is one too: it takes the dtype of the array it meets.
    f, w = _operators()[symbol], np.full(2, 1.5, np.float32)

    def program(a: Any, b: Any) -> Any:
        return f(a, b) * w

    for a, b in ((2.5, 2.0), (7, 2), (2.5, 3)):
        expected = program(a, b)
        found = mc.compile(program, backend="reference")(a, b)
        assert found.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-7)
        if symbol not in ("//", "divmod", "%"):
            assert mc.vjp(program, float(a), float(b))[0].dtype == np.float32
    # A ufunc makes an array of them, which keeps its dtype.
    assert (
        mc.compile(lambda a: np.sin(a) * w, backend="reference")(1.0).dtype
        == (np.sin(1.0) * w).dtype
        == np.float64
    )


@pytest.mark.parametrize(
    "exponent",
    [
        *(0, 1, 2, 3, -1, 0.5, 2.0, -2, 1.5),
        pytest.param(
            np.float64(2.0),
            marks=pytest.mark.skipif(
                np.lib.NumpyVersion(np.__version__) < "2.3.0",
                reason="up to NumPy 2.2, float32 to the power of np.float64(2.0) stays float32",
            ),
        ),
    ],
)
def test_powers_to_the_bit(exponent: Any, keeps_laws: Callable[..., None]) -> None:
    keeps_laws(lambda x: x**exponent, _draw(POSITIVE, (7,), 0))
    f = lambda x: x**exponent  # noqa: E731
    x = _draw(POSITIVE, (7,), 1).astype(np.float32)
    assert mc.compile(f, backend="reference")(x).dtype == f(x).dtype


def test_in_place_operators_bind_the_name() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for i in range(3):
            total += x[i]
        y = x * 1.0
        y -= 2.0
        y *= x
        y /= 2.0
        return total + np.sum(y)

    x = np.array([1.0, 2.0, 3.0])
    # d/dx (x + (x^2 - 2 x) / 2) = x
    np.testing.assert_allclose(mc.grad(f)(x), x, rtol=1e-15)
    np.testing.assert_allclose(mc.compile(f, backend="reference")(x), f(x), rtol=1e-15)

    def narrow(x: Any) -> Any:
        y = x * 1
        y += np.ones(3)
        return y

    x32 = x.astype(np.float32)
    assert mc.compile(narrow, backend="reference")(x32).dtype == narrow(x32).dtype == np.float32


def test_plain_arrays_on_the_left() -> None:
    w = np.arange(6.0).reshape(2, 3)
    x = np.array([1.0, 2.0, 3.0])
    for f in (
        lambda x: w @ x,
        lambda x: w * x,
        lambda x: w - x,
        lambda x: w / x,
        lambda x: np.float64(2.0) * x,
        lambda x: np.float64(2.0) ** x,
        lambda x: w**x,
        lambda x: [1.0, 2.0, 3.0] * x,
    ):
        out, pull = mc.vjp(f, x)
        np.testing.assert_array_equal(out, f(x))
        assert pull(np.ones_like(out))[0].shape == (3,)


def test_scipy_ufuncs_keep_float32() -> None:
    x = np.array([0.3, 0.6], np.float32)
    for name in ("expit", "erf", "log_ndtr", "gammaln", "psi", "xlogy", "logit", "ndtri", "betaln"):
        f = getattr(scipy.special, name)
        args = (x,) * f.nin
        assert mc.compile(f, backend="reference")(*args).dtype == f(*args).dtype == np.float32
        assert mc.grad(lambda x, f=f: np.sum(f(*(x,) * f.nin)))(x).dtype == np.float32


def test_rows_are_named_as_their_ufuncs() -> None:
    assert all(isinstance(_ufunc(name), np.ufunc) for name in UFUNCS if _exists(name))
    assert not [name for name, row in UFUNCS.items() if inspect.isclass(row)]
