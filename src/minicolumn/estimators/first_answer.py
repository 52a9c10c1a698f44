"""Where networks that know their doubt begin: with the answer that suits all rows alike."""

from __future__ import annotations

import numpy as np

from minicolumn.estimators.heads import describes_doubt, is_normal, levels_of
from minicolumn.nn import Loss

Array = np.ndarray
# Of the spread: how far apart quantiles begin at least, so that their order can still be learnt.
NARROW = 1e-3


def first_answer(record: Loss | None, y: Array, weight: Array | None) -> Array | None:
    """Return the biases of the last layer by which a network answers all rows alike, as well as can be.

        gaussian_nll    mean, and logarithm of the variance
        quantile        the first quantile, and for each next one what `Ascending` makes the distance of

    From 0 a training would first have to find the place and the unit of the numbers, by steps of a fixed
    size; a variance that is far too small makes those steps useless.

    y           [rows, 1]
    weight      [rows]: a row of weight w counts as w equal ones; None for one each
    Returns     [outputs]; None for other losses, whose first weights are scikit-learn's, and for numbers
                whose spread overflows, which whoever trains refuses
    Differs     Salinas et al. 2020 and others scale the targets instead

    >>> first_answer(Loss("gaussian_nll"), np.array([[1.0], [3.0]]), None)
    array([2., 0.])
    """
    if not describes_doubt(record):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        found = _answer(record, y, weight)
    return found if np.isfinite(found).all() else None


def _answer(record: Loss | None, y: Array, weight: Array | None) -> Array:
    numbers, each = y[:, 0], np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    mean = np.average(numbers, weights=each)
    spread = float(np.sqrt(np.average((numbers - mean) ** 2, weights=each))) or 1.0
    if is_normal(record):
        return np.array([mean, 2.0 * np.log(spread)])
    quantiles = _quantiles(numbers, each, np.array(levels_of(record)))
    gaps = np.maximum(np.diff(quantiles), NARROW * spread)
    # The inverse of log(1 + e^x), which neither overflows nor cancels.
    return np.concatenate([quantiles[:1], gaps + np.log(-np.expm1(-gaps))])


def _quantiles(numbers: Array, each: Array, levels: Array) -> Array:
    """Return the least number with so large a share of the weight at or below it, for each level."""
    order = np.argsort(numbers)
    reached = np.cumsum(each[order])
    # A share that is reached but for the rounding of a sum counts as reached.
    places = np.searchsorted(reached, levels * reached[-1] * (1.0 - 1e-12))
    return numbers[order][np.minimum(places, len(order) - 1)]
