"""Options on tables: how a file is read, and what its columns are; shared by all commands that read one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

from minicolumn.cli.columns import parse_columns
from minicolumn.cli.declared import CommandOptions, Option, flag_of
from minicolumn.errors import DataError, did_you_mean
from minicolumn.tabular.limits import LIMITS

if TYPE_CHECKING:
    from minicolumn.tables import Overrides, Reading
    from minicolumn.tabular.schema_file import SchemaFile

TABLE = "The table"
COLUMNS, FILE = "What the columns are, found out by default", "How the file is read, found out by default"
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(CommandOptions):
    """How a file is read: the fields of `minicolumn.tables.Reading`."""

    encoding: Annotated[str | None, Option(FILE, "NAME", "utf-8", "Such as cp1252, latin-1, utf-16.")] = None
    separator: Annotated[
        str | None, Option(FILE, "TEXT", help="Between cells: ';', tab, space, '::' and the like.")
    ] = None
    no_header: Annotated[
        bool, Option(FILE, help="The first line is a row; columns are called column_1, ...")
    ] = False
    skip_rows: Annotated[int, Option(FILE, "N", "0", "Lines above the header to leave out.")] = 0
    comment: Annotated[str | None, Option(FILE, "MARK", help="Lines that begin so are left out.")] = None
    quote: Annotated[str | None, Option(FILE, "MARK", '"', "The mark around cells.")] = None
    sheet: Annotated[
        str | None, Option(FILE, "SHEET", "the first", "Of a spreadsheet: a name, or a place from 1.")
    ] = None
    max_memory: Annotated[
        str | None, Option(FILE, "SIZE", help="The most memory for reading, such as 8G.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ColumnOptions(ReadingOptions):
    """What the columns are: the fields of `minicolumn.tables.Overrides`."""

    number: Annotated[
        list[str] | None,
        Option(COLUMNS, "COLUMN[=FORM]", help="Holds numbers, written like FORM: '1.234,5'."),
    ] = None
    datetime: Annotated[
        list[str] | None,
        Option(COLUMNS, "COLUMN[=FORM]", help="Holds dates or times, written as FORM: %d/%m/%Y."),
    ] = None
    category: Annotated[
        list[str] | None,
        Option(
            COLUMNS,
            "COLUMNS",
            help="Hold levels, such as codes that look like numbers.",
            flags=("--category", "--categorical"),
        ),
    ] = None
    text: Annotated[list[str] | None, Option(COLUMNS, "COLUMNS", help="Hold free text: left out.")] = None
    keep: Annotated[
        list[str] | None,
        Option(COLUMNS, "COLUMNS", help="Learn from them though they look like an identifier or an index."),
    ] = None
    drop: Annotated[
        list[str] | None, Option(COLUMNS, "COLUMNS", help="Leave out: --drop a,b or --drop a --drop b.")
    ] = None
    id: Annotated[
        list[str] | None, Option(COLUMNS, "COLUMNS", help="Left out, but carried into the predictions.")
    ] = None
    weight: Annotated[str | None, Option(COLUMNS, "COLUMN", help="Holds the weights of the rows.")] = None
    groups: Annotated[
        str | None, Option(COLUMNS, "COLUMN", help="Rows with equal values stay on one side of a split.")
    ] = None
    time_order: Annotated[
        str | None, Option(COLUMNS, "COLUMN", help="Test on the latest rows by this column.")
    ] = None
    missing: Annotated[
        list[str] | None, Option(COLUMNS, "WORDS", help="Further words for missing: '..,**,n.a.'")
    ] = None
    not_missing: Annotated[
        list[str] | None, Option(COLUMNS, "WORDS", help="Words that are values, such as NA for Namibia.")
    ] = None
    decimal: Annotated[
        str | None, Option(COLUMNS, "MARK", help="The decimal mark of all numbers: . or ,")
    ] = None
    strict: Annotated[
        bool, Option(COLUMNS, help="A word among numbers or dates is an error, never missing.")
    ] = False
    schema: Annotated[
        str | None, Option(COLUMNS, "FILE", help="All of this from a file: see inspect --write-schema.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class TargetOptions(ColumnOptions):
    """What is learnt of a table, what it is tested on, and what its answers are worth."""

    data: Annotated[str, Option(TABLE, "DATA", help="A file, or a built-in table: penguins.")]
    target: Annotated[str | None, Option(TABLE, "COLUMN", help="The column to predict.")] = None
    task: Annotated[
        str | None, Option(TABLE, "TASK", "by the target", "binary, multiclass or regression.")
    ] = None
    test: Annotated[str | None, Option(TABLE, "FILE", help="Test on these rows, not on a share of DATA.")] = (
        None
    )
    test_fraction: Annotated[float, LIMITS["test_fraction"], Option(TABLE, "SHARE", "0.25")] = 0.25
    class_weight: Annotated[
        str | None,
        Option(TABLE, "WEIGHTS", help="Against imbalance: balanced, or yes=5,no=1."),
    ] = None
    threshold: Annotated[
        str | None,
        Option(TABLE, "RULE", "0.5", "Of two classes: 0.3, f1, or cost:false_positive=1,false_negative=5."),
    ] = None
    target_scale: Annotated[
        str | None, Option(TABLE, "SCALE", "what fits", "Of a target of many magnitudes: linear or asinh.")
    ] = None


def reading_of(options: ReadingOptions) -> Reading:
    """Return how the file is to be read, as the options say.

    Errors      DataError that begins with the option
    """
    from minicolumn.tables import Reading

    said: dict[str, Any] = {field.name: getattr(options, field.name, None) for field in fields(Reading)}
    said["header"] = not options.no_header
    said["max_memory"] = parse_size("--max-memory", options.max_memory)
    if options.sheet is not None and options.sheet.isascii() and options.sheet.isdigit():
        said["sheet"] = int(options.sheet)
    with by_option(type(options)):
        return Reading(**said)


def overrides_of(options: ColumnOptions, columns: Sequence[str]) -> Overrides:
    """Return what the options say of the columns.

    columns     the names of the table's
    Errors      DataError, that begins with the option, for names the table lacks
    """
    from minicolumn.tables import Overrides

    said: dict[str, Any] = {
        name: parse_forms(f"--{name}", getattr(options, name), columns) for name in ("number", "datetime")
    }
    for name in ("category", "text", "keep", "drop", "id"):
        said[name] = parse_columns(f"--{name}", getattr(options, name), columns)
    for name in ("missing", "not_missing"):
        said[name] = tuple(word for text in getattr(options, name) or () for word in _words(text))
    for name in ("weight", "groups", "time_order"):
        said[name] = getattr(options, name)
    said |= {"decimal": options.decimal or "", "strict": options.strict}
    with by_option(type(options)):
        overrides = Overrides(**said)
        overrides.check(columns)
    return overrides


@contextmanager
def by_option(kind: type[CommandOptions]) -> Iterator[None]:
    """Let a DataError that begins with a keyword of Python begin with the option of that name.

    kind        the record of the command's options
    """
    try:
        yield
    except DataError as error:
        name = re.match(r"\w*", str(error))[0]  # type: ignore[index]
        known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
        begins = flag_of(kind, name) if name in known else name
        raise DataError(f"{begins}{str(error).removeprefix(name)}") from None


def _words(text: str) -> list[str]:
    """Return the words of a list with commas; a comma alone is a word."""
    return [word.strip() for word in text.split(",") if word.strip()] or [text]


def parse_forms(option: str, given: Sequence[str] | None, known: Sequence[str]) -> dict[str, str]:
    """Parse columns and their forms from repeated options, each COLUMN=FORM, or columns with commas.

    A text that is a column's name as it stands is that column, whatever it holds.

    Errors      DataError for an unknown name, with the nearest one

    >>> parse_forms("--datetime", ["sold=%d.%m.%Y", "a,b"], ["sold", "a", "b"])
    {'sold': '%d.%m.%Y', 'a': '', 'b': ''}
    """
    found: dict[str, str] = {}
    for text in given or ():
        name = next((n for n in sorted(known, key=len, reverse=True) if text.startswith(f"{n}=")), None)
        if text in known or (name is None and "=" not in text):
            found |= dict.fromkeys(parse_columns(option, [text], known), "")
        elif name is None:
            parse_columns(option, [text.partition("=")[0]], known)  # which says that there is none
        else:
            found[name] = text[len(name) + 1 :]
    return found


def parse_size(option: str, text: str | None) -> int | None:
    """Parse a number of bytes: 500M, 8G, 8GB; None for None.

    Errors      DataError for anything else

    >>> parse_size("--max-memory", "1.5G")
    1500000000
    """
    if text is None:
        return None
    word = text.strip().lower().removesuffix("b").removesuffix("i")
    number, unit = (word[:-1], word[-1]) if word[-1:] in ("k", "m", "g", "t") else (word, "")
    try:
        size = float(number) * _SIZES[unit]
    except ValueError:
        size = 0.0
    if not 1 <= size < 2**60:
        raise DataError(f"{option}: expected a size such as 500M or 8G, got {text!r:.60}")
    return int(size)


def parse_class_weight(option: str, text: str | None) -> str | dict[str, float] | None:
    """Parse class weights: balanced, or LABEL=WEIGHT with commas; None for None.

    Errors      DataError for anything else

    >>> parse_class_weight("--class-weight", "yes=5,no=1")
    {'yes': 5.0, 'no': 1.0}
    """
    if text is None or text == "balanced":
        return text
    weights = {}
    for part in text.split(","):
        label, equals, weight = part.rpartition("=")
        try:
            weights[label.strip()] = float(weight)
        except ValueError:
            equals = ""
        if not equals:
            hint = did_you_mean(text, ["balanced"])
            raise DataError(
                f"{option}: expected balanced, or weights such as yes=5,no=1; got {text!r:.60}{hint}"
            )
    return weights


@dataclass(frozen=True)
class Said:
    """What the options of a command and its schema file say together.

    reading     how the file is read
    """

    options: ColumnOptions
    file: SchemaFile | None
    reading: Reading

    @classmethod
    def of(cls, options: ColumnOptions) -> Said:
        """Read the schema file, if there is one; DataError that begins with the option."""
        from minicolumn.tabular.schema_file import read_schema

        reading = reading_of(options)
        if options.schema is None:
            return cls(options, None, reading)
        with by_option(type(options)):
            file = read_schema(options.schema)
        return cls(options, file, reading.over(file.reading))

    def of_table(
        self, columns: Sequence[str], target: str | None, task: str | None
    ) -> tuple[Overrides, str | None, str | None]:
        """Return what is said of these columns, the target and the task; options go before the file."""
        overrides = overrides_of(self.options, columns)
        if self.file is None:
            return overrides, target, task
        file = self.file.of_target(target)
        return overrides.over(file.overrides), file.target, task or file.task
