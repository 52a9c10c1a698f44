"""Formatting of numbers, points and optimizers for the tables, legends and titles of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from minicolumn.optim import Optimizer

# How a path is labelled that reached no stationary point.
MOVING, DIVERGED = "still moving", "diverged"


def count(n: int, what: str) -> str:
    """Return how many of something, in words: the plural unless there is exactly one.

    >>> count(2, "step"), count(1, "step"), count(0, "step")
    ('2 steps', '1 step', '0 steps')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def point_text(point: Iterable[float], digits: int = 3) -> str:
    """Return a point of the plane as text, each coordinate as `rounded` writes it.

    point       (x, y)
    digits      decimal places of each coordinate

    >>> point_text([1.0, -0.25])
    '(1, -0.25)'
    """
    x, y = (rounded(float(value), digits) for value in point)
    return f"({x}, {y})"


def rounded(value: float, digits: int = 3) -> str:
    """Return a number rounded to decimal places, without trailing zeros and without a sign on 0.

    From 1e5 on, and for NaN, three significant digits are given instead, so that columns stay narrow.

    >>> rounded(-0.0001), rounded(2.5), rounded(123456.7), rounded(float("nan"))
    ('0', '2.5', '1.23e+05', 'nan')
    """
    if not abs(value) < 1e5:
        return f"{value:.3g}"
    return f"{round(value, digits) + 0.0:g}"


def short(rule: Optimizer) -> str:
    """Return an optimizer's constructor call with its rate and only the settings that are not defaults.

    >>> from minicolumn.optim import SGD
    >>> short(SGD(0.1, momentum=0.9)), short(SGD(0.1))
    ('SGD(0.1, momentum=0.9)', 'SGD(0.1)')
    """
    changed = [f for f in fields(rule) if f.name == "learning_rate" or getattr(rule, f.name) != f.default]
    settings = [
        f"{getattr(rule, f.name):g}" if f.name == "learning_rate" else f"{f.name}={getattr(rule, f.name)!r}"
        for f in changed
    ]
    return f"{type(rule).__name__}({', '.join(settings)})"
