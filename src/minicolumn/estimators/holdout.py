"""Hold-out: validation rows for early stopping, and the calibration set of conformal intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from minicolumn.errors import DataError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Data:
    """Rows as an estimator prepared them.

    X       [rows, features], dense or sparse
    y       encoded for the network
    target  as the estimator's score takes it: labels, or numbers
    weight  [rows] or None
    """

    X: Any
    y: Array
    target: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return self.X.shape[0]

    def take(self, places: Array) -> Data:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[places]
        return Data(self.X[places], self.y[places], self.target[places], weight)


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows of a fit: to train on, to measure on after each epoch, and to set intervals by."""

    train: Data
    held: Data | None = None
    calibration: Data | None = None


def split(data: Data, fraction: float, seed: int, strata: Array | None, parameter: str) -> tuple[Data, Data]:
    """Hold a share of the rows out by chance.

    strata      class by class in these, [rows]; None: whatever the class
    parameter   that holds the fraction, for messages
    Errors      ValueError of scikit-learn where a class is too small, DataError where too few are held out
    """
    places = np.arange(len(data))
    kept, held = train_test_split(places, test_size=fraction, random_state=seed, stratify=strata)
    if len(held) < 2:
        raise DataError(
            f"The validation set is too small. Increase {parameter!r} or the size of your dataset."
        )
    return data.take(np.sort(kept)), data.take(np.sort(held))
