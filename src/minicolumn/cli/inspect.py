"""`minicolumn inspect`: what is in a model file, or in a table."""

from __future__ import annotations

from typing import Annotated

import typer

_FILE = typer.Argument(metavar="FILE", help="A model file, a table, or a built-in data set.")
_TARGET = typer.Option(metavar="COLUMN", help="Of a table: the column to predict.")
_JSON = typer.Option("--json", help="One JSON line on stdout, nothing else.")


def inspect(
    file: Annotated[str, _FILE],
    target: Annotated[str | None, _TARGET] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Show what is in a model file, or what a training would find in a table.

    Of a model: its network, its columns, how it was trained and how it scored.
    Of a table: the kind of each column, and what would be left out.

    Examples
      minicolumn inspect penguins.safetensors
      minicolumn inspect adult.csv.gz --target income
    """
    from minicolumn.cli.inspect_job import run_inspection

    return run_inspection(file, target, as_json)
