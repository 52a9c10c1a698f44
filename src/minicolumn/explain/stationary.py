"""Stationary points: found by Newton's method, classified by the eigenvalues of the Hessian.

    gradient f(p) = 0       p <- p - H(p)^+ gradient f(p)       H^+ the Moore-Penrose pseudo-inverse

Second-derivative test: both eigenvalues of H positive, a minimum; both negative, a maximum; of both signs, a
saddle; one of them 0, undecided ("flat"), since then terms of higher order decide.

Source      Nocedal & Wright 2006, "Numerical Optimization", theorem 2.4 and section 3.3
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from minicolumn.autodiff.derivatives import grad, hessian
from minicolumn.explain.surfaces import Objective, Scalar
from minicolumn.lower.compile import compile
from minicolumn.trace.loops import scan

Array = np.ndarray
Kind = Literal["minimum", "saddle", "maximum", "flat"]
# An end this near to a stationary point, as a share of the picture's width, has reached it.
REACHED = 0.02
# Points nearer than this share are one point; Newton's method gives many more digits.
SAME = 1e-4
# An eigenvalue below this share of the largest one counts as 0.
FLAT = 1e-6
# A path this many widths outside of the picture does not come back.
FAR = 10.0
# Newton's method converges in about five iterations; at a quartic minimum each leaves 2/3 of the error.
ITERATIONS = 60


@dataclass(frozen=True)
class Stationary:
    """A stationary point: gradient 0, classified by the eigenvalues of the Hessian.

    label       "A", "B" ... for minima, the lowest first; "S1" ... for saddles, "M1" for maxima, "F1" where
                an eigenvalue is 0
    kind        "minimum", "saddle", "maximum" or "flat"
    point       (x, y)
    value       of the function at the point
    curvatures  the eigenvalues of the Hessian, ascending: the second derivatives along its eigenvectors, in
                units of the function over a squared unit of the coordinates

    >>> import minicolumn as mc
    >>> found = mc.descent("saddle", [[1.0, 0.0]]).stationary[0]
    >>> found.label, found.kind, np.round(found.point, 6).tolist(), np.round(found.curvatures, 6).tolist()
    ('S1', 'saddle', [0.0, 0.0], [-2.0, 2.0])
    """

    label: str
    kind: Kind
    point: tuple[float, float]
    value: float
    curvatures: tuple[float, float]


@dataclass(frozen=True)
class Derivatives:
    """An objective's value, gradient and Hessian at many points, each compiled once for any number of them.

    value       points [n, 2] to [n]
    gradient    points [n, 2] to [n, 2]
    hessian     points [n, 2] to [n, 2, 2]
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]


def derivatives_of(g: Objective) -> Derivatives:
    """Return an objective's value, gradient and Hessian by automatic differentiation, batched over points.

    g           of a point [2], traceable

    >>> derivatives_of(lambda p: p[0] ** 2 + 3.0 * p[0] * p[1]).hessian(np.zeros((1, 2)))
    array([[[2., 3.],
            [3., 0.]]])
    """
    return Derivatives(_at_each(g), _at_each(grad(g)), _at_each(hessian(g)))


def _at_each(h: Callable[[Array], Scalar]) -> Callable[[Array], Array]:
    """Return the compiled function that maps h over points [n, 2], traced once for every n."""
    return compile(lambda points: scan(lambda s, p: (s, h(p)), (), points)[1], dims={0: "points"})


def find_stationary(
    derivatives: Derivatives, ends: Array, steepest: float, width: float
) -> tuple[list[Stationary], list[int | None]]:
    """Return the stationary points that some ends have reached, and which of them each end has.

    An end has reached a point if Newton's method, started from it, converges, moves it by at most 2 % of the
    width, and lands where the gradient is at most 1e-6 of the steepest one. Points nearer to each other than
    1e-4 of the width are one.

    ends        [n, 2], finite: the last points of paths
    steepest    a typical gradient norm of this function, against which others are small
    width       the longer side of the picture, in units of the coordinates
    Returns     the points, minima first; for each end its index among them, or None
    """
    points, settled = _newton(derivatives, ends, width)
    with np.errstate(invalid="ignore", over="ignore"):
        norm: Array = np.linalg.norm(derivatives.gradient(points), axis=1)
        near = np.linalg.norm(points - ends, axis=1) <= REACHED * width
    reached = settled & near & (norm <= FLAT * steepest)
    found: list[Stationary] = []
    of_end: list[int | None] = []
    for point, good in zip(points, reached, strict=True):
        if not good:
            of_end.append(None)
            continue
        known = next((i for i, s in enumerate(found) if math.dist(s.point, point) <= SAME * width), None)
        if known is None:
            known = len(found)
            found.append(_classified(derivatives, point))
        of_end.append(known)
    return _labelled(found, of_end)


def _newton(derivatives: Derivatives, points: Array, width: float) -> tuple[Array, Array]:
    """Solve gradient = 0 by Newton's method from each point at once.

        p <- p - H^+ g       until  |H^+ g| <= 1e-9 width

    A point stops where a number is not finite, or where a step is longer than the width, which means that
    the Hessian is nearly singular. Unlike in minimization the Hessian is not made positive definite: saddles
    and maxima are to be found too.

    Returns     the points [n, 2], and whether each has converged, bool [n]
    """
    points, settled = points.copy(), np.zeros(len(points), bool)
    for _ in range(ITERATIONS if len(points) else 0):
        gradient, matrix = derivatives.gradient(points), derivatives.hessian(points)
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


def _classified(derivatives: Derivatives, point: Array) -> Stationary:
    """Return a stationary point [2] with its value and its Hessian's eigenvalues, not labelled yet."""
    low, high = np.linalg.eigvalsh(derivatives.hessian(point[None])[0]).tolist()
    x, y = point.tolist()
    # + 0.0 turns -0 into 0, which reads better.
    return Stationary(
        "", _kind(low, high), (x + 0.0, y + 0.0), float(derivatives.value(point[None])[0]), (low, high)
    )


def _kind(low: float, high: float) -> Kind:
    """Return the outcome of the second-derivative test.

    low, high   the eigenvalues of the Hessian, ascending; below 1e-6 of the larger one they count as 0

    >>> _kind(1.0, 2.0), _kind(-1.0, 2.0), _kind(0.0, 2.0), _kind(-2.0, -1.0)
    ('minimum', 'saddle', 'flat', 'maximum')
    """
    least = FLAT * max(abs(low), abs(high))
    if low < -least and high > least:
        return "saddle"
    if min(abs(low), abs(high)) <= least:
        return "flat"
    return "minimum" if low > 0 else "maximum"


def _labelled(
    found: Sequence[Stationary], of_end: Sequence[int | None]
) -> tuple[list[Stationary], list[int | None]]:
    """Sort the points by kind, then by value, and label them in that order.

    of_end      for each end its index in `found`, or None; returned as the index in the sorted list
    """
    kinds: tuple[Kind, ...] = ("minimum", "flat", "saddle", "maximum")
    # Equal depths differ by roundings; the place then decides, from top to bottom.
    order = sorted(
        range(len(found)),
        key=lambda i: (kinds.index(found[i].kind), round(found[i].value, 9), -found[i].point[1]),
    )
    counts: dict[Kind, int] = dict.fromkeys(kinds, 0)
    named = []
    for i in order:
        kind = found[i].kind
        counts[kind] += 1
        named.append(replace(found[i], label=_label(kind, counts[kind])))
    place = {old: new for new, old in enumerate(order)}
    return named, [None if i is None else place[i] for i in of_end]


def _label(kind: Kind, number: int) -> str:
    """Return "A" to "Z" for the first 26 minima, and a letter with a number for everything else."""
    if kind == "minimum" and number <= 26:
        return chr(ord("A") + number - 1)
    return f"{ {'minimum': 'Z', 'saddle': 'S', 'maximum': 'M', 'flat': 'F'}[kind] }{number}"
