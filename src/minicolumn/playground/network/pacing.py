"""Pacing of a run: whether it goes on, how fast, and where it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minicolumn.playground.allowance import Allowance

SURE = 64  # steps that are taken in any case: how long they last is a guess at first


@dataclass
class Pacing:
    """A run of a training: on and on, or to an epoch or a loss, as fast as it goes or at a speed.

    going       whether it goes on; stopped: why it ended, None where somebody paused it
    epoch, loss at which it ends; None for no such end
    speed       steps a second; None is as fast as it goes
    allowance   what the speed allows and was not taken yet

    >>> pacing = Pacing(speed=50.0)
    >>> [pacing.goal(1 / 30) for _ in range(3)]
    [{'steps': 1}, {'steps': 2}, {'steps': 2}]
    """

    going: bool = False
    stopped: str | None = None
    epoch: int | None = None
    loss: float | None = None
    speed: float | None = None
    allowance: Allowance = field(default_factory=Allowance)

    def start(self, epoch: int | None, loss: float | None) -> None:
        """Go on, to an epoch or a loss where one is given."""
        self.going, self.stopped, self.epoch, self.loss = True, None, epoch, loss
        self.allowance = Allowance()

    def stop(self, why: str | None = None) -> None:
        """End here."""
        self.going, self.stopped = False, why

    def goal(self, seconds: float, seconds_a_step: float = 0.0) -> dict[str, Any] | None:
        """Return how far to train within so long, as `Trainer.advance` takes it; None for not a step.

        seconds_a_step  what a step is expected to take: of a speed that cannot be kept, what fits
        """
        if self.speed is None:
            return {"seconds": seconds}
        steps = self.allowance.due(self.speed, seconds)
        if steps > SURE:
            steps = max(SURE, min(steps, int(seconds / seconds_a_step))) if seconds_a_step else steps
        return {"steps": steps} if steps else None

    def left(self, epoch: int) -> int | None:
        """Return how many epochs are left from this one on; None for no end."""
        return self.epoch - epoch if self.going and self.epoch is not None else None
