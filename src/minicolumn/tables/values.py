"""Cell parsing: what the text of a cell means: missing, a number, a boolean, a date-time, a label.

All functions work on whole columns (polars Series [rows]) and give null where a cell does not fit.

Missing     "", ?, NA, N/A, #N/A, <NA>, NaN, NaT, null, None, -, --, . in any case
Differs     pandas has a similar list but no "?" or "-", and takes it at reading, so that "None" cannot be a
            class; polars reads only an empty cell as null
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError

if TYPE_CHECKING:
    import polars

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-", "--", "."})
# In a target of words these may well be a class ("None", "Mild", "Severe").
MISSING_LABELS = MISSING - {"none", "-", "--", "."}
BOOLEAN_WORDS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"), ("on", "off"))
YES = frozenset(pair[0] for pair in BOOLEAN_WORDS)
NO = frozenset(pair[1] for pair in BOOLEAN_WORDS)

NUMBER_FORMS = ("", "thousands", "decimal comma", "percent")
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_DECIMAL_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$"

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%m-%d-%y", "%d-%m-%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y"),
    *("%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%Y-%m"),
)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p")
_ZONED = ("%H:%M%z", "%H:%M:%S%z", "%H:%M:%S%.f%z")
DATE_FORMS = (
    "",
    *_DATES,
    *(f"{date} {clock}" for date in _DATES for clock in (*_CLOCKS, *_ZONED)),
    *_CLOCKS[:3],
)
DAY_OR_MONTH_FIRST = {
    form: form.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    for form in DATE_FORMS
    if form[:8] in ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
}
_SAMPLE = 40
_WORD = re.compile("%[bB]")
_POINT_ZERO = r"^([+-]?\d+)\.0+$"


def plain(series: polars.Series) -> polars.Series:
    """Return a column of a plain type: categorical and empty (Null) columns as strings.

    Errors      DataError for one of lists, structs, objects or bytes
    """
    import polars

    if series.dtype.is_nested() or series.dtype in (polars.Object, polars.Binary):
        raise DataError(f"column {series.name!r} holds {series.dtype} values; expected one plain value a row")
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


def labels(series: polars.Series, missing: Iterable[str] = MISSING) -> polars.Series:
    """Return cells as labels: strings, null where missing, "1.0" written "1" so that all types agree.

    >>> import polars
    >>> labels(polars.Series(["1.0", " a", "NA"])).to_list()
    ['1', 'a', None]
    """
    return present(text_of(series), missing).str.replace(_POINT_ZERO, "$1")


def per_text(series: polars.Series, code: Callable[[str], int], dtype: type[np.generic]) -> Any:
    """Return code(label), [rows] of a dtype, called once for each distinct text; an absent cell is ""."""
    import polars

    text = text_of(series)
    distinct = text.unique()
    table = [code(re.sub(_POINT_ZERO, r"\1", word or "")) for word in distinct]
    codes = text.replace_strict(distinct, polars.Series(table, dtype=polars.Int64), return_dtype=polars.Int64)
    return codes.to_numpy().astype(dtype)


def refuse(series: polars.Series, odd: str, expected: str) -> None:
    """Raise DataError for the first cell that reads like this, with column and row (from 1).

    odd         the text; expected: what should stand there
    """
    row = int(text_of(series).eq_missing(odd).arg_true()[0]) + 1
    shown = odd if len(odd) <= 60 else odd[:57] + "..."
    raise DataError(f"column {series.name!r}, row {row}: found {shown!r}, expected {expected} or nothing")


def numbers(series: polars.Series, form: str = "") -> polars.Series:
    """Return cells as float64 [rows]; what is no number is null, and NaN stays NaN.

    form        how text is written: "" plainly, "thousands", "decimal comma" or "percent" (50 % is 50)
    Durations   are numbers of seconds

    >>> import polars
    >>> numbers(polars.Series(["1.234,5", "x"]), "decimal comma").to_list()
    [1234.5, None]
    """
    import polars

    if series.dtype == polars.Duration:
        return series.dt.total_microseconds() / 1e6
    if series.dtype != polars.String:
        return series.cast(polars.Float64, strict=False)
    if not form:
        plain = series.cast(polars.Float64, strict=False)
        if plain.null_count() == series.null_count():
            return plain
    text = series.str.strip_chars()
    if form == "thousands":
        text = text.str.replace_all(",", "", literal=True)
    elif form == "decimal comma":
        text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    elif form == "percent":
        text = text.str.strip_suffix("%").str.strip_chars_end()
    return text.cast(polars.Float64, strict=False)


def not_numbers(series: polars.Series, values: polars.Series) -> polars.Series:
    """Return the distinct texts that `numbers` read as null and that spell no missing value.

    values      what it gave
    """
    import polars

    if series.dtype != polars.String:
        return polars.Series([], dtype=polars.String)
    failed = series.filter(values.is_null() & series.is_not_null()).unique(maintain_order=True)
    return present(failed.str.strip_chars()).drop_nulls()


def number_form(text: polars.Series) -> str | None:
    """Return how the numbers of a column are written, or None if they are not all numbers.

    text        without missing values
    Ambiguity   where every comma is followed by three digits (1,234), thousands are meant unless a value
                starts with 0

    >>> import polars
    >>> [number_form(polars.Series([text])) for text in ("1e5", "1,234", "0,5", "50 %", "a")]
    ['', 'thousands', 'decimal comma', 'percent', None]
    """
    if text.str.contains(_PLAIN).all():
        return ""
    if (
        text.str.ends_with("%").all()
        and text.str.strip_suffix("%").str.strip_chars_end().str.contains(_PLAIN).all()
    ):
        return "percent"
    comma = text.filter(text.str.contains(",", literal=True))
    rest = text.filter(~text.str.contains(",", literal=True))
    if comma.is_empty() or not rest.str.contains(_PLAIN).all():
        return None
    thousands = comma.str.contains(_THOUSANDS).all()
    decimals = comma.str.contains(_DECIMAL_COMMA).all() and not rest.str.contains(".", literal=True).any()
    if thousands and decimals:  # 1,234 alone is read as thousands, 0,123 never is
        return "decimal comma" if comma.str.contains(r"^[+-]?0").any() else "thousands"
    return "thousands" if thousands else "decimal comma" if decimals else None


def _even(text: polars.Series) -> polars.Series:
    """Return date-times with one spelling of ISO 8601 and RFC 3339: a blank for the T, +00:00 for the Z."""
    return text.str.replace(r"^([\d/.\-]+)[Tt](\d)", "$1 $2").str.replace(r"(\d) ?[zZ]$", "${1}+00:00")


def datetimes(series: polars.Series, form: str) -> polars.Series:
    """Parse cells as date-times without a zone, Datetime("us") [rows]; others are null.

    form        strptime format of text, in the spelling of Polars (chrono), of `DATE_FORMS`
    Zones       those with an offset are converted to UTC; times of day are those of 1970-01-01

    >>> import polars
    >>> datetimes(polars.Series(["2024-02-29T12:00:00Z"]), "%Y-%m-%d %H:%M:%S%z")[0]
    datetime.datetime(2024, 2, 29, 12, 0)
    """
    import polars

    if series.dtype == polars.String:
        timestamps = _even(series.str.strip_chars()).str.to_datetime(form, strict=False, time_unit="us")
    elif series.dtype == polars.Time:
        timestamps = (polars.lit(0).cast(polars.Datetime("us")) + series.cast(polars.Duration("us"))).alias(
            "t"
        )
        timestamps = polars.select(timestamps).to_series()
    else:
        timestamps = series.cast(polars.Datetime("us"), strict=False)
    return timestamps.dt.replace_time_zone(None)


def date_form(text: polars.Series) -> tuple[str | None, bool]:
    """Find the strptime format that all of these texts have.

    text        without missing values; the first 40 are tried first, then all
    Returns     the format, None if none fits; and whether days and months could be swapped, as where no day
                is past the 12th: month first is taken then
    Differs     pandas.to_datetime infers the format from the first value alone

    >>> import polars
    >>> date_form(polars.Series(["31.12.2023", "01.02.2024"]))
    ('%d.%m.%Y', False)
    >>> date_form(polars.Series(["01/02/2024", "03/04/2024"]))
    ('%m/%d/%Y', True)
    """
    few = text.head(_SAMPLE)
    if (
        not few.str.contains(r"^[\w+:.,/ \-]{4,40}$").all()
        or not few.str.contains(r"\d[:/.\- ]|[:/.\- ]\d").all()
    ):
        return None, False
    timed, worded = bool(few.str.contains(":").all()), bool(few.str.contains("[A-Za-z]{3}").any())
    likely = (
        form
        for form in DATE_FORMS[1:]
        if (":" in form) == timed and (_WORD.search(form) is not None) == worded
    )
    forms = [form for form in likely if _fits(few, form)]
    forms = [form for form in forms if len(text) <= _SAMPLE or _fits(text, form)]
    if not forms:
        return None, False
    return forms[0], DAY_OR_MONTH_FIRST.get(forms[0]) in forms


def _fits(text: polars.Series, form: str) -> bool:
    """Return whether all texts have this format, with years from 1000 to 2999."""
    timestamps = datetimes(text, form)
    if timestamps.null_count():
        return False
    years = timestamps.dt.year()
    return form in _CLOCKS[:3] or bool(years.is_between(1000, 2999).all())  # "%Y" would take the year 7
