"""Decompression: gzip, bzip2, xz, zstd and zip, recognised by magic number and bounded in size.

The bound stops decompression bombs: a few kilobytes can unpack to terabytes.

Source      RFC 1952 (gzip), RFC 8878 (zstd), the .xz file format, APPNOTE.TXT (zip)
Differs     pandas.read_csv goes by the suffix of the name and unpacks without a bound
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable
from typing import Protocol

from minicolumn.errors import DataError, first_line
from minicolumn.tables.files.apart import run_apart
from minicolumn.tables.files.reading import gibibytes, too_large

_CHUNK = 1 << 22
Opener = Callable[[bytes, str, int], bytes]  # of data, the file's name, and the most bytes to return


class Readable(Protocol):
    """A binary stream, as far as it is needed here."""

    def read(self, size: int, /) -> bytes:
        """Return at most this many bytes; none at the end."""
        ...


_ZSTD_BLOCK = 128 << 10  # RFC 8878 3.1.1.2: no block unpacks to more
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def unpack(data: bytes, name: str, limit: int) -> bytes:
    """Decompress a gzip, bzip2, xz, zstd or zip file; other bytes come back as they are.

    name        of the file, for messages
    limit       the most bytes that the content may have; no more than that is ever unpacked
    Errors      DataError: damaged, cut short, more content than `limit`, a zip of other than one file

    >>> unpack(gzip.compress(b"a,b"), "rows.csv.gz", 9), unpack(b"a,b", "rows.csv", 9)
    (b'a,b', b'a,b')
    """
    for magic, opener in _OPENERS.items():
        if data.startswith(magic):
            return _guarded(opener, data, name, limit)
    return data


def _guarded(opener: Opener, data: bytes, name: str, limit: int) -> bytes:
    """Run a decompressor; turn what it raises on damaged data into DataError."""
    try:
        return opener(data, name, limit)
    except DataError:
        raise
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            f"{name}: the compressed file is damaged or cut short ({first_line(error)})"
        ) from None
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{name}: the compressed file is damaged or cut short ({first_line(error)})"
        ) from None


def read_bounded(stream: Readable, name: str, limit: int) -> bytes:
    """Read a stream to its end, in chunks; DataError once it holds more than `limit` bytes."""
    whole = io.BytesIO()  # gives its bytes away without a copy
    while chunk := stream.read(min(_CHUNK, limit + 1)):
        if whole.tell() + len(chunk) > limit:
            raise _too_much(name, limit)
        whole.write(chunk)
    return whole.getvalue()


def _too_much(name: str, limit: int) -> DataError:
    return too_large(name, f"holds more than {gibibytes(limit)}", limit)


def _gzip(data: bytes, name: str, limit: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return read_bounded(stream, name, limit)


def _bzip2(data: bytes, name: str, limit: int) -> bytes:
    with bz2.BZ2File(io.BytesIO(data)) as stream:
        return read_bounded(stream, name, limit)


def _xz(data: bytes, name: str, limit: int) -> bytes:
    with lzma.LZMAFile(io.BytesIO(data)) as stream:
        return read_bounded(stream, name, limit)


def _zip(data: bytes, name: str, limit: int) -> bytes:
    """Return the one file in a zip archive, folders and what macOS adds aside; Office files are refused."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
        if any(m.filename == "[Content_Types].xml" for m in members):
            raise DataError(f"{name}: is an Office file (.docx?), not a table")
        if len(members) != 1:
            shown = ", ".join(m.filename for m in members[:4]) + (", ..." if len(members) > 4 else "")
            raise DataError(
                f"{name}: a zip must hold exactly one table, found {len(members)} files "
                f"({shown!a:.120}); unpack it"
            )
        with archive.open(members[0]) as stream:
            return read_bounded(stream, name, limit)


def _zstd(data: bytes, name: str, limit: int) -> bytes:
    """Return the content of zstd frames, once the bound from their headers is small enough."""
    if zstd_bound(data) > limit + _ZSTD_BLOCK:
        raise _too_much(name, limit)
    if sys.version_info >= (3, 14):
        from compression import zstd

        return read_bounded(zstd.ZstdFile(io.BytesIO(data)), name, limit)
    text = run_apart("zstd", data, name, limit).data
    if len(text) > limit:
        raise _too_much(name, limit)
    return text


def zstd_bound(data: bytes) -> int:
    """Return a bound of the unpacked size of zstd frames, found from the block headers alone.

    Source      RFC 8878, sections 3.1.1 (frames and blocks) and 3.1.2 (skippable frames)
    """
    total = position = 0
    while position + 4 <= len(data):
        magic = int.from_bytes(data[position : position + 4], "little")
        if magic >> 4 == 0x184D2A5:
            position += 8 + int.from_bytes(data[position + 4 : position + 8], "little")
        elif data[position : position + 4] == _ZSTD_MAGIC:
            size, position = _zstd_frame(data, position)
            total += size
        else:
            raise ValueError("unknown bytes between zstd frames")
    return total


def _zstd_frame(data: bytes, start: int) -> tuple[int, int]:
    """Return a bound of a frame's unpacked size, and the position after the frame."""
    descriptor = data[start + 4] if start + 4 < len(data) else 0
    single = descriptor >> 5 & 1
    content = (single, 2, 4, 8)[descriptor >> 6]
    position = start + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + content
    total, last = 0, False
    while not last:
        if position + 3 > len(data):
            raise EOFError("a zstd frame ends early")
        header = int.from_bytes(data[position : position + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        total += _ZSTD_BLOCK if kind == 2 else size
        position += 3 + (1 if kind == 1 else size)
    return total, position + (4 if descriptor & 4 else 0)


_OPENERS: dict[bytes, Opener] = {
    b"\x1f\x8b": _gzip,
    **{b"BZh%d1AY&SY" % level: _bzip2 for level in range(1, 10)},
    b"\xfd7zXZ\x00": _xz,
    _ZSTD_MAGIC: _zstd,
    b"PK\x03\x04": _zip,
}
