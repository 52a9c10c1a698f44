"""The card of a model of a table: its rows, how they were told apart, and the call that makes it again."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, replace
from typing import TYPE_CHECKING, Any

from minicolumn.model.card.derived import derived_card
from minicolumn.model.card.record import Card, clipped
from minicolumn.tables.overrides import Overrides
from minicolumn.tabular.settings import TableSettings
from minicolumn.tabular.start import Start
from minicolumn.tabular.thresholds import Threshold

if TYPE_CHECKING:
    from minicolumn.model.model import Model
    from minicolumn.tabular.plan import TablePlan

# Where the records of these settings are found.
_PLACES = {"optimizer": "mc.optim.", "schedule": "mc.optim.", "loss": "mc.nn."}


def table_card(plan: TablePlan, model: Model) -> Card:
    """Return the card of a model that was trained as planned."""
    return replace(
        derived_card(model), rows=plan.rows, split=split_of(plan), rebuild=clipped(call_of(plan.settings))
    )  # fmt: skip


def split_of(plan: TablePlan) -> str:
    """Return in words which rows train, validate and test."""
    schema, settings = plan.schema, plan.settings
    how = "at random" if schema.task == "regression" else "at random, class by class"
    if schema.groups:
        how = f"by groups of equal {schema.groups}"
    elif schema.time_order:
        how = f"by {schema.time_order}, the latest last"
    seed = "" if schema.time_order and not schema.groups else f", seed {settings.seed}"
    rows = plan.rows
    tested = "rows of their own are tested"
    if rows["train"] + rows["validation"] + rows["test"] == schema.rows - schema.rows_without_target:
        tested = f"{settings.test_fraction:.0%} are tested"
    held = f"{settings.validation_fraction:.0%} of the others validate"
    if plan.members:
        held = f"each of {len(plan.members)} networks holds out other ones of the rest"
    return clipped(f"{how}: {tested}, {held}{seed}")


def call_of(settings: TableSettings) -> str:
    """Return the call that trains with these settings.

    >>> call_of(TableSettings("Species", hidden=(64, 64), seed=1))
    "mc.fit_table(DATA, 'Species', hidden=(64, 64), seed=1, members=1)"
    """
    said = _changed(settings)
    said.pop("overrides", None)
    start = said.pop("start", None)
    said = {**_changed(settings.overrides), **said, "members": settings.members}
    parts = [f"{name}={_shown(name, value)}" for name, value in said.items() if name != "target"]
    parts += [] if start is None else _parts_of_start(start)
    return f"mc.fit_table({', '.join(['DATA', repr(settings.target), *parts])})"


def _parts_of_start(start: Start) -> list[str]:
    """Return the keywords of the network that was started from, which itself stands in no card."""
    said = {"freeze": start.freeze or None, "layer_rates": start.layer_rates, "unfreeze": start.unfreeze}
    return ["init_from=MODEL", *(f"{name}={value!r}" for name, value in said.items() if value is not None)]


def _shown(name: str, value: Any) -> str:
    """Return a setting as it is written in a call."""
    if isinstance(value, Threshold):
        costs = f"cost:false_positive={value.false_positive:g},false_negative={value.false_negative:g}"
        return repr({"fixed": value.value, "f1": "f1", "cost": costs}[value.rule])
    return f"{_PLACES[name]}{value!r}" if name in _PLACES and not isinstance(value, str) else repr(value)


def _changed(record: TableSettings | Overrides) -> dict[str, Any]:
    """Return the fields of a record that are not at their defaults."""
    found = {part.name: getattr(record, part.name) for part in fields(record)}
    return {part.name: found[part.name] for part in fields(record) if found[part.name] != _default(part)}


def _default(part: Field[Any]) -> Any:
    if part.default_factory is not MISSING:
        return part.default_factory()
    return part.default
