"""Where a native program's time goes: its plan, and the time of each kernel in it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.ir.graph import Graph
from minicolumn.lower.llvm.codegen.emit import Function, Module
from minicolumn.lower.llvm.runtime.jit import Loaded, compile_object, host_target
from minicolumn.lower.llvm.schedule.work import work_of
from minicolumn.lower.native import NativeProgram
from minicolumn.passes.show import Line, Shown, show_plan

# How long the processor's counter is watched beside the clock: its rate is then known to a ten-thousandth.
_WATCH = 0.02
# Counting takes some ten nanoseconds a kernel; the first runs fill caches.
RUNS = 20
HEAD = ("us", "share", "GFLOP/s", "kernel")


@dataclass(frozen=True)
class Time:
    """What one kernel took in the fastest of the runs, all its iterations together.

    microseconds    on the first thread
    share           of all kernels
    gflops          billions of operations on floats a second
    """

    line: Line
    microseconds: float
    share: float

    @property
    def gflops(self) -> float:
        """Return how many billions of operations on floats it did in a second."""
        done = self.line.flops * self.line.iterations
        return done / self.microseconds / 1e3 if self.microseconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the time as plain values."""
        return {
            "words": self.line.words,
            "microseconds": self.microseconds,
            "share": self.share,
            "gflops": self.gflops,
        }


@dataclass(frozen=True)
class Times:
    """The times of a program's kernels, in running order.

    microseconds    of a whole call, Python's part of it included
    runs            from which the least was taken, kernel by kernel
    """

    rows: tuple[Time, ...]
    microseconds: float
    runs: int

    @property
    def kernels(self) -> float:
        """Return the microseconds of all kernels together."""
        return sum(row.microseconds for row in self.rows)

    @property
    def totals(self) -> str:
        """Return the sums in one line."""
        return (
            f"{self.microseconds:,.1f} us a call, {self.kernels:,.1f} us in kernels on the first thread; "
            f"the least of {self.runs} runs"
        )

    def __str__(self) -> str:
        head = f"  {HEAD[0]:>10}  {HEAD[1]:>6}  {HEAD[2]:>7}  {HEAD[3]}"
        return "\n".join([self.totals, head, *(f"  {'  '.join(time_cells(row))}" for row in self.rows)])

    def to_json(self) -> dict[str, Any]:
        """Return the times as plain values."""
        rows = [row.to_json() for row in self.rows]
        return {
            "microseconds": self.microseconds,
            "in_kernels": self.kernels,
            "runs": self.runs,
            "kernels": rows,
        }


def time_cells(row: Time) -> tuple[str, str, str, str]:
    """Return microseconds, share, GFLOP/s (of products) and words as text."""
    speed = f"{row.gflops:.1f}" if row.line.kind == "product" else ""
    iterations = f"{row.line.iterations:,} x " if row.line.iterations > 1 else ""
    return f"{row.microseconds:10,.2f}", f"{row.share:6.1%}", f"{speed:>7}", iterations + row.line.words


def plan_of(program: NativeProgram) -> Shown:
    """Return the plan of a native program."""
    machine = program.target.machine
    return show_plan(program.emitted.schedule, lambda fused, kernel: not work_of(fused, kernel, machine).solo)


def time_kernels(
    graph: Graph, args: Sequence[np.ndarray], runs: int = RUNS, threads: int | None = None
) -> Times:
    """Run a graph some times and return the least time that each of its kernels took."""
    program = NativeProgram(graph, timed=True, threads=threads)
    least, whole = np.full(program.cycles.shape, np.iinfo(np.int64).max), np.inf
    for _ in range(runs + 2):
        program.cycles[:] = 0
        began = time.perf_counter()
        program(*args)
        whole = min(whole, time.perf_counter() - began)
        least = np.minimum(least, program.cycles)
    return _timed(program, least / _cycles_per_microsecond(), whole * 1e6, runs)


def _timed(program: NativeProgram, spent: np.ndarray, whole: float, runs: int) -> Times:
    lines = {line.kernel: line for line in plan_of(program).lines}
    pairs = zip(program.emitted.timed, spent.tolist(), strict=True)
    # A loop made of kernels would count their time once more.
    found = [(lines[k], us) for k, us in pairs if lines[k].kind != "scan"]
    total = sum(us for _, us in found) or 1.0
    return Times(tuple(Time(line, us, us / total) for line, us in found), whole, runs)


def _cycles_per_microsecond() -> float:
    """Return the rate of the processor's counter, which need not be that of its clock."""
    module = Module()
    f = Function(module, "run", [], "i64", "nounwind")
    f.finish(f.call("llvm.readcyclecounter", "i64"))
    loaded = Loaded(compile_object(str(module), host_target()))
    read = ctypes.CFUNCTYPE(ctypes.c_int64)(loaded.address("run"))
    began, first = time.perf_counter(), read()
    time.sleep(_WATCH)
    last, ended = read(), time.perf_counter()
    return (last - first) / (ended - began) / 1e6
