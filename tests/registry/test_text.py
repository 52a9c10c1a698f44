"""The text form: names with settings, lists of them, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.registry import Boolean, Integer, Listed, Number, read_text, split_texts, write_text

NUMBER, WHOLE, FLAG = Number(help="a"), Integer(help="b"), Boolean(help="c")
NUMBERS = Listed(help="d", of=NUMBER, words="numbers")


@given(st.text(max_size=40))
def test_any_text_is_a_name_with_settings_or_refused(text: str) -> None:
    try:
        name, settings = read_text(text)
    except DataError:
        return
    assert name == text.partition(":")[0].strip()
    assert all(isinstance(value, str) for value in settings.values())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0e+0", (0.0,)),
        ("1e+3", (1000.0,)),
        ("+2", (2.0,)),
        ("1+2", (1.0, 2.0)),
        ("-1+-2", (-1.0, -2.0)),
        ("1e-3+2e+1", (0.001, 20.0)),
        ("1.e+3+.5E+2", (1000.0, 50.0)),
        ("a+1", ("a", 1.0)),
        ("1++2", (1.0, "", 2.0)),
    ],
)
def test_a_plus_joins_numbers_and_stands_in_them(text: str, values: tuple) -> None:
    assert NUMBERS.read(read_text(f"n:a={text}")[1]["a"]) == values


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["mish", "threshold", "relu"]),
            st.dictionaries(st.sampled_from("abc"), st.floats(allow_nan=False), max_size=3),
        ),
        min_size=1,
    )
)
def test_lists_of_names_come_back_as_they_were(parts: list[tuple[str, dict[str, float]]]) -> None:
    text = ",".join(
        write_text(name, {k: NUMBER.write(v) for k, v in settings.items()}) for name, settings in parts
    )
    found = [read_text(part) for part in split_texts(text)]
    assert [(n, {k: NUMBER.read(v) for k, v in told.items()}) for n, told in found] == parts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_lists_of_numbers_come_back_as_they_were(numbers: list[float]) -> None:
    _, settings = read_text(write_text("n", {"a": NUMBERS.write(tuple(numbers))}))
    assert NUMBERS.read(settings["a"]) == tuple(numbers)


@given(st.floats(allow_nan=False), st.integers(), st.booleans())
def test_values_come_back_as_they_were(number: float, whole: int, flag: bool) -> None:
    text = write_text("n", {"a": NUMBER.write(number), "b": WHOLE.write(whole), "c": FLAG.write(flag)})
    _, told = read_text(text)
    found = NUMBER.read(told["a"]), WHOLE.read(told["b"]), FLAG.read(told["c"])
    assert found == (number, whole, flag)


def test_parts_within_parts_stand_in_parentheses() -> None:
    inner = write_text("step_decay", {"at": "0.3+0.6", "factor": "0.5"})
    text = write_text("warm_up", {"inner": inner, "fraction": "0.1"})
    assert text == "warm_up:inner=(step_decay:at=0.3+0.6,factor=0.5),fraction=0.1"
    assert read_text(text) == ("warm_up", {"inner": inner, "fraction": "0.1"})
    assert split_texts(f"a,{text},b") == ["a", text, "b"]


@pytest.mark.parametrize("text", ["a:b", "a:=1", "a:b=", "a:b=1,,c=2", "a:"])
def test_what_is_not_written_so_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="settings are written as name:setting=value,setting=value"):
        read_text(text)


def test_a_setting_is_said_once() -> None:
    with pytest.raises(DataError, match="b is set twice in 'a:b=1,b=2'"):
        read_text("a:b=1,b=2")
