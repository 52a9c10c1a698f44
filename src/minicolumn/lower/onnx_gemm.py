"""Matrix products with their scale and bias as one operation, as ONNX has it: Gemm.

    add(multiply(matmul(x, W), c), b)   ->   gemm(x, W, b, alpha=c)         y = c x W + b

Only of two axes, which is all that Gemm takes, and where nothing else reads the product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, Graph, Node, rebuilt, uses
from minicolumn.ir.op import Op
from minicolumn.ir.ops.elementwise import ADD, MULTIPLY
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.shapes import ArrayType, broadcast_shapes, one_number

Array = np.ndarray[Any, np.dtype[Any]]


def _type_of_gemm(x: ArrayType, weight: ArrayType, bias: ArrayType, *, alpha: float) -> ArrayType:
    shape = (x.shape[0], weight.shape[1])
    assert broadcast_shapes(shape, bias.shape) == shape
    return x.with_shape(shape)


def _gemm(x: Array, weight: Array, bias: Array, *, alpha: float) -> Array:
    return np.matmul(x, weight) * np.asarray(alpha, x.dtype) + bias


# In no table: graphs that other lowerings are given never hold it.
GEMM = Op("gemm", "product", _type_of_gemm, _gemm, expansion=_gemm, doc="alpha x W + bias")


def with_gemms(graph: Graph) -> Graph:
    """Return the same program with one operation for each product of matrices that a bias is added to."""
    count = uses(graph.nodes)
    for output in graph.outputs:
        count[output] = count.get(output, 0) + 1

    def rebuild(node: Node, made: dict[Node, Node]) -> Node:
        found = _product_with_bias(node, count)
        if found is None:
            return Node(node.op, [made[i] for i in node.inputs], node.attrs, node.type, node.where)
        *inputs, alpha = found
        return Node(GEMM, [made[i] for i in inputs], {"alpha": alpha}, node.type, node.where)

    return rebuilt(graph, rebuild)


def _product_with_bias(node: Node, count: dict[Node, int]) -> tuple[Node, Node, Node, float] | None:
    """Return x, W, bias and scale of a sum that is one product of matrices with a bias; None of others."""
    if node.op is not ADD:
        return None
    for product, bias in (node.inputs, node.inputs[::-1]):
        product, alpha = _scaled(product, count)
        if product.op is not MATMUL or count[product] != 1 or not product.array_type.is_float:
            continue
        x, weight = product.inputs
        of_matrices = len(x.array_type.shape) == len(weight.array_type.shape) == 2
        # A sum of the product's own shape: the bias is stretched, and nothing else is.
        if bias.op is CONST and of_matrices and product.type == node.type:
            return x, weight, bias, alpha
    return None


def _scaled(node: Node, count: dict[Node, int]) -> tuple[Node, float]:
    """Return what is multiplied by a number, and the number; a node itself and 1 where none is."""
    if node.op is MULTIPLY and count[node] == 1:
        for product, factor in (node.inputs, node.inputs[::-1]):
            number = one_number(factor.attrs["value"]) if factor.op is CONST else None
            if number is not None and product.type == node.type:
                return product, float(number)
    return node, 1.0
