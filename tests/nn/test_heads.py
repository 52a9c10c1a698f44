"""Several outputs on one body: where each lies, and what each loses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError, ShapeError

HEADS = nn.Heads(price=nn.Dense(2), kind=nn.Sequential(nn.Dense(5, "relu"), nn.Dense(3)), sold=nn.Dense(1))
LOSSES = {"price": "squared_error", "kind": "softmax_cross_entropy", "sold": "binary_cross_entropy"}
LOSS = nn.HeadsLoss(HEADS, LOSSES, {"kind": 0.5, "sold": 2})
RNG = np.random.default_rng(0)
PRICE, KIND, SOLD = RNG.standard_normal((8, 2)), np.arange(8) % 3, np.arange(8) % 2
OUTPUTS = RNG.standard_normal((8, 6))
untyped: Any = nn  # for arguments of the wrong type, which a type checker would refuse first


def test_outputs_lie_side_by_side_in_the_order_given():
    assert HEADS.slices == {"price": slice(0, 2), "kind": slice(2, 5), "sold": slice(5, 6)}
    x = RNG.standard_normal((4, 7))
    params = HEADS.init(0, (7,), np.float64)
    y = HEADS.apply(params, x)
    for name, head in HEADS.heads:
        np.testing.assert_array_equal(y[:, HEADS.slices[name]], head.apply(params[name], x))


def test_equal_heads_of_several_names_draw_different_weights():
    params = nn.Heads(a=nn.Dense(3), b=nn.Dense(3)).init(0, (4,))
    assert (params["a"]["weight"] != params["b"]["weight"]).all()


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 1, 8)])
def test_the_loss_is_the_weighted_sum_of_the_heads_losses(weight):
    y = LOSS.targets(price=PRICE, kind=KIND, sold=SOLD)
    assert (y.shape, y.dtype) == ((8, 4), np.float64)
    expected = (
        nn.LOSSES["squared_error"].function(OUTPUTS[:, :2], PRICE, weight)
        + 0.5 * nn.LOSSES["softmax_cross_entropy"].function(OUTPUTS[:, 2:5], KIND, weight)
        + 2 * nn.LOSSES["binary_cross_entropy"].function(OUTPUTS[:, 5:], SOLD, weight)
    )
    assert float(LOSS(OUTPUTS, y, weight)) == pytest.approx(float(expected), rel=1e-15)


def test_predictions_are_what_each_loss_makes_of_the_outputs():
    found = LOSS.predictions(OUTPUTS)
    np.testing.assert_array_equal(found["price"], OUTPUTS[:, :2])
    np.testing.assert_allclose(found["kind"].sum(axis=1), 1, rtol=1e-14)
    assert found["sold"][0, 0] == pytest.approx(1 / (1 + math.exp(-OUTPUTS[0, 5])), rel=1e-14)


def test_targets_may_come_in_any_order_and_as_columns():
    first = LOSS.targets(price=PRICE, kind=KIND, sold=SOLD)
    second = LOSS.targets(sold=SOLD[:, None], price=PRICE.tolist(), kind=KIND.astype(float))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: untyped.HeadsLoss(nn.Dense(1), LOSSES),
            "HeadsLoss: heads: expected the Heads that the network",
        ),
        (lambda: nn.HeadsLoss(HEADS, {"price": "huber"}), "losses: the head 'kind' has none"),
        (lambda: nn.HeadsLoss(HEADS, LOSSES | {"pric": "huber"}), "no head 'pric'; did you mean 'price'"),
        (
            lambda: nn.HeadsLoss(HEADS, LOSSES | {"price": "hubr"}),
            "unknown loss 'hubr'; did you mean 'huber'",
        ),
        (
            lambda: nn.HeadsLoss(HEADS, LOSSES, {"kin": 1}),
            "weights: there is no head 'kin'; did you mean 'kind'",
        ),
        (lambda: nn.HeadsLoss(HEADS, LOSSES, {"kind": 0}), "HeadsLoss: weights: expected finite numbers > 0"),
        (lambda: LOSS.targets(price=PRICE, kind=KIND), "those of the head 'sold' are missing"),
        (
            lambda: LOSS.targets(price=PRICE, kind=KIND + 1, sold=SOLD),
            "kind holds .* expected class numbers 0 .. 2",
        ),
        (lambda: LOSS.targets(price=PRICE, kind=KIND + 0.5, sold=SOLD), "kind holds .* class numbers 0 .. 2"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(make, message):
    with pytest.raises(DataError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_shapes_that_do_not_fit_are_refused():
    y = LOSS.targets(price=PRICE, kind=KIND, sold=SOLD)
    with pytest.raises(
        ShapeError, match=r"outputs have shape \[8, 5\], expected \[batch, 6\] for price, kind"
    ):
        LOSS(OUTPUTS[:, :5], y)
    with pytest.raises(ShapeError, match=r"targets have shape \[8\], expected \[batch, 4\]"):
        LOSS(OUTPUTS, y[:, 0])
    with pytest.raises(ShapeError, match=r"targets: price has shape \[8\], expected \[rows, 2\]"):
        LOSS.targets(price=PRICE[:, 0], kind=KIND, sold=SOLD)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_fit_trains_all_heads(backend):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 4))
    kind, price = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0), X[:, 2] - X[:, 3]
    heads = nn.Heads(price=nn.Dense(1), kind=nn.Dense(3))
    loss = nn.HeadsLoss(heads, {"price": "squared_error", "kind": "softmax_cross_entropy"})
    net = nn.Sequential(nn.Dense(16, "tanh"), heads)
    y = loss.targets(price=price, kind=kind)
    run = mc.fit(net, X, y, loss=loss, optimizer=mc.optim.Adam(0.02), epochs=30, backend=backend)
    found = loss.predictions(run.predict(X))
    assert np.mean((found["price"][:, 0] - price) ** 2) < 0.1 * price.var()
    assert np.mean(found["kind"].argmax(axis=1) == kind) > 0.9


def test_heads_take_losses_with_settings_and_several_outputs_for_one_target() -> None:
    heads = nn.Heads(mean=nn.Dense(2), low=nn.Dense(3), share=nn.Dense(3))
    losses = {
        "mean": "gaussian_nll",
        "low": nn.Loss("quantile", levels=(0.1, 0.5, 0.9)),
        "share": "kl_divergence",
    }
    loss = nn.HeadsLoss(heads, losses)
    rng = np.random.default_rng(0)
    outputs, t, shares = rng.standard_normal((5, 8)), rng.standard_normal(5), rng.dirichlet(np.ones(3), 5)
    found = loss(outputs, loss.targets(mean=t, low=t, share=shares))
    parts = (outputs[:, :2], t), (outputs[:, 2:5], t), (outputs[:, 5:], shares)
    alone = sum(
        nn.Loss(n)(*p) if isinstance(n, str) else n(*p) for n, p in zip(losses.values(), parts, strict=True)
    )
    assert found == pytest.approx(alone, rel=1e-12)  # three float64 sums


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: untyped.HeadsLoss(HEADS, LOSSES | {"price": None}),
            "price: expected a name or a mc.nn.Loss",
        ),
        (lambda: untyped.HeadsLoss(HEADS, LOSSES, {"kind": "x"}), "expected finite numbers > 0"),
    ],
)
def test_what_is_no_loss_and_no_weight(make: Any, said: str) -> None:
    with pytest.raises(mc.DataError, match=said):
        make()


def test_targets_beyond_a_losss_range_are_refused() -> None:
    heads = nn.Heads(a=nn.Dense(1))
    loss = nn.HeadsLoss(heads, {"a": "binary_cross_entropy"})
    with pytest.raises(mc.DataError, match="goes beyond what binary_cross_entropy takes, from 0 to 1"):
        loss.targets(a=np.array([5.0, 0.0]))
