"""Evaluation of a candidate: cross-validated, fold after fold, and cut short where it has no prospect.

    resource = epochs behind, over all folds        1, ..., E of the first fold, E + 1, ... of the second

    value at a resource = mean, over the folds begun so far, of each one's best score so far

Every candidate goes the same way through folds and epochs, so at one resource all values are of the same rows
and can be compared: pruning works on epochs and folds together.

A fold ends early where its score has not got better for the recipe's patience, as it does in `train`; no
later fold goes further than one before it, since the score is of an epoch that all folds have behind.
"""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from minicolumn.errors import MinicolumnError
from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.trainer import Trainer
from minicolumn.tune.build import Workshop
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.score import Score
from minicolumn.tune.trial import State, Summary, Trial, standard_error, summary_of

Prune = Callable[[int, float], bool]  # of a resource and the value there
_PRUNED, _CUT, _ENOUGH = "pruned", "cut short", "no better for long"


@dataclass
class Standing:
    """How far a trial is, written by its thread and read by who watches.

    fold        that trains now, from 0; epoch: of it; value: see the module
    """

    candidate: Candidate
    fold: int = 0
    epoch: int = 0
    value: float = math.nan


@dataclass(frozen=True)
class Watcher:
    """What may end a trial before its end.

    must_stop   whether the search is over, so that the trial counts as never begun
    rungs       resources at which `prune` is asked, in order
    prune       whether the trial has no prospect
    """

    must_stop: Callable[[], bool]
    rungs: Sequence[int] = ()
    prune: Prune = field(default=lambda resource, value: False)


def evaluate(
    workshop: Workshop, candidate: Candidate, watcher: Watcher, standing: Standing | None = None
) -> Trial | None:
    """Return what became of a candidate; None where the search ended before it did.

    Returns     a trial without a number: "failed" with its reason where it diverged, ran out of memory or
                could not be built, and the search goes on
    """
    began = time.perf_counter()
    told = standing or Standing(candidate)
    curves: list[list[float]] = []
    losses: list[list[float]] = []
    state: State = "finished"
    reason = ""
    parameters = 0
    try:
        parameters = workshop.parameters(candidate)
        workshop.check_memory(candidate)
        for fold in range(workshop.folds):
            ended = _train_fold(workshop, candidate, fold, watcher, told, curves, losses)
            if ended == _CUT:
                return None
            if ended == _PRUNED:
                state, reason = "pruned", f"no prospect after epoch {len(curves[-1])} of fold {fold + 1}"
                break
    except MemoryError:
        state, reason = "failed", "the memory is not enough for it"
    except MinicolumnError as error:
        state, reason = "failed", str(error)
    found = summary_of(curves, workshop.score) if state == "finished" else _cut_off(curves, workshop.score)
    if state == "finished" and not math.isfinite(found.score):
        state, reason = "failed", f"{workshop.score.name} is not defined on the rows held out"
    return replace(
        Trial(0, candidate, state, parameters),
        curves=tuple(map(tuple, curves)),
        losses=tuple(map(tuple, losses)),
        score=found.score,
        error=found.error,
        epoch=found.epoch,
        by_fold=found.by_fold,
        seconds=time.perf_counter() - began,
        reason=reason,
    )


def value_at(curves: Sequence[Sequence[float]], epochs: int, resource: int, score: Score) -> float:
    """Return the value of curves at a resource, see the module; NaN where they do not reach it.

    >>> value_at([[0.5, 0.7], [0.8, 0.6]], 2, 3, Score("r2", True))
    0.75
    """
    fold, behind = divmod(resource - 1, epochs)
    if len(curves) <= fold or len(curves[fold]) <= behind:
        return math.nan
    begun = [*curves[:fold], curves[fold][: behind + 1]]
    return float(np.mean([_best(curve, score) for curve in begun]))


def _cut_off(curves: Sequence[Sequence[float]], score: Score) -> Summary:
    """Return the value of a trial that was ended, and its error: of each fold begun its best score."""
    best = tuple(value for curve in curves if math.isfinite(value := _best(curve, score)))
    mean = float(np.mean(best)) if best else math.nan
    return Summary(mean, standard_error(best), 0, best)


def _train_fold(
    workshop: Workshop,
    candidate: Candidate,
    fold: int,
    watcher: Watcher,
    standing: Standing,
    curves: list[list[float]],
    losses: list[list[float]],
) -> str:
    """Train on one fold, note its curves, and return why it ended."""
    done = tuple(_best(curve, workshop.score) for curve in curves)
    most = min(map(len, curves), default=workshop.epochs_of(candidate))
    curves.append([])
    losses.append([])
    guard = _Guard(
        score=workshop.score,
        behind=fold * workshop.epochs,
        done=done,
        most=most,
        patience=workshop.patience(candidate),
        watcher=watcher,
        standing=standing,
        curve=curves[-1],
        losses=losses[-1],
    )
    standing.fold, standing.epoch = fold, 0
    trainer = workshop.trainer(candidate, fold, [guard])
    ended = trainer.run().stopped
    if workshop.nursery is not None and ended not in (_PRUNED, _CUT):
        workshop.nursery.keep(candidate, fold, trainer.params)
    return ended


def _best(curve: Sequence[float], score: Score) -> float:
    """Return the best finite score of a curve; NaN without any."""
    finite = [score.sign * value for value in curve if math.isfinite(value)]
    return score.sign * max(finite) if finite else math.nan


@dataclass(frozen=True)
class _Guard(Callback):
    """Note a fold's scores, and end it where the search is over, the trial has no prospect, or it has enough.

    behind      epochs of the folds before; done: the best scores of those; most: epochs that each of them has
    patience    epochs without a better score
    """

    score: Score
    behind: int
    done: tuple[float, ...]
    most: int
    patience: float
    watcher: Watcher
    standing: Standing
    curve: list[float]
    losses: list[float]

    only_watches = True

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        if self.watcher.must_stop():
            trainer.stop(_CUT)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        self.curve.append(float(row.get(self.score.column, math.nan)))
        self.losses.append(float(row["loss"]))
        resource = self.behind + len(self.curve)
        value = float(np.mean([*self.done, _best(self.curve, self.score)]))
        self.standing.epoch, self.standing.value = len(self.curve), value
        if self.watcher.must_stop():
            trainer.stop(_CUT)
        elif self._is_rung(resource) and self.watcher.prune(resource, value):
            trainer.stop(_PRUNED)
        elif self._epochs_left() <= 0:
            trainer.stop(_ENOUGH)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return the epochs up to the next rung or end; that the search is over may be seen a call later."""
        resource = self.behind + len(self.curve)
        place = bisect.bisect_right(self.watcher.rungs, resource)
        rung = self.watcher.rungs[place] - resource if place < len(self.watcher.rungs) else math.inf
        return min(rung, self._epochs_left())

    def _epochs_left(self) -> float:
        """Return after how many epochs this fold has enough, if none of them is better."""
        worth = [self.score.sign * value if math.isfinite(value) else -math.inf for value in self.curve]
        waited = worth[::-1].index(max(worth)) if worth else 0  # of equal ones the last, as the score has it
        return min(self.most - len(self.curve), self.patience - waited)

    def _is_rung(self, resource: int) -> bool:
        place = bisect.bisect_left(self.watcher.rungs, resource)
        return place < len(self.watcher.rungs) and self.watcher.rungs[place] == resource
