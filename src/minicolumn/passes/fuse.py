"""Operations gathered into kernels: one loop nest, one matrix product or one call each.

A value is either an *array*, which lies in memory, or it is computed where it is read. This pass decides
which is which: results that only one kernel reads are never stored. A kernel is made around

    loop      nothing: maps over one shape, whose common parts are computed once
    reduce    a reduction, whose operand is computed as it goes, with the maps that follow it
    product   a matrix product, with the maps that follow it (bias, activation, optimizer's update)
    order, scatter, scan, host
              one operation of that kind
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from math import prod

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.control import ITEM
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import Shape, TupleType
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
    reading,
    topological_kernels,
)


def fuse(graph: Graph, native: Callable[[Node], bool]) -> Fused:
    """Return the kernels of a graph; `native(node)` says which maps can be computed within a loop."""
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
    """Return whether an operation can be computed where its result is read."""
    return node.op.kernel == "inline" and (node.op.kind != "map" or native(node))


def _forced(graph: Graph, nodes: list[Node], native: Callable[[Node], bool]) -> set[Node]:
    """Return the nodes that cannot but be arrays, whatever else is decided."""
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
    return () if node.op.kernel in ("reduce", "order", "scatter", "store", "result") else node.inputs


def _is_matrix_view(node: Node, operand: Node, arrays: set[Node]) -> bool:
    return node.op.kind == "product" and matrix_view(operand, arrays) is not None


def matrix_view(operand: Node, arrays: Container[Node]) -> tuple[Node, Affine] | None:
    """Return the array behind a product's operand and the place of its elements there, if it is a view."""
    shape = operand.array_type.shape
    return view_of(operand, identity_map(shape), shape, arrays)


def view_of(
    node: Node, places: IndexMap, ranges: Shape, arrays: Container[Node]
) -> tuple[Node, Affine] | None:
    """Return the array that a chain of views reads, and the element's number there; None if it computes."""
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

    needs   for each kernel those that must have run before it
    """

    def __init__(self, arrays: Container[Node], native: Callable[[Node], bool]) -> None:
        self.arrays, self.native = arrays, native
        self.kernels: list[Kernel] = []
        self.needs: dict[Kernel, list[Kernel]] = {}
        self._writers: dict[Node, list[Kernel]] = {}
        self._inlined: dict[Kernel, set[Node]] = {}

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
            kind = node.op.kernel if node.op.kernel != "inline" else "host"
            shape = () if isinstance(node.type, TupleType) else node.array_type.shape
            self._new(Kernel(kind, shape, node), node)

    def _new(self, kernel: Kernel, target: Node) -> None:
        self.kernels.append(kernel)
        self._inlined[kernel] = set()
        self.needs[kernel] = self._makers(arrays_read(kernel, self.arrays)) if kernel.kind != "fill" else []
        self._writers.setdefault(target, []).append(kernel)

    def _makers(self, arrays: Iterable[Node]) -> list[Kernel]:
        sources = (a.inputs[0] if a.op is ITEM else a for a in arrays)
        return list(dict.fromkeys(k for a in sources for k in self._writers.get(a, ())))

    def _add_store(self, store: Store) -> None:
        reads = list(reading(store.value, self.arrays, store.is_plain))
        parts = inlined(store.value, self.arrays, store.is_plain)
        needed = self._makers(array for array, _ in reads)
        fills = [k for k in self._writers.get(store.target, ()) if k.kind == "fill"]
        kernel = self._joinable(store, reads, parts, [*needed, *fills])
        if kernel is None:
            kernel = Kernel("loop", store.value.array_type.shape)
            self._new(kernel, store.target)
        kernel.stores.append(store)
        self._inlined[kernel] |= parts
        known = self.needs[kernel]
        known.extend(k for k in (*needed, *fills) if k is not kernel and k not in known)
        writers = self._writers.setdefault(store.target, [])
        if kernel not in writers:
            writers.append(kernel)

    def _joinable(
        self, store: Store, reads: list[tuple[Node, IndexMap | None]], parts: set[Node], needed: list[Kernel]
    ) -> Kernel | None:
        """Return a kernel that can compute this store too: best the product or reduction that it follows."""
        shape = store.value.array_type.shape
        read = {array for array, _ in reads}
        latest_first = self.kernels[::-1]
        for kernel in sorted(latest_first, key=lambda k: k.anchor not in read):
            fits = kernel.shape == shape and kernel.kind in ("loop", "reduce", "product")
            if not fits or (kernel.kind == "product" and len(shape) != 2):
                continue
            if not _at_same_places(kernel, reads, shape) or not self._shares(kernel, parts, reads):
                continue
            if kernel not in self._before([k for k in needed if k is not kernel]):
                return kernel
        return None

    def _shares(self, kernel: Kernel, parts: set[Node], reads: list[tuple[Node, IndexMap | None]]) -> bool:
        made = {*kernel.targets, kernel.anchor}
        if any(array in made for array, _ in reads):
            return True
        return kernel.kind == "loop" and (prod(kernel.shape) == 1 or bool(parts & self._inlined[kernel]))

    def _before(self, kernels: list[Kernel]) -> set[Kernel]:
        """Return these kernels and all that must have run before them."""
        found, stack = set(kernels), list(kernels)
        while stack:
            for kernel in self.needs[stack.pop()]:
                if kernel not in found:
                    found.add(kernel)
                    stack.append(kernel)
        return found


def _at_same_places(kernel: Kernel, reads: list[tuple[Node, IndexMap | None]], shape: Shape) -> bool:
    """Return whether what the kernel computes is read element by element, as it is computed."""
    made = {s.target: s.is_plain for s in kernel.stores}
    if kernel.anchor is not None:
        made[kernel.anchor] = True
    own = identity_map(shape)
    return all(array not in made or (made[array] and places == own) for array, places in reads)


def _stores(node: Node) -> list[Store]:
    """Return what writes an array: its own value, or each of its operands."""
    if node.op.place_map is None:
        return [Store(node, node, 0, strides_of(node.array_type.shape))]
    return [_operand_store(node, k) for k in range(len(node.inputs))]


def _operand_store(node: Node, operand: int) -> Store:
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
    """Return values that several kernels would compute and that are worth storing instead."""
    users: dict[Node, set[Kernel]] = {}
    for kernel in kernels:
        for value, computed in evaluated(kernel):
            for node in inlined(value, arrays, computed):
                if node not in arrays:
                    users.setdefault(node, set()).add(kernel)
    shared = {n for n in users if len(users[n]) > 1 and _worth_storing(n, arrays)}
    # Storing the last of a chain is enough; what leads to it is then read by one kernel again.
    followed = {o for n in shared for o in n.inputs if users.get(o) == users[n]}
    return shared - followed


def _worth_storing(node: Node, arrays: Container[Node]) -> bool:
    if node.op.is_view:
        return False
    anchored = any(n.op.kind in ("product", "reduce") for n, _ in reading(node, arrays, False))
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
