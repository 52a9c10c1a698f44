"""Native code in the shadow of the reference: the first operation that differs is named.

A graph is cut at its loops. Between them, machine code runs with every result as an output; what the
reference makes of *the same operands* must agree with each. So nothing adds up: a bound holds for one
operation, and an operation that reads another's wrong result is not blamed for it. Loops run turn by turn.

That checks operations, in kernels that store all they compute. What runs in production stores as little as
it can: so each turn, and each whole program, also runs as it does in production. Fusion changes no bits but
where sums are added up in another order; how far that may reach is followed through the graph. A loop of many
turns must give exactly what its turns gave one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShadowError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, input_node, substitute
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.shapes import TupleType
from minicolumn.lower.llvm.jit import why_missing
from minicolumn.lower.llvm.scalar import is_native
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.rounding import Doubt, agree, allowed, doubt_of, unknown
from minicolumn.passes.fuse import fuse

Array = np.ndarray
Turns = tuple[int, ...]
Lower = Callable[[Graph, Sequence[int]], Callable[..., list[Any]]]
REFERENCE, ONE_BY_ONE = "by the reference", "one operation after the other"


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
        self._steps = _Steps(graph, [graph.inputs[k] for k in flexible], lower)
        self._whole = lower(graph, flexible)

    def __call__(self, *args: Array) -> list[Any]:
        """Run on arrays of the graph's input types; the results are the native ones."""
        with np.errstate(all="ignore"):
            values = self._steps.run(args, ())
            found = self._whole(*args)
            self._steps.compare_fused(args, found, values, ())
        return found


# One operation after the other ----------------------------------------------------------------------------


class _Steps:
    """A graph whose every operation is run natively and compared."""

    def __init__(self, graph: Graph, growing: Iterable[Node], lower: Lower) -> None:
        self._graph, self._lower, self._growing = graph, lower, _grown(graph, growing)
        self._parts = [self._made(part) for part in _cut(graph)]

    def _made(self, part: Node | list[Node]) -> _Loop | _Segment:
        if not isinstance(part, Node):
            return _Segment(part, self._growing, self._lower)
        items = [n for n in self._graph.nodes if n.op is ITEM and n.inputs[0] is part]
        return _Loop(part, items, self._growing, self._lower)

    def run(self, args: Sequence[Array], turns: Turns) -> dict[Node, Any]:
        """Return the native value of every node, each of which agrees with the reference."""
        values: dict[Node, Any] = dict(zip(self._graph.inputs, args, strict=True))
        values |= {n: n.attrs["value"] for n in self._graph.nodes if n.op is CONST}
        for part in self._parts:
            part.run(values, turns)
        return values

    def compare_fused(
        self, args: Sequence[Array], found: Sequence[Array], values: Mapping[Node, Any], turns: Turns
    ) -> None:
        """Compare the results of the same graph in its production kernels."""
        doubts, outputs = _doubts(self._graph, values), self._graph.outputs
        if all(_is_near(x, values[n], doubts[n]) for n, x in zip(outputs, found, strict=True)):
            return
        # The arrays between the kernels tell which of them it is.
        arrays = fuse(self._graph, is_native).arrays
        stored = [n for n in self._graph.nodes if n in arrays and n.op not in (INPUT, CONST, SCAN)]
        flexible = [k for k, node in enumerate(self._graph.inputs) if node in self._growing]
        between = self._lower(Graph(self._graph.inputs, tuple(stored)), flexible)(*args)
        pairs = [*zip(stored, between, strict=True), *zip(outputs, found, strict=True)]
        for node, x in pairs:
            if not _is_near(x, values[node], doubts[node]):
                bound = np.zeros(()) if doubts[node] is None else doubts[node]
                raise _error(
                    node, x, values[node], bound, "the order of sums may change so much", turns, ONE_BY_ONE
                )


class _Segment:
    """Operations without a loop among them: one program with all their results."""

    def __init__(self, nodes: list[Node], growing: frozenset[Node], lower: Lower) -> None:
        self._nodes = nodes
        inside = set(nodes)
        outer = (i for node in nodes for i in node.inputs if i not in inside and i.op is not CONST)
        self._inputs = tuple(dict.fromkeys(outer))
        fresh = {node: input_node(node.type) for node in self._inputs}
        graph = Graph(tuple(fresh.values()), substitute(nodes, fresh))
        self._program = lower(graph, [k for k, node in enumerate(self._inputs) if node in growing])

    def run(self, values: dict[Node, Any], turns: Turns) -> None:
        """Add the values of these operations and compare each."""
        found = self._program(*[values[i] for i in self._inputs])
        values.update(zip(self._nodes, found, strict=True))
        for node in self._nodes:
            operands = [values[i] for i in node.inputs]
            expected = np.asarray(node.op.numpy(*operands, **node.attrs))
            bound, reason = allowed(node, operands, expected)
            if not agree(values[node], expected, bound).all():
                raise _error(node, values[node], expected, bound, reason, turns, REFERENCE)


class _Loop:
    """A loop: its body turn by turn, and each turn once more as it runs in production."""

    def __init__(self, node: Node, items: Sequence[Node], growing: frozenset[Node], lower: Lower) -> None:
        self._node, self._items = node, items
        body, consts = node.attrs["body"], node.attrs["consts"]
        flexible = [k for k in range(consts) if node.inputs[k] in growing]
        self._steps = _Steps(body, [body.inputs[k] for k in flexible], lower)
        self._production = lower(_one_turn(node), flexible)

    def run(self, values: dict[Node, Any], turns: Turns) -> None:
        """Add the loop's results, which are those of its turns in production."""
        attrs, operands = self._node.attrs, [values[i] for i in self._node.inputs]
        consts, carry = attrs["consts"], attrs["carry"]
        fixed, state, rows = operands[:consts], operands[consts : consts + carry], operands[consts + carry :]
        length = len(rows[0]) if rows else attrs["length"]
        types = [y.array_type for y in attrs["body"].outputs[carry:]]
        ys = [np.empty((length, *t.shape), t.dtype) for t in types]
        for i in reversed(range(length)) if attrs["reverse"] else range(length):
            out = self._turn([*fixed, *state], [np.asarray(row[i]) for row in rows], (*turns, i))
            state = out[:carry]
            for y, value in zip(ys, out[carry:], strict=True):
                y[i] = value
        values.update({item: (*state, *ys)[item.attrs["index"]] for item in self._items})

    def _turn(self, args: Sequence[Array], row: Sequence[Array], turns: Turns) -> list[Array]:
        """Return the state and the row of results after one turn."""
        values, carry = self._steps.run([*args, *row], turns), self._node.attrs["carry"]
        found = self._production(*args, *(x[np.newaxis] for x in row))
        found = [x if k < carry else x[0] for k, x in enumerate(found)]
        self._steps.compare_fused([*args, *row], found, values, turns)
        return found


def _cut(graph: Graph) -> Iterator[Node | list[Node]]:
    """Yield the loops of a graph, and the operations before, between and after them."""
    segment: list[Node] = []
    for node in graph.nodes:
        if node.op is SCAN:
            if segment:
                yield segment
            yield node
            segment = []
        elif node.op not in (INPUT, CONST, ITEM):
            segment.append(node)
    if segment:
        yield segment


def _grown(graph: Graph, growing: Iterable[Node]) -> frozenset[Node]:
    """Return the arrays of any length: those given, and what loops over them stack."""
    found = set(growing)
    for node in graph.nodes:
        if node.op is ITEM:
            attrs, operands = node.inputs[0].attrs, node.inputs[0].inputs
            rows = operands[attrs["consts"] + attrs["carry"] :]
            if node.attrs["index"] >= attrs["carry"] and any(r in found for r in rows):
                found.add(node)
    return frozenset(found)


def _one_turn(node: Node) -> Graph:
    """Return a program of one turn of a loop, with all its results; it is compiled as the whole loop is."""
    attrs, body = node.attrs, node.attrs["body"]
    before = attrs["consts"] + attrs["carry"]
    types = [x.array_type for x in node.inputs]
    types = [t if k < before else t.with_shape((1, *t.shape[1:])) for k, t in enumerate(types)]
    inputs = tuple(map(input_node, types))
    ys = [y.array_type.with_shape((1, *y.array_type.shape)) for y in body.outputs[attrs["carry"] :]]
    results = TupleType((*types[attrs["consts"] : before], *ys))
    scan = Node(SCAN, inputs, {**attrs, "length": 1}, results, node.where)
    items = (Node(ITEM, (scan,), {"index": k}, t, node.where) for k, t in enumerate(results.items))
    return Graph(inputs, tuple(items))


# How results are compared ---------------------------------------------------------------------------------


def _doubts(graph: Graph, values: Mapping[Node, Any]) -> dict[Node, Any]:
    """Return how far each value may be from that in any other native program of this graph."""
    found: dict[Node, Any] = {}
    for node in graph.nodes:
        below = [found[i] for i in node.inputs]
        if node.op in (INPUT, CONST):
            found[node] = None
        elif node.op is SCAN:
            # The same turns give the same bits, one by one or together; on other operands anything may come.
            found[node] = None if all(d is None for d in below) else unknown(node)
        elif node.op is ITEM:
            found[node] = None if below[0] is None else below[0][node.attrs["index"]]
        else:
            found[node] = doubt_of(node, [values[i] for i in node.inputs], below, values[node])
    return found


def _is_near(found: Array, expected: Array, doubt: Doubt) -> bool:
    return bool(agree(found, expected, 0.0 if doubt is None else doubt).all())


def _error(
    node: Node, found: Array, expected: Array, bound: Array, reason: str, turns: Turns, other: str
) -> ShadowError:
    """Return the error that names an operation and the element that is furthest off."""
    found, expected = np.asarray(found), np.asarray(expected)
    place = _worst(found, expected, bound)
    native, reference = found[place], expected[place]
    limit = float(np.broadcast_to(bound, found.shape)[place])
    where = f" (at {node.where})" if node.where else ""
    turn = f" in turn {', '.join(map(str, turns))} of its loop{'s' * (len(turns) > 1)}" if turns else ""
    element = f"element {list(map(int, place))}" if place else "the value"
    error = ShadowError(
        f"native code and the reference disagree on {node.op.name}: {node.type}{where}{turn}: {element} is "
        f"{native} natively and {reference} {other}; allowed are {limit:.3g} ({reason})"
    )
    error.operation, error.where, error.turns, error.place = node.op.name, node.where, turns, place
    error.native, error.reference, error.bound = native, reference, limit
    return error


def _worst(found: Array, expected: Array, bound: Array) -> tuple[int, ...]:
    wide = found.astype(np.float64) - expected.astype(np.float64)
    way = np.where(np.isnan(wide), np.inf, np.abs(wide))
    far = np.where(agree(found, expected, bound), -1.0, way)
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(far)), far.shape))
