"""Epochs of one step each, several in one call: what they come to is known before anyone asks for it.

A call costs some hundred microseconds, however little it does; a step of a small network on few rows takes
ten. So the next epochs are trained as if nobody stopped and no rate changed meanwhile. Each keeps the state
after it, and those that nobody asks for are dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.train.epoch import State
from minicolumn.tree import builder, flatten

Array = np.ndarray

# Epochs at most, and bytes of all their states together; bytes of the weights of a small network.
MOST, MOST_BYTES = 32, 1 << 23
SMALL = 1 << 19


@dataclass(frozen=True, eq=False)
class Epoch:
    """What an epoch came to.

    state       after it
    losses      means over its rows, "loss" and perhaps "penalty"
    rate        of its last step
    seconds     it took; of epochs that were trained together, an equal share
    """

    state: State
    losses: dict[str, float]
    rate: Any
    seconds: float


class Ahead:
    """The epochs that were trained ahead, in their order."""

    def __init__(self) -> None:
        self._epochs: deque[Epoch] = deque()

    def take(self, rate: Any) -> Epoch | None:
        """Return the next epoch if it was trained at this rate; what follows a changed rate is dropped."""
        if self._epochs and self._epochs[0].rate == rate:
            return self._epochs.popleft()
        self._epochs.clear()
        return None

    def fill(self, rates: Array, states: Any, losses: list[Array], seconds: float) -> Epoch:
        """Keep some epochs, everything with a leading axis of epochs, but return the first of them."""
        self._epochs.extend(_epochs(rates, states, losses, seconds / len(rates)))
        return self._epochs.popleft()


def _epochs(rates: Array, states: Any, losses: list[Array], seconds: float) -> Iterator[Epoch]:
    leaves, structure = flatten(states)
    build = builder(structure)
    for k, rate in enumerate(rates):
        state = build([leaf[k] for leaf in leaves])
        yield Epoch(state, named([float(part[k]) for part in losses]), rate, seconds)


def named(losses: list[float]) -> dict[str, float]:
    """Return the loss, and the regularizer's share where there is one, by their names."""
    return dict(zip(("loss", "penalty"), losses, strict=False))


def fits_ahead(steps: int, params: Any) -> bool:
    """Return whether epochs are trained ahead: where each is one step, and the network is small."""
    return steps == 1 and _bytes(params) <= SMALL


def how_far(done: int, left: int, pace: int, state: Any) -> int:
    """Return how many epochs to train: no more than there were already, so that a stop drops few.

    done    epochs of this training; left: epochs that may follow
    pace    steps that fit between two looks at the clock
    """
    room = MOST_BYTES // max(_bytes(state), 1)
    return max(1, min(done, left, pace, MOST, room))


def _bytes(tree: Any) -> int:
    return sum(np.asarray(leaf).nbytes for leaf in flatten(tree)[0])
