"""Depth by width: the best score of each size that was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.picture import COLOURS, FRONT, INK, quiet, titled
from minicolumn.tune.pictures.style import PAGE, labelled, score_words, span

if TYPE_CHECKING:
    from minicolumn.tune.study import Study
    from minicolumn.tune.trial import Trial

# How full the colour of the worst field shown is, and the share from which on words are pale.
_FAINT, _PALE = 0.07, 0.62


def draw_sizes(axes: Any, study: Study) -> None:
    """Draw a field for each depth and width: its colour and number are the best score there."""
    best = _best_by_size(study)
    depths = sorted({layers for layers, _ in best})
    widths = sorted({width for _, width in best})
    low, high = span([trial.score for trial, _ in best.values()], study.score, 0.9)
    for (layers, width), (trial, count) in best.items():
        x, y = widths.index(width), depths.index(layers)
        share = float(np.clip((trial.score - low) / (high - low), 0.0, 1.0))
        share = share if study.score.higher_is_better else 1.0 - share
        _draw_field(axes, x, y, share, f"{trial.score:.4g}", f"{count} tried" if count > 1 else "")
    if study.winner is not None:
        _ring(axes, widths.index(study.winner.candidate.width), depths.index(study.winner.candidate.layers))
    axes.set_xlim(-0.55, len(widths) - 0.45)
    axes.set_ylim(-0.55, len(depths) - 0.45)
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])
    axes.set_yticks(range(len(depths)), [str(layers) for layers in depths])
    quiet(axes)
    labelled(axes, "neurons of the widest layer", "hidden layers")
    titled(axes, "Depth and width", f"best {score_words(study.score)}; framed: the winner's size")


def _best_by_size(study: Study) -> dict[tuple[int, int], tuple[Trial, int]]:
    """Return for each depth and width the best trial, and how many there were."""
    found: dict[tuple[int, int], tuple[Trial, int]] = {}
    for trial in study.ranked:
        size = trial.candidate.layers, trial.candidate.width
        first, count = found.get(size, (trial, 0))
        found[size] = first, count + 1
    return found


def _draw_field(axes: Any, x: int, y: int, share: float, value: str, below: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    look = {"boxstyle": "round,pad=0,rounding_size=0.08", "lw": 0}
    full = _FAINT + (1.0 - _FAINT) * share
    axes.add_patch(FancyBboxPatch((x - 0.46, y - 0.44), 0.92, 0.88, fc=FRONT, alpha=full, **look))
    ink = PAGE if full > _PALE else INK
    axes.text(x, y + (0.1 if below else 0), value, ha="center", va="center", fontsize=10, color=ink)
    axes.text(x, y - 0.2, below, ha="center", va="center", fontsize=7.5, color=ink, alpha=0.75)


def _ring(axes: Any, x: int, y: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    look = {"boxstyle": "round,pad=0,rounding_size=0.1", "lw": 2.2, "ec": COLOURS[0], "fc": "none"}
    axes.add_patch(FancyBboxPatch((x - 0.5, y - 0.48), 1.0, 0.96, **look))
