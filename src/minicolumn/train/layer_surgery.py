"""Inserting and removing layers while a network is trained: which weights go on, and which begin anew.

new layer k was layer old(k):   arrays whose shape stays keep their numbers and the optimizer's moments
other arrays                    are drawn as a new network's
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn import AlphaDropout, Dense, Dropout, GaussianDropout, GaussianNoise, Sequential
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.dense import rule_of
from minicolumn.tree import flatten, map_leaves

Array = np.ndarray
Piece = tuple[float, float]
SILENT = (AlphaDropout, Dropout, GaussianDropout, GaussianNoise)  # without effect but while training
# How far out activations are straight: relu; hard_silu; gelu, mish; silu, softplus in float32; in float64.
_TAILS = (0.0, 3.0, 10.0, 20.0, 40.0)
_POINTS, _ULP, _SAME, _FLATTEST = 257, 4.0, 1e-12, 1e-3


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
    """Return weights by which a new dense layer changes nothing of what the network computes, or None.

        f(a h + c) = s h + t    for the layer's inputs h:   W = a I,  b = c;    next V / s,  d - t/s sum V

    Where f(h) = h, as of a linear layer anywhere and of relu behind what is never negative, it is the
    identity. Other activations have a straight piece, beside 0 or far out, into which h is moved: elu, selu,
    gelu, mish and their kin behind what has a least value, hard_tanh behind what is bounded. A tanh has none.

    at          index of the new layer, with as many units as inputs
    X           [rows, *input_shape]; a quarter more to both sides than the inputs of these rows is kept, too
    Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641), section 2.3
    Differs     there f must be relu or linear
    """
    layer, own = network.layers[at], params[str(at)]
    if not isinstance(layer, Dense) or own["weight"].shape[0] != own["weight"].shape[1]:
        return None
    inputs = np.asarray(Sequential(*network.layers[:at]).apply(params, X))
    function = rule_of(layer.activation).function
    for a, c, h in _moves(inputs):
        piece = straight_piece(function, a, c, h)
        behind = None if piece is None or (c and not layer.bias) else _behind(network, at, params, piece)
        if behind is not None:
            return {**params, str(at): _passing(layer, own, a, c), **behind}
    return None


def straight_piece(f: Callable[[Array], Array], a: float, c: float, h: Array) -> Piece | None:
    """Return s, t such that f(a h + c) = s h + t from the least h to the largest, to its rounding, or None.

    >>> straight_piece(np.tanh, 1.0, 0.0, np.array([-1.0, 1.0])) is None
    True
    >>> straight_piece(lambda x: np.maximum(x, 0.0), 1.0, 2.0, np.array([-1.0, 1.0]))
    (1.0, 2.0)
    """
    low, high = float(np.min(h)), float(np.max(h))
    if not low < high:
        return None
    x = np.linspace(low, high, _POINTS)
    y = np.asarray(f(a * x + c), np.float64)
    s = float((y[-1] - y[0]) / (high - low))
    t = float(y[0] - s * low)
    largest = float(np.max(np.abs(np.concatenate([x, y]))))
    bend = float(np.max(np.abs(s * x + t - y)))
    if not abs(s) > _FLATTEST or not bend <= _ULP * largest * np.finfo(h.dtype).eps:
        return None
    return (1.0, 0.0) if abs(s - 1.0) < _SAME and abs(t) < _SAME * largest else (s, t)


def _moves(h: Array) -> Iterator[tuple[float, float, Array]]:
    """Yield ways a h + c to move values, the least far first, and the values from which they are to hold.

    A value that comes later may be beyond those that are known, so all but the identity have some room.
    """
    low, high = float(np.min(h)), float(np.max(h))
    yield 1.0, 0.0, h
    room = (high - low) / 4.0
    wide = np.array([low - room, high + room], h.dtype)
    for tail in _TAILS:
        yield 1.0, tail + room - low, wide
    for tail in _TAILS:
        yield 1.0, -tail - room - high, wide
    yield 1.0 / max(abs(low - room), abs(high + room), 1e-6), 0.0, wide


def _passing(layer: Dense, own: Params, a: float, c: float) -> Params:
    """Return weights of a dense layer that make a h + c of h."""
    weight = a * np.eye(len(own["weight"]))
    if layer.parametrization == "ntk":
        weight = weight * np.sqrt(len(weight))
    found = {"weight": weight.astype(own["weight"].dtype)}
    return own | found | ({"bias": np.full_like(own["bias"], c / layer.bias_rate)} if layer.bias else {})


def _behind(network: Sequential, at: int, params: Params, piece: Piece) -> Params | None:
    """Return weights of the dense layer behind a new one that make of s h + t what they made of h."""
    if piece == (1.0, 0.0):
        return {}
    following = at + 1
    while following < len(network.layers) and isinstance(network.layers[following], SILENT):
        following += 1
    layer = network.layers[following] if following < len(network.layers) else None
    (s, t), own = piece, params.get(str(following), {})
    if not isinstance(layer, Dense) or (t and not layer.bias):
        return None
    weight = np.asarray(own["weight"], np.float64) / s
    found = {"weight": weight.astype(own["weight"].dtype)}
    if layer.bias:
        fan = np.sqrt(len(weight)) if layer.parametrization == "ntk" else 1.0
        moved = own["bias"] - t * weight.sum(axis=0) / fan / layer.bias_rate
        found["bias"] = moved.astype(own["bias"].dtype)
    return {str(following): {**own, **found}}


def _layers(who: str, network: Layer) -> tuple[Layer, ...]:
    if not isinstance(network, Sequential):
        raise DataError(f"{who}: the network is a {type(network).__name__}; only a Sequential has layers")
    return network.layers


def _index(who: str, at: int, last: int) -> int:
    """Return an index from 0 to `last`; negative ones are refused, since the end moves."""
    if isinstance(at, bool) or not hasattr(at, "__index__") or not 0 <= int(at) <= last:
        raise DataError(f"{who}: at must be an index from 0 to {last}, got {at!r:.60}")
    return int(at)
