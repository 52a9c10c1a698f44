"""`descent`: walk down a function of two numbers from several starts, and tell where each ended."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.explain.stationary import (
    FAR,
    REACHED,
    Slopes,
    Stationary,
    find_stationary,
    slopes_of,
)
from minicolumn.explain.surfaces import Box, Surface, surface_by_name
from minicolumn.explain.walk import best_rate, walk_of
from minicolumn.explain.words import DIVERGED, MOVING, count, point_text, rounded, short
from minicolumn.optim import Optimizer, optimizer_by_name
from minicolumn.registry.shared import STEPS

Array = np.ndarray
# Of the way that a path came: a step as short is rest.
AT_REST = 1e-4
# Steps of the most even sequence of points in a square: powers of the plastic number (Roberts 2018).
SPREAD = np.array([1.324717957244746**-1, 1.324717957244746**-2])


@dataclass(frozen=True, eq=False)
class Descent:
    """What `descent` hands back: every path, and where it led. Printing it draws the table.

    name        of the function
    formula     what it computes; "" for an own function
    optimizer   the record that was followed, with its learning rate
    paths       float64 [starts, steps + 1, 2], the starts first
    values      the function along them, [starts, steps + 1]
    stationary  the points without slope that were reached, minima first
    reached     for each start which of them, or None
    endings     for each start the label of that point, "still moving" or "diverged"
    bounds      the part that pictures show
    function    of a point [2]
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
    function: Callable[[Array], Any]

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
        """Return for each start after how many steps it stayed near its end; None where it reached none."""
        return tuple(
            None if i is None else self._settled(path, self.stationary[i])
            for path, i in zip(self.paths, self.reached, strict=True)
        )

    def _settled(self, path: Array, end: Stationary) -> int:
        away = np.linalg.norm(path - np.array(end.point), axis=1) > REACHED * width_of(self.bounds)
        return int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0

    def table(self) -> str:
        """Return the starts, their ends, and the points reached, as text."""
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

    def plot(self, path: Any = None, ax: Any = None) -> Any:
        """Draw the paths over the function's contours.

        path        file to write: .png, .svg, .pdf, .jpg or .webp; None writes none
        ax          axes of matplotlib to draw into, with less text; None makes a picture of its own. Several
                    side by side want `plt.subplots(1, 2, layout="constrained")`
        Returns     the axes
        Errors      DataError where matplotlib is missing, or for another suffix
        """
        from minicolumn.explain.paths_picture import plot_descent

        return plot_descent(self, path, ax)

    def animate(self, path: Any, frames: int = 60, seconds: float = 6.0) -> None:
        """Write an animated GIF of the descents.

        path        file to write, .gif
        frames      how many pictures; steps are spread over them so that the first ones are seen
        seconds     how long it runs, after which the last picture stays for a while
        Errors      DataError where matplotlib or Pillow is missing, or for another suffix
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
    f: str | Callable[..., Any],
    starts: Any,
    optimizer: str | Optimizer = "sgd",
    steps: int = 200,
    learning_rate: float | None = None,
    bounds: Box | None = None,
) -> Descent:
    """Walk down a function of two numbers from several starts, and tell which minimum each reached.

        p[k+1] = p[k] + optimizer's step along the gradient of f at p[k]

    All paths are one native call. Where a path ends near a point without slope, Newton's method finds that
    point, and the curvatures there tell a minimum from a saddle.

    f               a NumPy function of an array [2], or of two numbers; or one of `mc.explain.surfaces`, also
                    by its name
    starts          points [starts, 2], one point [2], or how many to spread evenly over the bounds
    optimizer       a record such as `mc.optim.Adam(0.1)`, or its name
    steps           how many
    learning_rate   None takes a record's own. With a name many rates are tried, and the smallest is kept
                    whose paths come down nearly as soon as any, on the average over starts and steps
    bounds          ((x from, x to), (y from, y to)) for pictures; None takes the surface's, or a box around
                    the paths
    Returns         a `Descent`
    Errors          ShapeError where f does not return one number or the starts are no points; DataError for
                    settings out of range; TraceError where f cannot be compiled

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
        learning_rate = rule.learning_rate if rule is optimizer else best_rate(walk, rule, g, points, width)
    rule = rule.with_rate(learning_rate)
    paths, values = walk(rule.learning_rate)
    box = box or _around(paths)
    stationary, reached, endings = _ends(slopes_of(g), paths, values, box)
    name = f.name if isinstance(f, Surface) else getattr(f, "__name__", "f").replace("<lambda>", "f")
    formula = f.formula if isinstance(f, Surface) else ""
    return Descent(name, formula, rule, paths, values, stationary, reached, endings, box, g)


def _of_a_point(f: Any) -> Callable[[Array], Any]:
    """Return the function as one of an array [2]."""
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


def _must_give_one_number(g: Callable[[Array], Any], point: Array) -> None:
    value = g(point)
    if value is None:
        raise DataError("descent: f returned nothing; does it lack its return?")
    shape = np.shape(value)
    if shape != ():
        raise ShapeError(f"descent: f returned shape {list(shape)} for a point, expected one number")


def _checked_bounds(bounds: Any) -> Box:
    box = _numbers("bounds", bounds)
    if box.shape != (2, 2) or not np.isfinite(box).all() or not (box[:, 0] < box[:, 1]).all():
        raise DataError(f"descent: bounds must be ((x from, x to), (y from, y to)), got {bounds!r}")
    (left, right), (low, high) = box.tolist()
    return (left, right), (low, high)


def _numbers(name: str, given: Any) -> Array:
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"descent: {name} must be numbers, got {given!r}") from None


def _starts(starts: Any, box: Box | None) -> Array:
    if isinstance(starts, int | np.integer) and not isinstance(starts, bool):
        if starts < 1 or box is None:
            raise DataError(f"descent: {starts} starts to spread need bounds, and to be at least 1")
        low, high = np.array(box).T
        share = (0.5 + np.arange(1, int(starts) + 1)[:, None] * SPREAD) % 1.0
        return low + share * (high - low)
    points = np.atleast_2d(_numbers("starts", starts))
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(f"descent: starts have shape {list(np.shape(starts))}, expected [starts, 2]")
    if not np.isfinite(points).all():
        raise DataError("descent: starts must be finite numbers")
    return points


def _optimizer(optimizer: Any) -> Optimizer:
    rule = optimizer_by_name(optimizer) if isinstance(optimizer, str) else optimizer
    if not isinstance(rule, Optimizer):
        raise DataError(
            f"descent: optimizer is a {type(rule).__name__}, expected a name or a record such as "
            "mc.optim.SGD(0.1)"
        )
    return rule


def _ends(slopes: Slopes, paths: Array, values: Array, box: Box) -> Any:
    """Return the points without slope that were reached, and what became of each path."""
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
    first = np.linalg.norm(slopes.gradient(paths[:, 0]), axis=1)
    steepest = float(first[np.isfinite(first)].max(initial=0.0))
    stationary, found = find_stationary(slopes, paths[staying, -1], steepest, width)
    reached: list[int | None] = [None] * len(paths)
    for start, which in zip(staying.tolist(), found, strict=True):
        reached[start] = which
    endings = [
        DIVERGED if gone else MOVING if i is None else stationary[i].label
        for gone, i in zip(diverged, reached, strict=True)
    ]
    return tuple(stationary), tuple(reached), tuple(endings)


def _come_to_rest(paths: Array) -> Array:
    """Return which paths hardly move any more at their end, beside the way that they came, bool [starts]."""
    with np.errstate(invalid="ignore", over="ignore"):
        last = np.linalg.norm(paths[:, -1] - paths[:, -2], axis=1)
        return last <= AT_REST * np.linalg.norm(paths[:, -1] - paths[:, 0], axis=1)


def _size(points: Array) -> float:
    """Return how large the numbers of some points are, or how far apart: about the width of a picture."""
    return float(max(np.ptp(points, axis=0).max(), np.abs(points).max())) or 1.0


def _around(paths: Array) -> Box:
    """Return a box around paths, a fifth wider; one around the starts, where a path runs away."""
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
