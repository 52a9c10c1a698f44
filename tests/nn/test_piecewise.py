"""Ramps between knots: what they add up to, where they bend, and which knots are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError, ShapeError

KNOTS = (-2.0, -0.5, 0.0, 3.0)
numbers = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=40)


def ramps(x: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    return nn.PiecewiseLinear(((0, knots),)).apply({}, x[:, None])[:, 1:]


@given(numbers)
def test_stretches_times_ramps_give_the_number_between_the_outer_knots(values):
    x = np.array(values)
    found = KNOTS[0] + ramps(x, KNOTS) @ np.diff(KNOTS)
    # A dozen additions of numbers below 10 in float64.
    np.testing.assert_allclose(found, np.clip(x, KNOTS[0], KNOTS[-1]), atol=1e-13)


@given(numbers)
def test_a_ramp_starts_only_when_the_one_before_is_full(values):
    found = ramps(np.array(values), KNOTS)
    assert ((found >= 0) & (found <= 1)).all()
    assert ((found[:, 1:] == 0) | (found[:, :-1] == 1)).all()


def test_columns_stay_and_ramps_come_in_the_order_listed():
    layer = nn.PiecewiseLinear(((1, (0.0, 1.0)), (0, (0.0, 2.0, 4.0))))
    found = layer.apply({}, np.array([[3.0, 0.25]]))
    assert found.tolist() == [[3.0, 0.25, 0.25, 1.0, 0.5]]
    assert layer.output_shape((2,)) == (5,)


def test_compiled_it_gives_the_same_numbers():
    layer = nn.PiecewiseLinear(((1, KNOTS), (0, (0.0, 1.0))))
    x = np.linspace(-4, 4, 10, dtype=np.float32).reshape(5, 2)
    assert np.array_equal(mc.compile(lambda rows: layer.apply({}, rows))(x), layer.apply({}, x))


@pytest.mark.parametrize(
    "knots",
    [
        *[
            ((0, knots),)
            for knots in ((1.0,), (1.0, 1.0), (1.0, 1.0 + 1e-12), (0.0, np.nan), (0.0, np.inf), "ab")
        ],
        ((-1, (0.0, 1.0)),),
        ((True, (0.0, 1.0)),),
        ((0, (0.0, 1.0)), (0, (0.0, 1.0))),
        (3,),
    ],
)
def test_knots_that_do_not_rise_are_refused(knots):
    with pytest.raises(DataError, match="PiecewiseLinear: knots: expected"):
        nn.PiecewiseLinear(knots)


def test_a_column_that_the_input_lacks_is_refused():
    with pytest.raises(ShapeError, match=r"rows have shape \[2\], expected \[features > 2\]"):
        nn.PiecewiseLinear(((2, (0.0, 1.0)),)).output_shape((2,))


@pytest.mark.parametrize(
    "knots",
    [
        *[[[0, knots]] for knots in ([0.0], ["a", "b"], [0.0, 1e39], 1.0, [1.0, 0.0], list(range(1001)))],
        [[0.0, [0.0, 1.0]]],
        [[0]],
        {},
    ],
)
def test_a_file_cannot_hold_other_knots(knots):
    with pytest.raises(ModelFileError, match="knots"):
        nn.from_json({"kind": "piecewise_linear", "knots": knots})


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=200), st.integers(2, 20))
def test_chosen_knots_rise_from_the_least_number_to_the_largest(values, stretches):
    x = np.array(values, np.float32)
    knots = nn.choose_knots(x, stretches)
    assert (knots[0], knots[-1]) == (x.min(), x.max())
    assert (np.diff(knots) > 0).all()
    assert len(knots) <= stretches + 1


def test_chosen_knots_reach_a_few_numbers_among_many_zeros():
    x = np.concatenate([np.zeros(10_000), np.arange(1.0, 101.0)])
    knots = nn.choose_knots(x, 16)
    # Quantiles of 0, 1, ..., 100; those of the rows are all 0, but for the last.
    assert len(knots) == 9
    assert knots[:2] == (0.0, 12.5)


def test_few_distinct_numbers_are_all_knots():
    assert nn.choose_knots(np.array([5.0, 1.0, 1.0, 9.0]), 3) == (1.0, 5.0, 9.0)
    assert nn.choose_knots(np.array([5.0, 5.0]), 3) == (5.0,)
    with pytest.raises(DataError, match="at least 2, got 1"):
        nn.choose_knots(np.arange(9.0), 1)
