from __future__ import annotations

import re
from dataclasses import dataclass

import polars

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


def _even(text: polars.Series) -> polars.Series:
    """Return date-times with one spelling of ISO 8601 and RFC 3339: a blank for the T, +00:00 for the Z."""
    return text.str.replace(r"^([\d/.\-]+)[Tt](\d)", "$1 $2").str.replace(r"(\d) ?[zZ]$", "${1}+00:00")


def read_dates(series, form) -> polars.Series:
    """Parse cells as date-times without a zone, Datetime("us") [rows]; others are null.

    form        strptime format of text, in the spelling of Polars (chrono), of `DATE_FORMS`
    Zones       those with an offset are converted to UTC; times of day are those of 1970-01-01

    >>> import polars
    >>> read_dates(polars.Series(["2024-02-29T12:00:00Z"]), "%Y-%m-%d %H:%M:%S%z")[0]
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


def _date_form(text: polars.Series) -> tuple[str | None, bool]:
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
    timestamps = read_dates(text, form)
    if timestamps.null_count():
        return False
    years = timestamps.dt.year()
    return form in _CLOCKS[:3] or bool(years.is_between(1000, 2999).all())  # "%Y" would take the year 7


@dataclass
class FoundDate:
    form: object
    odd: list
    note: str = ""


def infer_date_form(text, tolerated):
    form, amb = _date_form(text) if len(text) else (None, False)
    return FoundDate(form, [], "days and months could be swapped: read as month first" if amb else "")


def check_date_form(t):
    if t not in DATE_FORMS:
        from minicolumn.errors import DataError

        raise DataError("bad")
