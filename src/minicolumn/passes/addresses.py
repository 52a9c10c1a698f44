"""Addresses: from which arrays the values of a kernel are read, and where, before any code is written.

A value at an index map is an array's element, or computed from operands at index maps of their own. Every
lowering that writes loops walks the same way down; only how it writes what it finds is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import numpy as np

from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import broadcast_shapes, one_number
from minicolumn.passes.index_map import Affine, IndexMap, broadcast_map, linear, operand_map

Key = tuple[Node, IndexMap]


def uniform(node: Node) -> np.generic | None:
    """Return the number that a constant, or a view of one, holds everywhere, if it does."""
    below = node
    while below.op.is_view:
        below = below.inputs[0]
    if below.op is not CONST or node.array_type.size == 0:
        return None
    return one_number(below.attrs["value"])


class Addresses:
    """The index maps that values are read from, found without emitting anything.

    here    arrays that this kernel computes, and so does not read
    """

    def __init__(self, arrays: Container[Node], ranges: tuple[int, ...], here: Container[Node] = ()) -> None:
        self.arrays, self.ranges, self.here = arrays, ranges, here

    def operands(self, node: Node, index_map: IndexMap) -> list[Key]:
        """Return what a value that is computed here is computed from."""
        if node.op is GATHER:
            return gather_indices(node, index_map)
        found = []
        for k, operand in enumerate(node.inputs):
            below = operand_map(node, k, index_map, self.ranges)
            assert below is not None, f"{node.op.name}: its operand has to be an array"
            found.append((operand, below))
        return found

    def leaf(self, node: Node, index_map: IndexMap) -> tuple[Node, Affine] | None:
        """Return the array that a value is read from, and where; None if it is computed."""
        for array in (node, *(node.inputs if node.op.keeps_order else ())):
            if array in self.arrays and array not in self.here:
                return array, linear(index_map, node.array_type.shape)
        return None

    def all(self, values: Iterable[Key], but: Node | None = None) -> list[Affine]:
        """Return every address that computing values reads from; `but` is there without being read."""
        found: list[Affine] = []
        for key, leaf in self._visited(values, but):
            if leaf is not None:
                found.append(leaf[1])
            elif key[0].op is GATHER:
                found.append(gather_rest(*key))
        return found

    def looked_up(self, values: Iterable[Key]) -> list[tuple[Affine, list[Affine]]]:
        """Return for each gather where it reads within a row, and where what says which row is read from."""
        return [
            (gather_rest(*key), self.all(gather_indices(*key)))
            for key, leaf in self._visited(values)
            if leaf is None and key[0].op is GATHER
        ]

    def _visited(
        self, values: Iterable[Key], but: Node | None = None
    ) -> Iterator[tuple[Key, tuple[Node, Affine] | None]]:
        """Yield what computing values computes on the way, each once, and the array of what is only read."""
        seen: set[Key] = set()
        stack = list(values)[::-1]
        while stack:
            key = stack.pop()
            if key in seen or key[0] is but:
                continue
            seen.add(key)
            leaf = self.leaf(*key)
            yield key, leaf
            if leaf is None:
                stack.extend(self.operands(*key))


def gather_indices(node: Node, index_map: IndexMap) -> list[Key]:
    """Return the index operands of a gather and the index map that an element needs of them."""
    return at_front(node.inputs[1:], index_map)


def scatter_indices(node: Node, index_map: IndexMap) -> list[Key]:
    """Return the index operands of a scatter and the index map that an update needs of them."""
    return at_front(node.inputs[2:], index_map)


def at_front(indices: Sequence[Node], index_map: IndexMap) -> list[Key]:
    """Return indices by which the leading axes are looked up, at the places of an element."""
    leading = index_map[: len(broadcast_shapes(*(i.array_type.shape for i in indices)))]
    return [(i, broadcast_map(leading, i.array_type.shape)) for i in indices]


def gather_rest(node: Node, index_map: IndexMap) -> Affine:
    """Return the part of a gather's address that is no data: the trailing axes."""
    shape = node.inputs[0].array_type.shape
    trailing = shape[len(node.inputs) - 1 :]
    return linear(index_map[len(index_map) - len(trailing) :], trailing)


def in_order(key: Key, known: Container[Key], needs: Callable[[Key], Sequence[Key]]) -> Iterator[Key]:
    """Yield the values that one needs and that are not known, then itself; chains may be long."""
    stack = [key]
    while stack:
        missing = [] if stack[-1] in known else [n for n in needs(stack[-1]) if n not in known]
        if missing:
            stack.extend(reversed(missing))
            continue
        top = stack.pop()
        if top not in known:
            yield top
