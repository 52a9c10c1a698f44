"""Entries of a registry that make records of their own from settings."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from minicolumn.registry.record import checked
from minicolumn.registry.setting import Setting, changed
from minicolumn.registry.text import write_text


class Rule(ABC):
    """An entry that makes records of its own from settings, such as a line of the table of losses.

    settings    what the settings may be, and are by default
    """

    __slots__ = ()
    settings: Mapping[str, Setting]

    @abstractmethod
    def make(self, **settings: Any) -> Any:
        """Return the record with these settings, which are checked already."""

    @abstractmethod
    def values(self, record: Any) -> Mapping[str, Any] | None:
        """Return the settings of a record that this entry made; None for any other."""


class FunctionRule(Rule):
    """The base of frozen dataclasses about a function whose keywords are settings.

    name        settings that are not at their defaults follow it, as in "leaky_relu:slope=0.3"
    function    has these settings bound
    """

    __slots__ = ()
    name: str
    function: Callable[..., Any]

    @property
    def defaults(self) -> dict[str, Any]:
        """The settings where nothing is said."""
        return {name: setting.default for name, setting in self.settings.items()}

    def make(self, **settings: Any) -> Self:
        """Return the rule with other settings, which its name then tells.

        Errors      DataError for an unknown setting, or a value out of range
        """
        told = changed(self.settings, checked(self.name, self.settings, settings))
        if not told:
            return self
        text = write_text(self.name, {key: self.settings[key].write(value) for key, value in told.items()})
        made: Any = self  # every subclass is a dataclass
        return replace(made, name=text, function=functools.partial(self.function, **told))

    def values(self, record: Any) -> Mapping[str, Any] | None:
        """Return all settings of a rule that `make` made of this one; None for any other."""
        is_own = type(record) is type(self) and record.name.partition(":")[0] == self.name
        return record.defaults if is_own else None
