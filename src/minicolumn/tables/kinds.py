"""The kind of a column, found by what its values mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from minicolumn.tables.values import (
    TRUTHS,
    date_form,
    datetimes,
    not_numbers,
    number_form,
    numbers,
    present,
    text_of,
)

if TYPE_CHECKING:
    import polars

Kind = Literal["number", "category", "boolean", "datetime", "identifier", "text", "constant", "empty"]
USED: tuple[Kind, ...] = ("number", "category", "boolean", "datetime")

FEW_CODES = 20  # distinct integers that may well be codes: said in the note
MANY_LEVELS = 20  # a column of words with fewer levels is a category however few its rows
FEW_ROWS = 10  # below, nothing is an identifier or free text for being all different
_PAIRS = frozenset(frozenset(pair) for pair in TRUTHS)

_THINGS = r"sample|record|row|serial|case|subject|patient|customer|passenger|order|invoice|account|entry|item"
_NAMED_ID = re.compile(
    rf"(^|.* )(id|ids|uuid|guid|uid|pid|rowid|rownames?|identifier|({_THINGS}) (number|no|nr|num|index|key))$"
)
_NAMED_ORDER = re.compile(r"(^|.* )(number|no|nr|num|key|index|idx|order|instant|unnamed \d+|code)$")
_NAMED_NOTES = re.compile(
    r"(^|.* )(comments?|notes?|remarks?|descriptions?|text|free ?text|message|abstract)$"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in one column."""

    kind: Kind
    form: str = ""  # how numbers or moments are written
    note: str = ""


def find_kind(series: polars.Series, categorical: bool = False) -> Finding:
    """Return the kind of a column; `categorical` makes codes of integers levels."""
    import polars

    if series.dtype.is_temporal() and series.dtype != polars.Duration:
        return _moments(series, "")
    if series.dtype == polars.Boolean or categorical:
        return _words(series, categorical)
    if series.dtype.is_numeric() or series.dtype == polars.Duration:
        return _numbers(series, numbers(series), "")
    return _text(series)


def words_of(name: str) -> str:
    """Return a column's name as lower-case words: "customerID" and "customer_id" are "customer id"."""
    split = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", name)
    return re.sub(r"[\W_]+", " ", split).strip().lower()


def _text(series: polars.Series) -> Finding:
    values = numbers(series)
    if values.null_count() < len(values) and not_numbers(series, values).is_empty():
        if _are_codes(series, values):
            return _words(series, True, "integers with leading zeros are codes")
        return _numbers(series, values, "")
    distinct = present(text_of(series).unique(maintain_order=True)).drop_nulls()
    if distinct.is_empty():
        return Finding("empty", note="no values")
    form = number_form(distinct)
    if form is not None:
        note = "1,234 is read as 1234" if form == "thousands" else ""
        return _numbers(series, numbers(series, form), form, note)
    form, ambiguous = date_form(distinct)
    if form is not None:
        return _moments(
            series, form, "days and months could be swapped: read as month first" if ambiguous else ""
        )
    return _words(series, False, _almost_numbers(series, values))


def _are_codes(series: polars.Series, values: polars.Series) -> bool:
    """Return whether all values are digits of one width, some with a leading zero: 020, 02139."""
    zeros = series.str.contains(r"^\s*0\d")
    if not zeros.any():
        return False
    text = present(text_of(series.filter(values.is_not_nan().fill_null(False))))
    widths = text.str.len_chars()
    few = text.n_unique() <= max(MANY_LEVELS, len(text) // 2)
    return bool(few and (widths == widths[0]).all() and text.str.contains(r"^\d+$").all())


def _almost_numbers(series: polars.Series, values: polars.Series) -> str:
    """Return a note for a column of numbers that a few words keep from being one."""
    text = present(text_of(series))
    odd = (values.is_null() & text.is_not_null()).arg_true()
    if not 0 < len(odd) <= 0.1 * (len(text) - text.null_count()):
        return ""
    first = int(odd[0])
    return f"{len(odd)} values are not numbers, the first is {_short(str(text[first]))} in row {first + 1}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number else ""


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _numbers(series: polars.Series, values: polars.Series, form: str, note: str = "") -> Finding:
    infinite = int(values.is_infinite().sum() or 0)
    known = values.filter(values.is_finite().fill_null(False))
    gaps = len(values) - len(known) - infinite
    note = _join(note, _count(gaps, "missing"), _count(infinite, "infinite, taken as missing"))
    if known.is_empty():
        return Finding("empty", note=_join("no values", _count(infinite, "infinite")))
    distinct = known.n_unique()
    if distinct == 1 and len(known) == len(values):
        return Finding("constant", note=f"always {text_of(series)[0]}")
    whole = bool((known == known.floor()).all())
    if not form and distinct == 2 and known.min() == 0 and known.max() == 1:
        return Finding("boolean", note=note)
    if whole and (why := _counts_rows(series.name, known, distinct, len(values))):
        return Finding("identifier", note=why)
    if whole and distinct <= FEW_CODES and distinct < len(known):
        hint = f"{distinct} distinct integers; --categorical {series.name!r} to treat them as codes"
        return Finding("number", form, _join(hint, note))
    return Finding("number", form, note)


def _counts_rows(name: str, known: polars.Series, distinct: int, rows: int) -> str:
    """Return why integers name the rows rather than measure something, or an empty text."""
    words = words_of(name)
    if distinct == rows and rows > 1:
        if _NAMED_ID.match(words) or _NAMED_ORDER.match(words):
            return "named like an identifier, and every value is different"
        span = float(known.max()) - float(known.min())  # type: ignore[arg-type]
        counts = span == rows - 1 and (float(known.min()) in (0, 1) or known.is_sorted())  # type: ignore[arg-type]
        return "counts the rows" if counts and rows >= FEW_ROWS else ""
    if _NAMED_ID.match(words) and distinct > max(MANY_LEVELS, len(known) // 4):
        return f"named like an identifier, {distinct:,} different values"
    return ""


def _moments(series: polars.Series, form: str, note: str = "") -> Finding:
    values = datetimes(series, form)
    gaps = values.null_count()
    if gaps == len(values):
        return Finding("empty", note="no values")
    if not gaps and values.n_unique() == 1:
        return Finding("constant", note=f"always {series[0]}")
    return Finding("datetime", form, _join(note, _count(gaps, "missing")))


def _words(series: polars.Series, sure: bool, note: str = "") -> Finding:
    """Return the kind of a column of words; `sure` when they are levels whatever they look like."""
    text = present(text_of(series))
    known = text.drop_nulls()
    gaps, distinct = len(text) - len(known), known.n_unique()
    if not distinct:
        return Finding("empty", note="no values")
    if distinct == 1 and not gaps:
        return Finding("constant", note=f"always {_short(known[0])}")
    if not sure and distinct <= 8 and frozenset(known.unique().str.to_lowercase()) in _PAIRS:
        return Finding("boolean", note=_count(gaps, "missing"))
    if not sure and (found := _names_rows(series.name, known, distinct)):
        return Finding(found[0], note=_join(found[1], note))
    return Finding(
        "category",
        note=_join(f"{distinct:,} level{'s' if distinct > 1 else ''}", _count(gaps, "missing"), note),
    )


def _names_rows(name: str, known: polars.Series, distinct: int) -> tuple[Kind, str] | None:
    """Return the kind and the reason of words that are no levels, or None."""
    words = words_of(name)
    spaces = float(known.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    seen = f"{distinct:,} different values in {len(known):,} rows"
    if distinct == len(known) >= FEW_ROWS:
        return ("text", f"free text, {seen}") if spaces >= 2.5 else ("identifier", "every value is different")
    if _NAMED_ID.match(words) and distinct > max(MANY_LEVELS, len(known) // 4):
        return "identifier", f"named like an identifier, {seen}"
    if _NAMED_NOTES.match(words) and spaces >= 2.5:
        return "text", f"free text, {seen}"
    if distinct > MANY_LEVELS and (
        distinct > len(known) // 2 or (spaces >= 4 and distinct > len(known) // 5)
    ):
        return "text", f"{seen}, too many for a category"
    return None
