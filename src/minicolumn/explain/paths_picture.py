"""Contour plot and GIF animation of optimizer trajectories: what `Descent.plot` and `.animate` draw.

Matplotlib and Pillow are imported where they are needed, so that `descent` works without them.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.explain.contours import contours
from minicolumn.explain.stationary import REACHED, derivatives_of
from minicolumn.explain.surfaces import Surface
from minicolumn.explain.words import DIVERGED, MOVING, count, rounded, short
from minicolumn.picture import COLOURS, INK, QUIET, check_file, legend, new_axes, quiet, save, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minicolumn.explain.paths import Descent
    from minicolumn.explain.surfaces import Box
    from minicolumn.model.files import PathLike

Array = np.ndarray
# Keyword arguments of Matplotlib's artists.
Look = dict[str, Any]
# Points along each side of the picture at which the function is computed.
GRID = 241
# Seconds for which the last picture of an animation stays.
REST = 2.0
# Width of a picture in inches, and how high over it at least and at most; between them scales are the same,
# so that paths leave contours at right angles.
WIDTH, SHAPES = 7.6, (0.4, 1.25)
_MARKS = {"minimum": ("*", 17), "saddle": ("X", 11), "maximum": ("^", 11), "flat": ("D", 9)}
_DASHED = (0, (3, 1.5))


def plot_descent(descent: Descent, path: PathLike | None, axes: Axes | None) -> Axes:
    """Draw trajectories over contours; see `Descent.plot` for the arguments.

    axes        None makes a figure of its own, with a legend below; others get a legend inside and less text
    """
    check_file("Descent.plot", path)
    own = axes is None
    axes = _new_axes(descent) if axes is None else axes
    _ground(axes, descent, own)
    for number in range(len(descent.paths)):
        _draw_path(axes, descent, number)
    _draw_ends(axes, descent)
    legend(axes, _handles(descent, own), own)
    if path is not None:
        save(axes, path)
    return axes


def animate_descent(descent: Descent, path: PathLike, frames: int, seconds: float) -> None:
    """Write a GIF that repeats for ever; see `Descent.animate` for the arguments and errors."""
    check_file("Descent.animate", path, (".gif",))
    if importlib.util.find_spec("PIL") is None:
        raise DataError("Descent.animate needs Pillow, which is not installed: pip install pillow")
    if frames < 2 or not seconds > 0:
        raise DataError(f"Descent.animate: expected frames >= 2 and seconds > 0, got {frames} and {seconds}")
    steps = _frames(descent.values.shape[1] - 1, frames)
    first, *others = _film(descent, steps)
    times = [round(1000.0 * seconds / len(steps))] * len(others) + [round(1000.0 * REST)]
    first.save(path, save_all=True, append_images=others, duration=times, loop=0)


def _film(descent: Descent, steps: list[int]) -> list[Any]:
    """Return a frame of the animation for each of some steps, quantized to one palette of 256 colours.

    Blitting: the contours are drawn once and restored, and only the paths, the marks and the clock anew.
    """
    from PIL import Image

    axes = _new_axes(descent, dpi=80.0)
    figure: Any = axes.figure  # of new_axes, so it has a layout engine, and a canvas that can be copied
    canvas = figure.canvas
    _ground(axes, descent)
    legend(axes, _handles(descent), own=True)
    canvas.draw()  # settles the layout
    figure.set_layout_engine("none")
    ground = canvas.copy_from_bbox(figure.bbox)
    paths = [_draw_path(axes, descent, number) for number in range(len(descent.paths))]
    ends = _draw_ends(axes, descent)
    clock = axes.text(0.985, 0.02, "", transform=axes.transAxes, ha="right", color=INK, fontweight="bold")
    pictures: list[Any] = []
    for step in steps:
        canvas.restore_region(ground)
        clock.set_text(f"step {step}")
        for path in paths:
            path.show(step)
        for artist in (*(part for path in paths for part in path.parts), *ends, clock):
            axes.draw_artist(artist)
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    # One palette for all, or the ground would flicker; taken from the last, which has every colour.
    palette = pictures[-1].quantize(256, method=Image.Quantize.MAXCOVERAGE)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]


def _frames(steps: int, frames: int) -> list[int]:
    """Return which steps to show: quadratically spaced, but at first one step in two frames.

    frames      at most so many, fewer where there are fewer steps; step 0 and the last are always shown

    >>> _frames(100, 8)
    [0, 2, 8, 18, 33, 51, 73, 100]
    """
    spread = np.linspace(0.0, 1.0, frames) ** 2.0 * steps
    one_by_one = np.minimum(np.arange(frames) / 2, steps)
    return sorted({0, steps, *np.maximum(spread, one_by_one).round().astype(int).tolist()})


def _new_axes(descent: Descent, dpi: float = 100.0) -> Axes:
    """Return axes of a new figure 7.6 inches wide, as high as equal scales, title and legend ask for."""
    (left, right), (low, high) = descent.bounds
    shape = min(max((high - low) / (right - left), SHAPES[0]), SHAPES[1])
    entries = len(_handles(descent))
    rows = entries if entries <= 3 else (entries + 1) // 2
    # Axes and colour bar leave 0.81 of the width to the function.
    return new_axes(WIDTH, 0.81 * WIDTH * shape + 1.25 + 0.19 * rows, dpi)


def _ground(axes: Axes, descent: Descent, own: bool = True) -> None:
    """Draw what stays the same in every frame: contours on a 241 x 241 grid, axis labels and the title.

    own         whether the figure is ours; into somebody else's axes goes less text
    """
    (left, right), (low, high) = descent.bounds
    x, y = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = derivatives_of(descent.function).value(points).astype(np.float64).reshape(GRID, GRID)
    contours(axes, x, y, values, "f(x, y)" if own else "")
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.set_xlabel("x", color=QUIET)
    axes.set_ylabel("y", color=QUIET, rotation=0, labelpad=8)
    quiet(axes)
    _draw_missed(axes, descent)
    steps = f"{short(descent.optimizer)}, {count(descent.steps, 'step')}"
    titled(axes, descent.name, f"{descent.formula}    {steps}" if descent.formula and own else steps)


def _draw_missed(axes: Axes, descent: Descent) -> None:
    """Mark the known global minima that no path reached by hollow stars."""
    for point in _missed(descent):
        axes.plot(*point, "*", ms=13, mfc="none", mec=INK, mew=1.3, zorder=3)


def _missed(descent: Descent) -> list[tuple[float, float]]:
    """Return the known global minima within the bounds that no path reached; none of an own function."""
    if not isinstance(descent.function, Surface):
        return []
    (left, right), (low, high) = descent.bounds
    near = REACHED * max(right - left, high - low)
    found = [s.point for s in descent.stationary]
    return [
        (x, y)
        for x, y in descent.function.minima
        if left <= x <= right and low <= y <= high
        if all(np.hypot(x - a, y - b) > near for a, b in found)
    ]


def _colour(descent: Descent, number: int) -> str:
    """Return a path's colour: that of its stationary point; where it reached none, the next in turn."""
    reached = descent.reached[number]
    if reached is not None:
        return _of_point(reached)
    return _of_point(len(descent.stationary) + descent.reached[:number].count(None))


def _of_point(place: int) -> str:
    """Return a colour by its index, first those of the stationary points; six, then they repeat."""
    return COLOURS[place % len(COLOURS)]


@dataclass(frozen=True)
class _Drawn:
    """A path in a picture: its points [steps + 1, 2] and its Matplotlib artists, in drawing order.

    line, dots  the path so far and a dot for each step; first: the start, a ring; head: the current point
    """

    points: Array
    line: Any
    dots: Any
    first: Any
    head: Any

    @property
    def parts(self) -> tuple[Any, ...]:
        """Return the artists that a frame draws anew."""
        return self.line, self.dots, self.first, self.head

    def show(self, step: int) -> None:
        """Set the artists to the path from its start up to a step, the step itself included."""
        self.line.set_data(*self.points[: step + 1].T)
        self.dots.set_data(*self.points[: step + 1].T)
        self.head.set_data(*self.points[step : step + 1].T)


def _draw_path(axes: Axes, descent: Descent, number: int) -> _Drawn:
    """Draw the whole path of a start, by its index; dashed where it reached no stationary point."""
    from matplotlib import patheffects

    points = _near(descent.paths[number], descent.bounds)
    colour = _colour(descent, number)
    style = _DASHED if descent.reached[number] is None else "-"
    halo = [patheffects.withStroke(linewidth=3.4, foreground="white", alpha=0.85)]
    (line,) = axes.plot(*points.T, color=colour, lw=1.5, ls=style, zorder=4, path_effects=halo)
    (dots,) = axes.plot(*points.T, "o", ms=3.6, color=colour, mec="none", zorder=5)
    low, high = np.array(descent.bounds).T
    inside = ((low <= points[0]) & (points[0] <= high)).all()  # then shown whole, also at the edge
    look: Look = {"mfc": "white", "mec": colour, "mew": 1.8, "zorder": 6, "clip_on": not inside}
    (first,) = axes.plot(*points[:1].T, "o", ms=7.5, **look)
    (head,) = axes.plot(*points[-1:].T, "o", ms=6, color=colour, mec="white", mew=1.2, zorder=7)
    return _Drawn(points, line, dots, first, head)


def _near(path: Array, box: Box) -> Array:
    """Return a path with NaN for the points far outside of the bounds, which Matplotlib then leaves out."""
    low, high = np.array(box).T
    with np.errstate(invalid="ignore"):
        near = (np.abs(path - (low + high) / 2) <= 3 * (high - low)).all(axis=1)
    return np.where(near[:, None], path, np.nan)


def _draw_ends(axes: Axes, descent: Descent) -> list[Any]:
    """Mark the stationary points that were reached, with their labels; return the artists."""
    from matplotlib import patheffects

    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    drawn = []
    for place, s in enumerate(descent.stationary):
        (mark, size), colour = _MARKS[s.kind], _of_point(place)
        drawn += axes.plot(*s.point, mark, ms=size, color=colour, mec="white", mew=1.3, zorder=8)
        look: Look = {
            "fontsize": 12,
            "fontweight": "bold",
            "color": colour,
            "path_effects": halo,
            "zorder": 9,
        }
        drawn.append(axes.annotate(s.label, s.point, xytext=(9, 7), textcoords="offset points", **look))
    return drawn


def _handles(descent: Descent, own: bool = True) -> list[Any]:
    """Return the legend's entries: each stationary point with its kind, place, value and number of starts.

    own         whether the figure is ours; in somebody else's axes, which are smaller, place and value are
                left out
    """
    from matplotlib.lines import Line2D

    counts = Counter(descent.endings)
    handles = []
    for place, s in enumerate(descent.stationary):
        x, y = (rounded(value, 2) for value in s.point)
        place_and_value = f" ({x}, {y}), f = {rounded(s.value)} " if own else ""
        text = f"{s.label}  {s.kind}{place_and_value}  {count(counts[s.label], 'start')}"
        mark, size = _MARKS[s.kind]
        look: Look = {"marker": mark, "ms": 0.65 * size, "mec": "white", "color": _of_point(place)}
        handles.append(Line2D([], [], lw=1.7, label=text, **look))
    for ending in (MOVING, DIVERGED):
        if counts[ending]:
            text = f"{ending}   {count(counts[ending], 'start')}"
            handles.append(Line2D([], [], color=INK, lw=1.5, ls=_DASHED, label=text))
    if missed := len(_missed(descent)):
        look: Look = {"marker": "*", "ms": 10, "mfc": "none", "mec": INK}
        handles.append(Line2D([], [], lw=0, label=f"{count(missed, 'lowest point')} not reached", **look))
    start: Look = {"marker": "o", "ms": 7, "mfc": "white", "mec": INK, "mew": 1.6}
    return [*handles, Line2D([], [], lw=0, label="start", **start)]
