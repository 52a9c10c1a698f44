"""The room `activations`: each function, its derivative, and what many layers of it leave of a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn import random
from minicolumn.autodiff.derivatives import grad
from minicolumn.nn import ACTIVATIONS, Dense, Sequential
from minicolumn.nn.activations import activation_by_name
from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Room
from minicolumn.registry import Choice, Integer, Record

NAMES = tuple(name for name in ACTIVATIONS if not activation_by_name(name).by_row and name != "glu")
LOW, HIGH, POINTS = -6.0, 6.0, 481
SMALL = 61  # points of each curve of the gallery
WIDTH, ROWS = 32, 64


@dataclass(frozen=True, kw_only=True)
class Look(Record):
    """An activation, and how many layers of it a gradient passes."""

    activation: Annotated[str, Choice(help="A function.", choices=NAMES)] = "logistic"
    depth: Annotated[int, Integer(help="Hidden layers.", ge=1, le=30)] = 10


class ActivationsRoom(Room):
    """Activations and their derivatives.

    curves      f(x) and f'(x) by `mc.grad`, x in [-6, 6]
    signal      root mean square of each layer's outputs in a network of that depth, first weights
    gradient    root mean square of d sum(outputs) / d (outputs of each layer), from the back to the front

    Opened, it shows a `gallery` before its `state`: the curves of all functions, value and derivative
    [functions, points].
    """

    name = "activations"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {"open": (Look, "open"), "look": (Look, "look")}

    def open(self, said: Look) -> list[Frame]:
        """Answer with all functions and their derivatives, and then as `look` does."""
        x = np.linspace(LOW, HIGH, SMALL)
        curves = [_curves(name, x) for name in NAMES]
        value, slope = (np.stack(part).astype(np.float32) for part in zip(*curves, strict=True))
        says = {"names": list(NAMES), "range": [LOW, HIGH]}
        return [self.frame("gallery", says, x=x, value=value, slope=slope), *self.look(said)]

    def look(self, said: Look) -> list[Frame]:
        """Answer with a function, its derivative, and what is left of signal and gradient layer by layer."""
        rule = activation_by_name(said.activation)
        x = np.linspace(LOW, HIGH, POINTS)
        value, slope = _curves(said.activation, x)
        signal, gradient = _through_layers(said.activation, said.depth)
        says: dict[str, Any] = {
            "activation": said.activation, "formula": rule.formula, "trainable": rule.trainable,
            "depth": said.depth, "activations": [
                {"name": name, "formula": activation_by_name(name).formula} for name in NAMES
            ],
            "signal": signal, "gradient": gradient, "range": [LOW, HIGH],
            "largest_slope": float(np.abs(slope).max()), "init": rule.init,
        }  # fmt: skip
        return [self.frame("state", says, x=x, value=value, slope=slope)]


def _curves(activation: str, x: Any) -> tuple[Any, Any]:
    """Return f(x) and f'(x)."""
    function = activation_by_name(activation).function
    return np.asarray(function(x)), np.asarray(grad(lambda x: np.sum(function(x)))(x))


def _through_layers(activation: str, depth: int) -> tuple[list[float], list[float]]:
    """Return the sizes of signal and gradient in every layer, the first hidden one first."""
    network = Sequential(*(Dense(WIDTH, activation) for _ in range(depth)))
    params = network.init(0, (WIDTH,), np.float64)
    x = random.normal(random.key(1), (ROWS, WIDTH), np.float64)
    values = [x]
    for place, layer in enumerate(network.layers):
        values.append(layer.apply(params[str(place)], values[-1]))
    signal = [_size(value) for value in values[1:]]
    gradient = []
    for first in range(depth):
        rest = range(first + 1, depth)

        def total(value: Any, rest: range = rest) -> Any:
            for place in rest:
                value = network.layers[place].apply(params[str(place)], value)
            return np.sum(value)

        gradient.append(_size(grad(total)(values[first + 1])))
    return signal, gradient


def _size(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
