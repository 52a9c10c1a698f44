"""What is told of a model that cannot be drawn: its layers and their weights, scores, settings, history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicolumn.model import Model
from minicolumn.playground.layers import histogram, layer_rows, layers_of, shortened
from minicolumn.playground.lines import Line
from minicolumn.train.backward import norm

Array = np.ndarray
MOST_LAYERS, MOST_COLUMNS, MOST_CLASSES, MOST_SETTINGS = 200, 300, 100, 60
MOST_EPOCHS = 500  # of the history, evenly spaced
LONGEST_NAME, LONGEST_VALUE = 80, 120


def summary_of(model: Model, name: str, why: str) -> tuple[dict[str, Any], Array]:
    """Return what a page shows of a model, and its history, float64 [epochs, columns].

    name    of the file
    why     it is not drawn
    """
    layers = _layers(model)
    names, curve = _history(model)
    record, table = model.loss_record, model.table
    schema = model.schema
    columns = [] if schema is None else [{"name": _name(c.name), "kind": c.kind} for c in schema.columns]
    classes = model.classes or ()
    says = {
        "name": _name(name), "why": why if isinstance(why, Line) else shortened(why, 200),
        "layers": layers[:MOST_LAYERS],
        "more_layers": max(0, len(layers) - MOST_LAYERS),
        "parameters": sum(layer["parameters"] for layer in layers), "dtype": str(model.dtype),
        "input_shape": list(model.input_shape), "loss": _name(record.name if record else model.loss),
        "metrics": _metrics(model.metrics), "training": _settings(model.training), "history": names,
        "columns": columns[:MOST_COLUMNS], "more_columns": max(0, len(columns) - MOST_COLUMNS),
        "target": None if table is None else _name(table.target),
        "task": None if table is None else table.task,
        "classes": [_name(str(label)) for label in classes[:MOST_CLASSES]], "class_count": len(classes),
    }  # fmt: skip
    return says, curve


def _layers(model: Model) -> list[dict[str, Any]]:
    rows = layer_rows(model.network, model.input_shape, model.params)
    parts = layers_of(model.network, model.input_shape, model.params)
    with np.errstate(all="ignore"):
        return [
            {**row, "norm": norm(own), "histogram": histogram(own)}
            for row, (_, _, _, own) in zip(rows, parts, strict=True)
        ]


def _metrics(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the scores on the test rows, each beside that of the baseline."""
    test, baseline = (metrics.get(name) for name in ("test", "baseline"))
    scores = test if isinstance(test, Mapping) else metrics
    other = baseline if isinstance(baseline, Mapping) else {}
    return [
        {"name": _name(str(name)), "value": value, "baseline": other.get(name)}
        for name, value in list(scores.items())[:MOST_SETTINGS]
        if isinstance(value, int | float)
    ]


def _settings(training: Mapping[str, Any]) -> list[list[str]]:
    """Return the settings of the training as pairs of texts; of a saved estimator not its curves and rows."""
    return [
        [_name(str(name)), shortened(_text(value), LONGEST_VALUE)]
        for name, value in sorted(training.items())
        if name not in ("fitted", "classes") and value is not None
    ][:MOST_SETTINGS]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        rest = ", ".join(f"{key} {_text(inner)}" for key, inner in value.items() if key != "name")
        return ": ".join(part for part in (str(value.get("name", "")), rest) if part)
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value[:LONGEST_VALUE]))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _history(model: Model) -> tuple[list[str], Array]:
    """Return the names of the figures, epoch first, and their numbers; what is missing is NaN."""
    rows = list(model.history or ())
    every = math.ceil(len(rows) / MOST_EPOCHS) or 1
    names = list(dict.fromkeys(str(name) for row in rows for name in row if name != "epoch"))[:MOST_SETTINGS]
    kept = [(place + 1, row) for place, row in enumerate(rows) if place % every == 0 or row is rows[-1]]
    table = [[row.get("epoch", place), *(row.get(name, np.nan) for name in names)] for place, row in kept]
    numbers = [[v if isinstance(v, int | float) else np.nan for v in row] for row in table]
    return ["epoch", *names], np.array(numbers, np.float64).reshape(len(kept), len(names) + 1)


def _name(text: str) -> str:
    return shortened(text, LONGEST_NAME)
