"""Weights carried over to a network of another shape: old links stay, new neurons start without effect."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

Array = np.ndarray
Weights = Sequence[tuple[Array, Array]]  # [fan_in, units] and [units] of each layer
Labels = Sequence[Sequence[Hashable]]  # of the inputs, then of the units of each layer; None for new ones


def labels_of(inputs: Sequence[str], units: Sequence[int]) -> list[list[Hashable]]:
    """Return the labels of a network as it stands: inputs by their formulas, units by layer and place.

    >>> labels_of(["x1"], [2])
    [['x1'], [(0, 0), (0, 1)]]
    """
    return [list(inputs), *([(layer, unit) for unit in range(count)] for layer, count in enumerate(units))]


def carried(old: Weights, before: Labels, fresh: Weights, after: Labels) -> list[tuple[Array, Array]]:
    """Return weights for a network whose units partly stood in another one.

    old, before     weights, and labels as `labels_of` gives them
    fresh, after    first weights of the new network, and which of the old units each of its units is; None
                    for new ones

    A link between two units that were linked keeps its weight. A new unit gets fresh weights, and those that
    lead from it are 0 where they meet old units: it starts without effect. Where a layer was put in or taken
    out, the layer behind it listens to its new inputs in their order, and a layer that was put in passes its
    inputs on.

    >>> old = [(np.array([[1.0]]), np.array([2.0]))]
    >>> fresh = [(np.array([[0.3], [0.4]]), np.array([0.0]))]
    >>> carried(old, [["x1"], [(0, 0)]], fresh, [["x1", "x2"], [(0, 0)]])
    [(array([[1.],
           [0.]]), array([2.]))]
    """
    places = {label: (layer, unit) for layer, row in enumerate(before) for unit, label in enumerate(row)}
    layers = zip(fresh, after, after[1:], strict=False)
    return [_layer(old, places, w, b, sources, units) for (w, b), sources, units in layers]


def _layer(
    old: Weights,
    places: dict[Hashable, tuple[int, int]],
    weight: Array,
    bias: Array,
    sources: Sequence[Hashable],
    units: Sequence[Hashable],
) -> tuple[Array, Array]:
    weight, bias = weight.copy(), bias.copy()
    known = [places.get(unit) for unit in units]
    if not any(known):
        return (_passing(weight), np.zeros_like(bias)) if _is_put_in(sources, units) else (weight, bias)
    for column, place in enumerate(known):
        if place is None:
            continue
        layer, unit = place[0] - 1, place[1]
        bias[column] = old[layer][1][unit]
        for row, place in enumerate(_rows([places.get(source) for source in sources], layer)):
            listens = place is not None and place < len(old[layer][0])
            weight[row, column] = old[layer][0][place, unit] if listens else 0.0
    return weight, bias


def _rows(sources: Sequence[tuple[int, int] | None], layer: int) -> list[int | None]:
    """Return which row of the old weights each source has; None for none.

    By their order where the layer in front was put in, or the one that stood there is gone.
    """
    if not any(sources) or any(source and source[0] != layer for source in sources):
        return list(range(len(sources)))
    return [None if source is None else source[1] for source in sources]


def _is_put_in(sources: Sequence[Hashable], units: Sequence[Hashable]) -> bool:
    """Return whether all units of a layer are new, and it passes on what old ones say."""
    return all(unit is None for unit in units) and any(source is not None for source in sources)


def _passing(weight: Array) -> Array:
    return np.eye(*weight.shape, dtype=weight.dtype)
