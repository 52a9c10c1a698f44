"""Inference of the number format of a column of text, and of another format that it may arrive in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from minicolumn.tables.forms.number_forms import NUMBER_MISSING, NumberForm
from minicolumn.tables.forms.number_units import (
    ANY_FORM,
    MARKS,
    SURE_MAGNITUDE,
    WRAPPED,
    Anatomy,
    anatomy,
    even,
    is_suffix,
)

if TYPE_CHECKING:
    import polars

_SAMPLE = 2000  # distinct texts whose units are looked at
_PHONE_DIGITS = 9  # so many digits in each of the cells, grouped by blanks or points: numbers to dial


@dataclass(frozen=True, slots=True)
class FoundForm:
    """The inferred number format of a column.

    form        None where too many cells are no numbers of any one form
    odd         the distinct texts that are not written in it, by first appearance
    note        what a person should know: how a cell was read, whether it could be read otherwise
    """

    form: NumberForm | None
    odd: list[str]
    note: str = ""


def infer_number_form(text: polars.Series, tolerated: float) -> FoundForm:
    """Infer the form in which the largest share of cells are numbers, the simplest of equals.

    text        cells without missing ones; those of `NUMBER_MISSING` are left out
    tolerated   share of cells that may be no numbers of that form
    Ambiguity   1,234 is read as 1234 unless a cell shows that commas are decimal marks (0,123 or 12,5);
                1.234 is 1.234 unless a cell has two points (1.234.567)

    >>> import polars
    >>> found = infer_number_form(polars.Series(["$1,200.5", "$950", "$7"]), 0.0)
    >>> str(found.form), found.odd, found.note
    ('$1,234.5', [], '$1,200.5 is read as 1200.5')
    >>> infer_number_form(polars.Series(["a", "b"]), 0.1).form is None
    True
    """
    plain = NumberForm().read(text)
    if len(text) and not plain.null_count():
        return FoundForm(NumberForm(), [])
    missing = text.str.strip_chars().str.to_lowercase().is_in(list(NUMBER_MISSING))
    text, left = text.filter(~missing), text.filter(plain.is_null() & ~missing)
    others = left.unique(maintain_order=True)
    shaped = _unwrapped(others).str.contains(ANY_FORM)
    form, odd = NumberForm(), len(left)
    words = odd if not shaped.any() else 0
    if 0 < shaped.sum() < len(shaped):
        words = int((~_unwrapped(left).str.contains(ANY_FORM)).sum())
    if words < odd and words <= tolerated * len(text):
        form, odd = _most_fitting(text, others.filter(shaped), odd)
    if odd == len(text) or odd > tolerated * len(text):
        return FoundForm(None, [])
    values = form.read(others)
    return FoundForm(form, others.filter(values.is_null()).to_list(), _note(others, values, form))


def _most_fitting(text: polars.Series, near: polars.Series, not_plain: int) -> tuple[NumberForm, int]:
    """Return the form in which most cells are numbers, the simplest of equals; and how many are none in it.

    near        the distinct texts that are numbers, but no plain ones; not_plain: how many cells are none
    """
    counts = text.value_counts(sort=False)
    distinct, weights = counts[counts.columns[0]], counts[counts.columns[1]]
    best, fewest = NumberForm(), not_plain
    few = near.head(_SAMPLE)
    for form in _candidates(near, distinct):
        if form.read(few).null_count() == len(few):
            continue
        odd = int(weights.filter(form.read(distinct).is_null()).sum())
        if odd < fewest and not (form.group in (" ", ".") and _dialled(distinct, form)):
            best, fewest = form, odd
        if not fewest:
            break
    return best, fewest


def _unwrapped(text: polars.Series) -> polars.Series:
    """Return evened texts without the parentheses of negative amounts."""
    text = even(text)
    wrapped = text.str.contains(WRAPPED)
    return text.str.replace_all("[()]", "").zip_with(wrapped, text) if wrapped.any() else text


def _candidates(texts: polars.Series, distinct: polars.Series) -> Iterator[NumberForm]:
    """Yield the forms that a column may have, the simplest first.

    texts       those that are numbers, but no plain ones; distinct: all texts
    """
    parts = [found for text in texts.head(_SAMPLE) if (found := anatomy(text))]
    evened = even(distinct)
    have = {mark for mark in ",. '" if evened.str.contains(mark, literal=True).any()} | {""}
    marks = [(d, g) for d, g in MARKS if g in have and (d == "." or "," in have or g == ".")]
    for prefix, suffix, magnitudes in _units(parts):
        for parentheses in (False, True) if any(p.wrapped for p in parts) else (False,):
            for behind in (
                (False, True) if any(p.sign_behind for p in parts) and not parentheses else (False,)
            ):
                for decimal, group in marks:
                    yield NumberForm(decimal, group, prefix, suffix, parentheses, magnitudes, behind)


def _units(parts: list[Anatomy]) -> Iterator[tuple[str, str, bool]]:
    """Yield (prefix, suffix, magnitudes) that numbers may have: none, then the most frequent."""
    endings = [p.magnitude for p in parts]
    sure = any(SURE_MAGNITUDE.fullmatch(ending) for ending in endings)
    sure = sure or any(p.magnitude in ("B", "T") and ("." in p.digits or "," in p.digits) for p in parts)
    prefix = _most(p.prefix for p in parts)
    yield "", "", False
    if sure:
        yield prefix, _most(p.suffix for p in parts), True
    suffixes = [p.magnitude or p.suffix for p in parts if not (p.magnitude and p.suffix)]
    suffix = _plural({s for s in suffixes if s}, _most(suffixes))
    if (prefix or suffix) and (not suffix or is_suffix(suffix)):
        yield prefix, suffix, False


def _most(words: Iterator[str] | list[str]) -> str:
    """Return the most frequent word, the first of equals; "" for none."""
    counts = Counter(words)
    return max(counts, key=counts.__getitem__, default="")


def _plural(words: set[str], word: str) -> str:
    """Return the plural of a unit where it occurs too: "years" beside "year"."""
    return f"{word}s" if f"{word}s" in words and len(word) > 2 else word


def _dialled(texts: polars.Series, form: NumberForm) -> bool:
    """Return whether the numbers look like those of telephones or hosts: all long, of one width, no unit."""
    if form.unit or form.magnitudes or len(texts) < 2:
        return False
    digits = even(texts).str.extract(r"^\+?([0-9]+(?:[ .][0-9]{3})+)$", 1)
    widths = digits.str.count_matches("[0-9]")
    return not digits.null_count() and widths.min() == widths.max() and int(widths[0]) >= _PHONE_DIGITS


def _note(others: polars.Series, values: polars.Series, form: NumberForm) -> str:
    """Return how the first cell that is not plain was read, and whether another reading fits all cells."""
    read = values.is_not_null()
    if form == NumberForm() or not read.any():
        return ""
    place = int(read.arg_true()[0])
    note = f"{others[place].strip()} is read as {values[place]:.12g}"
    swapped = {(".", ","): (",", ""), (",", ""): (".", ",")}.get((form.decimal, form.group))
    if swapped:
        other = replace(form, decimal=swapped[0], group=swapped[1])
        if not other.read(others.filter(read)).null_count() and "." not in str(others[place]):
            note += "; its comma could also be a decimal mark" if form.group else ""
    return note


def other_form(text: polars.Series, form: NumberForm) -> NumberForm | None:
    """Return the form in which a whole column can only be read, if it came in another than it was learnt in.

    text        all cells that are present
    form        that of the column in training
    Returns     None where no form fits all cells; where two fit and disagree (51.182 may be 51182);
                where the unit is another; and where percent or magnitudes were learnt and are missing

    >>> import polars
    >>> comma = NumberForm(decimal=",")
    >>> other_form(polars.Series(["12.50", "7.25"]), comma) == NumberForm()
    True
    >>> other_form(polars.Series(["51.182"]), comma) is None
    True
    """
    if not len(text):
        return None
    if not form.read(text).null_count():
        return form
    distinct = text.unique(maintain_order=True)
    units = [(form.prefix, form.suffix)]
    if form.unit and form.suffix not in ("%", "‰") and not form.magnitudes:
        units.append(("", ""))
    fits: list[tuple[NumberForm, polars.Series]] = []
    for prefix, suffix in units:
        for parentheses, behind in ((False, False), (True, False), (False, True)):
            for decimal, group in MARKS:
                other = NumberForm(decimal, group, prefix, suffix, parentheses, form.magnitudes, behind)
                values = other.read(distinct)
                if not values.null_count():
                    fits.append((other, values))
    if not fits or any(not (values == fits[0][1]).all() for _, values in fits):
        return None
    return fits[0][0]
