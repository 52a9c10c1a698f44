"""Strict readers of JSON state: a closed set of fields, each of one type, each within its bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from minicolumn.errors import ModelFileError

T = TypeVar("T")
LARGEST_COUNT = 1 << 48


def fields(state: object, where: str, names: Iterable[str]) -> dict[str, Any]:
    """Return a JSON object that has exactly these fields."""
    expected = set(names)
    if type(state) is not dict:
        raise ModelFileError(f"{where}: found a {type(state).__name__}, expected an object")
    if unknown := [key for key in state if key not in expected]:
        raise ModelFileError(f"{where}: unknown field {str(unknown[0])[:60]!r}")
    if missing := sorted(expected - set(state)):
        raise ModelFileError(f"{where}: the field {missing[0]!r} is missing")
    return state


def text(value: object, where: str) -> str:
    """Return a string that UTF-8 can hold."""
    if type(value) is not str:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ModelFileError(f"{where}: the text is not valid Unicode") from None
    return value


def name(value: object, where: str) -> str:
    """Return a text that is not blank."""
    if not text(value, where).strip():
        raise ModelFileError(f"{where}: the name is blank")
    return str(value)


def choice(value: object, where: str, known: Iterable[T]) -> T:
    """Return one of the known words."""
    for word in known:
        if type(value) is str and value == word:
            return word
    raise ModelFileError(f"{where}: unknown value {str(value)[:60]!r}")


def number(value: object, where: str) -> float:
    """Return a finite number."""
    if type(value) not in (int, float):
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected a number")
    try:
        result = float(value)  # type: ignore[arg-type]
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ModelFileError(f"{where}: the number is not finite")
    return result


def count(value: object, where: str) -> int:
    """Return an integer from 0 to 2**48."""
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise ModelFileError(f"{where}: expected an integer from 0 to 2**48")
    return value


def flag(value: object, where: str) -> bool:
    """Return a truth value."""
    if type(value) is not bool:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected true or false")
    return value


def items(value: object, where: str, read: Callable[[object, str], T], most: int) -> tuple[T, ...]:
    """Return a list as a tuple, every item read by one reader."""
    if type(value) is not list:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected a list")
    if len(value) > most:
        raise ModelFileError(f"{where}: {len(value):,} items, at most {most:,} are read")
    return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(value))


def distinct(values: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return texts of which none is repeated."""
    if len(set(values)) != len(values):
        raise ModelFileError(f"{where}: the same name stands twice")
    return values


def classes_of(task: str, classes: tuple[str, ...], where: str) -> None:
    """Refuse classes that do not fit the task."""
    distinct(classes, where)
    if task == "regression" and classes:
        raise ModelFileError(f"{where}: regression has no classes")
    if task != "regression" and (len(classes) < 2 or (task == "binary" and len(classes) != 2)):
        raise ModelFileError(f"{where}: {len(classes)} classes do not fit the task {task}")
