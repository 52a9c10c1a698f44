"""Initializers: each has the variance its formula says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from minicolumn import nn, random
from minicolumn.errors import DataError, ShapeError

KEY = random.key(5)
FAN_IN, FAN_OUT = 300, 200
VARIANCE = {
    "glorot": 2 / (FAN_IN + FAN_OUT),
    "he": 2 / FAN_IN,
    "lecun": 1 / FAN_IN,
    "normal": 1.0,
    "zeros": 0.0,
    "ones": 0.0,
}


@pytest.mark.parametrize("name", nn.INITIALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_variance_and_distribution(name, dtype):
    family, _, form = name.partition("_")
    drawn = nn.INITIALIZERS[name](KEY, (FAN_IN, FAN_OUT), dtype)
    assert (drawn.shape, drawn.dtype) == ((FAN_IN, FAN_OUT), dtype)
    variance = VARIANCE[family]
    if not variance:
        assert (drawn == (name == "ones")).all()
        return
    scale = variance**0.5
    law = stats.uniform(-(3**0.5) * scale, 2 * 3**0.5 * scale) if form == "uniform" else stats.norm(0, scale)
    assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 1e-3  # the seed is fixed
    # 60,000 draws: the variance of a normal has a relative standard error of 0.6 %; five of them.
    assert abs(drawn.astype(np.float64).var() / variance - 1) < 0.03


def test_axes_in_front_count_towards_both_fans():
    drawn = nn.INITIALIZERS["he_normal"](KEY, (5, 60, 200), np.float64)
    assert abs(drawn.var() * FAN_IN / 2 - 1) < 0.03  # as above: 60,000 draws


@pytest.mark.parametrize("name", ["he_normal", "glorot_uniform", "lecun_uniform"])
@pytest.mark.parametrize("shape", [(), (3,), (0, 3)])
def test_weights_need_two_fans(name, shape):
    with pytest.raises(ShapeError, match=r"expected \[fan_in, fan_out\]"):
        nn.INITIALIZERS[name](KEY, shape, np.float32)


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
