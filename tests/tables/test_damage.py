"""Damaged files: bytes changed at random give a table or one line, and nothing on standard error."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars
import pytest
from zstd_samples import zstd

from minicolumn import errors
from minicolumn.tables.files.read import read_table

FRAME = polars.DataFrame(
    {"a": range(20), "b": [f"s, {k % 7}" for k in range(20)], "c": [k / 3 for k in range(20)]}
)
NESTED = FRAME.with_columns(polars.Series("d", [[k, k + 1] for k in range(20)]))


def packed(write: Callable[..., Any], **settings: Any) -> bytes:
    stream = io.BytesIO()
    write(stream, **settings)
    return stream.getvalue()


def zipped(text: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("t.csv"), text)
    return stream.getvalue()


def book() -> bytes:
    held = openpyxl.Workbook()
    sheet = held.worksheets[0]
    for row in [FRAME.columns, *FRAME.rows()]:
        sheet.append(row)
    return packed(held.save)


TEXT = FRAME.write_csv().encode()
# Files that another process decodes first take 0.2 s each, so that few of them are tried here.
FILES: dict[str, tuple[Callable[[], bytes], int]] = {
    "t.csv": (lambda: TEXT, 150),
    "quotes.csv": (lambda: b'a,b\n"x, y",1\n"z ""q""",2\n\'p\',3\n;u,5\n', 150),
    "t.csv.gz": (lambda: gzip.compress(TEXT, mtime=0), 100),
    "t.csv.bz2": (lambda: bz2.compress(TEXT), 100),
    "t.zip": (lambda: zipped(TEXT), 100),
    "t.jsonl": (lambda: packed(NESTED.write_ndjson), 100),
    "t.json": (lambda: NESTED.write_json().encode(), 100),
    "t.csv.zst": (lambda: zstd(TEXT), 5),
    "t.parquet": (lambda: packed(NESTED.write_parquet, compression="uncompressed"), 3),
    "t.arrow": (lambda: packed(NESTED.write_ipc), 3),
    "t.arrows": (lambda: packed(NESTED.write_ipc_stream), 2),
    "t.xlsx": (book, 3),
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to four places changed, cut out or filled in, many of them near the end."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(changed))
        if chance.random() < 0.4:
            place = max(0, len(changed) - 1 - chance.randrange(600))
        kind = chance.random()
        if kind < 0.7:
            changed[place] = chance.choice(
                (chance.randrange(256), changed[place] ^ 1 << chance.randrange(8), 0, 255, 34)
            )
        elif kind < 0.85:
            del changed[place : place + chance.randrange(4)]
        else:
            changed[place:place] = bytes(chance.choices(b"\"'\n\r, ;^", k=3))
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, times = FILES[name]
    data, chance = make(), random.Random(name)
    path, tables = tmp_path / name, 0
    path.write_bytes(data)
    assert read_table(path).width > 1
    for _ in range(times):
        path.write_bytes(mutated(data, chance))
        try:
            tables += read_table(path).height > 0
        except errors.DataError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
    assert tables < times  # some of them were damaged
    assert capfd.readouterr() == ("", "")
