"""`minicolumn predict`: predictions for new rows, as a table in the order of the rows.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minicolumn.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import polars

# How each format is written, by the suffix that names it.
_WRITERS: dict[str, Callable[[polars.DataFrame, io.BytesIO], None]] = {
    ".csv": lambda frame, stream: frame.write_csv(stream),
    ".tsv": lambda frame, stream: frame.write_csv(stream, separator="\t"),
    ".jsonl": lambda frame, stream: frame.write_ndjson(stream),
    ".ndjson": lambda frame, stream: frame.write_ndjson(stream),
    ".parquet": lambda frame, stream: frame.write_parquet(stream),
}

_MODEL = typer.Argument(metavar="MODEL", help="A model file from minicolumn train.")
_DATA = typer.Argument(metavar="DATA", help="A file with the columns that the model learnt from.")
_OUT = typer.Option(metavar="FILE", help="Write a .csv, .tsv, .jsonl or .parquet; else CSV on stdout.")
_QUIET = typer.Option("--quiet", "-q", help="Say nothing but errors.")


def predict(
    model: Annotated[str, _MODEL],
    data: Annotated[str, _DATA],
    out: Annotated[str | None, _OUT] = None,
    quiet: Annotated[bool, _QUIET] = False,
) -> int:
    """Predict new rows with a trained model.

    Each row gets a prediction, and for classes one probability LABEL a class; for numbers
    quantiles or a standard deviation, where the training's loss was quantile or gaussian_nll.
    The rows keep their order. Columns may stand in any order, and further ones do no harm; the
    target need not be there.

    Examples
      minicolumn predict penguins.safetensors new.csv
      minicolumn predict houses.safetensors june.parquet --out prices.csv
      minicolumn predict adult.safetensors new.csv | head
    """
    import polars
    from rich.text import Text

    from minicolumn.cli.run import DONE
    from minicolumn.cli.save import check_writable, uninterrupted
    from minicolumn.cli.screen import count, open_console, visible, working
    from minicolumn.cli.source import load_table_model, read_source
    from minicolumn.model.files import write_atomically

    console = open_console(to_stderr=True, quiet=quiet)
    suffix = ".csv" if out is None else _format(out)
    if out is not None:
        check_writable("--out", out, (model, data))
    found = load_table_model(model)
    frame = read_source(data, console)
    with working(console, "Predicting"):
        written = _bytes(polars.DataFrame(found.predict_distribution_table(frame)), suffix)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(written)
        return DONE
    with uninterrupted():
        write_atomically(out, [written])
    console.print(Text(f"{count(frame.height, 'row')} predicted, in {visible(out)}"), soft_wrap=True)
    return DONE


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
