"""A training that is held: however it is cut and changed, it is the same training."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.tree import flatten

TIMINGS = ("seconds", "steps_per_second")
RNG = np.random.default_rng(3)
Y = np.arange(47) % 3
X = RNG.standard_normal((47, 3)) + np.eye(3)[Y]
OPTIMIZERS = {
    "sgd": mc.optim.SGD(0.05, momentum=0.9),
    "adam": mc.optim.Adam(0.02),
    "averaged": mc.optim.Averaged(mc.optim.Adam(0.02), decay=0.9),
}


def _net(rate: float = 0.3) -> mc.nn.Sequential:
    return mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(rate), mc.nn.Dense(3))


def _trainer(data: Any = (X, Y), **changed: Any) -> mc.Trainer:
    chosen: Any = {
        "optimizer": mc.optim.Adam(0.02), "batch_size": 8, "epochs": 6, "schedule": "cosine",
        "validation_data": (X[:20], Y[:20]), "metrics": ["accuracy"], "regularizer": mc.nn.L2(0.01),
        "callbacks": [mc.KeepBest(), mc.ReduceOnPlateau(0.5, patience=1)],
    }  # fmt: skip
    return mc.Trainer(_net(), *data, **(chosen | changed))


def _bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in flatten(tree)[0]]


def _figures(trainer: mc.Trainer) -> list[Any]:
    """Return everything about a training but what a clock measured."""
    rows = [{k: v for k, v in row.items() if k not in TIMINGS} for row in trainer.history]
    stood = trainer.snapshot
    trees = (stood.params, stood.moments, trainer.best_params)
    return [rows, stood.step, stood.seen, stood.sums, trainer.best_epoch, *map(_bits, trees)]


# However it is cut ------------------------------------------------------------------------------------------

CUTS = st.one_of(
    st.tuples(st.just("steps"), st.integers(1, 17)),
    st.tuples(st.just("epochs"), st.integers(1, 3)),
    st.tuples(st.just("seconds"), st.floats(1e-6, 1e-3)),
)
CHANGES = st.sampled_from(
    [
        {"learning_rate": 0.1},
        {"batch_size": 5},
        {"batch_size": 47},
        {"optimizer": mc.optim.SGD(0.1)},
        {"optimizer": mc.optim.Adam(0.001, b1=0.5)},
        {"regularizer": None},
        {"schedule": "constant"},
        {"X": X[:30], "y": Y[:30]},
        {"epochs": 9},
    ]
)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(sorted(OPTIMIZERS)), st.lists(CUTS, max_size=12))
def test_however_it_is_cut_it_is_one_fit(optimizer: str, cuts: list[Any]) -> None:
    cut = _trainer(optimizer=OPTIMIZERS[optimizer])
    for what, amount in cuts:
        if what == "steps":
            amount = min(amount, cut.epochs * cut.steps - cut.step)
        if cut.epoch >= cut.epochs or (what == "seconds" and cut.epoch >= cut.epochs - 1) or not amount:
            break
        cut.advance(**{what: min(amount, cut.epochs - cut.epoch) if what == "epochs" else amount})
    whole = _trainer(optimizer=OPTIMIZERS[optimizer])
    if cut.epoch < cut.epochs:
        cut.run()
    whole.run()
    if cut.step > whole.step:  # seconds know no last epoch
        whole.advance(steps=cut.step - whole.step)
    assert _figures(cut) == _figures(whole)


@settings(deadline=None, max_examples=10)  # each compiles some new programs, and each change one more
@given(st.lists(st.tuples(st.integers(1, 20), CHANGES), min_size=1, max_size=2), st.data())
def test_changes_at_the_same_steps_are_the_same_training(changes: list[Any], data: Any) -> None:
    one, other = _trainer(), _trainer()
    for after, change in changes:
        one.advance(steps=after)
        left = after
        while left:  # the same steps, in other pieces
            some = data.draw(st.integers(1, left))
            other.advance(steps=some)
            left -= some
        for trainer in (one, other):
            trainer.change(**change)
    one.run()
    while not other.stopped and other.epoch < other.epochs:
        other.advance(epochs=1)
    assert _figures(one) == _figures(other)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_is_no_matter(threads: int) -> None:
    trainer, alone = _trainer(threads=threads), _trainer()
    trainer.advance(steps=7)
    trainer.run()
    alone.run()
    assert _figures(trainer) == _figures(alone)


def test_fit_is_a_trainers_run() -> None:
    run = mc.fit(_net(), X, Y, epochs=3, seed=4)
    trainer = mc.Trainer(_net(), X, Y, epochs=3, seed=4)
    assert trainer.step == trainer.epoch == 0
    assert _bits(trainer.run().params) == _bits(run.params)
    assert (trainer.stopped, trainer.step) == ("all epochs", 6)


def test_new_rows_come_back_with_the_epochs_they_belong_to() -> None:
    trainer = _trainer()
    assert (trainer.steps, trainer.rows, trainer.epochs) == (6, 47, 6)
    assert trainer.advance(steps=5) == []
    assert (trainer.epoch, trainer.done) == (0, 5)
    assert [row["epoch"] for row in trainer.advance(steps=8)] == [1, 2]
    assert (trainer.epoch, trainer.done, trainer.step) == (2, 1, 13)
    assert [row["epoch"] for row in trainer.advance(epochs=2)] == [3, 4]
    assert trainer.done == 0


def test_seconds_are_kept(within: Any) -> None:
    trainer = _trainer(epochs=1)
    trainer.advance(epochs=3)  # compiled now, whole epochs and single steps
    trainer.advance(steps=13)
    began, step = time.perf_counter(), trainer.step
    with within(0.6):  # twice as long would be a fault, but the first measurement may be off
        trainer.advance(seconds=0.1)
    assert time.perf_counter() - began >= 0.1
    assert trainer.step > step + 10  # a step takes some 10 us, but others may be at work, too


def test_it_goes_on_beyond_its_epochs_and_after_a_stop() -> None:
    class Stop(mc.Callback):
        def on_epoch(self, trainer: Any, row: Any) -> None:
            trainer.stop("enough")

    trainer = _trainer(epochs=2, callbacks=[Stop()])
    assert trainer.run().stopped == "enough"
    assert trainer.run().stopped == "enough"
    assert [row["epoch"] for row in trainer.advance(epochs=5)] == [2]
    trainer = _trainer(epochs=1)
    trainer.run()
    assert trainer.advance(epochs=1)[0]["epoch"] == 2
    assert trainer.stopped is None


def test_a_stop_within_an_epoch_is_honoured_there() -> None:
    class Stop(mc.Callback):
        def on_chunk(self, trainer: Any, done: int, loss: float) -> None:
            trainer.stop("now")

    big = np.repeat(X, 500, axis=0), np.repeat(Y, 500)
    trainer = mc.Trainer(_net(), *big, batch_size=1, callbacks=[Stop()], backend="reference")
    run = trainer.run()
    assert (run.stopped, len(run.history)) == ("now", 0)
    assert 0 < trainer.step < trainer.steps
    assert _bits(run.params) == _bits(trainer.params)
    twin = mc.Trainer(_net(), *big, batch_size=1, backend="reference")
    twin.advance(steps=trainer.step)
    assert _bits(twin.params) == _bits(trainer.params)


def test_callbacks_are_given_the_trainer() -> None:
    seen = []

    class Look(mc.Callback):
        def on_start(self, trainer: mc.Trainer) -> None:
            seen.append(trainer)

        def on_epoch(self, trainer: mc.Trainer, row: Any) -> None:
            seen.append(
                (trainer.epoch, trainer.step, trainer.measure(X[:20], Y[:20])["loss"] - row["val_loss"])
            )

    trainer = _trainer(callbacks=[Look()], epochs=3, optimizer=OPTIMIZERS["averaged"])
    trainer.run()
    assert seen == [trainer, (1, 6, 0.0), (2, 12, 0.0), (3, 18, 0.0)]


# What can be seen -------------------------------------------------------------------------------------------


def test_outputs_are_raw_and_measures_those_of_evaluate() -> None:
    trainer = _trainer(callbacks=())
    trainer.run()
    model = trainer.model
    assert trainer.measure(X, Y) == model.evaluate(X, Y)
    assert trainer.measure(X, Y, "f1") == model.evaluate(X, Y, metrics="f1")
    raw = trainer.outputs(X)
    exp = np.exp(raw - raw.max(axis=1, keepdims=True))
    np.testing.assert_allclose(exp / exp.sum(axis=1, keepdims=True), model.predict(X), rtol=1e-5)  # float32


def test_an_own_loss_is_measured_too() -> None:
    def distance(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        return np.sum(np.abs(outputs - targets) * sample_weight[:, None]) / np.sum(sample_weight)

    trainer = mc.Trainer(mc.nn.Dense(1), X, X[:, 0], loss=distance, epochs=2)
    trainer.run()
    expected = np.mean(np.abs(trainer.outputs(X)[:, 0] - X[:, 0]))
    assert trainer.measure(X, X[:, 0])["loss"] == pytest.approx(expected, rel=1e-5)  # float32


def test_weights_that_are_shown_are_copies() -> None:
    trainer, twin = _trainer(callbacks=()), _trainer(callbacks=())
    trainer.advance(steps=3)
    before = _bits(trainer.params)
    trainer.params["0"]["weight"][:] = 0.0
    stood = trainer.snapshot
    trainer.advance(steps=4)
    twin.advance(steps=7)
    assert _bits(trainer.params) == _bits(twin.params)
    assert _bits(stood.params) == before


# Changing ---------------------------------------------------------------------------------------------------


def test_an_optimizer_of_the_same_kind_remembers() -> None:
    trainer = _trainer()
    trainer.advance(epochs=1)
    before = _bits(trainer.snapshot.moments)
    trainer.change(optimizer=mc.optim.Adam(0.5))
    assert _bits(trainer.snapshot.moments) == before
    trainer.change(optimizer="sgd")
    assert list(trainer.snapshot.moments) == ["count"]
    assert trainer.learning_rate == pytest.approx(mc.optim.SGD().learning_rate, rel=0.2)  # the cosine's


def test_other_rows_begin_the_epoch_anew() -> None:
    trainer = _trainer(callbacks=())
    trainer.advance(steps=3)
    trainer.change(X=X[:16], y=Y[:16])
    assert (trainer.done, trainer.steps, trainer.rows, trainer.step) == (0, 2, 16, 3)
    trainer.advance(epochs=1)
    assert trainer.step == 5


def test_other_weights_may_leave_rows_out_and_begin_the_epoch_anew() -> None:
    trainer = _trainer(callbacks=())
    trainer.advance(steps=4)  # 32 of 47 rows
    trainer.change(sample_weight=np.where(np.arange(47) < 16, 1.0, 0.0))
    assert (trainer.rows, trainer.steps, trainer.done) == (16, 2, 0)
    trainer.advance(epochs=1)
    assert (trainer.epoch, trainer.step) == (1, 6)


def test_another_batch_size_goes_on_within_the_epoch() -> None:
    trainer = _trainer(callbacks=())
    trainer.advance(steps=2)  # 16 of 47 rows
    trainer.change(batch_size=31)
    trainer.advance(steps=1)
    assert (trainer.epoch, trainer.done) == (1, 0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lerning_rate": 1.0}, TypeError, "did you mean 'learning_rate'"),
        ({"X": X[:, :2], "y": Y}, mc.ShapeError, r"rows of shape \[2\], the training's are \[3\]"),
        ({"X": X}, mc.DataError, "X and y together"),
        ({"X": X, "y": Y[:3]}, mc.ShapeError, "X has 47 rows and y 3"),
        ({"loss": "binary_cross_entropy"}, mc.DataError, "y goes from 0 to 2"),
        ({"loss": "softmax"}, mc.DataError, "unknown loss"),
        ({"batch_size": 0}, mc.DataError, "batch_size: expected an integer >= 1, got 0"),
        ({"learning_rate": -1.0}, mc.DataError, "learning_rate"),
        ({"dtype": "float64"}, mc.DataError, "dtype stays float32"),
        ({"metrics": ["accurcy"]}, mc.DataError, "did you mean 'accuracy'"),
        ({"optimizer": 3}, mc.DataError, "optimizer: expected a name, or a record .*, got 3"),
        ({"validation_data": (X, Y[:2])}, mc.ShapeError, "validation_data: X has 47 rows and y 2"),
    ],
)
def test_a_change_that_cannot_be_leaves_the_trainer_as_it_is(change: Any, error: Any, message: str) -> None:
    trainer, twin = _trainer(), _trainer()
    for one in (trainer, twin):
        one.advance(steps=9)
    with pytest.raises(error, match=message) as caught:
        trainer.change(**change)
    assert "\n" not in str(caught.value)
    trainer.run()
    twin.run()
    assert _figures(trainer) == _figures(twin)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs must be a number above 0, got 0"),
        ({"steps": -3}, "steps must be a number above 0"),
        ({"seconds": float("nan")}, "seconds must be a number above 0"),
        ({"steps": 2.5}, "steps must be an integer"),
        ({"epochs": "two"}, "epochs must be a number"),
        ({"epochs": True}, "epochs must be a number"),
        ({"epochs": 1, "seconds": 2}, "one of epochs, steps and seconds, got epochs and seconds"),
    ],
)
def test_an_advance_that_is_none(given: Any, message: str) -> None:
    trainer = _trainer()
    with pytest.raises(mc.DataError, match=message):
        trainer.advance(**given)
    assert trainer.step == 0


def test_unknown_keywords_are_answered_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'; did you mean 'epochs'"):
        mc.Trainer(_net(), X, Y, epoch=3)  # type: ignore[call-arg]


# Growing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [*mc.optim.OPTIMIZERS, "averaged"])
def test_what_grows_keeps_its_function_and_what_was_remembered(optimizer: str) -> None:
    whole = X[:40], Y[:40]  # batches of one size: half as much to compile
    settings: Any = {"callbacks": (), "regularizer": None}
    # What is remembered is grown by the trainer; compiling both networks would take most of the time.
    settings["backend"] = "native" if optimizer in OPTIMIZERS else "reference"
    trainer = _trainer(whole, optimizer=OPTIMIZERS.get(optimizer, optimizer), **settings)
    trainer.advance(epochs=2)
    before, stood = trainer.outputs(X), trainer.snapshot
    trainer.grow(layer=0, units=3)
    assert trainer.network.layers[0].units == 9  # type: ignore[attr-defined]
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-6, atol=1e-6)  # sums with zeros in them
    after = trainer.snapshot
    for old, new in zip(flatten(stood.moments)[0], flatten(after.moments)[0], strict=True):
        part = new[tuple(slice(0, n) for n in np.shape(old))]
        np.testing.assert_array_equal(part, old)
    trainer.advance(epochs=1)
    assert trainer.params["0"]["weight"].shape == (3, 9)
    assert not np.allclose(trainer.params["2"]["weight"][6:], 0.0) or optimizer == "muon"


def test_growing_is_the_same_from_run_to_run_and_other_units_each_time() -> None:
    def grown() -> mc.Trainer:
        trainer = _trainer(callbacks=())
        for _ in range(2):
            trainer.advance(steps=3)
            trainer.grow(0, 1, keep=False)
        return trainer

    one, other = grown(), grown()
    assert _bits(one.params) == _bits(other.params)
    weight = one.params["0"]["weight"]
    assert not np.array_equal(weight[:, 6], weight[:, 7])


def test_the_units_that_matter_least_go_first() -> None:
    trainer = _trainer(callbacks=())
    trainer.advance(epochs=1)
    trainer.grow(0, 2)  # nothing listens to these yet
    before = trainer.outputs(X)
    trainer.prune(0, 2)
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-6, atol=1e-6)
    weight = trainer.params["0"]["weight"]
    trainer.prune(0, [1, 3])
    np.testing.assert_array_equal(trainer.params["0"]["weight"], weight[:, [0, 2, 4, 5]])
    trainer.advance(epochs=1)


def test_ntk_layers_keep_their_function_too() -> None:
    net = mc.nn.Sequential(
        mc.nn.Dense(5, "relu", parametrization="ntk"), mc.nn.Dense(3, parametrization="ntk")
    )
    trainer = mc.Trainer(net, X, Y)
    before = trainer.outputs(X)
    trainer.grow(0, 11)
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-5, atol=1e-6)  # a factor and its inverse


@pytest.mark.parametrize(
    ("net", "layer", "message"),
    [
        (_net(), 2, r"a hidden dense layer \(0\), got 2"),
        (_net(), "0", r"a hidden dense layer \(0\), got '0'"),
        (mc.nn.Dense(3), 0, r"a hidden dense layer \(none\)"),
        (mc.nn.Sequential(mc.nn.Dense(4), mc.nn.LayerNorm(), mc.nn.Dense(3)), 0, "means over the units"),
        (mc.nn.Sequential(mc.nn.Dense(4, "glu"), mc.nn.Dense(3)), 0, "all units of layer 0 together"),
    ],
)
def test_layers_that_cannot_grow(net: Any, layer: Any, message: str) -> None:
    trainer = mc.Trainer(net, X, Y)
    for resize in (trainer.grow, trainer.prune):
        with pytest.raises(mc.DataError, match=message):
            resize(layer, 1)
    with pytest.raises(mc.DataError, match=r"units|layer"):
        trainer.grow(layer, 0)


def test_one_unit_must_stay() -> None:
    with pytest.raises(mc.DataError, match="one must stay"):
        _trainer().prune(0, 6)
    with pytest.raises(mc.DataError, match="has units 0 to 5, got"):
        _trainer().prune(0, [6])


@pytest.mark.parametrize("how", ["grown", "resumed", "as it was"])
def test_what_diverges_within_an_epoch_goes_back_to_weights_that_fit(how: str, tmp_path: Any) -> None:
    trainer = mc.Trainer(_net(), X, Y, batch_size=8, optimizer="sgd")
    trainer.advance(steps=2)
    if how == "grown":
        trainer.grow(0, 3)
    if how == "resumed":
        trainer.save(tmp_path / "c.safetensors")
        trainer = mc.Trainer.resume(tmp_path / "c.safetensors", X, Y)
    trainer.change(learning_rate=1e38)
    with pytest.raises(mc.DivergenceError, match="learning rate 1e\\+38"):
        trainer.advance(epochs=3)
    assert (trainer.stopped, trainer.done) == ("diverged", 0)
    trainer.change(learning_rate=0.01)
    assert np.isfinite([row["loss"] for row in trainer.advance(epochs=2)]).all()


# Threads and interrupts -------------------------------------------------------------------------------------


def test_trainings_in_threads_know_nothing_of_each_other() -> None:
    def train(trainer: mc.Trainer) -> None:
        while trainer.epoch < trainer.epochs:
            trainer.advance(steps=min(7, trainer.epochs * trainer.steps - trainer.step))

    alone = [_trainer(seed=seed, epochs=20) for seed in range(4)]
    together = [_trainer(seed=seed, epochs=20) for seed in range(4)]
    for trainer in alone:
        train(trainer)
    threads = [threading.Thread(target=train, args=(trainer,)) for trainer in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(map(_figures, alone)) == list(map(_figures, together))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer that interrupts here")
@pytest.mark.parametrize("delay", [0.002, 0.01, 0.03, 0.06, 0.1])
def test_an_interrupt_comes_between_two_steps(delay: float) -> None:
    rows = np.repeat(X, 200, axis=0), np.repeat(Y, 200)
    trainer = mc.Trainer(_net(), *rows, batch_size=4, epochs=1000)
    trainer.advance(steps=8)
    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        run = trainer.run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert run.stopped == "interrupted"
    twin = mc.Trainer(_net(), *rows, batch_size=4, epochs=1000)
    twin.advance(steps=trainer.step)
    assert _bits(trainer.snapshot.params) == _bits(twin.snapshot.params)
    trainer.advance(steps=5)  # notes the end of an epoch first, if the interrupt came just before that
    twin.advance(steps=5)
    assert _figures(trainer) == _figures(twin)


def test_a_loss_that_does_not_fit_the_targets_leaves_the_trainer_as_it_was() -> None:
    trainer, whole = _trainer(), _trainer()
    trainer.advance(steps=3)
    before = _figures(trainer)
    with pytest.raises(mc.ShapeError, match=r"change: squared_error: targets have shape .8., outputs .8, 3."):
        trainer.change(loss="squared_error", metrics=())
    assert _figures(trainer) == before
    trainer.run()
    whole.run()
    assert _figures(trainer) == _figures(whole)


@pytest.mark.parametrize("amount", [np.array([1, 2]), [1], "2", np.nan, True, None.__class__, 10**400])
def test_what_is_no_number_is_no_way_to_advance(amount: Any) -> None:
    trainer = _trainer()
    with pytest.raises(mc.DataError, match="advance: epochs must be a number above 0"):
        trainer.advance(epochs=amount)
    assert trainer.step == 0
