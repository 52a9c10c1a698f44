"""Chains of parts."""

from __future__ import annotations

import numpy as np
import pytest

from minicolumn import optim
from minicolumn.optim import parts
from minicolumn.optim.transform import side_by_side

PARTS = [
    parts.decay(0.1),
    parts.heavy_ball(),
    parts.over_root_mean_square(),
    parts.over_root_sum(),
    parts.adaptive_moments(),
    parts.over_largest(),
    parts.never_faster_moments(),
    parts.rectified_moments(),
    parts.over_own_steps(),
    parts.resilient(),
    parts.sign_of_mean(),
]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_keeps_the_names_it_declares(part):
    param = np.ones(3)
    moments = part.start(param)
    direction, after = part.step(param, moments, param, np.float64(1))
    assert tuple(moments) == tuple(after) == part.names
    assert direction.shape == (3,)


def test_a_chain_applies_its_parts_in_order():
    param, time = np.array([2.0]), np.array(1.0)
    chain = optim.chain(parts.decay(0.5), parts.heavy_ball(0.5), parts.decay(0.25))
    direction, moments = chain.step(np.array([1.0]), {"velocity": np.array([8.0])}, param, time)
    assert direction.tolist() == [0.5 * 8 + (1 + 0.5 * 2) + 0.25 * 2]
    assert {name: value.tolist() for name, value in moments.items()} == {"velocity": [6.0]}


def test_an_empty_chain_is_plain_descent():
    assert optim.chain().step(np.array([1.0]), {}, np.array([0.0]), np.array(1.0)) == (np.array([1.0]), {})


def test_transforms_side_by_side_list_the_same_names():
    rolling, adam = parts.heavy_ball(), parts.adaptive_moments()
    param, time = np.ones(3, np.float32), np.ones((), np.float32)
    for own, others in ((rolling, adam), (adam, rolling)):
        shared = side_by_side(own, others)
        moments = shared.start(param)
        assert set(moments) == set(shared.names) == {"velocity", "mean", "square"}
        assert all(moments[name].shape == () for name in shared.names if name not in own.names)
        direction, after = shared.step(param, moments, param, time)
        expected, kept = own.step(param, own.start(param), param, time)
        np.testing.assert_array_equal(direction, expected)
        assert {name: after[name].dtype for name in after} == dict.fromkeys(moments, np.dtype(np.float32))
        for name in own.names:
            np.testing.assert_array_equal(after[name], kept[name])


def test_two_parts_may_not_share_a_name():
    with pytest.raises(ValueError, match="under one name: velocity, velocity"):
        optim.chain(parts.heavy_ball(), parts.heavy_ball())
