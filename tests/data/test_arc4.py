"""The random numbers of links, beside those of the library that drew them first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minicolumn.data.points.arc4 import Arc4

# Made by tests/playground/golden/make_playground.cjs, which says how.
GOLDEN = json.loads((Path(__file__).parent / "golden" / "seedrandom.json").read_text())


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: ascii(row["seed"])[:20])
def test_the_numbers_of_a_seed_are_those_of_seedrandom(row):
    random = Arc4(row["seed"])
    drawn = [random() for _ in range(1002)]
    assert drawn[:4] == row["first"]
    assert drawn[1000:] == row["after_1000"]


def test_a_new_seed_is_the_next_number_with_five_decimals():
    random, same = Arc4("0.77049"), Arc4("0.77049")
    for _ in range(1000):
        assert random.seed() == f"{same():.5f}"


def test_of_two_seeds_that_are_equally_near_it_is_the_larger_one():
    class Tie(Arc4):
        def __call__(self) -> float:
            return 1 / 64  # 0.015625, halfway between two texts of five decimals

    assert Tie("").seed() == "0.01563"


def test_normal_numbers_are_normal():
    from scipy import stats

    random = Arc4("normal")
    drawn = [random.normal(2.0, 9.0) for _ in range(5_000)]
    assert stats.kstest(drawn, "norm", (2.0, 3.0)).pvalue > 1e-3  # the seed is fixed


def test_shuffling_puts_all_in_every_order_alike():
    counts: dict[tuple[int, ...], int] = {}
    random = Arc4("orders")
    for _ in range(2_400):
        items = [0, 1, 2, 3]
        random.shuffle(items)
        counts[tuple(items)] = counts.get(tuple(items), 0) + 1
    assert len(counts) == 24
    # A binomial count of 100 has a standard deviation of 9.8; the seed is fixed.
    assert max(abs(count - 100) for count in counts.values()) < 40
