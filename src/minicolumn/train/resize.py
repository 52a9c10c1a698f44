"""Growing and pruning: hidden layers that change their width while a network is trained.

    h = f(x W + b),  out = h V:     a unit is a column of W, an entry of b, and a row of V

Units that stay keep their numbers bit by bit, and the optimizer's moments of these; new ones begin as a new
network's would, or as copies of those that stay.

    new unit j is a copy of k:      W'_j = W_k,  b'_j = b_k,  V'_j = V'_k = V_k / number of copies of k
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError
from minicolumn.nn import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    NoisyReLU,
    PiecewiseDense,
    PReLU,
    RMSNorm,
    Sequential,
)
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Layer, Params
from minicolumn.registry.shared import UNITS
from minicolumn.tree import Tree, flatten, named_leaves, unflatten

Array = np.ndarray
Carried = TypeVar("Carried", bound=Tree)  # weights or moments
# Between the two layers whose weights change there may be what looks at each unit alone; its parameters, if
# it has any, are one for each unit.
BETWEEN = (Activation, AlphaDropout, BatchNorm, Dropout, GaussianDropout, GaussianNoise, NoisyReLU, PReLU)
# Means over all units of a row are what they were where every unit is there equally often.
MEANS = (LayerNorm, RMSNorm)
WIDE = (Dense, PiecewiseDense)  # layers whose units can be more or fewer


@dataclass(frozen=True)
class Resizing:
    """A network with another width of one dense layer, and the map of old arrays to the new network's.

    network     after it
    layer       index of the layer in the `Sequential`; following: of the dense layer that reads it
    kept        the units that stay, by their numbers before; a number that comes again is a copy
    """

    network: Sequential
    layer: int
    following: int
    kept: tuple[int, ...]

    def carried(self, fresh: Carried, old: Carried) -> Carried:
        """Return a tree like `fresh` with the numbers of units that stay taken from `old`.

        fresh       what the new network, or its optimizer, begins with; old: weights or moments of the old
        """
        named, structure = named_leaves(fresh), flatten(fresh)[1]
        pairs = zip(named, flatten(old)[0], strict=True)
        found = unflatten(structure, [self._carried(path, new, held) for (path, new), held in pairs])
        return cast(Carried, found)

    def _carried(self, path: str, fresh: ArrayLike, old: ArrayLike) -> Array:
        axis = self._axis(path)
        if axis is None or np.ndim(old) <= axis:  # another layer's, or a single number
            return np.array(old)
        out, stay = np.array(fresh), np.take(old, self.kept, axis=axis)
        out[(slice(None),) * axis + (slice(0, len(self.kept)),)] = stay
        return out

    def _axis(self, path: str) -> int | None:
        """Return which axis of an array counts the units: none, or of a weight rows or columns."""
        *_, number, name = ("", *path.split("."))
        if number.isdigit() and self.layer < int(number) < self.following:
            return None if getattr(self.network.layers[int(number)], "shared", False) else 0
        own = {(str(self.layer), "weight"): 1, (str(self.layer), "bias"): 0}
        return (own | {(str(self.following), "weight"): 0}).get((number, name))

    def without_effect(self, params: Params) -> Params:
        """Return weights with the new units' outgoing weights 0: a function-preserving growth.

        The network computes what it did. The gradient of these zeros is not zero, so they are learnt.

        Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641)
        Differs     there new units are copies of old ones, as of `shared_out`
        """
        name = str(self.following)
        weight = np.array(params[name]["weight"])
        weight[len(self.kept) :] = 0.0
        return {**params, name: {**params[name], "weight": weight}}

    def shared_out(self, params: Params) -> Params:
        """Return weights with a unit's outgoing weights shared out among its copies.

        The network computes what it did, whatever the activation: each copy gives the same. Dropout, or
        steps that differ by unit, make them grow apart.

        Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641), section 2.2
        Differs     there units to copy are drawn by chance and noise is added; here they come in turn
        """
        name = str(self.following)
        weight = np.asarray(params[name]["weight"])
        copies = np.bincount(self.kept)[list(self.kept)].astype(weight.dtype)
        return {**params, name: {**params[name], "weight": weight / copies[:, None]}}

    def rescaled(self, params: Params, before: int) -> Params:
        """Return weights rescaled for an "ntk" layer, which divides by the root of its number of inputs.

            V *= sqrt(inputs now / inputs before)

        before      inputs of the following layer before the change
        """
        name, layer = str(self.following), self.network.layers[self.following]
        weight = params[name]["weight"]
        if getattr(layer, "parametrization", "standard") == "standard":
            return params
        factor = weight.dtype.type(math.sqrt(len(weight) / before))
        return {**params, name: {**params[name], "weight": weight * factor}}


def grown(network: Layer, layer: int, units: int, copies: bool = False) -> Resizing:
    """Return a network whose dense layer has so many units more.

    layer       its index in the `Sequential`, as in the names of the weights
    units       how many more, at least 1
    copies      whether they are copies of the units that are there, in turn, and not drawn anew
    Errors      DataError for a layer that is not dense, or whose units something else looks at. Behind it
                may be layer and RMS normalization where all units are copied equally often

    >>> import minicolumn as mc
    >>> net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
    >>> grown(net, layer=0, units=2).network.layers[0].units
    6
    """
    more = UNITS.check(units, "grow")
    whole, following = _found("grow", network, layer)
    count = _units(whole, layer)
    _check_means("grow", whole, layer, following, copies and not more % count)
    kept = tuple(unit % count for unit in range(count + more)) if copies else tuple(range(count))
    return _resized(whole, layer, following, kept, count + more)


def pruned(network: Layer, params: Params, layer: int, units: int | Sequence[int]) -> Resizing:
    """Return a network whose dense layer lacks some units: structured pruning by magnitude.

        importance of unit j = |W[:, j]| |V[j, :]|        (Euclidean lengths of what comes in and goes out)

    units       their numbers; or how many, then the least important ones
    Errors      DataError as for `grown`, and where no unit would be left
    """
    whole, following = _found("prune", network, layer)
    _check_means("prune", whole, layer, following, False)
    count = _units(whole, layer)
    gone = _gone(params, layer, following, count, units)
    kept = tuple(k for k in range(count) if k not in gone)
    if not kept:
        raise DataError(f"prune: layer {layer} has {count} units, and one must stay")
    return _resized(whole, layer, following, kept, len(kept))


def _gone(params: Params, layer: int, following: int, count: int, units: int | Sequence[int]) -> set[int]:
    """Return the units to take away, each 0 <= unit < count, given by number or chosen by importance."""
    if isinstance(units, Sequence | np.ndarray) and not isinstance(units, str):
        numbers = {int(unit) for unit in units}
        if not numbers or not numbers <= set(range(count)):
            raise DataError(f"prune: layer {layer} has units 0 to {count - 1}, got {list(units)}")
        return numbers
    units = UNITS.check(units, "prune")
    coming = np.linalg.norm(params[str(layer)]["weight"], axis=0)
    going = np.linalg.norm(params[str(following)]["weight"], axis=1)
    return set(np.argsort(coming * going, kind="stable")[:units].tolist())


def _found(who: str, network: Layer, layer: int) -> tuple[Sequential, int]:
    """Return the network, and the index of the dense layer that reads a hidden one.

    who         asks, for messages
    Errors      DataError where there is none, or where a layer between the two is tied to single units
    """
    layers = network.layers if isinstance(network, Sequential) else ()
    dense = dense_layers(layers)
    if isinstance(layer, bool) or layer not in dense[:-1]:
        hidden = ", ".join(map(str, dense[:-1])) or "none"
        raise DataError(f"{who}: layer must be the number of a hidden dense layer ({hidden}), got {layer!r}")
    following = dense[dense.index(layer) + 1]
    for number in range(layer, following):
        between = layers[number]
        if number > layer and not isinstance(between, (*BETWEEN, *MEANS)):
            raise DataError(f"{who}: layer {number}, {between!r}, may have weights for each unit")
        name = getattr(between, "function" if isinstance(between, Activation) else "activation", None)
        if isinstance(name, str) and activation_by_name(name).by_row:
            raise DataError(f"{who}: layer {number} looks at all units of layer {layer} together ({name})")
    assert isinstance(network, Sequential)
    return network, following


def dense_layers(layers: Sequence[Layer]) -> list[int]:
    """Return the indices of the dense layers, of which the last gives the outputs."""
    return [number for number, found in enumerate(layers) if isinstance(found, WIDE)]


def _check_means(who: str, network: Sequential, layer: int, following: int, equally: bool) -> None:
    """Refuse normalization over units, unless all of them are copied equally often."""
    for number in range(layer + 1, following):
        if isinstance(network.layers[number], MEANS) and not equally:
            found = repr(network.layers[number])
            advice = "; grow by copies, all equally often" if who == "grow" else ""
            raise DataError(
                f"{who}: layer {number}, {found}, takes means over the units of layer {layer}{advice}"
            )


def _units(network: Sequential, layer: int) -> int:
    own = network.layers[layer]
    assert isinstance(own, WIDE)
    return own.units


def _resized(network: Sequential, layer: int, following: int, kept: tuple[int, ...], units: int) -> Resizing:
    layers = list(network.layers)
    layers[layer] = replace(layers[layer], units=units)  # type: ignore[type-var]  a dense layer is a record
    return Resizing(Sequential(*layers), layer, following, kept)
