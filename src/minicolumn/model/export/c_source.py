"""A model as C99: one header, one source, the cells of a row in, answers out, and a test of its own.

    int NAME_predict(const NAME_row *row, float *out);      the class, or 0; negative: a cell that is no date
    int NAME_self_test(void);                               0, or the number of the first row that fails

There is no allocation, no dependency beyond libm, and nothing that is not C99. Nothing in the generated code
depends on input being well-formed: a text is compared, never copied; an index is brought into range.

Differs     emlearn has no preprocessing, onnx2c no text; m2cgen knows no networks
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.lower.source.c99 import C99, TYPES, array_text, number, stack_bytes, workspace_text
from minicolumn.lower.source.program import SourceProgram, write_program
from minicolumn.model.export.c_cells import CELLS, cell_helpers, comment, known_levels, quoted
from minicolumn.model.export.pipeline import Pipeline, distinct_identifiers
from minicolumn.model.export.samples import TOLERANCE, Samples
from minicolumn.tables.inputs.by_kind import Input
from minicolumn.tables.inputs.categories import CategoryInput
from minicolumn.tables.inputs.datetimes import DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput

Array = np.ndarray[Any, np.dtype[Any]]
_SHOWN_LEVELS = 12  # of a category, in the comment beside its field


def c_files(pipeline: Pipeline) -> dict[str, str]:
    """Return the header and the source by file name.

    Errors      DataError, naming it, for an operation that C has no line for
    """
    program = write_program(pipeline.graph, C99, int8=pipeline.int8)
    names = tuple(part.name for part in pipeline.columns)
    fields = dict(zip(names, distinct_identifiers(names), strict=True))
    return {
        f"{pipeline.name}.h": _header(pipeline, program, fields),
        f"{pipeline.name}.c": _source(pipeline, program, fields),
    }


# The header -------------------------------------------------------------------------------------------------


def _header(pipeline: Pipeline, program: SourceProgram, fields: dict[str, str]) -> str:
    name, letters = pipeline.name, pipeline.name.upper()
    constants = sum(value.nbytes for value in program.constants.values())
    size = f"{constants:,} bytes of constants, {stack_bytes(program):,} bytes of stack"
    answers = "\n".join(f" *   {k}  {comment(answer)}" for k, answer in enumerate(pipeline.answers))
    classes = ""
    if pipeline.labels is not None:
        count = len(pipeline.labels)
        classes = (
            f"#define {letters}_CLASSES {count}\n"
            f"/* The labels of the classes, by number. */\nextern const char *const {name}_labels[{count}];\n"
        )
    size += f".\n * {pipeline.int8_error}" if pipeline.int8 else ""
    return f"""/* {comment(_title(pipeline))}: {size}.
 *
 * Answers:
{answers}
 */
#ifndef {letters}_H
#define {letters}_H

#ifdef __cplusplus
extern "C" {{
#endif

#define {letters}_ANSWERS {len(pipeline.answers)}
{classes}
/* A row: a number that is missing is NaN, a text that is missing is NULL or "". */
typedef struct {{
{_row(pipeline, fields)}
}} {name}_row;

/* Writes the answers of a row. Returns the number of its class, or 0; -k: the k-th column is no date. */
int {name}_predict(const {name}_row *row, float *out);

/* Predicts rows whose answers are known. Returns 0, or the number of the first row that is off, from 1. */
int {name}_self_test(void);

#ifdef __cplusplus
}}
#endif
#endif
"""


def _row(pipeline: Pipeline, fields: dict[str, str]) -> str:
    """Return the fields of a row."""
    if not pipeline.columns:
        return f"  {TYPES[pipeline.model.dtype.name]} x[{pipeline.width}];"
    lines = []
    for part in pipeline.columns:
        type = "double " if isinstance(part, NumberInput) else "const char *"
        lines.append(f"  {type}{fields[part.name]};  /* {comment(_told(part))} */")
    return "\n".join(lines)


def _title(pipeline: Pipeline) -> str:
    what = f"predicts {pipeline.encoder.target}" if pipeline.encoder else "a network"
    return f"{pipeline.name}: {what}"


def _told(part: Input) -> str:
    """Return a column's name, and what its cells may be."""
    if isinstance(part, DatetimeInput):
        return f"{part.name}, as 2026-11-30 or 2026-11-30T23:59:59"
    if not isinstance(part, CategoryInput):
        return part.name
    few = len(part.levels) <= _SHOWN_LEVELS
    return f"{part.name}: {', '.join(part.levels) if few else f'{len(part.levels)} levels'}"


# The source -------------------------------------------------------------------------------------------------


def _source(pipeline: Pipeline, program: SourceProgram, fields: dict[str, str]) -> str:
    name, type = pipeline.name, "double" if pipeline.columns else TYPES[pipeline.model.dtype.name]
    cells = _cells(pipeline, fields)
    parts = [
        _labels(pipeline),
        *cell_helpers(cells, pipeline.encoder),
        *(_levels(part, fields[part.name]) for part in pipeline.columns if isinstance(part, CategoryInput)),
        *program.helpers,
        *(array_text(key, value) for key, value in program.constants.items()),
        f"static void network(const {type} *const x, float *const out) {{\n"
        f"{workspace_text(program)}{program.body}\n}}",
        cells,
        f"int {name}_predict(const {name}_row *const row, float *const out) {{\n"
        f"{_reading(pipeline)}{_choice(pipeline)}\n}}",
        _self_test(pipeline, pipeline.samples),
    ]
    body = "\n\n".join(part.rstrip() for part in parts if part)
    return f"""/* {comment(_title(pipeline))}. Written by minicolumn; see {name}.h. */
#include "{name}.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

{body}
"""


def _cells(pipeline: Pipeline, fields: dict[str, str]) -> str:
    """Return the function that reads a row into the numbers x."""
    if not pipeline.columns:
        return ""
    lines = []
    for k, part in enumerate(pipeline.columns, 1):
        lines += CELLS[type(part)](part, fields[part.name], pipeline.places[part.name], k)
    body = "".join(f"  {line}\n" for line in lines)
    head = f"static int read_row(const {pipeline.name}_row *const row, double *const x)"
    return f"{head} {{\n{body}  return 0;\n}}"


def _reading(pipeline: Pipeline) -> str:
    """Return the lines that read a row and run the network."""
    if not pipeline.columns:
        return "  network(row->x, out);\n"
    return (
        f"  double x[{pipeline.width}];\n  const int odd = read_row(row, x);\n"
        "  if (odd) return odd;\n  network(x, out);\n"
    )


def _labels(pipeline: Pipeline) -> str:
    if pipeline.labels is None:
        return ""
    listed = ", ".join(map(quoted, pipeline.labels))
    return f"const char *const {pipeline.name}_labels[{len(pipeline.labels)}] = {{{listed}}};"


def _levels(part: CategoryInput, field: str) -> str:
    """Return the levels of a category with their codes, in the order of their bytes, to be searched."""
    rows = (
        ", ".join(f"{{{quoted(level.decode())}, {code}}}" for level, code in known_levels(part)) or '{"", 0}'
    )
    return f"static const struct level {field}_levels[] = {{{rows}}};"


def _choice(pipeline: Pipeline) -> str:
    """Return the lines that choose the class."""
    if pipeline.labels is None:
        return "  return 0;"
    if pipeline.threshold is not None:
        return f"  return out[1] >= {number(np.float32(pipeline.threshold))};"
    return f"""  int best = 0;
  for (int k = 1; k < {len(pipeline.labels)}; ++k) {{
    if (out[k] > out[best]) best = k;
  }}
  return best;"""


def _self_test(pipeline: Pipeline, samples: Samples) -> str:
    name, rows, answers = pipeline.name, len(samples.cells), len(pipeline.answers)
    if not rows:
        return f"int {name}_self_test(void) {{\n  return 0;\n}}"
    open, close = ("{", "}") if pipeline.columns else ("{{", "}}")
    cells = (", ".join(_cell(pipeline, k, cell) for k, cell in enumerate(row)) for row in samples.cells)
    listed = ",\n  ".join(f"{open}{row}{close}" for row in cells)
    wanted = ",\n  ".join(f"{{{', '.join(map(number, row))}}}" for row in samples.answers)
    chosen = samples.chosen if samples.chosen is not None else np.zeros(rows, np.int32)
    return f"""static const {name}_row test_rows[{rows}] = {{
  {listed}}};
static const float test_answers[{rows}][{answers}] = {{
  {wanted}}};
static const int test_classes[{rows}] = {{{", ".join(map(str, chosen))}}};

int {name}_self_test(void) {{
  for (int k = 0; k < {rows}; ++k) {{
    float out[{answers}];
    if ({name}_predict(&test_rows[k], out) != test_classes[k]) return k + 1;
    for (int i = 0; i < {answers}; ++i) {{
      const float wanted = test_answers[k][i], off = fabsf(out[i] - wanted);
      if (!(off <= {number(np.float32(samples.tolerance))} + {TOLERANCE}f * fabsf(wanted))) return k + 1;
    }}
  }}
  return 0;
}}"""


def _cell(pipeline: Pipeline, place: int, cell: Any) -> str:
    """Return a cell as C writes it."""
    if not pipeline.columns:
        return number(pipeline.model.dtype.type(cell))
    if isinstance(pipeline.columns[place], NumberInput):
        return "NAN" if cell is None else number(np.float64(cell))
    return "NULL" if cell is None else quoted(str(cell))
