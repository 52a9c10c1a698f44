"""Codes among integers: found where single values tell of the target, never where order tells it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from minicolumn.tables.additive import FOLDS
from minicolumn.tables.code_search import may_hold_codes, weigh_codes

ROWS = 6_000
Array = np.ndarray


def noise(x: Array, rng: np.random.Generator) -> Array:
    return np.zeros(len(x))


AMOUNTS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "nothing": noise,
    "a line": lambda x, rng: x / 50.0,
    "a step": lambda x, rng: np.where(x > 77, 2.0, 0.0),
    "a peak": lambda x, rng: 2.0 * np.exp(-(((x - 60) / 8.0) ** 2)),
    "a wave of 24": lambda x, rng: np.sin(x * 2 * np.pi / 24),
    "a heavy tail": lambda x, rng: rng.standard_cauchy(len(x)),
}


def drawn(seed: int, levels: int = 150) -> tuple[Array, Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, levels, ROWS), rng.integers(0, FOLDS, ROWS), rng


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize("seed", range(5))
def test_amounts_are_no_codes_whatever_their_order_tells(name: str, seed: int):
    x, fold, rng = drawn(seed)
    y = AMOUNTS[name](x, rng) + rng.standard_normal(ROWS)
    found = weigh_codes(x, np.clip(y, -4, 4)[:, None], fold)
    assert not found.acts_like_codes
    assert not weigh_codes(x, np.eye(2)[(y > 0.5).astype(int)], fold).acts_like_codes


@pytest.mark.parametrize("seed", range(5))
def test_codes_are_found_by_numbers_and_by_classes(seed: int):
    x, fold, rng = drawn(seed, 300)
    y = rng.standard_normal(300)[x] + rng.standard_normal(ROWS)
    found = weigh_codes(x, y[:, None], fold)
    # Half of the variance is the levels', and 16 rows of each tell nearly all of it; the finest order that is
    # tried has four or five levels a bin, of whose mean they share about a fifth.
    assert found.acts_like_codes
    assert 0.35 < found.by_level < 0.6
    assert found.by_order < found.by_level / 2
    assert weigh_codes(x, np.eye(2)[(y > 0).astype(int)], fold).acts_like_codes


def test_codes_whose_groups_another_column_names_tell_nothing_beside_it():
    x, fold, rng = drawn(0)
    group = rng.integers(0, 12, 150)
    y = rng.standard_normal(12)[group][x] + rng.standard_normal(ROWS)
    assert weigh_codes(x, y[:, None], fold).acts_like_codes
    beside = weigh_codes(x, y[:, None], fold, [group[x]])
    assert not beside.acts_like_codes
    # What the groups do not tell is still found beside them.
    own = y + rng.standard_normal(150)[x]
    assert weigh_codes(x, own[:, None], fold, [group[x]]).acts_like_codes


def test_few_levels_few_rows_and_fractions_are_not_looked_at():
    x, _, _ = drawn(0)
    assert may_hold_codes(x.astype(float))
    assert not may_hold_codes(x % 64.0)
    assert not may_hold_codes(x[:999].astype(float))
    assert not may_hold_codes(x + 0.5)
    assert not may_hold_codes(np.arange(ROWS).astype(float))
