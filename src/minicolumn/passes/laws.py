"""Verifiers of kernels and of the memory plan, as `ir.verify` is that of graphs.

They state what every lowering takes for granted, and find it out anew instead of asking the passes.

Elsewhere   LLVM's and MLIR's verifiers, XLA's HloVerifier
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from minicolumn.errors import TraceError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.text import print_graph
from minicolumn.ir.verify import verify
from minicolumn.passes.expand import expand
from minicolumn.passes.kernel import Fused, Kernel, is_leaf
from minicolumn.passes.memory import Memory, bytes_of
from minicolumn.passes.simplify import simplify

# A place in the arena and the kernels, by number, from the first to the last that need it.
Span = tuple[int, int, int, int]


def check_outlined(outlined: Graph, graph: Graph) -> None:
    """Check that a graph with operations in the place of their expansions means what it did without them.

    Errors      TraceError where expanding it does not give the graph that it was made of, to the node
    Complexity  linear in nodes
    """
    expanded = expand(outlined)
    verify(expanded)
    if _text(expanded) != _text(graph):
        raise TraceError("what was put in the place of operations expands to another graph")


def _text(graph: Graph) -> str:
    """Return a graph's text without the lines of the user's program that its nodes come from."""
    shared = simplify(graph, parts=("rewrite", "share"))
    return re.sub(r"(?m) +# .*$", "", print_graph(shared))


def check_kernels(fused: Fused) -> None:
    """Check that every array is stored once, whole, and before it is read, and that every result is an array.

    Errors      TraceError, which names the kernel or the array
    Complexity  linear in kernels and what they read
    """
    place = {kernel: k for k, kernel in enumerate(fused.kernels)}
    left = Counter(store.target for kernel in fused.kernels for store in kernel.stores)
    finished = {node for node in fused.arrays if is_leaf(node)}
    for kernel in fused.kernels:
        if any(place[needed] >= place[kernel] for needed in fused.needs[kernel]):
            raise TraceError(f"{kernel} runs before a kernel that it needs")
        unready = [node for node in fused.reads(kernel) if node not in finished]
        if unready:
            raise TraceError(f"{kernel} reads {unready[0]} before it is there")
        left.subtract(store.target for store in kernel.stores)
        finished |= {store.target for store in kernel.stores if not left[store.target]}
        finished |= {item for item in fused.items if item.inputs[0] is kernel.anchor}
    for node in fused.graph.outputs:
        if node not in finished:
            raise TraceError(f"nothing computes the result {node}")
    _check_stores(fused)


def _check_stores(fused: Fused) -> None:
    """Check that the stores of each array add up to its number of elements."""
    stored: Counter[Node] = Counter()
    for kernel in fused.kernels:
        for store in kernel.stores:
            stored[store.target] += store.value.array_type.size
    for node, elements in stored.items():
        parts = node.inputs if node.op.place_map else (node,)
        whole = sum(part.array_type.size for part in parts)
        if elements != whole:
            raise TraceError(f"{elements} elements of {node} are stored, not {whole}")


def check_memory(memory: Memory, fused: Fused, needs: Mapping[Kernel, int]) -> None:
    """Check the buffer assignment: what is live at the same time lies apart, and all of it within the arena.

        two spans [low, high) of bytes and [first, last] of kernels must not meet in both

    needs       bytes of workspace of each kernel
    Errors      TraceError, which names two of them
    Complexity  a sweep over spans sorted by address: spans x those that overlap in address
    """
    spans: list[tuple[Node | Kernel, Span]] = [
        (node, _span_of(node, life, memory)) for node, life in _lives(memory, fused).items()
    ]
    for k, kernel in enumerate(memory.kernels):
        if kernel in memory.workspaces:
            low = memory.workspaces[kernel]
            spans.append((kernel, (low, low + needs[kernel], memory.fills.get(kernel, k), k)))
    for owner, span in spans:
        if span[1] > memory.size:
            raise TraceError(f"{owner} ends at {span[1]}, beyond the arena of {memory.size} bytes")
    spans.sort(key=lambda span: span[1])
    for k, (owner, span) in enumerate(spans):
        for other, another in spans[k + 1 :]:
            if another[0] >= span[1]:
                break
            if another[2] <= span[3] and span[2] <= another[3]:
                raise TraceError(f"{owner} and {other} share memory while both are needed")


def _span_of(node: Node, life: tuple[int, int], memory: Memory) -> Span:
    low = memory.offsets[node]
    return low, low + bytes_of(node.array_type), *life


def _lives(memory: Memory, fused: Fused) -> dict[Node, tuple[int, int]]:
    """Return the live range of each array of the arena: the first and last kernel, by number, to touch it."""
    found: dict[Node, tuple[int, int]] = {}
    for k, kernel in enumerate(memory.kernels):
        items = (item for item in fused.items if item.inputs[0] is kernel.anchor)
        for array in (*kernel.targets, *items, *fused.reads(kernel)):
            if array in memory.offsets:
                found[array] = (found.get(array, (k, k))[0], k)
    for copy in memory.copies:
        if copy.source in found:
            found[copy.source] = (found[copy.source][0], len(memory.kernels))
    return found
