"""Laws of every layer, and what each one computes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from minicolumn import nn, random, tree
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import named_layers

KEY = random.key(3)
UNMOVED = ("statistic", "constant")  # roles of what no gradient reaches
untyped: Any = nn  # for settings of the wrong type, which a type checker would refuse first


def paths(params) -> dict[str, np.ndarray]:
    return dict(tree.named_leaves(params))


# Laws of every layer ----------------------------------------------------------------------------------------


def test_every_layer_has_a_case(all_cases):
    public = {kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, nn.Layer)}
    assert {type(case.layer) for case in all_cases.values()} == public - {nn.Layer}


@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_shape_is_what_apply_gives_and_the_dtype_stays(case, batch, training, dtype):
    params = case.layer.init(0, case.input_shape, dtype)
    out = case.layer.apply(params, case.rows(batch, dtype), key=KEY, training=training)
    assert out.shape == (batch, *case.layer.output_shape(case.input_shape))
    assert out.dtype == dtype


def test_rows_do_not_see_each_other(case):
    params, rows = case.layer.init(0, case.input_shape), case.rows(5)
    together = case.layer.apply(params, rows)
    for place in range(5):
        # BLAS may add up in another order for one row: a few units in the last of float32's seven digits.
        alone = case.layer.apply(params, rows[place : place + 1])
        np.testing.assert_allclose(alone[0], together[place], rtol=1e-5, atol=1e-6)


def test_init_draws_what_is_declared(case):
    declared = tree.flatten(case.layer.declare(case.input_shape), lambda leaf: isinstance(leaf, nn.Param))[0]
    drawn = tree.flatten(case.layer.init(0, case.input_shape))[0]
    assert [(leaf.shape, leaf.dtype) for leaf in drawn] == [(param.shape, np.float32) for param in declared]


def test_init_is_a_function_of_the_seed(case):
    first, again, other = (paths(case.layer.init(seed, case.input_shape)) for seed in (0, 0, 1))
    for path, leaf in first.items():
        np.testing.assert_array_equal(leaf, again[path])
        constant = (leaf == leaf.flat[0]).all()
        assert constant or (leaf != other[path]).any()


def test_repr_is_the_recipe(case):
    assert eval(repr(case.layer), dict(vars(nn))) == case.layer


def test_layers_are_frozen_hashable_records(case):
    assert hash(case.layer) == hash(eval(repr(case.layer), dict(vars(nn))))
    for field in dataclasses.fields(case.layer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(case.layer, field.name, None)


def test_traced_layers_give_what_plain_layers_give(case):
    import minicolumn as mc

    params, rows = case.layer.init(0, case.input_shape), case.rows(5)
    for training in (False, True):

        def apply(params, rows, key, training=training):
            return case.layer.apply(params, rows, key=key, training=training)

        found = mc.compile(apply)(params, rows, KEY)
        # exp and tanh may differ by their last digits between lowerings.
        np.testing.assert_allclose(found, apply(params, rows, KEY), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_right(case, training):
    import minicolumn as mc

    fixed, rows = case.layer.init(0, case.input_shape, np.float64), case.rows(5, np.float64)
    roles = case.layer.roles(case.input_shape)

    def held(params, fixed, path=""):
        if isinstance(params, dict):
            return {
                name: held(part, fixed[name], f"{path}.{name}".strip(".")) for name, part in params.items()
            }
        return fixed if roles[path] in UNMOVED else params

    def loss(params, rows=rows):
        params = held(params, fixed)  # those without a derivative, so differences must not move them
        return np.sum(np.sin(case.layer.apply(params, rows, key=KEY, training=training)))

    mc.check_grads(loss, (fixed,) if case.levels else (fixed, rows))  # nothing flows to codes


def test_statistics_and_constants_have_no_gradient(case):
    import minicolumn as mc

    params, rows = case.layer.init(0, case.input_shape, np.float64), case.rows(5, np.float64)
    roles = case.layer.roles(case.input_shape)
    for training in (False, True):

        def loss(params, training=training):
            return np.sum(case.layer.apply(params, rows, key=KEY, training=training) ** 3)

        for path, slope in paths(mc.grad(loss)(params)).items():
            assert roles[path] not in UNMOVED or not slope.any()


def test_without_training_nothing_is_random(case):
    params, rows = case.layer.init(0, case.input_shape), case.rows(5)
    plain = case.layer.apply(params, rows)
    for seed in (0, 1):
        np.testing.assert_array_equal(case.layer.apply(params, rows, key=random.key(seed)), plain)


def test_a_layer_draws_if_and_only_if_it_says_so(case):
    params, rows = case.layer.init(0, case.input_shape), case.rows(5)

    def train(key):
        return case.layer.apply(params, rows, key=key, training=True)

    np.testing.assert_array_equal(train(KEY), train(KEY))
    if case.layer.draws:
        assert any((train(random.key(seed)) != train(KEY)).any() for seed in range(20))
        with pytest.raises(DataError, match="training needs a random key"):
            train(None)
    else:
        np.testing.assert_array_equal(train(None), train(KEY))


def test_a_layer_observes_if_and_only_if_it_says_so(case):
    params, rows = case.layer.init(0, case.input_shape), case.rows(5)
    y, after = case.layer.apply_training(params, rows, KEY)
    np.testing.assert_array_equal(y, case.layer.apply(params, rows, key=KEY, training=True))
    assert tree.flatten(after)[1] == tree.flatten(params)[1]
    moved = {path for path, leaf in paths(params).items() if (paths(after)[path] != leaf).any()}
    roles = case.layer.roles(case.input_shape)
    assert moved == {path for path in paths(params) if roles[path] == "statistic"}
    assert case.layer.observes == bool(moved)
    assert all(paths(after)[path].dtype == leaf.dtype for path, leaf in paths(params).items())


# Sequential -------------------------------------------------------------------------------------------------


def test_a_layer_behind_does_not_move_the_draws_in_front():
    short = nn.Sequential(nn.Dense(4), nn.Dense(3))
    long = nn.Sequential(*short.layers, nn.Dropout(0.5), nn.Dense(2))
    first, second = paths(short.init(0, (5,))), paths(long.init(0, (5,)))
    for path, leaf in first.items():
        np.testing.assert_array_equal(leaf, second[path])


def test_equal_layers_draw_different_weights():
    params = nn.Sequential(nn.Dense(4), nn.Dense(4)).init(0, (4,))
    assert (params["0"]["weight"] != params["1"]["weight"]).all()


def test_two_dropouts_silence_different_numbers():
    net = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5))
    out = net.apply({"0": {}, "1": {}}, np.ones((1, 10_000), np.float32), key=KEY, training=True)
    assert stats.binomtest(int((out > 0).sum()), 10_000, 0.25).pvalue > 1e-3  # the seed is fixed
    assert set(np.unique(out)) == {0.0, 4.0}


def test_sequential_names_the_layer_that_does_not_fit():
    with pytest.raises(ShapeError, match=r"^layer 1: Residual: .* \[4\] into \[3\]"):
        nn.Sequential(nn.Dense(4), nn.Residual(nn.Dense(3))).init(0, (2,))


def test_sequential_takes_layers_not_a_list():
    with pytest.raises(DataError, match=r"not Sequential\(\[a, b\]\)"):
        nn.Sequential([nn.Dense(1)])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="argument 1 is int, expected a layer"):
        nn.Sequential(nn.Dense(1), 3)  # type: ignore[arg-type]


# Dense ------------------------------------------------------------------------------------------------------


def test_dense_is_the_formula():
    weight, bias, x = (
        random.normal(random.key(n), s, np.float64) for n, s in enumerate([(3, 4), (4,), (5, 3)])
    )
    params = {"weight": weight, "bias": bias}
    np.testing.assert_array_equal(nn.Dense(4).apply(params, x), x @ weight + bias)
    np.testing.assert_array_equal(nn.Dense(4, "tanh").apply(params, x), np.tanh(x @ weight + bias))
    np.testing.assert_array_equal(nn.Dense(4, np.sin).apply(params, x), np.sin(x @ weight + bias))
    ntk = nn.Dense(4, parametrization="ntk", bias_rate=0.1).apply(params, x)
    # x W (1 / sqrt 3) and x W / sqrt 3 may differ by a rounding.
    np.testing.assert_allclose(ntk, x @ weight / math.sqrt(3) + 0.1 * bias, rtol=1e-14)


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_dense_starts_as_its_activation_needs(name):
    declared = nn.Dense(4, activation=name).declare((3,))
    assert declared["weight"].init == nn.ACTIVATIONS[name].init
    assert declared["bias"] == nn.Param((4 * nn.ACTIVATIONS[name].scores,), "zeros")


def test_dense_initializer_can_be_chosen():
    assert nn.Dense(4, initializer="ones").declare((3,))["weight"].init == "ones"
    assert nn.Dense(4, parametrization="ntk").declare((3,))["weight"].init == "normal"
    half = nn.Dense(2, initializer=lambda key, shape, dtype: np.full(shape, 0.5, dtype))
    np.testing.assert_array_equal(half.init(0, (3,))["weight"], np.full((3, 2), 0.5, np.float32))


def test_ntk_starts_with_the_variance_of_lecun():
    weight = nn.Dense(200, parametrization="ntk").init(0, (300,))["weight"]
    assert abs(weight.std() - 1) < 0.01  # 60,000 draws: a standard error of 0.003


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: untyped.Dense(0), "Dense: units: expected an integer, 1 <= units <= 10,000,000, got 0"),
        (lambda: untyped.Dense(2.5), "Dense: units: expected an integer, 1 <= units <= 10,000,000, got 2.5"),
        (lambda: untyped.Dense(True), "Dense: units: expected an integer"),
        (lambda: untyped.Dense(1, "rellu"), "unknown activation 'rellu'; did you mean 'relu'?"),
        (lambda: untyped.Dense(1, 3), "Dense: activation: expected a name or a function, got 3"),
        (lambda: untyped.Dense(1, bias=1), "Dense: bias: expected a boolean, true or false, got 1"),
        (
            lambda: untyped.Dense(1, initializer="henormal"),
            "unknown initializer 'henormal'; did you mean 'he_normal'?",
        ),
        (
            lambda: untyped.Dense(1, parametrization="ntkk"),
            "parametrization: expected one of standard, ntk, got 'ntkk'; did you mean 'ntk'?",
        ),
        (lambda: untyped.Dense(1, bias_rate=0), "Dense: bias_rate: expected a number > 0, got 0"),
        (lambda: untyped.Dense(1, bias_rate=10**400), "Dense: bias_rate: expected a number > 0, got 1000"),
        (lambda: untyped.Dropout(1), "Dropout: rate: expected a number, 0 <= rate < 1, got 1"),
        (lambda: untyped.Dropout(math.nan), "Dropout: rate: expected a number, 0 <= rate < 1, got nan"),
        (lambda: untyped.AlphaDropout(1), "AlphaDropout: rate: expected a number, 0 <= rate < 1, got 1"),
        (
            lambda: untyped.GaussianDropout(-0.1),
            "GaussianDropout: rate: expected a number, 0 <= rate < 1, got -0.1",
        ),
        (lambda: untyped.GaussianNoise(-1), "GaussianNoise: stddev: expected a number >= 0, got -1"),
        (lambda: untyped.PReLU(1), "PReLU: shared: expected a boolean, true or false, got 1"),
        (lambda: untyped.PReLU(initial=math.inf), "PReLU: initial: expected a finite number, got inf"),
        (lambda: untyped.BatchNorm(1), "BatchNorm: momentum: expected a number, 0 <= momentum < 1, got 1"),
        (lambda: untyped.BatchNorm(eps=0), "BatchNorm: eps: expected a number > 0, got 0"),
        (
            lambda: untyped.LayerNorm(affine=None),
            "LayerNorm: affine: expected a boolean, true or false, got None",
        ),
        (lambda: untyped.RMSNorm(-1), "RMSNorm: eps: expected a number > 0, got -1"),
        (lambda: untyped.Concatenate(), "Concatenate: expected at least one layer"),
        (
            lambda: untyped.Concatenate([nn.Dense(1)]),
            r"write Concatenate\(a, b\), not Concatenate\(\[a, b\]\)",
        ),
        (lambda: untyped.Heads(), r"Heads: heads: expected at least one, as in Heads\(price=Dense\(1\)\)"),
        (lambda: untyped.Heads(a=3), "Heads: a is 3, expected a Dense, or a Sequential that ends in one"),
        (lambda: untyped.Heads(a=nn.Scale()), r"Heads: a is Scale\(\), expected a Dense"),
        (lambda: untyped.Heads(a=nn.Sequential()), r"Heads: a is Sequential\(\), expected a Dense"),
        (lambda: untyped.Heads(**{"a.b": nn.Dense(1)}), "Heads: 'a.b' is no name; use letters, digits and _"),
        (lambda: untyped.Scale(-1), "Scale: rate: expected a number > 0, got -1"),
        (lambda: untyped.Activation("geluu"), "unknown activation 'geluu'; did you mean 'gelu'?"),
        (lambda: untyped.Residual("dense"), "Residual: inner: expected a layer, got 'dense'"),
        (
            lambda: untyped.Embedding(0, 1),
            "Embedding: levels: expected an integer, 1 <= levels <= 10,000,000, got 0",
        ),
        (lambda: untyped.ColumnEmbedding(((0, 2), (0, 3))), "embeddings: expected each column once"),
        (
            lambda: untyped.ColumnEmbedding(((-1, 2),)),
            r"embeddings: expected \(column >= 0, levels >= 1\) pairs",
        ),
        (lambda: untyped.ColumnEmbedding((3,)), r"embeddings: expected \(column >= 0, levels >= 1\) pairs"),
        (
            lambda: untyped.ColumnEmbedding(((0, 2),), dim=0),
            "dim: expected an integer, 1 <= dim <= 10,000,000",
        ),
    ],
)
def test_settings_out_of_range_are_refused_in_one_line(make, message):
    with pytest.raises(DataError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_numpy_settings_become_plain_ones():
    dense = untyped.Dense(np.int64(3), bias_rate=np.float64(0.5))
    assert (type(dense.units), type(dense.bias_rate)) == (int, float)
    assert type(untyped.Dropout(np.float32(0.5)).rate) is float
    assert untyped.ColumnEmbedding(((np.int32(0), np.int64(2)),)) == nn.ColumnEmbedding(((0, 2),))


# The others -------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_silences_its_share():
    out = nn.Dropout(0.2).apply({}, np.ones((100, 100), np.float32), key=KEY, training=True)
    assert set(np.unique(out)) == {np.float32(0), np.float32(1.25)}
    assert stats.binomtest(int((out == 0).sum()), 10_000, 0.2).pvalue > 1e-3  # the seed is fixed


def test_dropout_asks_for_its_key_only_while_training():
    x = np.ones((2, 2))
    assert nn.Dropout(0.5).apply({}, x) is x
    with pytest.raises(DataError, match="needs a random key"):
        nn.Dropout(0.5).apply({}, x, training=True)


def test_names_of_other_libraries_become_ours():
    assert nn.Dense(2, "sigmoid") == nn.Dense(2, "logistic")
    assert repr(nn.Activation("swish")) == "Activation('silu')"


def test_glu_makes_one_output_of_two_scores():
    layer, x = nn.Dense(2, "glu"), random.normal(KEY, (5, 3), np.float64)
    params = layer.init(0, (3,), np.float64)
    assert params["weight"].shape == (3, 4)
    scores = x @ params["weight"]
    np.testing.assert_allclose(
        layer.apply(params, x), scores[:, :2] / (1 + np.exp(-scores[:, 2:])), rtol=1e-14
    )  # some roundings in float64


def test_prelu_lets_its_slope_through():
    x = np.array([[-2.0, -2.0, 0.0], [1.0, 3.0, -4.0]])
    each = nn.PReLU().apply({"slope": np.array([0.5, 0.0, 2.0])}, x)
    assert each.tolist() == [[-1.0, 0.0, 0.0], [1.0, 3.0, -8.0]]
    assert nn.PReLU(shared=True).apply({"slope": np.array([0.5])}, x).tolist() == [
        [-1.0, -1.0, 0.0],
        [1.0, 3.0, -2.0],
    ]
    assert nn.PReLU(initial=0.1).init(0, (2,))["slope"].tolist() == [np.float32(0.1)] * 2


def test_layers_are_found_by_their_paths():
    net = nn.Sequential(
        nn.Residual(nn.Sequential(nn.Dense(2))), nn.Heads(a=nn.Sequential(nn.Scale(), nn.Dense(1)))
    )
    found = {path: type(layer).__name__ for path, layer in named_layers(net)}
    assert found == {
        "": "Sequential", "0": "Sequential", "0.0": "Dense", "1": "Heads", "1.a": "Sequential",
        "1.a.0": "Scale", "1.a.1": "Dense",
    }  # fmt: skip


def test_concatenate_lays_outputs_side_by_side():
    x = random.normal(KEY, (4, 3))
    layer = nn.Concatenate(nn.Sequential(), nn.Dense(2), nn.Activation("relu"))
    params = layer.init(0, (3,))
    expected = [x, nn.Dense(2).apply(params["1"], x), np.maximum(x, 0)]
    np.testing.assert_array_equal(layer.apply(params, x), np.concatenate(expected, axis=1))


def test_branches_draw_their_own_noise():
    layer = nn.Concatenate(nn.GaussianNoise(1.0), nn.GaussianNoise(1.0))
    y = layer.apply({"0": {}, "1": {}}, np.zeros((50, 2)), key=KEY, training=True)
    assert (y[:, :2] != y[:, 2:]).all()


def test_scale_starts_as_the_identity():
    x = random.normal(KEY, (4, 3))
    np.testing.assert_array_equal(nn.Scale().apply(nn.Scale().init(0, (3,)), x), x)


def test_column_embedding_equals_one_lookup_a_column():
    layer, x = nn.ColumnEmbedding(((2, 3), (0, 4))), np.array([[3, 0.5, 2, -1], [0, 0.25, 1, -2]], np.float32)
    params = layer.init(0, (4,))
    expected = [[0.5, -1, *params["2"][2], *params["0"][3]], [0.25, -2, *params["2"][1], *params["0"][0]]]
    np.testing.assert_array_equal(layer.apply(params, x), np.array(expected, np.float32))


@pytest.mark.parametrize(
    ("layer", "input_shape", "message"),
    [
        (nn.Dense(1), (), r"inputs have shape \[batch\], expected \[batch, fan_in >= 1\]"),
        (nn.Dense(1), (0,), r"inputs have shape \[batch, 0\]"),
        (nn.Scale(), (), r"expected \[batch, features\]"),
        (nn.Activation("softmax"), (), r"expected \[batch, classes\]"),
        (nn.Activation("sparsemax"), (), r"Activation\('sparsemax'\): .* expected \[batch, classes\]"),
        (nn.Activation("glu"), (5,), r"Activation\('glu'\): rows have 5 scores, expected a multiple of 2"),
        (nn.PReLU(), (), r"PReLU: .* expected \[batch, features\]"),
        (nn.BatchNorm(), (), r"BatchNorm: .* expected \[batch, features\]"),
        (nn.LayerNorm(affine=False), (), r"LayerNorm: .* expected \[batch, features\]"),
        (nn.RMSNorm(), (), r"RMSNorm: .* expected \[batch, features\]"),
        (
            nn.Concatenate(nn.Dense(2), nn.Flatten()),
            (3, 4),
            r"Concatenate: 1 gives rows of shape \[12\], expected \[3, any\]",
        ),
        (nn.Concatenate(nn.Dense(2), nn.Scale()), (), r"Concatenate: 0: Dense: inputs have shape \[batch\]"),
        (nn.Heads(a=nn.Dense(2)), (0,), r"Heads: a: Dense: inputs have shape \[batch, 0\]"),
        (nn.Embedding(2, 1), (2, 3), r"rows have shape \[2, 3\], expected \[\] or \[k\]"),
        (nn.ColumnEmbedding(((3, 2),)), (3,), r"rows have shape \[3\], expected \[features > 3\]"),
        (nn.ColumnEmbedding(((0, 2),)), (3, 3), r"rows have shape \[3, 3\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer, input_shape, message):
    for call in (layer.output_shape, layer.declare, lambda shape: layer.init(0, shape)):
        with pytest.raises(ShapeError, match=message):
            call(input_shape)


def test_dense_refuses_rows_of_another_width():
    with pytest.raises(ShapeError, match=r"inputs have shape \[2, 4\], expected \[batch, 3\]"):
        nn.Dense(1).apply(nn.Dense(1).init(0, (3,)), np.ones((2, 4)))


def test_a_summary_counts_the_weights_of_every_layer() -> None:
    net = nn.Sequential(
        nn.Dense(16, "relu"),
        nn.Sequential(nn.BatchNorm(), nn.Residual(nn.Dense(16))),
        nn.Heads(a=nn.Dense(1), b=nn.Dense(3)),
    )
    lines = nn.summary(net, 4).splitlines()
    assert [line.split()[-1] for line in lines] == ["weights", "80", "64", "272", "68", "484"]
    assert sum(leaf.size for leaf in tree.flatten(net.init(0, (4,)))[0]) == 484
    assert nn.summary(net, (4,)) == nn.summary(net, 4)
    with pytest.raises(ShapeError, match=r"Dense.*\[batch\]"):
        nn.summary(nn.Sequential(nn.Dense(2), nn.Dense(3)), ())
    wrong: Any = "x"
    for network, shape in ((wrong, 3), (nn.Dense(3), wrong), (nn.Dense(3), (2, 0))):
        with pytest.raises(DataError, match=r"^summary: "):
            nn.summary(network, shape)
