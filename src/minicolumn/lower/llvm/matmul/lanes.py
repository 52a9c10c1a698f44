"""Vectors of which only some lanes lie in memory, transposes in registers, and index arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from minicolumn.lower.llvm.codegen.emit import (
    Function,
    Loop,
    Value,
    const,
    const_lanes,
    element_of,
    index,
    lanes_of,
    size_of,
    vector,
)


def binary_pieces(count: int, most: int) -> list[tuple[int, int]]:
    """Return (offset, width) pieces of a run, the widths powers of two.

    >>> binary_pieces(14, 8)
    [(0, 8), (8, 4), (12, 2)]
    """
    pieces, at = [], 0
    while at < count:
        width = min(most, 1 << ((count - at).bit_length() - 1))
        pieces.append((at, width))
        at += width
    return pieces


def load_lanes(fn: Function, type: str, pointer: Value, count: int) -> Value:
    """Load the first `count` lanes; the others are 0, and their memory is not touched."""
    lanes = lanes_of(type)
    if count == lanes:
        return fn.load(type, pointer)
    mask = const_lanes(vector("i1", lanes), [lane < count for lane in range(lanes)])
    return fn.load_masked(type, pointer, mask)


def store_lanes(fn: Function, value: Value, pointer: Value, count: int) -> None:
    """Store the first `count` lanes, in pieces: AVX2 has masked stores, but they are slow."""
    element, lanes = element_of(value.type), lanes_of(value.type)
    for offset, width in binary_pieces(count, lanes):
        whole = width == lanes
        piece = value if whole else _piece(fn, value, offset, width)
        fn.store(piece, fn.at(pointer, offset, element))


def _piece(fn: Function, value: Value, offset: int, width: int) -> Value:
    return fn.lane(value, offset) if width == 1 else fn.shuffle(value, None, range(offset, offset + width))


def gather(fn: Function, type: str, pointers: Sequence[Value]) -> Value:
    """Load one element from each pointer; lanes beyond are 0."""
    value = const(type, 0)
    for lane, pointer in enumerate(pointers):
        loaded = fn.load(element_of(type), pointer)
        value = loaded if lanes_of(type) == 1 else fn.with_lane(value, lane, loaded)
    return value


def transpose(fn: Function, rows: Sequence[Value]) -> list[Value]:
    """Transpose a square of as many vectors as each has lanes."""
    rows = list(rows)
    lanes, inner = len(rows), min(len(rows), 16 // size_of(element_of(rows[0].type)))
    distance = lanes // 2
    while distance >= inner:  # blocks of 16 bytes change places: one instruction each
        rows = _swap_blocks(fn, rows, distance)
        distance //= 2
    return [x for at in range(0, lanes, inner) for x in _within_blocks(fn, rows[at : at + inner], inner)]


def _swap_blocks(fn: Function, rows: list[Value], d: int) -> list[Value]:
    out = list(rows)
    lanes = range(len(rows))
    for i in (i for i in lanes if not i & d):
        a, b = rows[i], rows[i + d]
        out[i] = fn.shuffle(a, b, [n if not n & d else len(rows) + n - d for n in lanes])
        out[i + d] = fn.shuffle(a, b, [n + d if not n & d else len(rows) + n for n in lanes])
    return out


def _within_blocks(fn: Function, rows: list[Value], inner: int) -> list[Value]:
    # A perfect shuffle, log2(inner) times: each step is an unpack of low or high halves of 16 bytes.
    lanes = lanes_of(rows[0].type)
    step, half = 1, inner // 2
    while step < inner:
        pairs = [(rows[i], rows[i + half]) for i in range(half)]
        rows = [_unpack(fn, a, b, lanes, inner, high) for a, b in pairs for high in (0, half)]
        step *= 2
    return rows


def _unpack(fn: Function, a: Value, b: Value, lanes: int, inner: int, high: int) -> Value:
    blocks = range(0, lanes, inner)
    return fn.shuffle(
        a, b, [p for at in blocks for i in range(inner // 2) for p in (at + high + i, lanes + at + high + i)]
    )


def times(fn: Function, value: Value, factor: int) -> Value:
    """Return value * factor, folded where it can be."""
    if not value.text.startswith("%"):
        return index(int(value.text) * factor)
    return value if factor == 1 else fn.op("mul", value, index(factor))


def plus(fn: Function, a: Value, b: Value | int) -> Value:
    """Return a + b, folded where it can be."""
    b = index(b) if isinstance(b, int) else b
    if a.text == "0" or b.text == "0":
        return b if a.text == "0" else a
    if not a.text.startswith("%") and not b.text.startswith("%"):
        return index(int(a.text) + int(b.text))
    return fn.op("add", a, b)


def minus(fn: Function, a: Value, b: Value | int) -> Value:
    """Return a - b, folded where it can be."""
    b = index(b) if isinstance(b, int) else b
    if not a.text.startswith("%") and not b.text.startswith("%"):
        return index(int(a.text) - int(b.text))
    return a if b.text == "0" else fn.op("sub", a, b)


def least(fn: Function, a: Value, b: Value | int) -> Value:
    """Return the smaller of two signed numbers."""
    return _extreme(fn, "smin", a, b)


def most(fn: Function, a: Value, b: Value | int) -> Value:
    """Return the larger of two signed numbers."""
    return _extreme(fn, "smax", a, b)


def _extreme(fn: Function, name: str, a: Value, b: Value | int) -> Value:
    b = index(b) if isinstance(b, int) else b
    if not a.text.startswith("%") and not b.text.startswith("%"):
        return index((min if name == "smin" else max)(int(a.text), int(b.text)))
    return fn.intrinsic(name, a, b)


@contextmanager
def walk(
    fn: Function, start: Value | int, stop: Value | int, step: int, *pointers: tuple[Value, Value]
) -> Iterator[Loop]:
    """Loop with pointers that go on by so many bytes: LLVM takes longer with products of the counter."""
    with fn.loop(start, stop, step, carried=[p for p, _ in pointers]) as loop:
        yield loop
        moved = zip(loop.carried, (distance for _, distance in pointers), strict=True)
        loop.next(*(fn.at(p, distance, "i8") for p, distance in moved))
