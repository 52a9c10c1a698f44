"""First weights of an estimator from a trained network: its hidden layers, with an output layer drawn anew.

Source      Yosinski, Clune, Bengio, Lipson 2014 (arXiv 1411.1792)
"""

from __future__ import annotations

import numpy as np

from minicolumn.errors import DataError
from minicolumn.estimators.network import dense_layers, last_dense
from minicolumn.model.files import PathLike, shown
from minicolumn.model.model import Model, load
from minicolumn.nn import (
    AlphaDropout,
    Dense,
    Dropout,
    Flatten,
    Frozen,
    GaussianDropout,
    GaussianNoise,
    Layer,
    Sequential,
)
from minicolumn.nn.layer import Params

# Layers that change nothing where the network predicts, on rows that are flat.
_PASSING = (AlphaDropout, Dropout, Flatten, GaussianDropout, GaussianNoise)


def begun_with(network: Sequential, drawn: Params, source: Model | PathLike) -> Params:
    """Return the weights of an estimator's network with the hidden layers of another in place of its own.

    network     of dense layers, perhaps with dropout between; drawn: its random weights
    source      a model, or the path of its file, whose hidden layers have the same units and activations
    Errors      DataError that says what to ask for, where they do not; ModelFileError for what is no model
    """
    model = source if isinstance(source, Model) else load(source)
    name = "the network" if isinstance(source, Model) else shown(source)
    own = dense_layers(network)
    *hidden, _ = _dense_of(model, name)
    *wanted, _ = own.values()
    told = [(layer.units, layer.activation) for layer, _ in hidden]
    if told != [(layer.units, layer.activation) for layer in wanted]:
        raise DataError(
            f"init_from: {name} has hidden layers of other units or activations; ask for "
            f"hidden_layer_sizes={tuple(units for units, _ in told)} and "
            f"activation={[activation for _, activation in told]}"
        )
    found = dict(drawn)
    for key, (layer, params) in zip(own, hidden, strict=False):
        weight, bias = _plain(layer, params)
        like = drawn[key]["weight"]
        if weight.shape != like.shape:
            raise DataError(
                f"init_from: {name} takes {weight.shape[0]:,} features a row, and X has {like.shape[0]:,}"
            )
        found[key] = {"weight": weight.astype(like.dtype), "bias": bias.astype(like.dtype)}
    assert last_dense(network) in found
    return found


def _dense_of(model: Model, name: str) -> list[tuple[Dense, Params]]:
    """Return the dense layers of a network with their weights; DataError where it has others that compute."""
    layers = model.network.layers if isinstance(model.network, Sequential) else (model.network,)
    inner: list[Layer] = [layer.inner if isinstance(layer, Frozen) else layer for layer in layers]
    alone = len(layers) == 1 and not isinstance(model.network, Sequential)
    params = {"0": model.params} if alone else model.params
    if odd := [layer for layer in inner if not isinstance(layer, (Dense, *_PASSING))]:
        raise DataError(
            f"init_from: {name} has a {type(odd[0]).__name__}, and the estimator dense layers alone; go on "
            "from it with mc.transfer, or fit_table(init_from=...)"
        )
    found = [(layer, params[str(k)]) for k, layer in enumerate(inner) if isinstance(layer, Dense)]
    if not found:
        raise DataError(f"init_from: {name} has no dense layer")
    return found


def _plain(layer: Dense, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias of a layer as those of a plain one that computes the same."""
    weight = np.asarray(params["weight"])
    if layer.parametrization == "ntk":
        weight = weight / np.sqrt(np.asarray(weight.shape[0], weight.dtype))
    bias = params["bias"] * weight.dtype.type(layer.bias_rate) if layer.bias else np.zeros(layer.units)
    return weight, np.asarray(bias)
