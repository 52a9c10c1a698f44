"""The settings of a training as JSON: whole in a checkpoint, and in a model file to tell how it was trained.

{"loss": "huber", "optimizer": {"name": "Adam", ...}, "schedule": {...}, "batch_size": 32, ...}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from minicolumn.errors import DataError, MinicolumnError
from minicolumn.nn.constrain import CONSTRAINTS
from minicolumn.nn.losses import Loss
from minicolumn.nn.regularize import REGULARIZERS
from minicolumn.optim import OPTIMIZERS, SCHEDULES
from minicolumn.registry import Registry
from minicolumn.train.settings import Settings, check_settings

T = TypeVar("T")
# Settings that are JSON values themselves, and those that are records of a registry.
_PLAIN = ("batch_size", "epochs", "shuffle", "seed", "threads", "backend", "shadow")
_RECORDS: dict[str, Registry[Any]] = {
    "optimizer": OPTIMIZERS, "schedule": SCHEDULES, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS,
}  # fmt: skip


def settings_to_json(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON values, from which `settings_from_json` makes the same.

    Errors      DataError for a loss, metric or other part that is a function of one's own
    """

    def refuse(what: str, _: object) -> Any:
        article = "a metric is" if what == "metrics" else f"the {what} is"
        raise DataError(f"save: {article} one's own, which a file cannot hold")

    return _to_json(settings, refuse)


def described_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON values to be read by people; own functions as {"own": name}."""
    return _to_json(
        settings, lambda _, part: {"own": str(getattr(part, "__name__", type(part).__name__))[:60]}
    )


def _to_json(s: Settings, own: Callable[[str, object], Any]) -> dict[str, Any]:
    """Return the settings as JSON values; `own(name, part)` gives those of what no file holds."""
    plain = {name: getattr(s, name) for name in _PLAIN}
    records = {name: _record(name, registry, getattr(s, name), own) for name, registry in _RECORDS.items()}
    loss = s.record.to_json() if s.record is not None and s.record is s.loss else own("loss", s.loss)
    metrics = [m if isinstance(m, str) else own("metrics", m) for m in s.metrics]
    return {**plain, **records, "loss": loss, "metrics": metrics, "dtype": s.dtype.name}


def _record(name: str, registry: Registry[T], record: object, own: Callable[[str, object], Any]) -> Any:
    """Return a record as JSON; what its registry could not read back is one's own."""
    if record is None:
        return None
    try:
        told = registry.to_json(record)
        registry.from_json(told)  # by class, records of one's own are written too
    except MinicolumnError:
        return own(name, record)
    return told


def settings_from_json(told: Mapping[str, Any]) -> Settings:
    """Return the settings that `settings_to_json` wrote.

    Errors      MinicolumnError, KeyError or TypeError for anything else
    """
    read = {name: told[name] for name in (*_PLAIN, "dtype", "metrics")}
    if type(read["shuffle"]) is not bool or not all(type(metric) is str for metric in read["metrics"]):
        raise DataError("something is of another kind")
    read["loss"] = Loss.from_json(told["loss"])
    for name, registry in _RECORDS.items():
        read[name] = None if told[name] is None else registry.from_json(told[name])
    return check_settings("resume", read)
