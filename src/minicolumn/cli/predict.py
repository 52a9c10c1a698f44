"""`minicolumn predict`: predictions for new rows, as a table in the order of the rows.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import Option, as_command
from minicolumn.cli.table_options import FILE, ReadingOptions
from minicolumn.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import polars
    from rich.console import Console

    from minicolumn.model import Model

# How each format is written, by the suffix that names it.
_WRITERS: dict[str, Callable[[polars.DataFrame, io.BytesIO], None]] = {
    ".csv": lambda frame, stream: frame.write_csv(stream),
    ".tsv": lambda frame, stream: frame.write_csv(stream, separator="\t"),
    ".jsonl": lambda frame, stream: frame.write_ndjson(stream),
    ".ndjson": lambda frame, stream: frame.write_ndjson(stream),
    ".parquet": lambda frame, stream: frame.write_parquet(stream),
}

MODEL, OUTPUT = "The model and the rows", "What comes out"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ReadingOptions):
    """The options of `minicolumn predict`, as they were written."""

    GROUPS: ClassVar = (MODEL, OUTPUT, FILE)

    model: Annotated[str, Option(MODEL, "MODEL", help="A model file from minicolumn train.")]
    data: Annotated[
        str,
        Option(
            MODEL, "DATA", help="A file with the columns that the model learnt from; - is standard input."
        ),
    ]
    id: Annotated[
        list[str] | None,
        Option(OUTPUT, "COLUMNS", "those of the training", "Carry these columns into the predictions."),
    ] = None
    strict: Annotated[
        bool, Option(MODEL, help="A word among numbers or dates is an error, never missing.")
    ] = False
    interval: Annotated[
        float | None,
        Option(OUTPUT, "SHARE", help="Of numbers: ends between which that share of them lies, such as 0.9."),
    ] = None
    out: Annotated[
        str | None,
        Option(OUTPUT, "FILE", help="Write a .csv, .tsv, .jsonl or .parquet; else CSV on stdout."),
    ] = None
    as_json: Annotated[
        bool,
        Option(OUTPUT, help="With --out: one JSON line on stdout on rows and remarks.", flags=("--json",)),
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def predict(options: PredictOptions) -> int:
    """Predict new rows with a trained model.

    Each row gets a prediction, and for classes one probability LABEL a class; for numbers
    quantiles or a standard deviation, where the training's loss was quantile or gaussian_nll.
    --interval 0.9 writes the ends of an interval beside each number, by how far rows that were
    held out in the training lay from their predictions.
    The rows keep their order. Columns may stand in any order, and further ones do no harm; the
    target need not be there. Columns whose values are unlike those of the training are named on
    standard error.

    Examples
      minicolumn predict penguins.safetensors new.csv
      minicolumn predict houses.safetensors june.parquet --out prices.csv
      minicolumn predict houses.safetensors june.csv --interval 0.9
      minicolumn predict adult.safetensors new.csv | head
      minicolumn predict houses.safetensors june.csv --id address --out prices.csv
    """
    import polars
    from rich.text import Text

    from minicolumn.cli.run import DONE
    from minicolumn.cli.save import check_writable, uninterrupted
    from minicolumn.cli.screen import count, open_console, print_json, visible, working
    from minicolumn.cli.source import load_table_model, read_source
    from minicolumn.cli.table_options import reading_of
    from minicolumn.cli.table_report import show_remarks
    from minicolumn.model.files import write_atomically

    console, out = open_console(to_stderr=True, quiet=options.quiet), options.out
    suffix = ".csv" if out is None else _format(out)
    if out is not None:
        check_writable("--out", out, (options.model, options.data))
    elif options.as_json:
        raise DataError("--json: the predictions are on stdout already; write them to a file with --out")
    found = load_table_model(options.model, strict=options.strict)
    frame = read_source(options.data, console, reading_of(options))
    ids = writable(_ids(options, found, frame, console), suffix)
    with working(console, "Predicting"):
        typed = found.typed_table(frame)
        predicted = polars.DataFrame(found.predict_distribution_table(typed, options.interval))
        _check_apart(ids, predicted)
        written = _bytes(polars.concat([ids, predicted], how="horizontal"), suffix)
    show_remarks(console, typed.remarks)
    _warn_of_formulas(console, ids, predicted, suffix)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(written)
        return DONE
    with uninterrupted():
        write_atomically(out, [written])
    console.print(Text(f"{count(frame.height, 'row')} predicted, in {visible(out)}"), soft_wrap=True)
    if options.as_json:
        remarks = [remark.to_json() for remark in typed.remarks]
        print_json({"rows": frame.height, "out": out, "remarks": remarks})
    return DONE


command = as_command(predict, PredictOptions, check_room_for_tables)


def _ids(
    options: PredictOptions, model: Model, frame: polars.DataFrame, console: Console
) -> polars.DataFrame:
    """Return the columns that are carried into the predictions: those named, else those of the training.

    One of the training that the new rows lack is left out, and said.
    """
    from rich.text import Text

    from minicolumn.cli.columns import listed, parse_columns
    from minicolumn.cli.screen import visible

    if options.id is not None:
        return frame.select(parse_columns("--id", options.id, frame.columns))
    names = model.schema.ids if model.schema is not None else ()
    have = set(frame.columns)
    if absent := [name for name in names if name not in have]:
        line = f"no column {listed(absent)} to carry into the predictions, as the training asked for"
        console.print(Text(f"  {visible(line)}", "yellow"), soft_wrap=True)
    return frame.select(name for name in names if name in have)


def _check_apart(ids: polars.DataFrame, predicted: polars.DataFrame) -> None:
    """Refuse a column to carry along that has the name of one of the predictions."""
    for name in ids.columns:
        if name in predicted.columns:
            raise DataError(
                f"--id: {name!r} is also the name of a column of the predictions; rename it, or say which "
                'columns to carry along ("" for none)'
            )


def writable(frame: polars.DataFrame, suffix: str) -> polars.DataFrame:
    """Return columns as a format can hold them: lists, objects and bytes as text where it has none."""
    import polars

    from minicolumn.tables.files.columns import as_text
    from minicolumn.tables.values import Shape, shape_of

    nested = [series for series in frame if shape_of(series) is Shape.NESTED]
    if suffix in (".jsonl", ".ndjson"):  # which have lists and objects
        nested = [series for series in nested if series.dtype in (polars.Binary, polars.Object)]
    if suffix == ".parquet":
        nested = [series for series in nested if series.dtype == polars.Object]
    return frame.with_columns(
        polars.Series(series.name, [as_text(value) for value in series.to_list()], dtype=polars.String)
        for series in nested
    )


def _warn_of_formulas(
    console: Console, ids: polars.DataFrame, predicted: polars.DataFrame, suffix: str
) -> None:
    """Say where text of the table would be run as a formula by a spreadsheet that opens the file."""
    import polars
    from rich.text import Text

    from minicolumn.cli.screen import count

    if suffix not in (".csv", ".tsv"):
        return
    texts = [column for frame in (ids, predicted) for column in frame if column.dtype == polars.String]
    cells = sum(int(column.str.contains(r"^\s*[=+@\-][^0-9.]").sum() or 0) for column in texts)
    if cells:
        line = f"{count(cells, 'cell')} begin like a formula; a spreadsheet may run them: import them as text"
        console.print(Text(line, "yellow"), soft_wrap=True)


def _format(out: str) -> str:
    """Return the suffix that names the format of the output; DataError for an unknown one."""
    suffix = Path(out).suffix.lower()
    if suffix not in _WRITERS:
        hint = did_you_mean(suffix, _WRITERS) or f"; expected {', '.join(_WRITERS)}"
        raise DataError(f"--out: {out!r} does not end in the suffix of a table{hint}")
    return suffix


def _bytes(frame: polars.DataFrame, suffix: str) -> bytes:
    """Return a frame in the format of a suffix: whole, so that the file can be replaced at once."""
    stream = io.BytesIO()
    _WRITERS[suffix](frame, stream)
    return stream.getvalue()
