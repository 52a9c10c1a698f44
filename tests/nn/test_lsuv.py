"""Layer-sequential unit variance: the sums of every layer have variance 1, and nothing else is changed."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from minicolumn import nn, random, tree
from minicolumn.errors import DataError

X = random.normal(random.key(1), (300, 6), np.float64) * 5 + 1
NETS = {
    "relu": nn.Sequential(nn.Dense(20, "relu"), nn.Dense(30, "relu"), nn.Dense(4)),
    "logistic": nn.Sequential(nn.Dense(20, "logistic"), nn.Dense(4, "tanh")),
    "ntk": nn.Sequential(nn.Dense(20, "selu", parametrization="ntk", bias_rate=0.1), nn.Dense(4, bias=False)),
    "glu": nn.Sequential(nn.Dense(20, "glu", initializer="orthogonal"), nn.Dense(4)),
    "composite": nn.Sequential(
        nn.Scale(),
        nn.Residual(nn.Sequential(nn.Dense(6, "mish"), nn.Dropout(0.5), nn.BatchNorm())),
        nn.Concatenate(nn.Sequential(), nn.Dense(5, "relu")),
        nn.Heads(a=nn.Dense(2), b=nn.Sequential(nn.Dense(3, "tanh"), nn.Dense(1))),
    ),
}


def variances(network, params, x):
    """Return the variance of the sums of each Dense, in front of bias and activation."""
    found = []

    def visit(layer, own, x, key):
        if layer.inside:
            return layer.through(visit, own, x, key)
        if isinstance(layer, nn.Dense):
            factor = x.shape[-1] ** -0.5 if layer.parametrization == "ntk" else 1.0
            found.append(np.var(x @ own["weight"] * factor))
        return layer.apply(own, x), own

    visit(network, params, x, None)
    return found


@pytest.mark.parametrize("name", NETS)
def test_every_layer_has_unit_variance(name):
    net = NETS[name]
    params = net.init(0, (6,), np.float64)
    before = copy.deepcopy(params)
    found = nn.lsuv(net, params, X)
    np.testing.assert_allclose(variances(net, found, X), 1, rtol=1e-12)  # one division in float64
    assert max(abs(np.log(variances(net, params, X)))) > 0.5  # it was not so before
    for (path, old), (_, kept), (_, new) in zip(
        *map(tree.named_leaves, (before, params, found)), strict=True
    ):
        np.testing.assert_array_equal(old, kept)
        if path.endswith("weight"):
            assert np.ptp(new / old) < 1e-12 * np.max(new / old)  # one factor for the whole weight
        else:
            np.testing.assert_array_equal(new, old)


def test_float32_stays_and_whole_numbers_will_do():
    net = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Dense(4))
    found = nn.lsuv(net, net.init(0, (2,)), np.arange(40).reshape(20, 2) % 5)
    assert all(leaf.dtype == np.float32 for leaf in tree.flatten(found)[0])
    assert nn.lsuv(nn.Flatten(), {}, X) == {}


def test_sums_that_do_not_vary_are_refused():
    net = nn.Sequential(nn.Dense(3, initializer="zeros"))
    with pytest.raises(DataError, match=r"lsuv: the sums of Dense\(3, initializer='zeros'\) have variance 0"):
        nn.lsuv(net, net.init(0, (6,)), X)
    with pytest.raises(DataError, match="have variance 0"):
        nn.lsuv(nn.Dense(1), nn.Dense(1).init(0, (6,)), X[:1])
