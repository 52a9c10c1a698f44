"""`fit`: one seed gives the same bits however the work is cut, and what it hands back is what it says."""

from __future__ import annotations

import copy
import functools
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.nn.losses import huber, softmax_cross_entropy
from minicolumn.train.data import check_data
from minicolumn.train.settings import check_settings

TIMINGS = ("seconds", "steps_per_second")


def _rows(history: mc.History) -> list[dict[str, Any]]:
    """Return the history without what a clock measured."""
    return [{name: value for name, value in row.items() if name not in TIMINGS} for row in history]


def _fit(data: Any, net: Any, **settings: Any) -> mc.Run:
    chosen = {"optimizer": mc.optim.Adam(0.02), "batch_size": 8, "epochs": 3} | settings
    return mc.fit(net, *data, **chosen)


def _dropping(rate: float) -> mc.nn.Sequential:
    return mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(rate), mc.nn.Dense(3))


# The same seed, the same bits -------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_the_same_seed_gives_the_same_bits(rate: float, blobs: Any, same_bits: Any) -> None:
    settings = {"validation_fraction": 0.2, "metrics": ["accuracy"], "seed": 11}
    first, second = (_fit(blobs, _dropping(rate), **settings) for _ in range(2))
    assert same_bits(first.params, second.params)
    assert _rows(first.history) == _rows(second.history)
    other = _fit(blobs, _dropping(rate), **(settings | {"seed": 12}))
    assert not same_bits(first.params, other.params)
    assert _rows(first.history) != _rows(other.history)


@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_the_length_of_chunks_changes_no_bit(steps: int, rate: float, blobs: Any, same_bits: Any) -> None:
    settings: Any = {"validation_fraction": 0.2, "schedule": "cosine", "optimizer": mc.optim.Adam(0.02)}
    settings |= {"batch_size": 8, "epochs": 3}
    whole = mc.fit(_dropping(rate), *blobs, **settings)
    cut = mc.Trainer(_dropping(rate), *blobs, **settings)
    while cut.epoch < 3:
        cut.advance(steps=min(steps, 3 * cut.steps - cut.step))
    assert same_bits(whole.params, cut.params)
    assert whole.history["val_loss"].tobytes() == cut.history["val_loss"].tobytes()
    assert whole.history["loss"].tobytes() == cut.history["loss"].tobytes()


def test_dropout_moves_neither_orders_nor_first_weights(blobs: Any, same_bits: Any, spy: Any) -> None:
    silent = mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Activation("linear"), mc.nn.Dense(3))
    watchers = [spy(), spy(), spy()]
    runs = [
        _fit(blobs, network, callbacks=[watcher], validation_fraction=0.2)
        for network, watcher in zip((silent, _dropping(0.0), _dropping(0.5)), watchers, strict=True)
    ]
    # At rate 0 all is as without the layer, orders and split too; at rate 0.5 only the noise is new.
    assert same_bits(runs[0].params, runs[1].params)
    assert same_bits(watchers[0].params[0], watchers[2].params[0])
    assert not same_bits(runs[0].params, runs[2].params)


def test_held_out_rows_take_no_part(blobs: Any, net: Any, same_bits: Any) -> None:
    X, y = blobs
    alone = _fit((X[:40], y[:40]), net)
    measured = _fit((X[:40], y[:40]), net, validation_data=(X[40:], y[40:]), metrics=("accuracy",))
    assert same_bits(alone.params, measured.params)


def test_float64_is_computed_in_float64(blobs: Any, net: Any) -> None:
    first = net.init(0, (3,))
    narrow, wide = (_fit(blobs, net, dtype=dtype, params=first) for dtype in ("float32", np.float64))
    assert (narrow.model.dtype, wide.model.dtype) == (np.float32, np.float64)
    assert wide.predict(blobs[0]).dtype == np.float64
    np.testing.assert_allclose(narrow.params["1"]["weight"], wide.params["1"]["weight"], rtol=1e-3, atol=1e-3)


# Batches and weights ----------------------------------------------------------------------------------------


def test_a_batch_larger_than_the_data_is_the_whole_data(blobs: Any, net: Any, same_bits: Any) -> None:
    whole, larger = (_fit(blobs, net, batch_size=size) for size in (47, 1000))
    assert same_bits(whole.params, larger.params)
    assert len(whole.history) == 3


@pytest.mark.parametrize("optimizer", [mc.optim.SGD(0.1), mc.optim.Adam(0.02)])
def test_a_weight_of_k_is_k_copies(optimizer: Any, blobs: Any, net: Any) -> None:
    X, y = blobs
    copies = np.arange(len(X)) % 4
    settings = {"batch_size": 10_000, "dtype": np.float64, "optimizer": optimizer, "shuffle": False}
    weighted = _fit((X, y), net, sample_weight=copies, **settings)
    copied = _fit((np.repeat(X, copies, axis=0), np.repeat(y, copies)), net, **settings)
    # The same mean, its terms added in another order.
    np.testing.assert_allclose(weighted.history["loss"], copied.history["loss"], rtol=1e-12)
    np.testing.assert_allclose(weighted.predict(X), copied.predict(X), rtol=1e-9)


def test_rows_without_weight_do_nothing(blobs: Any, net: Any, same_bits: Any) -> None:
    X, y = blobs
    weight = np.where(np.arange(len(X)) % 3 == 1, 0.0, 0.5)
    kept = weight > 0
    settings = {"batch_size": 1, "epochs": 1}  # so that a batch may hold nothing but such a row
    without = _fit((X[kept], y[kept]), net, sample_weight=weight[kept], **settings)
    assert same_bits(_fit((X, y), net, sample_weight=weight, **settings).params, without.params)


def test_a_common_factor_of_the_weights_does_not_matter(blobs: Any, net: Any) -> None:
    runs = [_fit(blobs, net, sample_weight=np.full(47, w), dtype=np.float64) for w in (1.0, 8.0)]
    np.testing.assert_allclose(runs[0].predict(blobs[0]), runs[1].predict(blobs[0]), rtol=1e-12)


# What is held out -------------------------------------------------------------------------------------------


def _split(net: Any, X: Any, y: Any, fraction: float, **settings: Any) -> Any:
    return check_data("fit", net, check_settings("fit", settings), X, y, fraction=fraction)


def test_a_fraction_is_held_out_class_by_class(net: Any) -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    X = np.arange(300.0).reshape(100, 3)
    train, held = _split(net, X, y, 0.2)
    assert held is not None
    assert list(np.bincount(held.y)) == [12, 6, 2]
    assert list(np.bincount(train.y)) == [48, 24, 8]
    together = np.sort(np.concatenate([train.X[:, 0], held.X[:, 0]]))
    np.testing.assert_array_equal(together, X[:, 0])


def test_the_split_is_the_seeds_own(net: Any) -> None:
    X, y = np.arange(300.0).reshape(100, 3), np.arange(100) % 3
    first, again, other = (list(_split(net, X, y, 0.3, seed=seed)[0].X[:, 0]) for seed in (0, 0, 1))
    assert first == again != other


def test_validation_data_in_every_form(blobs: Any, net: Any) -> None:
    X, y = blobs
    weight = np.linspace(0.0, 1.0, 7)
    for data in ((X[40:], y[40:]), [X[40:].tolist(), y[40:].tolist()], (X[40:], y[40:], weight)):
        run = _fit((X[:40], y[:40]), net, validation_data=data)
        expected = run.evaluate(*data)["loss"]
        assert run.history[-1]["val_loss"] == expected


def test_metrics_are_those_of_evaluate(blobs: Any, net: Any) -> None:
    X, y = blobs
    names = ("accuracy", "balanced_accuracy", "log_loss", "roc_auc")
    run = _fit((X[:30], y[:30]), net, validation_data=(X[30:], y[30:]), metrics=names)
    scores = run.evaluate(X[30:], y[30:])
    assert {name: run.history[-1][f"val_{name}"] for name in names} == {name: scores[name] for name in names}
    assert "val_accuracy" in _fit((X, y), net, validation_fraction=0.2, metrics="accuracy").history.names


def test_a_metric_that_the_held_out_rows_lack_is_left_out(blobs: Any, net: Any, wave: Any) -> None:
    X, y = blobs
    one_class = (X[y == 1], y[y == 1])
    run = _fit((X, y), net, validation_data=one_class, metrics=("accuracy", "roc_auc"))
    assert "val_accuracy" in run.history.names
    assert "val_roc_auc" not in run.history.names
    one_row = (wave[0][:1], wave[1][:1])
    run = _fit(wave, mc.nn.Dense(1), loss="squared_error", validation_data=one_row, metrics=("r2", "mae"))
    assert "val_r2" not in run.history.names
    assert run.history["val_mae"].shape == (3,)


# Losses, targets, own functions -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, np.float32, bool])
def test_class_numbers_of_any_dtype(kind: Any, same_bits: Any) -> None:
    X = np.random.default_rng(0).standard_normal((20, 2))
    y = (X[:, 0] > 0).astype(int)
    net = mc.nn.Dense(2)
    assert same_bits(_fit((X, y), net).params, _fit((X, y.astype(kind)), net).params)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "binary_cross_entropy"])
def test_targets_in_one_column_or_in_none(loss: str, same_bits: Any) -> None:
    X = np.random.default_rng(0).standard_normal((20, 2))
    y = (X[:, 0] > 0).astype(int)
    flat, column = (_fit((X, t), mc.nn.Dense(1), loss=loss) for t in (y, y[:, None].astype(float)))
    assert same_bits(flat.params, column.params)
    assert flat.predict(X).shape == (20,)
    assert flat.evaluate(X, y) == column.evaluate(X, y[:, None])


def test_several_outputs_a_row(wave: Any) -> None:
    X, y = wave
    both = np.stack([y, -y], axis=1)
    run = _fit((X, both), mc.nn.Dense(2), loss="squared_error", validation_fraction=0.2, metrics=("r2",))
    assert run.predict(X).shape == (50, 2)
    assert run.history["val_r2"].shape == (3,)


def test_shares_of_classes_as_targets(blobs: Any, net: Any) -> None:
    X, y = blobs
    shares = np.eye(3)[y]
    labels, spread = _fit((X, y), net, dtype=np.float64), _fit((X, shares), net, dtype=np.float64)
    np.testing.assert_allclose(labels.predict(X), spread.predict(X), rtol=1e-12)
    scores = spread.evaluate(X, shares)
    assert scores == spread.evaluate(X, y)
    assert scores["accuracy"] == np.mean(spread.predict(X).argmax(axis=1) == y)
    assert set(spread.evaluate(X, 0.5 * shares + 1 / 6)) == {"loss"}


def test_rows_of_any_shape() -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 5), np.uint8)
    net = mc.nn.Sequential(mc.nn.Flatten(), mc.nn.Dense(2))
    run = mc.fit(net, images / 255.0, np.arange(12) % 2, epochs=2)
    assert run.predict(images[:3]).shape == (3, 2)


def test_own_loss_activation_regularizer_and_schedule(wave: Any) -> None:
    X, y = wave
    net = mc.nn.Sequential(mc.nn.Dense(8, activation=lambda x: np.sin(x)), mc.nn.Dense(1))

    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        rows = np.abs(outputs - targets)[:, 0] ** 1.5
        return (
            np.mean(rows) if sample_weight is None else np.sum(rows * sample_weight) / np.sum(sample_weight)
        )

    run = _fit(
        (X, y), net, loss=loss, epochs=30, validation_fraction=0.2, sample_weight=np.ones(50),
        regularizer=lambda p: 1e-3 * np.sum(p["0"]["weight"] ** 4),
        schedule=lambda steps, total: 1.0 - steps / total,
    )  # fmt: skip
    assert run.history[-1]["val_loss"] < 0.5 * run.history[0]["val_loss"]
    assert run.predict(X).shape == (50,)
    with pytest.raises(mc.DataError, match="own loss function"):
        run.evaluate(X, y)
    with pytest.raises(mc.DataError, match="own loss function"):
        run.save("never.safetensors")


@pytest.mark.parametrize("batch_size", [50, 8])
def test_own_functions_are_traced_as_often_for_many_epochs_as_for_few(wave: Any, batch_size: int) -> None:
    traced: list[int] = []

    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        traced[-1] += 1
        return np.mean((outputs - targets) ** 2)

    for epochs in (2, 40):
        traced.append(0)
        _fit(wave, mc.nn.Dense(1), loss=loss, epochs=epochs, batch_size=batch_size)
    assert traced[0] == traced[1] > 0


def test_a_regularizer_shrinks_weights_and_is_no_part_of_the_loss(blobs: Any, net: Any) -> None:
    plain, shrunk = (_fit(blobs, net, epochs=20, regularizer=r) for r in (None, mc.nn.L2(0.5)))
    size = lambda run: float(np.sum(run.params["1"]["weight"] ** 2))  # noqa: E731
    assert size(shrunk) < 0.2 * size(plain)
    last = shrunk.history[-1]["loss"]
    assert last == pytest.approx(
        shrunk.evaluate(*blobs)["loss"], rel=0.05
    )  # the weights moved within the epoch


def test_a_loss_with_settings_bound_is_saved_as_its_loss(blobs: Any, net: Any, tmp_path: Path) -> None:
    smooth = functools.partial(softmax_cross_entropy, label_smoothing=0.2)
    run = _fit(blobs, net, loss=smooth, validation_data=blobs)
    plain = _fit(blobs, net, validation_data=blobs)
    assert run.model.loss == "softmax_cross_entropy"
    assert run.history[-1]["loss"] > plain.history[-1]["loss"]
    # What is held out is measured by the plain loss, so that trainings can be compared.
    assert run.history[-1]["val_loss"] == run.evaluate(*blobs)["loss"]
    run.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        mc.load(tmp_path / "m.safetensors").predict(blobs[0]), run.predict(blobs[0])
    )
    assert _fit(blobs, mc.nn.Dense(1), loss=functools.partial(huber, delta=2.0)).model.loss == "huber"


def test_the_schedule_stands_in_the_history(blobs: Any, net: Any) -> None:
    steps = -(-47 // 8)
    run = _fit(blobs, net, optimizer=mc.optim.SGD(0.1), schedule=mc.optim.Cosine(), epochs=4)
    expected = 0.1 * mc.optim.Cosine()(np.arange(1, 5) * steps - 1, 4 * steps)
    np.testing.assert_allclose(run.history["learning_rate"], expected, rtol=1e-6)  # rates are float32
    assert set(_fit(blobs, net, schedule="constant").history["learning_rate"]) == {float(np.float32(0.02))}


# The run ----------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_is(blobs: Any, net: Any) -> None:
    run = _fit(blobs, net, validation_fraction=0.2)
    assert repr(run) == "Run(3 epochs, all epochs, weights of epoch 3)"
    assert run.history.names == ("epoch", "loss", "val_loss", "learning_rate", *TIMINGS)
    assert run.model.input_shape == (3,)
    assert 0 < run.steps_per_second < 1e9
    assert run.model.training["optimizer"]["name"] == "Adam"
    assert run.model.training["optimizer"]["learning_rate"] == 0.02
    assert json.loads(json.dumps(run.model.training))["stopped"] == "all epochs"


def test_params_continue_a_training(blobs: Any, net: Any, same_bits: Any) -> None:
    X, y = blobs
    settings = {"optimizer": mc.optim.SGD(0.1), "batch_size": 47, "shuffle": False, "dtype": np.float64}
    first = _fit(blobs, net, epochs=4, **settings)
    before = {name: {k: v.copy() for k, v in layer.items()} for name, layer in first.params.items()}
    both = _fit(blobs, net, epochs=3, params=first.params, **settings)
    # Gradient descent without momentum remembers nothing but the weights.
    assert same_bits(both.params, _fit(blobs, net, epochs=7, **settings).params)
    assert same_bits(first.params, before)
    assert _fit((X, y), net, params=first.params).model.dtype == np.float32


def test_nothing_of_the_caller_is_changed(blobs: Any, net: Any) -> None:
    X, y = (a.copy() for a in blobs)
    weight = np.ones(47)
    _fit((X, y), net, sample_weight=weight, validation_data=(X, y))
    np.testing.assert_array_equal(X, blobs[0])
    np.testing.assert_array_equal(y, blobs[1])


# Divergence and interruption --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale_x", "scale_y", "rate", "message"),
    [
        (1.0, 1.0, 1e6, r"learning rate 1e\+06 is probably too large; try 0.1"),
        (1e6, 1.0, 0.1, r"X holds numbers up to 2e\+06; scale its columns"),
        (1.0, 1e30, 0.1, r"y holds numbers up to .*e\+\d+; scale it"),
    ],
)
def test_divergence_names_its_cause_and_keeps_the_last_good_weights(
    scale_x: float, scale_y: float, rate: float, message: str, wave: Any
) -> None:
    X, y = wave
    net = mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(1))
    settings: dict[str, Any] = {"loss": "squared_error", "optimizer": mc.optim.SGD(rate), "epochs": 200}
    with pytest.raises(mc.DivergenceError, match=message) as caught:
        _fit((X * scale_x, y * scale_y), net, **settings)
    run = caught.value.run  # type: ignore[attr-defined]
    assert run.stopped == "diverged"
    assert all(np.isfinite(leaf).all() for layer in run.params.values() for leaf in layer.values())
    assert np.isfinite(run.history["loss"]).all()


def test_weights_that_diverge_in_the_very_last_step_are_seen(wave: Any, spy: Any, same_bits: Any) -> None:
    X, y = wave[0], 100.0 * wave[1]
    rates = lambda steps, total: np.where(steps < total - 1, 1.0, 1e39)  # noqa: E731
    watcher = spy()
    with pytest.raises(mc.DivergenceError, match=r"step 4 \(epoch 2\): a weight is no finite") as caught:
        _fit(
            (X, y), mc.nn.Dense(1), loss="squared_error", optimizer=mc.optim.SGD(0.1), batch_size=25,
            epochs=2, schedule=rates, callbacks=[watcher],
        )  # fmt: skip
    run = caught.value.run  # type: ignore[attr-defined]
    assert (len(run.history), run.best_epoch) == (1, 1)
    assert same_bits(run.params, watcher.params[1])
    assert watcher.told[-1] == "end"


@pytest.mark.parametrize(
    ("when", "epochs"),
    [("start", 0), (("chunk", 1, 6), 0), (("epoch", 1), 1), (("chunk", 3, 6), 2), (("epoch", 3), 3)],
)
def test_an_interrupt_keeps_what_was_learnt(
    when: Any,
    epochs: int,
    blobs: Any,
    net: Any,
    spy: Any,
    interrupt: Any,
    same_bits: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher, before = spy({when: interrupt}), spy()
    with caplog.at_level(logging.WARNING, "minicolumn"):
        run = _fit(blobs, net, callbacks=[before, watcher], epochs=5, batch_size=8)
    assert run.stopped == "interrupted"
    assert (len(run.history), run.best_epoch) == (epochs, epochs)
    twin = mc.Trainer(net, *blobs, optimizer=mc.optim.Adam(0.02), batch_size=8)
    if run.snapshot.step:
        twin.advance(steps=run.snapshot.step)
    assert run.snapshot.step == (0 if when == "start" else when[1] * 6)
    assert same_bits(run.params, twin.params)
    assert (before.told[-1], watcher.told[-1]) == ("end", "end")
    assert f"interrupted after {epochs} epochs" in caplog.text
    assert run.predict(blobs[0]).shape == (47, 3)


def test_an_interrupt_within_a_step_keeps_the_best_epoch(
    blobs: Any, net: Any, spy: Any, same_bits: Any
) -> None:
    def rates(steps: Any, total: int) -> Any:
        if steps[0] >= total // 2:
            raise KeyboardInterrupt
        return 1.0

    watcher = spy()
    run = _fit(
        blobs, net, epochs=6, schedule=rates, validation_data=blobs, callbacks=[mc.KeepBest("loss"), watcher]
    )
    assert (run.stopped, len(run.history)) == ("interrupted", 3)
    assert same_bits(run.params, watcher.params[run.best_epoch])
    assert run.best_epoch == run.history.best("loss") + 1


def test_an_interrupt_while_the_first_step_is_compiled(
    blobs: Any, net: Any, spy: Any, same_bits: Any
) -> None:
    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        raise KeyboardInterrupt

    watcher = spy()
    run = _fit(blobs, net, loss=loss, callbacks=[watcher], seed=4)
    assert (run.stopped, run.best_epoch, len(run.history)) == ("interrupted", 0, 0)
    assert same_bits(run.params, net.init(4, (3,)))
    assert watcher.told == ["start", "end"]


def test_callbacks_end_when_one_of_them_fails(blobs: Any, net: Any, spy: Any) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("own mistake")

    watcher = spy()
    with pytest.raises(RuntimeError, match="own mistake"):
        _fit(blobs, net, callbacks=[watcher, spy({("epoch", 2): fail})])
    assert watcher.told[-1] == "end"


def test_an_own_loss_sees_targets_shaped_like_one_output() -> None:
    X = np.random.default_rng(0).standard_normal((64, 2)).astype(np.float32)
    settings = {"optimizer": mc.optim.Adam(0.05), "epochs": 5}
    net = mc.nn.Sequential(mc.nn.Dense(1))
    own = mc.fit(net, X, 2 * X[:, 0], loss=lambda o, t, w: np.mean((o - t) ** 2), **settings)
    named = mc.fit(net, X, 2 * X[:, 0], loss="squared_error", **settings)
    np.testing.assert_allclose(own.history["loss"], named.history["loss"], rtol=1e-5)  # float32 sums


def test_a_loss_that_is_none_from_the_start_is_not_blamed_on_the_rate() -> None:
    X = np.ones((8, 2), np.float32)
    with pytest.raises(mc.DivergenceError, match="look at the loss function"):
        mc.fit(mc.nn.Dense(1), X, X[:, 0], loss=lambda o, t, w: np.mean(np.log(-t * t)))
    with pytest.raises(mc.DivergenceError, match=r"the learning rate 1e\+30 .* try 0\.1"):
        mc.fit(mc.nn.Dense(1), X, X[:, 0], loss="squared_error", optimizer=mc.optim.SGD(1e30), batch_size=2)


def test_the_number_of_threads_changes_no_bit() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((600, 54)).astype(np.float32), rng.integers(0, 7, 600)
    net = mc.nn.Sequential(mc.nn.Dense(128, activation="relu"), mc.nn.Dense(7))
    one, two = (mc.fit(net, X, y, batch_size=256, epochs=1, threads=threads) for threads in (1, 2))
    for layer in one.params:
        for name, weights in one.params[layer].items():
            np.testing.assert_array_equal(weights, two.params[layer][name])


def test_weights_that_were_seen_stay_while_the_training_goes_on(blobs: Any, net: Any, same_bits: Any) -> None:
    class Watch(mc.train.Callback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_epoch(self, training: Any, row: Any) -> None:
            self.seen.append((training.params, copy.deepcopy(training.params)))

    watch = Watch()
    _fit(blobs, net, epochs=3, callbacks=[watch])
    assert all(same_bits(held, then) for held, then in watch.seen)
    assert not same_bits(watch.seen[0][0], watch.seen[2][0])


def test_weights_that_predict_no_numbers_are_not_kept(wave: Any) -> None:
    X, y = wave
    net = mc.nn.Sequential(mc.nn.Dense(8, "relu"), mc.nn.Dense(1))
    with pytest.raises(mc.DivergenceError, match=r"a prediction is no finite number") as found:
        # One step an epoch, so that no later step meets the weights first; they are some 1e30.
        mc.fit(net, X, y, loss="squared_error", optimizer=mc.optim.SGD(1e30), batch_size=len(X), epochs=3,
               validation_data=(X, y))  # fmt: skip
    assert len(found.value.run.history) == 0
    assert np.isfinite(found.value.run.predict(X)).all()


def test_a_validation_loss_that_is_no_number_for_itself_stops_nothing(wave: Any) -> None:
    X, y = wave
    net = mc.nn.Dense(1)
    cost = lambda out, t, w: np.mean((out - t) ** 2) + 0.0 * np.mean(np.log(t + 1e3))  # noqa: E731
    run = mc.fit(net, X, y, loss=cost, epochs=2, validation_data=(X, y - 2e3))
    assert np.isnan(run.history["val_loss"]).all()


@pytest.mark.parametrize(
    ("cost", "error", "message"),
    [
        (lambda *_: None, mc.DataError, "the loss must give one number for a batch, it gave None"),
        (
            lambda out, *_: (np.mean(out), 1),
            mc.DataError,
            "the loss must give one number for a batch, it gave",
        ),
        (
            lambda out, t, w: np.sum(out > t),
            mc.DataError,
            "expected a float; what only counts has no gradient",
        ),
    ],
)
@pytest.mark.parametrize("regularizer", [None, mc.nn.L2(0.1)])
def test_own_losses_that_give_no_number_are_told(
    wave: Any, cost: Any, error: Any, message: str, regularizer: Any
) -> None:
    with pytest.raises(error, match=message):
        mc.fit(mc.nn.Dense(1), *wave, loss=cost, regularizer=regularizer, epochs=1)
