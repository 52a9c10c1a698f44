"""Terminal output: consoles and plain text for people, one line of JSON for programs.

Text is shown as it is, without markup, and no character of it can steer the terminal: names of columns and
files come from strangers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def open_console(*, to_stderr: bool = False, quiet: bool = False) -> Console:
    """Return a rich console on stdout, or on stderr; it takes text as it is, without any markup."""
    stream = sys.stderr if to_stderr else sys.stdout
    return Console(file=stream, quiet=quiet, highlight=False, markup=False, emoji=False)


def is_live(console: Console) -> bool:
    """Return whether lines can be redrawn: a terminal that is not a dumb one."""
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


def visible(text: str) -> str:
    """Escape control characters, so that no text can steer a terminal or break a line.

    >>> visible("red\\x1b[31m")
    'red\\\\x1b[31m'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """Return a message as one printable line; runs of whitespace become one blank."""
    return visible(" ".join(text.split()))


def short(text: str, width: int) -> str:
    """Truncate a text to so many characters, with an ellipsis.

    >>> short("balanced accuracy", 8)
    'balance…'
    """
    shown = visible(text)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def heading(title: str, rest: str = "") -> Text:
    """Return a heading line: a title in bold, what follows dimmed."""
    return Text.assemble("\n", (visible(title), "bold"), ("  " + visible(rest) if rest else "", "dim"))


def labelled(rows: Sequence[tuple[Text, Text]]) -> Table:
    """Return labels and their texts side by side; long texts wrap within their column."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for row in rows:
        grid.add_row(*row)
    return grid


def count(number: int, one: str, many: str = "") -> str:
    """Return a number and its noun.

    >>> count(1, "row"), count(48842, "row"), count(2, "class", "classes")
    ('1 row', '48,842 rows', '2 classes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@contextmanager
def working(console: Console, what: str) -> Iterator[None]:
    """Show a spinner on a terminal until the block is done."""
    if console.quiet or not is_live(console):
        yield
        return
    with console.status(Text(visible(what)), spinner="dots"):
        yield


def print_json(value: Mapping[str, Any]) -> None:
    """Print an object as one line of JSON on stdout (RFC 8259): NaN and infinity, which it lacks, are null.

    >>> print_json({"loss": float("nan"), "rows": 3})
    {"loss": null, "rows": 3}
    """
    import json

    sys.stdout.write(json.dumps(_strict(value), allow_nan=False) + "\n")
    sys.stdout.flush()


def _strict(value: Any) -> Any:
    """Return a value as JSON has it: tuples as lists, NumPy's scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
