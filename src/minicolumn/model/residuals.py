"""Conformal prediction from residuals: how far held-out rows lie from what was predicted for them.

    interval(x) = f(x) -+ q s(x),       q the ceil((n + 1) coverage)-th smallest of |y_i - f_i(x_i)| / s(x_i)

f_i has not seen row i: of an ensemble it is the mean of the members that held the row out, which are fewer
than all, so that intervals are rather too wide. s is 1, or what the outputs tell of the spread of a row.

Source      Barber, Candes, Ramdas & Tibshirani 2021, "Predictive inference with the jackknife+" (arXiv
            1905.02928), whose jackknife this is, by folds; Kim, Xu & Barber 2020 (arXiv 2002.09025) for
            ensembles
Differs     CV+ and jackknife+ take the quantiles of f_i(x) -+ r_i over all i, which needs every f_i for each
            new row, and promise 1 - 2 (1 - coverage) of any network. The jackknife needs f alone; where f
            hardly depends on single rows it has its coverage, and there are networks for which it fails
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError
from minicolumn.nn.outputs import NumberOutputs
from minicolumn.nn.outputs.record import check_coverage

Array = np.ndarray
MOST = 1_000  # that a file keeps, evenly spread over their ranks
_ROUNDING = 1e-12  # (9 + 1) 0.8 is 8, whatever floats make of it


@dataclass(frozen=True)
class Residuals:
    """The quantiles of the residuals of held-out rows.

    levels      up to which coverage each is enough, ascending
    sizes       the residuals, ascending, on the network's scale, in units of the rows' spread

    >>> from minicolumn.nn.outputs import Point
    >>> found = residuals_of(Point(), np.zeros((9, 1)), np.arange(1.0, 10.0))
    >>> found.radius(0.8), found.radius(0.85)
    (8.0, 9.0)
    """

    levels: tuple[float, ...]
    sizes: tuple[float, ...]

    def radius(self, coverage: float) -> float:
        """Return the conformal quantile: how many spreads a band is to be wide to both sides.

        Errors      DataError for a coverage outside (0, 1), or one that needs more rows
        """
        check_coverage(coverage)
        place = int(np.searchsorted(self.levels, coverage * (1.0 - _ROUNDING)))
        if place == len(self.levels):
            least = math.ceil(coverage / (1 - coverage) - 1e-9)
            raise DataError(
                f"predict_interval: a coverage of {coverage:g} needs at least {least:,} rows held out in the "
                f"training; the most that these tell is {self.levels[-1]:.4g}"
            )
        return self.sizes[place]

    def to_json(self) -> dict[str, Any]:
        """Return lists of numbers, as a model file keeps them under training["residuals"]."""
        return {"levels": list(self.levels), "sizes": list(self.sizes)}

    @classmethod
    def from_json(cls, told: Any) -> Residuals:
        """Return what `to_json` gave; ModelFileError, whose text begins with a verb, for anything else."""
        if not isinstance(told, dict):
            raise ModelFileError("is damaged: its residuals are no object")
        levels, sizes = _numbers(told.get("levels")), _numbers(told.get("sizes"))
        ascending = all(a <= b for part in (levels, sizes) for a, b in itertools.pairwise(part))
        if len(levels) != len(sizes) or not ascending or sizes[0] < 0 or not 0 < levels[0] <= levels[-1] < 1:
            raise ModelFileError("is damaged: its residuals are no ascending quantiles")
        return cls(levels, sizes)


def _numbers(told: Any) -> tuple[float, ...]:
    """Return a list of finite numbers; ModelFileError for anything else."""
    if not isinstance(told, list) or not 0 < len(told) <= MOST:
        raise ModelFileError(f"is damaged: its residuals are no lists of 1 to {MOST:,} numbers")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in told):
        raise ModelFileError("is damaged: its residuals hold something that is no number")
    return tuple(map(float, told))


def residuals_of(
    outputs: NumberOutputs, predictions: Array, targets: Array, weight: Array | None = None
) -> Residuals | None:
    """Return the quantiles of residuals of rows that were held out.

    predictions for these rows, by networks that have not seen them, [rows, outputs]
    targets     [rows], on the scale of the outputs
    weight      of the rows, [rows], in units of their mean: a row counts as so many; None for all alike
    Returns     None where outputs tell quantiles, which are intervals of their own, and where any of it is
                not finite
    """
    band = outputs.middle(predictions.reshape(len(predictions), -1).astype(np.float64))
    if band is None:
        return None
    sizes = band.residuals(targets.reshape(-1, 1).astype(np.float64))[:, 0]
    each = np.ones(len(sizes)) if weight is None else weight / np.mean(weight)
    order = np.argsort(sizes, kind="stable")
    levels, sizes = np.cumsum(each[order]) / (len(sizes) + 1.0), sizes[order]
    some = np.unique(np.linspace(0, len(sizes) - 1, min(len(sizes), MOST)).round().astype(np.int64))
    if not np.isfinite(sizes).all():
        return None
    return Residuals(tuple(levels[some].tolist()), tuple(sizes[some].tolist()))
