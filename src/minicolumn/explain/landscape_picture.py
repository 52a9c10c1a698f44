"""Contour plot of a loss landscape: what `Landscape.plot` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.explain.contours import contours
from minicolumn.picture import COLOURS, INK, QUIET, check_file, legend, new_axes, quiet, save, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minicolumn.explain.landscape import Landscape
    from minicolumn.model.files import PathLike


def plot_landscape(landscape: Landscape, path: PathLike | None, ax: Axes | None) -> Axes:
    """Draw a loss landscape; see `Landscape.plot` for the arguments.

    ax          None makes a figure of its own, with a legend below; others get a legend inside and less text
    """
    check_file("Landscape.plot", path)
    own = ax is None
    axes: Axes = new_axes(7.6, 7.0) if ax is None else ax
    contours(axes, landscape.a, landscape.b, landscape.losses, "loss" if own else "")
    handles = [*_trajectory(axes, landscape), _weights(axes, landscape)]
    axes.set_xlim(landscape.a[0], landscape.a[-1])
    axes.set_ylim(landscape.b[0], landscape.b[-1])
    first, second = _labels(landscape)
    axes.set_xlabel(first, color=QUIET)
    axes.set_ylabel(second, color=QUIET)
    quiet(axes)
    titled(axes, "loss around the weights", f"along {landscape.along}")
    legend(axes, handles, own)
    if path is not None:
        save(axes, path)
    return axes


def _labels(landscape: Landscape) -> tuple[str, str]:
    """Return the axes' labels: the unit of random directions, the explained variance of principal ones."""
    if landscape.explained_variance_ratio is None:
        return "first direction, in lengths of each unit's weights", "second direction"
    first, second = landscape.explained_variance_ratio
    return f"first direction ({first:.0%} of the way)", f"second direction ({second:.0%})"


def _weights(axes: Axes, landscape: Landscape) -> Any:
    """Mark the weights by a star at (0, 0); return their entry of the legend."""
    text = f"the weights, loss {landscape.centre:.4g}"
    (mark,) = axes.plot(
        0.0, 0.0, "*", ms=17, color=COLOURS[0], mec="white", mew=1.3, zorder=8, label=text, clip_on=False
    )
    return mark


def _trajectory(axes: Axes, landscape: Landscape) -> list[Any]:
    """Draw the projected trajectory and a ring at its start; return their entries of the legend, if any."""
    from matplotlib import patheffects

    if landscape.path is None:
        return []
    halo = [patheffects.withStroke(linewidth=3.4, foreground="white", alpha=0.85)]
    text = f"path of {len(landscape.path)} weights"
    look: dict[str, Any] = {
        "color": INK,
        "lw": 1.5,
        "marker": "o",
        "ms": 4,
        "mec": "none",
        "path_effects": halo,
    }
    (line,) = axes.plot(*landscape.path.T, zorder=4, label=text, **look)
    (start,) = axes.plot(
        *landscape.path[:1].T, "o", ms=8, mfc="white", mec=INK, mew=1.8, zorder=6, label="start"
    )
    return [line, start]
