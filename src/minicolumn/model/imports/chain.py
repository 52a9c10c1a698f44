"""A network under construction: layers one after the other with their weights, as importers append them.

A chain is immutable: each method returns a longer one. What a neighbour can take in, it does: a bias behind
a product, an activation behind sums, a factor behind a linear layer. Weights are combined in float64 and
rounded once, so predictions differ from the source's by rounding alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError, MinicolumnError, ModelFileError, ShapeError, one_line
from minicolumn.model.classifier import ClassifierModel, labels_to_json
from minicolumn.model.model import Model
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.ending import ending
from minicolumn.nn.extent import MAX_NUMBERS
from minicolumn.nn.layer import Layer, Params, named_params
from minicolumn.nn.layers.containers import Residual, Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Flatten, PReLU, Reshape
from minicolumn.nn.layers.norm import BatchNorm, LayerNorm, RMSNorm, Standardize
from minicolumn.nn.losses import Loss, as_loss
from minicolumn.nn.serialize import MAX_LAYERS
from minicolumn.tree import leaves, map_leaves, named_leaves

Array = np.ndarray
LONGEST_LINE = 3_000  # of a message, which may name twenty operators
Shape = tuple[int, ...]
Part = tuple[Layer, Params]
# The loss whose output activation predictions come with, by how a network ends.
_LOSS_OF = {"softmax": "softmax_cross_entropy", "logistic": "binary_cross_entropy"}


@dataclass(frozen=True, eq=False)
class Chain:
    """Layers with their weights, and the shape of one row in front of the first and behind the last.

    >>> chain = Chain((2,)).dense(np.array([[1.0], [2.0]])).add(np.array([0.5])).activation("relu")
    >>> chain.network, chain.shape
    (Sequential(Dense(1, activation='relu')), (1,))
    """

    input_shape: Shape
    parts: tuple[Part, ...] = ()
    made: Shape | None = None  # by the last layer; None where there is none

    @property
    def network(self) -> Sequential:
        """The layers, without weights."""
        return Sequential(*[layer for layer, _ in self.parts])

    @property
    def params(self) -> Params:
        """The weights, as `network` declares them."""
        return {str(place): own for place, (_, own) in enumerate(self.parts)}

    @property
    def shape(self) -> Shape:
        """Shape of one row behind the last layer."""
        return self.input_shape if self.made is None else self.made

    def then(self, layer: Layer, **params: Any) -> Chain:
        """Append a layer; ModelFileError where it does not fit.

        params      its weights, in the shapes that it declares
        """
        if len(self.parts) >= MAX_LAYERS:
            raise ModelFileError(f"has more than {MAX_LAYERS:,} layers")
        shape = self.shape
        try:
            declared = layer.declare(shape)
            made = layer.output_shape(shape)
            if math.prod(made) > MAX_NUMBERS:
                raise ShapeError(f"a row has more than {MAX_NUMBERS:,} numbers")
        except MinicolumnError as error:
            raise ModelFileError(f"has layers that do not fit: {one_line(error, LONGEST_LINE)}") from None
        given = dict(named_leaves(params))
        for name, param in named_params(declared):
            if np.shape(given[name]) != param.shape:
                found = f"{name} of shape {list(np.shape(given[name]))}, expected {list(param.shape)}"
                raise ModelFileError(f"has layers that do not fit: {type(layer).__name__} with {found}")
        return replace(self, parts=(*self.parts, (layer, params)), made=made)

    def dense(self, weight: Array, bias: Array | None = None) -> Chain:
        """Append ``y = x W + b``; weight is [fan_in, fan_out]."""
        if weight.ndim != 2:
            raise ModelFileError(f"has a weight of shape {list(weight.shape)}, expected [fan_in, fan_out]")
        if bias is None:
            return self.then(Dense(check_units(weight.shape[1]), bias=False), weight=weight)
        bias = fitting(bias, weight.shape[1])
        return self.then(Dense(check_units(weight.shape[1])), weight=weight, bias=bias)

    def activation(self, name: str) -> Chain:
        """Append an activation; behind a linear dense layer it becomes that layer's own."""
        if activation_by_name(name).name == "linear":
            return self
        layer, own = self.parts[-1] if self.parts else (None, {})
        if isinstance(layer, Dense) and layer.activation == "linear" and activation_by_name(name).scores == 1:
            return replace(self, parts=(*self.parts[:-1], (replace(layer, activation=name), own)))
        return self.then(Activation(name))

    def add(self, bias: Array) -> Chain:
        """Append ``y = x + b``, for a number or one of each feature."""
        layer, own = self._linear()
        if layer is None:
            return self.standardize(-np.asarray(bias, np.float64), np.ones(()))
        total = own.get("bias", 0.0) + fitting(bias, layer.units)
        return self._last(replace(layer, bias=True), own | {"bias": total})

    def multiply(self, factor: Array) -> Chain:
        """Append ``y = c x``, for a number or one of each feature; 0 only behind a dense layer."""
        layer, own = self._linear()
        if layer is None:
            if not np.all(factor):
                raise ModelFileError("multiplies features by 0, for which there is no layer")
            return self.standardize(np.zeros(()), 1.0 / np.asarray(factor, np.float64))
        factors = fitting(factor, layer.units)
        return self._last(layer, {name: value * factors for name, value in own.items()})

    def divide(self, divisor: Array) -> Chain:
        """Append ``y = x / c``, for a number or one of each feature, none of them 0."""
        if not np.all(divisor):
            raise ModelFileError("divides features by 0")
        if self._linear()[0] is None:
            return self.standardize(np.zeros(()), np.asarray(divisor, np.float64))
        return self.multiply(1.0 / np.asarray(divisor, np.float64))

    def standardize(self, mean: Array, deviation: Array) -> Chain:
        """Append ``y = (x - mean) / deviation``, for numbers or one of each feature."""
        if not np.all(deviation):
            raise ModelFileError("divides features by 0")
        shape = self.shape
        if not shape:
            raise ModelFileError("scales rows that have no features")
        mean, deviation = fitting(mean, shape[-1]), fitting(deviation, shape[-1])
        layer, own = self.parts[-1] if self.parts else (None, {})
        if isinstance(layer, Standardize):  # (x - m) / d, less m2, divided by d2
            first, scale = own["mean"], own["deviation"]
            whole = {"mean": first + mean * scale, "deviation": scale * deviation}
            return self._last(layer, whole)
        return self.then(Standardize(), mean=mean, deviation=deviation)

    def batch_norm(
        self, mean: Array, variance: Array, scale: Array | None, bias: Array | None, eps: float,
        momentum: float = 0.9,
    ) -> Chain:  # fmt: skip
        """Append a batch norm with its running statistics; scale 1 and bias 0 where there are none."""
        width = mean.size
        statistics = {"mean": fitting(mean, width), "variance": fitting(variance, width)}
        if (statistics["variance"] < 0).any():
            raise ModelFileError("has a batch norm with a variance below 0")
        layer = settled(BatchNorm, momentum=momentum, eps=eps, affine=not (scale is None and bias is None))
        if not layer.affine:
            return self.then(layer, **statistics)
        return self.then(layer, **_affine(scale, bias, width), **statistics)

    def layer_norm(self, scale: Array | None, bias: Array | None, eps: float) -> Chain:
        """Append a layer norm over the last axis; scale 1 and bias 0 where there are none."""
        layer = settled(LayerNorm, eps=eps, affine=not (scale is None and bias is None))
        return self.then(layer, **(_affine(scale, bias, self._features()) if layer.affine else {}))

    def rms_norm(self, scale: Array, eps: float) -> Chain:
        """Append a root-mean-square norm over the last axis."""
        return self.then(settled(RMSNorm, eps=eps), scale=fitting(scale, self._features()))

    def prelu(self, slope: Array) -> Chain:
        """Append a ReLU with learned slopes, one or one of each feature."""
        slope = np.asarray(slope, np.float64).reshape(-1)
        return self.then(PReLU(shared=slope.size == 1 and self._features() != 1), slope=slope)

    def reshape(self, shape: Shape) -> Chain:
        """Append another shape of a row, in which one length may be -1; nothing where it has that already."""
        now = self.shape
        known = math.prod(n for n in shape if n != -1)
        if shape.count(-1) > 1 or (-1 in shape and (not known or math.prod(now) % known)):
            raise ModelFileError(
                f"turns rows of shape {list(now)} into {list(shape)}, which they do not fill"
            )
        wanted = tuple(math.prod(now) // known if n == -1 else n for n in shape)
        if wanted == now:
            return self
        return self.then(Flatten()) if len(wanted) == 1 else self.then(settled(Reshape, shape=wanted))

    def residual(self, longer: Chain) -> Chain | None:
        """Return ``x + f(x)`` where another chain goes on from this one; None where it does not."""
        own = len(self.parts)
        if longer.parts[:own] != self.parts or longer.input_shape != self.input_shape:
            return None
        inner = Chain(self.shape, longer.parts[own:])
        return self.then(Residual(inner.network), **inner.params)

    def model(
        self, source: dict[str, Any], loss: str | Loss | None = None, classes: Array | None = None,
        multilabel: bool = False, dtype: Any = np.float32,
    ) -> Model:  # fmt: skip
        """Return the model; ModelFileError for what no model file could hold.

        source      where it is from, for the file's record of the training
        loss        says what outputs mean; None goes by how the network ends: softmax or logistic make
                    probabilities, anything else numbers
        classes     the labels in the order of the outputs; one logistic output is about the second
        multilabel  whether a row may have any number of them
        dtype       of the weights: float32, or float64 where the source computes in it
        """
        chain, record = self._scores(as_loss(loss) if loss is not None else None)
        training: dict[str, Any] = {"imported": {**source, "multilabel": multilabel}}
        if classes is not None:
            training |= labels_to_json(np.asarray(classes))
        kind = Model if classes is None else ClassifierModel
        params = as_one_dtype(chain.params, dtype)
        try:
            model = kind(
                chain.network, params, chain.input_shape, record.name, None, training,
                loss_settings=dict(record.changed),
            )  # fmt: skip
            model.check_storable()
        except DataError as error:
            said = (
                one_line(error, LONGEST_LINE)
                .removeprefix("cannot save this model: it ")
                .removeprefix("is damaged: ")
            )
            raise ModelFileError(f"holds no usable network: {said}") from None
        return model

    def _scores(self, loss: Loss | None) -> tuple[Chain, Loss]:
        """Return the chain without the activation that its loss applies, and the loss."""
        last = ending(self.network)
        found = loss or Loss(_LOSS_OF.get(last, "squared_error"))
        applied = found.rule.output_activation
        # The softmax of logarithms of shares is the shares.
        same = applied == last != "linear" or (applied, last) == ("softmax", "log_softmax")
        return (self.without_last() if same else self), found

    def without_last(self) -> Chain:
        """Return the chain without the activation at its end."""
        layer, own = self.parts[-1]
        if isinstance(layer, Dense):
            return self._last(replace(layer, activation="linear"), own)
        return replace(self, parts=self.parts[:-1])  # an activation of as many outputs

    def _linear(self) -> tuple[Dense | None, Params]:
        """Return the last layer if it is a linear dense one, and its weights."""
        layer, own = self.parts[-1] if self.parts else (None, {})
        return (layer, own) if isinstance(layer, Dense) and layer.activation == "linear" else (None, {})

    def _last(self, layer: Layer, params: Params) -> Chain:
        """Return the chain with another last layer."""
        return replace(self, parts=(*self.parts[:-1], (layer, params)))

    def _features(self) -> int:
        shape = self.shape
        if not shape:
            raise ModelFileError("has a layer of features behind rows without any")
        return shape[-1]


def fitting(values: Array, width: int) -> Array:
    """Return one float64 for each feature: as many are given, or one for all; axes of length 1 are dropped.

    Errors      ModelFileError for another number of them

    >>> fitting(np.array([[2.0]]), 3)
    array([2., 2., 2.])
    """
    found = np.asarray(values)
    if (
        found.dtype.kind not in "fiu"
        or found.size not in (1, width)
        or found.shape[-1:] not in ((), (1,), (width,))
    ):
        raise ModelFileError(f"has {list(found.shape)} numbers for {width} features")
    return np.array(np.broadcast_to(found.reshape(-1).astype(np.float64), (width,)))


def check_units(units: int) -> int:
    """Return a number of units; ModelFileError where a dense layer could not have so many."""
    if not 0 < units <= MAX_NUMBERS:
        raise ModelFileError(f"has a layer of {units:,} units")
    return units


def settled(kind: Any, **settings: Any) -> Any:
    """Return a layer with settings of a file; ModelFileError for what is out of range."""
    try:
        return kind(**settings)
    except (DataError, ShapeError) as error:
        raise ModelFileError(f"has a setting out of range: {one_line(error, LONGEST_LINE)}") from None


def as_one_dtype(params: Params, dtype: Any) -> Params:
    """Return weights in a dtype; ModelFileError for those that are not finite in it."""
    with np.errstate(over="ignore"):
        found = map_leaves(lambda leaf: np.asarray(leaf, dtype), params)
    if not all(np.isfinite(leaf).all() for leaf in leaves(found)):
        raise ModelFileError(
            "has weights that are not finite (NaN, infinity, or beyond the range of float32)"
        )
    return found


def _affine(scale: Array | None, bias: Array | None, width: int) -> Params:
    return {
        "scale": np.ones(width) if scale is None else fitting(scale, width),
        "bias": np.zeros(width) if bias is None else fitting(bias, width),
    }
