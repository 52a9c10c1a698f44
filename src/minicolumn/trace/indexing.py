"""Basic and advanced indexing, ``x[key]``: slices, integers, None, ..., boolean masks, integer arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.ops.order import take_along
from minicolumn.ir.shapes import Dim, Length, normalize_axis
from minicolumn.trace.aliases import link
from minicolumn.trace.promote import array
from minicolumn.trace.tracer import Traced, fresh, lift

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Key, KeyPart, Part


def getitem(x: Traced, key: Key) -> Any:
    """Return x[key] as slices, reshapes and one gather."""
    parts, gap = _expanded(x, key if isinstance(key, tuple) else (key,))
    if any(isinstance(n, Dim) for n in x.shape):
        parts = _with_dims(x, parts)
    arrays = [part for part in parts if not isinstance(part, (slice, int, type(None)))]
    if arrays:
        return fresh(_with_arrays(x, parts, gap))
    view = _basic(x, parts)
    link(view, x)
    return view


def _with_dims(x: Array, parts: list[Part]) -> list[Any]:
    """Return the parts of a key where some axes have no known length: integers for these are arrays."""
    lengths, found = iter(x.shape), []
    for part in parts:
        n = None if part is None else next(lengths)
        if not isinstance(n, Dim) or (isinstance(part, slice) and _is_whole(part)):
            found.append(part)
        elif isinstance(part, slice):
            raise TraceError(
                f"the length {n.name!r} is not known while tracing, so such an axis cannot be cut; it can be "
                "taken whole, indexed with integers or scanned over"
            )
        else:
            found.append(np.asarray(part) if isinstance(part, int) else part)
    return found


def _expanded(x: Array, key: tuple[KeyPart, ...]) -> tuple[list[Any], int]:
    """Return one entry an axis (slice, int, integers), None for new axes; and where the ellipsis was."""
    parts = [_entry(part) for part in key]
    entries = [entry for part in parts for entry in part]
    _check_masks(x, key, parts)
    used = sum(part is not None and part is not Ellipsis for part in entries)
    if used > x.ndim:
        raise IndexError(f"too many indices: {used} for an array of {x.ndim} dimensions")
    fill = [slice(None)] * (x.ndim - used)
    place = next((i for i, part in enumerate(entries) if part is Ellipsis), len(entries))
    return entries[:place] + fill + [part for part in entries[place:] if part is not Ellipsis], place


def _check_masks(x: Array, key: tuple[KeyPart, ...], parts: list[list[Part]]) -> None:
    """Refuse masks that are not as long as the axes they choose from."""
    counts = [0 if part is None else len(entries) for part, entries in zip(key, parts, strict=True)]
    at = [i for i, part in enumerate(key) if part is Ellipsis]
    if len(at) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    axis = 0
    for i, part in enumerate(key):
        if part is Ellipsis:
            axis = x.ndim - sum(counts[i + 1 :])
            continue
        shape = np.shape(part) if _is_mask(part) else ()
        if shape and shape != x.shape[axis : axis + len(shape)]:
            found = list(x.shape[axis : axis + len(shape)])
            raise IndexError(f"a mask of shape {list(shape)} cannot choose from axes of shape {found}")
        axis += counts[i]


def _is_mask(part: KeyPart) -> TypeGuard[Operand]:
    if part is None or isinstance(part, (slice, int, np.integer)):
        return False
    return not isinstance(part, Traced) and np.asarray(part).dtype == np.bool_


def _entry(part: KeyPart) -> list[Any]:
    if part is None or part is ... or isinstance(part, slice):
        return [part]
    if isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
        return [int(part)]
    index = array(part)
    if isinstance(part, (list, tuple)) and not isinstance(index, Traced) and index.size == 0:
        index = index.astype(np.intp)
    if np.dtype(index.dtype).kind in "iu":
        return [index]
    if np.dtype(index.dtype).kind != "b":
        raise IndexError(f"arrays used as indices must be integers or booleans, got {index.dtype}")
    if isinstance(index, Traced):
        raise TraceError(
            "x[mask] has a shape that depends on values, unknown inside compile; use np.where(mask, x, 0)"
        )
    if index.ndim == 0:
        raise TraceError("a single boolean as an index cannot be traced; use x[None] or an empty slice")
    return list(np.nonzero(index))


def _is_whole(part: slice) -> bool:
    return part.start in (None, 0) and part.stop is None and part.step in (None, 1)


def _basic(x: Array, parts: list[Part]) -> Any:
    """Apply slices and integers; both are one slice operation, one flip and one reshape at most."""
    start, stop, step, flips, shape = [], [], [], [], []
    axis = 0
    for part in parts:
        if part is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(n, Dim):  # taken whole
            for numbers, number in ((start, 0), (stop, n), (step, 1), (shape, n)):
                numbers.append(number)
            axis += 1
            continue
        places = range(n)[part] if isinstance(part, slice) else _one(part, n)  # type: ignore[arg-type]
        if places.step < 0:
            flips.append(axis)
            places = places[::-1]
        start.append(places.start if len(places) else 0)
        stop.append(places[-1] + 1 if len(places) else 0)
        step.append(places.step)
        if isinstance(part, slice):
            shape.append(len(places))
        axis += 1
    whole = all(a == 0 and s == 1 and b == n for a, b, s, n in zip(start, stop, step, x.shape, strict=True))
    out = x if whole else ops.SLICE(x, start=tuple(start), stop=tuple(stop), step=tuple(step))
    if flips:
        out = ops.FLIP(out, axes=tuple(flips))
    wanted = tuple(shape)
    return out if wanted == out.shape else ops.RESHAPE(out, shape=wanted)


def _one(index: int, n: int) -> range:
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of bounds for an axis of {n} elements")
    return range(index % n, index % n + 1)


def _with_arrays(x: Array, parts: list[Part], gap: int) -> Any:
    # Slices and new axes first, with every indexed axis left whole; integers count as arrays, as in NumPy.
    indexed = [not isinstance(part, (slice, type(None))) for part in parts]
    sliced = _basic(
        x, [slice(None) if is_index else part for part, is_index in zip(parts, indexed, strict=True)]
    )
    axes = [i for i, is_index in enumerate(indexed) if is_index]
    rest = [i for i, is_index in enumerate(indexed) if not is_index]
    indices = [_checked(parts[i], sliced.shape[i]) for i in axes]  # type: ignore[arg-type]
    if len(axes) == 1:
        sliced, indices[0] = _within_part(sliced, axes[0], indices[0])
    rows = GATHER(np.transpose(sliced, axes + rest), *indices)
    width = rows.ndim - len(rest)
    # An ellipsis keeps index arrays apart even where it stands for no axis.
    together = axes == list(range(axes[0], axes[0] + len(axes))) and not axes[0] < gap <= axes[-1]
    return np.moveaxis(rows, range(width), range(axes[0], axes[0] + width)) if together and axes[0] else rows


def _within_part(x: Any, axis: int, index: Any) -> tuple[Any, Any]:
    """Return what to index in place of joined arrays: the part in which all that is taken lies, if in one.

        concatenate(a, b)[[0, 2]]  =  a[[0, 2]]      where a has three elements or more

    So what is taken of a table's numbers does not depend on the embeddings of its codes beside them, and
    nobody seeks how the loss changes with these numbers.
    """
    joined = x.node if isinstance(x, Traced) and x.node.value is None else None
    if joined is None or joined.op is not ops.CONCATENATE or joined.attrs["axis"] != axis:
        return x, index
    if isinstance(index, Traced) or not np.size(index) or isinstance(x.shape[axis], Dim):
        return x, index
    places = np.asarray(index, np.intp) % x.shape[axis]
    parts: Any = joined.inputs
    first = 0
    for part in parts:
        last = first + part.array_type.shape[axis]
        if first <= np.min(places) and np.max(places) < last:
            return lift(part), places - first
        first = last
    return x, index


def _checked(index: int | Array, n: Length) -> Any:
    known = index if not isinstance(index, Traced) else None
    index = np.asarray(index) if isinstance(index, int) else index
    if (
        known is not None
        and not isinstance(n, Dim)
        and np.size(known)
        and (np.min(known) < -n or np.max(known) >= n)
    ):
        raise IndexError(f"an index is out of bounds for an axis of {n} elements")
    return index


def take_along_axis(arr: Operand, indices: Operand, axis: int | None = -1) -> Any:
    """Return the elements that index arrays name along one axis; the other axes broadcast."""
    x, index = array(arr), array(indices)
    if axis is None:
        return take_along_axis(np.reshape(x, -1), index, 0)
    axis = normalize_axis(axis, x.ndim)
    if index.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: indices of {index.ndim} dimensions for an array of {x.ndim}")
    others = np.broadcast_shapes(*((*a.shape[:axis], 1, *a.shape[axis + 1 :]) for a in (x, index)))
    wide = lambda a: (*others[:axis], a.shape[axis], *others[axis + 1 :])  # noqa: E731
    return take_along(np.broadcast_to(x, wide(x)), np.broadcast_to(index, wide(index)), axis)


def compress(condition: Operand, a: Operand, axis: int | None = None, out: None = None) -> Any:
    """Return the slices along an axis for which a condition, whose values must be known, holds."""
    rows = np.nonzero(np.asarray(condition))[0]
    return np.take(a, rows, axis=axis)


def extract(condition: Operand, arr: Operand) -> Any:
    """Return the elements of the flattened array for which a condition, whose values must be known, holds."""
    return np.take(np.ravel(arr), np.nonzero(np.ravel(condition))[0])


def delete(arr: Operand, obj: int | slice | Sequence[int] | np.ndarray, axis: int | None = None) -> Any:
    """Return the array without some slices along an axis."""
    x = array(arr) if axis is not None else np.reshape(arr, -1)
    axis = axis or 0
    return np.take(x, np.delete(np.arange(x.shape[axis]), obj), axis=axis)


def choose(a: Operand, choices: Sequence[Operand], out: None = None, mode: str = "raise") -> Any:
    """Return, for each element, the one of the choice that an index names there."""
    stacked = np.stack(np.broadcast_arrays(*choices))
    return take_along_axis(stacked, np.broadcast_to(a, stacked.shape[1:])[None], axis=0)[0]


def _needs_values(name: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise TraceError(f"np.{name} has a shape that depends on values; use np.where(mask, a, b) instead")

    return refuse


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.take_along_axis: take_along_axis,
    np.compress: compress,
    np.extract: extract,
    np.delete: delete,
    np.choose: choose,
    np.nonzero: _needs_values("nonzero"),
    np.argwhere: _needs_values("argwhere"),
    np.flatnonzero: _needs_values("flatnonzero"),
}
