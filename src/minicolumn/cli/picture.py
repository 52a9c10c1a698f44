"""The curves of a training as a picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from minicolumn.explain.picture import check_file, plain

if TYPE_CHECKING:
    from minicolumn.train import History

_TRAIN, _HELD, _QUIET = "#9aa5b1", "#0b6bcb", "#52606d"
_NAMES = {"val_accuracy": "accuracy", "val_r2": "R²"}


def check_picture(path: str) -> None:
    """Refuse a picture that could not be drawn, before the training."""
    check_file("--plot", path)


def draw_curves(history: History, best_epoch: int, title: str, suffix: str) -> bytes:
    """Return a picture of losses and metric by epoch, with the epoch whose weights were kept."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metric = next((name for name in _NAMES if name in history.names), None)
    figure = Figure(figsize=(7.2, 5.6 if metric else 3.8), layout="constrained")
    FigureCanvasAgg(figure)  # a canvas without a window, and nothing kept in a global registry
    rows = figure.subplots(2 if metric else 1, 1, sharex=True, squeeze=False, height_ratios=_heights(metric))
    _losses(rows[0][0], history, best_epoch)
    if metric:
        _scores(rows[1][0], history, best_epoch, metric)
    rows[-1][0].set_xlabel("epoch", color=_QUIET)
    figure.suptitle(plain(title), x=0.02, ha="left", fontweight="bold", fontsize=12)
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix.removeprefix("."), dpi=160)
    return stream.getvalue()


def _heights(metric: str | None) -> list[float]:
    return [2.0, 1.2] if metric else [1.0]


def _losses(axes: Any, history: History, best_epoch: int) -> None:
    axes.plot(history["epoch"], history["loss"], color=_TRAIN, lw=1.6, label="training")
    if "val_loss" in history.names:
        axes.plot(history["epoch"], history["val_loss"], color=_HELD, lw=1.8, label="validation")
    name = "val_loss" if "val_loss" in history.names else "loss"
    value = _mark(axes, history, best_epoch, name)
    axes.set_title(f"kept: epoch {best_epoch}, {value:.4g}", loc="right", fontsize=9.5, color=_HELD)
    lowest = min(history[key].min() for key in ("loss", name))
    if lowest > 0 and max(history[key].max() for key in ("loss", name)) > 30 * lowest:
        axes.set_yscale("log")
    axes.legend(
        frameon=False,
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.99),
        ncols=2,
        fontsize=9.5,
        labelcolor=_QUIET,
    )
    _style(axes, "loss")


def _scores(axes: Any, history: History, best_epoch: int, metric: str) -> None:
    axes.plot(history["epoch"], history[metric], color=_HELD, lw=1.8)
    value = _mark(axes, history, best_epoch, metric)
    axes.set_title(f"{value:.4f}", loc="right", fontsize=9.5, color=_HELD)
    _style(axes, f"validation {_NAMES[metric]}")


def _mark(axes: Any, history: History, best_epoch: int, name: str) -> float:
    """Mark the epoch whose weights were kept, and return the figure there."""
    value = float(history[name][best_epoch - 1])
    axes.axvline(best_epoch, color=_HELD, lw=0.9, ls=(0, (3, 3)), alpha=0.55, zorder=0)
    axes.plot([best_epoch], [value], "o", ms=6.5, color=_HELD, mec="white", mew=1.4, zorder=5)
    return value


def _style(axes: Any, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_ylabel(label, color=_QUIET)
    axes.grid(axis="y", color="#e4e7eb", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#cbd2d9")
    axes.tick_params(colors=_QUIET, length=0, labelsize=9.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.02)
