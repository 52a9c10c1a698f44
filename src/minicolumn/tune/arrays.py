"""Arrays as tables: X and y of scikit-learn's habit, with columns that are called x1, x2, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.tables import as_frame

if TYPE_CHECKING:
    import polars


def as_rows(rows: Any) -> Any:
    """Return an array [rows, features] as a frame with the columns x1, x2, ...; all else as it is."""
    if not isinstance(rows, np.ndarray):
        return rows
    if rows.ndim != 2:
        raise ShapeError(f"tune: X has shape {list(rows.shape)}, expected [rows, features]")
    return as_frame({f"x{place + 1}": column for place, column in enumerate(rows.T)})


def table_of(X: Any, y: Any) -> tuple[polars.DataFrame, str]:
    """Return one table of features and a target, and the name of the target's column.

    X           an array [rows, features], or a table in any form that `as_frame` takes
    y           an array [rows], or a column of pandas or polars, whose name stays
    Errors      ShapeError where they do not fit; DataError for a name that is there already

    >>> frame, name = table_of(np.eye(2), [0, 1])
    >>> frame.columns, name
    (['x1', 'x2', 'y'], 'y')
    """
    frame = as_frame(as_rows(X))
    name = getattr(y, "name", None)
    name = name if isinstance(name, str) and name else "y"
    if name in frame.columns:
        raise DataError(f"tune: X has a column {name!r} already, which is the name of y; rename one of them")
    if np.ndim(y) != 1 or len(y) != frame.height:
        raise ShapeError(f"tune: y has shape {list(np.shape(y))}, expected [rows] = [{frame.height}]")
    target = as_frame({name: y})
    return frame.hstack(target), name
