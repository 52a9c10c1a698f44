"""Which loops look for signals while they run, and after how many iterations they first do so."""

from __future__ import annotations

from math import prod

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.shapes import Dim, Length

# Operations of a loop that is over before anybody would wait for it, some 10 to 100 milliseconds.
SHORT = 1 << 24
# Operations before the first look, a millisecond or so; the clock tells when to look again.
FIRST_LOOK = 1 << 20
# What an operation that Python does counts as.
_BY_PYTHON = 1 << 14


def first_look(loop: Node) -> int:
    """Return after how many iterations a `scan` first looks for signals; 0 if it is too short to look."""
    each, length = operations(loop.attrs["body"]), loop.attrs["length"]
    if not isinstance(length, Dim) and length * each <= SHORT:
        return 0
    return max(1, FIRST_LOOK // each)


def operations(graph: Graph) -> int:
    """Return about how many operations a graph takes at least, at least one.

    That is one an element, one a multiplication of a product; symbolic dimensions count as 1.
    """
    return max(1, sum(map(_operations, graph.nodes)))


def _operations(node: Node) -> int:
    if node.op is SCAN:
        return _known(node.attrs["length"]) * operations(node.attrs["body"])
    if node.op in (INPUT, CONST, ITEM):
        return 0
    if node.op.kernel == "host":
        return _BY_PYTHON
    factor = node.inputs[0].array_type.shape[-1] if node.op.kind == "product" else 1
    return prod(map(_known, node.array_type.shape)) * _known(factor)


def _known(n: Length) -> int:
    return 1 if isinstance(n, Dim) else n
