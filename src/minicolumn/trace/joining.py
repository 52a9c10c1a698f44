"""Concatenation, splitting, tiling and padding on traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import normalize_axis
from minicolumn.trace.promote import any_traced, array, dtype_or_kind
from minicolumn.trace.shaping import (
    atleast,
    broadcast_to,
    check_known,
    expand_dims,
    known_dtype,
    moveaxis,
    ravel,
    reshape,
)
from minicolumn.trace.tracer import cast

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, Blocks, DTypeLike, Integer, Kind, Sections


def concatenate(
    arrays: Sequence[Operand],
    axis: int | None = 0,
    out: None = None,
    *,
    dtype: DTypeLike = None,
    casting: str = "same_kind",
) -> Array:
    """Return arrays joined along an axis they have, in their common dtype; None flattens them first."""
    listed = list(arrays)
    parts = [array(a) for a in listed]
    kinds = [dtype_or_kind(p if p.ndim else a) for a, p in zip(listed, parts, strict=True)]
    common = _common_dtype(kinds, dtype, casting)
    parts = [cast(p, common) for p in parts]
    if axis is None:
        return concatenate([ravel(p) for p in parts])
    if not parts[0].ndim:
        raise ShapeError("concatenate: numbers have no axis to join along; use np.stack")
    axis = normalize_axis(axis, parts[0].ndim)
    return parts[0] if len(parts) == 1 else ops.CONCATENATE(*parts, axis=axis)


def _common_dtype(kinds: Sequence[Kind], dtype: DTypeLike, casting: Any) -> np.dtype:
    """Return the dtype of joined arrays and Python numbers, as NumPy finds it for samples of them."""
    samples = [kind(0) if isinstance(kind, type) else np.empty(0, kind) for kind in kinds]
    return known_dtype("concatenate", np.concatenate(samples, axis=None, dtype=dtype, casting=casting).dtype)


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
    return concatenate([expand_dims(p, place) for p in parts], axis=place, dtype=dtype, casting=casting)


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
    return concatenate([ravel(arr), ravel(values)] if axis is None else [arr, values], axis=axis or 0)


def array_split(ary: Operand, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return the parts of an array cut along an axis; equal sections differ by one row at most."""
    check_known("array_split", indices_or_sections=indices_or_sections)
    x = array(ary)
    key: list[Any] = [slice(None)] * x.ndim
    out = []
    # Where NumPy cuts is found by letting it cut the row numbers.
    for rows in np.array_split(np.arange(x.shape[axis]), indices_or_sections):
        key[axis] = slice(rows[0], rows[-1] + 1) if rows.size else slice(0, 0)
        out.append(x[tuple(key)])
    return out


def split(ary: Operand, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return the parts of an array cut along an axis; ShapeError where equal ones do not come out even."""
    check_known("split", indices_or_sections=indices_or_sections)
    sections = indices_or_sections
    if np.ndim(sections) == 0 and array(ary).shape[axis] % sections:
        raise ShapeError(f"split: {array(ary).shape[axis]} rows do not divide into {sections} equal parts")
    return array_split(ary, sections, axis)


def vsplit(ary: Operand, indices_or_sections: Sections) -> list[Any]:
    """Return the parts of a matrix, or of an array of more axes, cut along the first axis."""
    if array(ary).ndim < 2:
        raise ShapeError("vsplit: an array of 2 or more axes expected; for a vector use np.split")
    return split(ary, indices_or_sections, 0)


def tile(A: Operand, reps: Integer | Sequence[int]) -> Array:
    """Return an array repeated as a whole along each axis, as a broadcast and a reshape."""
    check_known("tile", reps=reps)
    x = array(A)
    counts = [index(r) for r in np.atleast_1d(reps).tolist()]
    if any(c < 0 for c in counts):
        raise ShapeError(f"tile: reps cannot be negative, got {reps}")
    ndim = max(len(counts), x.ndim)
    shape = (1,) * (ndim - x.ndim) + x.shape
    counts = [1] * (ndim - len(counts)) + counts
    apart = reshape(x, tuple(n for length in shape for n in (1, length)))
    wide = broadcast_to(apart, tuple(n for c, length in zip(counts, shape, strict=True) for n in (c, length)))
    return reshape(wide, tuple(c * length for c, length in zip(counts, shape, strict=True)))


def repeat(a: Operand, repeats: Operand, axis: int | None = None) -> Array:
    """Return an array with each element repeated along an axis, as a gather."""
    check_known("repeat", repeats=repeats)
    x = ravel(a) if axis is None or not array(a).ndim else array(a)
    axis = normalize_axis(axis or 0, x.ndim)
    rows = np.repeat(np.arange(x.shape[axis]), repeats)  # type: ignore[arg-type]
    return take(x, rows, axis=axis)


def take(
    a: Operand, indices: Operand, axis: int | None = None, out: None = None, mode: str = "raise"
) -> Array:
    """Return slices along an axis by index, as a gather; ``mode`` says what an index beyond the end means."""
    if mode not in ("raise", "clip", "wrap"):
        raise TraceError(f"np.take(mode={mode!r}) cannot be traced; there are 'raise', 'clip' and 'wrap'")
    x = ravel(a) if axis is None or not array(a).ndim else array(a)
    axis = normalize_axis(axis or 0, x.ndim)
    places = _row_numbers(indices)
    if mode == "clip":
        places = np.clip(places, 0, x.shape[axis] - 1)
    elif mode == "wrap":
        places = places % x.shape[axis]
    rows = GATHER(moveaxis(x, axis, 0), places)
    return moveaxis(rows, tuple(range(places.ndim)), tuple(range(axis, axis + places.ndim))) if axis else rows


def _row_numbers(indices: Operand) -> Array:
    """Return indices as integers: plain numbers whatever they are, arrays where no value can be lost."""
    if any_traced(indices):
        x = array(indices)
        return cast(x, np.dtype(np.intp)) if x.dtype == np.bool_ else x
    if isinstance(indices, (np.ndarray, np.generic)):
        return np.asarray(indices).astype(np.intp, casting="same_kind")
    return np.asarray(indices, np.intp)


def roll(a: Operand, shift: int | Sequence[int], axis: Axes = None) -> Array:
    """Return an array shifted along axes, what leaves at one end entering at the other."""
    check_known("roll", shift=shift)
    x = array(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    steps = np.broadcast(np.atleast_1d(shift), axis)
    if steps.ndim > 1:
        raise ShapeError("roll: shift and axis must be numbers or one row of them each")
    for step, place in steps:
        n = x.shape[place]
        cut = (n - int(step)) % n if n else 0
        parts = array_split(x, [cut], place)
        x = concatenate(parts[::-1], axis=int(place))
    return x


def insert(
    arr: Operand, obj: int | slice | Sequence[int] | np.ndarray, values: Operand, axis: int | None = None
) -> Array:
    """Return an array with slices inserted before some rows of an axis."""
    check_known("insert", obj=obj)
    x = array(arr) if axis is not None else ravel(arr)
    axis = normalize_axis(axis or 0, x.ndim)
    # Where NumPy puts each element is found by letting it insert -1 among the row numbers.
    places = _insertions(obj, x.shape[axis])
    new = cast(array(values) if any_traced(values) else values, x.dtype)
    if places.size == 1:
        new = reshape(new, (1,) * (x.ndim - new.ndim) + new.shape)
        new = moveaxis(new, 0, axis) if places.ndim == 0 else new
        places = np.repeat(places, new.shape[axis])
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    rows = np.insert(np.arange(x.shape[axis]), places, -1 - np.arange(len(places)))
    both = concatenate([x, broadcast_to(new, shape)], axis=axis)
    return take(both, np.where(rows < 0, x.shape[axis] - 1 - rows, rows), axis=axis)


def _insertions(obj: int | slice | Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Return the row numbers that a slice, a mask or integers stand for."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(n))
    places = np.asarray(obj)
    if places.dtype == np.bool_:
        return np.flatnonzero(places)
    return places if places.size or isinstance(obj, np.ndarray) else places.astype(np.intp)


def resize(a: Operand, new_shape: Integer | Sequence[int]) -> Array:
    """Return an array of another shape, filled with the flattened array over and over."""
    check_known("resize", new_shape=new_shape)
    x = ravel(a)
    rows = np.resize(np.arange(x.size), new_shape)
    return take(x, rows) if x.size else np.zeros(rows.shape, x.dtype)


def block(arrays: Blocks) -> Array:
    """Return an array assembled from nested lists of blocks."""
    depth = _depth(arrays)
    ndim = max(depth, _most_axes(arrays))
    return _block(arrays, depth, ndim)


def _depth(arrays: Blocks) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(part) for part in arrays}
    if len(depths) != 1:
        raise ShapeError("block: no list may be empty, and all must be nested equally deep")
    return 1 + depths.pop()


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
    x: Operand,
    window_shape: int | Sequence[int],
    axis: Axes = None,
    *,
    subok: bool = False,
    writeable: bool = False,
) -> Array:
    """Return the windows that slide over axes, each as new last axes: a gather, not a view."""
    check_known("lib.stride_tricks.sliding_window_view", window_shape=window_shape)
    x = array(x)
    widths = np.atleast_1d(window_shape).tolist()
    axes = list(range(x.ndim)) if axis is None else [normalize_axis(a, x.ndim) for a in np.atleast_1d(axis)]
    if len(widths) != len(axes):
        raise ShapeError(f"sliding_window_view: {len(widths)} widths for {len(axes)} axes")
    for place, width in zip(axes, widths, strict=True):
        rows = np.lib.stride_tricks.sliding_window_view(np.arange(x.shape[place]), width)
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
    np.vsplit: vsplit,
    np.dsplit: lambda a, n: split(a, n, axis=2),
    np.tile: tile,
    np.repeat: repeat,
    np.resize: resize,
    np.take: take,
    np.roll: roll,
    np.fft.fftshift: fftshift,
    np.fft.ifftshift: ifftshift,
    np.lib.stride_tricks.sliding_window_view: sliding_window_view,
}
if hasattr(np, "unstack"):  # NumPy 2.1
    TABLE[np.unstack] = unstack
