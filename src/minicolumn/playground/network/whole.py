"""Networks that the setup cannot describe, trained as they are: what of them is drawn, and their arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model import Model
from minicolumn.nn import ColumnEmbedding, Dropout, Embedding, Ensemble, GaussianNoise, Sequential
from minicolumn.nn.layer import Layer, Params
from minicolumn.playground.layers import layers_of
from minicolumn.playground.lines import line
from minicolumn.playground.network.setup import MOST_LAYERS, MOST_UNITS
from minicolumn.playground.network.task import Task
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tree import flatten, leaves, unflatten

Array = np.ndarray
MOST_INPUTS = 2
MOST_PARAMETERS = 300_000  # whose maps take some tenths of a second
# What the setup says of a network of its own; of one that is taken as it is nothing of it can be changed.
FIXED = ("features", "units", "activations", "dropout", "input_noise", "initialization")
CODED = (Embedding, ColumnEmbedding)  # layers whose inputs are codes of categories, and no numbers


@dataclass(frozen=True)
class Whole:
    """A network as it came, and what of it is drawn: what its parts hand on, without links between them.

    network     any layer
    columns     how many neurons each drawn part has, the outputs last
    names       what each drawn part is
    task        what the outputs are: their classes, their loss, their unit

    The parts are the layers of a sequence whose outputs are few, or the members of an ensemble.

    >>> from minicolumn.nn import BatchNorm, Dense
    >>> net = Sequential(Dense(3), BatchNorm(), Dense(1))
    >>> whole = whole_of(net, (2,), Task((), "squared_error"))
    >>> whole.units, whole.names
    ((3, 3, 1), ('Dense', 'BatchNorm', 'Dense'))
    """

    network: Layer
    places: tuple[int, ...]
    units: tuple[int, ...]
    names: tuple[str, ...]
    task: Task

    def arrays(self, params: Params) -> list[Array]:
        """Return all weights, array by array."""
        return list(leaves(params))

    def with_arrays(self, params: Params, arrays: Sequence[Array]) -> Params:
        """Return params with other numbers in place of all."""
        return unflatten(flatten(params)[1], arrays)

    def activations(self, params: Params, x: Array) -> list[Array]:
        """Return the outputs [rows, units] of every drawn part, traceable."""
        if isinstance(self.network, Ensemble) and len(self.units) > 1:
            members = [layer.apply(params[name], x) for name, layer in self.network.inside]
            return [np.concatenate(members, axis=1), self.network.apply(params, x)]
        if not isinstance(self.network, Sequential):
            return [self.network.apply(params, x)]
        found = []
        for place, layer in enumerate(self.network.layers):
            x = layer.apply(params[str(place)], x)
            if place in self.places:
                found.append(x)
        return found


def whole_of(network: Layer, input_shape: tuple[int, ...], task: Task) -> Whole:
    """Return a network with those of its parts that are drawn."""
    outputs = network.output_shape(input_shape)[0]
    kind = type(network).__name__
    if isinstance(network, Ensemble):
        count = outputs * len(network.members)
        members = (count,) if 1 < count <= MOST_UNITS else ()
        names = (type(network.members[0]).__name__,) * len(members)
        return Whole(network, (), (*members, outputs), (*names, kind), task)
    if not isinstance(network, Sequential):
        return Whole(network, (), (outputs,), (kind,), task)
    drawn, shape = [], input_shape
    for place, layer in enumerate(network.layers):
        shape = layer.output_shape(shape)
        last = place == len(network.layers) - 1
        few = len(shape) == 1 and shape[0] <= MOST_UNITS and not isinstance(layer, Dropout | GaussianNoise)
        if few or last:
            drawn.append((place, shape[0], type(layer).__name__))
    drawn = drawn[-MOST_LAYERS - 1 :]
    places, units, kinds = zip(*drawn, strict=True)
    return Whole(network, places, units, kinds, task)


def check_trainable(model: Model, task: Task) -> None:
    """Refuse a network whose inputs are not one or two numbers, or that learns by a loss of another kind.

    Errors      DataError, one line
    """
    shape = model.input_shape
    coded = any(isinstance(layer, CODED) for _, layer, _, _ in layers_of(model.network, shape, model.params))
    parts = model.table.inputs if model.table is not None else ()
    numeric = not coded and all(isinstance(part, NumberInput) for part in parts)
    count = len(parts) or shape[0]  # a column whose cells may be missing has an input of its own for that
    if len(shape) != 1 or count > MOST_INPUTS or not numeric:
        raise DataError(line("wholeInputs", most=MOST_INPUTS))
    outputs = model.network.output_shape(shape)
    record = model.loss_record
    if len(outputs) != 1 or outputs[0] != task.outputs or record is None or record.name != task.record.name:
        raise DataError(line("wholeLoss", loss=model.loss))
    count = sum(np.size(leaf) for leaf in leaves(model.params))
    if count > MOST_PARAMETERS:
        raise DataError(line("wholeLarge", count=count, most=MOST_PARAMETERS))
