"""The training step against a loop by hand over HIPS autograd: two derivations, one path of weights."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train.batches import epoch_order

# Loaded by name, since its functions are made while it is loaded, where no type checker sees them.
autograd: Any = importlib.import_module("autograd")
anp: Any = importlib.import_module("autograd.numpy")

Params = dict[str, np.ndarray]
BATCH, EPOCHS, RATE, L2 = 10, 4, 0.05, 0.01  # 47 rows: four whole batches and one of seven


def _objective(p: Params, X: Any, y: Any, weight: Any) -> Any:
    """Return the weighted mean cross entropy, and half L2 times the squares of the weights."""
    logits = anp.tanh(X @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
    logits = logits - anp.max(logits, axis=1, keepdims=True)
    rows = anp.log(anp.sum(anp.exp(logits), axis=1)) - logits[np.arange(len(y)), y]
    plain = anp.sum(weight * rows) / anp.sum(weight)
    return plain + 0.5 * L2 * (anp.sum(p["w1"] ** 2) + anp.sum(p["w2"] ** 2))


def _sgd() -> Callable[[Params, Params], Params]:
    velocity: Params = {}

    def step(p: Params, g: Params) -> Params:
        for name in p:
            velocity[name] = 0.9 * velocity.get(name, 0.0) + g[name]
        return {name: p[name] - RATE * velocity[name] for name in p}

    return step


def _adam() -> Callable[[Params, Params], Params]:
    m: Params = {}
    v: Params = {}
    count = 0

    def step(p: Params, g: Params) -> Params:
        nonlocal count
        count += 1
        for name in p:
            m[name] = 0.9 * m.get(name, 0.0) + 0.1 * g[name]
            v[name] = 0.999 * v.get(name, 0.0) + 0.001 * g[name] ** 2
        unbiased = {name: (m[name] / (1 - 0.9**count), v[name] / (1 - 0.999**count)) for name in p}
        return {name: p[name] - RATE * a / (np.sqrt(b) + 1e-8) for name, (a, b) in unbiased.items()}

    return step


def _by_hand(
    p: Params, X: Any, y: Any, weight: Any, step: Any, seed: int
) -> tuple[list[Params], list[float]]:
    """Return the weights and the mean loss after each epoch."""
    slope = autograd.value_and_grad(_objective)
    weights, losses = [], []
    for epoch in range(1, EPOCHS + 1):
        order = epoch_order(seed, epoch, len(X))
        total = 0.0
        for start in range(0, len(X), BATCH):
            rows = order[start : start + BATCH]
            value, g = slope(p, X[rows], y[rows], weight[rows])
            total += len(rows) * (value - 0.5 * L2 * (np.sum(p["w1"] ** 2) + np.sum(p["w2"] ** 2)))
            p = step(p, g)
        weights.append(p)
        losses.append(total / len(X))
    return weights, losses


def _renamed(params: Any) -> Params:
    first, second = params["0"], params["1"]
    return {"w1": first["weight"], "b1": first["bias"], "w2": second["weight"], "b2": second["bias"]}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("optimizer", "step"), [(mc.optim.SGD(RATE, momentum=0.9), _sgd), (mc.optim.Adam(RATE), _adam)]
)
def test_every_epoch_ends_where_the_loop_by_hand_ends(
    optimizer: Any, step: Any, weighted: bool, blobs: Any, net: Any, spy: Any
) -> None:
    X, y = blobs
    weight = np.random.default_rng(0).random(len(X)) + 0.5 if weighted else np.ones(len(X))
    watcher = spy()
    run = mc.fit(
        net, X, y, optimizer=optimizer, batch_size=BATCH, epochs=EPOCHS, regularizer=mc.nn.L2(L2), seed=5,
        dtype=np.float64, sample_weight=weight if weighted else None, callbacks=[watcher],
    )  # fmt: skip
    first, *after = map(_renamed, watcher.params)
    expected, losses = _by_hand(first, X, y, weight, step(), seed=5)
    for found, wanted in zip(after, expected, strict=True):
        for name in wanted:
            # 20 steps in float64: sums in another order, and Adam's divisions by roots of small numbers.
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run.history["loss"], losses, rtol=1e-11)
