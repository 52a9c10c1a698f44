"""Activations that weigh the input by a share of itself: plain NumPy."""

from __future__ import annotations

import math

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.ops.special import ERFC
from minicolumn.nn.activations.sigmoids import hard_sigmoid, logistic

Array = np.ndarray


def silu(x: Array) -> Array:
    """Weigh the input by its logistic; also called swish.

        f(x) = x / (1 + e^-x)

    Source      Elfwing, Uchibe, Doya 2018 (arXiv 1702.03118)

    >>> silu(np.array([0.0, 50.0]))
    array([ 0., 50.])
    """
    return x * logistic(x)


def hard_silu(x: Array) -> Array:
    """Weigh the input by its hard sigmoid; also called hard swish.

        f(x) = 0 if x <= -3,  x (x + 3) / 6 between,  x if x >= 3         slopes 0 and 1 at the corners

    Source      Howard et al. 2019 (arXiv 1905.02244), section 5.2

    >>> hard_silu(np.array([-5.0, 1.5, 5.0]))
    array([-0.   ,  1.125,  5.   ])
    """
    return x * hard_sigmoid(x)


def mish(x: Array) -> Array:
    """Weigh the input by the tanh of its softplus.

        f(x) = x tanh(log(1 + e^x)) = x n / (n + 2),    n = e^x (e^x + 2)

    The second form takes one exponential, and a third of the time.

    Source      Misra 2020 (arXiv 1908.08681)

    >>> mish(np.array([0.0, 20.0]))
    array([ 0., 20.])
    """
    e = np.exp(np.minimum(x, 20.0))  # beyond 20 the share is 1 to every digit
    n = e * (e + 2.0)
    rest = 2.0 / (n + 2.0)
    # Each form keeps its precision on its side, in the value and in the slope.
    return x * np.where(x < 0.0, 0.5 * n * rest, 1.0 - rest)


def gelu(x: Array) -> Array:
    """Weigh the input by the normal distribution function.

        f(x) = x Phi(x) = x erfc(-x / sqrt(2)) / 2

    Source      Hendrycks & Gimpel 2016 (arXiv 1606.08415)
    Differs     JAX takes the tanh form unless told, which is off by up to 0.0005; that is ``gelu_tanh`` here.

    >>> gelu(np.array([0.0, 50.0]))
    array([ 0., 50.])
    """
    return 0.5 * x * ERFC(x * -math.sqrt(0.5))


def gelu_tanh(x: Array) -> Array:
    """Weigh the input by nearly the normal distribution function: the form of GPT-2 and BERT's first code.

        f(x) = x (1 + tanh u) / 2 = x / (1 + e^(-2 u)),    u = sqrt(2 / pi) (x + 0.044715 x^3)

    The second form keeps its relative precision as x -> -inf; in float32 the first is 0 beyond x = -5.5.

    Source      Hendrycks & Gimpel 2016 (arXiv 1606.08415), section 2

    >>> gelu_tanh(np.array([0.0, 1.0, 50.0])).round(4)
    array([ 0.    ,  0.8412, 50.    ])
    """
    # From |x| = 100 on the share is 0 or 1 to every digit; beyond 1e13 the cube would overflow float32.
    near = np.where(np.abs(x) < 100, x, 100.0 * np.sign(x))
    return x * logistic(math.sqrt(8.0 / math.pi) * (near + 0.044715 * (near * near * near)))


def glu(x: Array) -> Array:
    """Weigh the first half of the scores by the logistic of the second.

        f([a | b]) = a / (1 + e^-b),    halves of the last axis

    x           [..., 2 n]
    Returns     [..., n]
    Errors      ShapeError if the last axis is odd or there is none
    Source      Dauphin, Fan, Auli, Grangier 2017 (arXiv 1612.08083), equation 1

    >>> glu(np.array([[2.0, 3.0, 0.0, 50.0]]))
    array([[1., 3.]])
    """
    if not x.shape or x.shape[-1] % 2:
        raise ShapeError(f"glu: scores have shape {list(x.shape)}, expected [..., 2 n]: an even last axis")
    half = x.shape[-1] // 2
    return x[..., :half] * logistic(x[..., half:])
