"""The text form of a record: a name, and settings behind a colon. Nothing in it is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from minicolumn.errors import DataError

FORM = "name:setting=value,setting=value"
# A plus joins the entries of a list; the one of an exponent, as in 1e+16, is part of a number.
_JOIN = re.compile(r"(?<![0-9.][eE])\+")


def read_text(text: str) -> tuple[str, dict[str, str]]:
    """Return a name and its settings, each still a text, of ``name:setting=value,setting=value``.

    What belongs to a part within stands in parentheses: ``warm_up:inner=(step_decay:at=0.3,factor=0.5)``.

    Errors      DataError for settings that are not written so, or set twice

    >>> read_text("sgd:momentum=0.9,nesterov=true")
    ('sgd', {'momentum': '0.9', 'nesterov': 'true'})
    >>> read_text("warm_up:inner=(cosine:end=0.1),fraction=0.2")
    ('warm_up', {'inner': 'cosine:end=0.1', 'fraction': '0.2'})
    """
    name, colon, rest = text.partition(":")
    settings: dict[str, str] = {}
    for part in _split(rest) if colon else ():
        setting, equals, value = (word.strip() for word in part.partition("="))
        if not (setting and equals and value):
            raise DataError(
                f"settings are written as {FORM}, several numbers as 0.3+0.6; got {text[:80]!r}",
                reason="form", form=FORM, got=repr(text[:80]),
            )  # fmt: skip
        if setting in settings:
            raise DataError(
                f"{setting} is set twice in {text[:80]!r}", reason="twice", name=setting, text=repr(text[:80])
            )
        settings[setting] = value[1:-1].strip() if value[0] == "(" and value[-1] == ")" else value
    return name.strip(), settings


def write_text(name: str, settings: Mapping[str, str]) -> str:
    """Return the text of a name and its settings, each a text already.

    >>> write_text("threshold", {"level": "0.5"}), write_text("relu", {})
    ('threshold:level=0.5', 'relu')
    """
    parts = [f"{key}=({value})" if ":" in value else f"{key}={value}" for key, value in settings.items()]
    return name + ":" * bool(parts) + ",".join(parts)


def split_texts(text: str) -> list[str]:
    """Return the parts of a list of names with settings: a comma before a name starts the next part.

    >>> split_texts("mish,threshold:level=1,value=0.5, tanh")
    ['mish', 'threshold:level=1,value=0.5', 'tanh']
    """
    parts: list[str] = []
    for word in map(str.strip, _split(text)):
        setting, equals, _ = word.partition("=")
        if parts and ":" in parts[-1] and equals and ":" not in setting:
            parts[-1] += f",{word}"
        else:
            parts.append(word)
    return parts


def split_list(text: str) -> list[str]:
    """Return the entries of a list, joined by pluses.

    >>> split_list("0.3+0.6"), split_list("1e+3+-2"), split_list("+2")
    (['0.3', '0.6'], ['1e+3', '-2'], ['+2'])
    """
    sign = text[:1] if text[:1] in "+-" else ""
    parts = _JOIN.split(text.removeprefix(sign))
    return [sign + parts[0], *parts[1:]]


def _split(text: str) -> list[str]:
    """Split at the commas that no parentheses enclose."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
