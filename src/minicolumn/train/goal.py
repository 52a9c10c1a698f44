"""Stopping criteria of one call of `Trainer.advance`: so many epochs, so many steps, or so long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError

if TYPE_CHECKING:
    from minicolumn.train.loop import Loop


@dataclass(frozen=True)
class Goal:
    """Where a training is to be stopped, at the first of these limits.

    epoch       whole epochs in all; None for the `epochs` of the training, as they are at each moment,
                and the end of an epoch that is begun
    step        steps in all
    deadline    seconds of `clock`, which has any start
    """

    epoch: float | None = math.inf
    step: float = math.inf
    deadline: float = math.inf
    clock: Callable[[], float] = time.perf_counter

    def steps(self, trainer: Loop) -> int:
        """Return how many more steps may be taken now; 0 when a limit is reached.

        Towards a deadline as many as fit by the duration of past steps, at least one; so it may end late.
        """
        last = max(trainer.epochs, trainer.epoch + bool(trainer.done)) if self.epoch is None else self.epoch
        if trainer.epoch >= last or trainer.step >= self.step:
            return 0
        left = min(self.step - trainer.step, (last - trainer.epoch) * trainer.steps)
        if self.deadline < math.inf:
            seconds = self.deadline - self.clock()
            if seconds <= 0.0:
                return 0
            left = min(left, max(1.0, seconds / trainer.seconds_a_step))
        return int(min(max(left, 1), 2**31))


_TOO_MANY = 1e18  # steps, epochs or seconds that nobody will wait for


def goal_of(
    trainer: Loop, epochs: int | None = None, steps: int | None = None, seconds: float | None = None
) -> Goal:
    """Return the goal of a call of `advance`; with nothing said one epoch.

    epochs, steps       > 0, integers, counted from where the training stands; a begun epoch counts as one
    seconds             > 0, from now
    Errors              DataError for more than one of them, and for what is no number above 0
    """
    given = {"epochs": epochs, "steps": steps, "seconds": seconds}
    said = {name: value for name, value in given.items() if value is not None}
    if len(said) > 1:
        raise DataError(f"advance: give one of epochs, steps and seconds, got {' and '.join(said)}")
    name, value = next(iter(said.items()), ("epochs", 1))
    number = np.ndim(value) == 0 and (hasattr(value, "__index__") or hasattr(value, "__float__"))
    if not number or isinstance(value, bool) or not 0 < value < _TOO_MANY:
        raise DataError(f"advance: {name} must be a number above 0, got {value!r}")
    if name == "seconds":
        return Goal(deadline=time.perf_counter() + float(value))
    if int(value) != value:
        raise DataError(f"advance: {name} must be an integer, got {value!r}")
    if name == "epochs":
        return Goal(epoch=trainer.epoch + int(value))
    return Goal(step=trainer.step + int(value))
