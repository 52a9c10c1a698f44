"""Trainings side by side: several at once, one thread each, with no barrier between them.

    jobs, such as makers of trainers -> a pool of threads, each of which takes one and does it -> what each
    gives, in order

A training on one thread gives the same bits wherever it runs, so the runs do not depend on how many threads
there are, nor on which ends first.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from minicolumn.errors import DivergenceError
from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.interrupts import deferred
from minicolumn.train.run import Run
from minicolumn.train.trainer import Trainer

T = TypeVar("T")
Maker = Callable[[Sequence[Callback]], Trainer]
Ending = Run | DivergenceError | None
SECONDS_BETWEEN = 0.1  # two looks at how far they are


@dataclass
class Progress:
    """How far trainings beside each other are, written by their threads and read by who watches.

    epochs      that each has behind; of: that each was to take, 0 before it began
    rows        the last row of each one's history
    ended       whether each is done
    """

    epochs: list[int]
    of: list[int]
    rows: list[Row]
    ended: list[bool]

    @classmethod
    def of_none(cls, count: int) -> Progress:
        """Return that of trainings which have not begun."""
        return cls([0] * count, [0] * count, [{} for _ in range(count)], [False] * count)

    @property
    def share(self) -> float:
        """Return how much of all is done, from 0 to 1; one that has not begun counts as nothing."""
        parts = (
            1.0 if ended else done / most if most else 0.0
            for done, most, ended in zip(self.epochs, self.of, self.ended, strict=True)
        )
        return sum(parts) / max(len(self.ended), 1)


@dataclass(frozen=True)
class Reporter(Callback):
    """Note how far one of several trainings is, and end it where all are told to stop.

    progress    of all of them; place: of this one
    stopping    set where all are told to stop
    """

    progress: Progress
    place: int
    stopping: threading.Event = field(repr=False)

    only_watches = True

    def told_to_stop(self) -> bool:
        """Return whether all are told to stop: for a training that has no trainer to stop."""
        return self.stopping.is_set()

    def on_start(self, trainer: Trainer) -> None:
        self.progress.of[self.place] = trainer.epochs

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        self._heed(trainer)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        self.progress.epochs[self.place], self.progress.of[self.place] = trainer.epoch, trainer.epochs
        self.progress.rows[self.place] = row
        self._heed(trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: an interrupt may come a call of several epochs late."""
        return math.inf

    def _heed(self, trainer: Trainer) -> None:
        if self.stopping.is_set():
            trainer.stop("interrupted")


def run_side_by_side(
    makers: Sequence[Maker],
    threads: int,
    *,
    watch: Callable[[Progress], None] = lambda progress: None,
    may_begin: Callable[[], bool] = lambda: True,
) -> list[Ending]:
    """Run several trainings at once, and return how each ended, in order.

    makers      each makes one trainer, given the callbacks that it needs beside its own; it is called in the
                thread that runs it, and should ask for one thread
    threads     how many run at once
    watch       called about ten times a second in this thread with how far they are, and once at the end
    may_begin   asked before each training but the first; where it says no, that one and those after it do not
                begin
    Returns     a `Run`; the DivergenceError of one that left the finite numbers; None for one that did not
                begin, or had no epoch behind when an interrupt came
    Errors      what else a training raises; the others are ended before

    After Ctrl-C those that run end where they are, as "interrupted" runs, and no other begins.

    >>> import numpy as np, minicolumn as mc
    >>> X, y = np.linspace(-1.0, 1.0, 40)[:, None], np.linspace(-2.0, 2.0, 40)
    >>> line = dict(loss="squared_error", epochs=3, threads=1)
    >>> def maker(seed):
    ...     return lambda hung: mc.Trainer(mc.nn.Dense(1), X, y, seed=seed, callbacks=hung, **line)
    >>> run_side_by_side([maker(0), maker(1)], threads=2)
    [Run(3 epochs, all epochs, weights of epoch 3), Run(3 epochs, all epochs, weights of epoch 3)]
    """

    def job(maker: Maker) -> Callable[[Reporter], Ending]:
        def run(reporter: Reporter) -> Ending:
            try:
                return _kept(maker([reporter]).run())
            except DivergenceError as error:
                return error

        return run

    return do_side_by_side([job(maker) for maker in makers], threads, watch=watch, may_begin=may_begin)


def do_side_by_side(
    jobs: Sequence[Callable[[Reporter], T]],
    threads: int,
    *,
    watch: Callable[[Progress], None] = lambda progress: None,
    may_begin: Callable[[], bool] = lambda: True,
) -> list[T | None]:
    """Do several jobs at once, each of which trains, and return what each gives, in order.

    jobs        each is given what it hangs into its training, so that this is seen and can be ended
    Returns     None for one that did not begin
    Errors      the first that a job raises, once the others have ended

    Threads, `watch`, `may_begin` and interrupts are as for `run_side_by_side`.
    """
    progress, stopping = Progress.of_none(len(jobs)), threading.Event()
    results: list[T | None] = [None] * len(jobs)
    futures: list[Future[None]] = []

    def one(place: int) -> None:
        try:
            if not stopping.is_set() and (not place or may_begin()):
                results[place] = jobs[place](Reporter(progress, place, stopping))
        finally:
            progress.ended[place] = True

    with ThreadPoolExecutor(max(1, min(threads, len(jobs))), "training") as pool:
        try:  # from the first submission on: who leaves the pool waits for all that it does
            for place in range(len(jobs)):
                futures.append(pool.submit(one, place))
            _await(futures, progress, watch)
        except BaseException as stop:
            stopping.set()
            with deferred(again=False):  # who was interrupted once may be so again while they end
                wait(futures)
            if not isinstance(stop, KeyboardInterrupt):
                raise
    with deferred(again=False):  # all have ended: there is nothing left to interrupt
        watch(progress)
    for future in futures:
        future.result()
    return results


def _await(futures: Sequence[Future[None]], progress: Progress, watch: Callable[[Progress], None]) -> None:
    """Wait for all to end, or for the first to fail; watch meanwhile."""
    left = set(futures)
    while left:
        done, left = wait(left, SECONDS_BETWEEN, FIRST_COMPLETED)
        for future in done:
            future.result()
        watch(progress)


def _kept(run: Run) -> Run | None:
    """Return a run, or None where an interrupt left nothing that was learnt."""
    return None if run.stopped == "interrupted" and not run.history.epochs else run
