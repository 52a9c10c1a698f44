"""Grid search: every candidate of a finite space, in order."""

from __future__ import annotations

from minicolumn.tune.candidate import Candidate
from minicolumn.tune.strategies.strategy import Ground, Strategy
from minicolumn.tune.trial import Trial


class GridSearch(Strategy):
    """Try every candidate of a finite space, the last part of it changing first."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._left = ground.space.all()
        next(ground.space.all())  # refuses an interval before anything is trained
        self._known: set[Candidate] = set()

    def ask(self) -> Candidate | None:
        return next((candidate for candidate in self._left if candidate not in self._known), None)

    def tell(self, trial: Trial) -> None:
        self._known.add(trial.candidate)
