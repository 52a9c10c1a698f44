"""Cards of models that nobody wrote one for: what their own fields tell, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minicolumn.errors import MinicolumnError
from minicolumn.model.card.record import Card, clipped
from minicolumn.optim import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from minicolumn.model.model import Model

_MOST_NAMES, _LONGEST_NAME = 12, 80
_MOST_LETTERS = 2_000  # of a network in a call
_KEYWORDS = ("batch_size", "epochs", "seed", "dtype")
_RECORDS = {"optimizer": ("mc.optim.", OPTIMIZERS), "schedule": ("mc.optim.", SCHEDULES)}


def card_of(model: Model) -> Card:
    """Return the card that a model's file holds, or one made of its other fields.

    Errors      ModelFileError, whose text begins with a verb, for a card of another form
    """
    held = model.training.get("card")
    return derived_card(model) if held is None else Card.from_json(held)


def derived_card(model: Model) -> Card:
    """Return a card that tells no more than the other fields of a model do.

    It has no date, path or time that it took: equal trainings have equal cards.
    """
    imported = model.training.get("imported")
    if isinstance(imported, dict):
        return _imported(model, imported)
    return Card(
        title=title_of(model), about=about_of(model), rows=_rows(model), rebuild=_call_of_fit(model),
    )  # fmt: skip


def title_of(model: Model) -> str:
    """Return one line on what a model answers."""
    if model.table is not None:
        columns = len(model.table.inputs)
        target = clipped(model.table.target, _LONGEST_NAME)
        return f"{target}, from {columns} column{'s' * (columns != 1)}"
    estimator = model.training.get("estimator")
    shape = " x ".join(map(str, model.input_shape))
    return f"{estimator if isinstance(estimator, str) else 'Network'} that takes {shape} numbers"


def about_of(model: Model) -> str:
    """Return what a model is for, as far as its target and columns tell."""
    classes, labels = model.classes, "a number"
    if classes is not None:
        labels = f"one of {len(classes)} classes ({_listed(map(str, classes))})"
    if model.table is None:
        return f"Predicts {labels}." if classes is not None else ""
    names = _listed(part.name for part in model.table.inputs)
    return f"Predicts {clipped(model.table.target, _LONGEST_NAME)}, {labels}, from {names}."


def _listed(names: Any) -> str:
    every = [clipped(name, _LONGEST_NAME) for name in names]
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more


def _rows(model: Model) -> dict[str, int]:
    """Return how many rows trained, where the training tells."""
    rows = model.training.get("rows")
    return {"train": rows} if type(rows) is int and rows >= 0 else {}


def _imported(model: Model, source: Mapping[str, Any]) -> Card:
    """Return the card of a network that another library trained."""
    maker = str(source.get("producer") or source.get("estimator") or "")[:60]
    written = str(source.get("format", "another library"))[:60]
    return Card(
        title=f"Network of {written}{f' ({maker})' if maker else ''}",
        about=about_of(model),
        limits="Trained elsewhere: nothing is known here of its data, and of how it was scored.",
    )


def _call_of_fit(model: Model) -> str:
    """Return the call that trains such a network again; "" where the training does not tell."""
    told = model.training
    if model.table is not None or not {"optimizer", "batch_size", "seed"} <= told.keys():
        return ""
    network = repr(model.network)
    parts = [network if len(network) <= _MOST_LETTERS else "network", "X", "y", f"loss={_loss(model)}"]
    parts += [f"{name}={text}" for name in _RECORDS if (text := _record(name, told.get(name)))]
    parts += [f"{name}={told[name]!r}" for name in _KEYWORDS if isinstance(told.get(name), int | str)]
    return clipped(f"mc.fit({', '.join(parts)})")


def _loss(model: Model) -> str:
    record = model.loss_record
    return repr(model.loss) if record is None or not record.changed else f"mc.nn.{record!r}"


def _record(name: str, told: Any) -> str:
    """Return the call of a record; "" for none, and for one of somebody's own."""
    prefix, registry = _RECORDS[name]
    try:
        return "" if told is None else f"{prefix}{registry.from_json(told)!r}"
    except MinicolumnError:
        return ""
