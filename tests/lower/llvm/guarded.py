"""Native programs in memory with guards: bytes that must stay, or pages that must not be touched.

As a script, `python guarded.py FIRST LAST` runs the programs of some seeds with arrays that end exactly, and
then begin exactly, at the border of a page without any rights, and ends by a signal if one is read or written
beyond its ends.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from minicolumn.ir.shapes import Shape
from minicolumn.lower.llvm.runtime.cache import ObjectCache
from minicolumn.lower.llvm.runtime.team import shared
from minicolumn.lower.native import NativeProgram, _Calls
from minicolumn.passes.memory import ALIGN

PAGE = mmap.PAGESIZE
SENTINEL = 0xA5
NO_CACHE = ObjectCache(None)
Room = Callable[..., np.ndarray]  # (how many bytes, whether they begin on a line of the cache)


@dataclass
class Fences:
    """Rooms with bytes on both sides that must stay as they are.

    odd     how many bytes behind the beginning of a line of the cache they begin, unless asked to be aligned
    """

    odd: int = 0
    _fences: list[np.ndarray] = field(default_factory=list)

    def room(self, size: int, aligned: bool = False) -> np.ndarray:
        """Return bytes between two fences."""
        whole = np.full(size + 4 * ALIGN, SENTINEL, np.uint8)
        start = ALIGN + -whole.ctypes.data % ALIGN + (0 if aligned else self.odd)
        self._fences += [whole[:start], whole[start + size :]]
        return whole[start : start + size]

    def broken(self) -> int:
        """Return how many bytes were written outside of rooms."""
        return sum(int((fence != SENTINEL).sum()) for fence in self._fences)


class Pages:
    """Rooms that end (or begin) at a page that may not be touched."""

    def __init__(self, at_end: bool) -> None:
        self.at_end = at_end
        self._protect = ctypes.CDLL(None, use_errno=True).mprotect
        self._protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        self._held: list[mmap.mmap] = []

    def room(self, size: int, aligned: bool = False) -> np.ndarray:
        """Return bytes that end at a border, or begin there."""
        inside = -(-max(size, 1) // PAGE) * PAGE
        memory = mmap.mmap(-1, inside + 2 * PAGE)
        self._held.append(memory)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        for page in (start, start + PAGE + inside):
            if self._protect(page, PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        first = PAGE + inside - size if self.at_end else PAGE
        return np.frombuffer(memory, np.uint8, size, first)


def place(array: np.ndarray, room: Room) -> np.ndarray:
    """Return a copy of an array in a room."""
    held = _shaped(room(array.nbytes), array.shape, array.dtype)
    held[...] = array
    return held


def _shaped(memory: np.ndarray, shape: Shape, dtype: np.dtype) -> np.ndarray:
    return memory.view(dtype).reshape(shape) if prod(shape) else np.empty(shape, dtype)


def run_in(
    program: NativeProgram, args: Sequence[np.ndarray], room: Room, parts: int = 1
) -> list[np.ndarray]:
    """Run a program with its arguments, results, constants and arena in rooms, by this number of threads."""
    given = [place(a, room) for a in args]
    outputs = [
        _shaped(room(n.array_type.size * n.array_type.dtype.itemsize), n.array_type.shape, n.array_type.dtype)
        for n in program.graph.outputs
    ]
    common, own = program.emitted.arena
    arena, calls = room(common + own * parts, True), _Calls(program._hosts)
    arena[...] = 0xFF  # NaN, or -1: nothing may count on what lies there
    frame = program.frame(arena, [place(c, room) for c in program._constants])
    assert frame.point_to([*given, *outputs])
    frame.call_host(calls.address)
    if parts == 1:
        program._run(frame.table, None, 0, 1)
    else:
        assert shared().run(program.address, frame.table, parts) == parts
    calls.raise_error()
    assert not frame.failed(), "an index was out of range"
    for mine, theirs in zip(given, args, strict=True):
        assert mine.tobytes() == np.ascontiguousarray(theirs).tobytes(), "an argument was written to"
    return outputs


def main(first: int, last: int) -> None:
    """Run the programs of some seeds at the borders of pages."""
    from programs import arguments, make
    from twin import judge, opinions

    for seed in range(first, last):
        sys.stdout.write(f"seed {seed}\n")
        sys.stdout.flush()
        made = make(seed, exact=True)
        program, args = NativeProgram(made.graph, cache=NO_CACHE), arguments(made, seed, exact=True)
        for at_end in (True, False):
            pages = Pages(at_end)
            faults = judge(run_in(program, args, pages.room), opinions(made.graph, args))
            assert not faults, faults


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
