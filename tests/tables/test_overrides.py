"""What a user says of a table goes before what is inferred; what cannot be meant is refused by its name."""

from __future__ import annotations

from typing import Any

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.tables import Encoder, Overrides, infer_schema

ROWS = 40
FRAME = polars.DataFrame(
    {
        "code": [str(100 + i % 7) for i in range(ROWS)],
        "price": [f"{i % 9},{i % 10}5" for i in range(ROWS)],
        "day": [f"{i % 12 + 1:02d}/{i % 11 + 1:02d}/2024" for i in range(ROWS)],
        "serial": [str(i) for i in range(ROWS)],
        "same": ["3"] * ROWS,
        "country": [("NA", "DE", "FR")[i % 3] for i in range(ROWS)],
        "size": [("..", "1.5", "2", "3.25", "4")[i % 5] for i in range(ROWS)],
        "y": [f"{i % 6}.5" for i in range(ROWS)],
    }
)


def column(name: str, **said: Any) -> Any:
    schema = infer_schema(FRAME, "y", Overrides(**said))
    return next(found for found in schema.columns if found.name == name)


def test_what_is_said_goes_before_what_is_found() -> None:
    assert column("code").kind == "number"
    assert column("code", category="code").kind == "category"
    assert column("serial").kind == "identifier"
    assert column("serial", keep="serial").kind == "number"
    assert "kept as you said" in column("serial", keep="serial").note
    assert column("same").kind == "constant"
    assert column("same", keep=["same"]).kind == "number"
    assert column("country", text="country").kind == "text"
    assert "read as month first" in column("day").note
    assert column("day", datetime={"day": "%d/%m/%Y"}).form == "%d/%m/%Y"
    assert column("size").note == "8 cells read as missing: '..' (8); 8 missing in all"
    assert column("size", category="size").kind == "category"
    assert column("size", missing="..").note == "8 missing"


@pytest.mark.parametrize("role", ["drop", "id"])
def test_columns_with_a_part_of_their_own_are_no_features(role: str) -> None:
    said: dict[str, Any] = {role: ["code", "price"]}
    schema = infer_schema(FRAME, "y", Overrides(**said))
    assert not {"code", "price"} & {found.name for found in schema.columns}


def test_a_usual_spelling_of_missing_can_be_a_level() -> None:
    assert "13 missing" in column("country").note or "14 missing" in column("country").note
    schema = infer_schema(FRAME, "y", Overrides(not_missing="NA"))
    encoder = Encoder.fit(FRAME, schema)
    levels = next(part for part in encoder.inputs if part.name == "country").levels  # type: ignore[union-attr]
    assert sorted(levels) == ["DE", "FR", "NA"]
    again = Encoder.from_json(encoder.to_json())
    assert (again.transform(FRAME) == encoder.transform(FRAME)).all()


def test_a_class_that_reads_like_missing() -> None:
    classes = FRAME.with_columns(y=FRAME["country"])
    left_out = infer_schema(classes, "y")
    assert left_out.classes == ("DE", "FR")
    assert "'NA' are left out as missing; if it is a label: --not-missing NA" in left_out.notes[0]
    assert infer_schema(classes, "y", Overrides(not_missing="NA")).classes == ("DE", "FR", "NA")


def test_the_decimal_mark_decides() -> None:
    frame = FRAME.with_columns(price=polars.Series(["1,234", "5,678"] * (ROWS // 2)))
    found = {
        mark: next(c for c in infer_schema(frame, "y", Overrides(decimal=mark)).columns if c.name == "price")
        for mark in ("", ",", ".")
    }
    assert [column.form for column in found.values()] == ["1,234.5", "1234,5", "1,234.5"]


def test_the_decimal_mark_holds_for_the_target_too() -> None:
    frame = FRAME.with_columns(y=polars.Series([f"{i % 9 + 1},{i % 7}00" for i in range(ROWS)]))
    assert infer_schema(frame, "y").target_form == "1,234.5"
    schema = infer_schema(frame, "y", Overrides(decimal=","))
    assert schema.target_form == "1234,5"
    assert Encoder.fit(frame, schema).read_target(frame).max() < 10


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        (["2024-05-01"], "datetime", "%Y-%m-%d"),
        (["1,500"], "number", "1,234.5"),
        ([f"{i + 1:,}" for i in range(1000, 1000 + ROWS)], "number", "1,234.5"),
        ([f"id-{i}" for i in range(ROWS)], "category", ""),
    ],
)
def test_a_kept_column_is_what_it_holds(cells: list[str], kind: str, form: str) -> None:
    frame = FRAME.with_columns(serial=polars.Series((cells * ROWS)[:ROWS]))
    schema = infer_schema(frame, "y", Overrides(keep="serial"))
    found = next(column for column in schema.columns if column.name == "serial")
    assert (found.kind, found.form) == (kind, form)
    assert found.note.startswith("kept as you said")
    Encoder.fit(frame, schema).transform(frame)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"drop": "prise"}, "drop: the table has no column 'prise'; did you mean 'price'"),
        ({"number": "y2"}, "number: the table has no column 'y2'"),
        ({"drop": "y"}, "drop: 'y' is the target"),
        ({"weight": "y"}, "weight: 'y' is the target"),
        ({"number": "country"}, "number: column 'country' holds no number"),
        ({"datetime": "country"}, "datetime: column 'country' is in no known form"),
        ({"datetime": {"day": "%H:%M"}}, "datetime: no cell of column 'day' is written as %H:%M"),
        ({"number": {"price": "12,5"}}, "number form '12,5'"),
    ],
)
def test_what_the_table_does_not_hold_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        infer_schema(FRAME, "y", Overrides(**said))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"drop": "a", "category": "a"}, "drop: 'a' is given as category already"),
        ({"keep": "a", "id": "a"}, "keep: 'a' is given as id already"),
        ({"groups": "a", "time_order": "b"}, "groups: the rows are split by time already"),
        ({"decimal": ";"}, "decimal: expected"),
        ({"number": {"a": 1}}, "number: expected"),
        ({"category": 3}, "category: expected names, got 3"),
        ({"weight": 3}, "weight: expected the name of one column"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Overrides(**said)


NAMES = st.sampled_from([None, "code", "price", "day"])


@given(
    st.sampled_from(["category", "text", "drop", "id"]), NAMES, st.sampled_from(["category", "drop"]), NAMES
)
def test_two_overrides_are_joined_column_by_column(one: str, here: Any, other: str, there: Any) -> None:
    ours: dict[str, Any] = {one: [here]} if here else {}
    theirs: dict[str, Any] = {other: [there]} if there else {}
    both = Overrides(**ours).over(Overrides(**theirs))
    said = {name: option for option, names in both.columns.items() for name in names}
    assert said == ({there: other} if there else {}) | ({here: one} if here else {})
