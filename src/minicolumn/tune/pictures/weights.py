"""Importance of each choice as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.picture import FRONT, INK, PALE, QUIET, quiet, titled
from minicolumn.tune.importance import FEWEST, importances
from minicolumn.tune.pictures.style import WORDS

if TYPE_CHECKING:
    from minicolumn.tune.study import Study


def draw_importance(axes: Any, study: Study) -> None:
    """Draw how much of the scores' variance each part of the space explains, the most important above."""
    found = importances(study.records, study.score)
    if not found:
        raise DataError(f"importance: it takes {FEWEST} finished trials of different scores")
    names, shares = list(found)[::-1], list(found.values())[::-1]
    places = range(len(names))
    axes.barh(places, [max(shares)] * len(names), height=0.62, color=PALE, alpha=0.28, lw=0)
    axes.barh(places, shares, height=0.62, color=FRONT, lw=0)
    for place, share in zip(places, shares, strict=True):
        axes.text(max(shares) * 1.02, place, f"{share:.0%}", va="center", fontsize=9.5, color=QUIET)
    axes.set_yticks(places, [WORDS.get(name, name.replace("_", " ")) for name in names])
    axes.set_xticks([])
    axes.set_xlim(0, max(shares) * 1.12)
    quiet(axes)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=10)
    titled(axes, "What mattered", "share of the scores' variance that each choice explains (fANOVA)")
