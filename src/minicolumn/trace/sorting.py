"""Sorting, searching in order, interpolation, rounding and comparison of traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.order import ARGSORT, SORT
from minicolumn.ir.shapes import normalize_axis
from minicolumn.trace.joining import take
from minicolumn.trace.outside import refuse_arguments
from minicolumn.trace.promote import any_traced, array, as_float, common_dtype
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand


def _along(x: Array, axis: int | None) -> tuple[Array, int]:
    """Return an array and its axis, counted from 0; None flattens the array first."""
    return (np.reshape(x, -1), 0) if axis is None else (x, normalize_axis(axis, x.ndim))


def sort_(
    a: Operand,
    axis: int | None = -1,
    kind: Any = None,
    order: str | Sequence[str] | None = None,
    *,
    stable: bool | None = None,
) -> Any:
    """Return the array sorted along an axis, NaN last; None flattens it first."""
    np.sort(np.zeros(0), kind=kind, order=order, stable=stable)  # NumPy's own word on what it does not take
    x, place = _along(array(a), axis)
    return SORT(x, axis=place)


def argsort(
    a: Operand,
    axis: int | None = -1,
    kind: Any = None,
    order: str | Sequence[str] | None = None,
    *,
    stable: bool | None = None,
) -> Any:
    """Return the indices that sort the array along an axis; equal elements keep their order."""
    np.sort(np.zeros(0), kind=kind, order=order, stable=stable)
    x, place = _along(array(a), axis)
    return ARGSORT(x, axis=place)


def partition(
    a: Operand,
    kth: int | Sequence[int],
    axis: int | None = -1,
    kind: Any = "introselect",
    order: str | Sequence[str] | None = None,
) -> Any:
    """Return the array sorted along an axis, which is one of the answers that a partition may give."""
    x, place = _along(array(a), axis)
    np.partition(np.zeros(x.shape[place]), kth, kind=kind, order=order)  # a kth beyond the end is an error
    return SORT(x, axis=place)


def interp(
    x: Operand,
    xp: Operand,
    fp: Operand,
    left: Operand | None = None,
    right: Operand | None = None,
    period: float | None = None,
) -> Any:
    """Return piecewise linear interpolation; the knots xp are increasing.

    Its derivative in x is the slope to the right of x: at a knot that of the segment which begins there.
    """
    places, knots, heights = (cast(array(v), np.dtype(np.float64)) for v in (x, xp, fp))
    if knots.ndim != 1 or knots.shape != heights.shape or knots.shape[0] == 0:
        found = f"xp has shape {list(knots.shape)}, fp {list(heights.shape)}"
        raise ShapeError(f"interp: {found}, expected one of both for each knot")
    if period is not None:
        places, knots, heights = _periodic(places, knots, heights, period)
        left = right = None
    out = _on_segment(places, knots, heights)
    out = np.where(places < knots[0], heights[0] if left is None else left, out)
    return np.where(places > knots[-1], heights[-1] if right is None else right, out)


def _periodic(x: Array, xp: Array, fp: Array, period: float) -> tuple[Any, Any, Any]:
    """Return places and knots within one period, the last knot also before and the first also after it."""
    if any_traced(period) or period == 0:
        raise TraceError("np.interp(period=...) cannot be traced unless it is a plain number other than 0")
    period = abs(period)
    x, xp = np.mod(x, period), np.mod(xp, period)
    order = np.argsort(xp)
    xp, fp = take(xp, order), take(fp, order)
    knots = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x, knots, np.concatenate([fp[-1:], fp, fp[:1]])


def _on_segment(x: Array, xp: Array, fp: Array) -> Any:
    """Return the line through the last knot that is not above x and the one after it."""
    n = xp.shape[0]
    start = np.maximum(np.sum(x[..., None] >= xp, axis=-1) - 1, 0)
    x0, x1, y0, y1 = (take(knots, np.minimum(start + i, n - 1)) for knots in (xp, fp) for i in (0, 1))
    slope = (y1 - y0) / np.where(x0 == x1, 1.0, x1 - x0)
    # An infinite knot leaves no number: then from the other end, and last the value at the knot itself.
    other = np.isnan(slope * (x - x0) + y0)
    out = slope * np.where(other, x - x1, x - x0) + np.where(other, y1, y0)
    return np.where(np.isnan(out) & ((x == x0) | (y0 == y1)) & (x == x) | (n == 1), y0, out)


def searchsorted(a: Operand, v: Operand, side: str = "left", sorter: Operand | None = None) -> Any:
    """Return where values would be inserted in sorted knots, by comparing all pairs; NaN comes last."""
    if side not in ("left", "right"):
        raise TraceError(f"np.searchsorted(side={side!r}) cannot be traced; there are 'left' and 'right'")
    knots, x = array(a), array(v)[..., None]
    if knots.ndim != 1:
        raise ShapeError(f"searchsorted: knots have shape {list(knots.shape)}, expected a vector")
    if sorter is not None:
        if array(sorter).shape != knots.shape:
            raise ShapeError(f"searchsorted: sorter has shape {list(array(sorter).shape)}, not that of knots")
        knots = take(knots, sorter)
    beyond = _precedes(knots, x) if side == "left" else ~_precedes(x, knots)
    return np.sum(beyond, axis=-1, dtype=np.int64)


def _precedes(a: Array, b: Array) -> Any:
    """Return whether a comes before b when sorted: smaller, or a number before NaN."""
    if common_dtype(a, b).kind != "f":
        return np.less(a, b)
    return np.less(a, b) | (np.equal(a, a) & np.not_equal(b, b))


def digitize(x: Operand, bins: Operand, right: bool = False) -> Any:
    """Return the bin of each value, given edges that rise or fall.

    Differs     edges that are traced are not looked at: in disorder they give no error
    """
    edges = array(bins)
    if not any_traced(edges):
        np.digitize([], edges)  # type: ignore[arg-type]  # edges in disorder are an error
        if np.any(edges != edges):
            raise TraceError("np.digitize(bins=...) with NaN cannot be traced; bins rise or fall")
    count = searchsorted(edges, x, side="left" if right else "right")
    falling = np.any(edges[1:] < edges[:-1])
    return np.where(falling, edges.shape[0] - count, count)


def sinc(x: Operand) -> Any:
    """Return sin(pi x) / (pi x); near 0, where the quotient loses digits of its slopes, as a series."""
    x = as_float(array(x))
    angle = np.pi * x
    near = np.abs(x) < 0.15
    square, series = np.where(near, angle * angle, 0.0), 1.0
    for n in range(16, 0, -2):  # 1 - a^2 / (2 3) (1 - a^2 / (4 5) (...)), up to a^16 / 17!
        series = 1.0 - square * (1.0 / (n * (n + 1))) * series
    safe = np.where(near, 1.0, angle)
    return np.where(near, series, np.sin(safe) / safe)


def i0(x: Operand) -> Any:
    """Return the modified Bessel function of the first kind of order 0."""
    from minicolumn.ir.ops.special import I0

    return I0(as_float(array(x)))


def round_(a: Operand, decimals: int = 0, out: None = None) -> Any:
    """Return the elements rounded to decimals, halves to even; the derivative is 0."""
    refuse_arguments("round", out=out)
    x = array(a)
    if x.dtype == np.bool_:
        raise TraceError("np.round of booleans is float16, which graphs do not have; use .astype(...) first")
    if x.dtype.kind != "f":
        if decimals >= 0:
            return x
        raise TraceError("np.round of integers to tens cannot be traced; use x // 10 * 10")
    scale = 10.0 ** abs(decimals) if abs(decimals) <= 308 else np.inf  # as NumPy, which gives NaN then
    if not decimals:
        return np.rint(x)
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


def polyval(p: Operand, x: Operand) -> Any:
    """Return a polynomial, highest power first, by Horner's scheme."""
    p, x = array(p), array(x)
    out: Any = np.zeros_like(x)
    for i in range(p.shape[0]):
        out = out * x + p[i]
    return out


def allclose(
    a: Operand, b: Operand, rtol: Operand = 1e-5, atol: Operand = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether all elements agree within tolerances."""
    return np.all(isclose(a, b, rtol, atol, equal_nan))


def isclose(
    a: Operand, b: Operand, rtol: Operand = 1e-5, atol: Operand = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether elements agree within atol + rtol |b|."""
    x: Any = a if isinstance(a, (int, float)) else array(a)
    y: Any = float(b) if isinstance(b, (int, float)) else cast(array(b), common_dtype(array(b), 1.0))
    close = (x == y) | (np.abs(x - y) <= atol + rtol * np.abs(y)) & np.isfinite(y)
    return close | _both_nan(x, y) if equal_nan else close


def _both_nan(x: Any, y: Any) -> Any:
    return np.not_equal(x, x) & np.not_equal(y, y)


def array_equal(a1: Operand, a2: Operand, equal_nan: bool = False) -> Any:
    """Return whether shapes and all elements agree."""
    x, y = array(a1), array(a2)
    if x.shape != y.shape:
        return False
    same = np.equal(x, y)
    return np.all(same | _both_nan(x, y) if equal_nan else same)


def array_equiv(a1: Operand, a2: Operand) -> Any:
    """Return whether two arrays, broadcast together, have equal elements."""
    x, y = array(a1), array(a2)
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return np.all(np.equal(x, y))


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sort: sort_,
    np.argsort: argsort,
    np.partition: partition,
    np.interp: interp,
    np.searchsorted: searchsorted,
    np.digitize: digitize,
    np.sinc: sinc,
    np.i0: i0,
    np.round: round_,
    np.around: round_,
    np.fix: np.trunc,
    np.polyval: polyval,
    np.isposinf: lambda x: array(x) == np.inf,
    np.isneginf: lambda x: array(x) == -np.inf,
    np.array_equiv: array_equiv,
    np.allclose: allclose,
    np.isclose: isclose,
    np.array_equal: array_equal,
}
