"""What all pictures share: a figure without a window, quiet axes, colours that everybody can tell apart."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from minicolumn.errors import DataError, did_you_mean

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")
# Okabe & Ito 2008, without yellow and black: different for the colour-blind too, and seen on pale ground.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, QUIET, PALE = "#1f2933", "#52606d", "#cbd2d9"
# What a curve says first, and what stands behind it.
FRONT, BEHIND = "#0b6bcb", "#9aa5b1"


def check_file(who: str, path: Any, suffixes: tuple[str, ...] = PICTURES) -> None:
    """Refuse a picture that could not be drawn, before anything is computed."""
    suffix = Path(path).suffix.lower() if path is not None else suffixes[0]
    if suffix not in suffixes:
        hint = did_you_mean(suffix, suffixes) or f"; expected {', '.join(suffixes)}"
        raise DataError(f"{who}: {str(path)!r} does not end in the suffix of a picture{hint}")
    if importlib.util.find_spec("matplotlib") is None:
        raise DataError(f"{who} needs matplotlib, which is not installed: pip install 'minicolumn[plot]'")


def new_figure(width: float, height: float, dpi: float = 100.0) -> Any:
    """Return a figure, in inches, that belongs to no window and no global registry."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def new_axes(width: float, height: float, dpi: float = 100.0) -> Any:
    """Return axes of a new figure."""
    return new_figure(width, height, dpi).subplots()


def curves(axes: Any, label: str) -> None:
    """Make axes those of curves: a grid to read heights by, the label of the heights, a legend above."""
    axes.set_ylabel(label, color=QUIET)
    axes.grid(axis="y", color="#e4e7eb", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(colors=QUIET, which="both", length=0, labelsize=9.5)
    axes.margins(x=0.02)
    if axes.get_legend_handles_labels()[0]:
        place = {"loc": "lower left", "bbox_to_anchor": (-0.01, 0.99), "ncols": 2}
        axes.legend(frameon=False, fontsize=9.5, labelcolor=QUIET, **place)


def mark(axes: Any, x: float, y: float, text: str) -> None:
    """Mark a point of a curve by a dot, a line through it, and a word above."""
    axes.axvline(x, color=FRONT, lw=0.9, ls=(0, (3, 3)), alpha=0.55, zorder=0)
    axes.plot([x], [y], "o", ms=6.5, color=FRONT, mec="white", mew=1.4, zorder=5)
    axes.set_title(text, loc="right", fontsize=9.5, color=FRONT)


def legend(axes: Any, handles: list[Any], own: bool) -> None:
    """Put a legend below a picture of our own; inside axes that are somebody else's."""
    look = {"handles": handles, "frameon": False, "fontsize": 9, "labelcolor": INK, "handlelength": 2.2}
    if own:
        axes.figure.legend(loc="outside lower left", ncols=1 if len(handles) <= 3 else 2, **look)
    else:
        framed = {**look, "fontsize": 8, "frameon": True, "framealpha": 0.85, "edgecolor": PALE}
        axes.legend(loc="best", **framed).set_zorder(10)


def save(axes: Any, path: Any) -> None:
    """Write the picture that axes belong to."""
    try:
        axes.figure.savefig(path, dpi=160)
    except OSError as error:
        raise DataError(f"cannot write {str(path)!r}: {error.strerror or error}") from None


def quiet(axes: Any) -> None:
    """Take frames and ticks back, so that the picture speaks."""
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=QUIET, length=0, labelsize=9)


def titled(axes: Any, title: str, below: str) -> None:
    """Write a title and a quiet line below it, at the left edge."""
    axes.set_title(plain(title), loc="left", fontweight="bold", fontsize=12, color=INK, pad=22)
    axes.text(0.0, 1.018, plain(below), transform=axes.transAxes, fontsize=9, color=QUIET, va="bottom")


def plain(text: str) -> str:
    """Return a text in which no dollar sign starts a formula."""
    return text.replace("$", r"\$")
