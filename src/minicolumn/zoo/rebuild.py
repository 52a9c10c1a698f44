"""Training of a zoo's entry by its recipe: the same recipe, data and machine give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.nn import Dense, Dropout, Flatten, Layer, Sequential
from minicolumn.optim import Adam, optimizer_by_name, schedule_by_name
from minicolumn.train import fit
from minicolumn.zoo.datasets import frame_of, pixels_of
from minicolumn.zoo.entry import Entry, Kind
from minicolumn.zoo.points import train_points

Array = np.ndarray[Any, np.dtype[Any]]
_CLOCKED = ("seconds", "steps_per_second", "threads")  # of a training: they differ from run to run


def train(entry: Entry, folder: Path | None = None) -> Model:
    """Return an entry's network, trained by its recipe, with its card in it.

    folder      where files of data lie that do not come with a package
    Errors      DataError: data that is missing or is other data, a recipe that cannot be trained
    """
    try:
        model = _TRAINED[entry.kind](entry, folder)
    except (TypeError, KeyError) as error:
        raise DataError(f"zoo: the settings of {entry.name} cannot be trained: {error}") from None
    training = {name: value for name, value in model.training.items() if name not in _CLOCKED}
    history = [{k: v for k, v in row.items() if k not in _CLOCKED} for row in model.history]
    return replace(model, training=training, history=history).with_card(entry.card)


def _table(entry: Entry, folder: Path | None) -> Model:
    from minicolumn.tabular import fit_table

    said = {name: value for name, value in entry.settings.items() if name != "table"}
    target = said.pop("target")
    return fit_table(frame_of(entry, folder), target, **said).model


def _images(entry: Entry, folder: Path | None) -> Model:
    """Train a multi-layer perceptron on images; scores are of the images that the data set keeps for that."""
    X, y, tested, right = pixels_of(entry, folder)
    said = dict(entry.settings)
    units, activation, dropout = (said.pop(name) for name in ("hidden", "activation", "dropout"))
    network = image_network(tuple(units), activation, dropout, int(y.max()) + 1)
    said["optimizer"] = optimizer_by_name(said["optimizer"])
    said["schedule"] = schedule_by_name(said["schedule"])
    run = fit(network, X, y, loss="softmax_cross_entropy", progress=False, **said)
    scores = run.model.evaluate(tested, right)
    shares = np.bincount(y, minlength=int(y.max()) + 1) / len(y)
    always = {"accuracy": float(np.mean(right == np.argmax(shares)))}
    return replace(run.model, metrics={"test": scores, "baseline": always})


def image_network(hidden: tuple[int, ...], activation: str, dropout: float, classes: int) -> Layer:
    """Return a multi-layer perceptron on images.

    >>> image_network((30,), "relu", 0.0, 10)
    Sequential(Flatten(), Dense(30, activation='relu'), Dense(10))
    """
    layers: list[Layer] = [Flatten()]
    for units in hidden:
        layers.append(Dense(units, activation=activation))
        if dropout:
            layers.append(Dropout(dropout))
    return Sequential(*layers, Dense(classes))


# Truth tables -----------------------------------------------------------------------------------------------


def _bits(entry: Entry, folder: Path | None) -> Model:
    function = entry.settings["function"]
    if function not in _FUNCTIONS:
        raise DataError(f"zoo: {entry.name}: no truth table is named {function!r:.60}")
    return _FUNCTIONS[function](entry)


def bits(inputs: int) -> Array:
    """Return every row of so many bits, float32 [2**inputs, inputs].

    >>> bits(2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    return np.array(list(product((0.0, 1.0), repeat=inputs)), np.float32)


def _xor(entry: Entry) -> Model:
    """Train exclusive or by backpropagation through a hidden layer."""
    X = bits(2)
    y = (X[:, 0] != X[:, 1]).astype(np.float32)[:, None]
    said = dict(entry.settings)
    network = Sequential(Dense(said["hidden"], activation="tanh"), Dense(1))
    run = fit(
        network, X, y, loss="binary_cross_entropy", optimizer=Adam(said["learning_rate"]), batch_size=4,
        epochs=said["epochs"], seed=said["seed"], progress=False,
    )  # fmt: skip
    scores = run.model.evaluate(X, y)
    return replace(run.model, metrics={"test": scores, "baseline": {"accuracy": 0.5}})


def _gates(entry: Entry) -> Model:
    """Write the gates of 1943 as one layer of threshold units: a AND b, a OR b, NOT a."""
    weight = np.array([[1.0, 1.0, -1.0], [1.0, 1.0, 0.0]], np.float32)
    bias = np.array([-1.5, -0.5, 0.5], np.float32)
    X = bits(2)
    a, b = X.T > 0
    wanted = np.stack([a & b, a | b, ~a], axis=1).astype(np.float32)
    model = Model(Dense(3, activation="step"), {"weight": weight, "bias": bias}, (2,), "squared_error")
    right = float(np.mean(model.predict(X) == wanted))
    return replace(model, metrics={"test": {"accuracy": right}, "baseline": {"accuracy": 0.5}})


_FUNCTIONS: dict[str, Callable[[Entry], Model]] = {"xor": _xor, "gates": _gates}
_TRAINED: dict[Kind, Callable[[Entry, Path | None], Model]] = {
    "table": _table,
    "images": _images,
    "points": lambda entry, folder: train_points(entry),
    "bits": _bits,
}
