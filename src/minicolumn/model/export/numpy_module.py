"""A model as one module of Python that needs NumPy alone: rows of cells in, answers out, a test of its own.

    predict(rows)           labels, or numbers in the target's unit
    answers(rows)           everything that is told of them, float32 [rows, answers]; `ANSWERS` names them
    self_test()             0, or the number of the first row that is off

Differs     `numpy_source` writes a network alone; here the preprocessing is in the module
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from minicolumn.model.export.numpy_source import graph_source
from minicolumn.model.export.pipeline import Pipeline, missing_words, no_values
from minicolumn.model.export.samples import TOLERANCE
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DATE_PARTS, DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import NO, YES

Lines = list[str]


def numpy_files(pipeline: Pipeline) -> dict[str, str]:
    """Return the module by file name.

    Errors      DataError, naming it, for an operation that NumPy has no line for
    """
    return {f"{pipeline.name}.py": numpy_module(pipeline)}


def numpy_module(pipeline: Pipeline) -> str:
    """Return the source of the module."""
    parts = [
        ascii(titled(pipeline, "it needs NumPy alone")),
        *reading(pipeline),
        graph_source(pipeline.batch_graph, "network"),
        *answering(pipeline, "network(read(rows))"),
    ]
    return module_of(parts)


def titled(pipeline: Pipeline, needs: str) -> str:
    """Return the first line of a module."""
    what = f"predicts {pipeline.encoder.target}" if pipeline.encoder else "a network"
    return f"{pipeline.name}: {what}. Written by minicolumn; {needs}."


def module_of(parts: Lines) -> str:
    """Return a module of its parts."""
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def reading(pipeline: Pipeline, imports: Sequence[str] = ()) -> Lines:
    """Return the parts of a module that turn rows of cells into numbers: its function `read`.

    imports     lines that the module imports more by
    """
    standard = ["datetime", "math", "re"] if pipeline.encoder else ["math"]
    return [
        "\n".join(f"import {name}" for name in standard),
        "\n".join(["import numpy as np", *imports]),
        _told(pipeline),
        *([_words(pipeline), own_text("cells.txt")] if pipeline.encoder else []),
        _read(pipeline),
    ]


def answering(pipeline: Pipeline, computed: str) -> Lines:
    """Return the parts of a module that answer and test themselves.

    computed    the expression of the answers of `rows`
    """
    return [_predict(pipeline, computed), _self_test(pipeline)]


def own_text(name: str) -> str:
    """Return text of Python that stands in a file of its own."""
    return files("minicolumn.model.export").joinpath("py_text", name).read_text(encoding="utf-8")


def _told(pipeline: Pipeline) -> str:
    names = tuple(part.name for part in pipeline.columns)
    lines = [
        f"COLUMNS = {names!a}",
        f"LABELS = {pipeline.labels!a}",
        f"ANSWERS = {pipeline.answers!a}",
    ]
    return "\n".join(lines)


def _words(pipeline: Pipeline) -> str:
    encoder = pipeline.encoder
    assert encoder is not None
    words = {"MISSING": missing_words(encoder), "NO_VALUE": no_values(encoder), "YES": YES, "NO": NO}
    lines = [f"{name} = frozenset({sorted(found)!a})" for name, found in words.items()]
    levels = {part.name: part.levels for part in pipeline.columns if isinstance(part, CategoryInput)}
    lines.append(f"LEVELS = {levels!a}")
    lines.append(
        "CODES = {name: {level: k for k, level in enumerate(found, 2)} for name, found in LEVELS.items()}"
    )
    return "\n".join(lines)


def _number(part: NumberInput, place: int) -> Lines:
    name = ascii(part.name)
    return [f"x[k, {place}] = number_of(row.get({name}), {name})"]


def _boolean(part: BooleanInput, place: int) -> Lines:
    return [f"x[k, {place}] = sign_of(row.get({part.name!a}))"]


def _category(part: CategoryInput, place: int) -> Lines:
    name = ascii(part.name)
    return [f"x[k, {place}] = code_of(row.get({name}), CODES[{name}])"]


def _date(part: DatetimeInput, place: int) -> Lines:
    name, wanted = ascii(part.name), [DATE_PARTS.index(known) for known, _ in part.parts]
    found = [f"parts = date_parts(row.get({name}), {name})"]
    found.append(f"x[k, {place}:{place + len(wanted)}] = [parts[i] for i in {wanted}]")
    if part.indicator:
        found.append(f"x[k, {place + len(wanted)}] = math.isnan(parts[0])")
    return found


CELLS: dict[type, Callable[[Any, int], Lines]] = {
    NumberInput: _number,
    BooleanInput: _boolean,
    CategoryInput: _category,
    DatetimeInput: _date,
}


def _read(pipeline: Pipeline) -> str:
    if not pipeline.columns:
        return f'''
def read(rows):
    """Return rows as arrays of numbers, [rows, {pipeline.width}]."""
    return np.asarray(rows, np.{pipeline.model.dtype.name}).reshape(-1, {pipeline.width})
'''
    lines = [line for p in pipeline.columns for line in CELLS[type(p)](p, pipeline.places[p.name])]
    body = "\n".join(f"        {line}" for line in lines)
    return f'''
def read(rows):
    """Return what rows hold as numbers, float64 [rows, {pipeline.width}]; a row is a dict by column."""
    x = np.zeros((len(rows), {pipeline.width}))
    for k, row in enumerate(rows):
{body}
    return x
'''


def _predict(pipeline: Pipeline, computed: str) -> str:
    if pipeline.labels is None:
        found = "    return answers(rows)[:, 0]" if pipeline.encoder else "    return answers(rows)"
    elif pipeline.threshold is not None:
        found = f"    return [LABELS[p >= {pipeline.threshold!r}] for p in answers(rows)[:, 1]]"
    else:
        found = "    return [LABELS[k] for k in answers(rows).argmax(axis=1)]"
    return f'''
def answers(rows):
    """Return what `ANSWERS` names of rows, float32 [rows, answers]."""
    with np.errstate(all="ignore"):
        return {computed}


def predict(rows):
    """Return the prediction of each row."""
{found}
'''


def _self_test(pipeline: Pipeline) -> str:
    samples = pipeline.samples
    rows = ",\n    ".join(ascii(row) for row in samples.cells)
    wanted = ",\n    ".join(map(repr, samples.answers.astype(float).tolist()))
    given = "[dict(zip(COLUMNS, row)) for row in TEST_ROWS]" if pipeline.columns else "TEST_ROWS"
    return f'''
TEST_ROWS = [
    {rows},
]
TEST_ANSWERS = np.array([
    {wanted},
])


def self_test():
    """Predict rows whose answers are known; return 0, or the number of the first row that is off, from 1."""
    off = np.abs(answers({given}) - TEST_ANSWERS)
    odd = (~(off <= {samples.tolerance!r} + {TOLERANCE!r} * np.abs(TEST_ANSWERS))).any(axis=1)
    return int(odd.argmax()) + 1 if odd.any() else 0


if __name__ == "__main__":
    raise SystemExit(self_test())
'''
