"""Tables in memory: each type that pandas, NumPy and Python have is kept, made text and said, or refused."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars
import pytest

from minicolumn import errors
from minicolumn.tables import as_frame, load_frame

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1, 2**60 + 1, None], [1, 2**60 + 1, None]),
        ([1, 2.5], [1.0, 2.5]),
        ([np.float64(1), 2, np.int32(3)], [1.0, 2.0, 3.0]),
        ([Decimal("1.5"), 2.0], [1.5, 2.0]),
        (["a", NAN, None], ["a", None, None]),
        ([date(2020, 1, 1), datetime(2020, 1, 1, 3)], [datetime(2020, 1, 1), datetime(2020, 1, 1, 3)]),
        ([time(1, 2)], [time(1, 2)]),
        ([timedelta(hours=1), None], [timedelta(hours=1), None]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        ([b"x", None], [b"x", None]),
        ([{"k": 1}, None], [{"k": 1}, None]),
        (range(2), [0, 1]),
        (np.array([1, NAN], np.float16), [1.0, None]),
        (np.array([1, 2], ">i4"), [1, 2]),
        (np.array(["2020", "NaT"], "M8[Y]"), [datetime(2020, 1, 1), None]),
        (np.array([1, 2], "m8[D]"), [timedelta(days=1), timedelta(days=2)]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.ma.array([1, 2, 3], mask=[False, True, False]), [1, None, 3]),
        (np.ma.array([1.0, NAN, 3.0], mask=[True, False, False]), [None, None, 3.0]),
        (np.ma.array(["x", "y"], mask=[True, False]), [None, "y"]),
        (polars.Series([1, None]), [1, None]),
    ],
)
def test_what_is_kept(values: Any, kept: list[Any]) -> None:
    loaded = load_frame({"c": values})
    assert loaded.frame["c"].to_list() == kept
    assert loaded.notes == ()


@pytest.mark.parametrize(
    ("values", "text", "what"),
    [
        ([1, "a", None], ["1", "a", None], "values of several types"),
        ([True, "x"], ["true", "x"], "values of several types"),
        ([[1], ["a"]], ["[1]", '["a"]'], "values of several types"),
        ([{"a": 1}, {"a": "x"}], ['{"a": 1}', '{"a": "x"}'], "values of several types"),
        ([uuid.UUID(int=1)], ["00000000-0000-0000-0000-000000000001"], "UUID values"),
        ([1 + 2j], ["(1+2j)"], "complex values"),
        ([{1, 2}], ["{1, 2}"], "set values"),
    ],
)
def test_what_becomes_text_is_said(values: list[Any], text: list[str | None], what: str) -> None:
    loaded = load_frame({"c": values})
    assert loaded.frame["c"].to_list() == text
    assert loaded.notes == (f"column 'c' holds {what} and was read as text",)
    assert load_frame([{"c": value} for value in values]).frame.equals(loaded.frame)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"c": np.ones((1, 2)).view(np.matrix)}, "column 'c' is a NumPy matrix"),
        ({"c": np.ones((2, 2))}, r"column 'c' is an array of shape \(2, 2\)"),
        ({"c": np.ma.ones((2, 2))}, r"column 'c' is an array of shape \(2, 2\)"),
        ({"c": np.array([1j])}, "column 'c' is an array of complex128"),
        ({"c": np.zeros(2, "i4,f8")}, "column 'c' is an array of"),
        ({"c": "abc"}, "column 'c' is a str"),
        ({"c": 5}, "column 'c' is a int"),
        ({"c": [1], "d": [1, 2]}, r"different lengths \('c' 1, 'd' 2\)"),
        ({"c": [1], " ": [2]}, "column 2 of 2 has no name"),
        (np.ma.ones((2, 2)), "the table is a MaskedArray, expected"),
        ("a,b\n1,2", "no file"),
    ],
)
def test_what_is_refused(table: Any, words: str) -> None:
    with pytest.raises(errors.DataError, match=words) as caught:
        as_frame(table)
    assert "\n" not in str(caught.value)


def test_every_type_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    day = "2020-01-01"
    columns = {
        "Int64": (pandas.array([1, 2**60 + 1, None], "Int64"), [1, 2**60 + 1, None]),
        "boolean": (pandas.array([True, None, False], "boolean"), [True, None, False]),
        "category": (pandas.Categorical(["a", None, "b"]), ["a", None, "b"]),
        "string": (pandas.array(["a", None, "b"], "string"), ["a", None, "b"]),
        "float": ([1.5, NAN, 2.5], [1.5, None, 2.5]),
        "sparse": (pandas.arrays.SparseArray([0, 1.0, NAN]), [0.0, 1.0, None]),
        "datetime": (
            pandas.to_datetime([day, None, day]),
            [datetime(2020, 1, 1), None, datetime(2020, 1, 1)],
        ),
        "timedelta": (
            pandas.to_timedelta([1, None, 2], unit="h"),
            [timedelta(hours=1), None, timedelta(hours=2)],
        ),
        "period": (pandas.period_range("2020", periods=3, freq="M"), ["2020-01", "2020-02", "2020-03"]),
        "interval": (pandas.interval_range(0, 3), ["(0, 1]", "(1, 2]", "(2, 3]"]),
        "list": ([[1], [2, 3], None], [[1], [2, 3], None]),
        "dict": ([{"a": 1}, None, {"a": 2}], [{"a": 1}, None, {"a": 2}]),
        "bytes": ([b"x", None, b"y"], [b"x", None, b"y"]),
        "mixed": ([1, "a", None], ["1", "a", None]),
    }
    table = pandas.DataFrame({name: values for name, (values, _) in columns.items()})
    loaded = load_frame(table)
    for name, (_, kept) in columns.items():
        assert loaded.frame[name].to_list() == kept, name
    assert [note.split("'")[1] for note in loaded.notes] == ["period", "interval", "mixed"]
    berlin = as_frame(pandas.DataFrame({"t": pandas.date_range(day, periods=2, tz="Europe/Berlin")}))
    assert berlin["t"].dtype == polars.Datetime("us", "Europe/Berlin")
    with pytest.raises(errors.DataError, match="columns 1 and 2 are both named '0'"):
        as_frame(pandas.DataFrame([[1, 2]], columns=[0, "0"]))
