"""One training run of an estimator's network: mini-batch gradient descent by `mc.fit`, or L-BFGS.

`Task` says what is trained from where, `train` runs it, `Outcome` has the weights, the history and the state
that the next fit goes on from. An estimator with `n_restarts` runs several tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from minicolumn.errors import DataError, DivergenceError, warn_user
from minicolumn.estimators.convergence import Convergence, ConvergenceState, say
from minicolumn.estimators.heads import Head, RowLoss
from minicolumn.estimators.holdout import Data
from minicolumn.estimators.parameters import (
    MLPParameters,
    ScheduleFunction,
    lowers_its_rate,
    optimizer_of,
    regularizer_of,
    schedule_of,
)
from minicolumn.estimators.scales import NOT_FINITE
from minicolumn.estimators.sklearn_callbacks import Hooks
from minicolumn.model.rows import check_rows
from minicolumn.nn import Sequential
from minicolumn.nn.layer import Params
from minicolumn.train import History, Run, Snapshot, fit
from minicolumn.train.batches import steps_in
from minicolumn.train.callbacks import Callback, check_callbacks
from minicolumn.train.lbfgs import minimize_lbfgs
from minicolumn.train.side_by_side import Reporter
from minicolumn.train.types import Inputs

Array = np.ndarray


class NothingLearnt(DataError):
    """A training diverged before it had any weights worth keeping: in its first epoch, or in L-BFGS."""


@dataclass(frozen=True, eq=False)
class Task:
    """A training task: the network, the rows, the start, and the estimator whose parameters say how.

    estimator   whose hyperparameters count
    network     the layers
    head        the loss, and what the outputs mean
    data        rows to train on
    held        validation rows to measure on after each epoch, or None
    start       initial weights; with optimizer moments and history where a training goes on
    seed        of the shuffled orders and of dropout
    epochs      at most
    hooks       scikit-learn's callbacks
    seen        rows seen before, over all epochs of earlier fits
    convergence the convergence state that earlier fits left
    score       returns the score of some weights on the held-out rows; None without such rows
    reporter    is told how far it is, and ends it, where it is one of several side by side
    """

    estimator: MLPParameters
    network: Sequential
    head: Head
    data: Data
    held: Data | None
    start: Snapshot
    seed: int
    epochs: int
    hooks: Hooks
    seen: int = 0
    convergence: ConvergenceState = field(default_factory=ConvergenceState)
    score: Callable[[Params], float] | None = None
    reporter: Reporter | None = None

    def callbacks(self) -> list[Callback]:
        """Return what is hung into the training beside the convergence criteria."""
        own, watching = self.estimator.callbacks or (), [] if self.reporter is None else [self.reporter]
        listed = [own] if isinstance(own, str | Callback) else own
        return [*watching, *self.hooks.callbacks(), *check_callbacks("fit", listed)]

    def ends(self, params: Params) -> bool:
        """Report an iteration of lbfgs, and return whether it is to be the last."""
        return self.hooks.epoch(params) or (self.reporter is not None and self.reporter.told_to_stop())

    @property
    def dtype(self) -> np.dtype:
        """Return the dtype of the computation, float32 or float64."""
        return np.dtype(self.estimator.dtype)


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a training run.

    params      the weights to keep: of the best epoch with early stopping, else of the last
    snapshot    where the training stands, to go on from
    history     one row an epoch, those of earlier fits included
    losses      of this run's epochs, penalty included
    scores      of the held-out rows after each epoch; None where none were held out
    convergence the convergence state for the next fit
    stopped     why it ended: "all epochs", "converged", "early stopping", "interrupted", "lbfgs" ...
    doubt       what a ConvergenceWarning is to say of it; "" for nothing
    diverged    whether it left the finite numbers, so that these are the last good weights
    """

    params: Params
    snapshot: Snapshot
    history: History
    losses: list[float]
    scores: list[float] | None
    convergence: ConvergenceState
    stopped: str
    doubt: str = ""
    diverged: bool = False

    @property
    def loss(self) -> float:
        """Return the loss of the last epoch; NaN where none was finished."""
        return float(self.losses[-1]) if self.losses else float("nan")

    def figure(self, early: bool) -> float:
        """Return the figure by which restarts are compared, lower is better: the negative score, or the loss.

        early       whether the weights of the best epoch are kept, so that its score counts, not the last one
        Returns     infinity where the figure is NaN, so that a diverged run is never the best
        """
        found = self.loss
        if self.scores:
            found = -(self.convergence.best_score if early else self.scores[-1])
        return found if np.isfinite(found) else np.inf


def train(task: Task) -> Outcome:
    """Train by the estimator's `solver`: L-BFGS over all rows, or an optimizer over mini-batches.

    Errors      NothingLearnt where no weights are worth keeping; a later divergence only warns
    """
    return _by_lbfgs(task) if task.estimator.solver == "lbfgs" else _by_epochs(task)


def _by_epochs(task: Task) -> Outcome:
    """Train by mini-batch gradient descent until the criteria of `Convergence` or `max_iter` end it."""
    e, watch = task.estimator, _watch(task)
    batch, steps = _batch(task)
    schedule = schedule_of(
        e, rows=len(task.data), steps=steps, seen=task.seen, first=task.start.step,
        afresh=task.start.moments is None,
    )  # fmt: skip
    if lowers_its_rate(e):
        schedule = _plateau_schedule(watch)
    held, doubt = task.held, ""
    try:
        run = fit(
            task.network,
            cast(Inputs, task.data.X),
            task.data.y,
            loss=task.head.loss,
            optimizer=optimizer_of(e),
            schedule=schedule,
            batch_size=batch,
            epochs=task.epochs,
            validation_data=None if held is None else (cast(Inputs, held.X), held.y, held.weight),
            callbacks=[watch, *task.callbacks()],
            regularizer=regularizer_of(e),
            constraint=e.constraint,
            sample_weight=task.data.weight,
            shuffle=e.shuffle,
            seed=task.seed,
            dtype=task.dtype,
            threads=e.threads,
            resume=task.start,
        )
    except DivergenceError as error:
        run = _last_good(error, watch, task)
        doubt = f"{error}; the weights of the last whole epoch are kept"
    params = run.params
    if e.early_stopping:
        run.history.kept = watch.best_epoch
        if watch.scores and not np.isfinite(watch.scores).any():
            raise DataError(
                "early_stopping: the score of the held-out rows was no finite number in any epoch, so no "
                "weights are the best; look at scoring, and whether more than one row is held out"
            )
        params = watch.best_params if watch.best_params is not None else task.start.params
    state = ConvergenceState(watch.best_loss, watch.best_score, watch.idle, watch.factor, watch.best_epoch)
    return Outcome(
        params, run.snapshot, run.history, watch.losses, watch.scores, state, run.stopped, doubt, bool(doubt)
    )


def _plateau_schedule(watch: Convergence) -> ScheduleFunction:
    """Return the schedule of "adaptive": the factor that the criteria have come to, for all steps alike."""
    return lambda step, total: np.full(np.shape(step), watch.factor)


def _watch(task: Task) -> Convergence:
    """Return the convergence criteria of a task, in the state that the fit before left them."""
    e = task.estimator
    rate = optimizer_of(e).learning_rate if lowers_its_rate(e) else None
    watch = Convergence(e.tol, e.n_iter_no_change, e.early_stopping, task.score, rate, bool(e.verbose))
    state = task.convergence
    watch.best_loss, watch.best_score, watch.idle = state.best_loss, state.best_score, state.idle
    watch.best_epoch = state.best_epoch
    # A warm start begins anew with its optimizer; the next rows of a partial fit go on at the same rate.
    watch.factor = 1.0 if task.start.moments is None else state.factor
    return watch


def _batch(task: Task) -> tuple[int, int]:
    """Return the rows of a batch, "auto" being min(200, rows), and the batches of an epoch."""
    rows, size = len(task.data), task.estimator.batch_size
    batch = min(200 if size == "auto" else int(size), rows)
    return batch, steps_in(rows, batch)


def check_batch(estimator: MLPParameters, rows: int) -> None:
    """Warn of a batch that is larger than the rows that train, in scikit-learn's words."""
    size = estimator.batch_size
    if estimator.solver != "lbfgs" and size != "auto" and size > rows:
        warn_user("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")


def _last_good(error: DivergenceError, watch: Convergence, task: Task) -> Run:
    """Return the run up to the last whole epoch before a divergence.

    Errors      NothingLearnt where there was no whole epoch, in this fit or before
    """
    watch.diverged()
    if error.run.history[len(task.start.rows) :] or task.start.rows:
        return error.run
    raise NothingLearnt(f"{NOT_FINITE} {error}") from None


def _by_lbfgs(task: Task) -> Outcome:
    """Train by limited-memory BFGS over all rows at once, in float64; sparse rows are made dense.

    Errors      NothingLearnt where the loss is not finite
    """
    e, data = task.estimator, task.data
    record = task.head.loss.record if isinstance(task.head.loss, RowLoss) else None
    rows = check_rows(
        "fit",
        data.X if isinstance(data.X, np.ndarray) else data.X.toarray(),
        data.y,
        data.weight,
        np.float64,
        record.rule if record else None,
        (task.head.units,),
    )
    found = minimize_lbfgs(
        task.network,
        rows.X,
        rows.y,
        task.start.params,
        loss=task.head.loss,
        regularizer=regularizer_of(e),
        sample_weight=rows.weight,
        max_iter=e.max_iter,
        max_fun=e.max_fun,
        tol=e.tol,
        callback=lambda params, loss: task.ends(params),
        threads=e.threads,
    )
    if not np.isfinite(found.loss):
        raise NothingLearnt(f"{NOT_FINITE} lbfgs: the loss left the finite numbers")
    doubt = (
        ""
        if found.converged
        else (
            f"lbfgs failed to converge after {found.iterations} iteration(s): {found.message}; raise "
            "max_iter or max_fun, or scale the data (sklearn.preprocessing.StandardScaler)"
        )
    )
    stopped = task.reporter is not None and task.reporter.told_to_stop()
    say(e.verbose, *(f"Iteration {k}, loss = {loss:.8f}" for k, loss in enumerate(found.losses, 1)))
    first = len(task.start.rows) + 1
    history = [{"epoch": k, "loss": loss} for k, loss in enumerate(found.losses, first)]
    snapshot = Snapshot(found.params, None, 0, (*task.start.rows, *history))
    losses = list(found.losses) or [found.loss]
    return Outcome(
        found.params,
        snapshot,
        History(snapshot.rows, len(snapshot.rows) or None),
        losses,
        None,
        ConvergenceState(found.loss),
        "interrupted" if stopped else "lbfgs",
        "" if stopped else doubt,
    )


def end_of(outcome: Outcome, epochs: int) -> str:
    """Return, in scikit-learn's words, that max_iter ended the training; "" where it did not."""
    if outcome.stopped != "all epochs":
        return ""
    reached = f"Stochastic Optimizer: Maximum iterations ({epochs}) reached"
    return f"{reached} and the optimization hasn't converged yet."
