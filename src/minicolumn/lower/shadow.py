"""Native code in the shadow of the reference: every operation is compared, and the first that differs named.

A graph is cut at its loops. Between them, machine code runs with every intermediate result as an output; what
the reference makes of *the same operands* must agree with each. So nothing adds up: a bound holds for one
operation, and an operation that reads another's wrong result is not blamed for it. Loops are run turn by turn.

That checks operations, in kernels that store all they compute. What runs in production stores as little as
it can: so each turn, and each whole program, also runs as it does in production. Fusion changes no bits but
where sums are added up in another order; how far that may reach is followed through the graph. A loop of many
turns must give exactly what its turns gave one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShadowError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, input_node, substitute
from minicolumn.ir.op import OPS
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import TupleType
from minicolumn.lower.llvm.jit import why_missing
from minicolumn.lower.llvm.scalar import is_native
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.rounding import Doubt, agree, allowed, doubt_of, unknown
from minicolumn.passes.fuse import fuse

Array = np.ndarray
Lower = Callable[[Graph, Sequence[int]], Callable[..., list[Any]]]
FUSED = "as fused in production"


class ShadowProgram:
    """A graph in machine code that is compared with the reference while it runs.

        run = ShadowProgram(graph)
        run(*arrays)        # the native results, bit for bit those of NativeProgram(graph)

    flexible    numbers of inputs whose first axis may have any length
    threads     the most that native code may use
    Errors      ShadowError, which names the first operation in the order of the graph whose results differ;
                IndexError where an index is out of range; DataError where no native code can be made
    """

    def __init__(self, graph: Graph, flexible: Sequence[int] = (), threads: int | None = None) -> None:
        if why_missing():
            raise DataError(f'shadow="reference" compares native code, and there is none: {why_missing()}')
        lower = lambda g, flexible: NativeProgram(g, flexible, threads=threads)  # noqa: E731
        growing = [graph.inputs[k] for k in flexible]
        self._steps = _Steps(graph, growing, lower)
        self._whole = _Production(graph, growing, lower)

    def __call__(self, *args: Array) -> list[Any]:
        """Run on arrays of the graph's input types; the results are the native ones."""
        values = self._steps.run(args, None)
        found = self._whole.run(args)
        self._whole.compare(args, found, values, self._steps.doubts(values), None)
        return found


# One operation after the other ----------------------------------------------------------------------------


class _Steps:
    """A graph whose every operation is run natively and compared."""

    def __init__(self, graph: Graph, growing: Iterable[Node], lower: Lower) -> None:
        self.graph = graph
        self._growing = _grown(graph, growing)
        self._parts: list[_Segment | _Loop] = []
        for part in _cut(graph):
            known = isinstance(part, Node)
            made = _Loop(part, self._growing, lower) if known else _Segment(part, self._growing, lower)
            self._parts.append(made)

    def run(self, args: Sequence[Array], turn: int | None) -> dict[Node, Any]:
        """Return the native value of every node, each of which agrees with the reference."""
        values: dict[Node, Any] = dict(zip(self.graph.inputs, args, strict=True))
        values |= {n: n.attrs["value"] for n in self.graph.nodes if n.op is CONST}
        for part in self._parts:
            part.run(values, turn)
        return values

    def doubts(self, values: Mapping[Node, Any]) -> dict[Node, Any]:
        """Return how far each value may be from that of any other native program for this graph."""
        found: dict[Node, Any] = {}
        for node in self.graph.nodes:
            below = [found[i] for i in node.inputs]
            if node.op in (INPUT, CONST):
                found[node] = None
            elif node.op is SCAN:
                # The same turns one by one give the same bits, but the reference says nothing of others.
                sure = all(d is None for d in below)
                found[node] = None if sure else unknown(node)
            elif node.op.name == "item":
                found[node] = below[0] and below[0][node.attrs["index"]]
            else:
                found[node] = doubt_of(node, [values[i] for i in node.inputs], below, values[node])
        return found


class _Segment:
    """Operations without a loop among them: one program with all their results."""

    def __init__(self, nodes: Sequence[Node], growing: frozenset[Node], lower: Lower) -> None:
        self._nodes = nodes
        inside = set(nodes)
        outer = (i for node in nodes for i in node.inputs if i not in inside and i.op is not CONST)
        self._inputs = tuple(dict.fromkeys(outer))
        graph = _separate(self._inputs, nodes)
        self._program = lower(graph, [k for k, node in enumerate(self._inputs) if node in growing])

    def run(self, values: dict[Node, Any], turn: int | None) -> None:
        """Add the values of these nodes and compare each."""
        found = self._program(*[values[i] for i in self._inputs])
        values.update(zip(self._nodes, found, strict=True))
        for node in self._nodes:
            operands = [values[i] for i in node.inputs]
            expected = np.asarray(node.op.numpy(*operands, **node.attrs))
            bound, reason = allowed(node, operands, expected)
            _compare(node, values[node], expected, bound, reason, turn)


class _Loop:
    """A loop: its body turn by turn, and each turn once more as it runs in production."""

    def __init__(self, node: Node, growing: frozenset[Node], lower: Lower) -> None:
        self._node = node
        body, consts = node.attrs["body"], node.attrs["consts"]
        pairs = zip(body.inputs[:consts], node.inputs, strict=False)
        inner = [b for b, outer in pairs if outer in growing]
        self._steps = _Steps(body, inner, lower)
        self._turn = _Production(_one_turn(node), inner, lower)

    def run(self, values: dict[Node, Any], turn: int | None) -> None:
        """Add the loop's results, which are those of its turns in production."""
        attrs, operands = self._node.attrs, [values[i] for i in self._node.inputs]
        consts, carry = attrs["consts"], attrs["carry"]
        fixed, state, rows = operands[:consts], operands[consts : consts + carry], operands[consts + carry :]
        length = len(rows[0]) if rows else attrs["length"]
        types = [y.array_type for y in attrs["body"].outputs[carry:]]
        ys = [np.empty((length, *t.shape), t.dtype) for t in types]
        for i in reversed(range(length)) if attrs["reverse"] else range(length):
            out = self._one(i, [*fixed, *state], [row[i] for row in rows], carry)
            state = out[:carry]
            for y, value in zip(ys, out[carry:], strict=True):
                y[i] = value
        values[self._node] = (*state, *ys)

    def _one(self, turn: int, args: Sequence[Array], row: Sequence[Array], carry: int) -> list[Array]:
        given = [*args, *row]
        values = self._steps.run(given, turn)
        found = self._turn.run([*args, *(x[np.newaxis] for x in row)])
        found = [x if k < carry else x[0] for k, x in enumerate(found)]
        self._steps_agree(given, found, values, turn)
        return found

    def _steps_agree(
        self, args: Sequence[Array], found: list[Array], values: Mapping[Node, Any], turn: int
    ) -> None:
        body = self._node.attrs["body"]
        self._turn.compare(args, found, values, self._steps.doubts(values), turn, body)


# As it runs in production ---------------------------------------------------------------------------------


class _Production:
    """A graph, or one turn of a loop, as it is compiled for speed."""

    def __init__(self, graph: Graph, growing: Sequence[Node], lower: Lower) -> None:
        self._graph, self._lower = graph, lower
        places = {node.attrs.get("stands for", node) for node in growing}
        self._flexible = [k for k, n in enumerate(graph.inputs) if n in places]
        self.run = lower(graph, self._flexible)
