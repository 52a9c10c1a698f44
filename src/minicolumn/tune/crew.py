"""Who trains candidates: threads of this process, or an executor whose workers are anywhere.

A crew takes a candidate and gives a future of its trial. The search, its strategy and its storage stay in the
process that began it: a worker is told a candidate, and tells what became of it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self

from minicolumn.tune.build import Workshop
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.evaluate import Standing, Watcher, evaluate
from minicolumn.tune.trial import Trial

Ending = Future[Trial | None]


class Crew(Protocol):
    """Those who train candidates, for as long as the block lasts."""

    @property
    def size(self) -> int:
        """How many candidates can be trained at once; it may change."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def submit(self, candidate: Candidate, watcher: Watcher, standing: Standing, seconds: float) -> Ending:
        """Have a candidate trained.

        standing    is written meanwhile, where the crew shares memory
        seconds     after which the trial is to end as if it had not begun; `watcher` says it sooner where the
                    crew shares memory
        """
        ...

    def stop(self) -> None:
        """Take note that the search is over, so that nothing is waited for that cannot hear of it."""
        ...


class Threads:
    """A crew of threads in this process, which share its rows.

    workshop    what candidates are made with; size: how many threads
    """

    def __init__(self, workshop: Workshop, size: int) -> None:
        self.workshop, self.size = workshop, size
        self._pool = ThreadPoolExecutor(size, "trial")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()

    def submit(self, candidate: Candidate, watcher: Watcher, standing: Standing, seconds: float) -> Ending:
        """Train a candidate in the next free thread."""
        return self._pool.submit(evaluate, self.workshop, candidate, watcher, standing)

    def stop(self) -> None:
        """Do nothing: threads ask the watcher, which tells them."""
