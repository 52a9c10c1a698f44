"""Padding of traced arrays: a border of numbers, ramps, statistics or reflections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.trace.joining import concatenate, take
from minicolumn.trace.promote import array
from minicolumn.trace.shaping import broadcast_to, check_known
from minicolumn.trace.tracer import Traced, cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Widths

# The modes of padding that can be traced, with the arguments that NumPy takes in each.
_PAD_MODES = {
    "constant": {"constant_values"},
    "edge": set(),
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
    "linear_ramp": {"end_values"},
    **{name: {"stat_length"} for name in ("maximum", "mean", "median", "minimum")},
}


def pad(array_: Operand, pad_width: Widths, mode: str = "constant", **kwargs: Any) -> Array:
    """Return an array with a border, in each of NumPy's modes but "empty" and functions of one's own."""
    check_known("pad", pad_width=pad_width, stat_length=kwargs.get("stat_length"))
    x = array(array_)
    if mode not in _PAD_MODES:
        raise TraceError(f"np.pad(mode={mode!r}) cannot be traced; there are {', '.join(_PAD_MODES)}")
    for name in sorted(kwargs.keys() - _PAD_MODES[mode]):
        raise TraceError(f"np.pad(mode={mode!r}) has no argument {name}")
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant":
        return _pad_constant(x, widths, kwargs.get("constant_values", 0))
    if mode == "linear_ramp":
        return _pad_ramp(x, widths, array(kwargs.get("end_values", 0)))
    if mode in _STATISTICS:
        return _pad_statistic(x, widths, mode, kwargs.get("stat_length"))
    kind = kwargs.get("reflect_type", "even")
    if kind not in ("even", "odd"):
        raise TraceError(f"np.pad(reflect_type={kind!r}) cannot be traced; there are 'even' and 'odd'")
    for axis, width in enumerate(widths):
        inside = x
        x = take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode), axis=axis)  # type: ignore[call-overload]
        if kind == "odd" and any(width):
            x = _odd(x, inside, width, axis, mode)
    return x


def _cut(x: Array, axis: int, start: int, stop: int) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _odd(x: Array, inside: Array, width: list[int], axis: int, mode: str) -> Array:
    """Return an even reflection as an odd one: twice the value at the edge less what is reflected."""
    n, (before, after) = inside.shape[axis], width
    if n == 1:  # NumPy repeats a sole element, whatever the kind
        return x
    if max(width) > n - (mode == "reflect"):
        raise TraceError(
            f"np.pad(reflect_type='odd') of {n} elements by {max(width)} cannot be traced; pad twice"
        )
    first, last = _cut(inside, axis, 0, 1), _cut(inside, axis, n - 1, n)
    left = 2 * first - _cut(x, axis, 0, before)
    right = 2 * last - _cut(x, axis, before + n, before + n + after)
    return concatenate([left.astype(x.dtype), inside, right.astype(x.dtype)], axis=axis)


def _pad_ramp(x: Array, widths: list[list[int]], end_values: Array) -> Array:
    """Return an array whose border runs from its edges to end values in equal steps."""
    ends = np.broadcast_to(end_values, (x.ndim, 2))
    for axis, (before, after) in enumerate(widths):
        n = x.shape[axis]
        parts = [
            np.linspace(ends[axis, side], edge, width, endpoint=False, dtype=x.dtype, axis=axis)
            for side, width, edge in (
                (0, before, np.squeeze(_cut(x, axis, 0, 1), axis)),
                (1, after, np.squeeze(_cut(x, axis, n - 1, n), axis)),
            )
        ]
        x = concatenate([parts[0], x, np.flip(parts[1], axis)], axis=axis)
    return x


def _pad_statistic(x: Array, widths: list[list[int]], mode: str, stat_length: Any) -> Array:
    """Return an array with a border of a statistic of all or of the nearest elements along each axis."""
    lengths = [[None, None]] * x.ndim
    if stat_length is not None:
        lengths = np.broadcast_to(stat_length, (x.ndim, 2)).tolist()
    for axis, (width, length) in enumerate(zip(widths, lengths, strict=True)):
        n = x.shape[axis]
        before, after = (n if k is None else min(k, n) for k in length)
        if mode in ("maximum", "minimum") and 0 in (before, after):
            raise ValueError("stat_length of 0 yields no value for padding")
        near = _cut(x, axis, 0, before), _cut(x, axis, n - after, n)
        border = []
        for part, count in zip(near, width, strict=True):
            value = _STATISTICS[mode](part, axis=axis, keepdims=True)
            value = (
                np.rint(value).astype(x.dtype) if np.dtype(x.dtype).kind in "iu" else value.astype(x.dtype)
            )
            border.append(broadcast_to(value, (*x.shape[:axis], count, *x.shape[axis + 1 :])))
        x = concatenate([border[0], x, border[1]], axis=axis)
    return x


_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max,
    "mean": np.mean,
    "median": np.median,
    "minimum": np.min,
}


def _pad_widths(pad_width: Widths, ndim: int) -> list[list[int]]:
    """Return how far to pad before and after each axis."""
    if isinstance(pad_width, dict):
        pairs = [[0, 0]] * ndim
        for axis, width in pad_width.items():
            pairs[axis] = np.broadcast_to(width, 2).tolist()
        pad_width = np.asarray(pairs, np.intp).reshape(ndim, 2)
    widths = np.asarray(pad_width)
    if widths.dtype.kind != "i":
        raise TraceError(f"np.pad: pad_width must be of integers, got {widths.dtype}")
    if np.any(widths < 0):
        raise ShapeError("pad: widths cannot be negative")
    return np.broadcast_to(widths, (ndim, 2)).tolist()


def _pad_constant(x: Array, widths: list[list[int]], value: Operand) -> Array:
    low, high = tuple(w[0] for w in widths), tuple(w[1] for w in widths)
    padded = ops.PAD(x, low=low, high=high, gap=(0,) * x.ndim)
    values = np.broadcast_to(array(value), (x.ndim, 2))
    if isinstance(values, Traced):
        return _bordered(padded, widths, cast(values, x.dtype))
    try:
        values = np.array(values.tolist(), x.dtype)
    except (OverflowError, ValueError):
        raise TraceError(f"np.pad(constant_values={value!r}) does not fit into {x.dtype}") from None
    # Zeros are there already; a negative zero is not.
    return _bordered(padded, widths, values) if any(values.tobytes()) else padded


def _bordered(padded: Array, widths: list[list[int]], values: Array) -> Array:
    # Axis by axis, as NumPy does: a later axis' value covers the corners.
    for axis, (before, after) in enumerate(widths):
        n = padded.shape[axis]
        place = np.arange(n).reshape([-1 if i == axis else 1 for i in range(padded.ndim)])
        padded = np.where(place < before, values[axis, 0], padded)
        padded = np.where(place >= n - after, values[axis, 1], padded)
    return padded


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {np.pad: pad}
