"""Hyperparameters of a training on a table, validated once for Python and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import Any

from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.losses import Loss
from minicolumn.optim import Optimizer, Schedule, optimizer_by_name, schedule_by_name
from minicolumn.registry import read_text
from minicolumn.tables.overrides import Overrides
from minicolumn.tabular.efforts import effort_by_name
from minicolumn.tabular.limits import LIMITS, MOST_LAYERS, MOST_UNITS
from minicolumn.tabular.recipe import HIDDEN
from minicolumn.tabular.start import Start, start_of
from minicolumn.tabular.target_scale import TargetScale, check_target_scale
from minicolumn.tabular.thresholds import Threshold, check_threshold
from minicolumn.tabular.weights import ClassWeight, check_class_weight
from minicolumn.train.callbacks import as_seconds


@dataclass(frozen=True)
class TableSettings:
    """What a user may say about a training on a table; None takes the recipe's default, or the effort's.

    Fields are the keywords of `fit_table`, where each is explained; names are records already (`Loss`,
    `Schedule`). `settings_of` makes one of what was said; made by hand it is not checked.
    """

    target: str
    task: str | None = None
    overrides: Overrides = field(default_factory=Overrides)
    class_weight: ClassWeight = None
    threshold: Threshold | None = None
    target_scale: TargetScale = "auto"
    hidden: tuple[int, ...] | None = None
    activation: str | tuple[str, ...] | None = None
    dropout: float | None = None
    loss: Loss | None = None
    optimizer: str | Optimizer | None = None
    learning_rate: float | None = None
    clip_norm: float | None = None
    schedule: Schedule | None = None
    batch_size: int | None = None
    epochs: int | None = None
    patience: int | None = None
    seed: int = 0
    test_fraction: float = 0.25
    validation_fraction: float = 0.15
    members: int | None = 1
    effort: str = "normal"
    time: float | None = None
    start: Start | None = None


def settings_of(who: str, given: dict[str, Any]) -> TableSettings:
    """Validate what was said in Python and return it as a record: names looked up, numbers in range.

    who         begins each message: "fit_table"
    given       the fields of `TableSettings`, each as its forms allow: a name for a record, one for several
    Errors      DataError, in one line that names the keyword
    """
    where = lambda name: f"{who}: {name}"  # noqa: E731
    hidden = None if given["hidden"] is None else check_hidden(where("hidden"), given["hidden"])
    made = {
        "overrides": overrides_of(who, given),
        "class_weight": check_class_weight(where("class_weight"), given["class_weight"]),
        "threshold": check_threshold(where("threshold"), given["threshold"]),
        "target_scale": check_target_scale(where("target_scale"), given["target_scale"]),
        "hidden": hidden,
        "activation": check_activations(where("activation"), given["activation"], len(hidden or HIDDEN)),
        "loss": _record(where("loss"), given["loss"], Loss, Loss),
        "optimizer": _record(where("optimizer"), given["optimizer"], optimizer_by_name, Optimizer),
        "schedule": _record(where("schedule"), given["schedule"], schedule_by_name, None),
        "effort": given["effort"] or "normal",
        "time": check_time(where("time"), given["time"]),
        "start": start_of(
            f"{who}: ", *(given.get(name) for name in ("init_from", "freeze", "layer_rates", "unfreeze"))
        ),
    }
    check_start(f"{who}: ", made["start"], given)
    effort_by_name(where("effort"), given["effort"])
    check_one_rate(where("learning_rate"), given["optimizer"], given["learning_rate"])
    known = {field.name for field in fields(TableSettings)}
    numbers = {
        name: limit.required(given[name], where(name))
        for name, limit in LIMITS.items()
        if given[name] is not None
    }
    said = given | made | numbers
    return TableSettings(**{name: value for name, value in said.items() if name in known})


def check_time(where: str, time: float | str | None) -> float | None:
    """Return a time budget in seconds, from a number or a text such as 30s, 5m or 1h; None stays None.

    Errors      DataError for what is no time, and for 0

    >>> check_time("time", "5m")
    300.0
    """
    seconds = None if time is None else as_seconds(where, time)
    if seconds == 0.0:
        raise DataError(f"{where}: expected a time above 0, such as 30s, 5m or 1h, got {time!r:.60}")
    return seconds


def check_start(where: str, start: Start | None, said: Mapping[str, Any]) -> None:
    """Refuse what would change the network that a training starts from; said are keywords by name."""
    for name in ("hidden", "activation", "dropout") if start is not None else ():
        if said.get(name) is not None:
            raise DataError(f"{where}{name}: the layers are those of init_from; leave it out")


def check_one_rate(where: str, optimizer: Any, learning_rate: float | None) -> None:
    """Refuse a learning rate that is said twice: by itself, and in the text of the optimizer."""
    said = isinstance(optimizer, str) and "learning_rate" in read_text(optimizer)[1]
    if said and learning_rate is not None:
        raise DataError(f"{where}: the optimizer has a learning_rate already; say it once")


def check_hidden(where: str, hidden: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer, from one number or several.

    Errors      DataError: not integers, 0 layers or more than 64, 0 units or more than 65,536

    >>> check_hidden("hidden", 32), check_hidden("hidden", [64, 32])
    ((32,), (64, 32))
    """
    listed = (
        [hidden] if isinstance(hidden, Integral) else list(hidden) if isinstance(hidden, Iterable) else []
    )
    whole = all(isinstance(units, Integral) and not isinstance(units, bool) for units in listed)
    sizes = tuple(map(int, listed)) if whole else ()
    if not 0 < len(sizes) <= MOST_LAYERS or not all(0 < n <= MOST_UNITS for n in sizes):
        raise DataError(
            f"{where}: expected units for each hidden layer, such as (128, 64), each from 1 to "
            f"{MOST_UNITS:,}, at most {MOST_LAYERS} layers; got {hidden!r}"
        )
    return sizes


def check_activations(where: str, activation: Any, layers: int) -> tuple[str, ...] | None:
    """Return the activation of each hidden layer, from one for all or one for each; None stays None.

    Errors      DataError for an unknown name, with the nearest one, and for another number of them

    >>> check_activations("activation", "relu", 2)
    ('relu', 'relu')
    """
    if activation is None:
        return None
    listed = [activation] if isinstance(activation, str) else list(activation)
    try:
        names = tuple(activation_by_name(name).name for name in listed)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if len(names) not in (1, layers):
        raise DataError(
            f"{where}: {activation!r} names {len(names)} for {layers} hidden layers; give one, or one for "
            "each"
        )
    return names * (layers // len(names))


def overrides_of(who: str, given: Mapping[str, Any]) -> Overrides:
    """Return what was said of the columns, by the fields of `Overrides`; what is None was not said.

    who         begins each message
    given       its fields by name, others among them
    """
    names = (field.name for field in fields(Overrides))
    said = {name: given[name] for name in names if given.get(name) is not None}
    try:
        return Overrides(**said)
    except DataError as error:
        raise DataError(f"{who}: {error}") from None


def _record(where: str, given: Any, by_name: Callable[..., Any], kind: type | None) -> Any:
    """Return the record that a name with settings stands for, or the one that was given."""
    if given is None:
        return None
    if isinstance(given, str):
        try:
            return by_name(given)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
    if isinstance(given, type) or not (callable(given) if kind is None else isinstance(given, kind)):
        raise DataError(f"{where}: expected a name or a record, got {given!r:.60}")
    return given
