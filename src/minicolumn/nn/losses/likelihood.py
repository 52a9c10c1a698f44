"""Negative log-likelihoods: of counts, of positive amounts, of numbers with their spread."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from minicolumn.nn.losses.reduce import Array, alike, bounded_exp, mean, one_each, per_row
from minicolumn.registry import Number, Search

POWER = Number(
    name="power",
    help="The variance grows as the mean to this power.",
    gt=1,
    lt=2,
    search=Search(1.05, 1.95),
)


def poisson(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return half the mean Poisson deviance of counts, from the logarithm of the expected count.

        mean of  e^y - t y + (t log t - t)      with 0 log 0 = 0, so that a perfect fit loses nothing

    Past y = 40 the exponential goes on as its tangent.

    outputs         logarithms of the expected counts, [batch] or [batch, outputs, ...]
    targets         counts >= 0 of the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Source          McCullagh & Nelder 1989, section 2.3

    >>> float(poisson(np.array([0.0]), np.array([1.0])))
    0.0
    """
    counts = alike("poisson", outputs, targets)
    entropy = counts * np.log(np.where(counts > 0, counts, 1.0)) - counts
    return mean("poisson", per_row(bounded_exp(outputs) - counts * outputs + entropy), sample_weight)


def gamma(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return half the mean gamma deviance of positive amounts, from the logarithm of the expected one.

        mean of  t e^-y + y - log t - 1     so that a perfect fit loses nothing

    Ten percent too much costs the same for small amounts as for large ones. Below y = -40 the exponential
    goes on as its tangent.

    outputs         logarithms of the expected amounts, [batch] or [batch, outputs, ...]
    targets         amounts > 0 of the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Source          McCullagh & Nelder 1989, section 8.3

    >>> float(gamma(np.array([np.log(2.0)]), np.array([1.0])).round(4))  # 1/2 + log 2 - 1
    0.1931
    """
    amounts = alike("gamma", outputs, targets)
    rows = per_row(amounts * bounded_exp(-outputs) + outputs - np.log(amounts) - 1.0)
    return mean("gamma", rows, sample_weight)


def tweedie(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    power: Annotated[float, POWER] = 1.5,
) -> Any:
    """Return half the mean Tweedie deviance of amounts that are often 0, as insurance claims are.

        mean of  t^(2-p) / ((1-p)(2-p)) - t e^((1-p)y) / (1-p) + e^((2-p)y) / (2-p)

    Exponents past 40 go on as their tangent.

    outputs         logarithms of the expected amounts, [batch] or [batch, outputs, ...]
    targets         amounts >= 0 of the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    power           p: the variance grows as the mean to this power; 1 is Poisson, 2 gamma
    Errors          ShapeError if the shapes differ, DataError for a power outside (1, 2)
    Source          Jorgensen 1987, "Exponential dispersion models"

    >>> float(tweedie(np.array([0.0]), np.array([0.0])))
    2.0
    """
    a, b = 1.0 - (p := POWER.check(power, "tweedie")), 2.0 - p
    amounts = alike("tweedie", outputs, targets)
    least = np.where(amounts > 0, amounts, 0.0) ** b / (a * b)
    # Of an amount of 0 nothing is taken, also where the exponential is past the largest number.
    taken = amounts * np.where(amounts > 0, bounded_exp(a * outputs), 0.0)
    rows = per_row(least - taken / a + bounded_exp(b * outputs) / b)
    return mean("tweedie", rows, sample_weight)


def gaussian_nll(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean negative log-likelihood of numbers under a normal distribution of its own for each row.

        mean of  (v + (t - m)^2 e^-v + log 2 pi) / 2,       outputs m and v, variance e^v

    Below v = -40 the exponential goes on as its tangent. Predictions are (m, v): the standard deviation is
    e^(v/2).

    outputs         [batch, ..., 2]: mean and logarithm of the variance
    targets         [batch, ...]; a last axis of size 1 is left out
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes do not fit
    Source          Nix & Weigend 1994
    Differs         PyTorch takes the variance itself, and leaves log(2 pi) / 2 out unless told

    >>> float(gaussian_nll(np.array([[1.0, 0.0]]), np.array([3.0])).round(4))  # (4 + log 2 pi) / 2
    2.9189
    """
    targets = one_each("gaussian_nll", outputs, targets, 2, "mean and logarithm of the variance")
    mu, log_variance = outputs[..., 0:1], outputs[..., 1:2]
    distance = targets - mu
    each = log_variance + distance * distance * bounded_exp(-log_variance) + math.log(2.0 * math.pi)
    return mean("gaussian_nll", per_row(0.5 * each), sample_weight)
