"""IDX files: what is written is read, and whatever was damaged is one line."""

from __future__ import annotations

import gzip
import os
import re
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minicolumn as mc
from minicolumn.data.idx import DTYPES

CODES = {np.dtype(text).newbyteorder("="): code for code, text in DTYPES.items()}
SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)


def _idx(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an IDX file."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype], array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _read(folder: Path, data: bytes) -> np.ndarray:
    path = folder / "it-idx"
    path.write_bytes(data)
    return mc.data.read_idx(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@given(st.data())
def test_what_is_written_is_read(folder: Path, data: Any) -> None:
    array = data.draw(arrays.arrays(st.sampled_from(list(CODES)), SHAPES))
    for form in (_idx(array), gzip.compress(_idx(array), 1)):
        np.testing.assert_array_equal(_read(folder, form), array, strict=True)


@given(st.data())
def test_damaged_files_are_refused_in_one_line_or_read_as_what_they_say(folder: Path, data: Any) -> None:
    whole = _idx(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    form = data.draw(st.sampled_from([whole, gzip.compress(whole, 1, mtime=0)]))
    place = data.draw(st.integers(0, len(form) - 1))
    change = data.draw(st.sampled_from(["cut", "flip", "more"]))
    byte = bytes([form[place] ^ data.draw(st.integers(1, 255))])
    damaged = {"cut": form[:place], "flip": form[:place] + byte + form[place + 1 :], "more": form + b"\1"}[
        change
    ]
    if change != "flip":
        with pytest.raises(mc.DataError, match=r"\A.*\Z"):
            _read(folder, damaged)
        return
    # A number, a dtype of as many bytes, or what gzip does not check: its time, its system.
    with suppress(mc.DataError):
        assert _read(folder, damaged).nbytes == 120


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no IDX file"),
        (b"a,b\n1,2\n", "is no IDX file"),
        (b"\0\0\x07\1\0\0\0\1\0", "is no IDX file"),
        (b"\0\0\x08\0", "says it has 0 dimensions"),
        (b"\0\0\x08\x40", "says it has 64 dimensions"),
        (b"\0\0\x08\2\0\0\0\1", "ends within its header"),
        (_idx(np.zeros(5, np.uint8))[:-1], r"says it holds uint8 \[5\], 5 bytes; the file is too short"),
        (_idx(np.zeros(5, np.uint8)) + b"x", r"5 bytes; more bytes follow"),
        (gzip.compress(_idx(np.zeros(5, np.uint8))[:-1], mtime=0), "it ends after 4"),
        (gzip.compress(_idx(np.zeros(5, np.uint8)), mtime=0)[:-9], "is damaged or cut short"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(mc.DataError, match=message):
        _read(tmp_path, data)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_says_more_than_there_is_takes_no_memory(pack: Any, tmp_path: Path) -> None:
    huge = struct.pack(">BBBB4I", 0, 0, 0x0E, 4, *[2**32 - 1] * 4)
    some = struct.pack(">BBBBI", 0, 0, 8, 1, 2**16) + bytes(1000)
    for data in (huge, some):
        tracemalloc.start()
        with pytest.raises(mc.DataError, match="says it holds"):
            _read(tmp_path, pack(data))
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()


def test_files_that_are_none(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(mc.DataError, match=rf"cannot read .*{re.escape(path.name)}"):
            mc.data.read_idx(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(mc.DataError, match="no file that can be read to an end"):
        mc.data.read_idx(tmp_path / "pipe")
