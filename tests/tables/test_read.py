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
from hypothesis import given, settings
from hypothesis import strategies as st
from zstd_samples import zstd

from minicolumn import errors
from minicolumn.tables import builtin_names, builtin_target, read_table
from minicolumn.tables.files import unpack
from minicolumn.tables.files.delimited import load_delimited
from minicolumn.tables.files.reading import Reading

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
        ("t.csv", b"a,b\n1,2\ncaf\xe9,\x07\n", ["not text", "0x07"]),
        ("t.csv", b"\xff\xfea", ["is not utf-16 text", "--encoding"]),
        ("t.csv", "a,b\n1,2\n".encode("utf-16-le"), ["--encoding utf-16-le"]),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", ["line 3 has 3 fields", "names has 2"]),
        ("t.csv", b'a,b\n"x\ny",2\n3\n', ["line 4 has 1 fields"]),
        ("t.csv", b"a,b\n1,2\n3\n4,5\n", ["line 3 has 1 fields"]),
        ("t.csv", b'a,b\n1,2\n"3,4\n', ["line", "not closed"]),
        ("t.csv", b'a,b\n1,2\n"3"x,4\n', ["line 3"]),
        ("t.csv", b"PAR1,b\n1\n", ["line 2 has 1 fields"]),
        ("t.csv", b"a,b,a\n1,2,3\n", ["columns 1 and 3", "'a'"]),
        ("t.csv", b",,\n,,\n", ["no column has a name or a value"]),
        ("t.csv.gz", gzip.compress(TEXT * 50)[:-9], ["damaged or cut short"]),
        ("t.csv.gz", b"\x1f\x8b\x08nonsense", ["damaged"]),
        ("t.csv.bz2", bz2.compress(TEXT)[:-3], ["damaged"]),
        ("t.csv.xz", lzma.compress(TEXT)[:-3], ["damaged"]),
        ("t.csv.zst", zstd(TEXT)[:-3], ["damaged"]),
        ("t.csv.zip", zipped(TEXT, "a.csv", "b.csv"), ["exactly one table", "2 files"]),
        ("t.xlsx", zipped(TEXT, "[Content_Types].xml"), ["Office file"]),
        ("t.zip", b"PK\x03\x04 nonsense", ["damaged"]),
        ("t.jsonl", b'{"a":1}\nnot json\n', ["line 2"]),
        ("t.jsonl", b'{"a":1}\n[1,2]\n', ["line 2 holds a list"]),
        ("t.jsonl", b'{"a":NaN}\n', ["line 1", "write null"]),
        ("t.json", b"[1,2]", ["its value 1 is a int"]),
        ("t.json", b'{"a":\n1,}', ["line 2 is not JSON"]),
        ("t.json", b"3", ["holds a int"]),
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


def test_columns_without_rows_are_refused(tmp_path: Path) -> None:
    polars.DataFrame({"a": [1]}).clear().write_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "no rows")


@given(st.binary(max_size=3000).map(lambda noise: b"a\n" + noise.replace(b"\x01", b"").replace(b"\0", b"")))
@settings(deadline=None)  # polars packs it, in threads that others may hold up
def test_the_bound_of_zstd_holds(data: bytes) -> None:
    text = polars.DataFrame({"a": [str(data)] * 50}).write_csv().encode()
    assert unpack.zstd_bound(zstd(text)) >= len(text)


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
    loaded = load_delimited(text.getvalue().encode(), "t", Reading(separator=","))
    assert loaded.frame.rows() == rows


LINE = st.text(st.sampled_from('ab1,;\t|" \n\r.é'), max_size=60)


@given(LINE)
def test_any_text_is_read_as_python_reads_it_or_refused(text: str) -> None:
    data = text.encode()
    if not data.strip():
        return
    try:
        loaded = load_delimited(data, "t.csv", Reading(separator=","))
    except errors.DataError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - the message is what is tested
        return
    if loaded.notes:
        return  # where something was left out, it was said
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [[cell or "" for cell in row] for row in loaded.frame.rows()] == rows[1:]


def test_messages_name_the_file_not_the_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.DataError) as caught:
        read_table(write(tmp_path, "t.csv", b""))
    assert not re.search(re.escape(str(tmp_path)), str(caught.value))
