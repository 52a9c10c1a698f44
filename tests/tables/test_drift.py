"""Rows unlike those of the training are said, column by column; rows like them are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minicolumn.tables import Encoder, infer_schema
from minicolumn.tables.drift import cut_off, drift


def rows(seed: int, count: int = 300) -> polars.DataFrame:
    rng = np.random.default_rng(seed)
    return polars.DataFrame(
        {
            "size": [None if rng.random() < 0.1 else float(v) for v in rng.normal(50, 10, count)],
            "side": rng.choice(["north", "south", "east"], count),
            "wet": rng.choice([True, False], count),
            "day": [f"2024-{m:02d}-{d:02d}" for m, d in zip(rng.integers(1, 13, count), rng.integers(1, 29, count), strict=True)],  # noqa: E501
            "y": rng.choice(["a", "b"], count),
        }
    )  # fmt: skip


SIDE = polars.col("side")
FRAME = rows(0)
ENCODER = Encoder.fit(FRAME, infer_schema(FRAME, "y"))


def said(frame: polars.DataFrame) -> dict[str, str]:
    return {remark.column: remark.text for remark in drift(ENCODER, ENCODER.typed(frame).frame)}


@given(st.integers(1, 10_000), st.sampled_from([1, 2, 7, 40, 300]))
@settings(max_examples=30)
@example(4873, 7)  # 4 of 7 rows are missing, of 7 % in the training: chance, in one table of a thousand
def test_rows_of_the_same_kind_have_no_drift(seed: int, count: int) -> None:
    assert said(rows(seed, count)) == {}


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"side": SIDE.str.to_uppercase()}, "side", "none of its levels was seen"),
        ({"side": polars.when(polars.col("size") > 9).then(polars.lit("up")).otherwise(SIDE)}, "side", "up"),
        ({"size": polars.col("size") * 1000}, "size", "lie far outside the training's"),
        ({"size": polars.lit(None, polars.Float64)}, "size", "100% of the rows: is missing; in training"),
        ({"size": polars.lit(50.0)}, "size", ""),
        ({"wet": polars.lit(None, polars.Boolean)}, "wet", "neither yes nor no"),
        ({"day": polars.lit("1924-01-01")}, "day", "the farthest is 1924-01-01"),
    ],
)  # fmt: skip
def test_what_changed_is_said(change: dict[str, Any], column: str, words: str) -> None:
    found = said(FRAME.with_columns(**change))
    assert set(found) == ({column} if words else set())
    assert words in found.get(column, "")


def test_what_an_embedding_cuts_off_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from minicolumn.tables import drift as module
    from minicolumn.tables.inputs import categories

    for place in (categories, module):
        monkeypatch.setattr(place, "MOST_LEVELS", 20)
    levels = [f"l{i // 3}" for i in range(120)]
    frame = polars.DataFrame({"k": levels, "y": ["a", "b"] * 60})
    remark = cut_off(Encoder.fit(frame, infer_schema(frame, "y")))[0]
    assert (
        str(remark) == "k: 40 levels, the 20 most frequent are kept; the others, 50.0% of the rows, are one"
    )
