"""The elements of values at the current loop counters, as expressions of a source language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

from minicolumn.ir.arrays import Array
from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import broadcast_shapes
from minicolumn.lower.source.language import Language, bare
from minicolumn.passes.index_map import Affine, IndexMap, broadcast_map, linear, operand_map, strides_of

Key = tuple[Node, IndexMap]
LONG = 60  # characters of an expression that is written in the place where it is read


class Lines:
    """Lines of source, indented by the blocks that they stand in.

    >>> lines = Lines()
    >>> with_block = lines.open("for (;;) {")
    >>> lines.add("work();")
    >>> lines.close()
    >>> print(lines)
    for (;;) {
      work();
    }
    """

    def __init__(self, depth: int = 0) -> None:
        self._lines: list[str] = []
        self._depth = depth
        self._names = 0

    def add(self, line: str) -> None:
        """Add a line."""
        self._lines.append("  " * self._depth + line)

    def open(self, line: str) -> None:
        """Add the head of a block."""
        self.add(line)
        self._depth += 1

    def close(self) -> None:
        """End a block."""
        self._depth -= 1
        self.add("}")

    def fresh(self, letter: str) -> str:
        """Return a name that no other line has."""
        self._names += 1
        return f"{letter}{self._names}"

    def __str__(self) -> str:
        return "\n".join(self._lines)


class Values:
    """Values at the current counters of a loop nest, each computed once and kept under a name.

    lines       where the names are declared
    names       of the arrays that lie in memory
    ranges      of the counters i0, i1, ...
    here        arrays that the kernel itself computes
    given       values that are there without being computed, such as the sum that is finished
    """

    def __init__(
        self,
        lines: Lines,
        language: Language,
        names: Mapping[Node, str],
        ranges: Sequence[int],
        here: Container[Node] = (),
        given: Mapping[Node, str] | None = None,
    ) -> None:
        self._lines, self._language, self._names = lines, language, names
        self._ranges, self._here, self._given = tuple(ranges), here, given or {}

    def of(self, keys: Sequence[Key]) -> list[str]:
        """Return values as expressions; what is read more than once, or is long, is declared before."""
        known: dict[Key, str] = {}
        uses = self._uses(keys)
        stack = list(keys)[::-1]
        while stack:
            key = stack[-1]
            missing = [k for k in self._needs(key) if k not in known]
            if missing:
                stack += reversed(missing)
                continue
            stack.pop()
            if key not in known:
                text = self._computed(*key, [known[k] for k in self._needs(key)])
                is_plain = self._is_there(key[0]) or (uses[key] == 1 and len(text) <= LONG)
                known[key] = text if is_plain or text.isalnum() else self._named(key[0], text)
        return [bare(known[key]) for key in keys]

    def _uses(self, keys: Sequence[Key]) -> Counter[Key]:
        """Return how often each value is read on the way to some."""
        found = Counter(keys)
        stack = list(found)
        while stack:
            for key in self._needs(stack.pop()):
                found[key] += 1
                if found[key] == 1:
                    stack.append(key)
        return found

    def _is_there(self, node: Node) -> bool:
        return node in self._given or uniform(node) is not None

    def _needs(self, key: Key) -> list[Key]:
        """Return the values that one is computed from."""
        node, places = key
        if self._is_there(node) or self._leaf(node, places) is not None:
            return []
        if node.op is GATHER:
            return _looked_up_by(node, places)
        found = []
        for k, operand in enumerate(node.inputs):
            below = operand_map(node, k, places, self._ranges)
            assert below is not None, f"{node.op.name}: its operand has to be an array"
            found.append((operand, below))
        return found

    def _leaf(self, node: Node, places: IndexMap) -> tuple[Node, Affine] | None:
        """Return the array that a value is read from, and where; None if it is computed."""
        for array in (node, *(node.inputs if node.op.keeps_order else ())):
            if array in self._names and array not in self._here:
                return array, linear(places, node.array_type.shape)
        return None

    def _computed(self, node: Node, places: IndexMap, operands: Sequence[str]) -> str:
        if node in self._given:
            return self._given[node]
        if (constant := uniform(node)) is not None:
            text = self._language.number(constant)
            return f"({text})" if text.startswith("-") else text
        if (leaf := self._leaf(node, places)) is not None:
            return f"{self._names[leaf[0]]}[{affine_text(leaf[1])}]"
        if node.op is GATHER:
            return self._looked_up(node, places, operands)
        if node.op.kind != "map":  # a view
            return operands[0]
        return self._language.maps[node.op](node, *operands)

    def _named(self, node: Node, expression: str) -> str:
        name = self._lines.fresh("t")
        type = self._language.type_of(node.array_type.dtype)
        self._lines.add(self._language.local(type, name, bare(expression)))
        return name

    def _looked_up(self, node: Node, places: IndexMap, indices: Sequence[str]) -> str:
        array = node.inputs[0]
        shape = array.array_type.shape
        trailing = shape[len(indices) :]
        rest = linear(places[len(places) - len(trailing) :], trailing)
        steps = zip(indices, shape, strides_of(shape), strict=False)
        terms = [_times(self._language.within(index, n), stride) for index, n, stride in steps]
        if rest != Affine():
            terms.append(affine_text(rest))
        return f"{self._names[array]}[{' + '.join(terms)}]"


def _looked_up_by(node: Node, places: IndexMap) -> list[Key]:
    """Return the indices of a gather, with the places that an element needs of them."""
    indices = node.inputs[1:]
    leading = places[: len(broadcast_shapes(*(i.array_type.shape for i in indices)))]
    return [(i, broadcast_map(leading, i.array_type.shape)) for i in indices]


def affine_text(address: Affine) -> str:
    """Return an affine function of the counters as an expression.

    >>> affine_text(Affine(5, ((0, 3), (1, 1))))
    'i0 * 3 + i1 + 5'
    """
    terms = [_times(f"i{depth}", factor) for depth, factor in address.terms]
    if address.const or not terms:
        terms.append(str(address.const))
    return " + ".join(terms)


def _times(text: str, factor: int) -> str:
    return text if factor == 1 else f"{text} * {factor}"


def uniform(node: Node) -> Array | None:
    """Return the number that a constant, or a view of one, holds everywhere, if it does."""
    below = node
    while below.op.is_view:
        below = below.inputs[0]
    if below.op is not CONST or not node.array_type.size:
        return None
    flat = below.attrs["value"].reshape(-1)
    return flat[0] if flat.tobytes() == len(flat) * flat[:1].tobytes() else None
