"""Constant folding of a trained network: the same function with fewer operations, for predictions alone.

    Dropout and noise                                   left out: they do nothing when predicting
    Frozen                                              what is inside it
    Scale, Dense                                        Dense,  W' = (1 + rate s) W
    Dense in NTK form, its bias slower                  Dense,  W' = W / sqrt(fan_in),  b' = bias_rate b
    PiecewiseLinear, ColumnEmbedding, Scale, Dense      ColumnSplines, Activation: sums of looked-up rows
    ColumnEmbedding, PiecewiseDense                     the same

Weights are computed in float64 and rounded once, so the outputs differ by rounding alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Array, Layer, Params
from minicolumn.nn.layers.containers import Sequential, thawed
from minicolumn.nn.layers.dense import Activation, Dense, Scale
from minicolumn.nn.layers.embeddings import ColumnEmbedding
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from minicolumn.nn.layers.piecewise import PiecewiseLinear
from minicolumn.nn.layers.spline import ColumnSplines, Knots, PiecewiseDense

SILENT = (Dropout, AlphaDropout, GaussianDropout, GaussianNoise)
# Of codes whose vectors are multiplied out: of more levels the products take more room than they save work.
MOST_LEVELS = 1_000

Part = tuple[Layer, Params]


def folded(network: Layer, params: Params) -> Part:
    """Return a network of fewer operations that predicts the same to rounding, and its parameters.

    network     any; only a `Sequential` is folded, and only layers that stand next to each other
    params      as it was trained; they are not changed
    Source      constant folding; of normalization into convolutions: Jacob et al. 2018 (arXiv 1712.05877)

    >>> net = Sequential(Scale(), Dense(2, "tanh", parametrization="ntk"), Dropout(0.5), Dense(1))
    >>> small, _ = folded(net, net.init(0, (3,)))
    >>> small
    Sequential(Dense(2, activation='tanh'), Dense(1))
    """
    if not isinstance(network, Sequential):
        return network, params
    bare = [(thawed(layer), params[str(place)]) for place, layer in enumerate(network.layers)]
    parts = [(layer, own) for layer, own in bare if not isinstance(layer, SILENT)]
    found = list(_plain(_without_scales(_as_splines(parts))))
    return Sequential(*[layer for layer, _ in found]), {str(n): own for n, (_, own) in enumerate(found)}


def _without_scales(parts: list[Part]) -> Iterator[Part]:
    """Yield the layers with each `Scale` multiplied into the `Dense` behind it."""
    left = iter(parts)
    for layer, own in left:
        if not isinstance(layer, Scale):
            yield layer, own
            continue
        behind, weights = next(left, (None, {}))
        if isinstance(behind, Dense):
            yield behind, {**weights, "weight": _scaled(layer, own, weights["weight"])}
        else:
            yield layer, own
            if behind is not None:
                yield behind, weights


def _scaled(layer: Scale, own: Params, weight: Array) -> Array:
    """Return a weight [features, units] behind the factors of features."""
    factors = 1.0 + layer.rate * np.asarray(own["scale"], np.float64)
    return (factors[:, None] * weight).astype(weight.dtype)


def _plain(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the layers with each `Dense` in standard form."""
    for layer, own in parts:
        yield standard_dense(layer, own) if isinstance(layer, Dense) else (layer, own)


def standard_dense(layer: Dense, own: Params) -> Part:
    """Return a `Dense` in standard form, without an initializer."""
    weight, dtype = np.asarray(own["weight"], np.float64), own["weight"].dtype
    if layer.parametrization == "ntk":
        weight = weight / math.sqrt(weight.shape[0])
    found = {"weight": weight.astype(dtype)}
    if layer.bias:
        found["bias"] = (layer.bias_rate * np.asarray(own["bias"], np.float64)).astype(dtype)
    return Dense(layer.units, layer.activation, layer.bias), found


# Splines --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Front:
    """The sum that a network of a table begins with, as one matrix over what its columns are made into.

    units, activation   of the layer that adds up
    weight      float64 [plain columns + vectors of codes + ramps, units]
    bias        float64 [units]
    knots       of the plain columns that have ramps, by their numbers in the table
    codes       the embedding of the others; tables: its vectors
    taken       how many layers it replaces; dtype: of its parameters
    """

    dense: Dense | PiecewiseDense
    weight: Array
    bias: Array
    knots: Knots
    codes: ColumnEmbedding
    tables: Params
    taken: int
    dtype: np.dtype


def _as_splines(parts: list[Part]) -> list[Part]:
    """Return the layers with ramps and embeddings in front multiplied into the layer that adds them up."""
    front = _ramps_in_front(parts) or _embedding_in_front(parts)
    if front is None or any(levels > MOST_LEVELS for _, levels in front.codes.embeddings):
        return parts
    activation = front.dense.activation
    if not isinstance(activation, str) or activation_by_name(activation).scores > 1:
        return parts
    active: list[Part] = [] if activation == "linear" else [(Activation(activation), {})]
    return [_spline_layer(front), *active, *parts[front.taken :]]


def _ramps_in_front(parts: list[Part]) -> _Front | None:
    """Return the front of PiecewiseLinear, Dense, with ColumnEmbedding and Scale between them or without."""
    if not parts or not isinstance(parts[0][0], PiecewiseLinear):
        return None
    ramps = parts[0][0]
    codes, tables, place = _codes_at(parts, 1)
    rest = list(_without_scales(parts[place : place + 2]))
    if not rest or not isinstance(rest[0][0], Dense):
        return None
    taken = place + (2 if isinstance(parts[place][0], Scale) else 1)
    dense, own = standard_dense(rest[0][0], rest[0][1])
    weight, added = np.asarray(own["weight"], np.float64), _ramps_of(ramps.knots)
    vectors = sum(each.shape[1] for each in codes.vectors(tables))
    plain = len(weight) - added - vectors
    order = np.r_[:plain, plain + added : len(weight), plain : plain + added]
    bias = np.asarray(own.get("bias", np.zeros(weight.shape[1])), np.float64)
    assert isinstance(dense, Dense)
    return _Front(dense, weight[order], bias, ramps.knots, codes, tables, taken, own["weight"].dtype)


def _embedding_in_front(parts: list[Part]) -> _Front | None:
    """Return the front of ColumnEmbedding, PiecewiseDense, of which the first may lack."""
    codes, tables, place = _codes_at(parts, 0)
    if place >= len(parts) or not isinstance(parts[place][0], PiecewiseDense):
        return None
    layer, own = parts[place]
    assert isinstance(layer, PiecewiseDense)
    weight = layer.factors(np.asarray(own["scale"], np.float64))[:, None] * own["weight"]
    bias = layer.bias_rate * np.asarray(own["bias"], np.float64)
    listed = {column for column, _ in codes.embeddings}
    last = len(weight) + len(listed)
    kept = [column for column in range(last) if column not in listed]
    knots = tuple((kept[column], each) for column, each in layer.knots)
    return _Front(layer, weight, bias, knots, codes, tables, place + 1, own["weight"].dtype)


def _codes_at(parts: list[Part], place: int) -> tuple[ColumnEmbedding, Params, int]:
    """Return the embedding at a place with its vectors, or one of no columns, and the place behind it."""
    layer, own = parts[place] if place < len(parts) else (None, {})
    return (layer, own, place + 1) if isinstance(layer, ColumnEmbedding) else (ColumnEmbedding(()), {}, place)


def _ramps_of(knots: Knots) -> int:
    """Return how many ramps there are."""
    return sum(len(each) - 1 for _, each in knots)


def _spline_layer(front: _Front) -> Part:
    """Return the sum of functions of single columns that a front is."""
    vectors = [np.asarray(each, np.float64) for each in front.codes.vectors(front.tables)]
    ramps = len(front.weight) - _ramps_of(front.knots)
    plain = ramps - sum(each.shape[1] for each in vectors)
    found: dict[str, Any] = {"weight": front.weight[:plain]} if plain else {}
    if front.knots:
        lengths = [len(each) - 1 for _, each in front.knots]
        steps = np.split(front.weight[ramps:], np.cumsum(lengths)[:-1])
        # A spline is 0 at its first knot, and at the next ones what all ramps up to there add.
        values = [np.cumsum(np.vstack([0.0 * step[:1], step]), axis=0) for step in steps]
        found["splines"] = np.concatenate(values)
    if vectors:
        ends = plain + np.cumsum([each.shape[1] for each in vectors])
        blocks = np.split(front.weight[plain:ramps], (ends - plain)[:-1])
        found["tables"] = np.concatenate([each @ block for each, block in zip(vectors, blocks, strict=True)])
    found["bias"] = front.bias
    layer = ColumnSplines(front.dense.units, front.knots, front.codes.embeddings)
    return layer, {name: value.astype(front.dtype) for name, value in found.items()}
