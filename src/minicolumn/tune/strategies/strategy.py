"""The protocol of search strategies: ask for a candidate, tell what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minicolumn.tune.candidate import Candidate
from minicolumn.tune.score import Score
from minicolumn.tune.space import Space
from minicolumn.tune.trial import Trial


@dataclass(frozen=True)
class Ground:
    """What a strategy knows of the search.

    space       complete; folds; epochs: of the longest training
    start       values of parts from which to begin, by name: those of the table's own recipe
    threads     how many candidates are trained at once
    """

    space: Space
    score: Score
    folds: int
    epochs: int
    seed: int
    start: dict[str, object]
    threads: int = 1

    @property
    def resource(self) -> int:
        """The epochs of a whole trial, over all folds."""
        return self.folds * self.epochs


class Strategy:
    """A search strategy. Subclasses say what is asked next.

        while (candidate := strategy.ask()) is not None:  train it, prune it where told, and tell

    It is told of every trial, also of those that a storage held before the search began. What it asks for
    depends on the ground and on what it was told alone, so on one thread the same seed asks the same.

    story       sentences on what was found and why it goes on as it does; the search prints them as they come
    rungs       resources at which a trial may be pruned; see `evaluate`
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.story: list[str] = []
        self.rungs: Sequence[int] = ()

    def ask(self) -> Candidate | None:
        """Return the next candidate; None where there is none before more is told, or none at all."""
        raise NotImplementedError

    def tell(self, trial: Trial) -> None:
        """Take note of a trial that ended."""
        raise NotImplementedError

    def forget(self, candidate: Candidate) -> None:
        """Take note that a candidate that was asked for will not be told of: the search ended before."""

    def finish(self) -> None:
        """Take note that the search is over: tell what there is left to tell."""

    def prunes(self, candidate: Candidate, resource: int, value: float) -> bool:
        """Return whether a trial has no prospect, by its value at a rung; called from the trial's thread."""
        return False

    def step_of(self, candidate: Candidate) -> str:
        """Return to what step a candidate belongs, in a few words; "" where there are no steps."""
        return ""


class Remembering(Strategy):
    """Base of strategies that ask for no candidate twice and decide by the trials that ended.

    _known      every trial that ended, by its candidate
    _out        candidates that were asked for and not yet told of
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._known: dict[Candidate, Trial] = {}
        self._out: set[Candidate] = set()

    def _is_new(self, candidate: Candidate) -> bool:
        """Return whether a candidate was neither tried nor asked for."""
        return candidate not in self._known and candidate not in self._out

    def tell(self, trial: Trial) -> None:
        self._out.discard(trial.candidate)
        self._known[trial.candidate] = trial

    def forget(self, candidate: Candidate) -> None:
        self._out.discard(candidate)
