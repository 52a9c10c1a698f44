"""Self-test vectors: rows of cells that a model could be given, with what it answers.

They come from what the encoder knows of each column: the range seen, levels known and unknown, cells without
a value. So every export carries its own test, and a model file need hold no row of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.interpret import interpret
from minicolumn.lower.source.int8 import Int8
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.nn.extent import extent
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import without_spellings

if TYPE_CHECKING:
    from minicolumn.tables.encode import Encoder
    from minicolumn.tables.inputs.by_kind import Input

Array = np.ndarray[Any, np.dtype[Any]]
Cell = float | str | None
ROWS = 16
# What an export may be off by, as a share of the answer and of 1: sums in another order, in float32.
TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows, and what the model answers.

    cells       of each row, in the order of the columns: a number, a text, a date-time as ISO 8601, or None;
                numbers alone where the model takes arrays
    answers     float32 [rows, answers]
    chosen      the number of the class of each row; None where numbers are predicted
    scale       what an answer may be off by is `TOLERANCE` times this, or times the answer where it is larger
    """

    cells: tuple[tuple[Cell, ...], ...]
    answers: Array
    chosen: Array | None
    scale: float

    @property
    def tolerance(self) -> float:
        """The absolute tolerance."""
        return TOLERANCE * self.scale


def samples_of(pipeline: Pipeline, rows: int = ROWS, seed: int = 0) -> Samples:
    """Return self-test vectors of a model.

    Rows whose class hangs by a rounding error are left out, since two right answers may differ.
    """
    rng = np.random.default_rng(seed)
    cells = _cells(pipeline, rows, rng)
    answers = int8_answers(pipeline, cells) if pipeline.int8 else _answers(pipeline, cells)
    chosen = None if pipeline.labels is None else _chosen(pipeline, answers)
    keep = [k for k in range(rows) if chosen is None or _is_clear(pipeline, answers[k])]
    # An input midway between two whole numbers may be rounded either way, which moves it by 1 / 32767.
    scale = _scale(pipeline) * (10.0 if pipeline.int8 else 1.0)
    return Samples(
        tuple(cells[k] for k in keep), answers[keep], None if chosen is None else chosen[keep], scale
    )


def _cells(pipeline: Pipeline, rows: int, rng: np.random.Generator) -> list[tuple[Cell, ...]]:
    return _rows_of_arrays(pipeline, rows, rng) if pipeline.encoder is None else _rows(pipeline, rows, rng)


def _scale(pipeline: Pipeline) -> float:
    """Return the target's scale; 1 for probabilities and networks of arrays."""
    encoder = pipeline.encoder
    return 1.0 if encoder is None or pipeline.labels else encoder.target_scale * (encoder.target_unit or 1.0)


# Weights as int8 --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Int8Error:
    """How far answers with weights of int8 lie from those of the model.

    rows        that were answered, made as those of the self-test are
    largest     difference of an answer, in its unit; mean: of all
    same        share of the rows whose class is the same; None where numbers are predicted
    scale       of the target, beside which a difference of numbers is large or small
    """

    rows: int
    largest: float
    mean: float
    same: float | None
    scale: float

    def __str__(self) -> str:
        said = f"int8 weights: answers off by {self.mean:.2g} in the mean, {self.largest:.2g} at most"
        if self.same is not None:
            return f"{said}, the same class in {100 * self.same:.1f} % of {self.rows} rows"
        return f"{said} in {self.rows} rows (the target's scale is {self.scale:.3g})"


def int8_answers(pipeline: Pipeline, cells: list[tuple[Cell, ...]]) -> Array:
    """Return what the model answers with weights of int8, float32 [rows, answers]."""
    run = interpret(pipeline.graph, Int8())
    with np.errstate(all="ignore"):
        return np.stack([np.asarray(run(x)[0], np.float32) for x in numbers_of(pipeline, cells)])


def int8_error(pipeline: Pipeline, rows: int = 256, seed: int = 1) -> Int8Error:
    """Return how far answers with weights of int8 lie from the model's, over rows made for it."""
    cells = _cells(pipeline, rows, np.random.default_rng(seed))
    wanted, found = _answers(pipeline, cells), int8_answers(pipeline, cells)
    off, same = np.abs(found - wanted), None
    if pipeline.labels is not None:
        same = float(np.mean(_chosen(pipeline, wanted) == _chosen(pipeline, found)))
    return Int8Error(rows, float(off.max()), float(off.mean()), same, _scale(pipeline))


def _rows_of_arrays(pipeline: Pipeline, rows: int, rng: np.random.Generator) -> list[tuple[Cell, ...]]:
    """Return normal numbers; codes of embeddings where the network looks them up."""
    X = rng.normal(size=(rows, pipeline.width)).astype(np.float32)
    for lookup in extent(pipeline.model.network, pipeline.model.input_shape).lookups:
        given = lookup.columns[np.isfinite(lookup.columns)].astype(int)  # others the network computes itself
        X[:, given] = rng.integers(0, lookup.levels, (rows, len(given)))
    return [tuple(row) for row in X.tolist()]


def _rows(pipeline: Pipeline, rows: int, rng: np.random.Generator) -> list[tuple[Cell, ...]]:
    columns = [_CELLS[type(part)](part, rng) for part in pipeline.columns]
    return [tuple(next(column) for column in columns) for _ in range(rows)]


def _numbers(part: NumberInput, rng: np.random.Generator) -> Iterator[Cell]:
    """Yield numbers of the range seen, some beyond it, some missing; of whole numbers mostly such."""
    low, high = part.seen.low, part.seen.high
    whole = low == round(low) and high == round(high)
    for k in count():
        x = low + (high - low) * float(rng.uniform(-0.1, 1.1))
        yield None if k % 8 == 5 else float(np.float32(round(x) if whole and k % 2 else x))


def _booleans(part: BooleanInput, rng: np.random.Generator) -> Iterator[Cell]:
    words = ("yes", "no", "True", "F", "1", "0", None, "perhaps")
    while True:
        yield words[rng.integers(len(words))]


def _levels(part: CategoryInput, rng: np.random.Generator) -> Iterator[Cell]:
    """Yield levels, the frequent ones more often, some that are unknown or missing."""
    for k in count():
        if k % 8 in (3, 6):
            yield None if k % 8 == 3 else "a level that nobody has seen"
        else:
            yield part.levels[int(len(part.levels) * rng.random() ** 2)] if part.levels else None


def _dates(part: DatetimeInput, rng: np.random.Generator) -> Iterator[Cell]:
    """Yield date-times of the range seen, to the second, some missing, some of them dates alone."""
    low, high = part.seen.low, part.seen.high
    for k in count():
        day = datetime(1970, 1, 1) + timedelta(seconds=round((low + (high - low) * rng.random()) * 86_400))
        yield None if k % 8 == 7 else (day.date().isoformat() if k % 2 else day.isoformat())


_CELLS: dict[type, Callable[[Any, np.random.Generator], Iterator[Cell]]] = {
    NumberInput: _numbers,
    BooleanInput: _booleans,
    CategoryInput: _levels,
    DatetimeInput: _dates,
}


def _answers(pipeline: Pipeline, cells: list[tuple[Cell, ...]]) -> Array:
    """Return what the model itself answers, float32 [rows, answers]."""
    from minicolumn.model.model import Model
    from minicolumn.tables.typed import Typed

    model = pipeline.model
    if pipeline.encoder is None:
        X = np.array(cells, np.float32).reshape(len(cells), *model.input_shape)
        found = Model.predict(model, X)  # outputs, of classifiers too, whose own `predict` gives labels
        if pipeline.labels is not None:
            found = model.outputs.class_scores(found)  # type: ignore[union-attr]
        return np.asarray(found, np.float32).reshape(len(cells), -1)
    told = model.predict_distribution_table(Typed(_frame(pipeline.encoder, cells), ()))
    names = [name for name in told if pipeline.labels is None or name != "prediction"]
    return np.stack([told[name] for name in names], axis=1).astype(np.float32)


def numbers_of(pipeline: Pipeline, cells: Sequence[tuple[Cell, ...]]) -> Array:
    """Return what rows of cells are read as: the numbers that the graph takes, [rows, width]."""
    if pipeline.encoder is None:
        return np.array(cells, pipeline.model.dtype).reshape(len(cells), pipeline.width)
    frame = _frame(pipeline.encoder, list(cells))
    return np.concatenate([part.read(frame[part.name]) for part in pipeline.ordered], axis=1)


def _frame(encoder: Encoder, cells: list[tuple[Cell, ...]]) -> Any:
    """Return rows of cells as the encoder types them: numbers, dates, words; null where missing."""
    import polars

    def series(part: Input, values: tuple[Cell, ...]) -> polars.Series:
        if isinstance(part, NumberInput):
            return polars.Series(part.name, values, polars.Float64)
        words = polars.Series(part.name, values, polars.String)
        if isinstance(part, DatetimeInput):
            dates = [None if cell is None else datetime.fromisoformat(str(cell)) for cell in values]
            return polars.Series(part.name, dates, polars.Datetime("us"))
        return words

    columns = zip(encoder.inputs, zip(*cells, strict=True), strict=True)
    return polars.DataFrame([without_spellings(series(p, v), encoder.missing) for p, v in columns])


def _chosen(pipeline: Pipeline, answers: Array) -> Array:
    if pipeline.threshold is not None:
        return (answers[:, 1] >= pipeline.threshold).astype(np.int32)
    return np.argmax(answers, axis=1).astype(np.int32)


def _is_clear(pipeline: Pipeline, answer: Array) -> bool:
    """Return whether the class does not change where answers move by the tolerance."""
    if pipeline.threshold is not None:
        return abs(float(answer[1]) - pipeline.threshold) > 4 * TOLERANCE
    first, second = np.sort(answer)[-1:-3:-1]
    return bool(first - second > 4 * TOLERANCE)
