"""Signals during a native call: Python's handlers run between two iterations of a long loop.

A signal, such as that of Ctrl-C, is noted by Python and handled when its interpreter goes on, on the main
thread: without a look at it now and then that is when the native call is over. Where a handler raises, as
that of Ctrl-C does, the exception is kept, the loop ends, and the call raises it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
import time

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Module
from minicolumn.lower.llvm.runtime.abi import ERROR, LOOK, LOOKED, STOPPED
from minicolumn.lower.llvm.runtime.jit import Loaded, host_target, object_of

# Nanoseconds between two looks. Python's lock is taken for each, which others may hold for 5 milliseconds.
_EVERY = 50_000_000
# Nobody is to wait longer than this for a look that another one was too early for.
_EARLY = _EVERY // 2
# How many times more iterations come next at most, since the first ones may have been slow ones.
_GROWTH = 8

_POSIX = """define internal i64 @mc.now() nounwind {{
  %time = alloca [2 x i64], align 8
  call i32 @clock_gettime(i32 {clock}, ptr %time)
  %seconds = load i64, ptr %time, align 8
  %rest.at = getelementptr inbounds i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at, align 8
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  ret i64 %now
}}"""
_WINDOWS = """define internal i64 @mc.now() nounwind {
  %milliseconds = call i64 @GetTickCount64()
  %now = mul i64 %milliseconds, 1000000
  ret i64 %now
}"""

# look: how many iterations of a loop come next, so that they take as long as is between two looks; 0 once a
# handler raised. Signals are looked for if the iterations done took about that long.
_LOOK = f"""define i64 @look(ptr %watch, i64 %loop, i64 %done) nounwind {{
  %word = add i64 %loop, {LOOKED}
  %last.at = getelementptr inbounds i64, ptr %watch, i64 %word
  %last = load i64, ptr %last.at, align 8
  %began = call i64 @mc.now()
  %is.first = icmp eq i64 %done, 0
  br i1 %is.first, label %first, label %later
first:
  store i64 %began, ptr %last.at, align 8
  ret i64 1
later:
  %passed = sub i64 %began, %last
  %is.early = icmp slt i64 %passed, {_EARLY}
  br i1 %is.early, label %next, label %signals
signals:
  %state = call i32 @PyGILState_Ensure()
  %raised = call i32 @PyErr_CheckSignals()
  %is.raised = icmp ne i32 %raised, 0
  br i1 %is.raised, label %keep, label %well
keep:
  %kind = getelementptr inbounds i64, ptr %watch, i64 {ERROR}
  %value = getelementptr inbounds i64, ptr %watch, i64 {ERROR + 1}
  %trace = getelementptr inbounds i64, ptr %watch, i64 {ERROR + 2}
  call void @PyErr_Fetch(ptr %kind, ptr %value, ptr %trace)
  call void @PyGILState_Release(i32 %state)
  %stopped = getelementptr inbounds i64, ptr %watch, i64 {STOPPED}
  store atomic i64 1, ptr %stopped monotonic, align 8
  ret i64 0
well:
  call void @PyGILState_Release(i32 %state)
  br label %next
next:
  %now = call i64 @mc.now()
  store i64 %now, ptr %last.at, align 8
  %some = call i64 @llvm.smax.i64(i64 %passed, i64 1)
  %part = sdiv i64 {_EVERY}, %some
  %factor = call i64 @llvm.smin.i64(i64 %part, i64 {_GROWTH})
  %is.growing = icmp sgt i64 %factor, 1
  br i1 %is.growing, label %more, label %fewer
more:
  %limited = call i64 @llvm.smin.i64(i64 %done, i64 {1 << 56})
  %grown = mul i64 %limited, %factor
  ret i64 %grown
fewer:
  %over = sdiv i64 %some, {_EVERY}
  %divisor = call i64 @llvm.smax.i64(i64 %over, i64 1)
  %less = sdiv i64 %done, %divisor
  %least = call i64 @llvm.smax.i64(i64 %less, i64 1)
  ret i64 %least
}}"""

_RESTORE = ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)


class Watch:
    """The memory in which one call at a time, of a program with some watched loops, looks for signals."""

    def __init__(self, loops: int) -> None:
        self._words = np.zeros(LOOKED + loops, np.int64)
        self.address = self._words.ctypes.data

    def begin(self) -> None:
        """Look from now on if this is the thread that signals are handled on."""
        self._words[STOPPED] = 0
        self._words[LOOK] = _look().address("look") if _is_main_thread() else 0

    def raise_error(self) -> None:
        """Raise what a handler raised, if one did; the results of the call are garbage then."""
        if not self._words[STOPPED]:
            return
        error = [int(word) or None for word in self._words[ERROR : ERROR + 3]]
        self._words[ERROR : ERROR + 3] = 0
        self._words[STOPPED] = 0
        _RESTORE(("PyErr_Restore", ctypes.pythonapi))(*error)  # it takes over the references, and raises


def _is_main_thread() -> bool:
    return threading.get_ident() == threading.main_thread().ident


@functools.cache
def _look() -> Loaded:
    module = Module()
    if os.name == "nt":
        module.declare("GetTickCount64", "i64", [])
        module.functions["mc.now"] = _WINDOWS
    else:
        module.declare("clock_gettime", "i32", ["i32", "ptr"])
        module.functions["mc.now"] = _POSIX.format(clock=time.CLOCK_MONOTONIC)
    module.functions["look"] = _LOOK
    module.declare("PyGILState_Ensure", "i32", [])
    module.declare("PyErr_CheckSignals", "i32", [])
    module.declare("PyErr_Fetch", "void", ["ptr", "ptr", "ptr"])
    module.declare("PyGILState_Release", "void", ["i32"])
    for name in ("llvm.smax.i64", "llvm.smin.i64"):
        module.declare(name, "i64", ["i64", "i64"])
    return Loaded(object_of(str(module), host_target(), 1), ("look",))
