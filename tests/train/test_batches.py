"""Orders and their cuts: every row once an epoch, each epoch its own order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.train.batches import chunks, epoch_order, steps_in


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


@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 12))
def test_cutting_loses_nothing_and_makes_few_lengths(rows: int, batch: int, most: int) -> None:
    order = np.arange(rows, dtype=np.int32)
    pieces = list(chunks(order, batch, most))
    np.testing.assert_array_equal(np.concatenate([piece.ravel() for piece in pieces]), order)
    assert sum(len(piece) for piece in pieces) == steps_in(rows, batch)
    assert all(0 < len(piece) <= most for piece in pieces)
    # One program for each shape: at most two lengths of whole batches, and the short batch.
    assert len({piece.shape for piece in pieces if piece.shape[1] == batch}) <= 2
    assert len({piece.shape for piece in pieces}) <= 3
    assert all(piece.shape[1] == batch for piece in pieces[: rows // batch // most])
