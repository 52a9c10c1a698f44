"""Schedules: their formulas, their ends, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn import optim
from minicolumn.errors import DataError

EXAMPLES = {
    "constant": optim.Constant(),
    "cosine": optim.Cosine(end=0.1),
    "exponential": optim.Exponential(end=0.05),
    "step_decay": optim.StepDecay(0.5, at=(0.25, 0.5, 0.75)),
    "inverse_time": optim.InverseTime(steps=20, power=0.5),
    "warm_up": optim.WarmUp(optim.Cosine(), fraction=0.2),
    "log_cosine": optim.LogCosine(4),
    "polynomial": optim.Polynomial(end=0.1, power=2),
    "piecewise_constant": optim.PiecewiseConstant(at=(0.25, 0.5), factors=(0.2, 1.0, 0.0)),
    "one_cycle": optim.OneCycle(rise=0.25, div_factor=10, final_div_factor=100),
    "cosine_restarts": optim.CosineRestarts(cycles=3, t_mult=2, end=0.1),
    "flat_cosine": optim.FlatCosine(flat=0.25),
}
# The same formulas for one step, in plain Python.
FORMULAS = {
    "constant": lambda s, n: 1.0,
    "cosine": lambda s, n: 0.1 + 0.9 * (1 + math.cos(math.pi * s / n)) / 2,
    "exponential": lambda s, n: 0.05 ** (s / n),
    "step_decay": lambda s, n: 0.5 ** sum(s / n >= t for t in (0.25, 0.5, 0.75)),
    "inverse_time": lambda s, n: 1 / math.sqrt(1 + s / 20),
    "warm_up": lambda s, n: (
        (s + 1) / round(n / 5)
        if s < round(n / 5)
        else (1 + math.cos(math.pi * (s - round(n / 5)) / (n - round(n / 5)))) / 2
    ),
    "log_cosine": lambda s, n: (1 - math.cos(2 * math.pi * math.log2(1 + 15 * s / n))) / 2,
    "polynomial": lambda s, n: 0.1 + 0.9 * (1 - s / n) ** 2,
    "piecewise_constant": lambda s, n: 0.2 if s / n < 0.25 else 1.0 if s / n < 0.5 else 0.0,
    "one_cycle": lambda s, n: (
        0.1 + 0.9 * (1 - math.cos(math.pi * 4 * s / n)) / 2
        if 4 * s < n
        else 0.001 + 0.999 * (1 + math.cos(math.pi * (4 * s - n) / (3 * n))) / 2
    ),
    "flat_cosine": lambda s, n: 1.0 if 4 * s < n else (1 + math.cos(math.pi * (4 * s - n) / (3 * n))) / 2,
    "cosine_restarts": lambda s, n: 0.1 + 0.9 * (1 + math.cos(math.pi * restart(7 * s, n))) / 2,
}


def restart(s: int, n: int) -> float:
    """Return how much of its cycle lies behind a step, for cycles of n, 2n and 4n steps."""
    return s / n if s < n else (s - n) / (2 * n) if s < 3 * n else (s - 3 * n) / (4 * n)


NAMES = sorted(optim.SCHEDULES)


def test_every_schedule_has_a_formula():
    public = {
        kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, optim.Schedule)
    }
    assert public - {optim.Schedule} == set(optim.SCHEDULES.values())
    assert set(EXAMPLES) == set(FORMULAS) == set(optim.SCHEDULES)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)  # timing on shared machines says nothing
@given(total=st.integers(1, 500))
def test_factors_follow_the_formula_and_stay_in_0_to_1(name, total):
    found = EXAMPLES[name](np.arange(total), total)
    assert (found.shape, found.dtype) == ((total,), np.float64)
    assert ((found >= 0) & (found <= 1)).all()
    expected = [FORMULAS[name](step, total) for step in range(total)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)  # cosines cancel near their zeros
    for step in {0, total // 2, total - 1}:
        assert EXAMPLES[name](step, total) == found[step]


@pytest.mark.parametrize("name", NAMES)
def test_records_are_hashable_and_print_as_their_recipe(name):
    assert eval(repr(EXAMPLES[name]), dict(vars(optim))) == EXAMPLES[name]
    assert hash(EXAMPLES[name]) == hash(eval(repr(EXAMPLES[name]), dict(vars(optim))))


def test_log_cosine_has_its_cycles():
    # coslog4 touches zero where 1 + 15 t is a power of two, and one half way between in the logarithm.
    zeros, tops = (2.0 ** np.arange(5) - 1) / 15, (2.0 ** (np.arange(4) + 0.5) - 1) / 15
    np.testing.assert_allclose(optim.LogCosine(4)(zeros * 1e6, 10**6), 0, atol=1e-12)
    np.testing.assert_allclose(optim.LogCosine(4)(tops * 1e6, 10**6), 1, rtol=1e-12)


def test_warm_up_meets_its_inner_schedule():
    assert optim.WarmUp(optim.Constant(), 0.0)(np.arange(3), 3).tolist() == [1, 1, 1]
    assert optim.WarmUp(optim.Cosine(), 0.5)(np.array([4, 5]), 10).tolist() == [1, 1]


def test_one_cycle_has_its_ends_and_its_top():
    for shape in ("cosine", "linear"):
        found = optim.OneCycle(rise=0.3, shape=shape)(np.array([0, 30, 100]), 100)
        np.testing.assert_allclose(found, [1 / 25, 1.0, 1 / 25e4], rtol=1e-9)  # 1 - (1 - 4e-6) cancels
    assert optim.OneCycle(rise=0.5, shape="linear")(np.array([75]), 100) == pytest.approx((1 + 4e-6) / 2)


def test_restarts_begin_at_one_and_end_low():
    found = optim.CosineRestarts(cycles=3, t_mult=2)(np.arange(70), 70)
    assert np.flatnonzero(found == 1.0).tolist() == [0, 10, 30]
    assert (found[[9, 29, 69]] < 0.03).all()
    even = optim.CosineRestarts(cycles=4, t_mult=1)(np.arange(40), 40)
    np.testing.assert_allclose(even, np.tile(optim.Cosine()(np.arange(10), 10), 4), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("cosin", {}, "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ("cosine", {"ende": 0}, "cosine: unknown setting 'ende'; did you mean 'end'?"),
        ("cosine", {"end": 2}, "Cosine: end: expected a number, 0 <= end <= 1, got 2"),
        ("exponential", {"end": 0}, "Exponential: end: expected a number, 0 < end <= 1, got 0"),
        ("step_decay", {"factor": 0}, "StepDecay: factor: expected a number, 0 < factor <= 1, got 0"),
        (
            "step_decay",
            {"at": (0.5, 0.2)},
            "StepDecay: at: expected ascending numbers in (0, 1), got (0.5, 0.2)",
        ),
        ("step_decay", {"at": (1.0,)}, "StepDecay: at: expected ascending numbers in (0, 1)"),
        ("step_decay", {"at": 0.5}, "StepDecay: at: expected ascending numbers in (0, 1), got 0.5"),
        ("inverse_time", {"steps": 0}, "InverseTime: steps: expected a number > 0, got 0"),
        ("inverse_time", {"power": math.inf}, "InverseTime: power: expected a number >= 0, got inf"),
        (
            "warm_up",
            {"inner": 3},
            "WarmUp: inner: expected a schedule other than WarmUp, got 3",
        ),
        ("warm_up", {"inner": optim.WarmUp()}, "WarmUp: inner: expected a schedule other than WarmUp"),
        ("warm_up", {"fraction": 1}, "WarmUp: fraction: expected a number, 0 <= fraction < 1, got 1"),
        ("polynomial", {"power": 0}, "Polynomial: power: expected a number > 0, got 0"),
        (
            "piecewise_constant",
            {"at": (0.5,)},
            "PiecewiseConstant: factors: expected 2 numbers >= 0, one more",
        ),
        (
            "piecewise_constant",
            {"factors": (1, 1, -1)},
            "PiecewiseConstant: factors: expected numbers >= 0, got (1, 1, -1)",
        ),
        ("one_cycle", {"rise": 0}, "OneCycle: rise: expected a number, 0 < rise < 1, got 0"),
        ("one_cycle", {"shape": "square"}, "OneCycle: shape: expected one of cosine, linear, got"),
        ("one_cycle", {"div_factor": 0.5}, "OneCycle: div_factor: expected a number >= 1, got 0.5"),
        (
            "cosine_restarts",
            {"cycles": 0},
            "CosineRestarts: cycles: expected an integer, 1 <= cycles <= 30, got 0",
        ),
        ("cosine_restarts", {"t_mult": 0.5}, "CosineRestarts: t_mult: expected a number >= 1, got 0.5"),
        ("log_cosine", {"cycles": 31}, "LogCosine: cycles: expected an integer, 1 <= cycles <= 30, got 31"),
        ("log_cosine", {"cycles": 2.0}, "LogCosine: cycles: expected an integer, 1 <= cycles <= 30, got 2.0"),
    ],
)
def test_settings_out_of_range_are_refused(name, settings, message):
    with pytest.raises(DataError) as caught:
        optim.schedule_by_name(name, **settings)
    assert str(caught.value).startswith(message)
