"""Files in parts: a message holds 1 MiB at most, so a table or a model is sent in several.

{"name": "rows.csv", "part": 0, "parts": 2, "text": "..."}      parts come in order, from 0
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

PART_BYTES = 500_000  # of one part, before JSON and base64 make it longer
MOST_BYTES = 32 * 2**20  # of all parts together


def table_messages(name: str, text: str, room: str = "network") -> Iterator[dict[str, Any]]:
    """Return the messages that send a table, as CSV, to a room.

    >>> [message["parts"] for message in table_messages("rows.csv", "a,b")]
    [1]
    """
    # In characters, so that none is cut in half; each takes up to 4 bytes.
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
