"""Gather and scatter-add: indices that are data address the leading axes; negative ones wrap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.graph import Node
from minicolumn.ir.notation import ATOM, Text
from minicolumn.ir.op import define, same_dtype
from minicolumn.ir.shapes import ArrayType, Type, broadcast_shapes

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def _index_shape(x: ArrayType, indices: tuple[ArrayType, ...]) -> tuple[int, ...]:
    if not 1 <= len(indices) <= len(x.shape):
        raise ShapeError(f"{len(indices)} index arrays for an array of {len(x.shape)} dimensions")
    for index in indices:
        if index.dtype.kind not in "iu":
            raise ShapeError(f"index arrays are integers, got {index}")
    return broadcast_shapes(*(i.shape for i in indices))


def _gathered(x: ArrayType, *indices: ArrayType) -> Type:
    return x.with_shape((*_index_shape(x, indices), *x.shape[len(indices) :]))


def _scattered(x: ArrayType, updates: ArrayType, *indices: ArrayType) -> Type:
    same_dtype("scatter_add", (x, updates))
    expected = (*_index_shape(x, indices), *x.shape[len(indices) :])
    if updates.shape != expected:
        raise ShapeError(f"scatter_add: updates have shape {list(updates.shape)}, expected {list(expected)}")
    return x


def _scatter_add(x: np.ndarray, updates: np.ndarray, *indices: np.ndarray) -> np.ndarray:
    out = np.array(x)
    # The rows that one place receives are added in the order they come, so the sum is the same every time.
    np.add.at(out, indices, updates)
    return out


def _to_gathered(operand: int, g: Array, out: Array, x: Array, *indices: Array) -> Any:
    return SCATTER_ADD(np.zeros(x.shape, x.dtype), g, *indices) if operand == 0 else None


def _to_scattered(operand: int, g: Array, out: Array, x: Array, updates: Array, *indices: Array) -> Any:
    return (g, GATHER(g, *indices))[operand] if operand < 2 else None


def _indexed(node: Node, parts: Sequence[Text]) -> Text:
    return Text(f"{parts[0].within(ATOM)}[{', '.join(p.text for p in parts[1:])}]")


GATHER = define(
    "gather",
    kind="index",
    infer=_gathered,
    numpy=lambda x, *indices: x[indices],
    vjp=_to_gathered,
    kernel="inline",
    formula=_indexed,
    doc="x[i, j, ...] with integer arrays.",
)
SCATTER_ADD = define(
    "scatter_add",
    kind="index",
    infer=_scattered,
    numpy=_scatter_add,
    vjp=_to_scattered,
    kernel="scatter",
    doc="x with updates added at [i, j, ...]; places that repeat receive every update.",
)
