"""The loop nest of a kernel: neighbouring axes that all addresses walk alike are collapsed into one loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from minicolumn.ir.shapes import Shape
from minicolumn.passes.index_map import Affine


@dataclass(frozen=True)
class Loops:
    """Nested loops, outermost first: each is a run of counters that together count 0 ... size - 1."""

    groups: tuple[tuple[int, ...], ...]
    ranges: Shape

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return how far each loop counts."""
        return tuple(prod(self.ranges[d] for d in group) for group in self.groups)

    def strides(self, address: Affine) -> tuple[int, ...]:
        """Return how far an address moves for one step of each loop."""
        return tuple(address.coefficient(group[-1]) for group in self.groups)


def merged(ranges: Shape, addresses: Iterable[Affine], alone: Sequence[int] = ()) -> Loops:
    """Return as few loops as all addresses allow; counters named in `alone` begin a loop of their own."""
    known = list(dict.fromkeys(addresses))
    groups: list[tuple[int, ...]] = []
    for d, n in enumerate(ranges):
        if n == 1 and d not in alone:
            continue
        if groups and d not in alone and all(_walks_on(a, groups[-1][-1], d, n) for a in known):
            groups[-1] = (*groups[-1], d)
        else:
            groups.append((d,))
    return Loops(tuple(groups), ranges)


def _walks_on(address: Affine, outer: int, inner: int, size: int) -> bool:
    return address.coefficient(outer) == address.coefficient(inner) * size


def separate(ranges: Shape) -> Loops:
    """Return a loop for every counter."""
    return Loops(tuple((d,) for d in range(len(ranges))), ranges)
