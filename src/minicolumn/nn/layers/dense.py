"""Fully connected (dense) layers, activation layers and learned factors, the same in training or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.shapes import Dim
from minicolumn.nn.activations import ACTIVATIONS, ActivationRule, activation_by_name
from minicolumn.nn.init import INITIALIZERS, Constant, Initializer
from minicolumn.nn.layer import (
    Array,
    Deterministic,
    Featurewise,
    Function,
    Param,
    Params,
    Shape,
    feature_count,
)
from minicolumn.registry import Boolean, Choice, Integer, Listed, Number, Part, Search

LARGEST_SIZE = 10**7  # of a layer: what a file says is bounded before anything is made
SCALE_RATE = 6.0  # of RealMLP: how many times as fast the factor of a feature learns
PARAMETRIZATIONS = ("standard", "ntk")
FASTER = Number(
    help="How many times as fast it learns as a weight, under Adam.",
    gt=0,
    search=Search(0.01, 10.0, log=True),
)
ACTIVATION = Part(
    help="What is applied to the sums.",
    words="a name or a function",
    registry=lambda: ACTIVATIONS,
    accepts=callable,
    as_text=True,
)
INITIALIZER = Part(
    help="Where the weights start; None takes what suits the activation.",
    words="a name or a function",
    registry=lambda: INITIALIZERS,
    accepts=callable,
    as_text=True,
)

SHAPE = Listed(
    help="Shape of one row.",
    of=Integer(help="Length of an axis.", ge=1, le=LARGEST_SIZE),
    words="lengths of the axes, >= 1",
    least=1,
)


def rule_of(activation: str | Function) -> ActivationRule:
    """Return the record of an activation; of a function nothing is known."""
    if isinstance(activation, str):
        return activation_by_name(activation)
    return ActivationRule("", activation, "", "glorot_uniform")


def activated(activation: str | Function, scores: Array) -> Array:
    """Return what an activation makes of scores; an own function may get their shape wrong."""
    y = rule_of(activation).function(scores)
    found, expected = tuple(getattr(y, "shape", ())), tuple(scores.shape)
    if not isinstance(activation, str) and found != expected:
        name = getattr(activation, "__name__", repr(activation))
        raise ShapeError(
            f"the activation {name} makes shape {list(found)} of {list(expected)}; keep the shape"
        )
    return y


def by_rows(function: Function, x: Array) -> Array:
    """Return what a function of matrices makes of [batch, ..., features], whose rows it is given as one.

    A product of all rows at once is one product in the weight's gradient, too, not one for each row of the
    batch; and what follows it, bias and activation, can be computed along with it.
    """
    if len(x.shape) == 2 or any(isinstance(n, Dim) for n in x.shape):  # of which no product has a name
        return function(x)
    y = function(x.reshape((math.prod(x.shape[:-1]), x.shape[-1])))
    return y.reshape((*x.shape[:-1], y.shape[-1]))


@final
@dataclass(frozen=True, repr=False)
class Dense(Deterministic):
    """Every output sees every input.

        standard    y = activation(x W + bias_rate b)
        ntk         y = activation(x W / sqrt(fan_in) + bias_rate b),    W ~ N(0, 1)

    units               fan_out
    activation          a name from ``ACTIVATIONS``, with settings as in "leaky_relu:slope=0.3", or a
                        traceable function of one array
    bias                whether to add ``b``, which starts at 0
    initializer         a name from ``INITIALIZERS``, a record such as ``Orthogonal(gain=2)``, or a function
                        (key, shape, dtype) -> array; None takes what the activation needs: He for the ReLU
                        family, LeCun for SELU, Glorot for the others, N(0, 1) under "ntk"
    parametrization     "standard", or "ntk": the same function at the start, but steps of Adam weigh
                        1 / sqrt(fan_in) as much, so one learning rate suits all widths
    bias_rate           under Adam, the bias learns this many times as fast (0.1 in RealMLP)
    x                   [batch, ..., fan_in]
    params              weight [fan_in, units], bias [units]; twice as many columns for ``glu``, which makes
                        one output of two scores, so that there are ``units`` outputs whatever the activation
    Errors              DataError for unknown names, ShapeError for inputs without features
    Source              "ntk": Jacot, Gabriel, Hongler 2018 (arXiv 1806.07572); use on tables:
                        Holzmueller, Grinsztajn, Steinwart 2024 (arXiv 2407.04491)
    Differs             the weight is [fan_in, fan_out] as in Keras and scikit-learn; PyTorch's is transposed.
                        Keras' Dense(units, "glu") has units / 2 outputs

    >>> Dense(2).apply({"weight": np.eye(2), "bias": np.ones(2)}, np.array([[1.0, 2.0]]))
    array([[2., 3.]])
    """

    units: Annotated[int, Integer(help="Outputs.", ge=1, le=LARGEST_SIZE, search=Search(4, 512, log=True))]
    activation: Annotated[str | Function, ACTIVATION] = "linear"
    bias: Annotated[bool, Boolean(help="Whether each output has a bias.")] = True
    initializer: Annotated[str | Initializer | None, INITIALIZER] = None
    parametrization: Annotated[str, Choice(help="How weights are scaled.", choices=PARAMETRIZATIONS)] = (
        "standard"
    )
    bias_rate: Annotated[float, FASTER] = 1.0

    def output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape or input_shape[-1] < 1:
            found = ["batch", *input_shape]
            raise ShapeError(
                f"Dense: inputs have shape [{', '.join(map(str, found))}], expected [batch, fan_in >= 1]"
            )
        return (*input_shape[:-1], self.units)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        scores = self.units * rule_of(self.activation).scores
        weight = Param((input_shape[-1], scores), self._initializer())
        return {"weight": weight, "bias": Param((scores,))} if self.bias else {"weight": weight}

    def _initializer(self) -> str | Initializer:
        """Return the chosen initializer, or the one that suits."""
        if self.initializer is not None:
            return self.initializer
        if self.parametrization == "ntk":
            return "normal"
        return rule_of(self.activation).init

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self._check(params, x)
        return by_rows(lambda rows: activated(self.activation, self.scores(params, rows)), x)

    def scores(self, params: Params, x: Array) -> Array:
        """Return what the activation is applied to, [batch, ..., units], or twice as many for ``glu``.

        >>> Dense(1, "relu").scores({"weight": np.array([[2.0]]), "bias": np.ones(1)}, np.array([[-3.0]]))
        array([[-5.]])
        """
        self._check(params, x)
        z = by_rows(lambda rows: rows @ params["weight"], x)
        if self.parametrization == "ntk":
            z = z * (1.0 / math.sqrt(x.shape[-1]))
        if self.bias:
            z = z + (params["bias"] if self.bias_rate == 1 else self.bias_rate * params["bias"])
        return z

    def _check(self, params: Params, x: Array) -> None:
        fan_in = params["weight"].shape[0]
        if len(x.shape) < 2 or x.shape[-1] != fan_in:
            raise ShapeError(f"Dense: inputs have shape {list(x.shape)}, expected [batch, {fan_in}]")

    @property
    def passes_gradient(self) -> bool:
        return rule_of(self.activation).trainable


@final
@dataclass(frozen=True, repr=False)
class Activation(Deterministic):
    """An activation on its own: ``y = f(x)``.

    function    a name from ``ACTIVATIONS``, with settings as in "leaky_relu:slope=0.3", or a traceable
                function of one array
    x           [batch, ...], and y the same; ``glu`` halves the last axis
    Errors      DataError for an unknown name, ShapeError for rows that the activation cannot take

    >>> Activation("relu").apply({}, np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    function: Annotated[str | Function, ACTIVATION]

    def output_shape(self, input_shape: Shape) -> Shape:
        rule = rule_of(self.function)
        if rule.by_row and not input_shape:
            raise ShapeError(f"{self!r}: inputs have shape [batch], expected [batch, classes]")
        if rule.scores == 1:
            return tuple(input_shape)
        if input_shape[-1] % rule.scores:
            found, expected = input_shape[-1], f"a multiple of {rule.scores}"
            raise ShapeError(f"{self!r}: rows have {found} scores, expected {expected}")
        return (*input_shape[:-1], input_shape[-1] // rule.scores)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return activated(self.function, x)

    @property
    def passes_gradient(self) -> bool:
        return rule_of(self.function).trainable


@final
@dataclass(frozen=True, repr=False)
class PReLU(Featurewise):
    """Learn how much to let through below zero.

        y = x if x > 0 else slope x,    slope = initial at the start

    shared      one slope for all features, or one each
    initial     the slope at the start
    x           [batch, ..., features], and y the same
    params      slope [features], or [1] if shared; no penalty acts on it, which would draw it to the ReLU
    Source      He, Zhang, Ren, Sun 2015 (arXiv 1502.01852), section 2.1
    Differs     PyTorch shares one slope unless told; Keras starts at 0

    >>> PReLU().apply({"slope": np.array([0.5, 0.0])}, np.array([[-1.0, -1.0], [2.0, 3.0]]))
    array([[-0.5, -0. ],
           [ 2. ,  3. ]])
    """

    shared: Annotated[bool, Boolean(help="One slope for all features.")] = False
    initial: Annotated[float, Number(help="The slope at the start.", search=Search(0.0, 0.5))] = 0.25

    def declare(self, input_shape: Shape) -> Params:
        features = feature_count(self, input_shape)
        return {"slope": Param((1 if self.shared else features,), Constant(self.initial))}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return np.where(x > 0, x, params["slope"] * x)


@final
@dataclass(frozen=True, repr=False)
class Scale(Featurewise):
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

    rate: Annotated[float, FASTER] = SCALE_RATE

    def declare(self, input_shape: Shape) -> Params:
        return {"scale": Param((feature_count(self, input_shape),))}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return x * (1.0 + self.rate * params["scale"])


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

    @property
    def operations(self) -> int:
        return 1

    def moved(self, columns: Array) -> Array:
        return columns.reshape(1, -1)


@final
@dataclass(frozen=True, repr=False)
class Reshape(Deterministic):
    """Lay the numbers of each row out in another shape, in the same order: [batch, ...] -> [batch, *shape].

    shape       of one row
    Errors      ShapeError where it holds more or fewer numbers than the row

    >>> Reshape((2, 3)).apply({}, np.arange(6.0)[None])
    array([[[0., 1., 2.],
            [3., 4., 5.]]])
    """

    shape: Annotated[tuple[int, ...], SHAPE]

    def output_shape(self, input_shape: Shape) -> Shape:
        if math.prod(input_shape) != math.prod(self.shape):
            raise ShapeError(
                f"Reshape: rows have shape {list(input_shape)}, which does not fill {list(self.shape)}"
            )
        return self.shape

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        return x.reshape((x.shape[0], *self.shape))

    @property
    def operations(self) -> int:
        return 1

    def moved(self, columns: Array) -> Array:
        return columns.reshape((1, *self.shape))
