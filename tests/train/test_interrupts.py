"""Ctrl-C in critical sections: deferred, heard once, and left alone where somebody else handles it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from minicolumn.train.interrupts import deferred, heard_once


@pytest.fixture(autouse=True)
def handler() -> Iterator[Any]:
    """Python's own handler of SIGINT, whoever started the tests; the one before comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_is_heard_and_those_after_it_are_not(handler: Any) -> None:
    done = []
    with heard_once():
        try:
            press()
        except KeyboardInterrupt:
            press()
            done.append("kept")
        press()
        with heard_once(), deferred():  # of a part within, too
            press()
        done.append("saved")
    assert done == ["kept", "saved"]
    assert signal.getsignal(signal.SIGINT) is handler
    with pytest.raises(KeyboardInterrupt):
        press()


def test_the_first_goes_out_where_nobody_catches_it(handler: Any) -> None:
    with pytest.raises(KeyboardInterrupt), heard_once():
        press()
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("around", [False, True])
def test_a_deferred_one_comes_at_the_end_of_its_section(around: bool) -> None:
    done = []

    def section() -> None:
        with deferred():
            press()
            press()
            done.append("section")

    def whole() -> None:
        with heard_once():
            section()

    with pytest.raises(KeyboardInterrupt):
        whole() if around else section()
    assert done == ["section"]


def test_one_to_be_forgotten_is_forgotten() -> None:
    with heard_once():
        with deferred(again=False):
            press()
        with pytest.raises(KeyboardInterrupt):  # it was not heard: the next one is the first
            press()


def test_whoever_handles_it_goes_on_handling_it() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    with heard_once(), deferred():
        press()
    assert seen == [signal.SIGINT]


def test_other_threads_leave_it_alone(handler: Any) -> None:
    found = []

    def look() -> None:
        with heard_once(), deferred():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [handler]
