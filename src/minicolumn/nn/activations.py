"""Activations: plain NumPy functions in the form that stays right at the ends, and one table of them.

They work on arrays of any shape and keep float32 float32. Derivatives come from autodiff, so each is
written in the form whose derivative is right too. NaN goes in, NaN comes out, except through ``step``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.ir.ops.elementwise import LOGISTIC, SOFTPLUS, STOP_GRADIENT
from minicolumn.ir.ops.special import ERFC

Array = np.ndarray

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def linear(x: Array) -> Array:
    """Return the input: ``f(x) = x``.

    >>> linear(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """
    return x


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


def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """Let a little through below zero.

        f(x) = x if x > 0 else slope x

    Source      Maas, Hannun, Ng 2013
    Differs     Keras 3 takes slope 0.3 in its layer and 0.2 in its function; PyTorch 0.01 as here.

    >>> leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return np.where(x > 0, x, slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Bend smoothly to -alpha below zero.

        f(x) = x if x > 0 else alpha (e^x - 1)

    Source      Clevert, Unterthiner, Hochreiter 2016 (arXiv 1511.07289)

    >>> elu(np.array([-100.0, 2.0]))
    array([-1.,  2.])
    """
    # The branch not taken must stay finite, or its derivative turns 0 * inf into NaN.
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0.0, x)))


def selu(x: Array) -> Array:
    """Bend below zero so that mean 0 and variance 1 pass through a layer unchanged.

        f(x) = 1.0507 x if x > 0 else 1.0507 * 1.6733 (e^x - 1)

    Goes with LeCun initialisation.

    Source      Klambauer, Unterthiner, Mayr, Hochreiter 2017 (arXiv 1706.02515), equation 2

    >>> selu(np.array([0.0, 1.0])).round(4)
    array([0.    , 1.0507])
    """
    return SELU_SCALE * elu(x, SELU_ALPHA)


def softplus(x: Array) -> Array:
    """Round off the ReLU's corner.

        f(x) = log(1 + e^x)

    Source      Dugas, Bengio, Belisle, Nadeau, Garcia 2001

    >>> softplus(np.array([-100.0, 0.0, 100.0])).round(4)
    array([  0.    ,   0.6931, 100.    ])
    """
    return SOFTPLUS(x)


def mish(x: Array) -> Array:
    """Weigh the input by the tanh of its softplus.

        f(x) = x tanh(log(1 + e^x))

    Source      Misra 2020 (arXiv 1908.08681)

    >>> mish(np.array([0.0, 20.0]))
    array([ 0., 20.])
    """
    return x * np.tanh(softplus(x))


def silu(x: Array) -> Array:
    """Weigh the input by its logistic; also called swish.

        f(x) = x / (1 + e^-x)

    Source      Elfwing, Uchibe, Doya 2018 (arXiv 1702.03118)

    >>> silu(np.array([0.0, 50.0]))
    array([ 0., 50.])
    """
    return x * logistic(x)


def gelu(x: Array) -> Array:
    """Weigh the input by the normal distribution function.

        f(x) = x Phi(x) = x erfc(-x / sqrt(2)) / 2

    Source      Hendrycks & Gimpel 2016 (arXiv 1606.08415)
    Differs     JAX takes the tanh form unless told, which is off by up to 0.0005.

    >>> gelu(np.array([0.0, 50.0]))
    array([ 0., 50.])
    """
    return 0.5 * x * ERFC(x * -math.sqrt(0.5))


def exponential(x: Array) -> Array:
    """Turn a logarithm into what it is the logarithm of: for expected counts.

        f(x) = e^x

    >>> exponential(np.array([0.0]))
    array([1.])
    """
    return np.exp(x)


def softmax(x: Array) -> Array:
    """Turn scores into shares that add up to 1, over the last axis.

        f(x)_i = e^(x_i - m) / sum_j e^(x_j - m),    m = max_j x_j

    x           [..., classes]
    Returns     [..., classes]
    Source      Bridle 1990

    >>> softmax(np.array([[1000.0, 1000.0]]))
    array([[0.5, 0.5]])
    """
    # A shift changes no share, so the maximum passes no derivative on.
    weights = np.exp(x - STOP_GRADIENT(np.max(x, axis=-1, keepdims=True)))
    return weights / np.sum(weights, axis=-1, keepdims=True)


@dataclass(frozen=True, slots=True)
class ActivationRule:
    """An activation with what the rest of the package needs to know about it."""

    name: str
    function: Callable[[Array], Array]
    formula: str
    init: str  # the initialisation that keeps the signal's variance through it
    trainable: bool = True  # False where the derivative is 0 everywhere


_RULES = (
    ActivationRule("linear", linear, "x", "glorot_uniform"),
    ActivationRule("step", step, "1 if x >= 0 else 0", "glorot_uniform", trainable=False),
    ActivationRule("logistic", logistic, "1 / (1 + e^-x)", "glorot_uniform"),
    ActivationRule("tanh", tanh, "tanh x", "glorot_uniform"),
    ActivationRule("relu", relu, "max(x, 0)", "he_normal"),
    ActivationRule("leaky_relu", leaky_relu, "x if x > 0 else 0.01 x", "he_normal"),
    ActivationRule("elu", elu, "x if x > 0 else e^x - 1", "he_normal"),
    ActivationRule("selu", selu, "1.0507 (x if x > 0 else 1.6733 (e^x - 1))", "lecun_normal"),
    ActivationRule("mish", mish, "x tanh(log(1 + e^x))", "he_normal"),
    ActivationRule("softplus", softplus, "log(1 + e^x)", "he_normal"),
    ActivationRule("silu", silu, "x / (1 + e^-x)", "he_normal"),
    ActivationRule("gelu", gelu, "x Phi(x)", "he_normal"),
    ActivationRule("exponential", exponential, "e^x", "glorot_uniform"),
    ActivationRule("softmax", softmax, "e^x_i / sum_j e^x_j", "glorot_uniform"),
)

ACTIVATIONS: dict[str, ActivationRule] = {rule.name: rule for rule in _RULES}


def activation_by_name(name: str) -> ActivationRule:
    """Look an activation up.

    Errors      DataError for an unknown name

    >>> activation_by_name("relu").formula
    'max(x, 0)'
    """
    if name not in ACTIVATIONS:
        raise DataError(f"unknown activation {name!r}{did_you_mean(name, ACTIVATIONS)}")
    return ACTIVATIONS[name]
