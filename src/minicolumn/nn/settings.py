"""Checks on the settings of frozen records, which also turn NumPy's scalars into Python's.

A NumPy float64 left in a record would widen every float32 array that it meets.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from minicolumn.errors import DataError
from minicolumn.trace.tracer import Traced


def refuse(record: Any, name: str, expected: str) -> None:
    """Refuse the value of a setting, in one line."""
    raise DataError(
        f"{type(record).__name__}: {name}: expected {expected}, got {_show(getattr(record, name))}"
    )


def settle(record: Any, name: str, value: Any) -> None:
    """Write a setting of a frozen record in its plain form; only for use while it is being made."""
    object.__setattr__(record, name, value)


def settle_whole(record: Any, name: str, least: int) -> None:
    """Require a whole number of at least ``least``."""
    value = getattr(record, name)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        refuse(record, name, f"a whole number >= {least}")
    settle(record, name, int(value))


def settle_number(record: Any, name: str, expected: str, good: Callable[[float], bool]) -> None:
    """Require a finite number for which ``good`` holds; a traced number stands for one that was checked."""
    value = getattr(record, name)
    if isinstance(value, Traced):
        return
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not _is_finite(value)
        or not good(float(value))
    ):
        refuse(record, name, expected)
    settle(record, name, float(value))


def settle_flag(record: Any, name: str) -> None:
    """Require True or False."""
    if not isinstance(getattr(record, name), bool):
        refuse(record, name, "True or False")


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int past the largest float
        return False


def _show(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def is_plain(value: Any) -> bool:
    """Return whether a setting says all about itself: numbers, names, this package's records and functions.

    Programs made of such records can be kept and used again. An own function may read what changes elsewhere.

    >>> is_plain(("relu", 3, None)), is_plain(sorted)
    (True, False)
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    kind = value if callable(value) and hasattr(value, "__closure__") else type(value)
    if not str(kind.__module__).startswith("minicolumn."):
        return False
    if kind is value:
        return value.__closure__ is None
    if not dataclasses.is_dataclass(value):
        return False
    return all(is_plain(getattr(value, field.name)) for field in dataclasses.fields(value))
