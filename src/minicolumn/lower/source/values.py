"""The elements of values at the current loop counters, as expressions of a source language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from minicolumn.ir.graph import Node
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.lower.source.language import Language, bare
from minicolumn.passes.addresses import Addresses, Key, gather_rest, in_order, uniform
from minicolumn.passes.index_map import Affine, IndexMap, strides_of

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
    table       the names of a lookup's table and its rows' scales, where it is one of int8
    """

    def __init__(
        self,
        lines: Lines,
        language: Language,
        names: Mapping[Node, str],
        ranges: Sequence[int],
        here: Container[Node] = (),
        given: Mapping[Node, str] | None = None,
        table: Callable[[Node], tuple[str, str] | None] = lambda node: None,
    ) -> None:
        self._lines, self._language, self._names = lines, language, names
        self._table = table
        self._addresses, self._given = Addresses(names, tuple(ranges), here), given or {}

    def of(self, keys: Sequence[Key]) -> list[str]:
        """Return values as expressions; what is read more than once, or is long, is declared before."""
        known: dict[Key, str] = {}
        uses = self._uses(keys)
        eager = self._eager(uses)
        for wanted in keys:
            for key in in_order(wanted, known, self._needs):
                text = self._computed(*key, [known[k] for k in self._needs(key)])
                is_short = uses[key] == 1 and len(text) <= LONG and key not in eager
                is_plain = self._is_there(key[0]) or is_short
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

    def _eager(self, keys: Iterable[Key]) -> set[Key]:
        """Return the values that are to be computed whether or not they are chosen."""
        chosen = [key for key in keys if key[0].op in self._language.eager]
        return {need for key in chosen for need in self._needs(key)}

    def _is_there(self, node: Node) -> bool:
        return node in self._given or uniform(node) is not None

    def _needs(self, key: Key) -> Sequence[Key]:
        """Return the values that one is computed from."""
        if self._is_there(key[0]) or self._addresses.leaf(*key) is not None:
            return ()
        return self._addresses.operands(*key)

    def _computed(self, node: Node, places: IndexMap, operands: Sequence[str]) -> str:
        if node in self._given:
            return self._given[node]
        if (constant := uniform(node)) is not None:
            text = self._language.number(constant)
            return f"({text})" if text.startswith("-") else text
        if (leaf := self._addresses.leaf(node, places)) is not None:
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
        array, rest = node.inputs[0], gather_rest(node, places)
        shape = array.array_type.shape
        if (int8 := self._table(node)) is not None:
            row = self._named_row(self._language.within(indices[0], shape[0]))
            return f"((float){int8[0]}[{row} * {shape[1]} + {affine_text(rest)}] * {int8[1]}[{row}])"
        steps = zip(indices, shape, strides_of(shape), strict=False)
        terms = [_times(self._language.within(index, n), stride) for index, n, stride in steps]
        if rest != Affine():
            terms.append(affine_text(rest))
        return f"{self._names[array]}[{' + '.join(terms)}]"

    def _named_row(self, row: str) -> str:
        name = self._lines.fresh("t")
        self._lines.add(self._language.local("int32_t", name, row))
        return name


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
