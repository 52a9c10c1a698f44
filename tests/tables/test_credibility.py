"""Credibility of levels: Buehlmann's k against its definition and the analysis of variance, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from minicolumn.tables.credibility import rows_to_believe

Array = np.ndarray


def drawn(seed: int, levels: int, rows: int, effect: float) -> tuple[Array, Array]:
    """Return levels of so many rows each, and noise of variance 1 above effects of a standard deviation."""
    rng = np.random.default_rng(seed)
    level = np.repeat(np.arange(levels), rows)
    return level, (effect * rng.standard_normal(levels)[level] + rng.standard_normal(len(level)))[:, None]


@pytest.mark.parametrize("seed", range(3))
def test_of_levels_equally_frequent_it_is_what_the_analysis_of_variance_says(seed: int):
    level, y = drawn(seed, 30, 7, 1.0)
    ratio = stats.f_oneway(*y.reshape(30, 7)).statistic
    assert rows_to_believe(level, y) == pytest.approx(7 / (ratio - 1), rel=1e-9)  # by algebra; rounding alone


@pytest.mark.parametrize("effect", [0.5, 1.0, 2.0])
def test_it_is_the_variance_within_over_that_between(effect: float):
    rng = np.random.default_rng(0)
    n = rng.integers(1, 12, 4_000)
    level = np.repeat(np.arange(4_000), n)
    y = effect * rng.standard_normal(4_000)[level] + rng.standard_normal(len(level))
    # The between-level variance has a standard error of about sqrt(2 / 4000) (effect^2 + 1 / 6): 4 % at 0.5.
    assert rows_to_believe(level, y[:, None]) == pytest.approx(1 / effect**2, rel=0.15)


def test_it_does_not_depend_on_unit_origin_or_names_of_levels():
    level, y = drawn(1, 40, 5, 0.7)
    k = rows_to_believe(level, y)
    other = np.random.default_rng(0).permutation(40)[level]
    assert rows_to_believe(other, 1_000.0 * y - 7.0) == pytest.approx(k, rel=1e-9)
    assert rows_to_believe(level, np.hstack([y, y])) == pytest.approx(k, rel=1e-9)


def test_what_levels_cannot_tell_takes_forever():
    level, y = drawn(2, 50, 4, 0.0)
    assert rows_to_believe(level, y - y.reshape(50, 4).mean(axis=1)[level][:, None]) == np.inf
    assert rows_to_believe(np.zeros(8, np.int64), y[:8]) == np.inf
    assert rows_to_believe(np.arange(8), y[:8]) == np.inf  # a row each


def test_what_levels_tell_alone_takes_no_row():
    level = np.repeat(np.arange(20), 3)
    assert rows_to_believe(level, 1.0 * level[:, None]) == pytest.approx(0.0, abs=1e-12)  # rounding alone
