"""The winner of a search: trained once more on its folds and on all training rows, side by side; then scored.

its folds, to the epoch of the score -> out-of-fold predictions -> temperature, threshold, scores
all rows that train, to that epoch   -> the model                -> test rows, which nobody looked at
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import DivergenceError
from minicolumn.model.card.record import clipped
from minicolumn.model.model import Model
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.tabular.calibrate import best_factor, tempered
from minicolumn.tabular.pipeline import (
    TableRun,
    data_hash,
    scored,
    with_residuals,
    with_table,
    with_threshold,
)
from minicolumn.tabular.plan import TablePlan
from minicolumn.tabular.training import table_trainer
from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.run import Run
from minicolumn.train.side_by_side import Ending, Maker, Progress, run_side_by_side
from minicolumn.train.trainer import Trainer
from minicolumn.tune.build import Workshop, seed_of
from minicolumn.tune.growth import grown_params
from minicolumn.tune.trial import Trial

Array = np.ndarray
Watch = Callable[[Progress], None]
_ENOUGH = "the epoch of the search"


@dataclass(frozen=True)
class StopAt(Callback):
    """End a training after an epoch: its schedule goes on falling as if it went further."""

    epoch: int

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        if trainer.epoch >= self.epoch:
            trainer.stop(_ENOUGH)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return the epochs that are left."""
        return self.epoch - trainer.epoch


def refitted(
    workshop: Workshop,
    winner: Trial,
    card: dict[str, Any],
    threads: int,
    watch: Watch = lambda progress: None,
) -> TableRun:
    """Train the winner on all training rows, calibrate and score it, and return it as `train` returns a run.

    card        what the model file is to tell of the search
    Returns     metrics are of the test rows, `out_of_fold` of the rows that train, each predicted by the
                network of the fold that had not seen it
    Errors      DivergenceError where it diverges on all rows; KeyboardInterrupt where it was interrupted
    """
    table = workshop.table
    makers = [_maker_of_fold(workshop, winner, fold) for fold in range(workshop.folds)]
    *folds, whole = _runs(run_side_by_side([*makers, _maker_of_all(workshop, winner)], threads, watch=watch))
    predicted, rows = _out_of_fold(workshop, [run.model for run in folds])
    y, weight = table.train.y[rows], None if table.train.weight is None else table.train.weight[rows]
    loss_weight = None if table.train.loss_weight is None else table.train.loss_weight[rows]
    model, predicted = _calibrated(whole.model, predicted, y, loss_weight)
    training = {**model.training, "search": card}
    model = replace(model, training=training, data_hash=data_hash(table.train.frame))
    table = with_threshold(table, model.outputs, predicted, y, weight)
    model = with_residuals(model, predicted, y, weight)
    done = scored(table, with_table(table, model), whole)
    done = replace(done, model=done.model.with_card(replace(done.model.card, rebuild=_call(table, card))))
    return replace(done, out_of_fold=done.model.score_predictions(predicted, y, weight)[0])


def _call(table: TablePlan, card: dict[str, Any]) -> str:
    """Return the call that searches again; how far it gets in its time is another matter."""
    said = {name: card[name] for name in ("strategy", "seed") if name in card}
    inside = ", ".join(f"{name}={value!r}" for name, value in said.items())
    return f"mc.tune(DATA, {clipped(table.settings.target, 80)!r}, {inside}); training.search tells the space"


def _maker_of_fold(workshop: Workshop, winner: Trial, fold: int) -> Maker:
    """Return what trains the winner on a fold: the same bits as in the search, to the epoch of its score."""
    stop = StopAt(winner.epoch)
    return lambda hung: workshop.trainer(winner.candidate, fold, [stop, *hung])


def _maker_of_all(workshop: Workshop, winner: Trial) -> Maker:
    """Return what trains the winner on all training rows."""
    recipe = replace(workshop.recipe(winner.candidate), metrics=())
    learnt, seed, stop = (
        workshop.table.train.given(),
        seed_of(workshop.seed, workshop.folds),
        StopAt(winner.epoch),
    )

    def make(hung: Sequence[Callback]) -> Trainer:
        start = grown_params(workshop, winner.candidate, learnt, None, seed, hung)
        return table_trainer(recipe, learnt, None, [stop, *hung], seed=seed, threads=1, params=start)

    return make


def _runs(endings: Sequence[Ending]) -> list[Run]:
    """Return runs that all came to their end."""
    for ending in endings:
        if isinstance(ending, DivergenceError):
            raise ending
        if ending is None or ending.stopped == "interrupted":
            raise KeyboardInterrupt
    return [ending for ending in endings if isinstance(ending, Run)]


def _out_of_fold(workshop: Workshop, models: Sequence[Model]) -> tuple[Array, Array]:
    """Return what the folds' networks predict for rows that they have not seen, and these rows' numbers."""
    learnt, total, count = workshop.table.train, None, np.zeros(len(workshop.table.train.X), np.int64)
    for model, fold in zip(models, workshop.data.folds, strict=True):
        said = model.predict(learnt.X[fold.held]).reshape(len(fold.held), -1)
        total = np.zeros((len(learnt.X), said.shape[1])) if total is None else total
        total[fold.held] += said
        count[fold.held] += 1
    assert total is not None
    rows = np.flatnonzero(count)
    return (total[rows] / count[rows, None]).astype(np.float32), rows


def _calibrated(model: Model, predicted: Array, y: Array, weight: Array | None) -> tuple[Model, Array]:
    """Return the model temperature-scaled by out-of-fold predictions, and these scaled likewise."""
    outputs = model.outputs
    if not isinstance(outputs, ClassOutputs) or not outputs.are_probabilities:
        return model, predicted
    factor = best_factor(outputs.class_scores(predicted), y, weight)
    return tempered(model, factor), _powered(predicted, factor)


def _powered(probabilities: Array, factor: float) -> Array:
    """Return probabilities whose logits are multiplied by a factor."""
    logits = factor * np.log(np.maximum(probabilities.astype(np.float64), 1e-38))
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def card_of(winner: Trial, best: Trial, trials: Sequence[Trial], described: dict[str, Any]) -> dict[str, Any]:
    """Return what a model file tells of the search it comes from, as JSON values.

    described   strategy, space, seed, folds, epochs and the rule of the winner
    """
    states = [trial.state for trial in trials]
    counts = {state: states.count(state) for state in ("finished", "pruned", "failed")}
    candidate = winner.candidate.to_json()
    del candidate["choices"]
    return {
        **described,
        "trials": len(trials),
        **counts,
        "score": winner.score,
        "error": None if math.isnan(winner.error) else winner.error,
        "epoch": winner.epoch,
        "parameters": winner.parameters,
        "candidate": candidate,
        "best_score": best.score,
    }
