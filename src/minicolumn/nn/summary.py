"""The summary of a network: its layers, their output shapes, and how many parameters it has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minicolumn.errors import DataError
from minicolumn.nn.layer import Layer, Param, Shape
from minicolumn.nn.layers.containers import Sequential
from minicolumn.registry import Integer, Listed
from minicolumn.tree import flatten

SHAPE = Listed(
    help="Shape of one input.",
    name="input_shape",
    of=Integer(help="Length of an axis.", ge=1),
    words="integers > 0",
    single=True,
)

WIDTH = 44


def summary(network: Layer, input_shape: Any) -> str:
    """Return a table of a network's layers: what comes out of each, and its weights.

    network         a layer; of a `Sequential` each layer has a line, of others there is one for all
    input_shape     of one row, such as (784,), or the number of its features
    Returns         text: layer, shape of one row that comes out, number of weights; in the end their sum
    Errors          ShapeError where the layers do not fit each other or the input; DataError for what is no
                    layer or no shape
    Differs         Keras and torchinfo print it, and need a built network or a batch

    >>> from minicolumn.nn import Dense, Dropout
    >>> print(summary(Sequential(Dense(16, "relu"), Dropout(0.2), Dense(3)), 4))
    layer                                              output       weights
    Dense(16, activation='relu')                         [16]            80
    Dropout(0.2)                                         [16]             0
    Dense(3)                                              [3]            51
    total                                                               131
    """
    if not isinstance(network, Layer):
        raise DataError(f"summary: the network is a {type(network).__name__}, expected a layer")
    shape = SHAPE.check(input_shape, "summary")
    rows, total = [("layer", "output", "weights")], 0
    for layer, out, weights in _layers(network, shape):
        rows.append((_short(repr(layer)), str(list(out)), f"{weights:,}"))
        total += weights
    rows.append(("total", "", f"{total:,}"))
    return "\n".join(f"{name:<{WIDTH}}{out:>13}{weights:>14}".rstrip() for name, out, weights in rows)


def weight_count(network: Layer, input_shape: Shape) -> int:
    """Return how many weights a network has, which are declared and not drawn.

    >>> from minicolumn.nn import Dense, Sequential
    >>> weight_count(Sequential(Dense(16, "relu"), Dense(3)), (4,))
    131
    """
    declared, _ = flatten(network.declare(input_shape), lambda node: isinstance(node, Param))
    return sum(math.prod(param.shape) for param in declared)


def _layers(network: Layer, shape: Shape) -> Iterator[tuple[Layer, Shape, int]]:
    """Yield each layer with the shape of what comes out and the number of its weights."""
    if not isinstance(network, Sequential):
        out = tuple(network.output_shape(shape))
        yield network, out, weight_count(network, shape)
        return
    for layer in network.layers:
        yield from _layers(layer, shape)
        shape = tuple(layer.output_shape(shape))


def _short(text: str) -> str:
    return text if len(text) < WIDTH else f"{text[: WIDTH - 4]}..."
