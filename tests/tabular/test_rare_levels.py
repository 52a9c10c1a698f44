"""Rare levels share one code where the rows that train cannot tell what they do, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars
import pytest

from minicolumn.tables import Overrides, infer_schema
from minicolumn.tables.inputs.categories import OTHER, CategoryInput
from minicolumn.tabular import TablePlan, TableSettings, plan_table
from minicolumn.tabular.rare_levels import said_of_rare_levels

LEVELS, ROWS = 1_000, 6_000


def table(share: float, *, integers: bool = False) -> polars.DataFrame:
    """Return rows of which `who`, of about six rows each, tells a share of the target's variance."""
    rng = np.random.default_rng(5)
    who, x = rng.integers(0, LEVELS, ROWS), rng.standard_normal(ROWS)
    noise = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(ROWS)
    y = np.sqrt(share) * rng.standard_normal(LEVELS)[who] + np.sqrt(1 - share) * noise
    codes = rng.permutation(90_000)[:LEVELS][who]
    return polars.DataFrame({"x": x, "who": codes if integers else [f"k{code}" for code in codes], "y": y})


def planned(frame: polars.DataFrame, target: str = "y", **said: object) -> TablePlan:
    return plan_table(frame, TableSettings(target, overrides=Overrides(**said)))  # type: ignore[arg-type]


def levels_of(plan: TablePlan) -> CategoryInput | None:
    return next((part for part in plan.encoder.inputs if isinstance(part, CategoryInput)), None)


@pytest.mark.parametrize("target", ["y", "late"])
@pytest.mark.parametrize("integers", [False, True], ids=["words", "integers"])
def test_a_category_that_tells_nothing_changes_nothing(target: str, integers: bool):
    frame = table(0.0, integers=integers).with_columns(late=polars.col("y") > 0.8)
    frame = frame.drop("late" if target == "y" else "y")
    plan, without = planned(frame, target, category="who"), planned(frame.drop("who"), target)
    # The same matrix, and so the same network to the bit: no worse by any score.
    np.testing.assert_array_equal(plan.train.X, without.train.X)
    assert replace(plan.recipe, loss=without.recipe.loss) == without.recipe
    column = next(column for column in plan.schema.columns if column.name == "who")
    assert not column.used
    said = [str(remark) for remark in plan.remarks if remark.column == "who"]
    assert len(said) == 1
    assert said[0].endswith("it is left out; say keep to learn from it all the same")


def test_a_category_that_tells_much_keeps_its_levels():
    found = levels_of(planned(table(0.5)))
    assert found is not None
    assert found.others < 0.05  # levels seen once


def test_what_the_user_keeps_is_kept():
    plan = planned(table(0.0), keep="who")
    found = levels_of(plan)
    assert found is not None
    assert len(found.levels) > LEVELS / 2
    assert not plan.remarks


def test_what_is_all_there_is_is_learnt_from():
    frame = table(0.0).select("who", "y")
    plan = planned(frame)
    assert [part.name for part in plan.encoder.inputs] == ["who"]
    assert not plan.remarks


def test_where_no_level_is_left_it_still_counts_that_there_is_none():
    frame = table(0.0)
    gaps = np.random.default_rng(0).random(ROWS) < 0.2
    frame = frame.with_columns(
        who=polars.when(polars.Series(gaps)).then(None).otherwise(polars.col("who")),
        y=polars.col("y") + 3 * gaps,
    )
    plan = planned(frame)
    assert plan.encoder.features == ("x", "who missing")
    missing = plan.train.frame["who"].is_null().to_numpy()
    np.testing.assert_array_equal(plan.train.X[:, 1], missing)


def mixed() -> polars.DataFrame:
    """Return rows of twenty frequent levels and many rare ones, none of which tells anything."""
    rng = np.random.default_rng(1)
    rare = rng.random(ROWS) < 0.3
    who = np.where(rare, rng.integers(100, 700, ROWS), rng.integers(0, 20, ROWS))
    return polars.DataFrame({"x": rng.standard_normal(ROWS), "who": [f"k{n}" for n in who]}).with_columns(
        y=polars.col("x") + polars.Series(rng.standard_normal(ROWS))
    )


def test_rare_levels_share_one_code_with_levels_never_seen():
    plan = planned(mixed())
    found = levels_of(plan)
    assert found is not None
    assert set(found.levels) == {f"k{n}" for n in range(20)}
    assert found.codes(polars.Series(["k350", "never seen", "k3"])).tolist()[:2] == [OTHER, OTHER]
    rare = [f"k{n}" for n in range(100, 700)]
    share = plan.train.frame["who"].is_in(rare).mean()
    assert found.others == pytest.approx(share)
    # What is said is counted, and stands in the schema that the model file keeps.
    count = plan.train.frame["who"].n_unique() - 20
    (remark,) = [str(remark) for remark in plan.remarks]
    assert remark.startswith(f"who: {count:,} of {count + 20:,} levels, {share:.1%} of the rows, share one")
    note = next(column.note for column in plan.schema.columns if column.name == "who")
    assert note.endswith(f"{count:,} rare ones share one")


def test_rows_that_are_tested_do_not_decide():
    frame = table(0.3)
    plan = planned(frame)
    trained = set(map(tuple, plan.train.frame.rows()))
    other = [row if row in trained else (*row[:2], 0.0) for row in frame.rows()]
    changed = planned(polars.DataFrame(other, frame.schema, orient="row"))
    assert levels_of(changed) == levels_of(plan)


def test_what_other_columns_tell_of_a_level_is_not_its_own():
    rng = np.random.default_rng(2)
    frame = table(0.0)
    group = {who: n % 12 for n, who in enumerate(frame["who"].unique(maintain_order=True))}
    line = frame["who"].replace_strict(group, return_dtype=polars.Int64)
    effects = 2.0 * rng.standard_normal(12)
    y = frame["y"] + effects[line.to_numpy()]
    frame = frame.with_columns(line=polars.Series([f"g{n}" for n in line]), y=y)
    assert levels_of(planned(frame.drop("line"))) is not None
    assert [part.name for part in planned(frame).encoder.inputs] == ["x", "line"]


def test_a_look_at_a_table_says_it_too():
    frame = mixed()
    schema = infer_schema(frame, "y")
    (remark,) = said_of_rare_levels(frame, schema, Overrides())
    count = frame["who"].n_unique()
    assert str(remark).startswith(f"who: {count - 20:,} of {count:,} levels")
