"""Ensembles: averages of predictions, and the same function in fewer operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn import nn, tree
from minicolumn.errors import DataError, ModelFileError, ShapeError
from minicolumn.nn.layer import named_layers
from minicolumn.nn.layers.ensemble import AVERAGES
from minicolumn.nn.layers.spline import positions
from minicolumn.nn.stacking import quickest

RNG = np.random.default_rng(0)
KNOTS = ((1, (-1.0, 0.0, 0.5, 2.0)), (3, (-2.0, -1.0, 0.0, 1.0, 3.0)))
CODES = ((0, 5), (4, 3))
LINKS = {  # raw outputs -> predictions
    "numbers": lambda z: z,
    "exponential": np.exp,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "probabilities": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
}
CLOSE = 1e-12  # of float64 sums of some hundred terms of size 1


def _drawn(network: nn.Layer, features: int, seed: int = 0) -> Any:
    """Return parameters of which none is 0 or 1."""
    rng = np.random.default_rng(seed)
    params = network.init(0, (features,), np.float64)
    return tree.map_leaves(lambda value: rng.standard_normal(value.shape), params)


def _rows(count: int = 60) -> Any:
    x = 2 * RNG.standard_normal((count, 6))
    x[:, 0], x[:, 4] = RNG.integers(0, 5, count), RNG.integers(0, 3, count)
    x[:8, 1] = [-1.0, 0.0, 0.5, 2.0, -9.0, 9.0, np.nextafter(0.5, 0), np.nextafter(2.0, 0)]
    return x


@pytest.mark.parametrize("name", LINKS)
def test_the_average_stands_for_the_mean_of_the_predictions(name):
    z, link = 3 * RNG.standard_normal((5, 7, 4)), LINKS[name]
    np.testing.assert_allclose(link(AVERAGES[name](z)), link(z).mean(axis=0), rtol=CLOSE)


@pytest.mark.parametrize("name", AVERAGES)
def test_an_average_of_equals_is_what_they_are_and_large_outputs_stay_finite(name):
    z = np.array([[-900.0, 0.5], [3.0, 700.0]])
    if name in ("normal", "exponential"):
        z = z / 10
    np.testing.assert_allclose(
        AVERAGES[name](np.stack([z, z, z])), nn.log_softmax(z) if name in ("softmax", "probabilities") else z
    )
    one = z[:, :1] / (10 if name == "exponential" else 1)
    if name not in ("normal", "softmax"):  # softmax of one is 1 whatever it is
        np.testing.assert_allclose(AVERAGES[name](np.stack([one, one])), one)


def test_the_mixture_of_normals_has_the_moments_of_its_samples():
    z = RNG.standard_normal((4, 1, 2))
    drawn = z[:, 0, :1] + np.exp(0.5 * z[:, 0, 1:]) * RNG.standard_normal((4, 400_000))
    mean, log = AVERAGES["normal"](z)[0]
    # Standard errors of 1.6 million draws: below 2e-3 of the mean, below 1 % of the variance.
    assert mean == pytest.approx(drawn.mean(), abs=1e-2)
    assert np.exp(log) == pytest.approx(drawn.var(), rel=2e-2)


def test_members_see_the_same_rows_and_draw_for_themselves():
    net = nn.Ensemble(nn.Dense(2), nn.Sequential(nn.Dense(3, "tanh"), nn.Dense(2)))
    params, x = _drawn(net, 4), RNG.standard_normal((5, 4))
    each = [member.apply(params[name], x) for name, member in net.inside]
    np.testing.assert_allclose(net.apply(params, x), np.mean(each, axis=0), rtol=CLOSE)
    noisy = nn.Ensemble(nn.Dropout(0.5), nn.Dropout(0.5))
    y = noisy.apply({"0": {}, "1": {}}, np.ones((1, 400)), key=mc.random.key(0), training=True)
    assert set(np.unique(y)) == {0.0, 1.0, 2.0}, "both, one or none are silenced"


def test_an_ensemble_is_refused_where_its_members_do_not_fit():
    with pytest.raises(ShapeError, match=r"member 1 gives rows of shape \[3\], member 0 of \[2\]"):
        nn.Ensemble(nn.Dense(2), nn.Dense(3)).output_shape((4,))
    with pytest.raises(ShapeError, match="no mean and log variance"):
        nn.Ensemble(nn.Dense(3), average="normal").output_shape((4,))
    untyped: Any = nn.Ensemble
    for members in ((), ([nn.Dense(1)],), (nn.Dense(1), "dense")):
        with pytest.raises(DataError, match="Ensemble"):
            untyped(*members)
    with pytest.raises(DataError, match="did you mean 'softmax'"):
        untyped(nn.Dense(1), average="softmx")
    with pytest.raises(ModelFileError, match="average"):
        nn.from_json({"kind": "ensemble", "members": [{"kind": "dense", "units": 1}], "average": "mode"})


def _front(kind: str, units: int) -> tuple[nn.Layer, ...]:
    """Return one of the fronts of a table's network."""
    behind = tuple((column - sum(code < column for code, _ in CODES), knots) for column, knots in KNOTS)
    ntk: dict[str, Any] = {"parametrization": "ntk", "bias_rate": 0.1}
    return {
        "ramps": (nn.PiecewiseLinear(KNOTS), nn.Scale(), nn.Dense(units, "selu", **ntk)),
        "ramps and codes": (
            nn.PiecewiseLinear(KNOTS), nn.ColumnEmbedding(CODES, dim=2), nn.Scale(),
            nn.Dense(units, "mish", **ntk),
        ),
        "shared codes": (nn.ColumnEmbedding(CODES, dim=2, shared=True), nn.Scale(), nn.Dense(units, "tanh")),
        "running sums": (nn.ColumnEmbedding(CODES, dim=2), nn.PiecewiseDense(units, behind, "selu", 0.1)),
        "running sums alone": (nn.PiecewiseDense(units, KNOTS, "relu"),),
        "scale": (nn.Scale(), nn.Dense(units, "glu", bias=False)),
        "dense": (nn.Dense(units),),
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    ["ramps", "ramps and codes", "shared codes", "running sums", "running sums alone", "scale", "dense"],
)
def test_folded_and_stacked_networks_predict_the_same(kind):
    def member(units: int) -> nn.Layer:
        ending = (
            nn.Dropout(0.3),
            nn.Dense(4, "selu", parametrization="ntk"),
            nn.GaussianNoise(0.1),
            nn.Dense(3),
        )
        return nn.Sequential(*_front(kind, units), *ending)

    x = _rows()
    one = member(5)
    params = _drawn(one, 6)
    small, weights = nn.folded(one, params)
    np.testing.assert_allclose(small.apply(weights, x), one.apply(params, x), rtol=1e-11, atol=1e-11)
    assert not any(layer.draws for _, layer in named_layers(small))
    for members in ((member(5),) * 3, (member(5), member(4))):
        whole = nn.Ensemble(*members, average="softmax")
        params = _drawn(whole, 6)
        small, weights = quickest(whole, params)
        np.testing.assert_allclose(small.apply(weights, x), whole.apply(params, x), rtol=1e-11, atol=1e-11)
    assert quickest(one, params)[0] is one


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(
    "member",
    [
        nn.Dense(1), nn.Dense(2), nn.Dense(2, "softmax"), nn.Dropout(0.5), nn.Activation("tanh"),
        nn.Sequential(nn.Dense(4, "relu"), nn.Dense(1)), nn.Sequential(nn.Dense(4), nn.Activation("tanh")),
        nn.Sequential(nn.Dense(3, "tanh"), nn.Dense(2, "glu")), nn.Sequential(nn.Dense(2), nn.LayerNorm()),
    ],
)  # fmt: skip
def test_the_quickest_network_averages_what_the_ensemble_averages(average, member):
    whole = nn.Ensemble(member, member, member, average=average)
    if average == "normal" and whole.members[0].output_shape((6,)) != (2,):
        return
    params, x = _drawn(whole, 6), _rows(9)
    small, weights = quickest(whole, params)
    np.testing.assert_allclose(small.apply(weights, x), whole.apply(params, x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("average", AVERAGES)
def test_members_in_one_network_and_networks_beside_each_other_are_averaged_alike(average):
    outputs = 2 if average == "normal" else 3
    beside = nn.Ensemble(nn.Dense(outputs), nn.Dense(outputs), average=average)
    within = nn.Sequential(nn.Members(2, "none"), nn.MemberDense(outputs), nn.MeanOfMembers(average))
    params, x = _drawn(beside, 6), _rows(9)
    both = {name: np.stack([params[n][name] for n in "01"]) for name in ("weight", "bias")}
    same = {"0": {}, "1": both, "2": {}}
    np.testing.assert_allclose(within.apply(same, x), beside.apply(params, x), rtol=1e-11, atol=1e-11)
    # A loss is of the members' outputs, not of their mean.
    assert beside.by_member
    assert within.by_member
    of_each = [net.member_outputs(own, x)[0] for net, own in ((beside, params), (within, same))]
    assert of_each[0].shape == (9, 2, outputs)
    np.testing.assert_allclose(*of_each, rtol=1e-11, atol=1e-11)


def test_an_ensemble_before_the_last_layer_hands_its_mean_on():
    first = nn.Ensemble(nn.Dense(3), nn.Dense(3, "tanh"))
    for net in (
        nn.Sequential(first, nn.Dense(2)),
        nn.Sequential(first, nn.Ensemble(nn.Dense(2), nn.Dense(2))),
    ):
        params, x = _drawn(net, 6), _rows(9)
        outputs, _ = net.member_outputs(params, x)
        mean = first.apply(params["0"], x)
        expected, _ = net.layers[1].member_outputs(params["1"], mean)
        np.testing.assert_array_equal(outputs, expected)


def test_a_mean_is_read_from_a_file_of_its_former_name() -> None:
    old = {"kind": "mean_of_members", "of": "probabilities"}
    assert nn.from_json(old) == nn.MeanOfMembers("probabilities")
    assert nn.to_json(nn.from_json(old)) == {"kind": "mean_of_members", "average": "probabilities"}
    with pytest.raises(ModelFileError, match="no field 'off'"):
        nn.from_json({"kind": "mean_of_members", "off": "numbers"})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(2, 9), min_size=1, max_size=4), st.integers(1, 5), st.randoms())
def test_running_sums_are_what_ramps_and_a_dense_layer_compute(lengths, units, draw):
    knots = tuple(
        (column, tuple(sorted(draw.sample(range(-20, 20), length)))) for column, length in enumerate(lengths)
    )
    chain = nn.Sequential(
        nn.PiecewiseLinear(knots), nn.Scale(), nn.Dense(units, "tanh", parametrization="ntk", bias_rate=0.3)
    )
    quick = nn.PiecewiseDense(units, knots, "tanh", 0.3)
    params = _drawn(quick, len(knots), draw.randrange(1000))
    same = {
        "0": {},
        "1": {"scale": params["scale"]},
        "2": {name: params[name] for name in ("weight", "bias")},
    }
    x = np.array(
        [[draw.choice([*each, draw.uniform(-30, 30)]) for _, each in knots] for _ in range(9)], np.float64
    )

    def lost(network: nn.Layer) -> Any:
        return lambda params: np.sum(np.sin(network.apply(params, x)))

    np.testing.assert_allclose(quick.apply(params, x), chain.apply(same, x), rtol=1e-11, atol=1e-11)
    one, other = mc.grad(lost(quick))(params), mc.grad(lost(chain))(same)
    np.testing.assert_allclose(one["weight"], other["2"]["weight"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one["scale"], other["1"]["scale"], rtol=1e-9, atol=1e-9)


def test_what_is_no_number_gives_none_and_infinity_the_last_value():
    knots = ((0, (-1.0, 0.0, 2.0)), (1, (0.0, 1.0)))
    layer = nn.ColumnSplines(2, knots=knots)
    params = {**_drawn(layer, 2), "weight": np.zeros((2, 2))}
    x = np.array([[np.nan, 0.5], [np.inf, 0.5], [3.0, 0.5], [-np.inf, 0.5], [-5.0, 0.5]])
    with np.errstate(invalid="ignore"):
        for found in (layer.apply, mc.compile(layer.apply)):
            y = found(params, np.where(np.isinf(x), np.sign(x) * 1e30, x))
            assert np.isnan(y[0]).all()
            np.testing.assert_allclose(y[1], y[2], rtol=CLOSE)
            np.testing.assert_allclose(y[3], y[4], rtol=CLOSE)
    quick = nn.PiecewiseDense(2, knots)
    assert np.isnan(quick.apply(_drawn(quick, 2), x[:1])).all()
    first, share = positions(knots, x[1:2])
    assert (first[0, 0], share[0, 0]) == (1, 1.0)


def test_a_code_out_of_its_column_is_no_row_of_the_next():
    layer = nn.ColumnSplines(2, embeddings=CODES)
    params, x = _drawn(layer, 6), _rows(8)
    x[1, 0] = 5.0
    program = mc.compile(layer.apply)
    with pytest.raises(IndexError):
        program(params, x)


def test_reshape_keeps_the_order_and_refuses_what_does_not_fill_it():
    np.testing.assert_array_equal(
        nn.Reshape((3, 2)).apply({}, np.arange(6)[None])[0], [[0, 1], [2, 3], [4, 5]]
    )
    with pytest.raises(ShapeError, match=r"\[5\], which does not fill \[3, 2\]"):
        nn.Reshape((3, 2)).output_shape((5,))
