"""`fit_table`: train and evaluate a network on a table in one call, `minicolumn train` in Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike
from minicolumn.nn.losses import Loss
from minicolumn.optim import Optimizer, Schedule
from minicolumn.tables import as_frame, builtin_names, builtin_target
from minicolumn.tabular.pipeline import TableRun, train_plan
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.settings import settings_of
from minicolumn.train.callbacks import CallbackLike, Checkpoint, check_callbacks


def fit_table(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    test: Any = None,
    test_fraction: float = 0.25,
    validation_fraction: float = 0.15,
    hidden: int | Sequence[int] | None = None,
    activation: str | Sequence[str] | None = None,
    dropout: float | None = None,
    loss: str | Loss | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    clip_norm: float | None = None,
    schedule: str | Schedule | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    callbacks: CallbackLike | Sequence[CallbackLike] = (),
    progress: bool | None = None,
    checkpoint: PathLike | None = None,
    every: float | str = "60s",
    resume: PathLike | None = None,
) -> TableRun:
    """Train a network on a table, and score it on rows that took no part: `minicolumn train` in Python.

    The kinds of the columns are found, missing values are welcome, and what turns rows into numbers stays
    with the model. Where nothing is said the default recipe decides (docs/decisions/004).

    data            a path (CSV, TSV, JSON lines or Parquet, also compressed), the name of a built-in data
                    set, a polars or pandas frame, an Arrow table, a list of dicts, or a dict of columns
    target          the column to predict; built-in data sets have a usual one
    task            "binary", "multiclass" or "regression"; by the target
    drop            columns to leave out
    categorical     columns of integers that are codes, not amounts
    test            rows to test on, in any form of data; by default `test_fraction` of the rows
    validation_fraction     share of the rest that says when to stop, and calibrates probabilities
    hidden          units of each hidden layer
    activation      of all hidden layers, or one for each: "mish", "leaky_relu:slope=0.2", ...
    dropout         rate of each hidden layer
    loss            a name of `mc.nn.LOSSES` that fits the target, with settings as in "huber:delta=2", or a
                    `mc.nn.Loss`; numbers are on a standardised scale
    optimizer, schedule     a name, with settings as in "sgd:momentum=0.9", or a record
    learning_rate   of the optimizer
    clip_norm       the longest gradient of a step; longer ones are shortened
    batch_size      rows a step
    epochs          at most so often through the rows
    patience        epochs without progress, then stop
    seed            the same seed gives the same bits
    callbacks       `mc.Callback` objects or names, as for `mc.fit`, beside early stopping
    progress        whether to draw a progress bar on standard error
    checkpoint      a file to keep the state of the training in, written anew `every` 30s, 5m or 1h
    resume          such a file, to go on with: the same data and settings, and it ends with the same bits

    Returns         a `TableRun`: `metrics` and `baseline` on the test rows, `model`, `history`, `confusion`,
                    `predict(rows)`, `save(path)`
    Errors          DataError, one line, for tables and settings that cannot be used; DivergenceError, whose
                    `run` holds the last good weights

    >>> import minicolumn as mc
    >>> run = mc.fit_table("penguins", epochs=12, hidden=(32,))
    >>> run.metrics["accuracy"] > 0.9 > run.baseline["accuracy"]
    True
    """
    said = dict(locals())
    frame = as_frame(data)
    settings = settings_of("fit_table", {**said, "target": _target(target, data, list(frame.columns))})
    plan = plan_table(frame, settings, None if test is None else as_frame(test))
    hung = list(check_callbacks("fit_table", callbacks))
    hung += [] if checkpoint is None else [Checkpoint(checkpoint, every)]
    return train_plan(plan, callbacks=hung, progress=progress, resume=resume)


def _target(given: str | None, data: Any, columns: list[str]) -> str:
    """Return the target column: the given one, or that of a built-in data set; else a DataError."""
    if given is not None:
        return given
    if isinstance(data, str) and data in builtin_names() and not os.path.exists(data):
        return builtin_target(data)
    shown = ", ".join(map(repr, columns[:12])) + ", ..." * (len(columns) > 12)
    raise DataError(f"fit_table: target is missing; the columns are {shown}")
