"""Weighted statistics of targets: the constant that a loss takes for the best prediction of all rows.

Each takes targets [rows, ...] and weights [rows] (a row of weight w counts as w equal ones; None is one each)
and gives an array without the axis of rows. In the words of Gneiting 2011, "Making and evaluating point
forecasts" (arXiv 0912.0902), these are the functionals that losses elicit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
# Numbers nearer to 0 count as this far where they are divided by, as in the loss at its default.
NEAREST = 1e-7


def each_weight(targets: Array, weight: Array | None) -> Array:
    """Return a weight for every row, float64."""
    return np.ones(len(targets)) if weight is None else np.asarray(weight, np.float64)


def mean(targets: Array, weight: Array | None = None) -> Array:
    """Return the mean, which squared errors and deviances elicit."""
    return np.average(targets, axis=0, weights=each_weight(targets, weight))


def median(targets: Array, weight: Array | None = None) -> Array:
    """Return the lower median, which absolute errors elicit.

    >>> median(np.array([1.0, 5.0, 2.0]))
    array(2.)
    """
    return _each_column(targets, lambda column: each_weight(targets, weight))


def relative_median(targets: Array, weight: Array | None = None) -> Array:
    """Return the median with weights 1 / |t|, which absolute percentage errors elicit.

    >>> relative_median(np.array([1.0, 5.0, 4.0]))
    array(1.)
    """
    each = each_weight(targets, weight)
    return _each_column(targets, lambda column: each / np.maximum(np.abs(column), NEAREST))


def log1p_mean(targets: Array, weight: Array | None = None) -> Array:
    """Return the number whose log(1 + t) is the mean of theirs, which squared log errors elicit.

    >>> log1p_mean(np.array([0.0, 3.0]))  # (1 * 4)^(1/2) - 1
    np.float64(1.0)
    """
    return np.expm1(mean(np.log1p(targets), weight))


def mean_direction(targets: Array, weight: Array | None = None) -> Array:
    """Return the mean of targets cut to length 1, whose direction cosine distances elicit."""
    flat = targets.reshape(len(targets), -1).astype(np.float64)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return mean(flat / np.where(length == 0, 1.0, length), weight).reshape(targets.shape[1:])


def quantiles(numbers: Array, weight: Array | None, levels: Array) -> Array:
    """Return, for each level, the least of numbers [rows] with so large a share of the weight at or below it.

    >>> quantiles(np.array([3.0, 1.0, 2.0, 4.0]), None, np.array([0.25, 0.9]))
    array([1., 4.])
    """
    order = np.argsort(numbers)
    reached = np.cumsum(each_weight(numbers, weight)[order])
    # A share that is reached but for the rounding of a sum counts as reached.
    places = np.searchsorted(reached, levels * reached[-1] * (1.0 - 1e-12))
    return numbers[order][np.minimum(places, len(order) - 1)]


def _each_column(targets: Array, weights: Callable[[Array], Array]) -> Array:
    """Return the median of each column by weights that are a function of it."""
    columns = targets.reshape(len(targets), -1).T
    found = [quantiles(column, weights(column), np.array([0.5]))[0] for column in columns]
    return np.array(found).reshape(targets.shape[1:])
