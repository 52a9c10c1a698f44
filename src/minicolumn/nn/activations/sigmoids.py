"""Activations that stay between two bounds: plain NumPy, right at the ends, in value and in derivative."""

from __future__ import annotations

import numpy as np

from minicolumn.ir.ops.elementwise import LOGISTIC

Array = np.ndarray


def between(x: Array, low: float, high: float) -> Array:
    """Cut off at both ends: the middle of low, x and high, with slope 0 at either end and beyond.

    ``np.clip`` would give half a slope at the ends, and NaN must fall into the branch of x.

    >>> between(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0)
    array([-1. ,  0.5,  1. ])
    """
    return np.where(x <= low, low, np.where(x >= high, high, x))


def step(x: Array) -> Array:
    """Fire or not: the threshold of the 1943 neuron.

        f(x) = 1 if x >= 0 else 0

    Its derivative is 0 everywhere (and taken as 0 at the jump), so gradient descent cannot train through it.

    Source      McCulloch & Pitts 1943

    >>> step(np.array([-1.0, 0.0, 2.0]))
    array([0., 1., 1.])
    """
    return (x >= 0).astype(x.dtype)


def logistic(x: Array) -> Array:
    """Squash to (0, 1).

        f(x) = 1 / (1 + e^-x) = exp(-log(1 + e^-x))

    The second form keeps its relative precision as x -> -inf, where ``0.5 (1 + tanh(x/2))`` is 19 % wrong at
    x = -17.5 in float32.

    >>> logistic(np.array([-100.0, 0.0, 100.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    return LOGISTIC(x)


def tanh(x: Array) -> Array:
    """Squash to (-1, 1): ``f(x) = tanh x``.

    >>> tanh(np.array([0.0]))
    array([0.])
    """
    return np.tanh(x)


def hard_tanh(x: Array) -> Array:
    """Squash to [-1, 1] by three straight lines.

        f(x) = -1 if x <= -1,  x between,  1 if x >= 1         slope 0 at both corners, as in PyTorch

    Source      Collobert 2004, "Large scale machine learning"

    >>> hard_tanh(np.array([-3.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    return between(x, -1.0, 1.0)


def hard_sigmoid(x: Array) -> Array:
    """Squash to [0, 1] by three straight lines.

        f(x) = 0 if x <= -3,  x / 6 + 1/2 between,  1 if x >= 3         slope 0 at both corners

    Source      Howard et al. 2019 (arXiv 1905.02244), section 5.2
    Differs     Keras 2 and Theano took 0.2 x + 0.5; Keras 3 and PyTorch are as here.

    >>> hard_sigmoid(np.array([-5.0, 0.0, 1.5, 5.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    return between(x + 3.0, 0.0, 6.0) * (1.0 / 6.0)


def sparse_sigmoid(x: Array) -> Array:
    """Squash to [0, 1], exactly 0 from -1 down and 1 from 1 up: the slope of ``sparse_plus``.

        f(x) = 0 if x <= -1,  (x + 1) / 2 between,  1 if x >= 1         slope 0 at both corners

    Source      Martins & Astudillo 2016 (arXiv 1602.02068): sparsemax of the two scores x/2 and -x/2

    >>> sparse_sigmoid(np.array([-2.0, 0.0, 0.5, 2.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    return 0.5 * between(x, -1.0, 1.0) + 0.5


def softsign(x: Array) -> Array:
    """Squash to (-1, 1), more slowly than tanh.

        f(x) = x / (1 + |x|) = sign(x) (1 - 1 / (1 + |x|))

    The second form, used from |x| = 1 on, has the derivative 1 / (1 + |x|)^2 without a difference of nearly
    equal numbers; the first keeps its digits near 0.

    Source      Turian, Bergstra, Bengio 2009

    >>> softsign(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """
    share = 1.0 / (1.0 + np.abs(x))
    return np.where(np.abs(x) < 1, x * share, np.sign(x) * (1.0 - share))


def sine(x: Array) -> Array:
    """Swing between -1 and 1: ``f(x) = sin x``, for networks of signals with fine detail.

    Source      Sitzmann, Martel, Bergman, Lindell, Wetzstein 2020 (arXiv 2006.09661)
    Differs     the paper multiplies by 30 inside the first layer; scale the inputs for that.

    >>> sine(np.array([0.0]))
    array([0.])
    """
    return np.sin(x)
