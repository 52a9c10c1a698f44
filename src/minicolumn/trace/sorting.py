"""Sorting, quantiles, finite differences and interpolation on traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops.order import ARGSORT, SORT
from minicolumn.ir.shapes import normalize_axes, normalize_axis
from minicolumn.trace.indexing import take_along_axis
from minicolumn.trace.joining import take
from minicolumn.trace.promote import any_traced, array, as_float, common_dtype
from minicolumn.trace.reductions import kept
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Flag, Optional


def _refuse(name: str, **arguments: object) -> None:
    """Raise TraceError for the first argument that was given."""
    for argument, value in arguments.items():
        if value is not None:
            raise TraceError(f"np.{name}({argument}=...) cannot be traced; leave {argument} out")


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
        _refuse(name, out=out, weights=weights)
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
    _refuse("median", out=out)
    rows, reduced = _sorted_rows(array(a), axis)
    n = rows.shape[-1]
    value = np.mean(rows[..., max(n - 1, 0) // 2 : n // 2 + 1], axis=-1)
    value = _nan_if_any(value, rows) if n else value
    return np.reshape(value, reduced) if kept(keepdims) else value


def nanmedian(
    a: Operand, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: Flag = False
) -> Any:
    """Return the median over axes of the elements that are not NaN; NaN where there is none."""
    _refuse("nanmedian", out=out)
    x = as_float(array(a))
    if 0 in x.shape:
        return np.nanmean(x, axis, keepdims=kept(keepdims))
    rows, reduced = _sorted_rows(x, axis)
    count = _known(rows)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    below, above = _pick(rows, low), _pick(rows, high)
    value = np.where(low == high, below, (below + above) / 2.0)
    return np.reshape(value, reduced) if kept(keepdims) else value


def _neighbours(x: Array, axis: int) -> tuple[Any, Any]:
    """Return all elements along an axis but the first, and all but the last."""
    before = (slice(None),) * normalize_axis(axis, x.ndim)
    return x[(*before, slice(1, None))], x[(*before, slice(None, -1))]


def diff(
    a: Operand, n: int = 1, axis: int = -1, prepend: Optional = np._NoValue, append: Optional = np._NoValue
) -> Any:
    """Return the n-th differences of neighbours along an axis; of booleans, whether they differ."""
    if n < 0:
        raise TraceError(f"np.diff(n={n}) cannot be traced; n counts differences, from 0")
    x: Any = array(a)
    if n == 0:
        return x
    axis = normalize_axis(axis, x.ndim)
    ends: tuple[Any, Any] = prepend, append
    shape = [1 if i == axis else m for i, m in enumerate(x.shape)]
    wide = lambda end: np.broadcast_to(end, shape) if end.ndim == 0 else end  # noqa: E731
    front, back = ([] if end is np._NoValue else [wide(array(end))] for end in ends)
    x = np.concatenate([*front, x, *back], axis=axis) if front or back else x
    minus = np.not_equal if x.dtype == np.bool_ else np.subtract
    for _ in range(n):
        x = minus(*_neighbours(x, axis))
    return x


def ediff1d(ary: Operand, to_end: Operand | None = None, to_begin: Operand | None = None) -> Any:
    """Return the differences of neighbours in the flattened array, between what is to begin and to end."""
    x = np.reshape(ary, -1)
    steps = x[1:] - x[:-1]
    front, back = ([] if end is None else [_like(x, end)] for end in (to_begin, to_end))
    return np.concatenate([*front, steps, *back]) if front or back else steps


def _like(x: Array, end: Operand) -> Any:
    end = array(end)
    if not np.can_cast(end.dtype, x.dtype, "same_kind"):
        raise TraceError(f"np.ediff1d: to_begin and to_end of {end.dtype} do not fit into {x.dtype}")
    return cast(np.reshape(end, -1), np.dtype(x.dtype))


def gradient(f: Operand, *varargs: Operand, axis: Axes = None, edge_order: int = 1) -> Any:
    """Return central differences, one-sided at the ends, for steps or coordinates along each axis."""
    x = array(f)
    if edge_order not in (1, 2):
        raise TraceError(f"np.gradient(edge_order={edge_order}) cannot be traced; there are 1 and 2")
    axes = normalize_axes(axis, x.ndim)
    if axis is not None:  # in the order in which they were asked for
        axes = [normalize_axis(int(k), x.ndim) for k in np.atleast_1d(axis)]
    values = cast(x, np.dtype(np.float64)) if x.dtype.kind in "iu" else x
    steps = _spacings(varargs, [x.shape[k] for k in axes])
    dtype = np.dtype(as_float(x).dtype)
    out = [cast(_slope(values, step, k, edge_order), dtype) for step, k in zip(steps, axes, strict=True)]
    return out[0] if len(out) == 1 else tuple(out)


def _spacings(varargs: Sequence[Operand], lengths: list[int]) -> list[Any]:
    """Return for each axis its step, or the steps between its coordinates."""
    if not varargs:
        return [1.0] * len(lengths)
    if len(varargs) == 1 and np.ndim(array(varargs[0])) == 0:
        return list(varargs) * len(lengths)
    if len(varargs) != len(lengths):
        raise TraceError(f"np.gradient(*varargs): {len(varargs)} spacings for {len(lengths)} axes")
    return [_spacing(given, n) for given, n in zip(varargs, lengths, strict=True)]


def _spacing(given: Operand, n: int) -> Any:
    x = array(given)
    if x.ndim == 0:
        return given
    if x.shape != (n,):
        raise ShapeError(f"gradient: coordinates have shape {list(x.shape)}, expected [{n}]")
    steps = diff(as_float(x))
    even = not any_traced(steps) and np.all(steps == steps[0])
    return steps[0] if even else steps


def _slope(x: Array, step: Any, axis: int, edge_order: int) -> Any:
    x = np.moveaxis(x, axis, -1)  # type: ignore[arg-type]
    if x.shape[-1] < edge_order + 1:
        raise ShapeError(f"gradient: {x.shape[-1]} elements along axis {axis}, expected {edge_order + 1}")
    before, here, after = x[..., :-2], x[..., 1:-1], x[..., 2:]
    if np.ndim(step) == 0:
        inside = (after - before) / (2.0 * step)
    else:
        h, k = step[:-1], step[1:]
        inside = -k / (h * (h + k)) * before + (k - h) / (h * k) * here + h / (k * (h + k)) * after
    ends = _first_order_ends if edge_order == 1 else _second_order_ends
    first, last = ends(x, step)
    return np.moveaxis(np.concatenate([first, inside, last], axis=-1), -1, axis)


def _first_order_ends(x: Array, step: Any) -> tuple[Any, Any]:
    h, k = (step, step) if np.ndim(step) == 0 else (step[0], step[-1])
    return (x[..., 1:2] - x[..., :1]) / h, (x[..., -1:] - x[..., -2:-1]) / k


def _second_order_ends(x: Array, step: Any) -> tuple[Any, Any]:
    if np.ndim(step) == 0:
        front, back = (-1.5 / step, 2.0 / step, -0.5 / step), (0.5 / step, -2.0 / step, 1.5 / step)
    else:
        h, k = step[0], step[1]
        front = -(2.0 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))
        h, k = step[-2], step[-1]
        back = k / (h * (h + k)), -(k + h) / (h * k), (2.0 * k + h) / (k * (h + k))
    return _three(x[..., :3], front), _three(x[..., -3:], back)


def _three(x: Array, weights: tuple[Any, Any, Any]) -> Any:
    a, b, c = weights
    return a * x[..., :1] + b * x[..., 1:2] + c * x[..., 2:]


def trapezoid(y: Operand, x: Operand | None = None, dx: Operand = 1.0, axis: int = -1) -> Any:
    """Return the integral along an axis by the trapezoidal rule."""
    values = array(y)
    after, before = _neighbours(values, axis)
    return np.sum(_panels(values, x, dx, axis) * (after + before) / 2.0, axis=axis)


def _panels(y: Array, x: Operand | None, dx: Operand, axis: int) -> Any:
    if x is None:
        return array(dx) if isinstance(dx, (list, tuple)) else dx
    places = array(x)
    if places.ndim != 1:
        return diff(places, axis=axis)
    place = normalize_axis(axis, y.ndim)
    return np.reshape(diff(places), [-1 if i == place else 1 for i in range(y.ndim)])


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


def unwrap(p: Operand, discont: float | None = None, axis: int = -1, *, period: float = 2.0 * np.pi) -> Any:
    """Return angles without jumps: each step is brought within half a period."""
    x = array(p)
    steps = diff(x, axis=axis)
    dtype = common_dtype(steps, period)
    half, odd = divmod(period, 2) if dtype.kind in "iu" else (period / 2, 0)
    low = -half
    small = np.mod(steps - low, period) + low
    small = np.where((small == low) & (steps > 0), half, small) if odd == 0 else small
    near = np.abs(steps) < (period / 2 if discont is None else discont)
    turns = cast(np.where(near, 0, small - steps), dtype)
    place = normalize_axis(axis, x.ndim)
    first = cast(x[(*(slice(None),) * place, slice(None, 1))], dtype)
    rest = cast(_neighbours(x, axis)[0] + np.cumsum(turns, axis=axis), dtype)
    return np.concatenate([first, rest], axis=axis)


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
    _refuse("round", out=out)
    x = array(a)
    if x.dtype == np.bool_:
        raise TraceError("np.round of booleans is float16, which graphs do not have; use .astype(...) first")
    if x.dtype.kind != "f":
        if decimals >= 0:
            return x
        raise TraceError("np.round of integers to tens cannot be traced; use x // 10 * 10")
    scale = 10.0 ** abs(decimals)
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
    np.quantile: _quantile("quantile"),
    np.percentile: _quantile("percentile", parts=100),
    np.median: median,
    np.nanquantile: _quantile("nanquantile", skip_nan=True),
    np.nanpercentile: _quantile("nanpercentile", parts=100, skip_nan=True),
    np.nanmedian: nanmedian,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.gradient: gradient,
    np.interp: interp,
    np.searchsorted: searchsorted,
    np.digitize: digitize,
    np.sinc: sinc,
    np.i0: i0,
    np.round: round_,
    np.around: round_,
    np.fix: np.trunc,
    np.polyval: polyval,
    np.unwrap: unwrap,
    np.isposinf: lambda x: array(x) == np.inf,
    np.isneginf: lambda x: array(x) == -np.inf,
    np.array_equiv: array_equiv,
    np.allclose: allclose,
    np.isclose: isclose,
    np.array_equal: array_equal,
}
for _name in ("trapezoid", "trapz"):
    if hasattr(np, _name):
        TABLE[getattr(np, _name)] = trapezoid
