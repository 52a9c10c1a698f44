"""A program of one array as a function with next to nothing around it, for loops where microseconds count."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, index
from minicolumn.lower.llvm.runtime.abi import ARENA, FIRST, STATUS
from minicolumn.lower.llvm.runtime.array_objects import DATA, are_readable, emit_is_array, kind_of
from minicolumn.lower.llvm.runtime.jit import Loaded, object_of
from minicolumn.lower.native import OUT_OF_RANGE, NativeProgram
from minicolumn.passes.memory import ALIGN

# What a call needs lies on the stack, so that any number of threads may call at once; theirs can be small.
MOST_STACK = 32 * 1024
# What machine code returns: done, and every index was in range.
_DONE = 1
# Without giving Python's lock away: that would take longer than the work.
_CALL = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 5)


def takes_single_array(program: NativeProgram) -> bool:
    """Return whether a program needs neither Python on its way nor more memory than a stack has."""
    alone = not program.calls_host and not program.watched
    return are_readable() and alone and program.arena_bytes <= MOST_STACK


def single_array_call(program: NativeProgram) -> Callable[[Any], np.ndarray]:
    """Return a function of one array. What is no array of the program's dtype, shape and layout is made one.

    program     of one input and one output, for which `takes_single_array` holds
    Errors      of the function: DataError for what holds no real numbers or too large ones, ShapeError for
                another shape, IndexError where an index is out of range
    """
    if len(program.graph.inputs) != 1 or len(program.graph.outputs) != 1:
        raise DataError("single_array_call: a program of one input and one output expected")
    if program.arena_bytes > MOST_STACK:
        raise DataError(
            f"single_array_call: the program needs {program.arena_bytes:,} bytes of scratch memory"
        )
    type = program.graph.inputs[0].array_type
    code = Loaded(object_of(_entry(program, type), program.target), ("enter",))
    enter, run = _CALL(code.address("enter")), program.address
    template, kind = program.template(), kind_of(type.dtype)
    table, expected, empty = template.ctypes.data, kind.ctypes.data, np.empty
    shape, dtype = program.graph.outputs[0].array_type.shape, program.graph.outputs[0].array_type.dtype

    def call(x: Any) -> np.ndarray:
        out = empty(shape, dtype)
        done = enter(id(x), id(out), expected, table, run)
        if not done:
            given = as_expected(x, type)
            done = enter(id(given), id(out), expected, table, run)
        if done != _DONE:
            raise IndexError(OUT_OF_RANGE)
        return out

    call.__dict__["holds"] = (program, code, template, kind)  # for as long as the function lives
    return call


def as_expected(x: Any, type: ArrayType) -> np.ndarray:
    """Return a new array of a type; refuse what cannot be made one without losing what it says."""
    try:
        with np.errstate(over="raise"):
            array = np.array(_real(x), type.dtype, order="C")
    except FloatingPointError:
        raise DataError(f"expected an array of {type.dtype}, got numbers beyond its largest") from None
    except (TypeError, ValueError):
        raise DataError(f"expected an array of {type.dtype}, got {np.asarray(x, object)!r:.60}") from None
    if array.shape != type.shape:
        raise ShapeError(f"expected one row of shape {list(type.shape)}, got {list(array.shape)}")
    return array


def _real(x: Any) -> np.ndarray:
    """Return an array of real numbers, or of objects that may be; TypeError for any other kind of values."""
    found = np.asarray(x)
    if found.dtype.kind == "O":
        found = np.array([_number(value) for value in found.ravel()], object).reshape(found.shape)
    elif found.dtype.kind not in "fiub":
        raise TypeError(f"values of {found.dtype} are no real numbers")
    return found


def _number(value: Any) -> Any:
    """Return an object that is a real number."""
    if not isinstance(value, Real | np.number | np.bool_) or isinstance(value, np.complexfloating):
        raise TypeError(f"a {type(value).__name__} is no real number")
    return value


def _entry(program: NativeProgram, type: ArrayType) -> str:
    """Return the text of the function that puts a table of arguments on the stack and runs the program.

    It returns `_DONE`; 0, with nothing done, if its first argument is no such array; another number where an
    index was out of range.
    """
    names = ("x", "out", "kind", "template", "run")
    module = Module()
    f = Function(module, "enter", [(n, "ptr") for n in names], "i32", "nounwind")
    p, words = f.parameters, len(program.template())
    table = f.alloca("i64", words, 16)
    arena = f.alloca("i8", max(program.arena_bytes, 1), ALIGN)
    status = f.alloca("i64", 1, 8)
    answer = f.alloca("i32", 1, 4)
    f.store(const("i32", 0), answer)
    good = f.call(emit_is_array(module, type.shape), "i1", p["x"], p["kind"])
    with f.when(good):
        size = index(8 * words)
        f.store(index(0), status)
        f.call("llvm.memcpy.p0.p0.i64", "void", table, p["template"], size, const("i1", False))
        for slot, pointer in ((ARENA, arena), (STATUS, status)):
            f.store(pointer, f.at(table, slot, "i64"))
        for slot, array in ((FIRST, p["x"]), (FIRST + 1, p["out"])):
            f.store(f.load("ptr", f.at(array, DATA, "i8")), f.at(table, slot, "i64"))
        f.line(f"call void {p['run'].text}({table}, ptr null, {Value('0', 'i64')}, {Value('1', 'i64')})")
        failed = f.convert("zext", f.compare("ne", f.load("i64", status), index(0)), "i32")
        f.store(f.op("add", failed, const("i32", _DONE)), answer)
    f.finish(f.load("i32", answer))
    return str(module)
