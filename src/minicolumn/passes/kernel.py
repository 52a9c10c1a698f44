"""Kernels, the units of fused work that passes and lowerings hand on: what they compute, read and write.

Elsewhere   a fusion computation of XLA's, a PrimFunc of TVM's
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.control import ITEM
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import Shape
from minicolumn.passes.index_map import Affine, IndexMap, identity_map, operand_map


@dataclass(frozen=True, eq=False)
class Store:
    """A strided store: a value is written to an array at offset + the sum of strides * index.

    value       [*shape]; the indices run over it
    target      the array; the value itself, or what a concatenation or pad makes of several
    offset, strides     in elements of the target
    """

    value: Node
    target: Node
    offset: int
    strides: tuple[int, ...]

    @property
    def address(self) -> Affine:
        """Return the linear index within the target, in counters of the value's own axes."""
        places = identity_map(self.value.array_type.shape)
        total = Affine(self.offset)
        for place, stride in zip(places, self.strides, strict=True):
            total = total + place * stride
        return total

    @property
    def is_plain(self) -> bool:
        """Return whether the value is the whole array."""
        return self.value is self.target


@dataclass(eq=False)
class Kernel:
    """One unit of work; `anchor` is the operation that is no map, if there is one.

    kind    loop, reduce, product, order, scatter, scan, host, or fill: zeros for what a pad does not write
    shape   of what is stored, and so of the loops
    stores  what is written; they grow while operations are fused and stay as they are after that
    """

    kind: str
    shape: Shape
    anchor: Node | None = None
    stores: list[Store] = field(default_factory=list)

    @property
    def targets(self) -> list[Node]:
        """Return the arrays that it writes, each once."""
        filled = [self.anchor] if self.kind == "fill" and self.anchor else []
        return list(dict.fromkeys((*filled, *(s.target for s in self.stores))))

    def __repr__(self) -> str:
        what = f" {self.anchor.op.name}" if self.anchor else ""
        return f"<{self.kind}{what} {list(self.shape)}, {len(self.stores)} stores>"


@dataclass(frozen=True, eq=False)
class Fused:
    """A fused graph: kernels in an order that can run.

    arrays  the nodes whose values lie in memory
    needs   for each kernel those that must have run before it: the dependence graph, without cycles
    """

    graph: Graph
    kernels: tuple[Kernel, ...]
    arrays: frozenset[Node]
    needs: Mapping[Kernel, list[Kernel]]

    @cached_property
    def items(self) -> list[Node]:
        """Return the results of loops that somebody reads, in the order of the graph."""
        return [n for n in self.graph.nodes if n.op is ITEM]

    def reads(self, kernel: Kernel) -> list[Node]:
        """Return the arrays that a kernel reads, inputs and constants among them, each once."""
        return arrays_read(kernel, self.arrays)


def is_leaf(node: Node) -> bool:
    """Return whether a node is an array from the start: an input or a constant."""
    return node.op in (INPUT, CONST)


# What a kernel computes -------------------------------------------------------------------------------------


def evaluated(kernel: Kernel) -> Iterator[tuple[Node, bool]]:
    """Yield the values that a kernel computes element by element, and whether each is an array itself.

    What a product, a loop over a body or a call makes is not among them; the operand of a reduction is.
    """
    for store in kernel.stores:
        if store.value is not kernel.anchor:
            yield store.value, store.is_plain
    if kernel.anchor is not None and kernel.kind in ("reduce", "order", "scatter"):
        for operand in kernel.anchor.inputs:
            yield operand, False


def needed_whole(kernel: Kernel) -> tuple[Node, ...]:
    """Return the operands that a kernel wants in memory: those of products, loops over bodies and calls."""
    return kernel.anchor.inputs if kernel.anchor and kernel.kind in ("product", "scan", "host") else ()


def array_below(node: Node, arrays: Container[Node]) -> Node:
    """Return the array that a view, or a view of views, reads."""
    while node not in arrays:
        node = node.inputs[0]
    return node


def arrays_read(kernel: Kernel, arrays: Container[Node]) -> list[Node]:
    """Return the arrays that a kernel reads and does not compute first, each once: its uses (live-in).

    Complexity  linear in the nodes that it computes
    """
    found: dict[Node, None] = {}
    for value, computed in evaluated(kernel):
        found.update(dict.fromkeys(leaf_arrays(value, arrays, computed)))
    for operand in needed_whole(kernel):
        found.setdefault(array_below(operand, arrays))
    own = {s.target for s in kernel.stores if s.is_plain} | {kernel.anchor}
    return [n for n in found if n not in own]


def leaf_arrays(value: Node, arrays: Container[Node], computed: bool) -> Iterator[Node]:
    """Yield the arrays that a value is computed from, each once; see `reading`, which takes longer."""
    stack, seen = [value], {value}
    while stack:
        node = stack.pop()
        if node in arrays and not (computed and node is value):
            yield node
            continue
        for operand in node.inputs:
            if operand not in seen:
                seen.add(operand)
                stack.append(operand)


def reading(value: Node, arrays: Container[Node], computed: bool) -> Iterator[tuple[Node, IndexMap | None]]:
    """Yield the arrays that a value is computed from, each with its index map; None where the index is data.

    computed    whether the value, if it is an array, is computed here rather than read

    An array that is read by several index maps comes once for each.

    >>> from minicolumn.ir.parse import parse_graph
    >>> graph = parse_graph("fn(x: f32[2,3], b: f32[3]) { a: f32[2,3] = add(x, b) return a }")
    >>> found = reading(graph.outputs[0], set(graph.inputs), computed=True)
    >>> {array.attrs["name"]: places for array, places in found}["b"]
    (Affine(const=0, terms=((1, 1),)),)
    """
    shape = value.array_type.shape
    stack: list[tuple[Node, IndexMap | None]] = [(value, identity_map(shape))]
    seen = set(stack)
    while stack:
        node, places = stack.pop()
        if node in arrays and not (computed and node is value):
            yield node, places
            continue
        for step in _below(node, places, shape):
            if step not in seen:
                seen.add(step)
                stack.append(step)


def _below(node: Node, places: IndexMap | None, ranges: Shape) -> Iterator[tuple[Node, IndexMap | None]]:
    """Yield the operands of a node with their index maps, composed with the node's own."""
    for k, operand in enumerate(node.inputs):
        if places is None or node.op is GATHER:
            yield operand, None
        else:
            yield operand, operand_map(node, k, places, ranges)


def inlined(value: Node, arrays: Container[Node], computed: bool) -> set[Node]:
    """Return every node that is computed on the way to a value (its backward slice), the value among them."""
    if value in arrays and not computed:
        return set()
    found, stack = {value}, [value]
    while stack:
        for operand in stack.pop().inputs:
            if operand not in found and operand not in arrays:
                found.add(operand)
                stack.append(operand)
    return found


def topological_kernels(kernels: Iterable[Kernel], needs: dict[Kernel, list[Kernel]]) -> list[Kernel]:
    """Return the kernels in topological order, each after what it needs; else in the given order.

    A depth-first walk with a stack of its own, linear in kernels and edges; a cycle is not noticed here.
    """
    order: list[Kernel] = []
    seen: set[Kernel] = set()
    for root in kernels:
        stack = [] if root in seen else [(root, iter(needs[root]))]
        seen.add(root)
        while stack:
            kernel, rest = stack[-1]
            other = next((k for k in rest if k not in seen), None)
            if other is None:
                order.append(kernel)
                stack.pop()
            else:
                seen.add(other)
                stack.append((other, iter(needs[other])))
    return order
