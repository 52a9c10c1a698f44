"""A network as NumPy source computes what the network does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicolumn.errors import DataError
from minicolumn.model.export.numpy_source import numpy_source
from minicolumn.nn import (
    ACTIVATIONS,
    Activation,
    BatchEnsemble,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    MeanOfMembers,
    MemberDense,
    Members,
    NoisyReLU,
    PReLU,
    Sequential,
)
from minicolumn.nn.layer import Layer

ROWS = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32) * 3


def predicted(network: Layer, params: Any, rows: np.ndarray) -> np.ndarray:
    names: dict[str, Any] = {}
    exec(numpy_source(network, params, rows.shape[1:]), names)
    return names["predict"](rows)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "glu"])
def test_every_activation_is_written_as_it_computes(activation: str) -> None:
    network = Sequential(Dense(4, activation), Dropout(0.2), Dense(2, "softmax"))
    params = network.init(1, (3,))
    found = predicted(network, params, ROWS)
    assert found.dtype == np.float32
    assert np.allclose(found, network.apply(params, ROWS), rtol=1e-5, atol=1e-6)  # float32, rounded elsewhere


def test_layers_beside_dense_ones_are_written() -> None:
    network = Sequential(Dense(4), PReLU(), LayerNorm(), Dense(3), NoisyReLU(), BatchNorm(), Dense(1))
    params = network.init(1, (3,))
    assert np.allclose(predicted(network, params, ROWS), network.apply(params, ROWS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_members_are_written(outputs: int) -> None:
    shared = Members(4), Dense(5, "softmax"), BatchEnsemble(5, "relu")
    network = Sequential(*shared, MemberDense(outputs), MeanOfMembers("probabilities"))
    params = network.init(1, (3,))
    assert np.allclose(predicted(network, params, ROWS), network.apply(params, ROWS), rtol=1e-5, atol=1e-6)


def test_weights_are_written_to_the_bit() -> None:
    params = {"weight": np.array([[1 / 3], [1e-30], [-7e20]], np.float32), "bias": np.zeros(1, np.float32)}
    names: dict[str, Any] = {}
    exec(numpy_source(Dense(1), params, (3,)), names)
    assert np.array_equal(names["W_weight"], params["weight"])


def test_codes_are_looked_up() -> None:
    network = Sequential(Embedding(3, 2), Dense(1))
    params, codes = network.init(0, (4,)), np.array([[0, 1, 2, 0]], np.float32)
    assert np.allclose(predicted(network, params, codes), network.apply(params, codes), rtol=1e-5, atol=1e-6)


def test_what_has_no_line_is_named() -> None:
    from scipy.special import gammaln

    network = Activation(gammaln)
    with pytest.raises(DataError, match=r"numpy_source: .* has no line"):
        numpy_source(network, network.init(0, (4,)), (4,))
