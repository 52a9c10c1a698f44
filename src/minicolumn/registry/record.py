"""Records whose fields are settings: frozen dataclasses that check themselves when they are made."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, NamedTuple, NoReturn, get_args, get_origin, get_type_hints

from minicolumn.errors import DataError, did_you_mean, nearest
from minicolumn.registry.setting import REQUIRED, Setting, show


class Record:
    """The base of frozen dataclasses whose fields are settings, declared as annotations.

        learning_rate: Annotated[float, Number(help="factor on every step", ge=0)] = 0.01

    Values are checked when a record is made, and held in plain Python. What concerns several fields together
    is checked by a ``__post_init__`` of the class, after that of this one.
    """

    __settings__: ClassVar[Mapping[str, Setting]] = {}
    __checks__: ClassVar[_Checks | None] = None

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls.__settings__, cls.__checks__ = _declared(cls), None

    def __post_init__(self) -> None:
        checks = self.__checks__ or _compiled(type(self))
        for name, default, passes, setting in checks.fields:
            value = getattr(self, name)
            if value is not default and not passes(value):
                settle(self, name, setting.check(value, type(self).__name__))
        for name, lower, setting in checks.ordered:
            if getattr(self, name) < getattr(self, lower):
                setting.refuse(getattr(self, name), f"{type(self).__name__}: {name}")


_NONE_SUCH = object()


class _Checks(NamedTuple):
    """What is checked when a record of a class is made, worked out once.

    fields      name, default that will do as it is, a fast test, and the setting for all other values
    ordered     name, the name of a field that must not be larger, and the setting
    """

    fields: tuple[tuple[str, Any, Callable[[Any], bool], Setting], ...]
    ordered: tuple[tuple[str, str, Setting], ...]


def _compiled(kind: type[Record]) -> _Checks:
    settings = kind.__settings__.items()
    bounds = [(name, getattr(s, "at_least", ""), s) for name, s in settings]
    kind.__checks__ = _Checks(
        tuple((name, _good_default(s), s.passes, s) for name, s in settings),
        tuple(bound for bound in bounds if bound[1]),
    )
    return kind.__checks__


def _good_default(setting: Setting) -> Any:
    """Return the default if it is held as it stands, else what no value is."""
    default = setting.default
    if default is None:
        return None  # then the setting is optional
    same = default is not REQUIRED and setting.plain(default) is default
    return default if same else _NONE_SUCH


def _declared(cls: type) -> dict[str, Setting]:
    """Return the settings that a class declares or inherits, by name, with their defaults."""
    found, own = dict(getattr(cls, "__settings__", {})), inspect.get_annotations(cls)
    declared = _settings_in(own, vars(sys.modules[cls.__module__]))
    for name in own:
        if name in declared:
            found[name] = declared[name].bound(name, cls.__dict__.get(name, REQUIRED))
        else:
            found.pop(name, None)  # declared anew, as something that follows from others
    return found


def _settings_in(annotations: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Setting]:
    """Return the settings in annotations such as ``Annotated[float, Number(...)]``, by the annotated name.

    Only annotations that may hold one are resolved: others may name what type checkers alone import.
    """
    held = SimpleNamespace(__annotations__={k: a for k, a in annotations.items() if _may_hold(a, names)})
    hints = get_type_hints(held, names, include_extras=True) if held.__annotations__ else {}
    found = {name: [x for x in get_args(hint)[1:] if isinstance(x, Setting)] for name, hint in hints.items()}
    return {name: settings[0] for name, settings in found.items() if settings}


def _may_hold(annotation: Any, names: Mapping[str, Any]) -> bool:
    """Return whether an annotation is an Annotated one, in full or by an alias, also if it is a text."""
    if isinstance(annotation, str) and "Annotated[" in annotation:
        return True
    return get_origin(names.get(annotation) if isinstance(annotation, str) else annotation) is Annotated


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
    found = _settings_in({name: annotations[name] for name in defaults if name in annotations}, names)
    return {name: s.bound(name, defaults[name]) for name, s in found.items()}


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
            raise DataError(
                f"{entry}: unknown setting {short!r}{did_you_mean(short, settings) or known}",
                reason="setting", entry=entry, name=repr(short), near=nearest(short, settings),
                known=list(settings),
            )  # fmt: skip


def refuse(record: Any, name: str, expected: str) -> NoReturn:
    """Refuse the value of a record's field, in one line."""
    where, got = f"{type(record).__name__}: {name}", show(getattr(record, name))
    raise DataError(
        f"{where}: expected {expected}, got {got}", reason="value", where=where, expected=expected, got=got
    )


def settle(record: Any, name: str, value: Any) -> None:
    """Write a field of a frozen record; only for use while it is being made."""
    object.__setattr__(record, name, value)


_OWN_NAME = re.compile(r"[A-Za-z_]\.[A-Za-z_]")


def is_plain(value: Any) -> bool:
    """Return whether a value says all about itself: numbers, names, this package's records and functions.

    Programs made of such records can be kept and used again. An own function may read what changes elsewhere,
    also one that was added to a registry, whose name has a dot.

    >>> is_plain(("relu", 3, None)), is_plain(sorted)
    (True, False)
    """
    if value is None or isinstance(value, (bool, int, float)):
        return True
    if isinstance(value, str):
        return not _OWN_NAME.search(value)
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
