"""Regression losses: of numbers, by their distance from the target."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from minicolumn.ir.ops.elementwise import SOFTPLUS, STOP_GRADIENT
from minicolumn.nn.losses.reduce import Array, alike, check_outputs, mean, one_each, per_row
from minicolumn.registry import Listed, Number, Search

DELTA = Number(
    name="delta",
    help="Where the parabola turns into lines, in units of the target.",
    gt=0,
    search=Search(0.1, 10.0, log=True),
)
FLOOR = Number(name="floor", help="Targets nearer to 0 count as this far from it.", ge=1e-12)
LEVELS = Listed(
    name="levels",
    help="Which quantiles, one output each.",
    of=Number(help="A quantile.", gt=0, lt=1),
    words="numbers between 0 and 1, ascending",
    ascending=True,
    single=True,
    least=1,
)


def squared_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean squared error.

        mean over rows and outputs of (y - t)^2

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Differs         scikit-learn's networks take half of it.

    >>> float(squared_error(np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))
    2.0
    """
    difference = outputs - alike("squared_error", outputs, targets)
    return mean("squared_error", per_row(difference * difference), sample_weight)


def absolute_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean absolute error, whose best constant is the median.

        mean over rows and outputs of |y - t|       slope 0 where y = t

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ

    >>> float(absolute_error(np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))
    1.0
    """
    difference = outputs - alike("absolute_error", outputs, targets)
    return mean("absolute_error", per_row(np.abs(difference)), sample_weight)


def huber(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    delta: Annotated[float, DELTA] = 1.0,
) -> Any:
    """Return the mean Huber loss: squared near the target, absolute far from it.

        mean of  d^2 / 2  if |d| <= delta  else  delta (|d| - delta / 2),       d = y - t

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    delta           where the parabola turns into lines, in the units of the target
    Errors          ShapeError if the shapes differ, DataError for a delta that is not > 0
    Source          Huber 1964

    >>> float(huber(np.array([3.0]), np.array([0.0])))
    2.5
    """
    delta = DELTA.check(delta, "huber")
    size = np.abs(outputs - alike("huber", outputs, targets))
    near = np.minimum(size, delta)
    return mean("huber", per_row(near * (size - 0.5 * near)), sample_weight)


def log_cosh(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean logarithm of the hyperbolic cosine: a Huber loss without a seam.

        mean of  log cosh d = d + log(1 + e^-2d) - log 2,       d = y - t,      slope tanh d

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ

    >>> log_cosh(np.array([1e4, 0.0]), np.array([0.0, 0.0])).round(4)  # (10000 - log 2) / 2
    np.float64(4999.6534)
    """
    difference = outputs - alike("log_cosh", outputs, targets)
    rows = per_row(difference + SOFTPLUS(-2.0 * difference) - math.log(2.0))
    return mean("log_cosh", rows, sample_weight)


def quantile(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    levels: Annotated[float | tuple[float, ...], LEVELS] = (0.5,),
) -> Any:
    """Return the mean pinball loss, whose best constants are quantiles of the targets.

        mean over rows and levels of  q (t - y_q)  if y_q <= t  else  (1 - q) (y_q - t)

    The slope where y = t is 1/2 - q, the middle of [-q, 1 - q]. Quantiles of one row may cross, unless the
    network ends in `MonotoneQuantiles`.

    outputs         [batch, levels], one output for each level; [batch] will do for a single level
    targets         [batch] or [batch, 1]
    sample_weight   [batch], or None for all alike
    levels          which quantiles, between 0 and 1, ascending; a single one may be a number
    Errors          ShapeError if outputs do not match the levels, DataError for levels out of order
    Source          Koenker & Bassett 1978

    >>> float(quantile(np.array([[1.0, 2.0]]), np.array([3.0]), levels=(0.5, 0.9)))  # (0.5 * 2 + 0.9 * 1) / 2
    0.95
    """
    found = LEVELS.check(levels, "quantile")
    if len(outputs.shape) == 1 and len(found) == 1:
        outputs = outputs.reshape((*outputs.shape, 1))
    above = one_each("quantile", outputs, targets, len(found), f"one output for each of {found}") - outputs
    q = np.array(found, outputs.dtype)
    rows = per_row(q * np.maximum(above, 0.0) + (1.0 - q) * np.maximum(-above, 0.0))
    return mean("quantile", rows, sample_weight)


def absolute_percentage_error(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    floor: Annotated[float, FLOOR] = 1e-7,
) -> Any:
    """Return the mean absolute error as a share of the target.

        mean of  |y - t| / max(|t|, floor)      slope 0 where y = t

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    floor           targets nearer to 0 than this count as this far; choose one that means something where
                    targets can be 0
    Errors          ShapeError if the shapes differ, DataError for a floor below 1e-12
    Differs         Keras gives a hundred times as much, in percent; scikit-learn's floor is 2.2e-16

    >>> float(absolute_percentage_error(np.array([3.0, 10.0]), np.array([4.0, 8.0])))
    0.25
    """
    name = "absolute_percentage_error"
    floor = FLOOR.check(floor, name)
    targets = alike(name, outputs, targets)
    return mean(name, per_row(np.abs(outputs - targets) / np.maximum(np.abs(targets), floor)), sample_weight)


def squared_log_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean squared difference of logarithms, from the logarithm of the prediction.

        mean of  (log(1 + e^y) - log(1 + t))^2

    outputs         logarithms of the predictions, which are so never negative; [batch] or
                    [batch, outputs, ...]
    targets         numbers >= 0 of the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Differs         Keras takes the predictions themselves as outputs, and negative ones for 0

    >>> float(squared_log_error(np.array([np.log(3.0)]), np.array([0.0])).round(4))  # log(4)^2
    1.9218
    """
    targets = alike("squared_log_error", outputs, targets)
    difference = SOFTPLUS(outputs) - np.log1p(targets)
    return mean("squared_log_error", per_row(difference * difference), sample_weight)


def cosine_distance(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return one less the mean cosine between outputs and targets: only the direction counts.

        mean over rows of  1 - (y . t) / (|y| |t|)      a row of zeros has cosine 0 to everything

    outputs         [batch, outputs, ...]
    targets         the same shape
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Differs         Keras' cosine similarity is less by 1, from -1 to 1

    >>> float(cosine_distance(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])).round(4))
    0.04
    """
    check_outputs("cosine_distance", outputs)
    targets = alike("cosine_distance", outputs, targets)
    cosine = np.sum(_direction(outputs) * _direction(targets), axis=1)
    return mean("cosine_distance", 1.0 - cosine, sample_weight)


def _direction(x: Array) -> Array:
    """Return rows of length 1, [batch, all of a row]; rows of zeros stay so."""
    flat = x.reshape((x.shape[0], math.prod(x.shape[1:])))
    # Scaled first, so that no square leaves the finite numbers; a direction does not depend on the scale.
    largest = STOP_GRADIENT(np.max(np.abs(flat), axis=1, keepdims=True))
    flat = flat / np.where(largest == 0, 1.0, largest)
    squares = np.sum(flat * flat, axis=1, keepdims=True)
    return flat / np.sqrt(np.where(squares == 0, 1.0, squares))
