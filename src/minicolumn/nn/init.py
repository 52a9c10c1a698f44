"""Initial weights: how far apart the first draws lie, so that signals neither fade nor blow up.

Each initializer is a pure function ``(key, shape, dtype) -> array``. A weight has shape
``[fan_in, fan_out]``; axes in front of those two count towards both fans.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError, did_you_mean

Array = np.ndarray
Shape = tuple[int, ...]
Initializer = Callable[[Array, Shape, Any], Array]


def _fans(shape: Shape) -> tuple[int, int]:
    """Return fan_in and fan_out of a weight."""
    if len(shape) < 2 or 0 in shape:
        raise ShapeError(
            f"initializer: weights have shape {list(shape)}, expected [fan_in, fan_out], not empty"
        )
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


def _normal(key: Array, shape: Shape, dtype: Any, variance: float) -> Array:
    return random.normal(key, shape, dtype) * math.sqrt(variance)


def _uniform(key: Array, shape: Shape, dtype: Any, variance: float) -> Array:
    """Draw from the uniform distribution on [-a, a], whose variance is a*a/3."""
    return (random.uniform(key, shape, dtype) * 2.0 - 1.0) * math.sqrt(3.0 * variance)


def glorot_normal(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from N(0, 2 / (fan_in + fan_out)), for tanh and other odd, unit-slope activations.

    Source      Glorot & Bengio 2010, equation 12
    Differs     Keras cuts the normal at two standard deviations and widens it to the same variance.

    >>> glorot_normal(random.key(0), (3, 2)).shape
    (3, 2)
    """
    return _normal(key, shape, dtype, 2.0 / sum(_fans(shape)))


def glorot_uniform(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from U(-a, a) with a = sqrt(6 / (fan_in + fan_out)): variance 2 / (fan_in + fan_out).

    Source      Glorot & Bengio 2010, equation 16

    >>> bool(abs(glorot_uniform(random.key(0), (3, 3))).max() <= 1)
    True
    """
    return _uniform(key, shape, dtype, 2.0 / sum(_fans(shape)))


def he_normal(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from N(0, 2 / fan_in), for the ReLU family, which passes half the variance on.

    Source      He, Zhang, Ren, Sun 2015 (arXiv 1502.01852), equation 10
    Differs     Keras cuts the normal at two standard deviations and widens it to the same variance.

    >>> he_normal(random.key(0), (3, 2)).dtype
    dtype('float32')
    """
    return _normal(key, shape, dtype, 2.0 / _fans(shape)[0])


def he_uniform(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from U(-a, a) with a = sqrt(6 / fan_in): variance 2 / fan_in.

    Source      He, Zhang, Ren, Sun 2015 (arXiv 1502.01852), equation 10

    >>> bool(abs(he_uniform(random.key(0), (6, 3))).max() <= 1)
    True
    """
    return _uniform(key, shape, dtype, 2.0 / _fans(shape)[0])


def lecun_normal(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from N(0, 1 / fan_in), which SELU needs.

    Source      LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", equation 16

    >>> lecun_normal(random.key(0), (3, 2)).shape
    (3, 2)
    """
    return _normal(key, shape, dtype, 1.0 / _fans(shape)[0])


def lecun_uniform(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from U(-a, a) with a = sqrt(3 / fan_in): variance 1 / fan_in.

    Source      LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", equation 16

    >>> bool(abs(lecun_uniform(random.key(0), (3, 3))).max() <= 1)
    True
    """
    return _uniform(key, shape, dtype, 1.0 / _fans(shape)[0])


def normal(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from N(0, 1), any shape: for embeddings and for the NTK parametrisation.

    >>> normal(random.key(0), (5,)).shape
    (5,)
    """
    return random.normal(key, shape, dtype)


def zeros(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Return zeros: for biases. Weights that start equal stay equal.

    >>> zeros(random.key(0), (2,))
    array([0., 0.], dtype=float32)
    """
    return np.zeros(shape, dtype)


def ones(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Return ones.

    >>> ones(random.key(0), (2,))
    array([1., 1.], dtype=float32)
    """
    return np.ones(shape, dtype)


INITIALIZERS: dict[str, Initializer] = {
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "normal": normal,
    "zeros": zeros,
    "ones": ones,
}


def initializer_by_name(name: str) -> Initializer:
    """Look an initializer up.

    Errors      DataError for an unknown name

    >>> initializer_by_name("zeros") is zeros
    True
    """
    if name not in INITIALIZERS:
        raise DataError(f"unknown initializer {name!r}{did_you_mean(name, INITIALIZERS)}")
    return INITIALIZERS[name]
