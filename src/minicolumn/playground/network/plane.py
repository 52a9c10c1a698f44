"""The plane of the inputs that maps are drawn over: both inputs, a slice, or principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
SIDE = 100  # of a map, in cells
LOW, HIGH = (-6.0, -6.0), (6.0, 6.0)  # the corners of what the generators' points lie in
MARGIN = 0.05  # around the points, as a share of their range


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane in the space of the inputs: x = origin + u * across + v * up.

    origin      [inputs], where u = v = 0
    across, up  [inputs], what u and v stand for
    low, high   (u, v) at the lower left and the upper right corner
    names       of both axes

    >>> plane = Plane.of_inputs(np.zeros((1, 2)), ("x1", "x2"), (0, 1), low=(-6, -6), high=(6, 6))
    >>> plane.grid(2).tolist()
    [[-3.0, 3.0], [3.0, 3.0], [-3.0, -3.0], [3.0, -3.0]]
    """

    origin: Array
    across: Array
    up: Array
    low: tuple[float, float]
    high: tuple[float, float]
    names: tuple[str, str]

    @classmethod
    def of_inputs(
        cls,
        X: Array,
        names: tuple[str, ...],
        axes: tuple[int, int],
        at: dict[int, float] | None = None,
        low: tuple[float, float] | None = None,
        high: tuple[float, float] | None = None,
    ) -> Plane:
        """Return the slice along two inputs, where the others are at their medians or `at` given values."""
        origin = np.nanmedian(X, axis=0) if len(X) else np.zeros(X.shape[1])
        for place, value in (at or {}).items():
            origin[place] = value
        origin[list(axes)] = 0.0
        unit = np.eye(X.shape[1])
        across, up = unit[axes[0]], unit[axes[1]]
        if axes[0] == axes[1]:  # of a single input: the second axis is the answer's own
            up = np.zeros(X.shape[1])
        ends = _ends(X @ across, X @ up)
        return cls(origin, across, up, low or ends[0], high or ends[1], (names[axes[0]], names[axes[1]]))

    @classmethod
    def of_components(cls, X: Array) -> Plane:
        """Return the plane of the two directions in which standardised inputs spread the most.

        Source      principal components, Pearson 1901; inputs are standardised, so that units do not count
        """
        mean, scale = X.mean(axis=0), X.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        directions = np.linalg.svd((X - mean) / scale, full_matrices=False)[2][:2]
        directions *= np.sign(directions[np.arange(2), np.abs(directions).argmax(axis=1)])[:, None]
        plane = cls(mean, directions[0] * scale, directions[1] * scale, (0, 0), (0, 0), ("PC1", "PC2"))
        points = plane.project(X)
        low, high = _ends(points[:, 0], points[:, 1])
        return cls(plane.origin, plane.across, plane.up, low, high, plane.names)

    def grid(self, side: int = SIDE) -> Array:
        """Return the inputs at the middles of side * side cells, from the upper left one on, row by row."""
        steps = (np.arange(side) + 0.5) / side
        u = self.low[0] + (self.high[0] - self.low[0]) * steps
        v = self.high[1] + (self.low[1] - self.high[1]) * steps
        across, up = np.tile(u, side), np.repeat(v, side)
        return self.origin + across[:, None] * self.across + up[:, None] * self.up

    def project(self, X: Array) -> Array:
        """Return where rows lie in the plane, (u, v): the nearest point of it.

        Returns     [rows, 2]
        """
        basis = np.stack([self.across, self.up])
        scale = np.abs(basis).max(axis=0)  # in standardised inputs the basis is orthogonal
        scale = np.where(scale > 0, scale, 1.0)  # an input that the plane does not go along is not looked at
        basis, offsets = basis / scale, (X - self.origin) / scale
        squares = np.sum(basis * basis, axis=1)
        return offsets @ basis.T / np.where(squares > 0, squares, 1.0)


def _ends(u: Array, v: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the corners of a rectangle around points, with a margin."""
    lows, highs = [], []
    for values in (u, v):
        low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
        margin = MARGIN * (high - low) or 1.0
        lows.append(low - margin)
        highs.append(high + margin)
    return (lows[0], lows[1]), (highs[0], highs[1])
