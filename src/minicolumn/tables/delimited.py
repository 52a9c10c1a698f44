"""Delimited text (CSV, TSV) to a frame of raw strings, every oddity named with its line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError

if TYPE_CHECKING:
    import polars

SEPARATORS = (",", ";", "\t", "|")
_SNIFFED = 1 << 16  # characters looked at to find the separator
_CHUNK = 1 << 22
_MOST_COLUMNS = 100_000


def parse_delimited(data: bytes, name: str, separator: str | None = None) -> polars.DataFrame:
    """Return UTF-8 text as a frame of strings; the first line holds the names, blank lines are skipped."""
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")  # the line ends of old spreadsheets
    separator = separator or sniff(data[:_SNIFFED].decode("utf-8", "ignore"))
    names = _header(data, separator, name)
    fields, blank = _measure(data, separator)
    if _has_stray_quotes(data, separator):
        frame = _parse_exactly(data, separator, name, len(names))
    else:
        if np.any((fields != len(names)) & ~blank):
            _diagnose(data, separator, len(names), name)
        frame = _parse(data, separator, name, len(names), blank[int(np.argmin(blank)) + 1 :])
    frame.columns = names
    return frame


def sniff(head: str) -> str:
    """Return the separator under which the first lines agree best on more than one column.

    >>> sniff("a;b\\n1,5;2\\n2,5;3\\n")
    ';'
    """
    lines = head.splitlines()
    lines = lines[:-1] if len(lines) > 1 and len(head) > _SNIFFED // 2 else lines  # the last may be cut
    best, best_score = ",", (0.0, 1)
    for separator in SEPARATORS:
        counts = [len(row) for row in csv.reader(lines[:200], delimiter=separator) if row]
        if not counts or counts[0] < 2:
            continue
        score = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
        best, best_score = (separator, score) if score > best_score else (best, best_score)
    return best


def _rows(data: bytes, separator: str) -> Any:
    """Return Python's csv reader, slow and exact, over the text."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=separator, strict=True)


def _header(data: bytes, separator: str, name: str) -> list[str]:
    try:
        names = next((row for row in _rows(data, separator) if row), [])
    except csv.Error as error:
        raise DataError(f"{name}: line 1 cannot be read as column names ({error})") from None
    names = [field.strip() for field in names]
    check_names(names, name)
    return names


def check_names(names: list[str], source: str) -> None:
    """Raise DataError for a blank or a repeated column name, or for far too many."""
    if len(names) > _MOST_COLUMNS:
        raise DataError(f"{source}: has {len(names):,} columns, at most {_MOST_COLUMNS:,} are read")
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(f"{source}: column {place} of {len(names)} has no name; name it or remove it")
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in seen:
            raise DataError(
                f"{source}: columns {seen[name]} and {place} are both named {name!r}; rename one "
                "(if the file has no line of names, add one)"
            )
        seen[name] = place


def _measure(data: bytes, separator: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of fields of every record, and whether it is a blank line."""
    whole = np.frombuffer(data, np.uint8)
    ends, marks, inside, count = [], [], False, 0
    for begin in range(0, len(whole), _CHUNK):
        part = whole[begin : begin + _CHUNK]
        quotes = part == ord('"')
        quoted = np.logical_xor.accumulate(quotes) ^ inside if inside or quotes.any() else quotes
        at = np.flatnonzero((part == ord("\n")) & ~quoted)
        between = np.flatnonzero((part == ord(separator)) & ~quoted)
        ends.append(at + begin)
        marks.append(np.searchsorted(between, at) + count)
        count, inside = count + len(between), bool(quoted[-1])
    if inside or whole[-1] != ord("\n"):
        ends.append(np.array([len(whole)]))
        marks.append(np.array([count]))
    end = np.concatenate(ends)
    length = np.diff(end, prepend=-1) - 1
    blank = (length == 0) | ((length == 1) & (whole[end - 1] == ord("\r")))
    fields: np.ndarray = np.diff(np.concatenate(marks, dtype=np.int64), prepend=0)
    return fields + 1, blank


def _has_stray_quotes(data: bytes, separator: str) -> bool:
    """Return whether a quote stays open or opens inside a field (4" pipe): there counting quotes misleads."""
    if b'"' not in data:
        return False
    whole = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(whole == ord('"'))
    opens = quotes[::2]  # every other quote opens
    before = whole[opens[opens > 0] - 1]
    return len(quotes) % 2 == 1 or not np.isin(before, [ord(mark) for mark in f'{separator}\n"']).all()


def _diagnose(data: bytes, separator: str, columns: int, name: str) -> None:
    """Raise DataError for the first record that has another number of fields, if there is one."""
    reader = _rows(data, separator)
    try:
        for row in reader:
            if row and len(row) != columns:
                raise DataError(
                    f"{name}: line {reader.line_num} has {len(row)} fields, the line of names has "
                    f"{columns} (separator {separator!r}); put quotes around fields that hold the separator"
                )
    except csv.Error as error:
        reason = "a quoted field is not closed" if "end of data" in str(error) else str(error)
        raise DataError(f"{name}: line {reader.line_num} cannot be read: {reason}") from None


def _parse(data: bytes, separator: str, name: str, columns: int, blank: np.ndarray) -> polars.DataFrame:
    """Return the frame that Polars reads, without the rows of blank lines."""
    import polars

    try:
        frame = polars.read_csv(data, separator=separator, infer_schema=False)
    except polars.exceptions.PolarsError:
        return _parse_exactly(data, separator, name, columns)
    if frame.height != len(blank):
        return _parse_exactly(data, separator, name, columns)
    return frame.filter(polars.Series(~blank)) if blank.any() else frame


def _parse_exactly(data: bytes, separator: str, name: str, columns: int) -> polars.DataFrame:
    """Return the frame that Python's csv reads, written again in one strict form for Polars."""
    import polars

    _diagnose(data, separator, columns, name)
    clean = io.StringIO()
    csv.writer(clean, quoting=csv.QUOTE_ALL).writerows(row for row in _rows(data, separator) if row)
    try:
        return polars.read_csv(clean.getvalue().encode(), infer_schema=False)
    except polars.exceptions.PolarsError as error:
        raise DataError(f"{name}: cannot be read as a table ({str(error).splitlines()[0]})") from None
