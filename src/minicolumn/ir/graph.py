"""The dataflow graph of a program: nodes that point at the nodes they read, from inputs to outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.op import Op, define
from minicolumn.ir.shapes import ArrayType, Dim, Type, type_of

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Attrs


class Node:
    """One value of a program: an operation, what it reads, and the type of what comes out.

    Nodes are compared by identity and never changed once they are built.
    """

    __slots__ = ("__weakref__", "attrs", "inputs", "op", "type", "where")

    def __init__(
        self, op: Op, inputs: Sequence[Node], attrs: Attrs, type: Type, where: str | None = None
    ) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.attrs: dict[str, Any] = attrs  # type: ignore[assignment]
        self.type = type
        self.where = where

    def __repr__(self) -> str:
        return f"<node {self.op.name}: {self.type}>"

    @property
    def array_type(self) -> ArrayType:
        """Return the type of a node that holds one array."""
        assert isinstance(self.type, ArrayType)
        return self.type


def _no_meaning(*_: object, **__: object) -> Any:
    raise AssertionError("inputs have no meaning of their own")


INPUT = define(
    "input",
    kind="leaf",
    infer=lambda *, type, name=None: type,
    numpy=_no_meaning,
    vjp=None,
    doc="an argument of the program",
)
CONST = define(
    "const",
    kind="leaf",
    infer=lambda *, value: type_of(value),
    numpy=lambda *, value: value,
    vjp=None,
    doc="an array that is part of the program",
)


def input_node(type: Type, name: str | None = None) -> Node:
    """Return a fresh input."""
    return Node(INPUT, (), {"type": type, "name": name}, type)


def const_node(value: np.ndarray) -> Node:
    """Return a constant with a copy of its own, so later writes to the original cannot change the program."""
    held = np.array(value, order="C")
    held.flags.writeable = False
    return Node(CONST, (), {"value": held}, type_of(held))


@dataclass(frozen=True, eq=False)
class Graph:
    """A whole program: what comes in, what goes out, and everything between by reference."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    name: str = "fn"

    @property
    def nodes(self) -> list[Node]:
        """Return every node, each after all that it reads; unused inputs are listed too."""
        return list(self._nodes)

    @cached_property
    def _nodes(self) -> list[Node]:
        return topological([*self.inputs, *self.outputs])

    @cached_property
    def dims(self) -> dict[Dim, tuple[int, int]]:
        """Return the symbolic dimensions, each with the first input and its axis that say how long it is."""
        found: dict[Dim, tuple[int, int]] = {}
        for k, node in enumerate(self.inputs):
            shape = node.type.shape if isinstance(node.type, ArrayType) else ()
            for axis, n in enumerate(shape):
                if isinstance(n, Dim):
                    found.setdefault(n, (k, axis))
        return found

    def __str__(self) -> str:
        from minicolumn.ir.text import print_graph

        return print_graph(self)


def topological(outputs: Iterable[Node], enter: Callable[[Node], bool] | None = None) -> list[Node]:
    """Return the nodes that outputs depend on, operands first; looks into nodes that `enter` accepts."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[Any] = list(outputs)[::-1]
    while stack:
        node = stack.pop()
        if node is None:  # all that the node below reads is listed
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            stack += (node, None)
            if enter is None or enter(node):
                stack += node.inputs[::-1]
    return order


def rebuilt(graph: Graph, rebuild: Callable[[Node, dict[Node, Node]], Node]) -> Graph:
    """Return a program of which each node is made anew, operands first; the inputs stay.

    rebuild     takes a node, and by node what stands for those before it; returns what stands for the node
    """
    made: dict[Node, Node] = {node: node for node in graph.inputs}
    for node in graph.nodes:
        if node not in made:
            made[node] = rebuild(node, made)
    return Graph(graph.inputs, tuple([made[output] for output in graph.outputs]), graph.name)


def uses(nodes: Iterable[Node]) -> dict[Node, int]:
    """Return how often each node is read by others."""
    count: dict[Node, int] = {}
    for node in nodes:
        for operand in node.inputs:
            count[operand] = count.get(operand, 0) + 1
    return count


def substitute(outputs: Iterable[Node], replacement: dict[Node, Node]) -> tuple[Node, ...]:
    """Return the same program with some nodes replaced; what does not depend on them is shared."""
    made = dict(replacement)
    roots = tuple(outputs)
    for node in topological(roots, enter=lambda n: n not in replacement):
        if node in made:
            continue
        inputs = tuple([made[i] for i in node.inputs])  # nodes are equal where they are the same
        same = inputs == node.inputs
        made[node] = node if same else Node(node.op, inputs, node.attrs, node.type, node.where)
    return tuple(made[root] for root in roots)
