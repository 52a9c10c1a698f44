"""Where a function has a kink, a pole or an overflow: the documented side is taken, and nothing turns NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

import minicolumn as mc


def slope(f: Any, x: Any) -> Any:
    """Return the gradient of the sum, defined by run and compiled alike."""
    g = mc.grad(lambda x: np.sum(f(x)))
    np.testing.assert_array_equal(mc.compile(g, backend="reference")(x), g(x))
    return g(x)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.abs, [0.0, -0.0, -2.0], [0.0, 0.0, -1.0]),
        (lambda x: np.maximum(x, 0.0), [-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
        (lambda x: np.minimum(x, 0.0), [-1.0, 0.0, 1.0], [1.0, 0.5, 0.0]),
        (lambda x: np.where(x > 0, x, 0.0), [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        (np.max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (np.min, [1.0, 1.0, 1.0, 2.0], [1 / 3, 1 / 3, 1 / 3, 0.0]),
        (lambda x: np.clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
        (np.linalg.norm, [0.0, 0.0], [0.0, 0.0]),
        (np.std, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
        (lambda x: np.hypot(x, 0.0 * x), [0.0, 3.0], [0.0, 1.0]),
        (np.prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (np.prod, [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (lambda x: np.cumprod(x)[-1], [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        (np.sinc, [0.0, 1e-9], [0.0, -(np.pi**2) / 3 * 1e-9]),
        (lambda x: x**2, [0.0, 1.0], [0.0, 2.0]),
        (lambda x: x**1, [0.0], [1.0]),
        (lambda x: x**0, [0.0, 2.0], [0.0, 0.0]),
        (lambda x: x ** np.zeros(2), [0.0, 2.0], [0.0, 0.0]),
        (lambda x: x ** np.array([3.0, 2.0, 1.0]), [-2.0, -2.0, 0.0], [12.0, -4.0, 1.0]),
        (lambda x: 0.0**x, [1.0, 2.0], [0.0, 0.0]),
        (lambda x: np.sort(x) * np.array([1.0, 10.0, 100.0]), [2.0, 1.0, 2.0], [10.0, 1.0, 100.0]),
        (lambda x: np.median(x), [3.0, 1.0, 2.0, 9.0], [0.5, 0.0, 0.5, 0.0]),
        (lambda x: np.floor(x) + np.sign(x) + np.round(x), [0.5, 0.0], [0.0, 0.0]),
        (lambda x: scipy.special.xlogy(x, x), [0.0, 1.0], [0.0, 1.0]),
        (lambda x: scipy.special.xlogy(x, 2.0), [0.0, 1.0], [np.log(2.0), np.log(2.0)]),
        (lambda x: scipy.special.xlog1py(x, 1.0), [0.0, 1.0], [np.log(2.0), np.log(2.0)]),
        (lambda x: scipy.special.entr(x), [0.0, 1.0], [0.0, -1.0]),
        (lambda x: np.linalg.det(np.reshape(x, (2, 2))), [1.0, 2.0, 2.0, 4.0], [4.0, -2.0, -2.0, 1.0]),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0, 5.0]), [-1.0, 0.5, 2.0], [0.0, 5.0, 0.0]),
    ],
)
def test_ties(f: Any, x: list[float], expected: list[float]) -> None:
    # The determinant goes through singular values, whose rounding is near 1e-15; all others are exact.
    np.testing.assert_allclose(slope(f, np.array(x)), expected, rtol=1e-14, atol=5e-15)


def test_ties_of_two_operands() -> None:
    one = np.ones(1)
    for f in (np.maximum, np.minimum, np.fmax, np.fmin):
        a, b = mc.grad(lambda a, b, f=f: np.sum(f(a, b)), (0, 1))(one, one)
        assert (a[0], b[0]) == (0.5, 0.5)
    nan = np.array([np.nan, 1.0])
    a, b = mc.grad(lambda a, b: np.sum(np.fmax(a, b)), (0, 1))(nan, nan[::-1].copy())
    np.testing.assert_array_equal((a, b), ([0.0, 1.0], [1.0, 0.0]))


def test_second_derivatives_at_ties() -> None:
    # The slope of each share of e^x + e^y is 1/4 where both are equal.
    assert mc.grad(mc.grad(lambda x: np.logaddexp(x, 1.0)))(1.0) == 0.25
    assert mc.grad(mc.grad(lambda x: np.logaddexp2(x, 1.0)))(1.0) == pytest.approx(
        np.log(2.0) / 4.0, rel=1e-15
    )
    assert mc.grad(mc.grad(np.sinc))(0.0) == pytest.approx(-(np.pi**2) / 3.0, rel=1e-15)
    # The slope of a length is taken as 0 at its kink; a second derivative does not exist there.
    assert np.isnan(mc.hessian(np.linalg.norm)(np.zeros(2))).all()
    # d2/dx dy of x^y at y = 0 is 1/x.
    mixed = mc.grad(lambda y: mc.grad(lambda x: x**y)(2.0))(0.0)
    assert mixed == pytest.approx(0.5, rel=1e-15)
    # d2/dx dy of x log y at x = 0 is 1/y.
    assert mc.grad(lambda y: mc.grad(lambda x: scipy.special.xlogy(x, y))(0.0))(2.0) == 0.5
    assert mc.grad(lambda x: mc.grad(lambda y: scipy.special.xlogy(x, y))(2.0))(0.0) == 0.5
    assert mc.grad(mc.grad(lambda x: x**3))(0.0) == 0.0
    assert mc.grad(mc.grad(lambda x: x**2))(0.0) == 2.0
    assert mc.grad(mc.grad(scipy.special.i1))(0.0) == 0.0


def test_infinities() -> None:
    inf = np.inf
    for x, y, share in (
        (inf, 1.0, 1.0),
        (1.0, inf, 0.0),
        (-inf, 1.0, 0.0),
        (-inf, -inf, 0.5),
        (inf, inf, 0.5),
    ):
        assert mc.grad(lambda x, y=y: np.logaddexp(x, y))(x) == share
    g = mc.grad(lambda x: np.logaddexp.reduce(x))(np.array([0.0, -inf, 0.0]))
    np.testing.assert_array_equal(g, [0.5, 0.0, 0.5])
    assert mc.grad(np.tanh)(inf) == 0.0
    assert mc.grad(scipy.special.expit)(-inf) == 0.0
    assert np.logaddexp.reduce(np.array([-inf, -inf])) == mc.compile(
        np.logaddexp.reduce, backend="reference"
    )(np.array([-inf, -inf]))


FAR = np.array(
    [-1e4, -700.0, -104.0, -88.0, -30.0, -17.5, -1.0, 0.0, 1.0, 17.5, 30.0, 88.0, 104.0, 700.0, 1e4],
    np.float32,
)
# The same functions of float64 are known to more digits than float32 has; results are a few roundings away.
# Below 1e-38 float32 has fewer digits, and 1e-44 none.
FEW_ULP: Any = {"rtol": 4e-6, "atol": 1e-37}


@pytest.mark.parametrize("name", ["expit", "log_expit", "softplus", "log_ndtr", "ndtr"])
def test_far_out_in_float32(name: str) -> None:
    f: Any = (lambda x: np.logaddexp(x, 0.0)) if name == "softplus" else getattr(scipy.special, name)
    wide = FAR.astype(np.float64)
    found = mc.compile(f, backend="reference")(FAR)
    assert found.dtype == np.float32
    with np.errstate(under="ignore", over="ignore"):
        np.testing.assert_allclose(found, f(wide), **FEW_ULP)
        first, narrow = slope(f, wide), slope(f, FAR)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, first, **FEW_ULP)


def test_log_ndtr_against_its_series() -> None:
    # phi(x) / Phi(x) -> -x / (1 - 1/x^2 + 3/x^4 - 15/x^6): Abramowitz & Stegun 26.2.12.
    x = np.array([-30.0, -100.0, -1e3, -1e6])
    expected = -x / (1.0 - x**-2 + 3.0 * x**-4 - 15.0 * x**-6)
    np.testing.assert_allclose(
        slope(scipy.special.log_ndtr, x), expected, rtol=1e-9
    )  # the next term, 105/x^8
    np.testing.assert_allclose(slope(scipy.special.log_ndtr, x.astype(np.float32)), expected, rtol=1e-6)


def test_inverse_tails() -> None:
    p = np.array([1e-300, 1e-20, 1e-3, 0.5])
    np.testing.assert_allclose(
        mc.compile(scipy.special.ndtri, backend="reference")(p),
        scipy.special.ndtri(p),
        rtol=1e-14,
        atol=1e-16,
    )
    np.testing.assert_allclose(
        mc.compile(scipy.special.erfcinv, backend="reference")(p), scipy.special.erfcinv(p), rtol=1e-15
    )
    x = np.array([30.0, 100.0])
    np.testing.assert_allclose(
        mc.compile(scipy.special.gamma, backend="reference")(x), scipy.special.gamma(x), rtol=1e-15
    )
    np.testing.assert_allclose(
        mc.compile(scipy.special.betaln, backend="reference")(1e10, 2.0),
        scipy.special.betaln(1e10, 2.0),
        rtol=1e-15,
    )


def test_lengths_out_of_range_of_squares() -> None:
    y, x = np.float32(3e30), np.float32(4e30)
    dy, dx = mc.grad(np.arctan2, (0, 1))(y, x)
    np.testing.assert_allclose([dy, dx], [0.16 / 1e30 * 1.0, -0.12 / 1e30], rtol=1e-6)
    np.testing.assert_allclose(mc.grad(np.hypot, (0, 1))(x, y), [0.8, 0.6], rtol=1e-6)


def test_nan_travels() -> None:
    x = np.array([1.0, np.nan])
    assert np.isnan([mc.compile(np.max, backend="reference")(x), mc.vjp(np.max, x)[0]]).all()
    assert np.isnan(slope(lambda x: np.max(x) ** 2, x)).all()
    assert np.isnan(slope(np.tanh, x)).tolist() == [False, True]


def test_branches_not_taken_do_no_harm_where_they_are_guarded() -> None:
    f = lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)  # noqa: E731
    np.testing.assert_array_equal(slope(f, np.array([-1.0, 0.0, 2.0])), [0.0, 0.0, 0.5])
