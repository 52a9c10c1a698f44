"""Reductions: the operand is computed as it is read, and the maps that follow are applied to the result.

Two forms, by where neighbours in memory go: *columns*, when they end in neighbouring results (lanes are
results), and *rows*, when they are summed together (lanes are partial results, combined by halves).
In both, the order of additions is a function of the shapes alone. Long sums of floats are added up as a tree,
so that the rounding error grows with the depth of the tree instead of with the number of terms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops.reductions import ALL, ANY, ARGMAX, MAX, MIN, PROD, SUM
from minicolumn.lower.llvm.codegen.elements import Elements
from minicolumn.lower.llvm.codegen.emit import (
    Function,
    Value,
    const,
    const_lanes,
    index,
    lanes_of,
    llvm_type,
    vector,
)
from minicolumn.lower.llvm.codegen.loop_nest import across
from minicolumn.lower.llvm.codegen.scalar import convert, larger
from minicolumn.lower.llvm.schedule.loops import Loops
from minicolumn.passes.index_map import Affine, identity_map
from minicolumn.passes.kernel import Kernel
from minicolumn.passes.reduced import operand_map_of

# Iterations of a loop that are added up one after the other at most; a longer one is a tree.
BLOCK = 256
# Iterations that a leaf of such a tree adds up, and how many partial results become one of the next level.
LEAF = FAN = 16
# Partial results along a row, so that an addition need not wait for the one before.
ACCUMULATORS = 4


@dataclass(frozen=True)
class Fold:
    """How two partial results become one, what changes nothing, and the result where there is nothing."""

    combine: Callable[[Function, Value, Value], Value]
    neutral: Callable[[np.dtype], float | int | bool]
    empty: float | int | bool | None = None


def _number(floating: str, integer: str) -> Callable[[Function, Value, Value], Value]:
    def combine(f: Function, a: Value, b: Value) -> Value:
        return f.op(floating if a.type.rstrip(">").endswith(("float", "double")) else integer, a, b)

    return combine


def _lowest(dtype: np.dtype) -> float | int | bool:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else int(np.iinfo(dtype).min)


def _highest(dtype: np.dtype) -> float | int | bool:
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else int(np.iinfo(dtype).max)


def _extreme(most: bool) -> Callable[[bool], Fold]:
    return lambda signed: Fold(lambda f, a, b: larger(f, a, b, signed, most), _lowest if most else _highest)


def _always(fold: Fold) -> Callable[[bool], Fold]:
    return lambda signed: fold


ADD = _number("fadd", "add")

# From whether the operand is of signed integers. In a sum -0 changes nothing, not even the sign of a sum of
# nothing but -0.
_FOLDS: dict[Op, Callable[[bool], Fold]] = {
    SUM: _always(Fold(ADD, lambda d: -0.0 if d.kind == "f" else 0, 0)),
    PROD: _always(Fold(_number("fmul", "mul"), lambda d: 1, 1)),
    MAX: _extreme(most=True),
    MIN: _extreme(most=False),
    ALL: _always(Fold(lambda f, a, b: f.op("and", a, b), lambda d: True, True)),
    ANY: _always(Fold(lambda f, a, b: f.op("or", a, b), lambda d: False, False)),
}


def fold_of(node: Node) -> Fold | None:
    """Return how a reduction combines; None where it looks for the place of an extreme."""
    fold = _FOLDS.get(node.op)
    return fold(node.inputs[0].array_type.dtype.kind == "i") if fold else None


def kept_levels(node: Node, loops: Loops) -> int:
    """Return how many loops belong to the result."""
    kept = len(node.array_type.shape)
    return sum(group[0] < kept for group in loops.groups)


def runs_along_columns(
    strides: Sequence[tuple[int, ...]],
    kept: int,
    loops: Loops,
    looked_up: Sequence[tuple[Affine, Sequence[Affine]]] = (),
) -> bool:
    """Return whether neighbours in memory belong to neighbouring results.

    strides     of the arrays that are read
    looked_up   where gathers read within a row, and where from what says which row; along the terms of a sum
                each lane would look up a row of its own, along columns all of them read the same one
    """
    if kept == 0 or loops.sizes[kept - 1] == 1:
        return False
    if looked_up and all(_is_row_of_its_own(loops, kept, *each) for each in looked_up):
        return True
    columns = sum(s[kept - 1] == 1 for s in strides)
    rows = sum(s[-1] == 1 for s in strides)
    return columns > rows or (columns == rows and loops.sizes[kept - 1] > loops.sizes[-1])


def _is_row_of_its_own(loops: Loops, kept: int, within: Affine, rows: Sequence[Affine]) -> bool:
    """Return whether every term looks up a row, in which neighbouring results lie side by side."""
    if loops.strides(within)[kept - 1] != 1:
        return False
    moves = [loops.strides(row) for row in rows]
    return all(move[kept - 1] == 0 for move in moves) and any(move[-1] for move in moves)


class Reduction:
    """The body of a reduction at one place of the result (or at a vector of index_map)."""

    def __init__(self, e: Elements, kernel: Kernel, kept: int) -> None:
        assert kernel.anchor is not None
        self.e, self.f, self.kernel, self.kept = e, e.f, kernel, kept
        self.node = kernel.anchor
        self.operand, self.index_map = self.node.inputs[0], operand_map_of(self.node)
        self.fold = fold_of(self.node)
        self.dtype = self.operand.array_type.dtype
        self.columns = e.along < kept
        e.given[self.node] = self._not_yet

    def _not_yet(self) -> Value:
        raise AssertionError("the result is known only after the loops over the operand")

    def prepare(self, depth: int) -> None:
        """Compute before the loops inside of this depth what does not depend on them."""
        after = [s.value for s in self.kernel.stores if s.value is not self.node]
        keys = [(value, identity_map(value.array_type.shape)) for value in after]
        self.e.prepare([(self.operand, self.index_map), *keys], depth)

    def compute(self) -> None:
        """Reduce, apply what follows, and store."""
        e = self.e
        result = self._arg() if self.fold is None else self._reduced()
        lanes = e.lanes
        if not self.columns:
            e.lanes = 1
        e.given[self.node] = lambda: result
        stores = [(s, identity_map(s.value.array_type.shape)) for s in self.kernel.stores]
        values = [e.value(s.value, index_map) for s, index_map in stores]
        for (store, _), value in zip(stores, values, strict=True):
            e.store(store.target, store.address, value)
        e.given[self.node] = self._not_yet
        e.lanes = lanes

    # Sums and their kin -----------------------------------------------------------------------------------

    def _neutral(self) -> Value:
        assert self.fold is not None
        element = llvm_type(self.node.array_type.dtype)
        return const(vector(element, self.e.lanes), self.fold.neutral(self.node.array_type.dtype))

    def _term(self) -> Value:
        e = self.e
        value = e.value(self.operand, self.index_map)
        value = convert(self.f, value, self.dtype, self.node.array_type.dtype)
        value = value if lanes_of(value.type) == e.lanes else self.f.splat(value, e.lanes)
        if e.mask is None or self.columns:
            return value
        return self.f.select(e.mask, value, self._neutral())

    def _reduced(self) -> Value:
        if 0 in self.e.loops.sizes[self.kept :]:  # of nothing: 0, not the -0 that changes nothing
            assert self.fold is not None
            assert self.fold.empty is not None
            type = llvm_type(self.node.array_type.dtype, self.e.lanes if self.columns else 1)
            return const(type, self.fold.empty)
        total = self._loop(self.kept, self._neutral())
        return total if self.columns else self._halved(total)

    @property
    def _rounds(self) -> bool:
        """Return whether partial results are rounded, so that their order matters."""
        return self.node.op in (SUM, PROD) and self.node.array_type.dtype.kind == "f"

    def _loop(self, depth: int, total: Value) -> Value:
        e = self.e
        if depth == e.inner:
            return self._inner(total)
        size = e.loops.sizes[depth]
        if self._rounds and size > BLOCK:
            return self._joined(total, self._outer_tree(depth, index(0), size))
        return self._each(depth, index(0), index(size), total)

    def _each(self, depth: int, start: Value, stop: Value, total: Value) -> Value:
        """Add up the loops inside of some iterations of an outer one, one after the other."""
        e = self.e
        with self.f.loop(start, stop, carried=[total]) as loop, e.scope():
            e.counters[depth] = loop.counter
            self.prepare(depth)
            loop.next(self._loop(depth + 1, loop.carried[0]))
        return loop.results[0]

    def _outer_tree(self, depth: int, start: Value, size: int) -> Value:
        """Add up so many iterations of an outer loop as a tree."""

        def leaf(start: Value, size: int) -> Value:
            return self._each(depth, start, self._ahead(start, size), self._neutral())

        return self._tree(start, size, FAN, leaf)

    def _inner(self, total: Value) -> Value:
        size, step = self.e.loops.sizes[-1], 1 if self.columns else self.e.lanes
        block = BLOCK * ACCUMULATORS * step
        if size <= block or not self._rounds:
            return self._joined(total, self._partial(index(0), size, index(size)))
        count = LEAF * (2 if self.columns else ACCUMULATORS) * step
        return self._joined(total, self._tree(index(0), size, count, self._leaf))

    def _leaf(self, start: Value, size: int) -> Value:
        return self._partial(start, size, self._ahead(start, size))

    def _tree(self, start: Value, size: int, unit: int, leaf: Callable[[Value, int], Value]) -> Value:
        """Add up so many terms as a tree: leaves of a unit of them, FAN parts of a level for one above."""
        if size <= unit:
            return leaf(start, size)
        span = unit
        while span * FAN < size:
            span *= FAN
        middle = self._ahead(start, size - size % span)
        with self.f.loop(start, middle, span, carried=[self._neutral()]) as loop:
            loop.next(self._joined(loop.carried[0], self._tree(loop.counter, span, unit, leaf)))
        total = loop.results[0]
        return self._joined(total, self._tree(middle, size % span, unit, leaf)) if size % span else total

    def _ahead(self, start: Value, count: int) -> Value:
        return self.f.op("add nsw", start, index(count))

    def _joined(self, a: Value, b: Value) -> Value:
        assert self.fold is not None
        return self.fold.combine(self.f, a, b)

    def _partial(self, start: Value, size: int, stop: Value) -> Value:
        """Return the terms from start on, `size` of them, as one partial result."""
        step = 1 if self.columns else self.e.lanes
        count = 2 if self.columns else ACCUMULATORS
        many = size // (count * step) * count * step
        accumulators = [self._neutral()] * count
        first = start
        if many:
            middle = self.f.op("add nsw", start, index(many))
            with self.f.loop(start, middle, count * step, carried=accumulators) as loop:
                sums = [self._added(loop.counter, k * step, a) for k, a in enumerate(loop.carried)]
                loop.next(*sums)
            accumulators, first = loop.results, middle
        total = accumulators[0]
        for other in accumulators[1:] if many else ():
            total = self._joined(total, other)
        return self._leftover(total, first, stop, size - many)

    def _added(self, place: Value, ahead: int, total: Value) -> Value:
        e = self.e
        with e.scope():
            e.counters[e.inner] = self.f.op("add nsw", place, index(ahead)) if ahead else place
            return self._joined(total, self._term())

    def _leftover(self, total: Value, start: Value, stop: Value, size: int) -> Value:
        e, step = self.e, 1 if self.columns else self.e.lanes
        whole = size // step * step
        if whole:
            middle = self.f.op("add nsw", start, index(whole))
            with self.f.loop(start, middle, step, carried=[total]) as loop:
                loop.next(self._added(loop.counter, 0, loop.carried[0]))
            total, start = loop.results[0], middle
        if size == whole:
            return total
        # The number of terms is known, so the mask is too, and no branch is needed.
        with e.masked(first_lanes(size - whole, e.lanes)):
            return self._added(start, 0, total)

    def _halved(self, total: Value) -> Value:
        while lanes_of(total.type) > 1:
            total = self._joined(*self.f.halves(total))
        return total

    # IndexMap of extremes -----------------------------------------------------------------------------------

    def _arg(self) -> Value:
        """Return the first place of the extreme along the one axis; a NaN counts as the extreme."""
        e, f = self.e, self.f
        size = e.loops.sizes[-1]
        whole = size // e.lanes * e.lanes
        found = self._least_likely(), const(vector("i64", e.lanes), 0)
        if whole:
            with f.loop(0, whole, e.lanes, carried=found) as loop:
                loop.next(*self._looked_at(loop.counter, *loop.carried))
            found = tuple(loop.results)
        if size > whole:
            with e.masked(first_lanes(size - whole, e.lanes)):
                found = self._looked_at(index(whole), *found)
        return self._first(*found)

    def _least_likely(self) -> Value:
        bound = (_lowest if self.node.op is ARGMAX else _highest)(self.dtype)
        return const(vector(llvm_type(self.dtype), self.e.lanes), bound)

    def _looked_at(self, counter: Value, best: Value, place: Value) -> tuple[Value, Value]:
        """Return each lane's extreme and its place, once the operands from a counter on were looked at."""
        e, f = self.e, self.f
        with e.scope():
            e.counters[e.inner] = counter
            value = e.value(self.operand, self.index_map)
        value = value if lanes_of(value.type) == e.lanes else f.splat(value, e.lanes)
        if e.mask is not None:
            value = f.select(e.mask, value, self._least_likely())
        here = f.splat(counter, e.lanes)
        if e.lanes > 1:
            here = f.op("add nsw", here, const_lanes(here.type, range(e.lanes)))
        better = self._better(value, best)
        return f.select(better, value, best), f.select(better, here, place)

    def _first(self, best: Value, place: Value) -> Value:
        """Return the place of the lane whose extreme is the best, the first one of several."""
        f = self.f
        while (lanes := lanes_of(best.type) // 2) > 0:
            (low, high), (first, last) = f.halves(best), f.halves(place)
            earlier = f.compare("slt", last, first)
            no_worse = f.op("xor", self._better(low, high), const(vector("i1", lanes), True))
            wins = f.op("or", self._better(high, low), f.op("and", no_worse, earlier))
            best, place = f.select(wins, high, low), f.select(wins, last, first)
        return place

    def _better(self, value: Value, best: Value) -> Value:
        f, most = self.f, self.node.op is ARGMAX
        if self.dtype.kind == "f":
            beyond = f.compare("ogt" if most else "olt", value, best)
            first_nan = f.op("and", f.compare("uno", value, value), f.compare("ord", best, best))
            return f.op("or", beyond, first_nan)
        signed = "s" if self.dtype.kind == "i" else "u"
        return f.compare(signed + ("gt" if most else "lt"), value, best)


def first_lanes(count: int, lanes: int) -> Value:
    """Return the mask whose first lanes are set."""
    bits = ", ".join(f"i1 {'true' if k < count else 'false'}" for k in range(lanes))
    return Value(f"<{bits}>", vector("i1", lanes))


def run_reduction(e: Elements, kernel: Kernel, kept: int, start: Value, stop: Value, exact: bool) -> None:
    """Emit the loops over the results; start and stop bound the outermost loop if it is theirs."""
    body = Reduction(e, kernel, kept)
    with e.scope():
        body.prepare(-1)
        _results(e, body, 0, (start, stop), exact)


def _results(e: Elements, body: Reduction, depth: int, bounds: tuple[Value, Value], exact: bool) -> None:
    if depth == body.kept:
        body.compute()
        return
    if depth == e.along:
        across(e, *bounds, exact, body.compute)
        return
    with e.f.loop(*bounds) as loop, e.scope():
        e.counters[depth] = loop.counter
        body.prepare(depth)
        following = depth + 1 < body.kept
        inner = (index(0), index(e.loops.sizes[depth + 1])) if following else bounds
        _results(e, body, depth + 1, inner, exact)
