"""Numbers in text: each form reads what is written in it, and inference finds it."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.tables.forms.number_forms import NUMBER_MISSING, NumberForm, looks_numeric
from minicolumn.tables.forms.number_inference import infer_number_form, other_form
from minicolumn.tables.forms.number_units import CURRENCY_SIGNS, MARKS
from minicolumn.tables.values import MISSING

PREFIXES = ("", "$", "€", "US$", "EUR", "Rs.")
SUFFIXES = ("", "%", "‰", "€", "kg", "km/h", "°C", "m²", "years", "USD", "+", "V", "µg/m³", "/h")
WORDS = {"k": 3, "K": 3, "M": 6, "mio": 6, "bn": 9, "B": 9, "T": 12, "": 0}
BLANKS = ("", " ", "\u00a0", "\u202f")

forms = st.builds(
    lambda marks, prefix, suffix, minus, magnitudes: NumberForm(
        marks[0], marks[1], prefix, suffix, minus == "(", magnitudes, minus == "behind"
    ),
    st.sampled_from(MARKS),
    st.sampled_from(PREFIXES),
    st.sampled_from(SUFFIXES),
    st.sampled_from(("-", "(", "behind")),
    st.booleans(),
)


@st.composite
def written(draw: Any, form: NumberForm, places: int | None = None) -> tuple[str, float]:
    """Return a text in this form and the number that it stands for."""
    whole = draw(st.integers(0, 10**9))
    behind = draw(st.text("0123456789", min_size=places or 1, max_size=places or 4)) if places != 0 else ""
    negative = draw(st.booleans())
    grouped = f"{whole:,}" if form.group and draw(st.booleans()) else str(whole)
    digits = grouped.replace(",", form.group) + (form.decimal + behind if behind else "")
    word = draw(st.sampled_from(sorted(WORDS))) if form.magnitudes else ""
    value = float(f"{'-' * negative}{whole}.{behind or 0}e{WORDS[word]}")
    blank = draw(st.sampled_from(BLANKS))
    suffix = (blank or " ") + form.suffix if form.suffix[:1].isalpha() and word else blank + form.suffix
    suffix = suffix if form.suffix else ""
    if negative and form.sign_behind:
        return f"{form.prefix}{digits}{word}-{suffix}", value
    if negative and form.parentheses:
        return f"({form.prefix}{digits}{word}{suffix})", value
    sign = draw(st.sampled_from(("-", "\u2212"))) if negative else draw(st.sampled_from(("", "+")))
    front = f"{form.prefix}{sign}" if draw(st.booleans()) else f"{sign}{form.prefix}"
    return f"{front}{digits}{word}{suffix}", value


def column(*texts: str | None) -> polars.Series:
    return polars.Series("x", texts, dtype=polars.String)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_in_a_form_is_read_back(data: st.DataObject) -> None:
    form = data.draw(forms)
    cells = data.draw(st.lists(written(form), min_size=1, max_size=5))
    found = form.read(column(*(text for text, _ in cells), None))
    assert found.to_list() == [*(value for _, value in cells), None]
    assert found.dtype == polars.Float64
    assert found.name == "x"
    assert all(looks_numeric(text) for text, _ in cells)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_inference_reads_what_was_written_with_two_decimal_places(data: st.DataObject) -> None:
    form = data.draw(forms.filter(lambda f: not f.magnitudes))
    cells = data.draw(st.lists(written(form, places=2), min_size=1, max_size=6))
    texts = column(*(text for text, _ in cells))
    found = infer_number_form(texts, 0.0)
    assert found.form is not None
    assert found.odd == []
    assert found.form.read(texts).to_list() == [value for _, value in cells]


@settings(max_examples=60, deadline=None)
@given(forms)
def test_a_form_survives_its_text(form: NumberForm) -> None:
    assert NumberForm.parse(str(form)) == form
    if str(form):
        value = 1234.5e6 if form.magnitudes else 1234.5
        minus = form.parentheses or form.sign_behind
        assert form.read(column(str(form)))[0] == (-value if minus else value)


@pytest.mark.parametrize(
    "text",
    ["x", "1234,5€", "1,234,5", "1.234.5", "1'234", "A1234.5", "1234.5Q", "1234.5 th", "(1234.5",
     "(1234.5-)", "ABC1234.5", "1234.5\n", "12.5", "%1234.5", "1234.5kg", "\ud800"],
)  # fmt: skip
def test_other_texts_are_no_forms(text: str) -> None:
    with pytest.raises(DataError, match=r"^number form") as caught:
        NumberForm.parse(text)
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.from_regex(r"[-+0-9.,eE \u0663_infax]{1,7}", fullmatch=True), min_size=1, max_size=40))
def test_plain_is_the_grammar_of_plain_numbers(texts: list[str]) -> None:
    found = NumberForm().read(column(*texts))
    grammar = r"^([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity))$"
    expected = column(*texts).str.strip_chars().str.contains(grammar)
    assert (found.is_not_null() == expected).all()


@pytest.mark.parametrize(
    ("texts", "example", "values"),
    [
        (["1", "-2.5", "+3", ".5", "5.", "1e-3", "\u22124"], "", [1, -2.5, 3, 0.5, 5, 1e-3, -4]),
        (["0.512", "1.234", "12.345"], "", [0.512, 1.234, 12.345]),
        (["1.234"], "", [1.234]),
        (["inf", "2"], "", [np.inf, 2]),
        (["1 234", "950"], "1 234.5", [1234, 950]),
        (["1\u202f234,5", "7"], "1 234,5", [1234.5, 7]),
        (["1'234.5"], "1'234.5", [1234.5]),
        (["1\u2019234.5"], "1'234.5", [1234.5]),
        (["1.234.567"], "1.234,5", [1234567]),
        (["1.234.567,89", "1,5"], "1.234,5", [1234567.89, 1.5]),
        (["12,5", "1.234"], "1.234,5", [12.5, 1234]),
        (["12,34,567", "1,234"], "1,234.5", [1234567, 1234]),
        (["1,200", "950"], "1,234.5", [1200, 950]),
        (["1,234", "12.5"], "1,234.5", [1234, 12.5]),
        (["0,123", "1,234"], "1234,5", [0.123, 1.234]),
        (["1,234", "1,23"], "1234,5", [1.234, 1.23]),
        (["$844.42", "-$5", "$-5", "0"], "$1234.5", [844.42, -5, -5, 0]),
        (["€5.10"], "€1234.5", [5.1]),
        (["US$ 5"], "US$1234.5", [5]),
        (["EUR 5", "EUR 1,000.50"], "EUR 1,234.5", [5, 1000.5]),
        (["37.50 €", "1.20 €"], "1234.5 €", [37.5, 1.2]),
        (["12.5 kg", "3kg"], "1234.5 kg", [12.5, 3]),
        (["1 year", "2 years"], "1234.5 years", [1, 2]),
        (["20 °C", "-3 °C"], "1234.5°C", [20, -3]),
        (["51.2%", "3 %"], "1234.5%", [51.2, 3]),
        (["51,2%", "3%"], "1234,5%", [51.2, 3]),
        (["10,000+", "500+"], "1,234.5+", [10000, 500]),
        (["1.6M", "500k", "20"], "1234.5M", [1.6e6, 5e5, 20]),
        (["1.2bn", "3B"], "1234.5M", [1.2e9, 3e9]),
        (["$1.6M", "$3k"], "$1234.5M", [1.6e6, 3e3]),
        (["500K", "600K"], "1234.5M", [5e5, 6e5]),
        (["5m", "7m"], "1234.5 m", [5, 7]),
        (["12A", "13A"], "1234.5 A", [12, 13]),
        (["(12.30)", "5"], "(1234.5)", [-12.3, 5]),
        (["($5.10)", "$(3)", "$7"], "($1234.5)", [-5.1, -3, 7]),
        (["12.30-", "5"], "1234.5-", [-12.3, 5]),
    ],
)
def test_forms_are_inferred(texts: list[str], example: str, values: list[float]) -> None:
    found = infer_number_form(column(*texts), 0.0)
    assert str(found.form) == example
    assert found.odd == []
    assert found.form is not None
    assert found.form.read(column(*texts)).to_list() == values
    assert bool(found.note) == bool(example)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["a"],
        ["n.a.", "tbd"],
        ["2020-01-01", "2020-01-02"],
        ["10:30", "11:15"],
        ["192.168.1.1", "10.0.0.1"],
        ["192.168.100.200", "192.168.100.201"],
        ["1.2.3", "1.2.4"],
        ["555 123 456", "555 123 457"],
        ["5-10", "6-7"],
        ["1/2", "3/4"],
        ["B12", "B13"],
        ["12A", "13B"],
        ["3B", "4B"],
        ["3Q", "4Q"],
        ["1st", "2nd"],
        ["5th", "6th"],
        ["9 AM", "10 AM"],
        ["5 Jan", "6 Jan"],
        ["\u0663", "\u0664"],
        ["\uff15", "\uff16"],
        ["$", "USD"],
        ["1,23,4", "1,2345"],
        ["12 kg", "12 g"],
        ["ABC 12", "ABC 13"],
        ["01 23", "45 67"],
    ],
)
def test_what_is_no_column_of_numbers(texts: list[str]) -> None:
    found = infer_number_form(column(*texts), 0.1)
    assert (found.form, found.odd) == (None, [])


def test_few_odd_cells_are_tolerated_and_told() -> None:
    texts = column(*["1.5"] * 18, "twelve", "twelve")
    assert infer_number_form(texts, 0.1).odd == ["twelve"]
    assert infer_number_form(texts, 0.05).form is None
    found = infer_number_form(column(*["$1,200"] * 9, "free", "TBD"), 0.1)
    assert (str(found.form), found.odd) == ("$1,234.5", ["free"])
    # A form that more cells have goes before a simpler one.
    assert str(infer_number_form(column(*["950"] * 99, "1,200"), 0.1).form) == "1,234.5"
    assert infer_number_form(column(*["950"] * 99, "12A"), 0.1).odd == ["12A"]
    # The share is one of cells, not of distinct texts.
    assert infer_number_form(column(*["1"] * 98, "a", "b"), 0.02).odd == ["a", "b"]


def test_ambiguity_is_told() -> None:
    assert infer_number_form(column("1,200"), 0.0).note == (
        "1,200 is read as 1200; its comma could also be a decimal mark"
    )
    assert infer_number_form(column("1,200.5"), 0.0).note == "1,200.5 is read as 1200.5"


@pytest.mark.parametrize(
    ("learnt", "texts", "example"),
    [
        ("1234,5", ["12.50", "7.25"], ""),
        ("1234,5", ["51.182", "12.345"], None),
        ("1234,5", ["1,234.5"], "1,234.5"),
        ("1234,5", ["1.234,5"], "1.234,5"),
        ("1,234.5", ["51182"], "1,234.5"),
        ("1,234.5", ["51182,2"], "1234,5"),
        ("", ["51,182"], None),
        ("", ["1,234,567"], "1,234.5"),
        ("", ["0,5"], "1234,5"),
        ("", ["5%"], None),
        ("", ["1.6M"], None),
        ("", ["5 kg"], None),
        ("1234.5%", ["0.512"], None),
        ("1234.5%", ["51,2%"], "1234,5%"),
        ("1234.5M", ["1,5M"], "1234,5M"),
        ("$1,234.5", ["1234.5"], ""),
        ("$1,234.5", ["€1234.5"], None),
        ("1234.5 kg", ["5 g"], None),
        ("1234.5 kg", ["5,25"], "1234,5"),
        ("", ["(5.1)", "3"], "(1234.5)"),
        ("", ["a"], None),
        ("", [], None),
    ],
)
def test_another_form_is_taken_only_where_it_is_certain(
    learnt: str, texts: list[str], example: str | None
) -> None:
    found = other_form(column(*texts), NumberForm.parse(learnt))
    assert (None if found is None else str(found)) == example


def test_words_for_missing_are_no_numbers() -> None:
    assert not NUMBER_MISSING & MISSING
    for word in NUMBER_MISSING:
        assert word == word.lower().strip()
        assert not looks_numeric(word), word


def test_texts_that_are_no_numbers_in_any_form() -> None:
    for text in ("", "nan", "-", "(5", "5)", "$", "2020-01-01", "1.2.3.4", "5-10", "B12", "\u0663", "12ab34"):
        assert not looks_numeric(text), text
    for text in ("inf", "$(5)", "(5)", "1.234.567", "12 km/h", "5 %"):
        assert looks_numeric(text), text


def test_currency_signs_are_those_of_unicode() -> None:
    signs = {c for c in map(chr, range(0x10000)) if unicodedata.category(c) == "Sc"}
    ours = {c for c in map(chr, range(0x10000)) if re.match(f"[{CURRENCY_SIGNS}]", c)}
    newer = {c for c in ours - signs if unicodedata.category(c) == "Cn"}  # older tables of Python lack some
    assert signs <= ours, [*map(hex, map(ord, signs - ours))]
    assert ours - newer <= signs


def test_a_plain_column_costs_about_a_cast() -> None:
    texts = polars.Series(np.random.default_rng(0).random(300_000)).cast(polars.String)

    def least(call: Any) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()  # of all threads, and of nobody else
            call()
            times.append(time.process_time() - start)
        return min(times)

    cast = least(lambda: texts.cast(polars.Float64, strict=False))
    # One cast and a scan for NaN: far below the tenfold that any regular expression or unique() costs.
    assert least(lambda: infer_number_form(texts, 0.1)) < 6 * cast + 0.02


def test_columns_without_cells_are_read() -> None:
    for texts in (column(), column(None, None), column("", "x")):
        for example in ("", "$1,234.5", "(1234.5)", "1234.5-", "1234.5M"):
            assert NumberForm.parse(example).read(texts).null_count() == len(texts)


def test_the_plain_example_is_the_plain_form() -> None:
    assert NumberForm.parse("1234.5") == NumberForm.parse("") == NumberForm()
