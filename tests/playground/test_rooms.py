"""The rooms of the course, by their messages: what they show is what the library computes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import scipy.special

import minicolumn as mc
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.classic import train_perceptron
from minicolumn.playground.frames import Frame, decoded, encoded
from minicolumn.playground.rooms import perceptron, race
from minicolumn.playground.rooms.activations import NAMES
from minicolumn.playground.rooms.circuit import GOALS
from minicolumn.playground.rooms.tape import EXAMPLES, _depths
from minicolumn.playground.sessions import ROOMS, make_session
from minicolumn.registry import settings_of

Say = Callable[..., dict[str, Frame]]


@pytest.fixture
def say() -> Say:
    """Send a message to a room; the frames that answer it by their kinds."""
    session = make_session()

    def send(room: str, do: str, **said: Any) -> dict[str, Frame]:
        frames = session.receive({"room": room, "do": do, **said})
        return {frame.kind: decoded(encoded(frame)) for frame in frames}

    send.session = session  # type: ignore[attr-defined]
    return send


def working(say: Say) -> dict[str, Frame]:
    """Let the rooms work until they stop; their last frames."""
    session, last = say.session, {}  # type: ignore[attr-defined]
    for _ in range(10_000):
        if not session.running:
            return last
        last |= {frame.kind: frame for frame in session.work(0.05)}
    raise AssertionError("it does not stop")


def says(found: dict[str, Frame], kind: str = "state") -> dict[str, Any]:
    assert "error" not in found, found["error"].says
    return dict(found[kind].says)


@pytest.mark.parametrize("room", [name for name in ROOMS if name != "network"])
def test_every_room_shows_something_and_refuses_what_it_does_not_know(say: Say, room: str) -> None:
    assert says(say(room, "open"))
    error = say(room, "dance")["error"].says["message"]
    assert error.startswith(f"{room}: there is no 'dance'")
    assert "\n" not in error
    assert "unknown setting 'nosuch'" in say(room, "open", nosuch=1)["error"].says["message"]
    assert says(say(room, "open"))


# 1943 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", GOALS)
def test_the_solution_of_a_goal_has_its_truth_table(say: Say, goal: str) -> None:
    begun = say("circuit", "open", goal=goal)
    found = say("circuit", "solve", goal=goal)
    assert says(found)["reached"] is True
    assert np.array_equal(found["state"].arrays["answers"], GOALS[goal].values)
    assert says(begun)["reached"] is (goal == "or")  # which one neuron that any input excites is


def test_a_circuit_is_built_by_hand(say: Say) -> None:
    say("circuit", "open", goal="xor")
    either = {"name": "either", "excitatory": ["a", "b"], "inhibitory": [], "threshold": 1}
    both = {"name": "both", "excitatory": ["a", "b"], "inhibitory": [], "threshold": 2}
    out = {"name": "out", "excitatory": ["either"], "inhibitory": ["both"], "threshold": 1}
    found = say("circuit", "build", neurons=[either, both, out], outputs=["out"])
    assert says(found)["reached"] is True
    assert found["state"].arrays["fires"].tolist() == [[0, 0, 0], [1, 0, 1], [1, 0, 1], [1, 1, 0]]
    assert found["state"].arrays["sums"].tolist() == [[0, 0, 0], [1, 1, 1], [1, 1, 1], [2, 2, 1]]
    assert found["state"].arrays["forbidden"].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert [neuron["layer"] for neuron in says(found)["neurons"]] == [1, 1, 2]
    for wrong, word in [
        ({"neurons": [out], "outputs": ["out"]}, "not there yet"),
        ({"neurons": [either, either], "outputs": ["either"]}, "same name"),
        ({"neurons": [either], "outputs": []}, "1 outputs"),
        ({"neurons": [either], "outputs": ["eiter"]}, "eiter"),
        ({"neurons": [{"name": "n"}], "outputs": ["n"]}, "neurons"),
        ({"neurons": [{**either, "threshold": -1}], "outputs": ["either"]}, "neurons"),
    ]:
        assert word in say("circuit", "build", **wrong)["error"].says["message"]
    assert says(say("circuit", "solve", goal="xor"))["reached"] is True


# Perceptron ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["and", "or", "clouds"])
def test_a_perceptron_ends_where_the_library_ends(say: Say, data: str) -> None:
    state = say("perceptron", "open", data=data)
    say("perceptron", "run", rows_per_second=1000)
    last = says(working(say), "tick")
    X, signs = state["state"].arrays["X"], state["state"].arrays["signs"]
    run = train_perceptron(X, signs)
    assert last["converged"]
    assert last["right"] == len(X)
    assert last["weight"] == run.ltu.weight[:, 0].tolist()
    assert last["bias"] == run.ltu.bias[0]
    assert last["mistakes"] == run.mistakes[:, 0].tolist()
    assert last["corrections"] == run.updates[0] <= says(state)["bound"]


def test_xor_is_refused_for_ever(say: Say) -> None:
    assert says(say("perceptron", "open", data="xor"))["separable"] is False
    for _ in range(20):
        say("perceptron", "epoch")
    last = says(say("perceptron", "pause"), "tick")
    assert not last["converged"]
    assert last["cycle"] is not None
    assert last["right"] < 4


def test_rows_that_overlap_may_be_looked_at_for_ever(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptron, "MOST_EPOCHS", 30)
    say("perceptron", "open", data="overlap")
    say("perceptron", "run", rows_per_second=10_000)
    session = say.session  # type: ignore[attr-defined]
    ticks = [session.work(1.0)[-1].says for _ in range(3)]  # 250 epochs of 40 rows each
    assert [tick["epoch"] for tick in ticks] == [250, 500, 750]
    assert [len(tick["mistakes"]) for tick in ticks] == [250, 500, 500]
    assert len(session._rooms["perceptron"]._seen) <= 31
    assert ticks[-1]["corrections"] > ticks[0]["corrections"]


def test_one_step_looks_at_one_row(say: Say) -> None:
    say("perceptron", "open", data="or")
    first = says(say("perceptron", "step"), "tick")
    assert (first["row"], first["wrong"], first["bias"]) == (0, True, -1.0)  # 0 0 is no, and 0 is not below 0
    assert first["look"] == {"x": [0.0, 0.0], "sign": -1, "sum": 0.0, "weight": [0.0, 0.0], "bias": 0.0}
    second = says(say("perceptron", "step"), "tick")
    assert (second["row"], second["look"]["sum"], second["weight"]) == (1, -1.0, [0.0, 1.0])


# Backpropagation ----------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_a_step_is_that_of_gradient_descent(say: Say, activation: str) -> None:
    told = {"activation": activation, "x": [0.3, -0.7], "target": 0.4, "learning_rate": 0.2, "hidden": [3, 2]}
    before = says(say("backpropagation", "open", **told))
    net = mc.nn.Sequential(*(mc.nn.Dense(units, activation) for units in (3, 2, 1)))
    params = net.init(0, (2,), np.float64)
    x, y = np.array([[0.3, -0.7]]), np.array([[0.4]])
    gradient = mc.grad(lambda p: np.mean((net.apply(p, x) - y) ** 2))(params)
    for place, layer in enumerate(before["layers"]):
        assert np.allclose(layer["weight"]["gradient"], gradient[str(place)]["weight"])
        assert np.allclose(layer["weight"]["difference"], layer["weight"]["gradient"], atol=1e-6)  # h^2
        assert np.allclose(layer["bias"]["gradient"], layer["deltas"])
        # Each neuron's share: what the layer behind hands back, times its own slope.
        assert np.allclose(layer["deltas"], np.multiply(layer["upstream"], layer["derivatives"]))
    after = says(say("backpropagation", "update"))
    assert after["loss"] == pytest.approx(before["loss_after"])
    assert after["losses"] == [before["loss"]]
    several = says(say("backpropagation", "update", steps=9))
    assert several["steps"] == len(several["losses"]) == 10
    assert several["losses"][1] == after["loss"]
    assert says(say("backpropagation", "reset"))["loss"] == before["loss"]


def test_no_step_is_taken_to_where_the_loss_is_not_finite(say: Say) -> None:
    say("backpropagation", "open", activation="linear", x=[5, 5], learning_rate=10, target=2)
    last = says(say("backpropagation", "update", steps=100))
    assert 1 < last["steps"] < 100
    assert last["loss"] > 1e10
    assert last["loss_after"] is None
    assert "learning rate" in say("backpropagation", "update")["error"].says["message"]
    again = says(say("backpropagation", "open", activation="linear", x=[5, 5], learning_rate=0.001, target=2))
    assert again["loss"] == last["loss"]


def test_the_activation_is_drawn_with_its_slope(say: Say) -> None:
    curve = say("backpropagation", "open", activation="tanh")["state"].arrays
    assert np.allclose(curve["value"], np.tanh(curve["z"]))
    assert np.allclose(curve["slope"], 1 - np.tanh(curve["z"]) ** 2)
    far = say("backpropagation", "open", activation="linear", x=[5, 5])["state"]
    sums = np.concatenate([layer["pre_activations"] for layer in far.says["layers"]])
    assert far.arrays["z"].max() == max(6, np.abs(sums).max())
    assert np.abs(sums).max() > 6


# Tape ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", [*EXAMPLES, "min(x, y) * max(z, w)", "-x^3 / (1 + abs(y))"])
def test_adjoints_are_the_gradient(say: Say, formula: str) -> None:
    at = [1.3, -0.4, 0.7, 2.1]
    state = says(say("tape", "open", formula=formula, at=at))
    used = state["used"]
    parsed = mc.nn.Formulas((formula,), ("x", "y", "z", "w"))

    def value(point: np.ndarray) -> Any:
        return np.sum(parsed.apply({}, point[None]))

    expected = dict(zip("xyzw", mc.grad(value)(np.array(at)), strict=True))
    found = {node["label"]: node["adjoint"] for node in state["nodes"] if node["label"]}
    assert list(found) == used
    assert all(found[name] == pytest.approx(expected[name]) for name in used)
    assert state["nodes"][state["output"]]["value"] == pytest.approx(float(value(np.array(at))))
    # A node's adjoint is the sum of the parts that are handed to it; the output begins with 1.
    sums = dict.fromkeys(range(len(state["nodes"])), 0.0) | {state["output"]: 1.0}
    for step in state["backward"]:
        for part in step["parts"]:
            sums[part["to"]] += part["part"]
            assert part["sum"] == pytest.approx(sums[part["to"]])
            node = state["nodes"][step["node"]]
            assert part["to"] == node["inputs"][part["at"]]
            assert part["part"] == pytest.approx(part["local"] * node["adjoint"])
    for place, node in enumerate(state["nodes"]):
        assert node["constant"] or node["adjoint"] == pytest.approx(sums[place])
    assert state["traversals"] == {"reverse": 2, "finite_differences": len(used) + 1}
    assert all(max(node["inputs"], default=-1) < place for place, node in enumerate(state["nodes"]))


def test_what_is_no_program_is_refused(say: Say) -> None:
    for formula, word in [("2 + 3", "variable"), ("x +", "letter"), ("q", "q"), ("*".join("x" * 60), "")]:
        assert word in say("tape", "open", formula=formula)["error"].says["message"]


@pytest.mark.parametrize("formula", ["x/0", "log(x)", "x^-1", "0/(x-x)", "x^(y^(z^w))", "exp(exp(exp(x)))"])
@pytest.mark.parametrize("at", [0.0, -100.0, 100.0])
def test_what_has_no_finite_value_is_told_as_such(say: Say, formula: str, at: float) -> None:
    assert says(say("tape", "open", formula=formula, at=[at] * 4))["traversals"]["reverse"] == 2


def test_a_graph_with_more_paths_than_can_be_walked_has_its_depths() -> None:
    def power(x: Any) -> Any:
        for _ in range(60):  # 2 to the power of 60 paths lead from the last node to x
            x = x * x
        return x

    nodes = mc.inspect(power, np.float64(1.0)).graph.nodes
    assert list(_depths(nodes).values()) == list(range(61))


# Softmax ------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_softmax_loss_and_gradient(say: Say, temperature: float) -> None:
    scores = [1.5, -2.0, 0.25, 1.0]
    found = say("softmax", "set", scores=scores, temperature=temperature, target=2)
    state, arrays = says(found), found["state"].arrays
    p = scipy.special.softmax(np.array(scores) / temperature)
    assert np.allclose(state["probabilities"], p)
    assert state["loss"] == pytest.approx(-np.log(p[2]))
    assert np.allclose(state["gradient"], (p - np.eye(4)[2]) / temperature)
    assert state["entropy"] == pytest.approx(scipy.special.entr(p).sum())
    sweep = scipy.special.softmax(np.array(scores) / arrays["temperatures"][:, None], axis=1)
    assert np.allclose(arrays["sweep"], sweep)
    assert "classes" in say("softmax", "set", scores=[1, 2], target=2)["error"].says["message"]


# Activations --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_the_functions(say: Say, name: str) -> None:
    found = say("activations", "look", activation=name, depth=2)["state"]
    x, value, slope = (found.arrays[part] for part in ("x", "value", "slope"))
    assert np.array_equal(value, np.asarray(activation_by_name(name).function(x)))
    # Central differences, at the middle half of the steps: a kink is left out where both sides differ.
    h = x[1] - x[0]
    left, right = np.diff(value)[:-1] / h, np.diff(value)[1:] / h
    smooth = np.abs(left - right) < 0.1 * np.maximum(1.0, np.abs(left))
    assert smooth.mean() > 0.9
    # h^2 and the third derivative, which beside the largest slope is small.
    assert np.abs(slope[1:-1] - (left + right) / 2)[smooth].max() < 0.06 * max(1.0, np.abs(slope).max() / 10)


def test_the_gallery_is_every_function_as_it_is_when_looked_at(say: Say) -> None:
    opened = say("activations", "open", activation="tanh", depth=1)
    gallery = opened["gallery"]
    assert says(opened, "gallery")["names"] == list(NAMES)
    for place, name in enumerate(NAMES):
        close = say("activations", "look", activation=name, depth=1)["state"].arrays
        for part in ("value", "slope"):  # every 8th of the points, in float32
            assert np.array_equal(gallery.arrays[part][place], close[part][::8].astype(np.float32))


def test_a_step_passes_nothing_back_and_logistic_little(say: Say) -> None:
    def gradient(name: str) -> list[float]:
        return says(say("activations", "look", activation=name, depth=8))["gradient"]

    assert gradient("step")[:-1] == [0.0] * 7
    assert gradient("logistic")[0] < 0.01 * gradient("logistic")[-1]
    assert gradient("relu")[0] > 0.1 * gradient("relu")[-1]
    assert gradient("linear")[-1] == 1.0


# Descent ------------------------------------------------------------------------------------


def test_racers_go_as_descent_goes(say: Say) -> None:
    told = {"surface": "rosenbrock", "start": [-1.0, 1.5], "optimizers": ["sgd", "adam"], "steps": 60}
    found = say("descent", "race", learning_rate=0.001, **told)
    state = says(found)
    for place, optimizer in enumerate(["sgd:learning_rate=0.001", "adam:learning_rate=0.001"]):
        paths = mc.descent("rosenbrock", [[-1.0, 1.5]], optimizer=optimizer, steps=60)
        assert np.array_equal(found["state"].arrays["paths"][place], paths.paths[0])
        assert state["racers"][place]["ending"] == paths.endings[0]
    again = says(say("descent", "race", **told | {"start": [0.5, 2.0]}))  # by what is compiled already
    for racer in again["racers"]:
        own = mc.descent("rosenbrock", [[0.5, 2.0]], optimizer=racer["optimizer"], steps=60)
        assert racer["learning_rate"] == own.optimizer.learning_rate
        assert (racer["ending"], racer["value"]) == (own.endings[0], own.values[0, -1])
    ground = found["state"].arrays["ground"]
    surface = mc.explain.SURFACES["rosenbrock"]
    (x0, _), (_, y1) = surface.bounds
    assert ground[0, 0] == surface(np.array([x0, y1]))  # the upper left corner
    assert "within" in say("descent", "race", start=[50, 50])["error"].says["message"]
    assert "did you mean 'adam'?" in say("descent", "race", optimizers=["adamm"])["error"].says["message"]


def test_racers_name_the_points_that_they_reach_alike(say: Say) -> None:
    found = says(say("descent", "race", start=[-0.4, -4.2]))
    reached = [found["stationary"][racer["reached"]] for racer in found["racers"]]
    assert {point["label"] for point in reached} == {"A", "B"}
    for racer, point in zip(found["racers"], reached, strict=True):
        assert racer["ending"] == point["label"]
        assert np.linalg.norm(np.subtract(racer["end"], point["point"])) < 0.2  # 2 % of the width


@pytest.mark.parametrize("surface", list(mc.explain.SURFACES))
def test_all_minima_of_a_surface_are_found(say: Say, surface: str) -> None:
    found = say("descent", "race", surface=surface, optimizers=["sgd:learning_rate=0.001"], steps=1)
    record, state = mc.explain.SURFACES[surface], says(found)
    lowest = [minimum["point"] for minimum in state["minima"] if minimum["lowest"]]
    assert np.allclose(sorted(lowest), sorted(record.minima), atol=1e-6)
    assert len(state["minima"]) == (25 if surface == "rastrigin" else len(record.minima))
    rows, columns = found["state"].arrays["ground"].shape
    (left, _), (_, top) = record.bounds
    assert rows == columns
    assert found["state"].arrays["ground"][0, 0] == pytest.approx(float(record(np.array([left, top]))))


# Side by side -------------------------------------------------------------------------------


def test_only_the_plain_network_learns_the_noise_by_heart(say: Say) -> None:
    say("overfitting", "open")
    say("overfitting", "run", epochs=300)
    racers = {racer["name"]: racer for racer in says(working(say), "tick")["racers"]}
    assert racers["plain"]["loss"]["train"] < 0.1 * racers["plain"]["loss"]["test"]
    for name in ("early_stopping", "l2", "dropout"):
        assert racers[name]["loss"]["test"] < racers["plain"]["loss"]["test"]
    assert racers["early_stopping"]["stopped"] == "early stopping"


@pytest.mark.parametrize("room", ["overfitting", "topology"])
def test_a_race_is_the_same_however_it_is_cut(say: Say, room: str) -> None:
    say(room, "open", points=40)
    whole = says(say(room, "step", epochs=6), "tick")
    say(room, "open", points=40)
    for epochs in (1, 2, 3):
        parts = says(say(room, "step", epochs=epochs), "tick")
    losses = [[racer["loss"] for racer in told["racers"]] for told in (whole, parts)]
    assert losses[0] == losses[1]
    many = say(room, "step", epochs=120)["tick"]
    assert many.arrays["curve0"][:, 0].tolist() == [*range(7), *range(8, 127, 2)]  # noted on the way
    assert says(say(room, "reset"))["seed"] == 1


@pytest.mark.parametrize("room", ["overfitting", "topology", "digits"])
def test_a_long_step_can_be_ended(room: str) -> None:
    session = make_session()
    session.receive({"room": room, "do": "open"})
    (told, *_) = session.receive({"room": room, "do": "step", "epochs": 10**6})
    assert (told.says["running"], told.says["epoch"]) == (True, 0)
    while told.says["epoch"] < 2:
        told = next(frame for frame in session.work(1 / 30) if frame.kind == "tick")
    assert session.running
    (told, *_) = session.receive({"room": room, "do": "pause"})
    assert told.says["epoch"] < 10**6
    assert not session.running


@pytest.mark.parametrize(
    ("room", "module"), [("overfitting", "race"), ("topology", "race"), ("digits", "digits")]
)
def test_a_long_step_ends_where_it_should(room: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session()
    session.receive({"room": room, "do": "open"})
    monkeypatch.setattr(f"minicolumn.playground.rooms.{module}.AT_ONCE", 1_000)
    (told, *_) = session.receive({"room": room, "do": "step", "epochs": 3})
    assert told.says["epoch"] == 0
    while session.running:
        told = next((f for f in session.work(1 / 30, draw=False) if f.kind == "tick"), told)
    assert told.says["epoch"] == 3


@pytest.mark.parametrize("room", ["overfitting", "topology"])
def test_a_room_that_is_opened_again_draws_what_a_new_one_does(say: Say, room: str) -> None:
    say(room, "open", points=40)
    told = {"points": 60, "noise": 10, "dataset": "gauss", "seed": 3}
    kept, new = (
        say(room, "open", **told)["tick"],
        make_session().receive({"room": room, "do": "open", **told}),
    )
    assert np.array_equal(kept.arrays["maps"], new[-1].arrays["maps"])
    assert len({row.tobytes() for row in kept.arrays["maps"]}) > 1


def test_the_best_of_a_race_is_remembered_though_its_curve_is_thinned() -> None:
    class Overfitted:
        epoch = 0

        def measured(self) -> dict[str, Any]:
            self.epoch += 1
            return {"loss": {"train": 0.0, "test": abs(self.epoch - 4) + 0.5}, "scores": {}}

    learner: Any = Overfitted()
    runner = race.Runner("one", learner, maps=learner)
    told = [runner.told()["best"]["epoch"] for _ in range(2 * race.MOST_CURVE)]
    assert told == [1, 2, 3, *[4] * (len(told) - 3)]
    assert race.MOST_CURVE / 2 <= len(runner.curve) <= race.MOST_CURVE


@pytest.mark.parametrize("epochs", [1, 5])  # at two epochs in 1 / 30 of a second
def test_a_race_ends_at_the_epoch_that_was_said(say: Say, epochs: int) -> None:
    say("overfitting", "open", points=20)
    say("overfitting", "step", epochs=2)
    say("overfitting", "run", epochs=epochs)
    assert says(working(say), "tick")["epoch"] == 2 + epochs


def test_backpropagation_goes_on_where_a_page_stood(say: Say) -> None:
    say("backpropagation", "open", hidden=[3, 2], learning_rate=0.2)
    before = says(say("backpropagation", "update", steps=7))
    weights = [
        number
        for layer in before["layers"]
        for part in ("weight", "bias")
        for number in np.ravel(layer[part]["before"]).tolist()
    ]
    told = {name: before[name] for name in ("hidden", "activation", "x", "target", "learning_rate", "seed")}
    other = make_session()  # the server was started anew
    message = {"room": "backpropagation", "do": "open", **told, "weights": weights}
    (after,) = other.receive(message | {"losses": before["losses"], "steps": before["steps"]})
    assert after.says == before
    (refused,) = other.receive(message | {"weights": weights[:-1]})
    assert "expected 20 numbers, got 19" in refused.says["message"]


# Digits -------------------------------------------------------------------------------------


def test_digits_are_learnt_and_a_drawn_one_is_answered(say: Say) -> None:
    state = say("digits", "open")["state"]
    assert state.says["rows"] == {"train": 1348, "test": 449}
    say("digits", "step", epochs=6)
    say("digits", "step")
    found = say("digits", "step")
    assert found["tick"].arrays["curve"][:, 0].tolist() == [*range(9)]
    assert found["tick"].arrays["curve"][-1, 2] == says(found, "tick")["accuracy"]["test"]
    assert says(found, "tick")["accuracy"]["test"] > 0.9
    assert found["tick"].arrays["confusion"].sum() == 449
    digits, labels = state.arrays["digits"], state.arrays["labels"]
    answers = []
    for digit in digits[::10]:
        seen = say("digits", "draw", pixels=(digit / 255.0).ravel().tolist())["seen"]
        assert np.isclose(sum(seen.says["probabilities"]), 1.0)
        scores = seen.arrays["layer2"].astype(float)
        assert np.allclose(seen.says["probabilities"], scipy.special.softmax(scores))
        assert (seen.arrays["layer0"] >= 0).all()
        answers.append(seen.says["answer"])
    assert np.mean(np.array(answers) == labels[::10]) >= 0.8
    say("digits", "run", epochs=2)
    ended = says(working(say), "tick")
    assert (ended["epoch"], ended["step"]) == (10, 10 * 43)  # 43 batches of 32, and not a step more
    assert "64 numbers" in say("digits", "draw", pixels=[0.5] * 63)["error"].says["message"]


# Bad input ----------------------------------------------------------------------------------

ODD = [{"a": {"b": []}}, [[["x"]]], "\ud800", 10**400, float("inf"), float("nan"), -1, [None] * 5_000]


@pytest.mark.parametrize("room", ROOMS)
def test_no_field_of_any_message_takes_what_it_is_not(say: Say, room: str) -> None:
    kind = getattr(import_module(ROOMS[room][0]), ROOMS[room][1])
    fields = [(do, name) for do, (record, _) in kind.verbs.items() for name in settings_of(record)]
    for (do, name), value in itertools.product(fields, ODD):
        found = say(room, do, **{name: value})
        if "error" in found:  # a text of half a character, or a number below 0, may be one that will do
            line = found["error"].says["message"]
            assert "fault" not in found["error"].says, (do, name, value, line)
            assert "\n" not in line
        else:
            assert value in ("\ud800", -1), (do, name, value)
