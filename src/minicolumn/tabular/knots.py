"""Knots of a table's columns: where the ramps beside numbers begin and end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicolumn.nn import choose_knots
from minicolumn.tables.encode import Encoder

Array = np.ndarray

# Ramps beside the columns: stretches a column, rows for each stretch, and ramps of all columns together,
# which bound the width of the first weight. Columns of few numbers have a knot at each: what 7,298 says of
# a person's income is not what 7,000 says.
_MOST_STRETCHES, _FEW_STRETCHES, _ROWS_A_STRETCH, _MOST_RAMPS = 64, 128, 20, 512
_FEWEST_STRETCHES = 4
# Columns of fewer distinct numbers are left as they are, and so are those of few, evenly spaced ones: ramps
# on the codes 0 to 15 of letter_recognition cost accuracy (0.974 for 0.981).
_FEWEST_VALUES, _FEW_VALUES, _EVEN = 10, 32, 8.0


def table_knots(encoder: Encoder, X: Array) -> tuple[tuple[int, tuple[float, ...]], ...]:
    """Return the knots of the piecewise-linear encoding of each numeric feature: its quantiles.

    Features of codes, and those of few, evenly spaced numbers, have none. Tables of more than 128 such
    columns get none: four intervals each would widen the first weight too far.

    X           training rows [rows, features]
    Returns     ((column, knots), ...)
    Source      Gorishniy, Rubachev & Babenko 2022 (arXiv 2203.05556), section 3.2
    """
    codes = {column for column, _ in encoder.embeddings}
    found = [column for column in range(X.shape[1]) if column not in codes and _is_measured(X[:, column])]
    wanted = [min(_wanted_stretches(X[:, column]), len(X) // _ROWS_A_STRETCH) for column in found]
    most = _level(wanted, _MOST_RAMPS)
    if most < _FEWEST_STRETCHES:
        return ()
    return tuple(
        (column, choose_knots(X[:, column], min(most, stretches)))
        for column, stretches in zip(found, wanted, strict=True)
    )


def _wanted_stretches(x: Array) -> int:
    """Return how many stretches a column wants: one between any two neighbours of few numbers."""
    between = len(np.unique(x)) - 1
    return between if between <= _FEW_STRETCHES else _MOST_STRETCHES


def _level(wanted: Sequence[int], total: int) -> int:
    """Return the most that each may have so that all have at most a total; what some leave, others may have.

    >>> _level([10, 100, 100], 110)
    50
    """
    levels = range(max(wanted, default=0), 0, -1)
    return next((level for level in levels if sum(min(each, level) for each in wanted) <= total), 0)


def _is_measured(x: Array) -> bool:
    """Return whether a feature holds numbers so many or so unevenly spaced that ramps tell more than they.

    x           [rows], scaled
    """
    values = np.unique(x)
    if len(values) < _FEWEST_VALUES:
        return False
    gaps = np.diff(values.astype(np.float64))
    # Scaling with its smooth clip stretches even gaps to about a threefold difference, seldom to more.
    return len(values) > _FEW_VALUES or bool(gaps.max() > _EVEN * gaps.min())
