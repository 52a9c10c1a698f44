"""Finite differences of traced arrays: gradients on a grid, the trapezoidal rule, unwrapped angles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.shapes import normalize_axes, normalize_axis
from minicolumn.trace.promote import any_traced, array, as_float, common_dtype
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Optional


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


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.gradient: gradient,
    np.unwrap: unwrap,
    np.trapezoid: trapezoid,
}
