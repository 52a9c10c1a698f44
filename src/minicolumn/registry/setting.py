"""What a setting is: its kind, its range, its default and a line of help, with one check for whoever sets it.

One declaration gives every view: the check of a value, its text and its JSON, where tuners search, what a
control on a screen offers. What is refused is refused in one line: entry, setting, what was expected, what
was found.
"""

from __future__ import annotations

import functools
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NoReturn, Self, final

from minicolumn.errors import DataError

LONGEST_TEXT = 128
SHOWN = 80


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()  # in place of a default where a value must be given


@final
@dataclass(frozen=True, slots=True)
class Search:
    """Where tuners look for a number, and what a slider spans: within its range, where good values lie.

    log     whether factors count and not differences
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting(ABC):
    """What all kinds of settings share.

    help            one line: what the setting does
    name            of the field or the keyword that it is declared for
    default         REQUIRED where there is none
    optional        whether None will do too
    training_only   whether it bends training alone, so that a network is measured without it
    """

    help: str
    name: str = ""
    default: Any = REQUIRED
    optional: bool = False
    training_only: bool = False

    kind: ClassVar[str]

    @property
    @abstractmethod
    def wanted(self) -> str:
        """What is expected, in words, but for None."""

    @abstractmethod
    def plain(self, value: Any) -> Any:
        """Return a value in plain Python; NotImplemented for one that will not do."""

    def quick(self) -> Callable[[Any], bool]:
        """Return a fast test, True only of values that `plain` would return as they are.

        Records are made in their thousands, most of them with values in plain Python that are in range. What
        the test does not pass is looked at by `check`.
        """
        return _no

    @functools.cached_property
    def passes(self) -> Callable[[Any], bool]:
        """The fast test, made once."""
        return self.quick()

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return f"{self.wanted}, or None" if self.optional else self.wanted

    def bound(self, name: str, default: Any) -> Self:
        """Return the setting of a field or keyword, with that one's default."""
        return replace(self, name=name, default=default, optional=self.optional or default is None)

    def check(self, value: Any, entry: str) -> Any:
        """Return a value in plain Python.

        entry   what the setting is one of: the first word of the refusal
        Errors  DataError, one line, for a value that will not do

        >>> from minicolumn.registry import Number
        >>> Number(help="decay of the mean", name="b1", ge=0, lt=1).check(1.5, "Adam")
        Traceback (most recent call last):
        minicolumn.errors.DataError: Adam: b1: expected a number, 0 <= b1 < 1, got 1.5
        """
        return self.required(value, f"{entry}: {self.name}")

    def required(self, value: Any, where: str) -> Any:
        """Return a value in plain Python; a refusal begins with ``where`` it was said, such as an option."""
        if self.passes(value) or (value is None and self.optional):
            return value
        if _is_traced(value):  # stands for a number that was checked
            return value
        found = self.plain(value)
        if found is NotImplemented:
            self.refuse(value, where)
        return found

    def refuse(self, value: Any, where: str) -> NoReturn:
        """Refuse a value, in one line."""
        near = self.nearest(value)
        hint = f"; did you mean {near!r}?" if near is not None else ""
        raise DataError(
            f"{where}: expected {self.expected}, got {show(value)}{hint}",
            reason="value", where=where, expected=self, got=show(value), near=near,
        )  # fmt: skip

    def nearest(self, value: Any) -> str | None:
        """Return what a value that will not do may have meant, if that can be told."""
        return None

    def read(self, text: str) -> Any:
        """Return what a text stands for, still to be checked: the text itself where it stands for nothing."""
        if self.optional and text.lower() == "none":
            return None
        return self.parsed(text)

    def parsed(self, text: str) -> Any:
        """Return what a text other than none stands for."""
        return text

    def write(self, value: Any) -> str:
        """Return the text of a value, which `read` understands."""
        return "none" if value is None else self.written(value)

    def written(self, value: Any) -> str:
        """Return the text of a value other than None."""
        return str(value)

    def to_json(self, value: Any) -> Any:
        """Return a value as JSON holds it."""
        return list(map(self.to_json, value)) if isinstance(value, tuple) else value

    def from_json(self, value: Any) -> Any:
        """Return the value that JSON stands for, still to be checked."""
        return value

    @property
    def control(self) -> dict[str, Any]:
        """What a screen needs in order to offer the setting, as JSON."""
        found = {"kind": self.kind, "name": self.name, "help": self.help}
        return found | ({} if self.default is REQUIRED else {"default": self.to_json(self.default)})


def _no(value: Any) -> bool:
    return False


def show(value: Any) -> str:
    """Return a value in one short line, however much it holds.

    >>> show("a  b"), show(10**5000), show(list(range(1000)))
    ("'a b'", 'a number of very many digits', '[0, 1, 2, 3, 4, 5, ...]')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"[:SHOWN]
    try:
        text = " ".join(_SHORT.repr(value).split())
    except ValueError:  # Python writes out no integer past some thousand digits
        text = "a number of very many digits"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 2 * SHOWN


def _is_traced(value: Any) -> bool:
    """Return whether a value becomes known when a program runs."""
    return hasattr(type(value), "record_op")


def changed(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that differ from their defaults, in the order of the settings."""
    return {
        name: values[name] for name, s in settings.items() if name in values and values[name] != s.default
    }
