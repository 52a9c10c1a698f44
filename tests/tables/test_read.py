"""Reading files: every format gives the same table, every broken file one line that names the trouble."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import re
import zipfile
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn import errors
from minicolumn.tables import builtin_names, builtin_target, read_table, unpack
from minicolumn.tables.delimited import parse_delimited

TEXT = b'name,size\n"a, b",1\nc,2.5\n'
ROWS = [("a, b", "1"), ("c", "2.5")]


def refused(path: Path | str, *words: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def zipped(data: bytes, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


def zstd(data: bytes) -> bytes:
    packed = io.BytesIO()
    polars.read_csv(data, infer_schema=False).write_csv(packed, compression="zstd")
    return packed.getvalue()


def label(value: object) -> str | None:
    """Return a name for file contents: the same in every process, though packers write down the time."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("t.csv", TEXT),
        ("t.csv", b"\xef\xbb\xbf" + TEXT),
        ("t.csv", TEXT.decode().encode("utf-16")),
        ("t.csv", TEXT.replace(b"\n", b"\r\n")),
        ("t.csv", TEXT.replace(b"\n", b"\r")),
        ("t.csv", TEXT.rstrip()),
        ("t.csv", TEXT.replace(b"\n", b"\n\n") + b"\n\n"),
        ("t.csv", b"\r\n\r\n" + TEXT.replace(b"\n", b"\r\n\r\n")),
        ("t.txt", TEXT.replace(b"name,size", b" name , size")),
        ("t.csv", b'name;size\n"a, b";1\nc;2.5\n'),
        ("t.csv", b"name|size\na, b|1\nc|2.5\n"),
        ("t.tsv", b"name\tsize\na, b\t1\nc\t2.5\n"),
        ("t.csv", b"name\tsize\na, b\t1\nc\t2.5\n"),
        ("t.jsonl", b'{"name":"a, b","size":"1"}\n{"name":"c","size":"2.5"}\n'),
        ("t", b'{"name":"a, b","size":"1"}\n\n{"name":"c","size":"2.5"}'),
        ("t.csv.gz", gzip.compress(TEXT)),
        ("t.csv.gz", gzip.compress(TEXT[:12]) + gzip.compress(TEXT[12:])),
        ("misnamed.csv", gzip.compress(TEXT)),
        ("t.csv.bz2", bz2.compress(TEXT)),
        ("t.csv.xz", lzma.compress(TEXT)),
        ("t.csv.zst", zstd(TEXT)),
        ("t.csv.zip", zipped(TEXT, "t.csv")),
        ("t.ndjson.gz", gzip.compress(b'{"name":"a, b","size":"1"}\n{"name":"c","size":"2.5"}\n')),
    ],
    ids=label,
)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str, packed: bytes) -> None:
    frame = read_table(write(tmp_path, name, packed))
    assert frame.columns == ["name", "size"]
    assert frame.rows() == ROWS


def test_parquet_keeps_types(tmp_path: Path) -> None:
    frame = polars.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").equals(frame)
    packed = gzip.compress((tmp_path / "t.parquet").read_bytes())
    assert read_table(write(tmp_path, "t.parquet.gz", packed)).equals(frame)


def test_cells_stay_raw_strings(tmp_path: Path) -> None:
    frame = read_table(write(tmp_path, "t.csv", b"a,b,c\n007, x ,1e3\n,NA,true\n"))
    assert frame.rows() == [("007", " x ", "1e3"), (None, "NA", "true")]


def test_quotes_inside_unquoted_fields_and_line_ends_inside_quoted_ones(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", b'a,b\n4" pipe,5\n"two\nlines","say ""hi"""\n\n6" pipe,7\n')
    assert read_table(path).rows() == [('4" pipe', "5"), ("two\nlines", 'say "hi"'), ('6" pipe', "7")]


def test_built_in_data() -> None:
    assert builtin_names() == ("penguins",)
    frame = read_table("penguins")
    assert frame[builtin_target("penguins")].n_unique() == 3
    with pytest.raises(errors.DataError, match="did you mean 'penguins'"):
        builtin_target("pinguins")


def test_a_missing_file_is_looked_for_nearby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "flowers.csv", TEXT)
    refused(tmp_path / "flowerz.csv", "did you mean 'flowers.csv'")
    refused(tmp_path / "no" / "such.csv", "there is no folder")
    monkeypatch.chdir(tmp_path)
    refused("pinguins", "did you mean 'penguins'")
    refused("zzz", "built-in data set (penguins)")
    refused(tmp_path, "is a folder")
    refused("bad\0name", "cannot be read")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", TEXT)
    path.chmod(0)
    refused(path, "permissions")


def test_permission_errors_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(tmp_path / "t.csv", "permissions")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"", ["empty"]),
        ("t.csv", b" \n\n", ["empty"]),
        ("t.csv", b"\xef\xbb\xbf", ["empty"]),
        ("t.csv", b"a,b\n", ["no rows"]),
        ("t.csv", b"a,b\n\n\n", ["no rows"]),
        ("t.csv", b"\x89PNG\r\n\x1a\n\0\0", ["PNG picture"]),
        ("t.csv", b"%PDF-1.7 ...", ["PDF"]),
        ("t.csv", b"\x80\x04\x95 pickle", ["pickle"]),
        ("t.csv", b"a,b\n1,\x00\n", ["zero byte at 6"]),
        ("t.csv", b"a,b\n1,2\ncaf\xe9,3\n", ["line 3", "0xe9", "UTF-8"]),
        ("t.csv", b"\xff\xfea", ["UTF-16"]),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", ["line 3 has 3 fields", "names has 2"]),
        ("t.csv", b'a,b\n"x\ny",2\n3\n', ["line 4 has 1 fields"]),
        ("t.csv", b"a,b\n1,2\n3\n4,5\n", ["line 3 has 1 fields"]),
        ("t.csv", b'a,b\n1,2\n"3,4\n', ["line", "not closed"]),
        ("t.csv", b'a,b\n1,2\n"3"x,4\n', ["line 3"]),
        ("t.csv", b"a,b,a\n1,2,3\n", ["columns 1 and 3", "'a'"]),
        ("t.csv", b"a, ,c\n1,2,3\n", ["column 2 of 3 has no name"]),
        ("t.csv", b",a\n0,2\n", ["column 1 of 2 has no name"]),
        ("t.csv.gz", gzip.compress(TEXT * 50)[:-9], ["damaged or cut short"]),
        ("t.csv.gz", b"\x1f\x8b\x08nonsense", ["damaged"]),
        ("t.csv.bz2", bz2.compress(TEXT)[:-3], ["damaged"]),
        ("t.csv.xz", lzma.compress(TEXT)[:-3], ["damaged"]),
        ("t.csv.zst", zstd(TEXT)[:-3], ["damaged"]),
        ("t.csv.zip", zipped(TEXT, "a.csv", "b.csv"), ["exactly one table", "2 files"]),
        ("t.xlsx", zipped(TEXT, "[Content_Types].xml"), ["save the sheet as CSV"]),
        ("t.zip", b"PK\x03\x04 nonsense", ["damaged"]),
        ("t.jsonl", b'{"a":1}\nnot json\n', ["line 2"]),
        ("t.jsonl", b'{"a":1}\n[1,2]\n', ["line 2 holds a list"]),
        ("t.jsonl", b'{"a":NaN}\n', ["line 1", "write null"]),
        ("t.jsonl", b'{"a":1}\n{"a":true}\n', ["several types"]),
        ("t.jsonl", b'{"a":{"b":1}}\n', ["column 'a'", "one plain value"]),
        ("t.jsonl", b'{"a":1}\n{"a":[1,2]}\n', ["column 'a'", "one plain value"]),
        ("t.jsonl", b"{}\n", ["no columns"]),
        ("t.jsonl", b'{" ":1}\n', ["no name"]),
        ("t.parquet", b"PAR1 nonsense PAR1", ["Parquet file is damaged"]),
    ],
    ids=label,
)
def test_broken_files_are_refused_in_one_line(
    tmp_path: Path, name: str, data: bytes, words: list[str]
) -> None:
    refused(write(tmp_path, name, data), name, *words)


def test_nested_parquet_is_refused(tmp_path: Path) -> None:
    polars.DataFrame({"a": [[1], [2, 3]]}).write_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "column 'a'", "lists")
    polars.DataFrame({"a": [1]}).clear().write_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "no rows")


BOMBS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
    "csv": bytes,
}


@pytest.mark.parametrize("suffix", BOMBS)
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, suffix: str) -> None:
    text = b"a\n" + b"1\n" * 300_000
    packed = BOMBS[suffix](text)
    assert read_table(write(tmp_path, f"bomb.{suffix}", packed)).shape == (300_000, 1)

    def within(limit: int) -> bytes:  # as a file goes: read, then unpacked
        read = unpack.read_bounded(io.BytesIO(packed), "bomb", limit)
        return unpack.unpack(read, "bomb", limit)

    assert within(1 << 20).strip() == text.strip()
    with pytest.raises(errors.DataError, match=r"bomb: .* more than 9\.31e-05 GiB"):
        within(100_000)


def test_the_bound_is_exact() -> None:
    packed = BOMBS["gz"](b"a\n1\n")
    assert unpack.unpack(packed, "t", 4) == b"a\n1\n"
    with pytest.raises(errors.DataError, match="more than"):
        unpack.unpack(packed, "t", 3)


def test_a_file_of_a_few_bytes_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    # RFC 8878: a frame of blocks that repeat one byte 2**17 - 1 times each; the last one is marked.
    size = (1 << 17) - 1
    block = lambda last: (last | 1 << 1 | size << 3).to_bytes(3, "little") + b"1"  # noqa: E731
    blocks = (2 << 30) // size + 1
    bomb = b"\x28\xb5\x2f\xfd\x00\x38" + block(0) * (blocks - 1) + block(1)
    refused(write(tmp_path, "bomb.csv.zst", bomb), "more than 2 GiB")


def test_a_parquet_file_of_too_many_cells_is_refused(tmp_path: Path) -> None:
    # Cells that are all alike take no room: 2**19 rows of 2**10 + 1 columns are a small file.
    column = polars.repeat(True, 1 << 19, eager=True)
    frame = polars.DataFrame({f"c{k}": column for k in range((1 << 10) + 1)})
    frame.write_parquet(tmp_path / "t.parquet", statistics=False)
    refused(tmp_path / "t.parquet", "524,288 rows of 1,025 columns", "2**29 cells")


@given(st.binary(max_size=3000).map(lambda noise: b"a\n" + noise.replace(b"\x01", b"").replace(b"\0", b"")))
def test_the_bound_of_zstd_holds(data: bytes) -> None:
    packed = io.BytesIO()
    frame = polars.DataFrame({"a": [str(data)] * 50})
    frame.write_csv(packed, compression="zstd")
    assert unpack.zstd_bound(packed.getvalue()) >= len(frame.write_csv().encode())


def test_skippable_and_raw_zstd_frames() -> None:
    raw = b"\x28\xb5\x2f\xfd\x20\x03" + ((3 << 3) | 1).to_bytes(3, "little") + b"a\n1"
    repeated = b"\x28\xb5\x2f\xfd\x20\x64" + ((100 << 3) | 3).to_bytes(3, "little") + b"x"
    skipped = b"\x50\x2a\x4d\x18\x02\0\0\0zz"
    assert unpack.zstd_bound(raw + skipped + repeated) == 103
    with pytest.raises(EOFError):
        unpack.zstd_bound(raw[:7])


CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs"]), min_size=1, max_size=6
).filter(str.strip)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELL] * width), min_size=1, max_size=8)))
def test_what_csv_writes_is_read_back(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([f"c{place}" for place in range(len(rows[0]))])
    writer.writerows(rows)
    assert parse_delimited(text.getvalue().encode(), "t", ",").rows() == rows


LINE = st.text(st.sampled_from('ab1,;\t|" \n\r.é'), max_size=60)


@given(LINE)
def test_any_text_is_read_as_python_reads_it_or_refused(text: str) -> None:
    data = text.encode()
    if not data.strip():
        return
    try:
        frame = parse_delimited(data, "t.csv", ",")
    except errors.DataError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
        return
    if "\r" in text:
        return  # where line ends are mixed, Python's csv also breaks at a lone \r
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [[cell or "" for cell in row] for row in frame.rows()] == rows[1:]


def test_messages_name_the_file_not_the_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.DataError) as caught:
        read_table(write(tmp_path, "t.csv", b""))
    assert not re.search(re.escape(str(tmp_path)), str(caught.value))
