"""Inserting and removing layers while a network is trained: which weights go on, and which begin anew.

new layer k was layer old(k):   arrays whose shape stays keep their numbers and the optimizer's moments
other arrays                    are drawn as a new network's
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn import Dense, Sequential
from minicolumn.nn.layer import Layer, Params
from minicolumn.tree import flatten, map_leaves

Array = np.ndarray


@dataclass(frozen=True)
class Rearrangement:
    """A `Sequential` with a layer more or less, and which of its layers were which before.

    network     after it
    before      index in the old network of each layer of the new one; None for one that is new
    """

    network: Sequential
    before: tuple[int | None, ...]

    def carried(self, fresh: Params, old: Params) -> Params:
        """Return weights like `fresh` with the numbers of layers that stay, where their shapes stay.

        fresh       of the new network; old: of the one before
        """
        found = dict(fresh)
        for place, was in enumerate(self.before):
            if was is not None:
                found[str(place)] = _kept(fresh[str(place)], old[str(was)])
        return found

    def moments(self, fresh: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        """Return moments like `fresh`, with those of arrays that stay; single numbers, as counts, stay."""
        if fresh.keys() != old.keys():
            return fresh
        return {
            name: self.carried(part, old[name]) if isinstance(part, dict) else _kept(part, old[name])
            for name, part in fresh.items()
        }


def _kept(fresh: Any, old: Any) -> Any:
    """Return the old arrays of one layer where they have the shapes of the fresh ones."""
    if flatten(fresh)[1] != flatten(old)[1]:
        return fresh
    return map_leaves(lambda new, was: np.array(was if np.shape(new) == np.shape(was) else new), fresh, old)


def inserted(network: Layer, at: int, layer: Layer) -> Rearrangement:
    """Return a network with a layer more, which stands at this index afterwards.

    Errors      DataError where the network is no `Sequential`, or for an index beyond its end

    >>> import minicolumn as mc
    >>> inserted(mc.nn.Sequential(mc.nn.Dense(1)), 0, mc.nn.Dense(4)).network
    Sequential(Dense(4), Dense(1))
    """
    layers = _layers("insert_layer", network)
    place = _index("insert_layer", at, len(layers))
    if not isinstance(layer, Layer):
        raise DataError(f"insert_layer: expected a layer such as mc.nn.Dense(4, 'tanh'), got {layer!r:.60}")
    count = range(len(layers))
    return Rearrangement(
        Sequential(*layers[:place], layer, *layers[place:]), (*count[:place], None, *count[place:])
    )


def removed(network: Layer, at: int) -> Rearrangement:
    """Return a network without the layer at this index.

    Errors      DataError as for `inserted`, and for the only layer
    """
    layers = _layers("remove_layer", network)
    place = _index("remove_layer", at, len(layers) - 1)
    if len(layers) == 1:
        raise DataError("remove_layer: the network has one layer, which must stay")
    count = range(len(layers))
    return Rearrangement(
        Sequential(*layers[:place], *layers[place + 1 :]), (*count[:place], *count[place + 1 :])
    )


def with_identity(network: Sequential, at: int, params: Params, X: Array) -> Params | None:
    """Return weights by which a new dense layer passes on what it is given; None where it cannot.

        W = I, b = 0,   where f(h) = h for the layer's inputs h of all rows

    So it is for a linear layer anywhere, and for relu behind what is never negative.

    at          index of the new layer, with as many units as inputs
    X           [rows, *input_shape]
    Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641), section 2.3
    """
    layer, own = network.layers[at], params[str(at)]
    if not isinstance(layer, Dense) or own["weight"].shape[0] != own["weight"].shape[1]:
        return None
    weight = np.eye(len(own["weight"]), dtype=own["weight"].dtype)
    if layer.parametrization == "ntk":
        weight = weight * weight.dtype.type(np.sqrt(len(weight)))
    same = own | {"weight": weight} | ({"bias": np.zeros_like(own["bias"])} if "bias" in own else {})
    inputs = Sequential(*network.layers[:at]).apply(params, X)
    close = np.allclose(layer.apply(same, inputs), inputs, rtol=1e-5, atol=1e-6)  # rounding of the ntk root
    return {**params, str(at): same} if close else None


def _layers(who: str, network: Layer) -> tuple[Layer, ...]:
    if not isinstance(network, Sequential):
        raise DataError(f"{who}: the network is a {type(network).__name__}; only a Sequential has layers")
    return network.layers


def _index(who: str, at: int, last: int) -> int:
    """Return an index from 0 to `last`; negative ones are refused, since the end moves."""
    if isinstance(at, bool) or not hasattr(at, "__index__") or not 0 <= int(at) <= last:
        raise DataError(f"{who}: at must be an index from 0 to {last}, got {at!r:.60}")
    return int(at)
