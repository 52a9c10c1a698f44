"""A kernel becomes a function: which arrays it is given, and what its loops are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from minicolumn.ir.graph import Node
from minicolumn.ir.ops.order import CUMSUM
from minicolumn.ir.shapes import Dim
from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.llvm.codegen.elements import Elements, memory_type
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, index, lanes_of, vector
from minicolumn.lower.llvm.codegen.loop_nest import across, lanes_for, nest, no_lanes_left, run_stores
from minicolumn.lower.llvm.codegen.reduce import (
    fold_of,
    kept_levels,
    run_reduction,
    runs_along_columns,
)
from minicolumn.lower.llvm.schedule.by_rows import rows_of
from minicolumn.lower.llvm.schedule.loops import Loops, merged, separate
from minicolumn.lower.llvm.schedule.machine import Machine
from minicolumn.passes.addresses import Addresses, scatter_indices, uniform
from minicolumn.passes.index_map import counter, identity_map, linear
from minicolumn.passes.kernel import Fused, Kernel, arrays_read
from minicolumn.passes.reduced import operand_map_of, ranges_of

# Wide loops over columns keep several registers of partial sums.
COLUMN_REGISTERS = 4


@dataclass(frozen=True, eq=False)
class Code:
    """A function of the module and what it is called with.

    name        within the module
    arrays      whose pointers come first, in this order
    lengths     symbolic dimensions, whose lengths follow
    """

    name: str
    arrays: tuple[Node, ...]
    lengths: tuple[Dim, ...]


class Kernels:
    """The functions of a module, each distinct one written once."""

    def __init__(self, module: Module, machine: Machine) -> None:
        self.module, self.machine = module, machine
        self._made: dict[Any, str | None] = {}
        self._count = 0

    def fresh(self) -> str:
        """Return a name for a function."""
        self._count += 1
        return f"k{self._count}"

    def once(self, key: Any, emit: Callable[[str], bool]) -> str | None:
        """Return the function for a key, written by `emit(name)` at first; None if there is none."""
        if key not in self._made:
            name = self.fresh()
            self._made[key] = name if emit(name) else None
        return self._made[key]

    def emit(self, fused: Fused, kernel: Kernel) -> Code:
        """Write the function of a kernel and say how to call it."""
        arrays = operands(fused, kernel)
        lengths = dims_of(arrays)
        f = Function(self.module, self.fresh(), _parameters(arrays, lengths), "void", _PRIVATE)
        pointers = {a: f.parameters[f"a{k}"] for k, a in enumerate(arrays)}
        sizes = {a: f.parameters[f"n{k}"] for k, a in enumerate(lengths)}
        frame = KernelContext(f, fused, kernel, pointers, sizes, f.parameters["status"], self.machine)
        _EMITTERS[kernel.kind](frame)
        return Code(self.module.share(f), arrays, lengths)


_PRIVATE = "internal nounwind noinline"


def operands(fused: Fused, kernel: Kernel) -> tuple[Node, ...]:
    """Return the arrays that a kernel touches; constants of one number are part of the code."""
    read = [a for a in arrays_read(kernel, fused.arrays) if uniform(a) is None]
    return tuple(dict.fromkeys((*read, *kernel.targets)))


def dims_of(arrays: Iterable[Node]) -> tuple[Dim, ...]:
    """Return the symbolic dimensions of some arrays, each once."""
    return tuple(dict.fromkeys(dim for array in arrays for dim in array.array_type.dims))


def _parameters(arrays: Sequence[Node], lengths: Sequence[Dim]) -> list[tuple[str, str]]:
    pointers = [(f"a{k}", "ptr") for k in range(len(arrays))]
    sizes = [(f"n{k}", "i64") for k in range(len(lengths))]
    return [*pointers, *sizes, ("status", "ptr"), ("part", "i64"), ("parts", "i64")]


def worth_sharing(kernel: Kernel) -> bool:
    """Return whether there is so much to do that several threads are faster, and some way to share it."""
    size = prod(kernel.shape)
    if kernel.kind not in ("loop", "reduce") or size < 2:
        return False
    if kernel.kind == "reduce" and kernel.anchor is not None:
        size = kernel.anchor.inputs[0].array_type.size
    return size >= partition.ELEMENTS


class KernelContext:
    """What an emitter works with: the function, its parameters and the kernel."""

    def __init__(
        self,
        f: Function,
        fused: Fused,
        kernel: Kernel,
        pointers: Mapping[Node, Value],
        lengths: Mapping[Dim, Value],
        status: Value,
        machine: Machine,
    ) -> None:
        self.f, self.fused, self.kernel, self.machine = f, fused, kernel, machine
        self.pointers, self.lengths, self.status = pointers, lengths, status
        self.width = machine.lanes("float")

    @property
    def part(self) -> tuple[Value, Value]:
        """Return which share of the work this call does, and of how many."""
        return self.f.parameters["part"], self.f.parameters["parts"]

    def addresses(self, ranges: tuple[int, ...]) -> Addresses:
        """Return where values are read from, for counters of these ranges."""
        here = {s.target for s in self.kernel.stores if s.is_plain} | {self.kernel.anchor}
        return Addresses(self.fused.arrays, ranges, here)

    def elements(self, addresses: Addresses, loops: Loops, lanes: int) -> Elements:
        """Return the values at the counters of some loops."""
        hides = self.machine.hides_masks
        return Elements(self.f, addresses, loops, lanes, self.pointers, self.lengths, self.status, hides)

    def lanes_of_rows(self, loops: Loops) -> int:
        """Return how many elements of a row are worked on at once."""
        return lanes_for(loops, [loops.strides(s.address)[-1] for s in self.kernel.stores], self.width)


# Loops ------------------------------------------------------------------------------------------------------


def _loop(frame: KernelContext) -> None:
    kernel = frame.kernel
    if 0 in kernel.shape:
        return
    addresses = frame.addresses(kernel.shape)
    stores = [s.address for s in kernel.stores]
    own = identity_map(kernel.shape)
    read = addresses.all([(s.value, own) for s in kernel.stores])
    loops = merged(kernel.shape, [*stores, *read])
    lanes = lanes_for(loops, [loops.strides(a)[-1] for a in stores] if loops.groups else [], frame.width)
    e = frame.elements(addresses, loops, lanes)
    start, stop, whole = _bounds(frame, loops, lanes if len(loops.groups) == 1 else 1)
    run_stores(e, kernel.stores, start, stop, whole and no_lanes_left(loops, lanes))


def _bounds(frame: KernelContext, loops: Loops, unit: int) -> tuple[Value, Value, bool]:
    """Return what a thread has of the outermost loop, and whether that is known to be in whole units."""
    f, outer, rows = frame.f, loops.sizes[0] if loops.groups else 1, rows_of(frame.kernel)
    if not rows:
        return *partition.share_units(f, outer, unit, *frame.part), True
    row = outer // rows
    start, stop = partition.share_rows(f, rows, *frame.part)
    if row > 1:
        start, stop = (f.op("mul nsw", x, index(row)) for x in (start, stop))
    return start, stop, partition.ROW_UNIT * row % unit == 0


def _fill(frame: KernelContext) -> None:
    node = frame.kernel.anchor
    assert node is not None
    size = node.array_type.size * node.array_type.dtype.itemsize
    zero = const("i8", 0)
    frame.f.call("llvm.memset.p0.i64", "void", frame.pointers[node], zero, index(size), const("i1", False))


# Reductions -------------------------------------------------------------------------------------------------


def _reduce(frame: KernelContext) -> None:
    kernel, node = frame.kernel, frame.kernel.anchor
    assert node is not None
    if 0 in kernel.shape:
        return
    ranges, kept_axes = ranges_of(node), len(node.array_type.shape)
    addresses = frame.addresses(ranges)
    operand = [(node.inputs[0], operand_map_of(node))]
    read = addresses.all(operand)
    values = [s.value for s in kernel.stores if s.value is not node]
    after = [s.address for s in kernel.stores]
    after += addresses.all([(v, identity_map(v.array_type.shape)) for v in values], but=node)
    loops = merged(ranges, [*read, *after], alone=(kept_axes,))
    kept = kept_levels(node, loops)
    strides = [loops.strides(a) for a in read]
    columns = fold_of(node) is not None and runs_along_columns(
        strides, kept, loops, addresses.looked_up(operand)
    )
    columns = columns and all(loops.strides(s.address)[kept - 1] == 1 for s in kernel.stores)
    lanes = _reduction_lanes(frame, loops, kept, columns)
    e = frame.elements(addresses, loops, lanes)
    e.along = kept - 1 if columns else e.inner
    exact = not columns or loops.sizes[kept - 1] % lanes == 0
    if not kept:
        run_reduction(e, kernel, kept, index(0), index(1), exact)
        return
    start, stop, whole = _bounds(frame, loops, lanes if kept == 1 and columns else 1)
    run_reduction(e, kernel, kept, start, stop, exact and whole)


def _reduction_lanes(frame: KernelContext, loops: Loops, kept: int, columns: bool) -> int:
    node = frame.kernel.anchor
    assert node is not None
    if columns:
        width = frame.width * COLUMN_REGISTERS
        if kept == 1 and rows_of(frame.kernel):  # a thread's rows are whole vectors
            width = min(width, partition.ROW_UNIT)
        return lanes_for(Loops(loops.groups[:kept], loops.ranges), [], width)
    return lanes_for(loops, [], frame.width)


# Orders and scatters ----------------------------------------------------------------------------------------


def _order(frame: KernelContext) -> None:
    """Emit a running sum or product: one loop along the axis for each place of the others.

    Where the axis is not the last one, lanes walk along the last: each place still adds up in order.
    """
    node, f = frame.kernel.anchor, frame.f
    assert node is not None
    shape, axis = node.array_type.shape, node.attrs["axis"]
    if 0 in shape:
        return
    order = [*(a for a in range(len(shape)) if a != axis), axis]
    ranges = tuple(shape[a] for a in order)
    places = tuple(counter(order.index(a), n) for a, n in enumerate(shape))
    lanes = 1 if axis == len(shape) - 1 else lanes_for(separate(shape), [1], frame.width)
    e = frame.elements(frame.addresses(ranges), separate(ranges), lanes)
    e.along = e.inner - 1 if lanes > 1 else e.inner
    address = linear(places, shape)
    is_sum, type = node.op is CUMSUM, vector(memory_type(node), lanes)
    first = const(type, (-0.0 if node.array_type.is_float else 0) if is_sum else 1)
    opcode = ("f" if node.array_type.is_float else "") + ("add" if is_sum else "mul")

    def along(depth: int) -> None:
        if depth == e.inner:
            with f.loop(0, ranges[depth], carried=[first]) as loop, e.scope():
                e.counters[depth] = loop.counter
                value = e.value(node.inputs[0], places)
                value = value if lanes_of(value.type) == lanes else f.splat(value, lanes)
                total = f.op(opcode, loop.carried[0], value)
                e.store(node, address, total)
                loop.next(total)
        elif depth == e.along:
            exact = no_lanes_left(separate(shape), lanes)
            across(e, index(0), index(ranges[depth]), exact, lambda: along(depth + 1))
        else:
            with f.loop(0, ranges[depth]) as loop, e.scope():
                e.counters[depth] = loop.counter
                along(depth + 1)

    along(0)


def _scatter(frame: KernelContext) -> None:
    """Emit the copy of the array, then the additions one after the other, in the order of the updates.

    Where an update is a row of its own, lanes walk along it: each element still gets its updates in order.
    """
    node, f = frame.kernel.anchor, frame.f
    assert node is not None
    if 0 in node.array_type.shape:
        _note_updates_to_nothing(frame)
        return
    shape = node.array_type.shape
    loops = separate(shape)
    lanes = lanes_for(loops, [1], frame.width)
    copy = frame.elements(frame.addresses(shape), loops, lanes)
    own = identity_map(shape)
    address = linear(own, shape)
    body = lambda: copy.store(node, address, copy.value(node.inputs[0], own))  # noqa: E731
    nest(
        copy,
        index(0),
        index(shape[0]),
        no_lanes_left(loops, lanes),
        lambda depth: copy.prepare([(node.inputs[0], own)], depth),
        body,
    )
    _additions(frame, node, f)


def _note_updates_to_nothing(frame: KernelContext) -> None:
    node = frame.kernel.anchor
    assert node is not None
    if 0 not in node.inputs[1].array_type.shape:
        frame.f.store(const("i32", 1), frame.status)


def _additions(frame: KernelContext, node: Node, f: Function) -> None:
    updates, indices = node.inputs[1], node.inputs[2:]
    ranges = updates.array_type.shape
    if 0 in ranges:
        return
    loops, trailing = separate(ranges), len(node.array_type.shape) - len(indices)
    lanes = lanes_for(loops, [1], frame.width) if trailing and node.array_type.dtype.kind != "b" else 1
    e = frame.elements(frame.addresses(ranges), loops, lanes)
    places = identity_map(ranges)
    keys = [(updates, places), *scatter_indices(node, places)]

    def add() -> None:
        place = e.scattered(node, indices, places)
        value = e.value(updates, places)
        old = e.load(node, place, 1 if lanes > 1 else 0)
        value = value if lanes_of(value.type) == lanes else f.splat(value, lanes)
        opcode = "fadd" if node.array_type.is_float else "or" if node.array_type.dtype.kind == "b" else "add"
        e.put(node, place, f.op(opcode, old, value))

    stop = index(ranges[0] if ranges else 1)
    nest(e, index(0), stop, no_lanes_left(loops, lanes), lambda depth: e.prepare(keys, depth), add)


_EMITTERS: dict[str, Callable[[KernelContext], None]] = {
    "loop": _loop,
    "fill": _fill,
    "reduce": _reduce,
    "order": _order,
    "scatter": _scatter,
}
