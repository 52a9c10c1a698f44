"""The IDX format: arrays of numbers in a file, such as the images and labels of MNIST.

    0, 0, dtype, dimensions     one byte each
    sizes                       uint32, one for each dimension
    numbers                     in row-major order; all of it big-endian

Source      LeCun, Cortes & Burges, "The MNIST database of handwritten digits", section File formats
"""

from __future__ import annotations

import gzip
import math
import os
import stat
import zlib
from typing import BinaryIO, cast

import numpy as np

from minicolumn.errors import DataError, reason
from minicolumn.model.files import PathLike, shown

Array = np.ndarray
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# NumPy's own limit is 64; nobody has images of more.
MOST_DIMENSIONS = 32
# Deflate makes at most so many bytes of one.
MOST_DEFLATED = 1032
_CHUNK = 1 << 20


def read_idx(path: PathLike) -> Array:
    """Return the array in an IDX file, such as ``train-images-idx3-ubyte.gz``.

    path        of the file, plain or gzipped, whatever its name ends in
    Returns     uint8, int8, int16, int32, float32 or float64, in the shape that the file says: images of
                MNIST are uint8 [60000, 28, 28], labels uint8 [60000]
    Errors      DataError, in one line: no such file, another format, damaged, or of another length than its
                header says. No more memory is taken than the file can fill.
    Differs     torchvision and Keras download and unpickle or convert data sets; this opens one file

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "two-images-idx3-ubyte"
    >>> size = path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    >>> read_idx(path)
    array([[[1, 2, 3]],
    <BLANKLINE>
           [[4, 5, 6]]], dtype=uint8)
    """
    name = shown(path)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise DataError(f"{name} is no file that can be read to an end")
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not zipped:
                return _read(file, about.st_size, name)
            with gzip.GzipFile(fileobj=file) as inner:
                return _read(cast(BinaryIO, inner), about.st_size * MOST_DEFLATED, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is damaged or cut short: {error}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot read {name}: {reason(error)}") from None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a FIFO, too, at once, without waiting for who writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(stream: BinaryIO, room: int, name: str) -> Array:
    """Return the array of a stream; room: the most bytes that it can give."""
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in DTYPES:
        raise DataError(f"{name} is no IDX file: it does not begin with two zeros and a code of a dtype")
    dtype, dimensions = np.dtype(DTYPES[head[2]]), head[3]
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise DataError(f"{name} says it has {dimensions} dimensions; expected 1 to {MOST_DIMENSIONS}")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(f"{name} is cut short: it ends within its header")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    wanted = math.prod(shape) * dtype.itemsize
    says = f"{name} says it holds {dtype.newbyteorder('=').name} {list(shape)}, {wanted:,} bytes"
    if wanted + 4 + len(sizes) > room:
        raise DataError(f"{says}; the file is too short for that")
    data = _bytes_of(stream, wanted)
    if len(data) < wanted:
        raise DataError(f"{says}; it ends after {len(data):,}")
    if stream.read(1):
        raise DataError(f"{says}; more bytes follow")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _bytes_of(stream: BinaryIO, wanted: int) -> bytearray:
    """Return so many bytes of a stream, or those that there are; memory grows with what was read."""
    data = bytearray()
    while len(data) < wanted and (chunk := stream.read(min(_CHUNK, wanted - len(data)))):
        data += chunk
    return data
