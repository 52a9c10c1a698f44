"""Activation maps: what every neuron answers over the plane, in one native pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.lower.compile import compile
from minicolumn.nn.layer import Params
from minicolumn.playground.network.architecture import Architecture
from minicolumn.playground.network.plane import SIDE
from minicolumn.playground.network.whole import Whole

Array = np.ndarray


class Maps:
    """The outputs of all neurons on a grid of the plane, as bytes: 0 is -1 or less, 255 is 1 or more.

    architecture    the network, and which neurons are drawn
    grid            rows of the network [side * side, inputs], from the upper left one on
    shown           turns outputs [rows, outputs] into what is drawn, [-1, 1]

    >>> from minicolumn.playground.network.plane import Plane
    >>> from minicolumn.playground.network.setup import Setup
    >>> from minicolumn.playground.network.architecture import architecture_of
    >>> found = architecture_of(Setup(units=()), ("x1", "x2"), 1, "linear")
    >>> plane = Plane.of_inputs(np.zeros((1, 2)), ("x1", "x2"), (0, 1), low=(-1, -1), high=(1, 1))
    >>> params = {"0": {"weight": np.array([[1.0], [0.0]], np.float32), "bias": np.zeros(1, np.float32)}}
    >>> Maps(found, plane.grid(), lambda outputs: outputs)(params)[0, 50, [0, 99]]
    array([  1, 254], dtype=uint8)
    """

    def __init__(
        self,
        architecture: Architecture | Whole,
        grid: Array,
        shown: Callable[[Array], Array],
        side: int = SIDE,
    ) -> None:
        self.shown, self.side = shown, side
        self._grid = np.ascontiguousarray(grid, np.float32)
        self._levels: Any = compile(lambda params, x: _levels(architecture, params, x))

    def __call__(self, params: Params) -> Array:
        """Return the maps of all drawn neurons, hidden ones first.

        Returns     uint8 [neurons, side, side]
        """
        *levels, outputs = self._levels(params, self._grid)
        with np.errstate(over="ignore", invalid="ignore"):  # as native code: infinities are cut off, too
            levels.append(_scaled(self.shown(outputs.T)).T)
        found = np.empty((sum(len(level) for level in levels), self.side * self.side), np.uint8)
        at = 0
        for level in levels:
            found[at : at + len(level)] = level
            at += len(level)
        return found.reshape(-1, self.side, self.side)


def _levels(architecture: Architecture | Whole, params: Params, x: Array) -> list[Array]:
    """Return each layer's outputs as [units, rows]: hidden ones as levels, the last as they are."""
    *hidden, outputs = architecture.activations(params, x)
    return [*(_scaled(a).T for a in hidden), outputs.T]


def _scaled(a: Any) -> Any:
    """Return [-1, 1] as [0, 256), whose integers are levels; what lies beyond is cut off, NaN the middle."""
    return np.where(np.isnan(a), 128.0, np.clip(a * 127.5 + 128.0, 0.0, 255.5))
