"""CSV and TSV parser: delimited text to a frame of raw strings, with each malformed record named by its line.

The fast path counts fields in NumPy and leaves the parsing to Polars. Where quotes are unusual, or Polars
sees another number of records, Python's csv module, slow and exact, has the last word. So both paths give
the same frame, and what neither reads is refused with the number of its line.

Source      RFC 4180 (a header is required here; blank lines are skipped; the separator may be , ; tab or |)
Differs     pandas.read_csv and polars.read_csv guess types, so "02139" becomes 2139 and "NA" a gap before
            anyone has looked; both rename repeated columns. Here cells stay text and names must be unique.
"""

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
    """Parse delimited text into a frame of strings; the first record holds the column names.

    data        UTF-8 without a byte order mark, lines ended by LF, CR LF or CR
    name        of the file, for messages
    separator   one character; by default the one that `sniff` finds
    Returns     a polars frame, all columns String; an empty cell is null or "", which mean the same
    Errors      DataError with the line: another number of fields than names, a quote that is not closed,
                blank or repeated names

    >>> parse_delimited(b'code,town\\n02139,"Cambridge, MA"\\n', "towns.csv").row(0)
    ('02139', 'Cambridge, MA')
    """
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
    """Detect the separator: the one under which the first lines agree best on more than one column.

    head        the first 64 KiB of text
    Returns     a character of , ; tab | and "," where none gives two columns
    Differs     Python's csv.Sniffer may take any character, a letter too

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
    """Return Python's csv reader over the text: strict, so that a malformed quote is an error."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=separator, strict=True)


def _header(data: bytes, separator: str, name: str) -> list[str]:
    """Return the column names of the first record that is not blank, stripped and checked."""
    try:
        names = next((row for row in _rows(data, separator) if row), [])
    except csv.Error as error:
        raise DataError(f"{name}: line 1 cannot be read as column names ({error})") from None
    names = [field.strip() for field in names]
    check_names(names, name)
    return names


def check_names(names: list[str], source: str) -> None:
    """Refuse column names that are blank or repeated, or more than 100,000 of them.

    source      of the names, for messages
    Errors      DataError with the places of the columns, counted from 1
    """
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
    """Return the number of fields of every record, int64 [records], and whether it is blank, bool [records].

    A line end or separator is one unless an odd number of quotes stands before it, which is RFC 4180 where no
    quote strays (see `_has_stray_quotes`). Text is looked at in chunks of 4 MiB, so the masks stay small.
    """
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
    """Return the frame that Polars reads, without the rows of blank lines.

    blank       whether each record after the header is blank, bool [records]; where Polars finds another
                number of records, the slow parser decides
    """
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
