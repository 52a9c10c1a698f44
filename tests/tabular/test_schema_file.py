"""Schema files: what inspect writes is what train would have found, and every word of them is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.tables import Overrides, Reading, infer_schema, read_table
from minicolumn.tables.schema import Column
from minicolumn.tabular.schema_file import read_schema, write_schema


def test_a_file_that_was_written_finds_the_same(tmp_path: Path) -> None:
    frame = read_table("penguins")
    said = Overrides(category="Year") if "Year" in frame.columns else Overrides(id=frame.columns[0])
    schema = infer_schema(frame, "Species", said)
    path = tmp_path / "penguins.toml"
    path.write_text(write_schema(schema.columns, Reading(separator=","), said, schema), "utf-8")
    file = read_schema(path)
    assert (file.target, file.task, file.reading.separator) == ("Species", schema.task, ",")
    again = infer_schema(frame, "Species", file.overrides, task=file.task)
    used = [(column.name, column.kind, column.form) for column in schema.used]
    assert [(column.name, column.kind, column.form) for column in again.used] == used
    assert again.ids == schema.ids


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=3))
def test_any_name_and_any_note_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, note: str, missing: list[str]
) -> None:
    path = tmp_path_factory.mktemp("schema") / "s.toml"
    said = Overrides(missing=missing)
    path.write_bytes(write_schema([Column(name, "category", note)], overrides=said).encode())
    file = read_schema(path)
    assert file.overrides == Overrides(category=[name], missing=missing)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target = ", "is no TOML"),
        ("tarjet = 'y'", "unknown word 'tarjet'; did you mean 'target'"),
        ("[columns.a]\nkind = 'numbr'", "unknown kind 'numbr'; did you mean 'number'"),
        ("[columns.a]\nfrom = 'x'", "unknown word 'from'; did you mean 'form'"),
        ("[columns.a]\nkind = 'category'\nform = 'x'", "a form is text, of a number or a datetime"),
        ("[columns]\na = 3", "expected a table with kind"),
        ("[columns.a]\nkeep = 1", "expected true or false"),
        ("[columns.a]\nkind = 'weight'\n[columns.b]\nkind = 'weight'", "only one column can be that"),
        ("[reading]\nseparater = ';'", "unknown word 'separater'; did you mean 'separator'"),
        ("[reading]\nskip_rows = -1", "skip_rows"),
        ("columns = 3", "columns: expected"),
        ("target = 3", "target: expected text"),
        ("strict = 'yes'", "strict: expected true or false"),
        ("missing = [3]", "missing: expected names"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_schema(path)
    assert str(caught.value).startswith("schema: 's.toml'")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"schema: 'none\.toml' cannot be read"):
        read_schema("none.toml")


def test_what_is_said_goes_before_the_file(tmp_path: Path) -> None:
    rows = polars.DataFrame({"code": [i % 7 for i in range(60)], "y": [f"{i % 5}.5" for i in range(60)]})
    path = tmp_path / "s.toml"
    path.write_text("target = 'y'\n[columns.code]\nkind = 'category'\n", "utf-8")
    quick: dict[str, Any] = {"epochs": 1, "hidden": 4}
    assert mc.fit_table(rows, schema=path, **quick).schema.columns[0].kind == "category"
    assert mc.fit_table(rows, schema=path, number="code", **quick).schema.columns[0].kind == "number"
