"""Schema overrides: what a user says about the columns of a table in place of what would be inferred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from minicolumn.errors import DataError
from minicolumn.tables.values import MISSING, require

Declared = Literal["number", "datetime", "category", "text"]
_KINDS: tuple[Declared, ...] = ("number", "datetime", "category", "text")


@dataclass(frozen=True, slots=True)
class Hint:
    """What is known of one column before its cells are looked at.

    kind        what the user said it is; None to infer it
    form        how it is written, as `Column.form`; "" to infer it
    keep        whether it is learnt from even where it looks like an identifier or is constant
    missing     spellings of missing, in lower case; said_missing: those of them that the user named
    decimal     "." or ",", the decimal mark of its numbers; "" to infer it
    """

    kind: Declared | None = None
    form: str = ""
    keep: bool = False
    missing: frozenset[str] = MISSING
    said_missing: frozenset[str] = frozenset()
    decimal: str = ""


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What a user says about a table in place of what `infer_schema` would find.

    number, datetime    columns of numbers and of dates, {name: form}; form "" is inferred, else an example
                        such as "1.234,5 €" for numbers, or a strptime format such as "%d/%m/%Y"
    category    columns of levels, whatever they look like
    text        columns of free text, which are left out
    keep        columns that are learnt from though they look like an identifier, an index or are constant
    drop        columns to leave out
    id          columns that are left out of learning and carried into the predictions
    weight      column of the rows' weights, >= 0
    groups      column whose equal values stay on one side of every split
    time_order  column of dates or numbers: the latest rows are tested
    missing     further spellings of a missing value; not_missing: usual ones that are values here; both
                are kept in lower case, without surrounding blanks
    decimal     "." or ",", the decimal mark of all numbers
    strict      whether a word in a column of numbers or dates is an error rather than missing

    Names are given as a name, several, or for `number` and `datetime` a mapping.

    Errors      DataError for a column that is said to be two things
    Differs     the `schema_overrides` of polars and the `dtype` of pandas name storage types; these name
                what the values mean for learning

    >>> Overrides(number="price", id=["passenger"]).number
    {'price': ''}
    """

    number: Mapping[str, str] | Sequence[str] = field(default_factory=dict)
    datetime: Mapping[str, str] | Sequence[str] = field(default_factory=dict)
    category: Sequence[str] = ()
    text: Sequence[str] = ()
    keep: Sequence[str] = ()
    drop: Sequence[str] = ()
    id: Sequence[str] = ()
    weight: str | None = None
    groups: str | None = None
    time_order: str | None = None
    missing: Sequence[str] = ()
    not_missing: Sequence[str] = ()
    decimal: str = ""
    strict: bool = False

    def __post_init__(self) -> None:
        for name in ("number", "datetime"):
            object.__setattr__(self, name, _forms(name, getattr(self, name)))
        for name in ("category", "text", "keep", "drop", "id"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        for name in ("missing", "not_missing"):  # as cells are compared with them
            words = (word.strip().lower() for word in _names(name, getattr(self, name)))
            object.__setattr__(self, name, tuple(dict.fromkeys(words)))
        for name in ("weight", "groups", "time_order"):
            if not isinstance(getattr(self, name), str | None):
                raise DataError(f"{name}: expected the name of one column, got {getattr(self, name)!r:.60}")
        if self.decimal not in ("", ".", ","):
            raise DataError(f"decimal: expected '.' or ',', got {self.decimal!r:.60}")
        if self.groups is not None and self.time_order is not None:
            raise DataError("groups: the rows are split by time already; say one of the two")
        self._check_twice()

    def _check_twice(self) -> None:
        """Refuse a column that is said to be two things that exclude each other."""
        said: dict[str, str] = {}
        for option in (*_KINDS, "drop", "id"):
            for name in getattr(self, option):
                if name in said:
                    raise DataError(f"{option}: {name!r} is given as {said[name]} already; say one of them")
                said[name] = option
        for name in self.keep:
            if said.get(name) in ("drop", "id", "text"):
                raise DataError(f"keep: {name!r} is given as {said[name]} already; say one of them")

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The names of columns that each option says something of."""
        listed = {name: tuple(getattr(self, name)) for name in (*_KINDS, "keep", "drop", "id")}
        for name in ("weight", "groups", "time_order"):
            listed[name] = () if (given := getattr(self, name)) is None else (given,)
        return listed

    @property
    def missing_spellings(self) -> frozenset[str]:
        """The spellings of a missing value in any column, in lower case."""
        return (MISSING | set(self.missing)) - set(self.not_missing)

    def hint(self, name: str) -> Hint:
        """Return what is known of a column."""
        kind: Declared | None = next((kind for kind in _KINDS if name in getattr(self, kind)), None)
        forms = (given for given in (self.number, self.datetime) if isinstance(given, Mapping))  # both are
        form = next((given[name] for given in forms if name in given), "")
        kept, said_missing = name in self.keep, frozenset(self.missing)
        return Hint(kind, form, kept, self.missing_spellings, said_missing, self.decimal)

    def over(self, other: Overrides) -> Overrides:
        """Return both, where what is said here of a column goes before what the other says of it.

        >>> Overrides(category="zip").over(Overrides(number="zip", drop="id")).columns["number"]
        ()
        """
        mine = {name for names in self.columns.values() for name in names}
        rest, both = other.without(mine), {}
        if self.groups is not None or self.time_order is not None:  # rows are split by one of them
            rest = replace(rest, groups=None, time_order=None)
        for option in fields(self):
            here, there = getattr(self, option.name), getattr(rest, option.name)
            if isinstance(here, Mapping):
                both[option.name] = {**there, **here}
            elif isinstance(here, tuple):
                both[option.name] = (*there, *here)
            else:
                both[option.name] = here or there
        return Overrides(**both)

    def without(self, names: Iterable[str]) -> Overrides:
        """Return the overrides that say nothing of these columns."""
        gone = set(names)
        changed: dict[str, Any] = {}
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name in ("missing", "not_missing", "decimal", "strict"):
                changed[option.name] = value
            elif isinstance(value, Mapping):
                changed[option.name] = {key: form for key, form in value.items() if key not in gone}
            elif isinstance(value, tuple):
                changed[option.name] = tuple(name for name in value if name not in gone)
            else:
                changed[option.name] = None if value in gone else value
        return Overrides(**changed)

    def check(self, columns: Sequence[str], target: str | None = None) -> None:
        """Refuse names that a table lacks, with the nearest one that is there, and roles of the target.

        Errors      DataError that begins with the option
        """
        for option, names in self.columns.items():
            require(columns, names, f"{option}: the table")
            if target in names and option not in ("number", "category", "keep"):
                raise DataError(f"{option}: {target!r} is the target; it cannot be that, too")


def _names(option: str, given: Any) -> tuple[str, ...]:
    """Return names as a tuple; a single name is one."""
    try:
        listed = (given,) if isinstance(given, str) else tuple(given)
    except TypeError:
        raise DataError(f"{option}: expected names, got {given!r:.60}") from None
    for name in listed:
        if not isinstance(name, str):
            raise DataError(f"{option}: expected names, got {name!r:.60}")
    return tuple(dict.fromkeys(listed))


def _forms(option: str, given: Any) -> dict[str, str]:
    """Return {name: form} of a name, several names, or such a mapping."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(_names(option, given), "")
    for name, form in given.items():
        if not isinstance(name, str) or not isinstance(form, str):
            raise DataError(f"{option}: expected {{column: form}}, got {name!r:.30}: {form!r:.30}")
    return dict(given)
