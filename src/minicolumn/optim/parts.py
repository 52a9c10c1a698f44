"""Gradient transformations that optimizers are chained from: each improves a direction of descent.

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


def one_minus_power(base: float, time: Array) -> Array:
    """Return ``1 - base**time``.

    >>> float(one_minus_power(0.5, np.float64(2)))
    0.75
    """
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


def over_root_mean_square(decay: float = 0.9, eps: float = 1e-8, unbiased: bool = False) -> Transform:
    """Divide by the running root mean square, so that steep and flat directions move alike.

        s = decay s + (1 - decay) d*d        d' = d / (sqrt(s) + eps)
        unbiased: d' = d / (sqrt(s / (1 - decay^t)) + eps)

    Source      Tieleman & Hinton 2012, lecture 6.5

    >>> part = over_root_mean_square(0.0, eps=0.0)
    >>> part.step(np.array([-4.0]), {"square": np.array([0.0])}, np.array([0.0]), np.float64(1))[0]
    array([-1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"square": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        square = decay * moments["square"] + (1.0 - decay) * (d * d)
        root = _root(square, decay, time) if unbiased else np.sqrt(square)
        return d / (root + eps), {"square": square}

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


def over_own_steps(decay: float = 0.9, eps: float = 1e-6) -> Transform:
    """Scale the direction to the running size of past steps, so that it has the parameter's own unit.

        s = decay s + (1 - decay) d*d        d' = d sqrt(u + eps) / sqrt(s + eps)
        u = decay u + (1 - decay) d'*d'

    Source      Zeiler 2012 (arXiv 1212.5701), Algorithm 1

    >>> part, zero = over_own_steps(0.0, eps=1.0), np.zeros(1)
    >>> part.step(np.array([1.0]), part.start(zero), zero, np.float64(1))[0].round(6)
    array([0.707107])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"square": np.zeros_like(param), "moved": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        square = decay * moments["square"] + (1.0 - decay) * (d * d)
        direction = d * (np.sqrt(moments["moved"] + eps) / np.sqrt(square + eps))
        moved = decay * moments["moved"] + (1.0 - decay) * (direction * direction)
        return direction, {"square": square, "moved": moved}

    return Transform(("square", "moved"), start, step)


def resilient(shrink: float = 0.5, grow: float = 1.2, least: float = 1e-4, most: float = 5e3) -> Transform:
    """Follow the sign alone, in steps that grow while it stays and shrink when it turns.

        size = clip(size * (grow if d's sign stayed, shrink if it turned, else 1), least, most),  size_0 = 1
        d' = size sign(d), or 0 where it turned, and the next step then takes no side

    Source      Riedmiller & Braun 1993; without backtracking: Igel & Huesken 2000, "iRprop-"

    >>> part, state = resilient(), {"size": np.array([1.0]), "sign": np.array([-1.0])}
    >>> part.step(np.array([-7.0]), state, np.zeros(1), np.float64(2))[0]
    array([-1.2])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"size": np.ones_like(param), "sign": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        sign = np.sign(d)
        agreement = sign * moments["sign"]
        factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0)).astype(param.dtype)
        size = np.clip(moments["size"] * factor, least, most)
        sign = np.where(agreement < 0, np.zeros_like(sign), sign)
        return size * sign, {"size": size, "sign": sign}

    return Transform(("size", "sign"), start, step)


def sign_of_mean(b1: float = 0.9, b2: float = 0.99) -> Transform:
    """Take the sign of the gradient mixed with its running mean.

        d' = sign(b1 m + (1 - b1) d)        m = b2 m + (1 - b2) d

    Source      Chen et al. 2023 (arXiv 2302.06675), Algorithm 2 (Lion)

    >>> moments = {"mean": np.array([-1.0, 1.0])}
    >>> sign_of_mean().step(np.array([8.0, 8.0]), moments, np.zeros(2), np.float64(1))[0]
    array([-1.,  1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {"mean": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean = moments["mean"]
        return np.sign(b1 * mean + (1.0 - b1) * d), {"mean": b2 * mean + (1.0 - b2) * d}

    return Transform(("mean",), start, step)


def _two_zeros(param: Array) -> dict[str, Array]:
    return {"mean": np.zeros_like(param), "square": np.zeros_like(param)}


def _two_means(d: Array, moments: dict[str, Array], b1: float, b2: float) -> tuple[Array, Array]:
    """Return the running mean and the running mean square after one more direction."""
    return b1 * moments["mean"] + (1.0 - b1) * d, b2 * moments["square"] + (1.0 - b2) * (d * d)


def _root(square: Array, b2: float, time: Array) -> Array:
    """Return the root of a mean square freed of its start at zero; the correction is one scalar."""
    return np.sqrt(square) * (1.0 / np.sqrt(one_minus_power(b2, time)))


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

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean, square = _two_means(d, moments, b1, b2)
        if nesterov:
            ahead = mean * (b1 / one_minus_power(b1, time + 1.0))
            unbiased = ahead + d * ((1.0 - b1) / one_minus_power(b1, time))
        else:
            unbiased = mean * (1.0 / one_minus_power(b1, time))
        return unbiased / (_root(square, b2, time) + eps), {"mean": mean, "square": square}

    return Transform(("mean", "square"), _two_zeros, step)


def never_faster_moments(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Transform:
    """Divide by the largest running mean square so far, so that rare large gradients are not forgotten.

        m = b1 m + (1 - b1) d        v = b2 v + (1 - b2) d*d        w = max(w, v)
        d' = m / (1 - b1^t) / (sqrt(w / (1 - b2^t)) + eps)

    Source      Reddi, Kale, Kumar 2018 (arXiv 1904.09237), Algorithm 2 (AMSGrad)
    Differs     the paper corrects neither mean; here both are, as in PyTorch. Optax takes the largest of the
                corrected squares instead.

    >>> part, zero = never_faster_moments(eps=0.0), np.zeros(1)
    >>> part.step(np.array([5.0]), part.start(zero), zero, np.float64(1))[0].round(9)
    array([1.])
    """

    def start(param: Array) -> dict[str, Array]:
        return {**_two_zeros(param), "largest": np.zeros_like(param)}

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean, square = _two_means(d, moments, b1, b2)
        largest = np.maximum(moments["largest"], square)
        direction = mean * (1.0 / one_minus_power(b1, time)) / (_root(largest, b2, time) + eps)
        return direction, {"mean": mean, "square": square, "largest": largest}

    return Transform(("mean", "square", "largest"), start, step)


def rectified_moments(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Transform:
    """Divide by the running root mean square as far as it can be trusted; before that, follow the mean alone.

        n = n_max - 2 t b2^t / (1 - b2^t),  n_max = 2 / (1 - b2) - 1      how many gradients v stands for
        r = sqrt((n - 4) (n - 2) n_max / ((n_max - 4) (n_max - 2) n))
        d' = r mhat / (sqrt(vhat) + eps)   where n >= 5,   else   d' = mhat

    Source      Liu et al. 2020 (arXiv 1908.03265), Algorithm 2 (RAdam)
    Differs     the paper rectifies from n > 4 on; here from 5 on, as in its authors' program and elsewhere.
                PyTorch adds eps before the correction of v.

    >>> part, zero = rectified_moments(eps=0.0), np.zeros(1)
    >>> part.step(np.array([5.0]), part.start(zero), zero, np.float64(1))[0].round(9)
    array([5.])
    """
    most = 2.0 / (1.0 - b2) - 1.0

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        mean, square = _two_means(d, moments, b1, b2)
        unbiased = mean * (1.0 / one_minus_power(b1, time))
        kept = {"mean": mean, "square": square}
        if most <= 5.0:  # so short a memory is never to be trusted
            return unbiased, kept
        # The first n are small differences of large numbers: in float32 they would keep four digits.
        t = time.astype(np.float64)
        n = most - 2.0 * t * (1.0 / one_minus_power(b2, t) - 1.0)
        safe = np.maximum(n, 5.0)  # so that the root is finite in the branch not taken
        share = np.sqrt((safe - 4.0) * (safe - 2.0) * most / ((most - 4.0) * (most - 2.0) * safe))
        scaled = unbiased * share.astype(param.dtype) / (_root(square, b2, time) + eps)
        return np.where(n >= 5.0, scaled, unbiased), kept

    return Transform(("mean", "square"), _two_zeros, step)


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
        direction = mean / (one_minus_power(b1, time) * (largest + eps))
        return direction, {"mean": mean, "largest": largest}

    return Transform(("mean", "largest"), start, step)


def orthogonal(eps: float = 1e-8, rounds: int = 5) -> Transform:
    """Bring all singular values of a matrix close to 1, so that it moves alike in all of its directions.

        x = d / (|d| + eps),  then for some rounds   x = a x + (b A + c A A) x   with  A = x x'
        d' = 0.2 sqrt(max(rows, columns)) x,    (a, b, c) = (3.4445, -4.7750, 2.0315)

    With that scale the root mean square of d' is about 0.2, like that of Adam's steps.

    rounds      of a Newton-Schulz iteration that is steep at 0 and leaves the singular values in 0.7 .. 1.2
    Source      Jordan et al. 2024, "Muon"; the scale: Liu et al. 2025 (arXiv 2502.16982), section 2.2

    >>> part, zero = orthogonal(rounds=12), np.zeros((2, 2))
    >>> x, _ = part.step(np.array([[3.0, 0.0], [0.0, -0.5]]), {}, zero, np.float64(1))
    >>> bool((0.6 < np.abs(np.diag(x)) / (0.2 * 2**0.5)).all() and x[0, 1] == 0)
    True
    """

    def step(d: Array, moments: dict[str, Array], param: Array, time: Array) -> Any:
        rows, columns = d.shape
        # The smaller of x x' and x' x: both ways give the same.
        x = d.T if rows > columns else d
        x = x / (np.linalg.norm(x) + eps)
        for _ in range(rounds):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ x
        scale = 0.2 * math.sqrt(max(rows, columns))
        return scale * (x.T if rows > columns else x), moments

    return Transform((), _nothing, step)
