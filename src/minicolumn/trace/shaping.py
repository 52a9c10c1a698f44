"""Reshaping, transposing and broadcasting on traced arrays: the same elements along other axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.ops import shaping as ops
from minicolumn.ir.shapes import DTYPES, Dim, Shape, broadcast_shapes, merged, normalize_axes, normalize_axis
from minicolumn.trace.promote import any_traced, array, common_dtype

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand
    from minicolumn.trace.arguments import Axes, DTypeLike, ShapeLike


def known_dtype(function: str, dtype: DTypeLike) -> np.dtype:
    """Return the dtype that a function is asked for; TraceError where graphs do not have it."""
    wanted = np.dtype(dtype)
    if wanted not in DTYPES.values():
        known = ", ".join(map(str, DTYPES.values()))
        raise TraceError(f"np.{function}(dtype={wanted}) cannot be traced; graphs have {known}")
    return wanted


def check_known(function: str, **arguments: object) -> None:
    """Raise TraceError for an argument that is traced where the program itself depends on its value."""
    for name, value in arguments.items():
        if any_traced(value):
            raise TraceError(f"np.{function}({name}=...) must be known while tracing; write plain integers")


def reshape(
    a: Operand,
    /,
    shape: ShapeLike | None = None,
    order: str = "C",
    *,
    newshape: ShapeLike | None = None,
    copy: bool | None = None,
) -> Array:
    """Return the same elements in another shape; one length may be -1, which is what is left."""
    if order not in ("C", "F"):
        raise TraceError(
            f"np.reshape(order={order!r}) asks for the layout in memory, which traced arrays do not have; "
            "there are 'C' and 'F'"
        )
    x, wanted = array(a), _full_shape(array(a).shape, shape if newshape is None else newshape)
    if order == "F":
        return transpose(reshape(transpose(x), wanted[::-1]))
    return x if wanted == x.shape else ops.RESHAPE(x, shape=wanted)


def _full_shape(old: Shape, shape: Any) -> Shape:
    """Return the shape that is asked for, -1 replaced by what is left; TraceError where that is not known."""
    wanted = list(_lengths(shape))
    if wanted.count(-1) > 1:
        raise ShapeError(f"reshape: only one length may be -1, got {wanted}")
    if -1 in wanted:
        left = [n for n in old if isinstance(n, Dim)]
        for n in wanted:
            if n in left:
                left.remove(n)
        known = prod(n for n in wanted if n != -1 and not isinstance(n, Dim))
        whole = prod(n for n in old if not isinstance(n, Dim))
        if not known:
            raise ShapeError(f"reshape: beside a length of 0, -1 could be any length, got {wanted}")
        wanted[wanted.index(-1)] = merged([*left, whole // known])
    return tuple(wanted)


def _lengths(shape: ShapeLike) -> Shape:
    """Return the lengths in a shape as Python numbers, and dimensions as they are."""
    listed = [shape] if isinstance(shape, (int, np.integer, Dim)) else shape
    return tuple(n if isinstance(n, Dim) else int(n) for n in listed)


def ravel(a: Operand, order: str = "C") -> Array:
    """Return the elements in one row."""
    return reshape(a, -1, order)


def transpose(a: Operand, axes: Sequence[int] | None = None) -> Array:
    """Return the array with its axes permuted, reversed where none are named."""
    x = array(a)
    wanted = (
        tuple(range(x.ndim))[::-1]
        if axes is None
        else tuple(normalize_axis(int(i), x.ndim) for i in np.atleast_1d(axes))
    )
    if sorted(wanted) != list(range(x.ndim)):
        raise ShapeError(f"transpose: axes {axes} are no permutation of the {x.ndim} axes")
    return x if wanted == tuple(range(x.ndim)) else ops.TRANSPOSE(x, axes=wanted)


def swapaxes(a: Operand, axis1: int, axis2: int) -> Array:
    """Return the array with two axes exchanged."""
    order = list(range(array(a).ndim))
    i, j = normalize_axis(axis1, len(order)), normalize_axis(axis2, len(order))
    order[i], order[j] = order[j], order[i]
    return transpose(a, order)


def moveaxis(a: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Return the array with some axes at other places, the rest in their order."""
    ndim = array(a).ndim
    sources = [normalize_axis(index(s), ndim) for s in np.atleast_1d(source).tolist()]
    targets = [normalize_axis(index(d), ndim) for d in np.atleast_1d(destination).tolist()]
    if len(set(targets)) != len(targets):
        raise ShapeError(f"moveaxis: destination {targets} names one axis twice")
    order = [i for i in range(ndim) if i not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return transpose(a, order)


def rollaxis(a: Operand, axis: int, start: int = 0) -> Array:
    """Return the array with one axis moved before another."""
    ndim = array(a).ndim
    axis, start = normalize_axis(axis, ndim), start + ndim if start < 0 else start
    if not 0 <= start <= ndim:
        raise ShapeError(f"rollaxis: start must be from {-ndim} to {ndim}")
    order = [i for i in range(ndim) if i != axis]
    order.insert(start - 1 if axis < start else start, axis)
    return transpose(a, order)


def expand_dims(a: Operand, axis: int | Sequence[int]) -> Array:
    """Return the array with new axes of length 1."""
    x = array(a)
    added = [index(i) for i in np.atleast_1d(axis).tolist()]
    axes = normalize_axes(added, x.ndim + len(added))
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in axes else next(lengths) for i in range(x.ndim + len(axes))))


def squeeze(a: Operand, axis: Axes = None) -> Array:
    """Return the array without axes of length 1."""
    x = array(a)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else normalize_axes(axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {list(x.shape)} is longer than 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def broadcast_to(array_: Operand, shape: ShapeLike, subok: bool = False) -> Array:
    """Return the array broadcast to a shape."""
    x = array(array_)
    wanted = _lengths(shape)
    return x if wanted == x.shape else ops.BROADCAST(x, shape=wanted)


def broadcast_arrays(*args: Operand, subok: bool = False) -> tuple[Any, ...]:
    """Return the arrays broadcast to their common shape."""
    arrays = [array(a) for a in args]
    shape = broadcast_shapes(*(a.shape for a in arrays))
    return tuple(broadcast_to(a, shape) for a in arrays)


def atleast(ndim: int) -> Callable[..., Any]:
    """Return the function that gives arrays of at least so many axes."""

    def lift(*arrays: Operand) -> Any:
        out = tuple(_lifted(array(a), ndim) for a in arrays)
        return out[0] if len(out) == 1 else out

    return lift


def _lifted(x: Array, ndim: int) -> Array:
    if x.ndim >= ndim:
        return x
    if ndim == 3 and x.ndim == 2:
        return reshape(x, (*x.shape, 1))
    return reshape(x, {0: (1,) * ndim, 1: (1, *x.shape, 1)[:ndim] if ndim == 3 else (1, *x.shape)}[x.ndim])


def flip(m: Operand, axis: Axes = None) -> Array:
    """Return the array with axes reversed."""
    x = array(m)
    return ops.FLIP(x, axes=normalize_axes(axis, x.ndim))


def rot90(m: Operand, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Return the array turned by k right angles in the plane of two axes."""
    x = array(m)
    if len(normalize_axes(axes, x.ndim)) != 2:
        raise ShapeError(f"rot90: a plane has two axes, got {list(axes)}")
    for _ in range(k % 4):
        x = flip(swapaxes(x, *axes), axes[0])
    return x


def same(a: Operand, *_: object, **__: object) -> Array:
    """Return the array itself: what copies and real parts are where nothing is written to."""
    return array(a)


def _zeros_for_imag(a: Array) -> Any:
    return np.zeros(np.shape(a), a.dtype)


def _never(a: Operand) -> Any:
    return np.zeros(np.shape(a), np.bool_)


def _always(a: Operand) -> Any:
    return np.ones(np.shape(a), np.bool_)


def _size(a: Operand, axis: Axes = None) -> int:
    shape = array(a).shape
    return prod(shape if axis is None else (shape[i] for i in normalize_axes(axis, len(shape))))


def _matrix_transpose(x: Operand) -> Array:
    return swapaxes(x, -1, -2)


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
    np.flip: flip,
    np.flipud: lambda m: flip(m, 0),
    np.fliplr: lambda m: flip(m, 1),
    np.rot90: rot90,
    np.permute_dims: transpose,
    np.matrix_transpose: _matrix_transpose,
    np.linalg.matrix_transpose: _matrix_transpose,
    np.copy: same,
    np.real: same,
    np.real_if_close: same,
    np.imag: _zeros_for_imag,
    np.iscomplex: _never,
    np.isreal: _always,
    np.iscomplexobj: lambda x: False,
    np.isrealobj: lambda x: True,
    np.shape: lambda a: array(a).shape,
    np.ndim: lambda a: array(a).ndim,
    np.size: _size,
    np.result_type: common_dtype,
}
