"""First weights of TensorFlow Playground: uniform, from the stream that drew the points before them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from minicolumn.data.points.arc4 import Arc4

Array = np.ndarray
BIAS = 0.1


def classic_weights(sizes: Sequence[int], random: Arc4, *, zero: bool = False) -> list[tuple[Array, Array]]:
    """Return the first weights and biases of each layer that has some, the output last.

        w ~ U(-0.5, 0.5),  b = 0.1

    Neuron by neuron, and for each of them input by input; so the same seed gives the same network, where the
    points were drawn before.

    sizes       how many inputs, hidden neurons a layer, and outputs: (2, 4, 2, 1)
    zero        all is 0; as many numbers are drawn
    Returns     (weight [fan_in, units], bias [units]) for each layer, float64

    >>> (weight, bias), = classic_weights((2, 1), Arc4("0.5"))
    >>> weight.T.round(4), bias
    (array([[-0.0023,  0.3074]]), array([0.1]))
    """
    layers = []
    for fan_in, units in pairwise(sizes):
        drawn = np.array([random() - 0.5 for _ in range(units * fan_in)], np.float64)
        weight, bias = drawn.reshape(units, fan_in).T.copy(), np.full(units, BIAS)
        layers.append((np.zeros_like(weight), np.zeros_like(bias)) if zero else (weight, bias))
    return layers
