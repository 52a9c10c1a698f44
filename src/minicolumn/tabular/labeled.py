"""A labeled table: its columns, its target, and which rows are for what, before anything is fitted.

schema -> rows with a target, typed -> which train, validate, test -> codes and rare levels, by the first
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Encoder, Schema, infer_schema, with_target
from minicolumn.tables.typed import Remark, Typed
from minicolumn.tabular.codes import with_codes
from minicolumn.tabular.rare_levels import with_rare_levels
from minicolumn.tabular.settings import TableSettings
from minicolumn.tabular.splits import Split, split_of
from minicolumn.tabular.weights import class_weights, row_weights

if TYPE_CHECKING:
    import polars

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class LabeledTable:
    """A table whose columns are known.

    frame       rows with a target, as they came; typed: their cells, read by their columns' kinds
    target      class codes, or numbers in their own units
    weight      of the rows, float64 [rows]; None where they count alike
    rows        which are for what
    least       how many rows a level needs for a code of its own, by column
    said        of the columns, beside what was said of cells
    """

    schema: Schema
    frame: polars.DataFrame
    typed: Typed
    target: Array
    weight: Array | None
    rows: RowParts
    least: Mapping[str, int] = field(default_factory=dict)
    said: tuple[Remark, ...] = ()

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was noticed while cells were read and columns were looked at."""
        return (*self.typed.remarks, *self.said)


@dataclass(frozen=True, eq=False)
class RowParts:
    """Which rows of a table are for what, by their numbers.

    kept        train; held: validate, of which an ensemble has none; tested
    trial       those that train and those held out where two ways are compared before anything is planned
    """

    kept: Array
    held: Array
    tested: Array
    trial: tuple[Array, Array]


def labeled_table(
    frame: polars.DataFrame, settings: TableSettings, encoder: type[Encoder], tests: bool
) -> LabeledTable:
    """Find what columns are, read the target, and split the rows.

    encoder     the class of what will encode; tests: whether some rows are tested
    Errors      DataError for what the schema, the target, the weights or the split refuse
    """
    said, start = settings.overrides, settings.start
    schema = infer_schema(frame, settings.target, said, task=settings.task)
    _check_rules(settings, schema)
    schema, remarks = (schema, ()) if start is None else start.schema(schema)
    frame = with_target(frame, schema)
    typed, target = schema.typed(frame), encoder.of_target(schema).read_target(frame)
    weight = row_weights(frame, schema, said)
    split = split_of(frame, schema, target, said, settings.seed)
    rows = _rows_of(frame.height, split, settings, tests)
    _check_weights(schema.weight, weight, {"train": rows.kept, "validate": rows.held})
    table = LabeledTable(schema, frame, typed, target, weight, rows, said=remarks)
    # A network that is started from reads its columns as it did.
    return _with_levels(table, split, settings) if start is None else table


def _with_levels(table: LabeledTable, split: Split, settings: TableSettings) -> LabeledTable:
    """Take numbers that are codes for categories, and rare levels for one; by the rows that train."""
    said, kept, target, seed = settings.overrides, table.rows.kept, table.target, settings.seed
    schema, of_codes = with_codes(table.schema, table.typed.frame, target, kept, split, [*said.number], seed)
    typed = schema.typed(table.frame) if of_codes else table.typed
    schema, least, of_levels = with_rare_levels(schema, typed.frame, target, kept, split, [*said.keep], seed)
    remarks = (*table.said, *of_codes, *of_levels)
    return replace(table, schema=schema, typed=typed, least=least, said=remarks)


def _rows_of(count: int, split: Split, settings: TableSettings, tests: bool) -> RowParts:
    """Split so many rows; `tests` says whether some of them are tested."""
    rest, tested = np.arange(count), np.arange(0)
    if tests:
        rest, tested = split(rest, settings.test_fraction)
    trial = split(rest, settings.validation_fraction)
    kept, held = trial if settings.members == 1 else (rest, rest[:0])
    return RowParts(kept, held, tested, trial)


def _check_rules(settings: TableSettings, schema: Schema) -> None:
    """Refuse class weights and thresholds where the target has no classes for them."""
    if settings.threshold is not None and schema.task != "binary":
        raise DataError(f"threshold: the target {schema.target!r} has not two classes to decide between")
    class_weights(settings.class_weight, schema.classes, np.zeros(1, np.int64))


def _check_weights(name: str, weight: Array | None, parts: dict[str, Array]) -> None:
    """Refuse rows that train or validate where all of them weigh nothing."""
    for what, rows in parts.items():
        if weight is not None and len(rows) and not weight[rows].any():
            raise DataError(
                f"weight: column {name!r} is 0 in all {len(rows):,} rows that {what}; leave such rows out"
            )
