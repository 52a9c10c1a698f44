"""Buehlmann credibility: how many rows of a level it takes until its own mean is to be believed."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def rows_to_believe(level: Array, target: Array) -> float:
    """Return after how many rows the mean of a level tells as much as the mean of all levels, Buehlmann's k.

        k = s2 / a,    s2 = sum (y - mean_l)^2 / (N - L)                                within levels
                       a = (sum n_l (mean_l - mean)^2 / (L - 1) - s2) / n0              between levels
                       n0 = (N - sum n_l^2 / N) / (L - 1)                               rows a level

    The best linear estimate of a level's mean gives its own n rows the weight n / (n + k). Over several
    outputs the sums of squares are added up.

    level       of each row, from 0 without a gap, int64 [rows]
    target      [rows, outputs]
    Returns     k > 0; infinity where levels differ by no more than chance, or there are no two of them
    Source      Buehlmann & Straub 1970; the estimator of the between-level variance is that of the one-way
                analysis of variance with unequal groups (Searle 1971)
    Differs     target encoding draws each mean by a k that is given; here k is measured

    >>> rng = np.random.default_rng(0)
    >>> level, effects = rng.integers(0, 5_000, 50_000), rng.standard_normal(5_000)
    >>> noise = 2.0 * rng.standard_normal((50_000, 1))
    >>> round(rows_to_believe(level, effects[level][:, None] + noise)), rows_to_believe(level, noise) > 100
    (4, True)
    """
    n = np.bincount(level).astype(np.float64)
    rows, levels = len(level), len(n)
    if levels < 2 or rows <= levels:
        return np.inf
    y = target - target.mean(axis=0)
    sums = np.stack([np.bincount(level, column, levels) for column in y.T], axis=-1)
    between = float((sums**2 / n[:, None]).sum())
    within = (float((y**2).sum()) - between) / (rows - levels)
    each = (rows - float((n**2).sum()) / rows) / (levels - 1)
    spread = (between / (levels - 1) - within) / each
    return max(within, 0.0) / spread if spread > 0 else np.inf
