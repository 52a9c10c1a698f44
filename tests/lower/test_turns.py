"""Threads that want the same program at once: one makes it, the others wait for it."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.turns import Turns
from minicolumn.model.compute import forward


def test_threads_that_call_a_function_at_once_trace_it_once() -> None:
    traced = []

    def slowly(x: np.ndarray) -> np.ndarray:
        traced.append(threading.get_ident())
        time.sleep(0.05)
        return x + 1.0

    fast, together = mc.compile(slowly, backend="reference"), threading.Barrier(3)

    def call(_: int) -> float:
        together.wait()
        return float(fast(np.zeros(2))[0])

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(call, range(3))) == [1.0] * 3
    assert len(traced) == 1


def test_other_shapes_are_not_waited_for() -> None:
    begun, done = threading.Event(), threading.Event()

    def stuck(x: np.ndarray) -> np.ndarray:
        if x.shape == (3,):
            begun.set()
            assert done.wait(10.0)
        return x + 1.0

    fast = mc.compile(stuck, backend="reference")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(fast, np.zeros(3))
        assert begun.wait(10.0)
        assert fast(np.zeros(2)).tolist() == [1.0, 1.0]
        done.set()
        assert other.result().tolist() == [1.0] * 3


def test_who_waited_for_one_that_failed_makes_it() -> None:
    calls = []

    def fails_once(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        time.sleep(0.05)
        if len(calls) == 1:
            raise RuntimeError("the first")
        return x + 1.0

    fast, together = mc.compile(fails_once, backend="reference"), threading.Barrier(2)

    def call(_: int) -> str:
        together.wait()
        try:
            return str(float(fast(np.zeros(1))[0]))
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(call, range(2))) == ["1.0", "the first"]


def test_a_function_that_calls_itself_does_not_wait_for_itself() -> None:
    turns = Turns()
    with turns.of("key"), turns.of("key"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_wait_for_a_thread_of_its_parent() -> None:
    turns, inside, leave = Turns(), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.of("key"):
            inside.set()
            leave.wait(10.0)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10.0)
    child = os.fork()
    if not child:
        with turns.of("key"):
            os._exit(0)
    until = time.monotonic() + 10.0
    ended, status = 0, -1
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.005)
    if not ended:
        os.kill(child, 9)
    leave.set()
    thread.join()
    assert ended == child
    assert os.waitstatus_to_exitcode(status) == 0


def test_threads_that_ask_at_once_are_given_one_program_of_a_network() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            for units in range(1, 60):
                network, together = mc.nn.Dense(units), threading.Barrier(2)

                def ask(_: int, network: mc.nn.Layer = network, together: Any = together) -> object:
                    together.wait()
                    return forward(network, None)

                first, second = pool.map(ask, range(2))
                assert first is second
    finally:
        sys.setswitchinterval(interval)
