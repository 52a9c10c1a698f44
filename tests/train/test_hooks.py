"""What callbacks do to a training within their hooks, and what they cannot do to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

CHANGES: dict[str, Callable[[mc.Trainer], None]] = {
    "rate": lambda trainer: trainer.change(learning_rate=0.5),
    "optimizer": lambda trainer: trainer.change(optimizer="sgd"),
    "batch": lambda trainer: trainer.change(batch_size=7),
    "loss": lambda trainer: trainer.change(loss="huber"),
    "rows": lambda trainer: trainer.change(X=np.ones((9, 1)), y=np.ones(9)),
    "seed": lambda trainer: trainer.change(seed=9),
    "grow": lambda trainer: trainer.grow(layer=0, units=2),
    "prune": lambda trainer: trainer.prune(layer=0, units=1),
    "factor": lambda trainer: setattr(trainer, "rate_factor", 0.1),
}


class Once(mc.Callback):
    """Make a change in a hook, the first time that two epochs are behind."""

    def __init__(self, hook: str, change: Callable[[mc.Trainer], None]) -> None:
        self.hook, self.change, self.made = hook, change, False

    def _do(self, hook: str, trainer: mc.Trainer) -> None:
        if hook == self.hook and trainer.epoch == 2 and not self.made:
            self.made = True
            self.change(trainer)

    def on_chunk(self, trainer: mc.Trainer, done: int, loss: float) -> None:
        self._do("on_chunk", trainer)

    def on_epoch(self, trainer: mc.Trainer, row: dict[str, Any]) -> None:
        self._do("on_epoch", trainer)


def _trainer(wave: Any, *callbacks: mc.Callback, **settings: Any) -> mc.Trainer:
    net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
    chosen: Any = {"loss": "squared_error", "optimizer": mc.optim.Adam(0.05), "batch_size": 10, "epochs": 6}
    return mc.Trainer(net, *wave, callbacks=callbacks, **(chosen | settings))


@pytest.mark.parametrize("hook", ["on_chunk", "on_epoch"])
@pytest.mark.parametrize("name", CHANGES)
def test_any_change_in_any_hook_is_gone_on_with(name: str, hook: str, wave: Any, same_bits: Any) -> None:
    at_once, near = (_trainer(wave, Once(hook, CHANGES[name])) for _ in range(2))
    at_once.run()
    while not near.stopped and near.epoch < near.epochs:
        # The last step of an epoch alone: then both are told at the same step.
        near.advance(steps=max(1, near.steps - near.done - 1))
    assert [callback.made for callback in (*at_once.callbacks, *near.callbacks)] == [True, True]  # type: ignore[attr-defined]
    if hook == "on_epoch":
        assert same_bits(at_once.params, near.params)
        assert repr(at_once.network) == repr(near.network)
    units = {"grow": 6, "prune": 3}.get(name, 4)
    for trainer in (at_once, near):
        assert trainer.epoch == len(trainer.history) == 6
        assert trainer.network.layers[0].units == trainer.params["0"]["weight"].shape[1] == units  # type: ignore[attr-defined]
        assert np.isfinite(trainer.history["loss"]).all()
        assert trainer.advance(epochs=1)[0]["epoch"] == 7


@pytest.mark.parametrize("steps", [1, 1000])
def test_weights_that_are_handed_out_are_copies(steps: int, wave: Any, same_bits: Any) -> None:
    class Spoil(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: dict[str, Any]) -> None:
            for weights in (trainer.params, trainer.best_params):
                weights["0"]["weight"][:] = 99.0

    spoilt, plain = _trainer(wave, mc.KeepBest(), Spoil()), _trainer(wave, mc.KeepBest())
    for trainer in (spoilt, plain):
        while trainer.epoch < 6:
            trainer.advance(steps=steps)
    assert same_bits(spoilt.params, plain.params)
    assert same_bits(spoilt.best_params, plain.best_params)
    assert same_bits(spoilt.outputs(wave[0]), plain.outputs(wave[0]))


def test_all_callbacks_are_told_of_the_end(wave: Any) -> None:
    told = []

    class Raises(mc.Callback):
        def on_end(self, trainer: mc.Trainer) -> None:
            told.append("raises")
            raise RuntimeError("mine")

    class Counts(mc.Callback):
        def on_end(self, trainer: mc.Trainer) -> None:
            told.append("counts")

    with pytest.raises(RuntimeError, match="mine"):
        _trainer(wave, Counts(), Raises(), Counts()).run()
    assert told == ["counts", "raises", "counts"]


def test_what_no_file_holds_is_refused_before_the_first_step(wave: Any, tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    own = lambda outputs, targets, weight: np.mean((outputs - targets) ** 2)  # noqa: E731
    trainer = _trainer(wave, mc.Checkpoint(path), loss=own)
    with pytest.raises(mc.DataError, match="the loss is an own function"):
        trainer.advance(steps=1)
    assert (trainer.step, path.exists()) == (0, False)


def test_a_divergence_takes_its_steps_back(wave: Any) -> None:
    rates = lambda steps, total: np.where(np.asarray(steps) < 12, 1.0, 1e30)  # noqa: E731
    trainer = _trainer(wave, schedule=rates, optimizer=mc.optim.SGD(0.01))
    with pytest.raises(mc.DivergenceError):
        trainer.run()
    assert trainer.step == trainer.epoch * trainer.steps
    assert trainer.done == 0


def test_another_seed_within_an_epoch_trains_every_row_once(wave: Any) -> None:
    trainer = _trainer(wave)
    trainer.advance(steps=2)
    trainer.change(seed=5)
    assert (trainer.done, trainer.step) == (0, 2)
    trainer.advance(epochs=1)
    assert trainer.step == 2 + trainer.steps
