"""The parts that optimizers are chained from. Each turns a direction of descent into a better one.

Numbers raised to the step count are taken as ``-expm1(t log b)``, which keeps seven digits of ``1 - b**t`` in
float32, where the plain form has four for b = 0.999 at the first step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicolumn.optim.transform import Array, Transform


def _nothing(param: Array) -> dict[str, Array]:
    return {}


def _one_minus_power(base: float, time: Array) -> Array:
    """Return ``1 - base**time``."""
    return -np.expm1(time * math.log(base)) if base > 0 else np.ones_like(time)


def decay(rate: float) -> Transform:
    """Pull every weight towards zero in proportion to its size.

        d' = d + rate p

    In front of the other parts this is the gradient of ``rate / 2 * sum p^2``; behind them it is decoupled.

    Source      behind: Loshchilov & Hutter 2019 (arXiv 1711.05101), Algorithm 2

    >>> decay(0.5).step(np.array([1.0]), {}, np.array([4.0]), np.float64(1))[0]
    array([3.])
    """
    return Transform((), _nothing, lambda d, moments, param, time: (d + rate * param, moments))


def heavy_ball(momentum: float = 0.9, nesterov: bool = False) -> Transform:
    """Keep rolling: add up past directions, older ones less and less.

        v = momentum v + d        d' = v,   or with Nesterov's look ahead   d' = d + momentum v

    Source      Polyak 1964; Nesterov 1983 in the form of Sutskever, Martens, Dahl, Hinton 2013
    Differs     Keras and scikit-learn fold the learning rate into v: the same path at a constant rate.

    >>> moments = {"velocity": np.array([4.0])}
    >>> heavy_ball(0.5).step(np.array([1.0]), moments, np.array([0.0]), np.float64(1))[0]
    array([3.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"velocity": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        velocity = momentum * moments["velocity"] + d
        return (d + momentum * velocity if nesterov else velocity), {"velocity": velocity}

    return Transform(("velocity",), start, step)


def over_root_mean_square(decay: float = 0.9, eps: float = 1e-8) -> Transform:
    """Divide by the running root mean square, so that steep and flat directions move alike.

        s = decay s + (1 - decay) d*d        d' = d / (sqrt(s) + eps)

    Source      Tieleman & Hinton 2012, lecture 6.5

    >>> part = over_root_mean_square(0.0, eps=0.0)
    >>> part.step(np.array([-4.0]), {"square": np.array([0.0])}, np.array([0.0]), np.float64(1))[0]
    array([-1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"square": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        square = decay * moments["square"] + (1.0 - decay) * (d * d)
        return d / (np.sqrt(square) + eps), {"square": square}

    return Transform(("square",), start, step)


def over_root_sum(initial: float = 0.1, eps: float = 1e-7) -> Transform:
    """Divide by the root of the sum of all past squares, so that rarely used directions move more.

        s = s + d*d,  s_0 = initial        d' = d / (sqrt(s) + eps)

    Source      Duchi, Hazan, Singer 2011, figure 1 (diagonal form)

    >>> part = over_root_sum(initial=0.0, eps=0.0)
    >>> part.step(np.array([3.0]), {"sum": np.array([16.0])}, np.array([0.0]), np.float64(1))[0]
    array([0.6])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"sum": np.full_like(param, initial)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        total = moments["sum"] + d * d
        return d / (np.sqrt(total) + eps), {"sum": total}

    return Transform(("sum",), start, step)


def adaptive_moments(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, nesterov: bool = False
) -> Transform:
    """Divide the running mean by the running root mean square, both freed of their start at zero.

        m = b1 m + (1 - b1) d        v = b2 v + (1 - b2) d*d
        mhat = m / (1 - b1^t)        vhat = v / (1 - b2^t)        d' = mhat / (sqrt(vhat) + eps)
        nesterov: mhat = b1 m / (1 - b1^(t+1)) + (1 - b1) d / (1 - b1^t)

    eps         outside the root, as in the paper
    Source      Kingma & Ba 2015, Algorithm 1 (arXiv 1412.6980); nesterov: Dozat 2016, with constant b1
    Differs     scikit-learn folds both corrections into the rate, so its eps acts differently.

    >>> part, zero = adaptive_moments(eps=0.0), np.zeros(1)
    >>> part.step(np.array([5.0]), part.start(zero), zero, np.float64(1))[0].round(9)
    array([1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"mean": np.zeros_like(param), "square": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean = b1 * moments["mean"] + (1.0 - b1) * d
        square = b2 * moments["square"] + (1.0 - b2) * (d * d)
        if nesterov:
            ahead = mean * (b1 / _one_minus_power(b1, time + 1.0))
            unbiased = ahead + d * ((1.0 - b1) / _one_minus_power(b1, time))
        else:
            unbiased = mean * (1.0 / _one_minus_power(b1, time))
        # The corrections are scalars, so an array needs one root and one division.
        root = np.sqrt(square) * (1.0 / np.sqrt(_one_minus_power(b2, time)))
        return unbiased / (root + eps), {"mean": mean, "square": square}

    return Transform(("mean", "square"), start, step)


def over_largest(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Transform:
    """Divide the running mean by the largest recent size, which no single small gradient can shrink.

        m = b1 m + (1 - b1) d        u = max(b2 u, |d|)        d' = m / ((1 - b1^t) (u + eps))

    Source      Kingma & Ba 2015, Algorithm 2 (AdaMax; arXiv 1412.6980)
    Differs     the paper has no eps; it only keeps 0 / 0 away.

    >>> part, zero = over_largest(eps=0.0), np.zeros(1)
    >>> part.step(np.array([5.0]), part.start(zero), zero, np.float64(1))[0].round(9)
    array([1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"mean": np.zeros_like(param), "largest": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean = b1 * moments["mean"] + (1.0 - b1) * d
        largest = np.maximum(b2 * moments["largest"], np.abs(d))
        direction = mean / (_one_minus_power(b1, time) * (largest + eps))
        return direction, {"mean": mean, "largest": largest}

    return Transform(("mean", "largest"), start, step)
