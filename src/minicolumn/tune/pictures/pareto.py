"""Score against parameters: every finished network, the Pareto front, and what one standard error means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.picture import BEHIND, COLOURS, FRONT, INK, QUIET, plain, titled
from minicolumn.tune.pictures.style import PAGE, counted, labelled, score_words, span, with_grid
from minicolumn.tune.trial import Trial, is_near

if TYPE_CHECKING:
    from minicolumn.tune.study import Study


def pareto_front(study: Study) -> list[Trial]:
    """Return the finished trials that no other beats with as few parameters, the smallest first."""
    front: list[Trial] = []
    for trial in sorted(study.ranked, key=lambda t: (t.parameters, -study.score.sign * t.score)):
        if not front or study.score.is_better(trial.score, front[-1].score):
            front.append(trial)
    return front


def draw_pareto(axes: Any, study: Study) -> None:
    """Draw every finished network by its size and score, with the front of those that none beats."""
    trials, score, best, winner = study.ranked, study.score, study.ranked[0], study.winner
    assert winner is not None
    low, high = span([t.score for t in trials], score)
    front = pareto_front(study)
    most = max(t.parameters for t in trials)
    steps = [*front, front[-1]]
    sizes = [*(t.parameters for t in front), most * 1.25]
    axes.step(sizes, [t.score for t in steps], where="post", color=FRONT, lw=1.6, alpha=0.75, zorder=2)
    _draw_points(axes, study, low, high)
    axes.set_ylim(low, high)
    counted(axes, [t.parameters for t in trials])
    _name(axes, winner, "winner", FRONT)
    if best is not winner:
        _name(axes, best, "best score", INK)
    with_grid(axes)
    labelled(axes, "weights", score_words(score))
    titled(axes, "Score by size", "full dots: within one standard error of the best; line: Pareto front")


def _draw_points(axes: Any, study: Study, low: float, high: float) -> None:
    """Draw a dot for each network, coloured by its layers; those out of sight as a mark at the edge.

    Full ones are within one standard error of the best, by the differences of the folds, as the winner is.
    """
    trials, best = study.ranked, study.ranked[0]
    for place, layers in enumerate(sorted({t.candidate.layers for t in trials})):
        own = [t for t in trials if t.candidate.layers == layers]
        colour = COLOURS[place % len(COLOURS)]
        seen = [t for t in own if low <= t.score <= high]
        near = [t for t in seen if is_near(best, t, study.score)]
        word = f"{layers} layer{'s' if layers > 1 else ''}"
        far = [t for t in seen if t not in near]
        hollow = {"mfc": PAGE, "mec": colour, "mew": 1.3, "alpha": 0.8, "ms": 5.5, "zorder": 3}
        axes.plot([t.parameters for t in far], [t.score for t in far], "o", **hollow)
        full = {"mfc": colour, "mec": PAGE, "mew": 0.8, "ms": 7.5, "zorder": 3.5}
        axes.plot([t.parameters for t in near], [t.score for t in near], "o", label=word, **full)
        for t in own:
            if t not in seen:
                at, mark = (low, "v") if t.score < low else (high, "^")
                axes.plot([t.parameters], [at], mark, ms=4, color=BEHIND, clip_on=False, zorder=3)
    place = "lower right" if study.score.higher_is_better else "upper right"
    axes.legend(loc=place, frameon=False, fontsize=9, labelcolor=QUIET, handletextpad=0.2, borderaxespad=0.2)


def _name(axes: Any, trial: Trial, word: str, colour: str) -> None:
    """Ring a trial, and write what it is."""
    low, high = axes.get_ylim()
    at = float(np.clip(trial.score, low, high))
    axes.plot([trial.parameters], [at], "o", ms=12, mfc="none", mec=colour, mew=1.8, zorder=4)
    left, right = axes.get_xlim()
    beyond = math.log(trial.parameters / left) > 0.5 * math.log(right / left)
    upper = at > low + 0.82 * (high - low)
    axes.annotate(
        plain(f"{word}  {trial.candidate.words}"),
        (trial.parameters, at),
        (-11 if beyond else 11, -14 if upper else 10),
        textcoords="offset points",
        ha="right" if beyond else "left",
        va="center",
        fontsize=9.5,
        color=colour,
        fontweight="bold" if word == "winner" else "normal",
        zorder=5,
    )
