"""What the settings of losses may be: one check for a call, a record and a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from minicolumn.errors import DataError

MOST_LEVELS = 1_000


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

    def check(self, loss: str, name: str, value: Any) -> Any:
        """Return the value in plain Python; DataError, in one line, for one that will not do."""
        if not self.fits(value):
            shown = " ".join(repr(value).split())[:80]
            raise DataError(f"{loss}: {name}: expected {self.expected}, got {shown}")
        return self.plain(value)


def _is_number(value: Any) -> bool:
    # Neither NaN, which compares as False, nor an int past the largest float.
    return isinstance(value, Real) and not isinstance(value, bool) and bool(-1e30 <= value <= 1e30)  # type: ignore[operator]


def _number(expected: str, good: Callable[[Any], bool], *, training_only: bool = False) -> Setting:
    return Setting(expected, lambda value: _is_number(value) and good(value), float, training_only)


def _listed(value: Any) -> tuple[Any, ...] | None:
    if _is_number(value):
        return (value,)
    return tuple(value) if isinstance(value, list | tuple | np.ndarray) else None


def _are_levels(value: Any) -> bool:
    found = _listed(value)
    if not found or len(found) > MOST_LEVELS or not all(map(_is_number, found)):
        return False
    ends = (0.0, *found, 1.0)
    return all(low < high for low, high in pairwise(ends))


def _levels(value: Any) -> tuple[float, ...]:
    return tuple(map(float, _listed(value) or ()))


DELTA = _number("a number > 0", lambda value: value > 0)
FLOOR = _number("a number >= 1e-12", lambda value: value >= 1e-12)
FOCUS = _number("a number >= 0", lambda value: value >= 0)
POWER = _number("1 < number < 2", lambda value: 1 < value < 2)
SMOOTHING = _number("0 <= s < 1", lambda value: 0 <= value < 1, training_only=True)
BALANCE = Setting(
    "0 < number < 1, or None",
    lambda value: value is None or (_is_number(value) and 0 < value < 1),
    lambda value: None if value is None else float(value),
)
LEVELS = Setting("numbers between 0 and 1, ascending", _are_levels, _levels)
