"""Backpropagation by hand: one step of gradient descent in numbers, checked by finite differences.

report = mc.backprop_report(network, params, X, y)
print(report)                   the forward pass, the output gradient, the backward pass, the update
report.layers[0].deltas         the same as arrays
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.autodiff.derivatives import grad, vjp
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.surfaces import Scalar
from minicolumn.explain.trained import Explained, trained
from minicolumn.model.rows import LabeledRows, check_inputs, check_rows
from minicolumn.nn import Activation, Dense
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.ending import check_ending
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.losses import Loss, LossRule, as_loss
from minicolumn.train.backward import layer_params
from minicolumn.train.types import LossFunction
from minicolumn.tree import Structure, Tree, flatten, map_leaves, named_leaves, unflatten

Array = np.ndarray
# Of more weights than this, finite differences are taken for some only, evenly spaced.
DIFFERENCES = 500
# The step h of central differences: where truncation error, h^2, and rounding error, 2^-53 / h, are alike.
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)


@dataclass(frozen=True, eq=False)
class LayerStep:
    """One layer's activations and gradients in the step; all arrays have a row for each row of X.

        z = x W + b,    a = f(z),    delta = dL/dz = upstream f'(z),    dL/dW = x' delta

    layer           the record
    path            prefix of the names of its weights, such as "0."
    params          its weights before the step
    inputs          x, [rows, fan_in]
    pre_activations z, [rows, units], twice as many for glu; None for layers that have none, such as Dropout
    outputs         a, [rows, units]
    derivatives     f'(z), shaped like z; None where f is not elementwise, as softmax: it has a Jacobian
    upstream        the upstream gradient dL/da, shaped like a: what the layer behind handed back
    deltas          dL/dz, shaped like z; dL/da for layers without pre-activations

    Losses of the catalogue are means over the rows, so each row's gradients are divided by their number.
    """

    layer: Layer
    path: str
    params: Params
    inputs: Array
    pre_activations: Array | None
    outputs: Array
    derivatives: Array | None
    upstream: Array
    deltas: Array


@dataclass(frozen=True, eq=False)
class WeightStep:
    """One weight array's gradient and update in the step; all arrays have its shape, in float64.

    name        its path, such as "0.weight"
    before      w, the weights before the step
    gradient    dL/dw by reverse-mode differentiation
    difference  (L(w + h) - L(w - h)) / 2h, weight by weight; NaN where none was taken
    after       w - learning_rate * gradient
    """

    name: str
    before: Array
    gradient: Array
    difference: Array
    after: Array


@dataclass(frozen=True, eq=False, repr=False)
class BackpropReport:
    """One step of gradient descent by backpropagation. Printing it shows its four parts.

    network         the layers
    loss_name       of the loss
    rule            its entry in the catalogue of losses; None for a function of one's own
    learning_rate   of the step
    rows            inputs and targets as float64
    layers          one `LayerStep` for each layer, from the input on; nested `Sequential`s are flattened
    weights         one `WeightStep` for each array of weights
    loss            L before the step, the mean over the rows
    loss_after      L after it, on the same rows

    A network of at most 60 weights and 8 units a layer is written out neuron by neuron for its first 2 rows;
    a larger one has a line of statistics for each layer and array.
    """

    network: Layer
    loss_name: str
    rule: LossRule | None
    learning_rate: float
    rows: LabeledRows
    layers: tuple[LayerStep, ...]
    weights: tuple[WeightStep, ...]
    loss: float
    loss_after: float

    @property
    def size(self) -> int:
        """Return the number of weights, biases included."""
        return sum(w.before.size for w in self.weights)

    @property
    def largest_difference(self) -> float:
        """Return the error of the gradient check: max |gradient - difference| / max |gradient|.

        Below 1e-8 where L is smooth; larger at a kink, as of relu at 0, or where the gradient is wrong.
        """
        away = [np.abs(w.gradient - w.difference) for w in self.weights]
        worst = max((float(np.nanmax(a)) for a in away if not np.isnan(a).all()), default=0.0)
        largest = max((float(np.abs(w.gradient).max(initial=0.0)) for w in self.weights), default=0.0)
        return worst / largest if largest else worst

    def __repr__(self) -> str:
        return (
            f"BackpropReport({self.network!r}, {self.size} weights, {self.loss_name} "
            f"{self.loss:.6g} -> {self.loss_after:.6g})"
        )

    def __str__(self) -> str:
        from minicolumn.explain.backprop_text import report_text

        return report_text(self)


@overload
def backprop_report(
    network: Layer,
    params: Tree,
    X: ArrayLike,
    y: ArrayLike,
    loss: str | Loss | LossFunction | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport: ...


@overload
def backprop_report(
    network: Explained,
    params: ArrayLike,
    X: ArrayLike,
    *,
    loss: str | Loss | LossFunction | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport: ...


def backprop_report(
    network: Layer | Explained,
    params: Any,
    X: ArrayLike,
    y: ArrayLike | None = None,
    loss: str | Loss | LossFunction | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport:
    """Take one step of gradient descent by backpropagation and report every number of it.

        backprop_report(network, params, X, y)      or, of what was trained,      backprop_report(model, X, y)

        1 forward pass      z = x W + b,  a = f(z)          2 output gradient     dL/da
        3 backward pass     d = dL/da f'(z),  dL/dx = d W'  4 update              W -= learning_rate x' d

    The deltas d are worked out layer by layer, the gradients by `mc.grad` of the whole network, and both are
    checked by central differences (L(w + h) - L(w - h)) / 2h, h = 6e-6 max(1, |w|), for up to 500 weights.

    network         a layer, most often a `Sequential` of `Dense`
    params          its weights, arrays or lists, by the layers' names or as a list of layers; all is computed
                    in float64
    model           in place of both: what `fit` or `load` gave, or a fitted estimator
    X, y            [rows, features] and targets, as for `fit`
    loss            a name from `mc.nn.LOSSES`, a record with settings, or a function of (outputs, targets,
                    sample_weight) that returns one number; None takes the model's own, or "squared_error"
                    for a network
    learning_rate   of the step, any finite number
    Returns         a `BackpropReport`
    Errors          as `fit` for X, y and loss; ShapeError for weights of another network; DataError for a
                    learning rate that is no finite number, and for a network with BatchNorm
    Source          Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors"
    Differs         autograd tools give the gradients of the weights; here also what each neuron passes back

    >>> import minicolumn as mc
    >>> net = mc.nn.Dense(1, activation="logistic")
    >>> params = {"weight": np.array([[0.5], [-0.5]]), "bias": np.zeros(1)}
    >>> report = mc.backprop_report(net, params, [[1.0, 1.0]], [1.0], learning_rate=2.0)
    >>> report.weights[0].after.ravel()  # z = 0, a = 1/2, dL/da = 2 (1/2 - 1), times 1/4 and 2
    array([1., 0.])
    """
    network, params, X, y, loss = _asked(network, params, X, y, loss)
    if not isinstance(learning_rate, Real) or not np.isfinite(learning_rate):
        raise DataError(f"backprop_report: learning_rate must be a finite number, got {learning_rate!r}")
    name, measured, rule = _loss(loss)
    check_ending("backprop_report", network, rule)
    shape = check_inputs("backprop_report", X).shape[1:]
    rows = check_rows("backprop_report", X, y, None, np.float64, rule, network.output_shape(shape))
    weights = _checked(network, params, shape)

    def total(params: Params) -> Scalar:
        return measured(network.apply(params, rows.X), rows.y, rows.weight)

    gradient = grad(total)(weights) if flatten(weights)[0] else weights
    after = map_leaves(lambda w, g: w - learning_rate * g, weights, gradient)
    return BackpropReport(
        network,
        name,
        rule,
        float(learning_rate),
        rows,
        _layer_steps(network, weights, rows, measured),
        _weight_steps(weights, gradient, _differences(total, weights), after),
        float(total(weights)),
        float(total(after)),
    )


def _asked(
    network: Layer | Explained,
    params: Any,
    X: ArrayLike,
    y: ArrayLike | None,
    loss: str | Loss | LossFunction | None,
) -> tuple[Layer, Params, ArrayLike, ArrayLike, str | Loss | LossFunction]:
    """Return network, weights, inputs, targets and loss, of either way in which they may be given.

    Errors      DataError for a network without y, for a model with one, and where no loss is known
    """
    if isinstance(network, Layer):
        if y is None:
            raise DataError("backprop_report: of a network give (network, params, X, y)")
        return network, params, X, y, "squared_error" if loss is None else loss
    if y is not None:
        raise DataError(
            f"backprop_report: the network is a {type(network).__name__}, expected a layer; of a model give "
            "(model, X, y)"
        )
    X, y = params, X
    model, y, own = trained("backprop_report", network, y)
    chosen = next((found for found in (loss, own, model.loss_record) if found is not None), None)
    if chosen is None:
        raise DataError("backprop_report: the model was trained with an own loss function; pass it as loss=")
    return model.network, model.params, X, y, chosen


def _loss(loss: str | Loss | LossFunction) -> tuple[str, LossFunction, LossRule | None]:
    """Return a loss's name, its function, and its entry in the catalogue; an own function has none.

    Errors      DataError for an unknown name, or for what is neither a name nor a function
    """
    if isinstance(loss, str) or callable(loss):
        record = as_loss(loss)
    else:
        raise DataError(f"backprop_report: loss is a {type(loss).__name__}, expected a name or a function")
    if record is not None:
        return (record.name if not record.changed else repr(record)), record, record.rule
    assert not isinstance(loss, str)  # a name has a record, or was refused
    return getattr(loss, "__name__", "own loss"), loss, None


def _checked(network: Layer, params: Tree, shape: tuple[int, ...]) -> Params:
    """Return the weights in float64, if they are this network's.

    shape       of one row of the inputs, from which the shapes of the weights follow
    Errors      ShapeError for weights of other names or shapes; DataError for a network with BatchNorm, whose
                batch statistics make each output depend on all rows
    """
    if network.observes:
        raise DataError(
            "backprop_report: a BatchNorm ties the rows of a batch together, so that no row has an error of "
            "its own to follow; report on the network without it"
        )
    if network.by_member:
        raise DataError(
            "backprop_report: each row has an error for every member of this network, not one to follow; "
            "report on it without MeanOfMembers, with targets for each member"
        )
    expected = named_leaves(network.init(0, shape, np.float64))
    params = _as_arrays(params)
    found = named_leaves(params)
    if [(name, np.shape(leaf)) for name, leaf in found] != [(name, leaf.shape) for name, leaf in expected]:
        wanted = ", ".join(f"{name} {list(leaf.shape)}" for name, leaf in expected) or "no weights"
        given = ", ".join(f"{name} {list(np.shape(leaf))}" for name, leaf in found) or "none"
        raise ShapeError(f"backprop_report: params are {given}; expected {wanted}")
    return map_leaves(lambda leaf: np.array(leaf, np.float64), params)


def _as_arrays(params: Tree) -> Tree:
    """Return weights whose lists of numbers are arrays, and whose lists of layers are dicts by position.

    Errors      DataError for ragged lists, and for words
    """
    if isinstance(params, dict):
        return {name: _as_arrays(part) for name, part in params.items()}
    if not isinstance(params, list | tuple | int | float):
        return params
    if isinstance(params, list | tuple) and any(isinstance(part, dict) for part in params):
        return {str(place): _as_arrays(part) for place, part in enumerate(params)}
    try:
        return np.array(params, np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "backprop_report: params hold a list that is no array of numbers; give them as "
            "{'0': {'weight': [[...], ...], 'bias': [...]}, '1': ...}, or as a list of such layers"
        ) from None


def _layer_steps(
    network: Layer, params: Params, rows: LabeledRows, measured: LossFunction
) -> tuple[LayerStep, ...]:
    """Run the forward pass layer by layer, then the backward pass through the same layers.

    Each layer's input gradient, a vector-Jacobian product, is the upstream gradient of the layer before it.

    measured    the loss, a function of (outputs, targets, sample_weight)
    """
    parts = layer_params(network, params)
    values = [rows.X]
    for _, layer, own in parts:
        values.append(layer.apply(own, values[-1]))
    upstream = grad(lambda out: measured(out, rows.y, rows.weight))(values[-1])
    steps = []
    for (path, layer, own), x, out in reversed(list(zip(parts, values[:-1], values[1:], strict=True))):
        z, derivatives, deltas = _through_activation(layer, own, x, upstream)
        steps.append(LayerStep(layer, path and f"{path}.", own, x, z, out, derivatives, upstream, deltas))
        upstream = _back(layer, own, x, upstream)
    return tuple(reversed(steps))


def _back(layer: Layer, params: Params, x: Array, upstream: Array) -> Array:
    """Return the gradient of the loss with respect to a layer's inputs x, shaped like x."""
    return vjp(lambda x: layer.apply(params, x), x)[1](upstream)[0]


def _through_activation(
    layer: Layer, params: Params, x: Array, upstream: Array
) -> tuple[Array | None, Array | None, Array]:
    """Return a layer's pre-activations z, its activation's derivatives f'(z), and the deltas dL/dz.

    The deltas are vector-Jacobian products, so they are right for softmax and its like too. The derivatives
    are those of the sum over all f(z), which are f'(z) where f is elementwise; None where it is not, or where
    it is an own function, of which that is not known.
    """
    if isinstance(layer, Dense):
        z, activation = layer.scores(params, x), layer.activation
    elif isinstance(layer, Activation):
        z, activation = x, layer.function
    else:
        return None, None, upstream
    if not isinstance(activation, str):
        return z, None, vjp(activation, z)[1](upstream)[0]
    rule = activation_by_name(activation)
    derivatives = None if rule.by_row else grad(lambda z: np.sum(rule.function(z)))(z)
    return z, derivatives, vjp(rule.function, z)[1](upstream)[0]


def _differences(total: Callable[[Params], Scalar], params: Params) -> Params:
    """Return the gradient by central differences, for all weights or, of more than 500, for some.

    total       the loss as a function of the weights
    Returns     a tree like `params`, with NaN where no difference was taken
    """
    leaves, structure = flatten(params)
    found = [np.full(leaf.shape, np.nan) for leaf in leaves]
    places = [(k, i) for k, leaf in enumerate(leaves) for i in range(leaf.size)]
    for k, i in places[:: max(1, -(-len(places) // DIFFERENCES))]:
        found[k].flat[i] = _difference(total, leaves, structure, k, i)
    return unflatten(structure, found)


def _difference(
    total: Callable[[Params], Scalar], leaves: list[Array], structure: Structure, k: int, i: int
) -> float:
    """Return (L(w + h) - L(w - h)) / 2h for weight i of leaf k, with h = eps^(1/3) max(1, |w|)."""
    step = STEP * max(1.0, abs(float(leaves[k].flat[i])))

    def moved(by: float) -> float:
        changed = leaves[k].copy()
        changed.flat[i] += by
        return float(total(unflatten(structure, [*leaves[:k], changed, *leaves[k + 1 :]])))

    return (moved(step) - moved(-step)) / (2.0 * step)


def _weight_steps(
    before: Params, gradient: Params, difference: Params, after: Params
) -> tuple[WeightStep, ...]:
    """Return four trees of one structure as one `WeightStep` for each leaf."""
    columns = zip(*(named_leaves(tree) for tree in (before, gradient, difference, after)), strict=True)
    return tuple(WeightStep(row[0][0], *(leaf for _, leaf in row)) for row in columns)
