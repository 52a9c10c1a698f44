"""Column encoders by the kind of their column: how one is fitted, and read back from JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.tables import state
from minicolumn.tables.inputs.categories import FEWEST_ROWS, BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DatetimeInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.scale import Scaling
from minicolumn.tables.kinds import ColumnKind

if TYPE_CHECKING:
    import polars

Input = NumberInput | BooleanInput | CategoryInput | DatetimeInput
_CLASSES: dict[ColumnKind, Any] = {
    "number": NumberInput,
    "boolean": BooleanInput,
    "category": CategoryInput,
    "datetime": DatetimeInput,
}


def fit_input(
    series: polars.Series,
    kind: ColumnKind,
    form: str,
    scaling: Scaling,
    missing: frozenset[str],
    least: int = FEWEST_ROWS,
) -> Input:
    """Return the fitted encoder of one typed column.

    form        how its text was written; missing: spellings of missing among levels, in lower case
    least       rows that a level of a category needs, see `CategoryInput.fit`
    """
    if kind == "number":
        return NumberInput.fit(series, form, scaling)
    if kind == "datetime":
        return DatetimeInput.fit(series, form, scaling)
    return BooleanInput.fit(series) if kind == "boolean" else CategoryInput.fit(series, missing, least)


def kind_of(part: Input) -> ColumnKind:
    """Return the kind of an encoder's column."""
    return next(kind for kind, made in _CLASSES.items() if type(part) is made)


def input_from_json(value: object, where: str) -> Input:
    """Return the encoder of one column from JSON values; its "kind" says which."""
    kind = value.get("kind") if type(value) is dict else None
    return _CLASSES[state.choice(kind, f"{where}.kind", _CLASSES)].from_json(value, where)
