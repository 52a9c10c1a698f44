"""Learning curves of a search: the winner and the best, those in the middle, and where the pruned ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.picture import BEHIND, COLOURS, FRONT, QUIET, plain, titled
from minicolumn.tune.pictures.style import PAGE, labelled, score_words, span, with_grid

if TYPE_CHECKING:
    from minicolumn.tune.study import Study
    from minicolumn.tune.trial import Trial

_BEST = 3  # beside the winner, in colours of their own
_MOST_BEHIND = 150  # pale curves


def draw_curves(axes: Any, study: Study) -> None:
    """Draw the score on the held-out rows epoch by epoch, as the mean over folds."""
    from matplotlib.ticker import MaxNLocator

    winner = study.winner
    assert winner is not None
    best = _best_others(study, winner)
    others = [t for t in study.records if t.curves and t is not winner and t not in best]
    for trial in others[:_MOST_BEHIND]:
        _draw_behind(axes, trial)
    for trial, colour in zip(best, COLOURS[2:], strict=False):
        mean = _mean(trial)
        axes.plot(_epochs(mean), mean, color=colour, lw=1.3, label=plain(trial.candidate.words), zorder=3)
    _draw_winner(axes, winner)
    bests = [float(mean[-1]) for t in (*best, *others, winner) if len(mean := _mean(t))]
    shown = [value for value in bests if np.isfinite(value)]
    axes.set_ylim(*span([*shown, *_early(winner)], study.score, 0.8))
    with_grid(axes)
    labelled(axes, "epoch", score_words(study.score))
    pruned = sum(trial.state == "pruned" for trial in study.records)
    below = "mean over the folds" + (f"; crosses: {pruned} pruned, which had no prospect" if pruned else "")
    titled(axes, "Learning curves", below)
    place = "lower right" if study.score.higher_is_better else "upper right"
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    look = {"frameon": True, "framealpha": 0.85, "edgecolor": "none", "facecolor": PAGE}
    axes.legend(loc=place, fontsize=9, labelcolor=QUIET, **look).set_zorder(6)


def _best_others(study: Study, winner: Trial) -> list[Trial]:
    """Return the best trials of other topologies, each topology once."""
    found = {winner.candidate.words: winner}
    for trial in study.ranked:
        found.setdefault(trial.candidate.words, trial)
    return list(found.values())[1 : 1 + _BEST]


def _draw_winner(axes: Any, trial: Trial) -> None:
    """Draw the winner's mean, and how far its folds lie apart."""
    mean, folds = _mean(trial), _stacked(trial)
    error = np.std(folds, axis=0, ddof=1) / np.sqrt(len(folds)) if len(folds) > 1 else np.zeros(len(mean))
    axes.fill_between(_epochs(mean), mean - error, mean + error, color=FRONT, alpha=0.14, lw=0, zorder=2)
    axes.plot(
        _epochs(mean), mean, color=FRONT, lw=2.2, label=plain(f"winner  {trial.candidate.words}"), zorder=4
    )
    if trial.epoch:
        axes.plot([trial.epoch], [mean[trial.epoch - 1]], "o", ms=7, color=FRONT, mec=PAGE, mew=1.4, zorder=5)


def _draw_behind(axes: Any, trial: Trial) -> None:
    """Draw a curve of those behind, pale; of a pruned one with a cross at its end."""
    mean = _mean(trial)
    pruned = trial.state == "pruned"
    axes.plot(_epochs(mean), mean, color=BEHIND, lw=0.8, alpha=0.3, zorder=1)
    if pruned and len(mean):
        axes.plot(_epochs(mean)[-1:], mean[-1:], "x", ms=4.5, color="#D55E00", alpha=0.65, mew=1.1, zorder=2)


def _stacked(trial: Trial) -> np.ndarray:
    """Return the curves of the folds [folds, epochs], of the epochs that all of them have."""
    epochs = min(map(len, trial.curves))
    return np.array([curve[:epochs] for curve in trial.curves], np.float64)


def _mean(trial: Trial) -> np.ndarray:
    """Return the mean over the folds; of a pruned one over those that went as far as the first."""
    if trial.state != "pruned":
        return _stacked(trial).mean(axis=0)
    longest = len(trial.curves[0])
    whole = [curve for curve in trial.curves if len(curve) == longest]
    return np.array(whole, np.float64).mean(axis=0)


def _epochs(mean: np.ndarray) -> np.ndarray:
    return np.arange(1, len(mean) + 1)


def _early(trial: Trial) -> list[float]:
    """Return the score at a fifth of the way: the rise belongs into the picture, the first epoch need not."""
    mean = _mean(trial)
    return [float(mean[len(mean) // 5])]
