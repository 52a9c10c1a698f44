"""Dialect detection: the separator and quotes under which delimited text is a table.

A text that is a table under one of , ; tab and | is never looked at further: the other dialects are tried
where those give ragged rows or a single column.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from minicolumn.errors import DataError
from minicolumn.tables.files.reading import SEPARATOR_WORDS, Reading
from minicolumn.tables.files.records import Dialect

SEPARATORS = (",", ";", "\t", "|")
RARE = ("::", "^", "~")
_SNIFFED = 1 << 16  # characters looked at to find the separator
_SNIFFED_LINES = 200
_STAND_INS = "\x1f\x1e\x1c\x02"  # for separators that are more than one byte
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def sniff(head: str) -> str:
    """Detect the separator: the one under which the first lines agree best on more than one column.

    head        the first 64 KiB of text
    Returns     a character of , ; tab | and "," where none gives two columns
    Differs     Python's csv.Sniffer may take any character, a letter too

    >>> sniff("a;b\\n1,5;2\\n2,5;3\\n")
    ';'
    """
    best, best_score = ",", (0.0, 1)
    for separator in SEPARATORS:
        counts = _counts(head, separator)
        if not counts or counts[0] < 2:
            continue
        score = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
        best, best_score = (separator, score) if score > best_score else (best, best_score)
    return best


def ranked(head: str) -> list[str]:
    """Return the separators under which most lines have the same number of fields, the best first.

    Other lines may stand above the table and below it, so that the first line has no say.
    """
    scores = {}
    for separator in SEPARATORS:
        counts = Counter(_counts(head, separator))
        if counts:
            width, lines = max(counts.items(), key=lambda item: (item[1], item[0]))
            if width > 1 and 2 * lines > counts.total():
                scores[separator] = (lines / counts.total(), width)
    return sorted(scores, key=lambda separator: scores[separator], reverse=True)


def rare(head: str) -> Iterator[str]:
    """Return the rare separators that stand equally often in each line, blanks last."""
    lines = [line for line in _lines(head) if line.strip()]
    if len(lines) < 2:
        return
    for separator in RARE:
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            yield separator
    if _blanks_separate(lines):
        yield " "


def _blanks_separate(lines: list[str]) -> bool:
    """Return whether lines are columns between blanks: one of numbers and two more, or two of numbers.

    A column of text has blanks too, so that two words a line are not enough.
    """
    rows = [_split_blanks(line) for line in lines]
    width = len(rows[1])
    if len(rows) < 3 or width < 2 or len(rows[0]) not in (width, width - 1):
        return False
    if any(len(row) != width for row in rows[1:]):
        return False
    numeric = sum(all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows[1:], strict=True))
    return numeric >= 2 or (numeric == 1 and width > 2) or (numeric == 1 and _aligned(lines))


def _aligned(lines: list[str]) -> bool:
    """Return whether most lines hold two blanks in a row, as tables that are aligned by blanks do."""
    return 2 * sum("  " in line.strip() for line in lines) > len(lines)


def _split_blanks(line: str) -> list[str]:
    try:
        return next(csv.reader([line.strip().replace("\t", " ")], delimiter=" ", skipinitialspace=True), [])
    except csv.Error:
        return []


def _lines(head: str) -> list[str]:
    lines = head.splitlines()
    return lines[:-1] if len(lines) > 1 and len(head) > _SNIFFED // 2 else lines  # the last may be cut


def _counts(head: str, separator: str) -> list[int]:
    """Return the number of fields of each of the first records that is not blank."""
    return [len(row) for row in csv.reader(_lines(head)[:_SNIFFED_LINES], delimiter=separator) if row]


def head_of(data: bytes) -> str:
    """Return the first 64 KiB of a text."""
    return data[:_SNIFFED].decode("utf-8", "ignore")


def quote_of(reading: Reading) -> str:
    """Return the quote that was said, or the usual one; none at all is an empty text."""
    return '"' if reading.quote is None else reading.quote


def with_one_byte(data: bytes, separator: str, quote: str, name: str) -> tuple[bytes, Dialect]:
    """Return the text with a separator of one byte, and its dialect: runs of blanks and "::" become one byte.

    quote       where it is empty, one that is not in the text stands for it
    Errors      DataError where all bytes that could stand for the separator are in the text
    """
    free = [mark for mark in _STAND_INS if mark.encode() not in data]
    if not quote and free:
        quote = free.pop()
    if separator != " " and len(separator.encode()) == 1 and quote:
        return data, Dialect(separator, quote)
    stand_in = free[0] if free else None
    if stand_in is None or not quote:
        raise DataError(f"{name}: holds control characters; it cannot be split at {separator!r}")
    dialect = Dialect(stand_in, quote, shown=separator)
    if separator != " ":
        return data.replace(separator.encode(), stand_in.encode()), dialect
    return _without_blanks(data, stand_in.encode(), quote), dialect


def _without_blanks(data: bytes, mark: bytes, quote: str) -> bytes:
    """Return the text with a mark for each run of blanks between fields; record by record, to hold little."""
    written, record, quotes = io.BytesIO(), [], 0
    for line in io.BytesIO(data):
        record.append(line)
        quotes += line.count(quote.encode())
        if quotes % 2 == 0:
            written.write(_marked(b"".join(record), mark, quote.encode()))
            record, quotes = [], 0
    for line in record:  # of a quote that is not closed
        written.write(mark.join(line.split()) + b"\n")
    return written.getvalue()


def _marked(record: bytes, mark: bytes, quote: bytes) -> bytes:
    if quote not in record:
        return mark.join(record.split()) + b"\n"
    quoted = re.escape(quote)
    blanks = re.compile(rb"(%b(?:[^%b]|%b%b)*%b)|[ \t]+" % ((quoted,) * 5))
    return blanks.sub(lambda found: found[1] or mark, record.strip()) + b"\n"


def in_words(separator: str) -> str:
    """Return a separator as a message says it.

    >>> in_words("\\t"), in_words(";")
    ('tab', "';'")
    """
    words = {mark: word for word, mark in SEPARATOR_WORDS.items() if word in ("tab", "space")}
    return words.get(separator, repr(separator))
