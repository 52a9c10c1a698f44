"""Fit the polynomials of the native functions: `python long_fit_mathlib.py [NAME ...]`; needs mpmath.

Each row is the polynomial with the smallest largest weighted error on an interval (Remez 1934, by exchange of
extrema on a grid); coefficients are printed from the lowest power up, rounded to the format.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 60
Real = Any


@dataclass(frozen=True)
class Fit:
    """What to fit: target(x) by a polynomial in x on [low, high], the error times weight(x)."""

    low: float
    high: float
    target: Callable[[Real], Real]
    weight: Callable[[Real], Real]
    degrees: dict[str, int]


def remez(fit: Fit, degree: int) -> tuple[list[Real], Real]:
    """Return the coefficients and the largest weighted error."""
    size = degree + 2
    half, middle = mp.mpf(fit.high - fit.low) / 2, mp.mpf(fit.high + fit.low) / 2
    grid = [middle + half * mp.cos(mp.pi * (mp.mpf(j) + 0.5) / (40 * size)) for j in range(40 * size)][::-1]
    values, weights = [fit.target(x) for x in grid], [fit.weight(x) for x in grid]
    places = [round((1 - mp.cos(mp.pi * j / (size - 1))) / 2 * (len(grid) - 1)) for j in range(size)]
    for j in range(1, size):
        places[j] = max(places[j], places[j - 1] + 1)
    coefficients: list[Real] = []
    level, errors = mp.inf, [mp.inf]
    # Powers of (x - middle) / half would be better conditioned; sixty digits make up for it.
    for _ in range(30):
        rows = [
            [grid[p] ** k for k in range(degree + 1)] + [(-1) ** j / weights[p]] for j, p in enumerate(places)
        ]
        solved = list(mp.lu_solve(mp.matrix(rows), mp.matrix([values[p] for p in places])))
        coefficients, level = solved[:-1], abs(solved[-1])
        errors = [
            w * (v - mp.polyval(coefficients[::-1], x)) for x, v, w in zip(grid, values, weights, strict=True)
        ]
        new = extrema(errors, size)
        if new == places or len(new) < size:
            break
        places = new
    return coefficients, max(max(map(abs, errors)), level)


def extrema(errors: list[Real], size: int) -> list[int]:
    """Return the places of the largest errors of alternating sign."""
    places = [0]
    for j in range(1, len(errors)):
        if (errors[j] > 0) == (errors[places[-1]] > 0):
            if abs(errors[j]) > abs(errors[places[-1]]):
                places[-1] = j
        else:
            places.append(j)
    while len(places) > size:
        places.pop(0 if abs(errors[places[0]]) < abs(errors[places[-1]]) else -1)
    return places


def _erfc_core(t: Real) -> Real:
    # x = 4 (1 + t) / (1 - t) is the inverse of t = (x - 4) / (x + 4).
    x = 4 * (1 + t) / (1 - t)
    scaled = mp.erfc(x) * mp.exp(x * x) if x < 1e4 else (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))
    return (1 + 2 * x) * scaled


LN2H = 0.3467
T8 = 0.41422
# (pi/4)^2 and a little, for the largest angles that are reduced with a rounded 2/pi.
QUARTER = 0.6241
FITS: dict[str, Fit] = {
    # e^x = 1 + x + x^2 q(x)
    "exp": Fit(
        -LN2H, LN2H, lambda x: (mp.expm1(x) - x) / x**2, lambda x: x**2 / mp.exp(x), {"float": 4, "double": 9}
    ),
    # e^x - 1 = x + x^2 q(x)
    "expm1": Fit(
        -LN2H,
        LN2H,
        lambda x: (mp.expm1(x) - x) / x**2,
        lambda x: x**2 / mp.expm1(x),
        {"float": 5, "double": 10},
    ),
    # 2^x = 1 + x q(x) for power in float32, computed in double
    "exp2_power": Fit(
        -0.5, 0.5, lambda x: mp.expm1(x * mp.ln2) / x, lambda x: x / mp.power(2, x), {"double": 6}
    ),
    # 2^x = 1 + x q(x)
    "exp2": Fit(
        -0.5,
        0.5,
        lambda x: mp.expm1(x * mp.ln2) / x,
        lambda x: x / mp.power(2, x),
        {"float": 5, "double": 10},
    ),
    # log(1 + x) = x - x^2 / 2 + x^3 q(x)
    "log": Fit(
        -0.2930,
        0.41422,
        lambda x: (mp.log1p(x) - x + x * x / 2) / x**3,
        lambda x: x**3 / mp.log1p(x),
        {"float": 7},
    ),
    # 2 atanh(s) = 2 s + s z q(z), z = s^2
    "atanh": Fit(
        1e-30,
        0.02945,
        lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z,
        lambda z: z,
        {"double": 6, "power": 4},
    ),
    # atanh for power in double-double: atanh(s) / s = 1 + z / 3 + z^2 q(z)
    "atanh2": Fit(
        1e-30,
        0.02945,
        lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1 - z / 3) / z**2,
        lambda z: z**2,
        {"double": 7},
    ),
    # sin x = x + x z q(z); cos x = 1 - z / 2 + z^2 q(z)
    "sin": Fit(
        1e-30,
        QUARTER,
        lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z,
        {"float": 2, "double": 5},
    ),
    "cos": Fit(
        1e-30,
        QUARTER,
        lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2,
        lambda z: z**2,
        {"float": 2, "double": 5},
    ),
    # asin x = x + x z q(z)
    "asin": Fit(
        1e-30,
        0.25,
        lambda z: (mp.asin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z,
        {"float": 4, "double": 11},
    ),
    # atan x = x + x z q(z)
    "atan": Fit(
        1e-30,
        T8**2,
        lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z,
        {"float": 3, "double": 10},
    ),
    # tanh x = x + x z q(z)
    "tanh": Fit(
        1e-30,
        0.3907,
        lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        lambda z: z * mp.sqrt(z) / mp.tanh(mp.sqrt(z)),
        {"float": 4, "double": 10},
    ),
    # erf x = x + x q(z) near 0; erf x = 1 - exp(x q(x)) beyond
    "erf_near": Fit(
        1e-30,
        1.0,
        lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1,
        lambda z: mp.mpf(1),
        {"float": 6, "double": 13},
    ),
    "erf_far": Fit(
        0.95, 3.95, lambda x: mp.log(mp.erfc(x)) / x, lambda x: x * mp.erfc(x) / mp.erf(x), {"float": 7}
    ),
    "erf_far64": Fit(
        0.95, 5.95, lambda x: mp.log(mp.erfc(x)) / x, lambda x: x * mp.erfc(x) / mp.erf(x), {"double": 18}
    ),
    # (1 + 2 x) erfc(x) exp(x^2) in t = (x - 4) / (x + 4)
    "erfc": Fit(-1.0, 0.47, _erfc_core, lambda t: 1 / _erfc_core(t), {"float": 10}),
    "erfc64": Fit(-1.0, 0.75, _erfc_core, lambda t: 1 / _erfc_core(t), {"double": 23}),
}


def main(names: list[str]) -> None:
    """Print the tables that were asked for."""
    for name in names or FITS:
        for element, degree in FITS[name].degrees.items():
            coefficients, error = remez(FITS[name], degree)
            kind = np.float32 if element == "float" else np.float64
            print(f"{name} {element} degree {degree}: error 2^{float(mp.log(error, 2)):.2f}")
            if element == "float":
                # Eight digits tell one float from the next; what is written is what is used.
                print("   ", ", ".join(f"{float(np.float32(float(c))):.9g}" for c in coefficients))
            else:
                print("   ", ", ".join(repr(float(kind(float(c)))) for c in coefficients))


if __name__ == "__main__":
    main(sys.argv[1:])
