"""Losses: how wrong the outputs are, one number a row and their (weighted) mean.

A loss takes the network's raw outputs (no logistic, no softmax in front) and is computed from them in the
form that stays finite. The activation that turns raw outputs into predictions stands in the loss's record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.ir.ops.elementwise import SOFTPLUS, STOP_GRADIENT

Array = np.ndarray


def _shape(names: tuple[Any, ...]) -> str:
    return f"[{', '.join(map(str, names))}]"


def _check_outputs(name: str, outputs: Array) -> None:
    """Refuse outputs that no loss can take."""
    if len(outputs.shape) < 1 or 0 in outputs.shape:
        raise ShapeError(
            f"{name}: outputs have shape {_shape(outputs.shape)}, expected [batch, ...], not empty"
        )


def _mean(name: str, rows: Array, weight: Array | None) -> Any:
    """Average over the rows: ``sum(w l) / sum(w)``."""
    batch = rows.shape[0]
    if weight is None:
        return np.sum(rows) / batch
    if weight.shape != (batch,):
        found = _shape(weight.shape)
        raise ShapeError(f"{name}: sample_weight has shape {found}, expected [batch] = [{batch}]")
    weight = weight.astype(rows.dtype)
    return np.sum(weight * rows) / np.sum(weight)


def _alike(name: str, outputs: Array, targets: Array) -> Array:
    """Return the targets in the outputs' shape and dtype; [batch] is taken for [batch, 1]."""
    _check_outputs(name, outputs)
    if targets.shape == outputs.shape[:1] and outputs.shape[1:] == (1,):
        targets = targets.reshape(outputs.shape)
    if targets.shape != outputs.shape:
        hint = ""
        if targets.shape == (*outputs.shape, 1):
            hint = "; did you mean targets.ravel()?"
        elif len(outputs.shape) == 2 and targets.shape == outputs.shape[:1]:
            hint = f"; the network has {outputs.shape[1]} outputs a row for 1 target a row"
        found, expected = _shape(targets.shape), _shape(outputs.shape)
        raise ShapeError(f"{name}: targets have shape {found}, outputs {expected}, expected the same{hint}")
    return targets.astype(outputs.dtype)


def _per_row(values: Array) -> Array:
    """Average what a row's outputs lost."""
    if len(values.shape) == 1:
        return values
    flat = values.reshape((values.shape[0], -1))
    return np.sum(flat, axis=1) / flat.shape[1]


def squared_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean squared error.

        mean over rows and outputs of (y - t)^2

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Differs         scikit-learn's networks take half of it.

    >>> float(squared_error(np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))
    2.0
    """
    difference = outputs - _alike("squared_error", outputs, targets)
    return _mean("squared_error", _per_row(difference * difference), sample_weight)


def absolute_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean absolute error, whose best constant is the median.

        mean over rows and outputs of |y - t|       slope 0 where y = t

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ

    >>> float(absolute_error(np.array([[1.0], [3.0]]), np.array([1.0, 1.0])))
    1.0
    """
    difference = outputs - _alike("absolute_error", outputs, targets)
    return _mean("absolute_error", _per_row(np.abs(difference)), sample_weight)


def huber(outputs: Array, targets: Array, sample_weight: Array | None = None, *, delta: float = 1.0) -> Any:
    """Return the mean Huber loss: squared near the target, absolute far from it.

        mean of  d^2 / 2  if |d| <= delta  else  delta (|d| - delta / 2),       d = y - t

    outputs         [batch] or [batch, outputs, ...]
    targets         the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    delta           where the parabola turns into lines, in the units of the target
    Errors          ShapeError if the shapes differ, DataError for a delta that is not > 0
    Source          Huber 1964

    >>> float(huber(np.array([3.0]), np.array([0.0])))
    2.5
    """
    if not delta > 0:
        raise DataError(f"huber: delta: expected a number > 0, got {delta!r}")
    size = np.abs(outputs - _alike("huber", outputs, targets))
    near = np.minimum(size, float(delta))
    return _mean("huber", _per_row(near * (size - 0.5 * near)), sample_weight)


def poisson(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return half the mean Poisson deviance of counts, from the logarithm of the expected count.

        mean of  e^y - t y + (t log t - t)      with 0 log 0 = 0, so that a perfect fit loses nothing

    outputs         logarithms of the expected counts, [batch] or [batch, outputs, ...]
    targets         counts >= 0 of the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Source          McCullagh & Nelder 1989, section 2.3

    >>> float(poisson(np.array([0.0]), np.array([1.0])))
    0.0
    """
    counts = _alike("poisson", outputs, targets)
    entropy = counts * np.log(np.where(counts > 0, counts, 1.0)) - counts
    return _mean("poisson", _per_row(np.exp(outputs) - counts * outputs + entropy), sample_weight)


def binary_cross_entropy(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean cross entropy of yes-or-no targets, from logits.

        mean over rows and outputs of  t log(1 + e^-y) + (1 - t) log(1 + e^y)

    Both terms keep their relative precision however sure the network is.

    outputs         logits, [batch] or [batch, outputs, ...]
    targets         0 or 1 (or a share between), the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ

    >>> float(binary_cross_entropy(np.array([[0.0]]), np.array([1])).round(4))
    0.6931
    """
    share = _alike("binary_cross_entropy", outputs, targets)
    rows = _per_row(share * SOFTPLUS(-outputs) + (1.0 - share) * SOFTPLUS(outputs))
    return _mean("binary_cross_entropy", rows, sample_weight)


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


def _one_hot(outputs: Array, targets: Array) -> Array:
    """Return the targets as shares of each class: labels by comparison, which is exact."""
    name, (batch, classes) = "softmax_cross_entropy", outputs.shape
    if targets.shape == outputs.shape:
        return targets.astype(outputs.dtype)
    if targets.shape != (batch,):
        expected = f"[batch] = [{batch}] (labels) or [batch, classes] = [{batch}, {classes}] (shares)"
        hint = "; did you mean labels.ravel()?" if targets.shape == (batch, 1) else ""
        raise ShapeError(f"{name}: labels have shape {_shape(targets.shape)}, expected {expected}{hint}")
    if not _is_integer(targets):
        raise ShapeError(f"{name}: labels are {targets.dtype}, expected whole numbers 0 .. {classes - 1}")
    columns = np.arange(classes, dtype=np.int32).reshape((1, classes))
    return (targets.astype(np.int32).reshape((batch, 1)) == columns).astype(outputs.dtype)


def softmax_cross_entropy(
    outputs: Array, targets: Array, sample_weight: Array | None = None, *, label_smoothing: float = 0.0
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
    _check_outputs("softmax_cross_entropy", outputs)
    if len(outputs.shape) != 2:
        found = _shape(outputs.shape)
        raise ShapeError(f"softmax_cross_entropy: outputs have shape {found}, expected [batch, classes]")
    if not 0 <= label_smoothing < 1:
        raise DataError(
            f"softmax_cross_entropy: label_smoothing: expected 0 <= s < 1, got {label_smoothing!r}"
        )
    shares = _one_hot(outputs, targets)
    if smoothing := float(label_smoothing):
        shares = (1.0 - smoothing) * shares + smoothing / outputs.shape[1]
    rows = -np.sum(shares * log_softmax(outputs), axis=1)
    return _mean("softmax_cross_entropy", rows, sample_weight)


@dataclass(frozen=True, slots=True)
class LossRule:
    """A loss with what the rest of the package needs to know about it."""

    name: str
    function: Callable[..., Any]
    output_activation: str  # what turns the network's raw outputs into predictions
    task: str  # "regression", "binary" or "multiclass"
    formula: str


_RULES = (
    LossRule("squared_error", squared_error, "linear", "regression", "(y - t)^2"),
    LossRule("absolute_error", absolute_error, "linear", "regression", "|y - t|"),
    LossRule("huber", huber, "linear", "regression", "d^2 / 2 if |d| <= 1 else |d| - 1/2, d = y - t"),
    LossRule("poisson", poisson, "exponential", "regression", "e^y - t y + t log t - t"),
    LossRule(
        "binary_cross_entropy",
        binary_cross_entropy,
        "logistic",
        "binary",
        "t log(1 + e^-y) + (1 - t) log(1 + e^y)",
    ),
    LossRule(
        "softmax_cross_entropy", softmax_cross_entropy, "softmax", "multiclass", "-sum t log softmax(y)"
    ),
)

LOSSES: dict[str, LossRule] = {rule.name: rule for rule in _RULES}


def loss_by_name(name: str) -> LossRule:
    """Look a loss up.

    Errors      DataError for an unknown name

    >>> loss_by_name("softmax_cross_entropy").output_activation
    'softmax'
    """
    if name not in LOSSES:
        raise DataError(f"unknown loss {name!r}{did_you_mean(name, LOSSES)}; there are {', '.join(LOSSES)}")
    return LOSSES[name]
