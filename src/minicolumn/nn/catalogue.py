"""Entries of catalogues, and what their settings may be: one check for a call, a record, a file, a text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

from minicolumn.errors import DataError, did_you_mean


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting may be.

    expected        in words
    fits            whether a value will do
    plain           the value in plain Python, as JSON holds it
    training_only   whether it bends the targets while training and is left out where a network is measured
    """

    expected: str
    fits: Callable[[Any], bool]
    plain: Callable[[Any], Any]
    training_only: bool = False

    def check(self, entry: str, name: str, value: Any) -> Any:
        """Return the value in plain Python; DataError, in one line, for one that will not do."""
        if not self.fits(value):
            shown = " ".join(repr(value).split())[:80]
            raise DataError(f"{entry}: {name}: expected {self.expected}, got {shown}")
        return self.plain(value)


class Entry(Protocol):
    """An entry of a catalogue."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Setting]: ...
    @property
    def defaults(self) -> Mapping[str, Any]: ...


def changed_settings(entry: Entry, settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the settings that differ from their defaults, checked, in the catalogue's order.

    Errors      DataError for one that the entry does not have, or a value out of range
    """
    for name in settings:
        if name not in entry.settings:
            near = did_you_mean(name[:60], entry.settings)
            known = f"; there are {', '.join(entry.settings)}" if entry.settings else "; it has none"
            raise DataError(f"{entry.name}: unknown setting {name[:60]!r}{near or known}")
    found = {
        name: setting.check(entry.name, name, settings[name])
        for name, setting in entry.settings.items()
        if name in settings
    }
    return tuple((name, value) for name, value in found.items() if value != entry.defaults[name])


def keyword_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of a function's keywords, also of one in which some are bound.

    >>> keyword_defaults(lambda x, *, slope=0.01: slope * x)
    {'slope': 0.01}
    """
    if isinstance(function, functools.partial):
        return {**keyword_defaults(function.func), **function.keywords}
    return dict(getattr(function, "__kwdefaults__", None) or {})


def is_number(value: Any) -> bool:
    """Return whether something is a number of ordinary size."""
    # Neither NaN, which compares as False, nor an int past the largest float.
    return isinstance(value, Real) and not isinstance(value, bool) and bool(-1e30 <= value <= 1e30)  # type: ignore[operator]


def number(expected: str, good: Callable[[Any], bool], *, training_only: bool = False) -> Setting:
    """Return the setting of a number for which ``good`` holds."""
    return Setting(expected, lambda value: is_number(value) and good(value), float, training_only)
