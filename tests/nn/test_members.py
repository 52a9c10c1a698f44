"""Layers for many members inside one network: what each computes, where it starts, and which are kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

import minicolumn as mc
from minicolumn import nn, random, tree
from minicolumn.nn.layers.ensemble import Averaged
from minicolumn.passes.fuse import fuse

Array = np.ndarray
KEY = random.key(5)


def _drawn(layer: nn.Layer, shape: tuple[int, ...]) -> Any:
    """Return params that are all random, float64: those that start at 1 or alike would hide mistakes."""
    named, structure = tree.named_leaves(layer.init(0, shape, np.float64)), None
    structure = tree.flatten(layer.init(0, shape))[1]
    return tree.unflatten(
        structure,
        [random.normal(random.fold_in_name(KEY, path), leaf.shape, np.float64) for path, leaf in named],
    )


def _rows(*shape: int) -> Array:
    return random.normal(random.key(1), shape, np.float64)


# What each computes -----------------------------------------------------------------------------------------


def test_members_see_the_row_through_their_own_factors() -> None:
    x, blocks = _rows(5, 4), nn.Members(3, blocks=(1, 2, 1))
    r = _drawn(nn.Members(3), (4,))["scale"]
    found = nn.Members(3).apply({"scale": r}, x)
    shared = blocks.apply({"scale": r[:, :3]}, x)
    for i in range(3):
        np.testing.assert_array_equal(found[:, i], r[i] * x)
        np.testing.assert_array_equal(shared[:, i], r[i, [0, 1, 1, 2]] * x)
    np.testing.assert_array_equal(nn.Members(3, "none").apply({}, x), np.stack([x] * 3, axis=1))


@pytest.mark.parametrize("parts", [(True, True, True), (False, True, True), (True, False, False)])
@pytest.mark.parametrize("activation", ["tanh", "glu"])
def test_batch_ensemble_is_the_formula(parts: tuple[bool, bool, bool], activation: str) -> None:
    layer, x = nn.BatchEnsemble(4, activation, *parts), _rows(5, 3, 2)
    p, f = _drawn(layer, (3, 2)), nn.activation_by_name(activation).function
    for i in range(3):
        z = (x[:, i] * (p["inputs"]["scale"][i] if parts[0] else 1.0)) @ p["weight"]
        z = z * (p["outputs"]["scale"][i] if parts[1] else 1.0) + (p["bias"][i] if parts[2] else 0.0)
        # BLAS adds up in another order for fewer rows.
        np.testing.assert_allclose(layer.apply(p, x)[:, i], f(z), rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "glu", np.sin])
def test_a_member_dense_is_a_dense_for_each_member(activation: Any) -> None:
    layer, x = nn.MemberDense(4, activation), _rows(5, 3, 2)
    p = _drawn(layer, (3, 2))
    for i in range(3):
        own = nn.Dense(4, activation).apply({"weight": p["weight"][i], "bias": p["bias"][i]}, x[:, i])
        np.testing.assert_allclose(layer.apply(p, x)[:, i], own, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
def test_the_mean_of_probabilities_is_what_the_loss_finds(size: float) -> None:
    mean, x = nn.MeanOfMembers("probabilities"), size * _rows(6, 4, 3)
    found = special.softmax(mean.apply({}, x), axis=-1)
    # Logarithms near -size have that many units of rounding, which the exponential makes relative.
    np.testing.assert_allclose(found, special.softmax(x, axis=-1).mean(axis=1), rtol=1e-14 * max(size, 10.0))
    one = mean.apply({}, x[..., :1])
    for sign in (1.0, -1.0):  # and of the other answer, which must not round to 0
        expected = special.expit(sign * x[..., :1]).mean(axis=1)
        np.testing.assert_allclose(special.expit(sign * one), expected, rtol=1e-14 * max(size, 10.0))


@pytest.mark.parametrize("outputs", [1, 3])
def test_members_that_are_sure_leave_finite_numbers_and_slopes(outputs: int) -> None:
    mean = nn.MeanOfMembers("probabilities")
    x = np.full((2, 3, outputs), 1e4, np.float32) * np.array([[[1.0]], [[-1.0]]], np.float32)
    x[..., 1:] *= -1.0
    found = mean.apply({}, x)
    assert np.isfinite(found).all()
    if outputs == 1:
        np.testing.assert_array_equal(found, [[1e4], [-1e4]])
    slope: Any = mc.grad(lambda x: np.sum(mean.apply({}, x)))(x)
    assert np.isfinite(slope).all()


def test_one_member_is_the_network_without_members() -> None:
    x = _rows(5, 1, 3)
    np.testing.assert_array_equal(nn.MeanOfMembers().apply({}, x), x[:, 0])
    shares = nn.MeanOfMembers("probabilities").apply({}, x)
    np.testing.assert_allclose(shares, nn.log_softmax(x[:, 0]), rtol=1e-14)
    np.testing.assert_allclose(
        nn.MeanOfMembers("probabilities").apply({}, x[..., :1]), x[:, 0, :1], rtol=1e-14
    )


# Where they start -------------------------------------------------------------------------------------------


def test_adapters_start_at_random_signs_or_normal_numbers() -> None:
    signs, normal = (nn.Members(40, scale).init(0, (50,))["scale"] for scale in ("sign", "normal"))
    assert set(np.unique(signs)) == {-1.0, 1.0}
    # Four standard errors of 2,000 draws.
    assert abs(signs.mean()) < 4 / math.sqrt(2000)
    assert abs(normal.mean()) < 4 / math.sqrt(2000)
    assert abs(normal.var() - 1.0) < 4 * math.sqrt(2 / 2000)
    assert nn.Members(3, "none").init(0, (2,)) == {}


def test_weights_start_as_in_tabm() -> None:
    shared, own = nn.BatchEnsemble(300).init(0, (4, 16)), nn.MemberDense(300).init(0, (4, 16))
    for params in (shared, own):
        for name in ("weight", "bias"):
            assert 0.24 < np.abs(params[name]).max() <= 0.25  # U(-1/4, 1/4), 300 draws and more
    assert (shared["bias"] == shared["bias"][0]).all()
    assert (shared["inputs"]["scale"] == 1).all()
    assert (shared["outputs"]["scale"] == 1).all()
    assert (own["weight"][0] != own["weight"][1]).any()
    assert (own["bias"][0] != own["bias"][1]).any()
    he = nn.MemberDense(300, initializer="he_normal").init(0, (4, 16))["weight"]
    assert abs(he.var() - 2 / 16) < 0.01  # by the fan of one member, not of all four


def test_weight_decay_acts_on_weights_alone() -> None:
    net = nn.Sequential(nn.Members(3), nn.BatchEnsemble(4, "relu"), nn.MemberDense(2), nn.MeanOfMembers())
    params = net.init(0, (5,))
    for roles in (net.roles((5,)), None):  # as declared, and as the names tell whoever has only the params
        decays = [path for path, _ in tree.named_leaves(params) if nn.is_penalized(path, roles)]
        assert decays == ["1.weight", "2.weight"]


# In a network -----------------------------------------------------------------------------------------------


def _network(mean: Averaged = "numbers") -> nn.Sequential:
    return nn.Sequential(
        nn.Members(4), nn.Dense(6, "tanh"), nn.Dropout(0.3), nn.BatchEnsemble(5, "tanh"), nn.MemberDense(2),
        nn.MeanOfMembers(mean),
    )  # fmt: skip


def test_member_outputs_are_what_the_mean_is_of() -> None:
    net = nn.Sequential(nn.Scale(), _network())  # the mean may end a network inside
    params, x = _drawn(net, (3,)), _rows(5, 3)
    for training in (False, True):
        found, after = net.member_outputs(params, x, key=KEY, training=training)
        assert found.shape == (5, 4, 2)
        expected = net.apply(params, x, key=KEY, training=training)
        np.testing.assert_allclose(found.mean(axis=1), expected, rtol=1e-14)  # dropout draws the same
        assert tree.flatten(after)[1] == tree.flatten(params)[1]
    assert net.by_member
    plain = nn.Sequential(nn.Dense(2))
    assert not plain.by_member
    assert plain.member_outputs(plain.init(0, (3,)), x)[0].shape == (5, 2)


def test_statistics_are_noted_down_in_front_of_members() -> None:
    net = nn.Sequential(nn.BatchNorm(), nn.Members(2), nn.MemberDense(1), nn.MeanOfMembers())
    params, x = net.init(0, (3,), np.float64), _rows(5, 3) + 7.0
    _, after = net.member_outputs(params, x, key=None, training=True)
    np.testing.assert_array_equal(after["0"]["mean"], net.apply_training(params, x)[1]["0"]["mean"])
    assert (after["0"]["mean"] != params["0"]["mean"]).all()


def _products(function: Any, *args: Any) -> list[Any]:
    graph = mc.inspect(function, *args).graph
    return [node for node in graph.nodes if node.op.kind == "product"]


def test_a_dense_layer_is_one_product_of_all_members_rows() -> None:
    for layer in (nn.Dense(6, "relu"), nn.BatchEnsemble(6, "relu")):
        params, x = layer.init(0, (4, 3)), _rows(5, 4, 3).astype(np.float32)
        found = _products(
            mc.grad(lambda p, x, layer=layer: np.sum(layer.apply(p, x) ** 2), (0, 1)), params, x
        )
        assert [len(node.array_type.shape) for node in found] == [2, 2, 2]  # forward, of W, of x


def test_the_number_of_rows_may_be_unknown() -> None:
    net, rows = nn.Sequential(nn.Members(4, "none"), *_network("probabilities").layers[1:]), _rows(9, 3)
    params = net.init(0, (3,), np.float64)
    compiled = mc.compile(net.apply, "reference", dims={1: "rows"})
    for count in (1, 9):
        # Without knowing them it is a product for each row, which adds up in another order.
        np.testing.assert_allclose(
            compiled(params, rows[:count]), net.apply(params, rows[:count]), rtol=1e-12
        )


def test_between_two_layers_of_members_nothing_is_moved() -> None:
    def moved(layers: int) -> int:
        net = nn.Sequential(*[nn.MemberDense(6, "tanh")] * layers)
        params, x = net.init(0, (4, 3)), _rows(8, 4, 3).astype(np.float32)
        look = mc.inspect(mc.grad(lambda p, x: np.sum(net.apply(p, x) ** 2)), params, x)
        return sum(" = transpose(" in line.words and "@" not in line.words for line in look.fused.lines)

    assert moved(4) == 0


def test_behind_a_shared_layer_members_are_brought_together_once() -> None:
    net = nn.Sequential(nn.Dense(6, "relu"), nn.MemberDense(5))
    params, x = net.init(0, (4, 3)), _rows(8, 4, 3).astype(np.float32)
    look = mc.inspect(mc.grad(lambda p, x: np.sum(net.apply(p, x) ** 2)), params, x)
    arrays = [node.array_type.shape for node in fuse(look.graph, lambda node: True).arrays]
    assert (4, 8, 6) in arrays
    assert (4, 6, 8) not in arrays  # turned over: the weight's gradient reads it by strides


# Members that are kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [[2], [3, 0], range(4)])
def test_the_kept_members_are_those_members(which: Any) -> None:
    inside = nn.Residual(nn.Sequential(nn.BatchEnsemble(6, "relu"), nn.LayerNorm()))
    heads = nn.Heads(a=nn.Dense(1), b=nn.Sequential(nn.MemberDense(2, "tanh"), nn.Dense(2)))
    net = nn.Sequential(
        nn.Scale(), nn.Members(4, blocks=(2, 1)), nn.Dense(6), inside,
        nn.Concatenate(nn.MemberDense(3), nn.Sequential()), heads, nn.MeanOfMembers(),
    )  # fmt: skip
    params, x = _drawn(net, (3,)), _rows(5, 3)
    small, kept = nn.keep_members(net, params, which)
    every = net.member_outputs(params, x)[0]
    # A product of fewer rows adds up in another order.
    np.testing.assert_allclose(small.member_outputs(kept, x)[0], every[:, list(which)], rtol=1e-12)
    np.testing.assert_allclose(small.apply(kept, x), every[:, list(which)].mean(axis=1), rtol=1e-12)
    assert tree.flatten(kept)[1] == tree.flatten(small.init(0, (3,)))[1]
    assert not any(
        np.shares_memory(a, b) for a, b in zip(tree.leaves(kept), tree.leaves(params), strict=True)
    )


@pytest.mark.parametrize("which", [[], [4], [-1], [1, 1], [0.5], 2, [[0]], [True]])
def test_members_that_are_not_there_cannot_be_kept(which: Any) -> None:
    net = _network()
    with pytest.raises(mc.DataError, match="keep_members: which: expected different numbers from 0 to 3"):
        nn.keep_members(net, net.init(0, (3,)), which)


def test_a_network_without_members_keeps_none() -> None:
    with pytest.raises(mc.DataError, match="the network has no Members, expected"):
        nn.keep_members(nn.Dense(1), {}, [0])
    two = nn.Concatenate(nn.Members(2), nn.Members(3))
    with pytest.raises(mc.DataError, match="the network has Members of 2, 3, expected members of one count"):
        nn.keep_members(two, {}, [0])


# What does not fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [nn.BatchEnsemble(2), nn.MemberDense(2), nn.MeanOfMembers()])
def test_rows_without_members_are_refused(layer: nn.Layer) -> None:
    with pytest.raises(mc.ShapeError, match=r"inputs have shape \[batch, 3\].*Members makes them"):
        nn.Sequential(nn.Dense(3), layer).init(0, (4,))
    for trained in ((4, 2), (3, 5)):  # other members, other features
        if not isinstance(layer, nn.MeanOfMembers):
            params = layer.init(0, (3, 2))
            with pytest.raises(mc.ShapeError, match=r"expected \[batch, 3, 2\]"):
                layer.apply(params, np.zeros((1, *trained)))


def test_blocks_add_up_to_the_features() -> None:
    with pytest.raises(mc.ShapeError, match="the blocks add up to 3, expected the 4 features"):
        nn.Members(2, blocks=(1, 2)).init(0, (4,))
    with pytest.raises(mc.DataError, match="blocks share factors, and scale='none' has none"):
        nn.Members(2, "none", blocks=(1, 2))
    with pytest.raises(mc.DataError, match="did you mean 'sign'"):
        nn.Members(2, "sing")
