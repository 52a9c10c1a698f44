"""Sorting and cumulative operations: along an axis, where the order of the elements matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.notation import along_axes
from minicolumn.ir.op import define
from minicolumn.ir.ops.indexing import GATHER, SCATTER_ADD
from minicolumn.ir.ops.reductions import _before
from minicolumn.ir.ops.rules import EVERY, NUMBERS, check_axis, of_kinds
from minicolumn.ir.shapes import DTYPES, ArrayType

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def along(index: Array, axis: int) -> tuple[Any, ...]:
    """Return index arrays that address `axis` by `index` and every other axis by its own place."""
    places: list[Any] = []
    for i, n in enumerate(index.shape):
        shape = [1] * len(index.shape)
        shape[i] = n
        places.append(index if i == axis else np.arange(n).reshape(shape))
    return tuple(places)


def _unsort(g: Array, out: Array, x: Array, *, axis: int) -> Any:
    order = ARGSORT(x, axis=axis)
    return SCATTER_ADD(np.zeros(x.shape, x.dtype), g, *along(order, axis))


def _uncumsum(g: Array, out: Array, x: Array, *, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def _later_share(g: Array, x: Array) -> Any:
    # r[i] = g[i] + x[i+1] r[i+1] along the last axis, by doubling over pairs (slope, offset).
    n = x.shape[-1]
    zero, one = np.zeros((*x.shape[:-1], 1), x.dtype), np.ones((*x.shape[:-1], 1), x.dtype)
    slope, offset, step = np.concatenate([x[..., 1:], zero], axis=-1), g, 1
    while step < n:
        tail_slope = np.concatenate([slope[..., step:], np.broadcast_to(one, (*x.shape[:-1], step))], axis=-1)
        tail_offset = np.concatenate(
            [offset[..., step:], np.broadcast_to(zero, (*x.shape[:-1], step))], axis=-1
        )
        slope, offset = slope * tail_slope, offset + slope * tail_offset
        step *= 2
    return offset


def _uncumprod(g: Array, out: Array, x: Array, *, axis: int) -> Any:
    # out[j] = before[i] x[i] (x[i+1] ... x[j]) for j >= i, so no division is needed and zeros are no trouble.
    if x.size == 0:
        return np.zeros(x.shape, x.dtype)
    x, g = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)  # type: ignore[arg-type]
    return np.moveaxis(_before(x) * _later_share(g, x), -1, axis)


def _along(name: str, kinds: str) -> Callable[..., ArrayType]:
    def infer(x: ArrayType, *, axis: int) -> ArrayType:
        of_kinds(name, (x,), kinds)
        check_axis(name, axis, len(x.shape))
        return x

    return infer


SORT = define(
    "sort",
    kind="order",
    infer=_along("sort", EVERY),
    numpy=lambda x, *, axis: np.sort(x, axis=axis, kind="stable"),
    vjp=(_unsort,),
    kernel="host",
    formula=along_axes,
)
ARGSORT = define(
    "argsort",
    kind="order",
    infer=lambda x, *, axis: _along("argsort", EVERY)(x, axis=axis).with_dtype(DTYPES["i64"]),
    numpy=lambda x, *, axis: np.argsort(x, axis=axis, kind="stable"),
    vjp=None,
    kernel="host",
    formula=along_axes,
)
CUMSUM = define(
    "cumsum",
    kind="order",
    infer=_along("cumsum", NUMBERS),
    numpy=lambda x, *, axis: np.cumsum(x, axis=axis, dtype=x.dtype),
    vjp=(_uncumsum,),
    kernel="order",
    formula=along_axes,
)
CUMPROD = define(
    "cumprod",
    kind="order",
    infer=_along("cumprod", NUMBERS),
    numpy=lambda x, *, axis: np.cumprod(x, axis=axis, dtype=x.dtype),
    vjp=(_uncumprod,),
    kernel="order",
    formula=along_axes,
)


def take_along(x: Array, index: Array, axis: int) -> Any:
    """Return the elements of x that `index` names along one axis."""
    return GATHER(x, *along(index, axis))
