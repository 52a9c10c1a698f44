"""`minicolumn evaluate`: how good a model is on rows whose answers are known."""

from __future__ import annotations

from typing import Annotated

import typer

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
    from minicolumn.cli.evaluate_job import run_evaluation

    return run_evaluation(model, data, as_json, quiet)
