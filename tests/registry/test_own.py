"""Entries of one's own in registries: where their names work, what a file does with them, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError, ModelFileError
from minicolumn.nn.activations.table import _made
from minicolumn.nn.roles import ByRole
from minicolumn.optim.catalogue import WRAPPERS
from minicolumn.registry import Number, Record, Registry, is_plain

REGISTRIES: tuple[Registry[Any], ...] = (
    nn.ACTIVATIONS, nn.LOSSES, nn.INITIALIZERS, nn.LAYERS, nn.REGULARIZERS, nn.CONSTRAINTS,
    mc.optim.OPTIMIZERS, mc.optim.SCHEDULES, mc.train.CALLBACKS, mc.train.METRICS,
)  # fmt: skip
RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 2)).astype(np.float32)
Y = X[:, :1] - X[:, 1:]
STEEPNESS = Number(help="How steep it is.", gt=0)


def swish(x: Any, *, steepness: Annotated[float, STEEPNESS] = 1.0) -> Any:
    """Return x / (1 + e^(-steepness x))."""
    return x / (1.0 + np.exp(-steepness * x))


def wing(outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
    """Return the mean of log(1 + error^2)."""
    return np.mean(np.log(1.0 + (outputs - targets) ** 2))


def small(key: Any, shape: Any, dtype: Any) -> Any:
    """Return weights of 0.125."""
    return np.full(shape, 0.125, dtype)


def within(y: Any, predicted: Any) -> float:
    """Return the share of rows that are off by less than 1."""
    return float(np.mean(np.abs(y - predicted) < 1.0))


@dataclass(frozen=True)
class Shifted(nn.Layer):
    """A layer that adds a number."""

    by: Annotated[float, Number(help="What is added.")] = 1.0

    def output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def declare(self, input_shape: Any) -> Any:
        return {}

    def apply(self, params: Any, x: Any, *, key: Any = None, training: bool = False) -> Any:
        return x + self.by


@dataclass(frozen=True)
class Quartic(Record, ByRole):
    """A penalty on fourth powers."""

    rate: Annotated[float, Number(help="Strength.", ge=0)] = 0.1

    def __call__(self, params: Any, roles: Any = None) -> Any:
        return self.rate * np.sum(params["0"]["weight"] ** 4)


@dataclass(frozen=True)
class Halves(mc.optim.Schedule):
    """Half of the rate, always."""

    factor: Annotated[float, Number(help="The factor.", gt=0)] = 0.5

    def __call__(self, step: Any, total_steps: int) -> Any:
        return np.full(np.shape(step), self.factor)


@dataclass(frozen=True)
class Stops(mc.Callback):
    """Stop after one epoch."""

    def on_epoch(self, trainer: Any, row: Any) -> None:
        trainer.stop("enough")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test adds is gone after it, which no process outside of tests can have."""
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_entries", registry._entries)
        monkeypatch.setattr(registry, "_own", registry._own)
    yield
    _made.cache_clear()


def test_an_own_name_works_wherever_names_do(tmp_path: Path) -> None:
    nn.ACTIVATIONS.add("lab.swish", swish, formula="x / (1 + e^(-s x))", init="he_normal")
    nn.LOSSES.add("lab.wing", wing)
    nn.INITIALIZERS.add("lab.small", small)
    nn.LAYERS.add("lab.shifted", Shifted)
    nn.REGULARIZERS.add("lab.quartic", Quartic)
    mc.optim.SCHEDULES.add("lab.halves", Halves)
    mc.train.CALLBACKS.add("lab.stops", Stops)
    mc.train.METRICS.add("lab.within", within, higher_is_better=True)
    dense = nn.Dense(3, "lab.swish:steepness=2", initializer="lab.small")
    net = nn.Sequential(dense, Shifted(0.5), nn.Dense(1))
    run = mc.fit(
        net, X, Y, loss="lab.wing", schedule="lab.halves:factor=0.25", regularizer="lab.quartic:rate=0.01",
        validation_fraction=0.25, metrics="rmse,lab.within", epochs=5, batch_size=8,
        callbacks="lab.stops,keep_best:monitor=val_lab.within",
    )  # fmt: skip
    assert run.stopped == "enough"
    assert len(run.history) == 1
    assert 0.0 <= run.history["val_lab.within"][0] <= 1.0
    run.save(tmp_path / "own.safetensors")
    again = mc.load(tmp_path / "own.safetensors")
    assert again.network == net
    assert np.array_equal(again.predict(X), run.predict(X))
    for registry, record in (
        (mc.optim.SCHEDULES, Halves(0.25)), (nn.REGULARIZERS, Quartic(0.5)), (mc.train.CALLBACKS, Stops()),
    ):  # fmt: skip
        assert registry.from_json(registry.to_json(record)) == record
        assert registry.make(registry.to_text(record)) == record


def test_estimators_know_names_that_were_added_after_they_were_imported() -> None:
    from sklearn.base import clone

    model = mc.MLPRegressor(hidden_layer_sizes=(4,), activation="lab.swish", loss="lab.wing", max_iter=1)
    with pytest.raises(ValueError, match="activation"):
        model.fit(X, Y[:, 0])
    nn.ACTIVATIONS.add("lab.swish", swish)
    nn.LOSSES.add("lab.wing", wing)
    fresh: Any = clone(model)
    with pytest.warns(match="converged"):
        fresh.fit(X, Y[:, 0])
    assert fresh.predict(X).shape == (24,)


def test_a_file_with_an_own_name_is_refused_in_one_line_where_nobody_added_it(tmp_path: Path) -> None:
    nn.ACTIVATIONS.add("lab.swish", swish)
    path = tmp_path / "own.safetensors"
    mc.fit(nn.Sequential(nn.Dense(3, "lab.swish"), nn.Dense(2)), X, np.arange(24) % 2, epochs=1).save(path)
    code = f"""
import minicolumn as mc
try:
    mc.load({str(path)!r})
except mc.ModelFileError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "unknown activation 'lab.swish'; the name is somebody's own: `add` it to the registry befo" in said
    assert said.count("\n") == 1
    for registry in (mc.optim.SCHEDULES, nn.REGULARIZERS, mc.train.CALLBACKS):
        with pytest.raises(ModelFileError, match=r"unknown \w+ 'lab.x'; the name is somebody's own"):
            registry.from_json({"name": "lab.x"})
    with pytest.raises(ModelFileError, match=r"unknown kind 'lab.x'; the name is somebody's own"):
        nn.from_json({"kind": "lab.x"})


def test_an_own_function_is_traced_anew_as_functions_are() -> None:
    """What its name stands for may read what changes elsewhere, so programs with it are not kept."""
    nn.ACTIVATIONS.add("lab.swish", swish)
    assert not is_plain(nn.Dense(2, "lab.swish:steepness=2"))
    assert is_plain(nn.Dense(2, "leaky_relu:slope=0.2"))


@dataclass(frozen=True)
class Undeclared(mc.optim.Schedule):
    """A schedule with a field that is no setting."""

    factor: float = 0.5


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda: nn.ACTIVATIONS.add("relu", swish), "an own activation has a dot in it, as in 'lab.activ"),
        (lambda: nn.ACTIVATIONS.add("lab swish.a", swish), "has a dot in it"),
        (lambda: nn.ACTIVATIONS.add("a." + "b" * 99, swish), "has a dot in it"),
        (lambda: nn.ACTIVATIONS.add("lab.taken", np.abs), "the activation 'lab.taken' is there already"),
        (lambda: nn.ACTIVATIONS.add("lab.a", 3), "lab.a: expected a NumPy function of one array .*, got 3"),
        (lambda: nn.ACTIVATIONS.add("lab.a", Shifted), "got the class Shifted"),
        (lambda: mc.optim.SCHEDULES.add("lab.a", Halves()), "expected a frozen dataclass .*mc.optim.Sched"),
        (lambda: mc.optim.OPTIMIZERS.add("lab.a", Halves), "derives from mc.optim.Optimizer, got the class"),
        (lambda: mc.optim.SCHEDULES.add("lab.a", Undeclared), "the field 'factor' of Undeclared is no sett"),
        (lambda: mc.train.METRICS.add("lab.a", within, of="words"), "of=classes or numbers or distrib"),
        (lambda: WRAPPERS.add("lab.a", mc.optim.Clipped), "nothing can be added"),
    ],
)
def test_what_cannot_be_added_is_refused(add: Any, message: str) -> None:
    nn.ACTIVATIONS.add("lab.taken", swish)
    before = [dict(registry) for registry in REGISTRIES]
    with pytest.raises(DataError, match=message) as caught:
        add()
    assert "\n" not in str(caught.value)
    assert [dict(registry) for registry in REGISTRIES] == before


def test_no_shipped_name_has_a_dot() -> None:
    assert not [name for registry in REGISTRIES for name in registry.known if "." in name]
