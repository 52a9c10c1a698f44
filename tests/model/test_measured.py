"""The loss of labeled rows and what is predicted for them, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn
from minicolumn.model.compute import Forward
from minicolumn.model.mean_loss import Blocks, even_size
from minicolumn.model.rows import LabeledRows
from minicolumn.tree import map_leaves

RNG = np.random.default_rng(0)
TINY, SMALL = nn.Dense(3), nn.Sequential(nn.Dense(40, "tanh"), nn.Dropout(0.5), nn.Dense(3))
LOSS = nn.Loss("softmax_cross_entropy", label_smoothing=0.2)
# Sums of up to a thousand float32 in other orders, of numbers about 1.
SUMS: dict[str, Any] = {"rtol": 1e-5}


def _rows(count: int, weighted: bool = False) -> LabeledRows:
    X, y = RNG.standard_normal((count, 20)).astype(np.float32), RNG.integers(0, 3, count).astype(np.int32)
    weight = RNG.random(count).astype(np.float32) if weighted else None
    return LabeledRows(X, y, weight)


def _by_definition(network: nn.Layer, params: Any, rows: LabeledRows) -> tuple[float, Any]:
    z = np.asarray(network.apply(params, rows.X), np.float64)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return float(np.average(-np.log(p[np.arange(len(rows)), rows.y]), weights=rows.weight)), p


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("network", [TINY, SMALL])
def test_one_pass_gives_the_bits_of_the_loss_and_the_predictions(network: nn.Layer, threads: int) -> None:
    forward = Forward(network, LOSS, threads=threads)
    params = network.init(0, (20,))
    for count, weighted in ((1, False), (31, True), (256, False), (459, True), (700, False)):
        rows = _rows(count, weighted)
        loss, outputs = forward.measured(params, rows)
        assert loss == forward.loss(params, rows)
        expected = _by_definition(network, params, rows)
        np.testing.assert_allclose(loss, expected[0], **SUMS)
        np.testing.assert_allclose(outputs, expected[1], **SUMS)
        np.testing.assert_allclose(outputs, forward.outputs(params, rows.X), **SUMS)


@pytest.mark.parametrize("network", [TINY, SMALL])
def test_several_weights_are_measured_as_each_is(network: nn.Layer) -> None:
    forward, rows = Forward(network, LOSS, threads=1), _rows(459, True)
    each = [network.init(seed, (20,)) for seed in range(3)]
    stack = map_leaves(lambda *parts: np.stack(parts), *each)
    blocks = forward.blocks(rows, 63 if network is TINY else 963)
    losses, outputs = forward.measured_several(stack, blocks)
    assert losses.tolist() == forward.losses(stack, blocks).tolist()
    for params, loss, predicted in zip(each, losses, outputs, strict=True):
        own = forward.measured(params, rows)
        assert loss == own.loss
        np.testing.assert_array_equal(predicted, own.outputs)


def test_an_own_loss_is_given_the_rows_as_they_are_and_no_more() -> None:
    def counted(outputs: Any, y: Any, weight: Any) -> Any:
        return np.sum(outputs * 0.0) + outputs.shape[0]  # each block's loss is its length

    lengths = Forward(SMALL, counted, threads=1)
    rows = LabeledRows(_rows(459).X[:459], _rows(459).y[:459], np.ones(459, np.float32))
    # Blocks of 230 and 229 rows, by their weights.
    assert lengths.measured(SMALL.init(0, (20,)), rows).loss == pytest.approx((230**2 + 229**2) / 459)


def test_what_fills_a_block_up_weighs_nothing() -> None:
    rows = _rows(459)
    blocks = Blocks.of(rows, 10_000, fills=True)
    assert blocks.last is not None
    X, y, weight, shares = blocks.last
    assert X.shape == (1, 230, 20)
    assert weight[0].tolist() == [1.0] * 229 + [0.0]
    assert (X[0, -1] == rows.X[-1]).all()
    assert y[0, -1] == rows.y[-1]
    assert shares.tolist() == [229.0]
    assert blocks.total == 459.0
    for count in (1, 255, 256, 257, 512, 513, 1000, 8191, 10**6):
        size = even_size(count)
        assert 1 <= size <= 256
        assert -count % size <= max(count // 32, -(-count // size) - 1)


def test_a_training_measures_what_evaluate_does() -> None:
    rows = _rows(700)
    run = mc.fit(SMALL, rows.X, rows.y, epochs=3, validation_data=(rows.X[:459], rows.y[:459]),
                 metrics=["accuracy", "log_loss"], seed=0)  # fmt: skip
    last, found = run.history.rows[-1], run.evaluate(rows.X[:459], rows.y[:459])
    assert {"loss": last["val_loss"], "accuracy": last["val_accuracy"]} == {
        name: found[name] for name in ("loss", "accuracy")
    }
    np.testing.assert_allclose(last["val_log_loss"], found["log_loss"], **SUMS)
