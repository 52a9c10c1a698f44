"""The room `network` by its messages: what it answers is what the engine computes."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.model.artifact import artifact_from_bytes, artifact_to_bytes
from minicolumn.playground.frames import Frame, decoded, encoded
from minicolumn.playground.network.room import NetworkRoom
from minicolumn.playground.network.setup import SETTINGS, to_json
from minicolumn.playground.network.summary import summary_of
from minicolumn.playground.room import Session
from minicolumn.tree import leaves, map_leaves

Array = np.ndarray
SMALL = {"points": 60, "units": [3]}
TIMES = ("seconds", "steps_per_second")  # what a clock says


class Page:
    """What a page does: it sends messages and keeps the last frame of each kind."""

    def __init__(self) -> None:
        self.session = Session({"network": NetworkRoom})
        self.last: dict[str, Frame] = {}

    def __call__(self, do: str, **said: Any) -> Frame:
        frames = self.session.receive({"room": "network", "do": do, **said})
        return self.keep(frames)

    def keep(self, frames: list[Frame]) -> Frame:
        found = [decoded(encoded(frame)) for frame in frames]
        self.last |= {frame.kind: frame for frame in found}
        return found[-1] if found else Frame("network", "nothing")

    @property
    def room(self) -> NetworkRoom:
        found = self.session._rooms["network"]
        assert isinstance(found, NetworkRoom)
        return found

    @property
    def weights(self) -> Array:
        return self.last["tick"].arrays["weights"]


@pytest.fixture
def page() -> Page:
    page = Page()
    page("open", setup=SMALL)
    return page


def fails(frame: Frame, text: str) -> None:
    assert frame.kind == "error"
    assert text in frame.says["message"]
    assert "\n" not in frame.says["message"]


def outputs(page: Page) -> Array:
    learner = page.room.learner
    return learner.trainer.outputs(learner.points.X.astype(np.float32))


# What is shown ----------------------------------------------------------------------------


def test_a_state_says_all_that_the_page_needs(page: Page) -> None:
    state = page.last["state"]
    assert state.says["setup"] == to_json(page.room.setup)
    assert [control["name"] for control in state.says["controls"]] == list(SETTINGS)
    assert state.says["layers"] == [
        {"units": 3, "activation": "tanh"}, {"units": 1, "activation": "linear"},
    ]  # fmt: skip
    assert state.says["rows"] == {"train": 30, "test": 30}
    assert state.says["parameters"] == 13 == len(page.weights)
    assert state.arrays["points"].shape == (60, 2)
    assert state.arrays["features"].shape == (2, 100, 100)
    page("set", changes={"noise": 10})
    assert "controls" not in page.last["state"].says  # which the page has


def test_maps_are_what_the_network_answers_in_the_middle_of_each_cell(page: Page) -> None:
    page("set", changes={"dataset": "blobs", "units": [5, 4], "activations": ["relu", "tanh"]})
    page("step", epochs=20)
    maps = page.last["tick"].arrays["maps"]
    learner, grid = page.room.learner, page.room.picture.plane.grid().astype(np.float32)
    found = learner.architecture.activations(learner.trainer.params, grid)
    p = np.exp(found[-1]) / np.exp(found[-1]).sum(axis=1, keepdims=True)
    expected = np.concatenate([*found[:-1], 2 * p - 1], axis=1).T.reshape(-1, 100, 100)
    # A byte is 2 / 255 wide; native code and NumPy differ by rounding alone.
    assert np.abs(maps / 127.5 - 1 - np.clip(expected, -1, 1)).max() < 2 / 255 + 1e-5
    assert maps.shape == (5 + 4 + 4, 100, 100)
    # Upper rows are large x2, right columns large x1.
    assert (
        page.last["state"].arrays["features"][0, 50, 99]
        > 250
        > 5
        > page.last["state"].arrays["features"][1, 99, 50]
    )


def test_figures_are_those_of_the_library(page: Page) -> None:
    page("set", changes={"dataset": "circle", "points": 120, "noise": 20})
    page("step", epochs=30)
    tick, learner = page.last["tick"], page.room.learner
    X, y, held = learner.points.X.astype(np.float32), learner.points.y.astype(int), learner.points.held
    for name, rows in (("train", ~held), ("test", held)):
        measured = learner.trainer.measure(X[rows], y[rows], metrics=["accuracy"])
        assert tick.says["loss"][name] == pytest.approx(measured["loss"], rel=1e-5)  # float32 sums
        assert tick.says["scores"][name]["accuracy"] == pytest.approx(measured["accuracy"])
    answers = (outputs(page)[:, 0] >= 0).astype(int)
    from sklearn.metrics import confusion_matrix, f1_score

    assert np.array_equal(tick.arrays["confusion"], confusion_matrix(y[held], answers[held]))
    assert tick.says["scores"]["test"]["f1"] == pytest.approx(
        f1_score(y[held], answers[held], average="macro")
    )


@pytest.mark.parametrize("dataset", ["blobs", "xor", "plane"])
def test_outputs_that_are_not_finite_are_shown_as_such(page: Page, dataset: str) -> None:
    page("open", setup={"dataset": dataset, "points": 60, "units": [], "features": ["exp(exp(exp(x1)))"]})
    assert page.last["tick"].says["loss"]["train"] is None
    assert page("weight", layer=0, source=0, unit=0, value=1.0).kind == "tick"
    page("step")
    assert page.last["diverged"].says["message"]
    assert page("set", changes={"features": ["x1", "x2"]}).kind == "tick"


def test_the_same_messages_give_the_same_frames() -> None:
    def told() -> list[Any]:
        page = Page()
        page("open", setup={**SMALL, "dropout": 0.2, "units": [4, 4]})
        page("step", epochs=7)
        page("units", layer=0, units=6)
        page("step", steps=5)
        tick = page.last["tick"]
        says = {name: value for name, value in tick.says.items() if name not in TIMES}
        return [says, {name: array.tobytes() for name, array in tick.arrays.items()}]

    assert told() == told()


def test_a_training_in_pieces_is_the_training_in_one(page: Page) -> None:
    page("step", epochs=12)
    whole = page.weights
    page("reset", same=True)
    for steps in (1, 2, 3, 30):  # 36 steps are 12 epochs
        page("step", steps=steps)
    assert page.last["tick"].says["epoch"] == 12
    assert np.array_equal(page.weights, whole)


def test_a_page_that_lost_its_server_goes_on_where_it_was(page: Page) -> None:
    page("step", epochs=7)
    data, setup = base64.b64encode(page.weights.tobytes()).decode(), page.last["state"].says["setup"]
    other = Page()
    other("open", setup=setup, weights=data, epoch=7, step=21)
    assert np.array_equal(other.weights, page.weights)
    assert (other.last["tick"].says["epoch"], other.last["tick"].says["step"]) == (7, 21)
    other("step")
    assert other.last["tick"].says["epoch"] == 8
    fails(Page()("open", setup=setup, weights=data[:-8]), "expected 13 numbers")


def test_norms_and_silenced_neurons_are_told(page: Page) -> None:
    page("watch")
    learner = page.room.learner
    expected = [float(np.sqrt((w**2).sum() + (b**2).sum())) for w, b in learner.weights]
    assert [layer["weight"] for layer in page.last["tick"].says["norms"]] == pytest.approx(expected)
    page("open", setup={"points": 60, "units": [16], "dropout": 0.5})
    silenced = [len(page("step", steps=1).says["dropped"]) for _ in range(10)]
    page("view", axes=[1, 0])
    assert len(page.last["tick"].says["norms"]) == 2  # another network, another plane, and they are told on
    page("watch", norms=False)
    assert "norms" not in page.last["tick"].says
    assert 40 < sum(silenced) < 120  # 80 of 160, within six deviations


def test_the_same_first_weights_come_back(page: Page) -> None:
    first = page.weights
    page("step", epochs=3)
    page("set", changes={"learning_rate": 0.1})
    page("reset", same=True)
    assert np.array_equal(page.weights, first)
    page("reset")
    assert not np.array_equal(page.weights, first)
    page("units", layer=0, units=5)  # another network has first weights of its own
    page("reset", same=True)
    assert page.last["state"].says["layers"][0]["units"] == 5
    assert page.last["tick"].says["epoch"] == 0


def test_another_share_of_own_points_is_trained_on(page: Page) -> None:
    page("points", add=[[0.0, 0.0, 1]])
    page("set", changes={"train_percent": 80})
    assert page.last["state"].says["rows"] == {"train": 48, "test": 13}
    points = page.room.learner.points
    assert abs(points.y[points.held].mean() - points.y.mean()) < 0.05  # of each class the same share


# Changes that keep weights ------------------------------------------------------------------


@pytest.mark.parametrize("units", [[3], [3, 2], [5, 4, 3]])
def test_new_neurons_start_without_effect(page: Page, units: list[int]) -> None:
    page("set", changes={"units": units})
    page("step", epochs=5)
    for layer in range(len(units)):
        before = outputs(page)
        page("units", layer=layer, units=units[layer] + 3)
        # Sums over more terms, of which the new ones are 0, may round otherwise.
        assert np.allclose(outputs(page), before, rtol=1e-5, atol=1e-6)
    assert page.last["state"].says["reset"] is False
    assert page.last["tick"].says["epoch"] == 5


def test_a_removed_neuron_takes_its_own_links_alone(page: Page) -> None:
    page("set", changes={"units": [4, 3]})
    page("step", epochs=5)
    before = page.room.learner.weights
    page("units", layer=0, remove=1)
    after = page.room.learner.weights
    left = [0, 2, 3]
    assert np.array_equal(after[0][0], before[0][0][:, left])
    assert np.array_equal(after[0][1], before[0][1][left])
    assert np.array_equal(after[1][0], before[1][0][left])
    assert np.array_equal(after[2][0], before[2][0])


def test_a_layer_that_comes_and_goes_leaves_the_others(page: Page) -> None:
    page("set", changes={"units": [4, 3], "activations": ["linear"]})
    page("step", epochs=5)
    before, answers = page.room.learner.weights, outputs(page)
    page("layer", at=1, add=True, units=4)
    assert [layer["units"] for layer in page.last["state"].says["layers"]] == [4, 4, 3, 1]
    assert np.allclose(outputs(page), answers, rtol=1e-5, atol=1e-6)  # the identity, of linear layers
    page("layer", at=1, add=False)
    for (w, b), (old_w, old_b) in zip(page.room.learner.weights, before, strict=True):
        assert np.array_equal(w, old_w)
        assert np.array_equal(b, old_b)
    page("layer", at=0, add=False)
    page("layer", at=0, add=False)
    assert [layer["units"] for layer in page.last["state"].says["layers"]] == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.3}, {"optimizer": "adam"}, {"batch_size": 7}, {"regularization": "l2"},
        {"regularization": "l1", "regularization_rate": 0.01}, {"max_norm": 50.0}, {"dropout": 0.3},
        {"input_noise": 0.1}, {"schedule": "cosine"}, {"loss": "focal"}, {"noise": 30}, {"points": 100},
        {"train_percent": 80}, {"data_seed": "0.9"}, {"activations": ["relu"]}, {"patience": 50},
        {"show_test": True}, {"features": ["x1", "x2", "x1*x2"]},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_settings_change_while_weights_stay(page: Page, changes: dict[str, Any]) -> None:
    page("step", epochs=3)
    before = page.room.learner.weights
    assert page("set", changes=changes).kind == "tick"
    assert page.last["state"].says["reset"] is False
    after = page.room.learner.weights
    for layer, ((w, b), (old_w, old_b)) in enumerate(zip(after, before, strict=True)):
        kept = w if layer else w[: len(old_w)]
        assert np.array_equal(kept, old_w)
        assert np.array_equal(b, old_b)
    assert page.last["tick"].says["epoch"] == 3
    page("step", epochs=2)
    assert page.last["tick"].says["epoch"] == 5
    assert not np.array_equal(page.room.learner.weights[0][0][:2], before[0][0])


def test_weights_and_biases_are_set_by_hand(page: Page) -> None:
    page("weight", layer=0, source=1, unit=2, value=-1.5)
    assert page.weights[1 * 3 + 2] == -1.5
    page("bias", layer=1, unit=0, value=0.25)
    assert page.weights[-1] == 0.25
    found = outputs(page)[0, 0]
    formula = page("neuron", layer=1, unit=0, point=page.room.learner.points.X[0].tolist()).says
    assert formula["output"] == pytest.approx(found, rel=1e-6)
    assert formula["sum"] == pytest.approx(formula["bias"] + sum(t["product"] for t in formula["terms"]))
    assert len(formula["terms"]) == 3


# Running ------------------------------------------------------------------------------------


def test_a_run_ends_at_its_goal(page: Page) -> None:
    page("run", epochs=40)
    assert page.session.running
    while page.session.running:
        page.keep(page.session.work(0.01))
    assert page.last["tick"].says["epoch"] == 40
    assert page.last["tick"].says["stopped"] == "all epochs"
    page("set", changes={"learning_rate": 0.3})
    page("run", until=0.1)
    while page.session.running:
        page.keep(page.session.work(0.01))
    assert page.last["tick"].says["loss"]["train"] <= 0.1
    assert page.last["tick"].says["stopped"] == "loss reached"


def test_a_speed_is_kept(page: Page) -> None:
    page("speed", steps_per_second=50)
    page("run")
    first = page.last["tick"].says["step"]
    for _ in range(30):
        if frames := page.session.work(1 / 30):
            page.keep(frames)
    assert abs(page.last["tick"].says["step"] - first - 50) <= 2  # a second of work


def test_a_speed_that_no_machine_has_holds_nobody_up(page: Page) -> None:
    page("speed", steps_per_second=1e9)
    page("run")
    page.keep(page.session.work(1 / 30))  # 33 million steps, which would take minutes
    assert 0 < page.last["tick"].says["step"] < 1e6
    assert page("pause").says["running"] is False


def test_a_long_step_is_a_run_that_others_can_end(page: Page) -> None:
    page("speed", steps_per_second=1)  # a step waits for no speed
    page("step", epochs=10**6)
    assert (page.last["tick"].says["running"], page.last["tick"].says["step"]) == (True, 0)
    while page.last["tick"].says["epoch"] < 2:  # how many fit into a slice is a guess at first
        page.keep(page.session.work(1 / 30))
    assert page.last["tick"].says["epoch"] < 10**6
    assert page("neuron", layer=0, unit=0).kind == "neuron"
    assert page.session.running
    assert page("pause").says["running"] is False
    page("step", steps=10**6)
    assert page("reset").says["epoch"] == 0
    assert not page.session.running
    page("step", epochs=10**6)
    assert page("step", epochs=2).says["epoch"] == 2  # another one takes its place
    assert not page.session.running


def test_a_long_step_ends_where_a_short_one_would(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page("step", epochs=3)
    page("step", steps=2)
    ends = [page("step", epochs=30), page("step", steps=40)]
    page("reset", same=True)
    page("step", epochs=3)
    page("step", steps=2)
    monkeypatch.setattr("minicolumn.playground.network.room.AT_ONCE", 100)
    for end, goal in zip(ends, ({"epochs": 30}, {"steps": 40}), strict=True):
        page("step", **goal)
        while page.session.running:
            page.keep(page.session.work(0.001, draw=False))
        tick = page.last["tick"]
        assert (tick.says["epoch"], tick.says["step"], tick.says["stopped"]) == (
            end.says["epoch"], end.says["step"], None,
        )  # fmt: skip
        assert np.array_equal(tick.arrays["weights"], end.arrays["weights"])


def test_early_stopping_brings_the_best_weights_back(page: Page) -> None:
    page("set", changes={"noise": 50, "units": [32], "patience": 20, "learning_rate": 0.3, "points": 40})
    page("run")
    for _ in range(10_000):
        if not page.session.running:
            break
        page.keep(page.session.work(0.02))
    tick = page.last["tick"]
    assert tick.says["stopped"] == "early stopping"
    best = page.room.learner.trainer.best_params
    assert np.array_equal(page.room.learner.trainer.params["0"]["weight"], best["0"]["weight"])


def test_divergence_is_told_and_there_is_a_way_back(page: Page) -> None:
    page("open", setup={"dataset": "plane", "points": 60, "units": [8], "activations": ["linear"]})
    page("set", changes={"learning_rate": 10.0})
    page("run")
    while page.session.running:
        page.keep(page.session.work(0.01))
    said = page.last["diverged"].says
    assert said["cause"] == "learning_rate"
    assert page.last["tick"].says["stopped"] == "diverged"
    assert np.isfinite(page.weights).all()
    for remedy in said["remedies"]:
        assert page(**{name: value for name, value in remedy.items() if name != "label"}).kind == "tick"
    assert page("back").kind == "tick"
    assert page.room.setup.learning_rate < 10


# Points -------------------------------------------------------------------------------------


def test_points_are_painted_moved_and_removed(page: Page) -> None:
    page("points", add=[[1.0, 2.0, 0], [3.0, 4.0, 1]])
    assert page.last["state"].says["setup"]["dataset"] == "own"
    assert page.last["state"].arrays["points"][-1].tolist() == [3.0, 4.0]
    page("points", move=[[0, -1.0, -1.0]], remove=[61, 60])
    assert page.last["state"].arrays["points"].shape == (60, 2)
    assert page.last["state"].arrays["points"][0].tolist() == [-1.0, -1.0]
    page("points", clear=True, classes=3, add=[[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    assert page.last["state"].says["classes"] == ["A", "B", "C"]
    page("step", epochs=5)
    fails(page("points", add=[[0, 0, 3]]), "classes")
    fails(page("points", remove=[17]), "there are 3 points")
    fails(page("points", clear=True), "at least two points")
    assert page("set", changes={"dataset": "xor"}).kind == "tick"


@pytest.mark.parametrize("patience", [None, 500])
def test_what_the_optimizer_remembers_outlives_a_stroke_of_the_brush(
    page: Page, patience: int | None
) -> None:
    page("set", changes={"optimizer": "adam", "patience": patience})
    page("step", epochs=3)
    trainer = page.room.learner.trainer
    moments = trainer.snapshot.moments
    page("points", add=[[1.0, 2.0, 0], [0.0, 0.0, 1]], move=[[0, 2.0, 2.0]])
    assert page.room.learner.trainer is trainer
    assert trainer.rows == 32
    assert all(map(np.array_equal, leaves(trainer.snapshot.moments), leaves(moments)))
    page("step", epochs=2)
    assert page.last["tick"].says["epoch"] == 5


def test_a_table_is_learnt_from(page: Page) -> None:
    text = "width,kind,colour\n" + "\n".join(
        f"{k / 7:.2f},{'ab'[k % 2]},{'red' if k > 30 else 'blue'}" for k in range(60)
    )
    page("table", name="t.csv", part=0, parts=2, text=text[:200])
    columns = page("table", name="t.csv", part=1, parts=2, text=text[200:]).says
    assert [column["name"] for column in columns["columns"]] == ["width", "kind", "colour"]
    assert columns["suggested"] == "colour"
    page("target", column="colour")
    state = page.last["state"]
    assert state.says["classes"] == ["blue", "red"]
    table = page.room.learner.table
    assert table is not None
    names = [column["name"] for column in state.says["inputs"]]
    assert names == list(table.encoder.features)
    assert names in (["width", "kind=a"], ["width", "kind=b"])  # as the more frequent level is among the rows
    page("set", changes={"learning_rate": 0.3})
    page("step", epochs=100)
    assert page.last["tick"].says["scores"]["train"]["accuracy"] > 0.9
    assert page("view", axes="pca").kind == "tick"
    fails(page("target", column="color"), "did you mean 'colour'?")
    model = artifact_from_bytes(page("export", what="model").arrays["bytes"].tobytes())
    assert model.schema is not None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1,2\n", "target"),
        ("a\n1\n2\n3\n", "column"),
        ("\x89PNG\x00\x01", ""),
    ],
)
def test_what_is_no_table_is_refused_in_a_line(page: Page, text: str, word: str) -> None:
    frame = page("table", name="t.csv", text=text or " ")
    if frame.kind == "columns":
        frame = page("target", column="a")
    fails(frame, word)
    assert page("step").kind == "tick"


# Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setup",
    [{}, {"dataset": "blobs"}, {"dataset": "plane"}, {"dataset": "xor", "loss": "squared_error"},
     {"dataset": "rings", "loss": "hinge"}, {"features": ["x1", "x2", "x1^2", "sin(x2)"]}],
)  # fmt: skip
def test_a_saved_network_answers_the_same_elsewhere(tmp_path: Any, setup: dict[str, Any]) -> None:
    page = Page()
    page("open", setup=SMALL | setup)
    page("step", epochs=20)
    path = tmp_path / "network.safetensors"
    path.write_bytes(page("export", what="model").arrays["bytes"].tobytes())
    rows = page("export", what="data").arrays["bytes"].tobytes()
    model, learner = mc.load(path), page.room.learner
    answers = model.predict_table(mc.tables.as_frame(_columns(rows)))
    expected = learner.task.answers(outputs(page))
    assert model.table is not None
    if model.table.classes is not None:
        assert list(answers) == [learner.points.classes[code] for code in expected]
    else:
        # Two classes under the squared error are the numbers -1 and 1.
        numbers = outputs(page)[:, 0] if learner.task.classes else expected
        assert np.allclose(answers, numbers, rtol=1e-5, atol=1e-6)  # float32, decoded


@pytest.mark.parametrize(
    "setup",
    [{}, {"dataset": "blobs", "units": []}, {"dataset": "plane", "activations": ["noisy_relu"]},
     {"features": ["x1", "x1*x2"], "dropout": 0.3, "units": [4, 2]}, {"dataset": "xor", "loss": "hinge"}],
)  # fmt: skip
def test_a_saved_network_is_opened_as_it_was(setup: dict[str, Any]) -> None:
    page, other = Page(), Page()
    page("open", setup=SMALL | setup)
    page("step", epochs=5)
    name, data = "n.safetensors", page("export", what="model").arrays["bytes"].tobytes()
    text = base64.b64encode(data).decode()
    other("load", name=name, part=0, parts=2, base64=text[:400])
    assert other("load", name=name, part=1, parts=2, base64=text[400:]).kind == "tick"
    assert np.array_equal(other.weights, page.weights)
    assert other.last["state"].says["layers"] == page.last["state"].says["layers"]
    assert np.array_equal(other.last["tick"].arrays["maps"].shape, page.last["tick"].arrays["maps"].shape)
    assert other.last["tick"].says["scores"]["train"].get("accuracy", 1.0) == 1.0  # its own answers
    other("step")
    assert not np.array_equal(other.weights, page.weights)


def _as_text(model: mc.Model) -> str:
    return base64.b64encode(artifact_to_bytes(model.artifact())).decode()


def test_a_model_of_a_table_that_cannot_be_drawn_is_told(page: Page) -> None:
    before = page.weights
    run = mc.fit_table("penguins", epochs=3, hidden=(8,))
    told = page("load", name="m.safetensors", base64=_as_text(run.model))
    says = told.says
    assert (told.kind, says["name"], says["target"], says["task"]) == (
        "summary", "m.safetensors", "Species", "multiclass",
    )  # fmt: skip
    assert says["why"].startswith("the network has a layer Ensemble, which is not drawn here; networks of")
    assert len(says["classes"]) == says["class_count"] == 3
    assert {"name": "Flipper Length (mm)", "kind": "number"} in says["columns"]
    assert says["metrics"][0] == {
        "name": "accuracy", "value": run.metrics["accuracy"], "baseline": run.baseline["accuracy"],
    }  # fmt: skip
    curve = told.arrays["curve"]
    assert np.array_equal(curve[:, says["history"].index("loss")], run.history["loss"])
    last = says["layers"][-1]
    member, place = last["path"].split(".")
    weights = run.model.params[member][place]
    numbers = np.concatenate([weights["weight"].ravel(), weights["bias"].ravel()]).astype(float)
    assert (last["kind"], last["shape"], last["parameters"]) == ("Dense", [3], numbers.size)
    assert last["norm"] == pytest.approx(np.linalg.norm(numbers))
    assert last["histogram"]["counts"] == np.histogram(numbers, 20)[0].tolist()
    assert len(encoded(told)) < 20_000
    assert np.array_equal(page("pause").arrays["weights"], before)  # what was drawn is still there
    assert page("step").kind == "tick"


@pytest.mark.parametrize(
    ("layers", "shape", "why"),
    [
        ((mc.nn.Flatten(), mc.nn.Dense(2)), (8, 8, 1), "a row has shape"),
        ((mc.nn.Sequential(mc.nn.Dense(3)), mc.nn.Dense(2)), (2,), "a layer Sequential"),
        ((mc.nn.ColumnEmbedding(((0, 4),), dim=3), mc.nn.Dense(2)), (2,), "a layer ColumnEmbedding"),
        ((mc.nn.Dense(99), mc.nn.Dense(2)), (2,), "at most"),
        ((mc.nn.Dense(2, parametrization="ntk"),), (2,), "settings that are not drawn"),
    ],
    ids=["images", "nested", "embeddings", "wide", "settings"],
)  # fmt: skip
def test_any_network_is_told(layers: Any, shape: tuple[int, ...], why: str) -> None:
    page, network = Page(), mc.nn.Sequential(*layers)
    model = mc.Model(network, network.init(0, shape), shape, "softmax_cross_entropy")
    told = page("load", name="n.safetensors", base64=_as_text(model))
    assert told.kind == "summary"
    assert why in told.says["why"]
    assert len(told.says["why"]) < 200
    assert (told.says["input_shape"], told.arrays["curve"].shape) == (list(shape), (0, 1))
    assert told.says["layers"][-1]["shape"] == [2]
    assert page.last["state"].says["setup"]["dataset"] == "circle"  # nothing was opened before


def test_a_hostile_model_is_refused_or_told_within_bounds(page: Page) -> None:
    run = mc.fit_table("penguins", epochs=1, hidden=(8,))
    text = _as_text(run.model)
    fails(page("load", name="m.safetensors", base64=text[:-8]), "m.safetensors")
    fails(page("load", name="m.safetensors", base64="*"), "base64")
    rows = [{"epoch": "x", "loss": None, "k" * 999: 1.0} for _ in range(2_000)]
    net = mc.nn.Sequential(*[mc.nn.Dense(1, activation="exponential") for _ in range(300)])
    training = {"k" * 999: "v" * 9_999, "deep": [[["x"]]], "html": "<script>"}
    params = map_leaves(lambda leaf: np.full_like(leaf, np.inf), net.init(0, (1,)))
    scores = {"test": {"f1": "no", "r2": 1e400}}
    odd = mc.Model(net, params, (1,), "squared_error", None, training, scores, rows)
    says, curve = summary_of(odd, "n" * 200, "why " * 99)
    assert (len(says["layers"]), says["more_layers"], says["layers"][0]["histogram"]) == (200, 100, None)
    assert len(curve) <= 501
    assert np.isnan(curve[:, 0]).all()
    assert [entry["name"] for entry in says["metrics"]] == ["r2"]
    assert len(encoded(Frame("network", "summary", says, {"curve": curve}))) < 100_000
    assert page("step").kind == "tick"


def _columns(data: bytes) -> dict[str, list[str]]:
    import csv

    rows = list(csv.DictReader(io.StringIO(data.decode())))
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_weights_are_exported_as_they_are(page: Page) -> None:
    page("step", epochs=2)
    held = json.loads(page("export", what="weights").arrays["bytes"].tobytes())
    flat = [number for layer in held["layers"] for number in [*np.ravel(layer["weight"]), *layer["bias"]]]
    assert np.array_equal(np.array(flat, np.float32), page.weights)
    assert held["setup"] == to_json(page.room.setup)


# Going on where it stood --------------------------------------------------------------------


@pytest.mark.parametrize("setup", [{}, {"dataset": "blobs"}, {"dataset": "plane", "units": []}])
def test_a_session_goes_on_from_what_a_page_shows(page: Page, setup: dict[str, Any]) -> None:
    page("open", setup=SMALL | setup, link="#noise_hide=true")
    page("step", epochs=3)
    state, tick = page.last["state"], page.last["tick"]
    past = {
        "link": state.says["link"], "setup": state.says["setup"],
        "weights": base64.b64encode(page.weights.tobytes()).decode(),
        "epoch": tick.says["epoch"], "step": tick.says["step"],
    }  # fmt: skip
    other = Page()
    other("open", **past)
    assert np.array_equal(other.weights, page.weights)
    assert other.last["tick"].says["loss"] == tick.says["loss"]
    assert other.last["tick"].says["epoch"] == 3
    assert other.last["state"].says["hidden"] == ["noise"]
    assert not other.last["state"].says["reset"]
    page("step")
    other("step")
    assert other.last["tick"].says["step"] == page.last["tick"].says["step"]
    fails(other("open", **past | {"weights": past["weights"][:-8]}), "weights")
    assert other.room.learner.epoch == 4  # nothing was changed


def test_painted_points_are_told_as_they_were_parted(page: Page) -> None:
    page("points", add=[[1, 2, 0], [3, 4, 1]], held=[0])
    state = page.last["state"].arrays
    rows = np.column_stack([state["points"], state["targets"]]).tolist()
    other = Page()
    other("points", clear=True, classes=2, add=rows, held=np.flatnonzero(state["held"]).tolist())
    assert state["held"][-2:].tolist() == [1, 0]
    for name in ("points", "targets", "held"):
        assert np.array_equal(other.last["state"].arrays[name], state[name])
    fails(other("points", add=[[1, 2, 0]], held=[1]), "points")


def test_a_table_is_drawn_over_its_columns_with_most_values(page: Page) -> None:
    rows = "\n".join(
        f"{'pqr'[i % 3]},{i % 2},{i % 17 / 4},{7 * i % 23 / 4},{'yes' if i % 5 else 'no'}" for i in range(60)
    )
    page("table", name="t.csv", text="kind,flag,a,b,y\n" + rows)
    page("target", column="y")
    says = page.last["state"].says
    names = {one["formula"]: one["name"] for one in says["inputs"]}
    assert [names[axis] for axis in says["axes"]] == ["a", "b"]


def test_points_far_from_a_slice_are_drawn_where_they_are_beside_it(page: Page) -> None:
    rows = "\n".join(f"{i * i % 31 / 4},{7 * i % 23 / 4},{'pqr'[i % 3]},{'ab'[i % 2]}" for i in range(60))
    page("table", name="t.csv", text="u,v,kind,y\n" + rows)
    page("target", column="y")
    page("view", axes=[0, 1], at={"x3": 0.0})
    near = page.last["state"]
    count = len(near.says["columns"])
    assert count > 3
    page("view", axes=[0, 1], at={"x3": 1e9})
    assert np.isfinite(near.arrays["points"]).all()
    assert np.array_equal(page.last["state"].arrays["points"], near.arrays["points"])
    assert page("neuron", layer=0, unit=0, point=[1.0] * count).says["point"] == [1.0] * count


def test_rows_without_a_target_are_told(page: Page) -> None:
    page("table", name="t.csv", text="a,b\n" + "\n".join(f"{i},{i % 2 if i % 5 else ''}" for i in range(50)))
    page("target", column="b")
    assert page.last["state"].says["said"] == ["10 rows without 'b' are left out"]


# Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ({"do": "opne"}, "did you mean 'open'?"),
        ({"do": "set"}, "changes is missing"),
        ({"do": "set", "changes": {"noize": 3}}, "did you mean 'noise'?"),
        ({"do": "set", "changes": {"units": [0]}}, "units"),
        ({"do": "set", "changes": {"units": [65]}}, "units"),
        ({"do": "set", "changes": {"units": [1] * 11}}, "units"),
        ({"do": "set", "changes": {"dataset": "circel"}}, "did you mean 'circle'?"),
        ({"do": "set", "changes": {"dataset": "table"}}, "send a table"),
        ({"do": "set", "changes": {"learning_rate": float("nan")}}, "learning_rate"),
        ({"do": "set", "changes": {"optimizer": "adamm"}}, "did you mean 'adam'?"),
        ({"do": "set", "changes": {"activations": ["step"]}}, "derivative is 0"),
        ({"do": "set", "changes": {"loss": "huber"}}, "not for classes"),
        ({"do": "set", "changes": {"features": ["x1 +"]}}, "letter 5"),
        ({"do": "set", "changes": {"features": ["y"]}}, "y"),
        ({"do": "weight", "layer": 5, "source": 0, "unit": 0, "value": 1}, "layers"),
        ({"do": "weight", "layer": 0, "source": 2, "unit": 0, "value": 1}, "weights"),
        ({"do": "weight", "layer": 0, "source": 0, "unit": 0, "value": "1"}, "value"),
        ({"do": "units", "layer": 1, "units": 2}, "hidden layers"),
        ({"do": "units", "layer": 0, "remove": 9}, "neurons"),
        ({"do": "layer", "at": 4}, "at"),
        ({"do": "target", "column": "a"}, "send a table first"),
        ({"do": "table", "name": "t", "part": 1, "parts": 2, "text": "a"}, "out of order"),
        ({"do": "export", "what": "everything"}, "what"),
        ({"do": "neuron", "layer": 0, "unit": 9}, "no neuron"),
        ({"do": "formula", "text": "x1 ^^ 2"}, "letter 5"),
        ({"do": "view", "axes": [0]}, "axes"),
        ({"do": "view", "axes": [0, 2]}, "view: axes: there are 2 inputs, counted from 0, got 2"),
        ({"do": "view", "at": {"x3": 1.0}}, "view: at: there is no input 'x3'; there are x1, x2"),
        ({"do": "view", "at": {"x22": 1.0}}, "view: at: there is no input 'x22'; did you mean 'x2'?"),
        ({"do": "view", "at": {"x1": "a"}}, "at: expected numbers by input"),
        ({"do": "view", "at": {"x1": None}}, "at: expected numbers by input"),
        ({"do": "view", "at": {"x1": True}}, "at: expected numbers by input"),
        ({"do": "view", "at": {"x1": 10**400}}, "at: expected numbers by input"),
        ({"do": "view", "at": {"x1": float("inf")}}, "at: expected numbers by input"),
        ({"do": "table", "name": "t", "text": "a,\ud800"}, "letter 3 of a part is half a character"),
        ({"do": "open", "weights": "*"}, "base64"),
        ({"do": "neuron", "layer": 0, "unit": 0, "point": [1]}, "expected 2 numbers, got 1"),
        ({"do": "speed", "steps_per_second": 0}, "steps_per_second"),
        ({"do": "open", "setup": 3}, "setup"),
    ],
)  # fmt: skip
def test_bad_messages_change_nothing(page: Page, message: dict[str, Any], word: str) -> None:
    page("step")
    before = page.weights, page.room.setup
    fails(page.keep(page.session.receive({"room": "network", **message})), word)
    page("pause")
    assert np.array_equal(page.weights, before[0])
    assert page.room.setup == before[1]


def test_regenerating_gives_other_points_whatever_the_seed() -> None:
    seeds = []
    for seed in ("0.5", "any text", "another"):
        room = NetworkRoom()
        room.receive("open", {"setup": {"points": 20, "data_seed": seed}})
        for _ in range(2):
            room.receive("regenerate", {})
            seeds.append(room.setup.data_seed)
    assert len(set(seeds)) == 6
