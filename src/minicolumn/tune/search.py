"""The search loop: candidates side by side, one thread each, in one process, until a budget ends it.

    strategy.ask -> who is free of the crew trains it, fold after fold -> strategy.tell, storage, who watches

The crew is threads of this process, or an executor's workers. All threads train on the same arrays. No
candidate waits for another; Python is needed between native calls alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace

from minicolumn.train.interrupts import deferred
from minicolumn.tune.build import Workshop
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.crew import Crew, Ending, Threads
from minicolumn.tune.evaluate import Prune, Standing, Watcher
from minicolumn.tune.strategies import Strategy
from minicolumn.tune.trial import Trial, ranked, smallest_within

SECONDS_BETWEEN = 0.1  # two looks at how far it is


@dataclass(frozen=True)
class Budget:
    """What ends a search: seconds, trials in all, a score to reach; None for no such end."""

    seconds: float | None = None
    trials: int | None = None
    target: float | None = None


@dataclass
class Progress:
    """How far a search is, for who watches: only looked at, and only in the thread of the search.

    trials      that ended, in order; standings: of those that run
    story       the strategy's sentences so far
    seconds     since it began
    """

    budget: Budget
    trials: list[Trial] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    seconds: float = 0.0


Watch = Callable[[Progress], None]
Keep = Callable[[Trial], None]


class Search:
    """A search that runs once; see `run`.

    threads     that train in this process
    keep        writes a trial down as soon as it ended
    crew        who trains in their place
    """

    def __init__(
        self,
        workshop: Workshop,
        strategy: Strategy,
        budget: Budget,
        threads: int,
        keep: Keep = lambda trial: None,
        watch: Watch = lambda progress: None,
        crew: Crew | None = None,
    ) -> None:
        self.workshop, self.strategy, self.budget, self.threads = workshop, strategy, budget, threads
        self.progress = Progress(budget, story=strategy.story)
        self._keep, self._watch = keep, watch
        self._crew = Threads(workshop, threads) if crew is None else crew
        self._running: dict[Ending, Standing] = {}
        self._stopping = threading.Event()
        self._began, self._reserve = time.monotonic(), 0.0

    def run(self, earlier: tuple[Trial, ...] = ()) -> str:
        """Search until all is tried or a budget is used up, and return why it ended.

        earlier     trials that a storage holds: the strategy is told of them, and they count
        Returns     "all tried", "out of time", "trials", "target score" or "interrupted". The trials are in
                    `progress`; those that were running are as if they had not begun
        Errors      what a trial raises that is no fault of its candidate; the others are ended before

        After Ctrl-C what has ended is kept, and what runs ends within a tenth of a second or so.
        """
        for trial in earlier:
            self.strategy.tell(trial)
            self.progress.trials.append(trial)
        stopped = ""
        with self._crew:
            try:
                while not stopped:
                    stopped = self._turn()
            except BaseException as error:
                self._end()
                if not isinstance(error, KeyboardInterrupt):
                    raise
                return "interrupted"
            self._end()
        return stopped

    def _turn(self) -> str:
        """Give who is free candidates, wait a moment, take what ended; return why the search is over."""
        stopped = self._fill()
        if self._running:
            wait(self._running, SECONDS_BETWEEN, FIRST_COMPLETED)
        elif not stopped:  # nobody is there yet
            time.sleep(SECONDS_BETWEEN)
        self._collect()
        self._look()
        return stopped or self._over()

    def _fill(self) -> str:
        """Give all who are free a candidate; return why the search is over where none is left."""
        while len(self._running) < self._crew.size:
            if self._is_full():
                return "" if self._running else "trials"
            candidate = self.strategy.ask()
            if candidate is None:
                return "" if self._running else "all tried"
            standing = Standing(candidate)
            watcher = Watcher(self._must_stop, self.strategy.rungs, self._prune_of(candidate))
            ending = self._crew.submit(candidate, watcher, standing, self._seconds_left())
            self._running[ending] = standing
        return ""

    def _prune_of(self, candidate: Candidate) -> Prune:
        return lambda resource, value: self.strategy.prunes(candidate, resource, value)

    def _collect(self) -> None:
        """Take the trials that ended: number, keep and tell them."""
        for future in [future for future in self._running if future.done()]:
            candidate = self._running.pop(future).candidate
            trial = future.result()
            if trial is None:
                self.strategy.forget(candidate)
                continue
            self._take(trial)

    def _take(self, trial: Trial) -> None:
        number, step = len(self.progress.trials), self.strategy.step_of(trial.candidate)
        trial = replace(trial, number=number, step=step)
        with deferred():  # a trial that counts is written down, and the other way round
            self._keep(trial)
            self.progress.trials.append(trial)
            self.strategy.tell(trial)
        self._reserve = self._for_the_winner()

    def _end(self) -> None:
        """End what runs, and keep what had ended by itself meanwhile."""
        self._stopping.set()
        self._crew.stop()
        with deferred(again=False):  # who was interrupted once may be so again while they end
            wait(self._running)
            self._collect()
            self.strategy.finish()
            self._look()

    def _look(self) -> None:
        self.progress.standings = list(self._running.values())
        self.progress.seconds = time.monotonic() - self._began
        self._watch(self.progress)

    # Budgets ------------------------------------------------------------------------------------------------

    def _must_stop(self) -> bool:
        """Return whether trials have to end where they are; asked by their threads."""
        return self._stopping.is_set() or self._is_late()

    def _is_late(self) -> bool:
        """Return whether the time is used up. The first trial that finishes may take as long as it takes."""
        return self._seconds_left() <= 0.0

    def _seconds_left(self) -> float:
        """Return how many seconds are left; infinity where there is no such end, or nothing finished yet."""
        budget = self.budget.seconds
        if budget is None or not any(trial.is_finished for trial in self.progress.trials):
            return math.inf
        return budget - self._reserve - (time.monotonic() - self._began)

    def _over(self) -> str:
        """Return why the search is over; "" while it is not."""
        if self._is_late():
            return "out of time"
        if self.budget.target is not None and self._has_reached(self.budget.target):
            return "target score"
        return "trials" if self._is_full() and not self._running else ""

    def _is_full(self) -> bool:
        """Return whether as many trials ended, or run, as there may be."""
        most = self.budget.trials
        return most is not None and len(self.progress.trials) + len(self._running) >= most

    def _has_reached(self, target: float) -> bool:
        score = self.workshop.score
        return any(
            t.is_finished and score.sign * t.score >= score.sign * target for t in self.progress.trials
        )

    def _for_the_winner(self) -> float:
        """Return about how long it takes to train the winner again, on all folds and on all rows.

        Of the candidates that may win it is the slower one: the best so far, and the smallest near it.
        """
        order = ranked(self.progress.trials, self.workshop.score)
        small = smallest_within(self.progress.trials, self.workshop.score)
        if small is None or self.budget.seconds is None:
            return 0.0
        return max(map(self._refitting, (order[0], small)))

    def _refitting(self, trial: Trial) -> float:
        """Return about how long it takes to train a trial again, to the epoch of its score.

        A fold less rows are trained on in each fold than in all: folds / (folds - 1) times as long. What it
        has grown from is trained before it, from the first size on: on all rows one after the other, in the
        folds where its weights are not at hand any more.
        """
        folds = self.workshop.folds
        at_once, longer = math.sqrt(min(self.threads, folds + 1)), 1.0 / max(folds - 1, 1)
        share = trial.epoch / max(map(len, trial.curves), default=trial.epoch)
        before = self._lineage_seconds(trial.candidate)
        again = 0.0 if self._has_weights(trial.candidate.parent) else before / at_once
        return share * trial.seconds * (1.0 + longer) / at_once + longer * before + again

    def _lineage_seconds(self, candidate: Candidate) -> float:
        """Return how long the trials took of all that a candidate has grown from."""
        known, total = {trial.candidate: trial.seconds for trial in self.progress.trials}, 0.0
        while (parent := candidate.parent) is not None:
            total, candidate = total + known.get(parent, 0.0), parent
        return total

    def _has_weights(self, parent: Candidate | None) -> bool:
        """Return whether the weights that a candidate grows from are at hand for each fold."""
        nursery = self.workshop.nursery
        if parent is None:
            return True
        return nursery is not None and all(
            nursery.find(parent, k) is not None for k in range(self.workshop.folds)
        )
