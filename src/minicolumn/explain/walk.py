"""Optimizer trajectories: all steps from all starts in one native call, and a learning-rate search over them.

    p[k+1] = p[k] + optimizer's update of gradient f(p[k])

The loop over the steps lies inside one over the starts (`mc.scan`), and the rate is an argument, so one
compiled function serves every rate that the search tries.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicolumn.autodiff.derivatives import grad, value_and_grad
from minicolumn.errors import DataError
from minicolumn.explain.stationary import REACHED
from minicolumn.explain.surfaces import Objective, Scalar
from minicolumn.lower.compile import compile
from minicolumn.optim import Optimizer, apply_updates
from minicolumn.optim.transform import Moments
from minicolumn.trace.loops import scan

Array = np.ndarray
# A function of a learning rate that gives paths and the objective's values along them.
Walk = Callable[[float], tuple[Array, Array]]
# The same for any starts: a function of them and a rate.
Walker = Callable[[Array, float], tuple[Array, Array]]
# Rates that are tried, each half the one before.
RATES = 20
# By how much the mean remaining descent of a rate may be larger than the least, so that it descends well, and
# than that of another, so that it descends as well.
WELL, NEARLY = 0.05, 0.01
# A rate settles as soon as the best if it takes at most this share of steps more.
AS_SOON = 0.1
# A last step shorter than this share of the path's displacement is rest.
AT_REST = 1e-4


def walk_of(g: Objective, rule: Optimizer, points: Array, steps: int) -> Walk:
    """Return the trajectories of an optimizer from some starts as a function of its learning rate.

    points      starts, float64 [starts, 2]; the rest as `walker_of` has it
    """
    walker = walker_of(g, rule, steps)
    return lambda rate: walker(points, rate)


def walker_of(g: Objective, rule: Optimizer, steps: int) -> Walker:
    """Return the trajectories of an optimizer as a function of starts and learning rate, compiled once.

    g           the objective, of a point [2], traceable
    rule        the optimizer; its own learning rate is not used
    steps       that each path takes
    Returns     a function from starts, float64 [starts, 2], and a rate to paths [starts, steps + 1, 2], the
                starts first, and the objective along them, [starts, steps + 1]; a path that diverges goes on
                in infinities and NaN
    """

    def walk(points: Array, rate: Array) -> tuple[Array, Array, Array, Array]:
        def one(state: tuple[()], start: Array) -> tuple[tuple[()], tuple[Array, Array, Array, Scalar]]:
            def step(
                state: tuple[Array, Moments], _: None
            ) -> tuple[tuple[Array, Moments], tuple[Array, Scalar]]:
                point, moments = state
                value, gradient = value_and_grad(g)(point)
                updates, moments = rule.step(gradient, moments, point, rate)
                return (apply_updates(point, updates), moments), (point, value)

            (end, _), (path, values) = scan(step, (start, rule.start(start)), None, length=steps)
            return state, (path, values, end, g(end))

        return scan(one, (), points)[1]

    compiled = compile(walk, dims={0: "points"})

    def at(points: Array, rate: float) -> tuple[Array, Array]:
        path, values, end, last = compiled(points, np.float64(rate))
        paths = np.concatenate([path, end[:, None]], axis=1)
        return paths, np.concatenate([values, last[:, None]], axis=1).astype(np.float64)

    return at


def best_rate(walk: Walk, rule: Optimizer, g: Objective, points: Array, width: float) -> float:
    """Return the learning rate of a geometric grid whose paths settle first, among those that descend well.

        left(rate)  = mean over starts of  min(2, (mean over steps of f - lowest) / (f(start) - lowest))
        rate        = argmin of the steps until the paths settle, where left(rate) <= min left + 0.05

    `lowest` is the least value that a start came to at any rate. `left` is the remaining descent, averaged
    over the steps: 0 is down at once, 1 is no descent. It says little of a direction in which f is flat,
    however long the path still moves along it; that is what the steps until it settles are for. The grid has
    20 rates, each half the one before, from the one whose median first step is a quarter of the width. Of
    rates that settle as soon, but for a tenth, and descend as well, but for 0.01, the smallest is kept, the
    furthest from diverging.

    walk        of `walk_of`, for the same points
    width       the longer side of the region, in units of the coordinates
    Errors      DataError where f is not finite at a start, or where no rate descends
    Differs     Smith's range test (`mc.train.find_learning_rate`) raises the rate within one run; these runs
                are so short that each rate can have its own
    """
    values = [float(g(point)) for point in points]
    for point, value in zip(points, values, strict=True):
        if not np.isfinite(value):
            raise DataError(f"descent: f is {value} at the start {tuple(map(float, point))}; start elsewhere")
    with np.errstate(over="ignore"):  # of a gradient that overflows no more is asked
        stride = np.median([np.linalg.norm(_first_update(g, rule, point)) for point in points])
    longest = 0.25 * width / stride if 0 < stride < np.inf else 0.01 * width
    rates = [float(f"{longest / 2**k:.2g}") for k in range(RATES)]
    walks = [walk(rate) for rate in rates]
    left = _remaining([values for _, values in walks])
    best = np.nanmin(left) if not np.isnan(left).all() else np.nan
    if not np.isfinite(best):
        raise DataError("descent: no rate leads anywhere, f is too large or too steep; give a learning_rate")
    settled = np.array([np.mean([_settled(path, REACHED * width) for path in paths]) for paths, _ in walks])
    settled[~(left <= best + WELL)] = np.inf
    soon = settled <= settled.min() * (1.0 + AS_SOON)
    return min(
        rate for rate, fits in zip(rates, soon & (left <= left[soon].min() + NEARLY), strict=True) if fits
    )


def _remaining(values: list[Array]) -> Array:
    """Return for each rate the remaining descent, on the average over steps and starts; NaN for no way.

    values      of the objective along the paths, [starts, steps + 1] for each rate
    """
    kept = [np.where(np.isfinite(v).all(axis=1, keepdims=True), v, np.inf) for v in values]
    lowest = np.min([v.min(axis=1) for v in kept], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):  # a path that leaves the numbers is no way
        whole = np.maximum(kept[-1][:, 0] - lowest, np.finfo(float).tiny)
        return np.array([np.minimum((v.mean(axis=1) - lowest) / whole, 2.0).mean() for v in kept])


def _settled(path: Array, near: float) -> int:
    """Return the step from which a path [steps + 1, 2] stays near its end; all steps if it is not at rest."""
    with np.errstate(over="ignore", invalid="ignore"):
        last, whole = np.linalg.norm(path[-1] - path[-2]), np.linalg.norm(path[-1] - path[0])
        away = ~(np.linalg.norm(path - path[-1], axis=1) <= near)
    if not last <= AT_REST * whole:
        return len(path) - 1
    return int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0


def _first_update(g: Objective, rule: Optimizer, point: Array) -> Array:
    """Return the optimizer's first update [2] at a point, for a learning rate of 1."""
    return rule.step(grad(g)(point), rule.start(point), point, 1.0)[0]
