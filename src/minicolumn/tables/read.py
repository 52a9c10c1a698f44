"""Table reader: CSV, TSV, JSON lines and Parquet files to frames; the format is found by name and content."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables.builtin import BUILTINS, builtin_bytes, builtin_names
from minicolumn.tables.delimited import check_names, parse_delimited
from minicolumn.tables.unpack import read_bounded, unpack

if TYPE_CHECKING:
    import polars

LARGEST_CELLS = 1 << 29  # of a Parquet file: its pages can repeat one value without end
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_JSON = (".jsonl", ".ndjson", ".json")
_SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\xd0\xcf\x11\xe0": "an old Office file (.xls?)",
    b"ARROW1": "an Arrow file",
    b"\x7fELF": "a program",
}


def read_table(source: str | os.PathLike[str]) -> polars.DataFrame:
    """Read a table: CSV, TSV, JSON lines or Parquet, also compressed, or a built-in data set by name.

    source      path of a file, or a name of builtin_names(); a file of that name goes first
    Packed      .gz .zst .bz2 .xz .zip (of one file), found by content; at most 2 GiB of text
    CSV, TSV    UTF-8 (a BOM may stand first) or UTF-16 with a BOM; separator , ; tab or |, found by
                what the first lines agree on; cells stay raw strings, blank lines are skipped
    JSON lines  one object a line; Parquet: at most 2**29 cells; both keep their types
    Returns     a polars DataFrame of at least one row and one column
    Errors      DataError, one line: no such file, a folder, empty, only names, not a table, not
                UTF-8, rows of another length, repeated or blank names, nested columns
    Source      RFC 4180 (CSV), jsonlines.org and RFC 8259 (JSON), parquet.apache.org
    Differs     pandas.read_csv and polars.read_csv turn text into types while they read, and URLs are opened
                by them; here no network is used, and what text means is decided by `infer_schema`.

    >>> read_table("penguins").shape
    (344, 17)
    """
    path = Path(source)
    if str(source) in BUILTINS and not path.exists():
        return parse_delimited(builtin_bytes(str(source)), str(source))
    data = unpack(_read_file(path), path.name)
    frame = _parse(data, path)
    if frame.width == 0:
        raise DataError(f"{path.name}: has no columns")
    if frame.height == 0:
        raise DataError(f"{path.name}: has column names but no rows")
    check_names(frame.columns, path.name)
    refuse_nested(frame, path.name)
    return frame


def _read_file(path: Path) -> bytes:
    """Return a file's bytes, bounded; DataError, with the nearest name, for what cannot be read.

    Devices are refused, since some never end; /dev/stdin is let through.
    """
    if path.is_block_device() or (path.is_char_device() and str(path) != "/dev/stdin"):
        raise DataError(f"{str(path)!r} is a device; name a file")
    try:
        with path.open("rb") as stream:
            return read_bounded(stream, path.name)
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


def _parse(data: bytes, path: Path) -> polars.DataFrame:
    """Return the frame of unpacked bytes: Parquet by magic number, JSON lines by suffix or first bytes."""
    name = path.name
    if data[:4] == b"PAR1":
        return _read_parquet(data, name)
    text = _as_utf8(data, name)
    if not text.strip():
        raise DataError(f"{name}: is empty; expected a line of column names and rows")
    plain = _plain_suffix(path)
    if plain in _JSON or (plain not in (".csv", ".tsv", ".tab") and text.lstrip()[:2] in (b'{"', b"{}")):
        return _read_json_lines(text, name)
    return parse_delimited(text, name, "\t" if plain in (".tsv", ".tab") else None)


def _plain_suffix(path: Path) -> str:
    """Return the suffix that names the format, below one that names the compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _as_utf8(data: bytes, name: str) -> bytes:
    """Return the text as UTF-8 bytes without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise DataError(f"{name}: starts like UTF-16 text but is not; save it as UTF-8") from None
    _refuse_binary(data, name)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}: line {line} is not UTF-8 (byte 0x{data[error.start]:02x} at {error.start}); "
            "save the file with the encoding UTF-8"
        ) from None
    return data.removeprefix(b"\xef\xbb\xbf")


def _refuse_binary(data: bytes, name: str) -> None:
    """Refuse well-known binary formats by their magic numbers, and any text with a zero byte."""
    for magic, kind in _SIGNATURES.items():
        if data.startswith(magic):
            raise DataError(f"{name}: is {kind}, not a table; expected CSV, TSV, JSON lines or Parquet")
    if (place := data.find(b"\0")) >= 0:
        raise DataError(
            f"{name}: is not text (a zero byte at {place}); expected CSV, TSV, JSON lines or Parquet"
        )


def _read_json_lines(text: bytes, name: str) -> polars.DataFrame:
    """Return the frame of JSON lines as Polars reads them; what it refuses is looked at line by line."""
    import polars

    try:
        return polars.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
        _diagnose_json(text, name)
        reason = str(error).splitlines()[0]
        raise DataError(f"{name}: a column holds values of several types ({reason}); use one type") from None


def _diagnose_json(text: bytes, name: str) -> None:
    """Raise DataError for the first line that is not one JSON object of plain values."""
    import json

    for number, line in enumerate(io.BytesIO(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}: line {number} is not one JSON object ({error})") from None
        if not isinstance(row, dict):
            raise DataError(f"{name}: line {number} holds a {type(row).__name__}, expected one JSON object")
        for key, value in row.items():
            if isinstance(value, (dict, list)):
                raise _nested(name, key)


def _refuse_constant(word: str) -> float:
    """Refuse NaN and Infinity, which Python's json takes and RFC 8259 lacks."""
    raise ValueError(f"{word} is no JSON; write null")


def _read_parquet(data: bytes, name: str) -> polars.DataFrame:
    """Return the frame of a Parquet file, once its metadata says that it is not too large."""
    import polars

    try:
        columns = len(polars.read_parquet_schema(io.BytesIO(data)))
        rows = polars.scan_parquet(io.BytesIO(data)).select(polars.len()).collect().item()
        if rows * columns > LARGEST_CELLS:
            raise DataError(
                f"{name}: holds {rows:,} rows of {columns:,} columns, more than the 2**29 cells read"
            )
        return polars.read_parquet(io.BytesIO(data))
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise DataError(f"{name}: the Parquet file is damaged ({reason})") from None


def refuse_nested(frame: polars.DataFrame, name: str) -> None:
    """Refuse columns of lists, structs, objects or bytes: a feature has one plain value a row.

    name        of the table, for messages
    Errors      DataError with the column
    """
    import polars

    for column, dtype in frame.schema.items():
        if dtype.is_nested() or dtype in (polars.Object, polars.Binary):
            raise _nested(name, column)


def _nested(name: str, column: str) -> DataError:
    """Return the error for a nested column."""
    return DataError(
        f"{name}: column {column!r} holds lists, objects or bytes; expected one plain value a row"
    )


def load_table(source, reading=None):
    from minicolumn.tables.reading import Loaded

    return Loaded(read_table(source), ())
