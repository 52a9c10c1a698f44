"""`minicolumn evaluate`: score a trained model on labeled rows.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from minicolumn.tables import Encoder

_MODEL = typer.Argument(metavar="MODEL", help="A model file from minicolumn train.")
_DATA = typer.Argument(metavar="DATA", help="A file with the model's columns and its target.")
_JSON = typer.Option("--json", help="One JSON line on stdout; words go to stderr.")
_QUIET = typer.Option("--quiet", "-q", help="Say nothing but errors.")


def evaluate(
    model: Annotated[str, _MODEL],
    data: Annotated[str, _DATA],
    as_json: Annotated[bool, _JSON] = False,
    quiet: Annotated[bool, _QUIET] = False,
) -> int:
    """Score a trained model on rows whose answers are known.

    The scores are those of the test at the end of a training. Use rows that the model has not seen:
    on those that it was trained on, it looks better than it is.

    Examples
      minicolumn evaluate penguins.safetensors penguins
      minicolumn evaluate houses.safetensors june.csv --json
    """
    from minicolumn.cli.run import DONE
    from minicolumn.cli.score_report import show_confusion, show_scores
    from minicolumn.cli.screen import open_console, print_json, working
    from minicolumn.cli.source import load_table_model, read_source
    from minicolumn.model import metrics

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
    """Return the scores of the constant prediction that suits these very rows best; see `_guess`.

    It knows their class shares or their mean, so it is a little better than any baseline from training rows.
    """
    from minicolumn.model import metrics

    if encoder.classes is None:
        return metrics.mean_baseline(right, right)
    return metrics.majority_baseline(right, right, len(encoder.classes))


def _rows(scored: int, rows: int) -> str:
    """Return how many rows were scored, and how many had no target."""
    from minicolumn.cli.screen import count

    without = f"; {count(rows - scored, 'row')} without a target left out" if scored < rows else ""
    return f"{count(scored, 'row')}{without}"


def _guess(encoder: Encoder) -> str:
    """Return what the baseline predicts, in words."""
    what = "the shares of the classes" if encoder.classes is not None else "the mean"
    return f"always answers with {what} in these rows"
