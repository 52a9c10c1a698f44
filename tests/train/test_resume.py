"""Going on with a training: so many epochs now and so many later are all of them at once, to the bit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train.programs import epochs_program, step_of, steps_program
from minicolumn.train.settings import check_settings
from minicolumn.tree import flatten

TIMINGS = ("seconds", "steps_per_second")
OPTIMIZERS = [mc.optim.SGD(0.05, momentum=0.9), mc.optim.Adam(0.02), mc.optim.RMSProp(0.01)]


def _net() -> mc.nn.Sequential:
    return mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.3), mc.nn.Dense(3))


def _rows(history: mc.History) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TIMINGS} for row in history]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_one_epoch_and_another_are_two_to_the_bit(optimizer: Any, blobs: Any, same_bits: Any) -> None:
    settings = {"optimizer": optimizer, "batch_size": 8, "regularizer": mc.nn.PerRow(mc.nn.L2(0.1))}
    settings |= {
        "validation_data": blobs,
        "callbacks": [mc.KeepBest()],
        "sample_weight": np.arange(1.0, 48.0),
    }
    whole = mc.fit(_net(), *blobs, epochs=2, **settings)
    first = mc.fit(_net(), *blobs, epochs=1, **settings)
    second = mc.fit(_net(), *blobs, epochs=1, resume=first, **settings)
    assert same_bits(whole.params, second.params)
    assert same_bits(whole.snapshot.moments, second.snapshot.moments)
    assert _rows(whole.history) == _rows(second.history)
    assert (second.best_epoch, second.snapshot.step) == (whole.best_epoch, whole.snapshot.step)
    assert len(first.history) == 1  # what went before stays as it was


def test_a_resumed_run_leaves_the_first_as_it_was(blobs: Any, same_bits: Any) -> None:
    first = mc.fit(_net(), *blobs, epochs=2, optimizer=mc.optim.Adam(0.02))
    weights, moments = ({**first.snapshot.params}, first.snapshot.moments["mean"]["0"]["weight"].copy())
    again = [mc.fit(_net(), *blobs, epochs=1, optimizer=mc.optim.Adam(0.02), resume=first) for _ in range(2)]
    assert same_bits(again[0].params, again[1].params)
    assert same_bits(first.snapshot.params, weights)
    np.testing.assert_array_equal(first.snapshot.moments["mean"]["0"]["weight"], moments)


def test_patience_goes_on_counting(blobs: Any) -> None:
    stopping = [mc.EarlyStopping(patience=4, monitor="loss", min_delta=1e9)]
    first = mc.fit(_net(), *blobs, epochs=3, callbacks=stopping)
    second = mc.fit(_net(), *blobs, epochs=10, callbacks=stopping, resume=first)
    assert (second.stopped, len(second.history)) == ("early stopping", 5)


def test_fresh_moments_on_request(blobs: Any, same_bits: Any) -> None:
    first = mc.fit(_net(), *blobs, epochs=1, optimizer=mc.optim.SGD(0.1, momentum=0.9))
    afresh = mc.train.Snapshot(first.params)
    settings: dict[str, Any] = {"optimizer": mc.optim.SGD(0.1, momentum=0.9), "epochs": 1}
    starts: list[dict[str, Any]] = [{"resume": afresh}, {"params": first.params}]
    one, other = (mc.fit(_net(), *blobs, **settings, **given) for given in starts)
    assert same_bits(one.params, other.params)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resume": 3}, "resume is a int, expected what an earlier fit returned"),
        ({"resume": "run", "params": "run"}, "give params or resume, not both"),
        ({"resume": "run", "optimizer": "sgd"}, "resume remembers mean, square, which SGD cannot go on from"),
    ],
)
def test_what_cannot_be_gone_on_with(given: Any, message: str, blobs: Any) -> None:
    run = mc.fit(_net(), *blobs, epochs=1)
    known = {"run": run}
    given = {name: known.get(value, value) for name, value in given.items()}
    if "params" in given:
        given["params"] = run.params
    with pytest.raises(mc.DataError, match=message):
        mc.fit(_net(), *blobs, epochs=1, **given)


def test_a_penalty_per_row_is_shared_by_the_batch(blobs: Any) -> None:
    X, y = blobs
    settings: dict[str, Any] = {
        "batch_size": 10,
        "epochs": 1,
        "shuffle": False,
        "optimizer": mc.optim.SGD(0.0),
    }
    run = mc.fit(_net(), X, y, regularizer=mc.nn.PerRow(mc.nn.L2(2.0)), **settings)
    squares = sum(
        float(np.sum(layer["weight"].astype(np.float64) ** 2)) for layer in run.params.values() if layer
    )
    # Four batches of ten rows and one of seven, each bearing the whole penalty; the mean is over the rows.
    assert run.history[0]["penalty"] == pytest.approx(squares * 5 / 47, rel=1e-6)
    weight = np.linspace(0.5, 2.0, 47)
    run = mc.fit(_net(), X, y, regularizer=mc.nn.PerRow(mc.nn.L2(2.0)), sample_weight=weight, **settings)
    batches = [slice(start, start + 10) for start in range(0, 47, 10)]
    shares = sum(len(weight[b]) / weight[b].sum() for b in batches)
    assert run.history[0]["penalty"] == pytest.approx(squares * shares / 47, rel=1e-6)


def test_strengths_and_rates_make_no_new_program() -> None:
    def programs(**settings: Any) -> tuple[Any, Any]:
        step = step_of(_net(), check_settings("fit", settings))
        return steps_program(step), epochs_program(step)

    made = [
        programs(optimizer=mc.optim.Adam(rate), regularizer=mc.nn.L2(strength))
        for rate, strength in ((0.01, 0.1), (0.02, 0.2), (0.03, 0.0))
    ]
    assert made[0] == made[1] == made[2]
    assert programs(optimizer=mc.optim.Adam(0.01, b1=0.5), regularizer=mc.nn.L2(0.1)) != made[0]
    own = lambda params: np.sum(params["0"]["weight"])  # noqa: E731  it may read what changes elsewhere
    assert programs(regularizer=own) != programs(regularizer=own)


def test_own_functions_are_read_anew_at_each_training(blobs: Any, same_bits: Any) -> None:
    power = 1.0

    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        return np.mean(np.sum((outputs - targets.reshape((-1, 1))) ** 2, axis=1)) * power

    X, y = blobs
    first = mc.fit(_net(), X, y, loss=loss, epochs=1, optimizer="sgd")
    power = 2.0
    assert not same_bits(first.params, mc.fit(_net(), X, y, loss=loss, epochs=1, optimizer="sgd").params)


AROUND = {
    "averaged": mc.optim.Averaged(mc.optim.SGD(0.05), decay=0.9),
    "clipped": mc.optim.Clipped(mc.optim.Adam(), norm=1.0),
}
ALL = {name: mc.optim.optimizer_by_name(name) for name in mc.optim.OPTIMIZERS} | AROUND


# Several steps an epoch, or one, in turn: how many there are is nothing to an optimizer.
@pytest.mark.parametrize(
    ("name", "batch"), [*zip(ALL, itertools.cycle([16, 64]), strict=False), ("sgd", 64), ("adam", 64)]
)
def test_every_optimizer_goes_on_where_it_stood(name: str, batch: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 3)).astype(np.float32)
    y, net = np.sin(X[:, 0]), mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
    settings: Any = {"loss": "squared_error", "optimizer": ALL[name], "batch_size": batch}
    whole = mc.fit(net, X, y, epochs=5, **settings)
    half = mc.fit(net, X, y, epochs=2, **settings)
    rest = mc.fit(net, X, y, epochs=3, resume=half, **settings)
    np.testing.assert_array_equal(whole.history["loss"], rest.history["loss"])
    for a, b in zip(flatten(whole.params)[0], flatten(rest.params)[0], strict=True):
        assert a.tobytes() == b.tobytes()


def test_a_lowered_rate_stays_lowered() -> None:
    X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    settings: Any = {
        "loss": "squared_error",
        "callbacks": [mc.ReduceOnPlateau(0.5, patience=1, min_delta=9.0)],
    }
    whole = mc.fit(mc.nn.Dense(1), X, X[:, 0], epochs=8, **settings)
    half = mc.fit(mc.nn.Dense(1), X, X[:, 0], epochs=4, **settings)
    rest = mc.fit(mc.nn.Dense(1), X, X[:, 0], epochs=4, resume=half, **settings)
    np.testing.assert_array_equal(whole.history["learning_rate"], rest.history["learning_rate"])
    assert len(set(rest.history["learning_rate"])) > 4


@pytest.mark.parametrize("batch", [8, 40])
def test_what_callbacks_do_to_the_weights_they_see_changes_no_training(batch: int) -> None:
    class Zeros(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            training.params["weight"][:] = 0.0

    X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    settings: Any = {"loss": "squared_error", "epochs": 6, "batch_size": batch}
    alone = mc.fit(mc.nn.Dense(1), X, X[:, 0], **settings)
    watched = mc.fit(mc.nn.Dense(1), X, X[:, 0], callbacks=[Zeros()], **settings)
    np.testing.assert_array_equal(alone.history["loss"], watched.history["loss"])


@pytest.mark.parametrize("optimizer", [mc.optim.ScheduleFreeAdamW(), AROUND["averaged"]])
def test_a_constraint_and_a_mean_of_weights_exclude_each_other(optimizer: Any) -> None:
    X = np.ones((4, 2), np.float32)
    with pytest.raises(mc.DataError, match="use one or the other"):
        mc.fit(
            mc.nn.Dense(1),
            X,
            X[:, 0],
            loss="squared_error",
            optimizer=optimizer,
            constraint=mc.nn.NonNegative(),
        )
