"""What a perceptron is asked to answer: one unit for two classes, else one for each class or label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from minicolumn.errors import DataError

Array = np.ndarray


@dataclass(frozen=True)
class Targets:
    """Targets as the units see them.

    values      classes [rows], or labels 0 and 1 [rows, labels]
    classes     the classes, or the numbers of the labels
    multilabel  whether several labels may hold at once
    """

    values: Array
    classes: Array
    multilabel: bool

    @property
    def binary(self) -> bool:
        """Return whether one unit tells two classes apart."""
        return not self.multilabel and len(self.classes) == 2

    @property
    def units(self) -> int:
        """Return how many units it takes."""
        return 1 if self.binary else len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the class or label that each unit says yes to."""
        return tuple(map(str, (self.classes[1:] if self.binary else self.classes).tolist()))

    @property
    def positive(self) -> Array:
        """Return what each unit should say yes to, bool [rows, units]."""
        if self.multilabel:
            return self.values > 0
        return self.values[:, None] == (self.classes[1:] if self.binary else self.classes)

    def class_weights(self, given: Any) -> tuple[Array, Array]:
        """Return the weights of each unit's yes and no, [units] each, from scikit-learn's `class_weight`."""
        if self.multilabel:
            return self._label_weights(given)
        each = compute_class_weight(given, classes=self.classes, y=self.values)
        return (each[1:], each[:1]) if self.binary else (each, np.ones(len(each)))

    def _label_weights(self, given: Any) -> tuple[Array, Array]:
        ones = np.ones(self.units)
        if given is None:
            return ones, ones
        if isinstance(given, str):
            yes = self.positive.sum(axis=0)
            rows = len(self.values)
            return rows / (2.0 * np.maximum(yes, 1)), rows / (2.0 * np.maximum(rows - yes, 1))
        unknown = sorted(set(given) - set(self.classes.tolist()))
        if unknown:
            raise DataError(f"Perceptron: class_weight names {unknown}; the labels are 0 .. {self.units - 1}")
        return np.array([given.get(label, 1.0) for label in range(self.units)]), ones


def read_targets(y: Any, classes: Any = None) -> Targets:
    """Return targets, and their classes unless they are known.

    y           [rows] of classes, or [rows, labels] of 0 and 1
    classes     the classes, where y need not hold them all
    Errors      DataError for another kind of target, or for a class that is not among them
    """
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
    check_classification_targets(y)
    if y.ndim == 2:
        return _labels(y, classes)
    known = np.unique(y) if classes is None else np.unique(classes)
    strange = np.setdiff1d(y, known)
    if len(strange):
        raise DataError(f"Perceptron: y holds {strange.tolist()[:5]}, which `classes` does not list")
    if len(known) < 2:
        raise DataError(f"Perceptron: y holds one class, {known[0]}; expected at least two classes")
    return Targets(y, known, multilabel=False)


def _labels(y: Array, classes: Any) -> Targets:
    if type_of_target(y) != "multilabel-indicator" and not np.isin(y, (0, 1)).all():
        raise DataError(
            "Perceptron: y has several columns of classes; expected one column, or labels of 0 and 1"
        )
    known = np.arange(y.shape[1])
    if classes is not None and not np.array_equal(np.sort(classes), known):
        raise DataError(f"Perceptron: y has {len(known)} labels, but classes are {list(classes)}")
    return Targets(y, known, multilabel=True)
