"""What columns mean: by value and by name, whatever the spelling; and what cannot be learnt from."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars
import pytest

from minicolumn.errors import DataError, ModelFileError
from minicolumn.tables import Column, Overrides, Schema, infer_schema, with_target

TARGET = [("up", "down")[i % 3 % 2] for i in range(24)]


def column(values: list[Any], name: str = "x", **options: Any) -> Column:
    """Return what is found in one column that repeats these values over 24 rows."""
    repeated = [values[i % len(values)] for i in range(24)]
    frame = polars.DataFrame({name: repeated, "other": [str(i % 5 + 0.5) for i in range(24)], "y": TARGET})
    return infer_schema(frame, "y", **options).columns[0]


def unique(make: Any, name: str = "x") -> Column:
    return column([make(i) for i in range(24)], name)


def infer(target: list[Any], **options: Any) -> Schema:
    frame = polars.DataFrame({"x": [str(i % 7 + 0.5) for i in range(len(target))], "y": target})
    return infer_schema(frame, "y", **options)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "-3"], "number"),
        (["+1", "2e5", " .5 ", "5."], "number"),
        (["1", "NA", "?", "2.5", "", "nan", "N/A", "null", "None", "-", "."], "number"),
        (["1.5", "inf", "-inf", "2"], "number"),
        (["1,234.5", "12", "2,000,000"], "number"),
        (["1,5", "12", "0,25"], "number"),
        (["12%", "3 %"], "number"),
        ([1, 2, None], "number"),
        ([1.5, float("nan")], "number"),
        ([dt.timedelta(seconds=5), dt.timedelta(seconds=9)], "number"),
        (["0", "1"], "boolean"),
        (["0.0", "1.0"], "boolean"),
        (["yes", "no"], "boolean"),
        (["Y", "N", "?"], "boolean"),
        (["t", "f"], "boolean"),
        (["TRUE", "False"], "boolean"),
        ([True, False, None], "boolean"),
        (["yes", "no", "perhaps"], "category"),
        (["yes", "NA"], "category"),
        (["red", "blue", "None"], "category"),
        (["020", "030", "190"], "category"),
        (["2", "apples", "3"], "category"),
        (["1.2.3.4", "5.6.7.8"], "category"),
        (["2007-11-11", "2008-01-02"], "datetime"),
        (["2007-11-11T10:00:00Z", "2008-01-02T11:30:00Z", "NA"], "datetime"),
        (["2007-11-11 10:00:00+02:00", "2008-01-02 10:00:00-05:00"], "datetime"),
        (["11/11/07", "12/31/07"], "datetime"),
        (["31.12.2007", "1.2.2008"], "datetime"),
        (["Nov 11, 2007", "December 1, 2008"], "datetime"),
        (["14:35", "09:10"], "datetime"),
        ([dt.date(2007, 11, 11), dt.date(2008, 1, 1)], "datetime"),
        ([dt.time(14, 35), dt.time(9, 10)], "datetime"),
        (["x"], "constant"),
        (["7"], "constant"),
        (["2007-11-11"], "constant"),
        (["NA", "None", "", "?"], "empty"),
        ([None], "empty"),
        (["inf", "NA"], "empty"),
    ],
)
def test_kinds_follow_the_meaning(values: list[Any], kind: str) -> None:
    assert column(values).kind == kind


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        (lambda i: str(i + 1), "n", "identifier"),
        (lambda i: str(23 - i), "n", "identifier"),
        (lambda i: str(1000 + i), "n", "identifier"),
        (lambda i: str(i), "hour", "number"),
        (lambda i: str(2000 + i), "year", "number"),
        (lambda i: str(i), "x", "number"),
        (lambda i: str(i % 12), "Unnamed: 0.1", "identifier"),
        (lambda i: str(i % 12), "__index_level_0__", "identifier"),
        (lambda i: str(i), "level_0", "identifier"),
        (lambda i: str(1000 + 17 * i), "price", "number"),
        (lambda i: str(1000 + 17 * i), "customerID", "identifier"),
        (lambda i: str(1000 + 17 * i), "Order", "identifier"),
        (lambda i: str(1000 + 17 * i), "rownames", "identifier"),
        (lambda i: str(i + 0.25), "id", "number"),
        (lambda i: f"{i:08x}-aa", "x", "identifier"),
        (lambda i: f"a long remark of many words, the {i}th", "x", "text"),
        (lambda i: f"a remark of words {i % 7}", "comments", "text"),
        (lambda i: f"level {i % 7}", "x", "category"),
    ],
)
def test_what_names_the_rows_is_dropped(make: Any, name: str, kind: str) -> None:
    found = unique(make, name)
    assert found.kind == kind
    assert found.used == (kind in ("number", "category"))
    assert found.used or found.note


def test_notes_say_what_was_seen() -> None:
    assert column(["1.5", "?", "inf", "2"]).note == "6 missing; 6 infinite, taken as missing"
    assert column(["1", "2", "3", "4"], "season").may_be_codes
    assert column(["red", "blue", "NA"]).note == "2 levels; 8 missing"
    assert "read as month first" in column(["11/11/07", "12/11/07"]).note
    odd = column([*map(str, range(100, 123)), "twelve"]).note
    assert odd == "1 cell read as missing: 'twelve' (1); 1 missing in all"


def test_codes_become_levels_when_named() -> None:
    assert column(["1", "2", "3"], "season", overrides=Overrides(category=["season"])).kind == "category"
    assert column([1, 2, 3], "season", overrides=Overrides(category=["season"])).kind == "category"


def test_labels_of_categorical_columns_are_not_numbers() -> None:
    frame = polars.DataFrame({"x": ["2.5", "9", "2.5", "9"], "y": TARGET[:4]}).cast({"x": polars.Categorical})
    assert infer_schema(frame, "y").columns[0].kind == "number"


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (["a", "b", "b"], "binary", ("a", "b")),
        (["yes", "no", "no"], "binary", ("no", "yes")),
        (["-1", "1", "1"], "binary", ("-1", "1")),
        (["0.0", "1.0", "1.0"], "binary", ("0.0", "1.0")),
        (["0.0", "1", "1.0"], "binary", ("0", "1")),
        (["1.0", "1.00", "n/k"] * 3, "multiclass", ("1.0", "1.00", "n/k")),
        ([True, False, True], "binary", ("false", "true")),
        (['a "b"', " c d ", "e=f", "e=f"], "multiclass", ('a "b"', "c d", "e=f")),
        (["10", "9", "8"] * 3, "multiclass", ("8", "9", "10")),
        ([3, 1, 2] * 3, "multiclass", ("1", "2", "3")),
        (["None", "Mild", "Severe"] * 2, "multiclass", ("Mild", "None", "Severe")),
        (["1.5", "2", "3"] * 3, "regression", ()),
        ([str(i) for i in range(30)], "regression", ()),
        (["1", "2", "3", "4"], "regression", ()),
        (["1,5", "2,25", "3"], "regression", ()),
    ],
)
def test_the_task_follows_the_target(target: list[Any], task: str, classes: tuple[str, ...]) -> None:
    schema = infer(target)
    assert (schema.task, schema.classes) == (task, classes)


def test_the_task_can_be_chosen() -> None:
    assert infer(["1", "2", "3"] * 3, task="regression").task == "regression"
    assert infer(["1", "2", "1", "2"], task="multiclass").task == "multiclass"
    assert infer(["1.5", "2.5", "1.5", "2.5", "3"], task="classification").classes == ("1.5", "2.5", "3")


def test_rows_without_a_target_are_counted_and_dropped() -> None:
    frame = polars.DataFrame({"x": ["1", "2", "3", "4", "5"], "y": ["a", "?", "b", "NA", "a"]})
    schema = infer_schema(frame, "y")
    assert (schema.rows, schema.rows_without_target) == (5, 2)
    assert with_target(frame, schema)["x"].to_list() == ["1", "3", "5"]
    frame = polars.DataFrame({"x": ["1", "2", "3", "4", "5"], "y": ["1.5", "inf", "2.5", "3", "-"]})
    schema = infer_schema(frame, "y")
    assert schema.rows_without_target == 2
    assert with_target(frame, schema)["x"].to_list() == ["1", "3", "4"]
    assert schema.notes == ("an infinite target counts as none: 1 row",)


def test_words_where_the_target_was_a_number_are_refused() -> None:
    frame = polars.DataFrame({"x": ["1", "2", "3", "4"], "y": ["1.5", "0.5", "2.5", "?"]})
    schema = infer_schema(frame, "y")
    assert with_target(frame, schema).height == 3
    with pytest.raises(DataError, match="target 'y', row 2: found 'high', expected a number"):
        with_target(frame.with_columns(y=polars.Series(["1.5", " high", "?", "high"])), schema)


def test_a_dash_is_missing_among_numbers_and_none_a_class_among_words() -> None:
    schema = infer(["1", "0", "-", "1", "None"])
    assert (schema.classes, schema.rows_without_target) == (("0", "1"), 2)
    frame = polars.DataFrame({"x": ["1", "2", "3", "4"], "y": ["None", "Mild", "Mild", ""]})
    schema = infer_schema(frame, "y")
    assert schema.classes == ("Mild", "None")
    assert with_target(frame, schema).height == 3


def test_lonely_classes_are_noted() -> None:
    assert infer(["a", "a", "b", "b", "c"]).notes == ("classes of a single row: 'c'",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "kinds"}, ["no column 'kinds'", "did you mean 'kind'"]),
        ({"target": "KIND"}, ["did you mean 'kind'"]),
        ({"target": "kind", "overrides": Overrides(drop=["leg"])}, ["drop", "did you mean 'legs'"]),
        ({"target": "kind", "overrides": Overrides(category=["zzzzz"])}, ["category", "'zzzzz'", "it has"]),
        ({"target": "kind", "overrides": Overrides(drop=["kind"])}, ["is the target"]),
        ({"target": "planet"}, ["'earth' in every row", "two classes"]),
        ({"target": "nothing"}, ["no value in any row"]),
        ({"target": "animal_id"}, ["another label in every row"]),
        ({"target": "kind", "task": "regression"}, ["needs numbers", "'cat' in row 1"]),
        ({"target": "born", "task": "regression"}, ["needs numbers", "'2020-01-01' in row 1"]),
        ({"target": "kind", "task": "binary"}, ["3 classes", "expects 2"]),
        ({"target": "kind", "task": "regresion"}, ["did you mean 'regression'"]),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    zoo: polars.DataFrame, options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        infer_schema(zoo, **options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_nothing_left_to_learn_from(zoo: polars.DataFrame) -> None:
    with pytest.raises(DataError, match=r"no column is left to learn from \('animal_id' is identifier"):
        infer_schema(zoo.select("animal_id", "planet", "kind"), "kind")
    with pytest.raises(DataError, match="needs a column beside the target"):
        infer_schema(zoo.select("kind"), "kind")
    with pytest.raises(DataError, match="no rows"):
        infer_schema(zoo.clear(), "kind")
    with pytest.raises(DataError, match=r"learn from \('animal_id' is given as id; 'planet' is constant"):
        infer_schema(zoo.select("animal_id", "planet", "kind"), "kind", Overrides(id="animal_id"))


def test_more_refusals() -> None:
    with pytest.raises(DataError, match="at most 1,000"):
        infer([f"c{i % 1500}" for i in range(3000)])
    with pytest.raises(DataError, match="dates"):
        infer([f"{1000 + i % 1500}-01-01" for i in range(3000)])
    with pytest.raises(DataError, match="is 3 in every row"):
        infer(["3", "3"], task="regression")
    with pytest.raises(DataError, match="no number in any row"):
        infer(["inf", "inf"], task="regression")
    with pytest.raises(DataError, match="one plain value"):
        infer_schema(polars.DataFrame({"x": [[1], [2]], "y": ["a", "b"]}), "y")


def test_the_schema_survives_json(zoo: polars.DataFrame) -> None:
    schema = infer_schema(zoo, "kind", Overrides(drop=["legs"]))
    assert schema.dropped == ("legs",)
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "magic"),
        ("task", "regression"),
        ("classes", ["a", "a"]),
        ("classes", ["a"]),
        ("rows", -1),
        ("rows", True),
        ("target", ""),
        ("target", "tame"),
        ("columns", {}),
        ("columns", [{"name": "x"}]),
        ("columns", [{"name": "x", "kind": "datetime", "note": "", "form": "%s"}]),
        ("columns", [{"name": "x", "kind": "number", "note": "\ud800", "form": ""}]),
        ("more", 1),
    ],
)
def test_a_damaged_schema_is_refused(zoo: polars.DataFrame, field: str, value: object) -> None:
    state = infer_schema(zoo, "kind").to_json() | {field: value}
    with pytest.raises(ModelFileError, match=r"^schema"):
        Schema.from_json(state)
