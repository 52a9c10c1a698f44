"""TensorFlow Playground's learning rule against a transcription of it in scalar Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.playground.classic_rule import classic_rule
from minicolumn.tree import flatten

RNG = np.random.default_rng(5)
X = RNG.uniform(-3.0, 3.0, (23, 2))
Y = np.sign(X[:, 0] * X[:, 1])
NET = mc.nn.Sequential(mc.nn.Dense(3, "tanh"), mc.nn.Dense(1, "tanh"))
PENALTIES = {"none": None, "l1": mc.nn.L1(0.01), "l2": mc.nn.L2(0.05)}


def transcribed(params: Any, penalty: Any, rate: float, batch: int, epochs: int) -> tuple[Any, list[float]]:
    """Return the weights and each epoch's mean error by the rule as it was written: node by node.

    Layers are lists of nodes; a node has a bias, and a link from every node before it.
    """
    layers = [
        [
            {"b": float(b), "acc_b": 0.0, "n": 0,
             "links": [{"w": float(w), "acc": 0.0, "n": 0, "dead": False} for w in column]}
            for b, column in zip(part["bias"], part["weight"].T, strict=True)
        ]
        for part in params.values()
    ]  # fmt: skip
    errors = []
    for _ in range(epochs):
        total = 0.0
        for number, (x, t) in enumerate(zip(X.tolist(), Y.tolist(), strict=True), 1):
            outs = [x]
            for layer in layers:
                sums = [
                    n["b"] + sum(k["w"] * o for k, o in zip(n["links"], outs[-1], strict=True)) for n in layer
                ]
                outs.append([math.tanh(z) for z in sums])
            total += 0.5 * (outs[-1][0] - t) ** 2
            back = [outs[-1][0] - t]
            for layer, before, after in reversed(list(zip(layers, outs, outs[1:], strict=False))):
                deltas = [g * (1.0 - o * o) for g, o in zip(back, after, strict=True)]
                back = [
                    sum(n["links"][i]["w"] * d for n, d in zip(layer, deltas, strict=True))
                    for i in range(len(before))
                ]
                for node, delta in zip(layer, deltas, strict=True):
                    node["acc_b"], node["n"] = node["acc_b"] + delta, node["n"] + 1
                    for link, o in zip(node["links"], before, strict=True):
                        if not link["dead"]:
                            link["acc"], link["n"] = link["acc"] + delta * o, link["n"] + 1
            if number % batch == 0:
                for node in (node for layer in layers for node in layer):
                    update(node, penalty, rate)
        errors.append(total / len(X))
    return layers, errors


def update(node: Any, penalty: Any, rate: float) -> None:
    """Apply what was gathered to one node and the links that lead to it."""
    node["b"] -= rate / node["n"] * node["acc_b"]
    node["acc_b"], node["n"] = 0.0, 0
    for link in node["links"]:
        if link["dead"]:
            continue
        slope = 0.0
        if isinstance(penalty, mc.nn.L1):
            slope = math.copysign(1.0, link["w"]) if link["w"] else 0.0
        elif isinstance(penalty, mc.nn.L2):
            slope = link["w"]
        link["w"] -= rate / link["n"] * link["acc"]
        after = link["w"] - rate * (penalty.rate if penalty else 0.0) * slope
        if isinstance(penalty, mc.nn.L1) and link["w"] * after < 0:
            link["w"], link["dead"] = 0.0, True
        else:
            link["w"] = after
        link["acc"], link["n"] = 0.0, 0


def _trainer(batch: int, penalty: Any, **more: Any) -> mc.Trainer:
    settings: Any = {
        "loss": "squared_error", "optimizer": mc.optim.SGD(0.1), "batch_size": batch, "shuffle": False,
        "regularizer": penalty, "dtype": "float64", "seed": 3,
    }  # fmt: skip
    trainer = mc.Trainer(NET, X, Y, **(settings | more))
    trainer.change(rule=classic_rule)
    return trainer


def _bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in flatten(tree)[0]]


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("batch", [1, 5, 23, 24])  # 5 leaves three rows over, 24 is more than there are
def test_the_weights_are_those_of_the_rule_as_it_was_written(batch: int, penalty: str) -> None:
    trainer = _trainer(batch, PENALTIES[penalty])
    before = trainer.params
    layers, errors = transcribed(before, PENALTIES[penalty], 0.1, batch, epochs=30)
    trainer.advance(epochs=30)
    # Products are summed in another order: 2^-53 a step, over at most 690 steps and with some growth.
    close: Any = {"rtol": 1e-9, "atol": 1e-11}
    for nodes, part in zip(layers, trainer.params.values(), strict=True):
        np.testing.assert_allclose(part["bias"], [node["b"] for node in nodes], **close)
        weight = np.array([[link["w"] for link in node["links"]] for node in nodes]).T
        np.testing.assert_allclose(part["weight"], weight, **close)
        dead = np.array([[link["dead"] for link in node["links"]] for node in nodes]).T
        np.testing.assert_array_equal(part["weight"][dead], 0.0)
    if batch == 24:  # nothing is ever whole
        assert _bits(trainer.params) == _bits(before)
    if batch in (1, 23):  # an epoch's loss is a mean over batches, each with the weights before it
        np.testing.assert_allclose(trainer.history["loss"], errors, rtol=1e-9)


def test_l1_ends_links_for_good() -> None:
    trainer = _trainer(1, PENALTIES["l1"])
    trainer.advance(epochs=30)
    alive = trainer.snapshot.moments["alive"]["0"]["weight"]
    assert 0 < alive.sum() < alive.size  # else the test above compares no dead link
    trainer.change(regularizer=mc.nn.L1(0.0))
    trainer.advance(epochs=5)
    weight = trainer.params["0"]["weight"]
    np.testing.assert_array_equal(weight == 0, alive == 0)
    assert (trainer.params["0"]["bias"] != 0).all()


def test_however_it_is_cut_and_while_gradients_wait_it_is_one_training() -> None:
    whole, cut = _trainer(5, PENALTIES["l1"]), _trainer(5, PENALTIES["l1"])
    whole.advance(epochs=12)
    for steps in (3, 1, 1, 7, 5, 13):
        cut.advance(steps=steps)
        cut.change(learning_rate=0.1)
    cut.advance(steps=whole.step - cut.step)
    assert _bits(cut.params) == _bits(whole.params)
    assert int(cut.snapshot.moments["count"]) == 3  # of 23 rows, 20 make whole batches
    again = _trainer(5, PENALTIES["l1"])
    again.restore(cut.snapshot)
    for trainer in (again, whole):
        trainer.advance(epochs=3)
    assert _bits(again.params) == _bits(whole.params)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "adam"}, "optimizer must be plain SGD"),
        ({"optimizer": mc.optim.SGD(0.1, momentum=0.9)}, "optimizer must be plain SGD"),
        ({"regularizer": mc.nn.ElasticNet(0.1, 0.1)}, "regularizer must be L1, L2 or None"),
        ({"constraint": "max_norm:limit=3"}, "no constraint"),
    ],
)
def test_what_the_rule_does_not_know_is_refused_and_nothing_is_changed(change: Any, message: str) -> None:
    trainer = _trainer(5, None)
    with pytest.raises(mc.DataError, match=message) as caught:
        trainer.change(**change)
    assert "\n" not in str(caught.value)
    trainer.advance(epochs=1)
    trainer.change(rule=None, **change)  # gradient descent knows it
    trainer.advance(epochs=1)
