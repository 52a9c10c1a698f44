"""Formats beside delimited text: JSON in its forms, Arrow, spreadsheets, standard input; what is no file."""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn import errors
from minicolumn.tables.files import columnar, json_rows
from minicolumn.tables.files.json_rows import parse_json
from minicolumn.tables.files.read import load_table, read_table
from minicolumn.tables.files.reading import Reading

LIMIT = 1 << 30
COLUMNS = "its JSON object was read as columns"
MIXED = "column 'a' holds values of several types and was read as text"


def refused(path: Path | str, *words: str, **said: Any) -> None:
    with pytest.raises(errors.DataError) as caught:
        read_table(path, Reading(**said))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "text", "columns", "notes"),
    [
        ("t.json", '[{"a":1,"b":"x"},\n {"b":null}]', {"a": [1, None], "b": ["x", None]}, ()),
        ("t.json", '{"a":1}\n{"a":2}\n', {"a": [1, 2]}, ()),
        ("t.json", '{\n "a": 1,\n "b": 2.5\n}', {"a": [1], "b": [2.5]}, ()),
        ("t.json", '{"a":[1,2],"b":["x",null]}', {"a": [1, 2], "b": ["x", None]}, (COLUMNS,)),
        ("t.json", '{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}', {"a": [1, 2], "b": ["x", "y"]}, (COLUMNS,)),
        ("t.json", '{"n":2,"data":[{"a":1},{"a":2}]}', {"a": [1, 2]}, ("the rows were taken from 'data'",)),
        ("t", '[{"a":1}]', {"a": [1]}, ()),
        ("t.jsonl", '{"a":[1,2]}\n', {"a": [[1, 2]]}, ()),
        ("t.jsonl", '{"a":{"b":1}}\n{"a":null}\n', {"a": [{"b": 1}, None]}, ()),
        ("t.jsonl", '{"a":1}\n{"a":2.5}\n', {"a": [1.0, 2.5]}, ()),
        ("t.jsonl", '{"a":1}\n{"a":[1,{"b":"é"}]}\n', {"a": ["1", '[1, {"b": "é"}]']}, (MIXED,)),
        ("t.jsonl", '{"a":1}\n{"a":true}\n{"a":"x"}\n', {"a": ["1", "true", "x"]}, (MIXED,)),
        ("t.jsonl", '{"a":9007199254740993}\n', {"a": [9007199254740993]}, ()),
    ],
)
def test_json(
    tmp_path: Path, name: str, text: str, columns: dict[str, list[Any]], notes: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load_table(tmp_path / name)
    assert loaded.frame.to_dict(as_series=False) == columns
    assert loaded.notes == notes


VALUE = st.one_of(st.none(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
ROWS = st.lists(
    st.fixed_dictionaries(
        {"a": VALUE, "b": st.one_of(st.none(), st.text(max_size=4))}, optional={"c": st.booleans()}
    ),
    min_size=2,
    max_size=6,
).filter(lambda rows: all(any(row.get(name) is not None for row in rows) for name in "ab"))


@settings(max_examples=50)
@given(ROWS)
def test_large_and_small_json_are_read_alike(rows: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(row) for row in rows).encode()
    small = parse_json(text, "t", LIMIT)
    assert small.notes == ()
    # What larger files are read by, without the process of its own in which it is tried first.
    large = polars.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    assert large.select(small.frame.columns).equals(
        small.frame
    )  # where a row lacks a name, the order differs


def test_large_json_goes_by_polars_or_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "_SMALL", 0)
    assert parse_json(b'{"a":1}\n{"a":2}\n', "t", LIMIT).frame["a"].to_list() == [1, 2]
    assert parse_json(b'[{"a":1},{"a":2}]', "t", LIMIT).frame["a"].to_list() == [1, 2]
    assert parse_json(b'{"a":1}\n{"a":[2]}\n', "t", LIMIT).frame["a"].to_list() == ["1", "[2]"]
    with pytest.raises(errors.DataError, match="line 2 is not one JSON object"):
        parse_json(b'{"a":1}\n{"a":\n', "t", LIMIT)


FRAME = polars.DataFrame(
    {
        "n": [1, None],
        "t": ["x", None],
        "nested": [[1], [2, 3]],
        "object": [{"k": 1}, {"k": 2}],
        "bytes": [b"a", b"b"],
        "lasts": [timedelta(seconds=1), None],
        "day": [date(2020, 1, 1), None],
        "kind": polars.Series(["u", "v"], dtype=polars.Categorical),
    }
)


@pytest.mark.parametrize("write", ["write_parquet", "write_ipc", "write_ipc_stream"])
def test_columnar_files_keep_every_type(tmp_path: Path, write: str) -> None:
    getattr(FRAME, write)(tmp_path / "t.bin")
    loaded = load_table(tmp_path / "t.bin")
    assert loaded.frame.equals(FRAME)
    assert loaded.notes == ()
    said = load_table(tmp_path / "t.bin", Reading(header=False, separator=";")).notes
    assert said[0].startswith("--no-header, --separator were not used: t.bin is a")


def book(path: Path, **sheets: list[tuple[Any, ...]]) -> Path:
    held = openpyxl.Workbook()
    held.remove(held.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = held.create_sheet(name)
        for row in rows:
            sheet.append(row)
    held.save(path)
    return path


def test_spreadsheets(tmp_path: Path) -> None:
    rows = [
        ("Prices of 2020", None, None),
        ("item", "price", "day"),
        ("a, b", 1.5, date(2020, 1, 2)),
        ('c"', 2, None),
    ]
    path = book(tmp_path / "t.xlsx", prices=rows, other=[("x",), (1,)])
    loaded = load_table(path)
    assert loaded.frame.columns == ["item", "price", "day"]
    assert loaded.frame.rows() == [("a, b", "1.5", "2020-01-02 00:00:00"), ('c"', "2", None)]
    title = "1 title line was left out above the names"
    assert loaded.notes == ("sheet 'prices' was read, of 2; --sheet for another ('other')", title)
    for sheet in ("other", 2):
        assert load_table(path, Reading(sheet=sheet)).frame.rows() == [("1",)]
    refused(path, "no sheet 'others'", "'prices', 'other'", sheet="others")
    refused(path, "no sheet 'number 3'", sheet=3)
    path.write_bytes(path.read_bytes()[:-300])
    refused(path, "t.xlsx", "damaged")


def test_spreadsheets_need_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", a=[("x",), (1,)])
    monkeypatch.setattr(columnar.importlib.util, "find_spec", lambda name: None)
    refused(path, "pip install 'minicolumn[excel]'")


@pytest.mark.parametrize("source", ["-", "/dev/stdin"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n")))
    assert read_table(source).rows() == [("1", "2")]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1\n")))
    refused(source, "standard input: line 2 has 1 fields")
    monkeypatch.setattr(sys, "stdin", None)
    refused(source, "there is no standard input")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has named pipes")
def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")  # opening it would wait for a writer
    refused(tmp_path / "t.csv", "is a pipe", "- for standard input")
    refused("/dev/zero", "is a device")


def test_a_damaged_file_is_told_without_the_panic(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    FRAME.write_ipc(tmp_path / "t.arrow")
    whole = (tmp_path / "t.arrow").read_bytes()
    (tmp_path / "t.arrow").write_bytes(whole[:-200] + b"\xff" * 100 + whole[-100:])
    refused(tmp_path / "t.arrow", "t.arrow")
    assert capfd.readouterr() == ("", "")
