"""Filled contour plots of a function of two variables, shared by the pictures of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicolumn.picture import QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Array = np.ndarray


def pale_map() -> Colormap:
    """Return a sequential colour map from deep to pale blue whose lightness rises evenly.

    Low values are dark. None of its colours is saturated, so that paths drawn in `COLOURS` stand out.
    """
    from matplotlib.colors import LinearSegmentedColormap

    stops = ("#46658c", "#7590b0", "#a3b8cd", "#cdd9e4", "#f1f4f7")
    return LinearSegmentedColormap.from_list("minicolumn_pale", stops)


def levels_of(values: Array, count: int = 14) -> Array:
    """Return contour levels for values: linearly spaced, or log-spaced above the minimum.

        linear  low + k (high - low) / count                  where  high - low <= 5 (median - low)
        else    low, then low + geomspace(near, high - low)   near = the 0.2 % quantile - low

    Log spacing shows the floor of a valley whose walls are thousands of times as high.

    values      of any shape; NaN and infinite ones do not count
    count       of bands between levels
    Returns     ascending, [count + 1]; [3] around a constant, where there is nothing to contour

    >>> levels_of(np.array([0.0, 1.0, 2.0]), count=4)
    array([0. , 0.5, 1. , 1.5, 2. ])
    """
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() == finite.max():
        low = float(finite.min()) if finite.size else 0.0
        return np.linspace(low - 0.5, low + 0.5, 3)
    low, high = float(finite.min()), float(finite.max())
    middle = float(np.median(finite)) - low
    if high - low <= 5.0 * middle:
        return np.linspace(low, high, count + 1)
    # The innermost level encloses about 1 / 500 of the picture.
    nearest = max(float(np.quantile(finite, 0.002)) - low, (high - low) * 1e-6)
    return np.concatenate([[low], low + np.geomspace(nearest, high - low, count)])


def round_ticks(levels: Array) -> list[float]:
    """Return a round number near each of some ascending levels: as few digits as leave it where it is.

    Nearer than a third of the way to the next level, and between the first and the last.

    >>> round_ticks(np.array([0.0, 0.0712, 0.4831, 3.277, 22.2, 151.4]))
    [0.0, 0.07, 0.5, 3.0, 20.0, 150.0]
    """
    gaps = np.diff(levels)
    room = np.minimum(np.append(gaps, gaps[-1:]), np.append(gaps[:1], gaps)) / 3.0
    found = []
    for level, near in zip(levels.tolist(), room.tolist(), strict=True):
        shorter = (float(f"{level:.{digits}e}") for digits in range(16))
        fits = (x for x in shorter if abs(x - level) <= near and levels[0] <= x <= levels[-1])
        found.append(next(fits, level))
    return found


def contours(axes: Axes, x: Array, y: Array, values: Array, label: str) -> None:
    """Draw a function on a grid as filled contours, thin lines between the levels, and a colour bar.

    x, y        coordinates of the grid's columns and rows, [columns] and [rows]
    values      [rows, columns]; NaN and infinite ones stay white
    label       of the colour bar; "" leaves it out, where pictures stand close together
    """
    from matplotlib.colors import BoundaryNorm

    levels = levels_of(values)
    shown = np.ma.masked_invalid(values)
    norm = BoundaryNorm(levels, 256)
    filled = axes.contourf(x, y, shown, levels=levels, cmap=pale_map(), norm=norm, extend="neither")
    axes.contour(x, y, shown, levels=levels, colors="white", linewidths=0.5, linestyles="solid", alpha=0.6)
    ticks = round_ticks(levels)
    bar = axes.figure.colorbar(filled, ax=axes, pad=0.02, fraction=0.05, aspect=32, format="%g", ticks=ticks)
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.ax.tick_params(colors=QUIET, length=0, labelsize=8)
    steps = np.diff(levels)
    grows = bool(label) and steps[-1] > 2.0 * steps[1]
    bar.set_label(f"{label}, in growing steps" if grows else label, color=QUIET, fontsize=9)
