"""Networks that the setup cannot describe, trained in the room as they came."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from test_network_room import Page, fails

import minicolumn as mc
from minicolumn.model.artifact import artifact_from_bytes, artifact_to_bytes
from minicolumn.nn import BatchNorm, Dense, Dropout, Ensemble, LayerNorm, Residual, Sequential
from minicolumn.nn.layer import Layer
from minicolumn.playground.network.whole import FIXED
from minicolumn.tables import read_table
from minicolumn.tree import leaves, map_leaves

Array = np.ndarray
NETWORKS: dict[str, Layer] = {
    "residual": Sequential(Dense(6, "relu"), Residual(Dense(6, "relu")), Dense(1)),
    "normalised": Sequential(Dense(5), BatchNorm(), Dense(4, "tanh"), LayerNorm(), Dense(1)),
    "ensemble": Ensemble(Sequential(Dense(4, "tanh"), Dense(1)), Sequential(Dense(3, "relu"), Dense(1))),
    "nested": Sequential(Sequential(Dense(3, "tanh")), Dropout(0.2), Dense(1)),
    "wide": Sequential(Dense(99, "relu"), Dense(1)),
    "one layer": Dense(1, parametrization="ntk"),
}  # fmt: skip


def _text(model: mc.Model) -> str:
    return base64.b64encode(artifact_to_bytes(model.artifact())).decode()


def _model(network: Layer, inputs: int = 2, loss: str = "binary_cross_entropy", **more: Any) -> mc.Model:
    return mc.Model(network, network.init(7, (inputs,)), (inputs,), loss, **more)


def _loaded(model: mc.Model) -> Page:
    page = Page()
    page("load", name="m.safetensors", base64=_text(model))
    return page


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_another_kind_is_opened_and_learns(name: str) -> None:
    model = _model(NETWORKS[name])
    page = _loaded(model)
    state, tick, summary = (page.last[kind] for kind in ("state", "tick", "summary"))
    assert (state.says["whole"], state.says["fixed"]) == (True, list(FIXED))
    assert state.says["parameters"] == sum(leaf.size for leaf in leaves(model.params))
    assert summary.says["name"] == "m.safetensors"
    assert "trained as it came" in state.says["said"][0]
    assert tick.arrays["maps"].shape == (sum(layer["units"] for layer in state.says["layers"]), 100, 100)
    grid = page.room.picture.plane.grid().astype(np.float32)
    p = model.predict(grid).reshape(100, 100)
    shown = tick.arrays["maps"][-1] / 127.5 - 1.0
    assert np.abs(shown - (2.0 * p - 1.0)).max() < 0.01
    page("set", changes={"optimizer": "adam", "learning_rate": 0.05})
    page("points", add=[[0.1, 0.2, 1], [3.0, -2.0, 0]], move=[[0, 1.0, 1.0]])
    first = page.weights
    before = page.last["tick"].says["loss"]["train"]
    page("reset")
    fresh = page.last["tick"].says["loss"]["train"]
    page("step", epochs=40)
    assert page.last["tick"].says["loss"]["train"] < fresh
    page("reset", same=True)
    assert page.weights.shape == first.shape
    assert before < fresh  # the points are answered by the network itself


def test_reset_brings_the_weights_of_the_file_back() -> None:
    model = _model(NETWORKS["residual"])
    page = _loaded(model)
    first = page.weights
    assert np.array_equal(first, np.concatenate([leaf.ravel() for leaf in leaves(model.params)]))
    page("step", epochs=3)
    assert not np.array_equal(page.weights, first)
    page("reset", same=True)
    assert np.array_equal(page.weights, first)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_numbers_are_learnt_too_from_one_input(loss: str) -> None:
    network = Sequential(Dense(8, "tanh"), Residual(Dense(8, "tanh")), Dense(1))
    params = map_leaves(lambda leaf: 9.0 * leaf, network.init(0, (1,)))  # far beyond [-1, 1]
    page = _loaded(
        mc.Model(network, params, (1,), loss, loss_settings={"delta": 2.0} if loss == "huber" else {})
    )
    assert page.last["state"].says["task"] == "regression"
    assert page.last["tick"].says["loss"]["train"] < 1e-8
    saved = artifact_from_bytes(page("export", what="model").arrays["bytes"].tobytes(), "m")
    assert mc.Model.from_artifact(saved, "m").loss_record == page.room.learner.task.record
    page("reset")
    before = page.last["tick"].says["loss"]["train"]
    page("step", epochs=20)
    assert page.last["tick"].says["loss"]["train"] < before


@pytest.mark.parametrize(
    ("columns", "target"),
    [(("Flipper Length (mm)", "Body Mass (g)"), "Species"), (("Flipper Length (mm)",), "Body Mass (g)")],
    ids=["classes", "numbers"],
)
def test_what_the_usual_recipe_made_is_trained_on_and_saved(columns: tuple[str, ...], target: str) -> None:
    table = read_table("penguins")
    run = mc.fit_table(table.select([*columns, target]), target, epochs=3, hidden=(8,), members=2)
    page = _loaded(run.model)
    assert page.last["state"].says["whole"], page.last["summary"].says["why"]
    assert page.last["state"].says["column_names"][0] == columns[0]
    if len(columns) > 1:
        assert page.last["state"].says["axes"] == ["x1", "x3"]  # and not whether a cell is missing
    page("step", epochs=2)
    saved = artifact_from_bytes(page("export", what="model").arrays["bytes"].tobytes(), "m")
    again = mc.Model.from_artifact(saved, "m")
    rows = table.select(columns).drop_nulls().head(20)
    assert again.table is not None
    outputs = page.room.learner.trainer.outputs(again.table.transform(rows).astype(np.float32))
    found = again.network.apply(again.params, again.table.transform(rows).astype(np.float32))
    assert np.allclose(outputs, found, atol=1e-5)
    assert len(again.predict_table(rows)) == 20


@pytest.mark.parametrize(
    "message",
    [
        {"do": "set", "changes": {"units": [3]}},
        {"do": "set", "changes": {"features": ["x1"]}},
        {"do": "set", "changes": {"dropout": 0.5}},
        {"do": "layer", "at": 0},
        {"do": "units", "layer": 0, "units": 2},
        {"do": "weight", "layer": 0, "source": 0, "unit": 0, "value": 1.0},
        {"do": "bias", "layer": 0, "unit": 0, "value": 1.0},
        {"do": "neuron", "layer": 0, "unit": 0},
    ],
    ids=str,
)
def test_its_layers_stay_as_they_are(message: dict[str, Any]) -> None:
    page = _loaded(_model(NETWORKS["residual"]))
    before = page.weights
    fails(page(message.pop("do"), **message), "this network came as a whole")
    assert np.array_equal(page("pause").arrays["weights"], before)


def test_it_stays_with_its_points_and_gives_way_to_other_ones() -> None:
    page = _loaded(_model(NETWORKS["ensemble"]))
    assert page.last["state"].says["layers"][0] == {"units": 2, "activation": "Sequential"}
    fails(page("points", clear=True, classes=3, add=[[0, 0, 0], [1, 1, 1], [2, 2, 2]]), "has 1 outputs")
    page("set", changes={"loss": "hinge"})
    assert page("set", changes={"train_percent": 80}).kind == "tick"
    assert page.last["state"].says["whole"]
    page("watch")
    assert "norms" not in page.last["tick"].says
    assert "arrays" in json.loads(page("export", what="weights").arrays["bytes"].tobytes())
    page("set", changes={"dataset": "spiral"})
    state = page.last["state"].says
    assert (state["whole"], state["setup"]["units"], state["rows"]["train"]) == (False, [4, 2], 400)


def test_a_session_goes_on_with_it_from_what_a_page_shows() -> None:
    model = _model(NETWORKS["normalised"])
    page = _loaded(model)
    page("points", add=[[0.5, 0.5, 1]])
    page("step", epochs=5)
    shown = {
        "setup": page.last["state"].says["setup"], "epoch": 5, "step": page.last["tick"].says["step"],
        "weights": base64.b64encode(page.weights.tobytes()).decode(),
    }  # fmt: skip
    other = _loaded(model)
    other("points", add=[[0.5, 0.5, 1]])
    other("open", **shown)
    assert other.last["state"].says["whole"]
    assert np.array_equal(other.weights, page.weights)
    assert other.last["tick"].says["epoch"] == 5
    fails(other("open", **{**shown, "weights": shown["weights"][:-8]}), "expected")


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (_model(Sequential(Dense(3), Residual(Dense(3)), Dense(1)), inputs=3), "one or 2 numbers"),
        (_model(Sequential(mc.nn.ColumnEmbedding(((0, 4),), dim=3), Dense(1))), "one or 2 numbers"),
        (
            _model(Sequential(Dense(3), LayerNorm(), Dense(2)), loss="gaussian_nll"),
            "gaussian_nll is not",
        ),
        (_model(Sequential(Dense(9), Residual(Dense(9)), Dense(1))), "it has 127 weights"),
        (_model(Sequential(Dense(3), LayerNorm(), Dense(3))), "its loss, binary_cross_entropy"),
    ],
    ids=["three inputs", "codes", "another loss", "large", "outputs"],
)
def test_others_are_told_with_both_reasons(
    model: mc.Model, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minicolumn.playground.network.whole.MOST_PARAMETERS", 100)
    page = _loaded(model)
    assert why in page.last["summary"].says["why"]
    assert not page.last["state"].says["whole"]
