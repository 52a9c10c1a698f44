"""Function-preserving growth (Net2Net): the weights of a network made into those of a larger one.

    wider       units drawn anew to which nobody listens yet, or copies that share what they give
    deeper      a layer that passes on what it is given, where its activation has a straight piece

Pure functions over weights; a training in progress is grown by `Trainer.grow` and `Trainer.insert_layer`,
which use the same.

Source      Chen, Goodfellow & Shlens 2016, "Net2Net: Accelerating Learning via Knowledge Transfer"
            (arXiv 1511.05641)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn import Sequential
from minicolumn.nn.layer import Layer, Params
from minicolumn.train.layer_surgery import inserted, with_identity
from minicolumn.train.resize import MEANS, dense_layers, grown

Array = np.ndarray
_ULP = 256.0  # sums of hundreds, of values that were moved by ten or twenty


@dataclass(frozen=True, eq=False)
class Grown:
    """A larger network, its weights, and whether it computes what the smaller one did, to rounding."""

    network: Sequential
    params: Params
    exact: bool = True


def widened(network: Sequential, params: Params, layer: int, units: int, X: Array, seed: int) -> Grown:
    """Return a network with more units in a hidden layer, that computes the same; see `Trainer.grow`.

    layer       its index in the network; units: how many more
    X           [rows, *input_shape]: the form of the inputs
    seed        of the new units' incoming weights
    Errors      as for `grown`

    New units are drawn, and nobody listens to them at first; behind means over all units they are copies.

    >>> import minicolumn as mc
    >>> net, X = mc.nn.Sequential(mc.nn.Dense(3, "mish"), mc.nn.Dense(1)), np.eye(2, dtype=np.float32)
    >>> params = net.init(0, (2,))
    >>> large = widened(net, params, 0, 5, X, seed=1)
    >>> large.network, bool(np.allclose(large.network.apply(large.params, X), net.apply(params, X)))
    (Sequential(Dense(8, activation='mish'), Dense(1)), True)
    """
    copies = any(isinstance(found, MEANS) for found in _behind(network, layer))
    resizing = grown(network, layer, units, copies)
    fresh = resizing.network.init(seed, np.shape(X)[1:], X.dtype)
    before = len(params[str(resizing.following)]["weight"])
    found = resizing.rescaled(resizing.carried(fresh, params), before)
    found = resizing.shared_out(found) if copies else resizing.without_effect(found)
    return Grown(resizing.network, found)


def deepened(
    network: Sequential, params: Params, at: int, layers: Sequence[Layer], X: Array, seed: int
) -> Grown:
    """Return a network with a dense layer more, and what belongs to it, that computes the same where it can.

    at          index that the first of them has afterwards
    layers      a dense layer as wide as its inputs, and what stands behind it, such as a dropout
    X           [rows, *input_shape]: rows on which the function is to be kept
    seed        of weights that have to be drawn
    Returns     not `exact` where the activation has no straight piece, as tanh, where the layer is not as
                wide as its inputs, or where there is normalization: then new weights are drawn

    >>> import minicolumn as mc
    >>> net, X = mc.nn.Sequential(mc.nn.Dense(3, "selu"), mc.nn.Dense(1)), np.eye(2, dtype=np.float32)
    >>> deepened(net, net.init(0, (2,)), 1, [mc.nn.Dense(3, "selu")], X, seed=1).exact
    True
    """
    whole, found = network, params
    for place, layer in enumerate(layers):
        change = inserted(whole, at + place, layer)
        found = change.carried(change.network.init(seed, np.shape(X)[1:], X.dtype), found)
        whole = change.network
    with np.errstate(all="ignore"):  # what is drawn may overflow
        found = with_identity(whole, at, found, X) or found
        return Grown(whole, found, _agree(network.apply(params, X), whole.apply(found, X)))


def grown_into(network: Sequential, params: Params, target: Sequential, X: Array, seed: int) -> Grown:
    """Return the weights of a larger network of the same kind, grown from those of a smaller one.

    target      has hidden layers at least as wide, and perhaps more, each at least as wide as the one before
    Errors      DataError where the one cannot grow into the other
    """
    at, goal = Grown(network, params), dense_layers(target.layers)
    for number, place in enumerate(goal[:-1]):
        hidden = dense_layers(at.network.layers)
        if number >= len(hidden) - 1:
            group = target.layers[place : goal[number + 1]]
            before = _width(at.network, hidden[-2])
            new = deepened(
                at.network, at.params, hidden[-1], [_as_wide(group[0], before), *group[1:]], X, seed
            )
            at = Grown(new.network, new.params, at.exact and new.exact)
        more = _width(target, place) - _width(at.network, place)
        if more < 0:
            raise DataError(f"grow: layer {place} has {-more} units less in the larger network")
        if more:
            new = widened(at.network, at.params, place, more, X, seed)
            at = Grown(new.network, new.params, at.exact)
    if at.network != target:
        raise DataError(f"grow: {network!r} cannot grow into {target!r}")
    return at


def _behind(network: Sequential, layer: int) -> Sequence[Layer]:
    """Return what stands between a dense layer and the next."""
    following = [place for place in dense_layers(network.layers) if place > layer]
    return network.layers[layer + 1 : following[0]] if following else ()


def _width(network: Sequential, layer: int) -> int:
    return network.layers[layer].units  # type: ignore[attr-defined]  a dense layer of either kind


def _as_wide(layer: Layer, units: int) -> Layer:
    """Return a dense layer with other units."""
    return replace(layer, units=units)  # type: ignore[type-var]  a dense layer is a record


def _agree(one: Array, other: Array) -> bool:
    """Return whether outputs agree to rounding: sums in another order, and the ends of straight pieces."""
    if not len(one):
        return False
    scale = max(1.0, float(np.max(np.abs(one))))
    return bool(np.max(np.abs(one - other)) <= _ULP * scale * np.finfo(one.dtype).eps)
