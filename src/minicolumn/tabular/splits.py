"""Splits of a table: which rows train, validate and test, at random, by groups, or by time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Schema
from minicolumn.tables.inputs.datetimes import elapsed_days
from minicolumn.tables.kinds import find_kind
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.split import split_groups, split_latest, split_rows
from minicolumn.tables.typed import Expected, typed_columns
from minicolumn.tables.values import Shape, per_text, shape_of

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
        found = len(np.unique(groups))

        def by_group(rows: Array, share: float) -> tuple[Array, Array]:
            if len(np.unique(groups[rows])) < 2:
                have = f"{found} group{'s' if found > 1 else ''}"
                raise DataError(
                    f"groups: column {schema.groups!r} has {have}; at least 3 are needed to train, validate "
                    "and test, 2 beside test rows of your own"
                )
            return _chosen(rows, split_groups(groups[rows], share, seed))

        return by_group
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
    """Return the number of each row's group, int64 [rows]; a missing value is a group of its own.

    Errors      DataError where the column holds no plain values
    """
    if shape_of(series) is Shape.NESTED:
        raise DataError(f"groups: column {series.name!r} holds {series.dtype} values; expected plain ones")
    numbers: dict[str, int] = {}
    return per_text(series, lambda word: numbers.setdefault(word, len(numbers)), np.int64)


def time_numbers(series: polars.Series, said: Overrides) -> Array:
    """Return numbers that grow with time, float64 [rows]; DataError where a row has none."""
    hint = said.hint(series.name)
    if hint.kind in ("category", "text"):  # what it is to the network says nothing of the order
        hint = replace(hint, kind=None)
    found = find_kind(series, hint)
    kind = "datetime" if found.kind == "datetime" else "number"
    if found.kind == "constant":
        raise DataError(f"time_order: column {series.name!r} is {found.note}; the rows have no order in it")
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
