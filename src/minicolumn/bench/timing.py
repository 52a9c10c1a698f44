"""Interleaved timing: all sides alternate, and a control workload detects a disturbed machine.

    round   control, A, B, C, control          a round whose control is 10 % slow is repeated

The minimum is the figure to compare, since disturbances only add time; the median shows how steady it was.

Source      Chen & Revels 2016 (arXiv 1608.04295) for the minimum as the estimator
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from minicolumn.bench.sides import Side

MOVED = 1.10  # a control this much slower than its fastest: the machine was busy with something else
# Seconds before each call, until another side's threads have stopped spinning: OpenBLAS' do for 2^26 cycles.
PAUSE = 0.05
_SORTED = 1 << 18


@dataclass(frozen=True)
class SideTimes:
    """The seconds of one unit of work on one side, in each round that counts.

    >>> times = SideTimes(Side("sorted", lambda: sorted([2, 1])), (3.0, 1.0, 2.0))
    >>> times.best, times.median
    (1.0, 2.0)
    """

    side: Side
    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The fastest round's seconds."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The median round's seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Comparison:
    """The times of all sides, and how steady the machine was.

    repeated    rounds that were thrown away and repeated, since the control had moved
    steady      whether all rounds that count have a control within 10 % of the fastest
    control     seconds of the control in each round that counts
    """

    times: tuple[SideTimes, ...]
    control: tuple[float, ...]
    repeated: int
    steady: bool


class Control:
    """The control workload: sorting with NumPy on every core at once, which is neither ours nor a peer's.

    threads     cores that sort 2^18 float32 numbers each
    """

    def __init__(self, threads: int) -> None:
        rng = np.random.default_rng(0)
        self._values = [rng.random(_SORTED, np.float32) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self) -> float:
        """Return the seconds of the control, the faster of two."""
        return min(_seconds(self._sort) for _ in range(2))

    def _sort(self) -> None:
        """Sort on every thread and wait for all."""
        list(self._pool.map(np.sort, self._values))


def _seconds(call: Callable[[], object]) -> float:
    """Return the wall-clock seconds of a call."""
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
    """Time all sides in alternation, A B C A B C ..., for about some seconds.

    sides         whose calls are timed, each divided by its units
    seconds       of wall time; at least `least` rounds are run
    least, most   rounds that count
    watch         is told which side is called
    pause         seconds of rest before each call
    Returns       a `Comparison`; `steady` says whether enough rounds were undisturbed

    Every side has its warm-up calls, which are not timed. A round whose control is more than 10 % above the
    fastest one is repeated; on a machine that never settles, the rounds with the fastest controls are kept.

    >>> sides = [Side("sorted", lambda: sorted([2, 1])), Side("sum", lambda: sum([2, 1]))]
    >>> found = alternate(sides, Control(threads=1), seconds=0.0)
    >>> [(times.side.name, len(times.seconds)) for times in found.times]
    [('sorted', 3), ('sum', 3)]
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
    """Return whether to stop: after the time, with enough good rounds or twice as many of any kind."""
    good = len(rounds.good())
    if time_left:
        return good >= most
    return good >= least or len(rounds.all) >= 2 * least


def _round(
    sides: Sequence[Side], control: Control, watch: Callable[[str], None], pause: float
) -> tuple[float, tuple[float, ...]]:
    """Return the slower of the controls before and after a round, and each side's seconds a unit."""
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
        """Return the rounds in which the machine was undisturbed: a control within 10 % of the fastest."""
        fastest = min((control for control, _ in self.all), default=0.0)
        return [r for r in self.all if r[0] <= MOVED * fastest]

    def result(self, sides: Sequence[Side], least: int) -> Comparison:
        """Return the comparison of the rounds that count; of too few, those with the fastest controls."""
        good = self.good()
        kept = good if len(good) >= least else sorted(self.all)[:least]
        columns = zip(*(found for _, found in kept), strict=True)
        times = tuple(SideTimes(side, column) for side, column in zip(sides, columns, strict=True))
        controls = tuple(control for control, _ in kept)
        return Comparison(times, controls, len(self.all) - len(kept), len(good) >= least)
