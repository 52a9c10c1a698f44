"""A model as one ES module of JavaScript, for any browser and Node.js: a row of cells in, answers out.

    import { predict, selfTest } from "./NAME.mjs";
    predict({ age: 41, island: "Dream" })       // { label: ..., probabilities: { ... } }, { prediction: ... }

It has no dependency and loads nothing. Sums are in double precision, so answers differ from `predict` by
rounding alone.

Differs     TensorFlow.js and ONNX Runtime Web are megabytes, and leave the preprocessing to the page
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np

from minicolumn.lower.source.javascript import DECODED, JAVASCRIPT, TYPES, array_text, workspace_text
from minicolumn.lower.source.program import write_program
from minicolumn.model.export.pipeline import Pipeline, missing_words, no_values
from minicolumn.model.export.samples import TOLERANCE, Samples
from minicolumn.tables.forms.date_patterns import CLOCKS
from minicolumn.tables.inputs.by_kind import Input
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DATE_PARTS, DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import NO, YES

Array = np.ndarray[Any, np.dtype[Any]]
Lines = list[str]


def js_files(pipeline: Pipeline) -> dict[str, str]:
    """Return the module by file name.

    Errors      DataError, naming it, for an operation that JavaScript has no line for
    """
    return {f"{pipeline.name}.mjs": js_module(pipeline)}


def js_module(pipeline: Pipeline) -> str:
    """Return the module of a model."""
    program = write_program(pipeline.graph, JAVASCRIPT)
    parts = [
        f"// {json.dumps(pipeline.name)}: written by minicolumn.",
        _schema(pipeline),
        _cell_text(pipeline),
        DECODED,
        "\n".join(program.helpers),
        "\n".join(array_text(name, value) for name, value in program.constants.items()),
        workspace_text(program),
        f"function network(x, out) {{\n{program.body}\n}}",
        _predict(pipeline),
        _self_test(pipeline, pipeline.samples),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def text(name: str) -> str:
    """Return what stands in a file of its own."""
    return files("minicolumn.model.export").joinpath("js_text", name).read_text(encoding="utf-8").rstrip()


def literal(value: Any) -> str:
    """Return JSON that is JavaScript too, and that may stand within HTML."""
    shown = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        shown = shown.replace(letter, f"\\u{ord(letter):04x}")
    return shown


# What a row holds -------------------------------------------------------------------------------------------


def _schema(pipeline: Pipeline) -> str:
    """Return what the module tells of the columns and the answers."""
    lines = [f"export const columns = {literal([_told(part) for part in pipeline.columns])};"]
    lines.append(f"export const labels = {literal(pipeline.labels)};")
    lines.append(f"export const answers = {literal(pipeline.answers)};")
    lines.append(f"export const target = {literal(pipeline.encoder.target if pipeline.encoder else None)};")
    return "\n".join(lines)


def _told(part: Input) -> dict[str, Any]:
    """Return a column's name, kind, and range or levels."""
    if isinstance(part, NumberInput):
        return {"name": part.name, "kind": "number", "low": part.seen.low, "high": part.seen.high}
    if isinstance(part, DatetimeInput):
        timed = any(name in ("hour", "minute") for name, _ in part.parts)
        return {"name": part.name, "kind": "datetime", "timed": timed, "clock": part.form in CLOCKS}
    if isinstance(part, CategoryInput):
        return {"name": part.name, "kind": "category", "levels": list(part.levels)}
    return {"name": part.name, "kind": "boolean"}


def _number(part: NumberInput, name: str, place: int) -> Lines:
    return [f"x[{place}] = numberOf(cellOf(row, {name}), {name});"]


def _boolean(part: BooleanInput, name: str, place: int) -> Lines:
    return [f"x[{place}] = signOf(cellOf(row, {name}));"]


def _category(part: CategoryInput, name: str, place: int) -> Lines:
    return [f"x[{place}] = codeOf(cellOf(row, {name}), levels[{name}]);"]


def _date(part: DatetimeInput, name: str, place: int) -> Lines:
    wanted = [DATE_PARTS.index(known) for known, _ in part.parts]
    found = [f"parts = dateParts(cellOf(row, {name}), {name});"]
    found.append(f"{literal(wanted)}.forEach((part, k) => {{ x[{place} + k] = parts[part]; }});")
    if part.indicator:
        found.append(f"x[{place + len(wanted)}] = Number.isNaN(parts[0]) ? 1 : 0;")
    return found


CELLS: dict[type, Callable[[Any, str, int], Lines]] = {
    NumberInput: _number,
    BooleanInput: _boolean,
    CategoryInput: _category,
    DatetimeInput: _date,
}


def _cell_text(pipeline: Pipeline) -> str:
    """Return what reads cells: words, levels, functions."""
    encoder = pipeline.encoder
    if encoder is None:
        return ""
    words = {"MISSING": missing_words(encoder), "NO_VALUE": no_values(encoder), "YES": YES, "NO": NO}
    lines = [f"const {name} = new Set({literal(sorted(found))});" for name, found in words.items()]
    lines.append(
        "const levels = Object.fromEntries(columns.filter((c) => c.levels)\n"
        "  .map((c) => [c.name, new Map(c.levels.map((level, k) => [level, k + 2]))]));"
    )
    return "\n".join(lines) + "\n" + text("cells.js")


# The network ------------------------------------------------------------------------------------------------


def _predict(pipeline: Pipeline) -> str:
    """Return the function that answers a row."""
    kind = TYPES[pipeline.model.dtype.name]
    if pipeline.columns:
        cells = [f"const x = new Float64Array({pipeline.width});", "let parts;"]
        for part in pipeline.columns:
            cells += CELLS[type(part)](part, literal(part.name), pipeline.places[part.name])
    else:
        cells = [f"const x = {kind}.from(row);"]
        cells.append(
            f'if (x.length !== {pipeline.width}) throw new Error("expected {pipeline.width} numbers");'
        )
    front = "\n".join(f"  {line}" for line in cells)
    return f"""function read(row) {{
{front}
  return x;
}}

function outputs(row) {{
  const out = new Float32Array({len(pipeline.answers)});
  network(read(row), out);
  return out;
}}

// A row of cells by the names of their columns -> what is predicted.
export function predict(row) {{
  const out = outputs(row);
{_told_answer(pipeline)}
}}"""


def _told_answer(pipeline: Pipeline) -> str:
    if pipeline.labels is None:
        if pipeline.answers == ("prediction",):
            return "  return { prediction: out[0] };"
        return "  return Object.fromEntries(answers.map((name, k) => [name, out[k]]));"
    choice = "out.indexOf(Math.max(...out))"
    if pipeline.threshold is not None:
        choice = f"Number(out[1] >= {pipeline.threshold!r})"
    return (
        f"  const code = {choice};\n"
        "  return { label: labels[code], code, "
        "probabilities: Object.fromEntries(labels.map((label, k) => [label, out[k]])) };"
    )


def _self_test(pipeline: Pipeline, samples: Samples) -> str:
    rows = literal([list(row) for row in samples.cells])
    if pipeline.columns:  # by the names of columns, of which one may be "__proto__"
        rows += ".map((cells) => Object.fromEntries(columns.map((column, k) => [column.name, cells[k]])))"
    return f"""const testRows = {rows};
const testAnswers = {literal(samples.answers.astype(np.float64).tolist())};
// Predicts rows whose answers are known. Returns 0, or the number of the first row that is off, from 1.
export function selfTest() {{
  const most = (wanted) => {samples.tolerance} + {TOLERANCE} * Math.abs(wanted);
  const off = (found, wanted) => !(Math.abs(found - wanted) <= most(wanted));
  return testRows.findIndex((row, k) => outputs(row).some((found, i) => off(found, testAnswers[k][i]))) + 1;
}}"""
