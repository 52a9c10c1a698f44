"""Fair timing: all sides take turns, and a control that is nobody's tells when the machine has moved."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from minicolumn.bench.sides import Side

MOVED = 1.10  # a control this much slower than its fastest: the machine was busy with something else
# Seconds before each turn, until another side's threads have stopped spinning: OpenBLAS' do for 2^26 cycles.
PAUSE = 0.05
_SORTED = 1 << 18


@dataclass(frozen=True)
class Times:
    """Seconds of one unit of work in each round that counts."""

    side: Side
    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """Return the fastest round's."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """Return the median round's."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Comparison:
    """The times of all sides, and how steady the machine was.

    repeated    rounds that were thrown away and repeated, since the control had moved
    steady      whether all rounds that count have a control within 10 % of the fastest
    control     seconds of the control in each round that counts
    """

    times: tuple[Times, ...]
    control: tuple[float, ...]
    repeated: int
    steady: bool


class Control:
    """A fixed piece of work on every core at once: sorting with NumPy, which is neither ours nor a peer's."""

    def __init__(self, threads: int) -> None:
        rng = np.random.default_rng(0)
        self._values = [rng.random(_SORTED, np.float32) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self) -> float:
        """Return the seconds it took, the faster of two."""
        return min(_seconds(self._sort) for _ in range(2))

    def _sort(self) -> None:
        list(self._pool.map(np.sort, self._values))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def alternate(
    sides: Sequence[Side],
    control: Control,
    seconds: float,
    least: int = 3,
    most: int = 1000,
    watch: Callable[[str], None] = lambda name: None,
    pause: float = PAUSE,
) -> Comparison:
    """Let all sides take turns, A B C A B C ..., for about some seconds.

    least, most   rounds that count
    watch         is told whose turn it is
    pause         seconds of rest before each turn

    Every side has its first turns, which are not timed. A round whose control is more than 10 % above the
    fastest one is repeated; on a machine that never settles, the rounds with the fastest controls are kept.
    """
    for side in sides:
        watch(f"{side.name}, first call")
        for _ in range(side.warm):
            side.call()
    rounds = _Rounds()
    limit = time.perf_counter() + seconds
    while not _enough(rounds, time.perf_counter() < limit, least, most):
        rounds.all.append(_round(sides, control, watch, pause))
    return rounds.result(sides, least)


def _enough(rounds: _Rounds, time_left: bool, least: int, most: int) -> bool:
    good = len(rounds.good())
    if time_left:
        return good >= most
    return good >= least or len(rounds.all) >= 2 * least


def _round(
    sides: Sequence[Side], control: Control, watch: Callable[[str], None], pause: float
) -> tuple[float, tuple[float, ...]]:
    before, found = control(), []
    for side in sides:
        watch(side.name)
        time.sleep(pause)
        side.call()  # a training goes on and on: its threads are awake, its data are near
        found.append(_seconds(side.call) / side.units)
    return max(before, control()), tuple(found)


class _Rounds:
    """Rounds so far: the control's seconds and those of each side."""

    def __init__(self) -> None:
        self.all: list[tuple[float, tuple[float, ...]]] = []

    def good(self) -> list[tuple[float, tuple[float, ...]]]:
        """Return the rounds in which the machine was undisturbed."""
        fastest = min((control for control, _ in self.all), default=0.0)
        return [r for r in self.all if r[0] <= MOVED * fastest]

    def result(self, sides: Sequence[Side], least: int) -> Comparison:
        """Return the rounds that count; where too few do, those with the fastest controls."""
        good = self.good()
        kept = good if len(good) >= least else sorted(self.all)[:least]
        columns = zip(*(found for _, found in kept), strict=True)
        times = tuple(Times(side, column) for side, column in zip(sides, columns, strict=True))
        controls = tuple(control for control, _ in kept)
        return Comparison(times, controls, len(self.all) - len(kept), len(good) >= least)
