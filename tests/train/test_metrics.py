"""Scores in a training: of the catalogue's losses by name, and of one's own, watched by callbacks."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

import minicolumn as mc
from minicolumn.train import Metric

RNG = np.random.default_rng(7)
X, CODES = RNG.standard_normal((30, 3)), np.arange(30) % 3
WIDTHS = {"quantile": 1, "gaussian_nll": 2}


def within(y: Any, predicted: Any, sample_weight: Any = None) -> float:
    return float(np.average(np.abs(y - predicted) < 0.5, weights=sample_weight))


def _run(net: Any, blobs: Any, **settings: Any) -> mc.Run:
    return mc.fit(net, *blobs, **{"epochs": 3, "validation_data": blobs, **settings})


# Every loss of the catalogue --------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", mc.nn.LOSSES)
def test_whole_weights_are_repeated_rows_in_full_batch(loss: str) -> None:
    rule = mc.nn.LOSSES[loss]
    outputs = WIDTHS.get(loss, 3 if rule.task == "multiclass" or loss == "cosine_distance" else 1)
    y = {"multiclass": CODES, "binary": CODES % 2, "regression": CODES + 1.0}[rule.task]
    y = np.eye(3)[CODES] if loss == "cosine_distance" else y
    net, times = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(outputs)), np.arange(30) % 4

    def trained(X: Any, y: Any, weight: Any = None) -> mc.Run:
        return mc.fit(
            net, X, y, loss=loss, sample_weight=weight, epochs=4, batch_size=10_000, dtype=np.float64,
            optimizer=mc.optim.SGD(0.05), backend="reference", shuffle=False,
        )  # fmt: skip

    weighted = trained(X, y, times)
    repeated = trained(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    # The same sums in another order, in float64, four times one upon another.
    np.testing.assert_allclose(weighted.history["loss"], repeated.history["loss"], rtol=1e-11)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-10, atol=1e-12)
    assert weighted.history[-1]["loss"] < weighted.history[0]["loss"]
    found = weighted.evaluate(X, y)
    assert all(np.isfinite(value) for value in found.values())
    assert set(found) > {"loss", "rmse" if rule.task == "regression" else "accuracy"}


def test_a_record_trains_as_a_partial_does_and_measures_its_settings(blobs: Any, same_bits: Any) -> None:
    from minicolumn.nn.losses import huber

    X, y = blobs
    settings = {"validation_data": (X, y), "epochs": 2}
    record = mc.fit(mc.nn.Dense(1), X, y, loss=mc.nn.Loss("huber", delta=0.5), **settings)
    partial = mc.fit(mc.nn.Dense(1), X, y, loss=functools.partial(huber, delta=0.5), **settings)
    assert same_bits(record.params, partial.params)
    assert record.model.loss_record == partial.model.loss_record == mc.nn.Loss("huber", delta=0.5)
    off = np.abs(record.predict(X) - y)
    expected = np.where(off < 0.5, off**2 / 2, 0.5 * (off - 0.25)).mean()
    assert record.history[-1]["val_loss"] == pytest.approx(expected, rel=1e-5)  # float32


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_names_of_others(name: str, blobs: Any, net: Any) -> None:
    assert _run(net, blobs, loss=name).model.loss == "softmax_cross_entropy"


# Scores by name and one's own -------------------------------------------------------------------------------


def test_scores_that_are_told_on_request(blobs: Any, net: Any) -> None:
    run = _run(net, blobs, metrics=["f1", "mcc", "average_precision", "accuracy"])
    guess = run.predict(blobs[0]).argmax(axis=1)
    assert run.history[-1]["val_f1"] == pytest.approx(oracle.f1_score(blobs[1], guess, average="macro"))
    assert run.history[-1]["val_mcc"] == pytest.approx(oracle.matthews_corrcoef(blobs[1], guess))
    found = run.evaluate(*blobs, metrics=["mcc"])
    assert found["mcc"] == run.history[-1]["val_mcc"]


def test_own_metrics_stand_in_the_history(wave: Any) -> None:
    X, y = wave
    weight = np.linspace(0.0, 1.0, 50)
    near = ("near", lambda y, p: within(y, p))
    own = [within, near, "mae", Metric("nearer", within, higher_is_better=True)]
    net = mc.nn.Sequential(mc.nn.Dense(8, "tanh"), mc.nn.Dense(1))
    run = mc.fit(net, X, y, loss="mse", epochs=2, metrics=own, validation_data=(X, y))
    assert run.history.names[:7] == (
        "epoch", "loss", "val_loss", "val_within", "val_near", "val_mae", "val_nearer",
    )  # fmt: skip
    last = run.history[-1]
    assert last["val_within"] == last["val_near"] == last["val_nearer"] == within(y, run.predict(X))
    weighed = mc.fit(net, X, y, loss="mse", epochs=2, metrics=[within], validation_data=(X, y, weight))
    assert weighed.history[-1]["val_within"] == pytest.approx(within(y, run.predict(X), weight), rel=1e-6)


def test_scikit_learns_functions_will_do(blobs: Any) -> None:
    X, y = blobs
    run = mc.fit(
        mc.nn.Dense(1), X, y, loss="mse", epochs=1, validation_data=(X, y, np.ones(47)),
        metrics=[oracle.explained_variance_score, ("worst", lambda y, p, **_: oracle.max_error(y, p))],
    )  # fmt: skip
    assert run.history[-1]["val_explained_variance_score"] <= 1.0
    assert run.history[-1]["val_worst"] == pytest.approx(np.abs(y - run.predict(X)).max(), rel=1e-6)


def test_after_an_own_loss_a_metric_sees_raw_outputs(wave: Any) -> None:
    X, y = wave

    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        return np.mean((outputs - targets) ** 2)

    net = mc.nn.Dense(1, activation="tanh")
    run = mc.fit(net, X, y, loss=loss, epochs=2, metrics=[within], validation_data=(X, y))
    assert run.history[-1]["val_within"] == within(y, run.predict(X))


def _step(values: list[float]) -> Any:
    """Return a metric that gives these values, one an epoch."""
    told = iter(values)
    return lambda y, predicted: next(told)


@pytest.mark.parametrize(("higher", "best"), [(True, 2), (False, 3)])
def test_callbacks_watch_an_own_metric_by_what_it_says(higher: bool, best: int, blobs: Any, net: Any) -> None:
    own = Metric("luck", _step([0.5, 0.9, 0.1, 0.3]), higher_is_better=higher)
    run = _run(net, blobs, metrics=[own], callbacks=[mc.KeepBest("val_luck")], epochs=4)
    assert run.best_epoch == best
    own = Metric("luck", _step([0.5, 0.9, 0.1, 0.3, 0.3, 0.3]), higher_is_better=higher)
    run = _run(net, blobs, metrics=[own], callbacks=[mc.EarlyStopping(2, monitor="val_luck")], epochs=6)
    assert (run.stopped, len(run.history), run.best_epoch) == ("early stopping", best + 2, best)


def test_a_record_may_take_a_known_name_and_decides(blobs: Any, net: Any) -> None:
    own = Metric("accuracy", _step([0.5, 0.9, 0.1]), higher_is_better=False)
    run = _run(net, blobs, metrics=[own], callbacks=[mc.KeepBest("val_accuracy")])
    assert run.best_epoch == 3


@pytest.mark.parametrize("metric", [within, ("within", within), Metric("within", within)])
def test_what_nobody_knows_the_better_of_cannot_be_watched(metric: Any, wave: Any) -> None:
    with pytest.raises(mc.DataError, match=r"no telling .*mc\.train\.Metric\('within', function, higher_is"):
        mc.fit(
            mc.nn.Dense(1), *wave, loss="mse", metrics=[metric], validation_fraction=0.2,
            callbacks=[mc.EarlyStopping(monitor="val_within")],
        )  # fmt: skip


def test_coverage_has_no_better(wave: Any) -> None:
    loss = mc.nn.Loss("quantile", levels=(0.1, 0.9))
    settings = {
        "loss": loss,
        "metrics": ["interval_coverage"],
        "validation_fraction": 0.2,
        "epochs": 1,
    }
    assert 0.0 <= mc.fit(mc.nn.Dense(2), *wave, **settings).history[-1]["val_interval_coverage"] <= 1.0
    with pytest.raises(mc.DataError, match="no telling whether val_interval_coverage"):
        mc.fit(mc.nn.Dense(2), *wave, **settings, callbacks=[mc.KeepBest("val_interval_coverage")])


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([lambda y, p: 0.0], r"a metric's function has no name; give a pair \('name', function\)"),
        ([functools.partial(within)], "a metric's function has no name"),
        ([3], "metrics holds a int, expected names, functions or mc.train.Metric records"),
        ([dict], "metrics holds a type, expected names"),
        ([("a", "b")], "metrics holds a tuple, expected names"),
        ([within, ("within", within)], "two metrics are called 'within'; give one another name"),
        (["accuracy", "accuracy"], "two metrics are called 'accuracy'"),
        ([("loss", within)], "Metric: name: expected 1 to 64 letters, and not 'loss', got 'loss'"),
        ([("", within)], "Metric: name: expected 1 to 64 letters"),
        (["acuracy"], "unknown metric 'acuracy'; did you mean 'accuracy'"),
        ([("none", lambda y, p: None)], "the metric 'none' gave a NoneType, expected one number"),
        ([("many", lambda y, p: p)], "the metric 'many' gave a ndarray, expected one number"),
        ([("word", lambda y, p: "high")], "the metric 'word' gave a str, expected one number"),
    ],
)
def test_what_is_no_metric(metrics: Any, message: str, blobs: Any, net: Any) -> None:
    with pytest.raises(mc.DataError, match=message) as caught:
        _run(net, blobs, metrics=metrics)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Metric("a", 3), "Metric: a: expected a function of"),  # type: ignore[arg-type]
        (lambda: Metric(3, within), "Metric: name: expected"),  # type: ignore[arg-type]
        (lambda: Metric("a", within, higher_is_better="yes"), "higher_is_better: expected True"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_record(make: Any, message: str) -> None:
    with pytest.raises(mc.DataError, match=message):
        make()
