"""Layers of Keras 3 by class: a table from a class's name to what it appends to a chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.imports.chain import Chain, settled
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise

Array = np.ndarray
Config = dict[str, Any]
# Names of activations that are spelt otherwise here; all others of Keras that are here have the same name.
_ACTIVATIONS = {
    "sigmoid": "logistic", "swish": "silu", "hard_swish": "hard_silu", "leaky_relu": "leaky_relu:slope=0.2",
}  # fmt: skip
_SAME = (
    "linear", "relu", "relu6", "tanh", "softmax", "log_softmax", "softplus", "softsign", "selu", "elu",
    "celu", "exponential", "silu", "gelu", "mish", "hard_sigmoid", "hard_silu", "log_sigmoid", "hard_tanh",
    "tanh_shrink", "soft_shrink", "hard_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "sparsemax",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """One layer of a config: class and settings, and its arrays in the order in which Keras saves them."""

    kind: str
    config: Config
    arrays: tuple[Array, ...]

    @property
    def where(self) -> str:
        """Class and name, for messages."""
        return f"{self.kind[:40]} ({str(self.config.get('name'))[:40]})"

    def number(self, name: str, default: float) -> float:
        """Return a setting that is a number."""
        value = self.config.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelFileError(f"has a setting {name} that is no number")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return a setting that is true or false."""
        value = self.config.get(name, default)
        if not isinstance(value, bool):
            raise ModelFileError(f"has a setting {name} that is neither true nor false")
        return value

    def taken(self, count: int) -> tuple[Array, ...]:
        """Return its arrays, of which there must be so many."""
        if len(self.arrays) != count or any(array.dtype.kind not in "fiu" for array in self.arrays):
            raise ModelFileError(f"has {len(self.arrays)} arrays, expected {count}")
        return self.arrays


def _activation(value: Any) -> str:
    """Return the name here of an activation there; ModelFileError for one of one's own."""
    if isinstance(value, str) and value in _SAME:
        return value
    if isinstance(value, str) and value in _ACTIVATIONS:
        return _ACTIVATIONS[value]
    raise ModelFileError(f"has the activation {str(value)[:60]!a}, which is not known here")


def _dense(layer: KerasLayer, chain: Chain) -> Chain:
    if layer.flag("use_bias", True):
        weight, bias = layer.taken(2)
        chain = chain.dense(weight.astype(np.float64), bias)
    else:
        chain = chain.dense(layer.taken(1)[0].astype(np.float64))
    return chain.activation(_activation(layer.config.get("activation", "linear")))


def _batch_norm(layer: KerasLayer, chain: Chain) -> Chain:
    if _axis(layer) not in (-1, len(chain.shape)):
        raise ModelFileError("normalizes over another axis than the last")
    scaled, centred = layer.flag("scale", True), layer.flag("center", True)
    if layer.config.get("renorm") not in (None, False):
        raise ModelFileError("renormalizes")
    arrays = list(layer.taken(2 + scaled + centred))
    scale = arrays.pop(0) if scaled else None
    bias = arrays.pop(0) if centred else None
    keep = min(max(layer.number("momentum", 0.99), 0.0), 0.9999)
    return chain.batch_norm(arrays[0], arrays[1], scale, bias, layer.number("epsilon", 1e-3), keep)


def _layer_norm(layer: KerasLayer, chain: Chain) -> Chain:
    if _axis(layer) not in (-1, len(chain.shape)) or layer.config.get("rms_scaling") not in (None, False):
        raise ModelFileError("normalizes over more than the last axis, or by its mean square")
    scaled, centred = layer.flag("scale", True), layer.flag("center", True)
    arrays = list(layer.taken(scaled + centred))
    scale = arrays.pop(0) if scaled else None
    bias = arrays.pop(0) if centred else None
    return chain.layer_norm(scale, bias, layer.number("epsilon", 1e-3))


def _normalization(layer: KerasLayer, chain: Chain) -> Chain:
    if _axis(layer) not in (-1, len(chain.shape)) or layer.config.get("invert") not in (None, False):
        raise ModelFileError("normalizes over another axis than the last, or the other way round")
    mean, variance = layer.config.get("mean"), layer.config.get("variance")
    if mean is None and variance is None:
        if len(layer.arrays) not in (2, 3):
            raise ModelFileError("was never adapted, so it has no mean and variance")
        mean, variance = layer.arrays[:2]
    mean, variance = _plain_numbers(mean), _plain_numbers(variance)
    return chain.standardize(mean, np.maximum(np.sqrt(variance), 1e-7))  # as Keras' epsilon is


def _plain_numbers(value: Any) -> Array:
    """Return an array, or a list of numbers of a config, as float64."""
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ModelFileError("has a mean or variance that is no numbers") from None
    if not np.isfinite(found).all():
        raise ModelFileError("has a mean or variance that is not finite")
    return found


def _axis(layer: KerasLayer) -> int:
    """Return the one axis of a norm."""
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int:
        raise ModelFileError("has several axes")
    return axis


def _rescaling(layer: KerasLayer, chain: Chain) -> Chain:
    scale, offset = _plain_numbers(layer.config.get("scale")), _plain_numbers(layer.config.get("offset", 0.0))
    if scale.ndim > 1 or not np.all(scale):
        raise ModelFileError("scales by 0, or by more than a number a feature")
    return chain.standardize(-offset / scale, 1.0 / scale)


def _relu(layer: KerasLayer, chain: Chain) -> Chain:
    top, slope = layer.config.get("max_value"), layer.number("negative_slope", 0.0)
    if layer.number("threshold", 0.0) != 0 or (top is not None and (top != 6 or slope != 0)):
        raise ModelFileError("is a ReLU with a threshold, or an end other than 6")
    if top is not None:
        return chain.activation("relu6")
    return chain.activation(_set("leaky_relu", "slope", slope) if slope else "relu")


def _softmax(layer: KerasLayer, chain: Chain) -> Chain:
    if _axis(layer) not in (-1, len(chain.shape)):
        raise ModelFileError("takes the softmax over another axis than the last")
    return chain.activation("softmax")


def _prelu(layer: KerasLayer, chain: Chain) -> Chain:
    (slope,) = layer.taken(1)
    if len(chain.shape) != 1:
        raise ModelFileError("has slopes for more than one axis")
    return chain.prelu(slope)


def _reshape(layer: KerasLayer, chain: Chain) -> Chain:
    shape = layer.config.get("target_shape")
    if (
        not isinstance(shape, list)
        or not 0 < len(shape) <= 8
        or not all(type(n) is int and n >= -1 for n in shape)
    ):
        raise ModelFileError("has a shape that cannot be")
    return chain.reshape(tuple(shape))


def _silent(kind: Any, setting: str, default: float) -> Callable[[KerasLayer, Chain], Chain]:
    """Return what appends a layer that does nothing when predicting."""
    return lambda layer, chain: chain.then(
        settled(kind, **{_setting_of(kind): layer.number(setting, default)})
    )


def _setting_of(kind: Any) -> str:
    """Return the name of the one setting of a layer of noise."""
    return next(iter(kind.__settings__))


def _set(name: str, setting: str, value: float) -> str:
    """Return an activation with a setting as text; ModelFileError where it is out of range."""
    text = f"{name}:{setting}={value!r}"
    try:
        activation_by_name(text)
    except DataError as error:
        raise ModelFileError(f"has a setting out of range: {error}") from None
    return text


LAYERS: dict[str, Callable[[KerasLayer, Chain], Chain]] = {
    "Dense": _dense,
    "Activation": lambda layer, chain: chain.activation(_activation(layer.config.get("activation"))),
    "ReLU": _relu,
    "LeakyReLU": lambda layer, chain: chain.activation(
        _set("leaky_relu", "slope", layer.number("negative_slope", 0.3))
    ),
    "ELU": lambda layer, chain: chain.activation(_set("elu", "alpha", layer.number("alpha", 1.0))),
    "PReLU": _prelu,
    "Softmax": _softmax,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Flatten": lambda layer, chain: chain.reshape((-1,)),
    "Reshape": _reshape,
    "Dropout": _silent(Dropout, "rate", 0.5),
    "AlphaDropout": _silent(AlphaDropout, "rate", 0.5),
    "GaussianDropout": _silent(GaussianDropout, "rate", 0.5),
    "GaussianNoise": _silent(GaussianNoise, "stddev", 1.0),
    "Identity": lambda layer, chain: chain,
    "ActivityRegularization": lambda layer, chain: chain,
}
