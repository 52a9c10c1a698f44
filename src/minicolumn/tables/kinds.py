"""Column type inference: the kind of a column, found from its values and its name.

    number, category, boolean, datetime             become features
    identifier, text, nested, constant, empty       are dropped, and the note says why

Text is tried as numbers, then date-times, then categories. A few words among numbers or dates are missing
values. The name decides only between kinds that the values allow: "customer_id" with a different value in
every row is an identifier, "income" is not. What the user says goes before all of it.

Differs     pandas and polars infer storage types (int64, str); they do not tell an identifier from an amount,
            or codes with leading zeros from numbers, and one word makes a column of numbers one of strings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from minicolumn.errors import DataError
from minicolumn.tables.forms.date_forms import infer_date_form, read_dates
from minicolumn.tables.forms.number_forms import NUMBER_MISSING, NumberForm
from minicolumn.tables.forms.number_inference import FoundForm, infer_number_form
from minicolumn.tables.identifiers import (
    COUNTS,
    MANY_LEVELS,
    counts_rows,
    is_code_name,
    is_quantity_name,
    names_rows,
)
from minicolumn.tables.overrides import Hint
from minicolumn.tables.values import (
    BOOLEAN_WORDS,
    Shape,
    count_words,
    plain,
    present,
    shape_of,
    text_of,
    without_spellings,
)

if TYPE_CHECKING:
    import polars

ColumnKind = Literal[
    "number", "category", "boolean", "datetime", "identifier", "text", "nested", "constant", "empty"
]
USED: tuple[ColumnKind, ...] = ("number", "category", "boolean", "datetime")

FEW_CODES = 20  # distinct integers that may well be codes: said in the note
TOLERATED = 0.1  # share of a column's cells that may be words among numbers or dates
_EXACT = 2**53  # integers beyond it are not all told apart as float64
_PAIRS = frozenset(frozenset(pair) for pair in BOOLEAN_WORDS)


@dataclass(frozen=True, slots=True)
class Finding:
    """The inferred kind of one column.

    kind        what it is
    form        how numbers or date-times are written, see `Column`
    note        what a person should know: gaps, the number of levels, why it is dropped
    may_be_codes        whether its integers may well be codes rather than amounts
    otherwise   what a column that is dropped is where the user keeps it
    """

    kind: ColumnKind
    form: str = ""
    note: str = ""
    may_be_codes: bool = False
    otherwise: ColumnKind = "category"


def find_kind(series: polars.Series, hint: Hint | None = None) -> Finding:
    """Infer the kind of a column.

    series      the column, of any type
    hint        what the user said of it
    Returns     a `Finding`; typed columns (dates, numbers, booleans) are believed, strings are examined
    Errors      DataError where the values are not what the user said they are

    >>> import polars
    >>> price = find_kind(polars.Series("price", ["1,200.50", "950", "-"]))
    >>> price.kind, price.form, price.note
    ('number', '1,234.5', '1,200.50 is read as 1200.5; 1 missing')
    >>> find_kind(polars.Series("customer_id", range(100))).kind
    'identifier'
    """
    hint = hint or Hint()
    series = without_spellings(plain(series), hint.said_missing)
    shape = shape_of(series)
    if shape is Shape.NESTED:
        if hint.kind is not None or hint.keep:
            raise DataError(
                f"column {series.name!r} holds {series.dtype} values; it cannot be learnt from: use drop"
            )
        return Finding("nested", note=f"holds {_type_name(series)}, not one plain value a row")
    if hint.kind == "text":
        return Finding("text", note="as you said")
    if hint.kind == "category":
        return _said(_words(series, hint, sure=True))
    if hint.kind == "number":
        return _said_numbers(series, hint)
    if hint.kind == "datetime":
        return _said_dates(series, hint)
    return _kept(_inferred(series, shape, hint), series.name, hint)


def _inferred(series: polars.Series, shape: Shape, hint: Hint) -> Finding:
    """Return the kind of a column of which nothing is said."""
    if shape is Shape.DATES:
        return _datetimes(series, "", read_dates(series, ""))
    if shape is Shape.BOOLEANS:
        return _words(series, hint)
    if shape is Shape.NUMBERS:
        return _numbers(series, NumberForm().read(series), "", hint)
    return _text(series, hint)


def _kept(found: Finding, name: str, hint: Hint) -> Finding:
    """Return a finding; of a column that the user keeps, a kind that is learnt from."""
    if not hint.keep or found.kind in USED:
        return found
    if found.kind == "empty":
        raise DataError(f"keep: {name!r} has no values; there is nothing to learn from it")
    return replace(found, kind=found.otherwise, note=f"kept as you said ({found.note})")


def _said(found: Finding) -> Finding:
    return replace(found, note=_join("as you said", found.note))


def _said_numbers(series: polars.Series, hint: Hint) -> Finding:
    """Return the kind of a column that the user says holds numbers; words among them are missing."""
    if shape_of(series) is Shape.DATES:
        raise DataError(f"number: column {series.name!r} holds {series.dtype} values, which are no numbers")
    if shape_of(series) is not Shape.TEXT:
        return _plain_number(NumberForm().read(series), "", "as you said", series)
    text = present(text_of(series), hint.missing | NUMBER_MISSING).drop_nulls()
    form, note = hint.form, ""
    if not form and len(text):
        found = number_form(text, hint, 1.0)
        if found.form is None:
            raise DataError(
                f"number: column {series.name!r} holds no numbers; the first cell is {text[0]!r:.60}"
            )
        form, note = str(found.form), found.note
    parsed = NumberForm.parse(form)
    return _plain_number(
        parsed.read(series), form, _join("as you said", note, _odd(series, parsed, hint)), series
    )


def _plain_number(values: polars.Series, form: str, note: str, series: polars.Series) -> Finding:
    """Return a column of numbers that is one whatever the values look like, if there is any."""
    known = values.filter(values.is_finite().fill_null(False))
    if known.is_empty():
        raise DataError(f"number: column {series.name!r} holds no number in any row")
    merged = (
        "" if _beyond_float64(series, known) is None else "integers past 2^53 that are near are one number"
    )
    return Finding("number", form, _join(note, merged, _count(len(values) - len(known), "missing")))


def _said_dates(series: polars.Series, hint: Hint) -> Finding:
    """Return the kind of a column that the user says holds dates or times."""
    form, note = hint.form, ""
    if shape_of(series) is not Shape.DATES and not form:
        text = present(text_of(series), hint.missing | NUMBER_MISSING).drop_nulls()
        found = infer_date_form(text, 0.5) if len(text) else None
        if found is None or found.form is None:
            raise DataError(
                f"datetime: column {series.name!r} is in no known form; say it: "
                f"{series.name}=%d.%m.%Y (the first cell is {str(text.first())!r:.60})"
            )
        form, note = found.form, found.note
    text = series if shape_of(series) is Shape.DATES else text_of(series)
    values = read_dates(text, form)
    if values.null_count() == len(values):
        raise DataError(f"datetime: no cell of column {series.name!r} is written as {form}")
    odd = _odd_words(series, values, hint)
    return _said(_datetimes(series, form, values, _join(note, odd)))


def _text(series: polars.Series, hint: Hint) -> Finding:
    """Return the kind of a column of strings: of number, code, date-time, category the first that fits."""
    plain = NumberForm()
    values = plain.read(series)
    text = present(text_of(series), hint.missing)
    if text.null_count() == len(text):
        return Finding("empty", note="no values")
    if text.str.contains(r"^[0-9]{7,14}$").all():  # 20240229, which is a number, too
        dates = infer_date_form(text.drop_nulls(), 0.0)
        if dates.form is not None:
            return _datetimes(series, dates.form, read_dates(text, dates.form), dates.note)
    if not hint.decimal and values.null_count() == text.null_count():
        if _are_codes(text):
            return _words(series, hint, sure=True, note="integers with leading zeros are codes")
        return _numbers(series, values, "", hint)
    known = present(text, NUMBER_MISSING).drop_nulls()
    if known.is_empty():
        return _words(series, hint)
    found = number_form(known, hint)
    if found.form is not None and not _are_levels(known, found.form):
        if not str(found.form) and _are_codes(known):
            return _words(series, hint, sure=True, note="integers with leading zeros are codes")
        note = _join(found.note, _odd(series, found.form, hint))
        return _numbers(series, found.form.read(series), str(found.form), hint, note)
    dates = infer_date_form(known, TOLERATED)
    if dates.form is not None:
        values = read_dates(text_of(series), dates.form)
        note = _join(dates.note, _odd_words(series, values, hint))
        return _datetimes(series, dates.form, values, note)
    return _words(series, hint)


def number_form(text: polars.Series, hint: Hint, tolerated: float = TOLERATED) -> FoundForm:
    """Return how the numbers among cells are written; where the user said the decimal mark, with that one.

    text        cells without missing ones
    tolerated   share of them that may be no numbers
    """
    if not hint.decimal:
        return infer_number_form(text, tolerated)
    marks = ("", "." if hint.decimal == "," else ",", " ")
    for form in (NumberForm(decimal=hint.decimal, group=mark) for mark in marks):
        values = form.read(text)
        if values.null_count() < len(text) and values.null_count() <= tolerated * len(text):
            odd = text.filter(values.is_null()).unique(maintain_order=True).to_list()
            return FoundForm(form, odd, f"{hint.decimal!r} is the decimal mark, as you said")
    found = infer_number_form(text, tolerated)  # with units
    fits = found.form is not None and found.form.decimal == hint.decimal
    return found if fits else FoundForm(None, [])


def _are_levels(known: polars.Series, form: NumberForm) -> bool:
    """Return whether a few distinct integers stand beside a word that repeats: 0, 1, 2, other.

    Such words are levels, not slips.
    """
    values = form.read(known)
    numbers, words = values.drop_nulls(), known.filter(values.is_null())
    if words.is_empty() or str(form) or not bool((numbers == numbers.floor()).all()):
        return False
    return numbers.n_unique() <= FEW_CODES and len(words) >= 2 * words.n_unique() and len(words) > 4


def _are_codes(text: polars.Series) -> bool:
    """Return whether all values are digits of one width, some with a leading zero: 020, 02139.

    They must repeat, in all but small columns, as postal and product codes do; else they number the rows.
    """
    if not text.str.contains(r"^0[0-9]").any():
        return False
    known = text.drop_nulls()
    widths = known.str.len_chars()
    few = known.n_unique() <= max(MANY_LEVELS, len(known) // 2)
    return bool(few and (widths == widths[0]).all() and known.str.contains(r"^[0-9]+$").all())


def _odd(series: polars.Series, form: NumberForm, hint: Hint) -> str:
    """Return a note on the cells that are no numbers and taken as missing."""
    return _odd_words(series, form.read(series), hint)


def _odd_words(series: polars.Series, values: polars.Series, hint: Hint) -> str:
    """Return a note on the cells that could not be read and spell no usual missing value."""
    text = present(text_of(series), hint.missing)
    failed = text.filter(values.is_null() & text.is_not_null())
    return count_words(failed)


def _type_name(series: polars.Series) -> str:
    """Return what a nested column holds, in words."""
    import polars

    if series.dtype == polars.Binary:
        return "bytes"
    return {"List": "lists", "Array": "lists", "Struct": "objects"}.get(
        str(series.dtype.base_type()), "objects"
    )


def _short(text: str) -> str:
    """Return a value quoted, at most 40 characters of it."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _count(number: int, what: str) -> str:
    """Return "1,234 missing" and the like; "" for none."""
    return f"{number:,} {what}" if number else ""


def _join(*notes: str) -> str:
    """Return the notes that are not empty as one."""
    return "; ".join(note for note in notes if note)


def _numbers(series: polars.Series, values: polars.Series, form: str, hint: Hint, note: str = "") -> Finding:
    """Return the kind of a column of numbers: number, boolean, identifier, constant or empty.

    values      float64 [rows], null where missing; form: how they are written
    """
    infinite = int(values.is_infinite().sum() or 0)
    known = values.filter(values.is_finite().fill_null(False))
    gaps = len(values) - len(known) - infinite
    missing = "missing in all" if "read as missing" in note else "missing"
    note = _join(note, _count(gaps, missing), _count(infinite, "infinite, taken as missing"))
    if known.is_empty():
        return Finding("empty", note=_join("no values", _count(infinite, "infinite")))
    if (exact := _beyond_float64(series, known)) is not None:
        return _words(
            series, hint, sure=exact.n_unique() <= len(exact) // 2, note="integers past 2^53 are codes"
        )
    distinct = known.n_unique()
    if distinct == 1 and len(known) == len(values):
        return Finding("constant", form, f"always {known[0]:.15g}", otherwise="number")
    whole = bool((known == known.floor()).all())
    if not form and distinct == 2 and known.min() == 0 and known.max() == 1:
        return Finding("boolean", note=note)
    if whole and (why := counts_rows(series.name, known, distinct, len(values))):
        if why != COUNTS or not is_quantity_name(series.name):
            return Finding("identifier", form, why, otherwise="number")
        note = _join(f"{COUNTS}, but is learnt from, since its name is that of a quantity", note)
    return _codes_or_amounts(series, known, form, note, whole)


def _codes_or_amounts(
    series: polars.Series, known: polars.Series, form: str, note: str, whole: bool
) -> Finding:
    """Return the finding of numbers that are learnt from: whether integers may be codes is said."""
    distinct = known.n_unique()
    if not whole or form or distinct == len(known):
        return Finding("number", form, note)
    if distinct <= FEW_CODES:
        return Finding("number", form, _join(f"{distinct} distinct integers", note), True)
    if is_code_name(series.name) and not is_quantity_name(series.name):
        return Finding("number", form, _join(f"{distinct:,} distinct integers, named like codes", note), True)
    return Finding("number", form, note)


def _beyond_float64(series: polars.Series, known: polars.Series) -> polars.Series | None:
    """Return integers that float64 does not tell apart, as text or integers; None where it does."""
    largest = max(abs(float(known.max())), abs(float(known.min())))  # type: ignore[arg-type]
    if largest < _EXACT or series.dtype.is_float():
        return None
    exact = text_of(series).drop_nulls()
    if not exact.str.contains(r"^[+-]?[0-9]+$").all():
        return None
    # A few values that meet are lost in an amount; where many do, they are no amounts.
    lost = exact.n_unique() - known.n_unique()
    return exact if lost > 0.01 * exact.n_unique() else None


def _datetimes(series: polars.Series, form: str, values: polars.Series, note: str = "") -> Finding:
    """Return the kind of a column of date-times: datetime, constant or empty."""
    gaps = values.null_count()
    if gaps == len(values):
        return Finding("empty", note="no values")
    if not gaps and values.n_unique() == 1:
        return Finding("constant", form, f"always {series[0]}", otherwise="datetime")
    return Finding("datetime", form, _join(note, _count(gaps, "missing")))


def _words(series: polars.Series, hint: Hint, *, sure: bool = False, note: str = "") -> Finding:
    """Return the kind of a column of words: category, boolean, identifier, text, constant or empty.

    sure        whether they are levels whatever they look like, as the user or leading zeros said
    """
    text = present(text_of(series), hint.missing)
    known = text.drop_nulls()
    gaps, distinct = len(text) - len(known), known.n_unique()
    if not distinct:
        return Finding("empty", note="no values")
    if distinct == 1 and not gaps:
        return Finding("constant", note=f"always {_short(known[0])}")
    if not sure and distinct <= 8 and frozenset(known.unique().str.to_lowercase()) in _PAIRS:
        return Finding("boolean", note=_count(gaps, "missing"))
    if not sure and (found := names_rows(series.name, known, distinct)):
        return Finding(found[0], note=_join(found[1], note))
    return Finding(
        "category",
        note=_join(f"{distinct:,} level{'s' if distinct > 1 else ''}", _count(gaps, "missing"), note),
    )
