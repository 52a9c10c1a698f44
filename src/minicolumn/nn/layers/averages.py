"""Averages of members' outputs: what the mean of several predictions is, on the scale of raw outputs.

A network hands out raw outputs, of which a loss makes predictions: softmax of scores, exp of a logarithm.
What is averaged are the predictions; the mean is handed on as the raw output of which the same function makes
it.

    numbers         mean of z                          exponential     log of the mean of exp(z)
    softmax         log of the mean of softmax(z)      logistic        logit of the mean of logistic(z)
    normal          the mean and variance of the mixture of N(m, exp(v)):  mean m,  log(mean e^v + var m)

Source      of the mixture: Lakshminarayanan, Pritzel & Blundell 2017, "Simple and scalable predictive
            uncertainty estimation using deep ensembles" (arXiv 1612.01474), section 2.4
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicolumn.nn.layer import Array
from minicolumn.nn.losses import log_softmax

Average = Callable[[Array], Array]


def mean_of_numbers(z: Array) -> Array:
    """Return the mean over the first axis.

    z           [members, ..., outputs]
    Returns     [..., outputs]
    """
    return np.mean(z, axis=0)


def mean_of_exponentials(z: Array) -> Array:
    """Return log(mean(e^z)) over the first axis, finite wherever z is.

    >>> mean_of_exponentials(np.log(np.array([[1.0], [3.0]])))  # log 2
    array([0.69314718])
    """
    largest = np.max(z, axis=0)
    return np.log(np.mean(np.exp(z - largest), axis=0)) + largest


def mean_of_softmax(z: Array) -> Array:
    """Return the logarithm of the mean of softmax over the first axis; its softmax is that mean.

    >>> z = np.log(np.array([[[0.5, 0.5]], [[0.9, 0.1]]]))
    >>> np.exp(mean_of_softmax(z)).round(2)
    array([[0.7, 0.3]])
    """
    return mean_of_exponentials(log_softmax(z))


def mean_of_logistic(z: Array) -> Array:
    """Return log(mean p / mean (1 - p)),  p = 1 / (1 + e^-z), over the first axis.

    >>> float(mean_of_logistic(np.array([0.0, 1000.0])).round(3))  # log of .75 / .25
    1.099
    """
    # log p = -log(1 + e^-z) and log(1 - p) = -log(1 + e^z): neither is lost where p is nearly 0 or 1.
    return mean_of_exponentials(-np.logaddexp(0.0, -z)) - mean_of_exponentials(-np.logaddexp(0.0, z))


def mean_of_normal(z: Array) -> Array:
    """Return mean and log variance of the mixture of normal distributions, over the first axis.

    z           [members, ..., 2], the mean and the logarithm of the variance

    >>> mean_of_normal(np.array([[[1.0, 0.0]], [[3.0, 0.0]]])).round(3)  # variance 1 + 1
    array([[2.   , 0.693]])
    """
    means, logs = z[..., :1], z[..., 1:]
    mean = np.mean(means, axis=0)
    between = np.mean((means - mean) ** 2, axis=0)
    return np.concatenate([mean, np.log(np.exp(mean_of_exponentials(logs)) + between)], axis=-1)


AVERAGES: dict[str, Average] = {
    "numbers": mean_of_numbers,
    "exponential": mean_of_exponentials,
    "softmax": mean_of_softmax,
    "logistic": mean_of_logistic,
    "normal": mean_of_normal,
}
