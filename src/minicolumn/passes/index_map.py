"""Index maps: which element of an operand an operation reads, as affine functions of loop counters.

A loop nest runs over counters i0, i1, ... of fixed ranges. The index along each axis of a value is
``const + sum coefficient * counter``, an index map one such function for each axis. Walking from a
result to what it is computed from composes maps: the index within the result becomes one within the operand.
Where that is not affine (a gather, a reshape that cuts counters in two) the operand must be an array.

    fn(x: f32[2,3], y: f32[3]) {
      a: f32[3,2] = transpose(x, axes=[1,0])      a[i0,i1] reads x[i1,i0]
      b: f32[2,3] = add(x, y)                     b[i0,i1] reads x[i0,i1] and y[i1]
    }

Elsewhere   MLIR's affine maps and XLA's IndexingMap, which also know modulo and floor division; LLVM's scalar
            evolution finds the same functions back in loops over addresses
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from minicolumn.ir.graph import Node
from minicolumn.ir.shapes import Shape


@dataclass(frozen=True)
class Affine:
    """An affine function of loop counters: const + the sum of coefficient * counter over `terms`.

    terms       (counter, coefficient), sorted by counter, coefficients never zero: so equal functions are
                equal records, and may be keys. `affine` makes this form, the constructor takes it for granted

    >>> counter(0, size=4) * 3 + counter(1, size=3) + 5
    Affine(const=5, terms=((0, 3), (1, 1)))
    >>> (counter(0, size=4) * 3).bounds([4])
    (0, 9)
    """

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
        """Return how far the index moves when a counter grows by one: the stride along it, in elements."""
        return dict(self.terms).get(counter, 0)

    @property
    def depth(self) -> int:
        """Return the innermost counter that matters, or -1: out of loops further in it can be hoisted."""
        return self.terms[-1][0] if self.terms else -1

    def bounds(self, ranges: Sequence[int]) -> tuple[int, int]:
        """Return the smallest and the largest value, both reached, for counters with 0 <= counter < range.

        ranges      of all counters; each at least 1
        """
        spans = [c * (ranges[d] - 1) for d, c in self.terms]
        return self.const + sum(min(s, 0) for s in spans), self.const + sum(max(s, 0) for s in spans)


IndexMap = tuple[Affine, ...]
ZERO = Affine()


def affine(const: int, terms: Mapping[int, int] | Iterable[tuple[int, int]]) -> Affine:
    """Return an affine function in its normal form: terms sorted, zero coefficients dropped."""
    return Affine(const, tuple(sorted((d, c) for d, c in dict(terms).items() if c)))


def counter(number: int, size: int) -> Affine:
    """Return the function that is one counter; along an axis of length one it is always 0.

    So an axis of length one has no term, and broadcast and plain axes need no cases of their own later.
    """
    return affine(0, {number: 1}) if size != 1 else ZERO


def identity_map(shape: Shape) -> IndexMap:
    """Return the identity index map of a shape: each axis has a counter of its own.

    >>> identity_map((2, 1))
    (Affine(const=0, terms=((0, 1),)), Affine(const=0, terms=()))
    """
    return tuple(counter(i, n) for i, n in enumerate(shape))


def strides_of(shape: Shape) -> tuple[int, ...]:
    """Return the strides of a contiguous (row-major) array, in elements.

    >>> strides_of((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def linear(places: IndexMap, shape: Shape) -> Affine:
    """Return the linear index of an element within a contiguous array: the sum of index * stride.

    >>> linear(identity_map((2, 3)), (2, 3))
    Affine(const=0, terms=((0, 3), (1, 1)))
    """
    total = ZERO
    for place, stride in zip(places, strides_of(shape), strict=True):
        total = total + place * stride
    return total


def operand_map(node: Node, operand: int, places: IndexMap, ranges: Sequence[int]) -> IndexMap | None:
    """Return the index map of an operand: which element is read for an element of a map or a shape operation.

    places      the index map of the result; ranges: of its counters
    Returns     one affine function for each axis of the operand; None where it is none, and the operand has
                to be an array

    >>> from minicolumn.ir.parse import parse_graph
    >>> a = parse_graph("fn(x: f32[2,3]) { a: f32[3,2] = transpose(x, axes=[1,0]) return a }").outputs[0]
    >>> operand_map(a, 0, identity_map((3, 2)), (3, 2)) == identity_map((3, 2))[::-1]
    True
    """
    shape = node.inputs[operand].array_type.shape
    if node.op.kind == "map":
        return broadcast_map(places, shape)
    if node.op.keeps_order:
        return split(linear(places, node.array_type.shape), shape, ranges)
    return node.op.index_map(places, shape, **node.attrs) if node.op.index_map else None


def broadcast_map(places: IndexMap, shape: Shape) -> IndexMap:
    """Return the index map of a broadcast operand: axes aligned at the right, those of length 1 read at 0."""
    aligned = places[len(places) - len(shape) :]
    if 1 not in shape:
        return aligned
    return tuple(ZERO if n == 1 else p for p, n in zip(aligned, shape, strict=True))


def split(number: Affine, shape: Shape, ranges: Sequence[int]) -> IndexMap | None:
    """Delinearize: return the index map within a shape of the element with a linear index, if it is affine.

    Outermost axis first, the terms that its stride divides go there. What remains below a stride must stay
    below it for all counters, or there is a carry into the axis before, which no affine function has: then
    None. So each counter moves along one axis alone.

    ranges      of the counters

    >>> split(linear(identity_map((6,)), (6,)), (2, 3), ranges=(6,)) is None
    True
    >>> split(linear(identity_map((2, 3)), (2, 3)), (2, 1, 3), ranges=(2, 3))[2]
    Affine(const=0, terms=((1, 1),))
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
