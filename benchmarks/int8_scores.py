"""What weights of int8 cost: scores of the zoo's tables and images on their test rows, float32 beside int8.

    python benchmarks/int8_scores.py [NAME ...] [--data ../shared/data] [--rows 10000]

The int8 answers are those of `minicolumn export --to c --weights int8`, computed by the same definition that
its self-test holds the C to. Data that is not at hand is left out, and said. Rows are the first of the test.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.ir.interpret import interpret
from minicolumn.lower.source.int8 import Int8
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.raw_rows import rows_with_target
from minicolumn.zoo.datasets import pixels_of
from minicolumn.zoo.verification import table_of_tests

Array = np.ndarray[Any, np.dtype[Any]]


def folder_of(entry: Any, data: Path) -> Path | None:
    """Return the folder within `data` with the files of an entry; None for what comes with a package."""
    for name in entry.source.files:
        for folder in (data, data / entry.source.name.lower().replace("-", "_")):
            if (folder / name).is_file():
                return folder
    return None


def rows_of(entry: Any, pipeline: Pipeline, data: Path, most: int) -> tuple[Array, Array]:
    """Return numbers as the exported network takes them, and the codes or numbers that are right."""
    if entry.kind == "images":
        _, _, tested, right = pixels_of(entry, folder_of(entry, data))
        return tested[:most].reshape(-1, pipeline.width), right[:most]
    encoder = pipeline.encoder
    assert encoder is not None
    frame = rows_with_target(table_of_tests(entry, folder_of(entry, data)), encoder).head(most)
    typed, y = pipeline.model.typed_table(frame), encoder.encode_target(frame)
    numbers = np.concatenate([part.read(typed.frame[part.name]) for part in pipeline.ordered], axis=1)
    return numbers, y if pipeline.labels else encoder.in_unit(y)


def scores(pipeline: Pipeline, answers: Array, right: Array) -> dict[str, float]:
    """Return accuracy and log loss of probabilities, or R2 of predictions."""
    from sklearn.metrics import log_loss, r2_score

    if pipeline.labels is None:
        return {"r2": float(r2_score(right, answers[:, 0]))}
    second = pipeline.threshold
    chosen = np.argmax(answers, axis=1) if second is None else (answers[:, 1] >= second).astype(int)
    p = np.clip(answers.astype(np.float64), 1e-15, 1)
    p /= p.sum(axis=1, keepdims=True)
    loss = log_loss(right, p, labels=range(p.shape[1]))
    return {"accuracy": float(np.mean(chosen == right)), "log loss": float(loss)}


def report(entry: Any, data: Path, most: int) -> str:
    """Return the lines of one network."""
    pipeline = Pipeline(mc.zoo.load(entry.name), "entry", int8=True)
    numbers, right = rows_of(entry, pipeline, data, most)
    by_int8 = interpret(pipeline.graph, Int8())
    with np.errstate(all="ignore"):
        small = np.stack([np.asarray(by_int8(x)[0]) for x in numbers])
    as_they_are = np.asarray(mc.compile(pipeline.answer)(numbers))
    one, other = scores(pipeline, as_they_are, right), scores(pipeline, small, right)
    shown = " | ".join(f"{name} {one[name]:.4f} | {other[name]:.4f}" for name in one)
    same = ""
    if pipeline.labels:
        same = f"{100 * np.mean(np.argmax(as_they_are, axis=1) == np.argmax(small, axis=1)):.2f} %"
    return f"| {entry.name} | {len(right):,} | {shown} | {same} |"


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description="scores of weights of int8 beside those of float32")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for entry in mc.zoo.entries():
        if entry.kind in ("table", "images") and entry.name in (options.names or [entry.name]):
            try:
                print(report(entry, options.data, options.rows), flush=True)
            except DataError as error:
                print(f"{entry.name}: {error}", flush=True)


if __name__ == "__main__":
    main()
