"""Feature-scaling checks: warnings of ill-conditioned inputs and targets before gradient descent meets them.

Columns of very different scales make the loss's Hessian ill-conditioned: one learning rate is then too large
for the wide columns and too small for the narrow ones.

Source      LeCun, Bottou, Orr & Mueller 1998, "Efficient BackProp", section 4.3
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicolumn.errors import DataError, DataWarning, warn_user
from minicolumn.estimators.holdout import Features

Array = np.ndarray
# scikit-learn's words, which its own checks look for.
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)
# How many times the span of the narrowest column the widest may be. One-hot columns and rarely lit pixels
# span as much as their neighbours, however small their standard deviations are.
RATIO = 1e3
# Of a column's span, how much a step of the dtype may be before its values are looked at one by one: float64
# numbers drawn at random, as many as are looked at, then hardly ever come to be the same.
COARSE = 2.0**-20
# The share of different values that may be lost by rounding.
LOST = 0.1
# Standard deviations that targets may lie from 0. By then the answer for all rows takes so long to learn that
# what tells them apart is hardly begun.
AWAY = 10.0
# Rows that are looked at; of more, so many of them, evenly spaced.
ENOUGH = 20_000


def check_scales(X: Features, dtype: np.dtype, names: Sequence[str] | Array | None = None) -> None:
    """Warn where columns have very different scales or are lost by rounding; refuse numbers beyond the dtype.

        warns where     max over columns of (max - min)  >  1000 min over columns of (max - min)
        or where        a tenth of a column's different values are the same in the dtype, as of 1e8 + 0.1 k

    Constant columns do not count. Of more than 20,000 rows, so many are looked at, evenly spaced.

    X       [rows, features], dense or sparse, finite
    dtype   of the computation
    names   of the columns, for the message; None numbers them
    Errors  DataError for numbers that are infinite in the dtype; whoever trains looks at all of them
    """
    low, high = _ends(X if X.shape[0] <= ENOUGH else X[:: X.shape[0] // ENOUGH])
    largest = max(float(np.abs(low).max(initial=0.0)), float(np.abs(high).max(initial=0.0)))
    if largest > float(np.finfo(dtype).max):
        raise DataError(f"{NOT_FINITE} X holds numbers up to {largest:.3g}, beyond the largest {dtype}")
    with np.errstate(over="ignore"):
        spans = high.astype(np.float64) - low.astype(np.float64)
    varied = np.flatnonzero(spans > 0)
    if not len(varied):
        return
    narrow, wide = varied[np.argmin(spans[varied])], varied[np.argmax(spans[varied])]
    if spans[wide] > RATIO * spans[narrow]:
        warn_user(
            f"the columns of X lie on very different scales: {_name(narrow, names)} spans "
            f"{spans[narrow]:.3g}, {_name(wide, names)} spans {spans[wide]:.3g}; networks learn badly from "
            "such columns, so put sklearn.preprocessing.StandardScaler in front",
        )
    step = np.spacing(np.maximum(np.abs(low), np.abs(high)).astype(dtype)).astype(np.float64)
    _check_resolution(X, dtype, np.flatnonzero((spans > 0) & (step > COARSE * spans)), names)


def _check_resolution(
    X: Features, dtype: np.dtype, columns: Array, names: Sequence[str] | Array | None
) -> None:
    """Warn of columns that rounding to the dtype makes coarse; columns: those to look at, by their index."""
    if X.dtype.itemsize <= dtype.itemsize:
        return  # what is lost was lost before
    merged = []
    for column in columns:
        values = X[:: max(X.shape[0] // ENOUGH, 1), [int(column)]]
        values = np.ravel(values if isinstance(values, np.ndarray) else values.toarray())
        before, after = len(np.unique(values)), len(np.unique(values.astype(dtype)))
        if after < (1.0 - LOST) * before:
            merged.append(f"{_name(column, names)} ({before:,} different values become {after:,})")
    if merged:
        more = f" and {len(merged) - 3:,} more columns" if len(merged) > 3 else ""
        warn_user(
            f"{dtype} cannot tell the values of X apart in {', '.join(merged[:3])}{more}: they lie too close "
            "together for their size; subtract their mean before (sklearn.preprocessing.StandardScaler in "
            "front), or say dtype='float64'",
            DataWarning,
        )


def check_target_scale(y: Array, placed: bool = False) -> None:
    """Warn of targets that are far from mean 0 and standard deviation 1.

    Adam's steps have a fixed size, so a network needs thousands of them to reach targets around 1000; their
    squared errors make plain gradient descent diverge.

    y       [rows] or [rows, outputs], finite
    placed  whether the output bias is initialised at the mean of the targets, which then does not matter
    """
    problem = _far_off(y.reshape(len(y), -1).astype(np.float64), placed)
    if problem is not None:
        warn_user(
            f"y {problem}; networks learn such numbers badly, so scale them: "
            "sklearn.compose.TransformedTargetRegressor(..., transformer=StandardScaler()), or before fit "
            "where predict_interval is wanted",
        )


def _far_off(numbers: Array, placed: bool) -> str | None:
    """Return what is wrong with the scale of targets [rows, outputs], in words; None where nothing is."""
    with np.errstate(over="ignore"):
        place, spread = np.abs(numbers.mean(axis=0)), numbers.std(axis=0)
    place, spread = place[spread > 0], spread[spread > 0]
    if not len(spread):
        return None
    if spread.max() > RATIO:
        return f"has a standard deviation of {spread.max():.3g}, far from 1"
    if spread.min() * RATIO < 1.0:
        return f"has a standard deviation of {spread.min():.3g}, far from 1"
    furthest = np.argmax(place / spread)
    if not placed and place[furthest] > AWAY * spread[furthest]:
        away = place[furthest] / spread[furthest]
        return f"lies around {place[furthest]:.3g}, {away:.3g} standard deviations from 0"
    return None


def _ends(X: Features) -> tuple[Array, Array]:
    """Return the minimum and the maximum of each column, [features] each."""
    low, high = X.min(axis=0), X.max(axis=0)
    return tuple(np.ravel(a.toarray() if hasattr(a, "toarray") else a) for a in (low, high))  # type: ignore


def _name(column: int, names: Sequence[str] | Array | None) -> str:
    """Return a column as messages name it: quoted, or by its index."""
    return f"column {column}" if names is None else repr(str(names[column]))
