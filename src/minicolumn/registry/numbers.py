"""Settings that are numbers: ranges, stated once and checked wherever a number comes in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, final

from minicolumn.registry.setting import Search, Setting

INFINITY = math.inf
# What has no bounds of its own is an entry of an array, and must be finite in float32 too.
LARGEST = 1e38


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
        between = ", " if self.is_between else " " if self.bounds else ""
        return f"{self.noun}{between}{self.bounds}"

    @property
    def is_between(self) -> bool:
        """Whether there are bounds on both sides."""
        return self.low > -INFINITY and self.high < INFINITY

    @property
    def bounds(self) -> str:
        """The bounds in symbols; empty where there are none."""
        over, under = "=" * (self.ge > self.gt), "=" * (self.le < self.lt)
        low, high = map(self.digits, (self.low, self.high))
        if self.is_between:
            return f"{low} <{over} {self.name or 'number'} <{under} {high}"
        if self.at_least:
            return f">= {self.at_least}"
        if self.low > -INFINITY:
            return f">{over} {low}"
        return f"<{under} {high}" if self.high < INFINITY else ""

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

    def quick(self) -> Callable[[Any], bool]:
        low = self.ge if self.ge > self.gt else math.nextafter(self.gt, INFINITY)
        high = self.le if self.le < self.lt else math.nextafter(self.lt, -INFINITY)
        if self._is_unbounded:
            low, high = -LARGEST, LARGEST
        # NaN lies nowhere. The largest float is in place of infinity, so infinities do not either.
        return lambda value: type(value) is float and low <= value <= high

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

    def quick(self) -> Callable[[Any], bool]:
        low = self.ge if self.ge > self.gt else math.nextafter(self.gt, INFINITY)
        high = self.le if self.le < self.lt else math.nextafter(self.lt, -INFINITY)
        return lambda value: type(value) is int and low <= value <= high

    def digits(self, bound: float) -> str:
        return f"{bound:,.0f}" if abs(bound) < INFINITY else f"{bound:g}"

    def parsed(self, text: str) -> Any:
        try:
            return int(text)
        except ValueError:
            return text


def is_on(number: Any) -> bool:
    """Return whether a number >= 0 makes a part act: one that a compiled program is given always does.

    >>> is_on(0.0), is_on(0.5)
    (False, True)
    """
    return not isinstance(number, int | float) or number > 0
