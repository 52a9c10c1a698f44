"""Every network of the zoo as ONNX, on 10,000 rows: ONNX Runtime and the model itself answer alike.

    python tests/model/export/long_onnx.py [--rows 10000] [NAME ...]

Numbers lie within the range of the training, around it and far beyond it, or are missing; levels are
frequent, rare, unknown, missing, or words that look like other things; dates have and lack a time of day.
Both are given numbers as float32, which ONNX takes. Prints, for each network, the largest difference of its
answers, as a share of the target's scale for numbers, and how many rows got another class although it does
not hang by a rounding error.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import onnxruntime
import polars

import minicolumn as mc
from minicolumn.model.export.onnx_file import onnx_pipeline
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput

Array = np.ndarray[Any, np.dtype[Any]]
# Both sides add up in float32, each in an order of its own, and are compared with each other: each is within
# 1e-5 of the same network in float64 (adult-income, the worst of them: 5e-6 in ONNX Runtime, 8e-6 here).
TOLERANCE = 2e-5
ODD = ("a level that nobody has seen", "0", "1", "nan?", "<b>", "日本", "é", "x" * 300, "3.14", "-", "Ω" * 40)


def numbers(part: NumberInput, rows: int, dice: np.random.Generator) -> Array:
    """Return float32 [rows], NaN where missing: half within the range, the rest around it and far away."""
    low, high = part.seen.low, part.seen.high
    span = max(high - low, 1.0)
    inside = low + (high - low) * dice.uniform(size=rows)
    around = low + (high - low) * dice.uniform(-0.5, 1.5, rows)
    far = np.sign(dice.normal(size=rows)) * span * 10.0 ** dice.uniform(0, 9, rows)
    kind = dice.choice(5, rows, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    found = np.select([kind == 0, kind == 1, kind == 2, kind == 3], [inside, around, far, np.round(inside)])
    return np.where(kind == 4, np.nan, found).astype(np.float32)


def levels(part: CategoryInput, rows: int, dice: np.random.Generator) -> list[str]:
    """Return texts: levels, the rarest as often as the others, unknown ones, and "" for missing."""
    known = dice.integers(0, max(len(part.levels), 1), rows)
    kind = dice.choice(3, rows, p=[0.8, 0.1, 0.1])
    odd = dice.integers(0, len(ODD), rows)
    return [
        "" if kind[k] == 2 else ODD[odd[k]] if kind[k] == 1 or not part.levels else part.levels[known[k]]
        for k in range(rows)
    ]


def booleans(part: BooleanInput, rows: int, dice: np.random.Generator) -> list[str]:
    """Return words of booleans in some spellings, others, and none."""
    words = ("yes", "no", "True", "false", "T", "f", "1", "0", "1.0", "0.0", "", "perhaps")
    return [words[k] for k in dice.integers(0, len(words), rows)]


def dates(part: DatetimeInput, rows: int, dice: np.random.Generator) -> list[str]:
    """Return dates, some with a time of day, within the range and around it; "" for missing."""
    low, high = part.seen.low, part.seen.high
    days = low + (high - low) * dice.uniform(-0.5, 1.5, rows)
    moments = [datetime(1970, 1, 1) + timedelta(seconds=round(float(day) * 86_400)) for day in days]
    kind = dice.choice(3, rows, p=[0.45, 0.45, 0.1])
    return [
        "" if kind[k] == 2 else (moment.isoformat() if kind[k] else moment.date().isoformat())
        for k, moment in enumerate(moments)
    ]


CELLS: dict[type, Callable[[Any, int, np.random.Generator], Any]] = {
    NumberInput: numbers,
    CategoryInput: levels,
    BooleanInput: booleans,
    DatetimeInput: dates,
}


def of_table(pipeline: Pipeline, rows: int, dice: np.random.Generator) -> tuple[dict[str, Any], Array]:
    """Return rows as ONNX takes them, and what the model answers."""
    fed: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for part in pipeline.columns:
        cells = CELLS[type(part)](part, rows, dice)
        fed[part.name] = np.array(cells, object if isinstance(cells, list) else np.float32)[:, None]
        given = cells if isinstance(cells, list) else [None if np.isnan(x) else float(x) for x in cells]
        columns[part.name] = [None if cell == "" else cell for cell in given]
    kinds = {
        part.name: polars.Float64 if isinstance(part, NumberInput) else polars.String
        for part in pipeline.columns
    }
    frame = polars.DataFrame(columns, schema=kinds)
    for part in pipeline.columns:
        if isinstance(part, DatetimeInput):
            moments = [None if cell is None else datetime.fromisoformat(cell) for cell in frame[part.name]]
            frame = frame.with_columns(polars.Series(part.name, moments, polars.Datetime("us")))
    told = pipeline.model.predict_distribution_table(frame)
    names = [name for name in told if pipeline.labels is None or name != "prediction"]
    return fed, np.stack([np.asarray(told[name], np.float64) for name in names], axis=1)


def of_arrays(pipeline: Pipeline, rows: int, dice: np.random.Generator) -> tuple[dict[str, Any], Array]:
    """Return arrays, of pixels from 0 to 1 and of normal numbers, and what the model answers."""
    model = pipeline.model
    pixels = dice.uniform(size=(rows, pipeline.width))
    X = np.where(dice.uniform(size=(rows, 1)) < 0.5, pixels, dice.normal(size=pixels.shape))
    X = X.astype(model.dtype)
    found = mc.Model.predict(model, X.reshape(rows, *model.input_shape))
    if pipeline.labels is not None:
        found = model.outputs.class_scores(found)  # type: ignore[union-attr]
    return {"x": X}, np.asarray(found, np.float64).reshape(rows, -1)


def difference(name: str, rows: int, seed: int) -> tuple[float, int]:
    """Return the largest difference, and how many classes are others without a rounding error."""
    dice = np.random.default_rng(seed)
    pipeline = Pipeline(mc.zoo.load(name), "entry")
    fed, wanted = (of_table if pipeline.columns else of_arrays)(pipeline, rows, dice)
    session = onnxruntime.InferenceSession(onnx_pipeline(pipeline))
    found = [np.asarray(each) for each in session.run(None, fed)]
    if pipeline.labels is None:
        answers, scale = np.concatenate(found, axis=1), pipeline.samples.scale
        off = np.abs(answers - wanted) / scale / (1 + np.abs(wanted) / scale)
        return float(off.max()), 0
    labels, answers = found[0], found[1]
    others = 0
    if pipeline.threshold is None:
        best = np.sort(wanted, axis=1)
        clear = best[:, -1] - best[:, -2] > 4 * TOLERANCE
        chosen = np.argmax(wanted, axis=1)
    else:
        clear = np.abs(wanted[:, 1] - pipeline.threshold) > 4 * TOLERANCE
        chosen = (wanted[:, 1] >= pipeline.threshold).astype(int)
    others = int((np.array(pipeline.labels, object)[chosen] != labels)[clear].sum())
    return float(np.abs(answers - wanted).max()), others


def main() -> int:
    """Print a line for each network."""
    known = [entry.name for entry in mc.zoo.entries()]
    parser = argparse.ArgumentParser(
        description="compare the zoo's ONNX exports with the networks themselves"
    )
    parser.add_argument("names", nargs="*", default=known)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # rows unlike those of the training are meant to be so
    failed = 0
    for name in options.names:
        off, others = difference(name, options.rows, options.seed)
        fine = off <= TOLERANCE and not others
        failed += not fine
        print(f"{name:22} {off:.2e}  {others} other classes{'' if fine else '   <-- too far'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
