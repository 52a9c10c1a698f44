"""Forks while other threads import or compile: a child would find their locks held, and wait for ever.

Most of the lowering is imported at the first compilation. A process that forks while another thread is at its
own first one would leave the child with modules that nobody finishes and locks that nobody lets go. So a fork
waits until no other thread is within an import, and none begins before the child is there.

Source      importlib._bootstrap: a lock for each module that is being imported, found by name under one lock
            for all of them (`_imp.acquire_lock`)
Elsewhere   CPython takes the lock for all across a fork, but not those of single modules
"""

from __future__ import annotations

import logging as logging  # which registers itself: not while a fork waits
import os
import sys
import threading
import time
from importlib import _bootstrap  # type: ignore[attr-defined]
from typing import Any

try:
    import _imp
except ImportError:  # another Python, which may have no such locks
    _imp: Any = None

# Of an import that waits for the forking thread itself, the end would never come.
PATIENCE = 10.0


_held: list[Any] = []  # LLVM's lock, from before a fork to after it


def wait_for_others() -> None:
    """Wait until no other thread is within an import or in LLVM, and let none begin until `go_on`."""
    until = time.monotonic() + PATIENCE
    _imp.acquire_lock()
    while imported_elsewhere() and time.monotonic() < until:
        _imp.release_lock()
        time.sleep(0.0005)
        _imp.acquire_lock()
    # Looked for here: hooks that a thread registers while a fork waits are not called before that fork.
    lock = _llvm_lock()
    if lock is not None and lock.acquire():
        _held.append(lock)


def go_on() -> None:
    """Let threads go on, in the process that forked and in its child."""
    while _held:
        _held.pop().release()
    _imp.release_lock()


def _llvm_lock() -> Any:
    """Return the lock that llvmlite takes for each call of LLVM; None before it is imported."""
    llvm = sys.modules.get("llvmlite.binding.ffi")
    return getattr(getattr(getattr(llvm, "lib", None), "_lock", None), "_lock", None)


def imported_elsewhere() -> bool:
    """Return whether another thread holds the lock of a module that it imports."""
    locks: dict[str, Any] = getattr(_bootstrap, "_module_locks", {})
    held = (reference() for reference in list(locks.values()))
    return any(getattr(lock, "owner", None) not in (None, threading.get_ident()) for lock in held)


if _imp is not None and hasattr(os, "register_at_fork"):
    os.register_at_fork(before=wait_for_others, after_in_parent=go_on, after_in_child=go_on)
