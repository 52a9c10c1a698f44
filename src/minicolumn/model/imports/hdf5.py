"""HDF5 files, the classic layout: groups and arrays of numbers, as h5py writes them for Keras weights.

    superblock 0 -> root's symbol table -> B-tree of names -> object headers -> dataspace, datatype, layout

Read are superblock version 0, old-style groups and contiguous or compact arrays of floats and integers, which
is what Keras 3 writes. Chunks, filters, links to other files and later layouts are refused; attributes are
skipped.

Source      HDF5 File Format Specification, version 2.0 (support.hdfgroup.org)
Bounds      10,000 objects, names of 255 bytes, 16 levels of groups, arrays of 8 dimensions, in all no larger
            than the file
Differs     libhdf5 reads all of the format in C, with a long record of memory errors on hostile files; this
            needs no package, and a damaged file is one line
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from minicolumn.errors import ModelFileError

Array = np.ndarray
MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 10_000
MAX_DEPTH = 16
MAX_RANK = 8
_DATASPACE, _DATATYPE, _LAYOUT, _FILTERS, _CONTINUATION, _SYMBOLS = 0x01, 0x03, 0x08, 0x0B, 0x10, 0x11
_EXTERNAL, _LINK_INFO, _LINK = 0x07, 0x02, 0x06
# Standard IEEE floats by size: exponent and mantissa as the datatype message writes them.
_FLOATS = {2: (10, 5, 0, 10), 4: (23, 8, 0, 23), 8: (52, 11, 0, 52)}
Message = tuple[int, memoryview]


def read_arrays(data: bytes | bytearray) -> dict[str, Array]:
    """Return the arrays of an HDF5 file's bytes, by their paths, such as "layers/dense/vars/0".

    Errors      ModelFileError; its text begins with a verb
    """
    if data[:8] != MAGIC:
        raise ModelFileError("is no HDF5 file")
    return _Reader(memoryview(data)).arrays()


@dataclass
class _Reader:
    """A walk through the objects of a file; each is visited once."""

    data: memoryview
    visited: set[int] = field(default_factory=set)
    taken: int = 0  # bytes of all arrays so far

    def arrays(self) -> dict[str, Array]:
        head = self._bytes(0, 96)
        if head[8] != 0 or head[13] != 8 or head[14] != 8:
            raise ModelFileError("is an HDF5 file of another layout; Keras and h5py write the classic one")
        if _number(head, 24) != 0:
            raise ModelFileError("is an HDF5 file with something in front of it")
        found: dict[str, Array] = {}
        waiting = [("", _number(head, 64), 0)]
        while waiting:
            path, address, depth = waiting.pop()
            messages = self._messages(address)
            kinds = {kind for kind, _ in messages}
            if _SYMBOLS in kinds:
                if depth >= MAX_DEPTH:
                    raise ModelFileError(f"nests groups deeper than {MAX_DEPTH}")
                table = next(body for kind, body in messages if kind == _SYMBOLS)
                inner = self._entries(_number(table, 0), _number(table, 8))
                waiting += [(f"{path}/{name}".strip("/"), place, depth + 1) for name, place in inner]
            elif kinds & {_LINK_INFO, _LINK}:
                raise ModelFileError("is an HDF5 file with groups of another layout")
            else:
                found[path] = self._array(path, messages)
        return found

    def _bytes(self, start: int, size: int) -> memoryview:
        """Return some bytes of the file; ModelFileError where it does not have them."""
        if not 0 <= start <= len(self.data) - size or size < 0:
            raise ModelFileError("is damaged: an address leads out of the file")
        return self.data[start : start + size]

    def _visit(self, address: int) -> None:
        if address in self.visited:
            raise ModelFileError("is damaged: it goes round in a circle")
        self.visited.add(address)
        if len(self.visited) > MAX_OBJECTS:
            raise ModelFileError(f"has more than {MAX_OBJECTS:,} objects")

    def _messages(self, address: int) -> list[Message]:
        """Return the messages of an object header, of all its blocks."""
        self._visit(address)
        head = self._bytes(address, 16)
        if head[0] != 1:
            raise ModelFileError("is damaged, or an HDF5 file with object headers of another layout")
        blocks, found = [(address + 16, _number(head, 8, 4))], []
        while blocks:
            start, size = blocks.pop()
            for kind, body in self._block(start, size):
                if kind == _CONTINUATION:
                    self._visit(_number(body, 0))
                    blocks.append((_number(body, 0), _number(body, 8)))
                found.append((kind, body))
            if len(found) > MAX_OBJECTS:
                raise ModelFileError("is damaged: an object has too many messages")
        return found

    def _block(self, start: int, size: int) -> Iterator[Message]:
        block, place = self._bytes(start, size), 0
        while place + 8 <= size:
            kind, length = _number(block, place, 2), _number(block, place + 2, 2)
            if place + 8 + length > size:
                raise ModelFileError("is damaged: a message is longer than its block")
            if block[place + 4] & 2:
                raise ModelFileError("is an HDF5 file with shared messages, which are not read")
            yield kind, block[place + 8 : place + 8 + length]
            place += 8 + length

    def _entries(self, tree: int, heap: int) -> list[tuple[str, int]]:
        """Return names and addresses in a group: those of all leaves of its B-tree."""
        header = self._bytes(heap, 32)
        if bytes(header[:4]) != b"HEAP":
            raise ModelFileError("is damaged: a group has no names")
        names = self._bytes(_number(header, 24), _number(header, 8))
        found, waiting = [], [tree]
        while waiting:
            address = waiting.pop()
            self._visit(address)
            node = self._bytes(address, 24)
            if bytes(node[:4]) != b"TREE" or node[4] != 0:
                raise ModelFileError("is damaged: a group has no B-tree")
            count = _number(node, 6, 2)
            children = self._bytes(address + 24, 8 + 16 * count)
            places = [_number(children, 8 + 16 * n) for n in range(count)]
            if node[5]:
                waiting += places
            else:
                found += [entry for place in places for entry in self._leaf(place, names)]
        if len({name for name, _ in found}) < len(found):
            raise ModelFileError("is damaged: a group has a name twice")
        return found

    def _leaf(self, address: int, names: memoryview) -> Iterator[tuple[str, int]]:
        self._visit(address)
        head = self._bytes(address, 8)
        if bytes(head[:4]) != b"SNOD":
            raise ModelFileError("is damaged: a B-tree has no leaf")
        count = _number(head, 6, 2)
        entries = self._bytes(address + 8, 40 * count)
        for n in range(count):
            if _number(entries, 40 * n + 16, 4) == 2:
                raise ModelFileError("has a symbolic link, which is not followed")
            yield _name(names, _number(entries, 40 * n)), _number(entries, 40 * n + 8)

    def _array(self, path: str, messages: list[Message]) -> Array:
        """Return the numbers of a dataset."""
        parts = dict(reversed(messages))  # of each kind the first
        if {_FILTERS, _EXTERNAL} & set(parts):
            raise ModelFileError(f"has {path[:60]!a} compressed or in another file, which is not read")
        if not {_DATASPACE, _DATATYPE, _LAYOUT} <= set(parts):
            raise ModelFileError(f"is damaged: {path[:60]!a} is no array")
        shape = _shape(parts[_DATASPACE])
        dtype = _dtype(path, parts[_DATATYPE])
        size = math.prod(shape) * dtype.itemsize
        raw = self._stored(path, parts[_LAYOUT], size)
        return np.frombuffer(raw, dtype).astype(dtype.newbyteorder("=")).reshape(shape)

    def _stored(self, path: str, layout: memoryview, size: int) -> memoryview:
        """Return the bytes of a dataset, as many as its shape needs."""
        version, kind = _number(layout, 0, 1), _number(layout, 1, 1)
        if version != 3 or kind not in (0, 1):
            raise ModelFileError(f"has {path[:60]!a} in chunks, which are not read; save it contiguous")
        if not size:
            return memoryview(b"")
        self.taken += size
        if self.taken > len(self.data):  # many arrays over the same bytes would take all memory
            raise ModelFileError("is damaged: its arrays are larger than the file")
        if kind == 0:
            raw = layout[4 : 4 + _number(layout, 2, 2)]
        else:
            raw = self._bytes(_number(layout, 2), _number(layout, 10))
        if len(raw) != size:
            raise ModelFileError(
                f"is damaged: {path[:60]!a} has {len(raw):,} bytes, its shape needs {size:,}"
            )
        return raw


def _number(data: memoryview, start: int, size: int = 8) -> int:
    """Return an unsigned little-endian number; ModelFileError where the data end before."""
    if start + size > len(data):
        raise ModelFileError("is damaged: a record is cut off")
    return int.from_bytes(data[start : start + size], "little")


def _name(names: memoryview, start: int) -> str:
    """Return a name of a heap, which a zero ends."""
    found = bytes(names[start : start + 256]).split(b"\0")[0]
    try:
        name = found.decode()
    except UnicodeDecodeError:
        raise ModelFileError("is damaged: it has a name that is not UTF-8") from None
    if not 0 < len(name) < 256 or not name.isprintable() or "/" in name:
        raise ModelFileError("has a name that is empty, not printable or too long")
    return name


def _shape(body: memoryview) -> tuple[int, ...]:
    version, rank = _number(body, 0, 1), _number(body, 1, 1)
    if version not in (1, 2) or rank > MAX_RANK or (version == 2 and _number(body, 3, 1) == 2):
        raise ModelFileError("has an array of an unknown kind of shape")
    start = 8 if version == 1 else 4
    shape = tuple(_number(body, start + 8 * n) for n in range(rank))
    if math.prod(max(n, 1) for n in shape) > 2**31:
        raise ModelFileError("is damaged: it has an array of an impossible shape")
    return shape


def _dtype(path: str, body: memoryview) -> np.dtype:
    """Return the dtype of floats or integers; others are refused."""
    kind, order, size = _number(body, 0, 1) & 15, "<>"[_number(body, 1, 1) & 1], _number(body, 4, 4)
    if kind == 1 and size in _FLOATS:
        exponent, bits, mantissa, width = (_number(body, 12 + n, 1) for n in range(4))
        if (exponent, bits, mantissa, width) == _FLOATS[size]:
            return np.dtype(f"{order}f{size}")
    if kind == 0 and size in (1, 2, 4, 8):
        return np.dtype(f"{order}{'i' if _number(body, 1, 1) & 8 else 'u'}{size}")
    raise ModelFileError(f"has {path[:60]!a} of a datatype that is not read")
