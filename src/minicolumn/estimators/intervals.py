"""Prediction intervals: what a network says of its own doubt, and split conformal prediction around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy.special import ndtri

from minicolumn.errors import DataError
from minicolumn.estimators.heads import is_normal, levels_of
from minicolumn.nn import Loss

Array = np.ndarray
_EXACT = 1e-9  # two levels that differ by less are one: 0.05 and (1 - 0.9) / 2 are


def conformal_radius(residuals: Array, coverage: float, weight: Array | None = None) -> Array:
    """Return how far from the prediction the truth lies in at least a share of the cases.

        the k-th smallest of n residuals |y - prediction|,    k = ceil((n + 1) coverage)

    For rows that are exchangeable with those of the residuals, a new truth lies within it with a probability
    of at least `coverage`, and of at most `coverage + 1 / (n + 1)` where no two residuals are equal.

    residuals   of rows that were not trained on, [rows, outputs]; below 0 where the truth lies within a band
    coverage    0 < coverage < 1
    weight      [rows]: a residual of weight w counts as w equal ones; None for one each
    Returns     [outputs]
    Errors      DataError for too few rows for that coverage
    Source      Papadopoulos, Proedrou, Vovk & Gammerman 2002; Lei, G'Sell, Rinaldo, Tibshirani & Wasserman
                2018, algorithm 2 (arXiv 1604.04173)

    >>> conformal_radius(np.arange(1.0, 10.0)[:, None], 0.8)
    array([8.])
    """
    each = np.ones(len(residuals)) if weight is None else np.asarray(weight, np.float64)
    count = float(each.sum())
    place = (count + 1.0) * coverage * (1.0 - 1e-12)  # (9 + 1) 0.8 is 8, whatever floats make of it
    if place > count:
        least = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise DataError(
            f"predict_interval: a coverage of {coverage:g} needs at least {least} held-out rows, there are "
            f"{count:g}; raise conformal_fraction or lower the coverage"
        )
    order = np.argsort(residuals, axis=0)
    reached = np.cumsum(each[order], axis=0) >= place
    return np.take_along_axis(residuals, order, axis=0)[reached.argmax(axis=0), np.arange(residuals.shape[1])]


@dataclass(frozen=True, eq=False)
class Band:
    """What a network's outputs say about where the truth lies, before anything is measured.

    lower, upper    [rows, outputs]
    scale           by what the band is widened, [rows, outputs] or 1
    is_whole        whether it has the coverage that was asked for, if the network is right
    """

    lower: Array
    upper: Array
    scale: Array | float = 1.0
    is_whole: bool = False

    def residuals(self, targets: Array) -> Array:
        """Return by how much the band would have to be wider to hold each target; less than 0 within it."""
        return np.maximum(self.lower - targets, targets - self.upper) / self.scale

    def widened(self, radius: Array | float) -> Array:
        """Return the ends, [rows, outputs, 2]; a band that narrows to less than nothing is its middle."""
        lower, upper = self.lower - radius * self.scale, self.upper + radius * self.scale
        middle = 0.5 * (lower + upper)
        return np.stack([np.minimum(lower, middle), np.maximum(upper, middle)], axis=-1)


def band_of(record: Loss | None, outputs: Array, coverage: float) -> Band:
    """Return the band that outputs stand for.

        a quantile for each of several levels    those nearest to (1 - coverage) / 2 and (1 + coverage) / 2
        mean and spread of a normal distribution mean -+ z spread,  z its quantile at (1 + coverage) / 2
        one number for each target               that number

    Errors      DataError for a coverage outside (0, 1)
    Source      Romano, Patterson & Candes 2019, "Conformalized quantile regression" (arXiv 1905.03222); of
                normal distributions: Lei et al. 2018, section 5.2
    """
    if not isinstance(coverage, Real) or not 0 < coverage < 1:
        raise DataError(f"predict_interval: coverage must be a number between 0 and 1, got {coverage!r}")
    low, high = 0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage)
    if is_normal(record):
        mean, spread = mean_and_spread(outputs)
        reach = float(ndtri(high)) * spread
        return Band(mean - reach, mean + reach, spread, is_whole=True)
    levels = np.array(levels_of(record))
    if len(levels) > 1:
        first, last = int(np.argmin(np.abs(levels - low))), int(np.argmin(np.abs(levels - high)))
        whole = abs(levels[first] - low) < _EXACT and abs(levels[last] - high) < _EXACT
        return Band(outputs[:, first : first + 1], outputs[:, last : last + 1], is_whole=whole)
    return Band(outputs, outputs)


def mean_and_spread(outputs: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation, [rows, 1] each, of outputs for `gaussian_nll`."""
    return outputs[:, :1], np.exp(0.5 * outputs[:, 1:])


def why_none(record: Loss | None, coverage: float) -> str:
    """Return what to do where no interval can be given."""
    levels = levels_of(record)
    if len(levels) < 2:
        return (
            "predict_interval: no rows were set apart; fit with conformal_fraction=0.2, early_stopping or "
            "X_val, or with a loss that knows its doubt: mc.nn.Loss('quantile', levels=(0.05, 0.5, 0.95)) or "
            "'gaussian_nll'"
        )
    wanted = f"{0.5 * (1 - coverage):g} and {0.5 * (1 + coverage):g}"
    return (
        f"predict_interval: a coverage of {coverage:g} lies between the quantiles {wanted}; the loss has "
        f"{', '.join(map(str, levels))}; fit with those levels, or set rows apart (conformal_fraction=0.2)"
    )
