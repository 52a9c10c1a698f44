"""Forms are checked where they are applied: another form is an error or said, never another number."""

from __future__ import annotations

from typing import Any

import polars
import pytest

from minicolumn.errors import DataError
from minicolumn.tables import Encoder, Overrides, infer_schema, with_target
from minicolumn.tables.typed import Expected, typed_columns

MANY = 40
FLOATS = polars.Series([f"{i % 9}.5" for i in range(MANY)])


def read(cells: list[Any], form: str, kind: Any = "number", **how: Any) -> Any:
    return typed_columns(polars.DataFrame({"x": cells}), [Expected("x", kind, form)], **how)


@pytest.mark.parametrize(
    ("form", "cells", "numbers"),
    [
        ("1234,5", ["12.50", "7.25"], [12.5, 7.25]),
        ("1,234.5", ["51182,2", "7,5"], [51182.2, 7.5]),
        ("$1,234.5", ["844.42", "5"], [844.42, 5.0]),
        ("", ["12,50", "7,5"], [12.5, 7.5]),
    ],
)
def test_a_whole_column_in_another_form_is_read_and_said(
    form: str, cells: list[str], numbers: list[float]
) -> None:
    typed = read(cells, form)
    assert typed.frame["x"].to_list() == numbers
    assert [remark.about for remark in typed.remarks] == ["form"]
    assert (form or "1234.5") in str(typed.remarks[0])


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("1234,5", ["12,50", "12.50"]),  # one cell of another form
        ("1.234,5", ["51.182", "7,5", "51.1"]),
        ("1,234.5", ["1,234", "51,2", "3.5"]),
        ("1234.5%", ["51.2%", "0.512"]),
        ("1234.5%", ["0.512", "0.25"]),  # 0.5 % or 51 %
        ("1234.5 kg", ["12 g", "13 g"]),
        ("$1,234.5", ["5 €", "6 €"]),
        ("1234,5", ["51.182", "12.345"]),  # thousands, or decimals
    ],
)
def test_a_cell_in_another_form_names_column_row_and_form(form: str, cells: list[str]) -> None:
    with pytest.raises(
        DataError, match=r"column 'x', row \d+: found '.*', expected a number written like"
    ) as e:
        read(cells, form)
    assert form in str(e.value)


def test_numbers_without_their_percent_sign_are_refused_of_any_type() -> None:
    with pytest.raises(DataError, match=r"without %"):
        read([0.5, 0.25], "1234.5%")
    assert read([None, None], "1234.5%").frame["x"].null_count() == 2


WORDS = ["..", ":", "**", "#DIV/0!", "n.a.", "\\N", "(null)", "–", "unknown", "#NA", "1.#IND"]  # noqa: RUF001


ODD_DATES = ["2024-13-01", "3000-01-01", "20x", "31.12.2023"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        *((kind, word) for kind in ("number", "datetime") for word in (*WORDS, "kg", "see note")),
        *(("datetime", word) for word in ODD_DATES),
    ],
)
def test_few_words_are_missing_in_training_and_later(word: str, kind: str) -> None:
    value = (lambda i: f"{i / 7:.3f}") if kind == "number" else (lambda i: f"2024-01-{i % 28 + 1:02d}")
    cells = [word if i in (3, 30) else value(i) for i in range(MANY)]
    frame = polars.DataFrame({"x": cells, "y": ["a", "b"] * (MANY // 2)})
    schema = infer_schema(frame, "y")
    assert schema.columns[0].kind == kind
    assert f"2 cells read as missing: {word!r} (2)" in schema.columns[0].note
    encoder = Encoder.fit(frame, schema)
    typed = encoder.typed(frame)
    assert typed.frame["x"].is_null().arg_true().to_list() == [3, 30]
    assert str(typed.remarks[0]) == f"x: 2 cells read as missing: {word!r} (2)"
    with pytest.raises(DataError, match="row 4: found"):
        Encoder.fit(frame, infer_schema(frame, "y", Overrides(strict=True)))


def test_many_words_are_no_slips() -> None:
    with pytest.raises(DataError, match="row 2: found 'kg', expected a number"):
        read(["1.5", "kg", "2.5"], "")
    assert read(["1.5", "..", "n.a."], "").frame["x"].to_list() == [
        1.5,
        None,
        None,
    ]  # which never mean another


def test_a_word_beside_few_integers_is_a_level() -> None:
    cells = ["1", "2", "3", "other"] * 10
    frame = polars.DataFrame({"x": cells, "y": ["a", "b"] * 20})
    assert infer_schema(frame, "y").columns[0].kind == "category"


def test_dates_in_another_form() -> None:
    typed = read(["31.12.2023", "05.01.2024"], "%Y-%m-%d", "datetime")
    assert str(typed.frame["x"][0]) == "2023-12-31 00:00:00"
    assert [remark.about for remark in typed.remarks] == ["form"]
    with pytest.raises(DataError, match=r"row 2: found '31\.12\.2023', expected a date or time written as"):
        read(["2023-12-31", "31.12.2023"], "%Y-%m-%d", "datetime")
    with pytest.raises(DataError, match=r"row 2: found '3000-01-01', expected a date or time written as %Y"):
        read(["2023-12-31", "3000-01-01"], "%Y-%m-%d", "datetime")  # too many to be slips
    with pytest.raises(DataError, match="row 1"):  # month or day first
        read(["01/02/2023", "03/04/2023"], "%Y-%m-%d", "datetime")
    assert read(["2023-12-31", "9999-12-31"], "%Y-%m-%d", "datetime").frame["x"].null_count() == 1


def test_integers_beyond_float64_are_told_apart() -> None:
    base = 10**18
    for cells in ([base, base + 1] * 20, [str(base), str(base + 1)] * 20):
        frame = polars.DataFrame({"x": cells, "y": ["a", "b"] * 20})
        schema = infer_schema(frame, "y")
        assert schema.columns[0].kind == "category"
        assert len(set(Encoder.fit(frame, schema).transform(frame)[:, 0])) == 2
        said = infer_schema(frame.with_columns(z=FLOATS), "y", Overrides(number="x")).columns[0]
        assert "integers past 2^53 that are near are one number" in said.note
    stamps = polars.DataFrame({"x": [base + 10**9 * i * i for i in range(40)], "y": ["a", "b"] * 20})
    assert infer_schema(stamps, "y").columns[0].kind == "number"


def test_what_is_no_single_value_is_left_out_with_a_line() -> None:
    import datetime as dt

    frame = polars.DataFrame(
        {
            "list": [[1]] * MANY,
            "bytes": [b"a"] * MANY,
            "object": [{"a": 1}] * MANY,
            "took": [dt.timedelta(seconds=i) for i in range(0, 7 * MANY, 7)],
            "always": [dt.timedelta(seconds=90)] * MANY,
            "y": ["a", "b"] * (MANY // 2),
        }
    )
    found = {column.name: column for column in infer_schema(frame, "y").columns}
    assert {name: column.kind for name, column in found.items()} == {
        "list": "nested", "bytes": "nested", "object": "nested", "took": "number", "always": "constant",
    }  # fmt: skip
    assert found["always"].note == "always 90"
    assert found["bytes"].note == "holds bytes, not one plain value a row"
    assert Encoder.fit(frame, infer_schema(frame, "y")).read(frame)[2, 0] == 14.0


def test_what_counts_the_rows_is_learnt_from_where_nothing_else_is_left() -> None:
    frame = polars.DataFrame({"n": range(100), "y": [i % 7 + 0.5 for i in range(100)]})
    found = infer_schema(frame, "y").columns[0]
    assert (found.kind, found.note) == ("number", "counts the rows; nothing else is left to learn from")
    beside = infer_schema(frame.with_columns(z=polars.Series([f"{i % 9}.5" for i in range(100)])), "y")
    assert beside.columns[0].kind == "identifier"


@pytest.mark.parametrize("cells", [["-999", "-999.0", "1.5"], [-999.0, -999.0, 1.5], [-999, -999, 1]])
@pytest.mark.parametrize("word", ["-999", "-999.00"])
def test_a_number_that_means_missing_is_missing_in_every_column(cells: list[Any], word: str) -> None:
    frame = polars.DataFrame(
        {"x": (cells * 20)[:40], "y": [float(i) + 0.5 if i % 4 else -999.0 for i in range(40)]}
    )
    schema = infer_schema(frame, "y", Overrides(missing=word))
    assert schema.rows_without_target == 10
    encoder = Encoder.fit(with_target(frame, schema), schema)
    for rows in (frame, frame.select(polars.all().cast(polars.String))):
        typed = encoder.typed(rows).frame["x"]
        assert float(typed.min()) > 0  # type: ignore[arg-type]
        assert encoder.labeled(rows).height == 30
    assert encoder.target_low is not None
    assert encoder.target_low > 0
