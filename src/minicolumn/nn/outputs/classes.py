"""Classification outputs: probabilities, and the margins of hinge losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from minicolumn.nn.outputs.record import Array, ClassOutputs, Task, check_units
from minicolumn.nn.outputs.statistics import each_weight


@final
@dataclass(frozen=True)
class Probabilities(ClassOutputs):
    """Predictions that are probabilities, from logits.

    link        "softmax": one class out of several, an output each; "logistic": yes or no, an output each
    proper      whether the loss is a strictly proper scoring rule: least, in the mean, at the true shares

    >>> Probabilities("softmax").codes(np.array([[0.2, 0.5, 0.3]]))
    array([1], dtype=int32)
    >>> Probabilities("logistic").initial_bias(np.array([[0.0], [1.0], [1.0]]), None, 1).round(3)  # log 5/3
    array([0.511])
    """

    kind: ClassVar[str] = "probabilities"
    threshold: ClassVar[float] = 0.5
    link: Literal["softmax", "logistic"]
    proper: bool = True

    @property
    def task(self) -> Task:
        return "multiclass" if self.link == "softmax" else "binary"

    @property
    def activation(self) -> str:
        return self.link

    @property
    def average(self) -> str:
        return self.link

    @property
    def are_probabilities(self) -> bool:
        return True

    def opposite(self, yes: Array) -> Array:
        return 1.0 - yes

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        """Return the logarithms of the shares of the classes, or the log-odds of yes.

        One row more, spread evenly, keeps classes finite that no row has. Losses that are not proper have
        their best constant elsewhere, and no closed form of it.
        """
        if not self.proper:
            return None
        shares, rows = _shares(self, targets, weight, units)
        if self.task == "multiclass":
            return np.log((rows * shares + 1.0 / units) / (rows + 1.0))
        return np.log((rows * shares + 0.5) / (rows * (1.0 - shares) + 0.5))


@final
@dataclass(frozen=True)
class Margins(ClassOutputs):
    """Predictions that are margins or scores: by how much a class is ahead, not how probable it is.

    several     whether there is one class out of several, an output each; else yes or no, an output each

    >>> Margins(several=False).class_scores(np.array([2.0]))
    array([[-2.,  2.]])
    """

    kind: ClassVar[str] = "margins"
    threshold: ClassVar[float] = 0.0
    several: bool

    @property
    def task(self) -> Task:
        return "multiclass" if self.several else "binary"

    def opposite(self, yes: Array) -> Array:
        return np.negative(yes)

    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        """Return 1 for a class that more than half of the rows have, else 0; of yes or no, 2 p - 1."""
        shares, _ = _shares(self, targets, weight, units)
        return (shares > 0.5).astype(np.float64) if self.several else 2.0 * shares - 1.0


def _shares(outputs: ClassOutputs, targets: Array, weight: Array | None, units: int) -> tuple[Array, float]:
    """Return the share of the weight that each class has, or each yes, [units], and all weight together."""
    each = each_weight(targets, weight)
    if outputs.task == "multiclass" and targets.ndim == 1:
        counts = np.bincount(targets.astype(np.int64), weights=each, minlength=units)
    else:
        counts = each @ targets.reshape(len(targets), -1).astype(np.float64)
    check_units(outputs, counts.size, units)
    return counts / each.sum(), float(each.sum())
