"""Index maps: which element of an operand an operation reads, as affine functions of loop counters.

A loop nest runs over counters i0, i1, ... of fixed ranges. The place along each axis of a value is
``const + sum coefficient * counter``; walking from a result to what it is computed from turns the places
within the result into places within the operand. Where that is not affine the operand must be an array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from minicolumn.ir.graph import Node
from minicolumn.ir.shapes import Shape


@dataclass(frozen=True)
class Affine:
    """const + the sum of coefficient * counter over `terms`, which are sorted and never zero."""

    const: int = 0
    terms: tuple[tuple[int, int], ...] = ()

    def __add__(self, other: Affine | int) -> Affine:
        if isinstance(other, int):
            return Affine(self.const + other, self.terms)
        total = dict(self.terms)
        for counter, coefficient in other.terms:
            total[counter] = total.get(counter, 0) + coefficient
        return affine(self.const + other.const, total)

    def __mul__(self, factor: int) -> Affine:
        if factor == 1:
            return self
        return affine(self.const * factor, {d: c * factor for d, c in self.terms})

    def coefficient(self, counter: int) -> int:
        """Return how far the place moves when a counter grows by one."""
        return dict(self.terms).get(counter, 0)

    @property
    def depth(self) -> int:
        """Return the innermost counter that matters, or -1."""
        return self.terms[-1][0] if self.terms else -1

    def bounds(self, ranges: Sequence[int]) -> tuple[int, int]:
        """Return the smallest and the largest value for counters within their ranges."""
        spans = [c * (ranges[d] - 1) for d, c in self.terms]
        return self.const + sum(min(s, 0) for s in spans), self.const + sum(max(s, 0) for s in spans)


IndexMap = tuple[Affine, ...]
ZERO = Affine()


def affine(const: int, terms: Mapping[int, int] | Iterable[tuple[int, int]]) -> Affine:
    """Return an affine function in its one normal form."""
    return Affine(const, tuple(sorted((d, c) for d, c in dict(terms).items() if c)))


def counter(number: int, size: int) -> Affine:
    """Return the place that a counter stands for; along an axis of length one it is always 0."""
    return affine(0, {number: 1}) if size != 1 else ZERO


def identity_map(shape: Shape) -> IndexMap:
    """Return the places when each axis has a counter of its own."""
    return tuple(counter(i, n) for i, n in enumerate(shape))


def strides_of(shape: Shape) -> tuple[int, ...]:
    """Return how many elements apart neighbours along each axis lie in a contiguous array.

    >>> strides_of((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def linear(places: IndexMap, shape: Shape) -> Affine:
    """Return the number of an element within a contiguous array."""
    total = ZERO
    for place, stride in zip(places, strides_of(shape), strict=True):
        total = total + place * stride
    return total


def operand_map(node: Node, operand: int, places: IndexMap, ranges: Sequence[int]) -> IndexMap | None:
    """Return which element of an operand is read for an element of a map or a shape operation.

    None where the place is no affine function of the counters; then the operand has to be an array.
    """
    shape = node.inputs[operand].array_type.shape
    if node.op.kind == "map":
        return broadcast_map(places, shape)
    if node.op.keeps_order:
        return split(linear(places, node.array_type.shape), shape, ranges)
    return node.op.index_map(places, shape, **node.attrs) if node.op.index_map else None


def broadcast_map(places: IndexMap, shape: Shape) -> IndexMap:
    """Return the places within an operand that broadcasts: aligned at the right, 1 is read again."""
    aligned = places[len(places) - len(shape) :]
    return tuple(ZERO if n == 1 else p for p, n in zip(aligned, shape, strict=True))


def split(number: Affine, shape: Shape, ranges: Sequence[int]) -> IndexMap | None:
    """Return the places within a shape of the element with this number, if they are affine.

    Each counter must move along one axis alone; what remains below a stride must stay below it.
    """
    found = []
    for n, stride in zip(shape, strides_of(shape), strict=True):
        if n == 1 or stride == 0:
            found.append(ZERO)
            continue
        whole = affine(number.const // stride, {d: c // stride for d, c in number.terms if c % stride == 0})
        number = number + whole * -stride
        low, high = number.bounds(ranges)
        if low < 0 or high >= stride:
            return None
        found.append(whole)
    return tuple(found) if not number.terms and not number.const else None
