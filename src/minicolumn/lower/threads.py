"""One thread for the reference lowering's matrix products."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Limit:
    """A limit on the threads of the BLAS, which is the whole process's: in force while anybody is within.

    The number before comes back when the last one leaves, so blocks of several threads may overlap. OpenBLAS
    does not let every thread raise it again; then it is kept for the next one who leaves.
    """

    def __init__(self) -> None:
        self._lock, self._within = threading.Lock(), 0
        self._before: Any = None  # the limits before, where they are still to come back

    def enter(self) -> None:
        """Let one more be within."""
        with self._lock:
            if not self._within:
                from threadpoolctl import threadpool_limits

                limits = threadpool_limits(limits=1, user_api="blas")
                self._before = self._before or limits
            self._within += 1

    def leave(self) -> None:
        """Let one less be within."""
        with self._lock:
            self._within -= 1
            if not self._within:
                from threadpoolctl import threadpool_info

                self._before.restore_original_limits()
                now = {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}
                if now <= {self._before.get_original_num_threads()["blas"]}:
                    self._before = None


_LIMIT = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy's matrix products use one thread within this block, for the whole process.

    A library that splits a product over threads adds in another order, so the bits would depend on their
    number. And small products lose by it: training the built-in penguins took 59 s of processor time with two
    threads and 8 s with one, on a machine with other work, since threads that wait for each other spin.
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()
