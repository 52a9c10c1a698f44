"""Layout of delimited text: title lines, the line of names, a line of units, repeated names, footers.

What is done here is done to texts that are no table as they stand, but for three things that never are rows:
names that come again, units under the names, and columns with neither a name nor values.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables.files.records import Dialect, Records, first_row
from minicolumn.tables.files.units import is_number, without_units

if TYPE_CHECKING:
    import polars

MOST_COLUMNS = 100_000
INDEX = "Unnamed: 0"  # what pandas calls a column whose name is blank, as `to_csv` writes its index
_LOOKED_AT = 200  # rows
_MOST_TITLES, _MOST_FOOTERS = 60, 60
_FOOTER = re.compile(
    r"[\"'(\[*]*(grand total|sub ?-?total|totals?|sum|source|sources|notes?|footnote|last updated|data from|"
    r"generated|copyright|©|exported|downloaded|updated|end of|eof|rows?:|\(?[0-9,]+ rows?)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\s*[12][0-9]{3}\s*")


@dataclass(frozen=True)
class Layout:
    """Where a table stands in a text.

    first       record: of names, or the first row where there are none
    last        record of the last row
    width       fields of a row
    notes       what stands above and below
    """

    first: int
    last: int
    width: int
    notes: tuple[str, ...] = ()


def even_layout(records: Records) -> Layout | None:
    """Return the layout of a text all of whose records have the same number of fields, or None."""
    if not records.even:
        return None
    filled = records.filled
    return Layout(int(filled[0]), int(filled[-1]), int(records.fields[filled[0]]))


def table_inside(data: bytes, records: Records, dialect: Dialect, header: bool) -> Layout | None:
    """Return the layout of a table with titles above and footers below it, or None where rows are ragged.

    Titles      have fewer fields, and a blank line follows them, or the line below them is of names: no
                digit in a cell below which all have some
    Footers     have one cell, which is a sentence or a word such as Total, or begin with such a word
    Names       may be one fewer than the fields of every row: see `with_names`
    """
    filled = records.filled
    counts = records.fields[filled]
    if len(counts) < 2:
        return None
    common = Counter(counts.tolist())
    width = max(common, key=lambda count: (common[count], count))
    inside = np.flatnonzero(counts == width)
    first, last = int(inside[0]), int(inside[-1])
    if width < 2 or last - first + 1 != len(inside):
        return None
    if (
        first > 0
        and counts[first - 1] == width - 1
        and header
        and (first == 1 or width > 2)
        and (_is_one_short(data, records, dialect, filled[first - 1 :]))
    ):
        first -= 1
    titles, footers = filled[:first], filled[last + 1 :]
    if len(titles) > _MOST_TITLES or len(footers) > _MOST_FOOTERS or last == first:
        return None
    if len(titles) and not (header and _are_titles(data, records, dialect, titles, int(filled[first]))):
        return None
    if not all(_is_footer(row) for row in _rows(data, records, dialect, footers)):
        return None
    above = _lines(len(titles), "title line", "above the names")
    below = _lines(len(footers), "footer line", "below the rows")
    return Layout(int(filled[first]), int(filled[last]), width, (*above, *below))


def _lines(count: int, what: str, where: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{count} {what}{' was' if count == 1 else 's were'} left out {where}",)


def _rows(data: bytes, records: Records, dialect: Dialect, places: np.ndarray) -> list[list[str]]:
    """Return the fields of some records; none of a record that is malformed."""
    return [first_row(records.text(data, int(place), int(place)), dialect) for place in places]


def _is_one_short(data: bytes, records: Records, dialect: Dialect, places: np.ndarray) -> bool:
    """Return whether a line of names lacks one for rows that end with a separator or begin with their name.

    places      of the line of names and of the rows
    """
    names, *rows = _rows(data, records, dialect, places[: _LOOKED_AT + 1])
    if len(names) < 1 or not all(name.strip() for name in names) or any(map(is_value, names)):
        return False
    if all(row and not row[-1].strip() for row in rows):
        return True
    first = [row[0] for row in rows if row]
    return len(names) > 1 and len(set(first)) == len(rows) and len(set(names)) == len(names)


def is_value(cell: str) -> bool:
    """Return whether a cell is a number, and no year as wide tables have them for names."""
    return is_number(cell) and not _YEAR.fullmatch(cell)


def _are_titles(data: bytes, records: Records, dialect: Dialect, titles: np.ndarray, header: int) -> bool:
    """Return whether records of fewer fields are titles and the record `header` holds names."""
    names = _rows(data, records, dialect, np.array([header]))[0]
    filled = [name.strip() for name in names if name.strip()]
    if len(filled) < len(names) - 2 or len(set(filled)) < len(filled) or any(map(is_value, names)):
        return False
    if any(sum(map(bool, row)) > max(1, len(names) // 2) for row in _rows(data, records, dialect, titles)):
        return False
    if header > titles[-1] + 1:
        return True
    below = records.filled
    below = below[below > header][:_LOOKED_AT]
    rows = [row for row in _rows(data, records, dialect, below) if len(row) == len(names)]
    columns = list(zip(*rows, strict=True)) if len(rows) > 1 else []
    return any(
        name.strip() and not _has_digit(name) and any(column) and all(_has_digit(c) for c in column if c)
        for name, column in zip(names, columns, strict=False)
    )


def _has_digit(cell: str) -> bool:
    return any(mark in "0123456789" for mark in cell)


def _is_footer(row: list[str]) -> bool:
    """Return whether a record is no row cut short: a sentence in one cell, or it says that it is a footer."""
    filled = [cell for cell in row if cell.strip()]
    if not filled:
        return True
    if _FOOTER.match(filled[0].strip()):
        return True
    text = filled[0].strip()
    return len(filled) == 1 and any(mark.isalpha() for mark in text) and (" " in text or ":" in text)


def with_names(
    frame: polars.DataFrame, names: list[str], name: str, header: bool
) -> tuple[polars.DataFrame, tuple[str, ...]]:
    """Name the columns; leave out those without a name and values, names that come again, and units.

    names       stripped, as many as there are columns, or one fewer: then the last column is empty, or the
                first one, which names the rows, has none
    Errors      DataError: repeated names, no column left
    """
    notes = []
    if len(names) < frame.width:
        names = [*names, ""] if _is_blank(frame.to_series(frame.width - 1)) else ["", *names]
    frame.columns = [f"column_{place}" for place in range(1, frame.width + 1)]
    nameless = [place for place, found in enumerate(names) if not found]
    empty = [place for place in nameless if _is_blank(frame.to_series(place))]
    if len(empty) == len(names):
        raise DataError(f"{name}: no column has a name or a value")
    if empty:
        places = _listed([place + 1 for place in empty])
        have = f"column {places} has" if len(empty) == 1 else f"columns {places} have"
        gone = "was" if len(empty) == 1 else "were"
        notes.append(f"{have} neither a name nor values and {gone} left out")
    names, named = named_columns(names, [place for place in nameless if place not in empty])
    check_names([found for place, found in enumerate(names) if place not in empty], name)
    frame = frame.select(
        [frame.to_series(place).alias(names[place]) for place in range(len(names)) if place not in empty]
    )
    if header:
        named = (*_like_a_row(frame.columns), *named)
        frame, repeated = _without_repeated_names(frame)
        frame, units = without_units(frame)
        notes += [*named, *repeated, *units]
    return frame, tuple(notes)


def _like_a_row(names: list[str]) -> tuple[str, ...]:
    """Return a note where many names are numbers, but for 0, 1, 2, ... and years."""
    values = [name for name in names if is_value(name)]
    places = [str(place) for place in range(len(names) + 1)]
    if len(values) < 2 or 3 * len(values) < len(names) or set(values) <= set(places):
        return ()
    shown = ", ".join(map(repr, names[:4]))
    return (f"the names look like a row ({shown}, ...); --no-header where a file has none",)


def _is_blank(column: polars.Series) -> bool:
    """Return whether a column of text holds nothing but blanks."""
    return column.null_count() == len(column) or not (column.str.strip_chars() != "").any()


def _listed(places: list[int]) -> str:
    shown = ", ".join(map(str, places[:5]))
    return shown if len(places) <= 5 else f"{shown} and {len(places) - 5} more"


def named_columns(names: list[str], nameless: list[int]) -> tuple[list[str], tuple[str, ...]]:
    """Return names where some were blank, and a note: the first is "Unnamed: 0", the k-th "column_k".

    >>> named_columns(["", "a"], [0])[0]
    ['Unnamed: 0', 'a']
    """
    names, notes = list(names), []
    for place in nameless:
        made = INDEX if place == 0 else f"column_{place + 1}"
        while made in names:
            made += "_"
        names[place] = made
        notes.append(f"column {place + 1} has no name and is called {made!r}")
    if len(notes) > 5:
        notes[4:] = [f"{len(notes) - 4} more columns have no name and are called column_k by their place"]
    return names, tuple(notes)


def check_names(names: list[str], source: str) -> None:
    """Refuse column names that are blank or repeated, or more than 100,000 of them.

    source      of the names, for messages
    Errors      DataError with the places of the columns, counted from 1
    """
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{source}: has {len(names):,} columns, at most {MOST_COLUMNS:,} are read")
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise DataError(f"{source}: column {place} of {len(names)} has no name; name it or remove it")
        if name in seen:
            raise DataError(
                f"{source}: columns {seen[name]} and {place} are both named {name!r}; rename one "
                "(if the file has no line of names, say --no-header)"
            )
        seen[name] = place


def _without_repeated_names(frame: polars.DataFrame) -> tuple[polars.DataFrame, tuple[str, ...]]:
    """Leave out rows that are the names again, as where files were concatenated."""
    import polars

    if frame.width < 2 or all(map(is_number, frame.columns)):
        return frame, ()  # numbers may be a row that the names are alike by chance
    first = frame.to_series(0).str.strip_chars() == frame.columns[0]
    if not first.any():
        return frame, ()
    same = polars.all_horizontal(polars.col(name).str.strip_chars() == name for name in frame.columns)
    again = frame.select(same.fill_null(False)).to_series()
    count = int(again.sum())
    if not count:
        return frame, ()
    lines = "a repeated line of names was" if count == 1 else f"{count:,} repeated lines of names were"
    return frame.filter(~again), (f"{lines} left out",)
