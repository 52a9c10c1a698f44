"""Pacing of a run: whether it goes on, how fast, and where it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minicolumn.playground.allowance import AT_ONCE, Allowance

LIGHT = AT_ONCE // 20  # what a slice may cost whose length is not known yet


@dataclass
class Pacing:
    """A run of a training: on and on, or to an epoch or a loss, as fast as it goes or at a speed.

    going       whether it goes on; stopped: why it ended, None where somebody paused it
    epoch, step, loss   at which it ends; None for no such end
    hurried     whether it is a long step: it goes as fast as it can, and nobody has to be told why it ends
    speed       steps a second; None is as fast as it goes
    allowance   what the speed allows and was not taken yet

    >>> pacing = Pacing(speed=50.0)
    >>> [pacing.goal(1 / 30, 1e-6, 250) for _ in range(3)]
    [{'steps': 1}, {'steps': 2}, {'steps': 2}]
    """

    going: bool = False
    stopped: str | None = None
    epoch: int | None = None
    step: int | None = None
    loss: float | None = None
    hurried: bool = False
    speed: float | None = None
    allowance: Allowance = field(default_factory=Allowance)

    def start(self, epoch: int | None, loss: float | None) -> None:
        """Go on, to an epoch or a loss where one is given."""
        self.going, self.stopped, self.hurried = True, None, False
        self.epoch, self.step, self.loss = epoch, None, loss
        self.allowance = Allowance()

    def hurry(self, step: int) -> None:
        """Go to a step, as fast as it goes."""
        self.start(None, None)
        self.step, self.hurried = step, True

    def stop(self, why: str | None = None) -> None:
        """End here."""
        self.going, self.stopped = False, why

    def goal(self, seconds: float, seconds_a_step: float, work: int) -> dict[str, Any] | None:
        """Return how far to train within so long, as `Trainer.advance` takes it; None for not a step.

        seconds_a_step  what a step is expected to take: of a speed that cannot be kept, what fits
        work            of a step, see `work_of_step`: the expectation is a guess at first, so that of light
                        steps many are taken in any case
        """
        if self.speed is None or self.hurried:
            return {"seconds": seconds}
        steps = self.allowance.due(self.speed, seconds)
        sure = max(1, LIGHT // work)
        if steps > sure:
            steps = max(sure, min(steps, int(seconds / seconds_a_step)))
        return {"steps": steps} if steps else None

    def left(self, step: int, steps_to: Callable[[int], int]) -> int | None:
        """Return how many steps are left to the end; None for no end.

        step        at which it stands
        steps_to    how many steps are left to the end of an epoch
        """
        if not self.going or (self.step is None and self.epoch is None):
            return None
        return self.step - step if self.step is not None else steps_to(self.epoch or 0)
