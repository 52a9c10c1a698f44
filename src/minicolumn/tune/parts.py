"""Hyperparameter domains: finite choices and intervals, and the forms in which people say them.

"1-4"            1, 2, 3, 4; of widths and batches each twice the one before: "16-128" is 16, 32, 64, 128
"16,32,64"       these values
"1e-4..1e-1"     an interval, by factors where it spans a factor of ten or more
32, "relu"       one value: the part is fixed
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.optim import optimizer_by_name, schedule_by_name
from minicolumn.registry import Boolean, Choice, Integer, Number, Setting, split_texts
from minicolumn.registry.shared import BATCH_SIZE
from minicolumn.tabular.limits import LIMITS, MOST_UNITS

MOST_LAYERS, MOST_CHOICES = 16, 1000
SHAPES = ("constant", "funnel", "pyramid", "free")
TOPOLOGY = ("layers", "width", "shape")  # parts that make the hidden layers
NORMALIZATIONS = ("none", "batch", "layer", "rms")
_SPAN = re.compile(r"(\d+)\s*(?:-|\.\.)\s*(\d+)")


@dataclass(frozen=True)
class Choices:
    """A finite domain: the values that there are, in order.

    >>> print(Choices((16, 32, 64)))
    16, 32, 64
    """

    values: tuple[Any, ...]

    def __contains__(self, value: Any) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ", ".join(map(_shown, self.values))


@dataclass(frozen=True)
class Interval:
    """A continuous domain: all numbers from `low` to `high`.

    log     whether factors count and not differences: a rate is as likely between 0.01 and 0.1 as above
    Errors  DataError for ends that are no finite numbers, or not low < high; for log also for low <= 0

    >>> print(Interval(1e-4, 1e-1))
    from 0.0001 to 0.1, by factors
    """

    low: float
    high: float
    log: bool = True

    def __post_init__(self) -> None:
        ends = (self.low, self.high)
        good = all(isinstance(end, Real) and not isinstance(end, bool) for end in ends)
        if not good or not all(map(math.isfinite, ends)) or not self.low < self.high:
            raise DataError(f"expected an interval of numbers, low < high, got {self.low!r} to {self.high!r}")
        if self.log and self.low <= 0:
            raise DataError(f"an interval by factors has no place for {self.low!r}; its low end must be > 0")
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def __contains__(self, value: Any) -> bool:
        return isinstance(value, Real) and self.low <= float(value) <= self.high

    def __str__(self) -> str:
        return f"from {self.low:g} to {self.high:g}" + ", by factors" * self.log


Part = Choices | Interval


@dataclass(frozen=True)
class Rule:
    """What the values of one part of a space may be.

    setting     the check of a value, and a line of help; None where `named` does it
    named       the name of a record as it is written in the catalogue
    doubles     whether a span of integers doubles from one to the next
    """

    help: str
    setting: Setting | None = None
    named: Any = None
    doubles: bool = False

    def value(self, where: str, value: Any) -> Any:
        """Return a value in plain Python; DataError that begins with `where`."""
        if self.setting is not None:
            return self.setting.required(value, where)
        if not isinstance(value, str):
            raise DataError(f"{where}: expected a name, got {value!r:.60}")
        try:
            self.named(value)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        return value

    @property
    def is_real(self) -> bool:
        """Whether the values are numbers that need not be integers."""
        return isinstance(self.setting, Number)


def _canonical(name: str) -> str:
    """Return an activation's name; DataError for an unknown one."""
    return activation_by_name(name).name


RULES: dict[str, Rule] = {
    "layers": Rule("Hidden layers.", Integer(help="", name="layers", ge=1, le=MOST_LAYERS)),
    "width": Rule(
        "Units of the widest hidden layer; of a free shape, of each.",
        Integer(help="", name="width", ge=1, le=MOST_UNITS),
        doubles=True,
    ),
    "shape": Rule("How widths change from layer to layer.", Choice(help="", choices=SHAPES)),
    "activation": Rule("Of all hidden layers.", named=_canonical),
    "normalization": Rule("Behind each hidden layer.", Choice(help="", choices=NORMALIZATIONS)),
    "dropout": Rule("Share of units to silence.", LIMITS["dropout"]),
    "ramps": Rule("Whether numbers come as ramps between their quantiles.", Boolean(help="")),
    "optimizer": Rule("What takes the steps.", named=optimizer_by_name),
    "learning_rate": Rule("How far a step goes.", LIMITS["learning_rate"]),
    "weight_decay": Rule("How fast weights shrink; of optimizers that have it.", Number(help="", ge=0, lt=1)),
    "schedule": Rule("Of the learning rate, step by step.", named=schedule_by_name),
    "batch_size": Rule("Rows a step.", BATCH_SIZE, doubles=True),
    "horizon": Rule("Share of the epochs in which the schedule ends.", Number(help="", gt=0, le=1)),
}


def part_of(where: str, rule: Rule, given: Any) -> Part:
    """Return a domain from any form in which it is said.

    where       begins each message
    Errors      DataError for what is no such domain, and for values that the part cannot have

    >>> part_of("width", RULES["width"], "16-64"), part_of("layers", RULES["layers"], 2)
    (Choices(values=(16, 32, 64)), Choices(values=(2,)))
    >>> part_of("learning_rate", RULES["learning_rate"], "1e-4..1e-1")
    Interval(low=0.0001, high=0.1, log=True)
    """
    found = _read(where, rule, given) if isinstance(given, str) else given
    if isinstance(found, Choices):
        found = found.values
    if isinstance(found, Interval):
        if not rule.is_real:
            raise DataError(f"{where}: expected single values such as 1,2,4, got the interval {found}")
        for end in (found.low, found.high):
            rule.value(where, end)
        return found
    listed = list(found) if isinstance(found, Iterable) and not isinstance(found, str) else [found]
    if not 0 < len(listed) <= MOST_CHOICES:
        raise DataError(f"{where}: expected from 1 to {MOST_CHOICES:,} values, got {len(listed):,}")
    values = tuple(dict.fromkeys(rule.value(where, value) for value in listed))
    return Choices(values)


def _read(where: str, rule: Rule, text: str) -> Any:
    """Return what a text says: values, or an interval."""
    span, words = _SPAN.fullmatch(text.strip()), [word.strip() for word in split_texts(text)]
    if isinstance(rule.setting, Integer) and span:
        return _span(where, rule, int(span[1]), int(span[2]))
    if rule.is_real and len(ends := text.split("..")) == 2:
        low, high = (_number(where, end) for end in ends)
        try:
            return Interval(low, high, log=low > 0 and high >= 10 * low)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
    if rule.setting is None:
        return words
    return [rule.setting.parsed(word) for word in words]


def _number(where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"{where}: expected an interval such as 1e-4..1e-1, got {text.strip()!r:.60}"
        ) from None


def _span(where: str, rule: Rule, low: int, high: int) -> list[int]:
    """Return the integers of a span: all, or each twice the one before."""
    if low > high or low < 1:
        raise DataError(
            f"{where}: expected a span such as 1-4, from the smaller to the larger, got {low}-{high}"
        )
    if not rule.doubles:
        return list(range(low, min(high, low + MOST_CHOICES) + 1))
    found = [low]
    while found[-1] * 2 <= high:
        found.append(found[-1] * 2)
    return found


def nearest(part: Part, value: Any) -> Any:
    """Return the value of a part that is nearest to another; of words the first, where it is not among them.

    >>> nearest(Choices((16, 32, 64)), 40), nearest(Interval(0.01, 0.1), 0.5)
    (32, 0.1)
    """
    if isinstance(part, Interval):
        return min(part.high, max(part.low, float(value)))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in part.values)
    if value in part.values or not numbers or not isinstance(value, int | float):
        return value if value in part.values else part.values[0]
    return min(part.values, key=lambda v: abs(v - value))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)
