"""Test functions for optimization: functions of two variables with known minima, and their catalogue.

mc.explain.surfaces.rosenbrock                  a `Surface`, callable on a point [2]
mc.explain.SURFACES                             the catalogue, by name
mc.descent("himmelblau", starts=8)              a name stands for its record
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from minicolumn.registry import Registry

Array = np.ndarray
# ((x from, x to), (y from, y to))
Box = tuple[tuple[float, float], tuple[float, float]]
# One number, as a function of an array returns it: traced, NumPy's or Python's.
Scalar = Array | np.floating | float
# An objective: a function of a point [2].
Objective = Callable[[Array], Scalar]


@final
@dataclass(frozen=True)
class Surface:
    """A test function of two variables: its formula, its global minima and the region worth plotting.

    name        the key in `SURFACES`
    function    of an array [2], in NumPy, so that it can be traced and differentiated
    formula     the same as text, in x and y
    bounds      ((x from, x to), (y from, y to)) of the region that pictures show
    minima      all global minimizers within the bounds, (x, y) each
    value       the minimum: the function's value at each of them
    source      who introduced it, and what makes it hard
    Differs     most benchmark suites define these for n variables; here they have two, which can be drawn

    >>> rosenbrock(np.array([1.0, 1.0]))
    np.float64(0.0)
    """

    name: str
    function: Objective
    formula: str
    bounds: Box
    minima: tuple[tuple[float, float], ...]
    value: float
    source: str

    def __call__(self, p: Array) -> Scalar:
        """Return the value at a point [2]."""
        return self.function(p)

    def __repr__(self) -> str:
        return f"Surface({self.name}: {self.formula})"


def _parabola(p: Array) -> Scalar:
    return 0.5 * (p[0] ** 2 + 20.0 * p[1] ** 2)


def _rosenbrock(p: Array) -> Scalar:
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


def _himmelblau(p: Array) -> Scalar:
    return (p[0] ** 2 + p[1] - 11.0) ** 2 + (p[0] + p[1] ** 2 - 7.0) ** 2


def _beale(p: Array) -> Scalar:
    x, y = p[0], p[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _rastrigin(p: Array) -> Scalar:
    return 20.0 + np.sum(p**2 - 10.0 * np.cos(2.0 * math.pi * p))


def _saddle(p: Array) -> Scalar:
    return p[0] ** 2 - p[1] ** 2 + 0.25 * p[1] ** 4


parabola = Surface(
    "parabola",
    _parabola,
    "(x^2 + 20 y^2) / 2",
    ((-4.0, 4.0), (-2.0, 2.0)),
    ((0.0, 0.0),),
    0.0,
    "a narrow valley: its curvatures are 1 and 20, so a rate of 0.1 crosses it and crawls along it",
)
rosenbrock = Surface(
    "rosenbrock",
    _rosenbrock,
    "(1 - x)^2 + 100 (y - x^2)^2",
    ((-2.0, 2.0), (-1.0, 3.0)),
    ((1.0, 1.0),),
    0.0,
    "Rosenbrock 1960: a bent valley whose floor hardly falls",
)
himmelblau = Surface(
    "himmelblau",
    _himmelblau,
    "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    ((-5.0, 5.0), (-5.0, 5.0)),
    (
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ),
    0.0,
    "Himmelblau 1972: four minima of equal depth, so the start decides",
)
beale = Surface(
    "beale",
    _beale,
    "(1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
    ((-4.5, 4.5), (-4.5, 4.5)),
    ((3.0, 0.5),),
    0.0,
    "Beale 1958: wide plateaus between steep walls",
)
rastrigin = Surface(
    "rastrigin",
    _rastrigin,
    "20 + x^2 - 10 cos(2 pi x) + y^2 - 10 cos(2 pi y)",
    ((-2.5, 2.5), (-2.5, 2.5)),
    ((0.0, 0.0),),
    0.0,
    "Rastrigin 1974: a local minimum near every pair of integers",
)
saddle = Surface(
    "saddle",
    _saddle,
    "x^2 - y^2 + y^4 / 4",
    ((-2.0, 2.0), (-2.2, 2.2)),
    ((0.0, -math.sqrt(2.0)), (0.0, math.sqrt(2.0))),
    -1.0,
    "a saddle at (0, 0) between two minima: from y = 0 descent ends on it",
)

SURFACES: Registry[Surface] = Registry(
    "surface",
    {surface.name: surface for surface in (parabola, rosenbrock, himmelblau, beale, rastrigin, saddle)},
)


def surface_by_name(name: str) -> Surface:
    """Return the test function of a name.

    name        a key of `SURFACES`: parabola, rosenbrock, himmelblau, beale, rastrigin or saddle
    Errors      DataError for an unknown name, with the nearest known one

    >>> surface_by_name("saddle").value
    -1.0
    """
    return SURFACES[name]
