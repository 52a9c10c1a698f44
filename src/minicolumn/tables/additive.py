"""Additive models of categorical columns by backfitting: what other columns tell of a target, taken away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Array = np.ndarray

FOLDS = 5
PRIOR = 16.0  # rows that the mean of all counts for beside those of a level


def residuals(others: Sequence[Array], target: Array, fold: Array) -> Array:
    """Return what an additive model of other columns leaves of a target, [folds, rows, outputs].

        residual = y - mean - sum_c f_c(level_c),    f_c(l) = sum of what is left at l / (n_l + 16)

    The model of a fold is fitted to the rows of the other folds, by two rounds of backfitting.

    others      level of each row in each column, from 0, int64 [rows]
    target      [rows, outputs]
    fold        [rows], from 0
    Source      Hastie & Tibshirani 1990, backfitting

    >>> fold, level = np.arange(4_000) % 5, np.arange(4_000) // 5 % 2
    >>> left = residuals([level], 1.0 * level[:, None], fold)
    >>> left.shape, bool(abs(left).max() < 0.01)
    ((5, 4000, 1), True)
    """
    left = np.repeat(target[None].astype(np.float64), int(fold.max()) + 1, axis=0)
    for number, rest in enumerate(left):
        fits = fold != number
        rest -= rest[fits].mean(axis=0)
        for level in (*others, *others):
            rows = np.bincount(level[fits], minlength=int(level.max()) + 1)
            for column in rest.T:
                sums = np.bincount(level[fits], column[fits], len(rows))
                column -= (sums / (rows + PRIOR))[level]
    return left
