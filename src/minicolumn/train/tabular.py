"""From a table to a trained model and an honest score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model import metrics
from minicolumn.model.model import Model, rows_with_target
from minicolumn.nn.losses import Loss
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.optim import Optimizer, Schedule
from minicolumn.tables import Encoder, Schema, infer_schema, split_rows, with_target
from minicolumn.train.calibrate import calibrated
from minicolumn.train.callbacks import Callback, EarlyStopping
from minicolumn.train.fit import fit
from minicolumn.train.history import History
from minicolumn.train.recipe import Recipe, table_recipe
from minicolumn.train.run import Run
from minicolumn.train.table_loss import scaled_for, table_loss

if TYPE_CHECKING:
    import polars

Array = np.ndarray


@dataclass(frozen=True)
class TableSettings:
    """What a user may say about a training from a table; None takes the recipe's own."""

    target: str
    task: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    hidden: tuple[int, ...] | None = None
    activation: str | tuple[str, ...] | None = None
    dropout: float | None = None
    loss: Loss | None = None
    optimizer: str | Optimizer | None = None
    learning_rate: float | None = None
    clip_norm: float | None = None
    schedule: Schedule | None = None
    batch_size: int | None = None
    epochs: int | None = None
    patience: int | None = None
    seed: int = 0
    test_fraction: float = 0.25
    validation_fraction: float = 0.15


@dataclass(frozen=True, eq=False)
class TableRun:
    """What training from a table hands back.

    model      with its encoder; takes raw rows
    schema     what was found in the table
    run        what `fit` handed back
    metrics    scores on the test rows, which took no part in training
    baseline   what always answering with the class shares, or the mean, scores on the same rows
    confusion  counts [right class, predicted class] on the test rows; None for numbers
    rows       how many rows trained, validated and tested
    """

    model: Model
    schema: Schema
    run: Run
    metrics: dict[str, float]
    baseline: dict[str, float]
    confusion: Array | None
    rows: dict[str, int]

    @property
    def history(self) -> History:
        """Return the history of the training."""
        return self.run.history


@dataclass(frozen=True)
class Prepared:
    """A table made ready: its schema, its rows apart, the encoder fitted on those that train, and its loss.

    loss        as the table's network takes it; None is the recipe's own
    """

    schema: Schema
    encoder: Encoder
    train: polars.DataFrame
    held: polars.DataFrame
    test: polars.DataFrame
    loss: Loss | None = None

    @cached_property
    def X(self) -> Array:
        """Return the matrix of the rows that train, float32 [rows, features]."""
        if not self.encoder.features:
            raise DataError("the table has no column left to learn from")
        return self.encoder.transform(self.train)


def prepare_table(
    frame: polars.DataFrame, settings: TableSettings, test: polars.DataFrame | None = None
) -> Prepared:
    """Find the schema, set test and validation rows apart, and fit the encoder on the rest.

    Errors      DataError for everything that the schema, the split or the encoder refuses
    """
    schema = infer_schema(
        frame, settings.target, task=settings.task, drop=settings.drop, categorical=settings.categorical
    )
    frame = with_target(frame, schema)
    if test is None:
        rest, tested = split_rows(_codes(frame, schema), frame.height, settings.test_fraction, settings.seed)
        frame, test = frame[rest], frame[tested]
    kept, held = split_rows(_codes(frame, schema), frame.height, settings.validation_fraction, settings.seed)
    train = frame[kept]
    encoder = Encoder.fit(train, schema)
    loss = None if settings.loss is None else table_loss(settings.loss, encoder)
    encoder = _scaled(encoder, train, loss)
    try:
        return Prepared(schema, encoder, train, frame[held], rows_with_target(test, encoder), loss)
    except DataError as error:
        raise DataError(f"the test rows: {error}") from None


def _scaled(encoder: Encoder, train: polars.DataFrame, loss: Loss | None) -> Encoder:
    """Return the encoder with the target on the scale that the loss needs."""
    if loss is None or encoder.classes is not None:
        return encoder
    plain = replace(encoder, target_mean=0.0, target_scale=1.0)
    return scaled_for(loss, encoder, plain.encode_target(train))


def _codes(frame: polars.DataFrame, schema: Schema) -> Array | None:
    """Return class codes for a stratified split; None for numbers."""
    if schema.task == "regression":
        return None
    return Encoder((), schema.target, schema.task, "robust", schema.classes).encode_target(frame)


def train_table(
    frame: polars.DataFrame,
    settings: TableSettings,
    *,
    test: polars.DataFrame | None = None,
    callbacks: Sequence[Callback] = (),
    prepared: Prepared | None = None,
) -> TableRun:
    """Train a network on raw rows by the default recipe, and score it on rows it has not seen.

    frame       rows as `read_table` returns them
    settings    what the user said
    test        rows to score on; by default a quarter of the frame is set apart, stratified by class
    callbacks   hung into the training, beside early stopping
    prepared    what `prepare_table` made of the same frame and settings, if it is at hand

    Errors      DataError for tables and settings that cannot be used, DivergenceError
    """
    ready = prepared or prepare_table(frame, settings, test)
    recipe = recipe_for(ready, settings)
    _check_storable(ready, recipe)
    run = _fit(ready, recipe, settings.seed, callbacks)
    model = replace(
        _calibrated(ready, run.model),
        table=ready.encoder,
        schema=ready.schema,
        data_hash=data_hash(ready.train),
    )
    return _scored(ready, model, run)


def recipe_for(ready: Prepared, settings: TableSettings) -> Recipe:
    """Return the recipe for a prepared table."""
    return table_recipe(
        ready.encoder,
        ready.X,
        hidden=settings.hidden,
        activation=settings.activation,
        dropout=settings.dropout,
        loss=ready.loss,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        clip_norm=settings.clip_norm,
        schedule=settings.schedule,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
    )


def _check_storable(ready: Prepared, recipe: Recipe) -> None:
    """Refuse, before anything is trained, a table whose description no model file could hold."""
    figures = ("loss", "val_loss", "learning_rate", "seconds", "steps_per_second", *recipe.metrics)
    row = {"epoch": recipe.epochs, **dict.fromkeys(figures, 0.12345678901234567)}
    loss = "squared_error" if ready.encoder.classes is None else "softmax_cross_entropy"
    params = recipe.network.init(0, ready.X.shape[1:])
    model = Model(recipe.network, params, ready.X.shape[1:], loss, ready.encoder, schema=ready.schema)
    try:
        replace(model, history=[row] * recipe.epochs).check_storable()
    except DataError as error:
        raise DataError(f"{error}; {_what_takes_most(ready.encoder)}") from None


def _what_takes_most(encoder: Encoder) -> str:
    sizes = {part.name: len(json.dumps(part.to_json())) for part in encoder.inputs}
    name = max(sizes, key=lambda n: sizes[n])
    if sizes[name] > sum(sizes.values()) / 10:
        return f"the column {name[:60]!r} takes most of it; leave it out (--drop)"
    return (
        f"{len(sizes):,} columns with such names are too many; leave some out (--drop) or shorten their names"
    )


def _fit(ready: Prepared, recipe: Recipe, seed: int, callbacks: Sequence[Callback]) -> Run:
    encoder = ready.encoder
    return fit(
        recipe.network,
        ready.X,
        _target(encoder, ready.train),
        validation_data=(encoder.transform(ready.held), _target(encoder, ready.held)),
        loss=recipe.loss,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        metrics=recipe.metrics,
        callbacks=[EarlyStopping(recipe.patience, monitor=recipe.monitor), *callbacks],
        seed=seed,
    )


def _calibrated(ready: Prepared, model: Model) -> Model:
    """Return the model with the temperature that suits the validation rows; only probabilities have one."""
    if not isinstance(model.outputs, ClassOutputs) or not model.outputs.are_probabilities:
        return model
    return calibrated(model, ready.encoder.transform(ready.held), ready.encoder.encode_target(ready.held))


def _target(encoder: Encoder, frame: polars.DataFrame) -> Array:
    y = encoder.encode_target(frame)
    return y if encoder.classes is not None else y[:, None]


def _scored(ready: Prepared, model: Model, run: Run) -> TableRun:
    encoder = ready.encoder
    scores, right, guess = model.score_table(ready.test)
    known = encoder.encode_target(ready.train)
    table = None
    if encoder.classes is None:
        baseline = metrics.mean_baseline(encoder.in_unit(known), right)
    else:
        baseline = metrics.majority_baseline(known, right, len(encoder.classes))
        table = metrics.confusion(right, guess, len(encoder.classes))
    model.metrics.update({"test": scores, "baseline": baseline})
    rows = {"train": ready.train.height, "validation": ready.held.height, "test": ready.test.height}
    return TableRun(model, ready.schema, run, scores, baseline, table, rows)


def data_hash(frame: polars.DataFrame) -> str:
    """Return the SHA-256 of the training rows' values, in order."""
    digest: Any = hashlib.sha256("\x1f".join(frame.columns).encode())
    digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return "sha256:" + digest.hexdigest()
