"""Solvers, schedules and losses as texts with settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.estimators.parameters import optimizer_of
from minicolumn.nn.layers.noise import RATE
from minicolumn.nn.regularize import STRENGTH

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("solver", "settings", "expected"),
    [
        ("adam:b1=0.8", {"beta_2": 0.99}, mc.optim.Adam(0.001, b1=0.8, b2=0.99)),
        ("adam:learning_rate=0.01,b1=0.8", {}, mc.optim.Adam(0.01, b1=0.8)),
        ("sgd:momentum=0.5", {"learning_rate_init": 0.1}, mc.optim.SGD(0.1, momentum=0.5, nesterov=True)),
        ("sgd:nesterov=false", {}, mc.optim.SGD(0.001, momentum=0.9)),
        ("lion", {"learning_rate_init": None}, mc.optim.Lion(b2=0.999)),
        ("clipped:optimizer=(adam:b1=0.8),norm=1", {}, mc.optim.Clipped(mc.optim.Adam(b1=0.8), norm=1)),
        ("adamw:eps=1e-6", {"learning_rate_init": 0.02}, mc.optim.AdamW(0.02, eps=1e-6)),
    ],
)
def test_a_solver_may_tell_its_settings(solver: str, settings: dict[str, Any], expected: Any) -> None:
    X, y = np.linspace(-1, 1, 40)[:, None], np.linspace(0, 1, 40)
    model = mc.MLPRegressor(solver=solver, hidden_layer_sizes=(3,), max_iter=2, tol=0, **settings)
    model.fit(X, y)
    assert optimizer_of(model) == expected


def test_losses_and_schedules_may_tell_their_settings() -> None:
    X, y = np.linspace(-1, 1, 40)[:, None], np.linspace(0, 1, 40)
    given: dict[str, Any] = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    by_text, by_record = (
        mc.MLPRegressor(loss=loss, learning_rate=schedule, **given).fit(X, y)
        for loss, schedule in (
            ("huber:delta=0.1", "cosine:end=0.5"),
            (mc.nn.Loss("huber", delta=0.1), mc.optim.Cosine(0.5)),
        )
    )
    np.testing.assert_array_equal(by_text.predict(X), by_record.predict(X))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "adam:b1=2"}, "solver: Adam: b1: expected a number, 0 <= b1 < 1, got 2"),
        ({"solver": "adam:b=2"}, "solver: adam: unknown setting 'b'"),
        ({"solver": "lbfgs:m=2"}, "solver: unknown optimizer 'lbfgs'"),
        ({"learning_rate": "cosine:end=2"}, "learning_rate: Cosine: end: expected a number, 0 <= end <= 1"),
        ({"loss": "huber:delta=0"}, "loss: huber: delta: expected a number > 0"),
    ],
)
def test_settings_in_texts_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mc.MLPRegressor(**settings).fit(np.zeros((4, 1)), np.arange(4.0))


def test_a_rate_that_is_said_twice_is_told() -> None:
    model = mc.MLPRegressor(solver="adam:learning_rate=0.01", learning_rate_init=0.5, max_iter=500)
    with pytest.warns(UserWarning, match=r"tells its own rate, so learning_rate_init=0.5 is not used"):
        model.fit(np.zeros((4, 1)), np.arange(4.0))


def test_ranges_of_our_own_parameters_are_those_of_the_settings() -> None:
    for name, setting in (("dropout", RATE), ("input_dropout", RATE), ("l1", STRENGTH)):
        found = mc.MLPRegressor._parameter_constraints[name][0]
        for value in (-0.5, 0.0, 0.5, 1.0, 7.0):
            assert found.is_satisfied_by(value) == setting.holds(value)
