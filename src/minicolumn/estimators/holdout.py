"""Hold-out: validation rows for early stopping, and the calibration set of conformal intervals.

Also the prepared rows themselves, `Data`, dense or sparse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import train_test_split

from minicolumn.errors import DataError

Array = np.ndarray


class SparseRows(Protocol):
    """A SciPy sparse matrix or array in CSR or CSC form, as far as it is used here: [rows, features]."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (rows, features)."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Return the dtype of the stored numbers."""
        ...

    def __getitem__(self, places: Array | slice | tuple[slice, list[int]], /) -> SparseRows: ...

    def min(self, axis: int) -> SparseRows | Array:
        """Return the minimum along an axis; zeros count."""
        ...

    def max(self, axis: int) -> SparseRows | Array:
        """Return the maximum along an axis; zeros count."""
        ...

    def toarray(self) -> Array:
        """Return the same as a dense array."""
        ...


# Features once they are checked, and as a user gives them.
Features = Array | SparseRows
FeaturesLike = ArrayLike | SparseRows


@dataclass(frozen=True, eq=False)
class Data:
    """Training data as an estimator prepared it.

    X       [rows, features], dense or sparse
    y       encoded for the network: class numbers int [rows], 0 and 1 int [rows, labels], floats
            [rows, targets]
    target  as the estimator's score takes it: labels, or numbers
    weight  [rows], class weights included; None for 1 each
    numbers of the rows among those that `fit` was given, int [rows]; None for all, in order
    """

    X: Features
    y: Array
    target: Array
    weight: Array | None = None
    numbers: Array | None = None

    def __len__(self) -> int:
        return self.X.shape[0]

    def take(self, places: Array) -> Data:
        """Return the rows at some indices, int [k], or where a mask bool [rows] is true."""
        weight = None if self.weight is None else self.weight[places]
        numbers = np.arange(len(self)) if self.numbers is None else self.numbers
        return Data(self.X[places], self.y[places], self.target[places], weight, numbers[places])


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows of a fit, by what they are for.

    train       to take gradients on
    held        validation set, to measure on after each epoch; None where nothing is held out
    calibration for conformal intervals; None where those use `held`
    """

    train: Data
    held: Data | None = None
    calibration: Data | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows are for what, by the names of a model card."""
        parts = {"train": self.train, "validation": self.held, "calibration": self.calibration}
        return {name: len(part) for name, part in parts.items() if part is not None}


def split(data: Data, fraction: float, seed: int, strata: Array | None, parameter: str) -> tuple[Data, Data]:
    """Split off a random fraction of the rows, by scikit-learn's `train_test_split`.

    fraction    of the rows to hold out, 0 < fraction < 1
    seed        same seed, same split
    strata      class numbers [rows] for a stratified split; None for a plain one
    parameter   name of the parameter that holds the fraction, for messages
    Returns     kept and held-out rows, each in their original order
    Errors      ValueError of scikit-learn where a class is too small, DataError where too few are held out
    """
    places = np.arange(len(data))
    kept, held = train_test_split(places, test_size=fraction, random_state=seed, stratify=strata)
    _check_enough(len(held), parameter)
    return data.take(np.sort(kept)), data.take(np.sort(held))


def held_in_turn(
    rows: int, fraction: float, count: int, seed: int, strata: Array | None, parameter: str
) -> list[Array]:
    """Return which rows to hold out, several times: each time the next ones of a circle by chance.

    So every row is held out once before any is held out twice, and all are equally many.

    count       how many times
    strata      class numbers [rows], which are spread evenly along the circle; None for one class
    Returns     the places of the rows, ascending, for each time; the others are as for `split`
    Errors      DataError where too few are held out

    >>> [held.tolist() for held in held_in_turn(5, 0.4, 3, 0, None, "fraction")]
    [[2, 3], [0, 1], [3, 4]]
    """
    held = math.ceil(fraction * rows)
    _check_enough(min(held, rows - held), parameter)
    circle = _spread_evenly(np.zeros(rows, np.int64) if strata is None else strata, seed)
    return [np.sort(circle[(time * held + np.arange(held)) % rows]) for time in range(count)]


def _spread_evenly(strata: Array, seed: int) -> Array:
    """Return an order by chance of rows, int [rows], of which every stretch has its share of each class."""
    rng, (_, codes, counts) = (
        np.random.default_rng(seed),
        np.unique(strata, return_inverse=True, return_counts=True),
    )
    codes = codes.reshape(len(strata))
    order = np.lexsort((rng.random(len(codes)), codes))
    rank = np.empty(len(codes))
    rank[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.argsort((rank + rng.random(len(counts))[codes]) / counts[codes], kind="stable")


def _check_enough(held: int, parameter: str) -> None:
    """Refuse a validation set of fewer than two rows."""
    if held < 2:
        raise DataError(
            f"The validation set is too small. Increase {parameter!r} or the size of your dataset."
        )
