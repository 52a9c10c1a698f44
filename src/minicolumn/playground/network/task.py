"""What the network is to answer: targets as the loss takes them, outputs as the maps draw them, scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minicolumn.data.points.points import Points
from minicolumn.errors import DataError
from minicolumn.model.metrics import confusion
from minicolumn.nn.losses import Loss
from minicolumn.playground.lines import line
from minicolumn.playground.network.setup import CLASS_LOSSES, NUMBER_LOSSES

Array = np.ndarray
# Losses of two classes by one output, and of more by one output each.
TWO = {"cross_entropy": "binary_cross_entropy", "focal": "binary_focal", "hinge": "hinge"}
MORE = {"cross_entropy": "softmax_cross_entropy", "focal": "softmax_focal", "hinge": "categorical_hinge"}


@dataclass(frozen=True)
class Task:
    """Classes or numbers, by a loss.

    classes     their names; empty for numbers
    loss        by the name of the setup, never "auto"
    center, scale   of numbers: y = center + scale * output, so that outputs lie within [-1, 1] or so
    exact       a loss with settings that the setup has none for, in place of the one of this name

    Two classes have one output, a logit, and more have one each. Under the squared error an output ends in
    tanh and is -1 or 1, as in TensorFlow Playground.

    >>> task = Task(("-1", "+1"), "cross_entropy")
    >>> task.outputs, task.record, task.shown(np.array([[0.0], [60.0]])).tolist()
    (1, Loss('binary_cross_entropy'), [[0.0], [1.0]])
    """

    classes: tuple[str, ...]
    loss: str
    center: float = 0.0
    scale: float = 1.0
    exact: Loss | None = None

    def __post_init__(self) -> None:
        known = CLASS_LOSSES if self.classes else NUMBER_LOSSES
        if self.loss not in known:
            what = line("forClasses" if self.classes else "forNumbers")
            raise DataError(line("lossNotFor", loss=self.loss, what=what, names=known))

    @property
    def kind(self) -> str:
        """The name of the task: classification or regression."""
        return "classification" if self.classes else "regression"

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return len(self.classes) if len(self.classes) > 2 else 1

    @property
    def ending(self) -> str:
        """The activation of the output layer."""
        return "tanh" if self.classes and self.loss == "squared_error" else "linear"

    @property
    def record(self) -> Loss:
        """The loss of the catalogue."""
        if self.exact is not None:
            return self.exact
        if not self.classes or self.loss == "squared_error":
            return Loss(self.loss)
        return Loss((TWO if self.outputs == 1 else MORE)[self.loss])

    def targets(self, y: Array) -> Array:
        """Return targets as the loss takes them: class codes, -1 and 1, or numbers within [-1, 1] or so."""
        if not self.classes:
            return ((y - self.center) / self.scale).astype(np.float32)
        codes = y.astype(np.int32)
        if self.loss != "squared_error":
            return codes
        if self.outputs == 1:
            return (2.0 * codes - 1.0).astype(np.float32)
        return (2.0 * np.eye(self.outputs)[codes] - 1.0).astype(np.float32)

    def probabilities(self, outputs: Array) -> Array | None:
        """Return the probability of the second class, or of each; None where outputs are no log-odds."""
        if not self.classes or self.loss not in ("cross_entropy", "focal"):
            return None
        if self.outputs == 1:
            return 0.5 + 0.5 * np.tanh(0.5 * outputs)
        risen = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        return risen / risen.sum(axis=-1, keepdims=True)

    def shown(self, outputs: Array) -> Array:
        """Return outputs as maps draw them: 2 p - 1 of a probability, and others as they are."""
        p = self.probabilities(outputs)
        return outputs if p is None else 2.0 * p - 1.0

    def answers(self, outputs: Array) -> Array:
        """Return class codes, or numbers in the target's own unit.

        outputs     [rows, outputs]
        Returns     [rows]
        """
        if not self.classes:
            return self.center + self.scale * outputs[:, 0].astype(np.float64)
        return (outputs[:, 0] >= 0).astype(int) if self.outputs == 1 else outputs.argmax(axis=-1)

    def confusion(self, answers: Array, y: Array) -> Array:
        """Return how often each class (rows) was answered with each class (columns)."""
        return confusion(y, answers, len(self.classes)).astype(np.int32)

    def scores(self, answers: Array, y: Array) -> Mapping[str, float]:
        """Return accuracy and macro F1 of classes, R2 and root mean squared error of numbers.

        As `model.metrics` has them, which checks what it is given and takes longer than a whole tick.
        """
        if not len(y):
            return {}
        if self.classes:
            table = self.confusion(answers, y).astype(float)
            right, both = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
            f1 = (2.0 * right[both > 0] / both[both > 0]).mean()
            return {"accuracy": float(right.sum() / len(y)), "f1": float(f1)}
        short = float(np.mean((answers - y) ** 2))
        spread = float(np.var(y))
        r2 = 1.0 - short / spread if spread > 0 else float("nan")
        return {"r2": r2, "rmse": short**0.5}


def task_of(points: Points, loss: str) -> Task:
    """Return the task that points set, with a loss of the setup; auto takes the usual one."""
    usual = "cross_entropy" if points.classes else "squared_error"
    named = usual if loss == "auto" else loss
    if points.classes:
        return Task(points.classes, named)
    # Of own numbers the middle of what is usual; the generators' lie within [-1, 1] and stay as they are.
    low, high = np.percentile(points.y, [1, 99]) if len(points.y) else (-1.0, 1.0)
    if max(abs(low), abs(high)) <= 2.0 and high - low > 0.2:
        return Task((), named)
    half = 0.5 * float(high - low)
    return Task((), named, 0.5 * float(low + high), half if half > 0 else 1.0)
