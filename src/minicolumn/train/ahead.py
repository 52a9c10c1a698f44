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
class Step:
    """An epoch of one step: its rate, the state after it, its losses."""

    rate: Any
    state: State
    losses: tuple[Any, ...]


class Ahead:
    """The epochs that were trained ahead, in their order."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()

    def take(self, rate: Any) -> Step | None:
        """Return the next epoch if it was trained at this rate; what follows a changed rate is dropped."""
        if self._steps and self._steps[0].rate == rate:
            return self._steps.popleft()
        self._steps.clear()
        return None

    def fill(self, rates: Array, states: Any, losses: list[Array]) -> None:
        """Take note of some epochs: everything with a leading axis of epochs."""
        self._steps.extend(_steps(rates, states, losses))


def _steps(rates: Array, states: Any, losses: list[Array]) -> Iterator[Step]:
    leaves, structure = flatten(states)
    build = builder(structure)
    for k, rate in enumerate(rates):
        yield Step(rate, build([leaf[k] for leaf in leaves]), tuple(part[k] for part in losses))


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
