"""Stacking: the members of an ensemble as one network, whose layers compute all members in one product.

    Ensemble(a, b, c)  ->  the sums of all first layers at once, Reshape, MemberDense, ..., MeanOfMembers

Members of one shape stand beside each other on an axis of their own. It is the same function to rounding, in
as many operations as one member takes, and for predictions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.folding import Part, folded
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Reshape
from minicolumn.nn.layers.ensemble import Averaged, Ensemble, MeanOfMembers
from minicolumn.nn.layers.members import MemberDense
from minicolumn.nn.layers.spline import ColumnSplines

LOOKED_UP = {"splines", "tables"}  # of a `ColumnSplines`: of which members' stand below each other


def quickest(network: Layer, params: Params) -> Part:
    """Return a network that predicts the same to rounding as an ensemble does, and faster.

    network     an `Ensemble`, or a `Sequential` that ends in one; others come back as they are

    >>> net = Ensemble(Dense(8, "tanh"), Dense(8, "tanh"))
    >>> small, _ = quickest(net, net.init(0, (3,)))
    >>> small
    Sequential(Dense(16), Reshape((2, 8)), Activation('tanh'), MeanOfMembers())
    """
    front, ensemble, own = _split(network, params)
    if ensemble is None:
        return network, params
    members = [
        folded(
            Sequential(*[layer for layer, _ in front], *_layers(member)), _joined(front, own[str(n)], member)
        )
        for n, member in enumerate(ensemble.members)
    ]
    return _stacked(members, ensemble.average) or _side_by_side(members, ensemble)


def _split(network: Layer, params: Params) -> tuple[list[Part], Ensemble | None, Params]:
    """Return the layers in front of an ensemble, the ensemble at the end, and its parameters."""
    if isinstance(network, Ensemble):
        return [], network, params
    layers = network.layers if isinstance(network, Sequential) else ()
    if not layers or not isinstance(layers[-1], Ensemble):
        return [], None, {}
    last = len(layers) - 1
    return [(layers[n], params[str(n)]) for n in range(last)], layers[-1], params[str(last)]


def _layers(member: Layer) -> tuple[Layer, ...]:
    return member.layers if isinstance(member, Sequential) else (member,)


def _joined(front: list[Part], own: Params, member: Layer) -> Params:
    """Return the parameters of a member behind what stands in front of the ensemble."""
    parts = [params for _, params in front]
    parts += [own[str(n)] for n in range(len(member.layers))] if isinstance(member, Sequential) else [own]
    return {str(n): part for n, part in enumerate(parts)}


def _side_by_side(members: Sequence[Part], ensemble: Ensemble) -> Part:
    """Return the folded members as an ensemble."""
    network = Ensemble(*[member for member, _ in members], average=ensemble.average)
    return network, {str(n): own for n, (_, own) in enumerate(members)}


def _stacked(members: Sequence[Part], average: Averaged) -> Part | None:
    """Return the members as one network; None where their layers differ, or are of other kinds."""
    layers: list[Any] = [_layers(member) for member, _ in members]
    if not layers[0] or any(each != layers[0] for each in layers):
        return None
    first, *rest = layers[0]
    if not _is_one_sum(first) or not all(isinstance(layer, Dense | Activation) for layer in rest):
        return None
    params = [own for _, own in members]
    found = _first_of_all(first, [own["0"] for own in params])
    if isinstance(first, Dense) and first.activation != "linear":
        found.append((Activation(first.activation), {}))
    for place, layer in enumerate(rest, 1):
        found.append(_each(layer, [own[str(place)] for own in params]))
    found.append((MeanOfMembers(average), {}))
    return Sequential(*[layer for layer, _ in found]), {str(n): own for n, (_, own) in enumerate(found)}


def _is_one_sum(layer: Layer) -> bool:
    """Return whether a layer has one sum an output, so that several members' may stand side by side."""
    if isinstance(layer, Dense):
        return isinstance(layer.activation, str) and activation_by_name(layer.activation).scores == 1
    return isinstance(layer, ColumnSplines)


def _first_of_all(layer: ColumnSplines | Dense, params: Sequence[Params]) -> list[Part]:
    """Return the first layers of all members as one, [batch, members, units], and what shapes its output."""
    count = len(params)
    beside = {name: np.concatenate([each[name] for each in params], axis=-1) for name in params[0]}
    shaped: Part = (Reshape((count, layer.units)), {})
    if isinstance(layer, Dense):
        return [(Dense(count * layer.units, bias=layer.bias), beside), shaped]
    below = {name: np.concatenate([each[name] for each in params]) for name in LOOKED_UP & set(params[0])}
    wide: Part = (replace(layer, members=count), beside | below)
    return [wide] if count > 1 else [wide, shaped]


def _each(layer: Any, params: Sequence[Params]) -> Part:
    """Return a layer that every member has its own weights of."""
    if not isinstance(layer, Dense):
        return layer, {}
    own = {name: np.stack([each[name] for each in params]) for name in params[0]}
    return MemberDense(layer.units, layer.activation, layer.bias), own
