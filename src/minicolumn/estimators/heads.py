"""Output heads: number of output units, loss and meaning of the outputs, from an estimator's loss and target.

squared error, k targets        k linear units          sum over the targets of (y - t)^2 / 2
two classes                     1 unit, a logit         binary cross-entropy, log(1 + e^-sz), s = +-1
n > 2 classes                   n units, logits         cross-entropy, -log softmax(z)[class]
n labels at once                n units, logits         sum over the labels of binary cross-entropies
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn import LOSSES, Loss, LossRule
from minicolumn.nn.losses import as_loss
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs, Point
from minicolumn.train.types import LossFunction

Array = np.ndarray
# scikit-learn's names of output activations.
_OUT_NAMES = {"linear": "identity", "exponential": "exp"}


@dataclass(frozen=True)
class RowLoss:
    """A loss of `mc.nn.LOSSES` times a factor, which makes it scikit-learn's.

        factor loss(outputs, targets),      factor = outputs a row, times 1/2 for the squared error

    The catalogue's losses average over a row's outputs; scikit-learn's networks descend the sum over them,
    and half of the squared error. The penalty `alpha` weighs against that sum, so it has to be the same.

    record      the loss
    factor      on it

    >>> import numpy as np
    >>> float(RowLoss(Loss("squared_error"), 0.5)(np.array([[3.0]]), np.array([[1.0]])))
    2.0
    """

    record: Loss
    factor: float = 1.0

    def __call__(self, outputs: Array, targets: Array, sample_weight: Array | None = None) -> Array:
        """Return the mean over the rows, one number; traceable.

        outputs, targets    [batch, outputs], or class numbers [batch] as the record's loss takes them
        sample_weight       [batch], or None for all alike
        """
        value = self.record(outputs, targets, sample_weight)
        return value if self.factor == 1.0 else self.factor * value


@dataclass(frozen=True)
class Head:
    """An output head: the units of the last layer, the loss on them, and what they mean.

    units       of the last dense layer
    loss        what is minimised, a `RowLoss` or an own function
    outputs     turns raw outputs into predictions: point, probabilities, quantiles, normal, rate; the task's
                default where the loss is an own function
    """

    units: int
    loss: RowLoss | LossFunction
    outputs: Outputs

    @property
    def out_activation(self) -> str:
        """Return scikit-learn's name of the output activation, its `out_activation_`: "softmax" ..."""
        return _OUT_NAMES.get(self.outputs.activation, self.outputs.activation)

    @property
    def record(self) -> Loss | None:
        """Return the loss of the catalogue; None for an own function."""
        return self.loss.record if isinstance(self.loss, RowLoss) else None


def regression_head(loss: str | Loss | LossFunction, targets: int) -> Head:
    """Return the head for regression: one unit for each target, or several that describe a single one.

    loss        a name, a record with settings, or a function of (outputs, targets, sample_weight)
    targets     numbers to learn for each row; a distributional loss, such as gaussian_nll, takes 1
    Errors      DataError for a loss that is not for numbers, or is distributional where there are several

    >>> regression_head("squared_error", 2).loss.factor, regression_head("gaussian_nll", 1).units
    (1.0, 2)
    """
    record = as_loss(loss)
    if record is None:
        assert not isinstance(loss, str)  # a name has a record, or was refused
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


def classification_head(loss: str | Loss | LossFunction, columns: int, multilabel: bool) -> Head:
    """Return the head for classification.

    loss        "log_loss" is the cross-entropy of the task: softmax for several classes, else binary
    columns     of the binarized target: 1 for two classes, else one for each class or label
    multilabel  whether each column is a boolean of its own
    Errors      DataError for a loss that does not fit the task

    >>> classification_head("log_loss", 3, multilabel=False).out_activation
    'softmax'
    """
    several = columns > 1 and not multilabel
    default = "softmax_cross_entropy" if several else "binary_cross_entropy"
    record = as_loss(default if isinstance(loss, str) and loss == "log_loss" else loss)
    if record is None:
        assert not isinstance(loss, str)  # a name has a record, or was refused
        return Head(columns, loss, Loss(default).outputs)
    tasks = ("multiclass",) if several else ("binary",) if multilabel else ("binary", "multiclass")
    outputs = _fitting(record, tasks).outputs
    if outputs.task == "multiclass":
        return Head(max(columns, 2), RowLoss(record), outputs)
    return Head(columns, RowLoss(record, float(columns)), outputs)


def _fitting(record: Loss, tasks: tuple[str, ...]) -> Loss:
    """Return a loss if it fits one of the tasks.

    tasks       of "regression", "binary" and "multiclass"
    Errors      DataError otherwise, which lists those that fit
    """
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
    """Return whether a loss is for one of the tasks; of classes, whether it gives probabilities.

    Hinge losses do not, so `MLPClassifier` has none: its `predict_proba` would have nothing to return.
    """
    outputs = rule.outputs_with(rule.defaults)
    return outputs.task in tasks and (not isinstance(outputs, ClassOutputs) or outputs.are_probabilities)
