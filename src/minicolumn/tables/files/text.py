"""Text decoding: bytes of an encoding that is said, marked or guessed, to UTF-8.

Source      the byte order marks of Unicode 16, section 23.8; WHATWG Encoding for cp1252 as what is meant by
            most text that is no UTF-8
Differs     pandas.read_csv stops at the first byte that is no UTF-8; chardet guesses by letter frequencies
"""

from __future__ import annotations

import codecs
import io
import re

from minicolumn.errors import DataError
from minicolumn.tables.files.reading import Reading, too_large

_MARKS = (  # the longer first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x7fELF": "a program",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"FEA1": "a Feather file of version 1",
    b"<?xml": "an XML document",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"HEADER RECORD*******LIBRARY": "a SAS transport file",
    b"$FL2": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"RDX": "an R data file",
}
EXPECTED = "expected CSV, TSV, JSON, Parquet, Arrow or a spreadsheet"
_UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x7f]")  # none of them is in text of any 8-bit encoding
_CHUNK = 1 << 22


def decode(data: bytes, name: str, reading: Reading, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """Return text as UTF-8 without a byte order mark, and a note where its encoding was guessed.

    Order       the encoding that was said; a byte order mark; UTF-8; cp1252; latin-1 where a byte is not
                in cp1252
    limit       the most bytes of UTF-8
    Errors      DataError: a well-known binary format, a zero byte, text that is not in the encoding
    """
    if reading.encoding is not None and codecs.lookup(reading.encoding).name != "utf-8":
        return _recoded(data, name, reading.encoding, limit), ()
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _recoded(data, name, encoding, limit), ()
    _refuse_binary(data, name)
    if not reading.skip_rows:
        _refuse_arff(data, name)
    wrong = _first_wrong(data)
    if wrong is None:
        return data.removeprefix(codecs.BOM_UTF8), ()
    where = f"byte 0x{data[wrong]:02x} in line {data.count(bytes([10]), 0, wrong) + 1}"
    if reading.encoding is not None:
        raise DataError(f"{name}: is not UTF-8 ({where}); leave --encoding out, or name another one")
    if control := _CONTROL.search(data):
        raise DataError(
            f"{name}: is not text (byte 0x{data[control.start()]:02x} at {control.start()}); {EXPECTED}"
        )
    encoding = "latin-1" if _UNDEFINED_IN_CP1252.search(data) else "cp1252"
    note = f"read as {encoding}, since it is not UTF-8 ({where}); --encoding to say otherwise"
    return _recoded(data, name, encoding, limit), (note,)


def _first_wrong(data: bytes) -> int | None:
    """Return the place of the first byte that is no UTF-8; in chunks, so that no second copy is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for begin in range(0, max(len(data), 1), _CHUNK):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(view[begin : begin + _CHUNK], begin + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return begin - held + error.start
    return None


def _recoded(data: bytes, name: str, encoding: str, limit: int) -> bytes:
    """Return text of another encoding as UTF-8, bounded; DataError for what is not of that encoding."""
    whole, view = io.BytesIO(), memoryview(data)
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        for begin in range(0, max(len(data), 1), _CHUNK):
            piece = bytes(view[begin : begin + _CHUNK])
            whole.write(decoder.decode(piece, begin + _CHUNK >= len(data)).encode())
            if whole.tell() > limit:
                raise too_large(name, "holds too much text", limit)
    except UnicodeError:
        # One message for all encodings: what Python says of multi-byte ones names no place in the file.
        raise DataError(
            f"{name}: is not {encoding} text; name another --encoding, or save it as UTF-8"
        ) from None
    text = whole.getvalue().removeprefix(codecs.BOM_UTF8)
    if (place := text.find(b"\0")) >= 0:
        raise DataError(f"{name}: is not text in {encoding} (a zero character at {place}); {EXPECTED}")
    return text


def _refuse_binary(data: bytes, name: str) -> None:
    """Refuse well-known binary formats by their magic numbers, and any text with a zero byte."""
    for magic, kind in _SIGNATURES.items():
        # Letters alone may be the first name of a table: "ORC,b".
        if data.startswith(magic) and not (magic.isalnum() and b"\0" not in data[:_CHUNK]):
            raise DataError(f"{name}: is {kind}, not a table that is read here; {EXPECTED}")
    if (place := data.find(b"\0")) < 0:
        return
    head = data[: 1 << 12]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(head) >= 4
            and head[offset::2].count(0) > 0.4 * len(head)
            and not head[1 - offset :: 2].count(0)
        ):
            raise DataError(f"{name}: looks like UTF-16 without a byte order mark; say --encoding {encoding}")
    raise DataError(f"{name}: is not text (a zero byte at {place}); {EXPECTED}")


def _refuse_arff(data: bytes, name: str) -> None:
    """Refuse a file of Weka, whose rows are delimited text below a line @data."""
    if not re.match(rb"(\s|%[^\n]*\n)*@relation\b", data[:_CHUNK], re.IGNORECASE):
        return
    if (line := re.search(rb"(?im)^@data\s*$", data[:_CHUNK])) is not None:
        rows = data.count(b"\n", 0, line.end()) + (data[line.end() - 1 : line.end()] != b"\n")
        raise DataError(f"{name}: is an ARFF file; its rows are read by --skip-rows {rows} --no-header")
