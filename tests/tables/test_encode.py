"""Encoding: the matrix against the formulas, the target there and back, nothing seen but training rows."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import polars
import pytest

from minicolumn.errors import DataError
from minicolumn.tables import Encoder, Overrides, infer_schema, with_target
from minicolumn.tables.inputs.categories import BooleanInput
from minicolumn.tables.inputs.numbers import NumberInput, encoded_together


def fit(frame: polars.DataFrame, target: str = "y", **options: Any) -> Encoder:
    return Encoder.fit(frame, infer_schema(frame, target, **options))


def matrix(values: list[Any], **options: Any) -> tuple[Encoder, np.ndarray]:
    """Return encoder and matrix of one column x beside a target of two classes."""
    frame = polars.DataFrame({"x": values, "y": [("a", "b")[i % 3 % 2] for i in range(len(values))]})
    encoder = fit(frame, **options)
    return encoder, encoder.transform(frame)


def test_robust_scaling_is_the_formula_of_the_paper() -> None:
    x = np.random.default_rng(0).normal(3, 50, 201)
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    scaled = (x - middle) / (high - low)
    expected = scaled / np.sqrt(1 + (scaled / 3) ** 2)
    _, found = matrix([repr(float(value)) for value in x])
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6, atol=1e-7)  # rounding to float32
    assert np.abs(found).max() < 3


def test_where_the_quartiles_meet_half_the_range_scales() -> None:
    _, found = matrix(["5.5"] * 20 + ["5", "9"])
    expected = np.array([0.0] * 20 + [-0.25, 1.75])  # 2 / (9 - 5) = 0.5
    np.testing.assert_allclose(found[:, 0], expected / np.sqrt(1 + (expected / 3) ** 2), rtol=1e-6)


def test_standard_scaling() -> None:
    frame = polars.DataFrame({"x": ["1.5", "2", "9", "?"], "y": ["a", "b", "a", "b"]})
    encoder = Encoder.fit(frame, infer_schema(frame, "y"), scaling="standard")
    found = encoder.transform(frame)[:3, 0]
    assert abs(found.mean()) < 1e-6  # float32 rounding of three numbers of size one
    assert abs(found.std() - 1) < 1e-6
    with pytest.raises(DataError, match="did you mean 'robust'"):
        Encoder.fit(frame, infer_schema(frame, "y"), scaling="robst")  # type: ignore[arg-type]


def test_missing_numbers_are_the_median_with_an_indicator() -> None:
    encoder, found = matrix(["1.5", "NA", "3", "inf", "9"])
    assert encoder.features == ("x", "x missing")
    np.testing.assert_array_equal(found[:, 1], [0, 1, 0, 1, 0])
    np.testing.assert_array_equal(found[[1, 3], 0], [0, 0])


def test_a_number_missing_only_later_is_the_median() -> None:
    encoder, _ = matrix(["1.5", "2", "9"])
    np.testing.assert_array_equal(encoder.transform(polars.DataFrame({"x": ["", "2"]})), [[0], [0]])


@pytest.mark.parametrize(
    ("values", "same"),
    [
        (["1,234.5", "2", "1,000,000"], ["1234.5", "2", "1000000"]),
        (["1,5", "2,25", "-3"], ["1.5", "2.25", "-3"]),
        (["1.234,5", "2,25", "3"], ["1234.5", "2.25", "3"]),
        (["12%", "30.5 %", "44%"], ["12", "30.5", "44"]),
        ([" 1e3 ", "+2.5", "4"], [1000, 2.5, 4]),
        (["True", "no?", "True"], ["True", "no?", "True"]),
    ],
)
def test_spellings_of_one_number_agree(values: list[Any], same: list[Any]) -> None:
    frame = polars.DataFrame({"x": same}, strict=False)
    np.testing.assert_array_equal(matrix(values)[1], matrix(frame["x"].to_list())[1])


def test_booleans_are_signs() -> None:
    encoder, found = matrix(["yes", "No", "YES", "no"])
    assert encoder.features == ("x",)
    np.testing.assert_array_equal(found[:, 0], [1, -1, 1, -1])
    later = polars.DataFrame({"x": ["true", "perhaps", None, "0.0"]})
    np.testing.assert_array_equal(encoder.transform(later)[:, 0], [1, 0, 0, -1])
    np.testing.assert_array_equal(encoder.transform(polars.DataFrame({"x": [True, None]}))[:, 0], [1, 0])
    encoder, found = matrix(["1", "0", "", "1"])
    np.testing.assert_array_equal(found, [[1, 0], [-1, 0], [0, 1], [1, 0]])


def test_two_levels_are_one_column() -> None:
    encoder, found = matrix(["red", "blue", "red"])
    assert encoder.features == ("x=blue",)
    np.testing.assert_array_equal(found[:, 0], [-1, 1, -1])
    np.testing.assert_array_equal(encoder.transform(polars.DataFrame({"x": ["green", ""]}))[:, 0], [0, 0])


def test_few_levels_are_one_column_each() -> None:
    encoder, found = matrix(["red", "blue", "NA", "red", "green", "green", "red"])
    assert encoder.features == ("x=red", "x=green", "x=blue", "x missing")
    np.testing.assert_array_equal(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found[2], [0, 0, 0, 1])
    np.testing.assert_array_equal(encoder.transform(polars.DataFrame({"x": ["pink"]})), [[0, 0, 0, 0]])


def test_many_levels_are_codes_in_the_last_columns() -> None:
    words = [f"w{i % 12:02d}" for i in range(48)]
    frame = polars.DataFrame(
        {
            "many": ["once", *words, "w00", "w00"],
            "few": [("p", "q", "r")[i % 3] for i in range(51)],
            "x": [str(i % 7 + 0.5) for i in range(51)],
            "y": [("a", "b")[i % 2] for i in range(51)],
        }
    )
    encoder = fit(frame)
    assert encoder.features == ("few=p", "few=q", "few=r", "x", "many")
    assert encoder.embeddings == ((4, 14),)
    codes = encoder.transform(frame)[:, 4]
    np.testing.assert_array_equal(codes[:4], [0, 2, 3, 4])  # seen once: other; then by count, by name
    later = polars.DataFrame({"many": ["new", None, "w11"], "few": ["p"] * 3, "x": ["1"] * 3})
    np.testing.assert_array_equal(encoder.transform(later)[:, 4], [0, 1, 13])


def test_whole_numbers_are_one_level_however_they_are_written() -> None:
    frame = polars.DataFrame({"x": ["1.0", "2", "3", "1"], "y": ["a", "b", "a", "b"]})
    encoder = fit(frame, overrides=Overrides(category=["x"]))
    expected = encoder.transform(frame)
    for values in ([1, 2, 3, 1], [1.0, 2.0, 3.0, 1.0]):
        np.testing.assert_array_equal(encoder.transform(polars.DataFrame({"x": values})), expected)


def test_dates_become_the_parts_that_vary() -> None:
    encoder, found = matrix(["2007-11-11", "2008-11-12", "NA", "2009-11-30"])
    assert encoder.features == (
        *("x:year", "x:day", "x:weekday", "x:day of year", "x:elapsed days"),
        "x missing",
    )
    typed = polars.DataFrame(
        {"x": [dt.date(2007, 11, 11), dt.date(2008, 11, 12), None, dt.date(2009, 11, 30)]}
    )
    np.testing.assert_array_equal(encoder.transform(typed), found)
    encoder, _ = matrix(["14:35", "09:10", "11:00"])
    assert encoder.features == ("x:hour", "x:minute", "x:elapsed days")


def test_typed_dates_are_met_again_as_text() -> None:
    encoder, found = matrix([dt.date(2007, 11, 11), dt.date(2008, 11, 12), dt.date(2009, 1, 1)])
    text = polars.DataFrame({"x": ["2007-11-11", "2008-11-12", "2009-01-01"]})
    np.testing.assert_array_equal(encoder.transform(text), found)


def test_only_training_rows_are_seen(zoo: polars.DataFrame) -> None:
    schema = infer_schema(zoo, "kind")
    encoder = Encoder.fit(zoo.head(12), schema)
    changed = polars.concat([zoo.head(12), zoo.tail(12).with_columns(polars.lit("999").alias("weight (kg)"))])
    assert Encoder.fit(changed.head(12), schema) == encoder


def test_columns_in_any_order_and_further_ones(zoo: polars.DataFrame) -> None:
    encoder = fit(zoo, "kind")
    shuffled = zoo.select(reversed(zoo.columns)).with_columns(polars.lit("?").alias("more"))
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(zoo))


def test_a_missing_column_is_named(zoo: polars.DataFrame) -> None:
    encoder = fit(zoo, "kind")
    with pytest.raises(DataError, match="no column 'legs'; did you mean 'LEGS'"):
        encoder.transform(zoo.rename({"legs": "LEGS"}))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("weight (kg)", "heavy", ["row 5", "'heavy'", "a number"]),
        ("born", "yesterday", ["row 5", "'yesterday'", "%Y-%m-%d"]),
    ],
)
def test_words_where_numbers_were(zoo: polars.DataFrame, column: str, value: str, words: list[str]) -> None:
    encoder = fit(zoo, "kind")
    values = zoo[column].to_list()
    values[4] = value
    few = zoo.with_columns(polars.Series(column, values))
    assert [remark.about for remark in encoder.typed(few).remarks] == ["missing"]
    assert repr(value) in str(encoder.typed(few).remarks[0])
    values[5:7] = [value, value]  # too many to be slips
    with pytest.raises(DataError) as caught:
        encoder.transform(zoo.with_columns(polars.Series(column, values)))
    for word in [column, *words]:
        assert word in str(caught.value)


def test_other_types_where_numbers_and_dates_were(zoo: polars.DataFrame) -> None:
    encoder = fit(zoo, "kind")
    with pytest.raises(DataError, match="expected numbers"):
        encoder.transform(zoo.with_columns(polars.lit(dt.date(2020, 1, 1)).alias("legs")))
    with pytest.raises(DataError, match="expected dates"):
        encoder.transform(zoo.with_columns(polars.lit(3).alias("born")))
    with pytest.raises(DataError, match="one plain value"):
        encoder.transform(zoo.with_columns(polars.lit([[1]]).alias("tame")))


def test_classes_there_and_back(zoo: polars.DataFrame) -> None:
    encoder = fit(zoo, "kind")
    codes = encoder.encode_target(zoo)
    assert codes.dtype == np.int32
    assert encoder.decode_target(codes).tolist() == zoo["kind"].to_list()
    assert encoder.decode_target(np.eye(3)[codes]).tolist() == zoo["kind"].to_list()
    with pytest.raises(DataError, match="row 2: 'Cat' is no class of the training; did you mean 'cat'"):
        encoder.encode_target(polars.DataFrame({"kind": ["cow", "Cat"]}))
    with pytest.raises(DataError, match="row 1 has no target"):
        encoder.encode_target(polars.DataFrame({"kind": ["", "cow"]}))
    for outputs in ([0.5], [3], [-1], [[1.0, 2.0]], [[[1]]]):
        with pytest.raises(DataError, match="decode_target"):
            encoder.decode_target(outputs)


def test_regression_there_and_back_within_the_range() -> None:
    frame = polars.DataFrame({"x": ["1.5", "2", "3"] * 3, "y": ["10.5", "20", "60"] * 3})
    encoder = fit(frame)
    y = encoder.encode_target(frame)
    assert y.dtype == np.float32
    assert abs(y.mean()) < 1e-6  # float32 rounding
    np.testing.assert_allclose(encoder.decode_target(y), [10.5, 20, 60] * 3, rtol=1e-6)
    np.testing.assert_array_equal(encoder.decode_target([[-99.0], [99.0]]), [10.5, 60])
    with pytest.raises(DataError, match="no number in row 2"):
        encoder.encode_target(polars.DataFrame({"y": ["1", "NA"]}))
    with pytest.raises(DataError, match="row 2: found 'ten', expected a number"):
        encoder.encode_target(polars.DataFrame({"y": ["1", "ten"]}))


def test_extreme_numbers_stay_finite() -> None:
    for scaling in ("robust", "standard"):
        values = ["1e308", "-1e308", "1e-320", "0", "5", "-1.7e308"]
        frame = polars.DataFrame({"x": values, "y": ["a", "b"] * 3})
        encoder = Encoder.fit(frame, infer_schema(frame, "y"), scaling=scaling)
        assert np.isfinite(encoder.transform(frame)).all()
        later = polars.DataFrame({"x": ["1.7e308", "-1.7e308"]})
        assert np.isfinite(encoder.transform(later)).all()


def test_training_rows_without_any_value() -> None:
    frame = polars.DataFrame({"x": [None, None, "2.5", "3"], "y": ["a", "b", "a", "b"]})
    encoder = Encoder.fit(frame.head(2), infer_schema(frame, "y"))
    np.testing.assert_array_equal(encoder.transform(frame)[:, 0], 0)
    with pytest.raises(DataError, match="no training rows"):
        Encoder.fit(frame.head(0), infer_schema(frame, "y"))


def test_a_frame_without_rows_gives_a_matrix_without_rows(zoo: polars.DataFrame) -> None:
    encoder = fit(zoo, "kind")
    assert encoder.transform(zoo.head(0)).shape == (0, len(encoder.features))
    assert encoder.encode_target(zoo.head(0)).shape == (0,)


def test_json_gives_the_same_bits(zoo: polars.DataFrame) -> None:
    encoder = fit(with_target(zoo, infer_schema(zoo, "kind")), "kind")
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again == encoder
    assert again.transform(zoo).tobytes() == encoder.transform(zoo).tobytes()


def test_a_boolean_cell_does_not_hang_on_the_cells_beside_it() -> None:
    boolean = BooleanInput.fit(polars.Series("flag", ["yes", "no", "1", "0"]))
    cells = ["01", "1.0", "0", "yes.0", "1e0", "on"]
    alone = [boolean.read(polars.Series("flag", [cell]))[0, 0] for cell in cells]
    assert boolean.read(polars.Series("flag", cells))[:, 0].tolist() == alone == [0, 1, -1, 0, 0, 1]


def test_numbers_side_by_side_are_scaled_as_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((40, 5)) * [1.0, 1e6, 1e-6, 0.0, 1.0]
    values[::7, 1], values[3, 4], values[5, 4] = np.nan, np.inf, -np.inf
    for scaling in ("robust", "standard"):
        numbers = [
            NumberInput.fit(polars.Series(f"x{k}", column), "", scaling) for k, column in enumerate(values.T)
        ]
        assert [part.indicator for part in numbers] == [False, True, False, False, True]
        alone = [part.encoded(values[:, k : k + 1]) for k, part in enumerate(numbers)]
        np.testing.assert_array_equal(encoded_together(numbers, values), np.concatenate(alone, axis=1))
