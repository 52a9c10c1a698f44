"""Cell parsing: what the text of a cell means whatever its column is: missing, a boolean, a label.

All functions work on whole columns (polars Series [rows]) and give null where a cell does not fit. Numbers
are read by `number_forms`, dates and times by `date_forms`.

Missing     "", ?, NA, N/A, #N/A, <NA>, NaN, NaT, null, None, -, --, . in any case
Differs     pandas has a similar list but no "?" or "-", and takes it at reading, so that "None" cannot be a
            class; polars reads only an empty cell as null
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from minicolumn.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import polars

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-", "--", "."})
# In a target of words these may well be a class ("None", "Mild", "Severe").
CLASS_WORDS = frozenset({"none", "-", "--", "."})
BOOLEAN_WORDS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"), ("on", "off"))
YES = frozenset(pair[0] for pair in BOOLEAN_WORDS)
NO = frozenset(pair[1] for pair in BOOLEAN_WORDS)
_POINT_ZERO = r"^([+-]?[0-9]+)\.0+$"


class Shape(enum.Enum):
    """What the storage type of a column allows its values to be."""

    TEXT = "text"
    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    DATES = "dates"
    NESTED = "nested"  # lists, objects, bytes: no single value a row


def shape_of(series: polars.Series) -> Shape:
    """Return what the storage type of a column allows its values to be.

    >>> import polars
    >>> shape_of(polars.Series([1.5])), shape_of(polars.Series([[1], [2]]))
    (<Shape.NUMBERS: 'numbers'>, <Shape.NESTED: 'nested'>)
    """
    import polars

    dtype = series.dtype
    if dtype.is_nested() or dtype in (polars.Object, polars.Binary):
        return Shape.NESTED
    if dtype.is_numeric():
        return Shape.NUMBERS
    if dtype == polars.Boolean:
        return Shape.BOOLEANS
    return Shape.DATES if dtype.is_temporal() else Shape.TEXT


def plain(series: polars.Series) -> polars.Series:
    """Return a column of a plain type: categories and empty columns as strings, durations as seconds."""
    import polars

    if series.dtype == polars.Duration:
        return series.dt.total_microseconds() / 1e6
    if series.dtype in (polars.Categorical, polars.Enum, polars.Null):
        return series.cast(polars.String)
    return series


def text_of(series: polars.Series) -> polars.Series:
    """Return cells as strings without surrounding blanks; floats that are integers without a point.

    >>> import polars
    >>> text_of(polars.Series([1.0, 2.5])).to_list()
    ['1', '2.5']
    """
    import polars

    if series.dtype == polars.String:
        return series.str.strip_chars()
    if series.dtype.is_float():
        whole = series.cast(polars.Int64, strict=False)
        same = (whole.cast(polars.Float64) == series.cast(polars.Float64)).fill_null(False)
        return whole.cast(polars.String).zip_with(same, series.cast(polars.String))
    return series.cast(polars.String).str.strip_chars()


def present(text: polars.Series, missing: Iterable[str] = MISSING) -> polars.Series:
    """Return strings with every spelling of missing replaced by null.

    missing     lower-case spellings
    """
    return text.set(text.str.to_lowercase().is_in(list(missing)), None)


def without_spellings(series: polars.Series, spellings: Iterable[str]) -> polars.Series:
    """Return a column with null where a cell is one of these spellings of a missing value, of any type.

    spellings   lower-case; -999 is also -999.0, in text and among numbers

    >>> import polars
    >>> without_spellings(polars.Series([1.5, -999.0]), ["-999"]).to_list()
    [1.5, None]
    >>> without_spellings(polars.Series(["1,5", " -999.00 ", "Secret"]), ["-999", "secret"]).to_list()
    ['1,5', None, None]
    """
    import polars

    words = list(spellings)
    if not words or shape_of(series) is Shape.NESTED:
        return series
    if series.dtype.is_numeric():
        numbers = polars.Series(words, dtype=polars.String).cast(polars.Float64, strict=False).drop_nulls()
        same = series.cast(polars.Float64, strict=False).is_in(numbers.to_list())
    else:
        text = text_of(series).str.to_lowercase().str.replace(_POINT_ZERO, "$1")
        same = text.is_in([without_point_zero(word) for word in words])
    return series.set(same, None) if same.any() else series


def labels(series: polars.Series, missing: Iterable[str] = MISSING) -> polars.Series:
    """Return cells as labels: strings, null where missing, "1.0" written "1" so that all types agree.

    >>> import polars
    >>> labels(polars.Series(["1.0", " a", "NA"])).to_list()
    ['1', 'a', None]
    """
    return present(text_of(series), missing).str.replace(_POINT_ZERO, "$1")


def without_point_zero(label: str) -> str:
    """Return a label with "1.0" written "1".

    >>> without_point_zero("-2.00"), without_point_zero("v1.0")
    ('-2', 'v1.0')
    """
    return re.sub(_POINT_ZERO, r"\1", label)


def per_text(series: polars.Series, code: Callable[[str], int], dtype: type[np.generic]) -> Any:
    """Return code(text), [rows] of a dtype, called once for each distinct text; an absent cell is ""."""
    import polars

    text = text_of(series)
    distinct = text.unique(maintain_order=True)  # else codes that are numbers of levels differ each time
    table = [code(word or "") for word in distinct]
    codes = text.replace_strict(distinct, polars.Series(table, dtype=polars.Int64), return_dtype=polars.Int64)
    return codes.to_numpy().astype(dtype)


def count_words(words: polars.Series) -> str:
    """Return a note on cells that are no values of their column, the most frequent three with their counts.

    >>> import polars
    >>> count_words(polars.Series(["kg", "..", ".."]))
    "3 cells read as missing: '..' (2), 'kg' (1)"
    """
    if words.is_empty():
        return ""
    counts = words.alias("word").value_counts(name="cells").sort(["cells", "word"], descending=[True, False])
    shown = ", ".join(f"{word[:30]!r} ({cells:,})" for word, cells in counts.head(3).iter_rows())
    more = f" and {counts.height - 3} more" if counts.height > 3 else ""
    return f"{len(words):,} cell{'s' if len(words) > 1 else ''} read as missing: {shown}{more}"


def require(columns: Sequence[str], names: Iterable[str], where: str) -> None:
    """Refuse a table that lacks one of these columns.

    columns     of the table; where: how the message begins: "the table", "drop: the table"
    Errors      DataError for the first missing one, with the nearest name that is there

    >>> require(["size", "kind"], ["sise"], "drop: the table")
    Traceback (most recent call last):
        ...
    minicolumn.errors.DataError: drop: the table has no column 'sise'; did you mean 'size'?
    """
    have = set(columns)
    for name in names:
        if name not in have:
            shown = ", ".join(map(repr, columns[:8]))
            more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
            hint = did_you_mean(name, columns) or f"; it has {shown}{more}"
            raise DataError(f"{where} has no column {name!r}{hint}")


def refuse(series: polars.Series, odd: str, expected: str, what: str = "column") -> NoReturn:
    """Raise DataError for the first cell that reads like this, with column and row (from 1).

    odd         the text; expected: what should stand there
    what        "column", or "target"
    """
    row = int(text_of(series).eq_missing(odd).arg_true()[0]) + 1
    shown = odd if len(odd) <= 60 else odd[:57] + "..."
    raise DataError(f"{what} {series.name!r}, row {row}: found {shown!r}, expected {expected} or nothing")
