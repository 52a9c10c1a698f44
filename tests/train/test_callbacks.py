"""Early stopping and its kin: when a training ends, and whose weights are handed back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.train import Tracker
from minicolumn.train.tracker import lower_is_better

FIGURES = ("loss", "val_loss", "val_accuracy")


def _training(figures: tuple[str, ...] = FIGURES) -> Any:
    return Tracker(figures)


def _replay(callbacks: list[Any], values: list[float], name: str = "val_loss") -> Any:
    """Let callbacks see epochs with these figures; the weights of an epoch are its number."""
    training = _training()
    for callback in callbacks:
        callback.on_start(training)
    for epoch, value in enumerate(values, 1):
        row = {"epoch": epoch, name: value}
        training.add(row, epoch)
        for callback in callbacks:
            callback.on_epoch(training, row)
        training.settle_best()
        if training.stop_reason:
            break
    return training


figures = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")]), min_size=1, max_size=25)


@given(figures, st.integers(1, 5), st.sampled_from([0.0, 0.3]))
def test_it_stops_when_patience_is_over_and_not_before(
    values: list[float], patience: int, delta: float
) -> None:
    training = _replay([mc.EarlyStopping(patience, delta)], values)
    best, waited, stop = float("inf"), 0, len(values)
    for epoch, value in enumerate(values, 1):
        better = value < best - delta
        best, waited = (value, 0) if better else (best, waited + 1)
        if waited == patience:
            stop = epoch
            break
    assert len(training.history) == stop
    assert (training.stop_reason == "early stopping") == (waited == patience)


@given(figures)
def test_the_best_weights_are_kept(values: list[float]) -> None:
    training = _replay([mc.KeepBest()], values)
    known = [v for v in values if v == v]
    expected = 1 + values.index(min(known)) if known else len(values)  # of equal ones the first
    assert (training.best_epoch, training.best_params) == (expected, expected)


@given(figures)
def test_of_higher_figures_the_highest_is_best(values: list[float]) -> None:
    training = _replay([mc.KeepBest("val_accuracy")], values, "val_accuracy")
    mirrored = _replay([mc.KeepBest()], [-v for v in values])
    assert training.best_epoch == mirrored.best_epoch


def test_without_a_watcher_the_last_weights_are_handed_back() -> None:
    assert _replay([], [1.0, 0.5, 2.0]).best_params == 3


def test_who_comes_late_chooses_among_what_is_left() -> None:
    class Late(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            if row["epoch"] == 3:
                training.keep_best()

    # The weights of epochs 1 and 2 are gone.
    assert _replay([Late()], [0.0, 0.5, 1.0, 2.0]).best_epoch == 3
    assert _replay([Late()], [0.0, 0.5, 1.0, 0.7]).best_epoch == 4
    assert _replay([Late()], [0.0, 0.5, 0.2, 2.0]).best_epoch == 3


def test_what_is_better_is_known_by_name() -> None:
    higher = ["val_accuracy", "val_balanced_accuracy", "val_roc_auc", "val_r2"]
    assert not any(map(lower_is_better, higher))
    assert all(map(lower_is_better, ["loss", "val_loss", "val_log_loss", "val_rmse", "val_mae"]))


def test_two_may_agree_but_not_differ() -> None:
    training = _training()
    for callback in (mc.EarlyStopping(), mc.KeepBest(), mc.KeepBest("val_loss")):
        callback.on_start(training)
    with pytest.raises(mc.DataError, match="by 'val_loss' and by 'val_accuracy'; use one"):
        mc.KeepBest("val_accuracy").on_start(training)


def test_without_held_out_rows_the_loss_is_watched() -> None:
    training = _training(("loss",))
    with pytest.warns(UserWarning, match="EarlyStopping watches the loss of the rows that are trained on"):
        mc.EarlyStopping().on_start(training)
    assert training.monitor == "loss"
    with pytest.raises(mc.DataError, match="no 'val_loss' to watch; did you mean 'loss'"):
        mc.EarlyStopping(monitor="val_loss").on_start(_training(("loss",)))


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 0},
        {"patience": 1.5},
        {"patience": True},
        {"min_delta": -0.1},
        {"min_delta": float("nan")},
    ],
)
def test_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(mc.DataError, match=f"EarlyStopping: {next(iter(settings))}: expected"):
        mc.EarlyStopping(**settings)
    assert mc.EarlyStopping(patience=np.int64(3)) == mc.EarlyStopping(patience=3)  # type: ignore[arg-type]


def _factors(callback: mc.Callback, values: list[float], name: str = "val_loss") -> list[float]:
    """Return the factor on the learning rate after each epoch."""
    return [_replay([callback], values[:end], name).rate_factor for end in range(1, len(values) + 1)]


def test_a_plateau_by_hand() -> None:
    values = [1.0, 0.9, 0.95, 0.9, 0.91, 0.8, 0.85, 0.81, 0.82, 0.83, 0.7]
    # Better at epochs 1, 2, 6 and 11; after 2 there are two epochs in vain, after 6 twice two.
    expected = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    assert _factors(mc.ReduceOnPlateau(0.5, patience=2), values) == expected
    assert _factors(mc.ReduceOnPlateau(0.5, patience=2, minimum=0.2), values)[-2:] == [0.2, 0.2]
    mirrored = [-value for value in values]
    assert _factors(mc.ReduceOnPlateau(0.5, 2, monitor="val_accuracy"), mirrored, "val_accuracy") == expected
    # A gain of 0.1 is none where 0.15 is asked for: only 1.0, 0.8 and nothing else count.
    assert (
        _factors(mc.ReduceOnPlateau(0.5, patience=4, min_delta=0.15), values)[-6:] == [0.5] * 4 + [0.25] * 2
    )


@given(figures, st.integers(1, 4), st.sampled_from([0.0, 0.3]))
def test_a_plateau_is_kerass(values: list[float], patience: int, delta: float) -> None:
    best, waited, rate = float("inf"), 0, 1.0
    for value in values:
        if value < best - delta:
            best, waited = value, 0
        else:
            waited += 1
        if waited >= patience:
            rate, waited = rate * 0.5, 0
    assert _replay([mc.ReduceOnPlateau(0.5, patience, delta)], values).rate_factor == rate


def test_a_factor_set_by_others_is_lowered_but_never_raised() -> None:
    class Half(mc.Callback):
        def on_start(self, training: Any) -> None:
            training.rate_factor = 0.5

    values = [1.0, 1.0]
    assert _replay([Half(), mc.ReduceOnPlateau(0.5, patience=1)], values).rate_factor == 0.25
    assert _replay([Half(), mc.ReduceOnPlateau(0.1, patience=1, minimum=0.8)], values).rate_factor == 0.5


def test_a_plateau_does_not_choose_the_weights() -> None:
    training = _replay([mc.ReduceOnPlateau(patience=1)], [1.0, 0.5, 2.0])
    assert (training.monitor, training.best_params) == (None, 3)
    with pytest.raises(mc.DataError, match="no 'val_los' to watch; did you mean 'val_loss'"):
        mc.ReduceOnPlateau(monitor="val_los").on_start(_training())


@pytest.mark.parametrize(
    "settings", [{"factor": 1.0}, {"factor": 0.0}, {"patience": 0}, {"min_delta": -1.0}, {"minimum": 1.0}]
)
def test_settings_of_a_plateau_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(mc.DataError, match=f"ReduceOnPlateau: {next(iter(settings))}: expected"):
        mc.ReduceOnPlateau(**settings)


# In a training ----------------------------------------------------------------------------------------------


def _overfit(blobs: Any, *callbacks: mc.Callback, **settings: Any) -> tuple[mc.Run, Any]:
    X, y = blobs
    net = mc.nn.Sequential(mc.nn.Dense(32, "relu"), mc.nn.Dense(3))
    run = mc.fit(
        net, X[:20], y[:20], validation_data=(X[20:], y[20:]), optimizer=mc.optim.Adam(0.05), batch_size=5,
        epochs=60, callbacks=callbacks, **settings,
    )  # fmt: skip
    return run, (X[20:], y[20:])


def test_early_stopping_hands_back_exactly_the_best_epoch(blobs: Any, spy: Any, same_bits: Any) -> None:
    watcher = spy()
    run, held = _overfit(blobs, mc.EarlyStopping(patience=4), watcher)
    assert run.stopped == "early stopping"
    assert len(run.history) == run.best_epoch + 4 < 60
    assert same_bits(run.params, watcher.params[run.best_epoch])
    assert (
        run.evaluate(*held)["loss"]
        == run.history["val_loss"].min()
        == run.history[run.best_epoch - 1]["val_loss"]
    )


def test_keep_best_trains_on(blobs: Any) -> None:
    run, held = _overfit(blobs, mc.KeepBest("val_accuracy"), metrics=["accuracy"])
    assert (run.stopped, len(run.history)) == ("all epochs", 60)
    assert run.evaluate(*held)["accuracy"] == run.history["val_accuracy"].max()


def test_a_callback_may_stop_for_its_own_reason(blobs: Any, spy: Any) -> None:
    run, _ = _overfit(blobs, spy({("epoch", 2): lambda training: training.stop("good enough")}))
    assert (run.stopped, len(run.history), run.best_epoch) == ("good enough", 2, 2)
    assert run.model.training["stopped"] == "good enough"


def test_callbacks_see_every_moment_in_order(blobs: Any, net: Any, spy: Any) -> None:
    watcher = spy()
    mc.fit(net, *blobs, batch_size=10, epochs=2, callbacks=[watcher])
    moments = [told for told in watcher.told if told[0] != "chunk"]
    assert moments == ["start", ("epoch", 1), ("epoch", 2), "end"]
    for epoch in (1, 2):  # how long a chunk is depends on how fast the machine is; where it ends does not
        chunks = [told[2] for told in watcher.told if told[:2] == ("chunk", epoch)]
        assert chunks == sorted(set(chunks))
        assert chunks[-1] == 5
        before = watcher.told.index(("epoch", epoch)) - 1
        assert watcher.told[before] == ("chunk", epoch, 5)


def test_a_plateau_lowers_the_rate_beside_a_schedule(blobs: Any) -> None:
    run, _ = _overfit(
        blobs, mc.ReduceOnPlateau(0.5, patience=3, monitor="val_loss"), schedule=lambda steps, total: 0.1
    )
    rates, losses = run.history["learning_rate"], run.history["val_loss"]
    factors = _factors(mc.ReduceOnPlateau(0.5, patience=3), losses.tolist())
    assert factors[-1] < 1.0
    np.testing.assert_allclose(rates, 0.05 * 0.1 * np.array([1.0, *factors[:-1]]), rtol=1e-6)  # float32 rates
