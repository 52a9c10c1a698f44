"""Rare levels: those of a category of which too few rows tell what they do to the target are read as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.tables import Encoder, Schema, with_target
from minicolumn.tables.additive import residuals
from minicolumn.tables.credibility import rows_to_believe
from minicolumn.tables.identifiers import MANY_LEVELS
from minicolumn.tables.inputs.categories import FEWEST_ROWS
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.schema import Column
from minicolumn.tables.typed import Remark
from minicolumn.tables.values import MISSING, labels
from minicolumn.tabular.evidence import Evidence
from minicolumn.tabular.splits import Split, split_of

if TYPE_CHECKING:
    import polars

Array = np.ndarray

# Rows that are looked at of one column, and of all columns together; of each at least the third.
_MOST_ROWS, _ROWS_OF_ALL, _FEWEST_ROWS = 100_000, 400_000, 20_000
# A level is learnt from with this share of the rows by which its mean would be believed half, and with so
# many rows in any case: what it does may hang on other columns. See docs/decisions/035.
_SHARE, _ENOUGH = 0.25, 100


@dataclass(frozen=True, slots=True)
class RareLevels:
    """Which levels of a category are read as one.

    found       how many levels the rows that train have
    least       rows that a level needs to be learnt from by itself
    shared      levels with fewer rows; rows: the share of rows with a level that have one of them
    gaps        whether values are missing, which may tell something where no level does
    """

    found: int
    least: int
    shared: int
    rows: float
    gaps: bool

    @property
    def tells_nothing(self) -> bool:
        """Whether no level is learnt from, nor that there is none."""
        return self.shared == self.found and not self.gaps


def with_rare_levels(
    schema: Schema,
    typed: polars.DataFrame,
    target: Array,
    kept: Array,
    split: Split,
    keep: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Schema, Mapping[str, int], tuple[Remark, ...]]:
    """Return the schema, how many rows a level of each category needs, and a remark on each with too few.

        least = min(max(k / 4, 2), 100)

    k is Buehlmann's, see `rows_to_believe`, in what an additive model of the other columns leaves of the
    target, predicted out of fold. A category none of whose levels has so many rows, and no gaps, names the
    rows: the schema leaves it out, unless nothing else is left to learn from.

    typed       of `Schema.typed`
    target      class codes or numbers of these rows
    kept        the rows that train, by index: no other row is looked at
    split       that of the plan, which makes the folds too: groups and times stay together
    keep        columns that the user wants to be learnt from: their levels are left as they are
    Complexity  for each category of more than 20 levels, some of them of fewer than 100 rows, 10 sweeps over
                at most 64 columns of at most 100,000 rows
    """
    missing = MISSING - set(schema.not_missing)
    texts = {
        column.name: labels(typed[column.name][kept], missing)
        for column in schema.used
        if column.kind == "category" and column.name not in keep
    }
    counts = {name: _rows_of_levels(text) for name, text in texts.items()}
    names = [name for name, rows in counts.items() if len(rows) > MANY_LEVELS and rows.min() < _ENOUGH]
    if not names:
        return schema, {}, ()
    most = max(_FEWEST_ROWS, min(_MOST_ROWS, _ROWS_OF_ALL // len(names)))
    seen = Evidence.of(schema, typed, target, np.random.default_rng(seed).permutation(kept)[:most], split)
    if seen is None:
        return schema, {}, ()
    least = {name: _least(seen, name, missing) for name in names}
    found = {
        name: _rare(counts[name], rows, texts[name].null_count() > 0)
        for name, rows in least.items()
        if rows > FEWEST_ROWS
    }
    columns = tuple(_noted(column, found.get(column.name)) for column in schema.columns)
    if not any(column.used for column in columns):
        return schema, {}, ()
    remarks = tuple(_remark(name, rare) for name, rare in found.items() if rare.shared)
    return replace(schema, columns=columns), least, remarks


def _rows_of_levels(text: polars.Series) -> Array:
    """Return how many rows each level of a category has, int64 [levels]."""
    return text.drop_nulls().value_counts(name="rows")["rows"].to_numpy().astype(np.int64)


def _least(seen: Evidence, name: str, missing: frozenset[str]) -> int:
    """Return how many rows a level of a category needs to be learnt from."""
    text = labels(seen.typed[name], missing)
    known = text.is_not_null().to_numpy()
    left = residuals(seen.others(name), seen.outputs, seen.fold)[seen.fold, np.arange(len(known))]
    level = text.drop_nulls().rank("dense").to_numpy().astype(np.int64) - 1
    return int(np.ceil(np.clip(_SHARE * rows_to_believe(level, left[known]), FEWEST_ROWS, _ENOUGH)))


def _rare(rows: Array, least: int, gaps: bool) -> RareLevels:
    """Return which levels, of so many rows each, have fewer than `least`."""
    few = rows < least
    return RareLevels(len(rows), least, int(few.sum()), float(rows[few].sum() / rows.sum()), gaps)


def _noted(column: Column, rare: RareLevels | None) -> Column:
    """Return a column with a note on its rare levels; one that tells nothing else names the rows."""
    if rare is None or not rare.shared:
        return column
    if rare.tells_nothing:
        return replace(column, kind="identifier", note=f"{rare.found:,} levels of too few rows each")
    said = f"{rare.shared:,} rare ones share one"
    return replace(column, note="; ".join(part for part in (column.note, said) if part))


def _remark(name: str, rare: RareLevels) -> Remark:
    """Return what is said of a category some of whose levels are rare."""
    why = "too few to tell what they do from chance, beside the other columns"
    if rare.tells_nothing:
        text = (
            f"all {rare.found:,} levels have fewer than {rare.least} rows, {why}: it is left out; "
            "say keep to learn from it all the same"
        )
    else:
        text = (
            f"{rare.shared:,} of {rare.found:,} levels, {rare.rows:.1%} of the rows, share one: each has "
            f"fewer than {rare.least} rows, {why}; say keep to learn from each"
        )
    return Remark(name, "levels", text)


def said_of_rare_levels(frame: polars.DataFrame, schema: Schema, said: Overrides) -> tuple[Remark, ...]:
    """Return what would be said of the rare levels of a table, were all of its rows to train.

    frame       raw rows; schema: of `infer_schema`
    said        what the user said of the columns
    Errors      DataError, as of `plan_table`, for a target, groups or times that cannot be read
    """
    frame, reader = with_target(frame, schema), Encoder.of_target(schema)
    typed, target = schema.typed(frame).frame, reader.read_target(frame)
    split = split_of(frame, schema, target, said, seed=0)
    return with_rare_levels(schema, typed, target, np.arange(frame.height), split, [*said.keep])[2]
