"""Rows that train, in folds: on them it is weighed what a column tells, before anything is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Schema
from minicolumn.tables.additive import FOLDS
from minicolumn.tables.schema import Column
from minicolumn.tabular.splits import Split

if TYPE_CHECKING:
    import polars

Array = np.ndarray

_MOST_CLASSES = 10  # the most frequent, whose shares are predicted
_MOST_OTHERS, _BINS = 64, 32  # columns whose part is taken away; bins of their numbers
_FAR = 4.0  # standard deviations at which a number of the target stops, or a few would decide


@dataclass(frozen=True, eq=False)
class Evidence:
    """Some of the rows that train, what they are to tell, and their folds.

    schema      of the table
    typed       these rows, of `Schema.typed`
    outputs     what is predicted, [rows, outputs]: standardised numbers, or 0 and 1 for each class
    fold        of each row, from 0, [rows]; made as the plan splits, so groups and times stay together
    """

    schema: Schema
    typed: polars.DataFrame
    outputs: Array
    fold: Array

    @classmethod
    def of(
        cls, schema: Schema, typed: polars.DataFrame, target: Array, rows: Array, split: Split
    ) -> Evidence | None:
        """Return the evidence of some rows, by index; None where the groups are too few for folds."""
        fold = _folds(rows, split)
        return None if fold is None else cls(schema, typed[rows], _outputs(target[rows], schema), fold)

    def others(self, name: str) -> list[Array]:
        """Return the level of each row in each of the other columns that are used, at most 64 of them."""
        found = [column for column in self.schema.used if column.name != name]
        return [self._levels(column) for column in found[:_MOST_OTHERS]]

    def _levels(self, column: Column) -> Array:
        """Return the level of each row, int64 [rows]; of numbers and dates a bin of equally many rows."""
        import polars

        series = self.typed[column.name]
        if column.kind in ("category", "boolean"):
            return series.cast(polars.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
        order = series.rank("ordinal").fill_null(0).to_numpy().astype(np.int64)
        return order * _BINS // (len(order) + 1)


def _folds(rows: Array, split: Split) -> Array | None:
    """Return the number of each row's fold, [rows]; None where the groups are too few for folds."""
    fold_of, rest = np.zeros(int(rows.max()) + 1, np.int64), rows
    try:
        for number in range(FOLDS - 1):
            rest, held = split(rest, 1.0 / (FOLDS - number))
            fold_of[held] = number + 1
    except DataError:
        return None
    return fold_of[rows]


def _outputs(target: Array, schema: Schema) -> Array:
    """Return what is predicted, [rows, outputs]: standardised numbers, or which class it is."""
    if schema.task == "regression":
        y = (target - target.mean()) / (float(np.std(target)) or 1.0)
        return np.clip(y, -_FAR, _FAR)[:, None]
    frequent = np.argsort(-np.bincount(target), kind="stable")[:_MOST_CLASSES]
    return (target[:, None] == frequent).astype(np.float64)
