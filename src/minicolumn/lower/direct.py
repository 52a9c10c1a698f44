"""A program of one array as a function with nothing around it: for loops in which microseconds count."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from minicolumn.errors import DataError
from minicolumn.lower.llvm.emit import Function, Module, Value, const, index
from minicolumn.lower.llvm.jit import Loaded
from minicolumn.lower.llvm.objects import DATA, are_readable
from minicolumn.lower.llvm.stored import object_of
from minicolumn.lower.llvm.table import ARENA, FIRST, STATUS
from minicolumn.lower.native import NativeProgram
from minicolumn.passes.memory import ALIGN

# What a call needs lies on the stack, so that any number of threads may call at once.
MOST_STACK = 256 * 1024
# Without giving Python's lock away: that would take longer than the work.
_CALL = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def fits_directly(program: NativeProgram) -> bool:
    """Return whether a program needs neither Python on its way nor more memory than a stack has."""
    return not program.calls_host and program.arena_bytes <= MOST_STACK


def direct(program: NativeProgram) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of one array that checks nothing: dtype, shape and layout must be the program's.

    program     of one input and one output, with an arena that fits the stack

    The array must be contiguous; anything else is read as if it were.
    """
    if len(program.graph.inputs) != 1 or len(program.graph.outputs) != 1:
        raise DataError("direct: a program of one input and one output expected")
    if program.arena_bytes > MOST_STACK:
        raise DataError(f"direct: the program needs {program.arena_bytes:,} bytes of scratch memory")
    code = Loaded(object_of(_entry(program), program.target), ("enter",))
    enter, run = _CALL(code.address("enter")), program.address
    template = program.template()
    table, empty = template.ctypes.data, np.empty
    shape, dtype = program.graph.outputs[0].array_type.shape, program.graph.outputs[0].array_type.dtype
    if are_readable():

        def call(x: np.ndarray) -> np.ndarray:
            out = empty(shape, dtype)
            enter(id(x), id(out), table, run)
            return out

    else:

        def call(x: np.ndarray) -> np.ndarray:
            out = empty(shape, dtype)
            held = np.array([x.ctypes.data, out.ctypes.data], np.uint64)
            start = held.ctypes.data - DATA
            enter(start, start + 8, table, run)
            return out

    call.__dict__["holds"] = (program, code, template)  # for as long as the function lives
    return call


def _entry(program: NativeProgram) -> str:
    """Return the text of the function that puts a table of arguments on the stack and runs the program."""
    f = Function(Module(), "enter", [(n, "ptr") for n in ("x", "out", "template", "run")], "void", "nounwind")
    p, words = f.parameters, len(program.template())
    table = f.alloca("i64", words, 16)
    arena = f.alloca("i8", max(program.arena_bytes, 1), ALIGN)
    status = f.alloca("i64", 1, 8)
    size = index(8 * words)
    f.call("llvm.memcpy.p0.p0.i64", "void", table, p["template"], size, const("i1", False))
    for slot, pointer in ((ARENA, arena), (STATUS, status)):
        f.store(pointer, f.at(table, slot, "i64"))
    for slot, array in ((FIRST, p["x"]), (FIRST + 1, p["out"])):
        f.store(f.load("ptr", f.at(array, DATA, "i8")), f.at(table, slot, "i64"))
    f.line(f"call void {p['run'].text}({table}, ptr null, {Value('0', 'i64')}, {Value('1', 'i64')})")
    f.finish()
    return str(f.module)
