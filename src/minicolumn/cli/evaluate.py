"""`minicolumn evaluate`: score a trained model on labeled rows.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import Option, as_command
from minicolumn.cli.table_options import FILE, ReadingOptions

if TYPE_CHECKING:
    from minicolumn.tables import Encoder

MODEL, OUTPUT = "The model and the rows", "What comes out"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(ReadingOptions):
    """The options of `minicolumn evaluate`, as they were written."""

    GROUPS: ClassVar = (MODEL, OUTPUT, FILE)

    model: Annotated[str, Option(MODEL, "MODEL", help="A model file from minicolumn train.")]
    data: Annotated[str, Option(MODEL, "DATA", help="A file with the model's columns and its target.")]
    strict: Annotated[
        bool, Option(MODEL, help="A word among numbers or dates is an error, never missing.")
    ] = False
    importance: Annotated[
        bool, Option(OUTPUT, help="How much worse the score gets where a column is shuffled.")
    ] = False
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def evaluate(options: EvaluateOptions) -> int:
    """Score a trained model on rows whose answers are known.

    The scores are those of the test at the end of a training. Use rows that the model has not seen:
    on those that it was trained on, it looks better than it is. Columns whose values are unlike
    those of the training are named.

    Examples
      minicolumn evaluate penguins.safetensors penguins
      minicolumn evaluate houses.safetensors june.csv --json
      minicolumn evaluate houses.safetensors june.csv --importance
    """
    from minicolumn.cli.run import DONE
    from minicolumn.cli.score_report import show_confusion, show_importance, show_scores
    from minicolumn.cli.screen import open_console, print_json, working
    from minicolumn.cli.source import load_table_model, read_source
    from minicolumn.cli.table_options import reading_of
    from minicolumn.cli.table_report import show_remarks
    from minicolumn.model import metrics
    from minicolumn.model.raw_rows import rows_with_target
    from minicolumn.tabular.importance import permutation_importance

    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    found = load_table_model(options.model, strict=options.strict)
    encoder = found.table
    assert encoder is not None
    frame = read_source(options.data, console, reading_of(options))
    with working(console, "Predicting"):
        rows = rows_with_target(frame, encoder)
        typed, y = found.typed_table(rows), encoder.encode_target(rows)
        scores, right, guess = found.score_typed(typed, y)
    show_remarks(console, typed.remarks)
    baseline = _baseline(encoder, right)
    show_scores(console, _rows(len(right), frame.height), scores, baseline, _guess(encoder), right)
    if encoder.classes is not None:
        counts = metrics.confusion(right, guess, len(encoder.classes))
        show_confusion(console, counts, encoder.classes)
    importance = None
    if options.importance:
        with working(console, "Shuffling columns"):
            importance = permutation_importance(found, typed, y)
        show_importance(console, importance)
    if options.as_json:
        shape = {"rows": frame.height, "columns": frame.width}
        remarks = [remark.to_json() for remark in typed.remarks]
        said = {
            "task": encoder.task,
            **shape,
            "metrics": scores,
            "baseline": baseline,
            "model": options.model,
        }
        shares = {} if importance is None else {"importance": importance.to_json()}
        print_json({**said, "remarks": remarks, **shares})
    return DONE


command = as_command(evaluate, EvaluateOptions, check_room_for_tables)


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
