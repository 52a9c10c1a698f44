"""The columns of a model's table in words: how each is read, what was seen of it, what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minicolumn.model.model import Model
    from minicolumn.tables.inputs.by_kind import Input
    from minicolumn.tables.inputs.categories import BooleanInput, CategoryInput
    from minicolumn.tables.inputs.datetimes import DatetimeInput
    from minicolumn.tables.inputs.numbers import NumberInput

_MOST_LEVELS = 8


@dataclass(frozen=True)
class Columns:
    """Rows of texts.

    read    name, kind, how it is read, what was seen of it in training, how many features
    left    name, kind, why
    """

    read: tuple[tuple[str, str, str, str, str], ...] = ()
    left: tuple[tuple[str, str, str], ...] = ()


def columns_of(model: Model) -> Columns:
    """Return the columns of a model's table; none of a model of arrays."""
    if model.table is None:
        return Columns()
    read = tuple(_row(part) for part in model.table.inputs)
    if model.schema is None:
        return Columns(read)
    schema = model.schema
    left = [(column.name, column.kind, column.note) for column in schema.columns if not column.used]
    left += [(name, "dropped", "as was asked") for name in schema.dropped]
    left += [(name, "id", "carried into the predictions") for name in schema.ids]
    for name, why in (
        (schema.weight, "weight"),
        (schema.groups, "groups"),
        (schema.time_order, "time order"),
    ):
        left += [(name, why, "")] if name else []
    return Columns(read, tuple(left))


def target_of(model: Model) -> str:
    """Return the target in words; "" where a model does not know it."""
    encoder = model.table
    if encoder is None:
        return ""
    if encoder.classes is not None:
        return encoder.target
    form = f", written like {encoder.target_form}" if encoder.target_form else ""
    bent = ", learnt on a bent scale (asinh)" if encoder.target_unit else ""
    seen = f", {encoder.target_low:.6g} to {encoder.target_high:.6g} in training"
    return f"{encoder.target}: a number{seen if encoder.target_low < encoder.target_high else ''}{form}{bent}"


def _row(part: Input) -> tuple[str, str, str, str, str]:
    from minicolumn.tables.inputs.by_kind import kind_of

    kind = kind_of(part)
    how, seen = _WORDS[kind](part)
    return part.name, kind, how, seen, str(len(part.features))


def _number(part: NumberInput) -> tuple[str, str]:
    scaled = f"less {part.scale.center:.4g}, times {part.scale.factor:.4g}"
    smooth = ", clipped smoothly to ±3" if part.scale.smooth else ""
    form = f", written like {part.form}" if part.form else ""
    gaps = "; an indicator of gaps" if part.indicator else ""
    return (
        scaled + smooth + form + gaps,
        f"{part.seen.low:.6g} to {part.seen.high:.6g}{_gaps(part.seen.missing)}",
    )


def _boolean(part: BooleanInput) -> tuple[str, str]:
    return "+1 yes, -1 no, 0 missing" + ("; an indicator of gaps" if part.indicator else ""), _gaps(
        part.gaps, ""
    )


def _category(part: CategoryInput) -> tuple[str, str]:
    ways = "codes of a learnt embedding" if part.embedded else "one signed feature"
    how = ways if part.embedded or len(part.features) == 1 else "one-hot"
    shown = ", ".join(level if len(level) <= 40 else level[:39] + "…" for level in part.levels[:_MOST_LEVELS])
    more = f" and {len(part.levels) - _MOST_LEVELS} more" if len(part.levels) > _MOST_LEVELS else ""
    rare = f"; {part.others:.1%} of the rows rare" if part.others else ""
    return how, f"{len(part.levels)} levels: {shown}{more}{_gaps(part.gaps)}{rare}"


def _datetime(part: DatetimeInput) -> tuple[str, str]:
    names = ", ".join(name for name, _ in part.parts) or "no part varies"
    form = f", written {part.form}" if part.form else ""
    gaps = "; an indicator of gaps" if part.indicator else ""
    return names + form + gaps, f"{_day(part.seen.low)} to {_day(part.seen.high)}{_gaps(part.seen.missing)}"


def _day(days: float) -> str:
    """Return days since 1970-01-01 as a date; as a number where there is no such date."""
    try:
        return (datetime(1970, 1, 1) + timedelta(days=days)).date().isoformat()
    except (OverflowError, ValueError):
        return f"day {days:.6g}"


def _gaps(share: float, before: str = "; ") -> str:
    return f"{before}{share:.1%} missing" if share else ""


_WORDS: dict[str, Callable[[Any], tuple[str, str]]] = {
    "number": _number,
    "boolean": _boolean,
    "category": _category,
    "datetime": _datetime,
}
