"""Split conformal prediction: intervals from the residuals on a held-out calibration set.

    interval(x) = prediction(x) +- q,       q the ceil((n + 1) coverage)-th smallest of n absolute residuals

Its coverage needs no assumption on the network or the noise, only that rows are exchangeable.
"""

from __future__ import annotations

import math

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.intervals import REMEDY, missing_levels
from minicolumn.nn.outputs import NumberOutputs

Array = np.ndarray


def conformal_radius(residuals: Array, coverage: float, weight: Array | None = None) -> Array:
    """Return the conformal quantile: new residuals exceed it with probability 1 - coverage at most.

        q = the k-th smallest of n residuals,    k = ceil((n + 1) coverage)

    For rows that are exchangeable with those of the residuals, P(residual <= q) is at least `coverage`, and
    at most `coverage + 1 / (n + 1)` where no two residuals are equal.

    residuals   of rows that were not trained on, [rows, outputs]: |y - prediction|, or the signed distance of
                y from a band, below 0 inside of it (conformalized quantile regression)
    coverage    0 < coverage < 1
    weight      [rows]: a residual of weight w counts as w equal ones; None for one each
    Returns     [outputs]
    Errors      DataError for too few rows for that coverage
    Source      Papadopoulos, Proedrou, Vovk & Gammerman 2002; Lei, G'Sell, Rinaldo, Tibshirani & Wasserman
                2018, algorithm 2 (arXiv 1604.04173); Romano, Patterson & Candes 2019 for bands
    Differs     MAPIE also resamples (jackknife+, CV+), which takes several fits; this takes one

    >>> conformal_radius(np.arange(1.0, 10.0)[:, None], 0.8)
    array([8.])
    """
    each = np.ones(len(residuals)) if weight is None else np.asarray(weight, np.float64)
    count = float(each.sum())
    place = (count + 1.0) * coverage * (1.0 - 1e-12)  # (9 + 1) 0.8 is 8, whatever floats make of it
    if place > count:
        least = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise DataError(
            f"predict_interval: a coverage of {coverage:g} needs at least {least} held-out rows, there are "
            f"{count:g}; raise conformal_fraction or lower the coverage"
        )
    order = np.argsort(residuals, axis=0)
    reached = np.cumsum(each[order], axis=0) >= place
    return np.take_along_axis(residuals, order, axis=0)[reached.argmax(axis=0), np.arange(residuals.shape[1])]


def why_none(outputs: NumberOutputs, coverage: float) -> str:
    """Return the error message where no interval can be given: what to fit with instead.

    outputs     what the network's outputs mean; quantile levels that are missing are named
    coverage    that was asked for
    """
    if outputs.interval_level is not None:
        return missing_levels(outputs, coverage)
    return (
        "predict_interval: no rows were held out; fit with conformal_fraction=0.2, early_stopping or X_val, "
        f"or with a loss that learns the predictive uncertainty: {REMEDY}"
    )
