"""Learning-rate schedules: by what factor the rate is multiplied at each step of a run.

A schedule is a frozen record called with ``(step, total_steps)``; steps count from 0. It runs outside the
graph, in float64, on a number or an array of steps; training hands the resulting rates to the compiled loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias, final

import numpy as np

from minicolumn.registry import Listed, Number, Record, Search, refuse

Array = np.ndarray
# The steps that a schedule is asked about, counted from 0.
Steps: TypeAlias = "int | np.integer | np.ndarray"

END = Number(help="Factor at the end of the run.", ge=0, le=1, search=Search(0.0, 0.3))
AT = Listed(
    help="When it falls, as parts of the run.",
    of=Number(help="A part of the run.", gt=0, lt=1),
    words="ascending numbers in (0, 1)",
    ascending="weakly",
)


def progress(step: Steps, total_steps: int) -> Array:
    """Return how much of the run lies behind each step: 0 at the first, just under 1 at the last."""
    return np.asarray(step, np.float64) / max(total_steps, 1)


class Schedule(Record):
    """A factor on the learning rate as a function of the step. Subclasses are frozen dataclasses.

    is_endless      whether it does not depend on the length of the run, and so goes on beyond it; of all
                    others the last step's factor stays there
    """

    is_endless: ClassVar[bool] = False

    def __call__(self, step: Steps, total_steps: int) -> Array:
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

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return np.ones_like(progress(step, total_steps))


@final
@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along half a cosine, slowly at both ends.

        end + (1 - end) (1 + cos(pi t)) / 2,        t = step / total_steps

    Source      Loshchilov & Hutter 2017 (arXiv 1608.03983), equation 5, without restarts

    >>> Cosine()(np.array([0, 2, 4]), 4).round(6)
    array([1. , 0.5, 0. ])
    """

    end: Annotated[float, END] = 0.0

    def __call__(self, step: Steps, total_steps: int) -> Array:
        t = progress(step, total_steps)
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + np.cos(math.pi * t))


@final
@dataclass(frozen=True)
class Exponential(Schedule):
    """Fall by the same share at each step, from 1 to ``end``.

        end^t,        t = step / total_steps

    >>> Exponential(end=0.01)(np.array([0, 2, 4]), 4).round(6)
    array([1.  , 0.1 , 0.01])
    """

    end: Annotated[
        float, Number(help="Factor at the end of the run.", gt=0, le=1, search=Search(1e-4, 1.0, log=True))
    ] = 0.01

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return np.power(self.end, progress(step, total_steps))  # one number or many: the same bits


@final
@dataclass(frozen=True)
class Polynomial(Schedule):
    """Fall along a power of the time left; a straight line for power 1.

        end + (1 - end) (1 - t)^power,        t = step / total_steps

    Differs     Keras and Optax have this over a number of steps of its own; here it is the run.

    >>> Polynomial(power=2)(np.array([0, 2, 4]), 4)
    array([1.  , 0.25, 0.  ])
    """

    end: Annotated[float, END] = 0.0
    power: Annotated[float, Number(help="How fast it falls at first.", gt=0, search=Search(0.5, 4.0))] = 1.0

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return self.end + (1.0 - self.end) * np.power(1.0 - progress(step, total_steps), self.power)


@final
@dataclass(frozen=True)
class StepDecay(Schedule):
    """Fall by a factor at given parts of the run.

        factor^(how many entries of ``at`` are <= t),        t = step / total_steps

    at          ascending fractions of the run, each in (0, 1)

    >>> StepDecay(0.1, at=(0.5,))(np.arange(4), 4)
    array([1. , 1. , 0.1, 0.1])
    """

    factor: Annotated[
        float, Number(help="What it falls by each time.", gt=0, le=1, search=Search(0.05, 0.9, log=True))
    ] = 0.1
    at: Annotated[tuple[float, ...], AT] = (0.5, 0.75)

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return np.power(self.factor, _passed(self.at, step, total_steps), dtype=np.float64)


@final
@dataclass(frozen=True)
class PiecewiseConstant(Schedule):
    """Jump from one factor to the next at given parts of the run.

        factors[how many entries of ``at`` are <= t],        t = step / total_steps

    at          ascending fractions of the run, each in (0, 1)
    factors     numbers >= 0, one more than ``at`` has
    Differs     Keras and Optax count steps; Optax's numbers are factors on the piece before, as in StepDecay.

    >>> PiecewiseConstant(at=(0.5,), factors=(1.0, 0.3))(np.arange(4), 4)
    array([1. , 1. , 0.3, 0.3])
    """

    at: Annotated[tuple[float, ...], AT] = (0.5, 0.75)
    factors: Annotated[
        tuple[float, ...],
        Listed(help="Of each piece.", of=Number(help="Of a piece.", ge=0), words="numbers >= 0"),
    ] = (1.0, 0.1, 0.01)

    def __post_init__(self) -> None:
        super().__post_init__()
        pieces = len(self.at) + 1
        if len(self.factors) != pieces:
            refuse(self, "factors", f"{pieces} numbers >= 0, one more than at has")

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return np.array(self.factors, np.float64)[_passed(self.at, step, total_steps)]


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

    steps: Annotated[
        float, Number(help="After so many it has halved.", gt=0, search=Search(10.0, 1e5, log=True))
    ] = 1000.0
    power: Annotated[float, Number(help="How fast it falls.", ge=0, search=Search(0.25, 2.0))] = 1.0

    is_endless: ClassVar[bool] = True

    def __call__(self, step: Steps, total_steps: int) -> Array:
        return np.power(1.0 + np.asarray(step, np.float64) / self.steps, -self.power)


def _passed(at: tuple[float, ...], step: Steps, total_steps: int) -> Array:
    """Return how many of some fractions of the run lie behind each step."""
    return np.searchsorted(np.array(at, np.float64), progress(step, total_steps), side="right")
