"""Surgery by hand: layers and neurons put in and taken out, single weights set; what is said checked first.

A network of another shape is told as changes of the setup and labels: which of the old neurons each of its
neurons is, as `carried` takes them. Layers and neurons count from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.playground.network import messages as m
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.setup import DEFAULT

Array = np.ndarray
Labels = list[list[Any]]
Rebuilt = tuple[dict[str, Any], Labels]  # changes of the setup, labels of the new network


def layer_added(learner: Learner, said: m.Layer) -> Rebuilt:
    """Return the network with a hidden layer in front of another one, or of the output.

    Errors      DataError for a place behind the output
    """
    units, activations = list(learner.setup.units), list(learner.setup.activations)
    labels = learner.labels
    if said.at > len(units):
        raise DataError(f"layer: at: expected 0 to {len(units)}, got {said.at}")
    near = activations[min(said.at, len(units) - 1)] if units else DEFAULT.activations[0]
    units.insert(said.at, said.units)
    activations.insert(said.at, near)
    labels.insert(said.at + 1, [None] * said.units)
    return {"units": units, "activations": activations}, labels


def layer_removed(learner: Learner, said: m.Layer) -> Rebuilt:
    """Return the network without a hidden layer.

    Errors      DataError for a layer that is not there
    """
    units, activations = list(learner.setup.units), list(learner.setup.activations)
    labels = learner.labels
    _check_hidden("layer", said.at, units)
    del units[said.at], activations[said.at], labels[said.at + 1]
    return {"units": units, "activations": activations}, labels


def layer_resized(learner: Learner, said: m.Units) -> Rebuilt:
    """Return the network with more or fewer neurons in a hidden layer, the last ones, or without a named one.

    Errors      DataError for what is not there, and for the last neuron of a layer
    """
    units, labels = list(learner.setup.units), learner.labels
    _check_hidden("units", said.layer, units)
    row = labels[said.layer + 1]
    if said.remove is not None:
        if said.remove >= len(row) or len(row) == 1:
            raise DataError(f"units: layer {said.layer} has {len(row)} neurons; one has to stay")
        del row[said.remove]
    elif said.units is not None:
        row[said.units :] = [None] * (said.units - len(row))
    units[said.layer] = len(row)
    return {"units": units, "activations": list(learner.setup.activations)}, labels


def with_weight(learner: Learner, said: m.Weight) -> list[tuple[Array, Array]]:
    """Return all weights and biases, one weight of them another.

    Errors      DataError for a weight that is not there
    """
    weights = learner.weights
    matrix = _layer(weights, said.layer)[0]
    if said.source >= len(matrix) or said.unit >= matrix.shape[1]:
        raise DataError(f"weight: layer {said.layer} has weights {list(matrix.shape)}, counted from 0")
    matrix[said.source, said.unit] = said.value
    return weights


def with_bias(learner: Learner, said: m.Bias) -> list[tuple[Array, Array]]:
    """Return all weights and biases, one bias of them another.

    Errors      DataError for a neuron that is not there
    """
    weights = learner.weights
    bias = _layer(weights, said.layer)[1]
    if said.unit >= len(bias):
        raise DataError(f"bias: layer {said.layer} has {len(bias)} neurons, counted from 0")
    bias[said.unit] = said.value
    return weights


def _check_hidden(who: str, layer: int, units: Sequence[int]) -> None:
    if layer >= len(units):
        raise DataError(f"{who}: there are {len(units)} hidden layers, counted from 0, got {layer}")


def _layer(weights: Sequence[tuple[Array, Array]], layer: int) -> tuple[Array, Array]:
    if layer >= len(weights):
        raise DataError(f"there are {len(weights)} layers with weights, counted from 0, got {layer}")
    return weights[layer]
