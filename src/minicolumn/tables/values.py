"""What the text of a cell means: missing, a number, a truth, a moment, a label."""

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
TRUTHS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"), ("on", "off"))
YES = frozenset(pair[0] for pair in TRUTHS)
NO = frozenset(pair[1] for pair in TRUTHS)

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
    """Return a column with labels as text; DataError for one of lists, objects or bytes."""
    import polars

    if series.dtype.is_nested() or series.dtype in (polars.Object, polars.Binary):
        raise DataError(f"column {series.name!r} holds {series.dtype} values; expected one plain value a row")
    if series.dtype in (polars.Categorical, polars.Enum, polars.Null):
        return series.cast(polars.String)
    return series


def text_of(series: polars.Series) -> polars.Series:
    """Return cells as text without blanks around it; integers are written without a point."""
    import polars

    if series.dtype == polars.String:
        return series.str.strip_chars()
    if series.dtype.is_float():
        whole = series.cast(polars.Int64, strict=False)
        same = (whole.cast(polars.Float64) == series.cast(polars.Float64)).fill_null(False)
        return whole.cast(polars.String).zip_with(same, series.cast(polars.String))
    return series.cast(polars.String).str.strip_chars()


def present(text: polars.Series, missing: Iterable[str] = MISSING) -> polars.Series:
    """Return text with every spelling of *missing* replaced by null."""
    return text.set(text.str.to_lowercase().is_in(list(missing)), None)


def labels(series: polars.Series, missing: Iterable[str] = MISSING) -> polars.Series:
    """Return cells as labels: text with null for missing, and "1.0" written "1"."""
    return present(text_of(series), missing).str.replace(_POINT_ZERO, "$1")


def per_text(series: polars.Series, code: Callable[[str], int], dtype: type[np.generic]) -> Any:
    """Return code(label) [rows], asked once for each distinct text; an absent cell is ""."""
    import polars

    text = text_of(series)
    distinct = text.unique()
    table = [code(re.sub(_POINT_ZERO, r"\1", word or "")) for word in distinct]
    codes = text.replace_strict(distinct, polars.Series(table, dtype=polars.Int64), return_dtype=polars.Int64)
    return codes.to_numpy().astype(dtype)


def refuse(series: polars.Series, odd: str, expected: str) -> None:
    """Raise DataError for the first cell that reads like this."""
    row = int(text_of(series).eq_missing(odd).arg_true()[0]) + 1
    shown = odd if len(odd) <= 60 else odd[:57] + "..."
    raise DataError(f"column {series.name!r}, row {row}: found {shown!r}, expected {expected} or nothing")


def numbers(series: polars.Series, form: str = "") -> polars.Series:
    """Return cells as float64; what is no number is null, and NaN stays NaN."""
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
    """Return the distinct texts that were read as null and spell no missing value."""
    import polars

    if series.dtype != polars.String:
        return polars.Series([], dtype=polars.String)
    failed = series.filter(values.is_null() & series.is_not_null()).unique(maintain_order=True)
    return present(failed.str.strip_chars()).drop_nulls()


def number_form(text: polars.Series) -> str | None:
    """Return how the numbers of a column are written, or None if they are not all numbers.

    Where every comma is followed by three digits (1,234), thousands are meant unless a value starts with 0.
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
    """Return moments with one spelling: a blank for the T, +00:00 for the Z."""
    return text.str.replace(r"^([\d/.\-]+)[Tt](\d)", "$1 $2").str.replace(r"(\d) ?[zZ]$", "${1}+00:00")


def datetimes(series: polars.Series, form: str) -> polars.Series:
    """Return cells as moments without a zone (those with an offset in UTC); others are null."""
    import polars

    if series.dtype == polars.String:
        moments = _even(series.str.strip_chars()).str.to_datetime(form, strict=False, time_unit="us")
    elif series.dtype == polars.Time:
        moments = (polars.lit(0).cast(polars.Datetime("us")) + series.cast(polars.Duration("us"))).alias("t")
        moments = polars.select(moments).to_series()
    else:
        moments = series.cast(polars.Datetime("us"), strict=False)
    return moments.dt.replace_time_zone(None)


def date_form(text: polars.Series) -> tuple[str | None, bool]:
    """Return the form under which all of these texts are moments, and whether days and months could swap."""
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
    moments = datetimes(text, form)
    if moments.null_count():
        return False
    years = moments.dt.year()
    return form in _CLOCKS[:3] or bool(years.is_between(1000, 2999).all())  # "%Y" would take the year 7
