"""Hold-out: validation rows for early stopping, and the calibration set of conformal intervals.

Also the prepared rows themselves, `Data`, dense or sparse.
"""

from __future__ import annotations

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
    """

    X: Features
    y: Array
    target: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return self.X.shape[0]

    def take(self, places: Array) -> Data:
        """Return the rows at some indices, int [k], or where a mask bool [rows] is true."""
        weight = None if self.weight is None else self.weight[places]
        return Data(self.X[places], self.y[places], self.target[places], weight)


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
    if len(held) < 2:
        raise DataError(
            f"The validation set is too small. Increase {parameter!r} or the size of your dataset."
        )
    return data.take(np.sort(kept)), data.take(np.sort(held))
