"""Reductions over axes. Reduced axes are dropped; ``keepdims`` is a reshape that the tracer adds."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.notation import along_axes
from minicolumn.ir.op import Op, Rule, define
from minicolumn.ir.ops.rules import EVERY, NUMBERS, check_axes, check_axis, of_kinds
from minicolumn.ir.shapes import DTYPES, ArrayType, Type, drop_axes, ones_at

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, ArrayFunction

Axes = tuple[int, ...]


def expand(g: Array, shape: tuple[int, ...], axes: Axes) -> Any:
    """Return a reduced array broadcast over the axes that were reduced."""
    return np.broadcast_to(np.reshape(g, ones_at(shape, axes)), shape)


def _reduced(name: str, kinds: str = EVERY) -> Callable[..., ArrayType]:
    def infer(x: ArrayType, *, axes: Axes) -> ArrayType:
        of_kinds(name, (x,), kinds)
        check_axes(name, axes, len(x.shape))
        return x.with_shape(drop_axes(x.shape, axes))

    return infer


def _truth(name: str) -> Callable[..., Type]:
    return lambda x, *, axes: _reduced(name)(x, axes=axes).with_dtype(DTYPES["bool"])


def _not_empty(name: str) -> Callable[..., Type]:
    def infer(x: ArrayType, *, axes: Axes) -> Type:
        reduced = _reduced(name)(x, axes=axes)
        if any(x.shape[a] == 0 for a in axes):
            raise ShapeError(
                f"{name} of zero elements has no value: shape {list(x.shape)}, axes {list(axes)}"
            )
        return reduced

    return infer


def _reduction(name: str, numpy: ArrayFunction, vjp: Rule | None, infer: Callable[..., Type]) -> Op:
    def call(x: np.ndarray, *, axes: Axes) -> Any:
        return numpy(x, axis=axes)

    rules = None if vjp is None else (vjp,)
    return define(name, kind="reduce", infer=infer, numpy=call, vjp=rules, formula=along_axes)


def _to_extreme(g: Array, out: Array, x: Array, *, axes: Axes) -> Any:
    # Tie: all elements that hold the extreme share evenly, the middle of the subdifferential.
    hit = (x == expand(out, x.shape, axes)).astype(x.dtype)
    return expand(g / np.sum(hit, axis=axes), x.shape, axes) * hit


def exclusive_product(x: Array) -> Any:
    """Return, for each element of the last axis, the product of all the others; zeros are no trouble."""
    return _before(x) * _before(x[..., ::-1])[..., ::-1]


def _before(x: Array) -> Any:
    # Products of all earlier elements, by doubling: log2(n) products of whole arrays.
    n = x.shape[-1]
    ones = np.ones((*x.shape[:-1], 1), x.dtype)
    out = np.concatenate([ones, x[..., : n - 1]], axis=-1)
    step = 1
    while step < n:
        head = np.ones((*x.shape[:-1], step), x.dtype)
        out = out * np.concatenate([head, out[..., : n - step]], axis=-1)
        step *= 2
    return out


def _to_factors(g: Array, out: Array, x: Array, *, axes: Axes) -> Any:
    if x.size == 0:
        return np.zeros(x.shape, x.dtype)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    order = kept + axes
    last = np.transpose(x, order)
    flat = np.reshape(last, (*(x.shape[a] for a in kept), prod(x.shape[a] for a in axes)))
    others = np.transpose(np.reshape(exclusive_product(flat), last.shape), np.argsort(order))
    return expand(g, x.shape, axes) * others


def _in_own_dtype(numpy: ArrayFunction) -> Callable[..., Any]:
    # By itself NumPy adds and multiplies small integers in int64 or uint64.
    return lambda x, axis: numpy(x, axis=axis, dtype=x.dtype)


SUM = _reduction(
    "sum",
    _in_own_dtype(np.sum),
    lambda g, out, x, *, axes: expand(g, x.shape, axes),
    _reduced("sum", NUMBERS),
)
PROD = _reduction("prod", _in_own_dtype(np.prod), _to_factors, _reduced("prod", NUMBERS))
MAX = _reduction("max", np.max, _to_extreme, _not_empty("max"))
MIN = _reduction("min", np.min, _to_extreme, _not_empty("min"))
ALL = _reduction("all", np.all, None, _truth("all"))
ANY = _reduction("any", np.any, None, _truth("any"))


def _place(x: ArrayType, *, axis: int) -> Type:
    check_axis("argmax and argmin", axis, len(x.shape))
    if x.shape[axis] == 0:
        raise ShapeError(
            f"argmax and argmin of zero elements have no value: shape {list(x.shape)}, axis {axis}"
        )
    return ArrayType(DTYPES["i64"], drop_axes(x.shape, (axis,)))


def _place_of(name: str, numpy: ArrayFunction) -> Op:
    def call(x: np.ndarray, *, axis: int) -> Any:
        return numpy(x, axis=axis)

    return define(name, kind="reduce", infer=_place, numpy=call, vjp=None, formula=along_axes)


ARGMAX = _place_of("argmax", np.argmax)
ARGMIN = _place_of("argmin", np.argmin)
