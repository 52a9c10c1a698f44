"""Metrics as people read them: their names, what they say, and figures of as many digits as one compares."""

from __future__ import annotations

import math

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "f1": "F1",
    "interval_coverage": "coverage",
    "interval_level": "level",
}
NOTES = {
    "accuracy": "share of rows that are right",
    "balanced_accuracy": "mean over the classes of that share",
    "log_loss": "lower is better",
    "roc_auc": "0.5 is chance, 1 is perfect",
    "f1": "of the second class, at the threshold",
    "r2": "0 is the mean, 1 is perfect",
    "rmse": "in the target's unit, lower is better",
    "mae": "in the target's unit, lower is better",
    "interval_coverage": "share of rows inside the prediction interval",
    "interval_level": "what that share should be",
}


def figure(name: str, value: float | None) -> str:
    """Format a metric with as many digits as one compares; "-" for none.

    >>> figure("accuracy", 0.98837), figure("rmse", 46829.7), figure("mae", 0.01234567)
    ('0.9884', '46,830', '0.01235')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if name not in ("rmse", "mae"):
        return f"{value:.4f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
