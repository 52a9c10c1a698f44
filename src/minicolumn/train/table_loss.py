"""Losses for tables: which ones fit an answer, and on what scale they see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn.losses import LOSSES, Loss
from minicolumn.tables.encode import Encoder

Array = np.ndarray

# Of directions: a single number has but two.
_OF_VECTORS = {"cosine_distance"}
# Their answer is measured in its mean, where networks start: a scale changes them by a factor at most.
_OF_PROPORTIONS = {"poisson", "gamma", "tweedie", "absolute_percentage_error"}
# What is added to the amount makes its scale part of the loss.
_OF_AMOUNTS = {"squared_log_error"}


# Of two classes a table's network scores each; softmax of two scores is the logistic of their difference.
_OF_TWO = {"binary_cross_entropy": "softmax_cross_entropy", "binary_focal": "softmax_focal"}


def table_loss(loss: Loss, encoder: Encoder) -> Loss:
    """Return the loss as a table's network takes it; refuse one that does not fit what the table asks for.

    Errors      DataError that names those that fit
    """
    if encoder.classes is not None and len(encoder.classes) == 2 and loss.name in _OF_TWO:
        loss = Loss(_OF_TWO[loss.name], **dict(loss.changed))
    if loss.name not in (fitting := fitting_losses(encoder)):
        kind = "numbers" if encoder.classes is None else f"{len(encoder.classes)} classes"
        raise DataError(
            f"loss {loss.name!r} does not fit {encoder.target!r}, a column of {kind}"
            f"{did_you_mean(loss.name, fitting)}; there are {', '.join(fitting)}"
        )
    return loss


def fitting_losses(encoder: Encoder) -> list[str]:
    """Return the names of the losses that fit a table's answer: one number, or the shares of classes."""
    if encoder.classes is not None:
        return [r.name for r in LOSSES.values() if (r.task, r.output_activation) == ("multiclass", "softmax")]
    return [r.name for r in LOSSES.values() if r.task == "regression" and r.name not in _OF_VECTORS]


def scaled_for(loss: Loss, encoder: Encoder, y: Array) -> Encoder:
    """Return the encoder with the scale on which a loss has to see the answer; mostly the one it has.

    y           the training rows' numbers in their own unit, [rows]
    Errors      DataError where the loss does not take such numbers
    """
    if loss.name not in _OF_PROPORTIONS | _OF_AMOUNTS:
        return encoder
    low, high = float(y.min()), float(y.max())
    if not loss.rule.targets.holds(low, high):
        raise DataError(
            f"the target {encoder.target!r} goes from {low:g} to {high:g}; {loss.name} takes numbers "
            f"{loss.rule.targets}"
        )
    scale = float(np.mean(np.abs(y))) if loss.name in _OF_PROPORTIONS else 1.0
    return replace(encoder, target_mean=0.0, target_scale=scale or 1.0)
