"""The register tile: rows x vectors of results, kept in registers while k runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minicolumn.lower.llvm.codegen.emit import Function, Value, const, index, is_float, lanes_of
from minicolumn.lower.llvm.matmul.lanes import load_lanes, minus, store_lanes, times
from minicolumn.lower.llvm.matmul.shapes import Product, Tiling, fused
from minicolumn.lower.llvm.schedule.machine import Machine


@dataclass(frozen=True)
class Tile:
    """A register tile: rows x vectors, of whose last vector only `tail` lanes count (0: all)."""

    rows: int
    vectors: int
    tail: int
    type: str  # of a vector

    def width(self, v: int) -> int:
        """Return how many lanes of vector v count."""
        lanes = lanes_of(self.type)
        return self.tail if self.tail and v == self.vectors - 1 else lanes

    @property
    def places(self) -> list[tuple[int, int]]:
        """Return (row, vector) of each accumulator."""
        return [(r, v) for r in range(self.rows) for v in range(self.vectors)]


@dataclass(frozen=True)
class Factors:
    """Where a tile's rows of a and columns of b begin, and how far it is to the next row and the next k."""

    a: Value
    a_row: int
    a_step: int
    b: Value
    b_step: int
    b_padded: bool  # whether lanes beyond the tail may be read

    def moved(self, fn: Function, steps: Value, element: str) -> Factors:
        """Return the factors some steps of k further on."""
        a, b = (times(fn, steps, step) for step in (self.a_step, self.b_step))
        return replace(self, a=fn.at(self.a, a, element), b=fn.at(self.b, b, element))

    def after(self, fn: Function, steps: int, element: str) -> list[Value]:
        """Return where a and b go on after some steps of k."""
        return [fn.at(self.a, steps * self.a_step, element), fn.at(self.b, steps * self.b_step, element)]


class Arithmetic:
    """How a machine multiplies and adds elements of a product."""

    def __init__(self, product: Product, machine: Machine) -> None:
        self.element = product.memory
        self._fused = fused(machine)

    def multiply_add(self, fn: Function, a: Value, b: Value, total: Value) -> Value:
        """Return total + a b; on bools, total or (a and b)."""
        if is_float(a.type) and self._fused:
            return fn.fma(a, b, total)
        return self.add(fn, total, fn.op(self._name("mul"), a, b))

    def add(self, fn: Function, a: Value, b: Value) -> Value:
        """Return a + b; on bools, a or b."""
        return fn.op(self._name("add"), a, b)

    def _name(self, opcode: str) -> str:
        if self.element == "i8":
            return {"mul": "and", "add": "or"}[opcode]
        return f"f{opcode}" if is_float(self.element) else opcode


def store_tile(fn: Function, tile: Tile, c: Value, ld: int, element: str, values: Sequence[Value]) -> None:
    """Store a tile of results."""
    for (r, v), value in zip(tile.places, values, strict=True):
        store_lanes(fn, value, fn.at(c, r * ld + v * lanes_of(tile.type), element), tile.width(v))


def add_to_tile(
    fn: Function, maths: Arithmetic, tile: Tile, c: Value, ld: int, element: str, values: Sequence[Value]
) -> None:
    """Add to a tile of results."""
    for (r, v), value in zip(tile.places, values, strict=True):
        place = fn.at(c, r * ld + v * lanes_of(tile.type), element)
        held = load_lanes(fn, tile.type, place, tile.width(v))
        store_lanes(fn, maths.add(fn, held, value), place, tile.width(v))


def accumulate(
    fn: Function, maths: Arithmetic, tile: Tile, t: Tiling, x: Factors, count: Value, begin: Sequence[Value]
) -> list[Value]:
    """Return begin + a b over `count` steps of k, each element's sum in the same order in every tile."""
    zeros = [const(tile.type, 0)] * len(tile.places)
    held = [*begin, *(zeros * (t.chains - 1))]
    whole = _whole_turns(fn, count, t)
    # The pointers are carried: with addresses computed from the counter LLVM takes twice as long.
    with fn.loop(0, whole, t.unroll, carried=[x.a, x.b, *held]) as loop:
        at, sums = replace(x, a=loop.carried[0], b=loop.carried[1]), loop.carried[2:]
        sums = _steps(fn, maths, tile, t, at, t.unroll, sums)
        loop.next(*at.after(fn, t.unroll, maths.element), *sums)
    x, held = replace(x, a=loop.results[0], b=loop.results[1]), loop.results[2:]
    return join_chains(fn, maths, _rest(fn, maths, tile, t, x, whole, count, held), len(tile.places))


def _whole_turns(fn: Function, count: Value, t: Tiling) -> Value:
    """Return how many steps fill iterations; the blocks of k are cut so that with one chain all do."""
    if not count.text.startswith("%"):
        return index(int(count.text) // t.unroll * t.unroll)
    return count if t.chains == 1 else minus(fn, count, fn.op("urem", count, index(t.unroll)))


def _rest(
    fn: Function,
    maths: Arithmetic,
    tile: Tile,
    t: Tiling,
    x: Factors,
    whole: Value,
    count: Value,
    held: Sequence[Value],
) -> list[Value]:
    """Add the steps that do not fill an iteration."""
    if not count.text.startswith("%"):
        return _steps(fn, maths, tile, t, x, int(count.text) - int(whole.text), held)
    if whole == count:
        return list(held)
    with fn.loop(whole, count, carried=[x.a, x.b, *held]) as loop:
        at = replace(x, a=loop.carried[0], b=loop.carried[1])
        sums = _steps(fn, maths, tile, t, at, 1, loop.carried[2:])
        loop.next(*at.after(fn, 1, maths.element), *sums)
    return loop.results[2:]


def _steps(
    fn: Function, maths: Arithmetic, tile: Tile, t: Tiling, x: Factors, steps: int, held: Sequence[Value]
) -> list[Value]:
    """Add steps over k; they go round the chains."""
    held = list(held)
    for step in range(steps):
        columns = [_columns(fn, maths, tile, x, step, v) for v in range(tile.vectors)]
        first = step % t.chains * len(tile.places)
        for r in range(tile.rows):
            number = fn.load(maths.element, fn.at(x.a, r * x.a_row + step * x.a_step, maths.element))
            row = fn.splat(number, lanes_of(tile.type))
            for v in range(tile.vectors):
                place = first + r * tile.vectors + v
                held[place] = maths.multiply_add(fn, row, columns[v], held[place])
    return held


def _columns(fn: Function, maths: Arithmetic, tile: Tile, x: Factors, step: int, v: int) -> Value:
    """Load vector v of a row of b."""
    lanes = lanes_of(tile.type)
    pointer = fn.at(x.b, step * x.b_step + v * lanes, maths.element)
    return load_lanes(fn, tile.type, pointer, lanes if x.b_padded else tile.width(v))


def join_chains(fn: Function, maths: Arithmetic, held: Sequence[Value], each: int) -> list[Value]:
    """Add the chains, neighbours first."""
    chains = [list(held[at : at + each]) for at in range(0, len(held), each)]
    while len(chains) > 1:
        pairs = [chains[i : i + 2] for i in range(0, len(chains), 2)]
        chains = [
            [maths.add(fn, a, b) for a, b in zip(*pair, strict=True)] if len(pair) == 2 else pair[0]
            for pair in pairs
        ]
    return chains[0]
