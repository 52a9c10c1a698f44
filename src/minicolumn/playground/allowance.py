"""What a speed allows: whole steps for the time that goes by, fractions kept for later."""

from __future__ import annotations

from dataclasses import dataclass


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
