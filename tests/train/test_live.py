"""A training that is played with while it runs: set, looked into, taken back, rearranged."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train import programs
from minicolumn.tree import flatten, map_leaves

RNG = np.random.default_rng(3)
X = RNG.standard_normal((48, 2))
Y = np.tanh(X[:, 0] * X[:, 1])
NET = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
TIMINGS = ("seconds", "steps_per_second")


def _trainer(network: Any = NET, **changed: Any) -> mc.Trainer:
    chosen: Any = {"loss": "squared_error", "optimizer": mc.optim.Adam(0.02), "batch_size": 8, "epochs": 99}
    return mc.Trainer(network, X, Y, **(chosen | changed))


def _bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in flatten(tree)[0]]


def _figures(trainer: mc.Trainer) -> list[Any]:
    rows = [{k: v for k, v in row.items() if k not in TIMINGS} for row in trainer.history]
    stood = trainer.snapshot
    return [rows, stood.step, stood.seen, stood.sums, _bits(stood.params), _bits(stood.moments)]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list to which every program that is compiled from now on is added."""
    found: list[Any] = []
    module = sys.modules["minicolumn.lower.compile"]
    make = module._Prepared

    def counted(*args: Any, **kwargs: Any) -> Any:
        found.append(args)
        return make(*args, **kwargs)

    monkeypatch.setattr(module, "_Prepared", counted)
    return found


# Setting weights --------------------------------------------------------------------------------------------


def test_weights_that_are_set_are_gone_on_from_however_it_is_cut() -> None:
    one, other = _trainer(), _trainer()
    one.advance(steps=15)
    for steps in (1, 5, 9):
        other.advance(steps=steps)
    for trainer in (one, other):
        params = trainer.params
        params["0"]["weight"][1, 2] = 3.5
        before, history = trainer.snapshot, list(trainer.history)
        trainer.set_params(params)
        assert _bits(trainer.params) == _bits(params)
        assert _bits(trainer.snapshot.moments) == _bits(before.moments)
        assert (list(trainer.history), trainer.step, trainer.done) == (history, 15, 3)
    one.advance(epochs=4)
    for steps in (2, 13, 6):
        other.advance(steps=steps)
    assert _figures(one) == _figures(other)
    untouched = _trainer()
    untouched.advance(steps=one.step)
    assert _bits(untouched.params) != _bits(one.params)


def test_lists_are_weights_as_arrays_are() -> None:
    trainer = _trainer()
    trainer.set_params(map_leaves(lambda leaf: leaf.tolist(), trainer.params))
    assert _bits(trainer.params) == _bits(_trainer().params)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"0": {"weight": np.ones((2, 4))}}, mc.ShapeError, r"the network has 0\.weight, 0\.bias"),
        ({"0": {"weight": np.ones((2, 3)), "bias": [0] * 4}, "1": {"weight": [[1]] * 4, "bias": [0]}},
         mc.ShapeError, r"0\.weight must hold finite numbers of shape \[2, 4\]"),
        ({"0": {"weight": [[np.nan]]}}, mc.DataError, r"0\.weight must hold finite numbers"),
        ({"0": {"weight": [[1.0], [2.0, 3.0]]}}, mc.DataError, r"0\.weight must hold finite numbers"),
        ("weights", mc.DataError, "params must hold finite numbers, got 'weights'"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_leave_everything_as_it_is(params: Any, error: Any, message: str) -> None:
    trainer = _trainer()
    trainer.advance(steps=7)
    before = _figures(trainer)
    with pytest.raises(error, match=message) as caught:
        trainer.set_params(params)
    assert "\n" not in str(caught.value)
    assert _figures(trainer) == before


def test_a_mean_of_weights_cannot_be_set() -> None:
    trainer = _trainer(optimizer=mc.optim.Averaged(mc.optim.Adam(0.02), decay=0.9))
    with pytest.raises(mc.DataError, match="Averaged hands back a mean"):
        trainer.set_params(trainer.params)


# Changing ---------------------------------------------------------------------------------------------------


def _noisy(activation: str = "tanh", rate: float = 0.2) -> mc.nn.Sequential:
    return mc.nn.Sequential(mc.nn.Dense(4, activation), mc.nn.Dropout(rate), mc.nn.Dense(1))


def test_another_network_with_the_same_shapes_keeps_the_weights() -> None:
    trainer = _trainer(_noisy())
    trainer.advance(steps=9)
    before = trainer.snapshot
    trainer.change(network=_noisy("relu", 0.5))
    after = trainer.snapshot
    assert _bits([after.params, after.moments]) == _bits([before.params, before.moments])
    assert trainer.network == _noisy("relu", 0.5)
    hidden, last = trainer.params["0"], trainer.params["2"]
    expected = np.maximum(X @ hidden["weight"] + hidden["bias"], 0) @ last["weight"] + last["bias"]
    np.testing.assert_allclose(trainer.outputs(X), expected, rtol=1e-5, atol=1e-6)  # float32
    trainer.advance(steps=2)
    with pytest.raises(mc.ShapeError, match=r"change: params: 0\.weight must .* \[2, 5\]"):
        trainer.change(network=mc.nn.Sequential(mc.nn.Dense(5), mc.nn.Dropout(0.2), mc.nn.Dense(1)))
    with pytest.raises(mc.DataError, match="the network is a str"):
        trainer.change(network="tanh")  # type: ignore[arg-type]
    assert trainer.network == _noisy("relu", 0.5)


def test_the_callbacks_are_fixed() -> None:
    trainer = _trainer()
    with pytest.raises(AttributeError, match="fixed when it is made"):
        trainer.callbacks = [mc.KeepBest()]
    assert trainer.callbacks == ()


def test_a_trainer_tells_in_one_line_how_far_it_is() -> None:
    trainer = _trainer()
    net = "Sequential(Dense(4, activation='tanh'), Dense(1))"
    assert repr(trainer) == f"Trainer({net}, 48 rows, epoch 0, step 0)"
    trainer.advance(steps=8)
    loss = f"{trainer.history[0]['loss']:.4g}"
    assert repr(trainer) == f"Trainer({net}, 48 rows, epoch 1, step 8, loss {loss})"


# Layers and units -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "between",
    [
        (), (mc.nn.Activation("relu"),), (mc.nn.BatchNorm(),), (mc.nn.Dropout(0.2),), (mc.nn.PReLU(),),
        (mc.nn.PReLU(shared=True),), (mc.nn.BatchNorm(), mc.nn.Activation("gelu"), mc.nn.GaussianNoise(0.1)),
    ],
    ids=str,
)  # fmt: skip
def test_units_come_and_go_whatever_stands_between(between: Any) -> None:
    trainer = _trainer(mc.nn.Sequential(mc.nn.Dense(4), *between, mc.nn.Dense(1)))
    trainer.advance(steps=8)
    before, stood = trainer.outputs(X), trainer.snapshot
    trainer.grow(layer=0, units=2)
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-6, atol=1e-6)  # sums with zeros in them
    trainer.prune(layer=0, units=[4, 5])
    after = trainer.snapshot
    assert _bits([after.params, after.moments]) == _bits([stood.params, stood.moments])
    trainer.grow(layer=0, units=1)
    trainer.advance(steps=2)


@pytest.mark.parametrize("layer", [mc.nn.Dense(4, "relu"), mc.nn.Dense(4), mc.nn.Dropout(0.3)], ids=str)
def test_a_layer_that_passes_on_what_it_is_given_keeps_the_function(layer: Any) -> None:
    trainer = _trainer(mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(1)))
    trainer.advance(steps=8)
    before, stood = trainer.outputs(X), trainer.snapshot
    assert trainer.insert_layer(1, layer) is True
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-6, atol=1e-6)  # sums with zeros in them
    moments = trainer.snapshot.moments
    for name in ("mean", "square"):
        if name in moments:
            assert _bits(moments[name]["2"]) == _bits(stood.moments[name]["1"])
    assert int(moments["count"]) == 8
    assert trainer.remove_layer(1) is True
    after = trainer.snapshot
    assert _bits([after.params, after.moments]) == _bits([stood.params, stood.moments])
    trainer.advance(steps=1)


def test_a_layer_that_cannot_pass_on_is_drawn_and_the_others_stay() -> None:
    trainer = _trainer()
    trainer.advance(steps=8)
    before = trainer.params
    assert trainer.insert_layer(1, mc.nn.Dense(3, "tanh")) is False
    params = trainer.params
    assert _bits(params["0"]) == _bits(before["0"])
    assert params["1"]["weight"].shape == (4, 3)
    assert params["2"]["weight"].shape == (3, 1)
    assert _bits(params["2"]["bias"]) == _bits(before["1"]["bias"])
    trainer.advance(steps=1)
    for change, error, message in (
        (lambda: trainer.insert_layer(4, mc.nn.Dense(2)), mc.DataError, "an index from 0 to 3, got 4"),
        (lambda: trainer.insert_layer(3, mc.nn.Dense(2)), mc.ShapeError, r"outputs would have shape \[2\]"),
        (lambda: trainer.insert_layer(0, "dense"), mc.DataError, "expected a layer"),  # type: ignore[arg-type]
        (lambda: trainer.remove_layer(2), mc.ShapeError, r"outputs would have shape \[3\]"),
    ):
        with pytest.raises(error, match=message):
            change()
        assert len(trainer.params) == 3


# Looking in -------------------------------------------------------------------------------------------------


def test_gradients_are_those_of_the_next_step() -> None:
    network = _noisy(rate=0.5)
    trainer = _trainer(network, optimizer=mc.optim.SGD(0.25), regularizer=mc.nn.L2(0.1))
    trainer.advance(steps=9)
    seen, before = trainer.gradients(), trainer.params
    assert trainer.step == 9
    dropped = seen.layers[1].outputs == 0
    assert 0 < dropped.mean() < 1
    assert seen.penalty > 0
    trainer.advance(steps=1)
    moved = map_leaves(lambda old, new: (old - new) / 0.25, before, trainer.params)
    for found, expected in zip(flatten(seen.gradients)[0], flatten(moved)[0], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)  # differences of float32


def test_a_pass_over_given_rows_is_that_of_numpy() -> None:
    trainer = _trainer(dtype="float64")
    seen, params = trainer.gradients(X[:3], Y[:3]), trainer.params
    z = X[:3] @ params["0"]["weight"] + params["0"]["bias"]
    out = np.tanh(z) @ params["1"]["weight"] + params["1"]["bias"]
    first, last = seen.layers
    close: Any = {"rtol": 1e-12, "atol": 1e-14}  # a few roundings of float64
    assert first.pre_activations is not None
    np.testing.assert_allclose(first.pre_activations, z, **close)
    np.testing.assert_allclose(last.outputs, out, **close)
    deltas = 2 * (out[:, 0] - Y[:3])[:, None] / 3
    np.testing.assert_allclose(seen.gradients["1"]["weight"], np.tanh(z).T @ deltas, **close)
    length = np.sqrt(np.sum((np.tanh(z).T @ deltas) ** 2) + np.sum(deltas) ** 2)
    assert last.gradient_norm == pytest.approx(length, rel=1e-12)
    assert first.weight_norm == pytest.approx(np.linalg.norm(params["0"]["weight"]), rel=1e-12)
    assert (first.path, last.path, seen.rows) == ("0", "1", None)
    with pytest.raises(mc.DataError, match="X and y together"):
        trainer.gradients(X)
    with pytest.raises(mc.ShapeError, match=r"rows of shape \[1\]"):
        trainer.gradients(X[:, :1], Y)


# Going back -------------------------------------------------------------------------------------------------


def test_a_training_that_is_taken_back_goes_the_same_way_again() -> None:
    trainer = _trainer(_noisy(), validation_data=(X[:9], Y[:9]), callbacks=[mc.KeepBest()])
    trainer.advance(steps=9)
    stood, figures = trainer.snapshot, _figures(trainer)
    trainer.advance(steps=25)
    there, best = _figures(trainer), trainer.best_epoch
    trainer.restore(stood)
    assert _figures(trainer) == figures
    trainer.advance(steps=25)
    assert (_figures(trainer), trainer.best_epoch) == (there, best)
    trainer.grow(layer=0, units=2)
    trainer.insert_layer(1, mc.nn.Dense(6))
    trainer.change(optimizer="sgd")
    trainer.restore(stood)
    assert (trainer.network, list(trainer.snapshot.moments)) == (_noisy(), ["count"])
    trainer.change(optimizer=mc.optim.Adam(0.02))
    trainer.restore(stood)
    trainer.advance(steps=25)
    assert _figures(trainer) == there
    with pytest.raises(mc.DataError, match="a trainer's snapshot, got a int"):
        trainer.restore(3)  # type: ignore[arg-type]
    assert _figures(trainer) == there


def test_a_divergence_says_why_in_fields_and_leaves_good_weights() -> None:
    trainer = _trainer(NET, optimizer=mc.optim.SGD(0.05))
    trainer.advance(epochs=3)
    good = trainer.snapshot
    trainer.change(learning_rate=1e6)
    with pytest.raises(mc.DivergenceError) as caught:
        trainer.advance(epochs=50)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.cause, error.quantity in ("the loss", "a weight")) == ("learning_rate", True)
    assert error.learning_rate == pytest.approx(1e6)
    assert error.suggestion == {"learning_rate": 0.1}
    assert error.layer in ("0", "1")
    assert (error.step > good.step, error.epoch >= 4) == (True, True)
    assert trainer.stopped == "diverged"
    assert all(np.isfinite(leaf).all() for leaf in flatten(trainer.params)[0])
    trainer.change(**error.suggestion)
    trainer.restore(good)
    trainer.advance(epochs=2)
    twin = _trainer(NET, optimizer=mc.optim.SGD(0.05))
    twin.advance(epochs=3)
    twin.change(learning_rate=0.1)
    twin.advance(epochs=2)
    assert _figures(trainer) == _figures(twin)


def test_a_penalty_that_makes_weights_grow_is_named() -> None:
    trainer = _trainer(NET, optimizer=mc.optim.SGD(0.25), regularizer=mc.nn.L2(10.0))
    with pytest.raises(mc.DivergenceError, match="penalty's strength 10 times the learning rate") as caught:
        trainer.advance(epochs=200)
    assert (caught.value.cause, caught.value.suggestion) == ("regularizer", {"regularizer": mc.nn.L2(0.4)})
    trainer.change(**caught.value.suggestion)
    trainer.advance(epochs=2)


# Long ones --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["constant", lambda steps, total: np.ones(np.shape(steps))])
def test_a_limited_history_keeps_some_rows_of_the_same_training(schedule: Any) -> None:
    whole, limited = (_trainer(validation_data=(X[:9], Y[:9]), schedule=schedule) for _ in range(2))
    limited.limit_history(10)
    told = []
    for steps in (3, 40, 1, 250, 300):
        told += limited.advance(steps=steps)
    whole.advance(steps=594)
    assert limited.epoch == whole.epoch == 99
    assert (limited.history.every, len(limited.history)) == (16, 6)
    kept = [row["epoch"] for row in limited.history]
    assert kept == [16, 32, 48, 64, 80, 96]
    for row in limited.history:
        twin = whole.history[row["epoch"] - 1]
        assert {k: v for k, v in row.items() if k not in TIMINGS} == {
            k: v for k, v in twin.items() if k not in TIMINGS
        }
    assert [row["epoch"] for row in told] == sorted({row["epoch"] for row in told})
    assert _bits(limited.params) == _bits(whole.params)
    again = _trainer(validation_data=(X[:9], Y[:9]), schedule=schedule, resume=limited.snapshot)
    for trainer in (again, limited):
        trainer.advance(epochs=20)
    assert _figures(again) == _figures(limited)
    assert again.epoch == 119


def test_a_history_is_not_limited_where_every_epoch_is_needed() -> None:
    with pytest.raises(mc.DataError, match="told of every epoch"):
        _trainer(callbacks=[mc.EarlyStopping()]).limit_history(10)
    with pytest.raises(mc.DataError, match="an integer >= 2 or None, got 1"):
        _trainer().limit_history(1)


def _go(trainer: mc.Trainer) -> None:
    """Train within an epoch, to its end with the short batch, and whole epochs."""
    trainer.advance(steps=trainer.steps + 1)
    trainer.advance(epochs=3)


def test_what_is_prepared_compiles_nothing_more(compiled: list[Any]) -> None:
    programs.forget()
    trainer = _trainer(batch_size=10)
    before = _figures(trainer)
    trainer.prepare()
    assert (_figures(trainer), len(compiled)) == (before, 3)  # whole batches, a short one, whole epochs
    _go(trainer)
    assert len(compiled) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.3}, {"schedule": "cosine"}, {"seed": 4}, {"regularizer": mc.nn.L2(0.3)},
        {"X": X[:38], "y": Y[:38]}, {"shuffle": False}, {"optimizer": mc.optim.SGD(0.1, momentum=0.9)},
        {"network": _noisy(rate=0.4)}, {"network": _noisy(rate=0.4), "optimizer": mc.optim.SGD(0.2, 0.1)},
    ],
    ids=list,
)  # fmt: skip
def test_a_mere_number_compiles_nothing(change: Any, compiled: list[Any]) -> None:
    trainer = _trainer(_noisy(), regularizer=mc.nn.L2(0.1), batch_size=10, optimizer=mc.optim.SGD(0.1, 0.5))
    _go(trainer)
    del compiled[:]
    trainer.change(**change)
    _go(trainer)
    assert not compiled
