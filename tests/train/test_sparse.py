"""Sparse rows: the same bits as dense ones, without ever being dense as a whole."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import minicolumn as mc


@pytest.fixture
def holey(blobs: Any) -> tuple[Any, Any]:
    X, y = blobs
    return np.where(np.abs(X) > 0.7, X, 0.0), y


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.coo_matrix])
@pytest.mark.parametrize("steps", [1, 100])
def test_sparse_rows_give_the_bits_of_dense_ones(
    form: Any, steps: int, holey: Any, net: Any, same_bits: Any
) -> None:
    X, y = holey
    weight = np.arange(47.0) % 5
    settings: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 8,
        "sample_weight": weight,
        "validation_fraction": 0.2,
    }
    trainer = mc.Trainer(net, form(X), y, **settings)
    while trainer.epoch < trainer.epochs:
        trainer.advance(steps=min(steps, trainer.epochs * trainer.steps - trainer.step))
    thin, full = trainer.run(), mc.fit(net, X, y, **settings)
    assert same_bits(thin.params, full.params)
    np.testing.assert_allclose(thin.history["val_loss"], full.history["val_loss"], rtol=1e-6)  # other blocks
    np.testing.assert_array_equal(thin.predict(form(X)), full.predict(X))
    assert thin.evaluate(form(X), y) == pytest.approx(full.evaluate(X, y), rel=1e-6)


def test_only_the_rows_of_a_few_steps_are_dense_at_a_time() -> None:
    X = sparse.random_array((1000, 6000), density=0.001, rng=np.random.default_rng(0), format="csr")
    dense, chunks = 4 * 1000 * 6000, Chunks()  # bytes, in float32
    settings: dict[str, Any] = {"epochs": 1, "batch_size": 10, "callbacks": [chunks]}
    trainer = mc.Trainer(mc.nn.Dense(2), X, np.arange(1000) % 2, **settings)
    trainer.advance(steps=2)  # what is compiled then, and kept for later, does not count
    tracemalloc.start()
    try:
        trainer.advance(steps=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < dense / 10  # two steps take a fiftieth of the rows
    chunks.done.clear()
    trainer.run()
    assert chunks.done == sorted(set(chunks.done))
    assert len(chunks.done) > 1, "an epoch of sparse rows went in one piece"


class Chunks(mc.Callback):
    """Notes how many steps of an epoch were done after each piece of it."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def on_chunk(self, trainer: Any, done: int, loss: float, /) -> None:
        """Note it."""
        self.done.append(done)


def test_sparse_rows_are_checked_like_others(net: Any) -> None:
    X = sparse.csr_array(np.eye(3))
    with pytest.raises(mc.ShapeError, match="X has 3 rows and y 2"):
        mc.fit(net, X, [0, 1])
    X.data[1] = np.nan
    with pytest.raises(mc.DataError, match="X holds NaN"):
        mc.fit(net, X, [0, 1, 2])
    with pytest.raises(mc.DataError, match="too large for float32"):
        mc.fit(net, sparse.csr_array(1e200 * np.eye(3)), [0, 1, 2])
