"""Types of graph values, and the arithmetic of shapes that the operations' type rules share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np

from minicolumn.errors import ShapeError

Shape = tuple[int, ...]

DTYPES: dict[str, np.dtype] = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u32": np.dtype(np.uint32),
    "bool": np.dtype(np.bool_),
}
_SHORT = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class ArrayType:
    """The dtype and the shape of an array.

    >>> str(ArrayType(np.dtype(np.float32), (32, 4)))
    'f32[32,4]'
    """

    dtype: np.dtype
    shape: Shape

    def __post_init__(self) -> None:
        if self.dtype not in _SHORT:
            raise ShapeError(f"dtype {self.dtype} does not exist in graphs; there are {', '.join(DTYPES)}")

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return f"{_SHORT[self.dtype]}[{','.join(map(str, self.shape))}]"

    @cached_property
    def size(self) -> int:
        """Return the number of elements."""
        return prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Return whether derivatives can flow through values of this type."""
        return self.dtype.kind == "f"

    def with_shape(self, shape: Iterable[int]) -> ArrayType:
        """Return the same dtype in another shape."""
        return ArrayType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: np.typing.DTypeLike) -> ArrayType:
        """Return the same shape of another dtype."""
        return ArrayType(np.dtype(dtype), self.shape)


@dataclass(frozen=True)
class TupleType:
    """The type of an operation with several results; `item` takes one out."""

    items: tuple[ArrayType, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


Type = ArrayType | TupleType


def type_of(value: np.ndarray) -> ArrayType:
    """Return the type of a concrete array."""
    return ArrayType(value.dtype, value.shape)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the common shape by NumPy's rules: aligned at the right, 1 stretches."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(str(list(shape)) for shape in shapes)
        raise ShapeError(f"shapes {listed} do not broadcast together") from None


# A trace asks for the same few shapes and types thousands of times; types made here are told by identity.
_broadcast_shapes = lru_cache(maxsize=4096)(broadcast_shapes)
shared_type = lru_cache(maxsize=4096)(ArrayType)


def broadcast_type(dtype: np.dtype, types: Iterable[ArrayType]) -> ArrayType:
    """Return the type of this dtype that operands of these types broadcast to."""
    return shared_type(dtype, _broadcast_shapes(*[t.shape for t in types]))


def normalize_axis(axis: int, ndim: int) -> int:
    """Return a non-negative axis.

    >>> normalize_axis(-1, 3)
    2
    """
    if not -ndim <= axis < ndim:
        raise ShapeError(f"axis {axis} is out of bounds for an array of {ndim} dimensions")
    return axis % ndim


def normalize_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return sorted non-negative axes; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    found = sorted(normalize_axis(int(a), ndim) for a in axes)
    if len(set(found)) != len(found):
        raise ShapeError(f"axes {axes} name one axis twice")
    return tuple(found)


def drop_axes(shape: Shape, axes: Sequence[int]) -> Shape:
    """Return a shape without some axes."""
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def ones_at(shape: Shape, axes: Sequence[int]) -> Shape:
    """Return a shape with some axes set to 1, as ``keepdims`` leaves it."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))
