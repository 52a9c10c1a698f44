"""Optimizers by name: their settings, what they refuse, and how they print."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from minicolumn import optim
from minicolumn.errors import DataError

NAMES = sorted(optim.OPTIMIZERS)


def test_names_of_courses_are_settings_of_sgd():
    assert optim.optimizer_by_name("gradient_descent", learning_rate=0.5) == optim.SGD(0.5)
    assert optim.optimizer_by_name("momentum") == optim.SGD(momentum=0.9)
    assert optim.optimizer_by_name("nesterov", momentum=0.5) == optim.SGD(momentum=0.5, nesterov=True)
    assert not set(optim.ALIASES) & set(optim.OPTIMIZERS)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("adm", {}, "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("nestrov", {}, "unknown optimizer 'nestrov'; did you mean 'nesterov'?"),
        ("momentum", {"beta": 1}, "momentum: unknown setting 'beta'"),
        ("rprop", {"shrink": 1}, "Rprop: shrink: expected a number, 0 < shrink < 1, got 1"),
        ("rprop", {"grow": 1}, "Rprop: grow: expected a number > 1, got 1"),
        ("rprop", {"least": 2.0, "most": 1.0}, "Rprop: most: expected a number >= least, got 1.0"),
        ("muon", {"exclude": "2"}, "Muon: exclude: expected a tuple of paths such as"),
        ("schedule_free_adamw", {"b1": 0.0}, "ScheduleFreeAdamW: b1: expected a number, 0 < b1 < 1, got 0.0"),
        ("adam", {"learningrate": 1}, "adam: unknown setting 'learningrate'; did you mean 'learning_rate'?"),
        ("adam", {"learning_rate": -1}, "Adam: learning_rate: expected a number >= 0, got -1"),
        ("adam", {"learning_rate": math.nan}, "Adam: learning_rate: expected a number >= 0, got nan"),
        ("adam", {"b1": 1.0}, "Adam: b1: expected a number, 0 <= b1 < 1, got 1.0"),
        ("sgd", {"momentum": "0.9"}, "SGD: momentum: expected a number, 0 <= momentum < 1, got '0.9'"),
        ("sgd", {"nesterov": 1}, "SGD: nesterov: expected a boolean, true or false, got 1"),
        ("rmsprop", {"decay": -0.1}, "RMSProp: decay: expected a number, 0 <= decay < 1"),
        ("adagrad", {"initial": -1}, "AdaGrad: initial: expected a number >= 0"),
        ("adamw", {"weight_decay": -1}, "AdamW: weight_decay: expected a number >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(name, settings, message):
    with pytest.raises(DataError) as caught:
        optim.optimizer_by_name(name, **settings)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", NAMES)
def test_records_are_hashable_and_print_as_their_recipe(name):
    optimizer = optim.optimizer_by_name(name, learning_rate=0.5)
    assert eval(repr(optimizer), dict(vars(optim))) == optimizer
    assert hash(optimizer) == hash(dataclasses.replace(optimizer))


DECAYING = [name for name in NAMES if "weight_decay" in optim.OPTIMIZERS.settings(name)]


@pytest.mark.parametrize("name", DECAYING)
def test_a_transform_decays_weights_unless_they_are_said_to_be_others(name):
    optimizer = optim.OPTIMIZERS.make(name, weight_decay=0.1)
    weight, gradient = np.full((2, 2), 3.0), np.eye(2)

    def update(transform):
        return transform.step(gradient, transform.start(weight), weight, np.float64(1))[0]

    assert np.array_equal(update(optimizer.transform()), update(optimizer.transform(True)))
    assert not np.array_equal(update(optimizer.transform()), update(optimizer.transform(False)))
