"""What is told of layers that do not learn: dead neurons and vanishing gradients, in the network room."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.playground.network.room import NetworkRoom
from minicolumn.playground.room import Session


def _room(**setup: Any) -> tuple[Session, NetworkRoom]:
    session = Session({"network": NetworkRoom})
    session.receive({"room": "network", "do": "watch"})  # before anything is there: a page that came back
    session.receive({"room": "network", "do": "open", "setup": {"points": 100} | setup})
    room = session._rooms["network"]
    assert isinstance(room, NetworkRoom)
    return session, room


def _norms(session: Session) -> list[dict[str, Any]]:
    (*_, tick) = session.receive({"room": "network", "do": "watch"})
    return tick.says["norms"]


def test_layers_that_learn_have_nothing_said_of_them() -> None:
    session, room = _room(units=[4, 2])
    norms = _norms(session)
    assert [(n["dead"], n["said"]) for n in norms] == [(0, None)] * 3
    passed = room.learner.trainer.gradients()
    assert [n["gradient"] for n in norms] == [layer.gradient_norm for layer in passed.layers]


def test_dead_neurons_are_counted_where_they_are_dead() -> None:
    session, room = _room(units=[4, 3], activations=["relu"])
    weights = room.learner.weights
    weights[0][1][1:3] = -1e4  # far below 0 for every point: their outputs are 0, and so are their slopes
    room.learner.set_weights(weights)
    norms = _norms(session)
    assert [n["dead"] for n in norms] == [2, 0, 0]
    assert norms[0]["said"].values == {"count": 2, "units": 4}
    weights[0][1][:] = -1e4
    room.learner.set_weights(weights)
    norms = _norms(session)
    # The second layer hears 0 from all of them: the fault is not its own, and no gradient is left.
    assert [n["said"] and n["said"].key for n in norms] == ["health.allDead", "health.none", None]
    assert norms[0]["gradient"] == 0.0


def test_a_gradient_that_vanishes_is_told_by_how_much() -> None:
    session, room = _room(units=[4] * 8, activations=["logistic"], features=["x1", "x2"])
    norms = _norms(session)
    first = norms[0]
    assert first["said"].key == "health.vanishing"
    learner = room.learner
    sizes = [w.size + b.size for w, b in learner.weights]
    means = np.array([n["gradient"] for n in norms]) / np.sqrt(sizes)
    assert 0.5 < first["said"].values["factor"] / (means.max() / means[0]) < 2
    assert norms[-1]["said"] is None


def test_features_and_tables_are_heard_as_the_network_hears_them() -> None:
    session, room = _room(units=[2], activations=["relu"], features=["x1^2", "x2^2"])
    weights = room.learner.weights
    weights[0][0][:], weights[0][1][:] = -1.0, 0.0  # below 0 for squares, above for half of the points
    room.learner.set_weights(weights)
    assert [n["dead"] for n in _norms(session)] == [2, 0]
