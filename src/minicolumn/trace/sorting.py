"""Sorting, quantiles, finite differences and interpolation on traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.ops import order
from minicolumn.ir.shapes import normalize_axes, normalize_axis
from minicolumn.trace.joining import take
from minicolumn.trace.promote import array, as_float
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Optional


def sort_(
    a: Operand, axis: int | None = -1, kind: str | None = None, order_: None = None, **_: object
) -> Any:
    """Return the array sorted along an axis; None flattens it first."""
    x = array(a)
    return (
        order.SORT(np.reshape(x, -1), axis=0)
        if axis is None
        else order.SORT(x, axis=normalize_axis(axis, x.ndim))
    )


def argsort(
    a: Operand, axis: int | None = -1, kind: str | None = None, order_: None = None, **_: object
) -> Any:
    """Return the indices that sort the array along an axis; equal elements keep their order."""
    x = array(a)
    if axis is None:
        return order.ARGSORT(np.reshape(x, -1), axis=0)
    return order.ARGSORT(x, axis=normalize_axis(axis, x.ndim))


def partition(a: Operand, kth: int | Sequence[int], axis: int = -1, **_: object) -> Any:
    """Return the array sorted along an axis, which is one of the answers that a partition may give."""
    # A full sort is one of the answers that a partition may give.
    return sort_(a, axis=axis)


def quantile(
    a: Operand,
    q: Operand,
    axis: Axes = None,
    out: None = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    **_: object,
) -> Any:
    """Return quantiles by linear interpolation between sorted neighbours."""
    if method != "linear":
        raise TraceError(f"np.quantile(method={method!r}) cannot be traced; there is 'linear'")
    x = as_float(array(a))
    axes = normalize_axes(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    flat = np.reshape(np.transpose(x, kept + list(axes)), (*(x.shape[i] for i in kept), -1))
    ranks = np.asarray(q, np.float64) * (flat.shape[-1] - 1)
    low = np.floor(ranks).astype(np.int64)
    high = np.minimum(low + 1, flat.shape[-1] - 1)
    rows = sort_(flat)
    # A list of ranks is an array of float64, which the values meet; a number takes their dtype.
    weight = (ranks - low).astype(x.dtype if isinstance(q, (int, float)) else np.float64)
    below, above = np.take(rows, low, axis=-1), np.take(rows, high, axis=-1)
    step = above - below
    # From the nearer end, so that both ends are exact.
    value = np.where(weight >= 0.5, above - step * (1.0 - weight), below + step * weight)
    value = np.moveaxis(value, range(len(kept), value.ndim), range(value.ndim - len(kept)))
    if not keepdims:
        return value
    return np.reshape(value, (*np.shape(q), *(1 if i in axes else n for i, n in enumerate(x.shape))))


def median(
    a: Operand, axis: Axes = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """Return the median over axes, the mean of the middle two where their number is even."""
    return quantile(a, 0.5, axis, keepdims=keepdims)


def percentile(a: Operand, q: Operand, axis: Axes = None, out: None = None, **kwargs: Any) -> Any:
    """Return percentiles over axes, by linear interpolation between sorted neighbours."""
    return quantile(a, q / 100.0 if isinstance(q, (int, float)) else np.asarray(q) / 100.0, axis, **kwargs)


def diff(a: Operand, n: int = 1, axis: int = -1, prepend: Optional = None, append: Optional = None) -> Any:
    """Return the n-th differences of neighbours along an axis."""
    x: Any = array(a)
    said: list[Any] = [None if end is np._NoValue else end for end in (prepend, append)]
    ends = [None if end is None else array(end) for end in said]
    if any(end is not None for end in ends):
        shape = [1 if i == normalize_axis(axis, x.ndim) else m for i, m in enumerate(x.shape)]
        wide = lambda end: np.broadcast_to(end, shape) if end.ndim == 0 else end  # noqa: E731
        front, back = ([] if end is None else [wide(end)] for end in ends)
        x = np.concatenate([*front, x, *back], axis=axis)
    for _ in range(n):
        x = np.moveaxis(x, axis, 0)
        x = np.moveaxis(x[1:] - x[:-1], 0, axis)
    return x


def ediff1d(ary: Operand) -> Any:
    """Return the differences of neighbours in the flattened array."""
    return diff(np.reshape(ary, -1))


def gradient(f: Operand, *spacing: Array | float, axis: Axes = None, edge_order: int = 1) -> Any:
    """Return central differences, one-sided at the ends, for equal spacing."""
    x = array(f)
    axes = normalize_axes(axis, x.ndim)
    steps = [1.0] * len(axes) if not spacing else list(spacing) * (len(axes) if len(spacing) == 1 else 1)
    if edge_order != 1 or any(np.ndim(s) for s in steps):
        raise TraceError("np.gradient can be traced for edge_order=1 and equal spacing")
    out = [_slope(x, step, place) for step, place in zip(steps, axes, strict=True)]
    return out[0] if len(out) == 1 else tuple(out)


def _slope(x: Array, step: Array | float, axis: int) -> Any:
    x = np.moveaxis(x, axis, 0)  # type: ignore[arg-type]
    inside = (x[2:] - x[:-2]) / (2.0 * step)
    return np.moveaxis(np.concatenate([(x[1:2] - x[:1]) / step, inside, (x[-1:] - x[-2:-1]) / step]), 0, axis)


def trapezoid(y: Operand, x: Operand | None = None, dx: Operand = 1.0, axis: int = -1) -> Any:
    """Return the integral along an axis by the trapezoidal rule."""
    values = np.moveaxis(y, axis, -1)  # type: ignore[arg-type]
    widths = dx if x is None else (diff(x) if np.ndim(x) == 1 else np.moveaxis(diff(x, axis=axis), axis, -1))
    return np.sum(widths * (values[..., 1:] + values[..., :-1]) / 2.0, axis=-1)


def interp(
    x: Operand,
    xp: Operand,
    fp: Operand,
    left: Operand | None = None,
    right: Operand | None = None,
    period: float | None = None,
) -> Any:
    """Return piecewise linear interpolation; the knots xp are increasing."""
    if period is not None:
        raise TraceError("np.interp(period=...) cannot be traced; reduce x by np.mod first")
    x, xp, fp = (cast(array(v), np.dtype(np.float64)) for v in (x, xp, fp))
    if xp.shape[0] == 1:
        xp, fp = np.concatenate([xp, xp + 1.0]), np.concatenate([fp, fp])
    inner = np.sum((x[..., None] >= xp[1:-1]).astype(np.int64), axis=-1)
    x0, x1, f0, f1 = (take(knots, inner + i) for knots in (xp, fp) for i in (0, 1))
    out = f0 + (f1 - f0) * ((x - x0) / (x1 - x0))
    out = np.where(x < xp[0], fp[0] if left is None else left, out)
    return np.where(x > xp[-1], fp[-1] if right is None else right, out)


def unwrap(p: Operand, discont: float | None = None, axis: int = -1, *, period: float = 2.0 * np.pi) -> Any:
    """Return angles without jumps: each step is brought within half a period."""
    x = as_float(array(p))
    steps = diff(x, axis=axis)
    half = period / 2.0
    small = np.mod(steps + half, period) - half
    small = np.where((small == -half) & (steps > 0), half, small)
    turns = np.where(np.abs(steps) < (half if discont is None else discont), 0.0, small - steps)
    first = np.take(x, np.arange(1), axis=axis)
    rest = np.take(x, np.arange(1, x.shape[axis]), axis=axis) + np.cumsum(turns, axis=axis)
    return np.concatenate([first, rest], axis=axis)


def searchsorted(a: Operand, v: Operand, side: str = "left", sorter: None = None) -> Any:
    """Return where values would be inserted in sorted knots, by comparing all pairs."""
    knots, x = array(a), array(v)
    beyond = x[..., None] > knots if side == "left" else x[..., None] >= knots
    return np.sum(beyond.astype(np.int64), axis=-1)


def digitize(x: Operand, bins: Operand, right: bool = False) -> Any:
    """Return the bin of each value, given ascending edges."""
    return searchsorted(bins, x, side="left" if right else "right")


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
    x = array(a)
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
    p = array(p)
    out = p[0] * np.ones_like(x)
    for i in range(1, p.shape[0]):
        out = out * x + p[i]
    return out


def allclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return whether all elements agree within tolerances."""
    return np.all(isclose(a, b, rtol, atol, equal_nan))


def isclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return whether elements agree within atol + rtol |b|."""
    x, y = array(a), array(b)
    close = (x == y) | (np.abs(x - y) <= atol + rtol * np.abs(y)) & np.isfinite(y)
    return close | (np.isnan(x) & np.isnan(y)) if equal_nan else close


def array_equal(a1: Operand, a2: Operand, equal_nan: bool = False) -> Any:
    """Return whether shapes and all elements agree."""
    x, y = array(a1), array(a2)
    return x.shape == y.shape and np.all(x == y)


def array_equiv(a1: Operand, a2: Operand) -> Any:
    """Return whether two arrays, broadcast together, have equal elements."""
    x, y = array(a1), array(a2)
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return np.all(x == y)


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sort: sort_,
    np.argsort: argsort,
    np.partition: partition,
    np.quantile: quantile,
    np.percentile: percentile,
    np.median: median,
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
