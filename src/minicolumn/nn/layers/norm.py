"""Normalization layers: mean 0 and variance 1, over the batch, over each row, or by given constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from minicolumn.ir.ops.elementwise import STOP_GRADIENT
from minicolumn.nn.layer import Array, Featurewise, Layer, Param, Params, Shape, feature_count
from minicolumn.registry import Boolean, Number, Search

EPS = Number(help="Added to the variance, inside the root.", gt=0, search=Search(1e-8, 1e-2, log=True))
AFFINE = Boolean(help="Whether each feature has a scale and a bias.")
MOMENTUM = Number(
    help="How much of the running statistics each batch leaves.", ge=0, lt=1, search=Search(0.5, 0.99)
)


def _affine(layer: Layer, input_shape: Shape) -> Params:
    shape = (feature_count(layer, input_shape),)
    return {"scale": Param(shape, "ones"), "bias": Param(shape)}


@final
@dataclass(frozen=True, repr=False)
class BatchNorm(Featurewise):
    """Bring each feature to mean 0 and variance 1 over the batch, then to a learned variance and mean.

        training    y = scale (x - m) / sqrt(v + eps) + bias        m, v of this batch, v = mean of (x - m)^2
                    mean     = momentum mean + (1 - momentum) m
                    variance = momentum variance + (1 - momentum) v
        otherwise   y = scale (x - mean) / sqrt(variance + eps) + bias

    m and v are taken over all axes but the last. A batch of one row has v = 0, so y = bias; an empty batch
    moves nothing. Rows of a batch count alike, whatever their ``sample_weight``.

    momentum    how much of the running statistics each batch leaves, 0 <= momentum < 1
    eps         > 0, inside the root
    affine      whether there are scale and bias
    x           [batch, ..., features], and y the same
    params      scale, bias, mean, variance [features]; the last two are moved by ``apply_training`` alone:
                they have no gradient, and no penalty, optimizer or constraint acts on them
    Source      Ioffe & Szegedy 2015 (arXiv 1502.03167), Algorithms 1 and 2
    Differs     momentum is the share kept, as in Keras (0.99 there); PyTorch's 0.1 is 0.9 here. The running
                variance is that of the batch, divided by n, as in Keras; PyTorch and the paper divide by
                n - 1, which a batch of one row has not. Keras takes eps 0.001.

    >>> layer, x = BatchNorm(), np.array([[1.0], [3.0]])
    >>> y, params = layer.apply_training(layer.init(0, (1,), np.float64), x)
    >>> y.round(3).tolist(), params["mean"].round(3).tolist()
    ([[-1.0], [1.0]], [0.2])
    """

    momentum: Annotated[float, MOMENTUM] = 0.9
    eps: Annotated[float, EPS] = 1e-5
    affine: Annotated[bool, AFFINE] = True

    def declare(self, input_shape: Shape) -> Params:
        shape = (feature_count(self, input_shape),)
        statistics = {"mean": Param(shape), "variance": Param(shape, "ones")}
        return (_affine(self, input_shape) if self.affine else {}) | statistics

    @property
    def operations(self) -> int:
        return 8

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        if training:
            return self.apply_training(params, x, key)[0]
        mean, variance = STOP_GRADIENT(params["mean"]), STOP_GRADIENT(params["variance"])
        return self._normalized(params, x - mean, variance)

    def apply_training(self, params: Params, x: Array, key: Array | None = None) -> tuple[Array, Params]:
        if 0 in x.shape:
            return self.apply(params, x), params
        axes = tuple(range(len(x.shape) - 1))
        mean = np.mean(x, axis=axes)
        centred = x - mean
        variance = np.mean(centred * centred, axis=axes)
        seen = {"mean": mean, "variance": variance}
        moved = {name: self._moved(params[name], value) for name, value in seen.items()}
        return self._normalized(params, centred, variance), {**params, **moved}

    def _moved(self, running: Array, batch: Array) -> Array:
        return STOP_GRADIENT(self.momentum * running + (1.0 - self.momentum) * batch)

    def _normalized(self, params: Params, centred: Array, variance: Array) -> Array:
        factor = 1.0 / np.sqrt(variance + self.eps)
        return centred * (factor * params["scale"]) + params["bias"] if self.affine else centred * factor

    @property
    def observes(self) -> bool:
        return True


@final
@dataclass(frozen=True, repr=False)
class LayerNorm(Featurewise):
    """Bring each row to mean 0 and variance 1 over its features, then scale and shift each feature.

        y = scale (x - m) / sqrt(v + eps) + bias        m, v of the last axis, v = mean of (x - m)^2

    eps         > 0, inside the root
    affine      whether there are scale and bias
    x           [batch, ..., features], and y the same
    params      scale, bias [features]
    Source      Ba, Kiros, Hinton 2016 (arXiv 1607.06450)
    Differs     Keras takes eps 0.001; PyTorch's normalized_shape is always the last axis here

    >>> layer = LayerNorm(affine=False)
    >>> layer.apply({}, np.array([[1.0, 3.0]])).round(3)
    array([[-1.,  1.]])
    """

    eps: Annotated[float, EPS] = 1e-5
    affine: Annotated[bool, AFFINE] = True

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return _affine(self, input_shape) if self.affine else {}

    @property
    def operations(self) -> int:
        return 12

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        centred = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        y = centred * (1.0 / np.sqrt(variance + self.eps))
        return y * params["scale"] + params["bias"] if self.affine else y


@final
@dataclass(frozen=True, repr=False)
class RMSNorm(Featurewise):
    """Bring each row to mean square 1 over its features, then scale each feature.

        y = scale x / sqrt(mean of x^2 + eps)        over the last axis

    eps         > 0, inside the root
    x           [batch, ..., features], and y the same
    params      scale [features]
    Source      Zhang & Sennrich 2019 (arXiv 1910.07467)
    Differs     eps is 1e-6 in Keras and the dtype's own in PyTorch

    >>> RMSNorm().apply({"scale": np.ones(2)}, np.array([[3.0, 4.0]])).round(3)
    array([[0.849, 1.131]])
    """

    eps: Annotated[float, EPS] = 1e-5

    def declare(self, input_shape: Shape) -> Params:
        return {"scale": Param((feature_count(self, input_shape),), "ones")}

    @property
    def operations(self) -> int:
        return 8

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return x * (1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)) * params["scale"]


@final
@dataclass(frozen=True, repr=False)
class Standardize(Featurewise):
    """Standardize each feature by constants that no training moves: those of a scaler fitted before.

        y = (x - mean) / deviation

    x           [batch, ..., features], and y the same
    params      mean, deviation [features], 0 and 1 at the start: constants by their role, which
                no gradient, penalty, optimizer or constraint moves
    Elsewhere   scikit-learn's StandardScaler; Keras' Normalization and Rescaling
    Differs     `BatchNorm` finds its own statistics as it trains. Behind scaling there is no eps: a deviation
                is not 0

    >>> Standardize().apply({"mean": np.array([1.0]), "deviation": np.array([2.0])}, np.array([[5.0]]))
    array([[2.]])
    """

    def declare(self, input_shape: Shape) -> Params:
        shape = (feature_count(self, input_shape),)
        return {"mean": Param(shape, role="constant"), "deviation": Param(shape, "ones", "constant")}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return (x - STOP_GRADIENT(params["mean"])) / STOP_GRADIENT(params["deviation"])
