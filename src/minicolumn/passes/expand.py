"""Expansion (inlining): operations that are defined by others give way to these, for every lowering at once.

    in      a graph                         fn(x: f32[4]) { a: f32[4] = twice(x) return a }
    out     the same without such nodes     fn(x: f32[4]) { a: f32[4] = add(x, x) return a }

where ``twice`` is defined by ``expansion=lambda x: x + x``.

Invariants  types of inputs and outputs stay; no node that is left has an expansion, in nested bodies neither
Complexity  linear in the nodes of the result; each expansion is traced once for each node that it replaces
Elsewhere   PyTorch's decompositions, XLA's call inliner and expander passes
"""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.errors import TraceError
from minicolumn.ir.graph import INPUT, Graph, Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops.control import SCAN
from minicolumn.passes.simplify import simplify
from minicolumn.trace.program import Argument, trace
from minicolumn.tree import flatten


def expand(graph: Graph) -> Graph:
    """Return the same program without operations that have an expansion; nested bodies too.

    Work that the expansions share with the program is done once. No constant is folded: what stood in the
    graph is computed by the same lowering as before, to the same bits.

    A graph that has none of them is returned as it is.

    Errors      TraceError where an expansion has another type than its operation, or comes back to it
    """
    return simplify(_Expansion().of(graph), parts=("rewrite", "share")) if _is_left(graph) else graph


def _is_left(graph: Graph) -> bool:
    """Return whether a graph, or a body of one of its loops, has an operation that is to be expanded."""
    return any(n.op.expansion or (n.op is SCAN and _is_left(n.attrs["body"])) for n in graph.nodes)


@dataclass(frozen=True)
class _Expansion:
    """Expansion of operations, but not of those within which this one began: recursion would not end."""

    within: tuple[Op, ...] = ()

    def of(self, graph: Graph) -> Graph:
        made = {node: node for node in graph.inputs}
        for node in graph.nodes:
            if node not in made:
                made[node] = self._node(node, [made[i] for i in node.inputs])
        return Graph(graph.inputs, tuple(made[o] for o in graph.outputs), graph.name)

    def _node(self, node: Node, inputs: list[Node]) -> Node:
        if node.op.expansion:
            return self._inlined(node, inputs)
        attrs = {**node.attrs, "body": self.of(node.attrs["body"])} if node.op is SCAN else node.attrs
        return Node(node.op, inputs, attrs, node.type, node.where)

    def _inlined(self, node: Node, inputs: list[Node]) -> Node:
        """Return the node that stands for an operation: its expansion's graph, copied onto the operands.

        Every copied node keeps the line of the user's program from which the operation came.
        """
        if node.op in self.within:
            raise TraceError(f"the expansion of {node.op.name} uses {node.op.name} itself")
        body = _Expansion((*self.within, node.op)).of(_traced(node))
        made = dict(zip(body.inputs, inputs, strict=True))
        for inner in body.nodes:
            if inner.op is not INPUT:
                operands = [made[i] for i in inner.inputs]
                made[inner] = Node(inner.op, operands, inner.attrs, inner.type, node.where)
        return made[body.outputs[0]]


def _traced(node: Node) -> Graph:
    """Return the expansion of an operation as a graph, traced with the types of its operands.

    Errors      TraceError where the graph's type is not the node's
    """
    op, attrs = node.op, node.attrs
    arguments = [Argument(operand.array_type) for operand in node.inputs]
    structure = flatten((tuple(range(len(arguments))), {}))[1]
    graph = trace(lambda *operands: op.expansion(*operands, **attrs), arguments, structure).graph  # type: ignore[misc]
    found = [output.type for output in graph.outputs]
    if found != [node.type]:
        raise TraceError(f"{op.name} is {node.type}, but its expansion gives {', '.join(map(str, found))}")
    return graph
