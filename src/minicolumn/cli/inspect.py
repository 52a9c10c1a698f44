"""`minicolumn inspect`: what is in a model file, a table, or the code that a network becomes."""

from __future__ import annotations

from typing import Annotated

import typer

_FILE = typer.Argument(metavar="FILE", help="A model file, a table, a data set or a network by name.")
_TARGET = typer.Option(metavar="COLUMN", help="Of a table: the column to predict.")
_GRAPH = typer.Option("--graph", help="Show the typed graph.")
_PLAN = typer.Option("--plan", help="Show the kernels, what each costs and where its results lie.")
_TIMES = typer.Option("--times", help="Run it and show the time of each kernel.")
_LLVM = typer.Option("--llvm", help="Show the LLVM text.")
_ASSEMBLY = typer.Option("--assembly", help="Show this processor's assembly.")
_TRAIN = typer.Option("--train/--predict", help="Of which program. [default: --predict]")
_BATCH = typer.Option(metavar="N", help="Rows at a time. [default: as it was trained]")
_OPTIMIZER = typer.Option(metavar="NAME", help="With --train: the optimizer. [default: as it was trained]")
_JSON = typer.Option("--json", help="One JSON line on stdout, nothing else.")


def inspect(
    file: Annotated[str, _FILE],
    target: Annotated[str | None, _TARGET] = None,
    graph: Annotated[bool, _GRAPH] = False,
    plan: Annotated[bool, _PLAN] = False,
    times: Annotated[bool, _TIMES] = False,
    llvm: Annotated[bool, _LLVM] = False,
    assembly: Annotated[bool, _ASSEMBLY] = False,
    train: Annotated[bool, _TRAIN] = False,
    batch: Annotated[int | None, _BATCH] = None,
    optimizer: Annotated[str | None, _OPTIMIZER] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> int:
    """Show what is in a model file, what a training would find in a table, or what code a network becomes.

    Of a model: its network, its columns, how it was trained and how it scored.
    Of a table: the kind of each column, and what would be left out.
    Of a model or a network by name (playground, tabular, mnist, wide): the program that predicts, or
    with --train the one that takes eight steps of training, from its graph down to the assembly. Where
    one part of it is written to a file or a pipe, that part is all there is.

    Examples
      minicolumn inspect penguins.safetensors
      minicolumn inspect adult.csv.gz --target income
      minicolumn inspect mnist --train --plan --times
      minicolumn inspect penguins.safetensors --llvm > program.ll
    """
    from minicolumn.cli.inspect_job import run_inspection
    from minicolumn.cli.inspect_program import Wanted

    names = {"graph": graph, "plan": plan, "times": times, "llvm": llvm, "assembly": assembly}
    parts = tuple(name for name, asked in names.items() if asked)
    return run_inspection(file, target, Wanted(parts, train, batch, optimizer), as_json)
