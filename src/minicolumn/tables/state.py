"""Deserialization of fitted state: strict readers of JSON values, each of one type and within bounds.

Every reader takes the value and ``where`` it stands ("encoder.inputs[3].name"), and returns it or raises
ModelFileError with that path. Types are compared exactly: true is no number, 1.0 is no integer.

Differs     pydantic converts by default ("1" to 1); here only an int is taken where a float is due.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from minicolumn.errors import DataError, ModelFileError

T = TypeVar("T")
LARGEST_COUNT = 1 << 48


def fields(state: object, where: str, names: Iterable[str]) -> dict[str, Any]:
    """Return a JSON object that has exactly these fields; unknown and missing ones are named.

    >>> fields({"a": 1}, "column", ("a",))
    {'a': 1}
    """
    expected = set(names)
    if type(state) is not dict:
        raise ModelFileError(f"{where}: found a {type(state).__name__}, expected an object")
    if unknown := [key for key in state if key not in expected]:
        raise ModelFileError(f"{where}: unknown field {str(unknown[0])[:60]!r}")
    if missing := sorted(expected - set(state)):
        raise ModelFileError(f"{where}: the field {missing[0]!r} is missing")
    return state


def text(value: object, where: str) -> str:
    """Return a string that UTF-8 can hold: JSON can spell lone surrogates, which files cannot."""
    if type(value) is not str:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ModelFileError(f"{where}: the text is not valid Unicode") from None
    return value


def name(value: object, where: str) -> str:
    """Return a string that is not blank."""
    if not text(value, where).strip():
        raise ModelFileError(f"{where}: the name is blank")
    return str(value)


def choice(value: object, where: str, known: Iterable[T]) -> T:
    """Return the one of the known words that a value is equal to.

    >>> choice("robust", "encoder.scaling", ("robust", "standard"))
    'robust'
    """
    for word in known:
        if type(value) is str and value == word:
            return word
    raise ModelFileError(f"{where}: unknown value {str(value)[:60]!r}")


def form(value: object, where: str, kind: str) -> str:
    """Return how numbers or dates are written, checked; "" for columns of other kinds."""
    from minicolumn.tables.forms.date_forms import check_date_form
    from minicolumn.tables.forms.number_forms import NumberForm

    written = text(value, where)
    try:
        if kind == "number":
            return str(NumberForm.parse(written))
        if written and kind == "datetime":
            check_date_form(written)
    except DataError as error:
        raise ModelFileError(f"{where}: {error}") from None
    return written


def number(value: object, where: str) -> float:
    """Return a finite number as a float; integers past the range of float64 are refused."""
    if type(value) not in (int, float):
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected a number")
    try:
        result = float(value)  # type: ignore[arg-type]
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ModelFileError(f"{where}: the number is not finite")
    return result


def share(value: object, where: str) -> float:
    """Return a number from 0 to 1, or -1 where it is unknown."""
    found = number(value, where)
    if not (0.0 <= found <= 1.0 or found == -1.0):
        raise ModelFileError(f"{where}: expected a number from 0 to 1")
    return found


def count(value: object, where: str) -> int:
    """Return an integer from 0 to 2**48."""
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:
        raise ModelFileError(f"{where}: expected an integer from 0 to 2**48")
    return value


def flag(value: object, where: str) -> bool:
    """Return a boolean."""
    if type(value) is not bool:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected true or false")
    return value


def items(value: object, where: str, read: Callable[[object, str], T], most: int) -> tuple[T, ...]:
    """Return a list as a tuple of at most `most` items, each read by one reader.

    >>> items([1, 2.5], "scales", number, most=10)
    (1.0, 2.5)
    """
    if type(value) is not list:
        raise ModelFileError(f"{where}: found a {type(value).__name__}, expected a list")
    if len(value) > most:
        raise ModelFileError(f"{where}: {len(value):,} items, at most {most:,} are read")
    return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(value))


def distinct(values: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return strings of which none is repeated."""
    if len(set(values)) != len(values):
        raise ModelFileError(f"{where}: the same name stands twice")
    return values


def classes_of(task: str, classes: tuple[str, ...], where: str) -> None:
    """Refuse classes that do not fit the task: binary has 2, multiclass 2 or more, regression none."""
    distinct(classes, where)
    if task == "regression" and classes:
        raise ModelFileError(f"{where}: regression has no classes")
    if task != "regression" and (len(classes) < 2 or (task == "binary" and len(classes) != 2)):
        raise ModelFileError(f"{where}: {len(classes)} classes do not fit the task {task}")
