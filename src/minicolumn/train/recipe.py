"""The default recipe for tables: which network, and how it is trained, where the user says nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.nn import ColumnEmbedding, Dense, Dropout, Layer, Scale, Sequential
from minicolumn.nn.losses import LOSSES
from minicolumn.optim import Adam, Optimizer, optimizer_by_name
from minicolumn.optim.schedules import LogCosine, Schedule
from minicolumn.tables.encode import Encoder

# Steps that the schedule spreads over: more data, fewer epochs.
_STEPS = 12_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 24, 256


@dataclass(frozen=True)
class Recipe:
    """Everything that `fit` must know beside the rows."""

    network: Layer
    loss: Callable[..., Any]
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    epochs: int
    patience: int
    monitor: str
    metrics: tuple[str, ...]


def table_recipe(
    encoder: Encoder,
    rows: int,
    *,
    hidden: tuple[int, ...] | None = None,
    activation: str | None = None,
    dropout: float | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    patience: int | None = None,
) -> Recipe:
    """Return the recipe for a table; what is None takes the default.

    Source   RealMLP-TD-S: Holzmueller, Grinsztajn & Steinwart 2024 (arXiv 2407.04491), table A.1
    Differs  larger tables get fewer epochs, and learning stops early; categories of many levels are embedded.
    """
    classes = encoder.classes
    batch = batch_size or min(256, max(32, rows // 20))
    steps = -(-rows // batch)
    epochs = epochs or max(_FEWEST_EPOCHS, min(_MOST_EPOCHS, _STEPS // steps))
    kind = activation or ("selu" if classes else "mish")
    network = table_network(encoder, hidden or (256, 256, 256), kind, dropout or 0.0)
    return Recipe(
        network=network,
        loss=_loss(encoder),
        optimizer=_optimizer(optimizer, learning_rate, encoder),
        schedule=LogCosine(),
        batch_size=batch,
        epochs=epochs,
        patience=patience or max(10, epochs // 3),
        monitor="val_loss",
        metrics=("accuracy",) if classes else ("r2",),
    )


def table_network(encoder: Encoder, hidden: tuple[int, ...], activation: str, dropout: float) -> Sequential:
    """Return the network of the recipe: embeddings, a scale for each feature, hidden layers, outputs that start at 0."""
    layers: list[Layer] = [ColumnEmbedding(encoder.embeddings, dim=8)] if encoder.embeddings else []
    layers.append(Scale())
    for units in hidden:
        layers.append(Dense(units, activation, parametrization="ntk", bias_rate=0.1))
        if dropout:
            layers.append(Dropout(dropout))
    outputs = len(encoder.classes) if encoder.classes else 1
    layers.append(Dense(outputs, parametrization="ntk", bias_rate=0.1, initializer="zeros"))
    return Sequential(*layers)


def _loss(encoder: Encoder) -> Callable[..., Any]:
    if encoder.classes is None:
        return LOSSES["squared_error"].function
    return functools.partial(LOSSES["softmax_cross_entropy"].function, label_smoothing=0.1)


def _optimizer(name: str | None, learning_rate: float | None, encoder: Encoder) -> Optimizer:
    default = 0.04 if encoder.classes else 0.07
    if name is None or name == "adam":
        return Adam(learning_rate or default, b2=0.95)
    settings = {"learning_rate": learning_rate} if learning_rate else {}
    return optimizer_by_name(name, **settings)
