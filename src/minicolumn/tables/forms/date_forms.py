"""Date and time formats of a column of text: inferred, checked, read.

Differs     pandas.to_datetime takes the format of the first value; dateutil guesses anew in each cell
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minicolumn.errors import DataError
from minicolumn.tables.forms.date_patterns import (
    CLOCKS,
    COMPACT,
    DATES,
    DIGITS,
    NAMED,
    NO_YEAR,
    QUARTER,
    WEEK,
    ZONED,
    check_format,
    named,
    pattern,
    strptime,
)
from minicolumn.tables.forms.number_forms import NUMBER_MISSING

if TYPE_CHECKING:
    import polars

DATE_FORMS = (
    "",
    *DATES,
    *(f"{date} {clock}" for date in DATES for clock in (*CLOCKS, *ZONED)),
    *CLOCKS,
    *DIGITS,
    *COMPACT,
    *NAMED,
)
SWAPPED = {
    form: form.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    for form in DATES
    if form in ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
}
_SAMPLE = 100
_DIGIT_WIDTHS = [7, 8, 12, 14]
_FEWEST_DIGITS = 5  # distinct integers that must all be dates before they are taken for dates
_CLOCK = r" [0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: [APap][Mm])?(?:[+-][0-9]{2}:?[0-9]{2})?$"
_WEEKDAY = r"^(?i:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?i:day)?,? +"
_OFFSETS = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_SENTINEL = (
    r"^(?:9999|0000)([-/.]?)[0-9]{2}[-/.]?[0-9]{2}(?:[T ].*)?$"
    r"|^[0-9]{1,2}[-/. ](?:[0-9]{1,2}|[A-Za-z]{3,9})[-/. ](?:9999|0000)(?: .*)?$"
    r"|^0001-01-01|^0?1[-/.]0?1[-/.]0001|^1900-01-00|^0?[01]/0/1900"
)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """The inferred date format of a column.

    form        of `DATE_FORMS`; None where too many cells are no dates of any one form
    odd         the distinct texts that are not written in it, by first appearance
    note        what a person should know: days and months that could be swapped, integers taken for dates
    """

    form: str | None
    odd: list[str]
    note: str = ""


def check_date_form(text: str) -> str:
    """Return a date format that a person gave, as it is stored: one of `DATE_FORMS`, or a strptime format.

    Errors      DataError, one line, for what polars and Python do not both know

    >>> check_date_form("%d.%m.%Y %H:%M:%S.%f")
    '%d.%m.%Y %H:%M:%S%.f'
    >>> check_date_form("quarter")
    'quarter'
    """
    return text if text in DATE_FORMS else check_format(text)


def is_date_form(text: str) -> bool:
    """Return whether a text is a date format as it is stored.

    >>> is_date_form("%Y-%m-%d"), is_date_form("%Q"), is_date_form("yyyy-mm-dd")
    (True, False, False)
    """
    try:
        return check_date_form(text) == text
    except DataError:
        return False


def date_sentinels(text: polars.Series) -> polars.Series:
    """Return which strings are sentinels, bool [rows]: years 9999 and 0000, 0001-01-01, 1900-01-00.

    >>> import polars
    >>> date_sentinels(polars.Series(["9999-12-31", "00/00/0000", "2020-01-01"])).to_list()
    [True, True, False]
    """
    return text.str.strip_chars().str.contains(_SENTINEL)


def read_dates(series: polars.Series, form: str) -> polars.Series:
    """Parse cells as date-times without a zone, Datetime("us") [rows]; null where one has not the form.

    series      strings, or of a date or time type, whose form does not matter
    form        of `DATE_FORMS` or `check_date_form`; "" is ISO 8601
    Clocks      a form of `DATES`, with a clock or none, is read with any clock or none (midnight), as its
                order of year, month and day is certain: "2020-01-01" beside "2020-01-01 10:00:00.5 UTC"
    Zones       those with an offset are converted to UTC; times of day are those of 1970-01-01
    Sentinels   such as 9999-12-31 are null, see `date_sentinels`

    >>> import polars
    >>> read_dates(polars.Series(["2024-02-29T12:00:00+02:00"]), "%Y-%m-%d")[0]
    datetime.datetime(2024, 2, 29, 10, 0)
    """
    import polars

    if series.dtype == polars.Time:
        clock = series.cast(polars.Duration("us"))
        return (
            polars.select(polars.lit(0).cast(polars.Datetime("us")) + clock).to_series().rename(series.name)
        )
    if series.dtype != polars.String:
        times = series.cast(polars.Datetime("us", getattr(series.dtype, "time_zone", None)), strict=False)
        zoned = getattr(times.dtype, "time_zone", None) is not None
        return times.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else times
    text = series.str.strip_chars()
    values = _exact(text, form or DATES[0])
    failed = text.filter(values.is_null() & text.is_not_null()).unique()
    if len(failed):
        again = _lenient(failed, form or DATES[0])
        found = again.is_not_null()
        if found.any():
            late = text.replace_strict(
                failed.filter(found), again.filter(found), default=None, return_dtype=polars.Datetime("us")
            )
            values = values.fill_null(late)
    return values.rename(series.name)  # sentinels are no dates of the years that `strptime` takes


def _exact(text: polars.Series, form: str) -> polars.Series:
    """Return the texts in exactly this form as date-times."""
    return named(text, form) if form in NAMED else strptime(text, form)


def _lenient(text: polars.Series, form: str) -> polars.Series:
    """Return texts as date-times, spellings evened and any clock allowed behind the date of a known form."""
    evened = _even(text)
    values = _exact(evened, form)
    for other in _with_clocks(form):
        if not values.null_count():
            break
        values = values.fill_null(_exact(evened, other))
    return values


def _with_clocks(form: str) -> tuple[str, ...]:
    """Return the forms that differ from this one in the clock only."""
    if form in CLOCKS:
        return CLOCKS
    if form in COMPACT or form == "%Y%m%d":
        return ("%Y%m%d", *COMPACT)
    date = next((date for date in DATES if form == date or form in _clocked(date)), None)
    return () if date is None else (date, *_clocked(date))


def _clocked(date: str) -> tuple[str, ...]:
    """Return a date format with every clock."""
    return tuple(f"{date} {clock}" for clock in (*CLOCKS, *ZONED))


def _even(text: polars.Series) -> polars.Series:
    """Return date-times in one spelling: a blank for T, +00:00 for Z and UTC, no weekday, "10:30 AM"."""
    text = text.str.strip_chars().str.replace(_WEEKDAY, "")
    text = text.str.replace(r"^([0-9][0-9/.\-]*)[Tt]([0-9])", "$1 $2")
    text = text.str.replace(r"^\[?([0-9]{1,2}/?[A-Za-z]{3}/?[0-9]{4}):([0-9:]+ ?[+-]?[0-9]*)\]?$", "$1 $2")
    text = text.str.replace("(?i)^([0-9]{1,2}[ -])?sept([ .-])", "${1}Sep$2")
    text = text.str.replace(r"^([0-9]{1,2} )?([A-Za-z]{3})\. ", "$1$2 ")
    text = text.str.replace("(:[0-9]{2}),([0-9]+)", "$1.$2").str.replace(",? +([0-9]{1,2}:)", " $1")
    text = text.str.replace(r"([0-9]) ?([aApP])\.?[mM]\.?$", "$1 ${2}M")
    text = text.str.replace(r"(:[0-9]{2}(?:\.[0-9]+)?|[0-9]{6}) ?(?:[zZ]|UTC|GMT|UT)$", "${1}+00:00")
    offset = r"(:[0-9]{2}(?:\.[0-9]+)?) (?:GMT|UTC)?([+-][0-9]{2}:?[0-9]{2})(?: \([A-Za-z ]+\))?$"
    text = text.str.replace(offset, "$1$2")
    text = text.str.replace(r"(:[0-9]{2}(?:\.[0-9]+)?) ?([+-][0-9]{2})$", "${1}${2}:00")
    # ctime: Jan 1 10:00:00 [+0000] 2019
    ctime = r"^([A-Za-z]{3} +[0-9]{1,2}) ([0-9:]{4,8}) ?([+-][0-9]{4}|[A-Z]{3})? ?([0-9]{4})$"
    text = text.str.replace(ctime, "$1 $4 $2$3").str.replace("(:[0-9]{2}) ?(?:UTC|GMT)$", "${1}+00:00")
    if text.str.contains("[ECMP][SD]T$").any():
        for zone, hours in _OFFSETS.items():
            text = text.str.replace(f"(:[0-9]{{2}}) ?{zone}$", f"${{1}}-0{-hours}:00")
    return text


def infer_date_form(text: polars.Series, tolerated: float) -> FoundDate:
    """Infer the format in which the largest share of cells are dates, the first of equals.

    text        cells without missing ones; those of `NUMBER_MISSING` and `date_sentinels` are left out
    tolerated   share of cells that may be no dates of that form
    Ambiguity   01/02/2024 is month first where no cell has a day past the 12th there; the note says so
    Integers    are dates where all of them are, 5 and more distinct: 20240229, 202402291200, 02291200; so ask
                before numbers are inferred. Years alone (1999) are numbers

    >>> import polars
    >>> infer_date_form(polars.Series(["31.12.2023", "01.02.2024"]), 0.0)
    FoundDate(form='%d.%m.%Y', odd=[], note='')
    >>> infer_date_form(polars.Series(["01/02/2024", "03/04/2024"]), 0.0).note
    'days and months could be swapped: read as month first'
    """
    few = _cells(text.head(_SAMPLE))
    if not len(few):
        few = text = _cells(text)
    shape = r"^[\[A-Za-z0-9+:.,/ \-()\]]{4,70}$"
    likely = few.str.contains(shape) & few.str.contains("[0-9]")
    if not len(few) or not likely.sum() >= len(few) / 2:
        return FoundDate(None, [])
    if few.str.contains("^[0-9]+$").all():
        dated = few.str.len_bytes().is_in(_DIGIT_WIDTHS).all()
        return _digits(_cells(text)) if dated else FoundDate(None, [])
    forms = _likely(few)
    if not forms:
        return FoundDate(None, [])
    cells = _cells(text)
    counts = cells.value_counts(sort=False)
    distinct, weights = counts[counts.columns[0]], counts[counts.columns[1]]
    odd = {form: int(weights.filter(read_dates(distinct, form).is_null()).sum()) for form in forms}
    best = min(odd, key=odd.__getitem__)
    if odd[best] == len(cells) or odd[best] > tolerated * len(cells):
        return FoundDate(None, [])
    failed = cells.filter(read_dates(cells, best).is_null()) if odd[best] else cells.head(0)
    note = _note(best, [form for form in forms if odd[form] == odd[best]], str(cells[0]))
    return FoundDate(best, failed.unique(maintain_order=True).to_list(), note)


def _note(form: str, fitting: list[str], first: str) -> str:
    """Return what could be read otherwise: days and months where both orders fit, "Jan-20"."""
    for date, other in SWAPPED.items():
        if form.split(" ")[0] == date and any(fit.split(" ")[0] == other for fit in fitting):
            return "days and months could be swapped: read as month first"
    return f"{first} is read as a month and a year" if form in ("%b-%y", "%B-%y") else ""


def _cells(text: polars.Series) -> polars.Series:
    """Return stripped cells without missing ones and sentinels."""
    text = text.str.strip_chars()
    return text.filter(~(text.str.to_lowercase().is_in(list(NUMBER_MISSING)) | date_sentinels(text)))


def _digits(text: polars.Series) -> FoundDate:
    """Return the form of integers that are all dates, in the years 1900 to 2100 where they have one."""
    distinct = text.unique(maintain_order=True)
    if len(distinct) < _FEWEST_DIGITS:
        return FoundDate(None, [])
    for form in (*DIGITS, NO_YEAR):
        if _exact(distinct.head(_SAMPLE), form).null_count():
            continue
        values = _exact(distinct, form)
        if values.null_count():
            continue
        if form == NO_YEAR:
            return FoundDate(form, [], f"integers such as {distinct[0]} are read as month, day, hour, minute")
        if values.dt.year().is_between(1900, 2100).all():
            return FoundDate(form, [], f"integers such as {distinct[0]} are read as dates, {form}")
    return FoundDate(None, [])


def _likely(few: polars.Series) -> list[str]:
    """Return the forms that most cells of a sample have: each date with the most frequent clock."""
    evened = _even(few)
    bare = evened.str.replace(_CLOCK, "")
    clock = evened.str.extract(f"({_CLOCK[:-1]})$", 1)
    suffix = _clock_form(clock.drop_nulls()) if len(clock) > 2 * clock.null_count() else ""
    dates = [f"{date} {suffix}".strip() for date in _most_are(bare, DATES)]
    return dates + _most_are(evened, (*CLOCKS, *NAMED[:2], *COMPACT))


def _most_are(text: polars.Series, forms: Sequence[str]) -> list[str]:
    """Return the forms that at least half of some texts have; only what has their shape is parsed."""
    least, texts = len(text) / 2, text.to_list()
    shaped = [form for form in forms if sum(map(bool, map(_shape(form).search, texts))) >= least]
    return [form for form in shaped if len(text) - _exact(text, form).null_count() >= least]


@functools.cache
def _shape(form: str) -> re.Pattern[str]:
    """Return what is found in every text of one of `DATE_FORMS`, and in few others."""
    return re.compile({QUARTER: "[Qq][1-4]", WEEK: "[Ww][0-9]{2}"}.get(form) or pattern(form))


def _clock_form(clocks: polars.Series) -> str:
    """Return the clock that most of these texts (" 10:30:00") have; the first of equals."""
    clocks = clocks.str.strip_chars()
    fitting = {
        clock: len(clocks) - strptime("2000-01-01 " + clocks, f"%Y-%m-%d {clock}").null_count()
        for clock in (*CLOCKS, *ZONED)
    }
    return max(fitting, key=fitting.__getitem__)
