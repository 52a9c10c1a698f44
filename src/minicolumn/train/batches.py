"""Mini-batches: shuffled orders of the rows, the number of steps in an epoch, and of steps in a native call.

    order of epoch e = permutation(fold_in(stream(seed, "shuffle"), e))         drawn without replacement

The order depends on the seed and the epoch's number alone, so a resumed training draws what one that was
never cut would have drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicolumn import random

Array = np.ndarray


def epoch_order(seed: int, epoch: int, rows: int, shuffle: bool = True) -> Array:
    """Return the shuffled order of the rows in one epoch, a permutation int32 [rows].

    epoch       counted from 1; each has its own order, whatever came before
    shuffle     False gives 0, 1, ..., rows - 1 in every epoch

    >>> sorted(epoch_order(seed=0, epoch=1, rows=4).tolist()), epoch_order(0, 1, 4, shuffle=False).tolist()
    ([0, 1, 2, 3], [0, 1, 2, 3])
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int32)
    return random.permutation(random.fold_in(random.stream(seed, "shuffle"), epoch), rows)


class Orders:
    """The orders of a training's epochs, drawn for several epochs at a time where these are short.

    >>> orders = Orders(seed=0, rows=5)
    >>> bool((orders.of(3) == epoch_order(0, 3, 5)).all())
    True
    """

    def __init__(self, seed: int, rows: int, shuffle: bool = True) -> None:
        self._rows, self._shuffle = rows, shuffle
        self._key = random.stream(seed, "shuffle") if shuffle else None
        self._first, self._drawn = 0, np.empty((0, rows), np.int32)

    def of(self, epoch: int) -> Array:
        """Return the order of an epoch, as `epoch_order` does."""
        if self._key is None:
            return np.arange(self._rows, dtype=np.int32)
        if not self._first <= epoch < self._first + len(self._drawn):
            count = max(1, min(_MOST_EPOCHS, _NUMBERS // self._rows))
            self._first, self._drawn = epoch, random.permutations(self._key, epoch, count, self._rows)
        return self._drawn[epoch - self._first]

    def of_several(self, epoch: int, count: int) -> Array:
        """Return the orders of some epochs, int32 [epochs, rows]."""
        if self._key is None:
            return np.tile(np.arange(self._rows, dtype=np.int32), (count, 1))
        return random.permutations(self._key, epoch, count, self._rows)


# Epochs whose orders are drawn at once, and how many numbers these hold at most.
_MOST_EPOCHS, _NUMBERS = 64, 1 << 14


@dataclass
class Pace:
    """Adaptive chunk size: how many steps to take before the next look at clock, keyboard and loss.

        steps = seconds * (steps of the last chunk / its duration),   at least 1 and at most 8 times as many

    seconds     that a chunk should last: short enough for Ctrl-C and callbacks, long enough that the call
                costs nothing beside it
    steps       of the next chunk; small at first, since nothing is known and the first one compiles
    is_known    whether there was a chunk

    >>> pace = Pace(seconds=0.1)
    >>> pace.took(4, seconds=0.002)
    >>> pace.steps
    32
    """

    seconds: float = 0.06
    steps: int = 4
    is_known: bool = False

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a chunk; the next one is at most eight times as long as this one."""
        self.is_known = True
        fitting = int(self.seconds * steps / max(seconds, 1e-9))
        self.steps = max(1, min(fitting, 8 * max(steps, self.steps)))


def steps_in(rows: int, batch: int) -> int:
    """Return how many steps an epoch has, ceil(rows / batch): the shorter last batch is trained on, too.

    >>> steps_in(100, 32)
    4
    """
    return -(-rows // batch)
