"""Training of one network of an estimator: from each of its starts, of which the best is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn import random
from minicolumn.estimators import parameters
from minicolumn.estimators.convergence import ConvergenceState, say
from minicolumn.estimators.heads import Head
from minicolumn.estimators.holdout import Data, Parts
from minicolumn.estimators.init_from import begun_with
from minicolumn.estimators.network import (
    check_sizes,
    dense_layers,
    draw_weights,
    from_params,
    rekeyed,
    to_params,
)
from minicolumn.estimators.sklearn_callbacks import Hooks
from minicolumn.estimators.training import NothingLearnt, Outcome, Task, end_of, train
from minicolumn.nn import Sequential
from minicolumn.train import Snapshot
from minicolumn.train.side_by_side import Reporter

if TYPE_CHECKING:
    from minicolumn.estimators.base import BaseMLP


@dataclass(frozen=True, eq=False)
class FitPlan:
    """What one fit is about, for one network or several.

    data        the rows; head: the loss on them, and what outputs mean
    rows        how many `fit` was given, those of weight 0 included
    given       validation rows of one's own; None for none
    first       whether it begins from scratch; incremental: whether it is `partial_fit`
    """

    data: Data
    head: Head
    rows: int
    given: Data | None
    first: bool
    incremental: bool

    def most_epochs(self, max_iter: int, restarts: int) -> int:
        """Return the most epochs of one network, over all its starts."""
        return 1 if self.incremental else max_iter * (restarts if self.first else 1)


def fit_one(
    e: BaseMLP, parts: Parts, plan: FitPlan, hooks: Hooks, reporter: Reporter | None = None
) -> Outcome:
    """Train one network from each start, keep the best, and set what is learnt.

    parts       the rows; reporter: where it is one of several networks side by side
    """
    network, incremental = e._network(), plan.incremental
    e.n_layers_ = 1 + len(dense_layers(network))
    restarts = e.n_restarts if plan.first and not incremental else 1
    task = _task(e, network, plan.head, parts, 1 if incremental else e.max_iter, hooks)
    starts = [(seed, _start(e, network, seed, incremental, parts.train)) for seed in _seeds(e, restarts)]
    tasks = [replace(task, seed=seed, start=start, reporter=reporter) for seed, start in starts]
    outcome = _best_of(e, tasks)
    if not outcome.doubt and not incremental:
        outcome = replace(outcome, doubt=end_of(outcome, e.max_iter))
    _learn(e, outcome, len(parts.train))
    params = e._finish(outcome.params, parts)
    e._optimizer = parameters.optimizer_after(e, e.t_, e._convergence.factor)
    e.coefs_, e.intercepts_ = from_params(network, params, e._dtype_out)
    return outcome


def _best_of(e: BaseMLP, tasks: list[Task]) -> Outcome:
    """Train from each start, and return the outcome with the lowest figure.

    Starts that diverge in their first epoch do not count; NothingLearnt where all of them do.
    """
    outcomes: dict[int, Outcome] = {}
    for number, task in enumerate(tasks, 1):
        say(e.verbose and len(tasks) > 1, f"Start {number} of {len(tasks)}")
        try:
            outcomes[number] = train(task)
        except NothingLearnt:
            if number == len(tasks) and not outcomes:
                raise
            say(e.verbose, f"Start {number} diverged")
    best = min(outcomes, key=lambda number: outcomes[number].figure(e.early_stopping))
    say(e.verbose and len(tasks) > 1, f"Start {best} is the best, and kept")
    return outcomes[best]


def _task(e: BaseMLP, network: Sequential, head: Head, parts: Parts, epochs: int, hooks: Hooks) -> Task:
    """Return the training task without its start and seed, which each restart has its own of."""
    return Task(
        estimator=e,
        network=network,
        head=head,
        data=parts.train,
        held=parts.held,
        start=Snapshot(None),
        seed=e._seed,
        epochs=epochs,
        hooks=hooks,
        seen=getattr(e, "t_", 0),
        convergence=getattr(e, "_convergence", ConvergenceState()),
        score=e._scorer(network, parts.held),
    )


def _seeds(e: BaseMLP, count: int) -> list[int]:
    """Return a seed for each random start; the first is that of `random_state` itself."""
    key = random.key(e._seed)
    return [e._seed, *(int(random.fold_in(key, k)[1]) for k in range(1, count))]


def _start(e: BaseMLP, network: Sequential, seed: int, incremental: bool, data: Data) -> Snapshot:
    """Return where to start: random weights, or those learnt so far (`warm_start`, `partial_fit`).

    Only `partial_fit` also goes on with the optimizer's moments and the schedule's step.
    """
    dtype = np.dtype(e.dtype)
    if "coefs_" not in vars(e):
        drawn = draw_weights(network, e.n_features_in_, seed, dtype)
        if e.init_from is not None:
            drawn = begun_with(network, drawn, e.init_from)
        return Snapshot(e._placed(network, drawn, data))
    check_sizes(network, e.intercepts_)
    stood = getattr(e, "_snapshot", None) or Snapshot(None)
    params = to_params(network, e.coefs_, e.intercepts_, dtype)
    if not incremental or stood.moments is None:
        return replace(stood, params=params, moments=None, best_epoch=0)
    if stood.params is not None:  # of an optimizer that averages: those that it trains are others
        params = rekeyed(network, stood.params)
    return replace(stood, params=params, moments=rekeyed(network, stood.moments), best_epoch=0)


def _learn(e: BaseMLP, outcome: Outcome, rows: int) -> None:
    """Set the learnt attributes of a training run: curves, counts, best figures, and where it stands.

    rows        trained on, by which `t_` grows each epoch
    """
    fresh = len(outcome.losses)
    e.n_iter_ = fresh
    e.loss_ = outcome.loss
    trained = outcome.snapshot.params if parameters.averages(e) else None
    e._snapshot = replace(outcome.snapshot, params=trained, best_params=None)
    e._convergence, e.history_ = outcome.convergence, outcome.history
    e.t_ = getattr(e, "t_", 0) + (fresh * rows if e.solver != "lbfgs" else 0)
    e.loss_curve_ = [*getattr(e, "loss_curve_", []), *outcome.losses]
    e._no_improvement_count = outcome.convergence.idle
    scored = outcome.scores is not None
    before = getattr(e, "validation_scores_", None) or []
    e.validation_scores_ = [*before, *outcome.scores] if outcome.scores is not None else None
    e.best_validation_score_ = outcome.convergence.best_score if scored else None
    e.best_loss_ = None if e.early_stopping else outcome.convergence.best_loss
    if scored:
        e.validation_loss_curve_ = [row["val_loss"] for row in e.history_ if "val_loss" in row]
