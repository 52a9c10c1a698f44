"""Native code in the shadow of the reference: the first operation that differs is named.

A graph is cut at its loops. Between them, machine code runs with every result as an output; what the
reference makes of *the same operands* must agree with each. So nothing adds up: a bound holds for one
operation, and an operation that reads another's wrong result is not blamed for it. Loops run
iteration by iteration.

That checks operations, in kernels that store all they compute. What runs in production stores as little as
it can: so each iteration, and each whole program, also runs as it does in production. Fusion changes no bits
but where sums are added up in another order; how far that may reach is followed through the graph. A loop of
many iterations must give exactly what its iterations gave one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShadowError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, input_node, substitute
from minicolumn.ir.interpret import KEPT_LENGTHS, Function, Table, interpret, order_of, run_loop
from minicolumn.ir.op import Op
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.shapes import ArrayType, TupleType
from minicolumn.ir.specialize import at_lengths, lengths_of
from minicolumn.lower.compare.error_bounds import Doubt, agree, allowed, doubt_of, unknown
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.lower.llvm.runtime.jit import why_missing
from minicolumn.lower.native import NativeProgram
from minicolumn.passes.pipeline import FUSE

Array = np.ndarray
Iterations = tuple[int, ...]
Lower = Callable[[Graph], Callable[..., list[Any]]]


def _undefined(*_: Any, **__: Any) -> Any:
    raise AssertionError("segments exist while a shadow runs, and only its table knows what they do")


# Operations without a loop among them, as one operation with all their results.
SEGMENT = Op("segment", "control", infer=_undefined, numpy=_undefined)
REFERENCE, ONE_BY_ONE = "by the reference", "one operation after the other"


class ShadowProgram:
    """A graph in machine code that is compared with the reference while it runs.

        run = ShadowProgram(graph)
        run(*arrays)        # the native results, bit for bit those of NativeProgram(graph)

    threads     the most that native code may use
    Errors      ShadowError, which names the first operation in the order of the graph whose results differ;
                IndexError where an index is out of range; DataError where no native code can be made
    """

    def __init__(self, graph: Graph, threads: int | None = None) -> None:
        if why_missing():
            raise DataError(f'shadow="reference" compares native code, and there is none: {why_missing()}')
        lower = lambda g: NativeProgram(g, threads=threads)  # noqa: E731
        self._graph, self._whole = graph, lower(graph)
        self._at = lru_cache(KEPT_LENGTHS)(lambda lengths: _Steps(at_lengths(graph, dict(lengths)), lower))

    def __call__(self, *args: Array) -> list[Any]:
        """Run on arrays of the graph's input types; the results are the native ones."""
        steps = self._at(tuple(lengths_of(self._graph, args).items()))
        with np.errstate(all="ignore"):
            try:
                values = steps.values(args)
                found = self._whole(*args)
                steps.compare_fused(args, found, values)
            except _Difference as difference:
                raise difference.error() from None
        return found


# One operation after the other ----------------------------------------------------------------------------


class _Steps:
    """A graph whose every operation is run natively and compared: interpreted, segment by segment."""

    def __init__(self, graph: Graph, lower: Lower) -> None:
        self._graph, self._lower = graph, lower
        self._nodes = [n for n in graph.nodes if isinstance(n.type, ArrayType)]
        self._run = interpret(_segmented(graph, self._nodes), _Both(lower))

    def values(self, args: Sequence[Array]) -> dict[Node, Array]:
        """Return the native value of every array, each of which agrees with the reference."""
        return dict(zip(self._nodes, self._run(*args), strict=True))

    def compare_fused(
        self, args: Sequence[Array], found: Sequence[Array], values: Mapping[Node, Array]
    ) -> None:
        """Compare the results of the same graph in its production kernels."""
        doubts, outputs = _doubts(self._graph, values), self._graph.outputs
        if all(_is_near(x, values[n], doubts[n]) for n, x in zip(outputs, found, strict=True)):
            return
        # The arrays between the kernels tell which of them it is.
        arrays = FUSE(self._graph, is_native).arrays
        stored = [n for n in self._graph.nodes if n in arrays and n.op not in (INPUT, CONST, SCAN)]
        between = self._lower(Graph(self._graph.inputs, tuple(stored)))(*args)
        pairs = [*zip(stored, between, strict=True), *zip(outputs, found, strict=True)]
        for node, x in pairs:
            if not _is_near(x, values[node], doubts[node]):
                bound = np.zeros(()) if doubts[node] is None else doubts[node]
                reason = "the order of sums may change so much"
                raise _Difference(node, x, values[node], bound, reason, ONE_BY_ONE)


class _Both(Table):
    """Segments in machine code and by the reference; iterations in their production kernels besides."""

    def __init__(self, lower: Lower) -> None:
        self._lower = lower

    def operation(self, node: Node) -> Function:
        if node.op is not SEGMENT:
            return super().operation(node)
        return partial(_run_segment, node.attrs["body"], self._lower(node.attrs["body"]))

    def loop(self, node: Node) -> Function:
        steps = _Steps(node.attrs["body"], self._lower)
        return partial(_run_turns, node.attrs, steps, self._lower(_one_iteration(node)))


def _run_segment(body: Graph, program: Callable[..., list[Array]], *operands: Array) -> tuple[Array, ...]:
    """Return the results of all operations of a segment after comparing each."""
    found = program(*operands)
    values = dict(zip((*body.inputs, *body.outputs), (*operands, *found), strict=True))
    for node in body.outputs:
        below = [i.attrs["value"] if i.op is CONST else values[i] for i in node.inputs]
        expected = np.asarray(node.op.numpy(*below, **node.attrs))
        bound, reason = allowed(node, below, expected)
        if not agree(values[node], expected, bound).all():
            raise _Difference(node, values[node], expected, bound, reason, REFERENCE)
    return tuple(found)


def _run_turns(
    attrs: Mapping[str, Any], steps: _Steps, production: Callable[..., list[Array]], *operands: Array
) -> tuple[Array, ...]:
    """Return the results of a loop: those of its iterations in production, each of them compared."""
    before, carry = attrs["consts"] + attrs["carry"], attrs["carry"]
    numbers = order_of(attrs)

    def step(*args: Array) -> list[Array]:
        number, args = next(numbers), tuple(map(np.asarray, args))
        try:
            values = steps.values(args)
            found = production(*args[:before], *(x[np.newaxis] for x in args[before:]))
            found = [x if k < carry else x[0] for k, x in enumerate(found)]
            steps.compare_fused(args, found, values)
        except _Difference as difference:
            difference.iterations = (number, *difference.iterations)
            raise
        return found

    return run_loop(step, attrs, *operands)


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


def _segmented(graph: Graph, arrays: Sequence[Node]) -> Graph:
    """Return a graph of segments and loops with these arrays as results."""
    made = {n: n for n in graph.nodes if n.op in (INPUT, CONST)}
    for part in _cut(graph):
        if isinstance(part, Node):
            loop = Node(SCAN, [made[i] for i in part.inputs], part.attrs, part.type, part.where)
            items = [n for n in graph.nodes if n.op is ITEM and n.inputs[0] is part]
            made |= {n: Node(ITEM, (loop,), n.attrs, n.type, n.where) for n in items}
            continue
        inside = set(part)
        outer = dict.fromkeys(i for n in part for i in n.inputs if i not in inside and i.op is not CONST)
        fresh: dict[Node, Node] = {i: input_node(i.type) for i in outer}
        body = Graph(tuple(fresh.values()), substitute(part, fresh))
        results = TupleType(tuple(n.array_type for n in part))
        segment = Node(SEGMENT, [made[i] for i in outer], {"body": body}, results)
        made |= {n: Node(ITEM, (segment,), {"index": k}, n.type, n.where) for k, n in enumerate(part)}
    return Graph(graph.inputs, tuple(made[n] for n in arrays))


def _one_iteration(node: Node) -> Graph:
    """Return a program of one iteration of a loop, with all its results; compiled as the whole loop is."""
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
            # The same iterations give the same bits, one by one or together; others may give anything.
            found[node] = None if all(d is None for d in below) else unknown(node)
        elif node.op is ITEM:
            found[node] = None if below[0] is None else below[0][node.attrs["index"]]
        else:
            found[node] = doubt_of(node, [values[i] for i in node.inputs], below, values[node])
    return found


def _is_near(found: Array, expected: Array, doubt: Doubt) -> bool:
    return bool(agree(found, expected, 0.0 if doubt is None else doubt).all())


class _Difference(Exception):
    """Results of an operation that differ by more than they may; loops add their counters."""

    def __init__(
        self, node: Node, found: Array, expected: Array, bound: Array, reason: str, other: str
    ) -> None:
        self.node, self.found, self.expected = node, np.asarray(found), np.asarray(expected)
        self.bound, self.reason, self.other = bound, reason, other
        self.iterations: Iterations = ()

    def error(self) -> ShadowError:
        """Return the error that names the operation and the element that is furthest off."""
        node, iterations = self.node, self.iterations
        place = _worst(self.found, self.expected, self.bound)
        native, reference = self.found[place], self.expected[place]
        limit = float(np.broadcast_to(self.bound, self.found.shape)[place])
        where = f" (at {node.where})" if node.where else ""
        at = (
            f" at iteration {', '.join(map(str, iterations))} of its loop{'s' * (len(iterations) > 1)}"
            if iterations
            else ""
        )
        element = f"element {list(map(int, place))}" if place else "the value"
        error = ShadowError(
            f"native code and the reference disagree on {node.op.name}: {node.type}{where}{at}: "
            f"{element} is {native} natively and {reference} {self.other}; "
            f"allowed are {limit:.3g} ({self.reason})"
        )
        error.operation, error.where, error.iterations, error.place = (
            node.op.name,
            node.where,
            iterations,
            place,
        )
        error.native, error.reference, error.bound = native, reference, limit
        return error


def _worst(found: Array, expected: Array, bound: Array) -> tuple[int, ...]:
    wide = found.astype(np.float64) - expected.astype(np.float64)
    way = np.where(np.isnan(wide), np.inf, np.abs(wide))
    far = np.where(agree(found, expected, bound), -1.0, way)
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(far)), far.shape))
