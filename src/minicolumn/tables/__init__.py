"""Raw rows to a float matrix, and the target back again; the state is JSON, never pickle."""

from __future__ import annotations

from minicolumn.tables.builtin import builtin_names, builtin_target
from minicolumn.tables.encode import Encoder
from minicolumn.tables.frames import as_frame
from minicolumn.tables.read import read_table
from minicolumn.tables.schema import Column, ColumnKind, Schema, Task, infer_schema, with_target
from minicolumn.tables.split import split_rows

__all__ = [
    "Column",
    "ColumnKind",
    "Encoder",
    "Schema",
    "Task",
    "as_frame",
    "builtin_names",
    "builtin_target",
    "infer_schema",
    "read_table",
    "split_rows",
    "with_target",
]
