"""Matrix multiplication. Everything from `dot` to `einsum` comes down to this one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.notation import infix
from minicolumn.ir.op import define, same_dtype
from minicolumn.ir.shapes import ArrayType, Type, broadcast_shapes

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


def _multiplied(x: ArrayType, y: ArrayType) -> Type:
    dtype = same_dtype("matmul", (x, y))
    if len(x.shape) < 2 or len(y.shape) < 2 or x.shape[-1] != y.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {list(x.shape)} and {list(y.shape)} do not fit: the last axis of the first "
            "must be as long as the last but one of the second"
        )
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    return ArrayType(dtype, (*batch, x.shape[-2], y.shape[-1]))


def _turned(x: Array) -> Any:
    return np.swapaxes(x, -1, -2)


MATMUL = define(
    "matmul",
    kind="product",
    infer=_multiplied,
    numpy=np.matmul,
    vjp=(
        lambda g, out, x, y: np.matmul(g, _turned(y)),
        lambda g, out, x, y: np.matmul(_turned(x), g),
    ),
    doc="Matrix product over the last two axes; leading axes broadcast.",
    formula=infix("@", 5),
)
