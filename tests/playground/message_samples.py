"""Messages as nobody should send them: good ones, changed at random in words and in writing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minicolumn.playground.room import Room
from minicolumn.registry import settings_of

WORDS = (
    "open",
    "set",
    "run",
    "seen",
    "hello",
    "__class__",
    "constructor",
    "../x",
    "",
    " ",
    "do",
    "\ud800",
    "a\nb",
    "\U0001d518",
)
Vocabulary = Mapping[str, Mapping[str, Sequence[str]]]


def vocabulary(rooms: Mapping[str, type[Room]], without: Sequence[str] = ()) -> Vocabulary:
    """Return the words of rooms and the fields of each, but for some words."""
    return {
        name: {do: list(settings_of(kind)) for do, (kind, _) in room.verbs.items() if do not in without}
        for name, room in rooms.items()
    }


def messages(seed: int, words: Vocabulary) -> Iterator[str]:
    """Return messages without end: a third says what may be said, the others are changed."""
    draw = random.Random(seed)
    while True:
        said = _said(draw, words)
        kind = draw.randrange(6)
        if kind < 3:
            for _ in range(draw.randrange(3)):
                said[draw.choice([*said, *WORDS])] = value(draw)
        text = json.dumps(said, ensure_ascii=draw.random() < 0.5)
        if kind == 4:
            text = _mangled(draw, text)
        elif kind == 5 and draw.random() < 0.2:
            text = draw.choice(_RAW)
        yield text.encode(errors="replace").decode()


def _said(draw: random.Random, words: Vocabulary) -> dict[str, Any]:
    room = draw.choice(list(words))
    do = draw.choice(list(words[room]))
    said: dict[str, Any] = {"room": room, "do": do}
    if draw.random() < 0.5:
        said["id"] = draw.randrange(1_000)
    for name in words[room][do]:
        if draw.random() < 0.5:
            said[name] = value(draw) if draw.random() < 0.5 else draw.randrange(100)
    return said


def value(draw: random.Random, depth: int = 0) -> Any:
    """Return any value of JSON, and a few that only Python writes."""
    kind = draw.randrange(14 if depth < 3 else 10)
    if kind < 2:
        return draw.choice([True, False, None])
    if kind < 5:
        sizes = (0, 1, -1, 2**31, 2**53, -(2**63), 2**64, 10**30)
        return draw.choice([*sizes, draw.randrange(-1_000, 1_000)])
    if kind < 7:
        return draw.choice([0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), draw.uniform(-10, 10)])
    if kind < 10:
        return draw.choice([*WORDS, "x" * draw.randrange(2_000), "#noise=5", "1e5", "relu", "tanh:a=1"])
    if kind < 12:
        return [value(draw, depth + 1) for _ in range(draw.randrange(5))]
    return {draw.choice(WORDS): value(draw, depth + 1) for _ in range(draw.randrange(4))}


def _mangled(draw: random.Random, text: str) -> str:
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(text) + 1)
        end = at + draw.choice([0, 1, 1, 5, 1_000])
        text = (
            text[:at] + draw.choice(["", "", '"', "{", "}", "[", ",", "\\", "\0", "é", "9" * 30]) + text[end:]
        )
    return text


_RAW = (
    "", " ", "null", "true", "0", '""', "[]", "{}", "[[]]", "[" * 2_000, '{"a":' * 2_000, "9" * 5_000, "-",
    "1e999", "NaN", "-Infinity", '{"do": Infinity}', '{"room": "counting", "room": 3, "do": "open"}',
    "\ufeff{}", "{'do': 1}", '{"room": "counting", "do": "open", "n": 1, "n": "x"}', '"\\ud800"',
    '{"\\ud800": "\\udfff"}', "\0", "// x", "{}{}",
)  # fmt: skip
