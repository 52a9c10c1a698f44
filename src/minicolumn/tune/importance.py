"""Importance of choices: how much of the scores' variance each part of the space explains by itself (fANOVA).

    importance of a part = variance of the mean score over all other parts / variance of the score

Of a forest fitted to the finished trials, so it is about the candidates that were tried: a search that soon
leaves the bad rates says little of rates. Scores far below the others count as less far, since one training
that failed to learn would explain everything.

Source      Hutter, Hoos & Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance";
            Optuna's FanovaImportanceEvaluator
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicolumn.tune.parts import RULES
from minicolumn.tune.score import Score
from minicolumn.tune.strategies.sampled import quiet
from minicolumn.tune.trial import Trial

FEWEST = 8  # trials, of which a forest says anything
_TREES, _DEPTH = 32, 16


def importances(trials: Sequence[Trial], score: Score) -> dict[str, float]:
    """Return the importance of each part of which several values were tried, the most important first.

    Returns     shares by the names of a space's parts, adding up to 1; empty where fewer than 8 trials
                finished, or all of them score the same

    >>> importances([], Score("r2", True))
    {}
    """
    whole = [trial for trial in trials if trial.is_finished]
    columns = {name: [_value(trial, name) for trial in whole] for name in RULES}
    varied = {name: values for name, values in columns.items() if len(set(values)) > 1}
    worth = _bounded(np.array([score.sign * trial.score for trial in whole]))
    if len(whole) < FEWEST or not varied or np.ptp(worth) == 0.0:
        return {}
    return _fanova(varied, worth)


def _fanova(columns: dict[str, list[Any]], worth: np.ndarray) -> dict[str, float]:
    import optuna

    coded = {name: _coded(values) for name, values in columns.items()}
    with quiet():
        study = optuna.create_study(direction="maximize")
        for row, value in enumerate(worth):
            params = {name: values[row] for name, (_, values) in coded.items()}
            distributions = {name: distribution for name, (distribution, _) in coded.items()}
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=distributions, value=float(value))
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=_TREES, max_depth=_DEPTH, seed=0)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in sorted(found.items(), key=lambda pair: -pair[1])}


def _value(trial: Trial, name: str) -> Any:
    """Return what a trial has of a part: of its layers the number, of its widths the widest."""
    return getattr(trial.candidate, name)


def _coded(values: list[Any]) -> tuple[Any, list[Any]]:
    """Return Optuna's distribution of some values, and the values in it: numbers by their logarithm."""
    import optuna

    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = [math.log(v) if min(values) > 0 else float(v) for v in values]
        return optuna.distributions.FloatDistribution(min(numbers), max(numbers)), numbers
    texts = list(map(str, values))
    return optuna.distributions.CategoricalDistribution(sorted(set(texts))), texts


def _bounded(worth: np.ndarray) -> np.ndarray:
    """Return scores of which none is further below the median than the best is far above, threefold."""
    if not len(worth):
        return worth
    middle, best = float(np.median(worth)), float(np.max(worth))
    return np.maximum(worth, middle - 3.0 * max(best - middle, 0.0)) if best > middle else worth
