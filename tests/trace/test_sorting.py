"""Functions for which order matters: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace import differences, quantiles, sorting

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
NUMBER = np.float64(0.7)
NONE, EMPTY = np.zeros((0, 3)), np.zeros((2, 0))
# One rounding more or less: sums in another order, or a composition for NumPy's single loop.
CLOSE = 2e-15


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.sort: [of(np.sort, M), of(np.sort, M, axis=0), of(np.sort, M, axis=None), of(np.sort, EMPTY)],
    np.argsort: [of(np.argsort, M), of(np.argsort, M, axis=0), of(np.argsort, M, axis=None)],
    np.partition: [of(lambda x: np.partition(x, 2)[2], V)],
    np.quantile: [
        of(np.quantile, M, q, axis=k, rtol=CLOSE) for q in (0.3, [0.0, 0.25, 1.0]) for k in (None, 0, (0, 1))
    ]
    + [of(np.quantile, M, 0.4, axis=1, keepdims=True, rtol=CLOSE)],
    np.percentile: [of(np.percentile, M, 35.0, axis=1, rtol=CLOSE)],
    np.median: [
        of(np.median, M, rtol=CLOSE),
        of(np.median, M, axis=0, rtol=CLOSE),
        of(np.median, T, axis=(0, 2), keepdims=True, rtol=CLOSE),
    ],
    np.nanquantile: [of(np.nanquantile, M, q, axis=1, rtol=CLOSE) for q in (0.3, [0.0, 0.25, 1.0])],
    np.nanpercentile: [of(np.nanpercentile, M, 35.0, axis=0, keepdims=True, rtol=CLOSE)],
    np.nanmedian: [of(np.nanmedian, M, rtol=CLOSE), of(np.nanmedian, T, axis=(0, 2), keepdims=True)],
    np.diff: [
        of(np.diff, M),
        of(np.diff, M, 2, axis=0),
        of(lambda x, y: np.diff(x, prepend=y, append=0.0), M, NUMBER),
        of(np.diff, V[:1]),
    ],
    np.ediff1d: [of(np.ediff1d, M), of(lambda x, y: np.ediff1d(x, to_end=y, to_begin=x[0]), M, V)],
    np.gradient: [
        of(np.gradient, V),
        of(np.gradient, M),
        of(np.gradient, M, 0.5, axis=1),
        of(np.gradient, M, 0.5, 2.0),
        of(np.gradient, V, [0.0, 0.5, 2.0, 2.5, 4.0], edge_order=2),
        of(lambda x, c: np.gradient(x, c * c + [0.0, 9.0, 19.0, 29.0], axis=1, edge_order=2), M, V[:4]),
    ],
    np.interp: [
        of(lambda x, f: np.interp(x, [-1.0, 0.0, 0.5, 1.0], f), V, W[:4], rtol=CLOSE),
        of(lambda x: np.interp(x, [-1.0, 0.5], [2.0, 3.0], left=0.0, right=9.0), V, rtol=CLOSE),
        of(lambda x, f: np.interp(x, [0.3, 1.1, 0.7], f, period=1.5), V, W[:3], rtol=CLOSE),
    ],
    np.searchsorted: [
        of(lambda x: np.searchsorted(np.array([-1.0, 0.0, 1.0]), x), M),
        of(lambda x: np.searchsorted(np.array([-1.0, 0.0, 1.0]), x, side="right"), M),
    ],
    np.digitize: [
        of(lambda x, r=r: np.digitize(x, np.array([-1.0, 0.0, 1.0]), right=r), M) for r in (False, True)
    ],
    np.sinc: [of(np.sinc, np.array([0.0, 0.05, -0.14, 0.16, 2.3]), rtol=4e-16)],
    np.i0: [of(np.i0, V, rtol=1e-15)],
    np.round: [
        of(np.round, M),
        of(np.round, np.array([0.12, -0.37, 2.44]), 1),
        of(np.round, np.array([12.0, -37.0]), -1),
        of(np.round, NUMBER),
    ],
    np.fix: [of(np.fix, M)],
    np.polyval: [of(np.polyval, V, M), of(np.polyval, V, NUMBER)],
    np.unwrap: [of(np.unwrap, np.array([0.0, 3.0, 6.1, 9.0, 0.3, -3.0])), of(np.unwrap, 4.0 * M, axis=0)],
    np.isposinf: [of(np.isposinf, M)],
    np.isneginf: [of(np.isneginf, M)],
    np.array_equiv: [of(lambda x: x * np.array_equiv(x, M[:1]), M)],
    np.array_equal: [of(lambda x: x * np.array_equal(x, N), M), of(lambda x: x * np.array_equal(x, V), M)],
    np.allclose: [of(lambda x: x * np.allclose(x, M, atol=1.0), M)],
    np.isclose: [of(lambda x: np.isclose(x, M, equal_nan=True), M)],
    np.trapezoid: [
        of(np.trapezoid, M, rtol=CLOSE),
        of(np.trapezoid, M, dx=0.5, axis=0, rtol=CLOSE),
        of(lambda y, x: np.trapezoid(y, x), M, V[:4], rtol=CLOSE),
    ],
}
EXAMPLES[np.around] = EXAMPLES[np.round]


def test_every_row_has_an_example() -> None:
    rows = {*sorting.TABLE, *quantiles.TABLE, *differences.TABLE}
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.filterwarnings("ignore:numpy.fix:DeprecationWarning")  # from NumPy 2.5 on
@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
