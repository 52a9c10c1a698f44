"""Columnar files: Parquet, Arrow and spreadsheets to frames, each decoded apart first.

Source      parquet.apache.org (magic PAR1); arrow.apache.org/docs/format/Columnar.html (ARROW1, streams);
            ECMA-376 (.xlsx) and ISO 26300 (.ods) as calamine reads them
"""

from __future__ import annotations

import importlib.util
import io
import zipfile
from typing import TYPE_CHECKING

from minicolumn.errors import DataError, first_line
from minicolumn.tables.files.apart import run_apart
from minicolumn.tables.files.decoding import decode
from minicolumn.tables.files.reading import Reading, gibibytes, too_large

if TYPE_CHECKING:
    import polars

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAM = b"\xff\xff\xff\xff"  # continuation marker of Arrow's stream; the length of the schema follows
_HEAD = 1 << 12
KINDS = {"parquet": "Parquet file", "ipc": "Arrow file", "ipc_stream": "Arrow stream"}


def columnar_job(data: bytes) -> str | None:
    """Return the job of `decoding` that reads a columnar file, by its first bytes; None for other files."""
    if data.startswith(b"PAR1") and (data.endswith(b"PAR1") or b"\0" in data[:_HEAD]):
        return "parquet"  # the letters alone may be the first name of a table
    if data.startswith(b"ARROW1\0"):
        return "ipc"
    return "ipc_stream" if data.startswith(_STREAM) and len(data) > 8 else None


def read_columnar(job: str, data: bytes, name: str, limit: int) -> polars.DataFrame:
    """Return the frame of a columnar file, which keeps the types of its columns.

    Errors      DataError: it is damaged, or takes more than `limit` bytes
    """
    import polars

    try:
        run_apart(job, data, name, limit)
        return decode(job, data)
    except DataError:
        raise
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, ValueError, OSError) as error:
        raise DataError(f"{name}: the {KINDS[job]} is damaged ({first_line(error)})") from None


def is_spreadsheet(data: bytes) -> bool:
    """Return whether bytes are a spreadsheet of Excel, old or new, or of LibreOffice."""
    if data.startswith(_OLD_OFFICE):
        return True
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError):
        return False
    books = {"xl/workbook.xml", "xl/workbook.bin"}
    return bool(books & set(names)) or {"mimetype", "content.xml", "META-INF/manifest.xml"} <= set(names)


def read_spreadsheet(data: bytes, name: str, reading: Reading) -> tuple[bytes, tuple[str, ...]]:
    """Return a sheet's cells as CSV, and a note where one of several was chosen.

    Errors      DataError: fastexcel is not installed, no such sheet, damaged, too large
    """
    if importlib.util.find_spec("fastexcel") is None:
        raise DataError(f"{name}: is a spreadsheet; to read it, pip install 'minicolumn[excel]'")
    limit = reading.limit
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > limit:
            raise too_large(name, f"unpacks to {gibibytes(size)}", limit)
    try:
        answer = run_apart("excel", data, name, limit, reading.sheet)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{name}: the spreadsheet is damaged, or is none ({error})") from None
    sheets, chosen = answer.found["sheets"], answer.found["sheet"]
    if len(sheets) == 1 or reading.sheet is not None:
        return answer.data, ()
    others = ", ".join(repr(sheet) for sheet in sheets if sheet != chosen)[:80]
    return answer.data, (f"sheet {chosen!r} was read, of {len(sheets)}; --sheet for another ({others})",)
