"""What optimizers average is what `fit` measures, shows, keeps and hands back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import optim
from minicolumn.tree import flatten, map_leaves

SETTINGS = {"batch_size": 10, "epochs": 4, "shuffle": False, "dtype": np.float64}


def _by_hand(net: Any, blobs: Any, optimizer: optim.Optimizer, epochs: int) -> tuple[Any, Any]:
    """Train without `fit`; return the parameters and the weights after each epoch."""
    X, y = blobs
    params = net.init(0, X.shape[1:], np.float64)
    moments, kept = optimizer.start(params), []

    def loss(params: Any, rows: Any) -> Any:
        return mc.nn.LOSSES["softmax_cross_entropy"].function(net.apply(params, X[rows]), y[rows], None)

    for _ in range(epochs):
        for first in range(0, len(X), 10):
            grads = mc.grad(loss)(params, np.arange(first, min(first + 10, len(X))))
            updates, moments = optimizer.step(grads, moments, params)
            params = optim.apply_updates(params, updates)
        kept.append(optimizer.weights(params, moments))
    return params, kept


@pytest.mark.parametrize(
    "optimizer",
    [
        optim.Averaged(optim.Clipped(optim.Adam(0.05), norm=0.5), decay=0.9),
        optim.ScheduleFreeAdamW(0.05),
    ],
    ids=["averaged", "schedule-free"],
)
def test_the_mean_is_handed_back_and_training_goes_on_without_it(
    net: Any, blobs: Any, spy: Any, optimizer: optim.Optimizer
) -> None:
    watcher = spy()
    run = mc.fit(net, *blobs, optimizer=optimizer, validation_data=blobs, callbacks=[watcher], **SETTINGS)
    trained, kept = _by_hand(net, blobs, optimizer, 4)
    for seen, expected in zip(watcher.params[1:], kept, strict=True):
        for a, b in zip(flatten(seen)[0], flatten(expected)[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)  # twenty steps in another order
    assert not np.allclose(flatten(run.params)[0][0], flatten(trained)[0][0])
    assert run.evaluate(*blobs)["loss"] == run.history["val_loss"][-1]


def test_the_best_mean_is_kept(net: Any, blobs: Any, spy: Any, same_bits: Any) -> None:
    watcher, optimizer = spy(), optim.Averaged(optim.Adam(0.2), decay=0.5)
    X, y = blobs
    run = mc.fit(
        net, X[:20], y[:20], optimizer=optimizer, validation_data=(X[20:], y[20:]), epochs=20, batch_size=5,
        callbacks=[mc.KeepBest(), watcher],
    )  # fmt: skip
    assert same_bits(run.params, watcher.params[run.best_epoch])
    assert run.evaluate(X[20:], y[20:])["loss"] == run.history["val_loss"].min()


def test_a_file_tells_the_optimizer_within(net: Any, blobs: Any, tmp_path: Any) -> None:
    optimizer = optim.Averaged(optim.Clipped(optim.SGD(0.5), value=1.0))
    mc.fit(net, *blobs, optimizer=optimizer, epochs=1).save(tmp_path / "net.safetensors")
    told = mc.load(tmp_path / "net.safetensors").training["optimizer"]
    assert told == optim.described(optimizer)


@pytest.mark.parametrize("name", [*optim.OPTIMIZERS, *optim.ALIASES])
def test_every_optimizer_fits(net: Any, blobs: Any, name: str) -> None:
    rate = {"adadelta": 30.0}.get(name, 0.02)
    optimizer, whole = optim.optimizer_by_name(name, learning_rate=rate), [part[:46] for part in blobs]
    # Compiled, every optimizer is trained in test_resume.py.
    run = mc.fit(net, *whole, optimizer=optimizer, batch_size=23, epochs=8, seed=1, backend="reference")
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert all(np.isfinite(leaf).all() and leaf.dtype == np.float32 for leaf in flatten(run.params)[0])


def test_a_large_slope_does_no_harm_when_clipped(wave: Any) -> None:
    X, y = wave
    net = mc.nn.Sequential(mc.nn.Dense(8, "tanh"), mc.nn.Dense(1))
    settings: dict[str, Any] = {"loss": "squared_error", "epochs": 30, "batch_size": 50}
    with pytest.raises(mc.DivergenceError):
        mc.fit(net, X, 100 * y, optimizer=optim.SGD(0.5), **settings)
    run = mc.fit(net, X, 100 * y, optimizer=optim.Clipped(optim.SGD(0.5), norm=1.0), **settings)
    assert run.history["loss"][-1] < run.history["loss"][0]


def test_weights_are_plain_numpy_on_trees() -> None:
    params = {"a": [np.ones(2)], "b": None}
    optimizer = optim.Averaged(optim.SGD())
    moments = optimizer.start(params)
    assert flatten(optimizer.weights(params, moments))[1] == flatten(params)[1]
    assert optim.SGD().weights(params, {}) is params
    assert map_leaves(np.sum, moments["mean"]) == {"a": [2.0], "b": None}
