"""Where NumPy's arrays lie, as machine code finds it: asking NumPy would take a microsecond an array.

An array object begins with the fields that NumPy's headers call `PyArrayObject_fields`. Every extension that
was compiled against NumPy has their places built in, so they cannot move within a major version; still they
are looked at before they are trusted.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, index

# All of Python's objects begin with a head, whose last word is the type. Behind it an array has its data,
# rank, lengths, strides, base, dtype and flags.
DATA = object.__basicsize__
TYPE, RANK, LENGTHS, DTYPE, FLAGS = DATA - 8, DATA + 8, DATA + 16, DATA + 40, DATA + 48
# A tuple's items follow its head.
ITEMS = tuple.__basicsize__
# NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_ALIGNED: what machine code asks of an array.
READY = 0x0001 | 0x0100

_READ = """define i32 @read(ptr %objects, ptr %slots, ptr %lengths) nounwind {{
begin:
  br label %array
array:
  %k = phi i64 [ 0, %begin ], [ %next, %array ]
  %all = phi i32 [ {ready}, %begin ], [ %both, %array ]
  %place = getelementptr inbounds ptr, ptr %objects, i64 %k
  %object = load ptr, ptr %place, align 8
  %data.at = getelementptr inbounds i8, ptr %object, i64 {data}
  %data = load ptr, ptr %data.at, align 8
  %slot = getelementptr inbounds ptr, ptr %slots, i64 %k
  store ptr %data, ptr %slot, align 8
  %flags.at = getelementptr inbounds i8, ptr %object, i64 {flags}
  %flags = load i32, ptr %flags.at, align 4
  %both = and i32 %all, %flags
  %next = add nuw nsw i64 %k, 1
  %more = icmp slt i64 %next, {arrays}
  br i1 %more, label %array, label %done
done:
{lengths}
  ret i32 %both
}}"""

_LENGTH = """  %object.{k} = getelementptr inbounds ptr, ptr %objects, i64 {array}
  %array.{k} = load ptr, ptr %object.{k}, align 8
  %at.{k} = getelementptr inbounds i8, ptr %array.{k}, i64 {lengths}
  %shape.{k} = load ptr, ptr %at.{k}, align 8
  %axis.{k} = getelementptr inbounds i64, ptr %shape.{k}, i64 {axis}
  %rows.{k} = load i64, ptr %axis.{k}, align 8
  %length.{k} = getelementptr inbounds i64, ptr %lengths, i64 {k}
  store i64 %rows.{k}, ptr %length.{k}, align 8"""


def emit_reader(module: Module, arrays: int, axes: Sequence[tuple[int, int]]) -> None:
    """Define `i32 @read(ptr objects, ptr slots, ptr lengths)`, which reads where arrays lie.

    objects     addresses of array objects; slots get the addresses of their memory
    lengths     gets the lengths of `axes`, each an array's number and an axis of it

    It returns `READY` if every array is contiguous and aligned, and less than that otherwise.
    """
    read = (
        _LENGTH.format(k=k, array=array, axis=axis, lengths=LENGTHS) for k, (array, axis) in enumerate(axes)
    )
    lengths = "\n".join(read)
    nothing = f"define i32 @read(ptr, ptr, ptr) {{\n  ret i32 {READY}\n}}"
    body = _READ.format(ready=READY, data=DATA, flags=FLAGS, arrays=arrays, lengths=lengths)
    module.functions["read"] = body if arrays else nothing


def emit_is_array(module: Module, shape: Sequence[int]) -> str:
    """Define `i1 (ptr object, ptr kind)`: whether an object is a `READY` array of a kind and shape.

    kind    address of what `kind_of` gave
    """
    f = Function(module, "is.array", [("x", "ptr"), ("kind", "ptr")], "i1", "internal nounwind")
    x, kind = f.parameters["x"], f.parameters["kind"]
    found = f.alloca("i1", 1, 1)
    f.store(const("i1", False), found)

    def same(place: int, word: int) -> Value:
        held = f.load("ptr", f.at(x, place, "i8"))
        return f.compare("eq", held, f.load("ptr", f.at(kind, word, "ptr")))

    with f.when(same(TYPE, 0)):  # other objects can be smaller than what is read of an array
        flags = f.op("and", f.load("i32", f.at(x, FLAGS, "i8")), const("i32", READY))
        rank = f.load("i32", f.at(x, RANK, "i8"))
        ready = f.compare("eq", flags, const("i32", READY))
        ranked = f.compare("eq", rank, const("i32", len(shape)))
        with f.when(f.op("and", f.op("and", ready, ranked), same(DTYPE, 1))):
            lengths, good = f.load("ptr", f.at(x, LENGTHS, "i8")), const("i1", True)
            for axis, length in enumerate(shape):
                held = f.load("i64", f.at(lengths, axis, "i64"))
                good = f.op("and", f.compare("eq", held, index(length)), good)
            f.store(good, found)
    return f.finish(f.load("i1", found))


def kind_of(dtype: np.dtype) -> np.ndarray:
    """Return the addresses that tell arrays of a dtype: those of NumPy's array type and of the dtype."""
    return np.array([id(np.ndarray), id(dtype)], np.uint64)


@functools.cache
def are_readable() -> bool:
    """Return whether arrays keep what is read where it is looked for."""
    whole = np.zeros((3, 5))
    arrays = whole, whole[1:], whole.T, whole[:, ::2], np.zeros(())
    items = [ctypes.c_void_p.from_address(id(arrays) + ITEMS + 8 * k).value for k in range(len(arrays))]
    return items == list(map(id, arrays)) and all(map(_is_as_expected, arrays))


def _is_as_expected(array: np.ndarray) -> bool:
    def word(place: int) -> int | None:
        return ctypes.c_void_p.from_address(id(array) + place).value

    flags = ctypes.c_int.from_address(id(array) + FLAGS).value & READY
    if flags != array.flags.c_contiguous * 0x0001 | array.flags.aligned * 0x0100:
        return False
    if [word(TYPE), word(DTYPE), word(DATA)] != [id(np.ndarray), id(array.dtype), array.ctypes.data]:
        return False
    if ctypes.c_int.from_address(id(array) + RANK).value != array.ndim:
        return False
    shape = word(LENGTHS)
    return not array.ndim or bool(shape and ctypes.c_ssize_t.from_address(shape).value == array.shape[0])
