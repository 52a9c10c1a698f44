"""Recipes of points in a plane: drawn from a seed, half of them held out, learnt by a small network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.data.points.points import Points, make_points, points_to_csv
from minicolumn.data.points.table import plain_table
from minicolumn.model.metrics import majority_baseline, mean_baseline
from minicolumn.model.model import Model
from minicolumn.nn import Dense, Layer, Sequential
from minicolumn.nn.layers.formulas import Formulas
from minicolumn.optim import optimizer_by_name
from minicolumn.train import fit
from minicolumn.zoo.entry import Entry

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """The points of a recipe, and what it says beside them."""

    points: Points
    settings: dict[str, Any]


def drawn(entry: Entry) -> Drawn:
    """Draw the points of a recipe: those that the playground draws for the same name, noise and seed."""
    said = dict(entry.settings)
    name, noise, seed = said.pop("points"), said.pop("noise"), said.pop("points_seed")
    return Drawn(make_points(name, noise=noise, seed=seed), said)


def train_points(entry: Entry) -> Model:
    """Train a network of the playground's kind; it takes rows of the CSV that the playground hands out."""
    found = drawn(entry)
    points, said = found.points, found.settings
    encoder, schema = plain_table(points)
    learnt, held = ~points.held, points.held
    y = points.y.astype(np.int32) if points.classes else encoder.standardise(points.y)
    X, target = points.X.astype(np.float32), y.astype(np.float32)[:, None]
    layers: list[Layer] = []
    if "features" in said:
        layers.append(Formulas(tuple(said.pop("features")), points.inputs))
    layers += [Dense(units, said["activation"]) for units in said.pop("hidden")]
    said.pop("activation")
    said["optimizer"] = optimizer_by_name(said["optimizer"])
    loss = "binary_cross_entropy" if points.classes else "squared_error"
    run = fit(
        Sequential(*layers, Dense(1)), X[learnt], target[learnt], loss=loss, progress=False,
        validation_data=None, **said,
    )  # fmt: skip
    model = replace(run.model, table=encoder, schema=schema)
    scores, right, _ = model.score_encoded(X[held], y[held])
    if points.classes:
        baseline = majority_baseline(y[learnt], right, len(points.classes))
    else:
        baseline = mean_baseline(points.y[learnt], right)
    return replace(model, metrics={"test": scores, "baseline": baseline})


def score_points(entry: Entry, model: Model) -> dict[str, float]:
    """Return the scores of a network on the points that are held out."""
    import polars

    points = drawn(entry).points
    rows = polars.read_csv(points_to_csv(points).encode(), infer_schema_length=0)
    return model.evaluate_table(rows.filter(polars.col("part") == "test"))
