"""Epochs that were trained in one native call, ahead of those who will be told of them: one stack of all."""

from __future__ import annotations

from collections.abc import Sequence
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
    sums        of each, over its rows, of what a step tells: the losses and the regularizer's share
    rates       [epochs, steps], by this factor
    seconds     that each took: an equal share
    rows        of the history; epochs whose figures left the finite numbers, and those after them, have none
    """

    first: int
    states: Stacked
    sums: Sequence[tuple[Any, ...]]
    rates: Array
    rate_factor: float
    seconds: float
    rows: Sequence[Row]

    def state(self, k: int) -> Stacked:
        """Return the state after the k-th of them."""
        return self.states._replace(place=k)

    def left(self, behind: int) -> int:
        """Return how many of them come after so many epochs of the training."""
        done = behind + 1 - self.first
        return len(self.rows) - done if done >= 0 else 0
