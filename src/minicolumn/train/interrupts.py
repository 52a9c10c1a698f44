"""Signal handling: SIGINT (Ctrl-C) deferred over a critical section, or heard once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Once:
    """A handler of SIGINT: the first one is a KeyboardInterrupt, those after it are forgotten."""

    def __init__(self) -> None:
        self.heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.heard:
            self.heard = True
            raise KeyboardInterrupt


@contextmanager
def heard_once() -> Iterator[None]:
    """Raise KeyboardInterrupt within for the first SIGINT alone; of several that are nested the outermost.

    Who presses Ctrl-C twice means what one press says. The second one may come while the first is a caught
    exception, at any of the lines that keep what was learnt, and `deferred` cannot begin before the first of
    them. Only the main thread is interrupted, and only where nobody else handles the signal.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _Once())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def deferred(again: bool = True) -> Iterator[None]:
    """Defer KeyboardInterrupt until what is done within is done; then it is raised.

    again       False forgets it instead, where somebody was interrupted already and is about to end

    Native code works in the memory of a training's state, and the convergence state that goes with it (steps,
    sums of losses) is kept by Python: an interrupt between the two would leave weights of one step with the
    count of another. Only the main thread is interrupted, and only where nobody else handles the signal, so
    nothing happens elsewhere.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or (before is not signal.default_int_handler and not isinstance(before, _Once)):
        yield
        return
    waiting: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting and again:
        before(signal.SIGINT, None)
