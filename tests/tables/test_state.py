"""Whatever is read: DataError or a finite matrix; ModelFileError or a valid encoder, nothing else."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from minicolumn.errors import DataError, ModelFileError
from minicolumn.tables import Encoder, Overrides, Schema, infer_schema, with_target
from minicolumn.tables.files.delimited import parse_delimited

WORD = st.sampled_from(
    [
        *(
            "",
            "NA",
            "?",
            "none",
            "-",
            "inf",
            "nan",
            "0",
            "1",
            "2",
            "007",
            "1.5",
            "-3e4",
            "1e400",
            "1,234",
            "1,5",
            "7%",
        ),
        *(
            "yes",
            "no",
            "true",
            "x",
            "red",
            "a b c d",
            "é",
            '"',
            "2007-11-11",
            "11/12/07",
            "2007-11-11T10:00Z",
            "14:35",
        ),
    ]
)
CELLS = st.one_of(WORD, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8))
COLUMN = st.one_of(
    st.lists(CELLS, min_size=12, max_size=12),
    st.lists(st.sampled_from(["a", "b", "?"]), min_size=12, max_size=12),
    st.lists(st.floats(width=32).map(str), min_size=12, max_size=12),
    st.lists(st.integers(-5, 5).map(str), min_size=12, max_size=12),
    st.lists(st.datetimes().map(str), min_size=12, max_size=12),
    st.lists(st.dates().map(str), min_size=12, max_size=12),
)


def as_csv(columns: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([f"c{place}" for place in range(len(columns))])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(COLUMN, min_size=2, max_size=4), st.sampled_from([None, "regression", "multiclass"]))
@example([["0"] * 11 + ["1"], ["2000-01-01"] * 11 + ["3000-01-01"]], None)
@example([["0"] * 11 + ["1"], ["2000-01-01"] * 11 + ["11/12/07"]], None)
@example([["0.0"] * 7 + ["0.25"] + ["0.0"] * 3 + ["2.813445292206736e+37"], [""] * 11 + ["0"]], None)
def test_any_table_gives_a_finite_matrix_or_one_line(columns: list[list[str]], task: str | None) -> None:
    try:
        frame = parse_delimited(as_csv(columns), "t.csv")
        schema = infer_schema(frame, "c0", task=task)
        rows = with_target(frame, schema)
        encoder = Encoder.fit(rows.head(8), schema)
        codes = encoder.encode_target(rows)
    except DataError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
        return
    matrix = encoder.transform(rows)
    assert matrix.dtype == np.float32
    assert matrix.shape == (rows.height, len(encoder.features))
    assert np.isfinite(matrix).all()
    assert np.isfinite(codes).all()
    for place, size in encoder.embeddings:
        assert 0 <= matrix[:, place].min() <= matrix[:, place].max() < size
    turned = Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert turned.transform(rows.select(reversed(rows.columns))).tobytes() == matrix.tobytes()
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    if encoder.classes is not None:
        np.testing.assert_array_equal(
            encoder.encode_target(rows.with_columns(c0=encoder.decode_target(codes))), codes
        )


@pytest.fixture
def state(zoo: polars.DataFrame) -> dict[str, Any]:
    """The JSON state of an encoder that has every kind of input."""
    schema = infer_schema(zoo, "kind", Overrides(category=["legs"]))
    found = Encoder.fit(zoo, schema).to_json()
    assert {part["kind"] for part in found["inputs"]} == {"number", "boolean", "category", "datetime"}
    return json.loads(json.dumps(found))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every value of a JSON state."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*path, key))


def changed(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """Return a copy of a state in which the value at a path went through `change(holder, key)`."""
    holder = {"root": copy.deepcopy(value)}
    inner: Any = holder
    path = ("root", *path)
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return holder.get("root")


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        st.text(max_size=5),
        st.just("\ud800"),
        st.just(""),
        st.just(-1),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_state_is_refused_or_valid(
    state: dict[str, Any], zoo: polars.DataFrame, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(list(places(state))))
    junk = data.draw(JUNK)

    def replace(holder: Any, key: Any) -> None:
        holder[key] = junk

    def remove(holder: Any, key: Any) -> None:
        del holder[key]

    def repeat(holder: Any, key: Any) -> None:
        if isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[f"{key}2"] = holder[key]

    broken = changed(state, path, data.draw(st.sampled_from([replace, remove, repeat])))
    try:
        encoder = Encoder.from_json(broken)
    except ModelFileError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
        assert len(str(error)) < 300  # noqa: PT017
        return
    try:
        matrix = encoder.transform(zoo)
    except DataError:
        return
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("inputs",), {}),
        (("inputs", 0, "kind"), "os.system"),
        (("inputs", 0, "form"), "%"),
        (("inputs", 0, "scale", "factor"), -1.0),
        (("inputs", 0, "scale", "factor"), float("inf")),
        (("inputs", 0, "scale", "center"), True),
        (("inputs", 0, "scale", "center"), 10**400),
        (("inputs", 0, "indicator"), 1),
        (("inputs", 1, "levels"), ["a", "a"]),
        (("inputs", 1, "levels"), [str(place) for place in range(10_001)]),
        (("inputs", 0, "name"), "kind"),
        (("inputs", 0, "name"), "legs"),
        (("classes",), None),
        (("classes",), ["a"]),
        (("classes",), [1, 2]),
        (("task",), "regression"),
        (("scaling",), "none"),
        (("target_scale",), 0.0),
        (("target_low",), 9.0),
    ],
)
def test_a_damaged_state_is_refused(state: dict[str, Any], path: tuple[Any, ...], value: object) -> None:
    def put(holder: Any, key: Any) -> None:
        holder[key] = value

    with pytest.raises(ModelFileError, match=r"^encoder"):
        Encoder.from_json(changed(state, path, put))


def test_deep_nesting_is_no_trouble(state: dict[str, Any]) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ModelFileError, match="expected text"):
        Encoder.from_json(state | {"target": deep})
