"""The score that a search looks at: a metric of the held-out rows, and which way it is better."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.metrics import METRICS, scores_for
from minicolumn.model.scores import Metric
from minicolumn.nn.losses import as_loss
from minicolumn.nn.outputs import NumberOutputs, Outputs
from minicolumn.tables.encode import Encoder
from minicolumn.tabular.recipe import Recipe

Array = np.ndarray
_USUAL = {"binary": "log_loss", "multiclass": "accuracy", "regression": "r2"}


@dataclass(frozen=True)
class Score:
    """A metric by its name, and whether higher is better.

    >>> Score("r2", True).sign, Score("log_loss", False).is_better(0.3, 0.4)
    (1.0, True)
    """

    name: str
    higher_is_better: bool

    @property
    def sign(self) -> float:
        """1 where higher is better, else -1: times this, higher is always better."""
        return 1.0 if self.higher_is_better else -1.0

    def is_better(self, one: float, other: float) -> bool:
        """Return whether the first of two values is better."""
        return self.sign * one > self.sign * other

    @property
    def column(self) -> str:
        """The column of a training's history that holds it."""
        return f"val_{self.name}"


def score_by_name(where: str, name: str | None, task: str, outputs: Outputs) -> Score:
    """Return the score of a name; None takes the task's usual one.

        binary  log_loss        multiclass  accuracy        regression  r2

    The log loss tells two networks apart by fewer rows than the accuracy does; of many classes it is bent by
    label smoothing.

    where       begins the message
    outputs     what the networks' outputs mean
    Errors      DataError for an unknown metric, for one that does not fit the task, with those that do, and
                for one of which neither way is better
    """
    chosen = METRICS.aliases.get(name or "", name) or _USUAL[task]
    known = {known: score for known, score in scores_for(outputs).items() if score.of != "distributions"}
    if chosen not in known:
        what = (
            f"{chosen!r} does not fit a {task} task"
            if chosen in METRICS
            else f"unknown metric {chosen!r:.60}"
        )
        raise DataError(f"{where}: {what}{did_you_mean(chosen, known)}; there are {', '.join(known)}")
    better = known[chosen].higher_is_better
    if better is None:
        raise DataError(f"{where}: of {chosen} neither way is better; take another metric")
    return Score(chosen, better)


def metric_of(score: Score, encoder: Encoder, recipe: Recipe) -> str | Metric:
    """Return the metric that a training records: of numbers in the target's unit."""
    loss = as_loss(recipe.loss)
    outputs = None if loss is None else loss.outputs
    if not isinstance(outputs, NumberOutputs):
        return score.name
    return Metric(score.name, _InUnit(score.name, encoder, outputs), score.higher_is_better)


@dataclass(frozen=True)
class _InUnit:
    """A metric of numbers, of what the network says in the target's unit."""

    name: str
    encoder: Encoder
    outputs: NumberOutputs

    def __call__(self, y: Array, predicted: Array, sample_weight: Array | None = None) -> float:
        true = self.encoder.in_unit(y.reshape(len(y)))
        said = self.encoder.decode_target(self.outputs.expected(predicted.reshape(len(y), -1)))
        found = METRICS.make(self.name).function(true, np.asarray(said).reshape(len(y)))
        return math.nan if found is None else found
