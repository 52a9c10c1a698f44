"""Tabular preprocessing: reading, schema inference, encoding to a float matrix, and decoding of predictions.

    read_table / as_frame      file, pandas, Arrow, dicts  ->  polars frame, strings kept raw
    load_table / load_frame    the same, as a Reading says ->  Loaded: frame, and notes on what was guessed
    infer_schema               frame, target               ->  Schema: a kind for each column, the task
    Encoder.fit, .transform    training rows               ->  float32 [rows, features]
    Encoder.decode_target      network outputs             ->  labels, or numbers in the target's unit

All fitted state is JSON (`Schema.to_json`, `Encoder.to_json`), so a model file holds its preprocessing and
opening one runs no code.

Differs     scikit-learn's ColumnTransformer is told by hand which column gets which transformer, and is kept
            as a pickle, which runs code when it is opened.
"""

from __future__ import annotations

from minicolumn.tables.builtin import builtin_names, builtin_target
from minicolumn.tables.encode import Encoder
from minicolumn.tables.files.frames import as_frame, load_frame
from minicolumn.tables.files.read import load_table, read_table
from minicolumn.tables.files.reading import Loaded, Reading
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.schema import Column, ColumnKind, Schema, Task, infer_schema, with_target
from minicolumn.tables.split import split_rows

__all__ = [
    "Column",
    "ColumnKind",
    "Encoder",
    "Loaded",
    "Overrides",
    "Reading",
    "Schema",
    "Task",
    "as_frame",
    "builtin_names",
    "builtin_target",
    "infer_schema",
    "load_frame",
    "load_table",
    "read_table",
    "split_rows",
    "with_target",
]
