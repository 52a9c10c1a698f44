"""Types of the arguments of NumPy's functions: axes, shapes, dtypes, index keys, broadcastable operands.

They are read by type checkers alone; `minicolumn.ir.arrays` has those of arrays and operands themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from minicolumn.ir.arrays import Array, Number, Operand
from minicolumn.ir.shapes import Dim

if TYPE_CHECKING:
    from numpy._globals import _NoValueType

Integer: TypeAlias = "int | np.integer"
# None is every axis, or the flattened array where a function works along one axis.
Axis: TypeAlias = "int | None"
Axes: TypeAlias = "int | Sequence[int] | None"
ShapeLike: TypeAlias = "Integer | Dim | Sequence[Integer | Dim] | np.ndarray"
DTypeLike: TypeAlias = "np.dtype | type | str | None"
# NumPy hands "no value" on where its caller said nothing.
Flag: TypeAlias = "bool | _NoValueType"
Optional: TypeAlias = "Operand | _NoValueType | None"
Mask: TypeAlias = "Operand | None"
# What may stand between the brackets of x[...]: for one axis, and for all of them.
KeyPart: TypeAlias = "slice | EllipsisType | Operand | None"
Key: TypeAlias = "KeyPart | tuple[KeyPart, ...]"
# An entry of a key as it is worked on: one for each axis, None for a new one.
Part: TypeAlias = "int | slice | EllipsisType | Array | None"
# The axes that a tensor contraction pairs: how many of the last and first, or which of each.
AxisPairs: TypeAlias = "Integer | Sequence[int | Sequence[int]]"
# Where to split: into how many parts, or before which rows.
Sections: TypeAlias = "Integer | Sequence[int]"
# Of padding: one number, (before, after), one such pair an axis, or pairs by axis.
Widths: TypeAlias = "int | Sequence[int | Sequence[int]] | np.ndarray | dict[int, int | tuple[int, int]]"
# Nested lists, whose innermost entries are joined along the last axis.
Blocks: TypeAlias = "Array | np.generic | Number | list[Blocks]"
# Of a norm: p, or "fro", "nuc".
Order: TypeAlias = "float | str | None"
# What dtype promotion asks of an operand: its dtype, or the type of a Python number.
Kind: TypeAlias = "np.dtype | type"
