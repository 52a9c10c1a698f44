"""A trial: what became of a candidate in cross-validation, with an error bar.

    score   mean over the folds of the score at the epoch whose mean is best
    error   standard deviation over the folds / sqrt(folds): the standard error of that mean

The folds' networks learn from overlapping rows, so the error is rather too small (Bengio & Grandvalet 2004,
"No unbiased estimator of the variance of k-fold cross-validation"). Candidates are compared fold by fold:
what makes a fold hard is hard for both and falls out of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import is_integer
from minicolumn.tune.score import Score

State = Literal["finished", "pruned", "failed"]
Curves = tuple[tuple[float, ...], ...]
_LONGEST = 100_000  # numbers of one curve that a storage may hold
_DIGITS = 6
_ROUNDING = 1e-9  # of a value: smaller errors are those of its arithmetic


@dataclass(frozen=True)
class Trial:
    """A candidate, how far it came, and what it scored.

    number      in the order in which trials ended, from 0
    candidate   what was tried; parameters: how many weights its network has
    state       "finished" over all folds and epochs, "pruned" before, or "failed"
    curves      the score on the held-out rows, by fold and epoch
    losses      the loss of the rows that are trained on, likewise
    score       mean over the folds at `epoch`; NaN where no fold has an epoch
    error       its standard error; NaN of a single fold
    epoch       the one that is best in the mean, of equal ones the last, from 1; 0 where there is none
    by_fold     the score of each fold at that epoch
    seconds     that the trial took
    reason      why it failed, or was pruned
    step        what of a strategy's steps it belongs to
    """

    number: int
    candidate: Candidate
    state: State
    parameters: int
    curves: Curves = ()
    losses: Curves = ()
    score: float = math.nan
    error: float = math.nan
    epoch: int = 0
    by_fold: tuple[float, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    step: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether it went over all folds, so that its score can be compared."""
        return self.state == "finished"

    def to_json(self) -> dict[str, Any]:
        """Return the trial as JSON values; NaN is null, and curves have six digits."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found |= {"candidate": self.candidate.to_json(), "curves": _rounded(self.curves)}
        found |= {"losses": _rounded(self.losses), "by_fold": list(self.by_fold)}
        return {name: _finite(value) for name, value in found.items()}

    @classmethod
    def from_json(cls, said: Any) -> Trial:
        """Return the trial that JSON values describe; DataError for anything else than `to_json` gives."""
        if not isinstance(said, Mapping) or set(said) != {f.name for f in fields(cls)}:
            raise DataError("a trial has other fields than those of this version")
        whole = all(is_integer(said[name]) and said[name] >= 0 for name in ("number", "parameters", "epoch"))
        texts = all(isinstance(said[name], str) for name in ("reason", "step"))
        if not whole or not texts or said["state"] not in get_args(State):
            raise DataError("a trial has a state or numbers that this version does not know")
        curves = {name: _curves(said[name]) for name in ("curves", "losses")}
        plain = {name: _number(said[name]) for name in ("score", "error", "seconds")}
        candidate = Candidate.from_json(said["candidate"])
        return cls(
            **{**said, **curves, **plain, "by_fold": _numbers(said["by_fold"]), "candidate": candidate}
        )


@dataclass(frozen=True)
class Summary:
    """The score of some folds at the epoch that is best in the mean; see `Trial`."""

    score: float
    error: float
    epoch: int
    by_fold: tuple[float, ...]


def summary_of(curves: Sequence[Sequence[float]], score: Score) -> Summary:
    """Return what folds score together, of the epochs that all of them have behind.

    >>> summary_of([[0.5, 0.7, 0.6], [0.5, 0.9, 0.95]], Score("r2", True)).epoch
    2
    """
    epochs = min(map(len, curves), default=0)
    if not epochs:
        return Summary(math.nan, math.nan, 0, ())
    values = np.array([curve[:epochs] for curve in curves], np.float64)
    means = values.mean(axis=0)
    if not np.isfinite(means).any():
        return Summary(math.nan, math.nan, 0, ())
    worth = np.where(np.isfinite(means), score.sign * means, -np.inf)
    best = epochs - 1 - int(np.argmax(worth[::-1]))  # of equal ones the last: its rate has fallen further
    at_best = values[:, best]
    return Summary(float(means[best]), standard_error(at_best), best + 1, tuple(map(float, at_best)))


def standard_error(values: Sequence[float] | np.ndarray) -> float:
    """Return the standard deviation, with n - 1, over the root of n; NaN of fewer than two values.

    >>> round(standard_error([1.0, 2.0, 3.0]), 4)
    0.5774
    """
    if len(values) < 2:
        return math.nan
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def gain(one: Trial, other: Trial, score: Score) -> tuple[float, float]:
    """Return by how much the first of two trials is better, and the standard error of that, fold by fold.

    Returns     (mean, error) of the differences over the folds that both have; positive is better. The error
                of a single fold is 0: nothing is known of it
    """
    pairs = list(zip(one.by_fold, other.by_fold, strict=False))
    differences = [score.sign * (a - b) for a, b in pairs]
    if not differences:
        return math.nan, math.nan
    error = standard_error(differences)
    return float(np.mean(differences)), 0.0 if math.isnan(error) else error


def ranked(trials: Sequence[Trial], score: Score) -> list[Trial]:
    """Return the finished trials, the best first; of equal ones the smaller, then the earlier."""
    whole = [trial for trial in trials if trial.is_finished]
    return sorted(whole, key=lambda t: (-score.sign * t.score, t.parameters, t.number))


def smallest_within(trials: Sequence[Trial], score: Score) -> Trial | None:
    """Return the smallest network that is within one standard error of the best; None without any.

    Of the error of the difference to the best, fold by fold. Of equally small ones the better.

    Source      the one-standard-error rule: Breiman, Friedman, Olshen & Stone 1984, section 3.4.3
    Differs     theirs is the error of the best score itself, which holds how much folds differ for anyone
    """
    order = ranked(trials, score)
    if not order:
        return None
    near = [t for t in order if t is order[0] or is_near(order[0], t, score)]
    return min(near, key=lambda t: (t.parameters, -score.sign * t.score, t.number))


def is_near(best: Trial, other: Trial, score: Score) -> bool:
    """Return whether a trial is behind the best by one standard error of the difference at most."""
    ahead, error = gain(best, other, score)
    return ahead <= error


def with_error(value: float, error: float) -> str:
    """Return a number with its error bar, of which two digits count.

    >>> with_error(0.42312, 0.0214), with_error(3.0, math.nan), with_error(1.0, 0.0), with_error(0.1, 1e-17)
    ('0.423 ± 0.021', '3', '1 ± 0', '0.1 ± 1e-17')
    """
    if math.isnan(error):
        return f"{value:.4g}"
    if error < _ROUNDING * abs(value) or not error or not math.isfinite(value):
        return f"{value:.4g} ± {error:.2g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _rounded(curves: Curves) -> list[list[float | None]]:
    return [[_finite(float(f"{value:.{_DIGITS}g}")) for value in curve] for curve in curves]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _curves(said: Any) -> Curves:
    if not isinstance(said, list):
        raise DataError("a trial has no curves")
    return tuple(map(_numbers, said))


def _numbers(said: Any) -> tuple[float, ...]:
    if not isinstance(said, list) or len(said) > _LONGEST:
        raise DataError("a trial has no list of numbers where one was expected")
    return tuple(map(_number, said))


def _number(said: Any) -> float:
    """Return a number; null is NaN."""
    if said is None:
        return math.nan
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise DataError(f"a trial has {said!r:.40} where a number was expected")
    return float(said)
