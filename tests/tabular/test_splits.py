"""Groups, times, weights, thresholds and folds: which rows train, how much they count, what is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.tables import Overrides, read_table
from minicolumn.tabular import TableSettings, plan_table
from minicolumn.tabular.folds import cross_validate
from minicolumn.tabular.splits import group_numbers
from minicolumn.tabular.thresholds import Threshold, check_threshold
from minicolumn.tabular.weights import check_class_weight, class_weights

ROWS = 120
RNG = np.random.default_rng(0)
FRAME = polars.DataFrame(
    {
        "x": RNG.standard_normal(ROWS),
        "z": RNG.standard_normal(ROWS),
        "who": [f"p{i % 12}" for i in range(ROWS)],
        "day": [f"{i % 28 + 1:02d}.{i % 12 + 1:02d}.20{10 + i % 9}" for i in RNG.permutation(ROWS)],
        "w": [float(i % 3) for i in range(ROWS)],
        "y": RNG.standard_normal(ROWS),
        "label": [("rare", "often")[int(i % 6 > 0)] for i in range(ROWS)],
    }
)


def plan(target: str = "y", **said: Any) -> Any:
    beside = {"y": "label", "label": "y"}[target]
    overrides = Overrides(drop=beside, **said)
    return plan_table(FRAME, TableSettings(target, overrides=overrides, hidden=(4,), epochs=2))


@pytest.mark.parametrize("target", ["y", "label"])
def test_a_group_stays_on_one_side_of_every_split(target: str) -> None:
    found = plan(target, groups="who")
    sides = [set(part.frame["who"]) for part in (found.train, found.validation, found.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 12
    assert "who" not in {column.name for column in found.schema.columns}


def test_the_latest_rows_are_tested() -> None:
    found = plan(time_order="day")
    dates = [
        part.frame["day"].str.to_datetime("%d.%m.%Y") for part in (found.train, found.validation, found.test)
    ]
    assert dates[0].max() <= dates[1].min()  # type: ignore[operator]
    assert dates[1].max() <= dates[2].min()  # type: ignore[operator]
    assert len(dates[2]) == ROWS // 4
    with pytest.raises(DataError, match="time_order: column 'label' is"):
        plan_table(FRAME, TableSettings("y", overrides=Overrides(time_order="label")))


def test_groups_are_numbered_alike_each_time() -> None:
    names = polars.Series("group", [f"g{n}" for n in range(300)])
    np.testing.assert_array_equal(group_numbers(names), np.arange(300))
    np.testing.assert_array_equal(group_numbers(polars.concat([names, names])), np.tile(np.arange(300), 2))


def test_weights_count_in_the_training() -> None:
    found = plan(weight="w")
    np.testing.assert_array_equal(found.train.weight, found.train.frame["w"])
    np.testing.assert_array_equal(found.validation.weight, found.validation.frame["w"])
    for odd in (-1.0, None, float("inf")):
        rows = FRAME.with_columns(w=polars.Series([odd] + [1.0] * (ROWS - 1)))
        with pytest.raises(DataError, match=r"weight: column 'w', row 1: expected a number >= 0"):
            plan_table(rows, TableSettings("y", overrides=Overrides(weight="w")))


def test_balanced_classes_weigh_the_same() -> None:
    codes = np.array([0] * 5 + [1] * 20)
    weights = class_weights("balanced", ("a", "b"), codes)
    assert weights is not None
    sums = np.bincount(codes, weights[codes])
    np.testing.assert_allclose(sums, [12.5, 12.5], rtol=1e-12)  # rounding
    given = class_weights(check_class_weight("", {"a": 4}), ("a", "b"), codes)
    assert given is not None
    np.testing.assert_array_equal(given, [4.0, 1.0])
    absent = class_weights("balanced", ("a", "b", "c"), codes)
    assert absent is not None
    np.testing.assert_allclose(absent, [2.5, 0.625, 1.0])
    with pytest.raises(DataError, match="'c' is no class of the target"):
        class_weights({"c": 1.0}, ("a", "b"), codes)
    with pytest.raises(DataError, match="class weights are for classes"):
        mc.fit_table(FRAME, "y", class_weight="balanced")
    with pytest.raises(DataError, match="did you mean 'balanced'"):
        mc.fit_table(FRAME, "label", class_weight="balance")


P_AND_Y = st.lists(st.tuples(st.sampled_from([0.05, 0.2, 0.3, 0.5, 0.71, 0.9]), st.booleans()), min_size=2)


@given(P_AND_Y, st.sampled_from([0.5, 1.0, 7.0]))
def test_the_best_threshold_is_the_best_of_all(rows: list[tuple[float, bool]], missed: float) -> None:
    p, y = np.array([p for p, _ in rows]), np.array([int(y) for _, y in rows])

    def cost(cut: float) -> float:
        guess = p >= cut
        return float(np.sum(guess & (y == 0)) + missed * np.sum(~guess & (y == 1)))

    def f1(cut: float) -> float:
        hit = np.sum((p >= cut) & (y == 1))
        return float(2 * hit / max(np.sum(p >= cut) + y.sum(), 1))

    cuts = np.linspace(0.001, 0.999, 400)
    assert cost(Threshold("cost", false_negative=missed).best(p, y)) == min(map(cost, cuts))
    assert f1(Threshold("f1").best(p, y)) == max(map(f1, cuts))


@pytest.mark.parametrize(
    "said", [0.0, 1.0, "f2", "cost:false_positiv=1", "cost:false_negative=-1", [], "nan"]
)
def test_a_threshold_that_cannot_be_meant(said: Any) -> None:
    with pytest.raises(DataError, match="threshold: "):
        check_threshold("threshold", said)


def test_the_threshold_decides_what_is_predicted(tmp_path: Any) -> None:
    frame = FRAME.drop("y", "who", "day", "w").with_columns(label=FRAME["label"])
    run = mc.fit_table(frame, "label", threshold=0.9, epochs=3, hidden=4)
    p = run.model.predict_proba_table(frame)[:, 1]
    assert set(run.model.predict_table(frame)[p < 0.9]) <= {"often"}
    assert list(run.model.predict_table(frame)) == [("often", "rare")[int(v >= 0.9)] for v in p]
    run.save(tmp_path / "m.safetensors")
    assert list(mc.load(tmp_path / "m.safetensors").predict_table(frame)) == list(run.predict(frame))
    with pytest.raises(DataError, match="threshold: the target 'y' has not two classes"):
        mc.fit_table(FRAME, "y", threshold=0.3)


@pytest.mark.parametrize("said", [{}, {"groups": "who"}, {"time_order": "day"}])
def test_every_fold_tests_rows_that_it_has_not_seen(said: dict[str, Any]) -> None:
    tested: list[int] = []
    settings = TableSettings(
        "y",
        overrides=Overrides(drop="label", **said),
        hidden=(4,),
        epochs=1,
    )
    folds = cross_validate(FRAME, settings, 3, watch=lambda _, run: tested.append(run.rows["test"]))
    assert len(folds.metrics) == 3
    assert sum(tested) == (90 if "time_order" in said else ROWS)
    assert set(folds.mean) == {"r2", "rmse", "mae"}
    with pytest.raises(DataError, match="folds: "):
        cross_validate(FRAME, settings, 1)


def test_folds_of_classes_keep_their_shares() -> None:
    seen = []
    settings = TableSettings("Species", hidden=(4,), epochs=1)
    cross_validate(read_table("penguins"), settings, 4, watch=lambda _, run: seen.append(run.confusion))
    rows = np.array([confusion.sum(axis=1) for confusion in seen])
    assert (rows.max(axis=0) - rows.min(axis=0) <= 1).all()


@pytest.mark.parametrize("size", [1e300, 1e-38])
def test_weights_out_of_the_range_of_float32_name_their_column(size: float):
    frame = polars.DataFrame({"x": range(40), "w": [size] * 40, "y": ["a", "b"] * 20})
    with pytest.raises(DataError, match=f"weight: column 'w' goes up to {size:g}".replace("+", r"\+")):
        plan_table(frame, TableSettings("y", overrides=Overrides(weight="w")))
