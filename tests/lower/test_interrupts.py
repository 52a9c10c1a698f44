"""Signals during long native loops: a handler that raises ends them, another one changes nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.schedule.interrupts import SHORT
from minicolumn.lower.native import NativeProgram

if not hasattr(signal, "setitimer"):
    pytest.skip("needs signals after a time: a system other than Windows", allow_module_level=True)

# Steps that would take minutes, and some that are enough to be watched.
ENDLESS, ENOUGH = 10**10, SHORT // 8
RNG = np.random.default_rng(0)
W = RNG.standard_normal((192, 192)) / 14
X = RNG.standard_normal((50, 4)).astype(np.float32)
Loop = Callable[..., Any]


class Stop(Exception):
    """What a handler raises."""


def one_thread(s: Any, steps: int) -> Any:
    return mc.scan(lambda s, _: (s * 0.999 + 0.1, ()), s, None, length=steps)[0]


def in_registers(s: Any, steps: int) -> Any:
    """Train a neuron, with the rows along the lanes."""
    points = X * s[:1].astype(np.float32)

    def step(state: Any, _: Any) -> Any:
        w, rows = state
        loss = lambda w: np.mean((points[rows] @ w - 1.0) ** 2)  # noqa: E731
        return (w - 0.01 * mc.grad(loss)(w), np.where(rows < 43, rows + 7, rows - 43)), ()

    first = s[:4].astype(np.float32), np.arange(10, dtype=np.int32)
    return mc.scan(step, first, None, length=steps // 32)[0][0]


def by_a_team(s: Any, steps: int) -> Any:
    big = np.outer(np.ones(192), s[:1]) * np.ones((192, 192))
    return mc.scan(lambda s, _: (np.tanh(s @ W) + 0.1, ()), big, None, length=max(3, steps // 2**18))[0]


def shared_out(s: Any, steps: int) -> Any:
    """Do rows that do not depend on each other, each of them a loop."""
    rows = np.outer(np.arange(1.0, 33.0), s)
    return mc.scan(lambda _, row: ((), one_thread(row, steps // 16)), (), rows)[1]


def within_a_loop(s: Any, steps: int) -> Any:
    def step(s: Any, _: Any) -> Any:
        return one_thread(s[::-1], steps // 4) + np.sum(np.sin(W)), ()

    return mc.scan(step, s, None, length=9)[0]


LOOPS: list[Loop] = [one_thread, in_registers, by_a_team, shared_out, within_a_loop]
S = np.linspace(0.1, 1.0, 6)


@contextmanager
def alarm(handler: Callable[[], None], after: float, every: float = 0.0) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, lambda *_: handler())
    signal.setitimer(signal.ITIMER_REAL, after, every)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _raise() -> None:
    raise Stop


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_handler_that_raises_ends_a_long_loop(loop: Loop, threads: int, within: Any) -> None:
    program = NativeProgram(graph_of(lambda s: loop(s, ENDLESS), S), threads=threads, interruptible=True)
    given = S.copy()
    for _ in range(2):  # it can be called again
        # The loop would take minutes. Two looks are 0.05 seconds apart; a busy machine stretches that, for a
        # team at its barriers most of all.
        with within(5.0), alarm(_raise, 0.15), pytest.raises(Stop):
            program(given)
    np.testing.assert_array_equal(given, S)


@pytest.mark.parametrize("loop", LOOPS)
def test_loops_that_look_for_signals_give_the_same_bits(loop: Loop) -> None:
    expected = mc.compile(lambda s: loop(s, ENOUGH), interruptible=False)(S)
    fast, seen = mc.compile(lambda s: loop(s, ENOUGH)), []
    fast(S)  # so that what follows is the loop, not compiling
    with alarm(lambda: seen.append(1), 0.001, 0.005):
        for found, wanted in zip(np.atleast_1d(fast(S)), np.atleast_1d(expected), strict=True):
            np.testing.assert_array_equal(found, wanted)
    assert seen


def test_ctrl_c_ends_a_compiled_function() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    fast = mc.compile(lambda s: one_thread(s, ENDLESS))
    timer = threading.Timer(0.4, signal.raise_signal, [signal.SIGINT])
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            fast(S)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


def test_a_call_on_another_thread_is_not_interrupted() -> None:
    fast, found, done = mc.compile(lambda s: one_thread(s, ENOUGH)), [], threading.Event()

    def call() -> None:
        found.append(fast(S))
        done.set()

    threading.Thread(target=call).start()
    with alarm(_raise, 0.01), pytest.raises(Stop):
        done.wait()
    done.wait()
    np.testing.assert_array_equal(found[0], fast(S))


def test_short_loops_do_not_look() -> None:
    text = NativeProgram(graph_of(lambda s: one_thread(s, 1000), S), interruptible=True).emitted.text
    assert "mc.look" not in text
    assert (
        "mc.look"
        in NativeProgram(graph_of(lambda s: one_thread(s, ENOUGH), S), interruptible=True).emitted.text
    )
