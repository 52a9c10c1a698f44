"""What the settings of losses may be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from minicolumn.nn.catalogue import Setting, is_number, number

MOST_LEVELS = 1_000


def _listed(value: Any) -> tuple[Any, ...] | None:
    if is_number(value):
        return (value,)
    return tuple(value) if isinstance(value, list | tuple | np.ndarray) else None


def _are_levels(value: Any) -> bool:
    found = _listed(value)
    if not found or len(found) > MOST_LEVELS or not all(map(is_number, found)):
        return False
    ends = (0.0, *found, 1.0)
    return all(low < high for low, high in pairwise(ends))


def _levels(value: Any) -> tuple[float, ...]:
    return tuple(map(float, _listed(value) or ()))


DELTA = number("a number > 0", lambda value: value > 0)
FLOOR = number("a number >= 1e-12", lambda value: value >= 1e-12)
FOCUS = number("a number >= 0", lambda value: value >= 0)
POWER = number("1 < number < 2", lambda value: 1 < value < 2)
SMOOTHING = number("0 <= s < 1", lambda value: 0 <= value < 1, training_only=True)
BALANCE = Setting(
    "0 < number < 1, or None",
    lambda value: value is None or (is_number(value) and 0 < value < 1),
    lambda value: None if value is None else float(value),
)
LEVELS = Setting("numbers between 0 and 1, ascending", _are_levels, _levels)
