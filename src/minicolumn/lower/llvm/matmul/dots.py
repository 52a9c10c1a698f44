"""Products with a vector that run along k: a few rows at a time, the lanes of a register share a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minicolumn.lower.llvm.codegen.emit import Function, Value, const, lanes_of
from minicolumn.lower.llvm.matmul.lanes import load_lanes
from minicolumn.lower.llvm.matmul.micro import Arithmetic, Factors, Tile, join_chains


def dots(fn: Function, maths: Arithmetic, tile: Tile, chains: int, x: Factors, k: int) -> list[Value]:
    """Return the dot product of each row with b; which lane an element falls in depends on k alone."""
    rows, type, lanes = tile.rows, tile.type, lanes_of(tile.type)
    step = lanes * chains
    whole = k // step * step
    zeros = [const(type, 0)] * (rows * chains)
    with fn.loop(0, whole, step, carried=[x.a, x.b, *zeros]) as loop:
        at = replace(x, a=loop.carried[0], b=loop.carried[1])
        sums = _add(fn, maths, rows, type, at, step, loop.carried[2:])
        loop.next(*at.after(fn, step, maths.element), *sums)
    at = replace(x, a=loop.results[0], b=loop.results[1])
    sums = _add(fn, maths, rows, type, at, k - whole, loop.results[2:])
    return [_sum_of_lanes(fn, maths, total) for total in join_chains(fn, maths, sums, rows)]


def _add(
    fn: Function, maths: Arithmetic, rows: int, type: str, x: Factors, steps: int, held: Sequence[Value]
) -> list[Value]:
    """Add `steps` products to each row's sums, a vector to each chain."""
    held, lanes = list(held), lanes_of(type)
    for chain, at in enumerate(range(0, steps, lanes)):
        valid = min(lanes, steps - at)
        b = load_lanes(fn, type, fn.at(x.b, at, maths.element), valid)
        for r in range(rows):
            a = load_lanes(fn, type, fn.at(x.a, r * x.a_row + at, maths.element), valid)
            held[chain * rows + r] = maths.multiply_add(fn, a, b, held[chain * rows + r])
    return held


def _sum_of_lanes(fn: Function, maths: Arithmetic, value: Value) -> Value:
    """Add the upper half to the lower until one lane is left."""
    while (half := lanes_of(value.type) // 2) > 1:
        low, high = (fn.shuffle(value, None, range(s, s + half)) for s in (0, half))
        value = maths.add(fn, low, high)
    return maths.add(fn, fn.lane(value, 0), fn.lane(value, 1)) if half else value
