"""Learning-rate warm-up, one-cycle and warm-restart schedules: those that rise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from minicolumn.optim.schedules import END, Array, Cosine, Schedule, Steps, progress
from minicolumn.registry import Choice, Integer, Number, Part, Registry, Search

CYCLES = Integer(help="How often it falls.", ge=1, le=30, search=Search(1, 8))
FACTORS = Search(2.0, 1e4, log=True)


def _schedules() -> Registry[type[Schedule]]:
    from minicolumn.optim.catalogue import SCHEDULES  # which holds these too

    return SCHEDULES


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

    inner: Annotated[
        Schedule,
        Part(
            help="What comes after the rise.",
            words="a schedule other than WarmUp",
            registry=_schedules,
            accepts=lambda value: isinstance(value, Schedule) and not isinstance(value, WarmUp),
        ),
    ] = Cosine()  # noqa: RUF009  a frozen record
    fraction: Annotated[
        float, Number(help="How much of the run to rise for.", ge=0, lt=1, search=Search(0.0, 0.3))
    ] = 0.05

    def __call__(self, step: Steps, total_steps: int) -> Array:
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

    cycles: Annotated[int, CYCLES] = 4

    def __call__(self, step: Steps, total_steps: int) -> Array:
        t = progress(step, total_steps)
        return 0.5 * (1.0 - np.cos(2.0 * math.pi * np.log2(1.0 + (2.0**self.cycles - 1.0) * t)))


@final
@dataclass(frozen=True)
class FlatCosine(Schedule):
    """Stay at the full rate, then fall along half a cosine to zero.

        1                                           while t < flat,     t = step / total_steps
        (1 + cos(pi (t - flat) / (1 - flat))) / 2   from then on

    flat        0 <= flat < 1: how much of the run the rate stays for
    Source      fastai's ``fit_flat_cos``

    >>> FlatCosine()(np.array([0, 2, 3, 4]), 4).round(6)
    array([1. , 1. , 0.5, 0. ])
    """

    flat: Annotated[
        float, Number(help="How much of the run the rate stays for.", ge=0, lt=1, search=Search(0.0, 0.9))
    ] = 0.5

    def __call__(self, step: Steps, total_steps: int) -> Array:
        t = progress(step, total_steps)
        return 0.5 * (1.0 + np.cos(math.pi * np.maximum(t - self.flat, 0.0) / (1.0 - self.flat)))


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

    rise: Annotated[
        float, Number(help="How much of the run to rise for.", gt=0, lt=1, search=Search(0.1, 0.5))
    ] = 0.3
    div_factor: Annotated[float, Number(help="Of the rate, over the first one.", ge=1, search=FACTORS)] = 25.0
    final_div_factor: Annotated[
        float, Number(help="Of the first rate, over the last one.", ge=1, search=FACTORS)
    ] = 1e4
    shape: Annotated[str, Choice(help="Of the way between.", choices=("cosine", "linear"))] = "cosine"

    def __call__(self, step: Steps, total_steps: int) -> Array:
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

    cycles: Annotated[int, CYCLES] = 3
    t_mult: Annotated[
        float, Number(help="How many times as long each cycle is as the last.", ge=1, search=Search(1.0, 3.0))
    ] = 2.0
    end: Annotated[float, END] = 0.0

    def __call__(self, step: Steps, total_steps: int) -> Array:
        t = progress(step, total_steps)
        lengths = np.power(self.t_mult, np.arange(self.cycles, dtype=np.float64))
        ends = np.cumsum(lengths)
        cycle = np.minimum(np.searchsorted(ends / ends[-1], t, side="right"), self.cycles - 1)
        behind = t * ends[-1] - (ends - lengths)[cycle]
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + np.cos(math.pi * behind / lengths[cycle]))
