"""Sums, extremes, means and spreads: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace import nan_reductions, reductions

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
MASK = M > 0
NUMBER = np.float64(0.7)
NONE, EMPTY = np.zeros((0, 3)), np.zeros((2, 0))
# One rounding more or less: sums in another order, or a composition for NumPy's single loop.
CLOSE = 2e-15


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


def each(f: Callable[..., Any], x: Any, *calls: dict[str, Any], **common: Any) -> list[Example]:
    """Return one example for each set of keywords."""
    return [of(f, x, **common, **kwargs) for kwargs in calls]


AXES = ({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}, {"keepdims": True})


def reductions_of(f: Callable[..., Any], *more: dict[str, Any], **common: Any) -> list[Example]:
    """Return what every reduction is tried on."""
    out = each(f, M, *AXES, *more, **common) + each(f, T, {"axis": (0, 2)}, {"axis": ()}, **common)
    return out + each(f, NUMBER, {}, **common) + each(f, NONE, {"axis": 1}, **common)


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.sum: [*reductions_of(np.sum, {"where": MASK}, {"initial": 2.0}), of(np.sum, NONE)],
    np.prod: [
        *reductions_of(np.prod, {"where": MASK}, {"initial": 2.0}),
        of(np.prod, NONE),
        of(np.prod, np.array([[0.0, 2.0, 0.0], [0.0, 2.0, 3.0]]), axis=1),
    ],
    np.max: [*reductions_of(np.max, {"where": MASK, "initial": -9.0}), of(np.max, NONE, axis=1)],
    np.min: [*reductions_of(np.min, {"where": MASK, "initial": 9.0}), of(np.min, NONE, axis=1)],
    np.mean: reductions_of(np.mean, {"where": MASK}, rtol=CLOSE),
    np.var: reductions_of(np.var, {"ddof": 1}, {"where": MASK}, {"correction": 1}, rtol=CLOSE),
    np.std: reductions_of(np.std, {"ddof": 1, "axis": 0}, {"where": MASK}, rtol=CLOSE)[:-4],
    np.ptp: each(np.ptp, M, *AXES),
    np.all: each(np.all, M, *AXES, {"where": MASK}),
    np.any: each(np.any, M, *AXES, {"where": MASK}),
    np.count_nonzero: each(np.count_nonzero, M, {"axis": 0}, {"axis": 1, "keepdims": True}),
    np.average: [
        *each(np.average, M, {}, {"axis": 1}, {"axis": 0, "keepdims": True}, rtol=CLOSE),
        of(np.average, M, axis=0, weights=np.array([1.0, 2.0, 3.0]), rtol=CLOSE),
        of(lambda x, w: np.average(x, weights=w, returned=True), M, np.abs(N), rtol=CLOSE),
    ],
    np.argmax: each(np.argmax, M, {}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"keepdims": True}),
    np.argmin: each(np.argmin, M, {}, {"axis": 0}, {"axis": -1}),
    np.cumsum: [*each(np.cumsum, M, {}, {"axis": 0}, {"axis": -1}), of(np.cumsum, NONE, axis=0)],
    np.cumprod: [
        *each(np.cumprod, M, {}, {"axis": 0}, {"axis": -1}),
        of(np.cumprod, NONE, axis=1),
        of(np.cumprod, np.array([2.0, 0.0, 3.0, 0.0, 5.0])),
    ],
    np.nan_to_num: [of(np.nan_to_num, M)],
    np.nansum: each(np.nansum, M, *AXES),
    np.nanprod: each(np.nanprod, M, *AXES),
    np.nanmean: each(np.nanmean, M, *AXES, rtol=CLOSE),
    np.nanvar: each(np.nanvar, M, *AXES, {"ddof": 1}, rtol=CLOSE),
    np.nanstd: each(np.nanstd, M, *AXES, {"ddof": 1}, rtol=CLOSE),
    np.nanmax: each(np.nanmax, M, *AXES),
    np.nanmin: each(np.nanmin, M, *AXES),
    np.nancumsum: each(np.nancumsum, M, {}, {"axis": 1}),
    np.nancumprod: each(np.nancumprod, M, {}, {"axis": 1}),
}
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    EXAMPLES[np.cumulative_sum] = each(
        np.cumulative_sum, M, {"axis": 0}, {"axis": 1, "include_initial": True}
    )
    EXAMPLES[np.cumulative_prod] = each(
        np.cumulative_prod, M, {"axis": 0}, {"axis": 1, "include_initial": True}
    )
EXAMPLES[np.amax], EXAMPLES[np.amin] = each(np.amax, M, *AXES), each(np.amin, M, *AXES)


def test_every_row_has_an_example() -> None:
    rows = {*reductions.TABLE, *nan_reductions.TABLE}
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
