"""Kernels that go row by row: a row of their results needs but the same row of some arrays.

Where one such kernel follows the other and each thread has the same rows in both, no barrier is needed.
"""

from __future__ import annotations

from minicolumn.ir.graph import Node
from minicolumn.lower.llvm.codegen import partition
from minicolumn.passes.index_map import counter, identity_map, strides_of
from minicolumn.passes.kernel import Fused, Kernel, Store, evaluated, reading
from minicolumn.passes.reduced import reduced_axes


def rows_of(kernel: Kernel) -> int:
    """Return how many rows a loop or a reduction is shared out by; 0 where it is not."""
    least = max(partition.LEAST_ROWS, 2)  # a single row is no loop, which could be shared out
    if kernel.kind not in ("loop", "reduce") or not kernel.shape or kernel.shape[0] < least:
        return 0
    if kernel.kind == "reduce" and not _keeps_rows(kernel):
        return 0  # its results are what follows a barrier: they need not be the same thread's
    rows = kernel.shape[0]
    return rows if all(_stores_by_rows(store, rows) for store in kernel.stores) else 0


def _stores_by_rows(store: Store, rows: int) -> bool:
    shape = store.target.array_type.shape
    if not shape or shape[0] != rows:
        return False
    row, ranges = strides_of(shape)[0], store.value.array_type.shape
    low, high = (store.address + counter(0, rows) * -row).bounds(ranges)
    return store.strides[0] == row and low >= 0 and high < row


def arrays_by_rows(fused: Fused, kernel: Kernel, rows: int) -> set[Node]:
    """Return the arrays of which a kernel, for one of its rows, touches nothing but that row.

    The operands of a product are not looked at.
    """
    found, others = {s.target for s in kernel.stores if _stores_by_rows(s, rows)}, set[Node]()
    own = counter(0, rows)
    for value, computed in evaluated(kernel):
        stored = any(s.value is value for s in kernel.stores)
        in_order = stored or (identity_map(value.array_type.shape)[:1] == (own,) and _keeps_rows(kernel))
        for array, index_map in reading(value, fused.arrays, computed):
            by_rows = in_order and index_map is not None and index_map[:1] == (own,)
            (found if by_rows and array.array_type.shape[0] == rows else others).add(array)
    return found - others


def _keeps_rows(kernel: Kernel) -> bool:
    """Return whether the rows of a reduction's operand are those of its result."""
    return kernel.anchor is not None and 0 not in reduced_axes(kernel.anchor)
