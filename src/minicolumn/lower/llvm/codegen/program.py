"""A graph as one module of LLVM text, whose function `run` does everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.lower.llvm.codegen.content_addressed import DividedModule, divided
from minicolumn.lower.llvm.codegen.context import ProgramContext
from minicolumn.lower.llvm.codegen.elements import memory_type
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, index
from minicolumn.lower.llvm.codegen.interrupts import emit_look
from minicolumn.lower.llvm.codegen.kernels import Kernels
from minicolumn.lower.llvm.codegen.steps import ScheduleCode, constants
from minicolumn.lower.llvm.codegen.subnormals import emit_flushing
from minicolumn.lower.llvm.runtime.abi import ARENA, CODE_CONSTANT_BYTES, FIRST, HOST, STATUS, TIMES, WATCH
from minicolumn.lower.llvm.runtime.array_objects import emit_reader
from minicolumn.lower.llvm.runtime.jit import Target
from minicolumn.lower.llvm.runtime.team import emit_barrier
from minicolumn.lower.llvm.schedule.hazards import region_of
from minicolumn.lower.llvm.schedule.schedule import Schedule, prepare
from minicolumn.lower.llvm.schedule.symbolic_dims import check_dims
from minicolumn.passes.kernel import Kernel
from minicolumn.passes.memory import ALIGN


@dataclass(frozen=True, eq=False)
class Emitted:
    """The text of a program and how to call it.

    divided     the text in two parts, where there is enough that other programs may share
    constants   large arrays that are handed over, in this order
    hosts       operations that are called back, by number
    timed       kernels whose cycles are counted, in the order of the counts
    arena       bytes of scratch memory, then of what each thread needs besides
    shared      whether there is work that several threads can share
    watched     how many loops look for signals
    """

    text: str
    divided: DividedModule | None
    schedule: Schedule
    constants: tuple[Node, ...]
    hosts: tuple[Node, ...]
    timed: tuple[Kernel, ...]
    arena: tuple[int, int]
    shared: bool
    watched: int


def emit_program(
    graph: Graph,
    target: Target,
    timed: bool = False,
    flush_subnormals: bool = False,
    interruptible: bool = False,
) -> Emitted:
    """Write the module of a graph.

    The function that does everything is ``run(table, team, part, parts)``. The table holds addresses: the
    arena, the status word, the function that calls Python, the cycle counts, what loops look for signals
    with, then inputs, outputs, the lengths of symbolic dimensions (numbers) and large constants. ``read``
    fills in where arrays lie (array_objects.py). With `flush_subnormals` arithmetic takes subnormal numbers
    for 0, on whichever thread it runs. With `interruptible` long loops look for signals.
    """
    module, family = Module(), target.triple.split("-")[0]
    emit_barrier(module, family)
    check_dims(graph)
    kernels = Kernels(module, target.machine)
    schedule = prepare(graph, kernels)
    f = Function(
        module,
        "flushed" if flush_subnormals else "run",
        [("table", "ptr"), ("team", "ptr"), ("part", "i64"), ("parts", "i64")],
        "void",
        "internal noinline nounwind" if flush_subnormals else "nounwind",
    )
    table = Table(f, graph)
    context = ProgramContext(f, kernels, table.slot(STATUS), table.slot(HOST), table.constant)
    first = FIRST + len(graph.inputs) + len(graph.outputs)
    context.lengths = {dim: table.number(first + k) for k, dim in enumerate(graph.dims)}
    context.times = table.slot(TIMES) if timed else None
    context.watch = table.slot(WATCH) if interruptible else None
    context.flushing_on = family if flush_subnormals else ""
    arena = table.slot(ARENA)
    if schedule.private:
        own = f.op("mul nsw", context.part, index(_aligned(schedule.private)))
        context.private = f.at(arena, f.op("add nsw", own, index(_aligned(schedule.memory.size))), "i8")
    where = {node: table.slot(FIRST + k) for k, node in enumerate(graph.inputs)}
    inputs, outputs = len(graph.inputs), len(graph.outputs)
    results = [table.slot(FIRST + inputs + k) for k in range(outputs)]
    where |= constants(context, schedule)
    regions = [region_of((node, k), node.array_type) for k, node in enumerate(graph.outputs)]
    ScheduleCode(context, schedule, where, results, arena, 0, {}, regions).run()
    f.finish()
    if flush_subnormals:
        emit_flushing(module, family, "run", f)
    emit_reader(module, inputs + outputs, list(graph.dims.values()))
    constants_given, hosts = tuple(table.constants), tuple(context.hosts)
    timed_kernels = tuple(context.timed)
    size = _aligned(schedule.memory.size), _aligned(schedule.private)
    if context.watched:
        emit_look(module)
    parts = divided(module, (f.name, "run", "read"), target.identity)
    return Emitted(
        str(module), parts, schedule, constants_given, hosts, timed_kernels, size, context.shared,
        context.watched,
    )  # fmt: skip


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


class Table:
    """The table of arguments, read at the beginning of the function.

    word        bytes of an address
    """

    def __init__(self, f: Function, graph: Graph, word: int = 8) -> None:
        self.f, self._word = f, word
        self.constants: list[Node] = []
        self._where: dict[Node, Value] = {}
        self._first = FIRST + len(graph.inputs) + len(graph.outputs) + len(graph.dims)

    def slot(self, number: int) -> Value:
        """Return the address in a slot."""
        place = self.f.let_first("ptr", f"getelementptr inbounds ptr, ptr %table, i64 {number}")
        return self.f.let_first("ptr", f"load ptr, {place}, align {self._word}")

    def number(self, number: int) -> Value:
        """Return the integer in a slot."""
        place = self.f.let_first("ptr", f"getelementptr inbounds ptr, ptr %table, i64 {number}")
        return self.f.let_first("i64", f"load i64, {place}, align 8")

    def constant(self, node: Node) -> Value:
        """Return where a constant lies: in the module, or in a slot if it is large."""
        if node not in self._where:
            self._where[node] = self._placed(node)
        return self._where[node]

    def _placed(self, node: Node) -> Value:
        value: np.ndarray = node.attrs["value"]
        if value.nbytes > CODE_CONSTANT_BYTES or not value.size:
            self.constants.append(node)
            return self.slot(self._first + len(self.constants) - 1)
        type = memory_type(node)
        numbers = [const(type, x).text for x in np.ravel(value).tolist()]
        items = ", ".join(f"{type} {n}" for n in numbers)
        name = f"c{len(self._where)}"
        text = f"@{name} = private unnamed_addr constant [{value.size} x {type}] [{items}], align 64"
        self.f.module.globals[name] = text
        return Value(f"@{name}", "ptr")
