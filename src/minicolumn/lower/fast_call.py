"""Calls that are made again and again: arguments like the last ones go to machine code in one step.

Taking arguments apart, describing them and asking NumPy where they lie takes longer than a small program.
Here their containers are compared with known ones, and their arrays are looked at by machine code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicolumn.ir.graph import Graph
from minicolumn.ir.ops.control import SCAN
from minicolumn.lower.llvm.runtime.abi import ARENA, FIRST, STATUS
from minicolumn.lower.llvm.runtime.array_objects import are_readable
from minicolumn.lower.llvm.runtime.entry import ANY, DONE, UNUSED, ByRows, Expected, entry, plan
from minicolumn.lower.native import NativeProgram
from minicolumn.passes.memory import ALIGN
from minicolumn.trace.program import Program
from minicolumn.tree import Mismatch, Tree, builder, flatten, matcher

# Operations that a program may do, some ten microseconds, before it gives Python's lock away.
BRIEF = 1 << 20


class Caller:
    """Runs a program on arrays if they are as expected; safe to share between threads.

    program     of one thread, that needs no Python on its way
    arrays      what is expected of the arrays that are given in a tuple: inputs and results
    rows        how blocks of rows are fed to the program, if it takes those
    """

    def __init__(
        self, program: NativeProgram, arrays: Sequence[Expected], rows: ByRows | None = None
    ) -> None:
        self._program, self._entry = program, entry()
        self._room = rows.room if rows else 0
        self._held = arrays, plan(program.address, arrays, rows)
        self._plan = self._held[1].ctypes.data
        self._enter = self._entry.enter
        runs = BRIEF // max(operations(program.graph), 1)
        self._brief = runs * rows.block if rows else min(runs, 1) - 1  # rows that are brief; none given are 0
        self._idle: list[_Scratch] = []

    def __call__(self, given: tuple[np.ndarray, ...], rows: int = 0) -> None:
        """Run on arrays; Mismatch if one is not as expected, or if an index is out of range."""
        try:
            scratch = self._idle.pop()
        except IndexError:  # all are in use
            scratch = _Scratch(self._program, self._room)
        if rows <= self._brief:
            done = self._enter(id(given), self._plan, scratch.table, scratch.room, rows)
        else:
            done = self._entry.accept(id(given), self._plan, scratch.table)
            if done == DONE:
                done = self._entry.work(self._plan, scratch.table, scratch.room, rows)
        self._idle.append(scratch)
        if done != DONE:
            raise Mismatch


class _Scratch:
    """What one call at a time works with: the table, the program's scratch memory, and room for a block."""

    def __init__(self, program: NativeProgram, room: int) -> None:
        words, status = program.template(), np.zeros(1, np.int64)
        memory = np.empty(program.arena_bytes + room + 2 * ALIGN, np.uint8)
        arena = -(-memory.ctypes.data // ALIGN) * ALIGN
        words[ARENA], words[STATUS] = arena, status.ctypes.data
        self._held = words, status, memory
        self.table = words.ctypes.data
        self.room = -(-(arena + program.arena_bytes) // ALIGN) * ALIGN


def operations(graph: Graph) -> int:
    """Return about how many operations a graph takes: one an element, one a multiplication of a product."""
    total = 0
    for node in graph.nodes:
        if node.op is SCAN:
            return 1 << 62  # a loop of any length
        size = node.array_type.size
        factor = node.inputs[0].array_type.shape[-1] if node.op.kind == "product" else 1
        total += size * max(factor, 1)
    return total


def _is_callable(program: NativeProgram) -> bool:
    """Return whether a `Caller` can run a program here."""
    return are_readable() and not program.calls_host and not program.watched and program.most_threads == 1


class FastCall:
    """A compiled function for arguments like those that it was made from.

    It raises Mismatch where it has to be asked in the usual way, which also tells what is wrong.
    """

    def __init__(self, program: NativeProgram, traced: Program, args: tuple[Any, ...]) -> None:
        """Begin with arguments that the program was made for, of which all leaves are arrays."""
        leaves, structure = flatten(args)
        slots = {leaf: FIRST + k for k, leaf in enumerate(traced.fed)}
        types = [node.array_type for node in program.graph.outputs]
        arrays = [Expected(x.dtype, x.shape, slots.get(k, UNUSED)) for k, x in enumerate(leaves)]
        arrays += [Expected(t.dtype, t.shape, FIRST + len(slots) + k) for k, t in enumerate(types)]
        self._match, self._build = [matcher(child) for child in structure.children], builder(traced.results)
        self._outputs = [(t.shape, t.dtype) for t in types]
        self._run = Caller(program, arrays)

    def __call__(self, args: tuple[Any, ...]) -> Tree:
        """Return what the function gives for positional arguments."""
        if len(args) != len(self._match):
            raise Mismatch
        leaves: list[Any] = []
        for match, argument in zip(self._match, args, strict=True):
            match(argument, leaves)
        out = [np.empty(shape, dtype) for shape, dtype in self._outputs]
        self._run((*leaves, *out))
        return self._build([array if array.ndim else array[()] for array in out])


def fast_call(run: Callable[..., Any], traced: Program, args: tuple[Any, ...]) -> FastCall | None:
    """Return a fast way to run a traced program on arguments like these, or None if there is no such way."""
    if not isinstance(run, NativeProgram) or not _is_callable(run):
        return None
    return FastCall(run, traced, args) if all(type(x) is np.ndarray for x in flatten(args)[0]) else None


class RowsCall:
    """A function of weights and rows, [rows, *row] to [rows, *result], by a program of a block of rows."""

    def __init__(self, program: NativeProgram, params: Any) -> None:
        """Take a program of the leaves of `params` and a block of rows, which has one result."""
        leaves, structure = flatten(params)
        rows, result = program.graph.inputs[-1].array_type, program.graph.outputs[0].array_type
        slots = [FIRST + k for k in range(len(leaves) + 2)]
        arrays = [Expected(x.dtype, x.shape, slot) for x, slot in zip(leaves, slots, strict=False)]
        arrays += [
            Expected(type.dtype, (ANY, *type.shape[1:]), slot)
            for type, slot in zip((rows, result), slots[-2:], strict=True)
        ]
        sizes = [type.dtype.itemsize * math.prod(type.shape[1:]) for type in (rows, result)]
        self._match = matcher(structure)
        self.row, self.result, self._dtype = rows.shape[1:], result.shape[1:], result.dtype
        by_rows = ByRows(slots[-2], slots[-1], rows.shape[0], sizes[0], sizes[1])
        self._run = Caller(program, arrays, by_rows)

    def __call__(self, params: Any, X: np.ndarray, rows: int) -> np.ndarray:
        """Return the results of so many rows; Mismatch if something is not as it was."""
        leaves: list[Any] = []
        self._match(params, leaves)
        out = np.empty((rows, *self.result), self._dtype)
        self._run((*leaves, X, out), rows)
        return out


def rows_call(program: NativeProgram, params: Any) -> RowsCall | None:
    """Return a `RowsCall`, or None if the program or its weights are of another kind."""
    arrays = all(type(x) is np.ndarray for x in flatten(params)[0])
    return RowsCall(program, params) if arrays and _is_callable(program) else None
