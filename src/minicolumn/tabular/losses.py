"""Loss selection for tables: which losses fit a target, and how the target is scaled for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn.losses import LOSSES, Loss
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs
from minicolumn.tables.encode import Encoder

Array = np.ndarray


def table_loss(loss: Loss, encoder: Encoder) -> Loss:
    """Return the loss as a table's network takes it; refuse one that does not fit the target.

    A binary loss becomes its multiclass form: the network has a logit for each of two classes, and softmax
    of two logits is the logistic function of their difference.

    loss        as the user said it; encoder: fitted, knows the classes
    Errors      DataError that names those that fit

    >>> from minicolumn.tables.encode import Encoder
    >>> encoder = Encoder((), "kind", "binary", "robust", ("a", "b"))
    >>> table_loss(Loss("binary_cross_entropy"), encoder).name
    'softmax_cross_entropy'
    """
    if encoder.classes is not None and len(encoder.classes) == 2 and loss.rule.multiclass:
        # A table's network scores each class; softmax of two scores is the logistic of their difference.
        loss = Loss(loss.rule.multiclass, **dict(loss.changed))
    if loss.name not in (fitting := fitting_losses(encoder)):
        kind = "numbers" if encoder.classes is None else f"{len(encoder.classes)} classes"
        raise DataError(
            f"loss {loss.name!r} does not fit {encoder.target!r}, a column of {kind}"
            f"{did_you_mean(loss.name, fitting)}; there are {', '.join(fitting)}"
        )
    return loss


def fitting_losses(encoder: Encoder) -> list[str]:
    """Return the names of the losses that fit a table's target: one number, or class probabilities."""
    known = {name: rule.outputs_with(rule.defaults) for name, rule in LOSSES.items()}
    return [name for name, outputs in known.items() if _fits(outputs, encoder)]


def _fits(outputs: Outputs, encoder: Encoder) -> bool:
    """Return whether outputs describe one target column of the encoder's kind."""
    if isinstance(outputs, ClassOutputs):
        return encoder.classes is not None and outputs.describes_one and outputs.are_probabilities
    return encoder.classes is None and isinstance(outputs, NumberOutputs) and outputs.least_targets == 1


def scaled_for(loss: Loss, encoder: Encoder, y: Array) -> Encoder:
    """Return the encoder with the target scaled as a loss needs it; mostly the scale is the one it has.

        interval scale   (squared_error, ...)         (y - mean) / std: unchanged
        ratio scale      (poisson, gamma, ...)        y / mean |y|: no shift, so that 0 stays 0
        others                                        y

    In units of their mean, targets lie about 1, where exponential outputs start, exp(0); the scale
    changes such a loss by a factor at most.

    y           the training rows' numbers in their own unit, [rows]
    Errors      DataError where the loss does not take such numbers
    """
    outputs = loss.outputs
    if not isinstance(outputs, NumberOutputs) or outputs.measure == "interval":
        return encoder
    low, high = float(y.min()), float(y.max())
    if not loss.rule.targets.holds(low, high):
        raise DataError(
            f"the target {encoder.target!r} goes from {low:g} to {high:g}; {loss.name} takes numbers "
            f"{loss.rule.targets}"
        )
    scale = float(np.mean(np.abs(y))) if outputs.measure == "ratio" else 1.0
    return replace(encoder, target_mean=0.0, target_scale=scale or 1.0)
