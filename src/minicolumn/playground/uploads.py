"""Files in parts: a message holds 1 MiB at most, so a table or a model is sent in several.

{"name": "rows.csv", "part": 0, "parts": 2, "text": "..."}      parts come in order, from 0
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from minicolumn.errors import DataError
from minicolumn.playground.lines import line

PART_BYTES = 500_000  # of one part, before JSON and base64 make it longer
MOST_BYTES = 32 * 2**20  # of all parts together


class Upload:
    """Collects the parts of one file; a part out of order begins nothing and spoils what was begun.

    >>> upload = Upload()
    >>> upload.take("rows.csv", 0, 2, b"a,b")
    >>> upload.take("rows.csv", 1, 2, b"1,2")
    b'a,b1,2'
    """

    def __init__(self) -> None:
        self._name, self._parts, self._size = "", 0, 0
        self._held: list[bytes] = []

    def take(self, name: str, part: int, parts: int, data: bytes) -> bytes | None:
        """Take a part, and return the whole file with the last one.

        Errors      DataError for a part out of order, and more than 32 MiB in all; what was held is let go
        """
        if part == 0:
            self._name, self._parts, self._held, self._size = name, parts, [], 0
        held, self._held = self._held, []
        if (name, parts) != (self._name, self._parts) or part != len(held) or not 0 <= part < parts:
            raise DataError(line("outOfOrder", part=part + 1, parts=parts, name=repr(name[:60])))
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise DataError(line("tooLarge", name=repr(name[:60]), most=MOST_BYTES >> 20))
        if part + 1 < parts:
            self._held = [*held, data]
            return None
        return b"".join([*held, data])


def as_utf8(text: str) -> bytes:
    """Return the bytes of a part that is text.

    Errors      DataError for half a character, which JSON can hold and no text has
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(line("halfCharacter", letter=error.start + 1)) from None


def as_bytes(text: str) -> bytes:
    """Return what base64 stands for.

    Errors      DataError for a text that is none
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(line("noBase64")) from None


def table_messages(name: str, text: str, room: str = "network") -> Iterator[dict[str, Any]]:
    """Return the messages that send a table, as CSV, to a room.

    >>> [message["parts"] for message in table_messages("rows.csv", "a,b")]
    [1]
    """
    # Characters, not bytes, so that none is cut in half; a quarter of a part, as one takes up to 4 bytes.
    for part, parts, piece in _cut(text, PART_BYTES // 4 if not text.isascii() else PART_BYTES):
        yield {"room": room, "do": "table", "name": name, "part": part, "parts": parts, "text": piece}


def model_messages(name: str, data: bytes, room: str = "network") -> Iterator[dict[str, Any]]:
    """Return the messages that send a model file to a room."""
    for part, parts, piece in _cut(data, PART_BYTES // 4 * 3):  # base64 makes 4 bytes of 3
        text = base64.b64encode(piece).decode()
        yield {"room": room, "do": "load", "name": name, "part": part, "parts": parts, "base64": text}


def _cut(whole: Any, size: int) -> Iterator[tuple[int, int, Any]]:
    parts = max(1, -(-len(whole) // size))
    for part in range(parts):
        yield part, parts, whole[part * size : (part + 1) * size]
