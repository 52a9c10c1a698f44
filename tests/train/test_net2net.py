"""Growth that keeps the function: a law over all activations and layers between, and what cannot be kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.nn.activations import ACTIVATIONS, activation_by_name
from minicolumn.train.layer_surgery import straight_piece
from minicolumn.train.net2net import Grown, grown_into, widened

ALONE = sorted(name for name in ACTIVATIONS if not activation_by_name(name).by_row)
# No straight piece, or one so far out that rounding is larger.
CURVED = {"step", "logistic", "tanh", "softsign", "sine", "squareplus", "exponential"}
STRAIGHT = sorted(set(ALONE) - CURVED)
FEATURES, OUTPUTS = 4, 3
X = np.random.default_rng(0).normal(size=(50, FEATURES))


def _network(hidden: tuple[int, ...], activation: str, norm: Any, ntk: bool) -> mc.nn.Sequential:
    how: dict[str, Any] = {"parametrization": "ntk", "bias_rate": 0.1} if ntk else {}
    layers: list[Any] = []
    for units in hidden:
        layers += [mc.nn.Dense(units, activation, **how), *([norm] if norm else []), mc.nn.Dropout(0.2)]
    return mc.nn.Sequential(*layers, mc.nn.Dense(OUTPUTS, **how))


def _weights(network: mc.nn.Sequential, dtype: Any) -> Any:
    """Return weights of which none is at rest, as after some training."""
    rng = np.random.default_rng(1)
    params = network.init(0, (FEATURES,), dtype)
    for layer in params.values():
        for name, value in layer.items():
            noise = 0.3 * rng.standard_normal(np.shape(value))
            layer[name] = np.asarray(value + (np.abs(noise) if name == "variance" else noise), dtype)
    return params


def _rows(activation: str, dtype: Any) -> Any:
    return (X / 10 if activation == "exponential" else X).astype(dtype)  # it makes much of little


def _apart(network: mc.nn.Sequential, params: Any, grown: Grown, rows: Any) -> float:
    """Return how far outputs lie apart, as a share of the largest."""
    before = network.apply(params, rows)
    after = grown.network.apply(grown.params, rows)
    return float(np.max(np.abs(after - before)) / max(1.0, np.max(np.abs(before))))


@settings(max_examples=60)
@given(
    st.sampled_from(ALONE),
    st.sampled_from([None, mc.nn.BatchNorm()]),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 9),
    st.integers(0, 1),
)
def test_wider_layers_keep_the_function_of_every_activation(
    activation: str, norm: Any, ntk: bool, dtype: Any, units: int, place: int
) -> None:
    network = _network((6, 5), activation, norm, ntk)
    rows, params = _rows(activation, dtype), _weights(network, dtype)
    layer = place * (2 + (norm is not None))
    grown = widened(network, params, layer, units, rows, seed=3)
    assert grown.network.layers[layer].units == (6, 5)[place] + units  # type: ignore[attr-defined]
    assert _apart(network, params, grown, rows) < 64 * np.finfo(dtype).eps


@settings(max_examples=40)
@given(
    st.sampled_from(ALONE),
    st.sampled_from([mc.nn.LayerNorm(), mc.nn.RMSNorm()]),
    st.booleans(),
    st.integers(1, 3),
)
def test_behind_means_over_units_all_are_copied(activation: str, norm: Any, ntk: bool, times: int) -> None:
    network = _network((6, 5), activation, norm, ntk)
    params = _weights(network, np.float64)
    grown = widened(network, params, 0, 6 * times, X, seed=3)
    # Where units hardly differ, the norm divides by a variance near 0.
    assert _apart(network, params, grown, X) < 1e-9
    with pytest.raises(mc.DataError, match="grow by copies, all equally often"):
        widened(network, params, 0, 5, X, seed=3)


@settings(max_examples=60)
@given(st.sampled_from(ALONE), st.booleans(), st.sampled_from([np.float32, np.float64]), st.integers(1, 2))
def test_deeper_networks_keep_the_function_where_the_activation_is_straight(
    activation: str, ntk: bool, dtype: Any, layers: int
) -> None:
    small, large = (_network((6,) * n, activation, None, ntk) for n in (layers, layers + 1))
    params, rows = _weights(small, dtype), _rows(activation, dtype)
    grown = grown_into(small, params, large, rows, seed=3)
    assert grown.network == large
    assert grown.exact == (activation in STRAIGHT)
    if grown.exact:
        assert _apart(small, params, grown, rows) < 256 * np.finfo(dtype).eps
        near = rows * 1.05  # rows that were not seen, a little further out
        assert _apart(small, params, grown, near) < 256 * np.finfo(dtype).eps


@pytest.mark.parametrize("ntk", [False, True])
def test_ramps_grow_as_other_first_layers(ntk: bool) -> None:
    knots = ((0, (-1.0, 0.0, 1.0)), (2, (-0.5, 0.5)))
    first = mc.nn.PiecewiseDense(4, knots, "mish", bias_rate=0.1)
    how: Any = {"parametrization": "ntk"} if ntk else {}
    small = mc.nn.Sequential(first, mc.nn.Dense(2, **how))
    wide = mc.nn.PiecewiseDense(8, knots, "mish", bias_rate=0.1)
    large = mc.nn.Sequential(wide, mc.nn.Dense(8, "mish", **how), mc.nn.Dense(2, **how))
    params = _weights(small, np.float64)
    grown = grown_into(small, params, large, X, seed=0)
    assert grown.exact
    assert _apart(small, params, grown, X) < 1e-13


def test_a_network_cannot_grow_smaller_or_into_another_kind() -> None:
    small, other = _network((6, 6), "relu", None, False), _network((6, 6), "tanh", None, False)
    params = _weights(small, np.float64)
    with pytest.raises(mc.DataError, match="3 units less"):
        grown_into(small, params, _network((6, 3), "relu", None, False), X, seed=0)
    with pytest.raises(mc.DataError, match="cannot grow into"):
        grown_into(small, params, other, X, seed=0)
    with pytest.raises(mc.DataError, match="cannot grow into"):
        grown_into(small, params, _network((6,), "relu", None, False), X, seed=0)


def test_copies_share_what_they_give_and_the_trainer_grows_by_them() -> None:
    network = _network((6,), "tanh", mc.nn.LayerNorm(), False)
    trainer = mc.Trainer(network, X, X[:, :OUTPUTS], loss="squared_error", dtype=np.float64, epochs=2)
    trainer.advance(epochs=1)
    before, weights = trainer.outputs(X), trainer.params
    trainer.grow(0, 6, copies=True)
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(trainer.params["0"]["weight"], np.tile(weights["0"]["weight"], 2))
    np.testing.assert_array_equal(trainer.params["3"]["weight"], np.tile(weights["3"]["weight"] / 2, (2, 1)))
    trainer.advance(epochs=1)


def test_the_trainer_inserts_layers_of_other_activations_without_effect() -> None:
    network = mc.nn.Sequential(mc.nn.Dense(5, "mish"), mc.nn.Dense(OUTPUTS))
    trainer = mc.Trainer(network, X, X[:, :OUTPUTS], loss="squared_error", dtype=np.float64)
    before = trainer.outputs(X)
    assert trainer.insert_layer(1, mc.nn.Dense(5, "mish"))
    np.testing.assert_allclose(trainer.outputs(X), before, rtol=1e-10, atol=1e-12)
    assert not trainer.insert_layer(1, mc.nn.Dense(5, "tanh"))


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], []])
def test_of_a_single_value_no_piece_is_known(values: list[float]) -> None:
    h = np.array(values or [0.0])
    assert straight_piece(lambda x: x, 1.0, 0.0, h) is None
