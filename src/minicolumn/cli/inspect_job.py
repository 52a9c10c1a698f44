"""The work of `minicolumn inspect`: describe a model file, a table, or a compiled program."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from minicolumn.cli.card import show_card
from minicolumn.cli.inspect_program import Wanted, is_network, model_network, named_network, show_program
from minicolumn.cli.run import DONE
from minicolumn.cli.save import check_writable, uninterrupted
from minicolumn.cli.screen import count, heading, open_console, print_json, short, visible
from minicolumn.cli.source import find_target, model_file, read_source, short_name
from minicolumn.cli.table_options import ColumnOptions, Said
from minicolumn.cli.table_report import show_columns, show_remarks, show_schema, show_table
from minicolumn.errors import DataError
from minicolumn.model.files import write_atomically
from minicolumn.model.metric_names import NAMES, figure
from minicolumn.nn.layers.ensemble import Ensemble
from minicolumn.tables import Column, Overrides, builtin_names, infer_schema
from minicolumn.tables.kinds import find_kind
from minicolumn.tabular.rare_levels import said_of_rare_levels
from minicolumn.tabular.schema_file import write_schema

if TYPE_CHECKING:
    import polars

    from minicolumn.cli.inspect import InspectOptions
    from minicolumn.model import Model

_MOST_HEADER = 100_000_000  # of a safetensors file, by its specification


def run_inspection(options: InspectOptions, wanted: Wanted) -> int:
    """Describe a file or a network by name, as text and as JSON, and return the exit code.

    The file is a model file (known by its bytes), else a table, else the name of a workload.
    """
    file, as_json = model_file(options.file, bare=False), options.as_json
    _check_page(options, wanted)
    if is_model_file(file) or (is_network(file) and not os.path.exists(file)):
        _check_of_table(options)
    console = open_console(to_stderr=as_json, quiet=as_json)
    if is_network(file) and not os.path.exists(file):
        described = show_program(console, named_network(file), wanted)
    elif not is_model_file(file):
        described = _table(console, options, wanted)
    else:
        described = _program(console, file, wanted) if wanted.any else _model(console, file, options.html)
    if as_json:
        print_json(described)
    return DONE


def is_model_file(file: str) -> bool:
    """Return whether a path is a model file, by its name or by how such files begin."""
    if file.endswith(".safetensors"):
        return True
    try:
        with open(file, "rb") as stream:
            head = stream.read(9)
    except (OSError, ValueError):
        return False
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= _MOST_HEADER


def _check_of_table(options: InspectOptions) -> None:
    """Refuse what is said of a table where the file is none."""
    for name in ("target", "task", "write_schema", *(field.name for field in fields(ColumnOptions))):
        if getattr(options, name) != getattr(type(options), name):
            option = name.replace("_", "-")
            raise DataError(f"--{option} says something of a table, and {options.file!r} is a network")


def _check_page(options: InspectOptions, wanted: Wanted) -> None:
    """Refuse a page of what is no model file, before anything is read."""
    if options.html is None:
        return
    if wanted.any or not is_model_file(options.file):
        raise DataError(
            f"--html writes a page of a model file, and of {options.file!r} something else is shown"
        )
    check_writable("--html", options.html, (options.file,))


def _program(console: Console, file: str, wanted: Wanted) -> dict[str, Any]:
    """Show the compiled program of a model file."""
    from minicolumn.model import load

    return {**show_program(console, model_network(file, load(file)), wanted), "file": file}


def _table(console: Console, options: InspectOptions, wanted: Wanted) -> dict[str, Any]:
    """Show the schema that a training would infer; without a target the kinds of the columns alone."""
    file = options.file
    if wanted.any:
        option = f"--{wanted.parts[0]}" if wanted.parts else "--train, --batch and --optimizer"
        raise DataError(
            f"{option}: only a network becomes a program, and {file!r} is none; name a model file"
        )
    if options.write_schema is not None:
        check_writable("--write-schema", options.write_schema, (file,))
    table = Said.of(options)
    frame, reading = read_source(file, console, table.reading), table.reading
    said, target, task = table.of_table(frame.columns, options.target, options.task)
    if target is None and not (file in builtin_names() and not os.path.exists(file)):
        said.check(frame.columns)
        apart = {*said.drop, *said.id, said.weight, said.groups}
        columns = [_column(frame[name], said) for name in frame.columns if name not in apart]
        described = _columns_only(console, file, frame, columns, said)
        text = write_schema(columns, reading, said)
    else:
        schema = infer_schema(frame, find_target(target, file, frame), said, task=task)
        show_table(console, short_name(file), schema)
        remarks = said_of_rare_levels(frame, schema, said)
        show_remarks(console, remarks)
        described = {"file": file, **schema.to_json(), "remarks": [remark.to_json() for remark in remarks]}
        text = write_schema(schema.columns, reading, said, schema)
    if options.write_schema is not None:
        with uninterrupted():
            write_atomically(options.write_schema, [text.encode()])
        console.print(heading("Saved", f"{visible(options.write_schema)}; edit it, then train --schema"))
    return described


def _columns_only(
    console: Console, file: str, frame: polars.DataFrame, columns: list[Column], said: Overrides
) -> dict[str, Any]:
    """Show the kind of every column of a table whose target is not named."""
    size = f"{count(frame.height, 'row')}, {count(frame.width, 'column')}"
    console.print(heading(short_name(file), size))
    console.print()
    show_columns(console, columns, said.drop)
    return {"file": file, "rows": frame.height, "columns": [column.to_json() for column in columns]}


def _column(series: polars.Series, said: Overrides) -> Column:
    """Return the inferred kind of one column."""
    found = find_kind(series, said.hint(series.name))
    return Column(series.name, found.kind, found.note, found.form, found.may_be_codes)


def _model(console: Console, file: str, page: str | None) -> dict[str, Any]:
    """Show a model file: card, network, schema, hyperparameters, test scores; write its page."""
    from minicolumn.model import Model
    from minicolumn.model.artifact import load_artifact
    from minicolumn.model.card.page import FileFacts, card_page

    found = load_artifact(file)
    model = Model.from_artifact(found, file)
    weights = _weights(model)
    name = short_name(file.removesuffix(".safetensors"))
    console.print(heading(name, f"{count(weights, 'weight')}, {model.dtype}"))
    show_card(console, model.card)
    _show_network(console, model)
    _show_table_of(console, model)
    _show_training(console, model)
    _show_scores_of(console, model)
    if page is not None:
        facts = FileFacts(Path(file).name, os.path.getsize(file), found.package, found.format_version)
        with uninterrupted():
            write_atomically(page, [card_page(model, facts).encode()])
        console.print(heading("Saved", visible(page)))
    return {**_described(file, model, weights), "package": found.package, "format": found.format_version}


def _weights(model: Model) -> int:
    """Return the number of parameters of a model."""
    from minicolumn.tree import flatten

    return sum(int(leaf.size) for leaf in flatten(model.params)[0])


def _show_network(console: Console, model: Model) -> None:
    """Print the layers, one a line."""
    network, told = model.network, f"takes {list(model.input_shape)}, loss {model.loss}"
    if isinstance(network, Ensemble):
        told += f"; {model.members} members, of which the mean of {network.average} predicts; the first:"
        network = network.members[0]
    console.print(heading("Network", told))
    for layer in getattr(network, "layers", (network,)):
        console.print(Text(f"  {short(repr(layer), max(20, console.width - 2))}"), soft_wrap=True)


def _show_table_of(console: Console, model: Model) -> None:
    """Print the schema of a model's table, if it has one."""
    if model.schema is not None:
        console.print()
        show_schema(console, model.schema)


def _show_training(console: Console, model: Model) -> None:
    """Print the hyperparameters, by name; of a saved estimator its parameters, not its curves and rows."""
    if not model.training:
        return
    told, fitted = {**model.training}, model.training.get("fitted")
    told.pop("card", None)
    if isinstance(fitted, dict):
        told["fitted"] = {"with": fitted.get("parameters")}
    if model.residuals is not None:
        told["residuals"] = f"{len(model.residuals.sizes)} quantiles, which intervals are made of"
    members = told.pop("members", None)
    console.print(heading("Training"))
    grid = Table.grid(padding=(0, 2))
    for name, value in sorted(told.items()):
        grid.add_row(Text(f"  {visible(name)}", "dim"), Text(visible(_value(value))))
    console.print(grid)
    if isinstance(members, list) and all(isinstance(member, dict) for member in members):
        _show_members(console, members)


def _show_members(console: Console, members: list[dict[str, Any]]) -> None:
    """Print the members of an ensemble in the order in which they were chosen, and what each of them adds."""
    console.print(heading("Members", "in the order in which they were chosen"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("", "epochs", "kept", "loss alone", "of the mean so far"):
        grid.add_column(title, justify="right", no_wrap=True)
    names = ("epochs_run", "best_epoch", "held_out_loss", "expected_loss")
    for number, member in enumerate(members, 1):
        grid.add_row(f"  {number}", *(_short(member.get(name)) for name in names))
    console.print(grid)
    console.print(
        Text("  Losses on held-out rows, of the mean as expected; Model.smallest cuts by it.", "dim")
    )


def _short(value: Any) -> str:
    """Return a number with as many digits as it deserves."""
    return "-" if value is None else f"{value:.4g}" if isinstance(value, int | float) else visible(str(value))


def _value(value: Any) -> str:
    """Return a hyperparameter in one line; a record as its name and settings."""
    if isinstance(value, dict):
        name = str(value.get("name", ""))
        rest = ", ".join(f"{key} {_value(inner)}" for key, inner in value.items() if key != "name")
        return f"{name}: {rest}" if name else rest
    return f"{value:g}" if isinstance(value, float) else str(value)


def _show_scores_of(console: Console, model: Model) -> None:
    """Print the test scores that the file holds, beside the baseline's."""
    scores, baseline = (model.metrics.get(name) for name in ("test", "baseline"))
    if not isinstance(scores, dict):
        return
    console.print(heading("Test"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("")
    grid.add_column("model", justify="right", style="bold")
    grid.add_column("baseline", justify="right")
    other = baseline if isinstance(baseline, dict) else {}
    for name, label in NAMES.items():
        if name in scores:
            grid.add_row(f"  {label}", figure(name, scores[name]), figure(name, other.get(name)))
    console.print(grid)


def _described(file: str, model: Model, weights: int) -> dict[str, Any]:
    """Return the description of a model as JSON values."""
    from minicolumn.nn.serialize import to_json

    return {
        "file": file,
        "network": to_json(model.network),
        "input_shape": model.input_shape,
        "weights": weights,
        "loss": model.loss,
        "target": None if model.table is None else model.table.target,
        "task": None if model.table is None else model.table.task,
        "classes": None if model.table is None else model.table.classes,
        "columns": None if model.table is None else [part.name for part in model.table.inputs],
        "card": model.card.to_json(),
        "training": {name: value for name, value in model.training.items() if name != "card"},
        "metrics": model.metrics,
        "data_hash": model.data_hash,
    }
