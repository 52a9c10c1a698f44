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

from minicolumn.lower.llvm.emit import Module

# Behind the head that all of Python's objects have: the data, the rank, the lengths, strides, base and type.
DATA = object.__basicsize__
_LENGTHS, _FLAGS = DATA + 16, DATA + 48
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

_LENGTH = """  %object.{k} = getelementptr inbounds ptr, ptr %objects, i64 {k}
  %array.{k} = load ptr, ptr %object.{k}, align 8
  %at.{k} = getelementptr inbounds i8, ptr %array.{k}, i64 {lengths}
  %shape.{k} = load ptr, ptr %at.{k}, align 8
  %rows.{k} = load i64, ptr %shape.{k}, align 8
  %length.{k} = getelementptr inbounds i64, ptr %lengths, i64 {k}
  store i64 %rows.{k}, ptr %length.{k}, align 8"""


def emit_reader(module: Module, arrays: int, flexible: Sequence[int]) -> None:
    """Define `i32 @read(ptr objects, ptr slots, ptr lengths)`, which reads where arrays lie.

    objects     addresses of array objects; slots get the addresses of their memory
    lengths     gets the lengths of the first axes of the arrays with the numbers `flexible`

    It returns `READY` if every array is contiguous and aligned, and less than that otherwise.
    """
    lengths = "\n".join(_LENGTH.format(k=k, lengths=_LENGTHS) for k in flexible)
    nothing = f"define i32 @read(ptr, ptr, ptr) {{\n  ret i32 {READY}\n}}"
    body = _READ.format(ready=READY, data=DATA, flags=_FLAGS, arrays=arrays, lengths=lengths)
    module.functions["read"] = body if arrays else nothing


@functools.cache
def are_readable() -> bool:
    """Return whether arrays keep what is read where it is looked for."""
    whole = np.zeros((3, 5))
    return all(map(_is_as_expected, (whole, whole[1:], whole.T, whole[:, ::2], np.zeros(()))))


def _is_as_expected(array: np.ndarray) -> bool:
    at = id(array)
    flags = ctypes.c_int.from_address(at + _FLAGS).value & READY
    expected = array.flags.c_contiguous * 0x0001 | array.flags.aligned * 0x0100
    if ctypes.c_size_t.from_address(at + DATA).value != array.ctypes.data or flags != expected:
        return False
    shape = ctypes.c_void_p.from_address(at + _LENGTHS).value
    return not array.ndim or bool(shape and ctypes.c_ssize_t.from_address(shape).value == array.shape[0])
