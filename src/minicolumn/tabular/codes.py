"""Integers that act like codes: found on the training rows, and learnt from as categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Schema
from minicolumn.tables.code_search import FOLDS, CodeEvidence, may_hold_codes, weigh_codes
from minicolumn.tables.identifiers import is_quantity_name
from minicolumn.tables.schema import Column
from minicolumn.tables.typed import Remark
from minicolumn.tabular.splits import Split

if TYPE_CHECKING:
    import polars

Array = np.ndarray

_MOST_ROWS = 100_000  # so many, drawn by the seed, tell codes from amounts
_MOST_CLASSES = 10  # the most frequent, whose shares are predicted
_MOST_OTHERS, _BINS = (
    64,
    32,
)  # columns whose part is taken away before codes are believed; bins of their numbers
_FAR = 4.0  # standard deviations at which a number of the target stops, or a few would decide


def with_codes(
    schema: Schema,
    typed: polars.DataFrame,
    target: Array,
    kept: Array,
    split: Split,
    said: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Schema, tuple[Remark, ...]]:
    """Return the schema in which integers that act like codes are categories, and a remark on each.

    typed       of `Schema.typed`
    target      class codes or numbers of these rows
    kept        the rows that train, by index: no other row is looked at
    split       that of the plan, which makes the folds too: groups and times stay together
    said        columns that are numbers because the user said so: of those it is only remarked, as of those
                where other columns, one by one, tell most of what single values tell
    Complexity  a sort of at most 100,000 rows for each column of integers
    """
    rows = np.random.default_rng(seed).permutation(kept)[:_MOST_ROWS]
    names = [column.name for column in schema.used if _might_be_codes(column)]
    names = [name for name in names if may_hold_codes(_known(typed[name], rows)[0])]
    fold = _folds(rows, split) if names else None
    if fold is None:
        return schema, ()
    search = _Search(schema, typed[rows], _outputs(target[rows], schema), fold)
    found = {name: evidence for name in names if (evidence := search.alone(name)).acts_like_codes}
    learnt = {name for name in found if name not in said and search.beside_others(name)}
    columns = tuple(_as_codes(column) if column.name in learnt else column for column in schema.columns)
    remarks = tuple(_remark(name, evidence, name in learnt, name in said) for name, evidence in found.items())
    return replace(schema, columns=columns), remarks


@dataclass(frozen=True, eq=False)
class _Search:
    """The rows on which columns of integers are weighed, what they are to tell, and their folds."""

    schema: Schema
    typed: polars.DataFrame
    outputs: Array
    fold: Array

    def alone(self, name: str) -> CodeEvidence:
        """Return what a column tells by itself."""
        x, known = _known(self.typed[name], slice(None))
        return weigh_codes(x, self.outputs[known], self.fold[known])

    def beside_others(self, name: str) -> bool:
        """Return whether a column acts like codes in what the other columns leave to tell."""
        others = [self._levels(column) for column in self.schema.used if column.name != name][:_MOST_OTHERS]
        x, known = _known(self.typed[name], slice(None))
        others = [level[known] for level in others]
        return weigh_codes(x, self.outputs[known], self.fold[known], others).acts_like_codes

    def _levels(self, column: Column) -> Array:
        """Return the level of each row, int64 [rows]; of numbers and dates a bin of equally many rows."""
        import polars

        series = self.typed[column.name]
        if column.kind in ("category", "boolean"):
            return series.cast(polars.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
        order = series.rank("ordinal").fill_null(0).to_numpy().astype(np.int64)
        return order * _BINS // (len(order) + 1)


def _might_be_codes(column: Column) -> bool:
    """Return whether a column's numbers are plainly written, and its name is not that of a quantity."""
    return column.kind == "number" and not column.form and not is_quantity_name(column.name)


def _as_codes(column: Column) -> Column:
    note = "; ".join(part for part in ("integers that act like codes", column.note) if part)
    return replace(column, kind="category", note=note, may_be_codes=False)


def _known(series: polars.Series, rows: Array | slice) -> tuple[Array, Array]:
    """Return the finite numbers of some rows, and which of the rows have one, bool [rows]."""
    x = series.to_numpy().astype(np.float64)[rows]
    known = np.isfinite(x)
    return x[known], known


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


def _remark(name: str, found: CodeEvidence, learnt: bool, said: bool) -> Remark:
    """Return what is said of a column whose integers act like codes."""
    shares = (
        f"{found.by_level:.1%} of the target by single values, {max(found.by_order, 0.0):.1%} by their order"
    )
    if learnt:
        what = "learnt from as a category; say number to take them for amounts"
    elif said:
        what = "a number as you said; say category to learn from them as codes"
    else:
        what = "a number all the same, since other columns tell most of that; say category to try it"
    text = f"{found.levels:,} distinct integers that act like codes: held-out rows tell {shares}; {what}"
    return Remark(name, "codes", text)
