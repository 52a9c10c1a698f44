"""What pictures of a study share: numbers on axes, names of parts, and where scores are cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicolumn.picture import PALE, QUIET, quiet
from minicolumn.tune.score import Score

GRID = "#e4e7eb"
PAGE = "#ffffff"
WORDS = {
    "layers": "layers",
    "width": "neurons",
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "batch_size": "batch size",
    "horizon": "training length",
}


def score_words(score: Score) -> str:
    """Return a metric's name as it is written below an axis, and which way is better."""
    name = {"r2": "R²", "roc_auc": "ROC AUC"}.get(score.name, score.name.replace("_", " "))
    return f"{name} ({'higher' if score.higher_is_better else 'lower'} is better)"


def with_grid(axes: Any, axis: str = "y") -> None:
    """Make axes quiet, with pale lines to read values by."""
    quiet(axes)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(axis=axis, color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(PALE)


def labelled(axes: Any, x: str = "", y: str = "") -> None:
    """Write what the axes mean, quietly."""
    axes.set_xlabel(x, color=QUIET, fontsize=9.5)
    axes.set_ylabel(y, color=QUIET, fontsize=9.5)


def counted(axes: Any, values: Sequence[float]) -> None:
    """Make the horizontal axis one of counts by factors: 1,000 or 20k, not 10^3."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    axes.set_xscale("log")
    low, high = min(values) / 1.25, max(values) * 1.25
    axes.set_xlim(low, high)
    steps = (1, 2, 5) if high / low < 200 else (1,) if high / low > 1e4 else (1, 3)
    ticks = [step * 10**power for power in range(9) for step in steps if low <= step * 10**power <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def short(value: float) -> str:
    """Return a count in few letters.

    >>> short(950), short(12_000), short(2_500_000)
    ('950', '12k', '2.5M')
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}"


def span(values: Sequence[float], score: Score, share: float = 0.75) -> tuple[float, float]:
    """Return the limits within which scores are shown: the best share of them, and those not far below.

    Few networks learn nothing at all, and the others would be a line at the edge.
    """
    worth = np.sort(score.sign * np.asarray(values, np.float64))[::-1]
    best = float(worth[0])
    at = float(worth[min(len(worth) - 1, int(share * len(worth)))])
    reach = max(best - at, abs(best) * 1e-3, 1e-6)
    low = max(float(worth[-1]), best - 1.9 * reach)
    room = 0.08 * max(best - low, 0.02 * abs(best), 1e-4)
    ends = score.sign * (low - room), score.sign * (best + 1.6 * room)
    return min(ends), max(ends)
