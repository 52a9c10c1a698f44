"""Detection of codes among integers: single values tell more of the target than their order does.

Numbers that measure something are near in what they mean where they are near in value. Those of codes are
not: the mean of the target at 1,002 says nothing of that at 1,003. So two predictions of the target are
compared on rows that took no part in either: from the numbers around a value, and from the value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minicolumn.tables.additive import PRIOR, residuals

Array = np.ndarray

# Up to so many distinct numbers the recipe's ramps can follow each by itself, as an embedding would.
_FEW_LEVELS = 64
_FEWEST_ROWS, _FEWEST_ROWS_A_LEVEL = 1_000, 4
_REACHES = (1, 2, 4, 8, 16, 32, 64)  # levels on either side that are pooled, without the one between them
_BINS = (8, 16, 32, 64)  # of about as many rows each
_PRIORS = (4.0, 16.0, 64.0, 256.0)  # rows that what is known without the level counts for
# Where a level must stand to be believed: standard errors, share of the target's variance, and against order.
_SURE, _WORTH, _AGAINST_ORDER = 5.0, 0.01, 2.0


@dataclass(frozen=True, slots=True)
class CodeEvidence:
    """How much of a target's variance a column of integers explains on held-out rows, in two ways.

    levels      how many distinct integers there are
    by_order    share that is explained by a smooth function of the number, the best of several
    by_level    share that is explained by the mean at each number, drawn towards that function
    sureness    the difference over its standard error, each level taken as one observation
    """

    levels: int
    by_order: float
    by_level: float
    sureness: float

    @property
    def acts_like_codes(self) -> bool:
        """Whether single values surely tell more, much of the variance, and most of what the column tells."""
        gain = self.by_level - self.by_order
        ordered = max(self.by_order, 0.0)
        return self.sureness > _SURE and gain > _WORTH and self.by_level > _AGAINST_ORDER * ordered


def may_hold_codes(x: Array) -> bool:
    """Return whether numbers are so many integers, each so frequent, that codes could be told from amounts.

    x           finite numbers [rows]
    """
    if len(x) < _FEWEST_ROWS or not np.array_equal(x, np.floor(x)):
        return False
    return _FEW_LEVELS < len(np.unique(x)) <= len(x) // _FEWEST_ROWS_A_LEVEL


def weigh_codes(x: Array, target: Array, fold: Array, others: Sequence[Array] = ()) -> CodeEvidence:
    """Return how well a target is told by a column's numbers in their order, and by its single values.

        smooth_l = sum_near n_j mean_j / sum_near n_j        level_l = (n_l mean_l + k smooth_l) / (n_l + k)

    x           integers [rows], finite
    target      [rows, outputs]: numbers, or 0 and 1 for each class
    fold        [rows], from 0: each fold's rows are predicted from those of the others
    others      level of each row in each of other columns, from 0, int64 [rows]: what an additive model of
                them tells is taken away first
    Returns     `CodeEvidence`; the smooth function, and k, are those of the smallest squared error
    Source      Micci-Barreca 2001 for the shrunk means of levels; Hastie & Tibshirani 1990 for backfitting
    Differs     target encoding replaces the column; here it is a test, and the network learns from the level

    >>> rng = np.random.default_rng(0)
    >>> x, fold = rng.integers(0, 300, 4_000), rng.integers(0, 5, 4_000)
    >>> effects = rng.standard_normal(300)
    >>> weigh_codes(x, effects[x][:, None], fold).acts_like_codes
    True
    >>> weigh_codes(x, x[:, None], fold).acts_like_codes
    False
    """
    plain = _Cells.of(x, target, fold)
    cells = _Cells.of_residuals(x, residuals(others, target, fold), fold) if others else plain
    smooth = min(cells.smooth(), key=cells.total)
    level = min((cells.shrunk(smooth, k) for k in _PRIORS), key=cells.total)
    gains = (cells.errors(smooth) - cells.errors(level)).sum(axis=0)
    base = plain.total(plain.mean) or 1.0
    start = cells.total(cells.mean)
    spread = float(np.sqrt((gains**2).sum())) or 1.0
    return CodeEvidence(
        levels=cells.rows.shape[1],
        by_order=(start - cells.total(smooth)) / base,
        by_level=(start - cells.total(level)) / base,
        sureness=float(gains.sum()) / spread,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Cells:
    """The rows of each fold and level, summed: all that squared errors of means depend on.

    rows        how many, [folds, levels]
    sums        of the target, [folds, levels, outputs]
    squares     of the target, summed over outputs, [folds, levels]
    other_rows, other_sums      the same of the rows of the other folds
    """

    rows: Array
    sums: Array
    squares: Array
    other_rows: Array
    other_sums: Array

    @classmethod
    def of(cls, x: Array, target: Array, fold: Array) -> _Cells:
        """Sum the rows up."""
        values, level = np.unique(x, return_inverse=True)
        folds, levels = int(fold.max()) + 1, len(values)
        cell = fold * levels + level.reshape(-1)

        def summed(weights: Array | None) -> Array:
            return np.bincount(cell, weights, folds * levels).reshape(folds, levels)

        rows = summed(None).astype(np.float64)
        sums = np.stack([summed(column) for column in target.T], axis=-1)
        squares = summed((target**2).sum(axis=1))
        return cls(rows, sums, squares, rows.sum(axis=0) - rows, sums.sum(axis=0) - sums)

    @classmethod
    def of_residuals(cls, x: Array, left: Array, fold: Array) -> _Cells:
        """Sum rows up of which each fold has a target of its own, [folds, rows, outputs]."""
        held = [cls.of(x, target, fold) for target in left]
        at = range(len(left))
        sums, squares = (np.stack([getattr(held[f], name)[f] for f in at]) for name in ("sums", "squares"))
        other = np.stack([held[f].other_sums[f] for f in at])
        return cls(held[0].rows, sums, squares, held[0].other_rows, other)

    @property
    def mean(self) -> Array:
        """Mean of the other folds, [folds, 1, outputs]."""
        rows = self.other_rows.sum(axis=1)[:, None, None]
        return self.other_sums.sum(axis=1, keepdims=True) / np.maximum(rows, 1.0)

    def errors(self, guess: Array) -> Array:
        """Return the summed squared errors of a guess [folds, levels, outputs], [folds, levels]."""
        cross = (guess * self.sums).sum(axis=-1)
        return self.squares - 2.0 * cross + self.rows * (guess**2).sum(axis=-1)

    def total(self, guess: Array) -> float:
        """Return the summed squared error of a guess."""
        return float(self.errors(guess).sum())

    def shrunk(self, smooth: Array, k: float) -> Array:
        """Return the means of the other folds' levels, drawn towards a smooth guess of k rows."""
        return (self.other_sums + k * smooth) / (self.other_rows + k)[:, :, None]

    def smooth(self) -> list[Array]:
        """Return guesses from the numbers around a level, and from bins of them, [folds, levels, outputs]."""
        rows, sums = _running(self.other_rows[:, :, None]), _running(self.other_sums)
        return [
            *(self._near(rows, sums, reach) for reach in _REACHES),
            *(self._bins(rows, sums, n) for n in _BINS),
        ]

    def _near(self, rows: Array, sums: Array, reach: int) -> Array:
        """Return the mean of so many levels on either side, without the level itself."""
        at = np.arange(self.rows.shape[1])
        low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(at))
        near = rows[:, high] - rows[:, low] - self.other_rows[:, :, None]
        return self._pooled(near, sums[:, high] - sums[:, low] - self.other_sums)

    def _bins(self, rows: Array, sums: Array, bins: int) -> Array:
        """Return the mean of each level's bin, of about as many rows as every other bin."""
        every = self.rows.sum(axis=0)
        middle = np.cumsum(every) - every / 2
        place = np.minimum((middle / every.sum() * bins).astype(np.int64), bins - 1)
        low, high = np.searchsorted(place, place), np.searchsorted(place, place, side="right")
        return self._pooled(rows[:, high] - rows[:, low], sums[:, high] - sums[:, low])

    def _pooled(self, rows: Array, sums: Array) -> Array:
        """Return means, drawn towards that of all rows where rows are few."""
        return (sums + PRIOR * self.mean) / (rows + PRIOR)


def _running(x: Array) -> Array:
    """Return sums over the levels before each, [folds, levels + 1, outputs]."""
    return np.concatenate([np.zeros_like(x[:, :1]), np.cumsum(x, axis=1)], axis=1)
