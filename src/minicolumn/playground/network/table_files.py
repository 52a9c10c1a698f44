"""Files of tables that the page sends, as bytes: text, JSON, Parquet, Arrow or a spreadsheet, also packed.

Nothing is opened by a name: the name tells the format where the bytes do not, and stands in messages.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from minicolumn.errors import DataError
from minicolumn.playground.lines import Line, line
from minicolumn.tables.files.columnar import columnar_job, is_spreadsheet, read_columnar, read_spreadsheet
from minicolumn.tables.files.delimited import load_delimited
from minicolumn.tables.files.json_rows import parse_json
from minicolumn.tables.files.layout import check_names
from minicolumn.tables.files.reading import Loaded, Reading
from minicolumn.tables.files.text import decode
from minicolumn.tables.files.unpack import unpack

MOST_MEMORY = 256 * 2**20  # bytes that a table takes once it is unpacked and decoded
_JSON_LINES = (".jsonl", ".ndjson")
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
# Advice on options of the command line, which a page does not have: a part of a message behind ; or ,
_OPTIONS = re.compile(r"[;,] [^;,]*(?<!\w)--[a-z][^;]*")


def load_sent(name: str, data: bytes) -> Loaded:
    """Return the table in the bytes of a file, read by the tables stage, with a note on each guess.

    Errors      DataError, one line: no table, damaged, more than `MOST_MEMORY` once unpacked, no rows
    """
    try:
        loaded = _loaded(name, data)
        check_names(loaded.frame.columns, name)
    except MemoryError:
        raise DataError(line("tableTooLarge", name=name, most=MOST_MEMORY >> 20)) from None
    except DataError as error:
        if isinstance(error.args[0], Line):
            raise
        if "--max-memory" in str(error):
            raise DataError(line("tableTooLarge", name=name, most=MOST_MEMORY >> 20)) from None
        raise DataError(without_options(str(error))) from None
    if not loaded.frame.width or not loaded.frame.height:
        raise DataError(line("noRows", name=name))
    return Loaded(loaded.frame, tuple(map(without_options, loaded.notes)))


def without_options(text: str) -> str:
    """Return a message without its advice on options of the command line.

    >>> without_options("sheet 'a' was read, of 2; --sheet for another ('b')")
    "sheet 'a' was read, of 2"
    """
    return _OPTIONS.sub("", text)


def _loaded(name: str, data: bytes) -> Loaded:
    """Return the table by what the bytes begin with, else by the ending of the name, else as text."""
    reading = Reading(max_memory=MOST_MEMORY)
    if is_spreadsheet(data):  # a zip archive too, but not of one table
        cells, notes = read_spreadsheet(data, name, reading)
        sheet = load_delimited(cells, name, Reading(separator=",", quote='"', max_memory=MOST_MEMORY))
        return Loaded(sheet.frame, (*notes, *sheet.notes))
    data = unpack(data, name, MOST_MEMORY)
    job = columnar_job(data)
    if job is not None:
        return Loaded(read_columnar(job, data, name, MOST_MEMORY))
    text, guessed = decode(data, name, reading, MOST_MEMORY)
    if not text.strip():
        raise DataError(line("emptyFile", name=name))
    suffix = _suffix(name)
    is_json = suffix in (".json", *_JSON_LINES) or text.lstrip()[:2] in (b'{"', b"[{")
    if is_json:
        loaded = parse_json(text, name, MOST_MEMORY, lines=suffix in _JSON_LINES)
    else:
        loaded = load_delimited(text, name, reading)
    return Loaded(loaded.frame, (*guessed, *loaded.notes))


def _suffix(name: str) -> str:
    """Return the ending that names the format, in front of one that names the compression."""
    endings = [ending.lower() for ending in PurePath(name).suffixes]
    return next((ending for ending in reversed(endings) if ending not in _PACKED), "")
