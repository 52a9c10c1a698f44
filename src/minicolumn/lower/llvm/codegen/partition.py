"""Which piece of the work is a thread's: some of many pieces, or the same rows in kernel after kernel."""

from __future__ import annotations

from minicolumn.lower.llvm.codegen.emit import Function, Value, index

# Loops over fewer elements, and products of fewer multiplications, are done faster than they are shared out.
ELEMENTS, MULTIPLICATIONS = 8192, 100_000
# Fewer rows are not shared out as rows. What a thread has is a multiple of the unit, so that few register
# tiles are cut short, and whole vectors end where rows do.
LEAST_ROWS, ROW_UNIT = 64, 16


def share(f: Function, total: Value | int, part: Value, parts: Value) -> tuple[Value, Value]:
    """Return the first and the last (not included) of `total` things that a part has to do."""
    total = index(total) if isinstance(total, int) else total
    first = f.op("sdiv", f.op("mul nsw", total, part), parts)
    after = f.op("add nsw", part, index(1))
    return first, f.op("sdiv", f.op("mul nsw", total, after), parts)


def share_units(f: Function, size: int, unit: int, part: Value, parts: Value) -> tuple[Value, Value]:
    """Return where a part begins and ends, in whole units but for the last one."""
    first, last = share(f, -(-size // unit), part, parts)
    start, stop = (f.op("mul nsw", x, index(unit)) for x in (first, last))
    return start, f.call("llvm.smin.i64", "i64", stop, index(size))


def share_rows(f: Function, rows: int, part: Value, parts: Value) -> tuple[Value, Value]:
    """Return the rows of a part: the same for every kernel with so many rows. The last has the remainder."""
    first, last = share(f, rows // ROW_UNIT, part, parts)
    start, stop = (f.op("mul nsw", x, index(ROW_UNIT)) for x in (first, last))
    is_last = f.compare("eq", f.op("add nsw", part, index(1)), parts)
    return start, f.select(is_last, index(rows), stop)
