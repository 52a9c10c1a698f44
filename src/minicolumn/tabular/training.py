"""The training of one network on a table: by a recipe, with the rows held out that say when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicolumn.tabular.plan import Given
from minicolumn.tabular.recipe import Recipe
from minicolumn.train.callbacks import Callback, EarlyStopping
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
        callbacks=[*best, *callbacks],
        **how,
    )
