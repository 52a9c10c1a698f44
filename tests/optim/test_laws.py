"""What single optimizers promise, and first steps worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn import optim, random
from minicolumn.optim import parts

slopes = st.lists(st.floats(-100, 100), min_size=1, max_size=40)


def steps(optimizer: optim.Optimizer, params, slopes):
    """Return the updates along given slopes, and the last moments."""
    moments, updates = optimizer.start(params), []
    for slope in slopes:
        update, moments = optimizer.step(slope, moments, params)
        params = optim.apply_updates(params, update)
        updates.append(update)
    return updates, moments


@given(slopes)
def test_adam_steps_are_bounded(slopes):
    b1, b2 = 0.9, 0.99
    updates, _ = steps(optim.Adam(1.0, b1, b2), np.zeros(1), [np.array([g]) for g in slopes])
    for t, update in enumerate(updates, 1):
        # By Cauchy and Schwarz: m is a sum of b1^k g, v one of b2^k g^2.
        free = (1 - b1) / math.sqrt((1 - b2) * (1 - b1**2 / b2))
        bound = free * math.sqrt(1 - b2**t) / (1 - b1**t)
        assert abs(update[0]) <= bound * (1 + 1e-9)  # a few roundings


@given(slopes)
def test_lion_steps_are_the_rate(slopes):
    updates, _ = steps(optim.Lion(0.25), np.zeros(1), [np.array([g]) for g in slopes])
    assert {abs(float(update[0])) for update in updates} <= {0.0, 0.25}


@given(slopes)
def test_what_amsgrad_divides_by_never_falls(slopes):
    optimizer, moments, before = optim.AMSGrad(), optim.AMSGrad().start(np.zeros(1)), 0.0
    for g in slopes:
        _, moments = optimizer.step(np.array([g]), moments, np.zeros(1))
        assert moments["largest"] >= max(before, float(moments["square"][0]))
        before = float(moments["largest"][0])


def test_rprop_by_hand():
    signs = [3.0, 2.0, -1.0, -1.0, -5.0, 0.0, -1.0]
    updates, moments = steps(optim.Rprop(0.5), np.zeros(1), [np.array([g]) for g in signs])
    # Grows by 1.2; halves and stays where the sign turns; has no side then; grows again; 0 is no side.
    factors = [-1.0, -1.2, 0.0, 0.6, 0.72, 0.0, 0.72]
    np.testing.assert_allclose(np.ravel(updates), 0.5 * np.array(factors), rtol=1e-15)
    assert moments["sign"] == -1


def test_rprop_keeps_its_bounds():
    optimizer = optim.Rprop(1.0, least=0.5, most=2.0)
    same, _ = steps(optimizer, np.zeros(1), [np.ones(1)] * 10)
    turning, moments = steps(optimizer, np.zeros(1), [np.ones(1) * (-1) ** (k // 2) for k in range(20)])
    assert np.min(same) == -2.0
    assert moments["size"] >= 0.5
    assert np.abs(turning).max() <= 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_radam_follows_the_mean_until_it_trusts_the_square(dtype):
    slopes = [np.full(1, g, dtype) for g in (4.0, -2.0, 8.0, 1.0, 1.0, 3.0, 2.0)]
    updates, _ = steps(optim.RAdam(1.0, b1=0.0), np.zeros(1, dtype), slopes)
    for update, slope in zip(updates[:5], slopes, strict=False):
        np.testing.assert_allclose(update, -slope, rtol=1e-6)
    exact, _ = steps(optim.RAdam(1.0, b1=0.0), np.zeros(1), [slope.astype(np.float64) for slope in slopes])
    # The count of trusted gradients is taken in float64, so float32 keeps its seven digits from the start.
    np.testing.assert_allclose(updates[5:], exact[5:], rtol=1e-6)
    assert np.abs(updates[5:]).max() < 0.1


def test_radam_is_finite_in_both_branches():
    part = parts.rectified_moments()
    with np.errstate(all="raise"):
        for t in range(1, 12):
            direction, _ = part.step(np.ones(2), part.start(np.ones(2)), np.ones(2), np.array(float(t)))
            assert np.isfinite(direction).all()


def test_adadelta_does_not_mind_the_scale_of_the_loss():
    small, _ = steps(optim.Adadelta(eps=1e-20), np.ones(1), [np.array([g]) for g in (1.0, 2.0, 3.0)])
    large, _ = steps(optim.Adadelta(eps=1e-20), np.ones(1), [np.array([1e4 * g]) for g in (1.0, 2.0, 3.0)])
    np.testing.assert_allclose(small, large, rtol=1e-12)  # eps is nothing beside squares of about 1


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 3), (1, 5), (5, 1)])
def test_muon_steps_have_singular_values_alike(shape):
    slope = random.normal(random.key(3), shape, np.float64)
    ((update,), _) = steps(optim.Muon(1.0, weight_decay=0.0), np.zeros(shape), [slope])
    values = np.linalg.svd(update, compute_uv=False) / (0.2 * math.sqrt(max(shape)))
    assert (
        (values > 0.65) & (values < 1.25)
    ).all()  # the polynomial's own range for values that are not tiny
    turned = np.linalg.svd(slope)[0]
    ((other,), _) = steps(optim.Muon(1.0, weight_decay=0.0), np.zeros(shape), [turned @ slope])
    np.testing.assert_allclose(other, turned @ update, rtol=1e-9, atol=1e-12)  # five rounds of roundings


def test_muon_leaves_the_rest_to_adamw():
    params = {
        "0": {"table": np.ones((3, 2))},
        "1": {"weight": np.eye(2), "bias": np.ones(2), "scale": np.ones(2)},
        "10": {"weight": np.eye(2)},
        "2": {"weight": np.eye(2)},
    }
    muon, adam = optim.Muon(0.1, exclude=("1", "2.weight")), optim.AdamW(0.1)
    ours, moments = muon.step(params, muon.start(params), params)
    theirs, _ = adam.step(params, adam.start(params), params)
    for layer, name in (("0", "table"), ("1", "weight"), ("1", "bias"), ("1", "scale"), ("2", "weight")):
        np.testing.assert_array_equal(ours[layer][name], theirs[layer][name])
        assert moments["velocity"][layer][name].shape == ()
    assert not np.allclose(ours["10"]["weight"], theirs["10"]["weight"])
    assert moments["square"]["10"]["weight"].shape == ()


def test_a_matrix_without_slope_stays():
    updates, _ = steps(optim.Muon(1.0, weight_decay=0.0), np.ones((2, 2)), [np.zeros((2, 2))] * 2)
    np.testing.assert_array_equal(updates, np.zeros((2, 2, 2)))


def test_schedule_free_weights_are_the_mean_of_the_fast_path():
    optimizer, y = optim.ScheduleFreeAdamW(0.1, b1=0.8), np.array([3.0, -1.0])
    moments, fast = optimizer.start(y), []
    np.testing.assert_array_equal(optimizer.weights(y, moments), y)
    rates = [0.0, 0.1, 0.1, 0.2, 0.1, 0.0]
    for rate in rates:
        update, moments = optimizer.step(2.0 * y, moments, y, rate)
        y = y + update
        fast.append(moments["fast"])
    weights = np.maximum.accumulate(rates) ** 2
    expected = np.average(fast, axis=0, weights=weights)
    np.testing.assert_allclose(optimizer.weights(y, moments), expected, rtol=1e-12)  # some roundings a step
    np.testing.assert_allclose(y, 0.2 * fast[-1] + 0.8 * expected, rtol=1e-12)
