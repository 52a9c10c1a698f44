"""Bounds of reading: small files that mean something huge are refused in one line, within the memory said."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import polars
import pytest
from zstd_samples import zstd

from minicolumn import errors
from minicolumn.tables.files import unpack
from minicolumn.tables.files.memory import MOST_BY_DEFAULT, default_limit, free_memory
from minicolumn.tables.files.read import load_table, read_table
from minicolumn.tables.files.reading import Reading

LIMIT = Reading(max_memory=20_000_000)


def zstd_bomb(unpacked: int) -> bytes:
    """Return a zstd frame (RFC 8878) of blocks that repeat one byte 2**17 - 1 times each."""
    size = (1 << 17) - 1
    block = lambda last: (last | 1 << 1 | size << 3).to_bytes(3, "little") + b"1"  # noqa: E731
    return b"\x28\xb5\x2f\xfd\x00\x38" + block(0) * (unpacked // size) + block(1)


# A Parquet file of one text of 100,000 letters in 131,072 rows, 13 GB: a dictionary of one value. Writing it
# takes Polars 40 s, so here it is: zlib, then base 85.
REPEATED = zlib.decompress(
    base64.b85decode(
        b"c-qxey-EW?5S}|jNO463=eUI{t}(<PVzL@9XXQqMilUc*XnT4&4J4i<{#>lYBKQa*Dk*#b3w;MmAHmvp5S(2s?9=G5%-=UNd"
        b"^-#4i$)1k_;zO?-$We&Apbh|HGCRq&>??FHqqdI;Jp)w7EaIN)m0X=n8vid2>In?H0fKTPDp+@J4OJIqJa2mQlY`hkj^qo3("
        b"znrVZJ;V=JQx?FPHf<)Y-VsMxQhKh&}={iH>dV;fGEhpw4F3Qr$Q{MIF$X)M<~CuxS${m&t5q=WbH=zu2-l%%Evrr}0q-#gB"
        b"OAGQ@I1UfD84qp`ia)H^t8b^_~Go0Gz0K~j^da!zql|A|#<Lx`SOQMN8-e8Mj-WPV+U!{2pExf1UyT!E`XK|4Y=SJy>V*_xb"
        b"3qUwb3FR7_glaM@OwI;yY^5b^U?K%0A{^?PCJms7>yS-L??C?UVP;~P9XRUVVxRF=n`{8^Ph1`vz3J*&Q+^qyfFW_D|ig@G("
        b"&Cugh%$CpjsR8)(5qtx%3}><"
    )
)


def repeated_parquet(cell: str, rows: int) -> bytes:
    """Return a Parquet file of one text cell, dictionary-encoded: a few kilobytes for any number of rows."""
    packed = io.BytesIO()
    polars.DataFrame({"a": polars.Series([cell]).new_from_index(0, rows)}).write_parquet(packed)
    return packed.getvalue()


def refused(path: Path, reading: Reading, *words: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        read_table(path, reading)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


BOMBS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd, "csv": bytes}


@pytest.mark.parametrize("suffix", BOMBS)
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, suffix: str) -> None:
    text = b"a\n" + b"1\n" * 300_000
    packed = BOMBS[suffix](text)
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(packed)
    assert read_table(path, LIMIT).shape == (300_000, 1)

    def within(limit: int) -> bytes:  # as a file goes: read, then unpacked
        read = unpack.read_bounded(io.BytesIO(packed), "bomb", limit)
        return unpack.unpack(read, "bomb", limit)

    assert within(1 << 20).strip() == text.strip()
    with pytest.raises(errors.DataError, match=r"bomb: .* more than 0\.0954 MiB.*--max-memory"):
        within(100_000)
    refused(path, Reading(max_memory=1_000_000), "--max-memory")


def test_the_bound_is_exact() -> None:
    packed = gzip.compress(b"a\n1\n")
    assert unpack.unpack(packed, "t", 4) == b"a\n1\n"
    with pytest.raises(errors.DataError, match="more than"):
        unpack.unpack(packed, "t", 3)


def test_cells_are_counted_before_they_are_made(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b,c\n" + b",,\n" * 100_000)  # 300 kB of text, 4.8 MB of cells
    assert read_table(path, LIMIT).height == 100_000
    refused(path, Reading(max_memory=5_000_000), "100,001 rows of 3 columns")
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"{" + b",".join(b'"c%d":1' % k for k in range(1000)) + b"}\n" + b"{}\n" * 10_000)
    refused(path, LIMIT, "--max-memory")


def test_a_parquet_file_says_how_many_cells_it_has(tmp_path: Path) -> None:
    column = polars.repeat(1, 1 << 17, eager=True)
    polars.DataFrame({f"c{k}": column for k in range(64)}).write_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", LIMIT, "131,072 rows of 64 columns", "19.1 MiB", "--max-memory")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux bounds the address space")
@pytest.mark.parametrize("kind", ["parquet", "zst", "gz", "utf-16", "jsonl", "xlsx"])
def test_a_bomb_ends_in_one_line_and_never_in_an_abort(tmp_path: Path, kind: str) -> None:
    huge = 300_000_000  # bytes of text, more than half of what is left below
    path = tmp_path / f"bomb.{kind}"
    if kind == "parquet":
        path.write_bytes(REPEATED)
    elif kind == "zst":
        path.write_bytes(zstd_bomb(6 << 30))
    elif kind == "gz":
        path.write_bytes(gzip.compress(b"a\n" + b"x" * huge, 1))
    elif kind == "utf-16":
        path.write_bytes(gzip.compress(b"\xff\xfe" + b"a\0\n\0" + b"\x00\x4e" * (huge // 4), 1))
    elif kind == "jsonl":
        path.write_bytes(gzip.compress(b'{"a":1}\n' + b'{"a":[[[[[[[[]]]]]]]]}\n' * (huge // 20), 1))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/workbook.xml", b" " * huge)
    program = (
        "import resource, sys\n"
        "from minicolumn import errors\n"
        "from minicolumn.tables.files.read import read_table\n"
        "import polars\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29),) * 2)\n"
        "try: print(read_table(sys.argv[1]).shape)\n"
        "except errors.DataError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert "--max-memory" in done.stdout


def test_the_default_follows_what_is_free() -> None:
    free = free_memory()
    assert free is None or free > 0
    assert 0 < default_limit() <= MOST_BY_DEFAULT


def test_what_fits_is_read_with_the_types_it_has(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(repeated_parquet("x" * 1000, 1000))
    loaded = load_table(tmp_path / "t.parquet", LIMIT)
    assert loaded.notes == ()
    assert loaded.frame["a"].unique().to_list() == ["x" * 1000]


def test_lines_and_columns_are_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n1\n" + b"\n" * 1_000_000)  # a megabyte, of which each byte is a line
    refused(path, LIMIT, "in 1,000,002 lines", "--max-memory")
    path.write_bytes(b"," * 200_000 + b"\n")
    refused(path, LIMIT, "has 200,001 columns, at most 100,000 are read")
    path.write_bytes(b"a,b\n" + b"x" * 3_000_000 + b",1\n")
    refused(path, LIMIT, "has a row of 2.86 MiB", "--max-memory")


@pytest.mark.parametrize(
    "text",
    [
        b"a,b\n" + b"1" + b" " * 200_000 + b"x,2\n3,4\n5,6\n",
        b"a,b\n" + b"m-" * 100_000 + b"!,2\n3,4\n5,6\n",
        b'a b\n" 1 2\n' + b"3 4\n" * 100_000,
        b'a,b\n"' + b'""' * 300_000 + b'",2\n3,4\n',
        b"a" + b"(" * 300_000 + b"\n1\n",
    ],
    ids=["blanks", "units", "an open quote", "quotes", "brackets"],
)
def test_no_text_takes_long(tmp_path: Path, text: bytes) -> None:
    """What is tried on cells takes time in proportion to them: a square of it would not end here."""
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    for separator in (None, "space"):
        try:
            assert read_table(path, Reading(separator=separator)).height > 0
        except errors.DataError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
