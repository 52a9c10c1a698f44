"""Cores shared out among the calls of one process: each takes its part while others are at work, too.

Two trainings in two Python threads are done soonest with half of the cores each. Threads of one that wait at
a barrier for one that is not scheduled, since the other's are, would cost both of them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from minicolumn.lower.llvm.runtime.thread_count import cores

# A thread counts as at work for some time after a call, since trainings do a little in Python between calls:
# for LINGER times what the call took, and for no more than LONGEST seconds.
LINGER, LONGEST = 2.0, 0.1
# A call counts for so many seconds at most, should an interrupt keep its end from being noted.
FORGOTTEN = 2.0
_MANY = 64  # threads, from which on those that have ended are forgotten


class Shares:
    """Which threads of a process are at work in native code, and how many cores each of them wants.

    All get what they want up to the same number, the largest for which there are cores enough, but one core
    at least (max-min fairness). No lock is needed: each thread writes an entry of its own, and one that is a
    moment old does no harm.

    >>> shares = Shares(4)
    >>> with shares.take(4) as parts:
    ...     parts
    4
    """

    def __init__(self, cores: int, clock: Callable[[], float] = time.perf_counter) -> None:
        """Share out so many cores; the clock counts seconds."""
        self.cores, self._clock = cores, clock
        self._at_work: dict[int, tuple[float, int]] = {}  # by thread: until when it counts, what it wants

    @contextmanager
    def take(self, wanted: int) -> Iterator[int]:
        """Give the number of parts for a call of this thread that would take `wanted`."""
        me, began = threading.get_ident(), self._clock()
        parts = self._share(me, wanted, began)
        self._at_work[me] = began + FORGOTTEN, wanted
        try:
            yield parts
        finally:
            ended = self._clock()
            self._at_work[me] = ended + min(LINGER * (ended - began), LONGEST), wanted

    def _share(self, me: int, wanted: int, now: float) -> int:
        entries = list(self._at_work.items())
        if len(entries) > _MANY:
            for thread, (until, _) in entries:
                if until <= now:
                    self._at_work.pop(thread, None)
        others = [number for thread, (until, number) in entries if until > now and thread != me]
        return min(wanted, fair_share(self.cores, [*others, wanted])) if others else wanted


def fair_share(cores: int, wanted: Sequence[int]) -> int:
    """Return the most cores that each may take of those it wants, so that there are enough for all.

    >>> fair_share(8, [1, 8, 8])
    3
    """
    left, share = cores, cores
    for number, want in enumerate(sorted(wanted)):
        share = left // (len(wanted) - number)
        if want > share:
            break
        left -= want
    return max(1, share)


_SHARES: dict[int, Shares] = {}  # by process, for no other thread goes on in a forked one


def shares() -> Shares:
    """Return the shares of this process."""
    process = os.getpid()
    return _SHARES.get(process) or _SHARES.setdefault(process, Shares(cores()))
