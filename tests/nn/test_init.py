"""Initializers: each has the variance its formula says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from minicolumn import nn, random
from minicolumn.errors import DataError, ShapeError

KEY = random.key(5)
FAN_IN, FAN_OUT = 300, 200
SPREAD = 0.8796256610342398  # standard deviation of the normal between -2 and 2: 1 - 4 phi(2) / erf(sqrt 2)
THIRD = 3**0.5


def uniform(variance):
    return stats.uniform(-THIRD * variance**0.5, 2 * THIRD * variance**0.5)


def truncated(stddev):
    return stats.truncnorm(-2, 2, scale=stddev)


# What each initializer draws from, at 300 inputs and 200 outputs.
LAWS = {
    "glorot_normal": stats.norm(0, (2 / 500) ** 0.5),
    "glorot_uniform": uniform(2 / 500),
    "he_normal": stats.norm(0, (2 / 300) ** 0.5),
    "he_uniform": uniform(2 / 300),
    "lecun_normal": stats.norm(0, (1 / 300) ** 0.5),
    "lecun_uniform": uniform(1 / 300),
    "normal": stats.norm(0, 1),
    "random_uniform": stats.uniform(-0.05, 0.1),
    "truncated_normal": truncated(0.05),
    "variance_scaling": truncated((1 / 300) ** 0.5 / SPREAD),
    # Entries of a random orthogonal matrix of 300 rows are nearly N(0, 1 / 300).
    "orthogonal": stats.norm(0, (1 / 300) ** 0.5),
}
CONSTANT = {
    "zeros": np.zeros,
    "constant": np.zeros,
    "ones": np.ones,
    "identity": lambda shape: np.eye(*shape),
}


def test_every_initializer_has_a_law():
    assert {*LAWS, *CONSTANT} == set(nn.INITIALIZERS)


@pytest.mark.parametrize("name", nn.INITIALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_variance_and_distribution(name, dtype):
    drawn = nn.INITIALIZERS[name](KEY, (FAN_IN, FAN_OUT), dtype)
    assert (drawn.shape, drawn.dtype) == ((FAN_IN, FAN_OUT), dtype)
    if name in CONSTANT:
        np.testing.assert_array_equal(drawn, CONSTANT[name](drawn.shape))
        return
    law = LAWS[name]
    assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 1e-3  # the seed is fixed
    # 60,000 draws: the variance of a normal has a relative standard error of 0.6 %; five of them.
    assert abs(drawn.astype(np.float64).var() / law.var() - 1) < 0.03


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
def test_variance_scaling_has_the_variance_it_says(mode, distribution):
    drawn = nn.VarianceScaling(2.0, mode, distribution)(KEY, (FAN_IN, FAN_OUT), np.float64)
    variance = 2.0 / {"fan_in": 300, "fan_out": 200, "fan_avg": 250}[mode]
    assert abs(drawn.var() / variance - 1) < 0.03  # as above


def test_variance_scaling_holds_the_named_families():
    for name, settings in {
        "glorot_uniform": (1.0, "fan_avg", "uniform"),
        "he_normal": (2.0, "fan_in", "normal"),
        "lecun_uniform": (1.0, "fan_in", "uniform"),
    }.items():
        found = nn.VarianceScaling(*settings)(KEY, (7, 5), np.float64)
        np.testing.assert_array_equal(found, nn.INITIALIZERS[name](KEY, (7, 5), np.float64))


def test_truncated_normal_ends_at_two_deviations():
    for dtype in (np.float32, np.float64):
        drawn = nn.TruncatedNormal(stddev=1.0)(KEY, (200_000,), dtype)
        assert 1.999 < abs(drawn).max() <= 2.0
    moved = nn.TruncatedNormal(stddev=0.5, mean=3.0)(KEY, (10_000,), np.float64)
    assert abs(moved.mean() - 3) < 0.03  # 0.44 / sqrt(10,000), six times over


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6), (2, 3, 4), (1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_orthogonal_is(shape, dtype):
    matrix = nn.Orthogonal(gain=3.0)(KEY, shape, dtype).reshape(-1, shape[-1]) / 3.0
    short = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(short, np.eye(len(short)), atol=20 * np.finfo(dtype).eps)  # sums of up to 8


def test_orthogonal_prefers_no_sign():
    # Without the signs of R, LAPACK's first entries would all be negative.
    signs = [float(np.sign(nn.Orthogonal()(random.key(seed), (3, 3))[0, 0])) for seed in range(40)]
    assert 8 <= signs.count(1.0) <= 32  # beyond lie 0.01 % of fair tosses; the seeds are fixed


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Constant(math.nan), "Constant: value: expected a finite number, got nan"),
        (lambda: nn.RandomUniform(1.0, 0.5), "RandomUniform: high: expected a number >= low, got 0.5"),
        (lambda: nn.TruncatedNormal(-1), "TruncatedNormal: stddev: expected a number >= 0, got -1"),
        (lambda: nn.VarianceScaling(0), "VarianceScaling: scale: expected a number > 0, got 0"),
        (lambda: nn.VarianceScaling(1, "fan"), "mode: expected one of fan_in, fan_out, fan_avg, got 'fan'"),
        (
            lambda: nn.VarianceScaling(distribution="n"),
            "distribution: expected one of normal, truncated_normal",
        ),
        (lambda: nn.Orthogonal(math.inf), "Orthogonal: gain: expected a finite number, got inf"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_axes_in_front_count_towards_both_fans():
    drawn = nn.INITIALIZERS["he_normal"](KEY, (5, 60, 200), np.float64)
    assert abs(drawn.var() * FAN_IN / 2 - 1) < 0.03  # as above: 60,000 draws


@pytest.mark.parametrize(
    "name", ["he_normal", "glorot_uniform", "lecun_uniform", "variance_scaling", "orthogonal"]
)
@pytest.mark.parametrize("shape", [(), (3,), (0, 3)])
def test_weights_need_two_fans(name, shape):
    with pytest.raises(ShapeError, match=r"expected \[fan_in, fan_out\]"):
        nn.INITIALIZERS[name](KEY, shape, np.float32)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 3)])
def test_identity_is_a_matrix(shape):
    with pytest.raises(ShapeError, match=r"identity: weights have shape .*, expected \[fan_in, fan_out\]"):
        nn.INITIALIZERS["identity"](KEY, shape, np.float32)


def test_unknown_name_gets_a_hint():
    with pytest.raises(DataError, match="did you mean 'lecun_normal'"):
        nn.initializer_by_name("lecun_norml")


@pytest.mark.parametrize("name", ["relu", "selu", "tanh"])
def test_the_chosen_initializer_keeps_signals_alive(name):
    # Twenty layers down, the mean square has neither faded nor blown up: a gain that is wrong by 2
    # would be a factor of a million, while tanh, which bends, fades as about 1 / (2 depth).
    net = nn.Sequential(*[nn.Dense(200, activation=name) for _ in range(20)])
    out = net.apply(net.init(0, (200,)), random.normal(KEY, (50, 200)))
    assert 1 / 100 < float(np.mean(out**2)) < 100
