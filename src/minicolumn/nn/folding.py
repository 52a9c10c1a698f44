"""Constant folding of a trained network: the same function with fewer operations, for predictions alone.

    Dropout and noise                                   left out: they do nothing when predicting
    Scale, Dense                                        Dense,  W' = (1 + rate s) W
    Dense in NTK form, its bias slower                  Dense,  W' = W / sqrt(fan_in),  b' = bias_rate b
    PiecewiseLinear, ColumnEmbedding, Scale, Dense      ColumnSplines, Activation: sums of looked-up rows

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
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Scale
from minicolumn.nn.layers.embeddings import ColumnEmbedding
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from minicolumn.nn.layers.piecewise import PiecewiseLinear
from minicolumn.nn.layers.spline import ColumnSplines

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
    parts = [
        (layer, params[str(place)])
        for place, layer in enumerate(network.layers)
        if not isinstance(layer, SILENT)
    ]
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
        yield _standard(layer, own) if isinstance(layer, Dense) else (layer, own)


def _standard(layer: Dense, own: Params) -> Part:
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
    """The layers in front of a network of a table, up to its first `Dense`."""

    ramps: PiecewiseLinear
    embedding: ColumnEmbedding
    tables: Params
    features: int  # of the table's rows

    @property
    def added(self) -> int:
        """How many ramps there are."""
        return sum(len(knots) - 1 for _, knots in self.ramps.knots)


def _as_splines(parts: list[Part]) -> list[Part]:
    """Return the layers with ramps and embeddings in front multiplied into the first `Dense` behind."""
    ramps, embedding, tables, place = PiecewiseLinear(()), ColumnEmbedding(()), {}, 0
    if parts and isinstance(parts[0][0], PiecewiseLinear):
        ramps, place = parts[0][0], 1
    if place < len(parts) and isinstance(parts[place][0], ColumnEmbedding):
        embedding, tables = parts[place]  # type: ignore[assignment]
        place += 1
    rest = list(_without_scales(parts[place : place + 2]))
    if not place or not rest or not isinstance(rest[0][0], Dense):
        return parts
    dense, own = _standard(*rest[0])  # type: ignore[arg-type]
    known = isinstance(dense.activation, str) and activation_by_name(dense.activation).scores == 1  # type: ignore[attr-defined]
    if not known or any(levels > MOST_LEVELS for _, levels in embedding.embeddings):
        return parts
    added = sum(len(knots) - 1 for _, knots in ramps.knots)
    vectors = embedding.output_shape((2**30,))[0] - 2**30 + len(embedding.embeddings)
    features = own["weight"].shape[0] - added - vectors + len(embedding.embeddings)
    front = _Front(ramps, embedding, tables, features)
    layer, weights = _spline_layer(front, dense, own)  # type: ignore[arg-type]
    active = [] if dense.activation == "linear" else [(Activation(dense.activation), {})]  # type: ignore[attr-defined]
    taken = 2 if isinstance(parts[place][0], Scale) else 1
    return [(layer, weights), *active, *parts[place + taken :]]


def _spline_layer(front: _Front, dense: Dense, own: Params) -> Part:
    """Return the sum of functions of columns that a `Dense` behind ramps and embeddings is."""
    weight, dtype = np.asarray(own["weight"], np.float64), own["weight"].dtype
    codes = front.embedding.embeddings
    moved = front.ramps.knots and {column for column, _ in codes} & {
        column for column, _ in front.ramps.knots
    }
    assert not moved  # codes have no ramps, as `ColumnSplines` refuses them
    plain = front.features - len(codes)
    found: dict[str, Any] = {}
    if plain:
        found["weight"] = weight[:plain]
    if front.ramps.knots:
        lengths = [len(knots) - 1 for _, knots in front.ramps.knots]
        ends = plain + np.cumsum(lengths)
        steps = [weight[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        # A spline is 0 at its first knot, and at the next ones what all ramps up to there add.
        found["splines"] = np.concatenate(
            [np.cumsum(np.vstack([0 * step[:1], step]), axis=0) for step in steps]
        )
    if codes:
        found["tables"] = np.concatenate(list(_products(front, weight[plain + front.added :])))
    found["bias"] = np.asarray(own.get("bias", np.zeros(weight.shape[1])), np.float64)
    layer = ColumnSplines(dense.units, front.ramps.knots, codes)
    return layer, {name: value.astype(dtype) for name, value in found.items()}


def _products(front: _Front, weight: Array) -> Iterator[Array]:
    """Yield for each embedded column its vectors times their part of a weight, [levels, units]."""
    first = 0
    for vectors in front.embedding.vectors(front.tables):
        last = first + vectors.shape[1]
        yield np.asarray(vectors, np.float64) @ weight[first:last]
        first = last
