"""What all parts of a program share while its function is emitted: the parts, the barriers, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from minicolumn.ir.graph import Node
from minicolumn.ir.shapes import ArrayType, Dim, Length
from minicolumn.lower.llvm.codegen.emit import Function, Value, index
from minicolumn.lower.llvm.codegen.kernels import Kernels
from minicolumn.lower.llvm.schedule.hazards import Access, Hazards
from minicolumn.passes.kernel import Kernel
from minicolumn.passes.memory import bytes_of


@dataclass(eq=False)
class ProgramContext:
    """The function under construction, and what all schedules in it share.

    host        the function that calls Python
    hosts       operations that are called back, in the order of their numbers
    constant    where a constant lies
    times       cycles spent in each kernel, if they are to be counted
    timed       the kernels, in the order of their counts
    shared      whether any work is shared between threads
    private     memory of each thread's own
    flushing_on the processor's family, where subnormal numbers are flushed
    lengths     of symbolic dimensions
    watch       what loops look for signals with, if they do
    watched     how many loops do
    is_apart    whether each thread is at iterations of its own now, and so does everything in them
    """

    f: Function
    kernels: Kernels
    status: Value
    host: Value
    constant: Callable[[Node], Value]
    times: Value | None = None
    hosts: list[Node] = field(default_factory=list)
    timed: list[Kernel] = field(default_factory=list)
    shared: bool = False
    hazards: Hazards = field(default_factory=Hazards)
    private: Value | None = None
    flushing_on: str = ""
    lengths: Mapping[Dim, Value] = field(default_factory=dict)
    watch: Value | None = None
    watched: int = 0
    is_apart: bool = False

    def length(self, n: Length) -> Value:
        """Return the length of an axis."""
        return self.lengths[n] if isinstance(n, Dim) else index(n)

    def bytes(self, type: ArrayType) -> Value:
        """Return how much room an array takes."""
        known = [n for n in type.shape if not isinstance(n, Dim)]
        total = index(bytes_of(type.with_shape(known)))
        for n in type.shape:
            total = self.f.op("mul nsw", total, self.lengths[n]) if isinstance(n, Dim) else total
        return total

    @property
    def part(self) -> Value:
        """Return which part of the work in hand is this thread's."""
        return index(0) if self.is_apart else self.f.parameters["part"]

    @property
    def parts(self) -> Value:
        """Return how many threads share the work in hand."""
        return index(1) if self.is_apart else self.f.parameters["parts"]

    @contextmanager
    def clock(self, kernel: Kernel) -> Iterator[None]:
        """Count the cycles of what is emitted within, on the first thread."""
        if self.times is None:
            yield
            return
        if kernel not in self.timed:
            self.timed.append(kernel)
        f, place = self.f, self.timed.index(kernel)
        before = f.call("llvm.readcyclecounter", "i64")
        yield
        spent = f.op("sub", f.call("llvm.readcyclecounter", "i64"), before)
        slot = f.at(self.times, place, "i64")
        with f.when(f.compare("eq", f.parameters["part"], index(0))):
            f.store(f.op("add", f.load("i64", slot), spent), slot)

    def barrier(self) -> None:
        """Let all threads come here before any goes on."""
        self.wait()
        if not self.is_apart:
            self.hazards.met()

    def wait(self) -> None:
        """Meet in the middle of a piece of work, which stays to be waited for."""
        if not self.is_apart:
            self.f.call("mc.barrier", "void", self.f.parameters["team"], self.parts)

    def before(self, reads: list[Access], writes: list[Access], solo: bool) -> None:
        """Meet if this work could get in another thread's way."""
        if not self.is_apart and self.hazards.must_wait(reads, writes, solo):
            self.wait()
