"""How many threads the reference lowering's matrix products may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Multiplications and additions of a step below which two threads gain little on a quiet machine, and lose
# most of the time on a busy one, where they spin while they wait for each other: training the built-in
# penguins took 59 s of processor time with two threads and 8 s with one, on a machine with other work.
WORTH_SHARING = 5e8


def threads_for(operations: float, asked: int | None) -> int | None:
    """Return the number of threads for a step of so many operations; None leaves the library's own choice.

    >>> threads_for(1e6, None), threads_for(1e10, None), threads_for(1e10, 2)
    (1, None, 2)
    """
    if asked is not None:
        return asked
    return 1 if operations < WORTH_SHARING else None


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Let NumPy's matrix products use at most so many threads within this block; None changes nothing."""
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads, user_api="blas"):
        yield
