"""Candidates trained by an executor: anything with the interface of `concurrent.futures`, on any machines.

    candidate -> executor.submit -> a worker, which has the table -> trial
                                    one that has not says so, and is sent it along: once a worker

What a worker that died was training is submitted again, and counts once: there is one future of a candidate,
and the search takes one trial from it.

Trust: arguments and results travel by pickle, as the executor does it; so its workers must be trusted as this
process is. Nothing that a user made, no table and no model file, is unpickled by this package.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Self

from minicolumn.errors import DataError, MinicolumnError, first_line
from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.tune.build import Workshop
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.crew import Ending
from minicolumn.tune.evaluate import Standing, Watcher, evaluate
from minicolumn.tune.trial import Trial

MOST_DEATHS = 50  # of workers on one candidate, which is then taken to be the reason


@dataclass(frozen=True)
class Missing:
    """A worker's answer that it has no table yet."""

    key: str


class Held:
    """What a worker process keeps: the last table that it was sent."""

    key: str = ""
    workshop: Workshop | None = None
    lock = threading.Lock()


def train_there(
    key: str, workshop: Workshop | None, candidate: Candidate, seconds: float
) -> Trial | Missing | None:
    """Train a candidate in a worker process; `Missing` where the table is neither here nor sent along.

    key         of the table; seconds: after which the trial is given up
    """
    with Held.lock:
        if workshop is not None:
            Held.key, Held.workshop = key, workshop
        if Held.key != key:
            return Missing(key)
        workshop = Held.workshop
    assert workshop is not None
    return train_here(workshop, candidate, seconds)


def train_here(
    workshop: Workshop, candidate: Candidate, seconds: float, is_cancelled: Callable[[], bool] = lambda: False
) -> Trial | None:
    """Train a candidate, and give it up after some seconds, or when it is cancelled."""
    end = time.monotonic() + seconds
    return evaluate(workshop, candidate, Watcher(lambda: time.monotonic() > end or is_cancelled()))


class Executed:
    """A crew behind an executor, which stays its owner's: it is neither entered nor shut down here.

    executor    has `submit(function, *arguments)` that returns a `concurrent.futures.Future`
    size        how many candidates at once; None asks the executor, or takes the cores
    """

    who = "executor"

    def __init__(self, workshop: Workshop, executor: Any, size: int | None = None) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise DataError(
                f"executor: {executor!r:.60} has no `submit`; give what has the interface of "
                "concurrent.futures.Executor, a dask.distributed.Client, or use cluster="
            )
        self.workshop, self.executor = workshop, executor
        self._size = size
        self._key = uuid.uuid4().hex
        self._open: dict[Ending, Future[Any]] = {}
        self._lock, self._stopped = threading.Lock(), False

    @property
    def size(self) -> int:
        """How many candidates are trained at once."""
        return self._size or int(getattr(self.executor, "_max_workers", 0) or cores())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def submit(self, candidate: Candidate, watcher: Watcher, standing: Standing, seconds: float) -> Ending:
        """Hand a candidate to the executor; DataError where it takes nothing any more."""
        ending: Ending = Future()
        self._launch(Job(ending, candidate, time.monotonic() + seconds))
        return ending

    def stop(self) -> None:
        """Cancel what has not begun, and wait for nothing: its trials count as not begun."""
        with self._lock:
            self._stopped = True
            still = dict(self._open)
            self._open.clear()
        for ending, inner in still.items():
            inner.cancel()
            _settle(ending, lambda e: e.set_result(None))

    # What subclasses know better ----------------------------------------------------------------------------

    def _start(self, job: Job) -> Future[Any]:
        """Submit a job, with the table where the last worker that was asked had none."""
        left = max(job.end - time.monotonic(), 0.0)
        table = self.workshop.to_send() if job.send else None
        return self.executor.submit(train_there, self._key, table, job.candidate, left)

    def _is_loss(self, error: BaseException) -> bool:
        """Return whether an error says that a worker is gone, and not that the candidate is bad."""
        return False

    def _why_gone(self) -> str | None:
        """Return why nothing can be submitted any more, in one line; None where all is well."""
        return None

    # Jobs ---------------------------------------------------------------------------------------------------

    def _launch(self, job: Job) -> None:
        try:
            inner = self._start(job)
        except (RuntimeError, OSError, BrokenProcessPool) as error:
            raise DataError(f"{self.who}: it takes no candidates any more: {first_line(error)}") from None
        with self._lock:
            if self._stopped:
                inner.cancel()
                _settle(job.ending, lambda e: e.set_result(None))
                return
            self._open[job.ending] = inner
        inner.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, inner: Future[Any]) -> None:
        """Give the trial on, or submit its candidate again; called where the executor calls."""
        with self._lock:
            if self._open.get(job.ending) is not inner:
                return  # the search is over
            del self._open[job.ending]
        try:
            found = inner.result()
        except BaseException as error:  # of any executor, and a CancelledError is none of Exception
            self._after(job, error)
            return
        if isinstance(found, Missing):
            self._again(Job(job.ending, job.candidate, job.end, job.deaths, send=True))
        else:
            _settle(job.ending, lambda e: e.set_result(found))

    def _after(self, job: Job, error: BaseException) -> None:
        """Submit a candidate again whose worker died, or give the error on."""
        gone = self._why_gone() if self._is_loss(error) else f"a worker could not train: {first_line(error)}"
        if gone is not None:
            own = error if isinstance(error, MinicolumnError) else DataError(f"{self.who}: {gone}")
            _settle(job.ending, lambda e: e.set_exception(own))
        elif job.deaths + 1 < MOST_DEATHS:
            self._again(Job(job.ending, job.candidate, job.end, job.deaths + 1))
        else:
            reason = f"{MOST_DEATHS} workers died while they trained it"
            failed = Trial(0, job.candidate, "failed", 0, reason=reason)
            _settle(job.ending, lambda e: e.set_result(failed))

    def _again(self, job: Job) -> None:
        try:
            self._launch(job)
        except DataError as error:
            refused = error
            _settle(job.ending, lambda e: e.set_exception(refused))


@dataclass(frozen=True)
class Job:
    """A candidate on its way.

    end         when it is given up, by the clock of this process; send: whether the table goes along
    deaths      of workers that trained it
    """

    ending: Ending
    candidate: Candidate
    end: float = math.inf
    deaths: int = 0
    send: bool = False


def _settle(ending: Ending, how: Callable[[Ending], None]) -> None:
    """Settle a future, unless it is already."""
    if not ending.done():
        how(ending)
