"""Losses of multi-class classification: cross-entropy and margins over one class out of several."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.ops.elementwise import STOP_GRADIENT
from minicolumn.nn.losses.binary import FOCUS, SMOOTHING, focused
from minicolumn.nn.losses.reduce import Array, check_outputs, finite_unless_shared, mean, show

# Of probabilities: what is below changes no float32 loss, and its inverse squared is still a float32.
LEAST_SHARE = 1e-15


def _shifted(x: Array) -> tuple[Array, Array]:
    """Return x less its maximum over the last axis, and that maximum; the shift passes no derivative on."""
    largest = STOP_GRADIENT(np.max(x, axis=-1, keepdims=True))
    return x - largest, largest


def logsumexp(x: Array) -> Array:
    """Return log(sum(e^x)) over the last axis, finite wherever x is.

    x           [..., classes]
    Returns     [...]

    >>> logsumexp(np.array([1000.0, 1000.0])).round(4)
    np.float64(1000.6931)
    """
    shifted, largest = _shifted(x)
    return np.log(np.sum(np.exp(shifted), axis=-1)) + largest.reshape(x.shape[:-1])


def log_softmax(x: Array) -> Array:
    """Return the logarithm of softmax over the last axis, finite wherever x is.

    x           [..., classes]
    Returns     [..., classes]

    >>> log_softmax(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """
    shifted, _ = _shifted(x)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def _is_integer(values: Array) -> bool:
    return np.dtype(values.dtype).kind in "iub"


def _shares(name: str, outputs: Array, targets: Array) -> Array:
    """Return the targets as shares of each class: labels by comparison, which is exact."""
    check_outputs(name, outputs, "[batch, classes]", 2)
    batch, classes = outputs.shape
    if targets.shape == outputs.shape:
        return targets.astype(outputs.dtype)
    if targets.shape != (batch,):
        expected = f"[batch] = [{batch}] (labels) or [batch, classes] = [{batch}, {classes}] (shares)"
        hint = "; did you mean labels.ravel()?" if targets.shape == (batch, 1) else ""
        raise ShapeError(f"{name}: labels have shape {show(targets.shape)}, expected {expected}{hint}")
    if not _is_integer(targets):
        raise ShapeError(f"{name}: labels are {targets.dtype}, expected integers 0 .. {classes - 1}")
    columns = np.arange(classes, dtype=np.int32).reshape((1, classes))
    return (targets.astype(np.int32).reshape((batch, 1)) == columns).astype(outputs.dtype)


def _counted(shares: Array, targets: Array, x: Array) -> Array:
    """Return x of each class, and 0 where its product with the share would be 0 times infinity."""
    if targets.shape != shares.shape:
        # Labels take no derivative: every other class can be left out, at no cost (isinf: a third more).
        return np.where(shares == 0, np.zeros((), x.dtype), x)
    return finite_unless_shared(shares, x)


def softmax_cross_entropy(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    label_smoothing: Annotated[float, SMOOTHING] = 0.0,
) -> Any:
    """Return the mean cross entropy of one class out of several, from logits.

        mean over rows of  -sum_i t_i log softmax(y)_i,      t' = (1 - s) t + s / classes

    outputs         logits, [batch, classes]
    targets         labels, integers [batch]; or the share of each class, [batch, classes]. Labels outside
                    0 .. classes - 1 are the caller's to refuse
    sample_weight   [batch], or None for all alike
    label_smoothing how much of each target is spread evenly over all classes, 0 <= s < 1
    Errors          ShapeError if the shapes do not fit; DataError for a smoothing outside [0, 1)
    Source          Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016 (arXiv 1512.00567), section 7: smoothing

    >>> float(softmax_cross_entropy(np.zeros((1, 2)), np.array([1])).round(4))
    0.6931
    """
    smoothing = SMOOTHING.check(label_smoothing, "softmax_cross_entropy")
    shares = _shares("softmax_cross_entropy", outputs, targets)
    if smoothing:
        shares = (1.0 - smoothing) * shares + smoothing / outputs.shape[1]
    logs = _counted(shares, targets, log_softmax(outputs))
    rows = -np.sum(shares * logs, axis=1)
    return mean("softmax_cross_entropy", rows, sample_weight)


def softmax_focal(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    gamma: Annotated[float, FOCUS] = 2.0,
) -> Any:
    """Return the cross entropy of one class out of several, with less weight for rows that are already right.

        mean over rows of  -sum_i t_i (1 - p_i)^gamma log p_i,      p = softmax(y)

    outputs         logits, [batch, classes]
    targets         labels, integers [batch]; or the share of each class, [batch, classes]
    sample_weight   [batch], or None for all alike
    gamma           0 gives the cross entropy; the more, the less easy rows count
    Errors          ShapeError if the shapes do not fit; DataError for a gamma below 0
    Source          Lin, Goyal, Girshick, He, Dollar 2017 (arXiv 1708.02002), equation 4, for more classes

    >>> float(softmax_focal(np.zeros((1, 2)), np.array([1])).round(4))  # log(2) / 4
    0.1733
    """
    gamma = FOCUS.check(gamma, "softmax_focal")
    shares = _shares("softmax_focal", outputs, targets)
    lead = _counted(shares, targets, _lead_of_others(outputs))
    rows = np.sum(shares * focused(lead, gamma), axis=1)
    return mean("softmax_focal", rows, sample_weight)


def _lead_of_others(x: Array) -> Array:
    """Return log((1 - p_i) / p_i) of each class: the logit of all others together against it."""
    shifted, _ = _shifted(x)
    # Sums of what is positive: a difference 1 - p would have no digits left where p is nearly 1.
    others = np.exp(shifted) @ (1.0 - np.eye(x.shape[1])).astype(x.dtype)
    return np.log(np.maximum(others, LEAST_SHARE)) - shifted


def categorical_hinge(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean hinge loss of one class out of several: the right one must lead by a margin of 1.

        mean over rows of  max(0, 1 + max_(i wrong) y_i - y_right)

    Slopes at kinks and ties are the means of their sides.

    outputs         scores, [batch, classes]
    targets         labels, integers [batch]; or the share of each class, [batch, classes]: all classes that
                    have any are right, and y_right is the mean of theirs by share
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes do not fit
    Source          Crammer & Singer 2001
    Differs         Keras counts a wrong class of score 0 in, whatever the scores are

    >>> float(categorical_hinge(np.array([[1.0, 3.0, 2.5]]), np.array([1])))
    0.5
    """
    shares = _shares("categorical_hinge", outputs, targets)
    # Finite, so that a row all of whose classes are right loses nothing, not a NaN.
    lowest = float(np.finfo(outputs.dtype).min) / 4
    rival = np.max(np.where(shares > 0, lowest, outputs), axis=1)
    right = np.sum(shares * _counted(shares, targets, outputs), axis=1)
    return mean("categorical_hinge", np.maximum(1.0 + rival - right, 0.0), sample_weight)


def kl_divergence(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return how much is lost, in nats, by taking the predicted shares for the true ones.

        mean over rows of  sum_i t_i (log t_i - log softmax(y)_i),      0 log 0 = 0

    The slope is that of `softmax_cross_entropy`; the value is 0 for a perfect fit.

    outputs         logits, [batch, classes]
    targets         the share of each class, [batch, classes]; or labels, integers [batch]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes do not fit
    Source          Kullback & Leibler 1951

    >>> float(kl_divergence(np.zeros((1, 2)), np.array([[0.5, 0.5]])))
    0.0
    """
    shares = _shares("kl_divergence", outputs, targets)
    known = np.log(np.where(shares > 0, shares, 1.0))
    lost = _counted(shares, targets, known - log_softmax(outputs))
    return mean("kl_divergence", np.sum(shares * lost, axis=1), sample_weight)
