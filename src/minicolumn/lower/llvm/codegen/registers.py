"""Tiny networks in registers: the batch along the lanes, every other axis unrolled, no arrays in between.

A step of a 2-4-2-1 network takes some hundred operations; loops and calls around each of its arrays would
take far longer than the arithmetic. So the whole body of a loop becomes one straight piece of code, in which
an array [batch, 4] is four vectors of `batch` lanes and a weight matrix is a handful of scalars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.op import Kind, Op
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.ops.shaping import CONCATENATE
from minicolumn.ir.shapes import Dim, Shape
from minicolumn.lower.llvm.codegen.elements import memory_type
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
from minicolumn.lower.llvm.codegen.lane_folds import Combine, fold_lanes
from minicolumn.lower.llvm.codegen.reduce import ADD, fold_of
from minicolumn.lower.llvm.codegen.scalar import convert, emit_map
from minicolumn.lower.llvm.schedule.lane_axes import lane_axes, without

Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """An array in registers: one value for each place along the axes that are not the lanes'.

    axis    the axis that runs along the lanes, or None; a scalar value stands for the same in every lane
    """

    shape: Shape
    axis: int | None
    values: Mapping[Index, Value]

    def at(self, places: Index) -> Value:
        """Return the value at some places, the one along the lanes' axis left out of account."""
        return self.values[places if self.axis is None else (*places[: self.axis], *places[self.axis + 1 :])]


def all_places(shape: Shape) -> Iterator[Index]:
    """Yield the places of an array in the order of memory."""
    return product(*map(range, shape))


# Values ---------------------------------------------------------------------------------------------------


class Registers:
    """The body of a loop in registers, at one iteration of the loop.

    where       the arrays that the body reads and writes
    lengths     of symbolic dimensions
    """

    def __init__(
        self,
        f: Function,
        body: Graph,
        batch: int,
        where: Mapping[Node, Value],
        lengths: Mapping[Dim, Value],
        status: Value,
    ) -> None:
        self.f, self.body, self.batch = f, body, batch
        self.where, self.lengths, self.status = where, lengths, status
        self.lanes = 1 << (batch - 1).bit_length()
        self.axes = lane_axes(body, batch)
        self.blocks: dict[Node, Block] = {}
        self._unfolded: dict[Node, Combine] = {}  # of these, values are vectors until `_fold`
        self._used = const_lanes(vector("i1", self.lanes), [k < batch for k in range(self.lanes)])

    def run(self, results: Sequence[Value]) -> None:
        """Emit the body; results are written when everything has been read."""
        nodes = [node for node in self.body.nodes if node.op is not INPUT]
        while nodes:
            nodes = self._compute(nodes)
            self._fold()
        blocks = [self.block(node) for node in self.body.outputs]
        for node, block, pointer in zip(self.body.outputs, blocks, results, strict=True):
            if self.where.get(node) != pointer:  # a state that stays as it is lies there already
                self._store(node, block, pointer)

    def _compute(self, nodes: Sequence[Node]) -> list[Node]:
        """Compute what does not wait for lanes that are still to be combined; return what does."""
        later: dict[Node, None] = {}
        for node in nodes:
            if any(operand in later or operand in self._unfolded for operand in node.inputs):
                later[node] = None
            else:
                self.blocks[node] = self._computed(node)
        return list(later)

    def block(self, node: Node) -> Block:
        """Return a value; inputs are read when they are first needed."""
        if node not in self.blocks:
            self.blocks[node] = self._read(node)
        return self.blocks[node]

    def _computed(self, node: Node) -> Block:
        if node.op is CONST:
            return self._constant(node)
        emitter = _viewed if node.op.is_view else _EMIT.get(node.op) or _EMIT[node.op.kind]
        shape, axis = node.array_type.shape, self.axes[node]
        at = emitter(self, node)
        return Block(shape, axis, {places: at(places) for places in all_places(without(shape, axis))})

    def _constant(self, node: Node) -> Block:
        value, type = node.attrs["value"], llvm_type(node.array_type.dtype)
        return Block(value.shape, None, {p: const(type, value[p].item()) for p in all_places(value.shape)})

    # Memory -----------------------------------------------------------------------------------------------

    def _read(self, node: Node) -> Block:
        shape, axis, f = node.array_type.shape, self.axes[node], self.f
        type, pointer = memory_type(node), self.where[node]
        if axis is None:
            values = {
                places: self._bit(node, f.load(type, f.at(pointer, number, type)))
                for number, places in enumerate(all_places(shape))
            }
            return Block(shape, None, values)
        wide = vector(type, self.lanes)
        exact = self.lanes == self.batch
        loaded = f.load(wide, pointer) if exact else f.load_masked(wide, pointer, self._used)
        return Block(shape, axis, {(): self._bit(node, loaded)})

    def _bit(self, node: Node, loaded: Value) -> Value:
        return self.f.compare("ne", loaded, const(loaded.type, 0)) if _is_bool(node) else loaded

    def _store(self, node: Node, block: Block, pointer: Value) -> None:
        type, f = memory_type(node), self.f
        for number, places in enumerate(all_places(block.shape)):
            value = block.at(places)
            if lanes_of(value.type) > 1:
                assert block.axis is not None
                value = f.lane(value, places[block.axis])
            if _is_bool(node):
                value = f.convert("zext", value, "i8")
            f.store(value, f.at(pointer, number, type))

    def gathered(self, node: Node) -> Callable[[Index], Value]:
        """Read the rows of an array that the lanes ask for."""
        f, array = self.f, node.inputs[0]
        rows = self._rows(array, node.inputs[1])
        shape, type = array.array_type.shape[1:], memory_type(array)
        places = list(all_places(shape))
        width = prod(shape)
        numbers = rows if isinstance(rows, list) else [rows]
        loaded: dict[Index, list[Value]] = {p: [] for p in places}
        for row in numbers:
            start = f.at(self.where[array], f.op("mul nsw", row, index(width)), type)
            for k, p in enumerate(places):
                loaded[p].append(f.load(type, f.at(start, k, type)))
        if not isinstance(rows, list):
            return lambda p: self._bit(array, loaded[p][0])
        return lambda p: self._bit(array, self._together(loaded[p]))

    def _rows(self, array: Node, node: Node) -> list[Value] | Value:
        """Return the number of a row for each lane (or for all of them), wrapped and checked."""
        f, block = self.f, self.block(node)
        place = next(iter(block.values.values()))
        dtype = node.array_type.dtype
        if dtype.itemsize < 8:
            place = f.convert("sext" if dtype.kind == "i" else "zext", place, "i64")
        length = array.array_type.shape[0]
        size = self.lengths[length] if isinstance(length, Dim) else index(length)
        size = f.splat(size, lanes_of(place.type))
        if dtype.kind == "i":
            below = f.compare("slt", place, const(place.type, 0))
            place = f.select(below, f.op("add", place, size), place)
        inside = f.compare("ult", place, size)
        outside = f.op("xor", inside, const(inside.type, True))
        if lanes_of(place.type) > 1:
            outside = f.op("and", outside, self._used)
            outside = f.call(f"llvm.vector.reduce.or.v{self.lanes}i1", "i1", outside)
        with f.when(outside):
            f.store(const("i32", 1), self.status)
        place = f.select(inside, place, const(place.type, 0))
        return place if lanes_of(place.type) == 1 else [f.lane(place, k) for k in range(self.batch)]

    def _together(self, scalars: Sequence[Value]) -> Value:
        value = const(vector(scalars[0].type, self.lanes), 0)
        for k, scalar in enumerate(scalars):
            value = self.f.with_lane(value, k, scalar)
        return value

    # Operations -------------------------------------------------------------------------------------------

    def laned(self, node: Node, axis: int | None) -> Block:
        """Return a value with its lanes along an axis, which it may have as so many scalars until now."""
        block = self.block(node)
        if axis is None or block.axis is not None or block.shape[axis] == 1:
            return block
        values = {}
        for places in all_places(without(block.shape, axis)):
            scalars = [block.values[(*places[:axis], k, *places[axis:])] for k in range(self.batch)]
            same = all(s.text == scalars[0].text for s in scalars)
            values[places] = scalars[0] if same else self._together(scalars)
        return Block(block.shape, axis, values)

    def mapped(self, node: Node) -> Callable[[Index], Value]:
        """Apply a map place by place."""
        shape, axis = node.array_type.shape, self.axes[node]
        operands = []
        for operand in node.inputs:
            behind = len(shape) - len(operand.array_type.shape)
            own = None if axis is None or axis < behind else axis - behind
            operands.append(self.laned(operand, own))

        def at(places: Index) -> Value:
            full = places if axis is None else (*places[:axis], 0, *places[axis:])
            return emit_map(self.f, node, self.alike([_stretched(b, full) for b in operands]))

        return at

    def alike(self, values: Sequence[Value]) -> list[Value]:
        """Return values with as many lanes as the widest."""
        lanes = max(lanes_of(v.type) for v in values)
        return [v if lanes_of(v.type) == lanes else self.f.splat(v, lanes) for v in values]

    def reduced(self, node: Node) -> Callable[[Index], Value]:
        """Combine along axes: vectors lane by lane, and lanes by halves."""
        block, fold = self.block(node.inputs[0]), fold_of(node)
        assert fold is not None
        removed, dtype = node.attrs["axes"], node.array_type.dtype
        kept = [a for a in range(len(block.shape)) if a not in removed]
        along_lanes = block.axis is not None and block.axis in removed

        def at(places: Index) -> Value:
            lane = self.axes[node]
            own = places if lane is None else (*places[:lane], 0, *places[lane:])
            at_kept = dict(zip(kept, own, strict=True))
            ranges = [range(1) if a == block.axis else range(block.shape[a]) for a in removed]
            total: Value | None = None
            for inner in product(*ranges):
                where = {**at_kept, **dict(zip(removed, inner, strict=True))}
                term = block.at(tuple(where[a] for a in range(len(block.shape))))
                term = convert(self.f, term, node.inputs[0].array_type.dtype, dtype)
                total = term if total is None else fold.combine(self.f, *self.alike([total, term]))
            assert total is not None
            return self._fold_later(node, total, fold.combine) if along_lanes else total

        return at

    def _fold_later(self, node: Node, value: Value, combine: Combine) -> Value:
        """Return a vector of which `_fold` combines the lanes: many at a time share the work."""
        self._unfolded[node] = combine
        return value if lanes_of(value.type) > 1 else self.f.splat(value, self.lanes)

    def _fold(self) -> None:
        """Combine the lanes of all that waits for it; those beyond the batch change nothing."""
        alike = defaultdict[tuple[Combine, str], list[tuple[Node, Index]]](list)
        for node, combine in self._unfolded.items():
            for places, value in self.blocks[node].values.items():
                alike[combine, value.type].append((node, places))
        found: dict[Node, dict[Index, Value]] = {node: {} for node in self._unfolded}
        used = None if self.lanes == self.batch else self._used
        for (combine, _), wanted in alike.items():
            vectors = [self.blocks[node].values[places] for node, places in wanted]
            for (node, places), value in zip(wanted, fold_lanes(self.f, vectors, combine, used), strict=True):
                found[node][places] = value
        for node, values in found.items():
            self.blocks[node] = Block(self.blocks[node].shape, None, values)
        self._unfolded.clear()

    def multiplied(self, node: Node) -> Callable[[Index], Value]:
        """Multiply matrices: sums along registers, or along lanes where the batch is summed over."""
        a, b = (self.block(i) for i in node.inputs)
        axis, k = self.axes[node], node.inputs[0].array_type.shape[1]
        zero = const(llvm_type(node.array_type.dtype), 0)

        def along_lanes(places: Index) -> Value:
            i, j = places
            terms = self.f.op("fmul", *self.alike([a.at((i, 0)), b.at((0, j))]))
            return self._fold_later(node, terms, ADD)

        def along_registers(places: Index) -> Value:
            i, j = places if axis is None else (0, *places) if axis == 0 else (*places, 0)
            total = zero
            for step in range(k):
                total = self.f.fma(*self.alike([a.at((i, step)), b.at((step, j)), total]))
            return total

        return along_lanes if a.axis == 1 else along_registers


def _is_bool(node: Node) -> bool:
    return node.array_type.dtype == np.dtype(np.bool_)


def _stretched(block: Block, places: Index) -> Value:
    own = places[len(places) - len(block.shape) :]
    return block.at(tuple(0 if n == 1 else p for n, p in zip(block.shape, own, strict=True)))


def _viewed(r: Registers, node: Node) -> Callable[[Index], Value]:
    """Read each place from the place of the operand that it is."""
    block, axis = r.block(node.inputs[0]), r.axes[node]
    shape, index_map = block.shape, node.op.index_map

    def at(places: Index) -> Value:
        full = places if axis is None else (*places[:axis], 0, *places[axis:])
        return block.at(index_map(full, shape, **node.attrs) if index_map else _renumbered(node, full))

    return at


def _renumbered(node: Node, places: Index) -> Index:
    # The lanes' place is 0 on both sides, and the same axes lie before and behind it.
    number = int(np.ravel_multi_index(places, node.array_type.shape)) if places else 0
    shape = node.inputs[0].array_type.shape
    return tuple(int(p) for p in np.unravel_index(number, shape)) if shape else ()


def _concatenated(r: Registers, node: Node) -> Callable[[Index], Value]:
    axis = node.attrs["axis"]

    def at(places: Index) -> Value:
        start = 0
        for operand in node.inputs:
            n = operand.array_type.shape[axis]
            if places[axis] < start + n:
                return r.block(operand).at((*places[:axis], places[axis] - start, *places[axis + 1 :]))
            start += n
        raise AssertionError("a place beyond the last part")

    return at


_EMIT: dict[Op | Kind, Callable[[Registers, Node], Callable[[Index], Value]]] = {
    "map": Registers.mapped,
    "reduce": Registers.reduced,
    MATMUL: Registers.multiplied,
    GATHER: Registers.gathered,
    CONCATENATE: _concatenated,
}
