"""The work of `minicolumn predict`: a table of answers, in the order of the rows."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import polars
from rich.text import Text

from minicolumn.cli.run import DONE
from minicolumn.cli.save import check_writable, uninterrupted
from minicolumn.cli.screen import count, open_console, visible, working
from minicolumn.cli.source import load_table_model, read_source
from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.files import write_atomically

_WRITERS: dict[str, Callable[[polars.DataFrame, io.BytesIO], None]] = {
    ".csv": lambda frame, stream: frame.write_csv(stream),
    ".tsv": lambda frame, stream: frame.write_csv(stream, separator="\t"),
    ".jsonl": lambda frame, stream: frame.write_ndjson(stream),
    ".ndjson": lambda frame, stream: frame.write_ndjson(stream),
    ".parquet": lambda frame, stream: frame.write_parquet(stream),
}


def run_prediction(model: str, data: str, out: str | None, quiet: bool) -> int:
    """Predict every row of a table, to a file or to stdout."""
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
    suffix = Path(out).suffix.lower()
    if suffix not in _WRITERS:
        hint = did_you_mean(suffix, _WRITERS) or f"; expected {', '.join(_WRITERS)}"
        raise DataError(f"--out: {out!r} does not end in the suffix of a table{hint}")
    return suffix


def _bytes(frame: polars.DataFrame, suffix: str) -> bytes:
    stream = io.BytesIO()
    _WRITERS[suffix](frame, stream)
    return stream.getvalue()
