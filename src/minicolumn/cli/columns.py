"""Column names on the command line: repeated options and lists with commas; it loads nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence

from minicolumn.errors import DataError, did_you_mean


def parse_columns(option: str, given: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Parse column names from repeated options, each one name or a list with commas.

    A text that is a column's name as it stands is that column, whatever commas it holds.

    known       names of the table's columns
    Errors      DataError for an unknown name, with the nearest one

    >>> parse_columns("--drop", ["id,age", "Size, total"], ["id", "age", "Size, total"])
    ('id', 'age', 'Size, total')
    """
    found = [name for text in given or () for name in _columns_in(option, text, known)]
    return tuple(dict.fromkeys(found))


def _columns_in(option: str, text: str, known: Sequence[str]) -> list[str]:
    """Return the columns that one text names."""
    if text in known:
        return [text]
    words = [word if word in known else word.strip() for word in text.split(",")]
    for word in words:
        if word and word not in known:
            hint = did_you_mean(word, known) or f"; there are {listed(known)}"
            raise DataError(f"{option}: the table has no column {word!r}{hint}")
    return [word for word in words if word]


def listed(names: Sequence[str], most: int = 12) -> str:
    """Format names as a list in a sentence, at most so many of them.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], most=2)
    ("'a', 'b' and 'c'", "'a', 'b' and 1 more")
    """
    if len(names) > most:
        return f"{', '.join(map(repr, names[:most]))} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(map(repr, names))
    return f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r}"
