"""A network as a list of steps, and its weights by layer: what a drawing and a table of it are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.nn.layer import Layer, Shape
from minicolumn.nn.layers.containers import Frozen, Sequential
from minicolumn.nn.layers.ensemble import Ensemble
from minicolumn.nn.summary import weight_count
from minicolumn.tree import named_leaves

Array = np.ndarray[Any, np.dtype[Any]]
BINS = 24


@dataclass(frozen=True)
class Step:
    """A layer on the way from the features to the outputs.

    title       its kind; detail: its settings, as they are written
    path        how the names of its weights begin
    out         shape of a row that comes out; weights: how many it has
    """

    title: str
    detail: str
    path: str
    out: Shape
    weights: int

    @property
    def units(self) -> int:
        """How many numbers of a row come out."""
        return math.prod(self.out)


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of one name, over all members of an ensemble.

    name        path within a member; members: how many have it
    shape       of each; count: numbers in all
    least, greatest, mean, deviation    of all numbers; zeros: the share of those that are exactly 0
    bars        how many numbers lie in each of 24 equal stretches from the least to the greatest
    """

    name: str
    members: int
    shape: Shape
    count: int
    least: float
    greatest: float
    mean: float
    deviation: float
    zeros: float
    bars: tuple[int, ...]


def one_network(network: Layer) -> tuple[Layer, int]:
    """Return what is to be drawn, of an ensemble its first member, and how many members there are."""
    if isinstance(network, Ensemble):
        return network.members[0], len(network.members)
    return network, 1


def steps_of(network: Layer, shape: Shape, path: str = "") -> Iterator[Step]:
    """Yield the layers one after the other; what stands beside each other is one step."""
    if isinstance(network, Sequential):
        for place, layer in enumerate(network.layers):
            yield from steps_of(layer, shape, f"{path}{place}.")
            shape = tuple(layer.output_shape(shape))
        return
    inner = network.inner if isinstance(network, Frozen) else network
    if isinstance(inner, Sequential):
        yield from steps_of(inner, shape, path)
        return
    out = tuple(network.output_shape(shape))
    yield Step(type(network).__name__, repr(network), path, out, weight_count(network, shape))


def weights_of(params: Any, members: int) -> list[Weights]:
    """Return statistics of all weights, those of equal names and shapes in several members together."""
    found: dict[tuple[str, Shape], list[Array]] = {}
    for name, array in named_leaves(params):
        inner = name.split(".", 1)[1] if members > 1 and "." in name else name
        found.setdefault((inner, np.shape(array)), []).append(np.asarray(array))
    return [_statistics(name, shape, arrays) for (name, shape), arrays in found.items()]


def _statistics(name: str, shape: Shape, arrays: list[Array]) -> Weights:
    """Return what is told of the weights of one name."""
    x = np.concatenate([array.ravel() for array in arrays]).astype(np.float64)
    if not x.size:
        return Weights(name, len(arrays), shape, 0, 0.0, 0.0, 0.0, 0.0, 0.0, (0,) * BINS)
    least, greatest = float(x.min()), float(x.max())
    # Halves, so that the distance of the largest float64s is finite; numbers all alike are in the middle.
    half = greatest / 2 - least / 2
    place = np.full(x.shape, BINS // 2) if half == 0 else ((x / 2 - least / 2) / half * BINS).astype(int)
    bars = np.bincount(np.minimum(place, BINS - 1), minlength=BINS)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(x.mean()), float(x.std())
    zeros = float(np.mean(x == 0))
    return Weights(
        name, len(arrays), shape, x.size, least, greatest, mean, deviation, zeros, tuple(bars.tolist())
    )  # fmt: skip
