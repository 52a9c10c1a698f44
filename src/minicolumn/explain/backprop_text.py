"""Text of a `BackpropReport`: neuron by neuron for small networks, statistics by layer for large ones.

Four sections: 1 forward pass, 2 output gradient, 3 backward pass, 4 weight update; then the gradient check.
Inputs are named x1, x2, ...; hidden units h1, h2, ..., or h2.1 for the first unit of the second hidden layer
where there are several; outputs o1, o2, ...
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.explain.words import count
from minicolumn.nn import Activation, Dense
from minicolumn.nn.activations import ACTIVATIONS, activation_by_name
from minicolumn.nn.classic.threshold import STEP_HAS_NO_SLOPE

if TYPE_CHECKING:
    from minicolumn.explain.backprop import BackpropReport, LayerStep, WeightStep

Array = np.ndarray
WIDTH = 100
# The largest network that is written out neuron by neuron, and the most rows.
MOST_WEIGHTS, MOST_UNITS, MOST_ROWS = 60, 8, 2
# A share of the largest gradient: a larger error of the check is a kink of the loss, not rounding.
CORNER = 1e-3
RISES = (
    "L rises: the gradient says how L changes close by, and this step goes further; a smaller learning rate "
    "lowers it."
)


def report_text(report: BackpropReport) -> str:
    """Return the four sections and the gradient check, in lines of at most 100 characters.

    Each neuron has its own line in a network of at most 60 weights whose layers take and give [rows, units]
    of at most 8 units; else each layer has one.
    """
    head = [
        *_wrapped(f"One step of gradient descent: {report.network!r}", "  "),
        f"{report.loss_name} over {count(len(report.rows), 'row')}, "
        f"learning rate {report.learning_rate:g}, {count(report.size, 'weight')}",
    ]
    small = report.size <= MOST_WEIGHTS and all(_is_flat(step) for step in report.layers)
    moves = _written_out(report) if small else _summed_up(report)
    return "\n".join([*head, *moves, *_checked(report)])


def _is_flat(step: LayerStep) -> bool:
    """Return whether a layer can be written out: at most 8 units, one pre-activation each."""
    few = step.outputs.ndim == 2 and max(step.outputs.shape[1], step.inputs.shape[1]) <= MOST_UNITS
    return few and step.deltas.shape == step.outputs.shape


# Written out ------------------------------------------------------------------------------------------------


def _written_out(report: BackpropReport) -> list[str]:
    """Return the four sections of a small network: 1 to 3 for each of the first two rows, then 4."""
    lines = []
    shown = min(len(report.rows), MOST_ROWS)
    for row in range(shown):
        where = f", row {row + 1} of {len(report.rows)}" if len(report.rows) > 1 else ""
        lines += [
            "",
            f"1  Forward pass: pre-activation = weighted sum of the inputs, then the activation{where}",
        ]
        lines += _formulas(report) if row == 0 else []
        lines += _forward(report, row)
        lines += ["", f"2  Output gradient: how the loss L changes with each output{where}"]
        lines += _loss_formula(report) if row == 0 else []
        lines += _errors(report, row)
        lines += [
            "",
            f"3  Backward pass: each neuron's delta, dL/d(its pre-activation){where}",
        ]
        lines += _deltas(report, row)
    if shown < len(report.rows):
        lines += ["", f"   and so on for {count(len(report.rows) - shown, 'more row')}"]
    over = ", summed over the rows" if len(report.rows) > 1 else ""
    lines += ["", "4  Weight update: gradient = the input times the neuron's delta" + over]
    return lines + _changes(report)


def _names(report: BackpropReport, place: int) -> list[str]:
    """Return the names of a layer's outputs: x1 ..., then h1 ... or h2.1 ..., at last o1 ...

    place       of the layer, from 0; -1 stands for the inputs
    """
    if place < 0:
        return [f"x{k + 1}" for k in range(report.layers[0].inputs.shape[1])]
    units = range(report.layers[place].outputs.shape[1])
    if place == len(report.layers) - 1:
        return [f"o{k + 1}" for k in units]
    hidden = "h" if len(report.layers) == 2 else f"h{place + 1}."
    return [f"{hidden}{k + 1}" for k in units]


def _formulas(report: BackpropReport) -> list[str]:
    """Return a line with the formula and the settings of each activation of the catalogue that occurs."""
    names = dict.fromkeys(_activation(step) for step in report.layers)
    lines = []
    for name in names:
        if _is_known(name) and name != "linear":
            rule = activation_by_name(name)
            values = "".join(f", {key} = {value:g}" for key, value in rule.defaults.items())
            lines.append(f"   {_plain(name)}(x) = {rule.formula}{values}")
    return lines


def _plain(name: str) -> str:
    """Return the name of an activation without its settings: "leaky_relu" of "leaky_relu:slope=0.3"."""
    return name.partition(":")[0]


def _loss_formula(report: BackpropReport) -> list[str]:
    """Return the formula of the loss of a row, if it is one of the catalogue."""
    if report.rule is None:
        return []
    return _wrapped(
        f"   {report.rule.name}: {report.rule.formula}   (y: what came, t: what was wanted)", "     "
    )


def _forward(report: BackpropReport, row: int) -> list[str]:
    """Return section 1 of a row: the inputs, then each unit's weighted sum and activation in numbers."""
    inputs = zip(_names(report, -1), report.layers[0].inputs[row], strict=True)
    lines = ["   " + "   ".join(f"{name} = {_number(x)}" for name, x in inputs)]
    for place, step in enumerate(report.layers):
        for unit, name in enumerate(_names(report, place)):
            out = _number(step.outputs[row, unit])
            if isinstance(step.layer, Dense):
                z = _number(_at(step.pre_activations, row, unit))
                text = f"{name}: {_weighted_sum(report, place, unit, row)} = {z}"
                text += "" if step.layer.activation == "linear" else f", {_plain(_activation(step))} {out}"
            else:
                text = f"{name}: {step.layer!r} gives {out}"
            lines += _wrapped(f"   {text}", " " * (5 + len(name)))
    return lines


def _weighted_sum(report: BackpropReport, place: int, unit: int, row: int) -> str:
    """Return the terms of a neuron's pre-activation: "input x weight + ... + bias".

    Layers whose weights are scaled (ntk and its like) have other terms, so there it is just "weighted sum".
    """
    step = report.layers[place]
    assert isinstance(step.layer, Dense)
    if step.layer.parametrization != "standard" or step.layer.bias_rate != 1:
        return "weighted sum"
    terms = _products(step.inputs[row], step.params["weight"][:, unit])
    return f"{terms} + {_factor(step.params['bias'][unit])}" if step.layer.bias else terms


def _errors(report: BackpropReport, row: int) -> list[str]:
    """Return section 2 of a row: each output, its target and dL/d(output); with the loss after the first row.

    Where the loss has an output activation, such as softmax, its value is given in brackets.
    """
    last = report.layers[-1]
    target = report.rows.y[row]
    lines = []
    if np.ndim(target) == 0 and report.rule is not None and report.rule.task == "multiclass":
        lines.append(f"   wanted: class {int(target)}, o{int(target) + 1}")
        wanted = [""] * last.outputs.shape[1]
    else:
        wanted = [f", wanted {_number(t)}" for t in np.atleast_1d(target).ravel()]
    final = report.rule.output_activation if report.rule else "linear"
    predicted = activation_by_name(final).function(last.outputs[row : row + 1])[0]
    for unit, name in enumerate(_names(report, len(report.layers) - 1)):
        got = f"got {_number(last.outputs[row, unit])}"
        got += "" if final == "linear" else f" ({final} {_number(predicted[unit])})"
        error = _number(last.upstream[row, unit])
        lines.append(f"   {name}: {got}{wanted[unit] if unit < len(wanted) else ''}   dL/d{name} = {error}")
    if row == 0:
        over = ", the mean over the rows" if len(report.rows) > 1 else ""
        lines.append(f"   L = {report.loss:.6g}{over}")
    return lines


def _deltas(report: BackpropReport, row: int) -> list[str]:
    """Return section 3 of a row, from the last layer to the first: upstream gradient x derivative = delta."""
    lines = []
    for place in reversed(range(len(report.layers))):
        step = report.layers[place]
        for unit, name in enumerate(_names(report, place)):
            delta = _number(step.deltas[row, unit])
            came = _came_back(report, place, unit, row) or _number(step.upstream[row, unit])
            if step.derivatives is not None and _activation(step) != "linear":
                derivative = _factor(_at(step.derivatives, row, unit))
                came = f"({came})" if " + " in came else came
                text = f"{name}: {came} x derivative {derivative} = {delta}"
            else:
                text = f"{name}: {came}" + (f" = {delta}" if came != delta else "")
            lines += _wrapped(f"   {text}", " " * (5 + len(name)))
    return lines


def _came_back(report: BackpropReport, place: int, unit: int, row: int) -> str:
    """Return the terms of a neuron's upstream gradient: the deltas of the units it feeds, times the weights.

    "" where there are no such terms: at the outputs, and before layers that are not plain `Dense` ones.
    """
    if place + 1 == len(report.layers):
        return ""
    after = report.layers[place + 1]
    if not isinstance(after.layer, Dense) or after.layer.parametrization != "standard":
        return ""
    return _products(after.deltas[row], after.params["weight"][unit])


def _products(left: Array, right: Array) -> str:
    """Return a dot product of two vectors as text.

    >>> _products(np.array([1.0, -2.0]), np.array([0.5, 3.0]))
    '1 x 0.5 + (-2) x 3'
    """
    return " + ".join(f"{_factor(a)} x {_factor(b)}" for a, b in zip(left, right, strict=True))


def _changes(report: BackpropReport) -> list[str]:
    """Return section 4: a table with a line for each weight; "-" where no finite difference was taken."""
    title = f"   {'weight':<22}{'before':>12}{'gradient':>14}{'differences':>14}{'change':>14}{'after':>12}"
    lines = [title]
    labels = _labels(report)
    for w in report.weights:
        for place in np.ndindex(w.before.shape):
            label = labels.get((w.name, place)) or f"{w.name}{list(place)}"
            change = w.after[place] - w.before[place]
            difference = "-" if np.isnan(w.difference[place]) else f"{w.difference[place]:.6g}"
            lines.append(
                f"   {label:<22}{w.before[place]:>12.6g}{w.gradient[place]:>14.6g}{difference:>14}"
                f"{change:>14.6g}{w.after[place]:>12.6g}"
            )
    return lines


def _labels(report: BackpropReport) -> dict[tuple[str, tuple[int, ...]], str]:
    """Return what each weight of the dense layers connects, "x1 -> h1", by the array's name and the index."""
    labels: dict[tuple[str, tuple[int, ...]], str] = {}
    for place, step in enumerate(report.layers):
        if not isinstance(step.layer, Dense):
            continue
        into = list(enumerate(_names(report, place)))
        for i, source in enumerate(_names(report, place - 1)):
            labels |= {(f"{step.path}weight", (i, j)): f"{source} -> {name}" for j, name in into}
        labels |= {(f"{step.path}bias", (j,)): f"bias of {name}" for j, name in into}
    return labels


# Summed up --------------------------------------------------------------------------------------------------


def _summed_up(report: BackpropReport) -> list[str]:
    """Return the four sections of a large network: statistics over rows and units, a line for each layer.

    "zero" is the share of outputs that are exactly 0, as of dead relu units; "none" that of deltas.
    """
    lines = ["", "1  Forward pass: the outputs of each layer"]
    lines.append(f"   {'layer':<34}{'numbers a row':>14}{'mean':>12}{'deviation':>12}{'zero':>8}")
    for place, step in enumerate(report.layers):
        name = _short(f"{place} {step.layer!r}", 34)
        values = step.outputs
        each = values[0].size
        zero = f"{(values == 0).mean():.0%}"
        lines.append(f"   {name:<34}{each:>14}{values.mean():>12.4g}{values.std():>12.4g}{zero:>8}")
    last = report.layers[-1].upstream
    lines += ["", "2  Output gradient: how the loss L changes with each output"]
    lines.append(f"   L = {report.loss:.6g}, root mean square of dL/do = {_rms(last):.4g}")
    lines += ["", "3  Backward pass: the neurons' deltas, dL/d(pre-activation)"]
    lines.append(f"   {'layer':<34}{'root mean square':>18}{'largest':>12}{'none':>8}")
    for place in reversed(range(len(report.layers))):
        step = report.layers[place]
        none = f"{(step.deltas == 0).mean():.0%}"
        name = _short(f"{place} {step.layer!r}", 34)
        lines.append(f"   {name:<34}{_rms(step.deltas):>18.4g}{np.abs(step.deltas).max():>12.4g}{none:>8}")
    lines += ["", "4  Weight update: gradient = the input times the neuron's delta"]
    lines.append(
        f"   {'weights':<22}{'shape':>14}{'gradient':>14}{'largest':>14}{'change':>14}{'of its size':>14}"
    )
    return lines + [_summed_weights(w) for w in report.weights]


def _summed_weights(w: WeightStep) -> str:
    """Return a line for an array of weights: root mean squares of gradient, change, and relative change."""
    change, size = _rms(w.after - w.before), _rms(w.before)
    relative = f"{change / size:.2%}" if size else "-"
    shape = " x ".join(map(str, w.before.shape))
    return (
        f"   {_short(w.name, 22):<22}{shape:>14}{_rms(w.gradient):>14.4g}"
        f"{np.abs(w.gradient).max(initial=0.0):>14.4g}{change:>14.4g}{relative:>14}"
    )


# Both -------------------------------------------------------------------------------------------------------


def _checked(report: BackpropReport) -> list[str]:
    """Return the lines below the sections: what the step did to the loss, and the gradient check.

    Beside them a hint where the loss rose, or where a step activation has gradient 0 everywhere.
    """
    taken = sum(int((~np.isnan(w.difference)).sum()) for w in report.weights)
    some = "all weights" if taken == report.size else f"{taken} of {report.size} weights"
    told = f"L goes from {report.loss:.6g} to {report.loss_after:.6g}; {_agreement(report, some)}"
    lines = ["", *_wrapped(told, "")]
    if report.loss_after > report.loss:
        lines += _wrapped(RISES, "")
    stuck = [step for step in report.layers if not _is_trainable(step)]
    return lines + (_wrapped(f"Nothing moves below a step: {STEP_HAS_NO_SLOPE}.", "") if stuck else [])


def _agreement(report: BackpropReport, some: str) -> str:
    """Return the outcome of the gradient check; at a kink of the loss the two do not agree, and need not.

    some        how many weights were checked, in words
    """
    if report.largest_difference <= CORNER:
        return f"gradient and differences agree to {report.largest_difference:.0e} ({some})"
    largest = max(float(np.abs(w.gradient).max(initial=0.0)) for w in report.weights)
    away = sum(int((np.abs(w.gradient - w.difference) > CORNER * largest).sum()) for w in report.weights)
    return (
        f"gradient and differences differ at {count(away, 'weight')} ({some} compared), where L has a corner "
        "or a jump: the gradient looks to one side, differences to both"
    )


def _is_trainable(step: LayerStep) -> bool:
    """Return whether a layer's activation has a useful gradient; own functions are given the benefit."""
    name = _activation(step)
    return not _is_known(name) or activation_by_name(name).trainable


def _is_known(name: str) -> bool:
    """Return whether a name is one of the catalogue of activations, not that of an own function."""
    return _plain(name) in ACTIVATIONS


def _activation(step: LayerStep) -> str:
    """Return the name of a layer's activation; "" where it has none."""
    layer = step.layer
    found = (
        layer.activation
        if isinstance(layer, Dense)
        else layer.function
        if isinstance(layer, Activation)
        else ""
    )
    return found if isinstance(found, str) else getattr(found, "__name__", "activation")


def _at(values: Array | None, row: int, unit: int) -> float:
    """Return a number of an array [rows, units] that this layer is known to have."""
    assert values is not None
    return float(values[row, unit])


def _number(value: float) -> str:
    """Return a number to four significant digits, without a sign on 0."""
    return f"{float(value) + 0.0:.4g}"


def _factor(value: float) -> str:
    """Return a number as it stands in a product: negative ones in brackets."""
    text = _number(value)
    return f"({text})" if text.startswith("-") else text


def _rms(values: Array) -> float:
    """Return the root mean square over all elements; 0 of none."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0


def _short(text: str, width: int) -> str:
    """Return a text that leaves a column of some width a space, cut with "..." where it is longer."""
    return text if len(text) < width else f"{text[: width - 4]}..."


def _wrapped(text: str, indent: str) -> list[str]:
    """Return a line as several of at most 100 characters."""
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, drop_whitespace=True, break_long_words=False
    ) or [text]
