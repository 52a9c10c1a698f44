"""Trajectories of gradient descent on a function of two variables: `descent` and its result.

paths = mc.descent("himmelblau", starts=8, optimizer="adam")
print(paths)            a table: start, end, value, steps until settled, the stationary point reached
paths.plot("descent.png"); paths.animate("descent.gif")
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.stationary import (
    FAR,
    REACHED,
    Derivatives,
    Stationary,
    derivatives_of,
    find_stationary,
)
from minicolumn.explain.surfaces import Box, Objective, Scalar, Surface, surface_by_name
from minicolumn.explain.walk import AT_REST, best_rate, walk_of
from minicolumn.explain.words import DIVERGED, MOVING, count, point_text, rounded, short
from minicolumn.model.files import PathLike
from minicolumn.optim import Optimizer, optimizer_by_name
from minicolumn.registry import read_text
from minicolumn.registry.shared import STEPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray
# Steps of the most even sequence of points in a square: powers of the plastic number (Roberts 2018).
SPREAD = np.array([1.324717957244746**-1, 1.324717957244746**-2])


@dataclass(frozen=True, eq=False)
class Descent:
    """Trajectories of an optimizer and the stationary points they reached. Printing it draws the table.

    name        of the function
    formula     as text; "" for a function of one's own
    optimizer   the record that was followed, with the learning rate that was used
    paths       float64 [starts, steps + 1, 2], the starts first
    values      the function along them, float64 [starts, steps + 1]
    stationary  the stationary points that were reached, minima first, the lowest of them first
    reached     for each start the index of its point in `stationary`, or None
    endings     for each start the label of that point, "still moving" or "diverged"
    bounds      ((x from, x to), (y from, y to)) of pictures
    function    of a point [2]

    A path diverged if it left the finite numbers, ended more than ten widths of the picture away without
    coming to rest, or ended outside of the bounds and higher than it began.

    >>> import minicolumn as mc
    >>> mc.descent("parabola", [[3.0, 1.0]], steps=100)
    Descent(parabola, SGD(0.049), 100 steps: 1 reached A)
    """

    name: str
    formula: str
    optimizer: Optimizer
    paths: Array
    values: Array
    stationary: tuple[Stationary, ...]
    reached: tuple[int | None, ...]
    endings: tuple[str, ...]
    bounds: Box
    function: Objective

    @property
    def steps(self) -> int:
        """Return how many steps each path has."""
        return self.values.shape[1] - 1

    @property
    def minima(self) -> tuple[Stationary, ...]:
        """Return the minima that were reached, the lowest first."""
        return tuple(s for s in self.stationary if s.kind == "minimum")

    @property
    def settled(self) -> tuple[int | None, ...]:
        """Return for each start the first step from which it stayed near its stationary point.

        Near is within 2 % of the longer side of the bounds. None for a start that reached no point.
        """
        return tuple(
            None if i is None else steps_until(path, self.stationary[i], width_of(self.bounds))
            for path, i in zip(self.paths, self.reached, strict=True)
        )

    def table(self) -> str:
        """Return the result as text: a line for each start, then one for each stationary point.

        Points have their value and the eigenvalues of the Hessian ("curvatures"), whose signs tell the kinds.
        """
        lines = [
            f"{self.name} by {short(self.optimizer)}, {count(len(self.paths), 'start')}, "
            f"{count(self.steps, 'step')}",
            "",
            f"{'start':<18}{'end':<18}{'f at the end':>13}  {'settled':<9}reached",
        ]
        rows = zip(self.paths, self.values, self.endings, self.settled, strict=True)
        for path, values, ending, steps in rows:
            settled = "-" if steps is None else f"{steps}"
            ends = f"{point_text(path[0]):<18}{point_text(path[-1]):<18}"
            lines.append(f"{ends}{values[-1]:>13.4g}  {settled:<9}{ending}")
        if self.stationary:
            lines.append("")
        for s in self.stationary:
            curved = f"curvatures {s.curvatures[0]:.4g} and {s.curvatures[1]:.4g}"
            value = f"f = {rounded(s.value)}"
            lines.append(f"{s.label:<3}{s.kind:<9}{point_text(s.point, 4):<22}{value:<16}{curved}")
        return "\n".join(lines)

    def plot(self, path: PathLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw the paths over a contour plot of the function, with the stationary points that they reached.

        A star marks a minimum, a cross a saddle, a triangle a maximum, a diamond a flat point; dashed paths
        reached none, and each has a colour of its own. Known minima that no path came to are hollow stars.

        path        file to write: .png, .svg, .pdf, .jpg or .webp; None writes none
        ax          axes of matplotlib to draw into, with less text; None makes a picture of its own. Several
                    side by side want `plt.subplots(1, 2, layout="constrained")`
        Returns     the axes
        Errors      DataError where matplotlib is missing, or for another suffix
        """
        from minicolumn.explain.paths_picture import plot_descent

        return plot_descent(self, path, ax)

    def animate(self, path: PathLike, frames: int = 60, seconds: float = 6.0) -> None:
        """Write an animated GIF of the trajectories.

        path        file to write, .gif
        frames      how many pictures, at least 2; early steps have one each, later ones are skipped over
        seconds     duration, > 0, after which the last picture stays for 2 seconds
        Errors      DataError where matplotlib or Pillow is missing, for another suffix, or out of range
        """
        from minicolumn.explain.paths_picture import animate_descent

        animate_descent(self, path, frames, seconds)

    def __repr__(self) -> str:
        counts = Counter(self.endings)
        ends = [
            f"{n} {end}" if end in (MOVING, DIVERGED) else f"{n} reached {end}" for end, n in counts.items()
        ]
        steps = count(self.steps, "step")
        return f"Descent({self.name}, {short(self.optimizer)}, {steps}: {', '.join(ends)})"

    def __str__(self) -> str:
        return self.table()


def descent(
    f: str | Callable[..., Scalar],
    starts: int | ArrayLike,
    optimizer: str | Optimizer = "sgd",
    steps: int = 200,
    learning_rate: float | None = None,
    bounds: Box | None = None,
) -> Descent:
    """Minimise a function of two variables by an optimizer from several starts, and classify the ends.

        p[k+1] = p[k] + update(gradient f(p[k])),       of plain gradient descent  - learning_rate gradient f

    All paths are one native call, in float64. Where a path ends near a stationary point, Newton's method
    (p <- p - H^-1 gradient f) finds that point to machine precision, and the eigenvalues of the Hessian H
    there classify it: both positive, a minimum; of both signs, a saddle; both negative, a maximum; one of
    them 0, "flat".

    f               a NumPy function of an array [2], or of two numbers; or a `Surface` of
                    `mc.explain.surfaces`, also by its name
    starts          points [starts, 2], one point [2], or how many to spread over the bounds by a
                    low-discrepancy sequence (R2, Roberts 2018)
    optimizer       a record such as `mc.optim.Adam(0.1)`, or its name
    steps           of each path, >= 1
    learning_rate   None takes a record's own, or one said in the text. With a name alone 20 rates are tried,
                    and of those whose paths descend nearly as fast as any the one is kept whose paths settle
                    first, on the average over the starts
    bounds          ((x from, x to), (y from, y to)) for pictures, and for a number of starts; None takes the
                    surface's, or a box around the paths
    Returns         a `Descent`
    Errors          ShapeError where f does not return one number or the starts are no points; DataError for
                    settings out of range; TraceError where f cannot be compiled
    Source          Cauchy 1847 for gradient descent; Nocedal & Wright 2006, chapters 2 and 3, for Newton's
                    method and the test by eigenvalues
    Differs         Optax and PyTorch give the updates and leave the loop, the choice of a rate and the
                    question of what was reached to the user

    >>> import minicolumn as mc
    >>> walk = mc.descent(lambda x, y: (x - 1) ** 2 + 2 * (y + 1) ** 2, [[3, 2], [-2, 0]], steps=100)
    >>> print(walk.minima[0].label, np.round(walk.minima[0].point, 6), walk.endings)
    A [ 1. -1.] ('A', 'A')
    """
    f = surface_by_name(f) if isinstance(f, str) else f
    g, known = _of_a_point(f), f.bounds if isinstance(f, Surface) else None
    box = known if bounds is None else _checked_bounds(bounds)
    points = _starts(starts, box)
    _must_give_one_number(g, points[0])
    steps = STEPS.check(steps, "descent")
    rule = _optimizer(optimizer)
    walk = walk_of(g, rule, points, steps)
    if learning_rate is None:
        width = width_of(box) if box else _size(points)
        said = not isinstance(optimizer, str) or "learning_rate" in read_text(optimizer)[1]
        learning_rate = rule.learning_rate if said else best_rate(walk, rule, g, points, width)
    rule = rule.with_rate(learning_rate)
    paths, values = walk(rule.learning_rate)
    box = box or _around(paths)
    stationary, reached, endings = ends_of(derivatives_of(g), paths, values, box)
    name = f.name if isinstance(f, Surface) else getattr(f, "__name__", "f").replace("<lambda>", "f")
    formula = f.formula if isinstance(f, Surface) else ""
    return Descent(name, formula, rule, paths, values, stationary, reached, endings, box, g)


def _of_a_point(f: Callable[..., Scalar]) -> Objective:
    """Return a function of an array [2] or of two numbers as one of an array [2].

    Parameters that have defaults do not count.

    Errors      DataError for what is not callable, or needs more than two arguments
    """
    if not callable(f):
        raise DataError(f"descent: f is a {type(f).__name__}, expected a function of an array [2]")
    try:
        parameters = inspect.signature(f).parameters.values()
    except ValueError:  # a callable that does not tell its arguments
        return f
    placed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in placed if p.default is p.empty]
    if len(needed) > 2:
        names = ", ".join(p.name for p in needed)
        raise DataError(f"descent: f takes {names}; expected one array [2], or two numbers")
    return (lambda p: f(p[0], p[1])) if len(needed) == 2 else f


def _must_give_one_number(g: Objective, point: Array) -> None:
    """Refuse an objective that is not scalar at a point [2].

    Errors      DataError where it returns None, ShapeError where it returns an array
    """
    value = g(point)
    if value is None:
        raise DataError("descent: f returned nothing; does it lack its return?")
    shape = np.shape(value)
    if shape != ():
        raise ShapeError(f"descent: f returned shape {list(shape)} for a point, expected one number")


def _checked_bounds(bounds: ArrayLike) -> Box:
    """Return bounds as a box of floats.

    Errors      DataError unless they are two ascending pairs of finite numbers
    """
    box = _numbers("bounds", bounds)
    if box.shape != (2, 2) or not np.isfinite(box).all() or not (box[:, 0] < box[:, 1]).all():
        raise DataError(f"descent: bounds must be ((x from, x to), (y from, y to)), got {bounds!r}")
    (left, right), (low, high) = box.tolist()
    return (left, right), (low, high)


def _numbers(name: str, given: ArrayLike) -> Array:
    """Return an argument as float64; DataError with its name where it holds anything but numbers."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"descent: {name} must be numbers, got {given!r}") from None


def _starts(starts: int | ArrayLike, box: Box | None) -> Array:
    """Return the starts as float64 [starts, 2]; so many of an R2 sequence over the box for an integer.

        start k = low + frac(1/2 + k (1/g, 1/g^2)) (high - low),      g^3 = g + 1

    Errors      DataError for an integer below 1 or without bounds, and for NaN; ShapeError for other shapes
    """
    if isinstance(starts, int | np.integer) and not isinstance(starts, bool):
        if starts < 1 or box is None:
            raise DataError(f"descent: {starts} starts to spread need bounds, and to be at least 1")
        low, high = np.array(box).T
        fraction = (0.5 + np.arange(1, int(starts) + 1)[:, None] * SPREAD) % 1.0
        return low + fraction * (high - low)
    points = np.atleast_2d(_numbers("starts", starts))
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(f"descent: starts have shape {list(np.shape(starts))}, expected [starts, 2]")
    if not np.isfinite(points).all():
        raise DataError("descent: starts must be finite numbers")
    return points


def _optimizer(optimizer: str | Optimizer) -> Optimizer:
    """Return an optimizer's record, looked up where it is a name; DataError for anything else."""
    rule = optimizer_by_name(optimizer) if isinstance(optimizer, str) else optimizer
    if not isinstance(rule, Optimizer):
        raise DataError(
            f"descent: optimizer is a {type(rule).__name__}, expected a name or a record such as "
            "mc.optim.SGD(0.1)"
        )
    return rule


def ends_of(
    derivatives: Derivatives, paths: Array, values: Array, box: Box
) -> tuple[tuple[Stationary, ...], tuple[int | None, ...], tuple[str, ...]]:
    """Return the stationary points that were reached, which each path reached, and how each path ended.

    paths       [starts, steps + 1, 2]; values: the function along them, [starts, steps + 1]
    Returns     `stationary`, `reached` and `endings` of `Descent`
    """
    width = width_of(box)
    (low, high), last = np.array(box).T, paths[:, -1]
    with np.errstate(invalid="ignore", over="ignore"):
        far = (np.abs(last - (low + high) / 2) > FAR * width).any(axis=1)
        climbing = (values[:, -1] > values[:, 0]) & ((last < low) | (last > high)).any(axis=1)
    diverged = (
        (far & ~_come_to_rest(paths))
        | climbing
        | ~np.isfinite(paths).all(axis=(1, 2))
        | ~np.isfinite(values).all(axis=1)
    )
    staying = np.flatnonzero(~diverged)
    first = np.linalg.norm(derivatives.gradient(paths[:, 0]), axis=1)
    steepest = float(first[np.isfinite(first)].max(initial=0.0))
    stationary, found = find_stationary(derivatives, paths[staying, -1], steepest, width)
    reached: list[int | None] = [None] * len(paths)
    for start, which in zip(staying.tolist(), found, strict=True):
        reached[start] = which
    endings = [
        DIVERGED if gone else MOVING if i is None else stationary[i].label
        for gone, i in zip(diverged, reached, strict=True)
    ]
    return tuple(stationary), tuple(reached), tuple(endings)


def steps_until(path: Array, end: Stationary, width: float) -> int:
    """Return the first step from which a path [steps + 1, 2] stays within 2 % of a width from a point."""
    away = np.linalg.norm(path - np.array(end.point), axis=1) > REACHED * width
    return int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0


def _come_to_rest(paths: Array) -> Array:
    """Return which paths have come to rest: a last step below 1e-4 of the displacement, bool [starts]."""
    with np.errstate(invalid="ignore", over="ignore"):
        last = np.linalg.norm(paths[:, -1] - paths[:, -2], axis=1)
        return last <= AT_REST * np.linalg.norm(paths[:, -1] - paths[:, 0], axis=1)


def _size(points: Array) -> float:
    """Return the scale of some points [n, 2], > 0: the largest coordinate or range, whichever is larger."""
    return float(max(np.ptp(points, axis=0).max(), np.abs(points).max())) or 1.0


def _around(paths: Array) -> Box:
    """Return the bounding box of paths [starts, steps + 1, 2], with a margin of a tenth on each side.

    Points further than five scales of the starts do not count, unless their path comes to rest out there.
    """
    points = paths.reshape(-1, 2)
    starts = paths[:, 0]
    away = np.abs(points - starts.mean(axis=0)).max(axis=1)
    settled = np.repeat(_come_to_rest(paths), paths.shape[1])
    near = np.isfinite(points).all(axis=1) & ((away <= 5.0 * _size(starts)) | settled)
    low, high = points[near].min(axis=0), points[near].max(axis=0)
    # A path that hardly moves still has room around it.
    margin = np.full(2, 0.1 * max((high - low).max(), 0.01 * _size(starts)))
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    return (left, right), (bottom, top)


def width_of(box: Box) -> float:
    """Return the longer side of a box."""
    return max(high - low for low, high in box)
