"""Data frame conversion: pandas and polars frames, Arrow tables, dicts and files to one polars frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.address_space import check_room_for_polars
from minicolumn.errors import DataError, first_line
from minicolumn.tables.files.columns import column_of
from minicolumn.tables.files.layout import check_names
from minicolumn.tables.files.read import load_table
from minicolumn.tables.files.reading import Loaded, Reading

if TYPE_CHECKING:
    import polars

FORMS = (
    "a path, the name of a built-in data set, a polars or pandas frame, an Arrow table, a list of dicts, or "
    "a dict of columns"
)


def as_frame(table: Any, reading: Reading | None = None) -> polars.DataFrame:
    """Return a table in any form as a polars frame, which keeps the types of its columns.

    table       a path (see `read_table`), the name of a built-in data set, a polars or pandas frame, anything
                that exports Arrow (`__arrow_c_stream__`), a list of dicts, or a dict of columns
    reading     how a file is to be read; other forms do not need it
    Returns     a polars DataFrame; NaN in a pandas column and what a mask hides become null, the index of
                pandas is left out, periods, intervals and other objects become text
    Errors      DataError, one line, for anything else, for a table without columns or rows, for blank or
                repeated names, columns of different lengths or of more than one dimension
    Source      the Arrow PyCapsule interface, for frames of pyarrow, DuckDB, cuDF and others
    Differs     polars.from_pandas needs pyarrow; this does not

    >>> as_frame([{"size": 1.5, "kind": "a"}, {"kind": "b"}]).shape
    (2, 2)
    >>> as_frame({"size": [1.5, None], "kind": ["a", "b"]})["size"].null_count()
    1
    """
    return load_frame(table, reading).frame


def load_frame(table: Any, reading: Reading | None = None) -> Loaded:
    """Return a table as `as_frame` does, with a note on each thing that was guessed.

    >>> load_frame({"size": [1, "a"]}).notes
    ("column 'size' holds values of several types and was read as text",)
    """
    check_room_for_polars("a table")
    if isinstance(table, str | os.PathLike):
        return load_table(table, reading)
    loaded = _converted(table)
    frame = loaded.frame
    if not frame.width or not frame.height:
        raise DataError(f"the table has {frame.height} rows and {frame.width} columns; expected some of both")
    check_names(frame.columns, "the table")
    return loaded


def _converted(table: Any) -> Loaded:
    """Return a table that is no path as a frame; pandas is known by its name and need not be installed."""
    import polars

    try:
        if isinstance(table, polars.DataFrame | polars.LazyFrame):
            return Loaded(table.lazy().collect())
        if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
            names = [str(name) for name in table.columns]
            check_names(names, "the table")
            return _of_columns({name: _pandas(table.iloc[:, place]) for place, name in enumerate(names)})
        if hasattr(table, "__arrow_c_stream__"):
            return Loaded(polars.DataFrame(table))
        if isinstance(table, Mapping):
            return _of_columns({str(name): column for name, column in table.items()})
        if (
            isinstance(table, Sequence)
            and not isinstance(table, str | bytes)
            and all(isinstance(row, Mapping) for row in table)
        ):
            names = list(dict.fromkeys(name for row in table for name in row))
            return _of_columns({str(name): [row.get(name) for row in table] for name in names})
    except DataError:
        raise
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, TypeError, ValueError) as error:
        raise DataError(f"the table cannot be read: {first_line(error)}") from None
    raise DataError(f"the table is a {type(table).__name__}, expected {FORMS}")


def _of_columns(columns: Mapping[str, Any]) -> Loaded:
    """Return the frame of columns in any form: arrays, series, or sequences of Python's values."""
    import polars

    held, notes = [], []
    for name, values in columns.items():
        series, note = _series(name, values)
        held.append(series)
        notes += [note] if note else []
    sizes = {len(series) for series in held}
    if len(sizes) > 1:
        shown = ", ".join(f"{series.name!r} {len(series):,}" for series in held[:5])
        raise DataError(f"the table cannot be read: its columns have different lengths ({shown})")
    return Loaded(polars.DataFrame(held), tuple(notes))


def _series(name: str, values: Any) -> tuple[polars.Series, str | None]:
    """Return a column, and a note where it was made text."""
    import polars

    if isinstance(values, polars.Series):
        return values.alias(name), None
    if isinstance(values, np.ndarray):
        return _array(name, values)
    if hasattr(values, "__arrow_c_stream__") and not _of_pandas(values):
        return polars.Series(name, values), None
    if _of_pandas(values) and hasattr(values, "isna"):
        values = _pandas(values)
        return _array(name, values) if isinstance(values, np.ndarray) else column_of(name, values)
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise DataError(
            f"column {name!r} is a {type(values).__name__}, expected a list or an array of values"
        )
    return column_of(name, list(values))


def _of_pandas(values: Any) -> bool:
    return type(values).__module__.partition(".")[0] == "pandas"


def _array(name: str, values: np.ndarray) -> tuple[polars.Series, str | None]:
    """Return a column of a NumPy array: NaN and what a mask hides are null.

    Errors      DataError for a matrix, for more than one dimension, for structured and complex values
    """
    import polars

    if isinstance(values, np.matrix):
        raise DataError(f"column {name!r} is a NumPy matrix, expected an array of one dimension")
    if values.ndim != 1:
        raise DataError(f"column {name!r} is an array of shape {values.shape}, expected one dimension")
    if values.dtype.kind in "Vc":
        raise DataError(f"column {name!r} is an array of {values.dtype}; make it columns of plain values")
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    plain = np.asarray(values.data if mask is not None else values)
    if plain.dtype.kind in "OSU":
        cells = plain.tolist()
        if mask is not None:
            cells = [None if hidden else cell for cell, hidden in zip(cells, mask, strict=True)]
        return column_of(name, cells)
    if plain.dtype == np.float16 or plain.dtype.itemsize > 8:  # Polars has neither
        plain = plain.astype(np.float64)
    if plain.dtype.kind in "Mm":
        plain = plain.astype(_resolution(plain.dtype))
    series = polars.Series(
        name, np.ascontiguousarray(plain).astype(plain.dtype.newbyteorder("=")), nan_to_null=True
    )
    if mask is not None:
        series = series.set(polars.Series(mask), None)
    return series, None


def _resolution(dtype: np.dtype[Any]) -> str:
    """Return a resolution of dates that Polars has, and that is at least as fine."""
    unit = np.datetime_data(dtype)[0]
    kept = unit if unit in ("ms", "us", "ns") else "ms"
    return f"{dtype.kind}8[{kept}]"


def _pandas(column: Any) -> Any:
    """Return a column of pandas: NumPy's types from memory, all else as Python's values; a gap is None."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiubMm":
        return column.to_numpy()
    return [None if gap else value for value, gap in zip(column.tolist(), column.isna(), strict=True)]
