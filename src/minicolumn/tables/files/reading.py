"""Reading options and results: what a user may say about how a file is to be read, and what was guessed.

Differs     pandas.read_csv has some fifty options and guesses in silence; here are eight, and each guess
            that changes what is read comes back as a line to be shown.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.tables.files.memory import default_limit

if TYPE_CHECKING:
    import polars

SEPARATOR_WORDS = {
    "tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|", "caret": "^",
}  # fmt: skip
_LONGEST_SEPARATOR = 8


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is to be read, where what it says of itself is not to be trusted.

    encoding    of text, as Python names it; by default UTF-8, or what a byte order mark says, or cp1252
    header      whether the first line holds the names; without, columns are column_1, column_2, ...
    skip_rows   lines before the header that are not read
    comment     lines that begin with this are not read
    separator   of fields: characters, or a word of SEPARATOR_WORDS; " " stands for any run of blanks
    quote       the character around fields, or "none" where quotes are text; by default ", or ' where only
                that gives a table
    max_memory  bytes that reading may take; by default half of the free memory, at most 4 GiB
    sheet       of a spreadsheet: its name, or its place counted from 1; by default the first
    Errors      DataError, one line, for a value that cannot be meant

    >>> Reading(separator="tab", skip_rows=2).separator
    '\\t'
    """

    encoding: str | None = None
    header: bool = True
    skip_rows: int = 0
    comment: str | None = None
    separator: str | None = None
    quote: str | None = None
    max_memory: int | None = None
    sheet: str | int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.header, bool):
            raise DataError(f"header is {self.header!r}, expected True or False")
        _check_whole("skip_rows", self.skip_rows, 0)
        if self.max_memory is not None:
            _check_whole("max_memory", self.max_memory, 1)
        _check_encoding(self.encoding)
        if self.comment is not None and (not isinstance(self.comment, str) or not self.comment.strip()):
            raise DataError(f"comment is {self.comment!r}, expected the characters that begin a comment")
        if self.separator is not None:
            object.__setattr__(self, "separator", _separator(self.separator))
        if isinstance(self.quote, str) and self.quote.lower() == "none":
            object.__setattr__(self, "quote", "")
        _check_quote(self.quote, self.separator)
        if isinstance(self.sheet, bool) or not isinstance(self.sheet, str | int | None):
            raise DataError(f"sheet is {self.sheet!r}, expected a name, or a place counted from 1")
        if isinstance(self.sheet, int):
            _check_whole("sheet", self.sheet, 1)

    def over(self, other: Reading) -> Reading:
        """Return both, where what is said here goes before what the other says.

        >>> Reading(separator=";").over(Reading(separator=",", skip_rows=2))
        Reading(encoding=None, header=True, skip_rows=2, comment=None, separator=';', quote=None, \
max_memory=None, sheet=None)
        """
        usual = Reading()
        said = {name: getattr(self, name) for name in usual.__dataclass_fields__}
        return replace(other, **{name: v for name, v in said.items() if v != getattr(usual, name)})

    @property
    def limit(self) -> int:
        """The bytes that reading may take."""
        return default_limit() if self.max_memory is None else self.max_memory

    def said_of_text(self) -> list[str]:
        """Return the options that were set and that only text has, as the command line spells them."""
        options = {
            "--encoding": self.encoding is not None,
            "--no-header": not self.header,
            "--skip-rows": self.skip_rows > 0,
            "--comment": self.comment is not None,
            "--separator": self.separator is not None,
            "--quote": self.quote is not None,
        }
        return [option for option, given in options.items() if given]


@dataclass(frozen=True)
class Loaded:
    """A table that was read, and what was guessed while reading it.

    frame       at least one row and one column
    notes       one line each, to be shown to the user; none where nothing was guessed
    """

    frame: polars.DataFrame
    notes: tuple[str, ...] = ()


def too_large(name: str, size: str, limit: int) -> DataError:
    """Return the error for a table that takes more memory than it may.

    size        what is too large, in words: "holds more than 2 GiB of text"
    limit       bytes that reading may take
    """
    return DataError(
        f"{name}: {size}, with at most {gibibytes(limit)} of memory for reading; "
        "allow more by --max-memory, or split the file"
    )


def gibibytes(size: float) -> str:
    """Return a number of bytes in words.

    >>> gibibytes(3 << 29), gibibytes(5 << 20)
    ('1.5 GiB', '5 MiB')
    """
    return f"{size / 2**30:.3g} GiB" if size >= 1 << 29 else f"{size / 2**20:.3g} MiB"


def _check_whole(what: str, value: Any, least: int) -> None:
    """Refuse what is no integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DataError(f"{what} is {value!r}, expected a whole number of at least {least}")


def _check_encoding(encoding: Any) -> None:
    """Refuse what Python does not know as an encoding of text."""
    if encoding is None:
        return
    hint = "expected one that Python knows, as utf-8, utf-16, latin-1, cp1252 or shift_jis"
    try:
        known = codecs.lookup(encoding)
        " ".encode(encoding)  # refuses codecs that are no text encodings, as rot13
    except (LookupError, TypeError, ValueError):
        raise DataError(f"encoding is {encoding!r}, {hint}") from None
    if known.name in ("idna", "punycode", "undefined"):
        raise DataError(f"encoding is {encoding!r}, {hint}")


def _separator(given: Any) -> str:
    """Return a separator in characters; DataError for one that lines or quotes need."""
    found = SEPARATOR_WORDS.get(given.lower(), given) if isinstance(given, str) else given
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_SEPARATOR:
        words = ", ".join(SEPARATOR_WORDS)
        raise DataError(
            f"separator is {given!r}, expected up to {_LONGEST_SEPARATOR} characters or one of {words}"
        )
    if set(found) & set("\"'\n\r\0") or found.isalnum():
        raise DataError(f"separator is {given!r}; a quote, a line end, a letter or a digit cannot separate")
    return " " if found.isspace() and "\t" not in found else found


def _check_quote(quote: Any, separator: str | None) -> None:
    """Refuse a quote that is not one printable character of ASCII, or that separates."""
    if quote is None or quote == "":
        return
    if not isinstance(quote, str) or len(quote) != 1 or not "!" <= quote <= "~" or quote.isalnum():
        raise DataError(f"quote is {quote!r}, expected one character, \" or ', or none")
    if separator is not None and quote in separator:
        raise DataError(f"quote and separator are both {quote!r}")
