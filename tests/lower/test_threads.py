"""The limit on NumPy's threads is the process's, and comes off when the last one who wants it leaves."""

from __future__ import annotations

import threading

import threadpoolctl

from minicolumn.lower.threads import one_thread


def _threads() -> list[int]:
    return [found["num_threads"] for found in threadpoolctl.threadpool_info() if found["user_api"] == "blas"]


def test_overlapping_blocks_leave_the_number_as_it_was() -> None:
    before = _threads()
    entered, leave = threading.Event(), threading.Event()

    def within() -> None:
        with one_thread():
            entered.set()
            leave.wait()

    other = threading.Thread(target=within)
    with one_thread():
        other.start()
        entered.wait()
    assert _threads() == [1] * len(before)  # the other one is still within
    leave.set()
    other.join()
    with one_thread():  # whom OpenBLAS lets raise the number again, where it did not let the other one
        assert _threads() == [1] * len(before)
    assert _threads() == before


def test_an_error_within_takes_the_limit_off() -> None:
    before = _threads()
    try:
        with one_thread():
            raise KeyError
    except KeyError:
        pass
    assert _threads() == before
