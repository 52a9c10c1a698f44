"""Dates in text: each format reads what is written in it and nothing else; inference finds it."""

from __future__ import annotations

import datetime as dt
import re

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.tables.forms.date_forms import (
    DATE_FORMS,
    check_date_form,
    date_sentinels,
    infer_date_form,
    is_date_form,
    read_dates,
)
from minicolumn.tables.forms.date_patterns import (
    CLOCKS,
    COMPACT,
    DATES,
    DIGITS,
    NAMED,
    PIECES,
    ZONED,
    pattern,
    strptime,
)

MOMENTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2069, 12, 31))
DIRECTIVES = [*PIECES, "-", "/", ":", "T", ".", "(", "€", " "]
TEXT_FORMS = [form for form in DATE_FORMS if form and form not in NAMED]


def column(*texts: str | None) -> polars.Series:
    return polars.Series("x", texts, dtype=polars.String)


def write(moment: dt.datetime, form: str) -> str:
    """Return a date-time in a strptime format of polars, in UTC where it has an offset."""
    fraction = f".{moment.microsecond:06}"
    return moment.strftime(form.replace("%z", "+0000")).replace("%.f", fraction)


def truncated(moment: dt.datetime, form: str) -> dt.datetime:
    """Return the part of a moment that a strptime format can write."""
    if form in CLOCKS:
        moment = moment.replace(year=1970, month=1, day=1)
    elif "%d" not in form:
        moment = moment.replace(day=1)
    if "%.f" not in form:
        moment = moment.replace(microsecond=0)
    if "%S" not in form:
        moment = moment.replace(second=0)
    return moment if "%M" in form else moment.replace(hour=0, minute=0)


@settings(max_examples=3, deadline=None)
@given(st.lists(MOMENTS, min_size=4, max_size=6))
def test_what_is_written_in_a_form_is_read_back(moments: list[dt.datetime]) -> None:
    for form in TEXT_FORMS:
        texts = column(*(write(moment, form) for moment in moments), None)
        found = read_dates(texts, form)
        assert found.to_list() == [*(truncated(moment, form) for moment in moments), None], form
        assert found.dtype == polars.Datetime("us")
        assert found.name == "x"


def test_every_form_can_be_inferred() -> None:
    days = (14, 29, 30, 25, 17, 31)
    moments = [dt.datetime(2019, 1, day, 9 + k, 10 + k, 20 + k, 1000 * k) for k, day in enumerate(days)]
    clocked = (f"{date} {clock}" for date in ("%Y-%m-%d", "%d %B %Y") for clock in (*CLOCKS, *ZONED))
    for form in (*DATES, *CLOCKS, *DIGITS, *COMPACT, *clocked):
        texts = column(*(write(moment, form) for moment in moments))
        found = infer_date_form(texts, 0.0)
        assert found.form is not None, form
        assert found.odd == []
        assert read_dates(texts, found.form).to_list() == [truncated(moment, form) for moment in moments], (
            form
        )


@settings(max_examples=10, deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=4))
def test_clocks_and_zones_may_differ_within_a_column(moments: list[dt.datetime]) -> None:
    plain = [moment.isoformat() for moment in moments]
    for texts in (plain, [f"{text}Z" for text in plain], [f"{text} UTC" for text in plain]):
        assert read_dates(column(*texts), "%Y-%m-%d %H:%M").to_list() == moments
    zoned = [m.replace(tzinfo=dt.timezone(dt.timedelta(hours=k))) for k, m in enumerate(moments)]
    texts = column("2020-01-01", *(moment.isoformat() for moment in zoned))
    assert infer_date_form(texts, 0.0).odd == []
    expected = [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in zoned]
    assert read_dates(texts, "%Y-%m-%d").to_list() == [dt.datetime(2020, 1, 1), *expected]


@settings(max_examples=60, deadline=None)
@given(MOMENTS)
def test_quarters_weeks_and_dates_without_a_year(moment: dt.datetime) -> None:
    quarter = (moment.month + 2) // 3
    first = dt.datetime(moment.year, 3 * quarter - 2, 1)
    texts = [f"{moment.year}Q{quarter}", f"{moment.year}-q{quarter}", f"Q{quarter} {moment.year}"]
    assert read_dates(column(*texts), "quarter").to_list() == [first] * 3
    year, week, day = moment.isocalendar()
    midnight = dt.datetime(moment.year, moment.month, moment.day)
    texts = [f"{year}-W{week:02}-{day}", f"{year}W{week:02}{day}", f"{year}-W{week:02}"]
    assert read_dates(column(*texts), "iso week").to_list() == [
        midnight, midnight, midnight - dt.timedelta(days=day - 1)
    ]  # fmt: skip
    text = moment.strftime("%m%d%H%M")
    found = read_dates(column(text, text.removeprefix("0")), "month day hour minute")
    assert found.to_list() == [moment.replace(year=1972, second=0, microsecond=0)] * 2


@pytest.mark.parametrize(
    ("texts", "form", "first"),
    [
        (["2020-01-01 10:00:00 UTC", "2020-01-02 10:00:00 GMT"], "%Y-%m-%d %H:%M:%S%z", "2020-01-01 10:00"),
        (["2007-11-11T10:00:00Z"], "%Y-%m-%d %H:%M:%S%z", "2007-11-11 10:00"),
        (["2007-11-11 10:00:00+02:00", "2008-01-02 10:00:00-05:00"], "%Y-%m-%d %H:%M:%S%z",
         "2007-11-11 08:00"),
        (["2020-01-01 10:00:00+02"], "%Y-%m-%d %H:%M:%S%z", "2020-01-01 08:00"),
        (["2020-01-01 10:00:00,500"], "%Y-%m-%d %H:%M:%S%.f", "2020-01-01 10:00:00.500"),
        (["Tue, 01 Jan 2019 10:00:00 +0000", "01 Jan 2019 10:00:00 +0100"], "%d %b %Y %H:%M:%S%z",
         "2019-01-01 10:00"),
        (["20200101T101000"], "%Y%m%d %H%M%S", "2020-01-01 10:10"),
        (["20200101T101000Z"], "%Y%m%d %H%M%S%z", "2020-01-01 10:10"),
        ([f"2020010{k}" for k in range(1, 9)], "%Y%m%d", "2020-01-01"),
        ([f"2020010{k}1230" for k in range(1, 9)], "%Y%m%d%H%M", "2020-01-01 12:30"),
        ([f"01310{k}59" for k in range(8)], "month day hour minute", "1972-01-31 00:59"),
        (["02Jan2014"], "%d%b%Y", "2014-01-02"),
        (["02/Jan/2014:11:00:00 +0100"], "%d/%b/%Y %H:%M:%S%z", "2014-01-02 10:00"),
        (["[02/Jan/2014:11:00:00 +0000]"], "%d/%b/%Y %H:%M:%S%z", "2014-01-02 11:00"),
        (["02/Jan/2014:11:00:00"], "%d/%b/%Y %H:%M:%S", "2014-01-02 11:00"),
        (["Jan-20", "Feb-21"], "%b-%y", "2020-01-01"),
        (["January 2020"], "%B %Y", "2020-01-01"),
        (["01/2020"], "%m/%Y", "2020-01-01"),
        (["2020-02"], "%Y-%m", "2020-02-01"),
        (["2020/02"], "%Y/%m", "2020-02-01"),
        (["9:05", "10:30"], "%H:%M", "1970-01-01 09:05"),
        (["10:30 AM", "1:15 pm"], "%I:%M %p", "1970-01-01 10:30"),
        (["1:30PM", "1:30 p.m."], "%I:%M %p", "1970-01-01 13:30"),
        (["10:30:15.250", "10:30:15"], "%H:%M:%S", "1970-01-01 10:30:15.250"),
        (["2020-01-01", "2020-01-01 10:00"], "%Y-%m-%d", "2020-01-01"),
        (["2020Q1", "2020-Q2", "Q3 2020"], "quarter", "2020-01-01"),
        (["2020-W05", "2020-W05-3"], "iso week", "2020-01-27"),
        (["31/01/2020", "01/02/2020"], "%d/%m/%Y", "2020-01-31"),
        (["11/11/07", "12/31/07"], "%m/%d/%y", "2007-11-11"),
        (["31.12.2007", "1.2.2008"], "%d.%m.%Y", "2007-12-31"),
        (["Nov 11, 2007", "December 1, 2008"], "%B %d, %Y", "2007-11-11"),
        (["Sept 5, 2020", "Sep. 6, 2020"], "%b %d, %Y", "2020-09-05"),
        (["Sunday, 05 January 2020"], "%d %B %Y", "2020-01-05"),
        (["Tue Jan  1 10:00:00 2019"], "%b %d %Y %H:%M:%S", "2019-01-01 10:00"),
        (["Wed Aug 27 13:08:00 +0000 2008"], "%b %d %Y %H:%M:%S%z", "2008-08-27 13:08"),
        (["Mon Apr 06 12:00:00 PDT 2009"], "%b %d %Y %H:%M:%S%z", "2009-04-06 19:00"),
        (["1/2/2020, 10:30:00 AM", "12/31/2020, 9:05:00 PM"], "%m/%d/%Y %I:%M:%S %p", "2020-01-02 10:30"),
        (["12MAR2020:10:00:00"], "%d%b%Y %H:%M:%S", "2020-03-12 10:00"),
        (["Thu Jan 02 2020 10:00:00 GMT+0100 (CET)"], "%b %d %Y %H:%M:%S%z", "2020-01-02 09:00"),
        (["2020-01-01", "9999-12-31", "0000-00-00", "TBD"], "%Y-%m-%d", "2020-01-01"),
    ],
)  # fmt: skip
def test_forms_are_inferred(texts: list[str], form: str, first: str) -> None:
    found = infer_date_form(column(*texts), 0.0)
    assert (found.form, found.odd) == (form, [])
    values = read_dates(column(*texts), form)
    assert values[0] == dt.datetime.fromisoformat(first)
    assert values.null_count() == sum(text[:4] in ("9999", "0000", "TBD") for text in texts)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["a", "b"],
        ["TBD", "9999-12-31"],
        ["1999", "2000", "2001", "2002", "2003", "2004"],
        ["20200101", "20200102"],  # too few to tell from other integers
        [f"2020010{k}" for k in range(1, 9)] + ["20209999"],
        [f"1800010{k}" for k in range(1, 9)],
        ["12.5", "13.25"],
        ["5-10", "6-7"],
        ["1.2.3", "1.2.4"],
        ["192.168.1.1"],
        ["2020-13-01", "2020-02-30"],
        ["25:00", "10:61"],
        ["0007-01-01"],
        ["3020-01-01"],
        ["12020-01-01"],
        ["+2020-01-01"],
        ["\u0662\u0660\u0662\u0660-01-01"],
        ["2020Q5", "2020Q0"],
        ["2020-W54"],
        ["May", "June"],
        ["2020-01-01 to 2020-01-05"],
    ],
)
def test_what_is_no_column_of_dates(texts: list[str]) -> None:
    found = infer_date_form(column(*texts), 0.1)
    assert (found.form, found.odd) == (None, [])


def test_notes_say_what_could_be_read_otherwise() -> None:
    assert "read as month first" in infer_date_form(column("01/02/2020 10:00", "03/04/2020 11:00"), 0.0).note
    assert infer_date_form(column("01/13/2020", "03/04/2020"), 0.0).note == ""
    assert infer_date_form(column("Jan-20"), 0.0).note == "Jan-20 is read as a month and a year"
    assert (
        "are read as dates, %Y%m%d"
        in infer_date_form(column(*(f"2020010{k}" for k in range(1, 9))), 0.0).note
    )


def test_few_odd_cells_are_tolerated_and_told() -> None:
    texts = column("soon", *["2020-01-01"] * 8, "2020-02-30")
    assert infer_date_form(texts, 0.2).odd == ["soon", "2020-02-30"]
    assert infer_date_form(texts, 0.1).form is None
    # A few days past the 12th decide which comes first.
    texts = column(*["01/02/2020"] * 200, "13/02/2020")
    assert infer_date_form(texts, 0.1).form == "%d/%m/%Y"


def test_typed_columns_are_read_whatever_the_form() -> None:
    moment = dt.datetime(2020, 1, 1, 12, 30)
    zoned = polars.Series([moment]).dt.replace_time_zone("Europe/Berlin")
    assert read_dates(zoned, "").to_list() == [moment - dt.timedelta(hours=1)]
    assert read_dates(polars.Series([moment.date()]), "").to_list() == [dt.datetime(2020, 1, 1)]
    assert read_dates(polars.Series([moment.time()]), "").to_list() == [dt.datetime(1970, 1, 1, 12, 30)]
    assert read_dates(column("2020-01-01T12:30:00"), "").to_list() == [moment]


def test_sentinels_are_no_dates_in_any_form() -> None:
    texts = ["9999-12-31", "9999-12-31 23:59:59", "31.12.9999", "12/31/9999", "31-Dec-9999", "0000-00-00",
             "0000-00-00 00:00:00", "00/00/0000", "0001-01-01T00:00:00", "1900-01-00",
             "99991231"]  # fmt: skip
    assert date_sentinels(column(*texts)).all()
    for form in ("", *DATES, *CLOCKS, *DIGITS, *COMPACT, *NAMED):
        assert read_dates(column(*texts), form).null_count() == len(texts), form
    assert not date_sentinels(
        column("2020-01-01 00:00:00+0000", "1999-09-09", "99:99", "10:00:00.0000")
    ).any()


def test_the_table_of_forms_is_sound() -> None:
    assert len(set(DATE_FORMS)) == len(DATE_FORMS)
    assert all(is_date_form(form) for form in DATE_FORMS)
    assert {*DATES, *CLOCKS, *DIGITS, *COMPACT} <= set(DATE_FORMS)
    assert all(f"%Y-%m-%d {clock}" in DATE_FORMS for clock in (*CLOCKS, *ZONED))


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("%d/%m/%Y", "31/1/2020", dt.datetime(2020, 1, 31)),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-01-31 10:00:00.25", dt.datetime(2020, 1, 31, 10, 0, 0, 250_000)),
        ("%Y-%m-%d %H", "2020-01-31 10", dt.datetime(2020, 1, 31, 10)),
        ("%Y", "2020", dt.datetime(2020, 1, 1)),
        ("%m.%Y", "02.2020", dt.datetime(2020, 2, 1)),
        ("%d %b", "29 Feb", dt.datetime(1972, 2, 29)),
        ("%Y-%j", "2020-032", dt.datetime(2020, 2, 1)),
        ("%d%m%Y", "31012020", dt.datetime(2020, 1, 31)),
        ("%Hh%M", "9h30", dt.datetime(1970, 1, 1, 9, 30)),
        ("%G-W%V-%u", "2020-W05-3", dt.datetime(2020, 1, 29)),
        ("%A %d %B %Y", "Friday 31 January 2020", dt.datetime(2020, 1, 31)),
        ("on %d.%m.%y (%I %p)", "on 31.01.20 (3 PM)", dt.datetime(2020, 1, 31, 15)),
    ],
)
def test_a_person_may_give_a_format(form: str, text: str, moment: dt.datetime) -> None:
    stored = check_date_form(form)
    assert is_date_form(stored)
    assert read_dates(column(text, "x"), stored).to_list() == [moment, None]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("yyyy-mm-dd", "expected a year"),
        ("%Q", "'%Q' is not known"),
        ("%Y-%m-%d %", "'%' is not known"),
        ("%s", "is not known"),
        ("%f", "'%f' is not known"),
        ("%Y-%m-%m", "%m occurs twice"),
        ("%Y %y %m", "%Y and %y are both years"),
        ("%d.%Y", "a day needs a month"),
        ("%I:%M", "%I and %p need each other"),
        ("%H:%M %p", "%I and %p need each other"),
        ("%Y-%M", "minutes need hours"),
        ("%H:%S", "seconds need minutes"),
        ("%Y-%m-%d %z", "an offset needs a time of day"),
        ("%Y-W%V", "a week needs"),
        ("%Y" * 1000, "more than 60 characters"),
    ],
)
def test_other_formats_are_refused(form: str, words: str) -> None:
    with pytest.raises(DataError, match=r"^date format ") as caught:
        check_date_form(form)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not is_date_form(form)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(DIRECTIVES), max_size=7), MOMENTS)
def test_what_is_accepted_can_be_read_by_polars(tokens: list[str], moment: dt.datetime) -> None:
    form = "".join(tokens)
    if not is_date_form(form) or not form:
        return
    text = moment.strftime(form.replace("%.f", ".5").replace("%z", "+0000").replace("%e", "%d"))
    assert re.search(pattern(form), text), text
    strptime(column(text, "2020-01-01"), form)  # raises nothing, whatever the order of the directives


def test_columns_without_cells_are_read() -> None:
    for texts in (column(), column(None, None), column("", "x")):
        for form in ("", "%H:%M", "%Y-%m-%d %H:%M", *NAMED):
            assert read_dates(texts, form).null_count() == len(texts)
