"""The network that a setup describes: its layers, and where each drawn neuron stands among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.data.points.arc4 import Arc4
from minicolumn.data.points.points import draw_points
from minicolumn.nn import Dense, Dropout, GaussianNoise, NoisyReLU, PReLU, Sequential, initializer_by_name
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.formulas import Formulas
from minicolumn.playground.network.classic_weights import classic_weights
from minicolumn.playground.network.setup import LAYER_ACTIVATIONS, OWN, TABLE, Setup

Array = np.ndarray
CLASSIC = ("playground", "zero")
MOST_REDRAWN = 64
OWN_LAYERS: dict[str, Any] = dict(zip(LAYER_ACTIVATIONS, (NoisyReLU, PReLU), strict=True))


@dataclass(frozen=True)
class Architecture:
    """A network, and which of its layers are drawn.

    network     formulas of the inputs, where they are not the inputs themselves; then dense layers, each
                with what belongs to it: an activation of its own, dropout
    dense       the places of the dense layers in it, hidden ones first
    ends        the place behind which a layer's neurons have their outputs; dropout comes after that

    >>> architecture_of(Setup(units=(3,), dropout=0.5), ("x1", "x2"), 1, "linear").network
    Sequential(Dense(3, activation='tanh'), Dropout(0.5), Dense(1))
    """

    network: Sequential
    dense: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def units(self) -> tuple[int, ...]:
        """How many neurons each drawn layer has, the output last."""
        return tuple(self.network.layers[place].units for place in self.dense)  # type: ignore[attr-defined]

    def arrays(self, params: Params) -> list[Array]:
        """Return all weights, array by array: of each drawn layer its weights, then its biases."""
        return [part for pair in self.weights(params) for part in pair]

    def with_arrays(self, params: Params, arrays: Sequence[Array]) -> Params:
        """Return params with other numbers in place of all weights."""
        return self.with_weights(params, list(zip(arrays[::2], arrays[1::2], strict=True)))

    def weights(self, params: Params) -> list[tuple[Array, Array]]:
        """Return the weights [fan_in, units] and biases [units] of each drawn layer."""
        return [(params[str(place)]["weight"], params[str(place)]["bias"]) for place in self.dense]

    def with_weights(self, params: Params, weights: Sequence[tuple[Array, Array]]) -> Params:
        """Return params with other weights and biases of the drawn layers."""
        dense = zip(self.dense, weights, strict=True)
        return params | {str(place): {"weight": w, "bias": b} for place, (w, b) in dense}

    def activations(self, params: Params, x: Array) -> list[Array]:
        """Return the outputs [rows, units] of every drawn layer, traceable."""
        found = []
        for place, layer in enumerate(self.network.layers):
            x = layer.apply(params[str(place)], x)
            if place in self.ends:
                found.append(x)
        return found


def architecture_of(setup: Setup, inputs: tuple[str, ...], outputs: int, ending: str) -> Architecture:
    """Return the network that a setup describes.

    inputs      names of the columns of a row
    outputs     how many; ending: their activation
    """
    layers: list[Layer] = []
    dense, ends = [], []
    if setup.features != inputs:
        layers.append(Formulas(setup.features, inputs))
    if setup.input_noise:
        layers.append(GaussianNoise(setup.input_noise))
    for units, activation in zip(setup.units, setup.activations, strict=True):
        dense.append(len(layers))
        own = OWN_LAYERS.get(activation)
        layers.append(Dense(units) if own else Dense(units, activation))
        if own:
            layers.append(own())
        ends.append(len(layers) - 1)
        if setup.dropout:
            layers.append(Dropout(setup.dropout))
    dense.append(len(layers))
    layers.append(Dense(outputs) if ending == "linear" else Dense(outputs, ending))
    ends.append(len(layers) - 1)
    return Architecture(Sequential(*layers), tuple(dense), tuple(ends))


def first_params(architecture: Architecture, setup: Setup, inputs: int) -> Params:
    """Draw the first weights, as the setup says.

    auto        what suits each activation, biases 0
    playground  U(-0.5, 0.5), biases 0.1, from the stream that drew the points: as in TensorFlow Playground
    zero        all 0
    others      by their name, biases 0
    """
    params = architecture.network.init(setup.seed, (inputs,))
    if setup.initialization == "auto":
        return params
    if setup.initialization in CLASSIC:
        return architecture.with_weights(params, _classic(architecture, setup, params))
    made: Any = initializer_by_name(setup.initialization)
    key = random.stream(setup.seed, "init")
    drawn = [
        (np.asarray(made(random.fold_in(key, layer), w.shape, w.dtype), w.dtype), b)
        for layer, (w, b) in enumerate(architecture.weights(params))
    ]
    return architecture.with_weights(params, drawn)


def _classic(architecture: Architecture, setup: Setup, params: Params) -> list[tuple[Array, Array]]:
    """Draw weights behind the points; after as many others as the seed says, as each reset draws further."""
    redrawn = setup.seed <= MOST_REDRAWN
    stream = Arc4(setup.data_seed if redrawn else f"{setup.data_seed} {setup.seed}")
    if setup.dataset not in (OWN, TABLE):
        draw_points(
            setup.dataset, stream, rows=setup.points, noise=setup.noise, train_percent=setup.train_percent
        )
    sizes = (len(setup.features), *architecture.units)
    zero = setup.initialization == "zero"
    drawn = classic_weights(sizes, stream, zero=zero)
    for _ in range(setup.seed if redrawn else 0):
        drawn = classic_weights(sizes, stream, zero=zero)
    pairs = zip(drawn, architecture.weights(params), strict=True)
    return [(w.astype(old.dtype), b.astype(old.dtype)) for (w, b), (old, _) in pairs]
