"""What an entry of a registry is asked, whatever its form: its settings, a record of it, a record's values.

An entry is a class of records, a record that stands for its kind, a function, or a `Rule`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from minicolumn.errors import DataError
from minicolumn.registry.record import Record, checked, settings_of
from minicolumn.registry.rule import Rule
from minicolumn.registry.setting import REQUIRED, Setting


def entry_settings(entry: Any) -> dict[str, Setting]:
    return dict(entry.settings) if isinstance(entry, Rule) else settings_of(entry)


def made(name: str, entry: Any, settings: Mapping[str, Any]) -> Any:
    """Return the record of an entry with settings."""
    if not settings and not isinstance(entry, type | Rule):
        return entry
    known = entry_settings(entry)
    if isinstance(entry, type):
        for key, setting in known.items():
            if setting.default is REQUIRED and key not in settings:
                raise DataError(
                    f"{name}: {key} is missing: {setting.expected}",
                    reason="missing", entry=name, name=key, expected=setting,
                )  # fmt: skip
        return entry(**settings)
    if isinstance(entry, Rule):
        return entry.make(**checked(name, known, settings))
    return dataclasses.replace(entry, **settings)


def values_of(entry: Any, record: Any) -> Mapping[str, Any] | None:
    """Return the settings of a record if an entry made it, else None."""
    if isinstance(entry, type):
        return fields_of(record) if type(record) is entry else None
    if isinstance(entry, Rule):
        return entry.values(record)
    if dataclasses.is_dataclass(entry):
        return fields_of(record) if type(record) is type(entry) else None
    return {} if record is entry else None


def fields_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in settings_of(record)}


def derived_of(record: Any) -> dict[str, Any]:
    """Return the fields of a record that are no settings: they follow from those, or are one's own."""
    if not (isinstance(record, Record) and dataclasses.is_dataclass(record)):
        return {}
    known = settings_of(record)
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record) if f.name not in known}


def kind_of(base: type) -> Callable[..., Any]:
    """Return what checks a class of records of one's own, for `Registry.add`.

    A text and a file hold settings alone, so every field that the class is made from has to be one.
    """

    def adopt(name: str, kind: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, base) and dataclasses.is_dataclass(kind)):
            return NotImplemented
        for field in dataclasses.fields(kind):
            if field.init and field.name not in settings_of(kind):
                raise DataError(
                    f"add: {name}: the field {field.name!r} of {kind.__name__} is no setting; annotate it as "
                    "in rate: Annotated[float, Number(help=..., ge=0)]"
                )
        return kind

    return adopt


def function_alone(name: str, function: Any) -> Any:
    """Return a function of one's own, for `Registry.add`; NotImplemented for anything else."""
    return function if is_function(function) else NotImplemented


def is_function(value: Any) -> bool:
    """Return whether a value can be called and is neither a class nor a rule."""
    return callable(value) and not isinstance(value, type | Rule)
