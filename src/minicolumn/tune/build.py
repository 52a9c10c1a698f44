"""From a candidate to its training: the recipe, by the same function that plans tables of one network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.layers.spline import Knots
from minicolumn.nn.losses import Loss, as_loss
from minicolumn.nn.outputs import Outputs
from minicolumn.nn.summary import weight_count
from minicolumn.optim import AdamW, Optimizer, optimizer_by_name, schedule_by_name
from minicolumn.tabular.losses import table_loss
from minicolumn.tabular.memory import said_of_memory, training_memory
from minicolumn.tabular.plan import TablePlan
from minicolumn.tabular.recipe import Recipe, table_batch, table_knots, table_recipe
from minicolumn.tabular.training import table_trainer
from minicolumn.train.callbacks import Callback
from minicolumn.train.trainer import Trainer
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.folds import FoldData
from minicolumn.tune.growth import Nursery, grown_params
from minicolumn.tune.parts import Choices, Interval, nearest
from minicolumn.tune.score import Score, metric_of
from minicolumn.tune.space import Space

Array = np.ndarray
_FEW_ROWS, _SOME_ROWS = 1_000, 10_000
_LONG = 8  # epochs, of which an eighth is one


@dataclass(frozen=True, eq=False)
class Workshop:
    """What candidates are made into trainings with: the table, its ramps, its folds, and the score.

    loss        that the user asked for; None takes the default
    epochs      of the longest training; a candidate's own are a share of them
    nursery     weights of candidates that others may grow from; None keeps none
    """

    table: TablePlan
    knots: Knots
    loss: Loss | None
    data: FoldData
    score: Score
    epochs: int
    seed: int
    nursery: Nursery | None = None

    def to_send(self) -> Workshop:
        """Return it for another process: without the test rows, which no search looks at."""
        table = replace(self.table, test=self.table.validation)
        return replace(self, table=table, data=FoldData(table, self.data.folds))

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return len(self.data.folds)

    def recipe(self, candidate: Candidate) -> Recipe:
        """Return the network of a candidate and how it is trained."""
        settings = self.table.settings
        recipe = table_recipe(
            self.table.encoder,
            self.table.train.X,
            hidden=candidate.hidden,
            activation=candidate.activation,
            dropout=candidate.dropout,
            loss=self.loss,
            optimizer=optimizer_of(candidate),
            clip_norm=settings.clip_norm,
            schedule=schedule_by_name(candidate.schedule),
            batch_size=candidate.batch_size,
            epochs=self.epochs_of(candidate),
            normalization=None if candidate.normalization == "none" else candidate.normalization,
            knots=self.knots if candidate.ramps else (),
        )
        metric = metric_of(self.score, self.table.encoder, recipe)
        return replace(recipe, metrics=(metric,), keeps_best=False)  # type: ignore[arg-type]

    def epochs_of(self, candidate: Candidate) -> int:
        """Return over how many epochs a candidate is trained."""
        return candidate.epochs(self.epochs)

    def patience(self, candidate: Candidate) -> float:
        """Return after how many epochs without a better score a fold ends: as in the recipe of one network.

        Never where others grow from it: their weights depend on the candidate alone, not on rows held out.
        """
        return math.inf if self.nursery is not None else self.recipe(candidate).patience

    def parameters(self, candidate: Candidate) -> int:
        """Return how many weights a candidate's network has."""
        return weight_count(self.recipe(candidate).network, self.table.train.X.shape[1:])

    def check_memory(self, candidate: Candidate) -> None:
        """Refuse a candidate that takes more memory than is free; DataError that says how much."""
        rows, features = self.table.train.X.shape
        said_of_memory(training_memory(self.recipe(candidate), rows, features), rows, features)

    def trainer(self, candidate: Candidate, fold: int, callbacks: Sequence[Callback]) -> Trainer:
        """Return the trainer of a candidate on one fold, on one thread.

        The seed depends on the fold alone: candidates are compared on the same rows in the same order.
        """
        learnt, held = self.data.of(fold)
        seed = seed_of(self.seed, fold)
        start = grown_params(self, candidate, learnt, fold, seed, callbacks)
        return table_trainer(
            self.recipe(candidate), learnt, held, callbacks, seed=seed, threads=1, params=start
        )


def seed_of(seed: int, number: int) -> int:
    """Return the seed of one part of a search that is seeded as a whole."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def optimizer_of(candidate: Candidate) -> Optimizer:
    """Return the optimizer of a candidate, with its learning rate, and its weight decay where it has one.

    AdamW alone keeps squares as the recipe of tables does (b2 = 0.95), unless its text says more.
    """
    found = optimizer_by_name(candidate.optimizer)
    if candidate.optimizer == "adamw" and isinstance(found, AdamW):
        found = replace(found, b2=0.95)
    decays = "weight_decay" in {f.name for f in fields(found)} and "weight_decay" not in candidate.optimizer
    found = replace(found, weight_decay=candidate.weight_decay) if decays else found  # type: ignore[call-arg]
    return found.with_rate(candidate.learning_rate)


def default_space(table: TablePlan, knots: Knots) -> Space:
    """Return the space of a table: wider and deeper networks where there are more rows to learn from.

    Batches lie about the recipe's own, `table_batch`, and so do the rate and the dropout. Dropout and weight
    decay are never 0: a part that is left out is a program of its own.
    """
    rows, recipe = len(table.train.X), table.recipe
    widths = (8, 16, 32, 64, 128) if rows < _FEW_ROWS else (16, 32, 64, 128, 256)
    batch = table_batch(rows)
    smaller = (batch // 2, batch) if rows < _SOME_ROWS else (batch, 2 * batch)
    numbers = table.encoder.classes is None
    return Space(
        layers=(1, 2, 3) if rows < _FEW_ROWS else (1, 2, 3, 4),
        width=widths,
        shape=("constant", "funnel", "pyramid"),
        activation=("mish", "relu", "selu") if numbers else ("selu", "relu", "mish"),
        normalization="none",
        dropout=Interval(0.01, 0.3 if numbers else 0.5, log=False),
        ramps=(True, False) if knots else False,
        optimizer="adamw",
        learning_rate=Interval(0.01, 0.2),
        weight_decay=Interval(0.002, 0.1),
        schedule=("flat_cosine", "log_cosine") if recipe.epochs > 1 else "flat_cosine",
        batch_size=smaller,
        horizon=(0.125, 0.25, 0.5, 1.0) if recipe.epochs >= _LONG else 1.0,
    )


def whole_space(said: Space, table: TablePlan, knots: Knots, fixed: Mapping[str, Any]) -> Space:
    """Return the space that is searched: what was said, and the table's own for the rest.

    fixed       values of parts that are not searched where nothing is said of them, by name
    Errors      DataError where ramps are asked for and the table has no numbers that could have them
    """
    ramps = said.part("ramps")
    if not knots and isinstance(ramps, Choices) and True in ramps:
        if ramps.values == (True,):
            raise DataError("ramps: no column of this table holds numbers enough for ramps")
        said = replace(said, ramps=False)
    usual = default_space(table, knots)
    held = {name: nearest(part, fixed[name]) for name, part in usual.said().items() if name in fixed}
    return said.over(replace(usual, **held))


def own_loss(table: TablePlan) -> Loss | None:
    """Return the loss that the user asked for, as the table's networks take it."""
    loss = table.settings.loss
    return None if loss is None else table_loss(loss, table.encoder)


def outputs_of(table: TablePlan) -> Outputs:
    """Return what the outputs of a table's networks mean."""
    record = as_loss(table.recipe.loss)
    assert record is not None  # a table's loss is one of the catalogue
    return record.outputs


def knots_of(table: TablePlan) -> Knots:
    """Return the ramps of a table, found once."""
    return table_knots(table.encoder, table.train.X)
