"""Data frame conversion: pandas and polars frames, Arrow tables, dicts and files to one polars frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.tables.delimited import check_names
from minicolumn.tables.read import read_table, refuse_nested

if TYPE_CHECKING:
    import polars

FORMS = (
    "a path, the name of a built-in data set, a polars or pandas frame, an Arrow table, a list of dicts, or "
    "a dict of columns"
)


def as_frame(table: Any, reading: Any = None) -> polars.DataFrame:
    """Return a table in any form as a polars frame, which keeps the types of its columns.

    table       a path (see `read_table`), the name of a built-in data set, a polars or pandas frame, anything
                that exports Arrow (`__arrow_c_stream__`), a list of dicts, or a dict of columns
    Returns     a polars DataFrame; NaN in a pandas column becomes null, its index is left out
    Errors      DataError, one line, for anything else, for a table without columns or rows, for blank or
                repeated names and for nested columns
    Source      the Arrow PyCapsule interface, for frames of pyarrow, DuckDB, cuDF and others
    Differs     polars.from_pandas needs pyarrow; this does not

    >>> as_frame([{"size": 1.5, "kind": "a"}, {"kind": "b"}]).shape
    (2, 2)
    >>> as_frame({"size": [1.5, None], "kind": ["a", "b"]})["size"].null_count()
    1
    """
    if isinstance(table, str | os.PathLike):
        return read_table(table)
    frame = _converted(table)
    if not frame.width or not frame.height:
        raise DataError(f"the table has {frame.height} rows and {frame.width} columns; expected some of both")
    check_names(frame.columns, "the table")
    refuse_nested(frame, "the table")
    return frame


def _converted(table: Any) -> polars.DataFrame:
    """Return a table that is no path as a frame; pandas is known by its name and need not be installed."""
    import polars

    if isinstance(table, polars.DataFrame | polars.LazyFrame):
        return table.lazy().collect()
    try:
        if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
            check_names([str(name) for name in table.columns], "the table")
            return polars.DataFrame({str(name): _series(table[name]) for name in table.columns})
        if hasattr(table, "__arrow_c_stream__"):
            return polars.DataFrame(table)
        if isinstance(table, Mapping):
            return polars.DataFrame(dict(table), strict=False)
        if isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
            return polars.DataFrame(list(table), infer_schema_length=None, strict=False)
    except (polars.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError(f"the table cannot be read: {str(error).splitlines()[0]}") from None
    raise DataError(f"the table is a {type(table).__name__}, expected {FORMS}")


def _series(column: Any) -> Any:
    """Return a column of pandas: numbers from memory, all else as Python's values; NaN there is a gap."""
    import polars

    if getattr(column.dtype, "kind", "O") in "fiubM" and hasattr(column, "to_numpy"):
        values = column.to_numpy()
        if values.dtype.kind in "fiubM":
            return polars.Series(values, nan_to_null=True)
    return [None if gap else value for value, gap in zip(column.tolist(), column.isna(), strict=True)]
