"""What was found in a table, in words: columns, their kinds, what is left out and why."""

from __future__ import annotations

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

EACH, EACH_LEFT_OUT = 24, 12  # up to so many columns get a line each; more are shown kind by kind


def show_table(console: Console, name: str, schema: Schema) -> None:
    """Print what a table holds and what becomes of each column."""
    width = len(schema.columns) + len(schema.dropped) + 1
    console.print(heading(name, f"{count(schema.rows, 'row')}, {count(width, 'column')}"))
    show_schema(console, schema)


def show_schema(console: Console, schema: Schema) -> None:
    """Print the target, the columns that are learnt from, and those that are not."""
    rows = [(Text("  predicts"), _target_line(schema))]
    rows += [(Text("  note"), Text(visible(note), "yellow")) for note in _row_notes(schema)]
    console.print(labelled(rows))
    console.print()
    show_columns(console, schema.columns, schema.dropped)


def show_columns(console: Console, columns: Sequence[Column], dropped: Sequence[str] = ()) -> None:
    """Print the columns that are learnt from, then those that are not."""
    used = [column for column in columns if column.used]
    unused = [column for column in columns if not column.used]
    width = console.width
    console.print(_grid("learns from", _each(used) if len(used) <= EACH else _by_kind(used, width)))
    codes = [column.name for column in used if column.note != _note(column)]
    if codes:
        hint = f"If some of the integers are codes: --categorical {shlex.quote(codes[0])}"
        console.print(Padding(Text(visible(hint), "dim"), (1, 0, 0, 2)))
    if unused or dropped:
        console.print()
        rows = _each(unused) if len(unused) <= EACH_LEFT_OUT else _by_kind(unused, width)
        console.print(_grid("leaves out", rows + _asked(dropped, width)))


def _target_line(schema: Schema) -> Text:
    line = Text(visible(schema.target), "bold")
    if schema.task == "regression":
        return Text.assemble(line, ("  a number", "dim"))
    labels = ", ".join(short(label, 40) for label in schema.classes[:6])
    more = ", ..." if len(schema.classes) > 6 else ""
    return Text.assemble(line, (f"  {len(schema.classes)} classes: {labels}{more}", "dim"))


def _row_notes(schema: Schema) -> list[str]:
    gaps = schema.rows_without_target
    missing = [f"{count(gaps, 'row')} without a target left out"] if gaps else []
    return [*missing, *schema.notes]


def _grid(title: str, rows: Sequence[tuple[str, str, str]]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    grid.add_column(f"  {title}", no_wrap=True)
    grid.add_column("kind", no_wrap=True)
    grid.add_column("note", style="dim")
    for row in rows:
        grid.add_row(*row)
    return grid


def _each(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    return [(_name(column.name), column.kind, visible(_note(column))) for column in columns]


def _note(column: Column) -> str:
    """Return a column's note; that it may hold codes is said once for all columns."""
    return column.note.replace(f"; --categorical {column.name!r} to treat them as codes", "")


def _asked(dropped: Sequence[str], width: int) -> list[tuple[str, str, str]]:
    if len(dropped) <= EACH_LEFT_OUT:
        return [(_name(name), "dropped", "as you asked") for name in dropped]
    return [(f"  {len(dropped)} columns", "dropped", f"as you asked: {_names(dropped, width)}")]


def _by_kind(columns: Sequence[Column], width: int) -> list[tuple[str, str, str]]:
    kinds = dict.fromkeys(column.kind for column in columns)
    rows = []
    for kind in kinds:
        names = [column.name for column in columns if column.kind == kind]
        rows.append((f"  {count(len(names), 'column')}", kind, _names(names, width)))
    return rows


def _name(name: str) -> str:
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
