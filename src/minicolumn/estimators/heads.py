"""What stands at the end of an estimator's network: its outputs, its loss, its targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn import LOSSES, Loss, LossRule

# scikit-learn's names of what turns raw outputs into predictions.
_OUT_NAMES = {"linear": "identity", "exponential": "exp"}


@dataclass(frozen=True)
class RowLoss:
    """A loss of `mc.nn.LOSSES` times a factor.

    scikit-learn's networks descend the sum over a row's outputs where ours average, and half of the squared
    error.

    >>> import numpy as np
    >>> float(RowLoss("squared_error", 0.5)(np.array([[3.0]]), np.array([[1.0]])))
    2.0
    """

    name: str
    factor: float = 1.0

    @property
    def record(self) -> Loss:
        """Return the loss without the factor."""
        return Loss(self.name)

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        value = self.record(outputs, targets, sample_weight)
        return value if self.factor == 1.0 else self.factor * value


@dataclass(frozen=True)
class Head:
    """The end of a network.

    outputs     of the network
    loss        what is minimised, a `RowLoss` or an own function
    rule        says how raw outputs become predictions, also where the loss is an own function
    """

    outputs: int
    loss: Callable[..., Any]
    rule: LossRule

    @property
    def out_activation(self) -> str:
        """Return scikit-learn's name of what turns raw outputs into predictions."""
        return _OUT_NAMES.get(self.rule.output_activation, self.rule.output_activation)

    @property
    def factor(self) -> float:
        """Return what the loss of `rule` is multiplied with."""
        return self.loss.factor if isinstance(self.loss, RowLoss) else 1.0


def regression_head(loss: Any, outputs: int) -> Head:
    """Return the head for numbers.

    Errors      DataError for a loss that is not for numbers
    """
    if not isinstance(loss, str):
        return Head(outputs, loss, LOSSES["squared_error"])
    rule = _named(loss, ("regression",))
    half = 0.5 if loss == "squared_error" else 1.0
    return Head(outputs, RowLoss(loss, half * outputs), rule)


def classification_head(loss: Any, columns: int, multilabel: bool) -> Head:
    """Return the head for classes.

    columns     of the binarized target: 1 for two classes, else one a class or a label
    Errors      DataError for a loss that does not fit the task
    """
    several = columns > 1 and not multilabel
    if loss == "log_loss":
        loss = "softmax_cross_entropy" if several else "binary_cross_entropy"
    if not isinstance(loss, str):
        default = "softmax_cross_entropy" if several else "binary_cross_entropy"
        return Head(columns, loss, LOSSES[default])
    rule = _named(
        loss, ("multiclass",) if several else ("binary",) if multilabel else ("binary", "multiclass")
    )
    if rule.task == "multiclass":
        return Head(max(columns, 2), RowLoss(loss), rule)
    return Head(columns, RowLoss(loss, float(columns)), rule)


def _named(name: str, tasks: tuple[str, ...]) -> LossRule:
    """Return the record of a loss that fits one of the tasks."""
    fitting = [rule.name for rule in LOSSES.values() if fits_task(rule, tasks)]
    if name not in fitting:
        hint = did_you_mean(name, fitting)
        raise DataError(f"loss {name!r} does not fit this target{hint}; there are {', '.join(fitting)}")
    return LOSSES[name]


def fits_task(rule: LossRule, tasks: tuple[str, ...]) -> bool:
    """Return whether a loss is for one of the tasks; one for classes must lead to probabilities."""
    proper = rule.task == "regression" or rule.output_activation in ("logistic", "softmax")
    return rule.task in tasks and proper
