"""Strict JSON: no duplicate keys, no NaN, bounded nesting, bounded numbers.

Source      RFC 8259 (JSON); RFC 7493 (I-JSON), which forbids duplicate keys and lone surrogates
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from minicolumn.errors import ModelFileError

MAX_DEPTH = 32
# Each value takes some 60 bytes of memory, each list or object some 80 more.
MAX_VALUES = 10_000_000
MAX_CONTAINERS = 2_000_000
_MAX_INT = 2**64

# All but brackets. A string that is never closed runs to the end, so that every match succeeds: linear time.
_NOT_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[^"\[\]{}]+', re.DOTALL)


def parse(text: str, what: str, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text that has exactly one reading.

    text        the JSON text
    what        what it is, for the message: "the header"
    Errors      ModelFileError for broken JSON, duplicate keys, NaN or Infinity, numbers past 64 bits, lone
                surrogates, nesting deeper than ``max_depth``, more than 10 million values or 2 million lists
                (checked without recursion, before parsing).
    Differs     `json.loads` keeps the last of two equal keys, accepts NaN, and recurses.

    >>> parse('{"a": [1, 2.5, null]}', "the header")
    {'a': [1, 2.5, None]}
    """
    _check_size(text, what, max_depth)
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8 form
    except _Loose as error:
        raise ModelFileError(f"{what} holds {error}") from None
    except UnicodeEncodeError:
        raise ModelFileError(f"{what} holds half a character (a lone surrogate)") from None
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{what} is not valid JSON: {error.msg} at character {error.pos}") from None
    return value


def canonical(value: Any) -> str:
    """Serialize a JSON value canonically: sorted keys, no spaces, ASCII; equal values give equal texts.

    Errors      ValueError for NaN or Infinity, TypeError for what JSON lacks
    Differs     RFC 8785 (JCS) writes UTF-8 and numbers as JavaScript does; here ASCII and Python's repr

    >>> canonical({"b": [1, 2.0], "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class _Loose(Exception):
    """JSON that Python reads and we do not."""


def _check_size(text: str, what: str, max_depth: int) -> None:
    """Refuse text of too many values or nested too deeply: brackets outside strings are counted.

    A comma within a string counts as a value, too.
    """
    brackets, depth = _NOT_BRACKETS.sub("", text), 0
    if text.count(",") > MAX_VALUES or len(brackets) > 2 * MAX_CONTAINERS:
        raise ModelFileError(f"{what} holds more than {MAX_VALUES:,} values or {MAX_CONTAINERS:,} lists")
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise ModelFileError(f"{what} is nested deeper than {max_depth} levels")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's dict; a repeated key is refused."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _Loose(f"the key {twice[:60]!a} twice")
    return found


def _int(text: str) -> int:
    """Return an integer of at most 64 bits."""
    if len(text) > 20 or abs(value := int(text)) > _MAX_INT:
        raise _Loose(f"the enormous number {text[:24]}")
    return value


def _float(text: str) -> float:
    """Return a finite float."""
    if len(text) > 400 or not math.isfinite(value := float(text)):
        raise _Loose(f"the number {text[:24]}, which is not finite")
    return value


def _constant(text: str) -> NoReturn:
    """Refuse NaN, Infinity and -Infinity, which Python's json takes."""
    raise _Loose(f"{text}, which is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_int, parse_float=_float, parse_constant=_constant, strict=True
)
