"""Epochs that were trained in one native call, ahead of those who will be told of them: one stack of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.train.history import Row
from minicolumn.train.step import Stacked

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Epochs:
    """Some epochs, one after the other, at the learning rates that were to be expected.

    first       number of the first, counted from 1
    states      the state after each, as leaves [epochs, ...] and what builds one from its leaves
    sums        over the rows of each, of what a step tells: the losses and the regularizer's share,
                [epochs, ...] each
    rates       [epochs, steps], by this factor
    seconds     that each took: an equal share
    count       that can be gone on to: epochs that left the finite numbers, and those after them, cannot
    rows        of the history, by place: of all of them, or of those that a limited history keeps
    """

    first: int
    states: Stacked
    sums: Sequence[Array]
    rates: Array
    rate_factor: float
    seconds: float
    count: int
    rows: Mapping[int, Row]

    def state(self, k: int) -> Stacked:
        """Return the state after the k-th of them."""
        return self.states._replace(place=k)

    def sums_of(self, k: int) -> tuple[Any, ...]:
        """Return the sums of the k-th of them, numbers or arrays."""
        return tuple(part[k].item() if part.ndim == 1 else part[k] for part in self.sums)

    def rate(self, k: int) -> float:
        """Return the learning rate of the last step of the k-th of them."""
        return float(self.rates[k, -1])

    def left(self, behind: int) -> int:
        """Return how many of them come after so many epochs of the training."""
        done = behind + 1 - self.first
        return self.count - done if done >= 0 else 0
