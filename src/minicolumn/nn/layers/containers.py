"""Container layers: sequential, residual (a skip connection), concatenated side by side, frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.ir.ops.elementwise import STOP_GRADIENT
from minicolumn.nn.layer import Array, Composite, Layer, Param, Params, Shape, Visit, own_key
from minicolumn.registry import refuse
from minicolumn.tree import map_leaves


def check_layers(name: str, layers: tuple[Layer, ...]) -> None:
    """Refuse what is no layer among the arguments of one made of layers."""
    for place, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            listed = isinstance(layer, (list, tuple))
            hint = f"; write {name}(a, b), not {name}([a, b])" if listed else ""
            raise DataError(f"{name}: argument {place} is {type(layer).__name__}, expected a layer{hint}")


def numbered(layers: tuple[Layer, ...]) -> tuple[tuple[str, Layer], ...]:
    """Return layers with their names in the tree of parameters: 0, 1, ..."""
    return tuple((str(place), layer) for place, layer in enumerate(layers))


def joined_shape(layer: Composite, input_shape: Shape) -> Shape:
    """Return the shape of the inner layers' outputs side by side; ShapeError, naming one, if they differ."""
    shapes = []
    for name, part in layer.inside:
        try:
            shapes.append(part.output_shape(input_shape))
        except ShapeError as error:
            raise ShapeError(f"{type(layer).__name__}: {name}: {error}") from None
    first = shapes[0]
    for (name, _), shape in zip(layer.inside, shapes, strict=True):
        if not shape or shape[:-1] != first[:-1]:
            expected = f"expected [{', '.join(map(str, (*first[:-1], 'any')))}]"
            raise ShapeError(f"{type(layer).__name__}: {name} gives rows of shape {list(shape)}, {expected}")
    return (*first[:-1], sum(shape[-1] for shape in shapes))


def side_by_side(
    layer: Composite, visit: Visit, params: Params, x: Array, key: Array | None
) -> tuple[Array, Params]:
    """Send the same input through all inner layers and join their outputs."""
    parts, after = [], {}
    for place, (name, part) in enumerate(layer.inside):
        y, after[name] = visit(part, params[name], x, own_key(part, key, place))
        parts.append(y)
    return np.concatenate(parts, axis=-1), after


@final
@dataclass(frozen=True, repr=False, init=False)
class Sequential(Composite):
    """Layers one after the other: ``y = layer_n(... layer_1(x))``.

    layers      any number of layers; none at all passes the input on
    params      ``{"0": params of the first layer, "1": ...}``; layers without parameters hold ``{}``
    key         layer ``i`` draws from ``fold_in(key, i)``
    Errors      DataError if an argument is not a layer; ShapeError, naming the layer, if shapes do not fit

    >>> from minicolumn.nn import Dense
    >>> net = Sequential(Dense(4, activation="relu"), Dense(1))
    >>> net
    Sequential(Dense(4, activation='relu'), Dense(1))
    >>> params = net.init(0, (3,))
    >>> net.apply(params, np.ones((2, 3), np.float32)).shape
    (2, 1)
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        check_layers("Sequential", layers)
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def shapes(self, input_shape: Shape) -> tuple[Shape, ...]:
        """Return the shape in front of each layer and behind the last, without the batch axis.

        >>> from minicolumn.nn import Dense
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

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return numbered(self.layers)

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        after = {}
        for place, (name, layer) in enumerate(self.inside):
            x, after[name] = visit(layer, params[name], x, own_key(layer, key, place))
        return x, after

    @property
    def by_member(self) -> bool:
        return bool(self.layers) and self.layers[-1].by_member

    def member_outputs(
        self, params: Params, x: Array, *, key: Array | None = None, training: bool = False
    ) -> tuple[Array, Params]:
        if not self.by_member:
            return super().member_outputs(params, x, key=key, training=training)
        *front, last = self.layers
        place = len(front)
        # In front of the last layer an ensemble's mean is handed on.
        x, after = Layer.member_outputs(Sequential(*front), params, x, key=key, training=training)
        y, own = last.member_outputs(params[str(place)], x, key=own_key(last, key, place), training=training)
        return y, {**after, str(place): own}

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        return self.through(visit, params, columns, None)[0]


@final
@dataclass(frozen=True, repr=False)
class Residual(Composite):
    """Add what the inner layer makes of the input to the input: ``y = x + inner(x)``.

    inner       a layer whose outputs have the shape of its inputs
    params      those of the inner layer
    Errors      ShapeError if the shapes differ
    Source      He, Zhang, Ren, Sun 2016 (arXiv 1512.03385)

    >>> from minicolumn.nn import Activation
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

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return (("", self.inner),)

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        y, after = visit(self.inner, params, x, key)
        return x + y, after

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        return np.full_like(visit(self.inner, params, columns, None)[0], np.nan)


@final
@dataclass(frozen=True, repr=False)
class Frozen(Composite):
    """Keep a layer as it is while others train: transfer learning by feature extraction.

        y = inner(x)        as when predicting, with parameters that no gradient reaches

    inner       any layer. Its dropout and noise are off, and the running statistics of its norms stay: they
                are what the layers behind it were trained on
    params      those of the inner layer, at the same paths, so that `Trainer.change(network=...)` freezes and
                unfreezes in the middle of a training; here they are constants by their role
    Source      Yosinski, Clune, Bengio, Lipson 2014 (arXiv 1411.1792)
    Differs     Keras has the flag ``trainable`` on each layer, PyTorch ``requires_grad`` on each parameter;
                in both, dropout of frozen layers goes on, in PyTorch the statistics of norms too

    >>> from minicolumn.nn import Dense
    >>> layer = Frozen(Dense(1))
    >>> params, x = layer.init(0, (2,)), np.ones((1, 2), np.float32)
    >>> bool((layer.apply(params, x) == layer.inner.apply(params, x)).all())
    True
    """

    inner: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.inner, Layer):
            refuse(self, "inner", "a layer")

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.inner.output_shape(input_shape)

    def declare(self, input_shape: Shape) -> Params:
        return _as_constants(self.inner.declare(input_shape))

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return (("", self.inner),)

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        return visit(self.inner, params, x, key)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return self.inner.apply(map_leaves(STOP_GRADIENT, params), x)

    def apply_training(self, params: Params, x: Array, key: Array | None = None) -> tuple[Array, Params]:
        return self.apply(params, x), params

    @property
    def draws(self) -> bool:
        return False

    @property
    def observes(self) -> bool:
        return False

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        return visit(self.inner, params, columns, None)[0]


def _as_constants(declared: Params) -> Params:
    """Return declarations of the same parameters as constants."""
    return {
        name: replace(part, role="constant") if isinstance(part, Param) else _as_constants(part)
        for name, part in declared.items()
    }


@final
@dataclass(frozen=True, repr=False, init=False)
class Concatenate(Composite):
    """Give the same input to several layers and lay their outputs side by side.

        y = [layer_1(x) | ... | layer_n(x)]        along the last axis

    layers      one or more; ``Sequential()`` passes the input itself on
    params      ``{"0": params of the first layer, "1": ...}``
    key         layer ``i`` draws from ``fold_in(key, i)``
    Errors      DataError if an argument is not a layer; ShapeError if the outputs differ in other axes
    Source      wide and deep: Cheng et al. 2016 (arXiv 1606.07792); Huang, Liu, van der Maaten, Weinberger
                2017 (arXiv 1608.06993)

    >>> from minicolumn.nn import Dense
    >>> wide_and_deep = Concatenate(Sequential(), Dense(4, activation="relu"))
    >>> wide_and_deep.output_shape((3,))
    (7,)
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        check_layers("Concatenate", layers)
        if not layers:
            raise DataError("Concatenate: expected at least one layer")
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"Concatenate({', '.join(map(repr, self.layers))})"

    def output_shape(self, input_shape: Shape) -> Shape:
        return joined_shape(self, input_shape)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return {name: layer.declare(input_shape) for name, layer in self.inside}

    @property
    def operations(self) -> int:
        return 1 + len(self.layers)

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return numbered(self.layers)

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        return side_by_side(self, visit, params, x, key)

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        return self.through(visit, params, columns, None)[0]


def thawed(layer: Layer) -> Layer:
    """Return what predicts the same with nothing frozen in it, of a frozen layer and of a `Sequential`."""
    if isinstance(layer, Frozen):
        return thawed(layer.inner)
    return Sequential(*map(thawed, layer.layers)) if isinstance(layer, Sequential) else layer
