"""Integers that act like codes become categories, by the training rows alone, if the user agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest

from minicolumn.tables import Overrides
from minicolumn.tabular import TableSettings, plan_table

ROWS = 6_000


@pytest.fixture(scope="module")
def frame() -> polars.DataFrame:
    """Return rows whose answer depends on which d it is and on how large the age is."""
    rng = np.random.default_rng(3)
    d, age = rng.integers(1, 200, ROWS), rng.integers(18, 96, ROWS)
    y = rng.standard_normal(200)[d] + age / 30 + rng.standard_normal(ROWS)
    other = rng.integers(1, 200, ROWS)
    return polars.DataFrame({"d": d, "age": age, "other": other, "y": y})


def kinds(frame: polars.DataFrame, **said: Any) -> tuple[dict[str, str], list[str]]:
    plan = plan_table(frame, TableSettings("y", overrides=Overrides(**said)))
    remarks = [str(remark) for remark in plan.remarks if remark.about == "codes"]
    return {column.name: column.kind for column in plan.schema.columns}, remarks


def test_codes_become_categories_and_amounts_stay(frame: polars.DataFrame):
    found, remarks = kinds(frame)
    assert found == {"d": "category", "age": "number", "other": "number"}
    assert len(remarks) == 1
    assert remarks[0].startswith("d: 199 distinct integers that act like codes: held-out rows tell 3")
    assert remarks[0].endswith("learnt from as a category; say number to take them for amounts")
    assert kinds(frame.with_columns(polars.col("y") > 1))[0]["d"] == "category"


def test_what_the_user_says_stays_and_is_remarked_on(frame: polars.DataFrame):
    found, remarks = kinds(frame, number="d")
    assert found["d"] == "number"
    assert remarks[0].endswith("a number as you said; say category to learn from them as codes")
    assert kinds(frame, category="d") == ({"d": "category", "age": "number", "other": "number"}, [])


def test_the_name_of_a_quantity_goes_before_what_the_numbers_do(frame: polars.DataFrame):
    assert kinds(frame.rename({"d": "distance"})) == (
        {"distance": "number", "age": "number", "other": "number"},
        [],
    )


def test_rows_that_are_tested_do_not_decide(frame: polars.DataFrame):
    plan = plan_table(frame, TableSettings("y"))
    trained = set(map(tuple, plan.train.frame.rows()))
    other = [row if row in trained else (*row[:3], 0.0) for row in frame.rows()]
    changed = polars.DataFrame(other, frame.schema, orient="row")
    assert kinds(changed) == kinds(frame)


def test_codes_that_are_the_groups_tell_nothing_of_new_groups(frame: polars.DataFrame):
    grouped = frame.with_columns(polars.col("d").alias("g"))
    assert kinds(grouped, groups="g")[0]["d"] == "number"


def test_gaps_and_words_for_them_are_no_hindrance(frame: polars.DataFrame):
    known = (
        polars.when(polars.col("d") % 7 > 0)
        .then(polars.col("d").cast(polars.String))
        .otherwise(polars.lit("?"))
    )
    found, remarks = kinds(frame.with_columns(known.alias("d")))
    assert found["d"] == "category"
    assert "171 distinct integers" in remarks[0]
