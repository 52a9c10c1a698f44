"""Candidates trained on a cluster of Dask: the scheduler hands them out, and again where a worker died.

The table is a task of its own, which the scheduler remembers: a worker fetches it before its first candidate,
from another worker where it can, and it comes again where all that had it died.

Source      Dask distributed (Rocklin 2015), by its `concurrent.futures` interface
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any

from minicolumn.errors import DataError, first_line
from minicolumn.tune.build import Workshop
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.executor import Executed, Job, train_here
from minicolumn.tune.trial import Trial

_SECONDS_TO_CONNECT = 10
_SECONDS_WITHOUT_WORKERS = 300.0  # machines may have to be started first
_SECONDS_BETWEEN_COUNTS = 1.0


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a scheduler for as long as the block lasts.

    address     such as tcp://10.0.0.5:8786
    Errors      DataError, one line, where nothing answers, and where distributed is not installed
    """
    try:
        from distributed import Client
    except ImportError:
        raise DataError(
            "cluster: it needs dask's distributed, which is not installed: pip install 'minicolumn[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise DataError(f"cluster: no scheduler answers at {address}: {first_line(error)}") from None
    with client:
        yield client


def is_client(executor: Any) -> bool:
    """Return whether something is a client of Dask, without loading it."""
    kind = type(executor)
    return kind.__name__ == "Client" and kind.__module__.split(".")[0] == "distributed"


class Cluster(Executed):
    """A crew of all the workers that a Dask scheduler has, now and later.

    client      of `distributed`; it stays its owner's
    Errors      DataError where workers cannot load this package in this version
    """

    who = "cluster"

    def __init__(self, workshop: Workshop, client: Any, size: int | None = None) -> None:
        super().__init__(workshop, client.get_executor(pure=False), size)
        self.client = client
        self._counted, self._count = 0.0, 0
        self._last_worker = time.monotonic()
        _check_versions(client)
        self._table = self._sent()

    def _sent(self) -> Any:
        """Hand the table to the scheduler, and return what stands for it."""
        with warnings.catch_warnings():
            # It is large, and goes once: to the scheduler, which has to keep it for workers that come later.
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self.client.submit(_same, self.workshop.to_send(), pure=False, key=f"table-{self._key}")

    @property
    def size(self) -> int:
        """All threads of all workers; DataError where there have been none for five minutes."""
        if time.monotonic() - self._counted > _SECONDS_BETWEEN_COUNTS:
            self._count, self._counted = self._threads(), time.monotonic()
            if self._count:
                self._last_worker = self._counted
            elif self._counted - self._last_worker > _SECONDS_WITHOUT_WORKERS:
                raise DataError(
                    f"cluster: the scheduler has had no worker for {_SECONDS_WITHOUT_WORKERS:.0f} s"
                )
        return min(self._count, self._size or self._count)

    def _threads(self) -> int:
        try:
            return sum(self.client.nthreads().values())
        except (OSError, TimeoutError, RuntimeError) as error:
            raise DataError(f"cluster: {self._why_gone() or first_line(error)}") from None

    def _start(self, job: Job) -> Future[Any]:
        left = max(job.end - time.monotonic(), 0.0)
        return self.executor.submit(train_on_worker, self._table, job.candidate, left)

    def _is_loss(self, error: BaseException) -> bool:
        from distributed.scheduler import KilledWorker

        return isinstance(error, KilledWorker | CancelledError | OSError)

    def _why_gone(self) -> str | None:
        end = time.monotonic() + _SECONDS_TO_CONNECT
        while self.client.status == "connecting" and time.monotonic() < end:
            time.sleep(0.1)
        return None if self.client.status == "running" else "the scheduler is gone; what ended is kept"


def train_on_worker(workshop: Workshop, candidate: Candidate, seconds: float) -> Trial | None:
    """Train a candidate in a thread of a Dask worker, and end it where the search has cancelled it.

    A worker ends no thread, but notes that nobody waits for a task any more: after Ctrl-C its next look
    between two pieces of an epoch finds that.
    """
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return train_here(workshop, candidate, seconds, lambda: getattr(task, "state", "") == "cancelled")


def _same(value: Any) -> Any:
    return value


def version_here() -> str:
    """Return this package's version, where it is called."""
    import minicolumn

    return minicolumn.__version__


def _check_versions(client: Any) -> None:
    """Refuse workers with another version of this package, or none; one that dies has no say."""
    from minicolumn import __version__

    try:
        found = client.run(version_here, on_error="return")
    except (OSError, TimeoutError) as error:
        raise DataError(f"cluster: {first_line(error)}") from None
    for address, version in found.items():
        if isinstance(version, OSError):
            continue
        if isinstance(version, BaseException):
            raise DataError(f"cluster: the worker at {address} cannot load minicolumn: {first_line(version)}")
        if version != __version__:
            raise DataError(
                f"cluster: the worker at {address} has minicolumn {version}, this process {__version__}"
            )
