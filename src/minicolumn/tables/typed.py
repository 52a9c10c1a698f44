"""Typed columns: text cells to numbers and date-times, each in the form of its column, checked cell by cell.

The whole column is judged at once: a cell in another form is an error that names column, row and form; a
whole column in another form that can be read one way only is read so, and said; a few words among numbers
or dates are missing, and said with their count.

Differs     pandas' to_numeric and to_datetime take a column by itself: trained on 12,50 a file with 12.50
            would silently be 1250.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from minicolumn.errors import DataError
from minicolumn.tables.forms.date_forms import date_sentinels, infer_date_form, read_dates
from minicolumn.tables.forms.number_forms import NUMBER_MISSING, NumberForm, looks_numeric
from minicolumn.tables.forms.number_inference import other_form
from minicolumn.tables.kinds import TOLERATED, ColumnKind
from minicolumn.tables.values import (
    MISSING,
    Shape,
    count_words,
    plain,
    present,
    refuse,
    require,
    shape_of,
    text_of,
    without_spellings,
)

if TYPE_CHECKING:
    import polars

About = Literal["form", "missing", "drift", "levels", "codes", "memory", "scale"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a column of new rows that a person should know.

    column      its name; "" of the table as a whole
    about       "form": read in another form than in training; "missing": words taken as missing;
                "drift": values unlike those of the training; "levels": levels that were cut off;
                "codes": integers that act like codes; "memory": what the training takes;
                "scale": the scale of the target
    text        one line
    """

    column: str
    about: About
    text: str

    def __str__(self) -> str:
        return f"{self.column}: {self.text}" if self.column else self.text

    def to_json(self) -> dict[str, str]:
        """Return the remark as JSON values: column, about, text."""
        return {"column": self.column, "about": self.about, "text": self.text}


@dataclass(frozen=True, slots=True)
class Expected:
    """How a column was in training: its name, its kind, and the form of its numbers or dates.

    what        how messages call it: "column" or "target"
    """

    name: str
    kind: ColumnKind
    form: str = ""
    what: str = "column"


@dataclass(frozen=True, slots=True)
class Typed:
    """Rows whose numbers are Float64 and whose dates are Datetime; remarks on how they were read."""

    frame: polars.DataFrame
    remarks: tuple[Remark, ...]


def typed_columns(
    frame: polars.DataFrame,
    expected: Iterable[Expected],
    missing: Iterable[str] = (),
    *,
    strict: bool = False,
) -> Typed:
    """Read these columns in their forms; the others are left out.

    frame       raw rows
    missing     spellings of missing beyond the usual ones, in lower case; in any column
    strict      whether a word among numbers or dates is an error, not a missing value
    Returns     numbers as Float64, dates as Datetime, other columns as they are, null where missing
    Errors      DataError, with column, row and form

    >>> import polars
    >>> rows = polars.DataFrame({"price": ["12.50", "7.25"]})
    >>> typed = typed_columns(rows, [Expected("price", "number", "1234,5")])
    >>> typed.frame["price"].to_list(), str(typed.remarks[0])
    ([12.5, 7.25], 'price: written like 1234.5, in the training like 1234,5')
    """
    reader = _Reader(frozenset(word.lower() for word in missing), strict)
    columns, remarks = [], []
    for column in expected:
        known = without_spellings(plain(frame[column.name]), reader.missing)
        series, said = reader.read(known, column)
        columns.append(series.alias(column.name))
        remarks += [Remark(column.name, about, text) for about, text in said]
    return Typed(frame.select(columns) if columns else frame.select([]), tuple(remarks))


def expected_target(name: str, task: str, form: str) -> Expected:
    """Return how a target is read: numbers in their form for regression, else labels."""
    return Expected(name, "number" if task == "regression" else "category", form, "target")


def typed_target(
    frame: polars.DataFrame, name: str, task: str, form: str, missing: Iterable[str], *, strict: bool
) -> polars.Series:
    """Return the target of rows, raw or typed: numbers as Float64, or labels; null where missing.

    Errors      DataError for a missing target column, a cell in another form, and for many words where
                numbers were
    """
    require(frame.columns, [name], "target: the table")
    series = plain(frame[name])
    if task == "regression" and shape_of(series) is Shape.NUMBERS:  # typed before: a percent has no sign now
        return without_spellings(series, missing)
    return typed_columns(frame, [expected_target(name, task, form)], missing, strict=strict).frame[name]


Said = list[tuple[About, str]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """How columns are read: the further spellings of missing, and whether words are refused."""

    missing: frozenset[str]
    strict: bool

    def read(self, series: polars.Series, column: Expected) -> tuple[polars.Series, Said]:
        """Return one column typed, and what is to be said of it."""
        shape = shape_of(series)
        if shape is Shape.NESTED:
            raise DataError(
                f"column {column.name!r} holds {series.dtype} values; expected one plain value a row"
            )
        if column.kind == "number":
            return self._numbers(series, shape, column)
        if column.kind == "datetime":
            return self._dates(series, shape, column)
        return series, []

    def _text(self, series: polars.Series) -> polars.Series:
        """Return the cells as text, null where missing."""
        return present(text_of(series), MISSING)

    def _numbers(self, series: polars.Series, shape: Shape, column: Expected) -> tuple[polars.Series, Said]:
        """Return a column of numbers as Float64."""
        form, what = column.form, column.what
        written = NumberForm.parse(form)
        if shape is Shape.DATES:
            raise DataError(f"{what} {series.name!r}: found {series.dtype} values, expected numbers")
        if shape is not Shape.TEXT:
            if written.suffix in ("%", "‰") and series.null_count() < len(series):
                raise DataError(
                    f"{what} {series.name!r}: found numbers without {written.suffix}, expected numbers "
                    f"written like {form}"
                )
            return NumberForm().read(series), []
        values = written.read(series)
        if values.null_count() == series.null_count():
            return values, []
        text = self._text(series)
        failed = text.filter(values.is_null() & text.is_not_null())
        if failed.is_empty():
            return values, []
        words = [word for word in failed.unique(maintain_order=True) if not looks_numeric(word)]
        if len(words) == failed.n_unique():
            return values, self._words(series, text, failed, words, f"a number{_like(form)}", what)
        numeric = text.filter(~text.is_in(words)).drop_nulls()
        other = other_form(numeric, written)
        if other is None:
            odd = next(word for word in failed if word not in words)
            refuse(series, odd, f"a number written like {form or '1234.5'}", what)
        said = self._words(
            series, text, text.filter(text.is_in(words)), words, f"a number{_like(form)}", what
        )
        remark: tuple[About, str] = (
            "form",
            f"written like {str(other) or '1234.5'}, in the training like {form or '1234.5'}",
        )
        return other.read(series), [remark, *said]

    def _dates(self, series: polars.Series, shape: Shape, column: Expected) -> tuple[polars.Series, Said]:
        """Return a column of dates or times as Datetime."""
        form, what = column.form, column.what
        if shape is Shape.DATES:
            return read_dates(series, ""), []
        if shape is not Shape.TEXT and (not form or any(mark in form for mark in "-/.: ")):
            raise DataError(f"{what} {series.name!r}: found {series.dtype} values, expected dates or times")
        text = self._text(series)
        form = form or _own_form(series, text)
        values = read_dates(text, form)
        failed = text.filter(values.is_null() & text.is_not_null() & ~date_sentinels(text).fill_null(False))
        if failed.is_empty():
            return values, []
        expected = f"a date or time written as {form}"
        nothing = failed.str.to_lowercase().is_in(list(NUMBER_MISSING))
        words = failed.filter(nothing | ~failed.str.contains("[0-9]"))
        other = _other_date_form(text, words) if len(words) < len(failed) else None
        if other is None:  # as in training: few cells that are no dates, "2000-13-01" as "soon", are missing
            odd = failed.unique(maintain_order=True).to_list()
            return values, self._words(series, text, failed, odd, expected, what)
        remark: tuple[About, str] = ("form", f"written as {other}, in the training as {form}")
        odd = words.unique(maintain_order=True).to_list()
        return read_dates(text, other), [remark, *self._words(series, text, words, odd, expected, what)]

    def _words(
        self,
        series: polars.Series,
        text: polars.Series,
        failed: polars.Series,
        words: list[str],
        expected: str,
        what: str,
    ) -> Said:
        """Return the remark on words among numbers or dates; DataError where they are too many."""
        if not words:
            return []
        unknown = [word for word in words if word.lower() not in NUMBER_MISSING]
        cells = int(text.is_in(unknown).sum() or 0)
        known = len(text) - text.null_count()
        if self.strict or cells > TOLERATED * known:
            refuse(series, (words if self.strict else unknown)[0], expected, what)
        return [("missing", count_words(failed.filter(failed.is_in(words))))]


def _like(form: str) -> str:
    """Return how a number is written, for a message; "" for plainly."""
    return f" written like {form}" if form else ""


def _known(text: polars.Series) -> polars.Series:
    """Return the cells that are no spelling of a missing number or date."""
    return present(text, NUMBER_MISSING).drop_nulls()


def _other_date_form(text: polars.Series, words: polars.Series) -> str | None:
    """Return the one form, days and months certain, in which all cells but these words are dates; or None."""
    known = _known(text)
    found = infer_date_form(known.filter(~known.is_in(words.unique().to_list())), 0.0)
    return None if found.note else found.form


def _own_form(series: polars.Series, text: polars.Series) -> str:
    """Return the form of text in a column that was of a date type in training."""
    known = _known(text)
    if known.is_empty():
        return "%Y-%m-%d"
    found = infer_date_form(known, TOLERATED)
    if found.form is None:
        refuse(series, str(known[0]), "a date or time")
    return found.form
