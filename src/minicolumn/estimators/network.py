"""Network construction: layers from scikit-learn's parameters; weights as `coefs_` or a parameter tree.

hidden_layer_sizes=(8, 4)   ->  Sequential(Dense(8), Dense(4), Dense(outputs))
coefs_, intercepts_         <-> {"0": {"weight": [fan_in, 8], "bias": [8]}, "1": ..., "2": ...}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minicolumn.errors import DataError
from minicolumn.nn import Dense, Dropout, Layer, Sequential
from minicolumn.nn.activations import ACTIVATIONS
from minicolumn.nn.layer import Params
from minicolumn.tree import Tree

Array = np.ndarray
# A name, with settings behind a colon, or an elementwise NumPy function.
Activation = str | Callable[[Array], Array]
T = TypeVar("T")


def known_activations() -> set[str]:
    """Return all names but the one whose layer has twice as many pre-activations as units: no `coefs_`."""
    return {*ACTIVATIONS.known} - {"glu"}


def hidden_sizes(sizes: ArrayLike) -> tuple[int, ...]:
    """Return the units of each hidden layer.

    sizes       an integer for one layer, or a sequence, one each; empty for none: a linear model
    Errors      DataError for what is no positive integer

    >>> hidden_sizes(8), hidden_sizes([8, 4]), hidden_sizes(())
    ((8,), (8, 4), ())
    """
    listed: list[float] = np.ravel(sizes).tolist()
    if any(units != int(units) or units <= 0 for units in listed):
        raise DataError(f"hidden_layer_sizes must be > 0, got {listed}.")
    return tuple(int(units) for units in listed)


def for_each(name: str, value: T | Sequence[T], layers: int) -> tuple[T, ...]:
    """Return a setting for each hidden layer: given once for all, or one for each.

    name        of the parameter, for messages
    Errors      DataError where there are not as many as layers

    >>> for_each("dropout", 0.5, 2), for_each("activation", ["relu", "tanh"], 2)
    ((0.5, 0.5), ('relu', 'tanh'))
    """
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return (cast(T, value),) * layers  # a text is one setting, not a sequence of letters
    several = cast(Sequence[T], value)
    if len(several) != layers:
        raise DataError(f"{name} holds {len(several)} entries for {layers} hidden layers; give one for each")
    return tuple(several)


def build_network(
    sizes: ArrayLike,
    activation: Activation | Sequence[Activation],
    units: int,
    dropout: float | Sequence[float] = 0.0,
    input_dropout: float = 0.0,
    end: tuple[Layer, ...] = (),
) -> Sequential:
    """Return a multi-layer perceptron: dense layers with activation and dropout, linear outputs at the end.

        h_0 = x,    h_k = dropout(f(h_(k-1) W_k + b_k)),    outputs = h_K W + b

    sizes           units of the hidden layers, one integer or a sequence
    activation      f, one for all hidden layers or one for each
    units           of the last dense layer, whose outputs are logits where the loss is a cross-entropy
    dropout         rate behind each hidden layer, one for all or one for each; 0 adds no layer
    input_dropout   rate of the inputs
    end             layers behind the last dense one, such as the one that keeps quantiles in order
    Errors          DataError for sizes below 1, and for lists of another length than there are hidden layers

    >>> build_network((8, 4), "tanh", 3, dropout=0.5)
    Sequential(Dense(8, activation='tanh'), Dropout(0.5), Dense(4, activation='tanh'), Dropout(0.5), Dense(3))
    """
    hidden = hidden_sizes(sizes)
    functions = for_each("activation", activation, len(hidden))
    rates = for_each("dropout", dropout, len(hidden))
    layers: list[Layer] = [Dropout(input_dropout)] if input_dropout else []
    for size, function, rate in zip(hidden, functions, rates, strict=True):
        layers.append(Dense(size, function))
        if rate:
            layers.append(Dropout(rate))
    return Sequential(*layers, Dense(units), *end)


def dense_layers(network: Sequential) -> dict[str, Dense]:
    """Return the dense layers in order, by the keys of their weights in the parameter tree.

    >>> list(dense_layers(build_network((8,), "relu", 3, dropout=0.5)))
    ['0', '2']
    """
    return {str(place): layer for place, layer in enumerate(network.layers) if isinstance(layer, Dense)}


def last_dense(network: Sequential) -> str:
    """Return the key of the output layer's weights in the parameter tree."""
    return list(dense_layers(network))[-1]


def draw_weights(network: Sequential, features: int, seed: int, dtype: DTypeLike) -> Params:
    """Draw initial weights and biases by Glorot's rule, to the bit scikit-learn's at an integer seed.

        U(-a, a),   a = sqrt(6 / (fan_in + fan_out)),   or sqrt(2 / (fan_in + fan_out)) for logistic units

    The output layer takes the factor of the last hidden one. Layer by layer first the weights, then the
    biases, in float64 from NumPy's `RandomState`, whose numbers never change.

    features    fan_in of the first layer
    seed        of the `RandomState`, 0 to 2^32 - 1
    dtype       that the draws are rounded to
    Returns     {layer: {"weight": [fan_in, units], "bias": [units]}}, {} for layers without weights
    Source      Glorot & Bengio 2010, equation 16
    Differs     the paper leaves biases at 0; scikit-learn draws them like weights
    """
    params: Params = {str(place): {} for place in range(len(network.layers))}
    draws, fan_in, activation = np.random.RandomState(seed), features, "linear"
    last = last_dense(network)
    for name, layer in dense_layers(network).items():
        activation = activation if name == last else layer.activation
        bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / (fan_in + layer.units))
        for part, shape in (("weight", (fan_in, layer.units)), ("bias", (layer.units,))):
            params[name][part] = draws.uniform(-bound, bound, shape).astype(dtype)
        fan_in = layer.units
    return params


def to_params(
    network: Sequential, coefs: Sequence[Array], intercepts: Sequence[Array], dtype: DTypeLike
) -> Params:
    """Return `coefs_` and `intercepts_` as the network's parameter tree; the inverse of `from_params`.

    coefs       [fan_in, units] for each dense layer
    intercepts  [units] for each
    Errors      DataError for another number of layers
    """
    if len(coefs) != len(dense_layers(network)):
        raise _other_sizes(network, intercepts)
    params: Params = {str(place): {} for place in range(len(network.layers))}
    for name, weight, bias in zip(dense_layers(network), coefs, intercepts, strict=True):
        params[name] = {"weight": np.asarray(weight, dtype), "bias": np.asarray(bias, dtype)}
    return params


def check_sizes(network: Sequential, intercepts: Sequence[Array]) -> None:
    """Refuse to go on with weights whose layers have other numbers of units than the parameters ask for.

    intercepts  of the fit before, whose lengths are the units
    Errors      DataError that says what to do
    """
    if [b.size for b in intercepts] != [layer.units for layer in dense_layers(network).values()]:
        raise _other_sizes(network, intercepts)


def rekeyed(network: Sequential, tree: Tree) -> Tree:
    """Return a parameter tree of a network with the same dense layers under this network's keys.

    Keys are positions, which move where dropout layers come or go between two fits.

    tree        weights, or an optimizer's moments: a dict of such trees and of numbers

    >>> rekeyed(Sequential(Dropout(0.5), Dense(1)), {"0": {"weight": 3.0}})
    {'0': {}, '1': {'weight': 3.0}}
    """
    if not isinstance(tree, dict):
        return tree
    if not tree or not all(name.isdigit() for name in tree):
        return {name: rekeyed(network, part) for name, part in tree.items()}
    own = [tree[name] for name in sorted(tree, key=int) if tree[name]]
    places = {str(place): {} for place in range(len(network.layers))}
    return places | dict(zip(dense_layers(network), own, strict=True))


def _other_sizes(network: Sequential, intercepts: Sequence[Array]) -> DataError:
    """Return the error that names the units of both, and what to do."""
    learnt = tuple(b.size for b in intercepts)
    said = tuple(layer.units for layer in dense_layers(network).values())
    return DataError(
        f"the weights so far are of layers of {learnt} units, these settings and y ask for {said}; set "
        "hidden_layer_sizes and loss back, or fit anew with warm_start=False"
    )


def from_params(network: Sequential, params: Params, dtype: DTypeLike) -> tuple[list[Array], list[Array]]:
    """Return a parameter tree as `coefs_`, [fan_in, units] each, and `intercepts_`, [units] each; copies."""
    own = [params[name] for name in dense_layers(network)]
    return [np.array(p["weight"], dtype) for p in own], [np.array(p["bias"], dtype) for p in own]
