"""Frames: what a room answers, a JSON header and arrays, in one binary message.

    uint32 length of the header, little-endian | header, UTF-8 JSON, padded with spaces | array | array | ...

Header and arrays each begin at a multiple of 8 bytes, so that a page views them where they lie. The header
holds `room`, `kind`, `arrays` as a list of [name, dtype, shape], and whatever else the frame says.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.playground.lines import Line, read_line

Array = np.ndarray
DTYPES = ("uint8", "int32", "float32", "float64")  # each a typed array of JavaScript


@dataclass(frozen=True, eq=False)
class Frame:
    """What a room says: of a kind, with plain values as JSON holds them, and arrays.

    room    who says it
    kind    what it is: "state", "tick", "error", ...
    says    values as JSON holds them; NaN and infinities are written as null
    arrays  uint8, int32, float32 or float64, by name

    >>> frame = Frame("network", "tick", {"epoch": 3}, {"weights": np.zeros(2, np.float32)})
    >>> again = decoded(encoded(frame))
    >>> again.says, again.arrays["weights"]
    ({'epoch': 3}, array([0., 0.], dtype=float32))
    """

    room: str
    kind: str
    says: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def encoded(frame: Frame) -> bytes:
    """Return a frame as one binary message.

    Errors      TypeError for an array that a page has no view of
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in frame.arrays.items()}
    for name, array in arrays.items():
        if str(array.dtype) not in DTYPES:
            raise TypeError(f"{frame.kind}: {name}: arrays are {', '.join(DTYPES)}, not {array.dtype}")
    listed = [[name, str(array.dtype), list(array.shape)] for name, array in arrays.items()]
    header = {"room": frame.room, "kind": frame.kind, **_plain(dict(frame.says)), "arrays": listed}
    said = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = said.encode(errors="backslashreplace")  # half a character of a page becomes JSON's own \ud800
    text += b" " * (-(4 + len(text)) % 8)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays.values():
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        parts += [data, b"\0" * (-len(data) % 8)]
    return b"".join(parts)


def decoded(message: bytes) -> Frame:
    """Return the frame that a binary message holds.

    Errors      DataError for what is none
    """
    try:
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length], object_hook=read_line)
        arrays = dict(_arrays(message, 4 + length, header.pop("arrays")))
        return Frame(header.pop("room"), header.pop("kind"), header, arrays)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"this is no frame: {error}") from None


def _arrays(message: bytes, at: int, listed: list[list[Any]]) -> Iterator[tuple[str, Array]]:
    for name, dtype, shape in listed:
        if dtype not in DTYPES:
            raise ValueError(f"arrays are {', '.join(DTYPES)}, not {dtype}")
        array = np.frombuffer(message, np.dtype(dtype), math.prod(shape), at).reshape(shape)
        at += array.nbytes + -array.nbytes % 8
        yield name, array


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; what is no finite number becomes null."""
    if isinstance(value, Line):
        return _plain(value.plain)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
