"""Cross-validation folds of a search: inside the rows that train, made once and shared by all candidates."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tabular.members import dealt_folds, fold_units
from minicolumn.tabular.plan import Given, TablePlan
from minicolumn.tabular.splits import time_numbers

Array = np.ndarray
MOST_FOLDS = 20
_MANY_ROWS = 5_000


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: the rows that learn and those held out, by their numbers among the rows that train."""

    kept: Array
    held: Array


def usual_folds(rows: int) -> int:
    """Return how many folds are taken where nobody says: 5, and 3 of 5,000 rows or more."""
    return 3 if rows >= _MANY_ROWS else 5


def folds_of(table: TablePlan, folds: int, seed: int) -> tuple[Fold, ...]:
    """Return the folds of the rows that train: stratified by class, by group, or forward in time.

    In time a window of fixed length moves forward, and the rows behind it are held out; so all folds are
    equally long, and what is compiled for one serves all.

    folds       from 2 to 20
    Errors      DataError for fewer rows or groups than folds
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise DataError(f"folds: expected a number from 2 to {MOST_FOLDS}, got {folds}")
    learnt, schema = table.train, table.schema
    rows = len(learnt.X)
    if schema.time_order:
        return _in_time(time_numbers(learnt.frame[schema.time_order], table.settings.overrides), folds)
    units = fold_units(learnt.frame, schema)
    if units < folds:
        what = "groups" if schema.groups else "rows that train"
        raise DataError(f"folds: {folds} folds need as many {what}, found {units}")
    dealt = dealt_folds(learnt.frame, schema, learnt.y, folds, seed)
    return tuple(Fold(np.setdiff1d(np.arange(rows), held, assume_unique=True), held) for held in dealt)


def _in_time(times: Array, folds: int) -> tuple[Fold, ...]:
    """Return folds forward in time: a window of half of the rows, and the piece behind it held out."""
    order, piece = np.argsort(times, kind="stable"), len(times) // (2 * folds)
    if not piece:
        raise DataError(f"folds: {folds} folds in time need {2 * folds} rows that train, found {len(times)}")
    window = len(times) - folds * piece
    starts = [place * piece for place in range(folds)]
    return tuple(
        Fold(order[start : start + window], order[start + window : start + window + piece])
        for start in starts
    )


@dataclass(frozen=True, eq=False)
class FoldData:
    """The rows of each fold as `fit` takes them, taken once when the first candidate needs them."""

    table: TablePlan
    folds: tuple[Fold, ...]
    _taken: dict[int, tuple[Given, Given]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[type, tuple[TablePlan, tuple[Fold, ...]]]:
        """Go to another process as what it is made of; the rows are taken again there."""
        return FoldData, (self.table, self.folds)

    def of(self, fold: int) -> tuple[Given, Given]:
        """Return what a fold learns from, and what it holds out."""
        with self._lock:
            if fold not in self._taken:
                rows, learnt = self.folds[fold], self.table.train
                self._taken[fold] = learnt.given(rows.kept), learnt.given(rows.held)
            return self._taken[fold]
