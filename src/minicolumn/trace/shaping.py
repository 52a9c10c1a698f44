"""NumPy's ways to move elements, on traced arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.ops.elementwise import WHERE
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import broadcast_shapes, normalize_axes, normalize_axis
from minicolumn.trace.promote import array, common_dtype, promoted
from minicolumn.trace.tracer import Traced, cast


def reshape(a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None) -> Any:
    x, wanted = array(a), _full_shape(array(a).size, shape if newshape is None else newshape)
    if order == "F":
        return transpose(reshape(transpose(x), wanted[::-1]))
    return x if wanted == x.shape else ops.RESHAPE(x, shape=wanted)


def _full_shape(size: int, shape: Any) -> tuple[int, ...]:
    wanted = [int(shape)] if isinstance(shape, (int, np.integer)) else [int(n) for n in shape]
    if wanted.count(-1) > 1:
        raise ShapeError(f"reshape: only one length may be -1, got {wanted}")
    if -1 in wanted:
        known = prod(n for n in wanted if n != -1)
        wanted[wanted.index(-1)] = size // known if known else 0
    return tuple(wanted)


def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, order)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    x = array(a)
    wanted = tuple(range(x.ndim))[::-1] if axes is None else tuple(normalize_axis(int(i), x.ndim) for i in axes)
    if sorted(wanted) != list(range(x.ndim)):
        raise ShapeError(f"transpose: axes {axes} are no permutation of the {x.ndim} axes")
    return x if wanted == tuple(range(x.ndim)) else ops.TRANSPOSE(x, axes=wanted)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(array(a).ndim))
    i, j = normalize_axis(axis1, len(order)), normalize_axis(axis2, len(order))
    order[i], order[j] = order[j], order[i]
    return transpose(a, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    ndim = array(a).ndim
    sources = [normalize_axis(s, ndim) for s in np.atleast_1d(source).tolist()]
    targets = [normalize_axis(d, ndim) for d in np.atleast_1d(destination).tolist()]
    order = [i for i in range(ndim) if i not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(a, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    ndim = array(a).ndim
    axis, start = normalize_axis(axis, ndim), start + ndim if start < 0 else start
    order = [i for i in range(ndim) if i != axis]
    order.insert(start - 1 if axis < start else start, axis)
    return transpose(a, order)


def expand_dims(a: Any, axis: Any) -> Any:
    x = array(a)
    added = np.atleast_1d(axis).tolist()
    axes = normalize_axes(added, x.ndim + len(added))
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in axes else next(lengths) for i in range(x.ndim + len(axes))))


def squeeze(a: Any, axis: Any = None) -> Any:
    x = array(a)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else normalize_axes(axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {list(x.shape)} is longer than 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def broadcast_to(array_: Any, shape: Any, subok: bool = False) -> Any:
    x = array(array_)
    wanted = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    return x if wanted == x.shape else ops.BROADCAST(x, shape=wanted)


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    arrays = [array(a) for a in args]
    shape = broadcast_shapes(*(a.shape for a in arrays))
    return tuple(broadcast_to(a, shape) for a in arrays)


def atleast(ndim: int) -> Callable[..., Any]:
    def lift(*arrays: Any) -> Any:
        out = tuple(_lifted(array(a), ndim) for a in arrays)
        return out[0] if len(out) == 1 else out

    return lift


def _lifted(x: Any, ndim: int) -> Any:
    if x.ndim >= ndim:
        return x
    if ndim == 3 and x.ndim == 2:
        return reshape(x, (*x.shape, 1))
    return reshape(x, {0: (1,) * ndim, 1: (1, *x.shape, 1)[: ndim] if ndim == 3 else (1, *x.shape)}[x.ndim])


def concatenate(arrays: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [array(a) for a in arrays]
    parts = promoted(*parts) if dtype is None else [cast(p, np.dtype(dtype)) for p in parts]
    if axis is None:
        return concatenate([ravel(p) for p in parts])
    if not parts[0].ndim:
        raise ShapeError("concatenate: numbers have no axis to join along; use np.stack")
    axis = normalize_axis(axis, parts[0].ndim)
    return parts[0] if len(parts) == 1 else ops.CONCATENATE(*parts, axis=axis)


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    parts = [array(a) for a in arrays]
    if len({p.shape for p in parts}) > 1:
        listed = " and ".join(str(list(p.shape)) for p in parts)
        raise ShapeError(f"stack: all arrays must have the same shape, got {listed}")
    place = normalize_axis(axis, parts[0].ndim + 1)
    return concatenate([expand_dims(p, place) for p in parts], axis=place, dtype=dtype)


def hstack(tup: Any, **kwargs: Any) -> Any:
    parts = [atleast(1)(a) for a in tup]
    return concatenate(parts, axis=0 if parts[0].ndim == 1 else 1, **kwargs)


def vstack(tup: Any, **kwargs: Any) -> Any:
    return concatenate([atleast(2)(a) for a in tup], axis=0, **kwargs)


def dstack(tup: Any) -> Any:
    return concatenate([atleast(3)(a) for a in tup], axis=2)


def column_stack(tup: Any) -> Any:
    return concatenate([a if a.ndim > 1 else reshape(a, (a.size, 1)) for a in map(array, tup)], axis=1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([arr, values], axis=axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = array(ary)
    n = x.shape[axis]
    cuts = (
        [i * (n // indices_or_sections) + min(i, n % indices_or_sections) for i in range(indices_or_sections + 1)]
        if isinstance(indices_or_sections, (int, np.integer))
        else [0, *(int(i) for i in indices_or_sections), n]
    )
    key: list[Any] = [slice(None)] * x.ndim
    out = []
    for start, stop in zip(cuts[:-1], cuts[1:], strict=True):
        key[axis] = slice(start, stop)
        out.append(x[tuple(key)])
    return out


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    sections = indices_or_sections
    if isinstance(sections, (int, np.integer)) and array(ary).shape[axis] % sections:
        raise ShapeError(f"split: {array(ary).shape[axis]} rows do not divide into {sections} equal parts")
    return array_split(ary, sections, axis)


def tile(A: Any, reps: Any) -> Any:  # noqa: N803
    x = array(A)
    counts = [int(r) for r in np.atleast_1d(reps)]
    ndim = max(len(counts), x.ndim)
    shape = (1,) * (ndim - x.ndim) + x.shape
    counts = [1] * (ndim - len(counts)) + counts
    apart = reshape(x, tuple(n for length in shape for n in (1, length)))
    wide = broadcast_to(apart, tuple(n for c, length in zip(counts, shape, strict=True) for n in (c, length)))
    return reshape(wide, tuple(c * length for c, length in zip(counts, shape, strict=True)))


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    x = array(a) if axis is not None else ravel(a)
    axis = normalize_axis(axis or 0, x.ndim)
    rows = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    return take(x, rows, axis=axis)


def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    x = array(a) if axis is not None else ravel(a)
    axis = normalize_axis(axis or 0, x.ndim)
    index = array(indices)
    if mode == "clip":
        index = np.clip(index, 0, x.shape[axis] - 1)
    elif mode == "wrap":
        index = index % x.shape[axis]
    rows = GATHER(moveaxis(x, axis, 0), index)
    return moveaxis(rows, tuple(range(index.ndim)), tuple(range(axis, axis + index.ndim))) if axis else rows


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
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


def flip(m: Any, axis: Any = None) -> Any:
    x = array(m)
    return ops.FLIP(x, axes=normalize_axes(axis, x.ndim))


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    x = array(m)
    for _ in range(k % 4):
        x = flip(swapaxes(x, *axes), axes[0])
    return x


def pad(array_: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    x = array(array_)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(i, pad_width.get(i - x.ndim, (0, 0))) for i in range(x.ndim)]
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        return _pad_constant(x, widths, kwargs.get("constant_values", 0))
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TraceError(f"np.pad(mode={mode!r}) cannot be traced; there are constant, edge, reflect, symmetric, wrap")
    for axis, width in enumerate(widths):
        x = take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode, **kwargs), axis=axis)
    return x


def _pad_constant(x: Any, widths: list[list[int]], value: Any) -> Any:
    low, high = tuple(w[0] for w in widths), tuple(w[1] for w in widths)
    if any(n < 0 for n in (*low, *high)):
        raise ShapeError("pad: widths cannot be negative")
    padded = ops.PAD(x, low=low, high=high, gap=(0,) * x.ndim)
    values = np.broadcast_to(np.asarray(value) if not isinstance(value, Traced) else value, (x.ndim, 2))
    if not isinstance(value, Traced) and not np.any(values):
        return padded
    return padded + _borders(x, widths, values)


def _borders(x: Any, widths: list[list[int]], values: Any) -> Any:
    # Axis by axis, as NumPy does: a later axis' value covers the corners.
    border: Any = np.zeros((), x.dtype)
    shape = tuple(a + n + b for n, (a, b) in zip(x.shape, widths, strict=True))
    for axis, (before, after) in enumerate(widths):
        place = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        border = np.where(place < before, values[axis, 0], border)
        border = np.where(place >= shape[axis] - after, values[axis, 1], border)
    return cast(border, x.dtype)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    x = moveaxis(a, (axis1, axis2), (0, 1))
    rows, columns = x.shape[:2]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return moveaxis(GATHER(x, i + max(-offset, 0), i + max(offset, 0)), 0, -1)


def diag(v: Any, k: int = 0) -> Any:
    x = array(v)
    if x.ndim == 2:
        return diagonal(x, offset=k)
    if x.ndim != 1:
        raise ShapeError(f"diag: a vector or a matrix expected, got shape {list(x.shape)}")
    n = x.shape[0] + abs(k)
    rows = np.arange(n)[:, None] + max(k, 0) == np.arange(n)[None, :] + max(-k, 0)
    spread = pad(x, (max(-k, 0), max(k, 0)))
    return np.where(rows, spread[:, None], np.zeros((), x.dtype))


def diagflat(v: Any, k: int = 0) -> Any:
    return diag(ravel(v), k)


def trace_(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


def tri(keep: Callable[..., Any]) -> Callable[..., Any]:
    def cut(m: Any, k: int = 0) -> Any:
        x = atleast(2)(m)
        mask = keep(np.ones(x.shape[-2:], dtype=bool), k)
        return np.where(mask, x, np.zeros((), x.dtype))

    return cut


def where(condition: Any, *branches: Any) -> Any:
    c = cast(array(condition), np.dtype(np.bool_))
    if not branches:
        return np.nonzero(c)
    x, y = (b if isinstance(b, (int, float, bool)) else array(b) for b in branches)
    return WHERE(c, *promoted(x, y))


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **bounds: Any) -> Any:
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    x = array(a)
    dtype = common_dtype(a, *(b for b in (low, high) if b is not None))
    out_ = cast(x, dtype)
    # Tie: at a bound the slope is that of the inside, as users of clipped networks expect.
    if low is not None:
        out_ = np.where(out_ < low, cast(array(low), dtype), out_)
    if high is not None:
        out_ = np.where(out_ > high, cast(array(high), dtype), out_)
    return out_


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    out = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        out = where(condition, choice, out)
    return out


def _like(make: Callable[..., Any]) -> Callable[..., Any]:
    def build(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
        return make(a.shape if shape is None else shape, np.dtype(dtype or a.dtype))

    return build


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
    target = np.dtype(dtype or array(a).dtype)
    return broadcast_to(cast(array(fill_value), target), array(a).shape if shape is None else shape)


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    n = len(xi)
    grids = [reshape(x, [-1 if i == j else 1 for j in range(n)]) for i, x in enumerate(xi)]
    out = grids if sparse else list(broadcast_arrays(*grids))
    return tuple(swapaxes(g, 0, 1) if indexing == "xy" and n > 1 else g for g in out)


def same(a: Any, *_: Any, **__: Any) -> Any:
    return array(a)


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.reshape: reshape,
    np.ravel: ravel,
    np.transpose: transpose,
    np.swapaxes: swapaxes,
    np.moveaxis: moveaxis,
    np.rollaxis: rollaxis,
    np.expand_dims: expand_dims,
    np.squeeze: squeeze,
    np.broadcast_to: broadcast_to,
    np.broadcast_arrays: broadcast_arrays,
    np.atleast_1d: atleast(1),
    np.atleast_2d: atleast(2),
    np.atleast_3d: atleast(3),
    np.concatenate: concatenate,
    np.stack: stack,
    np.hstack: hstack,
    np.vstack: vstack,
    np.dstack: dstack,
    np.column_stack: column_stack,
    np.append: append,
    np.split: split,
    np.array_split: array_split,
    np.hsplit: lambda a, n: split(a, n, axis=0 if a.ndim == 1 else 1),
    np.vsplit: lambda a, n: split(a, n, axis=0),
    np.dsplit: lambda a, n: split(a, n, axis=2),
    np.tile: tile,
    np.repeat: repeat,
    np.take: take,
    np.roll: roll,
    np.flip: flip,
    np.flipud: lambda m: flip(m, 0),
    np.fliplr: lambda m: flip(m, 1),
    np.rot90: rot90,
    np.pad: pad,
    np.diagonal: diagonal,
    np.diag: diag,
    np.diagflat: diagflat,
    np.trace: trace_,
    np.triu: tri(np.triu),
    np.tril: tri(np.tril),
    np.where: where,
    np.clip: clip,
    np.select: select,
    np.zeros_like: _like(np.zeros),
    np.ones_like: _like(np.ones),
    np.empty_like: _like(np.zeros),
    np.full_like: full_like,
    np.meshgrid: meshgrid,
    np.copy: same,
    np.real: same,
    np.real_if_close: same,
    np.imag: lambda a: np.zeros(a.shape, a.dtype),
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: False,
    np.isrealobj: lambda x: True,
    np.result_type: common_dtype,
}
for _name, _row in (("permute_dims", transpose), ("concat", concatenate), ("matrix_transpose", lambda x: swapaxes(x, -1, -2)),
                    ("unstack", lambda x, axis=0: tuple(moveaxis(x, axis, 0)))):  # fmt: skip
    if hasattr(np, _name):  # newer names of NumPy 2
        TABLE.setdefault(getattr(np, _name), _row)
