"""What stands at the end of an estimator's network: its outputs, its loss, its targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn import LOSSES, Loss, LossRule
from minicolumn.nn.losses import as_loss
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs, Point

# scikit-learn's names of what turns raw outputs into predictions.
_OUT_NAMES = {"linear": "identity", "exponential": "exp"}


@dataclass(frozen=True)
class RowLoss:
    """A loss of `mc.nn.LOSSES` times a factor.

    scikit-learn's networks descend the sum over a row's outputs where ours average, and half of the squared
    error.

    >>> import numpy as np
    >>> float(RowLoss(Loss("squared_error"), 0.5)(np.array([[3.0]]), np.array([[1.0]])))
    2.0
    """

    record: Loss
    factor: float = 1.0

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        value = self.record(outputs, targets, sample_weight)
        return value if self.factor == 1.0 else self.factor * value


@dataclass(frozen=True)
class Head:
    """The end of a network.

    units       outputs of the network
    loss        what is minimised, a `RowLoss` or an own function
    outputs     what they mean, also where the loss is an own function
    """

    units: int
    loss: Callable[..., Any]
    outputs: Outputs

    @property
    def out_activation(self) -> str:
        """Return scikit-learn's name of what turns raw outputs into predictions."""
        return _OUT_NAMES.get(self.outputs.activation, self.outputs.activation)

    @property
    def record(self) -> Loss | None:
        """Return the loss by name; None for an own function."""
        return self.loss.record if isinstance(self.loss, RowLoss) else None


def regression_head(loss: Any, targets: int) -> Head:
    """Return the head for numbers: one output for each, or several that describe a single one.

    targets     numbers to learn for each row
    Errors      DataError for a loss that is not for numbers, or describes only one where there are several
    """
    record = as_loss(loss)
    if record is None:
        return Head(targets, loss, Point())
    outputs = _fitting(record, ("regression",)).outputs
    assert isinstance(outputs, NumberOutputs)
    if outputs.describes_one:
        if targets > 1:
            raise DataError(
                f"{record} describes one number, y holds {targets} for each row; put the estimator into "
                "sklearn.multioutput.MultiOutputRegressor"
            )
        return Head(outputs.width, RowLoss(record), outputs)
    half = 0.5 if record == Loss("squared_error") else 1.0
    return Head(targets, RowLoss(record, half * targets), outputs)


def classification_head(loss: Any, columns: int, multilabel: bool) -> Head:
    """Return the head for classes.

    columns     of the binarized target: 1 for two classes, else one a class or a label
    Errors      DataError for a loss that does not fit the task
    """
    several = columns > 1 and not multilabel
    default = "softmax_cross_entropy" if several else "binary_cross_entropy"
    record = as_loss(default if isinstance(loss, str) and loss == "log_loss" else loss)
    if record is None:
        own: Any = loss
        return Head(columns, own, Loss(default).outputs)
    tasks = ("multiclass",) if several else ("binary",) if multilabel else ("binary", "multiclass")
    outputs = _fitting(record, tasks).outputs
    if outputs.task == "multiclass":
        return Head(max(columns, 2), RowLoss(record), outputs)
    return Head(columns, RowLoss(record, float(columns)), outputs)


def _fitting(record: Loss, tasks: tuple[str, ...]) -> Loss:
    """Return a loss that fits one of the tasks; refuse any other."""
    if not fits_task(record.rule, tasks):
        fitting = [rule.name for rule in LOSSES.values() if fits_task(rule, tasks)]
        hint = did_you_mean(record.name, fitting)
        raise DataError(
            f"loss {record.name!r} does not fit this target{hint}; there are {', '.join(fitting)}"
        )
    return record


def losses_for(*tasks: str) -> set[str]:
    """Return the names of the losses for some tasks, aliases too."""
    names = {rule.name for rule in LOSSES.values() if fits_task(rule, tasks)}
    return names | {alias for alias, name in LOSSES.aliases.items() if name in names}


def fits_task(rule: LossRule, tasks: tuple[str, ...]) -> bool:
    """Return whether a loss is for one of the tasks: for numbers, or with probabilities of classes."""
    outputs = rule.outputs_with(rule.defaults)
    return outputs.task in tasks and (not isinstance(outputs, ClassOutputs) or outputs.are_probabilities)
