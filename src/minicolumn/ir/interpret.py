"""The graph interpreter: there is one, and what an operation does is a table's to say.

A table of NumPy functions makes the reference; a table of traced operations writes a graph down anew; a table
that runs two things and compares them is a shadow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.plan import make_plan
from minicolumn.ir.specialize import at_lengths, lengths_of

if TYPE_CHECKING:
    from minicolumn.ir.shapes import Dim

Function = Callable[..., Any]
# Combinations of lengths for which a graph with symbolic dimensions is kept ready.
KEPT_LENGTHS = 8


class Table:
    """What an interpreter does for each node; as it stands, what the operations mean in NumPy.

    A table of one's own replaces what differs:

        >>> from minicolumn.ir.ops.elementwise import EXP
        >>> from minicolumn.ir.graph import input_node
        >>> from minicolumn.ir.shapes import ArrayType
        >>> class Loud(Table):
        ...     def operation(self, node):
        ...         print("doing", node.op.name)
        ...         return super().operation(node)
        >>> x = input_node(ArrayType(np.dtype(float), ()))
        >>> interpret(Graph((x,), (Node(EXP, (x,), {}, x.type),)), Loud())(np.zeros(()))
        doing exp
        [np.float64(1.0)]
    """

    argument: Function | None = None  # what the graph's arguments are taken for; themselves, if None

    def constant(self, node: Node) -> Any:
        """Return the value of a constant."""
        return node.attrs["value"]

    def operation(self, node: Node) -> Function:
        """Return what a node does, as a function of its operands."""
        return partial(node.op.numpy, **node.attrs) if node.attrs else node.op.numpy

    def loop(self, node: Node) -> Function:
        """Return what a loop does, as a function of its operands; its body goes by the same table."""
        return partial(run_loop, interpret(node.attrs["body"], self), node.attrs)


class Interpreter:
    """A graph made ready to run many times: operations bound to their attributes, slots numbered.

    With symbolic dimensions it is made ready for each combination of lengths that its arguments have.
    """

    def __init__(self, graph: Graph, table: Table) -> None:
        self._graph, self._at = graph, lru_cache(KEPT_LENGTHS)(partial(_at_lengths, graph, table))
        if graph.dims:
            return
        plan = make_plan(graph)
        self._slots, self._outputs, self._argument = plan.slots, plan.outputs, table.argument
        self._constants = [(slot, table.constant(node)) for slot, node in plan.constants]
        self._steps = [(_bound(s.node, table), s.reads, s.writes, s.frees) for s in plan.steps]

    def __call__(self, *args: Any) -> list[Any]:
        """Run on values of the graph's inputs; the results may share memory with the arguments."""
        if self._graph.dims:
            return self._at(tuple(lengths_of(self._graph, args).items()))(*args)
        slots: list[Any] = [None] * self._slots
        slots[: len(args)] = map(self._argument, args) if self._argument else args
        for slot, value in self._constants:
            slots[slot] = value
        for function, reads, writes, frees in self._steps:
            value = function(*[slots[i] for i in reads])
            for i in frees:
                slots[i] = None
            slots[writes] = value
        return [slots[i] for i in self._outputs]


def _at_lengths(graph: Graph, table: Table, lengths: tuple[tuple[Dim, int], ...]) -> Interpreter:
    return Interpreter(at_lengths(graph, dict(lengths)), table)


def interpret(graph: Graph, table: Table | None = None) -> Interpreter:
    """Return a graph as a function of its inputs, whose operations do what a table says; NumPy by default."""
    return Interpreter(graph, table or Table())


def _bound(node: Node, table: Table) -> Function:
    return table.loop(node) if node.op.kernel == "scan" else table.operation(node)


def run_loop(step: Function, attrs: Mapping[str, Any], *operands: Any) -> tuple[Any, ...]:
    """Run a loop (`scan`): `step` once for each row, with the state that the last iteration left."""
    consts, carry = attrs["consts"], attrs["carry"]
    fixed, state = operands[:consts], operands[consts : consts + carry]
    rows = operands[consts + carry :]
    length = attrs["length"]
    types = [y.array_type for y in attrs["body"].outputs[carry:]]
    ys = [np.empty((length, *t.shape), t.dtype) for t in types]
    for i in order_of(attrs):
        out = step(*fixed, *state, *[row[i] for row in rows])
        state = out[:carry]
        for y, value in zip(ys, out[carry:], strict=True):
            y[i] = value
    return (*state, *ys)


def order_of(attrs: Mapping[str, Any]) -> Iterator[int]:
    """Yield the numbers of the iterations of a loop in the order in which they are taken."""
    iterations = range(attrs["length"])
    return reversed(iterations) if attrs["reverse"] else iter(iterations)
