"""Scores of predictions beside what a trivial guess would score. scikit-learn does the arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray
# What `classification_scores` and `regression_scores` give, by the task of the loss.
_CLASS_SCORES = ("accuracy", "balanced_accuracy", "log_loss", "roc_auc")
SCORES: dict[str, tuple[str, ...]] = {
    "multiclass": _CLASS_SCORES,
    "binary": _CLASS_SCORES,
    "regression": ("r2", "rmse", "mae"),
}
# For these, more is better; for every other figure, less.
HIGHER_IS_BETTER = frozenset({"accuracy", "balanced_accuracy", "roc_auc", "r2"})
# Probabilities are kept this far from 0 before their logarithm is taken, as scikit-learn does in float64.
_TINY = float(np.finfo(np.float64).eps)


def classification_scores(codes: Array, probabilities: Array) -> dict[str, float]:
    """Return accuracy, balanced accuracy, log loss and ROC AUC of predicted probabilities.

        accuracy            share of rows whose most probable class is right
        balanced_accuracy   mean over the classes present of the share of their rows that is right
        log_loss            mean of -log p(right class)
        roc_auc             chance that a row of a class gets a higher p of it than a row of another class;
                            mean over the classes present where there are more than two

    codes           int [rows], the right classes
    probabilities   float [rows, classes]

    roc_auc is left out where only one class is present.

    >>> scores = classification_scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]]))
    >>> {name: round(value, 3) for name, value in scores.items()}
    {'accuracy': 0.667, 'balanced_accuracy': 0.75, 'log_loss': 0.511, 'roc_auc': 1.0}
    """
    codes, p = np.asarray(codes), np.asarray(probabilities, np.float64)
    guess = np.argmax(p, axis=1)
    present = np.unique(codes)
    recall = [float(np.mean(guess[codes == c] == c)) for c in present]
    right = np.clip(p[np.arange(len(codes)), codes], _TINY, 1.0)
    scores = {
        "accuracy": float(np.mean(guess == codes)),
        "balanced_accuracy": float(np.mean(recall)),
        "log_loss": float(-np.mean(np.log(right))),
    }
    if len(present) > 1:
        scores["roc_auc"] = _area(codes, p, present)
    return scores


def _area(codes: Array, p: Array, present: Array) -> float:
    from sklearn.metrics import roc_auc_score

    wanted = present[-1:] if p.shape[1] == 2 else present
    return float(np.mean([roc_auc_score(codes == c, p[:, c]) for c in wanted]))


def regression_scores(y: Array, predicted: Array) -> dict[str, float]:
    """Return R2, root mean squared error and mean absolute error, the errors in the target's unit.

        r2 = 1 - sum (y - p)^2 / sum (y - mean y)^2     rmse = sqrt(mean (y - p)^2)     mae = mean |y - p|

    y           [rows] or [rows, outputs]
    predicted   the same shape

    r2 is the mean over the outputs whose y are not all the same, and left out where there is none.

    >>> regression_scores(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    {'r2': 0.5, 'rmse': 0.7071067811865476, 'mae': 0.5}
    """
    y, predicted = np.asarray(y, np.float64), np.asarray(predicted, np.float64)
    error = y - predicted
    spread = np.sum((y - np.mean(y, axis=0)) ** 2, axis=0)
    varied = spread > 0
    unexplained = np.sum(error**2, axis=0)[varied] / spread[varied]
    scores = {"r2": 1.0 - float(np.mean(unexplained))} if varied.any() else {}
    return {**scores, "rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}


def majority_baseline(train_codes: Array, test_codes: Array, classes: int) -> dict[str, float]:
    """Return the scores of always answering with the class shares of the training rows."""
    shares = np.bincount(train_codes, minlength=classes) / max(len(train_codes), 1)
    return classification_scores(test_codes, np.broadcast_to(shares, (len(test_codes), classes)))


def mean_baseline(train_y: Array, test_y: Array) -> dict[str, float]:
    """Return the scores of always answering with the mean of the training rows."""
    return regression_scores(test_y, np.full(len(test_y), np.mean(np.asarray(train_y, np.float64))))


def confusion(codes: Array, guess: Array, classes: int) -> Any:
    """Return counts int64 [classes, classes]: rows are the right classes, columns the predicted ones."""
    flat = np.asarray(codes, np.int64) * classes + np.asarray(guess, np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)
