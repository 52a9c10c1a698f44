"""The usual metrics of rows that have weights: a row of weight w counts as w equal ones would.

Source      of weighted means for the rest; of ROC AUC and F1 scikit-learn's `sample_weight`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minicolumn.model.metrics import scores_for
from minicolumn.nn.outputs import Outputs

Array = np.ndarray
_TINY = float(np.finfo(np.float64).eps)  # as in the unweighted log loss
Weighted = Callable[[Array, Array, Array], float | None]


def weighted_scores(outputs: Outputs, answers: Array, predicted: Array, weight: Array) -> dict[str, float]:
    """Return the default metrics of predictions of a kind, weighted; see `metrics.usual_scores`.

    weight      of the rows, >= 0, [rows]; those of 0 take no part

    >>> from minicolumn.nn.outputs import Point
    >>> found = weighted_scores(Point(), np.array([1.0, 3.0]), np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> found["mae"]
    0.25
    """
    names = [name for name, score in scores_for(outputs).items() if score.usual]
    return _of(names, answers, predicted.astype(np.float64), weight)


def weighted_decision_scores(codes: Array, guess: Array, classes: int, weight: Array) -> dict[str, float]:
    """Return the weighted metrics of predicted classes, however they were decided."""
    return _of(("accuracy", "balanced_accuracy", "f1"), codes, np.eye(classes)[guess], weight)


def _of(names: Iterable[str], answers: Array, predicted: Array, weight: Array) -> dict[str, float]:
    some = weight > 0
    found = {name: WEIGHTED[name](answers[some], predicted[some], weight[some]) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _accuracy(codes: Array, p: Array, weight: Array) -> float:
    return float(np.average(np.argmax(p, axis=1) == codes, weights=weight))


def _balanced_accuracy(codes: Array, p: Array, weight: Array) -> float:
    guess = np.argmax(p, axis=1)
    classes = np.unique(codes)
    return float(np.mean([np.average(guess[codes == c] == c, weights=weight[codes == c]) for c in classes]))


def _log_loss(codes: Array, p: Array, weight: Array) -> float:
    right = np.clip(p[np.arange(len(codes)), codes], _TINY, 1.0)
    return float(-np.average(np.log(right), weights=weight))


def _roc_auc(codes: Array, p: Array, weight: Array) -> float | None:
    from sklearn.metrics import roc_auc_score

    present = np.unique(codes)
    if len(present) < 2:
        return None
    wanted = present[-1:] if p.shape[1] == 2 else present
    return float(np.mean([roc_auc_score(codes == c, p[:, c], sample_weight=weight) for c in wanted]))


def _f1(codes: Array, p: Array, weight: Array) -> float:
    from sklearn.metrics import f1_score

    wanted = [1] if p.shape[1] == 2 else np.unique(codes)
    how: dict[str, Any] = {"average": "macro", "zero_division": 0.0, "sample_weight": weight}
    return float(f1_score(codes, np.argmax(p, axis=1), labels=wanted, **how))


def _r2(y: Array, p: Array, weight: Array) -> float | None:
    spread = (y - np.average(y, weights=weight)) ** 2
    # What rounding alone makes of a constant, as in the unweighted metric.
    varied = np.sum(spread) > len(y) * (8 * np.finfo(np.float64).eps * np.max(np.abs(y), initial=0.0)) ** 2
    return 1.0 - float(np.sum(weight * (y - p) ** 2) / np.sum(weight * spread)) if varied else None


def _rmse(y: Array, p: Array, weight: Array) -> float:
    return float(np.sqrt(np.average((y - p) ** 2, weights=weight)))


def _mae(y: Array, p: Array, weight: Array) -> float:
    return float(np.average(np.abs(y - p), weights=weight))


WEIGHTED: Mapping[str, Weighted] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "f1": _f1,
    "r2": _r2,
    "rmse": _rmse,
    "mae": _mae,
}
