"""The work of `minicolumn evaluate`."""

from __future__ import annotations

from typing import Any

from minicolumn.cli.json_line import print_json
from minicolumn.cli.run import DONE
from minicolumn.cli.score_report import show_confusion, show_scores
from minicolumn.cli.screen import count, open_console, working
from minicolumn.cli.source import load_table_model, read_source
from minicolumn.model import metrics
from minicolumn.tables import Encoder


def run_evaluation(model: str, data: str, as_json: bool, quiet: bool) -> int:
    """Score a model on a table and return the exit code."""
    console = open_console(to_stderr=as_json, quiet=quiet)
    found = load_table_model(model)
    encoder = found.table
    assert encoder is not None
    frame = read_source(data, console)
    with working(console, "Predicting"):
        scores, right, guess = found.score_table(frame)
    baseline = _baseline(encoder, right)
    show_scores(console, _rows(len(right), frame.height), scores, baseline, _guess(encoder))
    if encoder.classes is not None:
        counts = metrics.confusion(right, guess, len(encoder.classes))
        show_confusion(console, counts, encoder.classes)
    if as_json:
        shape = {"rows": frame.height, "columns": frame.width}
        print_json({"task": encoder.task, **shape, "metrics": scores, "baseline": baseline, "model": model})
    return DONE


def _baseline(encoder: Encoder, right: Any) -> dict[str, float]:
    if encoder.classes is None:
        return metrics.mean_baseline(right, right)
    return metrics.majority_baseline(right, right, len(encoder.classes))


def _rows(scored: int, rows: int) -> str:
    without = f"; {count(rows - scored, 'row')} without a target left out" if scored < rows else ""
    return f"{count(scored, 'row')}{without}"


def _guess(encoder: Encoder) -> str:
    what = "the shares of the classes" if encoder.classes is not None else "the mean"
    return f"always answers with {what} in these rows"
