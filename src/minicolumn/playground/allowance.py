"""What is done before a message is answered, and what a speed allows for the time that goes by."""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.train import Trainer
from minicolumn.tree import leaves

# Weights times rows that a message may cost before it is answered: some tenths of a second. What takes longer
# is a run, between whose slices other messages are heard. A count and no clock, so that the same messages
# give the same frames on any machine.
AT_ONCE = 10**8


def work_of_step(trainer: Trainer) -> int:
    """Return what a step of a training costs: its weights times the rows of a batch."""
    rows = min(trainer.settings.batch_size, len(trainer.train_rows))
    return rows * sum(leaf.size for leaf in leaves(trainer.params))


@dataclass
class Allowance:
    """Steps that a speed has allowed and that were not taken yet.

    >>> allowance = Allowance()
    >>> [allowance.due(50.0, 1 / 30) for _ in range(3)]
    [1, 2, 2]
    """

    owed: float = 0.0

    def due(self, speed: float, seconds: float) -> int:
        """Return how many whole steps are due after so many seconds more at a speed, in steps a second."""
        self.owed += speed * seconds
        steps = int(self.owed)
        self.owed -= steps
        return steps
