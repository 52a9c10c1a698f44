"""Help formatting: usage, description, examples, and options in groups, one line each.

Differs     typer draws a box around each group and cuts long words; here a line is an option.
"""

from __future__ import annotations

import inspect
import os
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from minicolumn.cli.screen import open_console
from minicolumn.errors import DataError, did_you_mean

_WIDEST = 96  # longer lines are tiring to read
_HELP = ("--help, -h", "Show this help.")


class Command(TyperCommand):
    """A typer command with this layout of help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of one command: usage, docstring, then its options by group."""
        console = _console()
        arguments = " ".join(
            str(param.metavar) for param in self.params if param.param_type_name == "argument"
        )
        _print_head(console, f"{ctx.command_path} {arguments} [OPTIONS]", self.help or "")
        groups = {title: [_row(param) for param in params] for title, params in _groups(self.params).items()}
        groups[list(groups)[-1]].append(_HELP)
        for title, rows in groups.items():
            _print_rows(console, title, rows)


class Commands(TyperGroup):
    """The group of commands, in order of use; an unknown one gets a "did you mean"."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print what the program does and one line for each command."""
        console = _console()
        _print_head(console, f"{ctx.command_path} COMMAND ...", self.help or "")
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, _paragraphs(command.help or "")[0]) for name, command in found if command is not None]
        _print_rows(console, "Commands", rows)
        _print_rows(console, "Options", [*map(_row, self.params), _HELP])
        line = f"\n{ctx.command_path} COMMAND --help says more about each."
        console.print(Text(line, "dim"))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that was named; DataError, with the nearest one, for an unknown name."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known:
            raise DataError(f"unknown command {name!r}{_hint(name, known)}")
        return super().resolve_command(ctx, args)


def _hint(name: str, known: list[str]) -> str:
    """Return what to do about an unknown command; for a file, the command that takes it."""
    if os.path.exists(name):
        return f"; for a file: minicolumn {'inspect' if name.endswith('.safetensors') else 'train'} {name}"
    return did_you_mean(name, known) or f"; the commands are {', '.join(known)} (minicolumn --help)"


def _console() -> Console:
    """Return a console of at most 96 columns."""
    console = open_console()
    console.width = min(console.width, _WIDEST)
    return console


def _print_head(console: Console, usage: str, text: str) -> None:
    """Print usage and description; an indented paragraph is kept as it is, its first line in bold."""
    console.print(Text.assemble(("Usage  ", "dim"), (usage, "bold")))
    for paragraph in _paragraphs(text):
        console.print()
        title, *lines = paragraph.split("\n")
        if lines:
            console.print(Text(title, "bold"))
            console.print(Text("\n".join(lines)), soft_wrap=True)
        else:
            console.print(Text(paragraph))


def _paragraphs(text: str) -> list[str]:
    """Return paragraphs, each one line to be wrapped; one with indented lines keeps them."""
    return [_reflowed(part) for part in inspect.cleandoc(text).split("\n\n")]


def _reflowed(paragraph: str) -> str:
    """Return a paragraph as one line, unless it holds indented lines."""
    return paragraph if "\n  " in paragraph else " ".join(paragraph.split())


def _groups(params: list[Any]) -> dict[str, list[Any]]:
    """Return arguments and options by the group that they name, in the order of first mention."""
    groups: dict[str, list[Any]] = {}
    for param in params:
        groups.setdefault(getattr(param, "rich_help_panel", None) or "Arguments and options", []).append(
            param
        )
    return groups


def _row(param: Any) -> tuple[str, str]:
    """Return an option's names and its help text."""
    names = ", ".join(sorted(param.opts, key=len, reverse=True))
    if not names.startswith("-"):
        return param.metavar, param.help or ""
    return f"{names} {param.metavar or ''}".rstrip(), param.help or ""


def _print_rows(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    """Print a group: names in one column, help beside them, defaults dimmed."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="cyan", min_width=22)
    grid.add_column()
    for name, text in rows:
        about, bracket, default = text.partition(" [")
        grid.add_row(Text(name), Text.assemble(about, (bracket + default, "dim")))
    console.print(Text(f"\n{title}", "bold"))
    console.print(Padding(grid, (0, 0, 0, 2)))
