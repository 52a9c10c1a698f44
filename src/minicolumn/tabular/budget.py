"""Time budgets: how many networks, and how many epochs of each, fit into so many seconds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

from minicolumn.errors import DataError
from minicolumn.tabular.plan import TablePlan
from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.side_by_side import Maker
from minicolumn.train.trainer import Trainer

# Of the budget: what a trial may take, and what is left at least and at most for measuring and joining.
_TRIAL, _REST, _MOST_REST = 0.1, 0.05, 0.3
_STRETCHES = 4


@dataclass(frozen=True)
class Deadline(Callback):
    """Stop a training at a moment, with the best weights so far.

    seconds     on the clock of `time.monotonic`
    """

    seconds: float = field(default=math.inf)

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Stop within the epoch if the time is over."""
        self._heed(trainer)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Stop after the epoch if the time is over."""
        self._heed(trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: a native call lasts a tenth of a second at most."""
        return math.inf

    def is_over(self) -> bool:
        """Return whether the moment has come."""
        return time.monotonic() >= self.seconds

    def _heed(self, trainer: Trainer) -> None:
        if self.is_over():
            trainer.stop("out of time")


def fitted_to(plan: TablePlan, maker: Maker, began: float, threads: int) -> tuple[TablePlan, Deadline]:
    """Return the plan with as many members and epochs as fit into its budget, and when trainings end at last.

    A trainer takes a few steps, from which the time of an epoch follows. Members are left out first; where
    not even one a thread is left, all of them learn for fewer epochs. What follows the trainings compiles
    about as much as was compiled for them, and that much of the budget is left for it.

    maker       makes a trainer of the plan; began: when its time began, by `time.monotonic`
    threads     how many members train at once
    Errors      DataError where one epoch takes longer than there is
    """
    budget = plan.settings.time
    if budget is None:
        return plan, Deadline()
    seconds = _epoch(maker, budget)
    spent = time.monotonic() - began
    rest = min(max(_REST * budget, spent - _TRIAL * budget), _MOST_REST * budget)
    left = budget - rest - spent
    epochs, members = plan.recipe.epochs, max(len(plan.members), 1)
    rounds = math.floor(left / (seconds * epochs))
    if rounds < 1:
        epochs, rounds = math.floor(left / seconds), 1
    if epochs < 1:
        raise DataError(
            f"time: {budget:g} s are too few: compiling took {spent:.2g} s here, and one epoch takes "
            f"{seconds:.2g} s"
        )
    kept = [
        replace(member, recipe=replace(member.recipe, epochs=epochs))
        for member in plan.members[: min(members, rounds * threads)]
    ]
    plan = replace(plan, recipe=replace(plan.recipe, epochs=epochs), members=tuple(kept))
    return plan, Deadline(began + budget - rest)


def _epoch(maker: Maker, budget: float) -> float:
    """Return about how many seconds one epoch takes, compiled: by a tenth of the budget at most.

    The fastest of a few stretches counts: the first ones compile.
    """
    trainer, rates = maker([]), []
    for _ in range(_STRETCHES):
        began, first = time.perf_counter(), trainer.step
        trainer.advance(seconds=_TRIAL * budget / _STRETCHES)
        rates.append((trainer.step - first) / (time.perf_counter() - began))
    return trainer.steps / max(max(rates), 1e-9)
