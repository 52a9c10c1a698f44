"""Transfer: a new head, frozen layers, rates by layer, and layers that are freed as the training goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError
from minicolumn.tree import named_leaves

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + 2 * (X[:, 1] > 0)
NET = mc.nn.Sequential(
    mc.nn.Dense(6, "relu"), mc.nn.BatchNorm(), mc.nn.Dropout(0.1), mc.nn.Dense(5, "tanh"), mc.nn.Dense(4)
)


@pytest.fixture(scope="module")
def source() -> mc.Model:
    return mc.fit(NET, X, Y, epochs=3).model


def trained(start: mc.Model, y: np.ndarray = Y, **more: Any) -> mc.train.Run:
    said: dict[str, Any] = {"optimizer": mc.optim.AdamW(0.01, weight_decay=0.1), "epochs": 2, **more}
    loss = start.loss_record
    assert loss is not None
    return mc.fit(start.network, X, y, params=start.params, loss=loss, **said)


def moved(one: Any, other: Any) -> set[str]:
    """Return the paths of parameters that are not the same bits."""
    after = dict(named_leaves(other))
    return {path for path, leaf in named_leaves(one) if not np.array_equal(leaf, after[path])}


def test_a_new_head_stands_in_the_place_of_the_last_dense_layer(source: mc.Model, tmp_path: Path) -> None:
    source.save(tmp_path / "source.safetensors")
    for given in (source, tmp_path / "source.safetensors"):
        start = mc.transfer(given, outputs=2)
        assert start.network == mc.nn.Sequential(*NET.layers[:-1], mc.nn.Dense(2))
        assert moved(start.params, source.params | {"4": start.params["4"]}) == set()
        assert start.params["4"]["weight"].shape == (5, 2)
        assert start.loss == "softmax_cross_entropy"
    assert trained(start, Y % 2, epochs=10).history["loss"][-1] < 0.6


def test_frozen_layers_stay_to_the_bit_and_answer_as_when_predicting(source: mc.Model) -> None:
    start = mc.transfer(source, outputs=2, freeze=True)
    run = trained(start, Y % 2, regularizer="l2:rate=0.1", constraint="max_norm:limit=0.1")
    assert moved(start.params, run.params) == {"4.weight", "4.bias"}
    assert moved(source.params, trained(mc.transfer(source, freeze=2)).params) == {
        "3.weight", "3.bias", "4.weight", "4.bias",
    }  # fmt: skip
    # What is learnt behind them is learnt on the features that predictions have.
    features = mc.nn.Sequential(*NET.layers[:4])
    inner = {str(n): source.params[str(n)] for n in range(4)}
    head = mc.fit(
        mc.nn.Dense(2), features.apply(inner, X), Y % 2, params=start.params["4"], epochs=2,
        optimizer=mc.optim.AdamW(0.01, weight_decay=0.1), regularizer="l2:rate=0.1",
        constraint="max_norm:limit=0.1",
    )  # fmt: skip
    np.testing.assert_allclose(
        run.predict(X), head.predict(features.apply(inner, X)), rtol=1e-4, atol=1e-5
    )  # other kernels


def test_layers_are_freed_by_and_by(source: mc.Model) -> None:
    start, seen = mc.transfer(source, freeze=True), []

    class Watch(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: Any) -> None:
            layers = trainer.network.layers  # type: ignore[attr-defined]
            seen.append("".join("F" if isinstance(layer, mc.nn.Frozen) else "." for layer in layers))

    run = trained(start, epochs=7, callbacks=[mc.Unfreeze(every=2, layers=1), Watch()])
    assert seen == ["FFFF.", "FFF..", "FFF..", "F....", "F....", ".....", "....."]
    assert run.model.network == NET
    assert {path.split(".")[0] for path in moved(source.params, run.params)} == {"0", "1", "3", "4"}
    at_once = trained(start, epochs=3, callbacks="unfreeze:every=2")
    assert at_once.model.network == NET


def test_unfreezing_does_not_depend_on_where_a_training_is_cut(source: mc.Model) -> None:
    start = mc.transfer(source, freeze=True)
    loss = start.loss_record
    assert loss is not None
    whole = trained(start, epochs=5, callbacks=[mc.Unfreeze(every=2)])
    trainer = mc.Trainer(
        start.network, X, Y, params=start.params, loss=loss, epochs=5, callbacks=[mc.Unfreeze(every=2)],
        optimizer=mc.optim.AdamW(0.01, weight_decay=0.1),
    )  # fmt: skip
    for steps in (1, 3, 2):
        trainer.advance(steps=steps)
    assert moved(whole.params, trainer.run().params) == set()


def test_each_layer_has_its_own_rate(source: mc.Model) -> None:
    rates = mc.optim.Layerwise(mc.optim.SGD(0.1), factors=(0.0, 0.0, 0.5, 1.0))
    one: dict[str, Any] = {"epochs": 1, "batch_size": 60}
    plain = trained(source, optimizer=mc.optim.SGD(0.1), **one).params
    scaled = trained(source, optimizer=rates, **one).params
    for name, factor in (("0", 0.0), ("3", 0.5), ("4", 1.0)):
        step = plain[name]["weight"] - source.params[name]["weight"]
        found = scaled[name]["weight"] - source.params[name]["weight"]
        np.testing.assert_allclose(
            found, factor * step, rtol=1e-3, atol=1e-7
        )  # of a difference of near numbers
    with pytest.raises(ShapeError, match="Layerwise: 2 factors for 4 layers with parameters"):
        trained(source, optimizer="layerwise:optimizer=(sgd:learning_rate=0.1),factors=0.5+1")


def test_a_fine_tuned_model_is_saved_with_its_frozen_layers(source: mc.Model, tmp_path: Path) -> None:
    run = trained(mc.transfer(source, outputs=2, freeze=True), Y % 2)
    run.save(tmp_path / "tuned.safetensors")
    again = mc.load(tmp_path / "tuned.safetensors")
    assert again.network == run.model.network
    np.testing.assert_array_equal(again.predict(X), run.predict(X))
    assert mc.transfer(again, outputs=3).network == mc.nn.Sequential(*NET.layers[:-1], mc.nn.Dense(3))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda m: mc.transfer(m, freeze=9), "freeze must be True, False or a number from 0 to 4, got 9"),
        (lambda m: mc.transfer(m, outputs=0), "units: expected an integer"),
        (lambda m: mc.transfer(m, outputs=2, loss="hubber"), "did you mean 'huber'"),
        (
            lambda m: mc.transfer(mc.Model(mc.nn.Dense(1), {}, (4,), "squared_error")),
            "the network is a Dense, expected a Sequential",
        ),
        (
            lambda m: mc.transfer(mc.Model(mc.nn.Sequential(mc.nn.Flatten()), {"0": {}}, (4,)), outputs=2),
            "no dense layer to put a new head in the place of",
        ),
    ],
)
def test_what_cannot_be_gone_on_with(source: mc.Model, make: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make(source)
