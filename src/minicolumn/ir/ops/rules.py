"""Shape and dtype inference that several families share: how many operands, which dtypes, which axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.op import same_dtype
from minicolumn.ir.shapes import ArrayType, Shape, broadcast_type, is_length

# Dtype kinds as NumPy letters them: f floating, i signed, u unsigned, b bool.
NUMBERS = "fiu"
EVERY = "fiub"


def of_kinds(name: str, types: tuple[ArrayType, ...], kinds: str) -> np.dtype:
    """Return the dtype that all operands share, if the operation is defined on it."""
    dtype = same_dtype(name, types)
    if dtype.kind not in kinds:
        raise TraceError(f"{name} is not defined on {dtype}; cast the operands first")
    return dtype


def mapped(name: str, operands: int, kinds: str) -> Callable[..., ArrayType]:
    """Return the type rule of a map: so many operands of one dtype, which broadcast together."""

    def infer(*types: ArrayType) -> ArrayType:
        if len(types) != operands:
            raise TraceError(f"{name}: {operands} operands expected, got {len(types)}")
        if types.count(types[0]) == operands and types[0].dtype.kind in kinds:  # as most maps are
            return types[0]
        return broadcast_type(of_kinds(name, types, kinds), types)

    return infer


def check_axes(name: str, axes: Sequence[int], ndim: int) -> None:
    """Refuse axes that are not ascending and within 0 ... ndim-1, as `normalize_axes` returns them."""
    ascending = all(a < b for a, b in pairwise(axes))
    if not ascending or not all(0 <= a < ndim for a in axes):
        raise ShapeError(f"{name}: axes {list(axes)} are not ascending axes of an array of {ndim} dimensions")


def check_axis(name: str, axis: int, ndim: int) -> None:
    """Refuse an axis outside 0 ... ndim-1."""
    if not 0 <= axis < ndim:
        raise ShapeError(f"{name}: axis {axis} is not among the {ndim} axes counted from 0")


def check_each(name: str, ndim: int, **values: Shape) -> None:
    """Refuse attributes that do not give one length, from 0 on where it is known, for each axis."""
    for attr, numbers in values.items():
        if len(numbers) != ndim or not all(map(is_length, numbers)):
            raise ShapeError(f"{name}: {attr} needs {ndim} numbers from 0 on, got {list(numbers)}")
