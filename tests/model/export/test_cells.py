"""What cells are read as: in C and in JavaScript the numbers that `Encoder.read` gives, cell by cell."""

from __future__ import annotations

import functools
import json
import math
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import C_COMPILER, CHECKED, NODE, STRICT, needs_c, needs_node

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model.export.c_source import c_files
from minicolumn.model.export.js_source import js_module
from minicolumn.model.export.numpy_module import numpy_module
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.tables import infer_schema
from minicolumn.tables.encode import Encoder

REFUSED = "refused"
Cell = str
Read = Callable[[str, list[Cell]], list[Any]]  # a column, cells -> the numbers of each, or REFUSED
LEVELS = [
    'say "hi"',
    "back\\slash",
    "??/",
    "*/ x",
    "</script>",
    "서울",
    "🙂 emoji",
    "-2",
    "A",
    "a",
    "1",
    "%d",
    "é",
]
MISSING = ("gone", "-999.0", "ärger", "k/a")


def encoder() -> Encoder:
    """Return the encoder of a table with a column of each kind, and spellings of missing of its own."""
    rows = range(78)
    frame = polars.DataFrame(
        {
            "size": [f"{i % 7}.25" for i in rows],
            "flag": ["yes" if i % 3 else "no" for i in rows],
            "town": [LEVELS[i % len(LEVELS)] for i in rows],
            "day": [f"20{10 + i % 9}-0{1 + i % 9}-1{i % 8} 0{i % 10}:{10 + i % 50}:00" for i in rows],
            "y": [str(i % 5 + i / 100) for i in rows],
        }
    )
    found = Encoder.fit(frame, infer_schema(frame, "y"))
    assert [type(part).__name__[:4] for part in found.inputs] == ["Numb", "Bool", "Cate", "Date"]
    assert len(found.inputs[3].parts) == 8  # type: ignore[union-attr]
    return replace(found, missing=MISSING)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    table = encoder()
    width = len(table.features)
    columns = [k for k, _ in table.embeddings]
    net = mc.nn.Sequential(mc.nn.ColumnEmbedding(table.embeddings, 2), mc.nn.Dense(1))
    assert columns
    return Pipeline(mc.Model(net, net.init(0, (width,)), (width,), "squared_error", table), "cells")


@pytest.fixture(scope="module")
def plain(pipeline: Pipeline) -> Read:
    """Return what reads a cell as the only row of its column: whether it is refused hangs on no other."""
    table = pipeline.encoder
    assert table is not None
    parts = {part.name: replace(table, inputs=(part,)) for part in table.inputs}

    @functools.cache
    def read_one(column: str, cell: Cell) -> Any:
        return _read(parts[column], column, cell)

    return lambda column, cells: [read_one(column, cell) for cell in cells]


def _read(table: Encoder, column: str, cell: Cell) -> Any:
    try:
        return table.read(polars.DataFrame({column: [cell]}))[0].tolist()
    except DataError:
        return REFUSED


@pytest.fixture(scope="module")
def in_c(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("c")
    for name, text in c_files(pipeline).items():
        folder.joinpath(name).write_text(str(text))
    # Texts end in a zero byte: column, cell, column, cell ... Out: the status, then the numbers.
    main = f"""#include "cells.c"
#include <stdio.h>
#include <stdlib.h>
int main(void) {{
  static char text[1 << 20];
  size_t size = fread(text, 1, sizeof text - 1, stdin), place = 0;
  while (place < size) {{
    cells_row row = {{0}};
    double x[{pipeline.width}] = {{0}};
    char *cell = malloc(strlen(text + place + 1) + 1);  /* whose ends the sanitizer knows */
    double status;
    strcpy(cell, text + place + 1);
    if (text[place] == 'f') row.flag = cell;
    if (text[place] == 't') row.town = cell;
    if (text[place] == 'd') row.day = cell;
    status = read_row(&row, x);
    fwrite(&status, sizeof status, 1, stdout);
    fwrite(x, sizeof x, 1, stdout);
    place += strlen(text + place) + 1;
    free(cell);
  }}
  return 0;
}}
"""
    folder.joinpath("main.c").write_text(main)
    assert C_COMPILER is not None
    built = [C_COMPILER, *STRICT, *CHECKED, "main.c", "-lm", "-o", "main", "-Wno-unused-function"]
    made = subprocess.run(built, cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:2000]

    def read(column: str, cells: list[Cell]) -> list[Any]:
        given = b"".join(column[0].encode() + cell.encode() + b"\0" for cell in cells)
        ran = subprocess.run([str(folder / "main")], input=given, capture_output=True)
        assert ran.returncode == 0, ran.stderr.decode(errors="replace")[:2000]
        rows = np.frombuffer(ran.stdout).reshape(len(cells), 1 + pipeline.width)
        return [REFUSED if row[0] else _of_column(pipeline, column, row[1:]) for row in rows]

    return read


@pytest.fixture(scope="module")
def in_javascript(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    folder = tmp_path_factory.mktemp("js")
    main = """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const [column, cells] = JSON.parse(line);
  const found = cells.map((cell) => {
    try {
      return [...read({ [column]: cell })].map((x) => Number.isNaN(x) ? "nan" : x);
    } catch {
      return null;
    }
  });
  process.stdout.write(JSON.stringify(found) + "\\n");
}
"""
    folder.joinpath("main.mjs").write_text(js_module(pipeline) + main)
    assert NODE is not None
    with subprocess.Popen(
        [NODE, "main.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as node:

        def read(column: str, cells: list[Cell]) -> list[Any]:
            assert node.stdin
            assert node.stdout
            node.stdin.write(json.dumps([column, cells]).encode() + b"\n")
            node.stdin.flush()
            rows = json.loads(node.stdout.readline())
            return [
                REFUSED if row is None else _of_column(pipeline, column, [float(x) for x in row])
                for row in rows
            ]

        yield read
        assert node.stdin
        node.stdin.close()


@pytest.fixture(scope="module")
def in_numpy(pipeline: Pipeline) -> Read:
    names: dict[str, Any] = {"__name__": "cells"}
    exec(numpy_module(pipeline), names)

    def read_one(column: str, cell: Cell) -> Any:
        try:
            return _of_column(pipeline, column, names["read"]([{column: cell}])[0])
        except ValueError:
            return REFUSED

    return lambda column, cells: [read_one(column, cell) for cell in cells]


def _of_column(pipeline: Pipeline, column: str, row: Any) -> list[float]:
    part = next(part for part in pipeline.columns if part.name == column)
    first = pipeline.places[column]
    return list(row[first : first + len(part.columns)])


# Cells ------------------------------------------------------------------------------------------------------


def listed(text: str) -> list[str]:
    """Return the cells between strokes."""
    return text.split("|")


WORDS = [
    *LEVELS,
    *(f"\u2003{level}\u3000" for level in LEVELS),
    *listed(
        "| |?|NA|n/a|#N/A|NaN|None|-|--|.|GONE|gone |-999|-999.00|ÄRGER|ärger|Ärger|k/a|K/A|"
        "unknown|Unknown|n.a.|..|x|missing|\u2013|yes|YES|y|on|Off|t|F|TRUE|0|1.0|0.00|01|00|+1|"
        "yes.0|2|1.0|1.|-2.000|+1|Seoul|a\u0085|\ufeffa|\x1fa|a\x0b|\u200ba|\u180ea|É|A\u00a0"
    ),
]
DAYS = [
    *listed(
        "2024-02-29|2023-02-29|2023-02-31|2024-04-31|2024-13-01|2024-00-10|2024-01-00|24-01-01|"
        "9999-12-31|9999-99-99|0000-00-00|0000-01-01 00:00|0001-01-01|0001-01-01T10|1900-01-00|"
        "1900-01-01|0001-01-02|0099-12-31|0500-06-15|1582-10-10|1969-12-31|"
        "1969-12-31T23:59:59.999999|1970-01-01|2000-01-01T00:00|2000-01-01 00:00|"
        "2000-01-01T24:00|2000-01-01T23:60|2000-01-01T23:59:60|2000-01-01T23:59:59|"
        "2000-01-01T23:59:59.5|2000-01-01T23:59:59.|2000-01-01T1:02|2000-1-1|"
        "2000-01-01T10:20:30.123456789|2000-01-01T10:20:30.1234567890|"
        "2000-01-01T10:20:30.0000009|2000-01-01T10:20:30Z|2000-01-01T10:20:30+09:00|"
        "2000-01-01T10:20:30-0930|2000-01-01T10:20:30+24:00|2000-01-01T00:10:30+23:59|"
        "2000-12-31T23:10:30-23:59|2000-01-01T10:20Z|2000-01-01T10:20+0100|"
        "2000-01-01T10:20:30+09:60|2000-01-01T10:20:30.25+05:30|2000-01-01Z|2000-01-01 |"
        "\u30002000-01-01|2000-01-01T|2000-01-01T10|20000101|2000-01-01 x|1e3|"
        "2000-01-01T10:20:30 +01:00|2000-01-01.0|9998-12-31T23:59:59|9999-01-01T00:00:00|"
        "9999-12-31 23:59:59|9999-12-31x|today|unknown|NaT"
    ),
]
DAY = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?",
    re.ASCII,
)
NUMBERS = [
    *listed(
        "1.5|-2|+3| 4 |1e3|1E-3|.5|5.|-.5|007|inf|-Infinity|nan|-999|-999.0|12,5|1_000|0x10|1e|"
        "e5|--1|1.2.3|12%|unknown|*|\u2026||NA|tall|1 000|\u0663"
    ),
]

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
blanks = st.text(" \t\n\u00a0\u2003\u3000\u0085", max_size=2)
padded = st.builds(lambda a, x, b: a + x + b, blanks, st.sampled_from(WORDS), blanks)
words = st.one_of(texts, padded, st.sampled_from(WORDS).map(str.swapcase))
two = st.integers(0, 62).map("{:02}".format)
days = st.builds(
    lambda y, m, d: f"{y:04}-{m:02}-{d:02}", st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)
)
clocks = st.builds(
    lambda mark, h, m, s, zone: f"{mark}{h}:{m}{s}{zone}",
    st.sampled_from("T "), two, two,
    st.one_of(st.just(""), two.map(":{}".format), st.from_regex(r"\A:[0-5][0-9]\.[0-9]{1,9}\Z")),
    st.one_of(st.just(""), st.just("Z"), st.from_regex(r"\A[+-][0-2][0-9]:?[0-6][0-9]\Z")),
)  # fmt: skip
dated = st.one_of(days, st.builds(str.__add__, days, clocks), st.sampled_from(DAYS), padded)
numeric = st.one_of(
    st.floats(allow_nan=False).map(str), st.sampled_from(NUMBERS), st.from_regex(r"\A[+-]?[0-9.]{1,5}\Z")
)


def same(a: Any, b: Any) -> bool:
    """Return whether two cells were read alike: days to the last place of a double."""
    if a == REFUSED or b == REFUSED:
        return a == b
    return all(math.isclose(x, y, rel_tol=4e-16) or (x != x and y != y) for x, y in zip(a, b, strict=True))


def check_words(read: Read, plain: Read, column: str, cells: list[Cell]) -> None:
    for cell, a, b in zip(cells, read(column, cells), plain(column, cells), strict=True):
        assert same(a, b), (column, cell, a, b)


def check_days(read: Read, plain: Read, cells: list[Cell]) -> None:
    """Check that a date is read as Python reads it, or refused; nothing written in the documented way is."""
    for cell, found, expected in zip(cells, read("day", cells), plain("day", cells), strict=True):
        if found == REFUSED and not DAY.fullmatch(cell.strip()):
            continue
        assert same(found, expected), (cell, found, expected)


def check_numbers(read: Read, plain: Read, cells: list[Cell]) -> None:
    for cell, found, expected in zip(cells, read("size", cells), plain("size", cells), strict=True):
        if found != REFUSED:
            finite = expected if expected == REFUSED or math.isfinite(expected[0]) else [math.nan]
            shown = (
                [math.nan] if found[0] == -999 or not math.isfinite(found[0]) else found
            )  # as the graph takes it
            assert same(shown, finite), (cell, found, expected)
        else:
            assert not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", cell, re.ASCII | re.IGNORECASE), (
                cell
            )


@needs_c
def test_cells_in_c(in_c: Read, plain: Read) -> None:
    for column in ("flag", "town"):
        check_words(in_c, plain, column, WORDS)
    check_days(in_c, plain, [*DAYS, *WORDS])


@needs_node
def test_cells_in_javascript(in_javascript: Read, plain: Read) -> None:
    for column in ("flag", "town"):
        check_words(in_javascript, plain, column, WORDS)
    check_days(in_javascript, plain, [*DAYS, *WORDS])
    check_numbers(in_javascript, plain, [*NUMBERS, *WORDS])


def test_cells_in_numpy(in_numpy: Read, plain: Read) -> None:
    for column in ("flag", "town"):
        check_words(in_numpy, plain, column, WORDS)
    check_days(in_numpy, plain, [*DAYS, *WORDS])
    check_numbers(in_numpy, plain, [*NUMBERS, *WORDS])


@needs_c
@needs_node
@settings(max_examples=15)
@given(
    st.lists(words, min_size=1, max_size=12),
    st.lists(dated, min_size=1, max_size=12),
    st.lists(numeric, max_size=6),
)
def test_cells_whatever_they_are(
    in_c: Read,
    in_javascript: Read,
    in_numpy: Read,
    plain: Read,
    some: list[str],
    days: list[str],
    numbers: list[str],
) -> None:
    for read in (in_c, in_javascript, in_numpy):
        for column in ("flag", "town"):
            check_words(read, plain, column, some)
        check_days(read, plain, days + some)
    for read in (in_javascript, in_numpy):
        check_numbers(read, plain, numbers + some)
