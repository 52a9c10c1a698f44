"""CSV and TSV parser: delimited text to a frame of raw strings, with each malformed record named by its line.

The fast path counts fields in NumPy and leaves the parsing to Polars. Where quotes are unusual, or Polars
sees another number of records, Python's csv module, slow and exact, has the last word. So both paths give
the same frame, and what neither reads is refused with the number of its line.

Source      RFC 4180 (blank lines are skipped; the separator may be another)
Differs     pandas.read_csv and polars.read_csv guess types, so "02139" becomes 2139 and "NA" a gap before
            anyone has looked; both rename repeated columns. Here cells stay text and names must be unique.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables.files.layout import (
    MOST_COLUMNS,
    Layout,
    even_layout,
    is_value,
    table_inside,
    with_names,
)
from minicolumn.tables.files.reading import Loaded, Reading, gibibytes, too_large
from minicolumn.tables.files.records import (
    Dialect,
    Records,
    first_row,
    has_stray_quotes,
    measure,
    one_line_end,
    rewritten,
)
from minicolumn.tables.files.separators import head_of, in_words, quote_of, ranked, rare, sniff, with_one_byte

if TYPE_CHECKING:
    import polars

_END_OF_DOS = b"\x1a"
_BYTES_A_LINE = 40  # of the five arrays that describe records
_BYTES_A_CELL = 16  # of Polars, beside what does not fit into them
_COPIES_OF_A_RECORD = 10  # that Polars makes, as measured with cells of 200 MB
_LONGEST_RECORD = 1 << 30  # bytes; Polars has 32 bits for the length of a cell
_SEP_LINE = re.compile(rb'"?sep=([^\n\r"])"?\r?(\n|\Z)', re.IGNORECASE)


@dataclass(frozen=True)
class _Form:
    """A text under one dialect; the note says what of the dialect was guessed."""

    data: bytes
    dialect: Dialect
    records: Records
    notes: tuple[str, ...] = ()


def parse_delimited(data: bytes, name: str, reading: Reading | None = None) -> polars.DataFrame:
    """Parse delimited text into a frame of strings: what `load_delimited` does, without its notes.

    >>> parse_delimited(b'code,town\\n02139,"Cambridge, MA"\\n', "towns.csv").row(0)
    ('02139', 'Cambridge, MA')
    """
    return load_delimited(data, name, reading).frame


def load_delimited(data: bytes, name: str, reading: Reading | None = None) -> Loaded:
    """Parse delimited text into a frame of strings; the first record holds the column names.

    data        UTF-8 without a byte order mark, lines ended by LF, CR LF or CR
    name        of the file, for messages
    reading     what is known of the text; by default all is found
    Returns     the frame, all columns String; an empty cell is null or "", which mean the same; notes on
                what was guessed, none for a table that is well-formed
    Errors      DataError with the line: another number of fields than names, a quote that is not closed,
                repeated names, more memory than it may take

    >>> load_delimited(b"title\\n\\na,b\\n1,2\\n", "t.csv").notes
    ('1 title line was left out above the names',)
    """
    reading = reading or Reading()
    limit = reading.limit
    _check_text(data, name, limit)
    data, reading, notes = _lead(one_line_end(data.removesuffix(_END_OF_DOS)), reading)
    if not data.strip():
        raise DataError(f"{name}: is empty; expected a line of column names and rows")
    form, layout = _found(data, name, reading)
    _check_size(form, layout, name, limit)
    frame, names = _parsed(form, layout, name, reading.header)
    frame, named = with_names(frame, names, name, reading.header)
    if not frame.height:
        raise DataError(f"{name}: has column names but no rows")
    return Loaded(frame, (*notes, *form.notes, *layout.notes, *named))


def _lead(data: bytes, reading: Reading) -> tuple[bytes, Reading, tuple[str, ...]]:
    """Blank what is not to be read, so that lines keep their numbers; take the separator of a line sep=;."""
    if reading.skip_rows:
        place = 0
        for _ in range(reading.skip_rows):
            place = data.find(b"\n", place) + 1 or len(data)
        data = b"\n" * data.count(b"\n", 0, place) + data[place:]
    if reading.comment is not None:
        data = re.sub(rb"(?m)^" + re.escape(reading.comment.encode()) + rb"[^\n]*", b"", data)
    line = _SEP_LINE.match(data)
    if line is None:
        return data, reading, ()
    data, separator = b"\n" + data[line.end() :], line[1].decode("utf-8", "ignore")
    if reading.separator is not None or not separator or separator.isalnum():
        return data, reading, ()
    note = f"separator {in_words(separator)} from the line sep={separator}"
    return data, replace(reading, separator=separator), (note,)


def _found(data: bytes, name: str, reading: Reading) -> tuple[_Form, Layout]:
    """Return the form and layout that make the text a table; DataError, of the likeliest form, for none."""
    likeliest = _form(data, name, reading.separator or sniff(head_of(data)), quote_of(reading))
    if likeliest is not None and (widest := int(likeliest.records.fields.max())) > MOST_COLUMNS:
        raise DataError(f"{name}: has {widest:,} columns, at most {MOST_COLUMNS:,} are read")
    if likeliest is not None and (layout := even_layout(likeliest.records)) is not None:
        if layout.width > 1 or reading.separator is not None:
            return likeliest, _below_titles(likeliest, layout, reading.header)
        found = _several_columns(data, name, reading) or _below_comments(data, name, reading)
        return found or (replace(likeliest, notes=_hint(data)), layout)
    for form in _other_quotes(data, name, reading):
        if (layout := even_layout(form.records)) is not None and layout.width > 1:
            return form, layout
    if likeliest is not None:
        layout = table_inside(likeliest.data, likeliest.records, likeliest.dialect, reading.header)
        if layout is not None:
            return likeliest, layout
    if reading.separator is None and (found := _several_columns(data, name, reading)) is not None:
        return found
    if (found := _below_comments(data, name, reading)) is not None:
        return found
    separator = reading.separator or sniff(head_of(data))
    raise _diagnosis(*with_one_byte(data, separator, quote_of(reading), name), name)


def _form(data: bytes, name: str, separator: str, quote: str, padded: bool = False) -> _Form | None:
    """Return a text under a dialect; None where its quotes do not fit."""
    data, dialect = with_one_byte(data, separator, quote, name)
    dialect = replace(dialect, padded=padded)
    if padded or has_stray_quotes(data, dialect):
        try:
            data = rewritten(data, dialect)
        except csv.Error:
            return None
        dialect = replace(dialect, padded=False)
    return _Form(data, dialect, measure(data, dialect))


def _other_quotes(data: bytes, name: str, reading: Reading) -> Iterator[_Form]:
    """Return the forms with quotes that follow blanks, and with single quotes."""
    separators = [reading.separator] if reading.separator else ranked(head_of(data)) or [sniff(head_of(data))]
    for separator in separators:
        quotes = ['"', "'"] if reading.quote is None else [reading.quote]
        for quote in quotes:
            if not quote or quote.encode() not in data:
                continue
            for padded in (False, True):
                form = _form(data, name, separator, quote, padded)
                if form is not None:
                    notes = ("quotes that follow a blank were read as quotes",) if padded else ()
                    if quote == "'" and reading.quote is None:
                        notes = (*notes, "single quotes were read as quotes; --quote to say otherwise")
                    yield replace(form, notes=notes)


def _several_columns(data: bytes, name: str, reading: Reading) -> tuple[_Form, Layout] | None:
    """Return a form with more than one column, of a separator that the first line does not show."""
    head = head_of(data)
    quote = quote_of(reading)
    for separator in ranked(head):
        form = _form(data, name, separator, quote)
        if form is not None and form.records.fields.max() <= MOST_COLUMNS:
            layout = table_inside(form.data, form.records, form.dialect, reading.header)
            if layout is not None:
                return form, layout
    for separator in rare(head):
        form = _form(data, name, separator, quote)
        if form is None or form.records.fields.max() > MOST_COLUMNS:
            continue
        layout = even_layout(form.records)
        layout = layout or table_inside(form.data, form.records, form.dialect, reading.header)
        if layout is not None and layout.width > 1:
            note = f"separator {in_words(separator)} was found; --separator to say otherwise"
            return replace(form, notes=(note,)), layout
    return None


def _below_comments(data: bytes, name: str, reading: Reading) -> tuple[_Form, Layout] | None:
    """Return a form with more than one column, of a text without its lines that begin with # or %."""
    mark = data.lstrip()[:1].decode("latin-1")
    if reading.comment is not None or mark not in ("#", "%"):
        return None
    text, said, _ = _lead(data, replace(reading, comment=mark))
    if not text.strip():
        return None
    try:
        form, layout = _found(text, name, said)
    except DataError:
        return None
    if layout.width < 2:
        return None
    count = data.count(b"\n" + mark.encode()) + data.startswith(mark.encode())
    lines = "a line that begins" if count == 1 else f"{count:,} lines that begin"
    note = f"{lines} with {mark!r} {'was' if count == 1 else 'were'} left out; --comment to say otherwise"
    return replace(form, notes=(note, *form.notes)), layout


def _hint(data: bytes) -> tuple[str, ...]:
    """Return a note where one column was found and blanks stand in every line as if to align columns."""
    lines = [line.strip() for line in head_of(data).splitlines() if line.strip()]
    if len(lines) > 1 and all("  " in line for line in lines):
        return ("one column was found; --separator space if blanks separate columns",)
    return ()


def _below_titles(form: _Form, layout: Layout, header: bool) -> Layout:
    """Return the layout below titles that were filled up with separators, and below empty records.

    Such a line has one cell or none, so that it could not be one of names.
    """
    if not header or layout.width < 2:
        return layout
    for titles, place in enumerate(form.records.filled[:-1][:20].tolist()):
        row = first_row(form.records.text(form.data, place, place), form.dialect)
        cells = [cell for cell in row if cell.strip()]
        if len(cells) > 1 or (cells and (layout.width == 2 or not row[0].strip())):
            if not titles or 2 * len(cells) < layout.width or any(map(is_value, cells)):
                return layout
            lines = "1 title line was" if titles == 1 else f"{titles} title lines were"
            return replace(layout, first=place, notes=(f"{lines} left out above the names",))
    return layout


def _check_text(data: bytes, name: str, limit: int) -> None:
    """Refuse a text that takes more memory than it may, whatever its fields are."""
    lines = max(data.count(b"\n"), data.count(b"\r"))
    if 2 * len(data) + _BYTES_A_LINE * lines > limit:
        raise too_large(name, f"holds {gibibytes(len(data))} of text in {lines:,} lines", limit)


def _check_size(form: _Form, layout: Layout, name: str, limit: int) -> None:
    """Refuse a text whose frame would take more memory than it may, beside the text itself."""
    rows = layout.last - layout.first + 1
    if 2 * len(form.data) + _BYTES_A_CELL * rows * layout.width > limit:
        raise too_large(name, f"holds {rows:,} rows of {layout.width:,} columns", limit)
    longest = int(np.diff(form.records.ends, prepend=-1).max())
    if longest > min(limit // _COPIES_OF_A_RECORD, _LONGEST_RECORD):
        raise too_large(name, f"has a row of {gibibytes(longest)}", limit)


def _parsed(form: _Form, layout: Layout, name: str, header: bool) -> tuple[polars.DataFrame, list[str]]:
    """Return the frame of a layout's rows, and its names, stripped."""
    import polars

    records = form.records
    names = [f"column_{place}" for place in range(1, layout.width + 1)]
    first = layout.first
    if header:
        names = _names(form, layout, name)
        first = int(records.filled[np.searchsorted(records.filled, first) + 1]) if layout.last > first else -1
    if first < 0:
        raise DataError(f"{name}: has column names but no rows")
    whole = first == 0 and layout.last == len(records.ends) - 1
    body = form.data if whole else records.text(form.data, first, layout.last)
    blank = records.blank[first : layout.last + 1]
    try:
        frame = _by_polars(body, form.dialect, layout.width)
    except polars.exceptions.PolarsError:
        frame = None
    if frame is None or frame.shape != (len(blank), layout.width):
        frame, blank = _by_csv(body, form.dialect, layout.width), np.zeros(0, bool)
        if frame is None:
            raise _diagnosis(form.data, form.dialect, name)
    return (frame.filter(polars.Series(~blank)) if blank.any() else frame), names


def _names(form: _Form, layout: Layout, name: str) -> list[str]:
    text = form.records.text(form.data, layout.first, layout.first)
    try:
        names = next(form.dialect.rows(text), [])
    except csv.Error as error:
        raise DataError(f"{name}: line 1 cannot be read as column names ({error})") from None
    return [field.strip() for field in names]


def _by_polars(body: bytes, dialect: Dialect, width: int) -> polars.DataFrame:
    import polars

    return polars.read_csv(
        body,
        has_header=False,
        schema={f"column_{place}": polars.String for place in range(1, width + 1)},
        separator=dialect.separator,
        quote_char=dialect.quote,
        infer_schema=False,
    )


def _by_csv(body: bytes, dialect: Dialect, width: int) -> polars.DataFrame | None:
    """Return the frame that Python's csv reads; None for a malformed quote or a row of another length."""
    import polars

    try:
        rows = [row for row in dialect.rows(body) if row]
    except csv.Error:
        return None
    if any(len(row) != width for row in rows):
        return None
    names = [f"column_{place}" for place in range(1, width + 1)]
    return polars.DataFrame(rows, schema=dict.fromkeys(names, polars.String), orient="row")


def _diagnosis(data: bytes, dialect: Dialect, name: str) -> DataError:
    """Return the error for the first record that has another number of fields than the first."""
    reader, columns = dialect.rows(data), 0
    try:
        for row in reader:
            columns = columns or len(row)
            if row and len(row) != columns:
                return DataError(
                    f"{name}: line {reader.line_num} has {len(row)} fields, the line of names has "
                    f"{columns} (separator {dialect}); put quotes around fields that hold the "
                    "separator, or say --separator, --skip-rows or --comment"
                )
    except csv.Error as error:
        reason = "a quoted field is not closed" if "end of data" in str(error) else str(error)
        return DataError(
            f"{name}: line {reader.line_num} cannot be read: {reason}; --quote none if quotes are text"
        )
    return DataError(f"{name}: cannot be read as a table; its quotes or line ends are mixed")
