"""Settings that are made of others: lists, records of a registry, and forms of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

from minicolumn.registry.setting import LONGEST_TEXT, Setting
from minicolumn.registry.text import split_list

LONGEST_LIST = 1_000


@final
@dataclass(frozen=True, kw_only=True)
class Listed(Setting):
    """Several values of one kind, held as a tuple.

    of          what each of them may be
    words       what is expected, in words
    ascending   whether each must be larger than the one before; "weakly" lets equal ones pass
    single      whether one value by itself stands for a list of one
    least       entries at the least

    >>> from minicolumn.registry import Number
    >>> Listed(help="", of=Number(help="", gt=0), words="numbers > 0").read("0.3+0.6")
    (0.3, 0.6)
    """

    of: Setting
    words: str
    ascending: bool | str = False
    single: bool = False
    least: int = 0
    longest: int = LONGEST_LIST

    kind = "list"

    @property
    def wanted(self) -> str:
        return self.words

    def plain(self, value: Any) -> Any:
        listed = _listed(value)
        if listed is None and self.single:
            listed = (value,)
        if listed is None or not self.least <= len(listed) <= self.longest:
            return NotImplemented
        found = tuple(map(self.of.plain, listed))
        return found if NotImplemented not in found and self._in_order(found) else NotImplemented

    def _in_order(self, values: tuple[Any, ...]) -> bool:
        pairs = itertools.pairwise(values)
        strictly = self.ascending is True
        return not self.ascending or all(a < b or (a == b and not strictly) for a, b in pairs)

    def parsed(self, text: str) -> Any:
        return tuple(map(self.of.parsed, split_list(text)))

    def written(self, value: Any) -> str:
        return "+".join(map(self.of.written, value))

    def from_json(self, value: Any) -> Any:
        return tuple(value) if type(value) is list else value


def _listed(value: Any) -> tuple[Any, ...] | None:
    """Return the entries of a list, a tuple or an array; None for anything else."""
    if isinstance(value, list | tuple):
        return tuple(value)
    as_list = getattr(value, "tolist", None) if getattr(value, "ndim", 0) else None
    return None if as_list is None else tuple(as_list())


@final
@dataclass(frozen=True, kw_only=True)
class Custom(Setting):
    """A value of a form of its own, such as pairs of numbers or a function.

    words   what is expected, in words
    form    returns the value in plain Python, or NotImplemented for one that will not do
    loaded  returns the value that JSON stands for, where that is not the value itself
    """

    words: str
    form: Callable[[Any], Any]
    loaded: Callable[[Any], Any] = field(default=lambda value: value)

    kind = "custom"

    @property
    def wanted(self) -> str:
        return self.words

    def plain(self, value: Any) -> Any:
        return self.form(value)

    def from_json(self, value: Any) -> Any:
        return self.loaded(value)


@final
@dataclass(frozen=True, kw_only=True)
class Part(Setting):
    """A record of a registry, or the text that makes one: a schedule behind a warm-up, what a wrapper wraps.

    words       what is expected, in words
    registry    returns the registry, which may be made after the class that this is a field of
    accepts     whether a record will do
    as_text     whether a text stays one, written as the registry writes it
    """

    words: str
    registry: Callable[[], Any]
    accepts: Callable[[Any], bool]
    as_text: bool = False

    kind = "part"

    @property
    def wanted(self) -> str:
        return self.words

    def plain(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value if self.accepts(value) else NotImplemented
        if len(value) > LONGEST_TEXT:
            return NotImplemented
        if self.as_text and value in self.registry():  # by its own name, as nearly always
            return value
        made = self.registry().make(value)
        if self.as_text:
            return self.registry().to_text(made)
        return made if self.accepts(made) else NotImplemented

    def quick(self) -> Callable[[Any], bool]:
        found, accepts = self.registry, self.accepts
        if self.as_text:
            return lambda value: type(value) is str and len(value) <= LONGEST_TEXT and value in found()
        return lambda value: not isinstance(value, str) and accepts(value)

    def written(self, value: Any) -> str:
        return value if isinstance(value, str) else self.registry().to_text(value)

    def to_json(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else self.registry().to_json(value)

    def from_json(self, value: Any) -> Any:
        kept = value is None or (self.as_text and isinstance(value, str))
        return value if kept else self.registry().from_json(value)
