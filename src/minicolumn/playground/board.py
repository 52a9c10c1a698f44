"""What is shown of trainings that run elsewhere: snapshots that never change, and the board they are put on.

A training puts a snapshot, a page takes what is there: neither waits for the other.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray
MOST_RUNS = 20  # the oldest go first


@dataclass(frozen=True, eq=False, kw_only=True)
class WatchedRun:
    """A training as it stood at one moment.

    number          of the trainings of this process, from 1
    about           what does not change: name, layers, rows, epochs to go, ...
    epoch, step     whole epochs, and steps over all of them; done: steps of the running epoch
    seconds         since it began
    stopped         why it ended; None while it goes on
    best_epoch      whose weights are handed back, 0 for none yet
    rows            of the history, as many as are kept, the newest last
    within          (epochs behind as a fraction, loss of the last batch), within long epochs
    weight_norms    (epochs, one norm for each layer with weights); gradient_norms likewise
    confusion       int [classes, classes]: true classes in rows; None where there are no classes
    """

    number: int
    about: Mapping[str, Any]
    epoch: int = 0
    step: int = 0
    done: int = 0
    seconds: float = 0.0
    stopped: str | None = None
    best_epoch: int = 0
    rows: tuple[Mapping[str, Any], ...] = ()
    within: tuple[tuple[float, float], ...] = ()
    weight_norms: tuple[tuple[float, ...], ...] = ()
    gradient_norms: tuple[tuple[float, ...], ...] = ()
    confusion: Array | None = None


@dataclass
class Board:
    """The trainings of a process, oldest first, replaced as a whole: who reads needs no lock.

    >>> board = Board()
    >>> board.put(WatchedRun(number=1, about={}))
    >>> board.put(WatchedRun(number=1, about={}, epoch=3))
    >>> [(run.number, run.epoch) for run in board.runs]
    [(1, 3)]
    """

    runs: tuple[WatchedRun, ...] = ()
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def put(self, run: WatchedRun) -> None:
        """Put a snapshot in the place of the last one of its training."""
        with self._writing:
            kept = {other.number: other for other in self.runs} | {run.number: run}
            self.runs = tuple(kept[number] for number in sorted(kept)[-MOST_RUNS:])
