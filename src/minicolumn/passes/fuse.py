"""Operator fusion: operations gathered into kernels, one loop nest, one matrix product or one call each.

A value is either an *array*, which lies in memory, or it is inlined: computed where it is read. This pass
decides which is which: results that only one kernel reads are never stored. A kernel is made around

    loop      nothing: maps over one shape, whose common parts are computed once
    reduce    a reduction, whose operand is computed as it goes, with the maps that follow it
    product   a matrix product, with the maps that follow it (bias, activation, optimizer's update)
    order, scatter, scan, host
              one operation of that kind

    fn(x: f32[4,8], w: f32[8,3], b: f32[3]) {
      a: f32[4,3] = matmul(x, w)
      c: f32[4,3] = add(a, b)
      d: f32[4,3] = tanh(c)                 -> one kernel: a product that stores d alone
      return d                                 arrays x, w, b and d; a stays in registers, c is inlined
    }

Invariants  every array is stored once and whole, before it is read; every output is an array (`passes.laws`)
Complexity  a round costs about nodes x the kernels that each shares with; each round but the last makes more
            values arrays
Elsewhere   XLA's input, loop and output fusion; TVM's fusion by operator pattern (Chen et al. 2018, OSDI)
            with `compute_inline`; in loop compilers, fusion for array contraction (Gao et al. 1992)
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from math import prod

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.control import ITEM
from minicolumn.ir.ops.indexing import GATHER, SCATTER_ADD
from minicolumn.ir.shapes import Shape, TupleType, broadcast_shapes
from minicolumn.passes.cost import WORTH_STORING, cost
from minicolumn.passes.index_map import Affine, IndexMap, identity_map, linear, operand_map, strides_of
from minicolumn.passes.kernel import (
    Fused,
    Kernel,
    Store,
    arrays_read,
    evaluated,
    inlined,
    is_leaf,
    leaf_arrays,
    reading,
    topological_kernels,
)


def fuse(graph: Graph, native: Callable[[Node], bool]) -> Fused:
    """Fuse a graph into kernels.

    native      ``native(node)`` says which maps can be computed within a loop; others are calls of their own
    Returns     the kernels in an order that can run, and the arrays between them

    >>> from minicolumn.ir.parse import parse_graph
    >>> graph = parse_graph("fn(x: f32[4]) { a: f32[4] = exp(x) b: f32[4] = multiply(a, a) return b }")
    >>> fuse(graph, native=lambda node: True).kernels
    (<loop [4], 1 stores>,)
    >>> fuse(graph, native=lambda node: False).kernels
    (<host exp [4], 1 stores>, <host multiply [4], 1 stores>)
    """
    nodes = [n for n in graph.nodes if n.op not in (INPUT, CONST)]
    arrays = _forced(graph, nodes, native)
    while True:
        grouping = _Grouping(arrays, native)
        for node in nodes:
            grouping.add(node)
        more = _shared_between(grouping.kernels, arrays)
        if not more:
            break
        arrays |= more
    _store_anchors(grouping.kernels, graph, arrays)
    order = topological_kernels(grouping.kernels, grouping.needs)
    return Fused(graph, tuple(order), frozenset(arrays), grouping.needs)


# Which values are arrays ------------------------------------------------------------------------------------


def is_inlined(node: Node, native: Callable[[Node], bool]) -> bool:
    """Return whether an operation can be inlined: computed where its result is read."""
    if _only_checks(node):
        return False
    return node.op.kernel == "inline" and (node.op.kind != "map" or native(node))


def _only_checks(node: Node) -> bool:
    """Return whether indices take or reach nothing, as of rows without columns.

    Those out of range are refused all the same. There is no element in whose loop they would be looked at,
    so NumPy itself does it.
    """
    if node.op not in (GATHER, SCATTER_ADD) or any(operand.array_type.dims for operand in node.inputs):
        return False
    moved = node if node.op is GATHER else node.inputs[1]
    indices = node.inputs[1 if node.op is GATHER else 2 :]
    return 0 in moved.array_type.shape and 0 not in broadcast_shapes(*(i.array_type.shape for i in indices))


def _forced(graph: Graph, nodes: list[Node], native: Callable[[Node], bool]) -> set[Node]:
    """Return the nodes that cannot but be arrays, whatever else is decided.

    They are inputs, constants and outputs; what no loop can compute; operands of products, calls and loops,
    unless they are views; what a gather or a reshape without index map reads; and what costs something and
    is broadcast, which would be computed once for every row.
    """
    arrays = {n for n in (*graph.inputs, *graph.nodes) if is_leaf(n)}
    arrays |= set(graph.outputs)
    arrays |= {n for n in nodes if not is_inlined(n, native)}
    for node in nodes:
        if not is_inlined(node, native):
            arrays |= {o for o in _whole_operands(node) if not _is_matrix_view(node, o, arrays)}
            continue
        if node.op is GATHER or (node.op.keeps_order and not _splits(node)):
            arrays.add(node.inputs[0])
        arrays |= {o for o in node.inputs if _repeated_in_inner_loop(node, o, arrays)}
    return arrays


def _whole_operands(node: Node) -> Iterable[Node]:
    """Return the operands that must lie in memory; the others are computed as they are read."""
    read_in_loops = node.op.kernel in ("reduce", "order", "scatter", "store", "result")
    return () if read_in_loops and not _only_checks(node) else node.inputs


def _is_matrix_view(node: Node, operand: Node, arrays: set[Node]) -> bool:
    """Return whether a product can read an operand as it lies in memory, by strides: a transpose, say."""
    return node.op.kind == "product" and matrix_view(operand, arrays) is not None


def matrix_view(operand: Node, arrays: Container[Node]) -> tuple[Node, Affine] | None:
    """Return the array behind a product's operand and the linear index of its elements there, if a view.

    >>> from minicolumn.ir.parse import parse_graph
    >>> graph = parse_graph("fn(x: f32[2,3]) { a: f32[3,2] = transpose(x, axes=[1,0]) return a }")
    >>> matrix_view(graph.outputs[0], set(graph.inputs))[1]
    Affine(const=0, terms=((0, 1), (1, 3)))
    """
    shape = operand.array_type.shape
    return view_of(operand, identity_map(shape), shape, arrays)


def view_of(
    node: Node, places: IndexMap, ranges: Shape, arrays: Container[Node]
) -> tuple[Node, Affine] | None:
    """Return the array that a chain of views reads, and the linear index there; None if it computes.

    places      the index map within `node`; ranges: of its counters
    """
    while node not in arrays:
        if not node.op.is_view:
            return None
        below = node.inputs[0]
        if node.op.keeps_order and below in arrays:
            return below, linear(places, node.array_type.shape)
        found = operand_map(node, 0, places, ranges)
        if found is None:
            return None
        node, places = below, found
    return node, linear(places, node.array_type.shape)


def _splits(node: Node) -> bool:
    """Return whether a reshape has an affine index map: it may split axes, to join them takes division."""
    shape = node.array_type.shape
    return operand_map(node, 0, identity_map(shape), shape) is not None


def _repeated_in_inner_loop(node: Node, operand: Node, arrays: set[Node]) -> bool:
    """Return whether an operand that costs something would be computed once for every row."""
    shape = operand.array_type.shape
    if operand in arrays or not shape or shape[-1] == 1 or operand.array_type.size >= node.array_type.size:
        return False
    return cost(operand, arrays) >= WORTH_STORING


# Grouping ---------------------------------------------------------------------------------------------------


class _Grouping:
    """Kernels that grow, node by node in the order of the graph.

    needs   for each kernel those that must have run before it: the edges of a graph that stays without cycles
    """

    def __init__(self, arrays: Container[Node], native: Callable[[Node], bool]) -> None:
        self.arrays, self.native = arrays, native
        self.kernels: list[Kernel] = []
        self.needs: dict[Kernel, list[Kernel]] = {}
        self._users: dict[Kernel, dict[Kernel, None]] = {}  # the edges of `needs` the other way round
        self._depths: dict[Kernel, int] = {}
        self._numbers: dict[Kernel, int] = {}
        self._made: dict[Kernel, dict[Node, bool]] = {}
        self._writers: dict[Node, dict[Kernel, None]] = {}
        # Where a store finds kernels to share with: by what they make or compute, by the shape of a number.
        self._makers_of: dict[Node, dict[Kernel, None]] = {}
        self._computed_in: dict[Node, dict[Kernel, None]] = {}
        self._single: dict[Shape, dict[Kernel, None]] = {}

    def add(self, node: Node) -> None:
        """Add what computes an array; anything else is computed where it is read."""
        if node not in self.arrays or node.op is ITEM:
            return
        if node.op.has_gaps:
            self._new(Kernel("fill", node.array_type.shape, node), node)
        if is_inlined(node, self.native) or node.op.place_map:
            for store in _stores(node):
                self._add_store(store)
        else:
            kind = "host" if node.op.kernel == "inline" or _only_checks(node) else node.op.kernel
            shape = () if isinstance(node.type, TupleType) else node.array_type.shape
            self._new(Kernel(kind, shape, node), node)

    def _new(self, kernel: Kernel, target: Node) -> None:
        self._numbers[kernel] = len(self.kernels)
        self.kernels.append(kernel)
        self._made[kernel] = {}
        if kernel.anchor is not None:
            self._makes(kernel, kernel.anchor, True)
        elif prod(kernel.shape) == 1:
            self._single.setdefault(kernel.shape, {})[kernel] = None
        self.needs[kernel], self._depths[kernel], self._users[kernel] = [], 0, {}
        if kernel.kind != "fill":
            self._must_follow(kernel, self._makers(arrays_read(kernel, self.arrays)))
        self._writers.setdefault(target, {})[kernel] = None

    def _makes(self, kernel: Kernel, array: Node, plainly: bool) -> None:
        """Note that a kernel makes an array, and whether as a whole, element by element."""
        self._made[kernel][array] = plainly or array is kernel.anchor
        self._makers_of.setdefault(array, {})[kernel] = None

    def _makers(self, arrays: Iterable[Node]) -> list[Kernel]:
        """Return the kernels that write some arrays, each once: what must have run before these are read."""
        sources = (a.inputs[0] if a.op is ITEM else a for a in arrays)
        return list(dict.fromkeys(k for a in sources for k in self._writers.get(a, ())))

    def _must_follow(self, kernel: Kernel, needed: Iterable[Kernel]) -> None:
        """Note what must have run before a kernel; each kernel lies deeper than all that it needs."""
        for other in needed:
            if other is kernel or kernel in self._users[other]:
                continue
            self.needs[kernel].append(other)
            self._users[other][kernel] = None
        stack = [kernel]
        while stack:
            top = stack.pop()
            depth = max((self._depths[k] + 1 for k in self.needs[top]), default=0)
            if depth > self._depths[top]:
                self._depths[top] = depth
                stack.extend(self._users[top])

    def _add_store(self, store: Store) -> None:
        """Add a store to a kernel that can take it, or to a new loop, and note what must run before."""
        reads = list(reading(store.value, self.arrays, store.is_plain))
        parts = inlined(store.value, self.arrays, store.is_plain)
        needed = self._makers(array for array, _ in reads)
        fills = [k for k in self._writers.get(store.target, ()) if k.kind == "fill"]
        kernel = self._joinable(store, reads, parts, [*needed, *fills])
        if kernel is None:
            kernel = Kernel("loop", store.value.array_type.shape)
            self._new(kernel, store.target)
        kernel.stores.append(store)
        self._makes(kernel, store.target, store.is_plain)
        if kernel.kind == "loop":
            for part in parts:
                self._computed_in.setdefault(part, {})[kernel] = None
        self._must_follow(kernel, (*needed, *fills))
        self._writers.setdefault(store.target, {})[kernel] = None

    def _joinable(
        self, store: Store, reads: list[tuple[Node, IndexMap | None]], parts: set[Node], needed: list[Kernel]
    ) -> Kernel | None:
        """Return a kernel that can compute this store too: best the product or reduction that it follows.

        A kernel can, if its loops have the value's shape, if what it makes is read at the very element that
        it is at, if the two share work or data, and if nothing that the value needs has to run after it.
        """
        shape = store.value.array_type.shape
        read = {array for array, _ in reads}
        sharing = self._sharing(read, parts, shape)
        before: set[Kernel] | None = None
        for kernel in sorted(sharing, key=lambda k: (k.anchor not in read, -self._numbers[k])):
            fits = kernel.shape == shape and kernel.kind in ("loop", "reduce", "product")
            if not fits or (kernel.kind == "product" and len(shape) != 2):
                continue
            if not self._is_read_in_place(kernel, reads, shape):
                continue
            if before is None:
                before = self._before(needed, min(self._depths[k] for k in sharing))
            others = [k for k in needed if k is not kernel]
            if kernel in before and (
                kernel not in needed or kernel in self._before(others, self._depths[kernel])
            ):
                continue
            return kernel
        return None

    def _sharing(self, read: set[Node], parts: set[Node], shape: Shape) -> set[Kernel]:
        """Return the kernels that a store saves something in: a value read back, or work that both do."""
        found = {kernel for array in read for kernel in self._makers_of.get(array, ())}
        if prod(shape) == 1:
            found.update(self._single.get(shape, ()))
        for part in parts:
            found.update(self._computed_in.get(part, ()))
        return found

    def _before(self, kernels: list[Kernel], least: int) -> set[Kernel]:
        """Return these kernels and, of those that must have run before them, all that lie so deep."""
        found, stack = set(kernels), list(kernels)
        while stack:
            top = stack.pop()
            if self._depths[top] > least:
                for below in self.needs[top]:
                    if below not in found:
                        found.add(below)
                        stack.append(below)
        return found

    def _is_read_in_place(
        self, kernel: Kernel, reads: list[tuple[Node, IndexMap | None]], shape: Shape
    ) -> bool:
        """Return whether what the kernel computes is read by the identity index map: as it is computed."""
        made, own = self._made[kernel], identity_map(shape)
        return all(array not in made or (made[array] and places == own) for array, places in reads)


def _stores(node: Node) -> list[Store]:
    """Return what writes an array: its own value, or each of its operands."""
    if node.op.place_map is None:
        return [Store(node, node, 0, strides_of(node.array_type.shape))]
    return [_operand_store(node, k) for k in range(len(node.inputs))]


def _operand_store(node: Node, operand: int) -> Store:
    """Return the store of one operand of a concatenation or pad, right to its part of the result.

    Offset and strides are found by asking the operation's index map at 0 and one step along each axis.
    """
    place_map, strides = node.op.place_map, strides_of(node.array_type.shape)
    assert place_map is not None
    shapes, axes = [x.array_type.shape for x in node.inputs], range(len(strides))

    def number(places: tuple[int, ...]) -> int:
        there = place_map(operand, places, shapes, **node.attrs)
        return sum(p * s for p, s in zip(there, strides, strict=True))

    first = number((0,) * len(strides))
    steps = (number(tuple(int(a == axis) for a in axes)) - first for axis in axes)
    return Store(node.inputs[operand], node, first, tuple(steps))


def _shared_between(kernels: list[Kernel], arrays: Container[Node]) -> set[Node]:
    """Return values that several kernels would recompute and that are worth storing instead."""
    users: dict[Node, set[Kernel]] = {}
    for kernel in kernels:
        for value, computed in evaluated(kernel):
            for node in inlined(value, arrays, computed):
                if node not in arrays:
                    users.setdefault(node, set()).add(kernel)
    shared = {
        part
        for n in users
        if len(users[n]) > 1 and _worth_storing(n, arrays)
        for part in _stored_for(n, arrays)
    }
    # Storing the last of a chain is enough; what leads to it is then read by one kernel again.
    followed = {o for n in shared for o in n.inputs if users.get(o) == users[n]}
    return shared - followed


def _stored_for(node: Node, arrays: Container[Node]) -> set[Node]:
    """Return what to store for a value that several kernels read: itself, or smaller values it is made of.

    The latter where little is left to be done from them: of x[:, :, None] * y the many products cost more to
    write and to read than to compute again, and what y costs is spent once.
    """
    smaller, total, stack, seen = set(), 0, [node], {node}
    while stack:
        current = stack.pop()
        total += current.op.cost
        for operand in current.inputs:
            if operand in seen or operand in arrays:
                continue
            seen.add(operand)
            if operand.array_type.size < node.array_type.size and not operand.op.is_view:
                smaller.add(operand)
            else:
                stack.append(operand)
    dear = {each for each in smaller if _worth_storing(each, arrays)}
    return dear if dear and total < WORTH_STORING else {node}


def _worth_storing(node: Node, arrays: Container[Node]) -> bool:
    """Return whether computing a value again costs more than to store it; a view costs nothing."""
    if node.op.is_view:
        return False
    # What follows a product is computed within it; a product that is spread over more is an array of its own.
    anchored = any(
        n.op.kind in ("product", "reduce") and n.array_type.size >= node.array_type.size
        for n in leaf_arrays(node, arrays, False)
    )
    return anchored or cost(node, arrays) >= WORTH_STORING


def _store_anchors(kernels: list[Kernel], graph: Graph, arrays: Container[Node]) -> None:
    """Let a product or a reduction be stored where somebody else reads it, or nothing follows it."""
    outside = {n for kernel in kernels for n in arrays_read(kernel, arrays)} | set(graph.outputs)
    for kernel in kernels:
        node = kernel.anchor
        if node is None or kernel.kind in ("scan", "fill"):
            continue
        if node in outside or not kernel.stores:
            kernel.stores.insert(0, Store(node, node, 0, strides_of(node.array_type.shape)))
