"""Learning curves as a picture by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.picture import (
    BEHIND,
    COLOURS,
    FRONT,
    QUIET,
    check_file,
    curves,
    mark,
    new_figure,
    plain,
    save,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minicolumn.model.files import PathLike
    from minicolumn.train.history import History

_NAMES = {"r2": "R²"}
# Tells the curves that came with a label, so that the next one has another colour.
_GROUP = "minicolumn: a history with a label"
# From there on a loss is shown in powers of ten.
SPAN = 30.0


def plot_history(
    history: History, path: PathLike | None, axes: Axes | None, kept: int | None, label: str
) -> Axes:
    """Draw a history into given axes or a picture of its own, and write it on request; see `History.plot`."""
    check_file("History.plot", path)
    if not history:
        raise DataError("History.plot: the history has no epoch yet")
    if kept is not None and not 1 <= kept <= len(history):
        raise DataError(f"History.plot: kept must be an epoch from 1 to {len(history)}, got {kept!r}")
    if axes is None:
        drawn = draw_history(history, kept, label=label)
    else:
        drawn = axes
        draw_losses(drawn, history, kept, label)
        drawn.set_xlabel("epoch", color=QUIET)
    if path is not None:
        save(drawn, path)
    return drawn


def draw_history(history: History, kept: int | None, title: str = "", label: str = "") -> Any:
    """Draw the losses, and below them each metric of the validation rows; return the axes of the losses."""
    metrics = [name for name in history.names if name.startswith("val_") and name != "val_loss"]
    heights = [2.0, *(1.2 for _ in metrics)]
    figure = new_figure(7.2, 3.8 + 1.8 * len(metrics))
    rows = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    epoch = draw_losses(rows[0], history, kept, label)
    for axes, name in zip(rows[1:], metrics, strict=True):
        _draw_metric(axes, history, name, epoch)
    rows[-1].set_xlabel("epoch", color=QUIET)
    if title:
        figure.suptitle(plain(title), x=0.02, ha="left", fontweight="bold", fontsize=12)
    return rows[0]


def draw_losses(axes: Axes, history: History, kept: int | None, label: str = "") -> int:
    """Draw the losses; mark the epoch whose weights were kept, or the lowest; return that row's index.

    With a label the curves have the next colour of the axes, thin and dashed for the training rows, and the
    mark has no words. Where the largest loss is `SPAN` times the least, the axis is logarithmic.
    """
    name = "val_loss" if "val_loss" in history.names else "loss"
    behind, front, lead = ({"color": BEHIND, "lw": 1.6}, {"color": FRONT, "lw": 1.8}, "")
    if label:
        colour = COLOURS[sum(line.get_gid() == _GROUP for line in axes.lines) % len(COLOURS)]
        behind, front, lead = (
            {"color": colour, "lw": 1.0, "ls": "--"},
            {"color": colour, "lw": 1.8},
            f"{label}: ",
        )
    (first,) = axes.plot(history["epoch"], history["loss"], label=plain(f"{lead}training"), **behind)
    first.set_gid(_GROUP if label else None)
    if name == "val_loss":
        axes.plot(history["epoch"], history[name], label=plain(f"{lead}validation"), **front)
    place = history.best(name) if kept is None else kept - 1
    epoch, value = history["epoch"][place], history[name][place]
    word = "lowest" if kept is None else "kept"
    if label:
        axes.plot([epoch], [value], "o", ms=6.5, color=front["color"], mec="white", mew=1.4, zorder=5)
    else:
        mark(axes, epoch, value, f"{word}: epoch {epoch:.0f}, {value:.4g}")
    lowest, highest = (f(f(history[key]) for key in ("loss", name)) for f in (min, max))
    if 0 < SPAN * lowest < highest:
        axes.set_yscale("log")
    _finish(axes, "loss")
    return place


def _draw_metric(axes: Axes, history: History, name: str, place: int) -> None:
    axes.plot(history["epoch"], history[name], color=FRONT, lw=1.8)
    value = history[name][place]
    mark(axes, history["epoch"][place], value, f"{value:.4f}")
    metric = name.removeprefix("val_")
    _finish(axes, f"validation {_NAMES.get(metric, metric.replace('_', ' '))}")


def _finish(axes: Axes, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    curves(axes, label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
