"""Threads: every member of a team runs the same native function on its part, and they meet at barriers in it.

The caller is part 0. The others are daemon threads that wait inside native code for a moment after each run,
without Python's lock, and then go to sleep in Python; whoever is awake takes a seat in the next run. A run
begins by one atomic exchange and ends inside native code, so that no signal can come between its members.

Nothing here decides a bit of a result: what parts compute must not depend on how many there are.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Module
from minicolumn.lower.llvm.runtime.jit import Loaded, host_target, object_of
from minicolumn.lower.llvm.runtime.thread_count import cores

# The memory of a team: each word that several cores write to has two cache lines of its own, since processors
# fetch lines in pairs. At 0 who arrived at the barrier, at 128 how often it opened, at 256 who is free (low
# half) and which seats are (high half), at 384 who is done, at 512 the run: function, table, parts; at 576
# whether there is one.
TEAM_BYTES = 640
SPINS = 1000  # pauses, 10 to 50 microseconds, before the others on this core get their turn
_STAY_AWAKE = SPINS + 200  # pauses without a run, some 0.2 milliseconds, before a member sleeps
# Iterations, from and to, in which too few members are awake, before they are woken; those then need a core.
_FIRST_WAIT, _NEXT_WAIT = (0, 100), (SPINS, SPINS + 1000)

_X86 = ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()")
_ARM = ("declare void @llvm.aarch64.isb(i32)", "call void @llvm.aarch64.isb(i32 15)")
_PAUSES = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM, "arm64": _ARM}

_RELAX = """define internal void @mc.relax(i64 %spins) alwaysinline nounwind {{
  {pause}
  %tired = icmp sge i64 %spins, {spins}
  br i1 %tired, label %yield, label %done
yield:
  call i32 @{yields}()
  br label %done
done:
  ret void
}}"""

_BARRIER = """define internal void @mc.barrier(ptr %team, i64 %parts) noinline nounwind {
  %alone = icmp slt i64 %parts, 2
  br i1 %alone, label %done, label %meet
meet:
  %turn = getelementptr inbounds i8, ptr %team, i64 128
  %now = load atomic i64, ptr %turn acquire, align 8
  %before = atomicrmw add ptr %team, i64 1 acq_rel, align 8
  %others = sub i64 %parts, 1
  %complete = icmp eq i64 %before, %others
  br i1 %complete, label %open, label %wait
open:
  store atomic i64 0, ptr %team monotonic, align 8
  %next = add i64 %now, 1
  store atomic i64 %next, ptr %turn release, align 8
  br label %done
wait:
  %spins = phi i64 [ 0, %meet ], [ %more, %again ]
  %seen = load atomic i64, ptr %turn acquire, align 8
  %same = icmp eq i64 %seen, %now
  br i1 %same, label %again, label %done
again:
  call void @mc.relax(i64 %spins)
  %more = add i64 %spins, 1
  br label %wait
done:
  ret void
}"""

# serve: be free; take a seat when there is one, run, be free again; go when nothing happened for long.
# The number of threads in here is always free + seats, so one leaves by taking a place off `free`, and while
# that is 0 it cannot leave: the seat is its own.
_SERVE = """define void @serve(ptr %team, i64 %patience) nounwind {
  %word = getelementptr inbounds i8, ptr %team, i64 256
  %done = getelementptr inbounds i8, ptr %team, i64 384
  %job = getelementptr inbounds i8, ptr %team, i64 512
  %job.table = getelementptr inbounds i8, ptr %team, i64 520
  %job.parts = getelementptr inbounds i8, ptr %team, i64 528
  br label %free
free:
  %was = atomicrmw add ptr %word, i64 1 acq_rel, align 8
  br label %look
look:
  %spins = phi i64 [ 0, %free ], [ %more, %again ], [ %spins, %sit ], [ %spins, %leave ]
  %state = load atomic i64, ptr %word acquire, align 8
  %part = lshr i64 %state, 32
  %empty = icmp eq i64 %part, 0
  br i1 %empty, label %idle, label %sit
sit:
  %taken = sub i64 %state, 4294967296
  %took = cmpxchg ptr %word, i64 %state, i64 %taken acq_rel acquire, align 8
  %seated = extractvalue { i64, i1 } %took, 1
  br i1 %seated, label %run, label %look
run:
  %function = load ptr, ptr %job, align 8
  %table = load ptr, ptr %job.table, align 8
  %parts = load i64, ptr %job.parts, align 8
  call void %function(ptr %table, ptr %team, i64 %part, i64 %parts)
  %before = atomicrmw add ptr %done, i64 1 acq_rel, align 8
  br label %free
idle:
  %bored = icmp sge i64 %spins, %patience
  br i1 %bored, label %leave, label %again
again:
  call void @mc.relax(i64 %spins)
  %more = add i64 %spins, 1
  br label %look
leave:
  %fewer = sub i64 %state, 1
  %left = cmpxchg ptr %word, i64 %state, i64 %fewer acq_rel acquire, align 8
  %gone = extractvalue { i64, i1 } %left, 1
  br i1 %gone, label %end, label %look
end:
  ret void
}"""

# lead: offer seats when enough threads are free, run part 0, wait for the others. Returns 1 when all is done,
# 0 if too few were free, 2 if another run is going on.
_LEAD = """define i64 @lead(ptr %team, ptr %function, ptr %table, i64 %parts, i64 %from, i64 %until) {
  %word = getelementptr inbounds i8, ptr %team, i64 256
  %done = getelementptr inbounds i8, ptr %team, i64 384
  %job = getelementptr inbounds i8, ptr %team, i64 512
  %job.table = getelementptr inbounds i8, ptr %team, i64 520
  %job.parts = getelementptr inbounds i8, ptr %team, i64 528
  %busy = getelementptr inbounds i8, ptr %team, i64 576
  %others = sub i64 %parts, 1
  %seats = shl i64 %others, 32
  %change = sub i64 %seats, %others
  %enter = cmpxchg ptr %busy, i64 0, i64 1 acq_rel acquire, align 8
  %mine = extractvalue { i64, i1 } %enter, 1
  br i1 %mine, label %begin, label %taken
taken:
  ret i64 2
begin:
  store ptr %function, ptr %job, align 8
  store ptr %table, ptr %job.table, align 8
  store i64 %parts, ptr %job.parts, align 8
  store atomic i64 0, ptr %done monotonic, align 8
  br label %look
look:
  %spins = phi i64 [ %from, %begin ], [ %more, %again ], [ %spins, %offer ]
  %state = load atomic i64, ptr %word acquire, align 8
  %enough = icmp sge i64 %state, %others
  br i1 %enough, label %offer, label %short
offer:
  %offered = add i64 %state, %change
  %swap = cmpxchg ptr %word, i64 %state, i64 %offered acq_rel acquire, align 8
  %agreed = extractvalue { i64, i1 } %swap, 1
  br i1 %agreed, label %run, label %look
short:
  %late = icmp sge i64 %spins, %until
  br i1 %late, label %end, label %again
again:
  call void @mc.relax(i64 %spins)
  %more = add i64 %spins, 1
  br label %look
run:
  call void %function(ptr %table, ptr %team, i64 0, i64 %parts)
  br label %wait
wait:
  %waits = phi i64 [ 0, %run ], [ %longer, %still ]
  %finished = load atomic i64, ptr %done acquire, align 8
  %all = icmp eq i64 %finished, %others
  br i1 %all, label %end, label %still
still:
  call void @mc.relax(i64 %waits)
  %longer = add i64 %waits, 1
  br label %wait
end:
  %result = phi i64 [ 0, %short ], [ 1, %wait ]
  store atomic i64 0, ptr %busy release, align 8
  ret i64 %result
}"""
_TOO_FEW, _DONE = 0, 1

# The C library's, on Linux; where there is none, nothing is known of cores and nothing is moved.
_sched_getcpu = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None

_RUN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_SERVED = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
_LED = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3)


def emit_barrier(module: Module, architecture: str = "") -> str:
    """Define `void @mc.barrier(ptr team, i64 parts)`, where all parts of a run barrier, and return its name.

    architecture    what the code is for, such as "aarch64"; this computer's unless it is given

    What a part wrote before is seen by all of them after it. No function that calls it may have a `noalias`
    parameter that the parts share: LLVM would then move loads and stores across the meeting.
    """
    declared, pause = _PAUSES.get((architecture or platform.machine()).lower(), ("", ""))
    yields = "SwitchToThread" if os.name == "nt" else "sched_yield"
    module.declare(yields, "i32", [])
    if declared:
        module.declared["mc.pause"] = declared
    module.functions["mc.relax"] = _RELAX.format(pause=pause, spins=SPINS, yields=yields)
    module.functions["mc.barrier"] = _BARRIER
    return "mc.barrier"


class _Native(NamedTuple):
    """The code that members wait in and that a caller begins a run with."""

    code: Loaded
    serve: Callable[[int, int], None]
    lead: Callable[[int, int, int, int, int, int], int]


@functools.cache
def _native() -> _Native:
    module = Module()
    emit_barrier(module)
    module.functions |= {"serve": _SERVE, "lead": _LEAD}
    code = Loaded(object_of(str(module), host_target(), 1), ("serve", "lead"))
    return _Native(code, _SERVED(code.address("serve")), _LED(code.address("lead")))


class _Crew:
    """The threads of one process and the memory that they meet in."""

    def __init__(self) -> None:
        self.native = _native()
        self._bytes = np.zeros(TEAM_BYTES + 127, np.uint8)
        self.memory = -(-self._bytes.ctypes.data // 128) * 128
        self._caller = [-1]  # the core that the caller was on when it last woke members
        self._members: list[tuple[threading.Thread, threading.Lock]] = []
        self._closed = threading.Event()

    def grow(self, others: int) -> None:
        """Start threads until there are so many besides the caller's."""
        self._caller[0] = core_in_use()
        while len(self._members) < others:
            asleep = threading.Lock()
            asleep.acquire()
            # A member holds on to the memory and the code that it is in, but not to the team.
            needs = (self.native, self.memory, self._bytes, asleep, self._closed, self._caller)
            thread = threading.Thread(target=_member, args=needs, name="minicolumn", daemon=True)
            thread.start()
            self._members.append((thread, asleep))

    def alive(self) -> bool:
        """Return whether no thread was lost, as all are in a forked process."""
        return all(thread.is_alive() for thread, _ in self._members)

    def wake(self, others: int) -> None:
        """Wake the first threads; those that are awake will stay so a moment longer."""
        self._caller[0] = core_in_use()
        for _, asleep in self._members[:others]:
            with suppress(RuntimeError):  # it is awake already
                asleep.release()

    def run(self, function: int, table: int, parts: int) -> bool:
        """Run a function in so many parts; False, with nothing done, while another run goes on."""
        patience = _FIRST_WAIT
        while (ended := self.native.lead(self.memory, function, table, parts, *patience)) == _TOO_FEW:
            self.wake(parts - 1)
            patience = _NEXT_WAIT
        return ended == _DONE

    def close(self) -> None:
        """Let the threads end."""
        self._closed.set()
        self.wake(len(self._members))


def _member(
    native: _Native,
    memory: int,
    held: np.ndarray,
    asleep: threading.Lock,
    closed: threading.Event,
    caller: Sequence[int],
) -> None:
    """Take part in runs while there are any, sleep while there are none; the memory is held meanwhile."""
    while not closed.is_set():
        step_aside(caller[0])
        native.serve(memory, _STAY_AWAKE)
        asleep.acquire()


def core_in_use() -> int:
    """Return the number of the core that this thread is on, or -1 where the system does not tell."""
    return _sched_getcpu() if _sched_getcpu else -1


def step_aside(core: int) -> None:
    """Move this thread to another core if it is on this one; it may go anywhere again at once.

    Systems like to wake a thread beside the one that woke it, and then leave both there for tenths of a
    second, since neither of them ever sleeps: each waits for the other, in turn.
    """
    if core < 0 or core_in_use() != core:
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) > 1:
        with suppress(OSError):  # what is allowed has just changed
            os.sched_setaffinity(0, allowed - {core})
            os.sched_setaffinity(0, allowed)


class Team:
    """Threads that run native functions together; they are started when they are first needed.

    crews   runs that may go on at once, each with threads of its own; by default one for every two cores
    """

    def __init__(self, crews: int | None = None) -> None:
        """Begin without threads."""
        self._most = crews
        self._crews: dict[int, list[_Crew]] = {}  # by process, for a forked one has no threads but its first

    def run(self, function: int, table: int, parts: int) -> int:
        """Call `void function(ptr table, ptr team, i64 part, i64 parts)` for each part at once.

        function  the address of the native function
        table     the address of what it works on
        parts     how many members; the caller is part 0

        Returns how many there were, when all are done. That is 1 while all crews are at work, and where no
        thread can be started: then the caller does it alone rather than wait.
        """
        for number in range(self._places() if parts > 1 else 0):
            crew = self._crew(number, parts)
            if crew is None:
                break
            if crew.run(function, table, parts):
                return parts
        _RUN(function)(table, None, 0, 1)
        return 1

    def close(self) -> None:
        """Let the threads end; they are started anew if they are needed again."""
        for crew in self._crews.pop(os.getpid(), []):
            crew.close()

    def __del__(self) -> None:
        self.close()

    def _places(self) -> int:
        if self._most is None:
            self._most = max(1, cores() // 2)
        return self._most

    def _crew(self, number: int, parts: int) -> _Crew | None:
        """Return one of this process's crews, or None where there can be none."""
        crews = self._crews.get(os.getpid())
        if crews is None:
            self._crews.clear()
            crews = self._crews.setdefault(os.getpid(), [])
        if number < len(crews) and not crews[number].alive():
            crews[number] = _Crew()
        while number >= len(crews):
            crews.append(_Crew())
        try:
            crews[number].grow(parts - 1)
        except RuntimeError:  # no more threads are allowed, or Python is about to end
            return None
        return crews[number]


_SHARED = Team()


def shared() -> Team:
    """Return the team of this process."""
    return _SHARED
