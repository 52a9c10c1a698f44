"""Input tables and models of a command: reading them, and choosing the target column."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from minicolumn.cli.columns import listed
from minicolumn.cli.screen import open_console, visible, working
from minicolumn.errors import DataError

if TYPE_CHECKING:
    import polars

    from minicolumn.model import Model
    from minicolumn.tables import Reading

_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip", ".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson",
             ".json", ".parquet", ".xlsx", ".arrow", ".feather")  # fmt: skip
# Names under which people keep what is to be predicted.
_USUAL = ("target", "label", "class", "y", "outcome", "response", "species", "survived", "churn", "price")


def read_source(source: str, console: Console, reading: Reading | None = None) -> polars.DataFrame:
    """Read a table by path or name, with a spinner while it lasts; what was guessed is printed."""
    from minicolumn.data.image_table import image_table, is_image_file
    from minicolumn.tables import Reading, load_table

    with working(console, f"Reading {source}"):
        if is_image_file(source):
            return image_table(source)
        loaded = load_table(source, reading or Reading())
    for note in loaded.notes:
        console.print(Text(f"  {visible(short_name(source))}: {visible(note)}", "yellow"), soft_wrap=True)
    return loaded.frame


def short_name(source: str) -> str:
    """Return a file's name without its folder and its suffixes.

    >>> short_name("data/adult_income.csv.gz")
    'adult_income'
    """
    name = Path(source).name
    while name.lower().endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    return name or "model"


def find_target(given: str | None, source: str, frame: polars.DataFrame) -> str:
    """Return the target column: the one given, or the usual one of a built-in data set.

    Errors      DataError for neither, with the column that looks like one
    """
    from minicolumn.data.image_table import LABEL, is_image_file
    from minicolumn.tables import builtin_names, builtin_target

    if given is not None:
        return given
    if is_image_file(source):
        return LABEL
    if source in builtin_names() and not os.path.exists(source):
        return builtin_target(source)
    raise DataError(f"--target is missing; the columns are {listed(frame.columns)}{_guess(frame)}")


def _guess(frame: polars.DataFrame) -> str:
    """Return which column might be the target: by its name, else the last or the first one."""
    usual = [name for name in frame.columns if name.casefold() in _USUAL]
    for name in (*usual, frame.columns[-1], frame.columns[0]):
        if _can_be_learnt(frame, name):
            place = "last" if name == frame.columns[-1] else "first" if name == frame.columns[0] else "named"
            which = f"{name!r}" if place == "named" else f"the {place} column {name!r}"
            return f"; {which} looks like one: --target {shlex.quote(name)}"
    return "; give the one to predict: --target COLUMN"


def _can_be_learnt(frame: polars.DataFrame, name: str) -> bool:
    """Return whether a column could be a target, by the first 20,000 rows."""
    from minicolumn.tables import infer_schema

    try:
        infer_schema(frame.head(20_000), name)
    except DataError:
        return False
    return True


def model_file(name: str, bare: bool = True) -> str:
    """Return the path of the model file that a name stands for: a path, a network of a zoo, hf://OWNER/NAME.

    bare        whether networks of the package's zoo are meant by their names alone
    """
    from minicolumn.model.hub.address import is_hub
    from minicolumn.zoo.lookup import located

    if not is_hub(name):
        return located(name, bare)
    from minicolumn.model.hub.download import fetched, moving

    console = open_console(to_stderr=True)
    with working(console, f"Fetching {name}"):
        found = fetched(name)
    if not found.asked.is_pinned:
        console.print(Text(moving(found), "dim"), soft_wrap=True)
    return str(found.path)


def load_table_model(path: str, *, strict: bool = False) -> Model:
    """Load a model; DataError for one that was not trained on a table.

    strict      whether words among numbers or dates are refused even where the training took them as missing
    """
    from minicolumn.model import load
    from minicolumn.model.artifact import load_artifact

    path = model_file(path)
    model = load(path)
    if model.table is None and load_artifact(path).checkpoint is not None:
        raise DataError(
            f"{path!r} is a checkpoint; finish its training first, with --resume {path}, which writes a model"
        )
    if model.table is None:
        raise DataError(
            f"{path!r} was trained on arrays, not on a table; use it from Python: minicolumn.load({path!r})"
        )
    return replace(model, table=replace(model.table, strict=True)) if strict else model
