"""What callbacks do to a training within their hooks, and what they cannot do to it."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.native import NativeProgram

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


@pytest.mark.parametrize("hook", ["on_chunk", "on_epoch"])
@pytest.mark.parametrize(("epochs", "last"), [(4, 4), (9, 9), (1, 2)])
def test_a_run_ends_where_its_epochs_end_as_they_are_by_then(
    epochs: int, last: int, hook: str, wave: Any
) -> None:
    trainer = _trainer(wave, Once(hook, lambda trainer: trainer.change(epochs=epochs)))
    run = trainer.run()
    last += hook == "on_chunk" and epochs < 2  # the third epoch is begun, and is not left half done
    assert (run.stopped, trainer.epoch, len(run.history), trainer.done) == ("all epochs", last, last, 0)


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
    with pytest.raises(mc.DataError, match="the loss is one's own"):
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


# What a callback may not do --------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["on_start", "on_chunk", "on_epoch", "quiet_epochs"])
@pytest.mark.parametrize("what", ["advance", "run"])
def test_a_callback_cannot_advance_what_it_is_told_of(what: str, hook: str, wave: Any) -> None:
    class Again(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: dict[str, Any]) -> None:
            pass

    def again(self: Any, trainer: mc.Trainer, *_: Any) -> float:
        getattr(trainer, what)()
        return 0

    setattr(Again, hook, again)
    trainer = _trainer(wave, Again())
    with pytest.raises(mc.DataError, match=f"{what}: a callback cannot advance the training"):
        trainer.advance(epochs=2)
    assert trainer.epoch == len(trainer.history) <= 1


@pytest.mark.parametrize("given", [None, "a", 1j, np.array([1, 2]), []])
def test_quiet_epochs_is_a_number(given: Any, wave: Any) -> None:
    class Odd(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: dict[str, Any]) -> None:
            pass

        def quiet_epochs(self, trainer: mc.Trainer) -> Any:
            return given

    trainer = _trainer(wave, Odd())
    with pytest.raises(mc.DataError, match="Odd: quiet_epochs must give a number of epochs"):
        trainer.run()
    assert trainer.step == 0


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_where_it_is_only_asked_holds(name: str, wave: Any) -> None:
    class Asked(Once):
        def quiet_epochs(self, trainer: mc.Trainer) -> float:
            if trainer.epoch and not self.made:
                self.made = True
                self.change(trainer)
            return 1

    trainer = _trainer(wave, Asked("quiet_epochs", CHANGES[name]), epochs=20)
    trainer.run()
    assert trainer.callbacks[0].made  # type: ignore[attr-defined]
    assert trainer.epoch == len(trainer.history) == 20
    assert trainer.network.layers[0].units == trainer.params["0"]["weight"].shape[1]  # type: ignore[attr-defined]


def test_a_stop_where_it_is_only_asked_trains_nothing_more(wave: Any) -> None:
    class Stops(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: dict[str, Any]) -> None:
            pass

        def quiet_epochs(self, trainer: mc.Trainer) -> float:
            trainer.stop("asked")
            return 1

    trainer = _trainer(wave, Stops())
    assert (trainer.run().stopped, trainer.step) == ("asked", 0)


@pytest.mark.parametrize("reason", [None, "", ["a"], 1])
def test_a_reason_to_stop_is_a_text(reason: Any, wave: Any) -> None:
    with pytest.raises(mc.DataError, match="stop: the reason must be a text"):
        _trainer(wave).stop(reason)


@pytest.mark.parametrize("factor", ["a", None, np.nan, np.inf, -1.0, True])
def test_a_rate_factor_is_a_number(factor: Any, wave: Any) -> None:
    trainer = _trainer(wave)
    with pytest.raises(mc.DataError, match="rate_factor must be a finite number >= 0"):
        trainer.rate_factor = factor
    assert trainer.rate_factor == 1.0


# Interrupts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 1000])
@pytest.mark.parametrize("line", ["self._at = after", "self.settle_best()", "better = new"])
def test_an_interrupt_between_any_two_statements_loses_no_epoch(
    line: str, steps: int, wave: Any, tmp_path: Path, same_bits: Any
) -> None:
    """Of all lines these are the ones behind which something is half done."""
    whole = _trainer(wave, mc.KeepBest())
    whole.run()
    trainer, left = _trainer(wave, mc.KeepBest()), [3]

    def trace(frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(("loop.py", "tracker.py")):
            return None
        if event == "line":
            text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            if text.startswith(line):
                left[0] -= 1
                if left[0] == 0:
                    raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        while trainer.epoch < 6:
            trainer.advance(steps=1) if steps == 1 else trainer.advance(epochs=6)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    assert left[0] <= 0
    assert len(trainer.history) == trainer.epoch
    trainer.save(tmp_path / "it.safetensors")
    again = mc.Trainer.resume(tmp_path / "it.safetensors", *wave)
    for each in (trainer, again):
        each.run()
        assert (each.epoch, each.best_epoch) == (whole.epoch, whole.best_epoch)
        assert same_bits(each.params, whole.params)
        assert same_bits(each.best_params, whole.best_params)


# Beyond the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mc.optim.SCHEDULES)
def test_beyond_its_epochs_a_training_keeps_the_last_rate(name: str, wave: Any) -> None:
    endless = name in ("inverse_time",)
    text = {"piecewise_constant": "piecewise_constant:at=0.5,factors=1+0.5"}.get(name, name)
    try:
        trainer = _trainer(wave, schedule=text, epochs=3)
    except mc.DataError:
        pytest.skip(f"{name} needs settings")
    trainer.run()
    last = trainer.history[-1]["learning_rate"]
    trainer.advance(epochs=2)
    later = trainer.history["learning_rate"][3:]
    assert (later < last).all() if endless else (later == last).all()


def test_what_was_handed_back_stays_as_it_was(wave: Any) -> None:
    trainer = _trainer(wave)
    run = trainer.run()
    rows = trainer.advance(epochs=2)
    rows[0]["loss"] = 99.0
    assert (len(run.history), len(trainer.history)) == (6, 8)
    assert trainer.history["loss"].max() < 99.0


@pytest.mark.parametrize("change", [{"seed": 4}, {"shuffle": False}])
def test_rows_held_out_by_a_fraction_are_found_after_a_change(change: Any, wave: Any, tmp_path: Path) -> None:
    trainer = _trainer(wave, validation_fraction=0.2)
    trainer.advance()
    trainer.change(**change)
    trainer.save(tmp_path / "it.safetensors")
    again = mc.Trainer.resume(tmp_path / "it.safetensors", *wave)
    assert again.advance()[0]["val_loss"] == trainer.advance()[0]["val_loss"]


def test_a_registered_loss_is_given_weights(wave: Any) -> None:
    def weighted(outputs: Any, targets: Any, weight: Any) -> Any:
        return np.sum(weight * np.mean((outputs - targets) ** 2, axis=1)) / np.sum(weight)

    with mc.nn.LOSSES.including({}):
        mc.nn.LOSSES.add("lab.weighted", weighted)
        named = _trainer(wave, loss="lab.weighted").run()
    plain = _trainer(wave, loss=weighted).run()
    np.testing.assert_array_equal(named.history["loss"], plain.history["loss"])


@pytest.mark.parametrize("settings", [{"backend": "reference", "threads": 1}, {"threads": 1}])
def test_what_is_held_out_is_measured_as_the_training_is_computed(
    settings: Any, wave: Any, monkeypatch: Any
) -> None:
    asked: list[int | None] = []
    made = NativeProgram.__init__

    def noted(self: Any, *args: Any, **given: Any) -> None:
        asked.append(given.get("threads"))
        made(self, *args, **given)

    monkeypatch.setattr(NativeProgram, "__init__", noted)
    net = mc.nn.Sequential(mc.nn.Dense(5, "tanh"), mc.nn.Dense(1))
    mc.fit(net, *wave, loss=lambda outputs, y, weight: np.mean((outputs - y) ** 2), epochs=2,
           validation_data=wave, **settings)  # fmt: skip
    assert asked == [] if "backend" in settings else set(asked) == {1}
