"""One training of an estimator's network: by `mc.fit`, or by L-BFGS."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from minicolumn.errors import DataError, DivergenceError
from minicolumn.estimators.convergence import Convergence, say
from minicolumn.estimators.heads import Head, RowLoss
from minicolumn.estimators.holdout import Data
from minicolumn.estimators.parameters import lowers_its_rate, optimizer_of, regularizer_of, schedule_of
from minicolumn.estimators.scales import NOT_FINITE
from minicolumn.estimators.sklearn_callbacks import Hooks
from minicolumn.model.rows import check_rows, is_sparse
from minicolumn.nn import Sequential
from minicolumn.train import History, Snapshot, fit
from minicolumn.train.batches import steps_in
from minicolumn.train.callbacks import Callback
from minicolumn.train.lbfgs import minimize_lbfgs

Array = np.ndarray


class NothingLearnt(DataError):
    """A training left the finite numbers before it had any weights worth keeping."""


@dataclass(frozen=True, eq=False)
class Books:
    """What scikit-learn's rules carry on: the best so far, epochs without gain, the factor on the rate.

    best_epoch  of the best score, in the history; None where no rows were held out
    """

    best_loss: float = np.inf
    best_score: float = -np.inf
    idle: int = 0
    factor: float = 1.0
    best_epoch: int | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be trained.

    estimator   whose parameters say how
    data        rows to train on; held: rows to measure on, or None
    start       weights to start from, and what came before
    seed        of orders and dropout
    epochs      at most
    seen        rows seen before
    score       returns the score of some weights on the held rows
    """

    estimator: Any
    network: Sequential
    head: Head
    data: Data
    held: Data | None
    start: Snapshot
    seed: int
    epochs: int
    hooks: Hooks
    seen: int = 0
    books: Books = field(default_factory=Books)
    score: Callable[[Any], float] | None = None

    @property
    def dtype(self) -> np.dtype:
        """Return the dtype of the computation."""
        return np.dtype(self.estimator.dtype)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training came to: weights, progress, its figures, and why it ended."""

    params: Any
    snapshot: Snapshot
    history: History
    losses: list[float]
    scores: list[float] | None
    books: Books
    stopped: str

    @property
    def loss(self) -> float:
        """Return the loss of the last epoch; NaN where none was finished."""
        return float(self.losses[-1]) if self.losses else float("nan")

    def figure(self, early: bool) -> float:
        """Return by what several trainings are compared: less is better, of the weights that are kept."""
        found = self.loss
        if self.scores:
            found = -(self.books.best_score if early else self.scores[-1])
        return found if np.isfinite(found) else np.inf


def train(task: Task) -> Outcome:
    """Train as the estimator's `solver` says."""
    return _by_lbfgs(task) if task.estimator.solver == "lbfgs" else _by_epochs(task)


def _by_epochs(task: Task) -> Outcome:
    e, watch = task.estimator, _watch(task)
    batch, steps = _batch(task)
    schedule = schedule_of(
        e, rows=len(task.data), steps=steps, seen=task.seen, first=task.start.step,
        afresh=task.start.moments is None,
    )  # fmt: skip
    if lowers_its_rate(e):
        schedule = lambda step, total: np.full(np.shape(step), watch.factor)  # noqa: E731
    held, own = task.held, e.callbacks or ()
    try:
        run = fit(
            task.network,
            task.data.X,
            task.data.y,
            loss=task.head.loss,
            optimizer=optimizer_of(e),
            schedule=schedule,
            batch_size=batch,
            epochs=task.epochs,
            validation_data=None if held is None else (held.X, held.y, held.weight),
            callbacks=[watch, *task.hooks.callbacks(), *([own] if isinstance(own, str | Callback) else own)],
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
    if run.stopped == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=5)
    params = run.params
    if e.early_stopping:
        run.history.kept = watch.best_epoch
        if watch.scores and not np.isfinite(watch.scores).any():
            raise DataError(
                "early_stopping: the score of the held-out rows was no finite number in any epoch, so no "
                "weights are the best; look at scoring, and whether more than one row is held out"
            )
        params = watch.best_params if watch.best_params is not None else task.start.params
    books = Books(watch.best_loss, watch.best_score, watch.idle, watch.factor, watch.best_epoch)
    return Outcome(params, run.snapshot, run.history, watch.losses, watch.scores, books, run.stopped)


def _watch(task: Task) -> Convergence:
    e = task.estimator
    rate = optimizer_of(e).learning_rate if lowers_its_rate(e) else None
    watch = Convergence(e.tol, e.n_iter_no_change, e.early_stopping, task.score, rate, bool(e.verbose))
    books = task.books
    watch.best_loss, watch.best_score, watch.idle = books.best_loss, books.best_score, books.idle
    watch.best_epoch = books.best_epoch
    # A warm start begins anew with its optimizer; the next rows of a partial fit go on at the same rate.
    watch.factor = 1.0 if task.start.moments is None else books.factor
    return watch


def _batch(task: Task) -> tuple[int, int]:
    """Return the rows of a batch and the batches of an epoch."""
    rows, size = len(task.data), task.estimator.batch_size
    if size == "auto":
        size = 200
    elif size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=6
        )
    batch = min(int(size), rows)
    return batch, steps_in(rows, batch)


def _last_good(error: DivergenceError, watch: Convergence, task: Task) -> Any:
    """Return the run up to the last whole epoch; where there was none, there is nothing to keep."""
    watch.diverged()
    if error.run.history[len(task.start.rows) :] or task.start.rows:
        warnings.warn(
            f"{error}; the weights of the last whole epoch are kept", ConvergenceWarning, stacklevel=6
        )
        return error.run
    raise NothingLearnt(f"{NOT_FINITE} {error}") from None


def _by_lbfgs(task: Task) -> Outcome:
    e, data = task.estimator, task.data
    record = task.head.loss.record if isinstance(task.head.loss, RowLoss) else None
    rows = check_rows(
        "fit",
        data.X.toarray() if is_sparse(data.X) else data.X,
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
        callback=lambda params, loss: task.hooks.epoch(params),
        threads=e.threads,
    )
    if not np.isfinite(found.loss):
        raise NothingLearnt(f"{NOT_FINITE} lbfgs: the loss left the finite numbers")
    if not found.converged:
        warnings.warn(
            f"lbfgs failed to converge after {found.iterations} iteration(s): {found.message}; raise "
            "max_iter or max_fun, or scale the data (sklearn.preprocessing.StandardScaler)",
            ConvergenceWarning,
            stacklevel=5,
        )
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
        Books(found.loss),
        "lbfgs",
    )
