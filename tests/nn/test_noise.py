"""Layers of noise: what they keep, and how large their noise is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from minicolumn import nn, random
from minicolumn.nn.activations.rectifiers import SELU_ALPHA, SELU_SCALE

KEY = random.key(3)
ROWS = 200_000


def train(layer, x):
    return layer.apply({}, x, key=KEY, training=True)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    y = train(nn.AlphaDropout(rate), random.normal(random.key(1), (ROWS,), np.float64))
    # Standard errors of 0.0022 for the mean, and for the variance at most 0.013 (at rate 0.9, whose outputs
    # lie far out); five of them.
    assert abs(y.mean()) < 0.012
    assert abs(y.var() - 1) < 0.07


def test_alpha_dropout_is_the_formula():
    x = random.normal(random.key(1), (1000,), np.float64)
    rate, low = 0.3, -SELU_SCALE * SELU_ALPHA
    factor = (0.7 + low**2 * 0.7 * 0.3) ** -0.5
    y = (train(nn.AlphaDropout(rate), x) + factor * rate * low) / factor
    dropped = np.abs(y - low) < 1e-12
    np.testing.assert_allclose(y[~dropped], x[~dropped], atol=1e-14)  # a few roundings of numbers near 1
    assert stats.binomtest(int(dropped.sum()), 1000, rate).pvalue > 1e-3  # the seed is fixed


def test_selu_networks_stay_normalized_under_alpha_dropout():
    net = nn.Sequential(*[part for _ in range(10) for part in (nn.Dense(300, "selu"), nn.AlphaDropout(0.1))])
    x = random.normal(KEY, (500, 300))
    y = net.apply(net.init(0, (300,)), x, key=KEY, training=True)
    # Ten layers of 300 draws each: figures wander by about a tenth.
    assert abs(y.mean()) < 0.1
    assert abs(y.var() - 1) < 0.2


def test_gaussian_noise_has_its_deviation_in_the_units_of_x():
    y = train(nn.GaussianNoise(0.5), np.full(ROWS, 7.0)) - 7.0
    assert stats.kstest(y, stats.norm(0, 0.5).cdf).pvalue > 1e-3  # the seed is fixed


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_gaussian_dropout_has_the_mean_and_variance_of_dropout(rate):
    y = train(nn.GaussianDropout(rate), np.full(ROWS, 2.0))
    assert stats.kstest(y, stats.norm(2, 2 * math.sqrt(rate / (1 - rate))).cdf).pvalue > 1e-3  # fixed seed


@pytest.mark.parametrize("x", [-1.0, 0.0, 2.0])
def test_the_noise_of_noisy_relu_grows_from_0_to_1(x):
    y = train(nn.NoisyReLU(), np.full(ROWS, x))
    law, passed = stats.norm(x, math.sqrt(1 / (1 + math.exp(-x)))), y[y > 0]
    assert stats.binomtest(len(passed), ROWS, law.sf(0)).pvalue > 1e-3  # the seed is fixed
    assert stats.kstest(law.sf(passed) / law.sf(0), "uniform").pvalue > 1e-3
    assert nn.NoisyReLU().apply({}, np.array([x])).tolist() == [max(x, 0.0)]


def test_noisy_relu_is_silent_and_finite_far_out():
    import minicolumn as mc

    x = np.array([-3e38, -200.0, 3e38], np.float32)
    y = train(nn.NoisyReLU(), x)
    assert y.tolist() == [0.0, 0.0, x[2]]
    slope = mc.grad(lambda x: np.sum(train(nn.NoisyReLU(), x)))(x)
    assert slope.tolist() == [0.0, 0.0, 1.0]


def test_noise_of_two_layers_is_not_the_same():
    net = nn.Sequential(nn.GaussianNoise(1.0), nn.GaussianNoise(1.0))
    y = net.apply({"0": {}, "1": {}}, np.zeros(ROWS), key=KEY, training=True)
    assert abs(y.var() - 2) < 0.04  # twice the same noise would have variance 4; six standard errors
