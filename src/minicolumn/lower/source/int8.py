"""Weights as int8: symmetric quantization, the kernels' packing of it, and what it computes, in NumPy.

    W[i, j] = s[j] q[i, j],     s[j] = max_i |W[i, j]| / 127        a scale for each output, or row of a table

Products scale the row of inputs to whole numbers of int16, by its own largest; so weights alone lose digits,
and sums of int32 are exact: at most m = min(32767, (2^31 - 1) / (127 inner)) stands for the largest input.

Source      Jacob et al. 2018 (arXiv 1712.05877), section 2; dynamic scales of inputs as in ONNX Runtime
Differs     LiteRT's inputs are int8 with a zero point; int16 costs a processor the same and loses nothing
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.interpret import Function, Table
from minicolumn.ir.ops.indexing import GATHER

Array = np.ndarray[Any, np.dtype[Any]]
MOST = 127
_LEAST_TOP = np.float32(1e-30)  # a row of smaller inputs counts as zeros: 32767 / it could overflow


def quantized(weight: Array) -> tuple[Array, Array]:
    """Return a matrix [..., n] as int8 and the scale of each row [...], float32.

    >>> quantized(np.array([[1.0, -2.0], [0.0, 0.0]], np.float32))
    (array([[  64, -127],
           [   0,    0]], dtype=int8), array([0.01574803, 0.        ], dtype=float32))
    """
    scale = (np.max(np.abs(weight), axis=-1) / MOST).astype(np.float32)
    steps = weight / np.where(scale == 0, 1, scale)[..., None]
    return np.clip(np.rint(steps), -MOST, MOST).astype(np.int8), scale


def most_of(inner: int) -> int:
    """Return what stands for the largest input, so that no sum of so many products leaves int32."""
    return min(32767, (2**31 - 1) // (MOST * max(inner, 1)))


def table_of(node: Node) -> Array | None:
    """Return the rows of numbers that a lookup takes from, [rows, width], None where they stay float.

    Those of one index into a constant matrix are int8.
    """
    array = node.inputs[0]
    is_matrix = (
        array.op is CONST and array.array_type.dtype == np.float32 and len(array.array_type.shape) == 2
    )
    return array.attrs["value"] if is_matrix and len(node.inputs) == 2 else None


class Int8(Table):
    """What a graph of one row computes with weights of int8, as C does."""

    def operation(self, node: Node) -> Function:
        usual = super().operation(node)
        if node.op.kind == "product" and is_weight(node.inputs[1]):
            return product
        if node.op is GATHER and table_of(node) is not None:
            return lambda table, *indices: usual(_restored(table), *indices)
        return usual


def is_weight(operand: Node) -> bool:
    """Return whether a factor is a constant of float32, or a view of one."""
    if operand.array_type.dtype != np.float32:
        return False
    while operand.op.kind == "shape" and len(operand.inputs) == 1:
        operand = operand.inputs[0]
    return operand.op is CONST


def _restored(table: Array) -> Array:
    """Return a table from its int8 form."""
    q, scale = quantized(table)
    return q.astype(np.float32) * scale[:, None]


def product(x: Array, weight: Array) -> Array:
    """Return x W of rows [..., inner] and a weight [..., inner, columns], as C computes it, float32."""
    q, scale = quantized(np.swapaxes(weight, -1, -2))
    most = np.float32(most_of(x.shape[-1]))
    top = np.max(np.abs(x), axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        inverse = np.where(top > _LEAST_TOP, most / top, np.float32(0))
        steps = np.clip(np.nan_to_num(x * inverse), -most, most)
        whole = np.trunc(steps + np.copysign(np.float32(0.5), steps)).astype(np.int64)
        total = whole @ np.swapaxes(q, -1, -2).astype(np.int64)
        odd = np.sum(x - x, axis=-1, keepdims=True)
        return total.astype(np.float32) * (scale[..., None, :] * (top / most)) + odd
