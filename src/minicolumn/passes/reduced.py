"""The loops of a reduction: counters of the result's axes, then of the removed ones, and what they read."""

from __future__ import annotations

from minicolumn.ir.graph import Node
from minicolumn.passes.index_map import IndexMap, counter


def reduced_axes(node: Node) -> tuple[int, ...]:
    """Return the axes that a reduction removes."""
    return node.attrs["axes"] if "axes" in node.attrs else (node.attrs["axis"],)


def ranges_of(node: Node) -> tuple[int, ...]:
    """Return the ranges of the counters: first those of the result's axes, then those of the removed ones."""
    shape = node.inputs[0].array_type.shape
    removed = [shape[a] for a in reduced_axes(node)]
    return (*node.array_type.shape, *(removed or [1]))


def operand_map_of(node: Node) -> IndexMap:
    """Return which element of the operand the counters stand for."""
    shape, removed = node.inputs[0].array_type.shape, reduced_axes(node)
    kept = len(node.array_type.shape)
    found, result = [], 0
    for axis, n in enumerate(shape):
        if axis in removed:
            found.append(counter(kept + removed.index(axis), n))
        else:
            found.append(counter(result, n))
            result += 1
    return tuple(found)
