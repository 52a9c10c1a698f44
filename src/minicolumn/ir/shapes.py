"""Types of graph values and shape inference, broadcasting among it, for the operations' type rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any, NoReturn

import numpy as np

from minicolumn.errors import DataError, ShapeError, TraceError

DTYPES: dict[str, np.dtype] = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u32": np.dtype(np.uint32),
    "bool": np.dtype(np.bool_),
}
_SHORT = {dtype: name for name, dtype in DTYPES.items()}
# Words of the text form, which name no value and no dimension.
RESERVED = frozenset(("True", "False", "None", "nan", "inf", "return", *DTYPES))


@dataclass(frozen=True, slots=True)
class Dim:
    """A symbolic dimension: a length that is not known before a program runs. The same name is one length.

    It can be compared with `==` and named in shapes; it is no number, so all else raises TraceError.

    >>> str(ArrayType(np.dtype(np.float32), (Dim("rows"), 4)))
    'f32[rows,4]'
    >>> Dim("rows") + 1
    Traceback (most recent call last):
    minicolumn.errors.TraceError: the length 'rows' is not known while tracing; hand it over as an argument
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier() or self.name in RESERVED:
            raise DataError(f"{self.name!r} cannot name a dimension; write a word such as 'rows'")

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return self.name  # also where a number would be grouped by thousands

    def _is_no_number(self, *_: object, **__: object) -> NoReturn:
        raise TraceError(f"the length {self.name!r} is not known while tracing; hand it over as an argument")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __pow__ = __rpow__ = _is_no_number
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _is_no_number
    __divmod__ = __rdivmod__ = __neg__ = __pos__ = __abs__ = __invert__ = _is_no_number
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _is_no_number
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __matmul__ = __rmatmul__ = _is_no_number
    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __int__ = __float__ = __index__ = _is_no_number
    __round__ = __trunc__ = __floor__ = __ceil__ = __array__ = _is_no_number


Length = int | Dim
# Of lengths. Most code works on shapes whose lengths are all numbers, and says so; a `Dim` there is an error.
Shape = tuple[Any, ...]


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
    def dims(self) -> tuple[Dim, ...]:
        """Return the symbolic dimensions, each once, in the order of the axes."""
        return tuple(dict.fromkeys(n for n in self.shape if isinstance(n, Dim)))

    @cached_property
    def size(self) -> int:
        """Return the number of elements; TraceError where a symbolic dimension has a part in it."""
        return prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Return whether derivatives can flow through values of this type."""
        return self.dtype.kind == "f"

    def with_shape(self, shape: Iterable[Length]) -> ArrayType:
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


def one_number(value: np.ndarray) -> np.generic | None:
    """Return the number that an array holds everywhere, if it does."""
    flat = value.reshape(-1)
    first = flat[:1]
    # Bytes are compared, since -0 is not 0 here and NaN is itself; the end first, as most constants vary.
    if not flat.size or flat[-1:].tobytes() != first.tobytes():
        return None
    return first[0] if flat.tobytes() == flat.size * first.tobytes() else None


def type_of(value: np.ndarray) -> ArrayType:
    """Return the type of a concrete array."""
    return ArrayType(value.dtype, value.shape)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the common shape by NumPy's rules: aligned at the right, 1 stretches."""
    ndim = max(map(len, shapes), default=0)
    aligned = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    found: list[Length] = []
    for lengths in zip(*aligned, strict=True):
        others = {n for n in lengths if n != 1}
        if len(others) > 1:
            listed = " and ".join(str(list(shape)) for shape in shapes)
            raise ShapeError(f"shapes {listed} do not broadcast together")
        found.append(others.pop() if others else 1)
    return tuple(found)


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


def is_length(n: Length) -> bool:
    """Return whether this may be the length of an axis: a number from 0 on, or a symbolic dimension."""
    return isinstance(n, Dim) or n >= 0


def merged(lengths: Iterable[Length]) -> Length:
    """Return how long several axes are as one; TraceError where that is neither a number nor a dimension.

    >>> merged((2, 3)), merged((1, Dim("rows")))
    (6, rows)
    """
    first, *others = [n for n in lengths if n != 1] or [1]
    return prod(others, start=first)


def same_size(one: Shape, other: Shape) -> bool:
    """Return whether arrays of two shapes have as many elements whatever their dimensions turn out to be."""
    (known, dims), (number, names) = map(_factors, (one, other))
    return known == number and (dims == names or known == 0)


def _factors(shape: Shape) -> tuple[int, list[str]]:
    """Return the product of the numbers in a shape, and the names of its symbolic dimensions."""
    numbers = [n for n in shape if not isinstance(n, Dim)]
    return prod(numbers), sorted(n.name for n in shape if isinstance(n, Dim))
