"""Columns of Python's values: lists of numbers, text, dates or nested values to typed columns.

Differs     polars.Series refuses columns of several types, or makes them objects that it cannot use; here
            they become text, and that is said
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from minicolumn.tables.files.reading import Loaded

if TYPE_CHECKING:
    import polars


def frame_of_columns(columns: Mapping[str, Iterable[Any]]) -> Loaded:
    """Return the frame of columns of Python's values, with a note on each that was made text."""
    import polars

    held = [column_of(name, list(values)) for name, values in columns.items()]
    return Loaded(polars.DataFrame([series for series, _ in held]), tuple(note for _, note in held if note))


def column_of(name: str, values: list[Any]) -> tuple[polars.Series, str | None]:
    """Return a column of Python's values, and a note where it was made text.

    Kept        numbers, booleans, text, dates, durations, bytes; lists and objects where their types agree
    Text        of several types; of other ones, as periods and UUIDs

    >>> column_of("a", [1, [2], None])[0].to_list()
    ['1', '[2]', None]
    """
    import polars

    values = [
        getattr(value, "item", lambda value=value: value)() if _is_scalar(value) else value
        for value in values
    ]
    kinds = {type(value) for value in values if value is not None}
    if float in kinds and len(kinds) > 1 and not kinds <= {float, int, Decimal}:
        values = [None if value != value else value for value in values]  # NaN is missing
        kinds = {type(value) for value in values if value is not None}
    values, kinds = _unified(values, kinds)
    if len(kinds) <= 1:
        try:
            series = polars.Series(name, values, strict=True)
            if series.dtype != polars.Object:
                return _in_zone(series, values), None
        except (polars.exceptions.PolarsError, polars.exceptions.PanicException):
            pass
        except (TypeError, ValueError, OverflowError, AttributeError):
            pass
    several = len(kinds) > 1 or kinds <= {list, tuple, dict}
    what = "values of several types" if several else f"{next(iter(kinds)).__name__} values"
    series = polars.Series(name, [as_text(value) for value in values], dtype=polars.String)
    return series, f"column {name!r} holds {what} and was read as text"


def _in_zone(series: polars.Series, values: list[Any]) -> polars.Series:
    """Return dates in the time zone that they were given in, which old versions of Polars make UTC."""
    zone = getattr(series.dtype, "time_zone", None)
    given = (
        next((getattr(value.tzinfo, "key", None) for value in values if value is not None), None)
        if zone
        else None
    )
    return series.dt.convert_time_zone(given) if given and given != zone else series


def _is_scalar(value: Any) -> bool:
    """Return whether a value is a scalar of NumPy."""
    return type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0


def _unified(values: list[Any], kinds: set[type]) -> tuple[list[Any], set[type]]:
    """Return values of one type where theirs are kin: numbers, or dates beside dates with times."""
    if kinds == {list, tuple}:
        return [value and list(value) for value in values], {list}
    if len(kinds) > 1 and kinds <= {float, int, Decimal}:
        try:
            return [None if value is None else float(value) for value in values], {float}
        except OverflowError:
            return values, kinds
    if kinds == {date, datetime}:
        made = [datetime(v.year, v.month, v.day) if type(v) is date else v for v in values]
        return made, {datetime}
    return values, kinds


def as_text(value: Any) -> str | None:
    """Return a value as JSON has it; text, and what JSON has not, as Python has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict | bool):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError, RecursionError):
            return str(value)
    return str(value)
