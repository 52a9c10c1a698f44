"""Where a descent has ended: points without slope, found by Newton's method and told apart by curvature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.autodiff.derivatives import grad, hessian
from minicolumn.lower.compile import compile
from minicolumn.trace.loops import scan

Array = np.ndarray
# An end this near to a point without slope, as a share of the picture's width, has reached it.
REACHED = 0.02
# Points nearer than this share are one point; Newton's method gives many more digits.
SAME = 1e-4
# A curvature below this share of the largest one is none.
FLAT = 1e-6
# A path this many widths outside of the picture does not come back.
FAR = 10.0
# Newton's method needs about five turns; where the bottom is as flat as x^4 it gains 2/3 a turn.
TURNS = 60


@dataclass(frozen=True)
class Stationary:
    """A point without slope.

    label       "A", "B" ... for minima, the lowest first; "S1" ... for saddles, "M1" for maxima, "F1" where a
                curvature is 0
    kind        "minimum", "saddle", "maximum" or "flat"
    point       where it is
    value       the function there
    curvatures  the eigenvalues of the Hessian, the smaller one first
    """

    label: str
    kind: str
    point: tuple[float, float]
    value: float
    curvatures: tuple[float, float]


@dataclass(frozen=True)
class Slopes:
    """A function's values and derivatives at many points, each compiled once; points are float64 [n, 2]."""

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]


def slopes_of(g: Callable[[Array], Any]) -> Slopes:
    """Return value, gradient and Hessian of a function of a point, for many points in one call."""
    return Slopes(_at_each(g), _at_each(grad(g)), _at_each(hessian(g)))


def _at_each(h: Callable[[Array], Any]) -> Callable[[Array], Array]:
    return compile(lambda points: scan(lambda s, p: (s, h(p)), (), points)[1], dims={0: "points"})


def find_stationary(
    slopes: Slopes, ends: Array, steepest: float, width: float
) -> tuple[list[Stationary], list[int | None]]:
    """Return the points without slope that some ends have reached, and which of them each end has.

    ends        [n, 2], finite
    steepest    a large slope of this function, against which others are small
    width       of the picture
    """
    points, settled = _newton(slopes, ends, width)
    with np.errstate(invalid="ignore", over="ignore"):
        slope: Array = np.linalg.norm(slopes.gradient(points), axis=1)
        near = np.linalg.norm(points - ends, axis=1) <= REACHED * width
    reached = settled & near & (slope <= FLAT * steepest)
    found: list[Stationary] = []
    of_end: list[int | None] = []
    for point, good in zip(points, reached, strict=True):
        if not good:
            of_end.append(None)
            continue
        known = next((i for i, s in enumerate(found) if math.dist(s.point, point) <= SAME * width), None)
        if known is None:
            known = len(found)
            found.append(_described(slopes, point))
        of_end.append(known)
    return _labelled(found, of_end)


def _newton(slopes: Slopes, points: Array, width: float) -> tuple[Array, Array]:
    """Solve gradient = 0 from each point; return where that led, and whether it came to rest."""
    points, settled = points.copy(), np.zeros(len(points), bool)
    for _ in range(TURNS if len(points) else 0):
        gradient, matrix = slopes.gradient(points), slopes.hessian(points)
        numbers = np.concatenate([gradient, matrix.reshape(-1, 4)], axis=1)
        good = np.asarray(np.isfinite(numbers).all(axis=1))
        matrix = np.where(good[:, None, None], matrix, 0.0)
        move = np.einsum("nij,nj->ni", np.linalg.pinv(matrix, hermitian=True), gradient)
        length = np.linalg.norm(np.where(good[:, None], move, 0.0), axis=1)
        settled = good & (length <= 1e-9 * width)
        going = good & ~settled & (length <= width)
        if not going.any():
            break
        points = np.where(going[:, None], points - move, points)
    return points, settled


def _described(slopes: Slopes, point: Array) -> Stationary:
    low, high = np.linalg.eigvalsh(slopes.hessian(point[None])[0]).tolist()
    x, y = point.tolist()
    # + 0.0 turns -0 into 0, which reads better.
    return Stationary(
        "", _kind(low, high), (x + 0.0, y + 0.0), float(slopes.value(point[None])[0]), (low, high)
    )


def _kind(low: float, high: float) -> str:
    least = FLAT * max(abs(low), abs(high))
    if low < -least and high > least:
        return "saddle"
    if min(abs(low), abs(high)) <= least:
        return "flat"
    return "minimum" if low > 0 else "maximum"


def _labelled(
    found: Sequence[Stationary], of_end: Sequence[int | None]
) -> tuple[list[Stationary], list[int | None]]:
    """Sort by kind and value, and give each its label."""
    kinds = ("minimum", "flat", "saddle", "maximum")
    # Equal depths differ by roundings; the place then decides, from top to bottom.
    order = sorted(
        range(len(found)),
        key=lambda i: (kinds.index(found[i].kind), round(found[i].value, 9), -found[i].point[1]),
    )
    counts: dict[str, int] = dict.fromkeys(kinds, 0)
    named = []
    for i in order:
        kind = found[i].kind
        counts[kind] += 1
        named.append(replace(found[i], label=_label(kind, counts[kind])))
    place = {old: new for new, old in enumerate(order)}
    return named, [None if i is None else place[i] for i in of_end]


def _label(kind: str, number: int) -> str:
    if kind == "minimum" and number <= 26:
        return chr(ord("A") + number - 1)
    return f"{ {'minimum': 'Z', 'saddle': 'S', 'maximum': 'M', 'flat': 'F'}[kind] }{number}"
