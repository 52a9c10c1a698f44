"""Keyword arguments of reductions and statistics, on every dtype: NumPy's value, or an error naming them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import MinicolumnError

BACKENDS = ("reference", "native")
MASK = np.array([[True, False, True], [False, False, False]])
MIXED = np.array([[0.0, 1.5, -7.0], [np.nan, np.inf, 2.0]])
ARRAYS: dict[str, np.ndarray] = {
    "float32": MIXED.astype(np.float32),
    "float64": MIXED,
    "finite": np.array([[0.5, 1.5, -7.0], [3.0, -1.0, 2.0]], np.float32),
    "int32": np.array([[0, 1, -7], [65536, 2**30, 2**30]], np.int32),
    "uint32": np.array([[0, 1, 7], [65536, 65536, 2**32 - 1]], np.uint32),
    "bool": np.array([[True, False, True], [False, False, True]]),
    "no rows": np.zeros((0, 3), np.float32),
    "no columns": np.zeros((2, 0), np.int32),
    "number": np.array(2.5, np.float32),
}
Keywords = dict[str, Any]
AXES: list[Keywords] = [
    {}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1)}, {"axis": ()}, {"axis": 1, "keepdims": True}, {"axis": 5},
    {"axis": (0, 0)},
]  # fmt: skip
WHERE: list[Keywords] = [
    {"where": MASK}, {"where": MASK[0]}, {"where": MASK, "axis": 1}, {"where": True},
    {"where": MASK, "axis": 1, "keepdims": True}, {"where": np.ones((2, 3), int)},
]  # fmt: skip
INITIAL: list[Keywords] = [
    {"initial": 3}, {"initial": 2.5}, {"initial": None}, {"initial": 5, "where": MASK, "axis": 1},
    {"initial": None, "where": MASK}, {"initial": -3}, {"initial": 1, "axis": 0, "keepdims": True},
]  # fmt: skip
DTYPE: list[Keywords] = [{"dtype": d} for d in (np.float32, np.float64, np.int32, np.int64, np.int8, bool)]
SPREAD: list[Keywords] = [
    {"ddof": 1}, {"ddof": 5, "axis": 0}, {"ddof": 0.5}, {"correction": 1, "axis": 1},
    {"correction": 1, "ddof": 0}, {"correction": 1, "ddof": 1}, {"where": MASK, "ddof": 1, "axis": 1},
    {"mean": np.array([[1.0], [2.0]], np.float32), "axis": 1},
]  # fmt: skip
PLACES: list[Keywords] = [*AXES[:3], {"keepdims": True}, {"axis": -1, "keepdims": True}, {"axis": 3}]
RUNNING: list[Keywords] = [{"axis": None}, {"axis": 0}, {"axis": -1}, *DTYPE]
CUMULATIVE: list[Keywords] = [
    {}, {"axis": 0}, {"axis": -1}, {"axis": 1, "include_initial": True}, {"axis": 1, "dtype": np.float64},
]  # fmt: skip
W, PAIRS = np.array([1.0, 2.0, 3.0]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
CALLS: dict[str, list[Keywords]] = {
    **dict.fromkeys(("sum", "prod", "nansum", "nanprod"), AXES + WHERE + INITIAL + DTYPE),
    **dict.fromkeys(("max", "min", "nanmax", "nanmin"), AXES + WHERE + INITIAL),
    **dict.fromkeys(("all", "any"), AXES + WHERE),
    **dict.fromkeys(("mean", "nanmean"), AXES + WHERE + DTYPE),
    **dict.fromkeys(("var", "std", "nanvar", "nanstd"), AXES + WHERE + DTYPE + SPREAD),
    **dict.fromkeys(("ptp", "count_nonzero"), AXES),
    **dict.fromkeys(("argmax", "argmin"), PLACES),
    **dict.fromkeys(("cumsum", "cumprod", "nancumsum", "nancumprod"), RUNNING),
    **dict.fromkeys(("cumulative_sum", "cumulative_prod"), CUMULATIVE),
    "nan_to_num": [{}, {"nan": 7.0}, {"posinf": 1, "neginf": 2}, {"copy": False}, {"nan": 1e300}],
    "average": [
        {}, {"axis": 0}, {"axis": (0, 1)}, {"axis": 1, "weights": W}, {"weights": PAIRS}, {"weights": W},
        {"axis": 1, "weights": W.astype(int), "returned": True},
        {"axis": 0, "weights": PAIRS, "returned": True},
        {"axis": 1, "weights": W.astype(np.float32), "keepdims": True}, {"weights": W[:1], "axis": 1},
        {"axis": (1, 0), "weights": PAIRS.T}, {"returned": True},
    ],
    "cov": [
        {}, {"rowvar": False}, {"bias": True}, {"ddof": 0}, {"ddof": 5}, {"ddof": 0.5}, {"dtype": np.float32},
        {"y": W}, {"fweights": np.array([1, 2, 1])}, {"aweights": W},
        {"aweights": W, "fweights": [2, 0, 1], "ddof": 2},
    ],
    "corrcoef": [{}, {"rowvar": False}, {"y": PAIRS}, {"dtype": np.float32}],
}  # fmt: skip
# What NumPy does and a graph cannot or will not: the call, and what the error says.
REFUSED = (
    ("uint32", "sum", {}, "uint64"),
    ("uint32", "prod", {}, "uint64"),
    ("uint32", "cumsum", {"axis": 0}, "uint64"),
    ("finite", "sum", {"dtype": np.int8}, "int8"),
    ("finite", "mean", {"dtype": np.int32}, "dtype=int32"),
    ("finite", "var", {"dtype": np.int32}, "dtype=int32"),
    ("finite", "std", {"ddof": 1, "correction": 1}, "correction"),
    ("finite", "max", {"where": MASK}, "initial"),
    ("finite", "nanmin", {"where": MASK}, "initial"),
    ("finite", "sum", {"where": MASK, "initial": None}, "initial"),
    ("no rows", "sum", {"initial": None}, "initial"),
    ("finite", "sum", {"where": np.ones((2, 3), int)}, "where"),
    ("finite", "cov", {"ddof": 0.5}, "ddof"),
)
# Where NumPy gives a value, the traced call may give an error of these kinds instead, but no other value.
HONEST = (
    "uint64", "does not exist in graphs", "would cut a mean off", "not defined on bool", "0 dimensions",
    "weights have shape", "cannot be traced", "needs their number",
)  # fmt: skip
# Statistics of nothing at all are shaped otherwise, or a division of Python numbers fails in NumPy.
NOT_COMPARED = [(name, kind) for name in ("cov", "corrcoef", "average") for kind in ("no rows", "no columns")]


def _outcome(f: Callable[[Any], Any], x: np.ndarray) -> Any:
    try:
        return f(x)
    except (TypeError, ValueError, RuntimeError, OverflowError, IndexError, MinicolumnError) as error:
        return error


def _agree(found: Any, wanted: Any, digits: float = 2e-6) -> None:
    """Hold values to NumPy's: integers and booleans to the bit, floats but for the order of their sums."""
    found, wanted = (y if isinstance(y, tuple) else (y,) for y in (found, wanted))
    for a, b in zip(map(np.asarray, found), map(np.asarray, wanted), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        last = 2e-6 if b.dtype == np.float32 else digits
        np.testing.assert_allclose(a, b, rtol=last if b.dtype.kind == "f" else 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", CALLS)
def test_keywords_are_numpys_or_refused(name: str, kind: str) -> None:
    x, good = ARRAYS[kind], []
    digits = 2e-6 if x.dtype == np.float32 else 1e-14
    for said in CALLS[name]:
        unfit = kind in ("no rows", "no columns", "number") and {"where", "weights", "mean", "y"} & set(said)
        if unfit or (name, kind) in NOT_COMPARED or not hasattr(np, name):
            continue
        f = partial(getattr(np, name), **said)
        # NumPy works in place where it is told to.
        wanted, found = _outcome(f, np.array(x)), _outcome(mc.compile(f, backend="reference"), x)
        if isinstance(found, Exception):
            honest = isinstance(wanted, Exception) or any(words in str(found) for words in HONEST)
            assert honest, f"{said}: {found}"
            assert "\n" not in str(found)
            continue
        assert not isinstance(wanted, Exception), f"{said}: NumPy says {wanted}"
        overflows = (
            x.dtype == np.float64 and said.get("dtype") is np.float32 and name in ("nanvar", "nanstd", "cov")
        )
        if not overflows:  # NumPy takes the mean in float64 first
            _agree(found, wanted, digits)
        good.append((f, found))
    together = mc.compile(lambda x: [f(x) for f, _ in good], backend="native")(x)
    for found, (_, reference) in zip(together, good, strict=True):
        _agree(found, reference)


@pytest.mark.parametrize(
    ("kind", "name", "said", "words"), REFUSED, ids=[f"{n} {list(s)}" for _, n, s, _ in REFUSED]
)
def test_what_is_refused_is_named(kind: str, name: str, said: Keywords, words: str) -> None:
    with pytest.raises(MinicolumnError, match=words):
        mc.compile(partial(getattr(np, name), **said), backend="reference")(ARRAYS[kind])


def test_uint32_products_in_a_dtype_that_holds_them() -> None:
    x = np.array([65536, 65536], np.uint32)
    for f in (np.prod, np.sum, np.cumprod, np.cumsum):
        for backend in BACKENDS:
            found = mc.compile(lambda x, f=f: f(x, dtype=np.int64), backend=backend)(x)
            np.testing.assert_array_equal(found, f(x))


def test_a_masked_mean_counts_beyond_what_float32_counts() -> None:
    n = 2**24 + 3
    count = mc.compile(lambda x: np.mean(x, where=x > 0), backend="reference")(np.ones(n, np.float32))
    assert count == 1.0


@pytest.mark.parametrize("f", [np.max, np.min, np.nanmax, np.nanmin])
def test_derivatives_of_masked_extremes(f: Any, keeps_laws: Callable[..., None]) -> None:
    x = np.array([[0.5, 1.5, -7.0], [3.0, -1.0, 2.0]])
    keeps_laws(lambda x: f(x, axis=1, where=MASK, initial=0.25), x)


def test_reduce_takes_dtype_and_initial() -> None:
    x = np.array([0.5, 2.0, -3.0], np.float32)
    for f in (
        lambda x: np.maximum.reduce(x, dtype=np.float64),
        lambda x: np.minimum.reduce(x, initial=-5, where=x > 0),
        lambda x: np.logical_and.reduce(x, initial=False),
        lambda x: np.logical_or.reduce(x, dtype=bool),
        lambda x: np.logaddexp.reduce(x, dtype=np.float64),
        lambda x: np.logaddexp.reduce(x[:0]),
        lambda x: np.logaddexp.reduce(x, initial=2.0, where=x > 0),
    ):
        for backend in BACKENDS:
            _agree(mc.compile(f, backend=backend)(x), f(x))
    with pytest.raises(mc.TraceError, match="float16"):
        mc.compile(np.logaddexp.reduce, backend="reference")(np.array([True]))


def test_logaddexp_reduce_of_infinities() -> None:
    slope = mc.grad(np.logaddexp.reduce)
    np.testing.assert_array_equal(slope(np.full(3, -np.inf)), [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(slope(np.array([np.inf, 1.0])), [0.0, 0.0])
    np.testing.assert_allclose(slope(np.array([0.0, -np.inf, 0.0])), [0.5, 0.0, 0.5])


@pytest.mark.parametrize("f", [np.linalg.norm, np.std])
def test_lengths_at_zero_have_a_slope_and_no_curvature(f: Any) -> None:
    at = np.zeros(2)
    np.testing.assert_array_equal(mc.grad(f)(at), at)
    assert np.isnan(mc.hessian(f)(at)).all()
    # 2 I for a squared length, 2 (I - 1/n) / n for a variance; at 0 as anywhere.
    expected = 2 * np.eye(2) if f is np.linalg.norm else np.eye(2) - 0.5
    for square in (lambda x: f(x) ** 2, lambda x: np.square(f(x)), lambda x: f(x) ** 2.0):
        for point in (at, np.array([1.0, 2.0]), np.array([3.0, 3.0])):
            for backend in ("reference", "native"):
                found = mc.compile(mc.hessian(square), backend=backend)(point)
                np.testing.assert_allclose(found, expected, atol=1e-14)
                value = mc.compile(square, backend=backend)(point)
                np.testing.assert_allclose(value, square(point), rtol=1e-15)


def test_squares_of_lengths_of_rows_at_zero() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.linalg.norm(x, axis=1) ** 2) + np.linalg.norm(x, axis=(0, 1)) ** 2

    x = np.array([[0.0, 0.0], [1.0, 2.0]])
    curvature = mc.hessian(f)(x).reshape(4, 4)
    np.testing.assert_allclose(curvature, 4 * np.eye(4), atol=1e-14)
    np.testing.assert_allclose(mc.grad(f)(x), 4 * x, atol=1e-14)


SIZES: dict[str, Any] = {
    "length": np.linalg.norm,
    "length of a row": lambda x: np.linalg.norm(x[None], axis=1),
    "vector_norm": np.linalg.vector_norm,
    "size": lambda x: np.abs(x[0]),
}


@pytest.mark.parametrize("what", SIZES)
def test_powers_of_lengths_at_zero(what: str) -> None:
    size, at, near = SIZES[what], np.zeros(2), np.array([3.0, 4.0])
    # |x|^2 has curvature 2, |x|^p none from p = 3 on.
    for power, curvature in ((2, 2.0), (3, 0.0), (4.0, 0.0), (5.5, 0.0)):
        for raised in (operator.pow, np.float_power):
            f = lambda x, p=power, r=raised: np.sum(r(size(x), p))  # noqa: E731
            wanted = curvature * np.eye(2) * ([1, 1] if what != "size" else [1, 0])
            for backend in BACKENDS:
                np.testing.assert_array_equal(mc.compile(mc.hessian(f), backend=backend)(at), wanted)
                np.testing.assert_array_equal(mc.compile(mc.grad(f), backend=backend)(at), at)
            np.testing.assert_array_equal(mc.hessian(f)(at), wanted)
            assert mc.compile(f, backend="reference")(near) == f(near)
            mc.check_grads(f, (near,), order=2, modes=("rev",))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm(x) ** 2.5,
        lambda x: np.linalg.norm(x) * np.linalg.norm(x),
        lambda x: (x @ x) ** 1.5,
        lambda x: np.hypot(x[0], x[1]) ** 2,
        lambda x: np.linalg.norm(x, 3) ** 2,
    ],
)
def test_curvatures_at_zero_that_a_trace_does_not_know_are_nan(f: Any) -> None:
    at = np.zeros(2)
    np.testing.assert_array_equal(mc.grad(f)(at), at)
    assert np.isnan(mc.hessian(f)(at)).all()
