"""`minicolumn inspect`: what is in a model file, a table, or the code that a network becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_arrays
from minicolumn.cli.declared import Option, as_command
from minicolumn.cli.table_options import COLUMNS, FILE, ColumnOptions

WHAT, PROGRAM, OUTPUT = "What to look at", "The program of a network", "What comes out"


@dataclass(frozen=True, kw_only=True)
class InspectOptions(ColumnOptions):
    """The options of `minicolumn inspect`, as they were written."""

    GROUPS: ClassVar = (WHAT, PROGRAM, COLUMNS, FILE, OUTPUT)

    file: Annotated[str, Option(WHAT, "FILE", help="A model file, a table, a data set or a network by name.")]
    target: Annotated[str | None, Option(WHAT, "COLUMN", help="Of a table: the column to predict.")] = None
    task: Annotated[
        str | None, Option(WHAT, "TASK", "by the target", "Of a table: binary, multiclass or regression.")
    ] = None
    graph: Annotated[bool, Option(PROGRAM, help="Show the typed graph.")] = False
    plan: Annotated[
        bool, Option(PROGRAM, help="Show the kernels, what each costs and where its results lie.")
    ] = False
    times: Annotated[bool, Option(PROGRAM, help="Run it and show the time of each kernel.")] = False
    llvm: Annotated[bool, Option(PROGRAM, help="Show the LLVM text.")] = False
    assembly: Annotated[bool, Option(PROGRAM, help="Show this processor's assembly.")] = False
    train: Annotated[
        bool, Option(PROGRAM, default="--predict", help="Of which program.", flags=("--train/--predict",))
    ] = False
    batch: Annotated[int | None, Option(PROGRAM, "N", "as it was trained", "Rows at a time.")] = None
    optimizer: Annotated[
        str | None, Option(PROGRAM, "NAME", "as it was trained", "With --train: the optimizer.")
    ] = None
    write_schema: Annotated[
        str | None,
        Option(OUTPUT, "FILE", help="Of a table: write what was found, to edit for train --schema."),
    ] = None
    html: Annotated[
        str | None, Option(OUTPUT, "FILE", help="Of a model file: write all of it as one page of HTML.")
    ] = None
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout, nothing else.", flags=("--json",))
    ] = False


def inspect(options: InspectOptions) -> int:
    """Show what is in a model file, what a training would find in a table, or what code a network becomes.

    Of a model: what it is for, its data, network and columns, how it was trained and how it scored;
    --html writes that as a page, with pictures of the network and of its weights.
    Of a table: the kind of each column, and what would be left out; options say it better, and
    --write-schema keeps it all in a file.
    Of a model or a network by name (playground, tabular, mnist, wide): the program that predicts, or
    with --train the one that takes eight steps of training, from its graph down to the assembly. Where
    one part of it is written to a file or a pipe, that part is all there is.

    Examples
      minicolumn inspect penguins.safetensors
      minicolumn inspect penguins.safetensors --html penguins.html
      minicolumn inspect adult.csv.gz --target income
      minicolumn inspect shop.csv --category zip --write-schema shop.toml
      minicolumn inspect mnist --train --plan --times
      minicolumn inspect penguins.safetensors --llvm > program.ll
    """
    from minicolumn.cli.inspect_job import run_inspection
    from minicolumn.cli.inspect_program import Wanted

    names = ("graph", "plan", "times", "llvm", "assembly")
    parts = tuple(name for name in names if getattr(options, name))
    return run_inspection(options, Wanted(parts, options.train, options.batch, options.optimizer))


command = as_command(inspect, InspectOptions, check_room_for_arrays)
