"""Prediction intervals that hold for any network: split conformal prediction."""

from __future__ import annotations

import math

import numpy as np

from minicolumn.errors import DataError

Array = np.ndarray


def conformal_radius(residuals: Array, coverage: float) -> Array:
    """Return how far from the prediction the truth lies in at least a share of the cases.

        the k-th smallest of n residuals |y - prediction|,    k = ceil((n + 1) coverage)

    For rows that are exchangeable with those of the residuals, a new truth lies within it with a probability
    of at least `coverage`, and of at most `coverage + 1 / (n + 1)` where no two residuals are equal.

    residuals   >= 0, of rows that were not trained on, sorted along the first axis, [rows, outputs]
    coverage    0 < coverage < 1
    Returns     [outputs]
    Errors      DataError for too few rows for that coverage
    Source      Papadopoulos, Proedrou, Vovk & Gammerman 2002; Lei, G'Sell, Rinaldo, Tibshirani & Wasserman
                2018, algorithm 2 (arXiv 1604.04173)

    >>> conformal_radius(np.arange(1.0, 10.0)[:, None], 0.8)
    array([8.])
    """
    if not 0 < coverage < 1:
        raise DataError(f"predict_interval: coverage must lie between 0 and 1, got {coverage!r}")
    rows = len(residuals)
    place = math.ceil((rows + 1) * coverage - 1e-9)  # (9 + 1) 0.8 is 8, whatever floats make of it
    if place > rows:
        least = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise DataError(
            f"predict_interval: a coverage of {coverage:g} needs at least {least} held-out rows, there are "
            f"{rows}; raise conformal_fraction or lower the coverage"
        )
    return residuals[place - 1]
