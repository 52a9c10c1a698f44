"""Specialization of graphs to known lengths: every symbolic dimension replaced by a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.shapes import ArrayType, Dim, TupleType, Type

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Operand

Lengths = Mapping[Dim, int]


def lengths_of(graph: Graph, arrays: Sequence[Operand]) -> dict[Dim, int]:
    """Return the length of each symbolic dimension of a graph's inputs, as some arrays for them have it.

    Raises ShapeError where an array has another shape than its input, or two disagree about a dimension.

    >>> from minicolumn.ir.parse import parse_graph
    >>> lengths_of(parse_graph("fn(x: f32[rows,2]) { return x }"), [np.ones((5, 2))])
    {rows: 5}
    """
    found: dict[Dim, int] = {}
    for node, array in zip(graph.inputs, arrays, strict=True):
        expected, shape = node.array_type.shape, np.shape(array)
        known = [
            found.setdefault(n, m) if isinstance(n, Dim) else n for n, m in zip(expected, shape, strict=False)
        ]
        if len(expected) != len(shape) or tuple(known) != shape:
            learnt = "".join(f", {n} = {found[n]}" for n in node.array_type.dims if n in found)
            raise ShapeError(f"expected an array of shape {list(expected)}{learnt}, got {list(shape)}")
    return found


def at_lengths(graph: Graph, lengths: Lengths) -> Graph:
    """Return a graph, the bodies of its loops too, with numbers in place of these dimensions.

    >>> from minicolumn.ir.parse import parse_graph
    >>> print(at_lengths(parse_graph("fn(x: f32[rows,2]) { return x }"), {Dim("rows"): 5}))
    fn(x: f32[5,2]) {
      return x
    }
    """
    if not lengths:
        return graph
    made: dict[Node, Node] = {}
    for node in graph.nodes:
        inputs = [made[i] for i in node.inputs]
        attrs = {name: _value(value, lengths) for name, value in node.attrs.items()}
        kept = node.op is CONST
        made[node] = node if kept else Node(node.op, inputs, attrs, _type(node.type, lengths), node.where)
    return Graph(tuple(made[i] for i in graph.inputs), tuple(made[o] for o in graph.outputs), graph.name)


def _value(value: object, lengths: Lengths) -> Any:
    if isinstance(value, Dim):
        return lengths.get(value, value)
    if isinstance(value, tuple):
        return tuple(_value(item, lengths) for item in value)
    if isinstance(value, Graph):
        return at_lengths(value, lengths)
    return _type(value, lengths) if isinstance(value, ArrayType) else value


def _type(type: Type, lengths: Lengths) -> Type:
    if isinstance(type, TupleType):
        return TupleType(tuple(_of_lengths(item, lengths) for item in type.items))
    return _of_lengths(type, lengths)


def _of_lengths(type: ArrayType, lengths: Lengths) -> ArrayType:
    return type.with_shape(_value(type.shape, lengths)) if type.dims else type
