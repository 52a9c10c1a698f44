"""`backprop_report`: one training step with all its numbers, as one would work it out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, overload

import numpy as np

from minicolumn.autodiff.derivatives import grad, vjp
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.trained import Convertible, trained
from minicolumn.model.model import Model
from minicolumn.model.rows import LabeledRows, check_inputs, check_rows
from minicolumn.nn import Activation, Dense, Sequential
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.ending import check_ending
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LossRule, as_loss
from minicolumn.train import Run
from minicolumn.tree import flatten, map_leaves, named_leaves, unflatten

Array = np.ndarray
# Of more weights than this, differences are taken for some only, spread evenly.
DIFFERENCES = 500
# Halves of the step: where the error of the formula, h^2, and that of rounding, 2^-53 / h, are alike.
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)


@dataclass(frozen=True, eq=False)
class LayerStep:
    """What one layer did in the step; all arrays have a row for each row of X.

    layer       the record
    path        in front of the names of its weights, such as "0."
    params      its weights before the step
    inputs      what came in
    sums        what its neurons summed up, before the activation, two sums each for glu; None for layers that
                have no sums
    outputs     what went out
    slopes      of the activation at the sums; None where it does not work number by number, as softmax
    carried     the loss's derivative by the outputs: the error that came back
    shares      the loss's derivative by the sums, or by the outputs where there are none: each neuron's share
    """

    layer: Layer
    path: str
    params: Any
    inputs: Array
    sums: Array | None
    outputs: Array
    slopes: Array | None
    carried: Array
    shares: Array


@dataclass(frozen=True, eq=False)
class WeightStep:
    """What one array of weights did in the step.

    name        its path, such as "0.weight"
    before      as it was
    gradient    the loss's derivative
    difference  the same by central differences; NaN where none was taken
    after       before - learning rate * gradient
    """

    name: str
    before: Array
    gradient: Array
    difference: Array
    after: Array


@dataclass(frozen=True, eq=False, repr=False)
class BackpropReport:
    """One step of gradient descent in four moves. Printing it shows them.

    network         the layers
    loss_name       of the loss
    rule            its record; None for an own function
    learning_rate   of the step
    rows            what it was taken on
    layers          one `LayerStep` a layer, from the input on
    weights         one `WeightStep` an array of weights
    loss            before the step
    loss_after      after it, on the same rows
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
        """Return how many weights there are."""
        return sum(w.before.size for w in self.weights)

    @property
    def largest_difference(self) -> float:
        """Return how far gradient and differences are apart at most, over the largest gradient."""
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
    params: Any,
    X: Any,
    y: Any,
    loss: str | Callable[..., Any] | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport: ...


@overload
def backprop_report(
    network: Model | Run | Convertible,
    params: Any,
    X: Any,
    *,
    loss: str | Callable[..., Any] | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport: ...


def backprop_report(
    network: Any,
    params: Any,
    X: Any,
    y: Any = None,
    loss: str | Callable[..., Any] | None = None,
    learning_rate: float = 0.5,
) -> BackpropReport:
    """Take one step of gradient descent and note every number of it.

        backprop_report(network, params, X, y)      or, of what was trained,      backprop_report(model, X, y)

        1 forward     z = x W + b,  a = f(z)            2 the output's error     dL/da
        3 back        d = dL/da f'(z),  dL/dx = d W'    4 each weight            W -= learning_rate x' d

    network         a layer, most often a `Sequential` of `Dense`
    params          its weights, arrays or lists, by the layers' names or as a list of layers; all is computed
                    in float64
    model           in place of both: what `fit` or `load` gave, or a fitted estimator
    X, y            rows, as for `fit`
    loss            a name from `mc.nn.LOSSES`, or a function of (outputs, targets, sample_weight); None takes
                    the model's own, or "squared_error" for a network
    learning_rate   of the step
    Returns         a `BackpropReport`
    Errors          as `fit` for X, y and loss; ShapeError for weights of another network; DataError for a
                    learning rate that is no finite number
    Source          Rumelhart, Hinton, Williams 1986

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

    def total(params: Any) -> Any:
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


def _asked(network: Any, params: Any, X: Any, y: Any, loss: Any) -> tuple[Layer, Any, Any, Any, Any]:
    """Return network, weights, rows, targets and loss, also where a model was given with rows and targets."""
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


def _loss(loss: Any) -> tuple[str, Callable[..., Any], LossRule | None]:
    """Return a loss's name, its function and its rule; an own function has none."""
    if isinstance(loss, str) or callable(loss):
        record = as_loss(loss)
    else:
        raise DataError(f"backprop_report: loss is a {type(loss).__name__}, expected a name or a function")
    if record is not None:
        return (record.name if not record.changed else repr(record)), record, record.rule
    assert not isinstance(loss, str)  # a name has a record, or was refused
    return getattr(loss, "__name__", "own loss"), loss, None


def _checked(network: Layer, params: Any, shape: tuple[int, ...]) -> Any:
    """Return the weights in float64, if they are this network's."""
    if network.observes:
        raise DataError(
            "backprop_report: a BatchNorm ties the rows of a batch together, so that no row has an error of "
            "its own to follow; report on the network without it"
        )
    expected = named_leaves(network.init(0, shape, np.float64))
    params = _as_arrays(params)
    found = named_leaves(params)
    if [(name, np.shape(leaf)) for name, leaf in found] != [(name, leaf.shape) for name, leaf in expected]:
        wanted = ", ".join(f"{name} {list(leaf.shape)}" for name, leaf in expected) or "no weights"
        given = ", ".join(f"{name} {list(np.shape(leaf))}" for name, leaf in found) or "none"
        raise ShapeError(f"backprop_report: params are {given}; expected {wanted}")
    return map_leaves(lambda leaf: np.array(leaf, np.float64), params)


def _as_arrays(params: Any) -> Any:
    """Return weights whose lists of numbers are arrays, and whose lists of layers have names."""
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
    network: Layer, params: Any, rows: LabeledRows, measured: Callable[..., Any]
) -> tuple[LayerStep, ...]:
    """Run forward layer by layer, then carry the error back through the same layers."""
    parts = _parts(network, params)
    values = [rows.X]
    for layer, _, own in parts:
        values.append(layer.apply(own, values[-1]))
    carried = grad(lambda out: measured(out, rows.y, rows.weight))(values[-1])
    steps = []
    for (layer, path, own), x, out in reversed(list(zip(parts, values[:-1], values[1:], strict=True))):
        sums, slopes, shares = _through_activation(layer, own, x, carried)
        steps.append(LayerStep(layer, path, own, x, sums, out, slopes, carried, shares))
        carried = _back(layer, own, x, carried)
    return tuple(reversed(steps))


def _parts(network: Layer, params: Any, path: str = "") -> list[tuple[Layer, str, Any]]:
    """Return the layers one after the other, each with the path to its weights and with the weights."""
    if not isinstance(network, Sequential):
        return [(network, path, params)]
    named = [(layer, str(place)) for place, layer in enumerate(network.layers)]
    return [part for layer, name in named for part in _parts(layer, params[name], f"{path}{name}.")]


def _back(layer: Layer, params: Any, x: Array, carried: Array) -> Array:
    """Return the loss's derivative by what came in."""
    return vjp(lambda x: layer.apply(params, x), x)[1](carried)[0]


def _through_activation(layer: Layer, params: Any, x: Array, carried: Array) -> Any:
    """Return a layer's sums, its activation's slopes there, and the neurons' shares."""
    if isinstance(layer, Dense):
        sums, activation = layer.scores(params, x), layer.activation
    elif isinstance(layer, Activation):
        sums, activation = x, layer.function
    else:
        return None, None, carried
    if not isinstance(activation, str):
        return sums, None, vjp(activation, sums)[1](carried)[0]
    rule = activation_by_name(activation)
    slopes = None if rule.by_row else grad(lambda z: np.sum(rule.function(z)))(sums)
    return sums, slopes, vjp(rule.function, sums)[1](carried)[0]


def _differences(total: Callable[[Any], Any], params: Any) -> Any:
    """Return the slope of the loss by central differences, for all weights or for some."""
    leaves, structure = flatten(params)
    found = [np.full(leaf.shape, np.nan) for leaf in leaves]
    places = [(k, i) for k, leaf in enumerate(leaves) for i in range(leaf.size)]
    for k, i in places[:: max(1, -(-len(places) // DIFFERENCES))]:
        found[k].flat[i] = _difference(total, leaves, structure, k, i)
    return unflatten(structure, found)


def _difference(total: Callable[[Any], Any], leaves: list[Array], structure: Any, k: int, i: int) -> float:
    step = STEP * max(1.0, abs(float(leaves[k].flat[i])))

    def moved(by: float) -> float:
        changed = leaves[k].copy()
        changed.flat[i] += by
        return float(total(unflatten(structure, [*leaves[:k], changed, *leaves[k + 1 :]])))

    return (moved(step) - moved(-step)) / (2.0 * step)


def _weight_steps(before: Any, gradient: Any, difference: Any, after: Any) -> tuple[WeightStep, ...]:
    columns = zip(*(named_leaves(tree) for tree in (before, gradient, difference, after)), strict=True)
    return tuple(WeightStep(row[0][0], *(leaf for _, leaf in row)) for row in columns)
