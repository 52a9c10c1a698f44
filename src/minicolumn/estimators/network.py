"""The network of an estimator: from scikit-learn's words to layers, and its weights in both forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn import Dense, Dropout, Layer, Sequential
from minicolumn.nn.activations import ACTIVATIONS

Array = np.ndarray
Activation = str | Callable[[Array], Array]


def known_activations() -> set[str]:
    """Return all names but the one whose layer has twice as many sums as units: they would be no `coefs_`."""
    return {*ACTIVATIONS.known} - {"glu"}


def hidden_sizes(sizes: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer, from an integer or several."""
    listed: list[Any] = np.ravel(sizes).tolist()
    if any(units != int(units) or units <= 0 for units in listed):
        raise DataError(f"hidden_layer_sizes must be > 0, got {listed}.")
    return tuple(int(units) for units in listed)


def for_each(name: str, value: Any, layers: int) -> tuple[Any, ...]:
    """Return a setting for each hidden layer: given once for all, or one by one."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return (value,) * layers
    if len(value) != layers:
        raise DataError(f"{name} holds {len(value)} entries for {layers} hidden layers; give one for each")
    return tuple(value)


def build_network(
    sizes: Any,
    activation: Any,
    units: int,
    dropout: Any = 0.0,
    input_dropout: float = 0.0,
    end: tuple[Layer, ...] = (),
) -> Sequential:
    """Return the layers: dense ones with their activations and dropout between, raw outputs at the end.

    units       of the last dense layer
    end         layers behind it, which its outputs need to be valid

    >>> build_network((8, 4), "tanh", 3, dropout=0.5)
    Sequential(Dense(8, activation='tanh'), Dropout(0.5), Dense(4, activation='tanh'), Dropout(0.5), Dense(3))
    """
    hidden = hidden_sizes(sizes)
    functions = for_each("activation", activation, len(hidden))
    rates = for_each("dropout", dropout, len(hidden))
    layers: list[Any] = [Dropout(input_dropout)] if input_dropout else []
    for size, function, rate in zip(hidden, functions, rates, strict=True):
        layers.append(Dense(size, function))
        if rate:
            layers.append(Dropout(rate))
    return Sequential(*layers, Dense(units), *end)


def dense_layers(network: Sequential) -> dict[str, Dense]:
    """Return the layers that have weights, by the names of their parameters."""
    return {str(place): layer for place, layer in enumerate(network.layers) if isinstance(layer, Dense)}


def last_dense(network: Sequential) -> str:
    """Return the name of the output layer's parameters."""
    return list(dense_layers(network))[-1]


def draw_weights(network: Sequential, features: int, seed: int, dtype: Any) -> dict[str, Any]:
    """Draw the first weights and biases: to the bit those of scikit-learn at the same whole `random_state`.

        U(-a, a),   a = sqrt(6 / (fan_in + fan_out)),   or sqrt(2 / (fan_in + fan_out)) after a logistic

    The output layer takes the factor of the last hidden one. Layer by layer first the weights, then the
    biases, in float64 from NumPy's `RandomState`, whose numbers never change.

    Source      Glorot & Bengio 2010, equation 16
    """
    params: dict[str, Any] = {str(place): {} for place in range(len(network.layers))}
    draws, fan_in, activation = np.random.RandomState(seed), features, "linear"
    last = last_dense(network)
    for name, layer in dense_layers(network).items():
        activation = activation if name == last else layer.activation
        bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / (fan_in + layer.units))
        for part, shape in (("weight", (fan_in, layer.units)), ("bias", (layer.units,))):
            params[name][part] = draws.uniform(-bound, bound, shape).astype(dtype)
        fan_in = layer.units
    return params


def to_params(network: Sequential, coefs: Sequence[Array], intercepts: Sequence[Array], dtype: Any) -> Any:
    """Return weights as the network takes them."""
    if len(coefs) != len(dense_layers(network)):
        raise _other_sizes(network, intercepts)
    params: dict[str, Any] = {str(place): {} for place in range(len(network.layers))}
    for name, weight, bias in zip(dense_layers(network), coefs, intercepts, strict=True):
        params[name] = {"weight": np.asarray(weight, dtype), "bias": np.asarray(bias, dtype)}
    return params


def check_sizes(network: Sequential, intercepts: Sequence[Array]) -> None:
    """Refuse to train on with weights of other sizes.

    Errors      DataError that says what to do
    """
    if [b.size for b in intercepts] != [layer.units for layer in dense_layers(network).values()]:
        raise _other_sizes(network, intercepts)


def carried_over(network: Sequential, tree: Any) -> Any:
    """Return trees like the weights of a network that has the same dense layers, whatever lies between.

    tree        weights, or what an optimizer remembers: a dict of such trees and of numbers

    >>> carried_over(Sequential(Dropout(0.5), Dense(1)), {"0": {"weight": 3.0}})
    {'0': {}, '1': {'weight': 3.0}}
    """
    if not isinstance(tree, dict):
        return tree
    if not tree or not all(name.isdigit() for name in tree):
        return {name: carried_over(network, part) for name, part in tree.items()}
    own = [tree[name] for name in sorted(tree, key=int) if tree[name]]
    places = {str(place): {} for place in range(len(network.layers))}
    return places | dict(zip(dense_layers(network), own, strict=True))


def _other_sizes(network: Sequential, intercepts: Sequence[Array]) -> DataError:
    learnt = tuple(b.size for b in intercepts)
    said = tuple(layer.units for layer in dense_layers(network).values())
    return DataError(
        f"the weights so far are of layers of {learnt} units, these settings and y ask for {said}; set "
        "hidden_layer_sizes and loss back, or fit anew with warm_start=False"
    )


def from_params(network: Sequential, params: Any, dtype: Any) -> tuple[list[Array], list[Array]]:
    """Return `coefs_` and `intercepts_`."""
    own = [params[name] for name in dense_layers(network)]
    return [np.array(p["weight"], dtype) for p in own], [np.array(p["bias"], dtype) for p in own]
