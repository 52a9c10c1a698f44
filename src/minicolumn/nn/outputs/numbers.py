"""Regression outputs: a number each, a direction, a rate, quantiles, a normal distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import ClassVar, final

import numpy as np

from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.monotone import MonotoneQuantiles
from minicolumn.nn.outputs import statistics
from minicolumn.nn.outputs.record import Array, Band, Measure, NumberOutputs, check_coverage, check_units

Statistic = Callable[[Array, Array | None], Array]
# Two levels that differ by less are one: 0.05 and (1 - 0.9) / 2 are.
EXACT = 1e-9
# The coverage at which a normal distribution is judged where nobody says another.
USUAL_COVERAGE = 0.9
# Of the spread: how far apart quantiles begin at least, so that their order can still be learnt.
NARROW = 1e-3


@final
@dataclass(frozen=True)
class Point(NumberOutputs):
    """One output a number: the number itself.

    center      the statistic of the targets that the loss elicits: mean, median, ...
    scaling     "interval"; or "ratio" where the loss measures errors against the number itself

    >>> Point().initial_bias(np.array([[1.0], [3.0]]), None, 1)
    array([2.])
    """

    kind: ClassVar[str] = "point"
    center: Statistic = field(default=statistics.mean, repr=False)
    scaling: Measure = "interval"

    @property
    def measure(self) -> Measure:
        return self.scaling

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        return _checked(self, self.center(_columns(targets), weight), units)


@final
@dataclass(frozen=True)
class Direction(NumberOutputs):
    """Outputs that are together a vector of which only the direction counts."""

    kind: ClassVar[str] = "direction"

    @property
    def measure(self) -> Measure:
        return "ratio"

    @property
    def least_targets(self) -> int:
        return 2  # a single number has but two directions

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        return _checked(self, statistics.mean_direction(_columns(targets), weight), units)


@final
@dataclass(frozen=True)
class Rate(NumberOutputs):
    """One output a number: the logarithm of the amount to expect, a count or a cost.

    center      the statistic of the targets that the loss elicits
    scaling     "ratio", or "absolute" where the loss adds something to the amount

    >>> Rate().initial_bias(np.array([[1.0], [3.0]]), None, 1)  # log 2
    array([0.69314718])
    """

    kind: ClassVar[str] = "rate"
    center: Statistic = field(default=statistics.mean, repr=False)
    scaling: Measure = "ratio"

    @property
    def activation(self) -> str:
        return "exponential"

    @property
    def average(self) -> str:
        return "exponential"

    @property
    def lowest(self) -> float:
        return 0.0

    def middle(self, predictions: Array) -> Band:
        """Return the rates, with the standard deviation of a Poisson distribution of each (Pearson)."""
        return Band(predictions, predictions, np.sqrt(np.maximum(predictions, 1e-12)))

    @property
    def measure(self) -> Measure:
        return self.scaling

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        with np.errstate(divide="ignore"):  # nothing was ever counted: refused as not finite
            return _checked(self, np.log(self.center(_columns(targets), weight)), units)


@final
@dataclass(frozen=True)
class Quantiles(NumberOutputs):
    """One output a level: the quantiles of the predictive distribution of a single number.

    levels      ascending; the nearest to 1/2 is the number to expect

    >>> outputs = Quantiles((0.05, 0.5, 0.95))
    >>> outputs.width, outputs.expected(np.array([[1.0, 2.0, 4.0]]))
    (3, array([2.]))
    >>> outputs.band(np.array([[1.0, 2.0, 4.0]]), 0.9).widened()
    array([[[1., 4.]]])
    """

    kind: ClassVar[str] = "quantiles"
    levels: tuple[float, ...]

    @property
    def width(self) -> int:
        return len(self.levels)

    @property
    def describes_one(self) -> bool:
        return True

    @property
    def is_distribution(self) -> bool:
        return True

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        return self.levels

    @property
    def interval_level(self) -> float | None:
        return self.levels[-1] - self.levels[0] if len(self.levels) > 1 else None

    @property
    def end(self) -> tuple[Layer, ...]:
        return (MonotoneQuantiles(),) if len(self.levels) > 1 else ()

    def expected(self, predictions: Array) -> Array:
        return predictions[..., int(np.argmin(np.abs(np.array(self.levels) - 0.5)))]

    def band(self, predictions: Array, coverage: float) -> Band:
        """Return the band between the quantiles nearest to (1 - coverage) / 2 and (1 + coverage) / 2.

        Source      Romano, Patterson & Candes 2019, "Conformalized quantile regression" (arXiv 1905.03222)
        """
        check_coverage(coverage)
        levels, low, high = np.array(self.levels), 0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage)
        first, last = int(np.argmin(np.abs(levels - low))), int(np.argmin(np.abs(levels - high)))
        whole = bool(abs(levels[first] - low) < EXACT and abs(levels[last] - high) < EXACT)
        return Band(predictions[:, first : first + 1], predictions[:, last : last + 1], is_whole=whole)

    def widest_band(self, predictions: Array) -> Band:
        return Band(predictions[:, :1], predictions[:, -1:])

    def middle(self, predictions: Array) -> None:
        return None

    def described(
        self, predictions: Array, decode: Callable[[Array], Array], scale: float
    ) -> dict[str, Array]:
        if len(self.levels) == 1:  # which is the number to expect
            return {}
        columns = zip(self.levels, predictions.T, strict=True)
        return {f"quantile {level:g}": decode(column) for level, column in columns}

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        """Return the first quantile, and for each next one what `MonotoneQuantiles` makes the distance of."""
        check_units(self, self.width, units)
        numbers, each = targets.reshape(len(targets)), statistics.each_weight(targets, weight)
        with np.errstate(over="ignore", invalid="ignore"):
            spread = _spread(numbers, each)
            found = statistics.quantiles(numbers, each, np.array(self.levels))
            gaps = np.maximum(np.diff(found), NARROW * spread)
            # The inverse of log(1 + e^x), which neither overflows nor cancels.
            bias = np.concatenate([found[:1], gaps + np.log(-np.expm1(-gaps))])
        return bias if np.isfinite(bias).all() else None


@final
@dataclass(frozen=True)
class Normal(NumberOutputs):
    """Two outputs, mean and logarithm of the variance: a normal distribution of a single number.

    >>> Normal().initial_bias(np.array([[1.0], [3.0]]), None, 2)
    array([2., 0.])
    >>> Normal().band(np.array([[5.0, 0.0]]), 0.5).widened().round(3)  # its quartiles
    array([[[4.326, 5.674]]])
    """

    kind: ClassVar[str] = "normal"

    @property
    def average(self) -> str:
        return "normal"

    @property
    def width(self) -> int:
        return 2

    @property
    def describes_one(self) -> bool:
        return True

    @property
    def is_distribution(self) -> bool:
        return True

    @property
    def interval_level(self) -> float | None:
        return USUAL_COVERAGE

    def expected(self, predictions: Array) -> Array:
        return predictions[..., 0]

    def spread(self, predictions: Array) -> Array | None:
        return np.exp(0.5 * predictions[..., 1])

    def band(self, predictions: Array, coverage: float) -> Band:
        """Return mean -+ z spread,  z the standard normal quantile at (1 + coverage) / 2.

        Source      of conformal bands around it: Lei et al. 2018 (arXiv 1604.04173), section 5.2
        """
        check_coverage(coverage)
        mean, spread = predictions[:, :1], np.exp(0.5 * predictions[:, 1:])
        reach = NormalDist().inv_cdf(0.5 * (1.0 + coverage)) * spread
        return Band(mean - reach, mean + reach, spread, is_whole=True)

    def widest_band(self, predictions: Array) -> Band:
        return self.band(predictions, USUAL_COVERAGE)

    def middle(self, predictions: Array) -> Band:
        return Band(predictions[:, :1], predictions[:, :1], np.exp(0.5 * predictions[:, 1:]))

    def described(
        self, predictions: Array, decode: Callable[[Array], Array], scale: float
    ) -> dict[str, Array]:
        return {"standard deviation": np.exp(0.5 * predictions[:, 1].astype(np.float64)) * scale}

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        check_units(self, self.width, units)
        numbers, each = targets.reshape(len(targets)), statistics.each_weight(targets, weight)
        with np.errstate(over="ignore", invalid="ignore"):
            bias = np.array([np.average(numbers, weights=each), 2.0 * np.log(_spread(numbers, each))])
        return bias if np.isfinite(bias).all() else None


def _columns(targets: Array) -> Array:
    """Return targets as [rows, numbers]."""
    return targets.reshape(len(targets), -1).astype(np.float64)


def _spread(numbers: Array, each: Array) -> float:
    """Return the weighted standard deviation; 1 where all numbers are the same."""
    mean = np.average(numbers, weights=each)
    return float(np.sqrt(np.average((numbers - mean) ** 2, weights=each))) or 1.0


def _checked(outputs: NumberOutputs, bias: Array, units: int) -> Array | None:
    """Return biases, if there is one for each output; None where they are not finite."""
    check_units(outputs, bias.size, units)
    return bias if np.isfinite(bias).all() else None
