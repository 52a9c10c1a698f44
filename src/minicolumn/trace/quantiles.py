"""Quantiles and medians on traced arrays, by sorting: all of NumPy's methods, with NaN and without."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.order import SORT
from minicolumn.ir.shapes import normalize_axes
from minicolumn.trace.indexing import take_along_axis
from minicolumn.trace.outside import refuse_arguments
from minicolumn.trace.promote import any_traced, array, as_float
from minicolumn.trace.reductions import kept
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Flag


def _sorted_rows(x: Array, axis: Axes) -> tuple[Any, tuple[int, ...]]:
    """Return the elements over axes sorted along a last axis, and the shape with these axes kept as 1."""
    axes = normalize_axes(axis, x.ndim)
    others = [i for i in range(x.ndim) if i not in axes]
    rows = np.transpose(x, others + list(axes))  # type: ignore[arg-type]
    flat = np.reshape(rows, (*(x.shape[i] for i in others), prod(x.shape[i] for i in axes)))
    return SORT(flat, axis=len(others)), tuple(1 if i in axes else n for i, n in enumerate(x.shape))


def _nan_if_any(value: Array, rows: Array) -> Any:
    """Return NaN where sorted rows hold one, and NaN as its derivative; NaN sorts last."""
    if rows.dtype.kind != "f":
        return value
    last = np.reshape(rows[..., -1], rows.shape[:-1] + (1,) * (value.ndim - rows.ndim + 1))
    return value * np.where(np.isnan(last), np.nan, 1.0).astype(value.dtype)


def _positions(alpha: float, beta: float) -> Callable[..., Any]:
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


def _jump(rank: Array, stay: Array) -> Any:
    """Return the rank below where `stay`, else the one above; none is below 0."""
    return np.maximum(np.where(stay, np.floor(rank), np.floor(rank) + 1), 0)


# The rank, counted from 0, that a quantile q has among n sorted elements: Hyndman & Fan 1996, and four more.
_RANKS: dict[str, Callable[..., Any]] = {
    "inverted_cdf": lambda n, q: _jump(n * q - 1, (n * q - 1) % 1 == 0),
    "averaged_inverted_cdf": lambda n, q: n * q - 1,
    "closest_observation": lambda n, q: _jump(n * q - 1.5, (n * q - 1.5) % 2 == 1),
    "interpolated_inverted_cdf": _positions(0, 1),
    "hazen": _positions(0.5, 0.5),
    "weibull": _positions(0, 0),
    "linear": lambda n, q: (n - 1) * q,
    "median_unbiased": _positions(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _positions(3 / 8.0, 3 / 8.0),
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
    "nearest": lambda n, q: np.around((n - 1) * q),
}
_WHOLE_RANKS = frozenset(("inverted_cdf", "closest_observation", "lower", "higher", "nearest"))
# How far from the element below to the one above, where that is not the fraction of the rank.
_WEIGHTS: dict[str, Callable[..., Any]] = {
    "averaged_inverted_cdf": lambda fraction: np.where(fraction == 0, 0.5, 1.0),
    "midpoint": lambda fraction: np.where(fraction == 0, 0.0, 0.5),
}


def _at_ranks(pick: Callable[..., Any], n: Any, q: np.ndarray, method: str, weak: bool) -> Any:
    """Return the quantiles of n sorted elements, of which `pick` returns those at some indices."""
    ranks = _RANKS[method](n, q)
    inside = lambda index: np.maximum(np.minimum(index, n - 1), 0).astype(np.int64)  # noqa: E731
    if method in _WHOLE_RANKS or (method == "linear" and ranks.dtype.kind in "iu"):
        return pick(inside(ranks))
    floor = np.floor(ranks)
    weight = _WEIGHTS.get(method, np.positive)(ranks - floor).astype(ranks.dtype)
    below, above = pick(inside(floor)), pick(inside(floor + 1))
    return _between(below, above, weight, weak)


def _between(below: Array, above: Array, weight: Array, weak: bool) -> Any:
    """Return the point between two neighbours, from the nearer one so that both ends are exact."""
    step = above - below
    up, down = weight, 1 - weight
    if weak:  # a Python number takes the dtype of what it meets, an array of weights keeps its own
        dtype = np.dtype(as_float(step).dtype)
        up, down = cast(up, dtype), cast(down, dtype)
    return np.where(weight >= 0.5, above - step * down, below + step * up)


def _levels(name: str, q: Operand, parts: int) -> np.ndarray:
    """Return quantile levels from 0 to 1; they are part of the program."""
    if any_traced(q):
        raise TraceError(f"np.{name}(q=...) cannot be traced; hand over q as plain numbers")
    levels = np.asarray(q) if parts == 1 else np.asarray(np.true_divide(q, parts))
    if levels.ndim > 2 or not np.all((levels >= 0) & (levels <= 1)):
        raise TraceError(f"np.{name}(q={q}) cannot be traced; q is a number or a list in [0, {parts}]")
    return levels


def _quantile(name: str, parts: int = 1, skip_nan: bool = False) -> Callable[..., Any]:
    def quantile(
        a: Operand,
        q: Operand,
        axis: Axes = None,
        out: None = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Flag = False,
        *,
        weights: None = None,
    ) -> Any:
        refuse_arguments(name, out=out, weights=weights)
        if method not in _RANKS:
            raise TraceError(f"np.{name}(method={method!r}) cannot be traced; there are {', '.join(_RANKS)}")
        x, levels, weak = array(a), _levels(name, q, parts), type(q) in (int, float)
        if skip_nan and 0 in x.shape:
            return np.nanmean(as_float(x), axis, keepdims=kept(keepdims))
        rows, reduced = _sorted_rows(x, axis)
        if not rows.shape[-1]:
            raise ShapeError(f"{name}: there are no quantiles of zero elements")
        find = _of_known if skip_nan and x.dtype.kind == "f" else _of_all
        value = find(rows, levels, method, weak)
        value = np.moveaxis(value, range(rows.ndim - 1, value.ndim), range(levels.ndim))
        return np.reshape(value, (*levels.shape, *reduced)) if kept(keepdims) else value

    return quantile


def _of_all(rows: Array, q: np.ndarray, method: str, weak: bool) -> Any:
    """Return quantiles of sorted rows, NaN where a row holds one."""
    value = _at_ranks(lambda index: np.take(rows, index, axis=-1), rows.shape[-1], q, method, weak)  # type: ignore[arg-type]
    return _nan_if_any(value, rows)


def _of_known(rows: Array, q: np.ndarray, method: str, weak: bool) -> Any:
    """Return quantiles of the elements of sorted rows that are not NaN."""
    count = np.reshape(_known(rows), rows.shape[:-1] + (1,) * q.ndim)
    return _at_ranks(lambda index: _pick(rows, index), count.astype(q.dtype), q, method, weak)


def _known(rows: Array) -> Any:
    return np.sum(~np.isnan(rows), axis=-1)


def _pick(rows: Array, index: Array) -> Any:
    """Return elements of each row by its own indices, whose axes come after those that count rows."""
    wide = np.reshape(index, (*rows.shape[:-1], prod(index.shape[rows.ndim - 1 :])))
    return np.reshape(take_along_axis(rows, wide, -1), index.shape)


def median(
    a: Operand, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: Flag = False
) -> Any:
    """Return the median over axes, the mean of the middle two where their number is even."""
    refuse_arguments("median", out=out)
    rows, reduced = _sorted_rows(array(a), axis)
    n = rows.shape[-1]
    value = np.mean(rows[..., max(n - 1, 0) // 2 : n // 2 + 1], axis=-1)
    value = _nan_if_any(value, rows) if n else value
    return np.reshape(value, reduced) if kept(keepdims) else value


def nanmedian(
    a: Operand, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: Flag = False
) -> Any:
    """Return the median over axes of the elements that are not NaN; NaN where there is none."""
    refuse_arguments("nanmedian", out=out)
    x = as_float(array(a))
    if 0 in x.shape:
        return np.nanmean(x, axis, keepdims=kept(keepdims))
    rows, reduced = _sorted_rows(x, axis)
    count = _known(rows)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    below, above = _pick(rows, low), _pick(rows, high)
    value = np.where(low == high, below, (below + above) / 2.0)
    return np.reshape(value, reduced) if kept(keepdims) else value


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.quantile: _quantile("quantile"),
    np.percentile: _quantile("percentile", parts=100),
    np.median: median,
    np.nanquantile: _quantile("nanquantile", skip_nan=True),
    np.nanpercentile: _quantile("nanpercentile", parts=100, skip_nan=True),
    np.nanmedian: nanmedian,
}
