"""What one call of a native program works with: scratch memory, and the table of addresses that it reads."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence

import numpy as np

from minicolumn.lower.llvm.runtime.abi import ARENA, FIRST, HOST, STATUS, TIMES, WATCH, table_of
from minicolumn.lower.llvm.runtime.array_objects import READY, are_readable
from minicolumn.lower.llvm.runtime.interrupts import Watch
from minicolumn.passes.memory import ALIGN

# With Python's lock held, since it looks into Python's objects.
READ = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_WORD = 8


class CallFrame:
    """The scratch memory and the table of one call at a time; programs keep them for the next.

    arrays              how many inputs and outputs there are
    axes                where the lengths of symbolic dimensions are found: an input's number and its axis
    constants           arrays that are handed over beside them
    arena               scratch memory
    cycles              where the cycles of kernels are counted
    read                the program's function that reads where arrays lie
    watched             how many loops look for signals
    """

    def __init__(
        self,
        arrays: int,
        axes: Sequence[tuple[int, int]],
        constants: Sequence[np.ndarray],
        arena: np.ndarray,
        cycles: np.ndarray,
        read: Callable[[int, int, int], int],
        watched: int = 0,
    ) -> None:
        self._count, self._axes = arrays, axes
        self._held = constants, arena, cycles
        self._words = table_of(arrays, len(axes), constants)
        self._words[ARENA] = -(-arena.ctypes.data // ALIGN) * ALIGN
        self._words[TIMES] = cycles.ctypes.data
        self.watch = Watch(watched) if watched else None
        if self.watch:
            self._words[WATCH] = self.watch.address
        self._status = np.zeros(1, np.int64)
        self._words[STATUS] = self._status.ctypes.data
        self._objects = ctypes.create_string_buffer(max(_WORD * self._count, 1))
        self._pack = struct.Struct(f"{self._count}N").pack_into
        self.table = self._words.ctypes.data
        self._places = ctypes.addressof(self._objects), self.table + _WORD * FIRST
        self._lengths = self._places[1] + _WORD * self._count
        self._read = read if are_readable() else None

    def point_to(self, arrays: Sequence[np.ndarray]) -> bool:
        """Write down where inputs and outputs lie; False if one is not contiguous and aligned."""
        if self._read is None:
            return self._asked(arrays)
        self._pack(self._objects, 0, *map(id, arrays))
        return self._read(*self._places, self._lengths) == READY

    def _asked(self, arrays: Sequence[np.ndarray]) -> bool:
        """Do the same by asking NumPy."""
        words, count = self._words, self._count
        words[FIRST : FIRST + count] = [a.ctypes.data for a in arrays]
        words[FIRST + count : FIRST + count + len(self._axes)] = [
            arrays[k].shape[axis] for k, axis in self._axes
        ]
        return all(a.flags.c_contiguous and a.flags.aligned for a in arrays)

    def call_host(self, address: int) -> None:
        """Say which function does what Python has to do."""
        self._words[HOST] = address

    def failed(self) -> bool:
        """Return whether an index was out of range, and forget it."""
        if not self._status[0]:
            return False
        self._status[0] = 0
        return True
