"""Registries: what can be asked for by name, with settings in the same text, and as JSON."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NoReturn, TypeVar, final

from minicolumn.errors import DataError, ModelFileError, nearest
from minicolumn.registry.entries import derived_of, entry_settings, fields_of, made, values_of
from minicolumn.registry.record import Record, check_names, settings_of
from minicolumn.registry.setting import Setting, changed, show
from minicolumn.registry.text import read_text, write_text

T = TypeVar("T")
LONGEST_NAME = 60
MOST_LISTED = 16
OWN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")  # the names of entries of one's own


@final
class Registry(Mapping[str, T]):
    """Entries by name: of each kind of part one registry, of which texts, files and help pages are views.

    An entry is a class of records, a record that stands for its kind, a function, or a `Rule`. Iteration
    gives the names in order; aliases and what lies ``beside`` are found, too, but not listed.

    noun        what an entry is, for messages
    entries     name -> entry
    aliases     other name -> name, with settings where it stands for some: "momentum" -> "sgd:momentum=0.9"
    beside      a registry of further entries of the same kind, such as wrappers of them
    full        whether JSON holds all settings of a record, not only those that are changed
    tag         the key under which JSON holds the name
    by_class    whether JSON names records by their class
    adopt       returns the entry that stands for something of one's own, by its name, or NotImplemented for
                what will not do; None where nothing can be added
    wanted      what will do, in words

    >>> from minicolumn.optim import OPTIMIZERS
    >>> OPTIMIZERS.make("adam:b1=0.8", learning_rate=0.01)
    Adam(learning_rate=0.01, b1=0.8, b2=0.999, eps=1e-08, weight_decay=0.0)
    >>> OPTIMIZERS.to_text(OPTIMIZERS.make("momentum"))
    'sgd:momentum=0.9'
    """

    def __init__(
        self,
        noun: str,
        entries: Mapping[str, T],
        aliases: Mapping[str, str] | None = None,
        *,
        beside: Registry[Any] | None = None,
        full: bool = True,
        tag: Literal["name", "kind"] = "name",
        by_class: bool = False,
        adopt: Callable[..., Any] | None = None,
        wanted: str = "",
    ) -> None:
        self._adopt, self._wanted, self._own = adopt, wanted, frozenset[str]()
        self.noun, self.aliases = noun, dict(aliases or {})
        self._entries, self._beside = dict(entries), beside
        self._full, self._tag, self._by_class = full, tag, by_class

    @contextmanager
    def including(self, entries: Mapping[str, T]) -> Iterator[None]:
        """Know further entries while the context lasts, in all threads; what is added meanwhile goes, too.

        Texts, files and everything else that asks this registry by name takes them, so that an entry can be
        tried out, or tested. Their names have a dot, as those of `add`: programs made with them are not kept.

        Errors      DataError for a name that is taken or has no dot

        >>> from minicolumn.optim import OPTIMIZERS, Adam
        >>> with OPTIMIZERS.including({"lab.own": Adam}):
        ...     OPTIMIZERS.make("lab.own:b1=0.8").b1
        0.8
        >>> "lab.own" in OPTIMIZERS
        False
        """
        for name in entries:
            if name in self.known:
                raise DataError(f"{self.noun} {show(name)} is declared already")
            if not OWN.fullmatch(name):
                raise DataError(f"including: a name has a dot, as in 'lab.{self.noun}'; got {show(name)}")
        before = self._entries, self._own
        self._entries, self._own = {**self._entries, **entries}, self._own | entries.keys()
        try:
            yield
        finally:
            self._entries, self._own = before

    # By name ------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> T:
        """Return an entry by its name, or by an alias that stands for it without settings.

        Errors      DataError for an unknown name, with the nearest one
        """
        return self._find(name)[1]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str, default: Any = None) -> Any:
        """Return the entry of this name, or else the default."""
        return self._entries.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def known(self) -> tuple[str, ...]:
        """All names that are understood: entries, aliases, and what lies beside."""
        return (*self._entries, *self.aliases, *(self._beside.known if self._beside else ()))

    def settings(self, name: str) -> dict[str, Setting]:
        """Return the settings of an entry, by name, with their defaults."""
        return entry_settings(self._find(name)[1])

    def _find(self, name: str) -> tuple[str, Any, dict[str, str]]:
        """Return an entry's own name, the entry, and the settings that an alias stands for."""
        own, given = name, {}
        if isinstance(name, str) and name in self.aliases:
            own, given = read_text(self.aliases[name])
        if isinstance(own, str) and own in self._entries:
            return own, self._entries[own], given
        if self._beside is not None and own in self._beside.known:
            return self._beside._find(own)
        return self._refuse(name)

    def _refuse(self, name: Any) -> NoReturn:
        short = name[:LONGEST_NAME] if isinstance(name, str) else name
        hint = self.hint(short, self.known)
        raise DataError(
            f"unknown {self.noun} {show(short)}{hint or '; there are ' + self._listed}",
            reason="entry", noun=self.noun, name=show(short), near=self._nearest(short, self.known),
            own=bool(hint), known=self._listed,
        )  # fmt: skip

    def hint(self, name: Any, known: Iterable[str]) -> str:
        """Return what an unknown name may have meant; one with a dot its owner may have to add first."""
        near = self._nearest(name, known)
        if near is not None:
            return f"; did you mean {near!r}?"
        return "; the name is somebody's own: `add` it to the registry before" if self._is_own(name) else ""

    def _nearest(self, name: Any, known: Iterable[str]) -> str | None:
        if not isinstance(name, str):
            return None
        return nearest(name, self._own if self._is_own(name) else known)

    def _is_own(self, name: Any) -> bool:
        """Return whether a name is one that somebody adds."""
        return (
            isinstance(name, str) and self._adopt is not None and bool(OWN.fullmatch(name.partition(":")[0]))
        )

    @property
    def _listed(self) -> str:
        more = f" and {len(self) - MOST_LISTED} more" if len(self) > MOST_LISTED else ""
        return ", ".join([*self][:MOST_LISTED]) + more

    # One's own ----------------------------------------------------------------------------------------------

    def add(self, name: str, entry: Any, /, **about: Any) -> None:
        """Add an entry of one's own, so that its name works in this process wherever names of this kind do.

        name        with a dot in it, such as "lab.swish": no name of this package ever has one, and a file
                    tells by it that the entry is somebody's own
        entry       a function, or a class of records; what this registry takes is said where another is given
        about       what a function does not say by itself, such as whether higher scores are better

        An entry stays, and none is ever replaced: a name means one thing as long as the process lives. Model
        files and checkpoints hold the name alone; they open where it was added before, and are refused in
        one line where it was not.

        Errors      DataError for a name without a dot, one that is taken, and what is no such entry

        >>> import minicolumn as mc, numpy as np
        >>> with mc.nn.ACTIVATIONS.including({}):  # so that this example leaves nothing behind
        ...     mc.nn.ACTIVATIONS.add("docs.cube", lambda x: x * x * x)
        ...     mc.nn.Dense(2, "docs.cube").apply({"weight": np.eye(2), "bias": np.zeros(2)}, np.ones((1, 2)))
        array([[1., 1.]])
        """
        if self._adopt is None:
            raise DataError(f"nothing can be added to the names of a {self.noun}; give the record itself")
        if not (isinstance(name, str) and len(name) <= LONGEST_NAME and OWN.fullmatch(name)):
            raise DataError(
                f"add: the name of an own {self.noun} has a dot in it, as in 'lab.{self.noun}', and no more "
                f"than letters, digits and _; got {show(name)}"
            )
        if name in self.known:
            raise DataError(f"add: the {self.noun} {name!r} is there already, and a name means one thing")
        found = self._adopt(name, entry, **about)
        if found is NotImplemented:
            raise DataError(f"add: {name}: expected {self._wanted}, got {show(entry)}")
        # A new dict, so that whoever goes through the entries meanwhile is not disturbed.
        self._entries, self._own = {**self._entries, name: found}, self._own | {name}

    # Records ------------------------------------------------------------------------------------------------

    def make(self, text: str, /, **settings: Any) -> Any:
        """Return the record that a name stands for, with settings in the text or by keyword.

        text        "adam", or "adam:b1=0.8,eps=1e-6"; a setting may be said once
        Errors      DataError for an unknown name or setting, or a value out of range
        """
        return made(*self.resolve(text, settings))

    def resolve(self, text: str, settings: Mapping[str, Any]) -> tuple[str, T, dict[str, Any]]:
        """Return the name and the entry that a text stands for, and all settings that are said, unchecked.

        Errors      DataError for an unknown name or setting, or one that is said twice
        """
        if not isinstance(text, str):
            self._refuse(text)
        name, told = read_text(text) if ":" in text else (text.strip(), {})
        own, entry, preset = self._find(name)
        if not (preset or told or settings):  # what settings there are takes a look at the entry
            return own, entry, {}
        for setting in told:
            if setting in settings:
                raise DataError(f"{name}: {setting} is set twice, in {show(text)} and beside it")
        known = entry_settings(entry)
        check_names(name, known, {**told, **settings})
        found = {key: known[key].read(value) for key, value in {**preset, **told}.items()}
        return own, entry, {**found, **settings}

    def describe(self, record: Any) -> tuple[str, dict[str, Any]]:
        """Return the name of a record's entry, and all its settings.

        Errors      DataError for what no entry made
        """
        for name, entry in (*self._entries.items(), *(self._beside or {}).items()):
            values = values_of(entry, record)
            if values is not None:
                return name, dict(values)
        kind = getattr(record, "__name__", type(record).__name__)
        raise DataError(f"{kind} is no {self.noun} of the catalogue; there are {self._listed}")

    def to_text(self, record: Any) -> str:
        """Return the text of a record: its name, and the settings that are not at their defaults."""
        name, values = self.describe(record)
        settings = self.settings(name)
        told = changed(settings, values)
        return write_text(name, {key: settings[key].write(value) for key, value in told.items()})

    # JSON ---------------------------------------------------------------------------------------------------

    def to_json(self, record: Any) -> Any:
        """Return a record as plain JSON values: its name and its settings; the changed ones, unless `full`.

        By class, records of one's own are written too, for who reads the file; `from_json` refuses them.
        """
        if self._by_class and isinstance(record, Record):
            name, settings, values = self._class_name(record), settings_of(record), fields_of(record)
        else:
            name, values = self.describe(record)
            settings = self.settings(name)
        kept = values if self._full else changed(settings, values)
        held = {key: settings[key].to_json(kept[key]) for key in settings if key in kept}
        return {self._tag: name, **derived_of(record), **held} if held or self._full else name

    def from_json(self, value: Any) -> Any:
        """Return the record that `to_json` wrote; refuse everything else.

        A setting that has a default may be missing, so a file from before there was such a setting opens.

        Errors      ModelFileError, one line: a name or setting that is unknown, one missing or out of range
        """
        given = dict(value) if type(value) is dict else {self._tag: value}
        name, entry = self._spelled_as(given.pop(self._tag, None))
        known = entry_settings(entry)
        for field in dataclasses.fields(entry) if isinstance(entry, type) else ():
            if not field.init:
                given.pop(field.name, None)  # follows from others, and is written for who reads the file
        try:
            check_names(name, known, given)
            return made(name, entry, {key: known[key].from_json(part) for key, part in given.items()})
        except DataError as error:
            raise ModelFileError(f"{self.noun}: {error}") from None

    def _class_name(self, record: Record) -> str:
        """Return what JSON calls the class of a record: an own one by the name that it was added by."""
        kind = type(record)
        return next((name for name in self._own if self._entries[name] is kind), kind.__name__)

    def _spelled(self, name: str, entry: Any) -> str:
        by_class = self._by_class and isinstance(entry, type) and name not in self._own
        return entry.__name__ if by_class else name

    def _spelled_as(self, spelled: Any) -> tuple[str, Any]:
        """Return the entry with this name in JSON: aliases are none."""
        every = (*self._entries.items(), *(self._beside or {}).items())
        named = {self._spelled(name, entry): (name, entry) for name, entry in every}
        if type(spelled) is str and spelled in named:
            return named[spelled]
        short = spelled[:LONGEST_NAME] if type(spelled) is str else spelled
        near = self.hint(short, named)
        raise ModelFileError(f"unknown {self.noun} {ascii(short)[:LONGEST_NAME]}{near}")
