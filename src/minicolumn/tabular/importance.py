"""Permutation importance: how much worse a model of a table scores where one column is shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.model.model import Model
from minicolumn.tables.typed import Typed

Array = np.ndarray


@dataclass(frozen=True)
class Importance:
    """What shuffling each column costs, the most important first.

    score       name of the score that gets worse: "log_loss" or "rmse", of which less is better
    whole       its value with nothing shuffled
    columns     {name: mean increase over the repeats}
    spread      {name: standard deviation of it}
    """

    score: str
    whole: float
    columns: dict[str, float]
    spread: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {"score": self.score, "whole": self.whole, "columns": self.columns, "spread": self.spread}


def permutation_importance(
    model: Model, rows: Typed, y: Array, *, repeats: int = 5, seed: int = 0, most: int = 20_000
) -> Importance:
    """Return how much worse the model scores where each column is shuffled among the rows.

        importance_c = mean over repeats of  score(rows with column c shuffled) - score(rows)

    model       of a table; rows: of `Model.typed_table`, with a target
    y           what its encoder made of their target
    repeats     shufflings of each column; most: rows looked at, drawn at random
    Returns     an `Importance`: of the log loss for classes, of the RMSE for numbers
    Source      Breiman 2001, Random forests, section 10; Fisher, Rudin & Dominici 2019 (arXiv 1801.01489)
    Differs     scikit-learn's permutation_importance takes the estimator's score, which for classes is the
                accuracy: it sees nothing of probabilities. Columns that say the same share their importance.
    """
    rng = np.random.default_rng(seed)
    frame = rows.frame
    if frame.height > most:
        chosen = np.sort(rng.permutation(frame.height)[:most])
        frame, y = frame[chosen], y[chosen]

    def scored(typed: Any) -> dict[str, float]:
        return model.score_typed(Typed(typed, ()), y)[0]

    whole = scored(frame)
    score = "log_loss" if "log_loss" in whole else "rmse"
    found: dict[str, Array] = {}
    for column in frame.columns:
        worse = []
        for _ in range(repeats):
            shuffled = frame[column][rng.permutation(frame.height)]
            worse.append(scored(frame.with_columns(shuffled))[score] - whole[score])
        found[column] = np.array(worse)
    order = sorted(found, key=lambda name: -float(found[name].mean()))
    means = {name: float(found[name].mean()) for name in order}
    return Importance(score, whole[score], means, {name: float(found[name].std()) for name in order})
