"""Option values: what a user may write, and what it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minicolumn.errors import DataError, did_you_mean

MOST_UNITS, MOST_LAYERS = 65_536, 64
NAMED_EXAMPLE = "name:setting=value,setting=value"


def parse_hidden(text: str | None) -> tuple[int, ...] | None:
    """Return the units of each hidden layer, first to last.

    >>> parse_hidden("128,64")
    (128, 64)
    """
    if text is None:
        return None
    words = text.split(",")
    if len(words) > MOST_LAYERS or not all(_is_units(word.strip()) for word in words):
        raise DataError(
            f"--hidden: expected units for each hidden layer, such as 128,64, each from 1 to {MOST_UNITS:,}, "
            f"at most {MOST_LAYERS} layers; got {text!r}"
        )
    return tuple(int(word) for word in words)


def _is_units(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 9 and 1 <= int(word) <= MOST_UNITS


def check_number(option: str, value: float | None, expected: str, good: Callable[[float], bool]) -> None:
    """Refuse a number out of its range; NaN and infinity are in none."""
    if value is not None and not (math.isfinite(value) and good(value)):
        raise DataError(f"{option}: expected {expected}, got {value:g}")


def check_whole(option: str, value: int | None, least: int, most: int = 2**31 - 1) -> None:
    """Refuse a whole number out of its range."""
    if value is not None and not least <= value <= most:
        raise DataError(f"{option}: expected a whole number from {least} to {most}, got {value}")


def check_name(option: str, name: str | None, find: Callable[[str], Any]) -> None:
    """Refuse an unknown name before anything is read; the hint is that of the table of names."""
    if name is not None:
        try:
            find(name)
        except DataError as error:
            raise DataError(f"{option}: {error}") from None


def parse_named(option: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return a name and its settings, written as ``name:setting=value,setting=value``.

    Values are numbers, several of them joined by +, true, false, none, or words. Nothing is evaluated.

    >>> parse_named("--optimizer", "sgd:momentum=0.9,nesterov=true")
    ('sgd', {'momentum': 0.9, 'nesterov': True})
    >>> parse_named("--schedule", "step_decay:at=0.3+0.6")
    ('step_decay', {'at': (0.3, 0.6)})
    """
    name, colon, rest = text.partition(":")
    settings: dict[str, Any] = {}
    for part in rest.split(",") if colon else ():
        setting, equals, value = (word.strip() for word in part.partition("="))
        if not (setting and equals and value):
            raise DataError(f"{option}: settings are written as {NAMED_EXAMPLE}; got {text!r}")
        if setting in settings:
            raise DataError(f"{option}: {setting} is set twice in {text!r}")
        settings[setting] = _value(value)
    return name.strip(), settings


def _value(text: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    whole = _number(text)
    if whole is not None:
        return whole
    numbers = [_number(part) for part in text.split("+")]
    return text if None in numbers else tuple(numbers)


def _number(text: str) -> float | int | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def make_named(option: str, text: str | None, make: Callable[..., Any]) -> Any:
    """Return the record that a name and its settings stand for; None for None.

    make        a function of the name, and of settings by keyword
    Errors      DataError, one line that begins with the option
    """
    if text is None:
        return None
    name, settings = parse_named(option, text)
    try:
        return make(name, **settings)
    except (DataError, TypeError) as error:
        raise DataError(f"{option}: {error}") from None


def parse_columns(option: str, given: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Return column names from repeated options, each one name or a list with commas.

    A text that is a column's name as it stands is that column, whatever commas it holds.

    >>> parse_columns("--drop", ["id,age", "Size, total"], ["id", "age", "Size, total"])
    ('id', 'age', 'Size, total')
    """
    found = [name for text in given or () for name in _columns_in(option, text, known)]
    return tuple(dict.fromkeys(found))


def _columns_in(option: str, text: str, known: Sequence[str]) -> list[str]:
    if text in known:
        return [text]
    words = [word if word in known else word.strip() for word in text.split(",")]
    for word in words:
        if word and word not in known:
            hint = did_you_mean(word, known) or f"; there are {listed(known)}"
            raise DataError(f"{option}: the table has no column {word!r}{hint}")
    return [word for word in words if word]


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], most=2)
    ("'a', 'b' and 'c'", "'a', 'b' and 1 more")
    """
    if len(names) > most:
        return f"{', '.join(map(repr, names[:most]))} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(map(repr, names))
    return f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r}"
