"""Table reader: text, JSON, Parquet, Arrow and sheets to frames; formats are told by content and name."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from minicolumn.address_space import check_room_for_polars
from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables.builtin import BUILTINS, builtin_bytes, builtin_names
from minicolumn.tables.files.columnar import (
    KINDS,
    columnar_job,
    is_spreadsheet,
    read_columnar,
    read_spreadsheet,
)
from minicolumn.tables.files.delimited import load_delimited
from minicolumn.tables.files.json_rows import parse_json
from minicolumn.tables.files.layout import check_names
from minicolumn.tables.files.reading import Loaded, Reading, too_large
from minicolumn.tables.files.text import decode
from minicolumn.tables.files.unpack import read_bounded, unpack

if TYPE_CHECKING:
    import polars

STANDARD_INPUT = ("-", "/dev/stdin")
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_JSON_LINES = (".jsonl", ".ndjson")
_TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat")


def read_table(source: str | os.PathLike[str], reading: Reading | None = None) -> polars.DataFrame:
    """Read a table: text, JSON, Parquet, Arrow or a spreadsheet, also packed, or a built-in data set by name.

    source      path of a file, "-" for standard input, or a name of builtin_names(); a file goes first
    reading     what is to be known about the file (see `Reading`); by default all of it is found
    Packed      .gz .zst .bz2 .xz .zip (of one file), found by content
    Text        UTF-8, UTF-16 or UTF-32 with a byte order mark, else cp1252; separator , ; tab or |, by what
                the first lines agree on, else blanks :: ^ or ~; cells stay raw strings, blank lines are
                skipped; titles above the names, units below them and footers are left out
    JSON        one object a line, an array of objects, an object of columns; types are kept
    Others      Parquet, Arrow (Feather 2) and its streams, which keep types, nested ones too; .xlsx, .xls
                and .ods by the extra `excel`, cells as text
    Returns     a polars DataFrame of at least one row and one column
    Errors      DataError, one line: no such file, a folder, a device or pipe, empty, only names, not a
                table, rows of another length, repeated names, more memory than `reading.max_memory`
    Source      RFC 4180 (CSV), jsonlines.org and RFC 8259 (JSON), parquet.apache.org, arrow.apache.org
    Differs     pandas.read_csv and polars.read_csv turn text into types while they read, and URLs are opened
                by them; here no network is used, and what text means is decided by `infer_schema`.

    >>> read_table("penguins").shape
    (344, 17)
    """
    return load_table(source, reading).frame


def load_table(source: str | os.PathLike[str], reading: Reading | None = None) -> Loaded:
    """Read a table as `read_table` does, with a note on each thing that was guessed.

    Returns     Loaded(frame, notes); no notes for a well-formed file

    >>> load_table("penguins").notes
    ()
    """
    check_room_for_polars("a table")
    reading = reading or Reading()
    path = Path(source)
    if str(source) in BUILTINS and not path.exists():
        return load_delimited(builtin_bytes(str(source)), str(source))
    name = "standard input" if str(source) in STANDARD_INPUT else path.name
    try:
        loaded = load_bytes(_read(source, path, name, reading.limit), name, reading)
    except MemoryError:
        raise too_large(name, "takes more memory than there is", reading.limit) from None
    frame = loaded.frame
    if frame.width == 0:
        raise DataError(f"{name}: has no columns")
    if frame.height == 0:
        raise DataError(f"{name}: has column names but no rows")
    return loaded


def load_bytes(data: bytes, name: str, reading: Reading) -> Loaded:
    """Read the bytes of a file in any format of `read_table`; it may have no row and no column.

    name        of the file: its ending tells the format where the bytes do not, and messages begin with it
    Errors      DataError as of `read_table`; MemoryError
    """
    limit = reading.limit
    if not is_spreadsheet(data):  # a zip archive too, but not of one table
        data = unpack(data, name, limit)
    loaded = _parse(data, PurePath(name), name, reading, limit)
    check_names(loaded.frame.columns, name)
    return loaded


def _read(source: str | os.PathLike[str], path: Path, name: str, limit: int) -> bytes:
    """Return the bytes of a file or of standard input, bounded; DataError for what cannot be read.

    Devices and named pipes are refused, since some never end, or never begin; a shell's /dev/fd/63 does.
    """
    if str(source) in STANDARD_INPUT:
        if sys.stdin is None:
            raise DataError("there is no standard input; name a file")
        return read_bounded(sys.stdin.buffer, name, limit)
    try:
        if path.is_block_device() or path.is_char_device():
            raise DataError(f"{str(path)!r} is a device; name a file")
        if path.is_socket() or (path.is_fifo() and not str(path).startswith(("/dev/fd/", "/proc/"))):
            raise DataError(f"{str(path)!r} is a pipe; name a file, or - for standard input")
        with path.open("rb") as stream:
            return read_bounded(stream, name, limit)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"no file {str(path)!r}{_near(path)}") from None
    except IsADirectoryError:
        raise DataError(f"{str(path)!r} is a folder; name one file in it") from None
    except PermissionError:
        raise DataError(f"{str(path)!r} may not be read; its permissions forbid it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{str(path)!r} cannot be read ({error})") from None


def _near(path: Path) -> str:
    """Return a hint at a file of the same folder or at the built-in names."""
    try:
        files = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"; there is no folder {str(path.parent)!r}"
    hint = did_you_mean(path.name, [*files, *builtin_names()])
    return hint or f"; expected a file or a built-in data set ({', '.join(builtin_names())})"


def _parse(data: bytes, path: PurePath, name: str, reading: Reading, limit: int) -> Loaded:
    """Return the frame of unpacked bytes: by magic number, then by suffix, then by the first characters."""
    job = columnar_job(data)
    if job is not None:
        frame = read_columnar(job, data, name, limit)
        return Loaded(frame, _unused(reading, name, KINDS[job], ()))
    if is_spreadsheet(data):
        text, notes = read_spreadsheet(data, name, reading)
        given = Reading(
            header=reading.header, skip_rows=reading.skip_rows, separator=",", quote='"', max_memory=limit
        )
        loaded = load_delimited(text, name, given)
        unused = _unused(reading, name, "spreadsheet", ("--no-header", "--skip-rows", "--sheet"))
        return Loaded(loaded.frame, (*notes, *loaded.notes, *unused))
    text, notes = decode(data, name, reading, limit // 2)
    if not text.strip():
        raise DataError(f"{name}: is empty; expected a line of column names and rows")
    loaded = _of_text(text, _plain_suffix(path), name, reading, limit)
    return Loaded(loaded.frame, (*notes, *loaded.notes))


def _of_text(text: bytes, suffix: str, name: str, reading: Reading, limit: int) -> Loaded:
    """Return the frame of JSON or delimited text."""
    start = text.lstrip()[:2]
    like_json = (
        suffix not in _TEXT
        and reading.separator is None
        and (start in (b'{"', b"{}", b"[{") or (start[:1] == b"[" and suffix == ".json"))
    )
    if suffix in (*_JSON_LINES, ".json") or like_json:
        if 2 * len(text) > limit:
            raise too_large(name, "holds too much text", limit)
        loaded = parse_json(text, name, limit, lines=suffix in _JSON_LINES)
        return Loaded(loaded.frame, (*loaded.notes, *_unused(reading, name, "JSON file", ("--encoding",))))
    if suffix in (".tsv", ".tab") and reading.separator is None:
        loaded = _tabs_first(text, name, reading)
    else:
        loaded = load_delimited(text, name, reading)
    return Loaded(loaded.frame, (*loaded.notes, *_unused(reading, name, "text file", reading.said_of_text())))


def _tabs_first(text: bytes, name: str, reading: Reading) -> Loaded:
    """Return the frame of a file whose name says tabs: as such, or where there are none as is found."""
    return load_delimited(text, name, replace(reading, separator="\t"))


def _plain_suffix(path: PurePath) -> str:
    """Return the suffix that names the format, below one that names the compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _unused(reading: Reading, name: str, kind: str, used: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return a note on options that were set and that files of a kind do not have."""
    given = reading.said_of_text() + (["--sheet"] if reading.sheet is not None else [])
    unused = [option for option in given if option not in used]
    if not unused:
        return ()
    return (f"{', '.join(unused)} {'was' if len(unused) == 1 else 'were'} not used: {name} is a {kind}",)
