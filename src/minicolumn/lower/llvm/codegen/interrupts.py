"""Loops that can be interrupted: they run in chunks, and between two of them somebody looks for signals.

Within a chunk there is nothing to look at, so that a loop is as fast as without. The caller's thread, which
is part 0, looks, by a function that the call frame holds (`runtime.interrupts`); its answer is how many
iterations come next, and 0 ends the loop. What follows a loop that was left computes with garbage, as after a
failed call of Python, and nobody reads its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from minicolumn.ir.graph import Node
from minicolumn.lower.llvm.codegen.context import ProgramContext
from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, index
from minicolumn.lower.llvm.codegen.subnormals import as_usual
from minicolumn.lower.llvm.runtime.abi import AGREED, LOOK, STOPPED
from minicolumn.lower.llvm.schedule.interrupts import first_look

# Parts other than the caller's only ask whether that one has stopped, after as many iterations as before.
# Without a function to look with (in other threads than the main one) nobody ever stops.
_LOOK = f"""define internal i64 @mc.look(ptr %watch, i64 %loop, i64 %part, i64 %done) noinline cold {{
  %stopped.at = getelementptr inbounds i64, ptr %watch, i64 {STOPPED}
  %stopped = load atomic i64, ptr %stopped.at monotonic, align 8
  %is.over = icmp ne i64 %stopped, 0
  br i1 %is.over, label %over, label %on
over:
  ret i64 0
on:
  %is.caller = icmp eq i64 %part, 0
  br i1 %is.caller, label %caller, label %as.before
as.before:
  %some = call i64 @llvm.smax.i64(i64 %done, i64 1)
  ret i64 %some
caller:
  %look.at = getelementptr inbounds i64, ptr %watch, i64 {LOOK}
  %look = load ptr, ptr %look.at, align 8
  %is.blind = icmp eq ptr %look, null
  br i1 %is.blind, label %never, label %ask
never:
  ret i64 {1 << 60}
ask:
  %next = call i64 %look(ptr %watch, i64 %loop, i64 %done)
  ret i64 %next
}}"""


def emit_look(module: Module) -> None:
    """Define `i64 @mc.look(ptr watch, i64 loop, i64 part, i64 done)`, how many iterations come next.

    done    how many were done since the last look; 0 before the first, which is to tell whether to begin
    """
    module.functions["mc.look"] = _LOOK
    module.declare("llvm.smax.i64", "i64", ["i64", "i64"])


class WatchedLoop:
    """A loop that looks for signals.

    together    whether all threads of a team run every iteration, and so have to agree on where they leave
    """

    def __init__(self, context: ProgramContext, watch: Value, first: int, together: bool) -> None:
        """Begin with the iterations before the first look."""
        self._context, self._watch, self._first, self.together = context, watch, first, together
        self._number = context.watched
        context.watched += 1

    def agree(self, size: Value) -> None:
        """Write down, on the caller's thread, what is the next chunk of all behind the next barrier."""
        self._context.f.store(size, self._agreed)

    def first(self) -> Value:
        """Return how many iterations come first: none where a loop before was left."""
        f, looked = self._context.f, self._look(index(0))
        return f.select(f.compare("eq", looked, index(0)), index(0), index(self._first))

    def run(self, start: Value, stop: Value) -> AbstractContextManager[Value]:
        """Run what is emitted within for start ... stop - 1; together, once `first` is agreed on."""
        first = self._read() if self.together else self.first()
        return in_chunks(self._context.f, start, stop, first, self._next)

    def _next(self, done: Value) -> Value:
        if not self.together:
            return self._look(done)
        f = self._context.f
        with f.when(f.compare("eq", f.parameters["part"], index(0))):
            self.agree(self._look(done))
        self._context.wait()
        return self._read()

    def _look(self, done: Value) -> Value:
        f = self._context.f
        with as_usual(f, self._context.flushing_on):
            return f.call("mc.look", "i64", self._watch, index(self._number), f.parameters["part"], done)

    @property
    def _agreed(self) -> Value:
        return self._context.f.at(self._watch, AGREED, "i64")

    def _read(self) -> Value:
        return self._context.f.load("i64", self._agreed)


def watched(context: ProgramContext, loop: Node, together: bool) -> WatchedLoop | None:
    """Return how a `scan` looks for signals, if it does."""
    first = first_look(loop) if context.watch else 0
    return WatchedLoop(context, context.watch, first, together) if context.watch and first else None


@contextmanager
def in_chunks(
    f: Function, start: Value, stop: Value, first: Value, after: Callable[[Value], Value]
) -> Iterator[Value]:
    """Run what is emitted within for start, start + 1, ... below stop, in chunks.

    first   iterations of the first chunk
    after   emits what returns those of the next one from those of the last one; none ends the loop
    """
    size, place = f.alloca("i64", 1, 8), f.alloca("i64", 1, 8)
    f.store(first, size)
    f.store(start, place)
    name = f.fresh("chunk")
    f.line(f"br label %{name}")
    f.block(name)
    begin, count = f.load("i64", place), f.load("i64", size)
    goes_on = f.op("and", f.compare("slt", begin, stop), f.compare("sgt", count, index(0)))
    f.line(f"br {goes_on}, label %{name}.body, label %{name}.end")
    f.block(f"{name}.body")
    end = f.intrinsic("smin", f.op("add nsw", begin, count), stop)
    with f.loop(begin, end) as loop:
        yield loop.counter
    f.store(end, place)
    with f.when(f.compare("slt", end, stop)):
        f.store(after(count), size)
    f.line(f"br label %{name}")
    f.block(f"{name}.end")
