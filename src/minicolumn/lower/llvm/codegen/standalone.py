"""A graph as a module of LLVM text that stands alone: one function, its constants and its scratch memory.

    int NAME(const X *x, Y *out)        0, or 1 where an index was out of range

One thread runs it, nothing is allocated, and Python is not called. What a program of `emit_program` is given
at run time lies in the module: the arena and the status are zeroed memory of its own, so one call at a time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.lower.llvm.codegen.context import ProgramContext
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, index
from minicolumn.lower.llvm.codegen.kernels import Kernels
from minicolumn.lower.llvm.codegen.program import Table
from minicolumn.lower.llvm.codegen.steps import ScheduleCode, constants
from minicolumn.lower.llvm.runtime.abi import ARENA, FIRST, STATUS
from minicolumn.lower.llvm.runtime.jit import Target
from minicolumn.lower.llvm.schedule.hazards import region_of
from minicolumn.lower.llvm.schedule.schedule import prepare
from minicolumn.passes.memory import ALIGN

# One thread meets nobody.
_BARRIER = "define internal void @mc.barrier(ptr %team, i64 %parts) {\n  ret void\n}\n"


@dataclass(frozen=True)
class Standalone:
    """The text, and how many bytes of constants and of scratch memory it has."""

    text: str
    constants: int
    arena: int


def emit_standalone(graph: Graph, target: Target, name: str, word: int = 8) -> Standalone:
    """Write the module of a graph of one input and one output, whose shapes are known.

    name        of the function
    word        bytes of an address on the target
    Errors      DataError, naming it, for an operation that only Python computes
    """
    module = Module()
    module.functions["mc.barrier"] = _BARRIER
    kernels = Kernels(module, target.machine)
    schedule = prepare(graph, kernels)
    parameters = [("table", "ptr"), ("team", "ptr"), ("part", "i64"), ("parts", "i64")]
    f = Function(module, "run", parameters, "void", "internal nounwind")
    table = Table(f, graph, word)
    context = ProgramContext(f, kernels, table.slot(STATUS), Value("null", "ptr"), table.constant)
    arena = table.slot(ARENA)
    if schedule.private:
        context.private = f.at(arena, index(_aligned(schedule.memory.size)), "i8")
    where = {node: table.slot(FIRST + k) for k, node in enumerate(graph.inputs)}
    results = [table.slot(FIRST + len(graph.inputs) + k) for k in range(len(graph.outputs))]
    where |= constants(context, schedule)
    regions = [region_of((node, k), node.array_type) for k, node in enumerate(graph.outputs)]
    ScheduleCode(context, schedule, where, results, arena, 0, {}, regions).run()
    f.finish()
    if context.hosts:
        named = ", ".join(sorted({node.op.name for node in context.hosts}))
        raise DataError(f"export: no object code for {named}, which only Python computes")
    size = _aligned(schedule.memory.size) + _aligned(schedule.private)
    for key, text in module.functions.items():
        module.functions[key] = re.sub(r"^define (?!internal )", "define internal ", text)
    _wrap(module, name, size, table.constants, word)
    inside = sum(node.attrs["value"].nbytes for node in schedule.fused.graph.nodes if node.op is CONST)
    return Standalone(str(module), inside, size)


def _wrap(module: Module, name: str, arena: int, given: Sequence[Node], word: int) -> None:
    """Add the memory, and the function that fills the table in and runs the program."""
    module.globals["arena"] = (
        f"@arena = internal global [{max(arena, 1)} x i8] zeroinitializer, align {ALIGN}"
    )
    module.globals["status"] = "@status = internal global i32 0, align 8"
    slots = {ARENA: "@arena", STATUS: "@status", FIRST: "%x", FIRST + 1: "%out"}
    for k, node in enumerate(given):
        module.globals[f"given{k}"] = _bytes(f"given{k}", node.attrs["value"])
        slots[FIRST + 2 + k] = f"@given{k}"
    count = FIRST + 2 + len(given)
    lines = [f"  %table = alloca [{count} x ptr], align {word}", "  store i32 0, ptr @status, align 8"]
    for slot, value in slots.items():
        lines.append(f"  %p{slot} = getelementptr inbounds ptr, ptr %table, i64 {slot}")
        lines.append(f"  store ptr {value}, ptr %p{slot}, align {word}")
    lines.append("  call void @run(ptr %table, ptr null, i64 0, i64 1)")
    lines += ["  %found = load i32, ptr @status, align 8", "  ret i32 %found"]
    body = "\n".join(lines)
    module.functions[name] = f"define i32 @{name}(ptr %x, ptr %out) nounwind {{\n{body}\n}}\n"


def _bytes(name: str, value: np.ndarray) -> str:
    """Return a constant array as bytes, little end first."""
    data = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<")).tobytes() or b"\0"
    text = "".join(f"\\{byte:02X}" for byte in data)
    return f'@{name} = private unnamed_addr constant [{len(data)} x i8] c"{text}", align 64'


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN
