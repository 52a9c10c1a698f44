"""Schedules: by what factor the learning rate is multiplied at each step of a run.

A schedule is a frozen record called with ``(step, total_steps)``; steps count from 0. It runs outside the
graph, in float64, on a number or an array of steps; training hands the resulting rates to the compiled loop.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn.settings import refuse, settle, settle_number, settle_whole

Array = np.ndarray


def _progress(step: Any, total_steps: int) -> Array:
    """Return how much of the run lies behind each step: 0 at the first, just under 1 at the last."""
    return np.asarray(step, np.float64) / max(total_steps, 1)


class Schedule:
    """A factor on the learning rate as a function of the step. Subclasses are frozen dataclasses."""

    def __call__(self, step: Any, total_steps: int) -> Array:
        """Return the factor at each step.

        step            int or integer array [steps], from 0 to total_steps - 1
        total_steps     length of the run
        Returns         float64, shaped like step
        """
        raise NotImplementedError(f"{type(self).__name__} lacks __call__")


@final
@dataclass(frozen=True)
class Constant(Schedule):
    """Keep the learning rate: factor 1.

    >>> Constant()(np.arange(3), 3)
    array([1., 1., 1.])
    """

    def __call__(self, step: Any, total_steps: int) -> Array:
        return np.ones_like(_progress(step, total_steps))


@final
@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along half a cosine, slowly at both ends.

        end + (1 - end) (1 + cos(pi t)) / 2,        t = step / total_steps

    Source      Loshchilov & Hutter 2017 (arXiv 1608.03983), equation 5, without restarts

    >>> Cosine()(np.array([0, 2, 4]), 4).round(6)
    array([1. , 0.5, 0. ])
    """

    end: float = 0.0

    def __post_init__(self) -> None:
        settle_number(self, "end", "0 <= end <= 1", lambda end: 0 <= end <= 1)

    def __call__(self, step: Any, total_steps: int) -> Array:
        t = _progress(step, total_steps)
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + np.cos(math.pi * t))


@final
@dataclass(frozen=True)
class Exponential(Schedule):
    """Fall by the same share at each step, from 1 to ``end``.

        end^t,        t = step / total_steps

    >>> Exponential(end=0.01)(np.array([0, 2, 4]), 4).round(6)
    array([1.  , 0.1 , 0.01])
    """

    end: float = 0.01

    def __post_init__(self) -> None:
        settle_number(self, "end", "0 < end <= 1", lambda end: 0 < end <= 1)

    def __call__(self, step: Any, total_steps: int) -> Array:
        return np.power(self.end, _progress(step, total_steps))  # one number or many: the same bits


@final
@dataclass(frozen=True)
class StepDecay(Schedule):
    """Fall by a factor at given parts of the run.

        factor^(how many entries of ``at`` are <= t),        t = step / total_steps

    at          ascending fractions of the run, each in (0, 1)

    >>> StepDecay(0.1, at=(0.5,))(np.arange(4), 4)
    array([1. , 1. , 0.1, 0.1])
    """

    factor: float = 0.1
    at: tuple[float, ...] = (0.5, 0.75)

    def __post_init__(self) -> None:
        settle_number(self, "factor", "0 < factor <= 1", lambda factor: 0 < factor <= 1)
        at = tuple(self.at) if isinstance(self.at, (list, tuple, np.ndarray)) else (math.nan,)
        if not all(isinstance(t, Real) and 0 < float(t) < 1 for t in at) or list(at) != sorted(at):
            refuse(self, "at", "ascending numbers in (0, 1)")
        settle(self, "at", tuple(map(float, at)))

    def __call__(self, step: Any, total_steps: int) -> Array:
        passed = np.searchsorted(np.array(self.at, np.float64), _progress(step, total_steps), side="right")
        return np.power(self.factor, passed, dtype=np.float64)


@final
@dataclass(frozen=True)
class InverseTime(Schedule):
    """Fall with the number of steps taken, however long the run.

        (1 + step / steps)^-power

    steps       after so many steps the rate has halved (for power 1)
    Source      Robbins & Monro 1951
    Differs     scikit-learn's "invscaling" counts rows instead of steps and changes once an epoch.

    >>> InverseTime(steps=2)(np.array([0, 2]), 10)
    array([1. , 0.5])
    """

    steps: float = 1000.0
    power: float = 1.0

    def __post_init__(self) -> None:
        settle_number(self, "steps", "a number > 0", lambda steps: steps > 0)
        settle_number(self, "power", "a number >= 0", lambda power: power >= 0)

    def __call__(self, step: Any, total_steps: int) -> Array:
        return np.power(1.0 + np.asarray(step, np.float64) / self.steps, -self.power)


@final
@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rise in a straight line first, then follow another schedule over the rest of the run.

        (step + 1) / warm        for step < warm = round(fraction total_steps)
        inner(step - warm, total_steps - warm)        from then on

    inner       any schedule but another WarmUp
    fraction    how much of the run to rise for, 0 <= fraction < 1
    Source      Goyal et al. 2017 (arXiv 1706.02677), section 2.2

    >>> WarmUp(Constant(), fraction=0.5)(np.arange(4), 4)
    array([0.5, 1. , 1. , 1. ])
    """

    inner: Schedule = Cosine()
    fraction: float = 0.05

    def __post_init__(self) -> None:
        if not isinstance(self.inner, Schedule) or isinstance(self.inner, WarmUp):
            refuse(self, "inner", "a schedule other than WarmUp")
        settle_number(self, "fraction", "0 <= fraction < 1", lambda fraction: 0 <= fraction < 1)

    def __call__(self, step: Any, total_steps: int) -> Array:
        step = np.asarray(step, np.float64)
        warm = round(self.fraction * total_steps)
        after = self.inner(np.maximum(step - warm, 0.0), total_steps - warm)
        return np.where(step < warm, (step + 1.0) / max(warm, 1), after)


@final
@dataclass(frozen=True)
class LogCosine(Schedule):
    """Rise and fall ``cycles`` times, each time more slowly; ends at zero.

        (1 - cos(2 pi log2(1 + (2^cycles - 1) t))) / 2,        t = step / total_steps

    Source      Holzmueller, Grinsztajn, Steinwart 2024 (arXiv 2407.04491), "coslog4"

    >>> LogCosine(1)(np.array([0, 4]), 4).round(6)
    array([0., 0.])
    """

    cycles: int = 4

    def __post_init__(self) -> None:
        settle_whole(self, "cycles", 1)
        if self.cycles > 30:
            refuse(self, "cycles", "a whole number from 1 to 30")

    def __call__(self, step: Any, total_steps: int) -> Array:
        t = _progress(step, total_steps)
        return 0.5 * (1.0 - np.cos(2.0 * math.pi * np.log2(1.0 + (2.0**self.cycles - 1.0) * t)))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "cosine": Cosine,
    "exponential": Exponential,
    "step_decay": StepDecay,
    "inverse_time": InverseTime,
    "warm_up": WarmUp,
    "log_cosine": LogCosine,
}


def schedule_by_name(name: str, **settings: Any) -> Schedule:
    """Make a schedule from its name and settings.

    Errors      DataError for an unknown name or setting

    >>> schedule_by_name("cosine", end=0.1)
    Cosine(end=0.1)
    """
    if name not in SCHEDULES:
        raise DataError(f"unknown schedule {name!r}{did_you_mean(name, SCHEDULES)}")
    kind: Any = SCHEDULES[name]
    known = [field.name for field in dataclasses.fields(kind)]
    for setting in settings:
        if setting not in known:
            raise DataError(f"{name}: unknown setting {setting!r}{did_you_mean(setting, known)}")
    return kind(**settings)
