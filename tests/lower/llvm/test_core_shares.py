"""Cores shared out among the calls of a process: never too many, and all of them for one that is alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.lower.llvm.runtime import thread_count
from minicolumn.lower.llvm.runtime.core_shares import (
    _MANY,
    FORGOTTEN,
    LINGER,
    LONGEST,
    Shares,
    fair_share,
    shares,
)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """A thread that begins and ends calls when it is told to."""

    def __init__(self, of: Shares) -> None:
        self._of, self._done = of, threading.Event()
        self._jobs: list[Callable[[], None]] = []
        self._wake = threading.Semaphore(0)
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._wake.acquire()
            self._jobs.pop()()
            self._done.set()

    def _do(self, job: Callable[[], None]) -> None:
        self._done.clear()
        self._jobs.append(job)
        self._wake.release()
        assert self._done.wait(30)

    def begin(self, wanted: int) -> int:
        """Return the parts that the thread is given."""
        found: list[int] = []
        self._held = self._of.take(wanted)
        self._do(lambda: found.append(self._held.__enter__()))
        return found[0]

    def end(self) -> None:
        """Let the call end."""

        def leave() -> None:
            self._held.__exit__(None, None, None)

        self._do(leave)


def test_one_alone_has_what_it_wants() -> None:
    clock = Clock()
    worker = Worker(Shares(4, clock))
    for wanted in (4, 1, 3, 9):
        assert worker.begin(wanted) == wanted
        clock.now += 0.06
        worker.end()
        clock.now += 0.001


def test_two_have_half_each_until_one_is_gone() -> None:
    clock = Clock()
    held = Shares(4, clock)
    a, b = Worker(held), Worker(held)
    assert a.begin(4) == 4
    clock.now += 0.01
    assert b.begin(4) == 2
    clock.now += 0.05
    a.end()
    clock.now += LONGEST / 2  # it does something in Python and is not gone
    b.end()
    assert b.begin(4) == 2
    assert a.begin(4) == 2
    clock.now += 0.05
    a.end()
    clock.now += 2 * LONGEST
    b.end()
    assert b.begin(4) == 4


def test_what_others_do_not_want_is_there_for_all() -> None:
    held = Shares(8, Clock())
    workers = [Worker(held) for _ in range(4)]
    parts = [worker.begin(wanted) for worker, wanted in zip(workers, (1, 1, 8, 8), strict=True)]
    assert parts == [1, 1, 6, 3]
    assert Worker(held).begin(8) == 2


def test_a_short_call_is_soon_forgotten_and_a_lost_one_later() -> None:
    clock = Clock()
    held = Shares(2, clock)
    a, b = Worker(held), Worker(held)
    assert a.begin(2) == 2
    clock.now += 0.001
    a.end()
    assert b.begin(2) == 1
    clock.now += 0.0011 * LINGER
    b.end()
    assert b.begin(2) == 2
    b.end()
    clock.now += 1.0
    assert a.begin(2) == 2  # and now it is lost, as if an interrupt had come just then
    assert b.begin(2) == 1
    clock.now += FORGOTTEN
    assert b.begin(2) == 2
    assert a.begin(2) == 1


def test_an_error_ends_a_call() -> None:
    clock = Clock()
    held = Shares(2, clock)
    with suppress(KeyError), held.take(2):
        raise KeyError
    clock.now += 1.0
    assert Worker(held).begin(2) == 2


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 64), st.lists(st.integers(1, 64), min_size=1, max_size=70))
def test_shares_fit_and_leave_nothing_that_is_wanted(cores: int, wanted: list[int]) -> None:
    share = fair_share(cores, wanted)
    assert share >= 1
    assert sum(min(want, share) for want in wanted) <= max(cores, len(wanted))
    more = sum(min(want, share + 1) for want in wanted)
    assert more > cores or all(want <= share for want in wanted)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.lists(st.integers(1, 12), min_size=2, max_size=5))
def test_after_a_call_each_there_is_room_for_all(cores: int, wanted: list[int]) -> None:
    clock = Clock()
    held = Shares(cores, clock)
    workers = [Worker(held) for _ in wanted]
    for worker, want in zip(workers, wanted, strict=True):
        assert 1 <= worker.begin(want) <= want
        clock.now += 0.001
    parts = []
    for worker, want in zip(workers, wanted, strict=True):
        worker.end()
        clock.now += 0.0005
        parts.append(worker.begin(want))
    assert parts == [min(want, fair_share(cores, wanted)) for want in wanted]


def test_threads_that_ended_are_not_kept() -> None:
    clock = Clock()
    held = Shares(2, clock)
    for _ in range(3 * _MANY):
        thread = threading.Thread(target=lambda: held.take(1).__enter__())
        thread.start()
        thread.join()
        clock.now += FORGOTTEN
    assert len(held._at_work) <= _MANY + 2


def test_the_process_has_the_cores_that_it_may_use() -> None:
    assert shares() is shares()
    assert shares().cores == thread_count.cores()
