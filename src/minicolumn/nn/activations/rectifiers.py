"""Activations of the ReLU family: about 0 (or bounded) on the left, about x on the right; plain NumPy."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from minicolumn.ir.ops.elementwise import SOFTPLUS
from minicolumn.nn.activations.sigmoids import between
from minicolumn.registry import Number, Search

Array = np.ndarray

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

SLOPE = Number(help="Slope below zero.", search=Search(0.0, 0.5))
LEVEL = Number(help="What lies above it passes.", search=Search(-2.0, 2.0))
VALUE = Number(help="What stands in place of the rest.", search=Search(-2.0, 2.0))
ALPHA = Number(help="How far below zero it goes.", ge=0, search=Search(0.1, 3.0))
# Below 1e-6 the formulas would divide by what float32 takes for 0.
WIDTH = Number(help="How far below zero it goes.", ge=1e-6, search=Search(0.1, 3.0))
ROUNDING = Number(help="How much the corner is rounded off.", ge=1e-6, search=Search(0.1, 10.0))
THRESHOLD = Number(help="What is smaller than this is silenced.", ge=0, search=Search(0.0, 2.0))


def relu(x: Array) -> Array:
    """Cut off below zero.

        f(x) = max(x, 0)

    The derivative at x = 0 is 0, as in PyTorch and scikit-learn.

    Source      Nair & Hinton 2010

    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    # Not np.maximum, whose derivative at the tie is 1/2; and so asked that NaN falls into the branch of x.
    return np.where(x <= 0, 0.0, x)


def relu6(x: Array) -> Array:
    """Cut off below zero and above six.

        f(x) = min(max(x, 0), 6)         slope 0 at both corners, as in PyTorch

    Source      Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"

    >>> relu6(np.array([-1.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """
    return between(x, 0.0, 6.0)


def leaky_relu(x: Array, *, slope: Annotated[float, SLOPE] = 0.01) -> Array:
    """Let a little through below zero.

        f(x) = x if x > 0 else slope x

    Source      Maas, Hannun, Ng 2013
    Differs     Keras 3 takes slope 0.3 in its layer and 0.2 in its function; PyTorch 0.01 as here.

    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return np.where(x > 0, x, slope * x)


def threshold(
    x: Array, *, level: Annotated[float, LEVEL] = 1.0, value: Annotated[float, VALUE] = 0.0
) -> Array:
    """Let through what lies above a level.

        f(x) = x if x > level else value         slope 0 at the level

    Source      Konda, Memisevic, Krueger 2015 (arXiv 1402.3337): the thresholded ReLU, level 1
    Differs     Keras and PyTorch have the function without a default level.

    >>> threshold(np.array([-1.0, 1.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.where(x <= level, value, x)


def elu(x: Array, *, alpha: Annotated[float, ALPHA] = 1.0) -> Array:
    """Bend smoothly to -alpha below zero.

        f(x) = x if x > 0 else alpha (e^x - 1)

    Source      Clevert, Unterthiner, Hochreiter 2016 (arXiv 1511.07289)

    >>> elu(np.array([-100.0, 2.0]))
    array([-1.,  2.])
    """
    # The branch not taken must stay finite, or its derivative turns 0 * inf into NaN.
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0.0, x)))


def celu(x: Array, *, alpha: Annotated[float, WIDTH] = 1.0) -> Array:
    """Bend smoothly to -alpha below zero, with slope 1 at zero whatever alpha is.

        f(x) = x if x > 0 else alpha (e^(x / alpha) - 1)

    Source      Barron 2017 (arXiv 1704.07483)

    >>> celu(np.array([-100.0, 2.0]), alpha=2.0)
    array([-2.,  2.])
    """
    # The branch not taken must stay finite, as in ``elu``.
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0.0, x) * (1.0 / alpha)))


def selu(x: Array) -> Array:
    """Bend below zero so that mean 0 and variance 1 pass through a layer unchanged.

        f(x) = 1.0507 x if x > 0 else 1.0507 * 1.6733 (e^x - 1)

    Goes with LeCun initialisation.

    Source      Klambauer, Unterthiner, Mayr, Hochreiter 2017 (arXiv 1706.02515), equation 2

    >>> selu(np.array([0.0, 1.0])).round(4)
    array([0.    , 1.0507])
    """
    return SELU_SCALE * elu(x, alpha=SELU_ALPHA)


def softplus(x: Array) -> Array:
    """Round off the ReLU's corner.

        f(x) = log(1 + e^x)

    Source      Dugas, Bengio, Belisle, Nadeau, Garcia 2001

    >>> softplus(np.array([-100.0, 0.0, 100.0])).round(4)
    array([  0.    ,   0.6931, 100.    ])
    """
    return SOFTPLUS(x)


def squareplus(x: Array, *, b: Annotated[float, ROUNDING] = 4.0) -> Array:
    """Round off the ReLU's corner without an exponential.

        f(x) = (x + sqrt(x^2 + b)) / 2 = max(x, 0) + b / (2 (sqrt(x^2 + b) + |x|))

    The second form adds where the first takes nearly equal numbers from each other (x < 0) or overflows.

    Source      Barron 2021 (arXiv 2112.11687)

    >>> squareplus(np.array([-1.5, 0.0, 1.5]))
    array([0.5, 1. , 2. ])
    """
    # Tie: np.maximum takes half of the slope at x = 0, which is the whole function's slope there.
    # Halves, since the sum of two large numbers may be too large.
    return np.maximum(x, 0.0) + (0.25 * b) / (0.5 * np.hypot(x, math.sqrt(b)) + 0.5 * np.abs(x))


def sparse_plus(x: Array) -> Array:
    """Round off the ReLU's corner by a parabola, exactly 0 from -1 down and x from 1 up.

        f(x) = 0 if x <= -1,  (x + 1)^2 / 4 between,  x if x >= 1

    Source      Martins & Astudillo 2016 (arXiv 1602.02068); in the form of Keras 3

    >>> sparse_plus(np.array([-2.0, 0.0, 2.0]))
    array([0.  , 0.25, 2.  ])
    """
    bend = between(x, -1.0, 1.0) + 1.0
    return np.where(x >= 1, x, 0.25 * (bend * bend))


def hard_shrink(x: Array, *, threshold: Annotated[float, THRESHOLD] = 0.5) -> Array:
    """Silence what is small.

        f(x) = x if |x| > threshold else 0         slope 0 at both jumps

    Source      Donoho & Johnstone 1994: hard thresholding

    >>> hard_shrink(np.array([-2.0, 0.5, 2.0]))
    array([-2.,  0.,  2.])
    """
    return np.where(np.abs(x) <= threshold, 0.0, x)


def soft_shrink(x: Array, *, threshold: Annotated[float, THRESHOLD] = 0.5) -> Array:
    """Silence what is small and draw the rest in by as much.

        f(x) = x - sign(x) threshold if |x| > threshold else 0         slope 0 at both corners

    Source      Donoho & Johnstone 1994: soft thresholding

    >>> soft_shrink(np.array([-2.0, 0.5, 2.0]))
    array([-1.5,  0. ,  1.5])
    """
    return np.where(np.abs(x) <= threshold, 0.0, x - threshold * np.sign(x))


def tanh_shrink(x: Array) -> Array:
    """Take the tanh away, so that small numbers nearly vanish.

        f(x) = x - tanh x = x q / (1 + q),    q = x^2 / (3 + x^2 / (5 + x^2 / (7 + ...)))

    Below |x| = 1 the second form is used: near 0 the value is x^3 / 3, of which the difference keeps nothing.

    Source      the continued fraction of tanh: Lambert 1768 (DLMF 4.39.1)
    Differs     Keras and PyTorch take the difference, which in float32 is 0 at x = 0.0001.

    >>> tanh_shrink(np.array([1e-4, 20.0]))
    array([3.33333332e-13, 1.90000000e+01])
    """
    small = np.where(np.abs(x) < 1, x, 0.0)
    square, q = small * small, 0.0 * small
    for odd in range(17, 1, -2):  # at x = 1 the next link would add less than 1e-17
        q = square / (odd + q)
    return np.where(np.abs(x) < 1, small * (q / (1.0 + q)), x - np.tanh(x))
