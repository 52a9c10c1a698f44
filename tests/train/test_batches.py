"""Orders: every row once an epoch, each epoch its own; and how many steps to take at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.train.batches import Orders, Pace, epoch_order


@given(st.integers(0, 2**63), st.integers(1, 5), st.integers(1, 60))
def test_an_order_is_a_permutation_that_depends_on_seed_and_epoch_alone(
    seed: int, epoch: int, rows: int
) -> None:
    order = epoch_order(seed, epoch, rows)
    assert order.dtype == np.int32
    assert sorted(order) == list(range(rows))
    np.testing.assert_array_equal(order, epoch_order(seed, epoch, rows))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(epoch_order(seed, epoch, 30)) for seed in range(3) for epoch in range(1, 5)}
    assert len(orders) == 12


def test_without_shuffling_rows_keep_their_order() -> None:
    assert list(epoch_order(7, 3, 5, shuffle=False)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rows", [1, 7, 200, 1 << 15])
def test_orders_drawn_many_at_a_time_are_those_drawn_one_by_one(rows: int) -> None:
    orders = Orders(11, rows)
    for epoch in (1, 2, 3, 70, 71, 5):
        np.testing.assert_array_equal(orders.of(epoch), epoch_order(11, epoch, rows))
    assert list(Orders(11, 3, shuffle=False).of(9)) == [0, 1, 2]


@pytest.mark.parametrize("shuffle", [True, False])
def test_orders_of_several_epochs_are_those_of_each(shuffle: bool) -> None:
    orders = Orders(5, 20, shuffle)
    np.testing.assert_array_equal(orders.of_several(3, 4), [orders.of(epoch) for epoch in (3, 4, 5, 6)])


@given(st.floats(1e-7, 10.0), st.integers(1, 100))
def test_the_pace_settles_at_chunks_that_last_as_long_as_asked(seconds_a_step: float, first: int) -> None:
    pace = Pace(seconds=0.06, steps=first)
    for _ in range(12):
        assert pace.steps >= 1
        pace.took(pace.steps, pace.steps * seconds_a_step)
    ideal = max(1, int(0.06 / seconds_a_step))
    assert 0.98 * ideal - 1 <= pace.steps <= ideal + 1


def test_the_pace_grows_by_at_most_eight() -> None:
    pace = Pace(steps=4)
    pace.took(4, 0.5)  # the first chunk compiles
    assert pace.steps == 1
    pace.took(1, 1e-6)
    assert pace.steps == 8
    pace.took(8, 1e-6)
    assert pace.steps == 64
