"""The command-line application: its commands, and the options that stand above them."""

from __future__ import annotations

from typing import Annotated

import typer

from minicolumn.cli.bench import bench
from minicolumn.cli.evaluate import command as evaluate
from minicolumn.cli.export import command as export
from minicolumn.cli.help import Command, Commands
from minicolumn.cli.import_file import command as import_file
from minicolumn.cli.inspect import command as inspect
from minicolumn.cli.playground import command as playground
from minicolumn.cli.predict import command as predict
from minicolumn.cli.train import command as train
from minicolumn.cli.tune import command as tune
from minicolumn.cli.zoo import command as zoo

app = typer.Typer(
    name="minicolumn",
    cls=Commands,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    """Print the version and exit; its option is eager, so nothing else is looked at."""
    if wanted:
        from minicolumn import __version__

        typer.echo(f"minicolumn {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Small neural networks for tables: from a file of rows to a trained, tested, saved model.

    A table is a CSV, TSV, JSON, Parquet, Arrow or .xlsx file, plain or compressed, or the name of a built-in
    data set (penguins). A model is one file: it carries its own preprocessing, and opening it runs no
    code.

    Start here
      minicolumn train penguins                      train on a built-in table
      minicolumn train FILE --target COLUMN          train on your own
      minicolumn tune FILE --target COLUMN           search the network first
      minicolumn predict MODEL FILE --out ROWS.csv   answer for new rows
    """


for command in (train, tune, evaluate, predict, inspect, export, import_file, zoo, playground, bench):
    app.command(cls=Command)(command)
