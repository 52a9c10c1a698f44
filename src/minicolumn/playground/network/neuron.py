"""A neuron's formula with live numbers: its terms, its sum, its activation, its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.playground.lines import line
from minicolumn.playground.network.learner import Learner

Array = np.ndarray


def neuron_formula(
    learner: Learner, layer: int, unit: int, point: tuple[float, ...] | None = None
) -> dict[str, Any]:
    """Return how a neuron comes to its output at a point.

        sum = bias + product_1 + product_2 + ...,    product = weight * value,    output = activation(sum)

    layer, unit     counted from 0, the output layer last
    point           the inputs, before the features; None takes the first point to train on
    Errors          DataError for a neuron that is not there
    """
    weights, setup = learner.weights, learner.setup
    if layer >= len(weights) or unit >= len(weights[layer][1]):
        raise DataError(line("noNeuron", unit=unit, layer=layer))
    x = _row(learner, point)
    values = _values(learner, layer, x)
    matrix, bias = weights[layer]
    column = matrix[:, unit].astype(np.float64)
    products = column * values
    total = float(bias[unit] + products.sum())
    activation = setup.activations[layer] if layer < len(setup.units) else learner.task.ending
    outputs = learner.architecture.activations(learner.trainer.params, x[None].astype(np.float32))
    terms = zip(_names(learner, layer), column.tolist(), values.tolist(), products.tolist(), strict=True)
    return {
        "layer": layer, "unit": unit, "point": x.tolist(), "activation": activation,
        "terms": [{"name": n, "weight": w, "value": v, "product": p} for n, w, v, p in terms],
        "bias": float(bias[unit]), "sum": total, "output": float(outputs[layer][0, unit]),
        "formula": _formula(activation),
    }  # fmt: skip


def _row(learner: Learner, point: tuple[float, ...] | None) -> Array:
    points = learner.points
    if point is None:
        return points.X[np.flatnonzero(~points.held)[0]]
    if len(point) != len(points.inputs):
        raise DataError(line("pointLength", count=len(points.inputs), given=len(point)))
    return np.array(point, np.float64)


def _values(learner: Learner, layer: int, x: Array) -> Array:
    """Return what a layer's neurons listen to, for one row."""
    rows, params = x[None].astype(np.float32), learner.trainer.params
    if layer:
        return np.asarray(learner.architecture.activations(params, rows)[layer - 1][0], np.float64)
    for place, part in enumerate(learner.drawn.network.layers[: learner.drawn.dense[0]]):
        rows = part.apply(params[str(place)], rows)
    return np.asarray(rows[0], np.float64)


def _names(learner: Learner, layer: int) -> list[str]:
    if layer == 0:
        return learner.names
    return [f"h{layer}.{unit + 1}" for unit in range(learner.architecture.units[layer - 1])]


def _formula(activation: str) -> str:
    """Return the formula of an activation, as the catalogue has it."""
    try:
        return activation_by_name(activation).formula
    except (DataError, AttributeError):
        return activation
