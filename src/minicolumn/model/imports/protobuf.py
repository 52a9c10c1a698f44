"""Protocol buffers, the wire format: fields of a message as (number, value), strictly bounded.

    message = field*        field = key value        key = number << 3 | wire type, a varint

Nothing is decoded that is not asked for: a message inside a message is its bytes until it is read itself, so
nesting is as deep as the reader of a schema goes, and no deeper.

Source      protobuf.dev, "Encoding"
Differs     the package `protobuf` builds all objects of a file at once, several times its size
"""

from __future__ import annotations

from collections.abc import Iterator

from minicolumn.errors import ModelFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | memoryview


def fields(data: memoryview, wanted: dict[int, int]) -> Iterator[tuple[int, Value]]:
    """Yield the fields of a message that are wanted; others are skipped.

    data        the whole message
    wanted      wire type by field number; a repeated number may also come packed, as BYTES
    Errors      ModelFileError, whose text begins with a verb: cut off, or a field of another wire type

    >>> list(fields(memoryview(bytes([8, 150, 1, 18, 2, 104, 105])), {1: VARINT}))
    [(1, 150)]
    """
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        number, wire = key >> 3, key & 7
        value, place = _value(data, place, wire)
        if number in wanted:
            if wire not in (wanted[number], BYTES):
                raise ModelFileError(f"is damaged: a field {number} has wire type {wire}")
            yield number, value


def varint(data: memoryview, place: int) -> tuple[int, int]:
    """Return an unsigned number of at most 64 bits, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ModelFileError("is cut off within a number")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise ModelFileError("is damaged: it has a number of more than 64 bits")


def signed(value: Value) -> int:
    """Return a number as an int64; ModelFileError for what is none.

    >>> signed(2**64 - 1)
    -1
    """
    if not isinstance(value, int):
        raise ModelFileError("is damaged: it has bytes in place of a number")
    return value - 2**64 if value >= 2**63 else value


def numbers(value: Value, most: int) -> list[int]:
    """Return one number, or all of a packed field; ModelFileError for more than `most`."""
    if isinstance(value, int):
        return [signed(value)]
    found, place = [], 0
    while place < len(value):
        if len(found) >= most:
            raise ModelFileError(f"has a list of more than {most:,} integers")
        one, place = varint(value, place)
        found.append(signed(one))
    return found


def chunk(value: Value) -> memoryview:
    """Return the bytes of a field; ModelFileError for what has none."""
    if isinstance(value, int):
        raise ModelFileError("is damaged: it has a number in place of bytes")
    return value


def text(value: Value, longest: int = 256) -> str:
    """Return a field as a text of at most `longest` bytes, which need not be printable.

    Errors      ModelFileError for what is longer, or not UTF-8
    """
    data = chunk(value)
    if len(data) > longest:
        raise ModelFileError(f"has a name of {len(data):,} bytes; at most {longest} are read")
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        raise ModelFileError("is damaged: it has a name that is not UTF-8") from None


def _value(data: memoryview, place: int, wire: int) -> tuple[Value, int]:
    """Return the value of a field, and where it ends."""
    if wire == VARINT:
        return varint(data, place)
    if wire == BYTES:
        size, place = varint(data, place)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        raise ModelFileError(f"is damaged: there is no wire type {wire} in use")
    if size > len(data) - place:
        raise ModelFileError(f"is cut off: {size:,} bytes are stated, {len(data) - place:,} follow")
    return data[place : place + size], place + size
