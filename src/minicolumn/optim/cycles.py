"""Schedules that rise: before the rest of a run, or again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from minicolumn.nn.settings import refuse, settle_number, settle_whole
from minicolumn.optim.schedules import Array, Cosine, Schedule, progress


@final
@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rise in a straight line first, then follow another schedule over the rest of the run.

        (step + 1) / warm        for step < warm = round(fraction total_steps)
        inner(step - warm, total_steps - warm)        from then on

    inner       any schedule but another WarmUp
    fraction    how much of the run to rise for, 0 <= fraction < 1
    Source      Goyal et al. 2017 (arXiv 1706.02677), section 2.2

    >>> from minicolumn.optim import Constant
    >>> WarmUp(Constant(), fraction=0.5)(np.arange(4), 4)
    array([0.5, 1. , 1. , 1. ])
    """

    inner: Schedule = Cosine()  # noqa: RUF009  a frozen record
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
        t = progress(step, total_steps)
        return 0.5 * (1.0 - np.cos(2.0 * math.pi * np.log2(1.0 + (2.0**self.cycles - 1.0) * t)))


@final
@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise from a small rate to the optimizer's own, then fall to almost none.

        1 / div_factor  ->  1  ->  1 / (div_factor final_div_factor)

    over the first ``rise`` of the run and the rest of it, each along half a cosine or a straight line. Meant
    for rates several times as large as a constant one could be. The momentum is not cycled: it stays the
    optimizer's.

    rise        0 < rise < 1: how much of the run to rise for
    shape       "cosine" or "linear"
    Source      Smith & Topin 2017 (arXiv 1708.07120); as fastai and PyTorch have it, in two parts
    Differs     PyTorch also cycles the momentum unless told, and ends on its last step instead of after it;
                Optax's linear one has three parts.

    >>> OneCycle(rise=0.5, div_factor=4, shape="linear")(np.array([0, 1, 2]), 4)
    array([0.25 , 0.625, 1.   ])
    """

    rise: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    shape: str = "cosine"

    def __post_init__(self) -> None:
        settle_number(self, "rise", "0 < number < 1", lambda rise: 0 < rise < 1)
        settle_number(self, "div_factor", "a number >= 1", lambda factor: factor >= 1)
        settle_number(self, "final_div_factor", "a number >= 1", lambda factor: factor >= 1)
        if self.shape not in ("cosine", "linear"):
            refuse(self, "shape", '"cosine" or "linear"')

    def __call__(self, step: Any, total_steps: int) -> Array:
        t = progress(step, total_steps)
        low = 1.0 / self.div_factor
        up = self._between(low, 1.0, np.minimum(t / self.rise, 1.0))
        down = self._between(1.0, low / self.final_div_factor, np.maximum(t - self.rise, 0) / (1 - self.rise))
        return np.where(t < self.rise, up, down)

    def _between(self, start: float, end: float, t: Array) -> Array:
        share = 0.5 * (1.0 - np.cos(math.pi * t)) if self.shape == "cosine" else t
        return start + (end - start) * share


@final
@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Fall along half a cosine ``cycles`` times, each time over ``t_mult`` times as many steps as before.

        end + (1 - end) (1 + cos(pi u)) / 2,        u = how much of its cycle lies behind a step

    The cycles fill the run: the first takes (t_mult - 1) / (t_mult^cycles - 1) of it.

    t_mult      a number >= 1; 1 makes all cycles equally long
    Source      Loshchilov & Hutter 2017 (arXiv 1608.03983), section 3 (SGDR)
    Differs     PyTorch and Keras are told the length of the first cycle instead of how many there are.

    >>> CosineRestarts(cycles=2, t_mult=1)(np.arange(4), 4).round(6)
    array([1. , 0.5, 1. , 0.5])
    """

    cycles: int = 3
    t_mult: float = 2.0
    end: float = 0.0

    def __post_init__(self) -> None:
        settle_whole(self, "cycles", 1)
        settle_number(self, "t_mult", "a number >= 1", lambda t_mult: t_mult >= 1)
        settle_number(self, "end", "0 <= end <= 1", lambda end: 0 <= end <= 1)
        if self.cycles > 30:
            refuse(self, "cycles", "a whole number from 1 to 30")

    def __call__(self, step: Any, total_steps: int) -> Array:
        t = progress(step, total_steps)
        lengths = np.power(self.t_mult, np.arange(self.cycles, dtype=np.float64))
        ends = np.cumsum(lengths)
        cycle = np.minimum(np.searchsorted(ends / ends[-1], t, side="right"), self.cycles - 1)
        behind = t * ends[-1] - (ends - lengths)[cycle]
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + np.cos(math.pi * behind / lengths[cycle]))
