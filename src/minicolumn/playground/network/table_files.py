"""Files of tables that the page sends, as bytes: text, JSON, Parquet, Arrow or a spreadsheet, also packed.

Nothing is opened by a name: the name tells the format where the bytes do not, and stands in messages.
"""

from __future__ import annotations

import re

from minicolumn.errors import DataError
from minicolumn.playground.lines import Line, line
from minicolumn.tables.files.read import load_bytes
from minicolumn.tables.files.reading import Loaded, Reading

MOST_MEMORY = 256 * 2**20  # bytes that a table takes once it is unpacked and decoded
# Advice on options of the command line, which a page does not have: a part of a message behind ; or ,
_OPTIONS = re.compile(r"[;,] [^;,]*(?<!\w)--[a-z][^;]*")


def load_sent(name: str, data: bytes) -> Loaded:
    """Return the table in the bytes of a file, read by the tables stage, with a note on each guess.

    Errors      DataError, one line: no table, damaged, more than `MOST_MEMORY` once unpacked, no rows
    """
    try:
        if not data.strip():
            raise DataError(line("emptyFile", name=name))
        loaded = load_bytes(data, name, Reading(max_memory=MOST_MEMORY))
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
