"""Epochs trained several in one call: nobody can tell that they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.estimators.convergence import Convergence
from minicolumn.train.engine import Engine
from minicolumn.train.step import State

TIMINGS = ("seconds", "steps_per_second")


def _rows(history: mc.History) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TIMINGS} for row in history]


def _fit(data: Any, **settings: Any) -> mc.Run:
    net = mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.2), mc.nn.Dense(3))
    chosen = {"optimizer": mc.optim.Adam(0.05), "batch_size": 100, "epochs": 40, "schedule": "cosine"}
    return mc.fit(net, *data, **(chosen | settings))


def _step_by_step(data: Any, epochs: int = 40, **settings: Any) -> mc.Trainer:
    """Return the same training as `_fit`, no two epochs in one call."""
    net = mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.2), mc.nn.Dense(3))
    chosen: Any = {"optimizer": mc.optim.Adam(0.05), "batch_size": 100, "schedule": "cosine"}
    trainer = mc.Trainer(net, *data, epochs=epochs, **(chosen | settings))
    while trainer.epoch < epochs and not trainer.stopped:
        trainer.advance(steps=1)
    return trainer


@pytest.mark.parametrize("batch", [100, 16, 47, 23, 1])
def test_how_far_is_no_bits_matter(batch: int, blobs: Any, same_bits: Any) -> None:
    settings: dict[str, Any] = {"validation_data": blobs, "regularizer": mc.nn.PerRow(mc.nn.L2(0.1))}
    settings |= {"callbacks": [mc.KeepBest()], "epochs": 30, "batch_size": batch, "metrics": ["accuracy"]}
    far, near = _fit(blobs, **settings), _step_by_step(blobs, **settings)
    assert same_bits(far.snapshot.params, near.snapshot.params)
    assert same_bits(far.snapshot.moments, near.snapshot.moments)
    assert same_bits(far.params, near.best_params)
    assert _rows(far.history) == _rows(near.history)


@pytest.mark.parametrize("last", [1, 2, 3, 11, 37])
def test_a_stop_ends_with_the_state_of_its_epoch(last: int, blobs: Any, same_bits: Any) -> None:
    class Stop(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            if row["epoch"] == last:
                training.stop("enough")

    stopped = _fit(blobs, schedule="constant", callbacks=[Stop()])
    whole = _fit(blobs, schedule="constant", epochs=last)
    assert (stopped.stopped, len(stopped.history)) == ("enough", last)
    assert same_bits(stopped.snapshot.params, whole.snapshot.params)
    assert same_bits(stopped.snapshot.moments, whole.snapshot.moments)
    on = [_fit(blobs, schedule="constant", epochs=3, resume=run) for run in (stopped, whole)]
    assert same_bits(on[0].params, on[1].params)


@pytest.mark.parametrize("far", [True, False])
def test_a_rate_that_a_callback_changes_counts_from_the_next_epoch(far: bool, blobs: Any) -> None:
    factor = [1.0]

    class Halve(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            factor[0] *= 0.5 if row["epoch"] in (5, 6, 20) else 1.0

    train = _fit if far else _step_by_step
    run = train(blobs, schedule=lambda steps, total: np.full(np.shape(steps), factor[0]), callbacks=[Halve()])
    expected = 0.05 * np.repeat([1.0, 0.5, 0.25, 0.125], [5, 1, 14, 20])
    np.testing.assert_allclose(run.history["learning_rate"], expected, rtol=1e-6)
    # The losses of epochs that were dropped stand nowhere.
    steady = _fit(blobs, schedule=lambda steps, total: np.interp(steps + 1, [5.5, 5.6], [1.0, 0.5]))
    np.testing.assert_array_equal(run.history["loss"][:6], steady.history["loss"][:6])


def test_divergence_within_a_call_keeps_the_epochs_before_it(wave: Any) -> None:
    X, y = wave
    settings: dict[str, Any] = {"loss": "squared_error", "optimizer": mc.optim.SGD(0.1), "batch_size": 50}
    rates = lambda steps, total: np.where(np.asarray(steps) < 20, 1.0, 1e25)  # noqa: E731
    with pytest.raises(mc.DivergenceError, match=r"\(epoch 2[12]\)") as caught:
        mc.fit(mc.nn.Dense(1), X, y, epochs=40, schedule=rates, **settings)
    run = caught.value.run  # type: ignore[attr-defined]
    assert len(run.history) in (20, 21)
    assert np.isfinite(run.history["loss"]).all()
    assert all(np.isfinite(leaf).all() for leaf in run.params.values())


def test_callbacks_see_the_weights_of_each_epoch(blobs: Any, spy: Any, same_bits: Any) -> None:
    far, near = spy(), spy()
    _fit(blobs, callbacks=[far])
    _step_by_step(blobs, callbacks=[near])
    assert all(map(same_bits, far.params, near.params))
    assert [what for what in far.told if what[0] == "epoch"] == [("epoch", k) for k in range(1, 41)]


def test_a_change_by_a_callback_counts_from_the_next_epoch(blobs: Any, same_bits: Any) -> None:
    class Smaller(mc.Callback):
        def on_epoch(self, trainer: Any, row: Any) -> None:
            if row["epoch"] == 9:
                trainer.change(learning_rate=0.01, batch_size=20)

    settings: Any = {"schedule": "constant", "callbacks": [Smaller()]}
    far, near = _fit(blobs, **settings), _step_by_step(blobs, **settings)
    assert same_bits(far.params, near.params)
    assert set(far.history["learning_rate"]) == {float(np.float32(rate)) for rate in (0.05, 0.01)}


def test_long_epochs_and_large_networks_are_cut_within_the_epoch(blobs: Any) -> None:
    settings: Any = {"batch_size": 10, "epochs": 1}
    small, large = mc.nn.Dense(3), mc.nn.Sequential(mc.nn.Dense(30_000), mc.nn.Dense(3))
    found = []
    for net, backend in ((small, "native"), (large, "native"), (small, "reference")):
        trainer = mc.Trainer(net, *blobs, backend=backend, **settings)
        state = trainer.snapshot
        found.append(trainer.engine.most_epochs(State(state.params, state.moments)) > 0)
    assert found == [True, False, False]


def test_many_rows_to_measure_make_an_epoch_long(blobs: Any) -> None:
    X, y = (np.repeat(part, 400_000, axis=0) for part in (blobs[0][:2], blobs[1][:2]))
    trainer = mc.Trainer(mc.nn.Sequential(mc.nn.Dense(60), mc.nn.Dense(3)), *blobs, validation_data=(X, y))
    state = trainer.snapshot
    assert not trainer.engine.most_epochs(State(state.params, state.moments)) > 0


def test_times_are_shared_by_the_epochs_of_a_call(blobs: Any) -> None:
    run = _fit(blobs, epochs=64)
    assert (run.history["seconds"] > 0).all()
    assert np.isfinite(run.history["steps_per_second"]).all()
    assert len(set(run.history["seconds"])) < 20  # 1, 1, 2, 4, 8, 16 and 32 epochs at a time, at most


QUIET = {
    "early stopping": lambda: mc.EarlyStopping(3),
    "early stopping by a margin": lambda: mc.EarlyStopping(2, min_delta=0.01),
    "plateau": lambda: mc.train.ReduceOnPlateau(0.5, patience=2),
    "no convergence": lambda: Convergence(1e-3, patience=2),
    "no convergence, then a lower rate": lambda: Convergence(1e-3, patience=1, rate=0.05),
}


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("seed", [0, 1])
def test_callbacks_are_quiet_for_as_long_as_they_say(name: str, seed: int) -> None:
    """Else epochs that were trained ahead would be dropped."""
    callback: Any = QUIET[name]()
    seen: list[tuple[float, float, str | None]] = []

    class Watch(mc.Callback):
        def on_epoch(self, trainer: Any, row: Any) -> None:
            factor = trainer.rate_factor * getattr(callback, "factor", 1.0)
            seen.append((callback.quiet_epochs(trainer), factor, trainer.stop_reason))

        def quiet_epochs(self, trainer: Any) -> float:
            return np.inf

    X, y = np.random.default_rng(seed).standard_normal((2, 60))  # nothing to be learnt, so it soon overfits
    net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
    held = X[40:, None], y[40:]
    mc.fit(
        net, X[:40, None], y[:40], loss="squared_error", optimizer=mc.optim.Adam(0.05), batch_size=8,
        epochs=60, validation_data=held, callbacks=[callback, Watch()],
    )  # fmt: skip
    first = seen[0][1]
    assert any(stop or factor < first for _, factor, stop in seen)
    for k, (quiet, factor, _) in enumerate(seen[:-1]):
        assert quiet >= 1
        for _, later, stop in seen[k + 1 : k + int(quiet)]:  # what comes after the last of them may change
            assert (later, stop) == (factor, None)


def test_no_epoch_is_in_vain_where_callbacks_are_quiet(blobs: Any, monkeypatch: Any) -> None:
    trained = []
    epochs = Engine.epochs
    monkeypatch.setattr(Engine, "epochs", lambda self, *a: trained.append(len(a[2])) or epochs(self, *a))
    run = _fit(blobs, epochs=50, callbacks=[mc.EarlyStopping(10**6)], validation_data=blobs)
    assert sum(trained) == len(run.history) == 50
    assert len(trained) == 1
