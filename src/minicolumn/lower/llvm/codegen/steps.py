"""The function that runs a whole graph: kernels in order, loops, calls to the host, and where barriers stand.

Every thread runs the same function with a number of its own; a kernel does that thread's share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower.llvm.codegen.context import ProgramContext
from minicolumn.lower.llvm.codegen.emit import Value, const, index
from minicolumn.lower.llvm.codegen.interrupts import WatchedLoop, watched
from minicolumn.lower.llvm.codegen.kernels import Code, worth_sharing
from minicolumn.lower.llvm.codegen.partition import share
from minicolumn.lower.llvm.codegen.products import (
    NULL,
    ProductCall,
    ProductCode,
    call_pack,
    call_product,
    emit_product_kernel,
    product_worth_sharing,
)
from minicolumn.lower.llvm.codegen.registers import Registers
from minicolumn.lower.llvm.codegen.subnormals import as_usual
from minicolumn.lower.llvm.schedule.hazards import Access, Region, region_of
from minicolumn.lower.llvm.schedule.schedule import Schedule
from minicolumn.lower.llvm.schedule.work import Touch, Work
from minicolumn.passes.kernel import Kernel, array_below, arrays_read
from minicolumn.passes.memory import bytes_of


class ScheduleCode:
    """Emits the kernels of one schedule, in their order, and knows where its arrays are."""

    def __init__(
        self,
        context: ProgramContext,
        schedule: Schedule,
        where: Mapping[Node, Value],
        results: list[Value],
        arena: Value,
        base: int,
        regions: Mapping[Node, Region],
        result_regions: list[Region],
    ) -> None:
        self.context, self.schedule, self.f = context, schedule, context.f
        self.results, self.arena, self.base = results, arena, base
        self.where = dict(where)
        self.regions = dict(regions)
        self.result_regions = result_regions
        self._products: dict[Kernel, ProductCode] = {}
        memory = schedule.memory
        for array, k in memory.results.items():
            self.where[array], self.regions[array] = results[k], result_regions[k]
        for array, offset in memory.offsets.items():
            self.where[array] = self.f.at(arena, base + offset, "i8")
            self.regions[array] = self._arena_region(offset, bytes_of(array.array_type))

    def _arena_region(self, offset: int, size: int) -> Region:
        return ("arena", self.base + offset, self.base + offset + size)

    def run(self) -> None:
        """Emit everything in order."""
        emitters = {"scan": self._scan, "host": self._host, "product": self._product}
        for place, kernel in enumerate(self.schedule.memory.kernels):
            for product in self.schedule.packed_before(place):
                with self.context.clock(product):
                    self._pack(product)
            with self.context.clock(kernel):
                emitters.get(kernel.kind, self._plain)(kernel)
        self._copies()

    def pointer(self, node: Node) -> Value:
        """Return where an array, or what is seen of it through reshapes, begins."""
        return self.where[array_below(node, self.schedule.fused.arrays)]

    def _access(self, touches: Iterable[Touch]) -> list[Access]:
        """Return the memory of some arrays that other kernels know too."""
        return [Access(self.regions[array], rows) for array, rows in touches if array in self.regions]

    def _before(self, work: Work, reads: Sequence[Access] = (), writes: Sequence[Access] = ()) -> None:
        """Meet if a kernel, with what else it reads and writes, could get in another thread's way."""
        self.context.before(
            [*self._access(work.reads), *reads], [*self._access(work.writes), *writes], work.solo
        )

    def _workspace(self, kernel: Kernel) -> list[Access]:
        start = self.schedule.memory.workspaces.get(kernel)
        return [] if start is None else [Access(self._arena_region(start, self.schedule.spaces[kernel].size))]

    def _items(self, kernel: Kernel) -> list[Node]:
        return [i for i in self.schedule.fused.items if i.inputs[0] is kernel.anchor]

    def _space(self, kernel: Kernel, number: int) -> Value:
        start = self.schedule.memory.workspaces.get(kernel)
        if start is None:
            return NULL
        return self.f.at(self.arena, self.base + start + self.schedule.spaces[kernel].offset(number), "i8")

    # Loops, reductions and their kin ----------------------------------------------------------------------

    def _plain(self, kernel: Kernel) -> None:
        if 0 in kernel.shape and kernel.kind != "scatter":
            return
        work = self.schedule.work[kernel]
        code = self.context.kernels.emit(self.schedule.fused, kernel)
        self.context.shared |= worth_sharing(kernel)
        self._before(work)
        self._call(code, work.solo)

    def _call(self, code: Code, solo: bool) -> None:
        pointers = [self.where[a] for a in code.arrays]
        sizes = [self.context.lengths[dim] for dim in code.lengths]
        part, parts = self.context.part, self.context.parts
        if not solo:
            self.f.call(code.name, "void", *pointers, *sizes, self.context.status, part, parts)
            return
        with self.alone():
            self.f.call(code.name, "void", *pointers, *sizes, self.context.status, index(0), index(1))

    def alone(self):
        """Let the first thread alone do what is emitted within."""
        return self.f.when(self.f.compare("eq", self.context.part, index(0)))

    # Products ---------------------------------------------------------------------------------------------

    def _pack(self, kernel: Kernel) -> None:
        work = self.schedule.work[kernel].packing
        assert work is not None
        if 0 in kernel.shape:
            return
        code = self._product_code(kernel)
        self._before(work, writes=self._workspace(kernel))
        with self.alone() if work.solo else nullcontext():
            call_pack(self.f, code, self.where, self._space(kernel, 0), *self._sharing(work))

    def _product_code(self, kernel: Kernel) -> ProductCode:
        if kernel not in self._products:
            self._products[kernel] = emit_product_kernel(self.context.kernels, self.schedule.fused, kernel)
        return self._products[kernel]

    def _sharing(self, work: Work) -> tuple[Value, Value]:
        return (index(0), index(1)) if work.solo else (self.context.part, self.context.parts)

    def _product(self, kernel: Kernel) -> None:
        if 0 in kernel.shape:
            return
        work, code, space = self.schedule.work[kernel], self._product_code(kernel), self._workspace(kernel)
        assert kernel.anchor is not None
        self.context.shared |= product_worth_sharing(kernel.anchor)
        only_reads = work.packing is not None and not code.needs_buffer
        self._before(work, reads=space, writes=() if only_reads else space)
        with self.alone() if work.solo else nullcontext():
            call_product(self.f, code, self.where, self._product_call(kernel, code))

    def _product_call(self, kernel: Kernel, code: ProductCode) -> ProductCall:
        context, node = self.context, kernel.anchor
        assert node is not None
        result = self.where[node] if code.stored or not code.has_epilogue else self._space(kernel, 1)
        if code.has_epilogue and not code.needs_buffer:
            result = NULL
        table = self._epilogue_table(code) if code.has_epilogue else NULL
        work = self.schedule.work[kernel]
        barrier = (lambda: None) if work.solo else context.wait
        return ProductCall(result, self._space(kernel, 0), table, *self._sharing(work), barrier)

    def _epilogue_table(self, code: ProductCode) -> Value:
        f = self.f
        table = f.alloca("ptr", len(code.follow) + 1 + len(code.lengths), 8)
        for k, array in enumerate(code.follow):
            f.store(self.where[array], f.at(table, k, "ptr"))
        f.store(self.context.status, f.at(table, len(code.follow), "ptr"))
        for k, dim in enumerate(code.lengths):
            f.store(self.context.lengths[dim], f.at(table, len(code.follow) + 1 + k, "ptr"))
        return table

    # Calls to the host ------------------------------------------------------------------------------------

    def _host(self, kernel: Kernel) -> None:
        node, f = kernel.anchor, self.f
        assert node is not None
        self._before(self.schedule.work[kernel])
        number = len(self.context.hosts)
        self.context.hosts.append(node)
        table = f.alloca("ptr", len(node.inputs) + 1, 8)
        with self.alone():
            for k, array in enumerate((*node.inputs, node)):
                f.store(self.pointer(array), f.at(table, k, "ptr"))
            with as_usual(f, self.context.flushing_on):
                f.line(f"call void {self.context.host.text}(i64 {number}, ptr {table.text})")

    # Loops over a body ------------------------------------------------------------------------------------

    def _scan(self, kernel: Kernel) -> None:
        node, context = kernel.anchor, self.context
        assert node is not None
        in_registers = kernel in self.schedule.lanes
        self._before(self.schedule.work[kernel], writes=self._workspace(kernel))
        results, regions = self._scan_results(kernel, node)
        if in_registers:
            with self.alone():
                self._start_state(node, results)
                with self._turns(node, watched(context, node, False)) as row:
                    self._iteration_in_registers(node, self.schedule.lanes[kernel], row, results)
            return
        shared_out = self.schedule.is_parallel(kernel) and context.private is not None
        watch = watched(context, node, not shared_out and not context.is_apart)
        context.barrier()
        with self.alone():
            self._start_state(node, results)
            if watch and watch.together:
                watch.agree(watch.first())
        context.barrier()
        if shared_out and not context.is_apart:
            self._iterations_of_one_thread(kernel, node, watch, results, regions)
            return
        arena = self.base + self.schedule.memory.workspaces.get(kernel, 0)  # a body may need none
        with self._turns(node, watch) as row:
            self._body_code(node, self.schedule.inner[kernel], row, results, regions, arena).run()
            context.barrier()

    def _iterations_of_one_thread(
        self,
        kernel: Kernel,
        node: Node,
        watch: WatchedLoop | None,
        results: list[Value],
        regions: list[Region],
    ) -> None:
        """Share out the iterations: each thread does some of them alone, in memory of its own."""
        context, schedule = self.context, self.schedule.inner[kernel]
        assert context.private is not None
        context.shared = True
        with self._turns(node, watch, context.part, context.parts) as row:
            context.is_apart, arena, base = True, self.arena, self.base
            self.arena = context.private
            self._body_code(node, schedule, row, results, regions, 0).run()
            context.is_apart, self.arena, self.base = False, arena, base
        context.barrier()

    def _start_state(self, node: Node, results: list[Value]) -> None:
        consts = node.attrs["consts"]
        for k in range(node.attrs["carry"]):
            first = node.inputs[consts + k]
            elsewhere = self.f.compare(
                "ne", results[k], self.pointer(first)
            )  # unless the argument was donated
            with self.f.when(elsewhere):
                self._move(results[k], self.pointer(first), first.array_type)

    @contextmanager
    def _turns(
        self,
        node: Node,
        watch: WatchedLoop | None,
        part: Value = index(0),  # noqa: B008
        parts: Value = index(1),  # noqa: B008
    ) -> Iterator[Value]:
        """Run what is emitted within for each row of a part, first to last or the other way round."""
        f, length = self.f, self.context.length(node.attrs["length"])
        start, stop = index(0), length
        if parts != index(1):
            start, stop = share(f, length, part, parts)
        with watch.run(start, stop) if watch else f.count(start, stop) as row:
            if node.attrs["reverse"]:
                row = f.op("sub nsw", f.op("sub nsw", length, index(1)), row)
            yield row

    def _iteration_in_registers(self, node: Node, batch: int, row: Value, results: list[Value]) -> None:
        body, carry = node.attrs["body"], node.attrs["carry"]
        where = self._body_inputs(node, row, results)
        read = self._read_results(node)
        outs = [
            r if k < carry or not read[k] else self._row(r, body.outputs[k].array_type, row)
            for k, r in enumerate(results)
        ]
        Registers(self.f, body, batch, where, self.context.lengths, self.context.status).run(outs)

    def _scan_results(self, kernel: Kernel, node: Node) -> tuple[list[Value], list[Region]]:
        items = {i.attrs["index"]: i for i in self._items(kernel)}
        results, regions = [], []
        for k, type in enumerate(node.type.items):  # type: ignore[union-attr]
            if k in items:
                results.append(self.where[items[k]])
                regions.append(self.regions[items[k]])
            else:
                results.append(self._space(kernel, 1 + k))
                regions.append(region_of((node, k), type))
        return results, regions

    def _read_results(self, node: Node) -> list[bool]:
        """Return which results of a loop somebody reads; the rows of others all go to one place."""
        known = {i.attrs["index"] for i in self.schedule.fused.items if i.inputs[0] is node}
        return [k in known for k in range(len(node.type.items))]  # type: ignore[union-attr]

    def _body_code(
        self,
        node: Node,
        schedule: Schedule,
        row: Value,
        results: list[Value],
        regions: list[Region],
        arena: int,
    ) -> ScheduleCode:
        body, consts, carry = schedule.graph, node.attrs["consts"], node.attrs["carry"]
        where = self._body_inputs(node, row, results)
        known = {body.inputs[consts + k]: regions[k] for k in range(carry)}
        where |= constants(self.context, schedule)
        read = self._read_results(node)
        outs = [
            r if k < carry or not read[k] else self._row(r, body.outputs[k].array_type, row)
            for k, r in enumerate(results)
        ]
        return ScheduleCode(self.context, schedule, where, outs, self.arena, arena, known, regions)

    def _body_inputs(self, node: Node, row: Value, results: list[Value]) -> dict[Node, Value]:
        """Return where the inputs of a body lie in this iteration."""
        consts, carry = node.attrs["consts"], node.attrs["carry"]
        where = {}
        for k, (inner, outer) in enumerate(zip(node.attrs["body"].inputs, node.inputs, strict=True)):
            if k < consts:
                where[inner] = self.pointer(outer)
            elif k < consts + carry:
                where[inner] = results[k - consts]
            else:
                where[inner] = self._row(self.pointer(outer), inner.array_type, row)
        return where

    def _row(self, pointer: Value, type: ArrayType, row: Value) -> Value:
        return self.f.at(pointer, self.f.op("mul nsw", row, self.context.bytes(type)), "i8")

    # Results that lie elsewhere ---------------------------------------------------------------------------

    def _copies(self) -> None:
        memory, outputs = self.schedule.memory, self.schedule.graph.outputs
        if not memory.copies:
            return
        sources = self._access((c.source, 0) for c in memory.copies)
        targets = [Access(self.result_regions[c.output]) for c in memory.copies]
        rooms = [
            Access(self._arena_region(o, bytes_of(outputs[k].array_type))) for k, o in memory.rooms.items()
        ]
        self.context.before(sources, targets + rooms, True)
        with self.alone():
            for copy in memory.copies:
                if copy.room:
                    room = self.f.at(self.arena, self.base + memory.rooms[copy.output], "i8")
                    self._move(room, self.where[copy.source], outputs[copy.output].array_type)
            for copy in memory.copies:
                source = self.where[copy.source]
                if copy.room:
                    source = self.f.at(self.arena, self.base + memory.rooms[copy.output], "i8")
                self._move(self.results[copy.output], source, outputs[copy.output].array_type)

    def _move(self, to: Value, source: Value, type: ArrayType) -> None:
        count = self.context.bytes(type)
        if to.text != source.text and count != index(0):
            self.f.call("llvm.memmove.p0.p0.i64", "void", to, source, count, const("i1", False))


def constants(context: ProgramContext, schedule: Schedule) -> dict[Node, Value]:
    """Return where the constants that a schedule reads lie."""
    touched = [a for k in schedule.fused.kernels for a in arrays_read(k, schedule.fused.arrays)]
    ordered = dict.fromkeys([*touched, *schedule.graph.outputs])  # the same program is the same text
    return {node: context.constant(node) for node in ordered if node.op is CONST}
