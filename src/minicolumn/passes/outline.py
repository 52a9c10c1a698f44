"""Outlining (idiom recognition): a subgraph that is an operation's expansion gives way to the operation.

    in      a: f32[n,3] = greater(x, 0) ... e = multiply(1.0507, d)         as `selu` is written
    out     e: f32[n,3] = selu(x)

for lowerings to a language that has the operation itself. It is the inverse of `expand`: what is found equals
the expansion node for node, attribute for attribute and bit for bit of every constant, so expanding the
result gives the graph that came in, which is the proof that both mean the same.

Invariants  types of inputs and outputs stay; ``expand(outline(graph, ops))`` is ``graph``
Complexity  each operation is traced once for each type of a value; nodes times operations times their length
Elsewhere   LLVM's LoopIdiomRecognize and IROutliner, TensorFlow's remapper
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicolumn.errors import MinicolumnError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, rebuilt
from minicolumn.ir.op import Op
from minicolumn.ir.shapes import ArrayType, Type
from minicolumn.passes.expand import expand
from minicolumn.passes.simplify import simplify
from minicolumn.trace.program import Argument, trace
from minicolumn.tree import flatten


def outline(graph: Graph, ops: Sequence[Op]) -> Graph:
    """Return the same program with operations in the place of their expansions.

    ops         operations of one array that keep its type and have an expansion; of several that fit the
                first is taken, and of nested ones the largest
    """
    bodies: dict[tuple[Op, Type], Graph | None] = {}

    def rebuild(node: Node, made: dict[Node, Node]) -> Node:
        for op in ops:
            if (op, node.type) not in bodies:
                bodies[op, node.type] = _body(op, node.type)
            body = bodies[op, node.type]
            operand = None if body is None else _operand(node, body)
            if operand is not None:
                return Node(op, (made[operand],), {}, node.type, node.where)
        return Node(node.op, [made[i] for i in node.inputs], node.attrs, node.type, node.where)

    return rebuilt(graph, rebuild)


def _body(op: Op, type: Type) -> Graph | None:
    """Return an operation's expansion for an array of a type, as lowerings see it; None where it has none."""
    if not isinstance(type, ArrayType) or not type.is_float or not type.shape:
        return None
    assert op.expansion is not None
    try:
        traced = trace(op.expansion, [Argument(type)], flatten(((0,), {}))[1]).graph
        body = expand(simplify(traced))
    except MinicolumnError:
        return None
    return body if body.outputs[0].type == type and body.outputs[0] not in body.inputs else None


def _operand(node: Node, body: Graph) -> Node | None:
    """Return what a node computes a body's function of; None where it computes another."""
    found: dict[Node, Node] = {}
    waiting = [(node, body.outputs[0])]
    while waiting:
        own, wanted = waiting.pop()
        if found.setdefault(wanted, own) is not own and not (own.op is CONST and _are_same(own, wanted)):
            return None
        if own.type != wanted.type or (wanted.op is not INPUT and not _are_same(own, wanted)):
            return None
        waiting += zip(own.inputs, wanted.inputs, strict=wanted.op is not INPUT)
    return found.get(body.inputs[0])


def _are_same(one: Node, other: Node) -> bool:
    """Return whether two nodes are one operation with the same attributes; of constants, the same bytes."""
    if one.op is not other.op or len(one.inputs) != len(other.inputs):
        return False
    if one.op is CONST:
        a, b = np.asarray(one.attrs["value"]), np.asarray(other.attrs["value"])
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return repr(one.attrs) == repr(other.attrs)
