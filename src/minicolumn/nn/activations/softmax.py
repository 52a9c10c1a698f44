"""Activations over the last axis: scores become shares that add up to 1; plain NumPy."""

from __future__ import annotations

import numpy as np

from minicolumn.ir.ops.elementwise import STOP_GRADIENT

Array = np.ndarray


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


def sparsemax(x: Array) -> Array:
    """Turn scores into shares that add up to 1, many of them exactly 0.

        f(x)_i = max(x_i - t, 0)    with t such that the shares add up to 1: the nearest point of the simplex

    Its derivative is that of the shares that are not 0; a share that has just become 0 counts as 0.

    x           [..., classes]
    Returns     [..., classes]
    Source      Martins & Astudillo 2016 (arXiv 1602.02068), Algorithm 1

    >>> sparsemax(np.array([[1.0, 0.5, -1.0]]))
    array([[0.75, 0.25, 0.  ]])
    """
    # A shift changes no share, and what lies more than 1 below the largest score has none.
    z = x - STOP_GRADIENT(np.max(x, axis=-1, keepdims=True))
    chosen = z > _level(np.maximum(STOP_GRADIENT(z), -1.0))
    count = np.maximum(np.sum(chosen.astype(x.dtype), axis=-1, keepdims=True), 1.0)
    level = (np.sum(np.where(chosen, z, 0.0), axis=-1, keepdims=True) - 1.0) / count
    # Not np.maximum, whose derivative at the tie is 1/2; and so asked that NaN falls into the branch of z.
    return np.where(z <= level, 0.0, z - level)


def _level(z: Array) -> Array:
    """Return t, by the sorted scores: those are chosen that stay above the level they make."""
    falling = -np.sort(-z, axis=-1)
    sums, rank = np.cumsum(falling, axis=-1), np.arange(1, z.shape[-1] + 1).astype(z.dtype)
    chosen = (1.0 + rank * falling > sums).astype(z.dtype)
    count = np.maximum(np.sum(chosen, axis=-1, keepdims=True), 1.0)
    return (np.sum(chosen * falling, axis=-1, keepdims=True) - 1.0) / count
