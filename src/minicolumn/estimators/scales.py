"""Columns on wild scales: what gradient descent cannot cope with is said before it tries."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minicolumn.errors import DataError

Array = np.ndarray
# scikit-learn's words, which its own checks look for.
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)
# How many times the span of the narrowest column the widest may be. One-hot columns and rarely lit pixels
# span as much as their neighbours, however small their standard deviations are.
RATIO = 1e3
# Standard deviations that targets may lie from 0. By then the answer for all rows takes so long to learn that
# what tells them apart is hardly begun.
AWAY = 10.0
# Rows that are looked at; of more, so many of them, evenly spaced.
ENOUGH = 20_000


def check_scales(X: Any, dtype: np.dtype, names: Any = None) -> None:
    """Warn where columns lie on very different scales; refuse numbers beyond the dtype.

    X       [rows, features], dense or sparse, finite
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
        warnings.warn(
            f"the columns of X lie on very different scales: {_name(narrow, names)} spans "
            f"{spans[narrow]:.3g}, {_name(wide, names)} spans {spans[wide]:.3g}; networks learn badly from "
            "such columns, so put sklearn.preprocessing.StandardScaler in front",
            UserWarning,
            stacklevel=5,
        )


def check_target_scale(y: Array, placed: bool = False) -> None:
    """Warn of numbers to learn that are far from 0 and 1, where steps of a fixed size lead nowhere or astray.

    y       [rows] or [rows, outputs], finite
    placed  whether the network begins at the mean of the numbers, wherever it is
    """
    problem = _far_off(y.reshape(len(y), -1).astype(np.float64), placed)
    if problem is not None:
        warnings.warn(
            f"y {problem}; networks learn such numbers badly, so scale them: "
            "sklearn.compose.TransformedTargetRegressor(..., transformer=StandardScaler()), or before fit "
            "where predict_interval is wanted",
            UserWarning,
            stacklevel=5,
        )


def _far_off(numbers: Array, placed: bool) -> str | None:
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


def _ends(X: Any) -> tuple[Array, Array]:
    """Return the least and the largest number of each column."""
    low, high = X.min(axis=0), X.max(axis=0)
    return tuple(np.ravel(a.toarray() if hasattr(a, "toarray") else a) for a in (low, high))  # type: ignore


def _name(column: int, names: Any) -> str:
    return f"column {column}" if names is None else repr(str(names[column]))
