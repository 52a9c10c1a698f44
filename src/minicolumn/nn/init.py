"""Weight initialization: how far apart the first draws lie, so that signals neither fade nor blow up.

Each initializer is a pure function ``(key, shape, dtype) -> array``; those with settings are frozen records
that can be called as one. A weight has shape ``[fan_in, fan_out]``; axes in front of those two count towards
both fans. They run outside of graphs, on arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from minicolumn import random
from minicolumn.errors import ShapeError
from minicolumn.ir.ops.special import ERFINV
from minicolumn.lower.threads import one_thread
from minicolumn.registry import Choice, Number, Record, Registry, Search, function_alone

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


def identity(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Return the identity matrix, cut or filled up with zeros where the fans differ.

    Source      Le, Jaitly, Hinton 2015 (arXiv 1504.00941)
    Errors      ShapeError for a shape that is no matrix

    >>> identity(random.key(0), (2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    if len(shape) != 2:
        raise ShapeError(f"identity: weights have shape {list(shape)}, expected [fan_in, fan_out]")
    return np.eye(*shape, dtype=dtype)


@final
@dataclass(frozen=True)
class Constant(Record):
    """Fill with one number.

    >>> Constant(0.25)(random.key(0), (2,))
    array([0.25, 0.25], dtype=float32)
    """

    value: Annotated[float, Number(help="The number that all weights are.")] = 0.0

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        return np.full(shape, self.value, dtype)


@final
@dataclass(frozen=True)
class RandomUniform(Record):
    """Draw from U(low, high), any shape.

    Errors      DataError unless low <= high

    >>> RandomUniform(2.0, 3.0)(random.key(0), (5,)).astype(int)
    array([2, 2, 2, 2, 2])
    """

    low: Annotated[float, Number(help="The least weight.")] = -0.05
    high: Annotated[float, Number(help="The largest weight.", at_least="low")] = 0.05

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        return random.uniform(key, shape, dtype) * (self.high - self.low) + self.low


# Standard normal numbers of at most 2 in size: erf(sqrt 2) of all, and their standard deviation.
_WITHIN, _STDDEV_WITHIN = 0.9544997361036416, 0.8796256610342398


@final
@dataclass(frozen=True)
class TruncatedNormal(Record):
    """Draw from N(mean, stddev^2), without what lies more than two standard deviations from the mean.

        mean + stddev sqrt(2) erfinv(erf(sqrt 2) (2 u - 1)),    u uniform on [0, 1)

    stddev      of the normal before it is cut; what is drawn has 0.8796 of it
    Errors      DataError for a negative stddev
    Differs     the usual way draws again until a number lies within; here each number is drawn once

    >>> bool(abs(TruncatedNormal(stddev=1.0)(random.key(0), (1000,))).max() <= 2)
    True
    """

    stddev: Annotated[float, Number(help="Of the normal before it is cut.", ge=0)] = 0.05
    mean: Annotated[float, Number(help="Mean of the weights.")] = 0.0

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        z = math.sqrt(2.0) * ERFINV(_WITHIN * (2.0 * random.uniform(key, shape, dtype) - 1.0))
        return np.clip(z, -2.0, 2.0) * self.stddev + self.mean  # erfinv may round up


_FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}
_DRAWS: dict[str, Callable[..., Array]] = {
    "normal": _normal,
    "truncated_normal": lambda key, shape, dtype, variance: TruncatedNormal(
        math.sqrt(variance) / _STDDEV_WITHIN
    )(key, shape, dtype),
    "uniform": _uniform,
}


@final
@dataclass(frozen=True)
class VarianceScaling(Record):
    """Draw with variance ``scale / fan``: the family of which Glorot, He and LeCun are members.

    scale           2 for the ReLU family, 1 for others
    mode            which fan: "fan_in", "fan_out", or "fan_avg" for half of their sum
    distribution    "truncated_normal", "normal" or "uniform", all of that variance
    Errors          DataError for a scale that is not > 0 or an unknown name
    Source          Glorot & Bengio 2010; He, Zhang, Ren, Sun 2015

    >>> VarianceScaling(2.0, distribution="normal")(random.key(0), (3, 2)).shape
    (3, 2)
    """

    scale: Annotated[float, Number(help="Variance times fan.", gt=0, search=Search(0.1, 4.0))] = 1.0
    mode: Annotated[str, Choice(help="Which fan.", choices=tuple(_FANS))] = "fan_in"
    distribution: Annotated[str, Choice(help="Of the weights.", choices=tuple(_DRAWS))] = "truncated_normal"

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        return _DRAWS[self.distribution](key, shape, dtype, self.scale / _FANS[self.mode](*_fans(shape)))


@final
@dataclass(frozen=True)
class Orthogonal(Record):
    """Draw a matrix whose rows or columns, whichever are fewer, are orthogonal and of length ``gain``.

        Q R = normal draws, Q's signs by the diagonal of R, so that every orthogonal matrix is as likely

    Of a tall matrix the columns are orthonormal, of a wide one the rows. Axes in front count as rows.

    Errors      ShapeError for fewer than two axes, DataError for a gain that is not finite
    Source      Saxe, McClelland, Ganguli 2014 (arXiv 1312.6120); the signs: Mezzadri 2007
                (arXiv math-ph/0609050)

    >>> q = Orthogonal()(random.key(0), (4, 3), np.float64)
    >>> bool(np.allclose(q.T @ q, np.eye(3)))
    True
    """

    gain: Annotated[float, Number(help="Length of rows or columns.", search=Search(0.1, 2.0))] = 1.0

    def __call__(self, key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
        _fans(shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = random.normal(key, (max(rows, columns), min(rows, columns)), np.float64)
        with one_thread():  # so that the bits do not depend on how many there are
            q, r = np.linalg.qr(drawn)
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


INITIALIZERS: Registry[Initializer] = Registry(
    "initializer",
    {
        "glorot_normal": glorot_normal,
        "glorot_uniform": glorot_uniform,
        "he_normal": he_normal,
        "he_uniform": he_uniform,
        "lecun_normal": lecun_normal,
        "lecun_uniform": lecun_uniform,
        "normal": normal,
        "zeros": zeros,
        "ones": ones,
        "identity": identity,
        "constant": Constant(),
        "random_uniform": RandomUniform(),
        "truncated_normal": TruncatedNormal(),
        "variance_scaling": VarianceScaling(),
        "orthogonal": Orthogonal(),
    },
    tag="kind",
    adopt=function_alone,
    wanted="a function (key, shape, dtype) -> array",
)


def initializer_by_name(name: str) -> Initializer:
    """Look an initializer up; settings follow a colon.

    Errors      DataError for an unknown name or setting, or a value out of range

    >>> initializer_by_name("zeros") is zeros
    True
    >>> initializer_by_name("orthogonal:gain=2")
    Orthogonal(gain=2.0)
    """
    return INITIALIZERS.make(name)
