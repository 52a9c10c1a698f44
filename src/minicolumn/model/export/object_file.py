"""A model as object code for another processor: an object file, a C header, and a test in C.

    int NAME_network(const double *x, float *out);      numbers of a row in, answers out

Our own native lowering writes it through LLVM, so no compiler is needed here. Reading text is left to the
caller: the header says what each number is. Whoever links it needs no library of ours; a processor without
hardware for double precision takes arithmetic from its compiler's runtime, and `fma` and `sqrt` from C's
library, as code of any compiler does.

Differs     of `c`, which carries the reading of cells too and leaves the compiling to others
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.lower.source.c99 import TYPES, array_text
from minicolumn.model.export.c_cells import comment
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.samples import TOLERANCE, numbers_of
from minicolumn.tables.inputs.by_kind import Input
from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
from minicolumn.tables.inputs.numbers import NumberInput

Array = np.ndarray[Any, np.dtype[Any]]


def object_files(pipeline: Pipeline) -> dict[str, str | bytes]:
    """Return the object file, the header and the test by file name.

    Errors      DataError: a processor that is not in the list, an operation that only Python computes
    """
    from minicolumn.lower.llvm.codegen.standalone import emit_standalone
    from minicolumn.lower.llvm.runtime.jit import compile_object, host_target
    from minicolumn.lower.llvm.runtime.processors import target_of

    triple = pipeline.target or host_target().triple
    target, word = target_of(triple)
    written = emit_standalone(pipeline.graph, target, f"{pipeline.name}_network", word)
    name = pipeline.name
    sizes = f"{written.constants:,} bytes of constants, {written.arena:,} bytes of scratch memory"
    return {
        f"{name}.o": compile_object(written.text, target),
        f"{name}.h": _header(pipeline, f"{target.triple} ({target.cpu}); {sizes}"),
        f"{name}_test.c": _test(pipeline),
    }


def _header(pipeline: Pipeline, what: str) -> str:
    name, letters, type = pipeline.name, pipeline.name.upper(), _type(pipeline)
    numbers = [line for part in pipeline.ordered for line in _numbers(part)] or ["the inputs of the network"]
    listed = "\n".join(f" *   x[{k}]  {comment(line, 400)}" for k, line in enumerate(numbers))
    answers = "\n".join(f" *   out[{k}]  {comment(answer, 400)}" for k, answer in enumerate(pipeline.answers))
    return f"""/* {name}: object code for {what}.
 *
 * Numbers of a row:
{listed}
 *
 * Answers:
{answers}
 */
#ifndef {letters}_H
#define {letters}_H

#define {letters}_NUMBERS {pipeline.width}
#define {letters}_ANSWERS {len(pipeline.answers)}

#ifdef __cplusplus
extern "C" {{
#endif

/* Writes the answers of a row. Returns 0, or 1: a code was out of range. Its memory is static: one call at
 * a time. */
int {name}_network(const {type} *x, float *out);

/* In {name}_test.c: 0, or the number of the first row that is off, from 1. */
int {name}_self_test(void);

#ifdef __cplusplus
}}
#endif
#endif
"""


def _type(pipeline: Pipeline) -> str:
    return "double" if pipeline.columns else TYPES[pipeline.model.dtype.name]


def _numbers(part: Input) -> list[str]:
    """Return what each number of a column is."""
    if isinstance(part, NumberInput):
        return [f"{part.name}; NaN: missing"]
    if isinstance(part, BooleanInput):
        return [f"{part.name}: 1 yes, -1 no, 0 missing"]
    if isinstance(part, CategoryInput):
        levels = ", ".join(f"{code} {level}" for code, level in enumerate(part.levels, 2))
        return [f"{part.name}: 0 a level not seen, 1 missing, {levels}"]
    found = [f"{part.name}: {name}; NaN: missing" for name, _ in part.parts]
    return [*found, *[f"{part.name}: 1 missing, 0 there"] * part.indicator]


def _test(pipeline: Pipeline) -> str:
    name, samples = pipeline.name, pipeline.samples
    rows, answers = len(samples.cells), len(pipeline.answers)
    x = numbers_of(pipeline, samples.cells)
    return f"""/* Rows whose answers are known. Written by minicolumn; see {name}.h. */
#include "{name}.h"

#include <math.h>
#include <stdint.h>

{array_text("test_rows", x)}
{array_text("test_answers", samples.answers)}

int {name}_self_test(void) {{
  for (int32_t k = 0; k < {rows}; ++k) {{
    float out[{answers}];
    if ({name}_network(test_rows + k * {pipeline.width}, out)) return k + 1;
    for (int32_t i = 0; i < {answers}; ++i) {{
      const float wanted = test_answers[k * {answers} + i], off = fabsf(out[i] - wanted);
      if (!(off <= {samples.tolerance!r}f + {TOLERANCE!r}f * fabsf(wanted))) return k + 1;
    }}
  }}
  return 0;
}}
"""
