"""Date and time formats: the table of strptime formats and the parser of one of them, strict and vectorised.

Differs     chrono, which polars calls, takes "7" for a year, any digits' width and blanks anywhere; here a
            regular expression made from the format must fit too
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from minicolumn.errors import DataError

if TYPE_CHECKING:
    import polars

DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%m-%d-%y", "%d-%m-%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y"),
    *("%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d %b %y", "%d%b%Y", "%d/%b/%Y"),
    *("%d-%B-%Y", "%d/%b/%y", "%b-%d-%Y", "%Y-%b-%d", "%Y %b %d", "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y"),
    *("%b-%y", "%B-%y", "%b-%Y", "%B-%Y", "%b %Y", "%B %Y"),
)
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p")
ZONED = ("%H:%M%z", "%H:%M:%S%z", "%H:%M:%S%.f%z")
DIGITS = ("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S")  # all cells must fit: other integers look alike
COMPACT = ("%Y%m%d %H%M%S", "%Y%m%d %H%M", "%Y%m%d %H%M%S%z", "%Y%m%d %H%M%z")
QUARTER, WEEK, NO_YEAR = "quarter", "iso week", "month day hour minute"
NAMED = (QUARTER, WEEK, NO_YEAR)

MOST_CHARACTERS = 60  # of a format
FIRST_YEAR, LAST_YEAR = 1000, 2999
DAY_OF_CLOCK = "1970-01-01"  # of times of day
YEAR_OF_NONE = "1972"  # of dates without a year: a leap year, for 29 February

PIECES = {
    "%Y": "[0-9]{4}",
    "%G": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%e": "[0-9]{1,2}",
    "%j": "[0-9]{1,3}",
    "%V": "[0-9]{1,2}",
    "%u": "[1-7]",
    "%b": "[A-Za-z]{3,9}",
    "%B": "[A-Za-z]{3,9}",
    "%a": "[A-Za-z]{3,9}",
    "%A": "[A-Za-z]{3,9}",
    "%H": "[0-9]{1,2}",
    "%I": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%.f": r"(?:\.[0-9]{1,9})?",
    "%p": "[AaPp][Mm]",
    "%z": "[+-][0-9]{2}:?[0-9]{2}",
    "%%": "%",
}
_TOKEN = re.compile(r"%\.f|%.|%$| +|[^% ]+")
_FULL_WIDTH = {"%m": "[0-9]{2}", "%d": "[0-9]{2}", "%H": "[0-9]{2}", "%I": "[0-9]{2}"}


def pattern(form: str) -> str:
    """Return the regular expression of texts in a strptime format; digits are 0 to 9, widths are bounded.

    >>> pattern("%Y-%m")
    '^[0-9]{4}\\\\-[0-9]{1,2}$'
    """
    tokens = _TOKEN.findall(form)
    found = []
    for place, token in enumerate(tokens):
        beside = tokens[place - 1 : place] + tokens[place + 1 : place + 2]
        joined = any(other in PIECES and other not in ("%b", "%B", "%p", "%z", "%.f") for other in beside)
        if token in _FULL_WIDTH and joined:  # digits that touch have their full width
            found.append(_FULL_WIDTH[token])
        elif token in PIECES:
            found.append(PIECES[token])
        else:
            found.append(" +" if token.isspace() else re.escape(token))
    return f"^{''.join(found)}$"


def check_format(text: str) -> str:
    """Return a strptime format as polars needs it, with ".%f" as "%.f".

    text        a format of directives that chrono and Python share
    Errors      DataError, one line: unknown directives; neither a date nor a time of day; one given twice

    >>> check_format("%d/%m/%Y %H:%M:%S.%f")
    '%d/%m/%Y %H:%M:%S%.f'
    """
    form = text.replace(".%f", "%.f")
    shown = text if len(text) <= 40 else text[:37] + "..."
    if len(text) > MOST_CHARACTERS:
        raise DataError(f"date format {shown!r}: more than {MOST_CHARACTERS} characters")
    found = [token for token in _TOKEN.findall(form) if token.startswith("%")]
    for token in found:
        if token not in PIECES:
            raise DataError(
                f"date format {shown!r}: {token!r} is not known; "
                "use %Y %y %m %d %b %B %j %H %I %M %S .%f %p %z"
            )
        if token != "%%" and found.count(token) > 1:
            raise DataError(f"date format {shown!r}: {token} occurs twice")
    have = set(found)
    for names, what in (
        ({"%Y", "%y", "%G"}, "years"),
        ({"%m", "%b", "%B", "%j", "%V"}, "months"),
        ({"%d", "%e", "%j", "%u"}, "days"),
        ({"%H", "%I"}, "hours"),
    ):
        if len(have & names) > 1:
            raise DataError(f"date format {shown!r}: {' and '.join(sorted(have & names))} are both {what}")
    month, week = have & {"%m", "%b", "%B"}, have & {"%G", "%V", "%u"}
    clock, hour = bool(have & {"%H", "%I"}), have & {"%I", "%p"}
    if week and week != {"%G", "%V", "%u"}:
        raise DataError(f"date format {shown!r}: a week needs %G, %V and %u; or say 'iso week'")
    dated = bool(month) or bool(week) or bool(have & {"%Y", "%y"})
    faults = (
        (have & {"%d", "%e"} and not month, "a day needs a month"),
        ("%j" in have and not have & {"%Y", "%y"}, "a day of the year needs a year"),
        (hour and hour != {"%I", "%p"}, "%I and %p need each other"),
        (have & {"%M"} and not clock, "minutes need hours"),
        (have & {"%S"} and "%M" not in have, "seconds need minutes"),
        (have & {"%.f"} and "%S" not in have, "fractions need seconds"),
        (have & {"%z"} and not clock, "an offset needs a time of day"),
        (not dated and not clock, "expected a year or a month (%Y, %m) or a time of day (%H:%M)"),
    )
    for wrong, why in faults:
        if wrong:
            raise DataError(f"date format {shown!r}: {why}")
    return form


def strptime(text: polars.Series, form: str) -> polars.Series:
    """Parse strings as Datetime("us") without a zone; null where a text has not exactly this strptime format.

    form        as `check_format` returns it; what it lacks is the first: of the month, the hour, 1970-01-01
    Years       from 1000 to 2999; "%y" is 1970 to 2069
    """
    text = text.set(~text.str.contains(pattern(form)), None)
    before, behind = [], []
    have = set(_TOKEN.findall(form))
    month = have & {"%m", "%b", "%B"}
    if not have & {"%Y", "%y", "%G"}:
        before.append(("%Y ", f"{YEAR_OF_NONE} ") if month else ("%Y-%m-%d ", f"{DAY_OF_CLOCK} "))
    elif not month and not have & {"%j", "%V"}:
        behind.append((" %m %d", " 01 01"))
    if month and not have & {"%d", "%e"}:
        behind.append((" %d", " 01"))
    if have & {"%H", "%I"} and "%M" not in have:
        behind.append((" %M", " 00"))
    if before:
        text, form = before[0][1] + text, before[0][0] + form
    for directive, filler in behind:
        text, form = text + filler, form + directive
    values = text.str.to_datetime(form, strict=False, time_unit="us").dt.replace_time_zone(None)
    years = values.dt.year()
    # Not `Series.set`, which older polars does not have for date-times.
    return values.zip_with(years.is_between(FIRST_YEAR, LAST_YEAR), values.clear(len(values)))


def named(text: polars.Series, form: str) -> polars.Series:
    """Parse strings in a format that strptime lacks, one of `NAMED`, as Datetime("us"); null elsewhere.

    quarter                 2020Q1, 2020-Q1, Q1 2020: its first day
    iso week                2020-W05-3, 2020W05: its Monday where there is no day
    month day hour minute   01312359, of the year 1972; 7 digits lost a leading zero
    """
    if form == QUARTER:
        year = text.str.extract(r"^([0-9]{4})[-/ ]?[Qq][1-4]$", 1)
        year = year.fill_null(text.str.extract(r"^[Qq][1-4][-/ ]?([0-9]{4})$", 1))
        month = text.str.extract("[Qq]([1-4])", 1).str.replace_many(["2", "3", "4"], ["04", "07", "10"])
        return strptime(year + "-" + month, "%Y-%m")
    if form == WEEK:
        days = text.str.replace("^([0-9]{4})-?[Ww]([0-9]{2})$", "$1-W$2-1")
        days = days.str.replace("^([0-9]{4})-?[Ww]([0-9]{2})-?([1-7])$", "$1-W$2-$3")
        return strptime(days, "%G-W%V-%u")
    return strptime(text.str.replace("^([0-9]{7})$", "0$1"), "%m%d%H%M")
