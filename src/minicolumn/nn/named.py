"""Parts by name, with settings in the same text: what users write for them, on the command line too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicolumn.errors import DataError

FORM = "name:setting=value,setting=value"


def read_named(text: str) -> tuple[str, dict[str, Any]]:
    """Return a name and its settings, written as ``name:setting=value,setting=value``.

    Values are numbers, several of them joined by +, true, false, none, or words. Nothing is evaluated.

    Errors      DataError for settings that are not written so, or set twice

    >>> read_named("sgd:momentum=0.9,nesterov=true")
    ('sgd', {'momentum': 0.9, 'nesterov': True})
    >>> read_named("step_decay:at=0.3+0.6")
    ('step_decay', {'at': (0.3, 0.6)})
    """
    name, colon, rest = text.partition(":")
    settings: dict[str, Any] = {}
    for part in rest.split(",") if colon else ():
        setting, equals, value = (word.strip() for word in part.partition("="))
        if not (setting and equals and value):
            raise DataError(f"settings are written as {FORM}, several numbers as 0.3+0.6; got {text!r}")
        if setting in settings:
            raise DataError(f"{setting} is set twice in {text!r}")
        settings[setting] = _value(value)
    return name.strip(), settings


def write_named(name: str, settings: Mapping[str, Any]) -> str:
    """Return the text of a name and its settings, each a number.

    >>> write_named("threshold", {"level": 0.5}), write_named("relu", {})
    ('threshold:level=0.5', 'relu')
    """
    return name + ":" * bool(settings) + ",".join(f"{key}={value!r}" for key, value in settings.items())


def split_named(text: str) -> list[str]:
    """Return the parts of a list of names with settings: a comma before a name starts the next part.

    >>> split_named("mish,threshold:level=1,value=0.5, tanh")
    ['mish', 'threshold:level=1,value=0.5', 'tanh']
    """
    parts: list[str] = []
    for word in text.split(","):
        if parts and ":" in parts[-1] and "=" in word and ":" not in word:
            parts[-1] += f",{word.strip()}"
        else:
            parts.append(word.strip())
    return parts


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
