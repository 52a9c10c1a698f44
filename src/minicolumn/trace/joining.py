"""Concatenation, splitting, tiling and padding on traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import normalize_axis
from minicolumn.trace.promote import array, promoted
from minicolumn.trace.shaping import atleast, broadcast_to, expand_dims, moveaxis, ravel, reshape
from minicolumn.trace.tracer import Traced, cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Blocks, DTypeLike, Integer, Sections, Widths


def concatenate(
    arrays: Sequence[Operand],
    axis: int | None = 0,
    out: None = None,
    *,
    dtype: DTypeLike = None,
    casting: str = "same_kind",
) -> Array:
    """Return arrays joined along an axis they have, in their common dtype; None flattens them first."""
    parts = [array(a) for a in arrays]
    parts = promoted(*parts) if dtype is None else [cast(p, np.dtype(dtype)) for p in parts]
    if axis is None:
        return concatenate([ravel(p) for p in parts])
    if not parts[0].ndim:
        raise ShapeError("concatenate: numbers have no axis to join along; use np.stack")
    axis = normalize_axis(axis, parts[0].ndim)
    return parts[0] if len(parts) == 1 else ops.CONCATENATE(*parts, axis=axis)


def stack(
    arrays: Sequence[Operand],
    axis: int = 0,
    out: None = None,
    *,
    dtype: DTypeLike = None,
    casting: str = "same_kind",
) -> Array:
    """Return arrays of one shape joined along a new axis."""
    parts = [array(a) for a in arrays]
    if len({p.shape for p in parts}) > 1:
        listed = " and ".join(str(list(p.shape)) for p in parts)
        raise ShapeError(f"stack: all arrays must have the same shape, got {listed}")
    place = normalize_axis(axis, parts[0].ndim + 1)
    return concatenate([expand_dims(p, place) for p in parts], axis=place, dtype=dtype)


def hstack(tup: Sequence[Operand], **kwargs: Any) -> Array:
    """Return arrays joined along the second axis, vectors along the first."""
    parts = [atleast(1)(a) for a in tup]
    return concatenate(parts, axis=0 if parts[0].ndim == 1 else 1, **kwargs)


def vstack(tup: Sequence[Operand], **kwargs: Any) -> Array:
    """Return arrays joined as rows."""
    return concatenate([atleast(2)(a) for a in tup], axis=0, **kwargs)


def dstack(tup: Sequence[Operand]) -> Array:
    """Return arrays joined along the third axis."""
    return concatenate([atleast(3)(a) for a in tup], axis=2)


def column_stack(tup: Sequence[Operand]) -> Array:
    """Return vectors and matrices joined as columns."""
    return concatenate([a if a.ndim > 1 else reshape(a, (a.size, 1)) for a in map(array, tup)], axis=1)


def append(arr: Operand, values: Operand, axis: int | None = None) -> Array:
    """Return two arrays joined along an axis; None flattens them first."""
    return concatenate([arr, values], axis=axis)


def array_split(ary: Operand, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return the parts of an array cut along an axis; equal sections differ by one row at most."""
    x = array(ary)
    n = x.shape[axis]
    cuts = (
        [
            i * (n // indices_or_sections) + min(i, n % indices_or_sections)
            for i in range(indices_or_sections + 1)
        ]
        if isinstance(indices_or_sections, (int, np.integer))
        else [0, *(int(i) for i in indices_or_sections), n]
    )
    key: list[Any] = [slice(None)] * x.ndim
    out = []
    for start, stop in pairwise(cuts):
        key[axis] = slice(start, stop)
        out.append(x[tuple(key)])
    return out


def split(ary: Operand, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return the parts of an array cut along an axis; ShapeError where equal ones do not come out even."""
    sections = indices_or_sections
    if isinstance(sections, (int, np.integer)) and array(ary).shape[axis] % sections:
        raise ShapeError(f"split: {array(ary).shape[axis]} rows do not divide into {sections} equal parts")
    return array_split(ary, sections, axis)


def tile(A: Operand, reps: Integer | Sequence[int]) -> Array:
    """Return an array repeated as a whole along each axis, as a broadcast and a reshape."""
    x = array(A)
    counts = [int(r) for r in np.atleast_1d(reps)]
    ndim = max(len(counts), x.ndim)
    shape = (1,) * (ndim - x.ndim) + x.shape
    counts = [1] * (ndim - len(counts)) + counts
    apart = reshape(x, tuple(n for length in shape for n in (1, length)))
    wide = broadcast_to(apart, tuple(n for c, length in zip(counts, shape, strict=True) for n in (c, length)))
    return reshape(wide, tuple(c * length for c, length in zip(counts, shape, strict=True)))


def repeat(a: Operand, repeats: Operand, axis: int | None = None) -> Array:
    """Return an array with each element repeated along an axis, as a gather."""
    x = array(a) if axis is not None else ravel(a)
    axis = normalize_axis(axis or 0, x.ndim)
    rows = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    return take(x, rows, axis=axis)


def take(
    a: Operand, indices: Operand, axis: int | None = None, out: None = None, mode: str = "raise"
) -> Array:
    """Return slices along an axis by index, as a gather; ``mode`` says what an index beyond the end means."""
    x = array(a) if axis is not None else ravel(a)
    axis = normalize_axis(axis or 0, x.ndim)
    index = array(indices)
    if mode == "clip":
        index = np.clip(index, 0, x.shape[axis] - 1)
    elif mode == "wrap":
        index = index % x.shape[axis]
    rows = GATHER(moveaxis(x, axis, 0), index)
    return moveaxis(rows, tuple(range(index.ndim)), tuple(range(axis, axis + index.ndim))) if axis else rows


def roll(a: Operand, shift: int | Sequence[int], axis: Axes = None) -> Array:
    """Return an array shifted along axes, what leaves at one end entering at the other."""
    x = array(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = np.atleast_1d(axis).tolist()
    for step, place in zip(np.broadcast_to(shift, len(axes)).tolist(), axes, strict=True):
        n = x.shape[place]
        cut = (n - step) % n if n else 0
        parts = array_split(x, [cut], place)
        x = concatenate(parts[::-1], axis=place)
    return x


def pad(array_: Operand, pad_width: Widths, mode: str = "constant", **kwargs: Any) -> Array:
    """Return an array with a border; the modes are constant, edge, reflect, symmetric and wrap."""
    x = array(array_)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(i, pad_width.get(i - x.ndim, (0, 0))) for i in range(x.ndim)]
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        return _pad_constant(x, widths, kwargs.get("constant_values", 0))
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TraceError(
            f"np.pad(mode={mode!r}) cannot be traced; there are constant, edge, reflect, symmetric, wrap"
        )
    for axis, width in enumerate(widths):
        x = take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode, **kwargs), axis=axis)
    return x


def _pad_constant(x: Array, widths: list[list[int]], value: Operand) -> Array:
    low, high = tuple(w[0] for w in widths), tuple(w[1] for w in widths)
    if any(n < 0 for n in (*low, *high)):
        raise ShapeError("pad: widths cannot be negative")
    padded = ops.PAD(x, low=low, high=high, gap=(0,) * x.ndim)
    values = np.broadcast_to(np.asarray(value) if not isinstance(value, Traced) else value, (x.ndim, 2))
    if not isinstance(value, Traced) and not np.any(values):
        return padded
    return padded + _borders(x, widths, values)


def _borders(x: Array, widths: list[list[int]], values: Array) -> Array:
    # Axis by axis, as NumPy does: a later axis' value covers the corners.
    border: Any = np.zeros((), x.dtype)
    shape = tuple(a + n + b for n, (a, b) in zip(x.shape, widths, strict=True))
    for axis, (before, after) in enumerate(widths):
        place = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        border = np.where(place < before, values[axis, 0], border)
        border = np.where(place >= shape[axis] - after, values[axis, 1], border)
    return cast(border, x.dtype)


def insert(
    arr: Operand, obj: int | Sequence[int] | np.ndarray, values: Operand, axis: int | None = None
) -> Array:
    """Return an array with slices inserted before some rows of an axis."""
    x = array(arr) if axis is not None else ravel(arr)
    axis = normalize_axis(axis or 0, x.ndim)
    # Where NumPy puts each element is found by letting it insert -1 among the row numbers.
    places = np.atleast_1d(np.asarray(obj))
    if places.dtype == np.bool_:
        places = np.nonzero(places)[0]
    new = array(values)
    if places.size == 1:
        new = reshape(new, (1,) * (x.ndim - new.ndim) + new.shape)
        new = moveaxis(new, 0, axis) if np.ndim(obj) == 0 else new
        places = np.repeat(places, new.shape[axis])
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    rows = np.insert(np.arange(x.shape[axis]), places, -1 - np.arange(len(places)))
    both = concatenate([x, broadcast_to(cast(new, x.dtype), shape)], axis=axis)
    return take(both, np.where(rows < 0, x.shape[axis] - 1 - rows, rows), axis=axis)


def resize(a: Operand, new_shape: Integer | Sequence[int]) -> Array:
    """Return an array of another shape, filled with the flattened array over and over."""
    x = ravel(a)
    shape = (new_shape,) if isinstance(new_shape, (int, np.integer)) else tuple(new_shape)
    size = int(np.prod(shape))
    return reshape(take(x, np.arange(size) % x.size), shape) if x.size else np.zeros(shape, x.dtype)


def block(arrays: Blocks) -> Array:
    """Return an array assembled from nested lists of blocks."""
    depth = _depth(arrays)
    ndim = max(depth, _most_axes(arrays))
    return _block(arrays, depth, ndim)


def _depth(arrays: Blocks) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _most_axes(arrays: Blocks) -> int:
    return max(map(_most_axes, arrays)) if isinstance(arrays, list) else array(arrays).ndim


def _block(arrays: Any, depth: int, ndim: int) -> Array:
    if depth == 0:
        x = array(arrays)
        return reshape(x, (1,) * (ndim - x.ndim) + x.shape)
    return concatenate([_block(part, depth - 1, ndim) for part in arrays], axis=ndim - depth)


def fftshift(x: Operand, axes: Axes = None) -> Array:
    """Return an array with its halves exchanged, so that frequency 0 moves to the middle."""
    return _half_turn(array(x), axes, 1)


def ifftshift(x: Operand, axes: Axes = None) -> Array:
    """Return an array with its halves exchanged, as the inverse of `fftshift`."""
    return _half_turn(array(x), axes, -1)


def _half_turn(x: Array, axes: Axes, sign: int) -> Array:
    places = list(range(x.ndim)) if axes is None else np.atleast_1d(axes).tolist()
    return roll(x, [sign * (x.shape[i] // 2) if sign > 0 else -(x.shape[i] // 2) for i in places], places)


def sliding_window_view(
    x: Operand, window_shape: int | Sequence[int], axis: Axes = None, **_: object
) -> Array:
    """Return the windows that slide over axes, each as new last axes: a gather, not a view."""
    x = array(x)
    widths = np.atleast_1d(window_shape).tolist()
    axes = list(range(x.ndim)) if axis is None else [normalize_axis(a, x.ndim) for a in np.atleast_1d(axis)]
    if len(widths) != len(axes):
        raise ShapeError(f"sliding_window_view: {len(widths)} widths for {len(axes)} axes")
    for place, width in zip(axes, widths, strict=True):
        rows = np.arange(x.shape[place] - width + 1)[:, None] + np.arange(width)
        x = moveaxis(take(x, rows, axis=place), place + 1, -1)
    return x


def unstack(x: Operand, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the slices along an axis as a tuple."""
    return tuple(moveaxis(x, axis, 0))


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.concatenate: concatenate,
    np.concat: concatenate,
    np.stack: stack,
    np.hstack: hstack,
    np.vstack: vstack,
    np.dstack: dstack,
    np.column_stack: column_stack,
    np.block: block,
    np.append: append,
    np.insert: insert,
    np.split: split,
    np.array_split: array_split,
    np.hsplit: lambda a, n: split(a, n, axis=0 if array(a).ndim == 1 else 1),
    np.vsplit: lambda a, n: split(a, n, axis=0),
    np.dsplit: lambda a, n: split(a, n, axis=2),
    np.tile: tile,
    np.repeat: repeat,
    np.resize: resize,
    np.take: take,
    np.roll: roll,
    np.fft.fftshift: fftshift,
    np.fft.ifftshift: ifftshift,
    np.pad: pad,
    np.lib.stride_tricks.sliding_window_view: sliding_window_view,
}
if hasattr(np, "unstack"):  # NumPy 2.1
    TABLE[np.unstack] = unstack
