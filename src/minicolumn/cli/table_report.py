"""Schema report: the columns of a table, their inferred kinds, and what is dropped and why."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from minicolumn.cli.screen import count, heading, labelled, short, visible

if TYPE_CHECKING:
    from minicolumn.tables import Column, Schema
    from minicolumn.tables.typed import Remark

# What a note may hold that says nothing of how cells were read; all else is never folded.
_COUNT = re.compile(r"[\d,]+ (missing|missing in all|levels?|distinct integers)$")
EACH, EACH_LEFT_OUT = 24, 12  # up to so many columns get a line each; more are shown kind by kind


def show_table(console: Console, name: str, schema: Schema) -> None:
    """Print the size of a table and its schema."""
    parts = {*schema.dropped, *(name for name, _, _ in _parts(schema))}
    width = len({column.name for column in schema.columns} | parts) + 1
    console.print(heading(name, f"{count(schema.rows, 'row')}, {count(width, 'column')}"))
    show_schema(console, schema)


def show_schema(console: Console, schema: Schema) -> None:
    """Print the target, the features' columns, and the dropped ones."""
    rows = [(Text("  predicts"), _target_line(schema))]
    rows += [(Text("  note"), Text(visible(note), "yellow")) for note in _row_notes(schema)]
    console.print(labelled(rows))
    console.print()
    show_columns(console, schema.columns, schema.dropped, _parts(schema))


def show_columns(
    console: Console,
    columns: Sequence[Column],
    dropped: Sequence[str] = (),
    parts: Sequence[tuple[str, str, str]] = (),
) -> None:
    """Print the columns that become features, then those that do not, and those with a part of their own.

    dropped     names that the user dropped
    parts       (name, kind, note) of columns that the user gave a part
    """
    used = [column for column in columns if column.used]
    unused = [column for column in columns if not column.used]
    width = console.width
    console.print(_grid("learns from", _each(used) if len(used) <= EACH else _by_kind(used, width)))
    _show_warnings(console, columns)
    _show_codes(console, [column.name for column in used if column.may_be_codes])
    if unused or dropped:
        console.print()
        rows = _each(unused) if len(unused) <= EACH_LEFT_OUT else _by_kind(unused, width)
        console.print(_grid("leaves out", rows + _asked(dropped, width)))
    if parts:
        console.print()
        console.print(_grid("apart", [(_name(name), kind, note) for name, kind, note in parts]))


def _parts(schema: Schema) -> list[tuple[str, str, str]]:
    """Return the columns that the user gave a part: name, kind and what becomes of them."""
    parts = [(name, "id", "carried into the predictions") for name in schema.ids]
    for name, kind, note in (
        (schema.weight, "weight", "how much each row counts in the training"),
        (schema.groups, "groups", "rows with equal values stay on one side of a split"),
        (schema.time_order, "time order", "the latest rows are tested"),
    ):
        parts += [(name, kind, note)] if name else []
    return parts


def show_remarks(console: Console, remarks: Sequence[Remark]) -> None:
    """Print what was noticed of columns, one line each."""
    for remark in remarks:
        console.print(Text(f"  {visible(str(remark))}", "yellow"), soft_wrap=True)


def _show_warnings(console: Console, columns: Sequence[Column]) -> None:
    """Print the notes that say how cells were read, where columns are too many for a row each."""
    used = [column for column in columns if column.used]
    unused = [column for column in columns if not column.used]
    folded = (used if len(used) > EACH else []) + (unused if len(unused) > EACH_LEFT_OUT else [])
    for column in folded:
        guessed = column.kind not in ("constant", "empty")  # which are facts
        if guessed and not all(_COUNT.match(part) for part in column.note.split("; ") if part):
            line = f"  {short(column.name, 32)}: {visible(column.note)}"
            console.print(Text(line, "yellow"), soft_wrap=True)


def _show_codes(console: Console, names: Sequence[str]) -> None:
    """Print which integers may be codes, all of them, and the option that says so."""
    if names:
        listed = visible(", ".join(names))
        option = visible(shlex.quote(",".join(names)) if len(names) < 4 else "COLUMNS")
        hint = f"Integers that may be codes rather than amounts: {listed}. If so: --category {option}"
        console.print(Padding(Text(hint, "dim"), (1, 0, 0, 2)))


def _target_line(schema: Schema) -> Text:
    """Return the target with its classes, six at most."""
    line = Text(visible(schema.target), "bold")
    if schema.task == "regression":
        written = f", written like {visible(schema.target_form)}" if schema.target_form else ""
        return Text.assemble(line, (f"  a number{written}", "dim"))
    labels = ", ".join(short(label, 40) for label in schema.classes[:6])
    more = ", ..." if len(schema.classes) > 6 else ""
    return Text.assemble(line, (f"  {len(schema.classes)} classes: {labels}{more}", "dim"))


def _row_notes(schema: Schema) -> list[str]:
    """Return the notes on rows and target."""
    gaps = schema.rows_without_target
    missing = [f"{count(gaps, 'row')} without a target left out"] if gaps else []
    return [*missing, *schema.notes]


def _grid(title: str, rows: Sequence[tuple[str, str, str]]) -> Table:
    """Return a table of columns: name, kind, note."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    grid.add_column(f"  {title}", no_wrap=True)
    grid.add_column("kind", no_wrap=True)
    grid.add_column("note", style="dim")
    for row in rows:
        grid.add_row(*row)
    return grid


def _each(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    """Return a row for each column."""
    return [(_name(column.name), column.kind, visible(column.note)) for column in columns]


def _asked(dropped: Sequence[str], width: int) -> list[tuple[str, str, str]]:
    """Return rows on the columns that the user dropped."""
    if len(dropped) <= EACH_LEFT_OUT:
        return [(_name(name), "dropped", "as you asked") for name in dropped]
    return [(f"  {len(dropped)} columns", "dropped", f"as you asked: {_names(dropped, width)}")]


def _by_kind(columns: Sequence[Column], width: int) -> list[tuple[str, str, str]]:
    """Return a row for each kind, where there are too many columns for a row each."""
    kinds = dict.fromkeys(column.kind for column in columns)
    rows = []
    for kind in kinds:
        names = [column.name for column in columns if column.kind == kind]
        rows.append((f"  {count(len(names), 'column')}", kind, _names(names, width)))
    return rows


def _name(name: str) -> str:
    """Return a column's name, indented and truncated."""
    return f"  {short(name, 32)}"


def _names(names: Sequence[str], width: int) -> str:
    """Return as many names as fill about two lines."""
    shown, room = [], 2 * max(20, width - 34)
    for name in names:
        room -= len(name) + 2
        if room < 0 and shown:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(short(name, 40))
    return ", ".join(shown)
