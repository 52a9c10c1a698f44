"""The default recipe: what it is made of for which table, its temperature, and that it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn import nn
from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.nn.extent import extent
from minicolumn.nn.layer import named_layers
from minicolumn.optim import SGD, AdamW, Averaged, Clipped
from minicolumn.tables import Encoder, Overrides, infer_schema
from minicolumn.tabular import TableSettings, plan_table, train_plan
from minicolumn.tabular.calibrate import best_factor, calibrated
from minicolumn.tabular.efforts import EFFORTS
from minicolumn.tabular.knots import table_knots
from minicolumn.tabular.recipe import table_batch, table_network, table_recipe

ROWS = 400


@pytest.fixture(scope="module")
def frame() -> polars.DataFrame:
    """Return rows with a number, a 0/1 column, a word, a word of many levels, and targets of three kinds."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal(ROWS)
    band = np.abs(x) < 0.7
    return polars.DataFrame(
        {
            "x": x,
            "flag": rng.integers(0, 2, ROWS),
            "word": rng.choice(["a", "b", "c"], ROWS),
            "place": rng.choice([f"p{i}" for i in range(40)], ROWS),
            "inside": np.where(band, "yes", "no"),
            "third": np.where(x < -0.5, "low", np.where(x < 0.5, "mid", "high")),
            "height": np.sin(3 * x),
        }
    )


def encoded(frame: polars.DataFrame, target: str) -> tuple[Encoder, np.ndarray]:
    rest = [name for name in ("inside", "third", "height") if name != target]
    encoder = Encoder.fit(frame, infer_schema(frame, target, Overrides(drop=rest)))
    return encoder, encoder.transform(frame)


def layers_of(network: nn.Layer) -> list[Any]:
    assert isinstance(network, nn.Sequential)
    return list(network.layers)


def kinds(network: nn.Layer) -> list[str]:
    assert isinstance(network, nn.Sequential)
    return [type(layer).__name__ for layer in network.layers]


def test_the_network_has_ramps_embeddings_a_scale_and_three_hidden_layers(frame):
    encoder, X = encoded(frame, "inside")
    hidden = ["Dense", "Dropout"] * 2
    recipe = table_recipe(encoder, X)
    assert kinds(recipe.network) == ["ColumnEmbedding", "PiecewiseDense", "Dropout", *hidden, "Dense"]
    plain = table_recipe(encoder, X, optimizer="sgd", dropout=0.0)
    assert kinds(plain.network) == ["PiecewiseLinear", "ColumnEmbedding", "Scale", *["Dense"] * 4]
    moved = [column for column, _ in layers_of(recipe.network)[1].knots]
    codes = [column for column, _ in encoder.embeddings]
    listed = [column for column, _ in layers_of(plain.network)[0].knots]
    assert moved == [column - sum(code < column for code in codes) for column in listed]
    assert recipe.network.output_shape(X.shape[1:]) == (2,)
    assert nn.from_json(nn.to_json(recipe.network)) == recipe.network


def test_outputs_start_at_0(frame):
    encoder, X = encoded(frame, "height")
    network = table_recipe(encoder, X).network
    assert not network.apply(network.init(0, X.shape[1:]), X).any()


@pytest.mark.parametrize(
    ("target", "monitor", "outputs"),
    [("inside", "val_loss", 2), ("third", "val_accuracy", 3), ("height", "val_loss", 1)],
)
def test_each_task_has_its_own_outputs_and_judge(frame, target, monitor, outputs):
    encoder, X = encoded(frame, target)
    recipe = table_recipe(encoder, X)
    assert recipe.monitor == monitor
    assert recipe.network.output_shape(X.shape[1:]) == (outputs,)


def test_what_the_user_says_holds(frame):
    encoder, X = encoded(frame, "inside")
    recipe = table_recipe(
        encoder, X, hidden=(7,), activation="relu", dropout=0.0, optimizer="sgd", learning_rate=0.5,
        batch_size=9, epochs=3, patience=2,
    )  # fmt: skip
    assert isinstance(recipe.network, nn.Sequential)
    first, last = recipe.network.layers[-2:]
    assert isinstance(first, nn.Dense)
    assert isinstance(last, nn.Dense)
    assert (first.units, first.activation, last.units) == (7, "relu", 2)
    assert recipe.optimizer == SGD(0.5)
    assert (recipe.batch_size, recipe.epochs, recipe.patience) == (9, 3, 2)
    assert isinstance(table_recipe(encoder, X, learning_rate=0.5).optimizer, AdamW)


def test_the_form_of_the_layers_fits_the_kind_of_steps(frame):
    encoder, X = encoded(frame, "inside")
    sgd, adam = (table_recipe(encoder, X, optimizer=name).network for name in ("sgd", "adam"))
    assert sgd != adam
    for name in ("gradient_descent", "momentum", "nesterov"):  # SGD by other names
        assert table_recipe(encoder, X, optimizer=name).network == sgd
    for name in ("lion", "muon", "schedule_free_adamw"):
        assert table_recipe(encoder, X, optimizer=name).network == adam
    for around in (lambda inner: Clipped(inner, norm=1.0), Averaged):
        assert table_recipe(encoder, X, optimizer=around(SGD(0.1))).network == sgd
        assert table_recipe(encoder, X, optimizer=around(AdamW(0.1))).network == adam


@given(st.integers(1, 10**7))
def test_batches_are_powers_of_two_and_grow_with_the_rows(rows):
    batch = table_batch(rows)
    assert batch in (32, 64, 128, 256)
    assert batch <= table_batch(rows + 1)


def test_larger_tables_get_fewer_epochs_but_a_bounded_number_of_steps(frame):
    encoder, X = encoded(frame, "inside")
    recipes = [(n, table_recipe(encoder, np.resize(X, (n, X.shape[1])))) for n in (300, 3_000, 30_000)]
    epochs = [recipe.epochs for _, recipe in recipes]
    assert epochs == sorted(epochs, reverse=True)
    assert all(recipe.epochs * n / recipe.batch_size < 2_100 for n, recipe in recipes)


def test_members_of_two_classes_have_two_layers_and_learn_long_enough_but_no_longer(frame):
    encoder, X = encoded(frame, "inside")
    member = table_recipe(encoder, X, effort=EFFORTS["normal"])
    assert kinds(member.network) == [
        "ColumnEmbedding",
        "PiecewiseDense",
        "Dropout",
        "Dense",
        "Dropout",
        "Dense",
    ]
    assert [layers_of(member.network)[place].activation for place in (1, 3)] == ["mish", "mish"]
    rows = (300, 3_000, 30_000, 60_000, 300_000)
    recipes = [
        table_recipe(encoder, np.resize(X, (n, X.shape[1])), effort=EFFORTS["normal"]).epochs for n in rows
    ]
    assert recipes == [16, 16, 16, 10, 8]


def test_a_quick_effort_has_half_the_epochs_also_of_two_classes_but_never_fewer_than_eight(frame):
    for target, usual, quick in (("inside", [16, 16, 8], [8, 8, 8]), ("third", [107, 22, 15], [53, 11, 8])):
        encoder, X = encoded(frame, target)
        many = [np.resize(X, (rows, X.shape[1])) for rows in (3_000, 15_000, 300_000)]
        found = {
            name: [table_recipe(encoder, each, effort=EFFORTS[name]).epochs for each in many]
            for name in ("quick", "normal")
        }
        assert (target, found["normal"], found["quick"]) == (target, usual, quick)


def test_a_quick_effort_has_more_networks_that_learn_for_shorter_where_rows_are_few():
    few, many = (EFFORTS["quick"].for_rows(rows) for rows in (2_999, 3_000))
    assert (few.members, few.share, few.hidden) == (4, 1 / 6, many.hidden)
    assert (many.members, many.share) == (2, 0.5)
    assert all(EFFORTS[name].for_rows(10) is EFFORTS[name] for name in ("normal", "high"))


def test_members_of_many_classes_learn_more_slowly_from_few_rows(frame):
    encoder, X = encoded(frame, "third")
    few, many = (
        table_recipe(encoder, np.resize(X, (rows, X.shape[1])), effort=EFFORTS["normal"])
        for rows in (2_999, 3_000)
    )
    assert isinstance(few.optimizer, AdamW)
    assert isinstance(many.optimizer, AdamW)
    assert few.optimizer.learning_rate == few.ways[0][1] == 0.03
    assert many.optimizer.learning_rate == many.ways[0][1] == 0.08


def test_only_columns_of_many_numbers_get_ramps(frame):
    encoder, X = encoded(frame, "inside")
    knots = table_knots(encoder, X)
    assert [encoder.features[column] for column, _ in knots] == ["x"]
    assert all(len(rising) <= ROWS // 20 + 1 for _, rising in knots)


def test_few_distinct_numbers_have_a_knot_at_each_beside_columns_of_many(frame):
    encoder, _ = encoded(frame, "inside")
    plain = Encoder((), encoder.target, encoder.task, "robust", encoder.classes)
    rng = np.random.default_rng(0)
    gains = np.sort(rng.exponential(size=100)).astype(np.float32)
    many = rng.standard_normal((3, 5_000)).round(2)
    X = np.stack([rng.choice(gains, 5_000), *many], axis=1).astype(np.float32)
    few, *others = (np.array(rising, np.float32) for _, rising in table_knots(plain, X))
    assert np.array_equal(few, np.unique(X[:, 0]))
    assert all(32 < len(rising) <= 65 for rising in others)


def test_ramps_that_columns_of_few_numbers_leave_are_shared_by_the_others(frame):
    encoder, _ = encoded(frame, "inside")
    plain = Encoder((), encoder.target, encoder.task, "robust", encoder.classes)
    rng = np.random.default_rng(0)
    few = rng.choice(np.arange(12) ** 2, (5_000, 10))
    X = np.hstack([few, rng.exponential(size=(5_000, 10)).round(2)])
    counts = {column: len(rising) - 1 for column, rising in table_knots(plain, X)}
    assert [counts[column] for column in range(10)] == [11] * 10
    assert all(512 / 20 < counts[column] <= 40 for column in range(10, 20))  # 40 = (512 - 110) / 10


def test_all_ramps_together_are_bounded_and_very_wide_tables_get_none(frame):
    encoder, _ = encoded(frame, "inside")
    plain = Encoder((), encoder.target, encoder.task, "robust", encoder.classes)
    rng = np.random.default_rng(0)
    for columns in (1, 20, 128):
        knots = table_knots(plain, rng.standard_normal((5_000, columns)))
        assert len(knots) == columns
        assert sum(len(rising) - 1 for _, rising in knots) <= 512
    assert table_knots(plain, rng.standard_normal((5_000, 129))) == ()
    assert table_knots(plain, rng.standard_normal((79, 1))) == ()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 3.0), st.integers(0, 2**31))
def test_the_factor_undoes_what_made_a_model_too_sure_or_too_shy(wrong, seed):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((4_000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (rng.random((4_000, 1)) > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 2)
    shown = np.exp(wrong * logits) / np.exp(wrong * logits).sum(axis=1, keepdims=True)
    # The estimate from 4,000 rows has a spread of about 0.03; five of those, and the draw towards 1.
    assert best_factor(shown, y) * wrong == pytest.approx(1.0, abs=0.2)


def test_without_rows_to_say_otherwise_the_factor_is_1():
    even = np.full((4, 2), 0.5)
    assert best_factor(even, np.array([0, 1, 0, 1])) == pytest.approx(
        1.0, abs=1e-4
    )  # the search stops at 1e-6


def test_a_vanished_probability_of_the_right_class_stays_finite():
    assert np.isfinite(best_factor(np.array([[0.0, 1.0]], np.float32), np.array([0])))


def test_calibrating_keeps_the_likeliest_class_and_lowers_the_loss():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((500, 4)).astype(np.float32)
    y = (X[:, 0] + rng.standard_normal(500) > 0).astype(np.int32)
    network = nn.Sequential(nn.Dense(8, "tanh"), nn.Dense(2))
    params = network.init(0, (4,))
    params["1"]["weight"] = params["1"]["weight"] * np.float32(30.0)
    before = Model(network, params, (4,), "softmax_cross_entropy")
    after = calibrated(before, X, y)
    assert np.array_equal(before.predict(X).argmax(axis=1), after.predict(X).argmax(axis=1))
    assert after.evaluate(X, y)["log_loss"] < before.evaluate(X, y)["log_loss"]
    assert after.training["temperature"] > 1
    assert "temperature" not in before.training


def test_calibrating_needs_a_linear_last_layer():
    network = nn.Sequential(nn.Dense(2, "tanh"))
    model = Model(network, network.init(0, (1,)), (1,), "softmax_cross_entropy")
    with pytest.raises(DataError, match="expected a linear Dense"):
        calibrated(model, np.zeros((2, 1)), np.array([0, 1]))


def test_no_dropout_and_no_hidden_layers_are_networks_too(frame):
    encoder, _ = encoded(frame, "height")
    assert kinds(table_network(encoder, (), (), (), 0.0)) == ["ColumnEmbedding", "Scale", "Dense"]


def test_many_embedded_columns_share_a_table_and_few_keep_their_own():
    rows = np.arange(1_000 * 40).reshape(40, 1_000) * 7919 % 13
    frame = polars.DataFrame({f"c{k}": [f"level {code}" for code in rows[:, k]] for k in range(1_000)})
    target = polars.Series("y", ["a", "b"] * 20)
    for columns, shared in ((16, False), (17, True), (1_000, True)):
        part = frame[:, :columns].with_columns(target)
        encoder = Encoder.fit(part, infer_schema(part, "y"))
        recipe = table_recipe(encoder, encoder.transform(part))
        embedding = next(
            layer for _, layer in named_layers(recipe.network) if isinstance(layer, nn.ColumnEmbedding)
        )
        assert (len(embedding.embeddings), embedding.shared) == (columns, shared)
        assert extent(recipe.network, (columns,)).operations < 150


@pytest.mark.parametrize(("target", "score", "least"), [("inside", "accuracy", 0.9), ("height", "r2", 0.6)])
def test_the_recipe_learns_what_is_no_straight_line(frame, target, score, least):
    rest = tuple(name for name in ("inside", "third", "height") if name != target)
    run = train_plan(
        plan_table(frame, TableSettings(target, overrides=Overrides(drop=rest), hidden=(32, 32), epochs=24))
    )
    # A straight line reaches the share of the larger class, 0.52, and an r2 below 0.2.
    assert run.metrics[score] > least
