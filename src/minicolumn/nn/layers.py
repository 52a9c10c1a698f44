"""The layers of fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.init import Initializer, initializer_by_name
from minicolumn.nn.layer import Array, Deterministic, Function, Layer, Param, Params, Shape
from minicolumn.nn.settings import refuse, settle_flag, settle_number, settle_whole

PARAMETRIZATIONS = ("standard", "ntk")


def _check_named(layer: Layer, field: str, find: Callable[[str], object]) -> None:
    """Require a known name or a function."""
    value = getattr(layer, field)
    if isinstance(value, str):
        find(value)
    elif not callable(value):
        refuse(layer, field, "a name or a function")


def _activate(activation: str | Function, x: Array) -> Array:
    return (activation_by_name(activation).function if isinstance(activation, str) else activation)(x)


@final
@dataclass(frozen=True, repr=False, init=False)
class Sequential(Layer):
    """Layers one after the other: ``y = layer_n(... layer_1(x))``.

    layers      any number of layers; none at all passes the input on
    params      ``{"0": params of the first layer, "1": ...}``; layers without parameters hold ``{}``
    key         layer ``i`` draws from ``fold_in(key, i)``
    Errors      DataError if an argument is not a layer; ShapeError, naming the layer, if shapes do not fit

    >>> net = Sequential(Dense(4, activation="relu"), Dense(1))
    >>> net
    Sequential(Dense(4, activation='relu'), Dense(1))
    >>> params = net.init(0, (3,))
    >>> net.apply(params, np.ones((2, 3), np.float32)).shape
    (2, 1)
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        for place, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                hint = (
                    "; write Sequential(a, b), not Sequential([a, b])"
                    if isinstance(layer, (list, tuple))
                    else ""
                )
                raise DataError(
                    f"Sequential: argument {place} is {type(layer).__name__}, expected a layer{hint}"
                )
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def shapes(self, input_shape: Shape) -> tuple[Shape, ...]:
        """Return the shape in front of each layer and behind the last, without the batch axis.

        >>> Sequential(Dense(4), Dense(1)).shapes((3,))
        ((3,), (4,), (1,))
        """
        found = [tuple(input_shape)]
        for place, layer in enumerate(self.layers):
            try:
                found.append(layer.output_shape(found[-1]))
            except ShapeError as error:
                raise ShapeError(f"layer {place}: {error}") from None
        return tuple(found)

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shapes(input_shape)[-1]

    def declare(self, input_shape: Shape) -> Params:
        pairs = zip(self.layers, self.shapes(input_shape), strict=False)
        return {str(place): layer.declare(shape) for place, (layer, shape) in enumerate(pairs)}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        for place, layer in enumerate(self.layers):
            own = random.fold_in(key, place) if training and key is not None and layer.draws else None
            x = layer.apply(params[str(place)], x, key=own, training=training)
        return x

    @property
    def draws(self) -> bool:
        return any(layer.draws for layer in self.layers)


@final
@dataclass(frozen=True, repr=False)
class Dense(Deterministic):
    """Every output sees every input.

        standard    y = activation(x W + bias_rate b)
        ntk         y = activation(x W / sqrt(fan_in) + bias_rate b),    W ~ N(0, 1)

    units               fan_out
    activation          a name from ``ACTIVATIONS`` or a traceable function of one array
    bias                whether to add ``b``, which starts at 0
    initializer         a name from ``INITIALIZERS`` or a function (key, shape, dtype) -> array; None takes
                        what the activation needs: He for the ReLU family, LeCun for SELU, Glorot for the
                        others, N(0, 1) under "ntk"
    parametrization     "standard", or "ntk": the same function at the start, but steps of Adam weigh
                        1 / sqrt(fan_in) as much, so one learning rate suits all widths
    bias_rate           under Adam, the bias learns this many times as fast (0.1 in RealMLP)
    x                   [batch, ..., fan_in]
    params              weight [fan_in, units], bias [units]
    Errors              DataError for unknown names, ShapeError for inputs without features
    Source              "ntk": Jacot, Gabriel, Hongler 2018 (arXiv 1806.07572); use on tables:
                        Holzmueller, Grinsztajn, Steinwart 2024 (arXiv 2407.04491)
    Differs             the weight is [fan_in, fan_out] as in Keras and scikit-learn; PyTorch's is transposed

    >>> Dense(2).apply({"weight": np.eye(2), "bias": np.ones(2)}, np.array([[1.0, 2.0]]))
    array([[2., 3.]])
    """

    units: int
    activation: str | Function = "linear"
    bias: bool = True
    initializer: str | Initializer | None = None
    parametrization: str = "standard"
    bias_rate: float = 1.0

    def __post_init__(self) -> None:
        settle_whole(self, "units", 1)
        _check_named(self, "activation", activation_by_name)
        settle_flag(self, "bias")
        if self.initializer is not None:
            _check_named(self, "initializer", initializer_by_name)
        if self.parametrization not in PARAMETRIZATIONS:
            hint = did_you_mean(str(self.parametrization), PARAMETRIZATIONS)
            raise DataError(f"unknown parametrization {self.parametrization!r}{hint}")
        settle_number(self, "bias_rate", "a number > 0", lambda rate: rate > 0)

    def output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape or input_shape[-1] < 1:
            found = ["batch", *input_shape]
            raise ShapeError(
                f"Dense: inputs have shape [{', '.join(map(str, found))}], expected [batch, fan_in >= 1]"
            )
        return (*input_shape[:-1], self.units)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        weight = Param((input_shape[-1], self.units), self._initializer())
        return {"weight": weight, "bias": Param((self.units,))} if self.bias else {"weight": weight}

    def _initializer(self) -> str | Initializer:
        """Return the chosen initializer, or the one that suits."""
        if self.initializer is not None:
            return self.initializer
        if self.parametrization == "ntk":
            return "normal"
        return (
            activation_by_name(self.activation).init if isinstance(self.activation, str) else "glorot_uniform"
        )

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        weight = params["weight"]
        fan_in = weight.shape[0]
        if len(x.shape) < 2 or x.shape[-1] != fan_in:
            raise ShapeError(f"Dense: inputs have shape {list(x.shape)}, expected [batch, {fan_in}]")
        z = x @ weight
        if self.parametrization == "ntk":
            z = z * (1.0 / math.sqrt(fan_in))
        if self.bias:
            z = z + (params["bias"] if self.bias_rate == 1 else self.bias_rate * params["bias"])
        return _activate(self.activation, z)


@final
@dataclass(frozen=True, repr=False)
class Activation(Deterministic):
    """An activation on its own: ``y = f(x)``.

    function    a name from ``ACTIVATIONS`` or a traceable function of one array
    x           [batch, ...], and y the same
    Errors      DataError for an unknown name

    >>> Activation("relu").apply({}, np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    function: str | Function

    def __post_init__(self) -> None:
        _check_named(self, "function", activation_by_name)

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.function == "softmax" and not input_shape:
            raise ShapeError("Activation('softmax'): inputs have shape [batch], expected [batch, classes]")
        return tuple(input_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return _activate(self.function, x)


@final
@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """While training, silence each number with probability ``rate`` and scale up the others.

        training    y = x m / (1 - rate),   m = 0 with probability rate, else 1
        otherwise   y = x

    rate        0 <= rate < 1
    x           [batch, ...], and y the same
    key         uint32[2], needed while training
    Errors      DataError for a rate outside [0, 1) or a missing key
    Source      Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014
    Differs     the paper scales down at prediction; this "inverted" form, as in Keras and PyTorch, scales up
                in training.

    >>> Dropout(0.5).apply({}, np.ones((1, 6)), key=random.key(0), training=True)
    array([[2., 2., 2., 0., 0., 0.]])
    """

    rate: float

    def __post_init__(self) -> None:
        settle_number(self, "rate", "0 <= rate < 1", lambda rate: 0 <= rate < 1)

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        if key is None:
            raise DataError(
                "Dropout: training needs a random key; pass key=minicolumn.random.stream(seed, 'dropout')"
            )
        keep = 1.0 - self.rate
        return np.where(random.bernoulli(key, keep, x.shape), x * (1.0 / keep), 0.0)

    @property
    def draws(self) -> bool:
        return self.rate > 0


@final
@dataclass(frozen=True, repr=False)
class Flatten(Deterministic):
    """Lay each row out as one vector: [batch, a, b, ...] -> [batch, a b ...].

    >>> Flatten().apply({}, np.zeros((2, 28, 28))).shape
    (2, 784)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))


@final
@dataclass(frozen=True, repr=False)
class Residual(Layer):
    """Add what the inner layer makes of the input to the input: ``y = x + inner(x)``.

    inner       a layer whose outputs have the shape of its inputs
    params      those of the inner layer
    Errors      ShapeError if the shapes differ
    Source      He, Zhang, Ren, Sun 2016 (arXiv 1512.03385)

    >>> Residual(Activation("relu")).apply({}, np.array([[-1.0, 2.0]]))
    array([[-1.,  4.]])
    """

    inner: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.inner, Layer):
            refuse(self, "inner", "a layer")

    def output_shape(self, input_shape: Shape) -> Shape:
        found = self.inner.output_shape(input_shape)
        if found != tuple(input_shape):
            turned = f"{list(input_shape)} into {list(found)}"
            raise ShapeError(f"Residual: the inner layer turns shape {turned}, expected no change")
        return found

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return self.inner.declare(input_shape)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return x + self.inner.apply(params, x, key=key, training=training)

    @property
    def draws(self) -> bool:
        return self.inner.draws


@final
@dataclass(frozen=True, repr=False)
class Scale(Deterministic):
    """Learn how much each feature matters, in front of a network.

        y = x (1 + rate s),    s = 0 at the start

    rate        under Adam the factor moves this many times as fast as a weight
    x           [batch, ..., features], and y the same
    params      scale [features]
    Source      Holzmueller, Grinsztajn, Steinwart 2024 (arXiv 2407.04491), section 3: the scaling layer
    Differs     RealMLP holds the factor itself and multiplies its learning rate; under Adam with a small eps
                that is the same path.

    >>> Scale().apply({"scale": np.array([0.0, 0.5])}, np.array([[1.0, 1.0]]))
    array([[1., 4.]])
    """

    rate: float = 6.0

    def __post_init__(self) -> None:
        settle_number(self, "rate", "a number > 0", lambda rate: rate > 0)

    def output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape:
            raise ShapeError("Scale: inputs have shape [batch], expected [batch, features]")
        return tuple(input_shape)

    def declare(self, input_shape: Shape) -> Params:
        return {"scale": Param((self.output_shape(input_shape)[-1],))}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return x * (1.0 + self.rate * params["scale"])
