"""A loss with its settings: made, called, written, read, and what it refuses."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest

from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError
from minicolumn.nn.losses import as_loss, huber, quantile, squared_error
from minicolumn.nn.losses.regression import LEVELS

NAMES = sorted(nn.LOSSES)
# A value other than the default for every setting of the catalogue.
OTHER = {
    "delta": 2.5,
    "levels": (0.1, 0.5, 0.9),
    "floor": 0.5,
    "power": 1.25,
    "label_smoothing": 0.1,
    "gamma": 1.0,
    "alpha": 0.25,
}
# and values that none of them takes
BAD: dict[str, list[Any]] = {
    "delta": [0.0, -1.0, float("nan"), float("inf"), "1", None, True, 10**400],
    "levels": [(), (0.5, 0.5), (0.9, 0.1), (0.0,), (1.0,), (0.5, float("nan")), "0.5", ("0.5",), None],
    "floor": [0.0, -1.0, float("nan")],
    "power": [1.0, 2.0, float("nan")],
    "label_smoothing": [1.0, -0.1, float("nan")],
    "gamma": [-0.1, float("nan"), float("inf")],
    "alpha": [0.0, 1.0, float("nan"), "0.5"],
}
SETTINGS = [(rule.name, setting) for rule in nn.LOSSES.values() for setting in rule.settings]


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_fits_the_functions(name: str) -> None:
    rule = nn.LOSSES[name]
    assert rule.function.__name__ == name
    assert list(rule.defaults) == list(rule.settings)
    for setting, value in rule.defaults.items():
        assert rule.settings[setting].check(value, name) == value
    assert rule.output_activation in nn.ACTIVATIONS
    assert rule.task in ("regression", "binary", "multiclass")
    assert hash(rule) == hash(nn.LOSSES[name])


def test_aliases_are_no_names_of_their_own() -> None:
    assert not set(nn.ALIASES) & set(nn.LOSSES)
    assert set(nn.ALIASES.values()) <= set(nn.LOSSES)
    for alias, name in nn.ALIASES.items():
        assert nn.Loss(alias) == nn.Loss(name)
        assert nn.loss_by_name(alias) is nn.LOSSES[name]


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_a_record_is_its_function_with_settings_bound(name: str, setting: str) -> None:
    found = nn.Loss(name, **{setting: OTHER[setting]})
    assert found.changed == ((setting, OTHER[setting]),)
    assert found.settings == {**nn.LOSSES[name].defaults, setting: OTHER[setting]}
    assert eval(repr(found), {"Loss": nn.Loss}) == found
    assert hash(found) == hash(nn.Loss(name, **{setting: OTHER[setting]}))
    assert as_loss(functools.partial(nn.LOSSES[name].function, **{setting: OTHER[setting]})) == found


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_it_goes_through_text(name: str, setting: str) -> None:
    for found in (nn.Loss(name), nn.Loss(name, **{setting: OTHER[setting]})):
        written = json.loads(json.dumps(found.to_json(), allow_nan=False))
        assert nn.Loss.from_json(written) == found
    assert nn.Loss(name).to_json() == name


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_values_out_of_range_are_refused_everywhere(name: str, setting: str) -> None:
    function = functools.partial(nn.LOSSES[name].function, np.ones((2, 1)), np.ones(2, int))
    for value in BAD[setting]:
        for make in (function, functools.partial(nn.Loss, name)):
            with pytest.raises(DataError, match=f"{name}: {setting}: expected .*, got") as caught:
                make(**{setting: value})
            assert len(str(caught.value)) < 200
        with pytest.raises(ModelFileError, match=f"loss: {name}: {setting}: expected"):
            nn.Loss.from_json({"name": name, setting: value})


def test_defaults_and_numpy_numbers_make_equal_records() -> None:
    assert nn.Loss("huber", delta=1) == nn.Loss("huber")
    assert nn.Loss("huber", delta=np.float32(2)) == nn.Loss("huber", delta=2)
    assert type(nn.Loss("huber", delta=np.float64(2)).settings["delta"]) is float
    levels = nn.Loss("quantile", levels=np.array([0.25, 0.75]))
    assert levels == nn.Loss("quantile", levels=[0.25, 0.75])
    assert nn.Loss("quantile", levels=0.5) == nn.Loss("quantile")


def test_it_is_called_like_a_function() -> None:
    y, t, weight = np.array([10.0, 0.0]), np.zeros(2), np.array([1.0, 3.0])
    assert nn.Loss("huber", delta=2)(y, t, weight) == huber(y, t, weight, delta=2.0) == 4.5


def test_what_is_measured_knows_no_smoothing() -> None:
    assert nn.Loss("binary_cross_entropy", label_smoothing=0.1).measured() == nn.Loss("binary_cross_entropy")
    kept = nn.Loss("softmax_focal", gamma=1.0)
    assert kept.measured() == kept


def test_functions_of_the_catalogue_are_known() -> None:
    assert as_loss(squared_error) == nn.Loss("squared_error")
    assert as_loss("mse") == nn.Loss("squared_error")
    assert as_loss(lambda outputs, targets, weight: outputs) is None
    assert as_loss(functools.partial(quantile, np.zeros(3))) is None  # no setting is bound


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Loss("hubert"), "unknown loss 'hubert'; did you mean 'huber'"),
        (
            lambda: nn.Loss("sparse_categorical_crossentropi"),
            "did you mean 'sparse_categorical_crossentropy'",
        ),
        (lambda: nn.Loss("huber", detla=2.0), "huber: unknown setting 'detla'; did you mean 'delta'"),
        (lambda: nn.Loss("log_cosh", delta=2.0), "log_cosh: unknown setting 'delta'; it has none"),
        (lambda: nn.Loss("quantile", q=0.5), "unknown setting 'q'; there are levels"),
        (lambda: nn.Loss(huber), "Loss: name: expected a name such as 'huber', got function"),  # type: ignore[arg-type]
    ],
)
def test_what_it_refuses(make: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("mse", "unknown loss 'mse'"),  # files hold the catalogue's own names
        (None, "unknown loss None"),
        (3, "unknown loss 3"),
        ([], r"unknown loss \[\]"),
        ({}, "unknown loss None"),
        ({"name": "huber", "self": 1}, "huber: unknown setting 'self'"),
        ({"name": "huber", "__class__": 1}, "huber: unknown setting '__class__'"),
        ({"name": ["huber"]}, "unknown loss"),
        ({"name": "huber", "delta": [1.0]}, "delta: expected a number > 0"),
        ({"name": "quantile", "levels": {"0.5": 1}}, "levels: expected"),
        (
            {"name": "quantile", "levels": [k / 5000 for k in range(1, LEVELS.longest + 2)]},
            "levels: expected",
        ),
        ({"name": "quantile", "levels": [[0.5]]}, "levels: expected"),
        ({"name": "x" * 10_000}, "unknown loss"),
    ],
)
def test_what_a_file_may_not_say(value: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        nn.Loss.from_json(value)
    assert len(str(caught.value)) < 200
