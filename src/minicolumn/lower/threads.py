"""One thread for the reference lowering's matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy's matrix products use one thread within this block, for the whole process.

    A library that splits a product over threads adds in another order, so the bits would depend on their
    number. And small products lose by it: training the built-in penguins took 59 s of processor time with two
    threads and 8 s with one, on a machine with other work, since threads that wait for each other spin.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
