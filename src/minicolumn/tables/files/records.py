"""Records of delimited text: where each one ends and how many fields it has, counted in NumPy.

Source      RFC 4180 for what a quote does
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart.

    separator   one character of ASCII
    quote       one character of ASCII, doubled inside of quoted fields
    padded      whether blanks after a separator are no part of the field, so that a quote may follow them
    shown       the separator as it stands in the file, where that is another
    """

    separator: str
    quote: str = '"'
    padded: bool = False
    shown: str | None = None

    def __str__(self) -> str:
        return repr(self.shown or self.separator)

    def rows(self, data: bytes) -> Any:
        """Return Python's csv reader over UTF-8: strict, so that a malformed quote is an error."""
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
        return csv.reader(
            text,
            delimiter=self.separator,
            quotechar=self.quote,
            skipinitialspace=self.padded,
            strict=True,
        )


@dataclass(frozen=True)
class Records:
    """The records of a text.

    ends        place of the line end after each record, int64 [records]
    fields      of each record, int64 [records]
    blank       whether nothing stands in it, bool [records]
    """

    ends: np.ndarray
    fields: np.ndarray
    blank: np.ndarray

    @property
    def filled(self) -> np.ndarray:
        """The places of records that are not blank, int64."""
        return np.flatnonzero(~self.blank)

    @property
    def even(self) -> bool:
        """Whether all records that are not blank have the same number of fields."""
        counts = self.fields[~self.blank]
        return len(counts) > 0 and bool(np.all(counts == counts[0]))

    def start(self, record: int) -> int:
        """Return the place of a record's first byte."""
        return 0 if record == 0 else int(self.ends[record - 1]) + 1

    def text(self, data: bytes, first: int, last: int) -> bytes:
        """Return the text from one record to another, both included."""
        return data[self.start(first) : int(self.ends[min(last, len(self.ends) - 1)]) + 1]


def measure(data: bytes, dialect: Dialect) -> Records:
    """Return the records of a text.

    A line end or separator is one unless an odd number of quotes stands before it, which is RFC 4180 where no
    quote strays (see `has_stray_quotes`). Text is looked at in chunks of 4 MiB, so the masks stay small.

    >>> measure(b'a,b\\n"x\\ny",2\\n', Dialect(",")).fields
    array([2, 2])
    """
    whole = np.frombuffer(data, np.uint8)
    ends, marks, inside, count = [], [], False, 0
    for begin, part, quoted in _chunks(whole, dialect.quote):
        at = np.flatnonzero((part == ord("\n")) & ~quoted)
        between = np.flatnonzero((part == ord(dialect.separator)) & ~quoted)
        ends.append(at + begin)
        marks.append(np.searchsorted(between, at) + count)
        count, inside = count + len(between), bool(quoted[-1])
    if inside or not len(whole) or whole[-1] != ord("\n"):
        ends.append(np.array([len(whole)]))
        marks.append(np.array([count]))
    end = np.concatenate(ends)
    length = np.diff(end, prepend=-1) - 1
    blank = (length == 0) | ((length == 1) & (whole[end - 1] == ord("\r")))
    fields: np.ndarray = np.diff(np.concatenate(marks, dtype=np.int64), prepend=0)
    return Records(end, fields + 1, blank)


def _chunks(whole: np.ndarray, quote: str) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Return pieces of a text with their place, and whether each byte stands inside of quotes."""
    inside = False
    for begin in range(0, len(whole), _CHUNK):
        part = whole[begin : begin + _CHUNK]
        quotes = part == ord(quote)
        quoted = np.logical_xor.accumulate(quotes) ^ inside if inside or quotes.any() else quotes
        yield begin, part, quoted
        inside = bool(quoted[-1])


def has_stray_quotes(data: bytes, dialect: Dialect) -> bool:
    """Return whether a quote stays open or opens inside a field (4" pipe): there counting quotes misleads."""
    if dialect.quote.encode() not in data:
        return False
    whole = np.frombuffer(data, np.uint8)
    allowed = [ord(mark) for mark in f"{dialect.separator}\n{dialect.quote}"]
    seen = 0
    for begin in range(0, len(whole), _CHUNK):
        quotes = np.flatnonzero(whole[begin : begin + _CHUNK] == ord(dialect.quote)) + begin
        opens = quotes[seen % 2 :: 2]  # every other quote opens
        seen += len(quotes)
        if not np.isin(whole[opens[opens > 0] - 1], allowed).all():
            return True
    return seen % 2 == 1


def first_row(text: bytes, dialect: Dialect) -> list[str]:
    """Return the fields of the first record of a text; none where it is malformed."""
    try:
        return next(dialect.rows(text), [])
    except csv.Error:
        return []


def one_line_end(data: bytes) -> bytes:
    """Return the text with a line feed for each carriage return that ends a line by itself.

    Outside of quotes a lone CR ends a line, as Python's csv has it; inside of them it is part of the field.
    """
    if data.count(b"\r") == data.count(b"\r\n"):
        return data
    if b'"' not in data and b"\n" not in data:
        return data.replace(b"\r", b"\n")
    whole = np.frombuffer(data, np.uint8).copy()
    for begin, part, quoted in _chunks(whole, '"'):
        at = np.flatnonzero((part == ord("\r")) & ~quoted) + begin
        following = whole[np.minimum(at + 1, len(whole) - 1)]
        whole[at[(following != ord("\n")) | (at + 1 == len(whole))]] = ord("\n")
    return whole.tobytes()


def rewritten(data: bytes, dialect: Dialect) -> bytes:
    """Return the text with every field in quotes, as Python's csv reads it; csv.Error where it cannot."""
    whole = io.BytesIO()
    clean = io.TextIOWrapper(whole, encoding="utf-8", newline="")
    writer = csv.writer(
        clean,
        delimiter=dialect.separator,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_ALL,
        lineterminator="\n",
    )
    writer.writerows(dialect.rows(data))
    clean.detach()  # flushes
    return whole.getvalue()
