"""Integers that act like codes: found on the training rows, and learnt from as categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.tables import Schema
from minicolumn.tables.code_search import CodeEvidence, may_hold_codes, weigh_codes
from minicolumn.tables.identifiers import is_quantity_name
from minicolumn.tables.schema import Column
from minicolumn.tables.typed import Remark
from minicolumn.tabular.evidence import Evidence
from minicolumn.tabular.splits import Split

if TYPE_CHECKING:
    import polars

Array = np.ndarray

_MOST_ROWS = 100_000  # so many, drawn by the seed, tell codes from amounts


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
    seen = Evidence.of(schema, typed, target, rows, split) if names else None
    if seen is None:
        return schema, ()
    found = {name: evidence for name in names if (evidence := _alone(seen, name)).acts_like_codes}
    learnt = {name for name in found if name not in said and _act_beside_others(seen, name)}
    columns = tuple(_as_codes(column) if column.name in learnt else column for column in schema.columns)
    remarks = tuple(_remark(name, evidence, name in learnt, name in said) for name, evidence in found.items())
    return replace(schema, columns=columns), remarks


def _alone(seen: Evidence, name: str) -> CodeEvidence:
    """Return what a column tells by itself."""
    x, known = _known(seen.typed[name], slice(None))
    return weigh_codes(x, seen.outputs[known], seen.fold[known])


def _act_beside_others(seen: Evidence, name: str) -> bool:
    """Return whether a column acts like codes in what the other columns leave to tell."""
    x, known = _known(seen.typed[name], slice(None))
    others = [level[known] for level in seen.others(name)]
    return weigh_codes(x, seen.outputs[known], seen.fold[known], others).acts_like_codes


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
