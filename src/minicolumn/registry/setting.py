"""What a setting is: its kind, its range, its default and a line of help, with one check for whoever sets it.

One declaration gives every view: the check of a value, its text and its JSON, where tuners search, what a
control on a screen offers. What is refused is refused in one line: entry, setting, what was expected, what
was found.
"""

from __future__ import annotations

import itertools
import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, ClassVar, NoReturn, Self, final

from minicolumn.errors import DataError, did_you_mean
from minicolumn.registry.text import split_list

INFINITY = math.inf
# What has no bounds of its own is an entry of an array, and must be finite in float32 too.
LARGEST = 1e38
LONGEST_TEXT, LONGEST_LIST = 128, 1_000
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

        >>> Number(help="decay of the mean", name="b1", ge=0, lt=1).check(1.5, "Adam")
        Traceback (most recent call last):
        minicolumn.errors.DataError: Adam: b1: expected a number, 0 <= b1 < 1, got 1.5
        """
        return self.required(value, f"{entry}: {self.name}")

    def required(self, value: Any, where: str) -> Any:
        """Return a value in plain Python; a refusal begins with ``where`` it was said, such as an option."""
        if value is None and self.optional:
            return None
        if _is_traced(value):  # stands for a number that was checked
            return value
        found = self.plain(value)
        if found is NotImplemented:
            self.refuse(value, where)
        return found

    def refuse(self, value: Any, where: str) -> NoReturn:
        """Refuse a value, in one line."""
        raise DataError(f"{where}: expected {self.expected}, got {show(value)}{self.hint(value)}")

    def hint(self, value: Any) -> str:
        """Return what a value that will not do may have meant, if that can be told."""
        return ""

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


@dataclass(frozen=True, kw_only=True)
class _Ranged(Setting):
    """A number within bounds.

    ge, gt, le, lt      the bounds: >=, >, <=, <
    at_least            the name of another setting of the same record that must not be larger
    search              where tuners look; for integers both ends are tried
    """

    ge: float = -INFINITY
    gt: float = -INFINITY
    le: float = INFINITY
    lt: float = INFINITY
    at_least: str = ""
    search: Search | None = None

    noun: ClassVar[str]

    def holds(self, value: Any) -> bool:
        """Return whether a number lies within the bounds."""
        return bool(self.ge <= value <= self.le and self.gt < value < self.lt)

    @property
    def low(self) -> float:
        """The lower bound, whether a value may lie on it or not."""
        return max(self.ge, self.gt)

    @property
    def high(self) -> float:
        """The upper bound, whether a value may lie on it or not."""
        return min(self.le, self.lt)

    @property
    def wanted(self) -> str:
        over, under = "=" * (self.ge > self.gt), "=" * (self.le < self.lt)
        low, high = map(self.digits, (self.low, self.high))
        if self.low > -INFINITY and self.high < INFINITY:
            return f"{self.noun}, {low} <{over} {self.name or 'number'} <{under} {high}"
        if self.at_least:
            return f"{self.noun} >= {self.at_least}"
        above = f" >{over} {low}" if self.low > -INFINITY else ""
        below = f" <{under} {high}" if self.high < INFINITY else ""
        return f"{self.noun}{above}{below}"

    def digits(self, bound: float) -> str:
        """Return a bound in digits."""
        return f"{bound:,.0f}" if 1e4 <= abs(bound) < 1e9 else f"{bound:g}".replace("e-0", "e-")

    @property
    def control(self) -> dict[str, Any]:
        spans = self.search or Search(self.low, self.high)
        ends = {"low": spans.low, "high": spans.high, "log": spans.log}
        return super().control | (ends if max(map(abs, (spans.low, spans.high))) < INFINITY else {})


@final
@dataclass(frozen=True, kw_only=True)
class Number(_Ranged):
    """A finite number, held as a float: NumPy's float64 would widen every float32 array that it meets.

    >>> Number(help="", gt=0).check(2, ""), Number(help="").wanted, Number(help="", gt=0).wanted
    (2.0, 'a finite number', 'a number > 0')
    """

    kind = "number"

    @property
    def noun(self) -> str:  # type: ignore[override]
        return "a finite number" if self._is_unbounded and not self.at_least else "a number"

    @property
    def _is_unbounded(self) -> bool:
        return (self.low, self.high) == (-INFINITY, INFINITY)

    def plain(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, Real):
            return NotImplemented
        try:
            found = float(value)
        except OverflowError:  # an int past the largest float
            return NotImplemented
        good = abs(found) <= LARGEST if self._is_unbounded else math.isfinite(found) and self.holds(found)
        return found if good else NotImplemented

    def parsed(self, text: str) -> Any:
        try:
            return float(text)
        except ValueError:
            return text

    def written(self, value: Any) -> str:
        return repr(float(value))


@final
@dataclass(frozen=True, kw_only=True)
class Integer(_Ranged):
    """An integer.

    >>> Integer(help="", ge=1).wanted, Integer(help="", name="cycles", ge=1, le=30).wanted
    ('an integer >= 1', 'an integer, 1 <= cycles <= 30')
    """

    kind = "integer"
    noun = "an integer"

    def plain(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, Integral) or not self.holds(value):
            return NotImplemented
        return int(value)

    def digits(self, bound: float) -> str:
        return f"{bound:,.0f}" if abs(bound) < INFINITY else f"{bound:g}"

    def parsed(self, text: str) -> Any:
        try:
            return int(text)
        except ValueError:
            return text


@final
@dataclass(frozen=True, kw_only=True)
class Boolean(Setting):
    """True or False.

    >>> Boolean(help="").read("true"), Boolean(help="").write(False)
    (True, 'false')
    """

    kind = "boolean"

    @property
    def wanted(self) -> str:
        return "a boolean, true or false"

    def plain(self, value: Any) -> Any:
        return value if isinstance(value, bool) else NotImplemented

    def parsed(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text.lower(), text)

    def written(self, value: Any) -> str:
        return str(value).lower()


@final
@dataclass(frozen=True, kw_only=True)
class Choice(Setting):
    """One of a few words.

    >>> Choice(help="", choices=("cosine", "linear")).wanted
    'one of cosine, linear'
    """

    choices: tuple[str, ...]

    kind = "choice"

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def plain(self, value: Any) -> Any:
        return value if isinstance(value, str) and value in self.choices else NotImplemented

    def hint(self, value: Any) -> str:
        return did_you_mean(value[:SHOWN], self.choices) if isinstance(value, str) else ""

    @property
    def control(self) -> dict[str, Any]:
        return super().control | {"choices": list(self.choices)}


@final
@dataclass(frozen=True, kw_only=True)
class Text(Setting):
    """A text, of at most ``longest`` letters."""

    longest: int = LONGEST_TEXT

    kind = "text"

    @property
    def wanted(self) -> str:
        return f"a text of 1 to {self.longest} letters"

    def plain(self, value: Any) -> Any:
        return str(value) if isinstance(value, str) and 0 < len(value) <= self.longest else NotImplemented


@final
@dataclass(frozen=True, kw_only=True)
class Listed(Setting):
    """Several values of one kind, held as a tuple.

    of          what each of them may be
    words       what is expected, in words
    ascending   whether each must be larger than the one before; "weakly" lets equal ones pass
    single      whether one value by itself stands for a list of one
    least       entries at the least

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

    def written(self, value: Any) -> str:
        return value if isinstance(value, str) else self.registry().to_text(value)

    def to_json(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else self.registry().to_json(value)

    def from_json(self, value: Any) -> Any:
        kept = value is None or (self.as_text and isinstance(value, str))
        return value if kept else self.registry().from_json(value)


def show(value: Any) -> str:
    """Return a value in one short line, however much it holds.

    >>> show("a  b"), show(10**5000), show(list(range(1000)))
    ("'a b'", 'a number of very many digits', '[0, 1, 2, 3, 4, 5, ...]')
    """
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
