"""Splits of a table: which rows train, validate and test, at random, by groups, or by time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Schema
from minicolumn.tables.inputs.datetimes import elapsed_days
from minicolumn.tables.kinds import find_kind
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.split import split_groups, split_latest, split_rows
from minicolumn.tables.typed import Expected, typed_columns
from minicolumn.tables.values import per_text

if TYPE_CHECKING:
    import polars

Array = np.ndarray
# Of some rows, by index, and a share: those that are kept, and those held out.
Split = Callable[[Array, float], tuple[Array, Array]]


def split_of(frame: polars.DataFrame, schema: Schema, target: Array, said: Overrides, seed: int) -> Split:
    """Return how rows of a table are held out, as its schema says.

    frame       labeled rows, raw
    target      class codes or numbers of these rows
    Errors      DataError for groups or times that cannot be read
    """
    if schema.groups:
        groups = group_numbers(frame[schema.groups])
        return lambda rows, share: _chosen(rows, split_groups(groups[rows], share, seed))
    if schema.time_order:
        times = time_numbers(frame[schema.time_order], said)
        return lambda rows, share: _chosen(rows, split_latest(times[rows], share))
    codes = None if schema.task == "regression" else target

    def at_random(rows: Array, share: float) -> tuple[Array, Array]:
        return _chosen(rows, split_rows(None if codes is None else codes[rows], len(rows), share, seed))

    return at_random


def _chosen(rows: Array, parts: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return the rows that places among them stand for."""
    return rows[parts[0]], rows[parts[1]]


def group_numbers(series: polars.Series) -> Array:
    """Return the number of each row's group, int64 [rows]; a missing value is a group of its own."""
    numbers: dict[str, int] = {}
    return per_text(series, lambda word: numbers.setdefault(word, len(numbers)), np.int64)


def time_numbers(series: polars.Series, said: Overrides) -> Array:
    """Return numbers that grow with time, float64 [rows]; DataError where a row has none."""
    found = find_kind(series, said.hint(series.name))
    kind = "datetime" if found.kind == "datetime" else "number"
    if found.kind in ("category", "text", "nested", "empty"):
        raise DataError(
            f"time_order: column {series.name!r} is {found.kind}; expected dates, times or numbers "
            f"(datetime says how dates are written)"
        )
    expected = [Expected(series.name, kind, found.form if found.kind in ("datetime", "number") else "")]
    typed = typed_columns(series.to_frame(), expected, said.missing).frame[series.name]
    times = elapsed_days(typed) if kind == "datetime" else typed.to_numpy().astype(np.float64)
    if len(odd := np.flatnonzero(~np.isfinite(times))):
        raise DataError(f"time_order: column {series.name!r}, row {int(odd[0]) + 1}: no time is there")
    return times
