"""Divergence: a likely cause of a loss or weight that is NaN or infinite, as far as the data tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.errors import DivergenceError
from minicolumn.model.rows import LabeledRows
from minicolumn.nn.regularize import L2, ElasticNet
from minicolumn.train.types import Regularizer

# Numbers beyond this are the likelier cause of a divergence than the learning rate.
LARGE = 1e3


@dataclass(frozen=True)
class Divergence:
    """When a training diverged, of what, and what to try; the fields of `DivergenceError`."""

    step: int
    epoch: int
    quantity: str
    cause: str
    advice: str
    learning_rate: float
    layer: str | None = None
    suggestion: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"training diverged at step {self.step} (epoch {self.epoch}): {self.quantity} is no finite "
            f"number any more; {self.advice}"
        )

    def error(self) -> DivergenceError:
        """Return the error to raise, which says it in words and in fields."""
        told = {name: value for name, value in vars(self).items() if name != "advice"}
        return DivergenceError(str(self), **told)


def why_diverged(
    rows: LabeledRows,
    rate: float,
    step: int,
    epoch: int,
    what: str,
    *,
    regularizer: Regularizer | None = None,
    now: float | None = None,
    layer: str | None = None,
) -> Divergence:
    """Return when a training diverged, of what, and what to try.

    rows    that were trained on: unscaled features or targets are the likeliest cause
    rate    the learning rate of the optimizer
    step    of the whole training, from 1
    epoch   from 1
    what    is no finite number any more: "the loss", "a weight" or "a prediction"
    regularizer     whose step alone makes weights grow where rate * strength > 2
    now     the learning rate of the step, by schedule and callbacks; None takes `rate`
    layer   whose gradient is largest, to be handed on

    >>> rows = LabeledRows(np.ones((2, 1)), np.array([0, 1], np.int32))
    >>> why_diverged(rows, 3.0, 7, 1, "the loss").advice
    'the learning rate 3 is probably too large; try 0.1'
    """
    cause, advice, suggestion = _cause(rows, rate, step, what, regularizer)
    now = rate if now is None else now
    return Divergence(step, epoch, what, cause, advice, now, layer, suggestion)


def _cause(
    rows: LabeledRows, rate: float, step: int, what: str, regularizer: Regularizer | None
) -> tuple[str, str, dict[str, Any]]:
    """Return the likeliest cause, the advice in words, and as keywords of `Trainer.change`."""
    largest = float(abs(rows.X).max()) if rows.X.size else 0.0
    target = float(np.abs(rows.y).max(initial=0.0)) if rows.y.dtype.kind == "f" else 0.0
    if largest > LARGE:
        return "X", f"X holds numbers up to {largest:.3g}; scale its columns to about 1", {}
    if target > LARGE:
        return "y", f"y holds numbers up to {target:.3g}; scale it to about 1", {}
    if step == 1 and what == "the loss":
        advice = "it was none at the very first step, before any weight had moved; look at the loss function"
        return "loss", advice, {}
    better = float(f"{min(rate / 3, 0.1):.2g}")
    strength = _strength(regularizer)
    if strength * rate > 2.0:  # w -= rate * strength * w turns a weight around and makes it larger
        advice = (
            f"the penalty's strength {strength:g} times the learning rate {rate:g} is above 2, by which "
            f"weights grow; try a strength of {0.1 / rate:.2g}"
        )
        return "regularizer", advice, {"regularizer": L2(float(f"{0.1 / rate:.2g}"))}
    advice = f"the learning rate {rate:g} is probably too large; try {better:.2g}"
    return "learning_rate", advice, {"learning_rate": better}


def _strength(regularizer: Regularizer | None) -> float:
    """Return the factor on half the squares of the weights; 0 where there is none, or none is known."""
    if isinstance(regularizer, L2):
        return regularizer.rate
    return regularizer.l2 if isinstance(regularizer, ElasticNet) else 0.0
