"""Every keyword argument of the order functions, on every dtype of graphs, with NaN, infinities and nothing.

Values, shapes and dtypes are NumPy's, by both backends; or a TraceError names the argument.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import MinicolumnError, TraceError
from minicolumn.tree import flatten

Call = Callable[..., Any]
# Many calls here are wrong on purpose, which type checkers need not hear.
numpy: Any = np

NAN, INF = np.nan, np.inf
ROWS = np.array([[3.0, NAN, 1.0, 2.0], [INF, 4.0, -INF, 4.0], [0.5, -2.5, 7.0, 7.0]])
METHODS = (
    *("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen"),
    *("weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"),
)
LEVELS: Any = (
    0.3,
    0,
    1,
    [0.0, 0.25, 0.5, 1.0],
    [[0.1], [0.9]],
    np.float32(0.3),
    np.float64(0.7),
    np.array([0, 1]),
)
RISING, FALLING = [-1.0, 0.5, 0.5, 3.0], [3.0, 0.5, 0.5, -1.0]
KNOTS, HEIGHTS = [-INF, -1.0, 0.5, 0.5, 3.0, INF], [0.0, 2.0, -1.0, 4.0, INF, 5.0]
PLACES = [0.0, 0.5, 2.0, 5.0]


def inputs() -> dict[str, Any]:
    """Return arrays of every dtype that graphs have, with what is special about it."""
    finite = np.nan_to_num(ROWS, nan=-3.0, posinf=9.0, neginf=-9.0)
    return {
        "f64": ROWS,
        "f32": ROWS.astype(np.float32),
        "finite": finite,
        "i32": finite.astype(np.int32),
        "i64": finite.astype(np.int64),
        "u32": np.abs(finite).astype(np.uint32),
        "bool": finite > 1,
        "row": ROWS[1],
        "one": ROWS[2, :1],
        "number": np.float64(0.5),
        "none": np.zeros(0),
        "no rows": np.zeros((0, 4)),
        "no columns": np.zeros((3, 0), np.float32),
    }


def quantiles(function: Call, parts: int) -> list[Call]:
    """Return calls of a quantile function with each of its arguments."""
    levels = [type(q)(q * parts) if np.ndim(q) == 0 else np.multiply(q, parts) for q in LEVELS]
    return [
        *(lambda x, q=q, k=k: function(x, q, axis=k) for q in levels for k in (None, -1, (0, 1))),
        *(lambda x, m=m, q=q: function(x, q, axis=-1, method=m) for m in METHODS for q in levels[:4]),
        lambda x: function(x, levels[3], axis=0, keepdims=True),
        lambda x: function(x, levels[0], keepdims=True, overwrite_input=True, method="lower"),
    ]


def medians(function: Call) -> list[Call]:
    """Return calls of a median function with each of its arguments."""
    axes = (None, 0, -1, (0, 1))
    return [
        *(lambda x, k=k, d=d: function(x, axis=k, keepdims=d) for k in axes for d in (False, True)),
        lambda x: function(x, overwrite_input=True),
    ]


def knots(values: list[float], x: np.ndarray) -> np.ndarray:
    """Return knots in the dtype of x, as far as it has them."""
    return np.array(values).astype(x.dtype) if x.dtype.kind == "f" else np.array(values)


CALLS: dict[str, list[Call]] = {
    "sort": [
        *(lambda x, k=k: numpy.sort(x, axis=k) for k in (-1, 0, None)),
        *(lambda x, kind=kind: numpy.sort(x, kind=kind) for kind in ("quicksort", "heapsort", "stable", "x")),
        lambda x: numpy.sort(x, stable=True),
        lambda x: numpy.sort(x, kind="stable", stable=True),
        lambda x: numpy.sort(x, order="name"),
    ],
    "argsort": [
        *(lambda x, k=k: numpy.argsort(x, axis=k, kind="stable") for k in (-1, 0, None)),
        lambda x: numpy.argsort(x, stable=True),
        lambda x: numpy.argsort(x, kind="x"),
        lambda x: numpy.argsort(x, order="name"),
    ],
    "partition": [
        *(lambda x, k=k: numpy.partition(x, 1, axis=None)[k] for k in (1,)),
        lambda x: numpy.partition(x, (0, 2), axis=-1)[..., 2],
        lambda x: numpy.partition(x, -1, kind="introselect")[..., -1],
        *(lambda x, kth=kth: numpy.partition(x, kth)[..., :0] for kth in (4, -5, (1, 99))),
        lambda x: numpy.partition(x, 0, kind="x")[..., :0],
        lambda x: numpy.partition(x, 0, order="name")[..., :0],
    ],
    "quantile": quantiles(np.quantile, 1),
    "percentile": quantiles(np.percentile, 100),
    "median": medians(np.median),
    "nanquantile": quantiles(np.nanquantile, 1),
    "nanpercentile": quantiles(np.nanpercentile, 100),
    "nanmedian": medians(np.nanmedian),
    "diff": [
        *(lambda x, n=n: np.diff(x, n) for n in (-1, 0, 1, 2, 9)),
        *(lambda x, k=k: np.diff(x, axis=k) for k in (0, -1)),
        *(lambda x, v=v: np.diff(x, prepend=v) for v in (0, 1.5, np.float32(2), True)),
        lambda x: np.diff(x, append=x, axis=0),
        lambda x: np.diff(x, 0, prepend=1.0, append=1.0),
    ],
    "ediff1d": [
        np.ediff1d,
        lambda x: np.ediff1d(x, to_end=x[:1], to_begin=x),
        lambda x: np.ediff1d(x, to_end=[1, 2], to_begin=3),
        lambda x: np.ediff1d(x, to_end=0.5),
    ],
    "gradient": [
        *(lambda x, e=e: numpy.gradient(x, edge_order=e) for e in (1, 2, 3)),
        *(
            lambda x, s=s, e=e: numpy.gradient(x, s, axis=-1, edge_order=e)
            for e in (1, 2)
            for s in (0.5, np.float64(2), PLACES, [0, 1, 4, 6], [0.0, 0.5, 1.0, 1.5], [1.0, 2.0])
        ),
        *(lambda x, k=k: numpy.gradient(x, axis=k) for k in (0, (1, 0), (0, 1))),
        lambda x: numpy.gradient(x, 2.0, PLACES),
        lambda x: numpy.gradient(x, 1.0, 2.0, 3.0),
    ],
    "trapezoid": [
        *(lambda x, k=k: numpy.trapezoid(x, axis=k) for k in (0, -1)),
        *(
            lambda x, d=d: numpy.trapezoid(x, dx=d, axis=-1)
            for d in (2, 0.5, np.float64(0.5), [1.0, 2.0, 3.0])
        ),
        lambda x: numpy.trapezoid(x, dx=np.array([[1.0], [2.0]]), axis=0),
        lambda x: numpy.trapezoid(x, PLACES),
        lambda x: numpy.trapezoid(x, np.array(PLACES[:3])[:, None], axis=0),
        lambda x: numpy.trapezoid(x, x[..., ::-1]),
    ],
    "interp": [
        lambda x: np.interp(x, RISING, [1.0, 2.0, 3.0, 4.0]),
        lambda x: np.interp(x, KNOTS, HEIGHTS),
        lambda x: np.interp(x, RISING, [NAN, 2.0, 3.0, 4.0], left=-7, right=NAN),
        lambda x: np.interp(x, [0.5], [2.0]),
        lambda x: np.interp(x, [0.5], [2.0], left=0.0, right=1.0),
        lambda x: np.interp(x, [], []),
        lambda x: np.interp(x, [0.0, 1.0], [1.0]),
        *(
            lambda x, p=p: np.interp(x, [5.0, 0.0, 1.0], [1.0, 2.0, 3.0], 8.0, 9.0, period=p)
            for p in (3, -2.5, 0)
        ),
    ],
    "searchsorted": [
        *(
            lambda x, s=s: numpy.searchsorted(knots(RISING, x), x, side=s)
            for s in ("left", "right", "middle")
        ),
        *(
            lambda x, s=s: numpy.searchsorted([-INF, 1, 2, INF, NAN, NAN], x, side=s)
            for s in ("left", "right")
        ),
        *(lambda x, s=s: numpy.searchsorted(FALLING, x, s, sorter=[3, 2, 1, 0]) for s in ("left", "right")),
        lambda x: numpy.searchsorted(FALLING, x, sorter=[0]),
        lambda x: numpy.searchsorted([], x),
        lambda x: numpy.searchsorted(np.ones((2, 2)), x),
    ],
    "digitize": [
        lambda x, e=e, r=r: np.digitize(x, e, right=r)
        for e in (RISING, FALLING, [2, 2], [1], [], [1, 2, 1])
        for r in (False, True)
    ],
    "unwrap": [
        np.unwrap,
        lambda x: np.unwrap(x, 2.0),
        lambda x: np.unwrap(x, axis=0, period=3.0),
        *(lambda x, p=p: np.unwrap(x, period=p) for p in (3, 4)),
    ],
    "round": [lambda x, d=d: np.round(x, d) for d in (0, 1, -1)],
    "polyval": [lambda x, p=p: np.polyval(p, x) for p in ([2.0], [1, 2], [], np.ones(3, np.float32))],
    "equality": [
        *(
            lambda x, f=f, e=e: f(x, x, equal_nan=e)
            for f in (np.array_equal, np.isclose, np.allclose)
            for e in (False, True)
        ),
        *(lambda x, y=y: np.isclose(x, y, rtol=0.1, atol=0.5, equal_nan=True) for y in (NAN, 1, 2.5, INF)),
        lambda x: np.array_equiv(x, x),
        lambda x: np.isposinf(x),
        lambda x: np.isneginf(x),
    ],
}

if np.lib.NumpyVersion(np.__version__) < "2.3.0":
    # Older ones are NaN beside infinities, and round levels as the array does; test_sorting.py has the rest.
    for _name in ("quantile", "percentile", "nanquantile", "nanpercentile"):
        del CALLS[_name]

# What NumPy answers and a trace does not: the words that say so.
REFUSED = {
    "argsort": r"axis -?\d is out of bounds for an array of 0 dimensions",
    "partition": r"kth\(=-?\d+\) out of bounds",  # NumPy does not look where there are no rows
    "round": "np.round of (booleans is float16|integers to tens)",
}


def outcome(f: Call, x: np.ndarray) -> Any:
    """Return what NumPy answers, or the error that it raises."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mean of nothing
        try:
            return f(x.copy())  # which it may overwrite
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            return error


def check_same(found: Any, expected: Any, what: str) -> None:
    """Check values, shapes and dtypes to the letter."""
    ours, theirs = (flatten(side)[0] for side in (found, expected))
    assert len(ours) == len(theirs), what
    for a, b in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what, strict=a.ndim > 0 or not np.all(b != b))
        # A NaN among all elements makes NumPy's quantile the dtype of the array, which no type rule can know.


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("key", inputs())
def test_arguments_are_numpys_or_refused(name: str, key: str) -> None:
    x = inputs()[key]
    answered = []
    for i, call in enumerate(CALLS[name]):
        expected = outcome(call, x)
        if not isinstance(expected, Exception):
            answered.append((i, call, expected))
            continue
        with pytest.raises((MinicolumnError, ValueError, IndexError, OverflowError)):
            mc.compile(call, backend="reference")(x)
    traced = [row for row in answered if not is_refused(name, row[1], x)]
    for backend in ("native", "reference"):
        # One program for all calls: most time would go into compiling.
        together = mc.compile(lambda x: [call(x) for _, call, _ in traced], backend=backend)(x)  # type: ignore[arg-type]
        for (i, _, expected), found in zip(traced, together, strict=True):
            check_same(found, expected, f"call {i} of {name}, {key}, {backend}")


def is_refused(name: str, call: Call, x: np.ndarray) -> bool:
    """Return whether a call is refused as it should be; any other error is one."""
    try:
        mc.compile(call, backend="reference")(x)
    except (MinicolumnError, ValueError) as error:
        if name not in REFUSED or not re.search(REFUSED[name], str(error)):
            raise
        return True
    return False


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda x: numpy.quantile(x, 0.5, method="middle"), "method='middle'"),
        (lambda x: numpy.quantile(x, 0.5, weights=np.ones(4), method="inverted_cdf"), "weights="),
        (lambda x: np.percentile(x, 0.5, None, np.zeros(())), "out="),
        (lambda x: numpy.quantile(x, 1.5), "q=1.5"),
        (lambda x: np.percentile(x, [50, NAN]), "q="),
        (lambda x: np.nanpercentile(x, -1), "q=-1"),
        (lambda x: numpy.quantile(x, np.stack([x[0], x[1]])), "q="),
        (lambda x: np.median(x, None, np.zeros(())), "out="),
        (lambda x: np.nanmedian(x, None, np.zeros(())), "out="),
        (lambda x: np.round(x, 0, np.zeros(4)), "out="),
        (lambda x: np.diff(x, n=-1), "n=-1"),
        (lambda x: numpy.gradient(x, edge_order=3), "edge_order=3"),
        (lambda x: numpy.gradient(x, 1.0, 2.0), "varargs"),
        (lambda x: numpy.searchsorted(x, 1.0, side="middle"), "side='middle'"),
        (lambda x: np.digitize(x, [1.0, NAN]), "bins="),
        (lambda x: np.interp(x, x, x, period=0), "period="),
        (lambda x: np.ediff1d(x.astype(int), to_end=0.5), "to_end"),
    ],
)
def test_what_is_not_supported_is_named(call: Call, named: str) -> None:
    with pytest.raises(TraceError, match=re.escape(named)) as caught:
        mc.compile(call, backend="reference")(np.arange(4.0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("f", [np.median, lambda x: numpy.quantile(x, 0.3), lambda x: np.percentile(x, 40)])
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_the_gradient_of_a_quantile_that_is_nan_is_nan(f: Call, backend: str) -> None:
    slope = mc.compile(mc.grad(f), backend=backend)
    assert np.isnan(slope(np.array([1.0, NAN, 2.0, 5.0]))).any()
    assert np.isfinite(slope(np.array([1.0, 4.0, 2.0, 5.0]))).all()


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_gradients_that_skip_nan_are_those_of_the_rest(backend: str) -> None:
    x, rest = np.array([7.0, NAN, 1.0, 2.0, 4.0]), np.array([7.0, 1.0, 2.0, 4.0])
    pairs: list[tuple[Any, Any]] = [
        (np.nanmedian, np.median),
        (lambda x: np.nanquantile(x, 0.3), lambda x: numpy.quantile(x, 0.3)),
        (lambda x: np.nanpercentile(x, 60, method="hazen"), lambda x: np.percentile(x, 60, method="hazen")),
    ]
    for skipping, plain in pairs:
        found = mc.compile(mc.grad(skipping), backend=backend)(x)
        np.testing.assert_array_equal(found, np.insert(mc.grad(plain)(rest), 1, 0.0))


def test_interpolation_has_finite_gradients_beside_infinite_knots() -> None:
    def f(x: Any, heights: Any) -> Any:
        return np.sum(np.interp(x, [-INF, -1.0, 0.5, 0.5, 3.0, INF], heights))

    x, heights = np.array([-5.0, -1.0, 0.5, 2.0, 3.0, 9.0]), np.array([0.0, 2.0, -1.0, 4.0, 3.0, 5.0])
    by_x, by_height = mc.compile(mc.grad(f, argnums=(0, 1)), backend="reference")(x, heights)
    # At knots the slope to the right; between a finite and an infinite knot the finite one's value holds.
    np.testing.assert_allclose(by_x, [0.0, -2.0, -0.4, -0.4, 0.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(by_height, [0.0, 2.0, 0.0, 1.4, 2.6, 0.0], rtol=1e-15)


def test_the_gradient_of_a_polynomial_is_that_of_its_powers() -> None:
    slope = mc.grad(lambda p: np.polyval(p, 2.0))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(slope, [4.0, 2.0, 1.0])


def test_traced_arguments_are_arrays_as_plain_ones_are() -> None:
    x, knots, heights = np.array([0.2, NAN, 5.0, 1.0]), np.array([-1.0, 1.0, 4.0]), np.array([3.0, 1.0, INF])
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (np.digitize, (x, knots[::-1])),
        (np.searchsorted, (knots, x)),
        (lambda v, s: np.searchsorted(knots[::-1], v, sorter=s), (x, np.array([2, 1, 0]))),
        (np.interp, (x, knots, heights)),
        (lambda v, end: np.interp(v, [0.0, 2.0], [1.0, 3.0], left=end, right=end), (x, 7.0)),
        (np.gradient, (x, np.array([0.0, 0.5, 2.0, 3.0]))),
        (np.trapezoid, (heights, knots)),
        (lambda v, end: np.diff(v, prepend=end), (x, 7.0)),
    ]
    for backend in ("native", "reference"):
        for i, (f, args) in enumerate(calls):
            check_same(mc.compile(f, backend=backend)(*args), f(*args), f"call {i}, {backend}")


def test_an_axis_of_any_length_can_be_kept() -> None:
    def f(x: Any) -> Any:
        return np.median(x, axis=1), np.quantile(x, [0.3, 0.8], axis=1)

    # Native code sorts along axes of known length only, and says so.
    x = inputs()["finite"]
    check_same(mc.compile(f, dims={0: "rows"}, backend="reference")(x), f(x), "rows of any number")
