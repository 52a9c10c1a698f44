"""Signal handling: SIGINT (Ctrl-C) deferred over a critical section."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    waiting: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if waiting and again:
        raise KeyboardInterrupt
