"""What a kernel touches and how it is shared out: from this follows where barriers must stand.

A barrier interval is what runs between two barriers. A kernel belongs to the first one in which
all that it needs is there; within an interval a thread goes on with what it has computed itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from minicolumn.ir.graph import Node
from minicolumn.lower.llvm.codegen.kernels import worth_sharing
from minicolumn.lower.llvm.codegen.products import (
    epilogue_arrays,
    is_by_rows,
    product_of,
    product_worth_sharing,
)
from minicolumn.lower.llvm.matmul import goes_by_rows, packed_operands, packs_by_rows
from minicolumn.lower.llvm.schedule.by_rows import arrays_by_rows, rows_of
from minicolumn.lower.llvm.schedule.lane_axes import lanes_of_body
from minicolumn.lower.llvm.schedule.machine import Machine
from minicolumn.passes.kernel import Fused, Kernel, arrays_read

# An array, and if each thread touches its own rows of it only: how many rows there are; else 0.
Touch = tuple[Node, int]


@dataclass(frozen=True, eq=False)
class Work:
    """What a kernel touches.

    solo        whether one thread does all of it
    packing     for a product whose operands are packed before it begins: that
    """

    solo: bool
    reads: Sequence[Touch]
    writes: Sequence[Touch]
    packing: Work | None = None

    @property
    def packed(self) -> list[Node]:
        """Return the arrays that are packed before the product begins."""
        return [array for array, _ in self.packing.reads] if self.packing else []


def work_of(fused: Fused, kernel: Kernel, machine: Machine) -> Work:
    """Return what a kernel touches."""
    if kernel.kind == "product":
        return _product(fused, kernel, machine)
    read, rows = arrays_read(kernel, fused.arrays), rows_of(kernel)
    if kernel.kind == "scan":
        assert kernel.anchor is not None
        written = [i for i in fused.items if i.inputs[0] is kernel.anchor]
        solo = lanes_of_body(kernel.anchor.attrs["body"]) is not None
        return Work(solo, _whole(read), _whole(written))
    own = arrays_by_rows(fused, kernel, rows) if rows else set()
    solo = not rows and not worth_sharing(kernel)
    return Work(solo, _touches(read, own, rows), _touches(kernel.targets, own, rows))


def _product(fused: Fused, kernel: Kernel, machine: Machine) -> Work:
    spec, left, right = product_of(kernel, fused)
    assert kernel.anchor is not None
    is_one = len(kernel.shape) == 2
    rows = spec.m if is_one and goes_by_rows(spec, machine) else 0
    solo = not rows and not product_worth_sharing(kernel.anchor)
    packs = packed_operands(spec, machine) if is_one else (False, False)
    packing = None
    if any(packs):
        by_rows = packs_by_rows(spec, machine) and is_by_rows(right, spec.k)
        packed = [f.array for f, is_packed in zip((left, right), packs, strict=True) if is_packed]
        packing = Work(solo, _touches(packed, packed if by_rows else (), spec.k), ())
    factors = [f.array for f, is_packed in zip((left, right), packs, strict=True) if not is_packed]
    own_left = [left.array] if is_by_rows(left, rows) and right.array is not left.array else []
    own = arrays_by_rows(fused, kernel, rows) if rows else set()
    after = _touches(epilogue_arrays(fused, kernel), own, rows)
    return Work(
        solo, [*_touches(factors, own_left, rows), *after], _touches(kernel.targets, own, rows), packing
    )


def _whole(arrays: Iterable[Node]) -> list[Touch]:
    return [(array, 0) for array in arrays]


def _touches(arrays: Iterable[Node], own: Iterable[Node], rows: int) -> list[Touch]:
    mine = set(own)
    return [(array, rows if array in mine else 0) for array in arrays]


def barrier_intervals(
    kernels: Sequence[Kernel], needs: Mapping[Kernel, Sequence[Kernel]], work: Mapping[Kernel, Work]
) -> dict[Kernel, int]:
    """Return the barrier interval of each kernel; `needs` are those that must have run before it."""
    found: dict[Kernel, int] = {}
    for kernel in kernels:
        mine = work[kernel]
        first = max((found[n] + _waits(work[n], mine) for n in needs[kernel]), default=0)
        if mine.packing:
            makers = [n for n in needs[kernel] if _linked(work[n], mine.packing)]
            packed = max((found[n] + _waits(work[n], mine.packing) for n in makers), default=0)
            first = max(first, packed + 1)
        found[kernel] = first
    return found


def _linked(maker: Work, reader: Work) -> bool:
    return bool({array for array, _ in maker.writes} & {array for array, _ in reader.reads})


def _waits(before: Work, after: Work) -> bool:
    """Return whether a barrier must stand between two kernels, of which the later one needs the earlier."""
    if before.solo and after.solo:
        return False
    written = dict(before.writes)
    linked = [(written[array], rows) for array, rows in after.reads if array in written]
    # Where nothing is handed over, the later one overwrites what the earlier one reads.
    return not linked or any(not rows or rows != other for other, rows in linked)
