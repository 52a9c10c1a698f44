"""Many steps of an optimizer from many starts, as one native call, and a learning rate for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.autodiff.derivatives import grad, value_and_grad
from minicolumn.errors import DataError
from minicolumn.lower.compile import compile
from minicolumn.optim import Optimizer, apply_updates
from minicolumn.trace.loops import scan

Array = np.ndarray
# Rates that are tried, each half the one before.
RATES = 20
# A rate is as good as the best if it leaves this share of the way down more, on the average over the steps.
NEARLY = 0.01


def walk_of(
    g: Callable[[Array], Any], rule: Optimizer, points: Array, steps: int
) -> Callable[[float], tuple[Array, Array]]:
    """Return the function of a learning rate that gives the paths [starts, steps + 1, 2] and their values.

    It is one loop over the steps in one over the starts, compiled once for all rates.
    """

    def walk(points: Array, rate: Array) -> Any:
        def one(state: Any, start: Array) -> Any:
            def step(state: Any, _: None) -> Any:
                point, moments = state
                value, slope = value_and_grad(g)(point)
                updates, moments = rule.step(slope, moments, point, rate)
                return (apply_updates(point, updates), moments), (point, value)

            (end, _), (path, values) = scan(step, (start, rule.start(start)), None, length=steps)
            return state, (path, values, end, g(end))

        return scan(one, (), points)[1]

    compiled = compile(walk, dims={0: "points"})

    def at(rate: float) -> tuple[Array, Array]:
        path, values, end, last = compiled(points, np.float64(rate))
        paths = np.concatenate([path, end[:, None]], axis=1)
        return paths, np.concatenate([values, last[:, None]], axis=1).astype(np.float64)

    return at


def best_rate(
    walk: Callable[[float], tuple[Array, Array]],
    rule: Optimizer,
    g: Callable[[Array], Any],
    points: Array,
    width: float,
) -> float:
    """Return the smallest of many rates whose paths come down nearly as soon as those of any."""
    values = [float(g(point)) for point in points]
    for point, value in zip(points, values, strict=True):
        if not np.isfinite(value):
            raise DataError(f"descent: f is {value} at the start {tuple(map(float, point))}; start elsewhere")
    with np.errstate(over="ignore"):  # of a slope past the end of the numbers no more is asked
        stride = np.median([np.linalg.norm(_first_update(g, rule, point)) for point in points])
    longest = 0.25 * width / stride if 0 < stride < np.inf else 0.01 * width
    rates = [float(f"{longest / 2**k:.2g}") for k in range(RATES)]
    values = [walk(rate)[1] for rate in rates]
    kept = [np.where(np.isfinite(v).all(axis=1, keepdims=True), v, np.inf) for v in values]
    lowest = np.min([v.min(axis=1) for v in kept], axis=0)
    # How much of the way down is left, on the average over the steps; 1 for a path that goes nowhere.
    with np.errstate(over="ignore", invalid="ignore"):  # a path that leaves the numbers is no way
        whole = np.maximum(kept[-1][:, 0] - lowest, np.finfo(float).tiny)
        left = [np.minimum((v.mean(axis=1) - lowest) / whole, 2.0).mean() for v in kept]
    best = np.nanmin(left) if not np.isnan(left).all() else np.nan
    if not np.isfinite(best):
        raise DataError("descent: no rate leads anywhere, f is too large or too steep; give a learning_rate")
    return min(rate for rate, share in zip(rates, left, strict=True) if share <= best + NEARLY)


def _first_update(g: Callable[[Array], Any], rule: Optimizer, point: Array) -> Array:
    return rule.step(grad(g)(point), rule.start(point), point, 1.0)[0]
