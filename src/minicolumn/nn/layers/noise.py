"""Dropout and noise layers, which act while training and pass everything on otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from minicolumn import random
from minicolumn.nn.activations.rectifiers import SELU_ALPHA, SELU_SCALE, relu, softplus
from minicolumn.nn.layer import Array, Layer, Params, Shape, computed, needed_key
from minicolumn.registry import Number, Search, is_on

RATE = Number(help="Share of the numbers that is silenced in training.", ge=0, lt=1, search=Search(0.0, 0.6))


class _Noise(Layer):
    """A layer that changes each number by chance while training, and passes it on otherwise."""

    def noisy(self, x: Array, key: Array) -> Array:
        """Return the outputs of a training step."""
        raise NotImplementedError(f"{type(self).__name__} lacks noisy")

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return self.noisy(x, needed_key(self, key)) if training and self.draws else x

    @property
    def operations(self) -> int:
        return 0 if type(self).moved is _Noise.moved else 1

    def moved(self, columns: Array) -> Array:
        return columns


class _AtRate(_Noise):
    """Noise that a rate makes larger, up to 1, which it may not be."""

    rate: float

    @property
    def draws(self) -> bool:
        return is_on(self.rate)


@final
@dataclass(frozen=True, repr=False)
class Dropout(_AtRate):
    """While training, silence each number with probability ``rate`` and scale up the others.

        training    y = x m / (1 - rate),   m = 0 with probability rate, else 1
        otherwise   y = x

    rate        0 <= rate < 1
    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a rate outside [0, 1) or a missing key
    Source      Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014
    Differs     the paper scales down at prediction; this "inverted" form, as in Keras and PyTorch, scales up
                in training.

    >>> Dropout(0.5).apply({}, np.ones((1, 6)), key=random.key(0), training=True)
    array([[2., 2., 2., 0., 0., 0.]])
    """

    live: ClassVar[tuple[str, ...]] = ("rate",)
    rate: Annotated[float, RATE]

    def noisy(self, x: Array, key: Array) -> Array:
        keep = 1.0 - self.rate
        kept = random.bernoulli(key, keep, x.shape)
        return np.where(kept, x * (1.0 / keep), 0.0)


@final
@dataclass(frozen=True, repr=False)
class AlphaDropout(_AtRate):
    """While training, push numbers to the floor of SELU with probability ``rate``; keep mean and variance.

        training    y = a (x if kept else low) + b,    low = -1.0507 * 1.6733 = -1.7581
                    a = (q + low^2 q rate)^(-1/2),    b = -a rate low,    q = 1 - rate
        otherwise   y = x

    For inputs of mean 0 and variance 1, which SELU makes, outputs have them too.

    rate        0 <= rate < 1
    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a rate outside [0, 1) or a missing key
    Source      Klambauer, Unterthiner, Mayr, Hochreiter 2017 (arXiv 1706.02515), section "New dropout"

    >>> y = AlphaDropout(0.5).apply({}, np.zeros((1, 4)), key=random.key(0), training=True)
    >>> y.round(3)
    array([[ 0.779,  0.779, -0.779, -0.779]])
    """

    rate: Annotated[float, RATE]

    def noisy(self, x: Array, key: Array) -> Array:
        keep, low = 1.0 - self.rate, -SELU_SCALE * SELU_ALPHA
        factor = 1.0 / math.sqrt(keep + low * low * keep * self.rate)
        kept = random.bernoulli(key, keep, x.shape)
        return np.where(kept, x, low) * factor - factor * self.rate * low


@final
@dataclass(frozen=True, repr=False)
class GaussianDropout(_AtRate):
    """While training, multiply each number by a random one around 1.

        training    y = x (1 + s z),    z ~ N(0, 1),    s^2 = rate / (1 - rate)
        otherwise   y = x

    The factor has the mean and the variance of dropout's.

    rate        0 <= rate < 1
    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a rate outside [0, 1) or a missing key
    Source      Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, section 10

    >>> GaussianDropout(0.5).apply({}, np.ones((1, 3)), key=random.key(0), training=True).shape
    (1, 3)
    """

    rate: Annotated[float, RATE]

    def noisy(self, x: Array, key: Array) -> Array:
        noise = random.normal(key, x.shape, x.dtype)
        return x * (1.0 + math.sqrt(self.rate / (1.0 - self.rate)) * noise)


@final
@dataclass(frozen=True, repr=False)
class GaussianNoise(_Noise):
    """While training, add noise to each number.

        training    y = x + stddev z,    z ~ N(0, 1)
        otherwise   y = x

    stddev      >= 0, in the units of the inputs
    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a negative stddev or a missing key
    Source      Sietsma & Dow 1991; Bishop 1995, "Training with noise is equivalent to Tikhonov
                regularization"

    >>> GaussianNoise(0.1).apply({}, np.ones((1, 3)), key=random.key(0), training=True).shape
    (1, 3)
    """

    live: ClassVar[tuple[str, ...]] = ("stddev",)
    stddev: Annotated[
        float, Number(help="Of the noise, in units of the inputs.", ge=0, search=Search(0.0, 1.0))
    ]

    def noisy(self, x: Array, key: Array) -> Array:
        return x + self.stddev * random.normal(key, x.shape, x.dtype)

    @property
    def draws(self) -> bool:
        return is_on(self.stddev)


@final
@dataclass(frozen=True, repr=False)
class NoisyReLU(_Noise):
    """Cut off below zero, with noise in front while training: as large as a unit is unsure.

        training    y = max(0, x + z sqrt(logistic(x))),    z ~ N(0, 1)
        otherwise   y = max(0, x)

    The derivative goes through the size of the noise too; the draws themselves are held fixed.

    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a missing key
    Source      Nair & Hinton 2010, section 2: the variance of the noise is logistic(x)

    >>> NoisyReLU().apply({}, np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return relu(super().apply(params, x, key=key, training=training))

    def moved(self, columns: Array) -> Array:
        return computed(columns.shape[1:])

    def noisy(self, x: Array, key: Array) -> Array:
        # sqrt(logistic(x)), whose logarithm is taken first: its slope stays finite as x -> -inf.
        size = np.exp(-0.5 * softplus(-x))
        return x + size * random.normal(key, x.shape, x.dtype)
