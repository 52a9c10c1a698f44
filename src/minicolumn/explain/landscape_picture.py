"""The loss around a network's weights as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.explain.contours import contours
from minicolumn.picture import COLOURS, INK, QUIET, check_file, legend, new_axes, quiet, save, titled

if TYPE_CHECKING:
    from minicolumn.explain.landscape import Landscape


def plot_landscape(landscape: Landscape, path: Any, axes: Any) -> Any:
    """Draw a landscape; see `Landscape.plot`."""
    check_file("Landscape.plot", path)
    own = axes is None
    axes = new_axes(7.6, 7.0) if own else axes
    contours(axes, landscape.a, landscape.b, landscape.losses, "loss" if own else "")
    handles = [*_walked(axes, landscape), _weights(axes, landscape)]
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
    if landscape.shares is None:
        return "first direction, in lengths of each unit's weights", "second direction"
    first, second = landscape.shares
    return f"first direction ({first:.0%} of the way)", f"second direction ({second:.0%})"


def _weights(axes: Any, landscape: Landscape) -> Any:
    """Mark the weights; return their entry of the legend."""
    text = f"the weights, loss {landscape.centre:.4g}"
    (mark,) = axes.plot(
        0.0, 0.0, "*", ms=17, color=COLOURS[0], mec="white", mew=1.3, zorder=8, label=text, clip_on=False
    )
    return mark


def _walked(axes: Any, landscape: Landscape) -> list[Any]:
    """Draw the path with its first point; return their entries of the legend."""
    from matplotlib import patheffects

    if landscape.path is None:
        return []
    halo = [patheffects.withStroke(linewidth=3.4, foreground="white", alpha=0.85)]
    text = f"path of {len(landscape.path)} weights"
    look = {"color": INK, "lw": 1.5, "marker": "o", "ms": 4, "mec": "none", "path_effects": halo}
    (line,) = axes.plot(*landscape.path.T, zorder=4, label=text, **look)
    (start,) = axes.plot(
        *landscape.path[:1].T, "o", ms=8, mfc="white", mec=INK, mew=1.8, zorder=6, label="start"
    )
    return [line, start]
