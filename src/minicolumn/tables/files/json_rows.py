"""JSON reader: lines of objects, an array of objects, or one object of columns, to a frame.

Source      jsonlines.org, RFC 8259; pandas' DataFrame.to_json for objects of columns
Differs     pandas.read_json turns strings that look like dates into dates; here strings stay strings
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.tables.files.apart import run_apart
from minicolumn.tables.files.columns import frame_of_columns
from minicolumn.tables.files.decoding import decode
from minicolumn.tables.files.reading import Loaded, gibibytes, too_large

if TYPE_CHECKING:
    import polars

_SMALL = 4 << 20  # bytes; below, Python is done before another process has started
_BYTES_A_VALUE, _BYTES_AN_OBJECT = 80, 300  # that Python takes for a value, and for an object or array
_BYTES_A_CELL = 24  # of a column: 8 in Python's list, up to 16 in Polars
_PLAIN = (str, int, float, bool, type(None))


def parse_json(text: bytes, name: str, limit: int, *, lines: bool = False) -> Loaded:
    """Return the frame of JSON text, with the types of its values; nested values stay nested.

    Forms       one object a line; an array of objects; an object of columns, each an array or an object of
                equal keys (pandas); an object in which one array of objects stands
    lines       whether only one object a line is meant (.jsonl, .ndjson)
    limit       bytes that reading may take
    Errors      DataError with the line: no JSON, no objects
    """
    one = not lines and (text.lstrip()[:1] == b"[" or not _first_is_whole(text))
    if not one and _count_lines(text) == 1 and not lines:
        one = True  # an object of columns, or a single row
    job = "json" if text.lstrip()[:1] == b"[" else "ndjson"
    if len(text) > _SMALL and (not one or job == "json"):
        frame = _by_polars(job, text, name, limit)
        if frame is not None:
            return Loaded(frame)
    size = (
        len(text)
        + _BYTES_A_VALUE * text.count(b",")
        + _BYTES_AN_OBJECT * (text.count(b"{") + text.count(b"["))
    )
    if size > limit:
        raise too_large(name, f"takes about {gibibytes(size)}", limit)
    if not one:
        return _of_rows(_rows_of_lines(text, name), name, limit)
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: line {getattr(error, 'lineno', 1)} is not JSON ({error})") from None
    return _of_document(document, name, limit)


def _first_is_whole(text: bytes) -> bool:
    """Return whether the first line is JSON by itself."""
    line = next((line for line in io.BytesIO(text) if line.strip()), b"")
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        # No JSON at all: then the line is what is to be named, unless the object goes on below.
        return not line.strip().startswith(b"{") or line.strip().endswith(b"}")
    return True


def _count_lines(text: bytes) -> int:
    """Return 0, 1 or 2: how many lines are not blank, as far as it matters."""
    found = 0
    for line in io.BytesIO(text):
        found += bool(line.strip())
        if found == 2:
            break
    return found


def _by_polars(job: str, text: bytes, name: str, limit: int) -> polars.DataFrame | None:
    """Return the frame that Polars reads; None for what it refuses, which is looked at value by value."""
    import polars

    try:
        run_apart(job, text, name, limit)
        return decode(job, text)
    except DataError:
        raise
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, ValueError):
        return None


def _rows_of_lines(text: bytes, name: str) -> list[dict[str, Any]]:
    """Return the object of each line; DataError for the first line that is not one."""
    rows = []
    for number, line in enumerate(io.BytesIO(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}: line {number} is not one JSON object ({error})") from None
        if not isinstance(row, dict):
            raise DataError(f"{name}: line {number} holds a {type(row).__name__}, expected one JSON object")
        rows.append(row)
    return rows


def _refuse_constant(word: str) -> float:
    """Refuse NaN and Infinity, which Python's json takes and RFC 8259 lacks."""
    raise ValueError(f"{word} is no JSON; write null")


def _of_document(document: Any, name: str, limit: int) -> Loaded:
    """Return the frame of one JSON value."""
    if isinstance(document, list):
        wrong = next((place for place, row in enumerate(document, 1) if not isinstance(row, dict)), None)
        if wrong is not None or not document:
            found = f"its value {wrong} is a {type(document[wrong - 1]).__name__}" if wrong else "it is empty"
            raise DataError(f"{name}: is a JSON array, but {found}; expected objects of names and values")
        return _of_rows(document, name, limit)
    if not isinstance(document, dict):
        raise DataError(f"{name}: holds a {type(document).__name__}, expected JSON objects")
    columns = _columns(document)
    if columns is not None:
        loaded = frame_of_columns(columns)
        return Loaded(loaded.frame, ("its JSON object was read as columns", *loaded.notes))
    tables = [key for key, value in document.items() if _is_rows(value)]
    if len(tables) == 1:
        loaded = _of_rows(document[tables[0]], name, limit)
        return Loaded(loaded.frame, (f"the rows were taken from {tables[0]!r}", *loaded.notes))
    return _of_rows([document], name, limit)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(row, dict) for row in value)


def _columns(document: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Return columns of plain values where an object holds nothing else."""
    values = list(document.values())
    if values and all(isinstance(value, list) for value in values):
        columns = document
    elif values and all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        columns = {name: list(value.values()) for name, value in document.items()}
    else:
        return None
    length = len(next(iter(columns.values())))
    plain = all(
        len(column) == length and all(isinstance(v, _PLAIN) for v in column) for column in columns.values()
    )
    return columns if plain and length else None


def _of_rows(rows: list[dict[str, Any]], name: str, limit: int) -> Loaded:
    """Return the frame of objects: the union of their names, null where a name is missing."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    if not names:
        raise DataError(f"{name}: has no columns")
    if _BYTES_A_CELL * len(rows) * len(names) > limit:
        raise too_large(name, f"holds {len(rows):,} objects of {len(names):,} names", limit)
    return frame_of_columns({key: [row.get(key) for row in rows] for key in names})
