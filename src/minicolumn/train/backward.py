"""One forward and backward pass in numbers: activations, pre-activations and gradients, compiled once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.lower.compile import compile
from minicolumn.model.rows import LabeledRows
from minicolumn.nn import Activation, Dense, Sequential
from minicolumn.nn.layer import Layer, Params, own_key
from minicolumn.registry import is_plain
from minicolumn.train.programs import KEEP
from minicolumn.train.settings import Settings
from minicolumn.train.step import member_loss, penalty_of
from minicolumn.train.types import LossFunction, Regularizer
from minicolumn.tree import leaves

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class LayerPass:
    """What one layer computed, and how large its weights and their gradient are.

    path            of the layer, as in the names of the weights: "0", or "1.0" within a layer
    layer           the record
    pre_activations what its activation was applied to, [rows, ...]; None for layers that have none
    outputs         [rows, ...]
    weight_norm     Euclidean length of all its parameters together
    gradient_norm   the same of the gradient
    """

    path: str
    layer: Layer
    pre_activations: Array | None
    outputs: Array
    weight_norm: float
    gradient_norm: float


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """One forward and backward pass of a training, as `Trainer.gradients` gives it.

        objective = loss + penalty,     gradients = d objective / d params

    rows        which of the training's rows, int32 [rows]; None for rows that were given
    loss        of these rows, without the penalty; penalty: the regularizer's share, 0 without one
    gradients   a tree like the weights
    layers      one `LayerPass` each, from the input on; nested `Sequential`s are flattened
    """

    rows: Array | None
    loss: float
    penalty: float
    gradients: Params
    layers: tuple[LayerPass, ...]


def backward_pass(
    network: Layer,
    settings: Settings,
    params: Params,
    batch: LabeledRows,
    rows: Array | None = None,
    key: Array | None = None,
    *,
    compiled: bool = True,
) -> BackwardPass:
    """Return one pass over some rows; see `BackwardPass`.

    batch       rows as a training takes them
    key         what layers draw from, as in a step of training; None passes rows on as in prediction
    compiled    whether by native code; else NumPy computes, at once: for who asks seldom
    """
    kind = None if is_plain(settings.regularizer) else settings.regularizer
    make = _kept if is_plain((network, settings.loss, kind)) else _program
    run = (make if compiled else _function)(network, settings.loss, kind, key is not None)
    dense = batch.dense()
    found, gradients = run(params, dense.X, dense.y, dense.weight, key, settings.regularizer)
    loss, penalty, seen = found
    steps = zip(layer_params(network, params), layer_params(network, gradients), seen, strict=True)
    layers = tuple(
        LayerPass(path, layer, pre, out, norm(own), norm(slope))
        for (path, layer, own), (_, _, slope), (pre, out) in steps
    )
    return BackwardPass(rows, float(loss), float(penalty), gradients, layers)


def norm(params: Params) -> float:
    """Return the Euclidean length of all numbers of a tree together.

    >>> norm({"weight": np.array([[3.0]]), "bias": np.array([4.0])})
    5.0
    """
    squares = (float(np.sum(np.square(np.asarray(leaf, np.float64)))) for leaf in leaves(params))
    return float(np.sqrt(sum(squares)))


def _program(
    network: Layer, loss: LossFunction, kind: Regularizer | None, training: bool
) -> Callable[..., tuple[Any, Params]]:
    """Return the compiled pass; see `_function`."""
    return compile(_function(network, loss, kind, training), flush_subnormals=True)


def _function(
    network: Layer, loss: LossFunction, kind: Regularizer | None, training: bool
) -> Callable[..., tuple[Any, Params]]:
    """Return the pass: (params, X, Y, weight, key, regularizer) to (loss, penalty, seen), gradients.

    kind        a regularizer that is an own function, as part of the program; others are arguments
    """

    def run(
        params: Params,
        X: Array,
        Y: Array,
        weight: Array | None,
        key: Array | None,
        regularizer: Regularizer | None = kind,
    ) -> tuple[Any, Params]:
        def objective(params: Params) -> tuple[Any, Any]:
            seen: list[tuple[Array | None, Array]] = []
            outputs = _passed(network, params, X, key, training, seen)
            plain = member_loss(network, loss, outputs, Y, weight)
            if regularizer is None:
                return plain, (plain, np.float64(0.0), seen)
            penalty = penalty_of(network, regularizer, params, X, weight)
            return plain + penalty, (plain, penalty, seen)

        (_, found), gradients = value_and_grad(objective, has_aux=True)(params)
        return found, gradients

    return run


_kept = functools.lru_cache(maxsize=KEEP)(_program)


def _passed(
    layer: Layer,
    params: Params,
    x: Array,
    key: Array | None,
    training: bool,
    seen: list[tuple[Array | None, Array]],
    ends: bool = True,
) -> Array:
    """Return a layer's outputs; note pre-activations and outputs of each layer within a `Sequential`.

    ends        whether the network ends in it: then its outputs are those that the loss is computed of
    """
    if isinstance(layer, Sequential):
        for place, (name, part) in enumerate(layer.inside):
            last = ends and place == len(layer.layers) - 1
            x = _passed(part, params[name], x, own_key(part, key, place), training, seen, last)
        return x
    pre = layer.scores(params, x) if isinstance(layer, Dense) else None
    pre = x if isinstance(layer, Activation) else pre
    passed = layer.member_outputs if ends else functools.partial(Layer.member_outputs, layer)
    out = passed(params, x, key=key, training=training)[0]
    seen.append((pre, out))
    return out


def layer_params(network: Layer, params: Params, path: str = "") -> list[tuple[str, Layer, Params]]:
    """Return the layers in the order of a pass, with their paths and parameters.

    >>> net = Sequential(Dense(2), Sequential(Dense(1)))
    >>> [path for path, _, _ in layer_params(net, net.init(0, (3,)))]
    ['0', '1.0']
    """
    if not isinstance(network, Sequential):
        return [(path, network, params)]
    return [
        part
        for name, layer in network.inside
        for part in layer_params(layer, params[name], f"{path}.{name}" if path else name)
    ]
