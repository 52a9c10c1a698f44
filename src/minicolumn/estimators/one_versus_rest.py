"""One-versus-rest: a problem of several classes or labels as binary problems, one for each linear unit.

Beside it stands what can be said of such problems before any training: whether a hyperplane separates the
rows, and Novikoff's mistake bound where one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from minicolumn.errors import DataError
from minicolumn.nn.classic import Separation, name_of_table

Array = np.ndarray
# scikit-learn's `class_weight`: a factor for each class or label, "balanced", or None for 1.
ClassWeight = Mapping[Any, float] | str | None
# Rows among which XOR and its kin are looked for: more are no truth table, and are not worth the search.
MOST_ROWS = 10_000


# The problems -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Targets:
    """Targets as binary problems: one for two classes, else one a class or label against all the rest.

    values      classes [rows], or labels 0 and 1 [rows, labels]
    classes     the classes in ascending order, or the numbers of the labels
    multilabel  whether several labels may hold at once

    >>> targets = read_targets(["a", "b", "c", "a"])
    >>> targets.names, targets.positive[:, 0]
    (('a', 'b', 'c'), array([ True, False, False,  True]))
    """

    values: Array
    classes: Array
    multilabel: bool

    @property
    def binary(self) -> bool:
        """Return whether one unit tells two classes apart; it is positive for the second."""
        return not self.multilabel and len(self.classes) == 2

    @property
    def units(self) -> int:
        """Return how many binary problems there are."""
        return 1 if self.binary else len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the positive class or label of each problem, as text."""
        return tuple(map(str, (self.classes[1:] if self.binary else self.classes).tolist()))

    @property
    def positive(self) -> Array:
        """Return which rows are positive in each problem, bool [rows, units]."""
        if self.multilabel:
            return self.values > 0
        return self.values[:, None] == (self.classes[1:] if self.binary else self.classes)

    def class_weights(self, given: ClassWeight) -> tuple[Array, Array]:
        """Return the weights of each problem's positive and negative rows, float [units] each.

            "balanced"      rows / (classes * rows of the class)

        given       by class or label; those not named weigh 1
        Errors      ValueError of scikit-learn, DataError for labels, where it names one that does not exist
        Differs     as in scikit-learn, the rest weighs 1 whatever its classes would; only of two classes both
                    weigh. For labels, "balanced" takes the two sides of each for two classes
        """
        if self.multilabel:
            return self._label_weights(given)
        each = compute_class_weight(given, classes=self.classes, y=self.values)
        return (each[1:], each[:1]) if self.binary else (each, np.ones(len(each)))

    def _label_weights(self, given: ClassWeight) -> tuple[Array, Array]:
        ones = np.ones(self.units)
        if given is None:
            return ones, ones
        if isinstance(given, str):
            positive = self.positive.sum(axis=0)
            rows = len(self.values)
            return rows / (2.0 * np.maximum(positive, 1)), rows / (2.0 * np.maximum(rows - positive, 1))
        unknown = sorted(set(given) - set(self.classes.tolist()))
        if unknown:
            raise DataError(f"Perceptron: class_weight names {unknown}; the labels are 0 .. {self.units - 1}")
        return np.array([given.get(label, 1.0) for label in range(self.units)]), ones


def read_targets(y: ArrayLike, classes: ArrayLike | None = None) -> Targets:
    """Return targets as binary problems, with their classes unless these are known.

    y           [rows] of classes, or [rows, labels] of 0 and 1, which may be one of SciPy's sparse matrices
    classes     the classes, where y need not hold them all
    Errors      DataError for another kind of target, for one class alone, and for a class that is not listed
    """
    values: Array = y.toarray() if hasattr(y, "toarray") else np.asarray(y)  # pyright: ignore[reportAttributeAccessIssue]
    values = column_or_1d(values, warn=True) if values.ndim == 2 and values.shape[1] == 1 else values
    check_classification_targets(values)
    if values.ndim == 2:
        return _labels(values, classes)
    known = np.unique(values if classes is None else np.asarray(classes))
    strange = np.setdiff1d(values, known)
    if len(strange):
        raise DataError(f"Perceptron: y holds {strange.tolist()[:5]}, which `classes` does not list")
    if len(known) < 2:
        raise DataError(f"Perceptron: y holds one class, {known[0]}; expected at least two classes")
    return Targets(values, known, multilabel=False)


def _labels(y: Array, classes: ArrayLike | None) -> Targets:
    """Return columns of 0 and 1 as targets; refuse other columns, and other labels than known ones."""
    if type_of_target(y) != "multilabel-indicator" and not np.isin(y, (0, 1)).all():
        raise DataError(
            "Perceptron: y has several columns of classes; expected one column, or labels of 0 and 1"
        )
    known = np.arange(y.shape[1])
    if classes is not None and not np.array_equal(np.sort(np.asarray(classes)), known):
        told = np.asarray(classes).tolist()
        raise DataError(f"Perceptron: y has {len(known)} labels, but classes are {told}")
    return Targets(y, known, multilabel=True)


# Their linear separability ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MistakeBounds:
    """Linear separability of each binary problem, and Novikoff's bound on its mistakes; print it.

        corrections <= (R / margin)^2

    What `Perceptron.convergence` returns.

    separation      of the rows: margins, bounds, radius R, a verdict for each problem
    corrections     how often each unit was corrected in the last `fit` or `partial_fit`, int [units]
    names           the positive class or label of each problem
    Source          Novikoff 1962, "On convergence proofs on perceptrons"
    """

    separation: Separation
    corrections: Array
    names: tuple[str, ...]

    def __str__(self) -> str:
        table = self.separation.table(self.corrections, self.names)
        return f"longest row R = {self.separation.radius:.4g}\n{table}"


def known_tables(X: Array, names: Sequence[str], wrong: Array, signs: Array) -> list[str]:
    """Return which problems are well-known truth tables that are not linearly separable, in words.

    names       the positive class or label of each problem
    wrong       where each unit is wrong, bool [rows, units]; one that never is has found its hyperplane
    signs       what each should say, +1 or -1, [rows, units]
    Source      Minsky & Papert 1969, "Perceptrons"

    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> known_tables(X, ["yes"], np.ones((4, 1), bool), np.array([[-1], [1], [1], [-1]]))
    ['no plane divides the rows of yes from the others: this is XOR']
    """
    if len(X) > MOST_ROWS:
        return []
    units = zip(names, np.any(wrong, axis=0), signs.T, strict=True)
    known = [(name, name_of_table(X, sign)) for name, missed, sign in units if missed]
    say = "no plane divides the rows of {} from the others: this is {}"
    return [say.format(name, table) for name, table in known if table]
