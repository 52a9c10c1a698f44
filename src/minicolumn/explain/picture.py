"""What all pictures share: a figure without a window, quiet axes, colours that everybody can tell apart."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.errors import DataError, did_you_mean

Array = np.ndarray
PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")
# Okabe & Ito 2008, without yellow and black: different for the colour-blind too, and seen on pale ground.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, QUIET, PALE = "#1f2933", "#52606d", "#cbd2d9"


def check_file(who: str, path: Any, suffixes: tuple[str, ...] = PICTURES) -> None:
    """Refuse a picture that could not be drawn, before anything is computed."""
    suffix = Path(path).suffix.lower() if path is not None else suffixes[0]
    if suffix not in suffixes:
        hint = did_you_mean(suffix, suffixes) or f"; expected {', '.join(suffixes)}"
        raise DataError(f"{who}: {str(path)!r} does not end in the suffix of a picture{hint}")
    if importlib.util.find_spec("matplotlib") is None:
        raise DataError(f"{who} needs matplotlib, which is not installed: pip install 'minicolumn[plot]'")


def new_axes(width: float, height: float, dpi: float = 100.0) -> Any:
    """Return axes of a figure of their own, in inches, that belongs to no window and no global registry."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=dpi)
    FigureCanvasAgg(figure)
    return figure.subplots()


def legend(axes: Any, handles: list[Any], own: bool) -> None:
    """Put a legend below a picture of our own; inside axes that are somebody else's."""
    look = {"handles": handles, "frameon": False, "fontsize": 9, "labelcolor": INK, "handlelength": 2.2}
    if own:
        axes.figure.legend(loc="outside lower left", ncols=1 if len(handles) <= 3 else 2, **look)
    else:
        framed = {**look, "frameon": True, "framealpha": 0.85, "edgecolor": PALE}
        axes.legend(loc="best", **framed).set_zorder(10)


def save(axes: Any, path: Any) -> None:
    """Write the picture that axes belong to."""
    axes.figure.savefig(path, dpi=160)


def pale_map() -> Any:
    """Return a colour map from deep to pale blue whose lightness rises evenly, so that paths stand out."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ("#46658c", "#7590b0", "#a3b8cd", "#cdd9e4", "#f1f4f7")
    return LinearSegmentedColormap.from_list("minicolumn_pale", stops)


def quiet(axes: Any) -> None:
    """Take frames and ticks back, so that the picture speaks."""
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=QUIET, length=0, labelsize=9)


def levels_of(values: Array, count: int = 14) -> Array:
    """Return contour levels for values: evenly apart, or growing by equal factors where values span much.

    Values that are no finite numbers do not count.
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


def contours(axes: Any, x: Array, y: Array, values: Array, label: str) -> None:
    """Draw values [y, x] as filled contours with thin lines between them and a colour bar beside."""
    from matplotlib.colors import BoundaryNorm

    levels = levels_of(values)
    shown = np.ma.masked_invalid(values)
    norm = BoundaryNorm(levels, 256)
    filled = axes.contourf(x, y, shown, levels=levels, cmap=pale_map(), norm=norm, extend="neither")
    axes.contour(x, y, shown, levels=levels, colors="white", linewidths=0.5, linestyles="solid", alpha=0.6)
    bar = axes.figure.colorbar(filled, ax=axes, pad=0.02, fraction=0.05, aspect=32, format="%.3g")
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.ax.tick_params(colors=QUIET, length=0, labelsize=8)
    bar.set_label(label, color=QUIET, fontsize=9)


def titled(axes: Any, title: str, below: str) -> None:
    """Write a title and a quiet line below it, at the left edge."""
    axes.set_title(plain(title), loc="left", fontweight="bold", fontsize=12, color=INK, pad=22)
    axes.text(0.0, 1.018, plain(below), transform=axes.transAxes, fontsize=9, color=QUIET, va="bottom")


def plain(text: str) -> str:
    """Return a text in which no dollar sign starts a formula."""
    return text.replace("$", r"\$")
