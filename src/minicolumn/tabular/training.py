"""The training of one network on a table: by a recipe, with the rows held out that say when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike, shown
from minicolumn.tabular.plan import Given
from minicolumn.tabular.recipe import Recipe
from minicolumn.train.callbacks import Callback, EarlyStopping
from minicolumn.train.checkpoint import read
from minicolumn.train.settings import Settings
from minicolumn.train.trainer import Trainer


def table_trainer(
    recipe: Recipe, learnt: Given, held: Given | None, callbacks: Sequence[Callback] = (), **how: Any
) -> Trainer:
    """Return the trainer of a recipe.

    learnt      the rows that train: (X, target), and their weights where there are any
    held        those held out, likewise; None where none are, and no metrics are measured
    callbacks   told beside early stopping, which is there where the recipe keeps the best epoch
    how         further keywords of `Trainer`: seed, threads, progress
    """
    X, target, *weight = learnt
    best = [EarlyStopping(recipe.patience, monitor=recipe.monitor)] if recipe.keeps_best else []
    return Trainer(
        recipe.network,
        X,
        target,
        validation_data=held,
        sample_weight=weight[0] if weight else None,
        loss=recipe.loss,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        metrics=recipe.metrics,
        callbacks=[*best, *recipe.callbacks, *callbacks],
        **{"params": recipe.params, **how},
    )


def resumed(source: PathLike | bytes, planned: Trainer, learnt: Given, held: Given) -> Trainer:
    """Return the training in a checkpoint, which must be the one that was planned; its callbacks are told.

    source      its file, or its content
    learnt, held    the rows, as for `table_trainer`
    Errors      DataError for another network, other rows, and for the first setting that differs
    """
    X, target, *weight = learnt
    trainer = read(Trainer, source, X, target, weight[0] if weight else None, held, planned.callbacks)
    where = "it" if isinstance(source, bytes) else shown(source)
    if not _is_explained("network", planned.network, trainer.network, trainer):
        raise DataError(f"resume: {where} is of another network, {trainer.network!r:.120}")
    for field in fields(Settings):
        asked, stands = (getattr(t.settings, field.name) for t in (planned, trainer))
        if not _is_explained(field.name, asked, stands, trainer):
            raise DataError(
                f"resume: {where} was trained with {field.name} {stands!r:.80}, not {asked!r:.80}; say what "
                "was said then"
            )
    return trainer


def _is_explained(name: str, planned: Any, stands: Any, trainer: Trainer) -> bool:
    """Return whether something stands as it was planned, or as a callback may have changed it."""
    return stands == planned or any(
        callback.explains(name, planned, stands, trainer) for callback in trainer.callbacks
    )
