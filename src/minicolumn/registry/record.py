"""Records whose fields are settings: frozen dataclasses that check themselves when they are made."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NoReturn, get_args, get_origin

from minicolumn.errors import DataError, did_you_mean
from minicolumn.registry.setting import REQUIRED, Setting, show


class Record:
    """The base of frozen dataclasses whose fields are settings, declared as annotations.

        learning_rate: Annotated[float, Number(help="factor on every step", ge=0)] = 0.01

    Values are checked when a record is made, and held in plain Python. What concerns several fields together
    is checked by a ``__post_init__`` of the class, after that of this one.
    """

    __settings__: ClassVar[Mapping[str, Setting]] = {}

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls.__settings__ = _declared(cls)

    def __post_init__(self) -> None:
        entry = type(self).__name__
        for name, setting in self.__settings__.items():
            settle(self, name, setting.check(getattr(self, name), entry))
        for name, setting in self.__settings__.items():
            lower = getattr(setting, "at_least", "")
            if lower and getattr(self, name) < getattr(self, lower):
                setting.refuse(getattr(self, name), f"{entry}: {name}")


def _declared(cls: type) -> dict[str, Setting]:
    """Return the settings that a class declares or inherits, by name, with their defaults."""
    found = dict(getattr(cls, "__settings__", {}))
    for name, annotation in inspect.get_annotations(cls).items():
        setting = _setting_in(annotation, vars(sys.modules[cls.__module__]))
        if setting is None:
            found.pop(name, None)  # declared anew, as something that follows from others
        else:
            found[name] = setting.bound(name, cls.__dict__.get(name, REQUIRED))
    return found


def _setting_in(annotation: Any, names: dict[str, Any]) -> Setting | None:
    """Return the setting in an annotation such as ``Annotated[float, Number(...)]``, also if it is a text."""
    if isinstance(annotation, str):
        if not annotation.startswith("Annotated["):
            return None
        annotation = eval(annotation, names)  # as `typing.get_type_hints` does, but this one alone
    if get_origin(annotation) is not Annotated:
        return None
    return next((part for part in get_args(annotation)[1:] if isinstance(part, Setting)), None)


def settings_of(declared: Any) -> dict[str, Setting]:
    """Return the settings that a record, its class, or a function's keywords declare, by name.

    Of a function in which some keywords are bound, their values are the defaults.

    >>> from minicolumn.registry import Number
    >>> def leaky(x: float, *, slope: Annotated[float, Number(help="below zero")] = 0.01) -> float: ...
    >>> settings_of(leaky)["slope"].default
    0.01
    """
    if isinstance(declared, functools.partial):
        inner = settings_of(declared.func)
        bound = declared.keywords
        return {name: s.bound(name, bound[name]) if name in bound else s for name, s in inner.items()}
    kept = getattr(declared, "__settings__", None)
    if kept is not None:
        return dict(kept)
    defaults = getattr(declared, "__kwdefaults__", None) or {}
    names = getattr(declared, "__globals__", {})
    annotations = inspect.get_annotations(declared) if defaults else {}
    found = {name: _setting_in(annotations.get(name), names) for name in defaults}
    return {name: s.bound(name, defaults[name]) for name, s in found.items() if s is not None}


def checked(entry: str, settings: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return given values in plain Python, in the order of the settings.

    Errors      DataError for one that the entry does not have, or a value out of range
    """
    check_names(entry, settings, given)
    return {name: s.check(given[name], entry) for name, s in settings.items() if name in given}


def check_names(entry: str, settings: Mapping[str, Setting], given: Mapping[str, Any]) -> None:
    """Refuse settings that an entry does not have."""
    for name in given:
        if name not in settings:
            short = str(name)[:60]
            known = f"; there are {', '.join(settings)}" if settings else "; it has none"
            raise DataError(f"{entry}: unknown setting {short!r}{did_you_mean(short, settings) or known}")


def refuse(record: Any, name: str, expected: str) -> NoReturn:
    """Refuse the value of a record's field, in one line."""
    raise DataError(
        f"{type(record).__name__}: {name}: expected {expected}, got {show(getattr(record, name))}"
    )


def settle(record: Any, name: str, value: Any) -> None:
    """Write a field of a frozen record; only for use while it is being made."""
    object.__setattr__(record, name, value)


def is_plain(value: Any) -> bool:
    """Return whether a value says all about itself: numbers, names, this package's records and functions.

    Programs made of such records can be kept and used again. An own function may read what changes elsewhere.

    >>> is_plain(("relu", 3, None)), is_plain(sorted)
    (True, False)
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    kind = value if callable(value) and hasattr(value, "__closure__") else type(value)
    if not str(kind.__module__).startswith("minicolumn."):
        return False
    if kind is value:
        return value.__closure__ is None
    if not dataclasses.is_dataclass(value):
        return False
    return all(is_plain(getattr(value, field.name)) for field in dataclasses.fields(value))
