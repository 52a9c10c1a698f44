"""A trained network: predictions of every shape, scores, raw rows, and the file that gives it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

import minicolumn as mc
from minicolumn.ir.interpret import interpret
from minicolumn.model import Model
from minicolumn.model.raw_rows import TABLE_ROWS
from minicolumn.tables import Encoder, infer_schema

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
CODES = np.arange(40) % 3


def _model(outputs: int = 3, loss: str = "softmax_cross_entropy", dtype: Any = np.float32) -> Model:
    net = mc.nn.Sequential(mc.nn.Dense(8, "gelu"), mc.nn.Dropout(0.5), mc.nn.Dense(outputs))
    params = net.init(1, (3,), dtype)
    params["2"]["bias"] = params["2"]["bias"] + np.arange(outputs).astype(dtype)
    return Model(net, params, (3,), loss)


# Predictions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "outputs", "expected"),
    [
        ("softmax_cross_entropy", 3, (40, 3)),
        ("binary_cross_entropy", 1, (40,)),
        ("binary_cross_entropy", 4, (40, 4)),
        ("squared_error", 1, (40,)),
        ("squared_error", 2, (40, 2)),
        ("poisson", 1, (40,)),
        ("", 1, (40,)),
    ],
)
def test_shapes_and_ranges(loss: str, outputs: int, expected: tuple[int, ...]) -> None:
    found = _model(outputs, loss).predict(X)
    assert found.shape == expected
    assert found.dtype == np.float32
    if "cross_entropy" in loss:
        assert ((found >= 0) & (found <= 1)).all()
    if loss.startswith("softmax"):
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)  # a few roundings in float32
    if loss == "poisson":
        assert (found > 0).all()


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_and_none(outputs: int, rows: int) -> None:
    found = _model(outputs, "squared_error").predict(X[:rows])
    assert found.shape == ((rows,) if outputs == 1 else (rows, outputs))
    assert found.dtype == np.float32


# Rows are worked on in blocks of 256: less than one, one, one and a bit, several, several and a bit.
@pytest.mark.parametrize("rows", [1, 7, 255, 256, 257, 512, 600])
def test_blocks_change_nothing(rows: int) -> None:
    model = _model(dtype=np.float64)
    many, codes, weight = RNG.standard_normal((rows, 3)), np.arange(rows) % 3, np.arange(rows) + 1.0
    [whole] = interpret(model.graph())(many)  # in one go, by the meaning of the graph
    # Products of matrices of other sizes add up in another order.
    np.testing.assert_allclose(model.predict(many), whole, rtol=1e-13)
    losses = -np.log(whole[np.arange(rows), codes])
    expected = np.average(losses, weights=weight), np.mean(whole.argmax(axis=1) == codes)
    found = model.evaluate(many, codes, weight, metrics=["accuracy"])
    assert (found["loss"], found["accuracy"]) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [500, 1_800])  # 256 and 244, 7 x 256 and 8: filled up, and by eights
def test_a_last_block_that_is_filled_up_gives_the_bits_of_few_rows(rows: int, dtype: Any) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(65, "mish", parametrization="ntk"), mc.nn.Dense(3))
    model = mc.Model(net, net.init(0, (70,), dtype), (70,), "softmax_cross_entropy")
    many = np.random.default_rng(0).standard_normal((rows, 70)).astype(dtype)
    pieces = [model.predict(many[start : start + 90]) for start in range(0, rows, 90)]
    np.testing.assert_array_equal(model.predict(many), np.concatenate(pieces))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, np.uint8, np.int64, bool])
def test_inputs_of_any_real_dtype(kind: Any) -> None:
    small = RNG.integers(0, 2, (5, 3))
    np.testing.assert_array_equal(_model().predict(small.astype(kind)), _model().predict(small))
    np.testing.assert_array_equal(_model().predict(small.tolist()), _model().predict(small))


def test_results_are_the_callers_own() -> None:
    model = _model()
    first = model.predict(X)
    first[:] = 0.0
    assert model.predict(X).any()


def test_nan_and_infinity_go_through() -> None:
    found = _model(1, "squared_error").predict(np.array([[np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]]))
    assert not np.isfinite(found).any()


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_a_number_beyond_the_networks_dtype_is_refused(rows: int) -> None:
    given = np.zeros((rows, 3))
    given[-1, 1] = -1e300
    with pytest.raises(mc.DataError, match=r"X holds numbers up to 1e\+300, beyond the largest float32"):
        _model(1, "squared_error").predict(given)


@pytest.mark.parametrize(
    ("rows", "kind", "message"),
    [
        (X[0], mc.ShapeError, r"X has shape \[3\], expected \[rows, 3\]; for one row write X\[None\]"),
        (X[:, :2], mc.ShapeError, r"X has shape \[40, 2\], expected \[rows, 3\]"),
        (X[None], mc.ShapeError, r"X has shape \[1, 40, 3\]"),
        (np.float64(3.0), mc.DataError, "X must be an array of numbers"),
        (np.full((2, 3), "a"), mc.DataError, "X must be an array of numbers"),
        (np.full((2, 3), None), mc.DataError, "X must be an array of numbers"),
    ],
)
def test_rows_that_do_not_fit(rows: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=f"predict: {message}"):
        _model().predict(rows)
    with pytest.raises(kind, match="evaluate: "):
        _model().evaluate(rows, np.zeros(len(np.atleast_1d(rows)), int))


def test_a_networks_repr_is_the_models() -> None:
    assert repr(_model(2)) == (
        "Model(Sequential(Dense(8, activation='gelu'), Dropout(0.5), Dense(2)), input_shape=(3,))"
    )


# Scores -----------------------------------------------------------------------------------------------------


def test_scores_of_classes_are_scikit_learns() -> None:
    model = _model(dtype=np.float64)
    p = model.predict(X)
    weight = RNG.random(40)
    assert model.evaluate(X, CODES, weight) == {
        "loss": pytest.approx(oracle.log_loss(CODES, p, sample_weight=weight)),
        "accuracy": pytest.approx(oracle.accuracy_score(CODES, p.argmax(axis=1))),
        "balanced_accuracy": pytest.approx(oracle.balanced_accuracy_score(CODES, p.argmax(axis=1))),
        "log_loss": pytest.approx(oracle.log_loss(CODES, p)),
        "roc_auc": pytest.approx(oracle.roc_auc_score(CODES, p, multi_class="ovr")),
    }


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, bool])
def test_scores_of_yes_or_no_in_every_form(kind: Any) -> None:
    model = _model(1, "binary_cross_entropy", np.float64)
    y = (CODES > 0).astype(kind)
    p = model.predict(X)
    found = model.evaluate(X, y)
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, p))
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y > 0, p > 0.5))
    assert found["loss"] == pytest.approx(oracle.log_loss(y, p))
    assert model.evaluate(X, y[:, None]) == found


def test_scores_of_numbers_in_one_column_or_in_none() -> None:
    model = _model(1, "absolute_error", np.float64)
    y = RNG.standard_normal(40)
    found = model.evaluate(X, y)
    assert found["r2"] == pytest.approx(oracle.r2_score(y, model.predict(X)))
    assert found["loss"] == pytest.approx(found["mae"])
    assert model.evaluate(X.tolist(), y[:, None].tolist()) == found


def test_targets_without_one_answer_a_row_have_a_loss_alone() -> None:
    assert set(_model(4, "binary_cross_entropy").evaluate(X, np.full((40, 4), 0.5))) == {"loss"}
    assert set(_model(1, "binary_cross_entropy").evaluate(X, np.full(40, 0.3))) == {"loss"}
    assert set(_model().evaluate(X, np.full((40, 3), 1 / 3))) == {"loss"}


def test_scores_of_several_yes_or_no_answers_are_means_over_them() -> None:
    model = _model(4, "binary_cross_entropy", np.float64)
    y, p = (RNG.random((40, 4)) < 0.4).astype(int), model.predict(X)
    found = model.evaluate(X, y, metrics=["accuracy", "log_loss", "roc_auc", "f1"])
    assert found == {
        "loss": pytest.approx(found["log_loss"]),
        "accuracy": pytest.approx(1.0 - oracle.hamming_loss(y, p > 0.5)),
        "log_loss": pytest.approx(np.mean([oracle.log_loss(t, q) for t, q in zip(y.T, p.T, strict=True)])),
        "roc_auc": pytest.approx(oracle.roc_auc_score(y, p, average="macro")),
        "f1": pytest.approx(oracle.f1_score(y, p > 0.5, average="macro")),
    }


@pytest.mark.parametrize(("loss", "outputs"), [("hinge", 1), ("squared_hinge", 1), ("categorical_hinge", 3)])
def test_margins_are_scored_but_are_no_probabilities(loss: str, outputs: int) -> None:
    model = _model(outputs, loss, np.float64)
    margins, y = model.predict(X), CODES if outputs > 1 else CODES % 2
    found = model.evaluate(X, y)
    guess = margins.argmax(axis=1) if outputs > 1 else margins > 0
    assert found.keys() == {"loss", "accuracy", "balanced_accuracy", "roc_auc"}
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y, guess))
    if outputs == 1:
        assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, margins))
    with pytest.raises(mc.DataError, match="has no metric 'log_loss'"):
        model.evaluate(X, y, metrics=["log_loss"])


def test_quantiles_are_scored_by_their_middle() -> None:
    model = replace(_model(3, "quantile", np.float64), loss_settings={"levels": (0.1, 0.6, 0.9)})
    y, p = RNG.standard_normal(40), model.predict(X)
    assert p.shape == (40, 3)
    assert model.evaluate(X, y)["mae"] == pytest.approx(oracle.mean_absolute_error(y, p[:, 1]))
    found = model.evaluate(X, y[:, None], metrics=["pinball", "r2", "interval_coverage"])
    assert list(found) == ["loss", "pinball", "r2", "interval_coverage"]
    assert found["pinball"] == pytest.approx(found["loss"])
    assert found["interval_coverage"] == pytest.approx(np.mean((p[:, 0] <= y) & (y <= p[:, 2])))
    assert found["r2"] == pytest.approx(oracle.r2_score(y, p[:, 1]))
    single = _model(1, "quantile")
    assert set(single.evaluate(X, y, metrics=["pinball"])) == {"loss", "pinball"}
    with pytest.raises(mc.DataError, match="has no metric 'interval_coverage'"):
        single.evaluate(X, y, metrics=["interval_coverage"])


def test_a_mean_with_its_spread_is_scored_by_the_mean() -> None:
    model = _model(2, "gaussian_nll", np.float64)
    y, p = RNG.standard_normal(40), model.predict(X)
    assert model.evaluate(X, y)["r2"] == pytest.approx(oracle.r2_score(y, p[:, 0]))


def test_own_scores_beside_named_ones() -> None:
    model, weight = _model(1, "squared_error", np.float64), RNG.random(40)
    y = RNG.standard_normal(40)

    def worst(y: Any, predicted: Any, sample_weight: Any = None) -> float:
        assert y.shape == predicted.shape == (40,)
        return float(np.max(np.abs(y - predicted) * (1.0 if sample_weight is None else sample_weight)))

    off = np.abs(y - model.predict(X))
    found = model.evaluate(X, y[:, None], metrics=["mae", worst, ("again", worst)])
    assert list(found) == ["loss", "mae", "worst", "again"]
    assert found["worst"] == found["again"] == pytest.approx(off.max())
    assert model.evaluate(X, y, weight, metrics=[worst])["worst"] == pytest.approx((off * weight).max())
    assert set(model.evaluate(X, y, metrics=[])) == {"loss"}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (CODES[:5], "X has 40 rows and y 5"),
        (CODES + 1, "y holds class numbers from 1 to 3, but the network has 3 outputs"),
        (np.array(["a"] * 40), "y must hold numbers"),
        (np.full(40, np.nan), "y holds NaN"),
    ],
)
def test_targets_that_do_not_fit(y: Any, message: str) -> None:
    with pytest.raises((mc.ShapeError, mc.DataError), match=f"evaluate: {message}"):
        _model().evaluate(X, y)


def test_what_an_own_loss_cannot_do() -> None:
    model = _model(loss="")
    for call in (lambda: model.evaluate(X, CODES), lambda: model.save("never.safetensors")):
        with pytest.raises(mc.DataError, match="own loss function"):
            call()


def test_a_model_of_arrays_has_no_table() -> None:
    with pytest.raises(mc.DataError, match=r"trained on arrays.*predict\(X\)"):
        _model().predict_table(polars.DataFrame({"a": [1]}))


# The file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_file_gives_the_same_bits_back(dtype: Any, tmp_path: Path) -> None:
    model = _model(dtype=dtype)
    model.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    assert found.predict(X).tobytes() == model.predict(X).tobytes()
    assert found.evaluate(X, CODES) == model.evaluate(X, CODES)
    assert (found.network, found.input_shape, found.loss, found.dtype) == (
        model.network,
        (3,),
        model.loss,
        dtype,
    )
    assert found.table is found.schema is None


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        (mc.nn.Loss("huber", delta=2.5), 1),
        (mc.nn.Loss("quantile", levels=(0.1, 0.5, 0.9)), 3),
        (mc.nn.Loss("softmax_focal", gamma=1.0), 3),
        (mc.nn.Loss("tweedie"), 1),
    ],
    ids=str,
)
def test_settings_of_the_loss_travel_with_it(loss: mc.nn.Loss, outputs: int, tmp_path: Path) -> None:
    run = mc.fit(_model(outputs).network, X, CODES % 2, loss=loss, epochs=1)
    assert (run.model.loss, run.model.loss_record) == (loss.name, loss)
    run.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    assert found.loss_record == loss
    assert found.evaluate(X, CODES % 2) == run.evaluate(X, CODES % 2)
    assert found.predict(X).tobytes() == run.predict(X).tobytes()
    assert mc.nn.Loss.from_json(found.training["loss"]) == loss


def test_history_and_settings_travel_with_it(tmp_path: Path) -> None:
    run = mc.fit(_model().network, X, CODES, epochs=2, validation_fraction=0.2)
    run.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    assert found.history == list(run.history)
    assert found.training == {**run.model.training, "card": run.model.card.to_json()}


# Raw rows ---------------------------------------------------------------------------------------------------

FRAME = polars.DataFrame(
    {
        "size": [f"{v:.3f}" for v in RNG.standard_normal(60)],
        "kind": [["oak", "elm", "fir"][i % 3] for i in range(60)],
        "price": [f"{100 + 10 * v:.2f}" for v in RNG.standard_normal(60)],
        "grade": [["low", "mid", "top"][i * 7 % 3] for i in range(60)],
    }
)


def _from_table(target: str, task: str | None = None) -> Model:
    schema = infer_schema(FRAME, target, task=task)
    encoder = Encoder.fit(FRAME, schema)
    outputs = len(encoder.classes) if encoder.classes else 1
    net = mc.nn.Sequential(mc.nn.Dense(8, "relu"), mc.nn.Dense(outputs))
    shape = (len(encoder.features),)
    loss = "softmax_cross_entropy" if encoder.classes else "squared_error"
    return Model(net, net.init(0, shape), shape, loss, table=encoder, schema=schema)


@pytest.mark.parametrize("target", ["grade", "price"])
def test_columns_may_come_in_any_order_and_with_others(target: str) -> None:
    model = _from_table(target)
    expected = model.predict_table(FRAME)
    mixed = FRAME.with_columns(extra=polars.lit("x")).select("extra", "price", "kind", "grade", "size")
    np.testing.assert_array_equal(model.predict_table(mixed), expected)
    np.testing.assert_array_equal(model.predict_table(mixed.drop(target)), expected)
    np.testing.assert_array_equal(model.predict_table(FRAME[::-1])[::-1], expected)
    np.testing.assert_array_equal(model.predict_table(FRAME.to_dicts()), expected)
    np.testing.assert_array_equal(model.predict_table(FRAME.to_dict(as_series=False)), expected)
    with pytest.raises(mc.DataError, match=r"nowhere\.csv"):
        model.predict_table("nowhere.csv")


@pytest.mark.parametrize("target", ["grade", "price"])
def test_tables_in_blocks(target: str) -> None:
    model = _from_table(target)
    expected, scores = model.predict_table(FRAME), model.evaluate_table(FRAME)
    times = 3 * TABLE_ROWS // FRAME.height  # so that blocks end in the midst of a copy
    many = polars.concat([FRAME] * times)
    assert many.height % TABLE_ROWS
    np.testing.assert_array_equal(model.predict_table(many), np.tile(expected, times))
    # Sums over more rows add up in another order.
    assert model.evaluate_table(many) == pytest.approx(scores, rel=1e-5)
    assert len(model.predict_table(FRAME[:0])) == 0


@pytest.mark.parametrize(
    ("loss", "outputs"), [("gaussian_nll", 1), ("gaussian_nll", 3), ("squared_error", 2)]
)
def test_networks_that_do_not_give_what_the_loss_describes_are_refused(loss: str, outputs: int) -> None:
    model = _from_table("price")
    net = mc.nn.Sequential(mc.nn.Dense(outputs))
    wrong = replace(model, network=net, params=net.init(0, model.input_shape), loss=loss)
    for call in (wrong.predict_table, wrong.score_table):
        with pytest.raises(mc.DataError, match=r"numbers a row; .* describe one number by [12]"):
            call(FRAME)


def test_raw_rows_given_as_arrays_are_told_where_to_go() -> None:
    model = _from_table("grade")
    assert model.classes == ("low", "mid", "top")
    assert _from_table("price").classes is None
    for call, name in (
        (model.predict, "predict_table"),
        (lambda X: model.evaluate(X, [0]), "evaluate_table"),
    ):
        with pytest.raises(mc.DataError, match=f"raw rows of a table are for `{name}`"):
            call(FRAME)


def test_labels_and_probabilities_agree() -> None:
    model = _from_table("grade")
    p = model.predict_proba_table(FRAME)
    assert model.table is not None
    assert p.shape == (60, 3)
    np.testing.assert_array_equal(np.array(model.table.classes)[p.argmax(axis=1)], model.predict_table(FRAME))
    with pytest.raises(mc.DataError, match="'price' is a number; it has no class probabilities"):
        _from_table("price").predict_proba_table(FRAME)


def test_scores_are_in_the_targets_unit() -> None:
    model = _from_table("price")
    scores, right, guess = model.score_table(FRAME)
    price = FRAME["price"].cast(polars.Float64).to_numpy()
    # The target goes through float32 on its way: seven digits of a number around 100.
    np.testing.assert_allclose(right, price, rtol=1e-6)
    np.testing.assert_array_equal(guess, model.predict_table(FRAME))
    assert scores["rmse"] == pytest.approx(np.sqrt(np.mean((price - guess) ** 2)), rel=1e-5)


def test_rows_without_a_target_are_left_out() -> None:
    model = _from_table("grade")
    gaps = FRAME.with_columns(grade=polars.when(polars.int_range(60) < 50).then("grade").otherwise(None))
    assert model.evaluate_table(gaps) == model.evaluate_table(FRAME[:50])
    with pytest.raises(mc.DataError, match="no row has a target 'grade'"):
        model.evaluate_table(gaps[50:])
    with pytest.raises(mc.DataError, match="no target column 'grade'; did you mean 'grades'"):
        model.evaluate_table(FRAME.rename({"grade": "grades"}))
    with pytest.raises(mc.DataError, match="size"):
        model.predict_table(FRAME.drop("size"))


@pytest.mark.parametrize("target", ["grade", "price"])
def test_a_table_model_from_a_file_says_the_same(target: str, tmp_path: Path) -> None:
    model = _from_table(target)
    model.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(found.predict_table(FRAME), model.predict_table(FRAME))
    assert found.evaluate_table(FRAME) == model.evaluate_table(FRAME)
    assert (found.table, found.schema) == (model.table, model.schema)


def test_a_model_without_its_schema_still_predicts(tmp_path: Path) -> None:
    model = replace(_from_table("grade"), schema=None)
    model.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    assert found.schema is None
    np.testing.assert_array_equal(found.predict_table(FRAME), model.predict_table(FRAME))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    units=st.lists(st.integers(1, 130), min_size=1, max_size=3),
    fan_in=st.integers(1, 200),
    activation=st.sampled_from(["relu", "tanh", "gelu", "softplus", "sine"]),
    rows=st.integers(1, 600),
    data=st.data(),
)
@settings(max_examples=15, deadline=None)
def test_a_row_gets_the_same_bits_whatever_stands_beside_it(
    dtype: Any, units: list[int], fan_in: int, activation: str, rows: int, data: Any
) -> None:
    net = mc.nn.Sequential(*(mc.nn.Dense(n, activation) for n in units[:-1]), mc.nn.Dense(units[-1]))
    loss = "softmax_cross_entropy" if units[-1] > 1 else "squared_error"
    model = mc.Model(net, net.init(0, (fan_in,), dtype), (fan_in,), loss)
    X = np.random.default_rng(0).standard_normal((rows, fan_in)).astype(dtype)
    together = model.predict(X)
    start = data.draw(st.integers(0, rows - 1))
    end = data.draw(st.integers(start + 1, rows))
    np.testing.assert_array_equal(model.predict(X[start:end]), together[start:end])
    np.testing.assert_array_equal(model.predict(X[::-1])[::-1], together)
