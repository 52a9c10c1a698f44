"""One native call that looks at NumPy's arrays, points a program to them, and runs it.

Asked from Python each of these steps takes longer than a small program. What is expected of the arrays, and
how they are fed to the program, stands in a plan of 64-bit words:

    run | end of the plan | input slot | output slot | block | input row bytes | output row bytes
        | result's offset in the room | NumPy's array type | for each array: slot, dtype, rank, lengths ...

A slot of -1 is for an array that is looked at and not used; a length of -1 may be any. With a block of 0 the
program runs once. Else it is a program of so many rows, and runs for block after block of the rows given: the
last one is filled up with zeros in the room, a piece of scratch memory.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Module
from minicolumn.lower.llvm.runtime.abi import STATUS
from minicolumn.lower.llvm.runtime.array_objects import DATA, DTYPE, FLAGS, ITEMS, LENGTHS, RANK, READY, TYPE
from minicolumn.lower.llvm.runtime.jit import Loaded, host_target, object_of

ANY = -1  # a length that is not looked at
UNUSED = -1  # no slot
UNLIKE, DONE, FAILED = range(3)  # nothing was done; all is well; an index was out of range
_HEAD = 9

_ACCEPT = """define i32 @accept(ptr %given, ptr %plan, ptr %table) nounwind {{
begin:
  %end.at = getelementptr inbounds i64, ptr %plan, i64 1
  %end = load ptr, ptr %end.at, align 8
  %kind.at = getelementptr inbounds i64, ptr %plan, i64 8
  %kind = load ptr, ptr %kind.at, align 8
  %first = getelementptr inbounds i64, ptr %plan, i64 {head}
  %items = getelementptr inbounds i8, ptr %given, i64 {items}
  br label %look
look:
  %word = phi ptr [ %first, %begin ], [ %next, %pointed ]
  %item = phi ptr [ %items, %begin ], [ %item.next, %pointed ]
  %more = icmp ult ptr %word, %end
  br i1 %more, label %object, label %good
object:
  %array = load ptr, ptr %item, align 8
  %type.at = getelementptr inbounds i8, ptr %array, i64 {type}
  %type = load ptr, ptr %type.at, align 8
  %is.array = icmp eq ptr %type, %kind
  br i1 %is.array, label %array.like, label %unlike
array.like:
  %flags.at = getelementptr inbounds i8, ptr %array, i64 {flags}
  %flags = load i32, ptr %flags.at, align 4
  %ready = and i32 %flags, {ready}
  %is.ready = icmp eq i32 %ready, {ready}
  %dtype.at = getelementptr inbounds i8, ptr %array, i64 {dtype}
  %dtype = load ptr, ptr %dtype.at, align 8
  %dtype.word = getelementptr inbounds i64, ptr %word, i64 1
  %dtype.wanted = load ptr, ptr %dtype.word, align 8
  %is.dtype = icmp eq ptr %dtype, %dtype.wanted
  %rank.at = getelementptr inbounds i8, ptr %array, i64 {rank}
  %rank = load i32, ptr %rank.at, align 4
  %axes = zext i32 %rank to i64
  %rank.word = getelementptr inbounds i64, ptr %word, i64 2
  %rank.wanted = load i64, ptr %rank.word, align 8
  %is.rank = icmp eq i64 %axes, %rank.wanted
  %both = and i1 %is.ready, %is.dtype
  %all = and i1 %both, %is.rank
  br i1 %all, label %lengths, label %unlike
lengths:
  %shape.at = getelementptr inbounds i8, ptr %array, i64 {lengths}
  %shape = load ptr, ptr %shape.at, align 8
  %wanted.at = getelementptr inbounds i64, ptr %word, i64 3
  br label %axis
axis:
  %k = phi i64 [ 0, %lengths ], [ %k.next, %fits ]
  %is.axis = icmp ult i64 %k, %axes
  br i1 %is.axis, label %length, label %shaped
length:
  %length.at = getelementptr inbounds i64, ptr %shape, i64 %k
  %is = load i64, ptr %length.at, align 8
  %length.word = getelementptr inbounds i64, ptr %wanted.at, i64 %k
  %wanted = load i64, ptr %length.word, align 8
  %is.same = icmp eq i64 %is, %wanted
  %is.any = icmp eq i64 %wanted, {any}
  %is.length = or i1 %is.same, %is.any
  br i1 %is.length, label %fits, label %unlike
fits:
  %k.next = add nuw nsw i64 %k, 1
  br label %axis
shaped:
  %next = getelementptr inbounds i64, ptr %wanted.at, i64 %axes
  %item.next = getelementptr inbounds ptr, ptr %item, i64 1
  %slot = load i64, ptr %word, align 8
  %is.used = icmp sge i64 %slot, 0
  br i1 %is.used, label %point, label %pointed
point:
  %data.at = getelementptr inbounds i8, ptr %array, i64 {data}
  %data = load ptr, ptr %data.at, align 8
  %place = getelementptr inbounds ptr, ptr %table, i64 %slot
  store ptr %data, ptr %place, align 8
  br label %pointed
pointed:
  br label %look
good:
  ret i32 {done}
unlike:
  ret i32 {unlike}
}}"""

_WORK = """define i32 @work(ptr %plan, ptr %table, ptr %room, i64 %rows) nounwind {{
begin:
  %run = load ptr, ptr %plan, align 8
  %block.at = getelementptr inbounds i64, ptr %plan, i64 4
  %block = load i64, ptr %block.at, align 8
  %is.whole = icmp eq i64 %block, 0
  br i1 %is.whole, label %once, label %by.rows
once:
  call void %run(ptr %table, ptr null, i64 0, i64 1)
  br label %end
by.rows:
  %input.at = getelementptr inbounds i64, ptr %plan, i64 2
  %input.slot = load i64, ptr %input.at, align 8
  %output.at = getelementptr inbounds i64, ptr %plan, i64 3
  %output.slot = load i64, ptr %output.at, align 8
  %input.bytes.at = getelementptr inbounds i64, ptr %plan, i64 5
  %input.bytes = load i64, ptr %input.bytes.at, align 8
  %output.bytes.at = getelementptr inbounds i64, ptr %plan, i64 6
  %output.bytes = load i64, ptr %output.bytes.at, align 8
  %offset.at = getelementptr inbounds i64, ptr %plan, i64 7
  %offset = load i64, ptr %offset.at, align 8
  %x.at = getelementptr inbounds ptr, ptr %table, i64 %input.slot
  %y.at = getelementptr inbounds ptr, ptr %table, i64 %output.slot
  %x = load ptr, ptr %x.at, align 8
  %y = load ptr, ptr %y.at, align 8
  %result = getelementptr inbounds i8, ptr %room, i64 %offset
  br label %look
look:
  %row = phi i64 [ 0, %by.rows ], [ %row.next, %whole ]
  %left = sub nsw i64 %rows, %row
  %is.more = icmp sgt i64 %left, 0
  br i1 %is.more, label %some, label %end
some:
  %input.offset = mul nsw i64 %row, %input.bytes
  %from = getelementptr inbounds i8, ptr %x, i64 %input.offset
  %output.offset = mul nsw i64 %row, %output.bytes
  %to = getelementptr inbounds i8, ptr %y, i64 %output.offset
  %is.full = icmp sge i64 %left, %block
  br i1 %is.full, label %whole, label %last
whole:
  store ptr %from, ptr %x.at, align 8
  store ptr %to, ptr %y.at, align 8
  call void %run(ptr %table, ptr null, i64 0, i64 1)
  %row.next = add nsw i64 %row, %block
  br label %look
last:
  %given.bytes = mul nsw i64 %left, %input.bytes
  %missing = sub nsw i64 %block, %left
  %missing.bytes = mul nsw i64 %missing, %input.bytes
  %made.bytes = mul nsw i64 %left, %output.bytes
  %behind = getelementptr inbounds i8, ptr %room, i64 %given.bytes
  call void @llvm.memcpy.p0.p0.i64(ptr %room, ptr %from, i64 %given.bytes, i1 false)
  call void @llvm.memset.p0.i64(ptr %behind, i8 0, i64 %missing.bytes, i1 false)
  store ptr %room, ptr %x.at, align 8
  store ptr %result, ptr %y.at, align 8
  call void %run(ptr %table, ptr null, i64 0, i64 1)
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %result, i64 %made.bytes, i1 false)
  br label %end
end:
  %status.at = getelementptr inbounds ptr, ptr %table, i64 {status}
  %status = load ptr, ptr %status.at, align 8
  %failed = load i64, ptr %status, align 8
  store i64 0, ptr %status, align 8
  %is.well = icmp eq i64 %failed, 0
  %outcome = select i1 %is.well, i32 {done}, i32 {failed}
  ret i32 %outcome
}}"""

_ENTER = """define i32 @enter(ptr %given, ptr %plan, ptr %table, ptr %room, i64 %rows) nounwind {{
  %looked = call i32 @accept(ptr %given, ptr %plan, ptr %table)
  %is.like = icmp eq i32 %looked, {done}
  br i1 %is.like, label %work, label %unlike
work:
  %outcome = call i32 @work(ptr %plan, ptr %table, ptr %room, i64 %rows)
  ret i32 %outcome
unlike:
  ret i32 {unlike}
}}"""


class Entry(NamedTuple):
    """The functions; each returns `UNLIKE`, `DONE` or `FAILED`.

    accept  (given, plan, table): looks at a tuple of arrays, and points the table to them
    work    (plan, table, room, rows): runs the program, without Python's lock
    enter   (given, plan, table, room, rows): both, with Python's lock, which takes less time for little work
    """

    code: Loaded
    accept: Callable[[int, int, int], int]
    work: Callable[[int, int, int, int], int]
    enter: Callable[[int, int, int, int, int], int]


@functools.cache
def entry() -> Entry:
    """Return the functions, which are the same for all programs."""
    module = Module()
    module.functions |= {
        "accept": _ACCEPT.format(
            head=_HEAD, items=ITEMS, type=TYPE, flags=FLAGS, ready=READY, dtype=DTYPE, rank=RANK,
            lengths=LENGTHS, data=DATA, any=ANY, done=DONE, unlike=UNLIKE,
        ),
        "work": _WORK.format(status=STATUS, done=DONE, failed=FAILED),
        "enter": _ENTER.format(done=DONE, unlike=UNLIKE),
    }  # fmt: skip
    module.declare("llvm.memcpy.p0.p0.i64", "void", ["ptr", "ptr", "i64", "i1"])
    module.declare("llvm.memset.p0.i64", "void", ["ptr", "i8", "i64", "i1"])
    code = Loaded(object_of(str(module), host_target(), 1), ("accept", "work", "enter"))
    address, number = ctypes.c_void_p, ctypes.c_int64
    accept = ctypes.PYFUNCTYPE(ctypes.c_int, *[address] * 3)
    work = ctypes.CFUNCTYPE(ctypes.c_int, *[address] * 3, number)
    enter = ctypes.PYFUNCTYPE(ctypes.c_int, *[address] * 4, number)
    addresses = [code.address(name) for name in ("accept", "work", "enter")]
    return Entry(code, accept(addresses[0]), work(addresses[1]), enter(addresses[2]))


class Expected(NamedTuple):
    """What an array must be like, and the slot of the table that is pointed to it."""

    dtype: np.dtype
    lengths: tuple[int, ...]
    slot: int = UNUSED


class ByRows(NamedTuple):
    """How a program of a block of rows is run for any number of them.

    input, output               slots of the table
    block                       rows of the program
    input_bytes, output_bytes   of a row
    """

    input: int
    output: int
    block: int
    input_bytes: int
    output_bytes: int

    @property
    def offset(self) -> int:
        """Return where the result of the last block lies in the room."""
        return -(-self.block * self.input_bytes // 64) * 64

    @property
    def room(self) -> int:
        """Return the bytes of the room."""
        return self.offset + self.block * self.output_bytes


def plan(run: int, arrays: Sequence[Expected], rows: ByRows | None = None) -> np.ndarray:
    """Return the words of a plan, whose memory must stay where it is.

    run     the address of the program's function
    arrays  what is expected of each array that is given
    """
    by = [*rows, rows.offset] if rows else [0] * 6
    words = [run, 0, *by, id(np.ndarray)]
    for array in arrays:
        words += [array.slot, id(array.dtype), len(array.lengths), *array.lengths]
    found = np.array(words, np.int64)
    found[1] = found.ctypes.data + found.nbytes
    return found
