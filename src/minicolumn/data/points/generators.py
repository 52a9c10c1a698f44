"""Generators of points: the six of TensorFlow Playground, draw for draw, and six more.

Each is a function of how many points, how much noise (a share: 0.5 is a noise of 50 percent) and a source of
random numbers, and returns points (x1, x2, target). A target is the index of a class, or a number. Random
numbers are drawn in a fixed order, so that the same seed gives the same points.
"""

from __future__ import annotations

import math
from typing import Annotated

from minicolumn.data.points.arc4 import Arc4
from minicolumn.registry import Integer

Point = tuple[float, ...]  # the inputs and then the target
Points = list[Point]
NEGATIVE, POSITIVE = 0, 1  # the indices of the classes "-1" and "+1"
CLASSES = Integer(help="How many classes.", ge=2, le=6)

# Those of TensorFlow Playground: with another order of draws they would be others --------------------------


def circle(count: int, noise: float, random: Arc4) -> Points:
    """Draw a disc of radius 2.5 within a ring from 3.5 to 5; noise moves where the class is looked up."""
    points: Points = []
    for number, low, high in zip(_halves(count), (0.0, 5.0 * 0.7), (5.0 * 0.5, 5.0), strict=True):
        for _ in range(number):
            r, angle = random.uniform(low, high), random.uniform(0.0, 2.0 * math.pi)
            x, y = r * math.sin(angle), r * math.cos(angle)
            near, far = _moved(x, y, 5.0, noise, random)
            points.append((x, y, _sign(math.sqrt(near * near + far * far) < 5.0 * 0.5)))
    return points


def xor(count: int, noise: float, random: Arc4) -> Points:
    """Draw four squares, 0.3 away from the axes: +1 where x1 x2 >= 0; noise moves where that is looked up."""
    points: Points = []
    for _ in range(count):
        x = _padded(random.uniform(-5.0, 5.0))
        y = _padded(random.uniform(-5.0, 5.0))
        right, up = _moved(x, y, 5.0, noise, random)
        points.append((x, y, _sign(right * up >= 0.0)))
    return points


def gauss(count: int, noise: float, random: Arc4) -> Points:
    """Draw two normal clouds, +1 at (2, 2) and -1 at (-2, -2), of variance 0.5 + 7 noise."""
    share = noise / 0.5
    variance = 0.5 * (1.0 - share) + 4.0 * share
    points: Points = []
    for number, centre, target in zip(_halves(count), (2.0, -2.0), (POSITIVE, NEGATIVE), strict=True):
        for _ in range(number):
            x = random.normal(centre, variance)
            points.append((x, random.normal(centre, variance), target))
    return points


def spiral(count: int, noise: float, random: Arc4) -> Points:
    """Draw two arms of 1.75 turns out to a radius of 5; noise moves the points."""
    n = count / 2
    points: Points = []
    for number, turned, target in zip(_halves(count), (0.0, math.pi), (POSITIVE, NEGATIVE), strict=True):
        for i in range(number):
            r = i / n * 5.0
            t = 1.75 * i / n * 2.0 * math.pi + turned
            x = r * math.sin(t) + random.uniform(-1.0, 1.0) * noise
            points.append((x, r * math.cos(t) + random.uniform(-1.0, 1.0) * noise, target))
    return points


def plane(count: int, noise: float, random: Arc4) -> Points:
    """Draw the number (x1 + x2) / 10 over a square; noise moves where it is looked up."""
    points: Points = []
    for _ in range(count):
        x, y, right, up = _square(noise, random)
        share = (right + up + 10.0) / 20.0
        points.append((x, y, -1.0 * (1.0 - share) + share))
    return points


# x1, x2 and sign of each bump
_BUMPS = ((-4.0, 2.5, 1), (0.0, 2.5, -1), (4.0, 2.5, 1), (-4.0, -2.5, -1), (0.0, -2.5, 1), (4.0, -2.5, -1))


def multi_gauss(count: int, noise: float, random: Arc4) -> Points:
    """Draw the height of six cones of radius 2, up and down in turn; noise moves where it is looked up."""
    points: Points = []
    for _ in range(count):
        x, y, right, up = _square(noise, random)
        points.append((x, y, _height(right, up)))
    return points


def _height(x: float, y: float) -> float:
    """Return the height of the bump that is largest in absolute value, the first of equal ones."""
    found = 0.0
    for cx, cy, sign in _BUMPS:
        height = sign * (1.0 - min(1.0, math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) / 2.0))
        if abs(height) > abs(found):
            found = height
    return found


# Others -----------------------------------------------------------------------------------------------------


def moons(count: int, noise: float, random: Arc4) -> Points:
    """Draw two half circles of radius 3, one hooked into the other; noise moves the points."""
    points: Points = []
    for number, side, target in zip(_halves(count), (1.0, -1.0), (POSITIVE, NEGATIVE), strict=True):
        for _ in range(number):
            angle = random.uniform(0.0, math.pi)
            x = side * (3.0 * math.cos(angle) - 1.5)
            points.append((*_spread(x, side * (3.0 * math.sin(angle) - 0.75), noise, random), target))
    return points


def rings(count: int, noise: float, random: Arc4, *, classes: Annotated[int, CLASSES] = 3) -> Points:
    """Draw a disc and rings around it, one a class, out to a radius of 5; noise moves the points."""
    width = 5.0 / classes
    points: Points = []
    for i in range(count):
        target = i % classes
        r = width * (target + 0.75 * random())
        angle = random.uniform(0.0, 2.0 * math.pi)
        points.append((*_spread(r * math.sin(angle), r * math.cos(angle), noise, random), target))
    return points


def blobs(count: int, noise: float, random: Arc4, *, classes: Annotated[int, CLASSES] = 4) -> Points:
    """Draw a normal cloud a class, around a circle of radius 3.5; noise widens them."""
    deviation = 0.6 + 3.0 * noise
    points: Points = []
    for i in range(count):
        target = i % classes
        angle = 2.0 * math.pi * (target / classes + 1 / 8)
        x = random.normal(3.5 * math.cos(angle), deviation * deviation)
        points.append((x, random.normal(3.5 * math.sin(angle), deviation * deviation), target))
    return points


def checkerboard(count: int, noise: float, random: Arc4) -> Points:
    """Draw a board of 4 x 4 squares; noise moves where the colour is looked up."""
    points: Points = []
    for _ in range(count):
        x, y = random.uniform(-5.0, 5.0), random.uniform(-5.0, 5.0)
        right, up = _moved(x, y, 2.5, noise, random)
        points.append((x, y, _sign((math.floor(right / 2.5) + math.floor(up / 2.5)) % 2 == 0)))
    return points


def curve(count: int, noise: float, random: Arc4) -> Points:
    """Draw the number x1 sin(x1) / 5, of one input; noise is added to it."""
    points: Points = []
    for _ in range(count):
        x = random.uniform(-6.0, 6.0)
        points.append((x, x * math.sin(x) / 5.0 + random.normal(0.0, noise * noise)))
    return points


def waves(count: int, noise: float, random: Arc4) -> Points:
    """Draw the number sin(x1) cos(x2 / 2) over a square; noise is added to it."""
    points: Points = []
    for _ in range(count):
        x, y = random.uniform(-6.0, 6.0), random.uniform(-6.0, 6.0)
        points.append((x, y, math.sin(x) * math.cos(y / 2.0) + random.normal(0.0, noise * noise)))
    return points


def _halves(count: int) -> tuple[int, int]:
    return count - count // 2, count // 2


def _sign(is_positive: bool) -> int:
    return POSITIVE if is_positive else NEGATIVE


def _padded(x: float) -> float:
    return x + (0.3 if x > 0.0 else -0.3)


def _moved(x: float, y: float, reach: float, noise: float, random: Arc4) -> tuple[float, float]:
    """Return a place moved by noise, to each side at the most so far."""
    right = random.uniform(-reach, reach) * noise
    return x + right, y + random.uniform(-reach, reach) * noise


def _square(noise: float, random: Arc4) -> tuple[float, float, float, float]:
    """Draw a place of the whole square, and where its number is looked up."""
    x = random.uniform(-6.0, 6.0)
    y = random.uniform(-6.0, 6.0)
    return x, y, *_moved(x, y, 6.0, noise, random)


def _spread(x: float, y: float, noise: float, random: Arc4) -> tuple[float, float]:
    """Return a place with normal noise on both coordinates, of standard deviation 2 noise."""
    variance = 4.0 * noise * noise
    x = random.normal(x, variance)
    return x, random.normal(y, variance)
