"""`minicolumn predict`: answers for new rows."""

from __future__ import annotations

from typing import Annotated

import typer

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
    from minicolumn.cli.predict_job import run_prediction

    return run_prediction(model, data, out, quiet)
