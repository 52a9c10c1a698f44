"""How numbers, points and optimizers are written in tables and pictures."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from minicolumn.optim import Optimizer

# What becomes of a path that reached no point without slope.
MOVING, DIVERGED = "still moving", "diverged"


def count(n: int, what: str) -> str:
    """Return how many of something, in words.

    >>> count(2, "step")
    '2 steps'
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def point_text(point: Any, digits: int = 3) -> str:
    """Return a point as text.

    >>> point_text([1.0, -0.25])
    '(1, -0.25)'
    """
    x, y = (rounded(float(value), digits) for value in point)
    return f"({x}, {y})"


def rounded(value: float, digits: int = 3) -> str:
    """Return a number to so many places behind the point, without a sign on 0; very large ones shorter."""
    if not abs(value) < 1e5:
        return f"{value:.3g}"
    return f"{round(value, digits) + 0.0:g}"


def short(rule: Optimizer) -> str:
    """Return an optimizer without the settings that are left at their defaults, but with its rate."""
    changed = [f for f in fields(rule) if f.name == "learning_rate" or getattr(rule, f.name) != f.default]
    settings = [
        f"{getattr(rule, f.name):g}" if f.name == "learning_rate" else f"{f.name}={getattr(rule, f.name)!r}"
        for f in changed
    ]
    return f"{type(rule).__name__}({', '.join(settings)})"
