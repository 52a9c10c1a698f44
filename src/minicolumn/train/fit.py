"""`fit`: train a network, by means that users have too: `value_and_grad`, `scan` and `compile`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DivergenceError
from minicolumn.lower.threads import one_thread
from minicolumn.model.compute import forward
from minicolumn.model.model import Model
from minicolumn.model.rows import Rows, is_sparse
from minicolumn.model.scores import MetricLike, directions, name_of
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import Loss
from minicolumn.nn.regularize import with_statistics
from minicolumn.optim import Adam, Optimizer
from minicolumn.optim.schedules import Constant, Schedule
from minicolumn.train.ahead import Ahead, Epoch, fits_ahead, how_far, named
from minicolumn.train.batches import Orders, Pace, chunks, steps_in
from minicolumn.train.callbacks import Callback, Training
from minicolumn.train.check import (
    Settings,
    check_callbacks,
    check_constrained,
    check_data,
    check_resume,
    check_settings,
    described,
)
from minicolumn.train.divergence import why_diverged
from minicolumn.train.epoch import State, next_numbers
from minicolumn.train.history import History
from minicolumn.train.programs import epoch_program
from minicolumn.train.rates import factors
from minicolumn.train.run import Progress, Run
from minicolumn.tree import leaves, map_leaves

Array = np.ndarray
logger = logging.getLogger("minicolumn")


def fit(
    network: Layer,
    X: Any,
    y: Any,
    *,
    loss: str | Loss | Callable[..., Any] = "softmax_cross_entropy",
    optimizer: str | Optimizer = Adam(),  # noqa: B008  a frozen record
    schedule: str | Schedule | Callable[[Any, int], Any] = Constant(),  # noqa: B008  a frozen record
    batch_size: int = 32,
    epochs: int = 20,
    validation_data: tuple[Any, ...] | None = None,
    validation_fraction: float = 0.0,
    metrics: Sequence[MetricLike] = (),
    callbacks: Sequence[Callback] = (),
    regularizer: Callable[[Any], Any] | None = None,
    constraint: Callable[[Any], Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    seed: int = 0,
    dtype: Any = np.float32,
    threads: int | None = None,
    backend: str = "native",
    shadow: str | None = None,
    progress: bool | None = None,
    params: Any = None,
    resume: Run | Progress | None = None,
) -> Run:
    """Train a network by gradient descent on mini-batches.

        params = argmin  mean over rows of loss(network(X), y) + regularizer(params)

    network             a layer, most often a `Sequential`; its input shape is found from X
    X                   [rows, *input_shape], any real dtype; computed in `dtype`. Sparse rows of SciPy are
                        made dense some steps at a time
    y                   [rows] class numbers for softmax_cross_entropy, else numbers [rows] or [rows, outputs]
    loss                a name from `mc.nn.LOSSES`, a record with settings such as
                        `mc.nn.Loss("huber", delta=2.0)`, or a NumPy function of (outputs, targets,
                        sample_weight) that returns one number; where there is one output, targets are shaped
                        like the outputs, and sample_weight is [batch], 1 unless given. Losses of classes take
                        raw scores: the last layer has no softmax or logistic, which predictions come with
    optimizer           a record such as `mc.optim.Adam(1e-3)`, or its name; where it averages, as `Averaged`
                        does, the mean is what is measured, shown to callbacks and handed back
    schedule            a factor on the learning rate, by record, name, or function of (steps, total_steps)
    batch_size          rows a step; an epoch's last short batch is trained on too, with its own mean
    epochs              times through the rows
    validation_data     (X, y) or (X, y, sample_weight) held out to measure on
    validation_fraction share of the rows to hold out instead, stratified by class
    metrics             scores to record for the held-out rows: names such as "accuracy" or "f1", left out
                        where those rows have none, such as roc_auc of a single class; own functions of
                        (y, predictions, sample_weight=None), pairs (name, function), or `mc.train.Metric`
                        records, which also say whether higher is better, so that callbacks can watch them
    callbacks           `EarlyStopping` and its kin; the best weights are handed back if one asks for them
    regularizer         `mc.nn.L2(1e-4)`, `mc.nn.L1(...)` or a NumPy function of the weights; the history's
                        "penalty" is its share. `mc.nn.PerRow` divides it by the rows of the batch
    constraint          `mc.nn.MaxNorm(2)`, `mc.nn.NonNegative()`, `mc.nn.UnitNorm()` or a NumPy function from
                        weights to weights, applied after every step
    sample_weight       [rows], >= 0; a step's loss is the weighted mean of its rows; those of weight 0 are
                        left out
    shuffle             whether each epoch has its own order of the rows
    seed                one number for split, weights, order and dropout, each in its own stream
    dtype               of the computation: float32 or float64
    threads             the most that native code uses, by default as many as there are cores; the reference
                        takes one. The bits do not depend on it
    backend             "native" or "reference", as for `mc.compile`
    shadow              "reference" compares every operation of every step with it, as for `mc.compile`
    progress            whether to draw a progress bar on standard error
    params              weights to start from, such as another run's `params`; None draws them
    resume              a run to go on with, `epochs` epochs more: weights, moments, history, best weights and
                        the numbering of epochs and steps go on where it stood. With the same rows and
                        settings, m epochs and n more are m + n epochs at once, to the bit; a schedule must
                        not look at the length of the run for that, and a callback not at when it began

    Returns a `Run`. An interrupt (Ctrl-C) ends the training, not the program: the run says "interrupted" and
    holds the best weights so far, of a whole epoch; before the end of the first, these are the initial ones.

    Raises ShapeError where shapes do not fit, DataError for settings out of range and for NaN in X or y, and
    DivergenceError when the loss leaves the finite numbers; its `run` holds the last good weights.

    >>> import numpy as np, minicolumn as mc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(2))
    >>> run = mc.fit(net, X, np.array([0, 1, 1, 0]), optimizer=mc.optim.Adam(0.1), epochs=60, batch_size=4)
    >>> run.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """
    settings = check_settings(
        network, loss, optimizer, schedule, regularizer, metrics, batch_size, epochs, shuffle, seed, dtype,
        threads, backend, shadow, constraint,
    )  # fmt: skip
    watchers = check_callbacks(callbacks)
    train, held = check_data(settings, X, y, sample_weight, validation_data, validation_fraction)
    start = check_resume(settings, resume, params, train.X.shape[1:])
    check_constrained(settings.constraint, start.params)
    if progress:
        from minicolumn.train.progress import ProgressBar

        watchers = (*watchers, ProgressBar())
    return _Job(settings, train, held, watchers).run(start)


def _copied(params: Any) -> Any:
    """Return weights that stay as they are while the training goes on."""
    return map_leaves(np.array, params)


def _numpy_threads(settings: Settings) -> AbstractContextManager[None]:
    """Limit NumPy's threads where it multiplies matrices: in the reference alone."""
    from minicolumn.lower.llvm.jit import available

    native = settings.backend == "native" and settings.shadow is None and available()
    return nullcontext() if native else one_thread()


class _Job:
    """One training: what is fixed while it runs."""

    def __init__(
        self, settings: Settings, train: Rows, held: Rows | None, callbacks: Sequence[Callback]
    ) -> None:
        s = self.settings = settings
        self.train, self.held, self.callbacks = train, held, callbacks
        self.steps = steps_in(len(train), s.batch_size)
        # What is held out is measured without label smoothing, so that trainings can be compared.
        self.forward = forward(s.network, s.record or s.loss)
        self.key, self.observes = random.stream(s.seed, "dropout"), s.network.observes
        self.orders = Orders(s.seed, len(self.train), s.shuffle)
        self.pace = Pace()

    def run(self, start: Progress) -> Run:
        """Train until all epochs are over or something ends it earlier."""
        started, training, s = time.perf_counter(), self._training(start), self.settings
        self.ahead = Ahead() if fits_ahead(self.steps, start.params) and not is_sparse(self.train.X) else None
        self.epoch = epoch_program(s, each=self.ahead is not None)
        self.first = self.taken = start.steps
        # Training works in the memory of its state, which callbacks and the caller must not see.
        self.state: State | None = State(_copied(start.params), start.moments)
        try:
            with _numpy_threads(self.settings):
                self._epochs(training)
        except KeyboardInterrupt:
            training.stop_reason = "interrupted"
            logger.warning("interrupted after %d epochs; what was learnt is kept", len(training.history))
        except DivergenceError as error:
            training.stop_reason = "diverged"
            error.run = self._finished(training, started)
            raise
        finally:
            for callback in self.callbacks:
                callback.on_end(training)
        return self._finished(training, started)

    def _training(self, start: Progress) -> Training:
        s, steps = self.settings, self.steps
        epochs = len(start.rows) + s.epochs
        best = start.params if start.best_params is None else start.best_params
        history = History(start.rows)
        return Training(
            s.network, epochs, steps, len(self.train), self._figures(), start.params, history,
            best_params=best, best_epoch=start.best_epoch, rate_factor=start.rate_factor,
            higher_is_better={f"val_{k}": v for k, v in directions(s.metrics, s.record).items()},
        )  # fmt: skip

    def _figures(self) -> tuple[str, ...]:
        held = ("loss", *map(name_of, self.settings.metrics)) if self.held else ()
        return ("loss", *(f"val_{name}" for name in held))

    def _epochs(self, training: Training) -> None:
        for callback in self.callbacks:
            callback.on_start(training)
        while len(training.history) < training.epochs and not training.stop_reason:
            self._one_epoch(training)

    def _one_epoch(self, training: Training) -> None:
        """Train one epoch, measure it, and let the callbacks see it."""
        number = len(training.history) + 1
        # There is no state to go on from while an epoch is under way.
        state, self.state = self.state, None
        epoch = (self._steps if self.ahead is None else self._step)(state, training, number)
        if not all(np.isfinite(leaf).all() for leaf in leaves(epoch.state.params)):
            raise DivergenceError(self._why_diverged(self.taken + training.steps, number, "a weight"))
        params = self.settings.optimizer.weights(epoch.state.params, epoch.state.moments)
        if self.observes:  # what the optimizer knows nothing of
            params = with_statistics(params, epoch.state.params)
        measured = {**epoch.losses, **self._measured(params), "learning_rate": float(epoch.rate)}
        if not np.isfinite(measured.get("val_loss", 0.0)) and self._overflows(params):
            raise DivergenceError(self._why_diverged(self.taken + training.steps, number, "a prediction"))
        times = {"seconds": epoch.seconds, "steps_per_second": training.steps / epoch.seconds}
        row = {"epoch": number, **measured, **times}
        training.add(row, _copied(params))
        self.state, self.taken = epoch.state, self.taken + training.steps
        try:
            for callback in self.callbacks:
                callback.on_epoch(training, row)
        finally:  # an interrupt here comes after the epoch, so the epoch counts
            training.settle_best()

    def _steps(self, state: Any, training: Training, epoch: int) -> Epoch:
        """Take the steps of an epoch, chunk by chunk."""
        parts: list[list[Array]] = []
        started, done, rate = time.perf_counter(), 0, 0.0
        for piece in chunks(self.orders.of(epoch), self.settings.batch_size, self.pace):
            rates = self._rates(self.taken + done + np.arange(len(piece)), training)
            began = time.perf_counter()
            state, *losses = self._chunk(state, piece, rates, self.taken + done, epoch)
            if piece.shape[1] == self.settings.batch_size:
                self.pace.took(len(piece), time.perf_counter() - began)
            parts.append([part.astype(np.float64) * piece.shape[1] for part in losses])
            done, rate = done + len(piece), float(rates[-1])
            for callback in self.callbacks:
                callback.on_chunk(training, done, float(losses[0][-1]))
        # Added up once an epoch, so that the sum does not depend on where the chunks were cut.
        means = [float(np.sum(np.concatenate(column))) / training.rows for column in zip(*parts, strict=True)]
        return Epoch(state, named(means), rate, time.perf_counter() - started)

    def _step(self, state: Any, training: Training, epoch: int) -> Epoch:
        """Take an epoch of one step, which may have been trained ahead."""
        rate = self._rates(np.array([self.taken]), training)
        found = self.ahead.take(rate[0]) if self.ahead is not None else None
        found = found or self._train_ahead(state, training, epoch)
        if not np.isfinite(found.losses["loss"]):
            raise DivergenceError(self._why_diverged(self.taken + 1, epoch, "the loss"))
        for callback in self.callbacks:
            callback.on_chunk(training, 1, found.losses["loss"])
        return found

    def _train_ahead(self, state: Any, training: Training, epoch: int) -> Epoch:
        """Train this epoch and some of those that follow, in one call; return this one."""
        assert self.ahead is not None
        left = training.epochs - len(training.history)
        count = how_far(self.taken - self.first, left, self.pace.steps, state)
        rates = self._rates(self.taken + np.arange(count), training)
        orders = np.stack([self.orders.of(epoch + k) for k in range(count)])
        began = time.perf_counter()
        states, *losses = self._run(state, self.train, orders, rates, self.taken)
        seconds = time.perf_counter() - began
        self.pace.took(count, seconds)
        return self.ahead.fill(rates, states, losses, seconds)

    def _rates(self, steps: Array, training: Training) -> Array:
        factor = factors(self.settings.schedule, steps, self.first + self.settings.epochs * training.steps)
        rates = self.settings.optimizer.learning_rate * training.rate_factor * factor
        with np.errstate(over="ignore"):  # an infinite rate is found by what it does
            return rates.astype(self.settings.dtype)

    def _chunk(self, state: Any, piece: Array, rates: Array, done: int, epoch: int) -> tuple[Any, ...]:
        """Run some steps; the weights of the last whole epoch are kept where they diverge."""
        rows, piece = self._gathered(piece)
        state, *losses = self._run(state, rows, piece, rates, done)
        odd = np.flatnonzero(~np.isfinite(losses[0]))
        if len(odd):
            raise DivergenceError(self._why_diverged(done + int(odd[0]) + 1, epoch, "the loss"))
        return state, *losses

    def _run(self, state: Any, rows: Rows, order: Array, rates: Array, done: int) -> tuple[Any, ...]:
        """Call the compiled steps."""
        numbers, penalty = next_numbers(done, len(order)), self.settings.regularizer
        return self.epoch(state, rows.X, rows.y, rows.weight, order, rates, numbers, self.key, penalty)

    def _gathered(self, piece: Array) -> tuple[Rows, Array]:
        """Return rows as an array, and which of them make which step; of sparse ones only those needed."""
        if not is_sparse(self.train.X):
            return self.train, piece
        own = self.train.take(piece.ravel()).dense()
        return own, np.arange(piece.size, dtype=np.int32).reshape(piece.shape)

    def _why_diverged(self, step: int, epoch: int, what: str) -> str:
        return why_diverged(self.train, self.settings.optimizer.learning_rate, step, epoch, what)

    def _measured(self, params: Any) -> dict[str, float]:
        if self.held is None:
            return {}
        found = {"val_loss": self.settings.factor * self.forward.loss(params, self.held)}
        if self.settings.metrics:
            scores = self.forward.scores(params, self.held, self.settings.metrics)
            found |= {f"val_{name}": score for name, score in scores.items()}
        return found

    def _overflows(self, params: Any) -> bool:
        """Return whether predictions are no finite numbers, as those of weights that are all but infinite."""
        assert self.held is not None
        return not np.isfinite(self.forward.outputs(params, self.held.X)).all()

    def _finished(self, training: Training, started: float) -> Run:
        s, seconds = self.settings, time.perf_counter() - started
        stopped = training.stop_reason or "all epochs"
        model = Model(
            s.network,
            training.best_params,
            self.train.X.shape[1:],
            s.record.name if s.record else "",
            training=described(s, training, stopped, seconds),
            history=training.history.rows,
            loss_settings=dict(s.record.measured().changed) if s.record else {},
        )
        done = self.taken - self.first
        training.history.kept = training.best_epoch or None
        return Run(
            model,
            training.history,
            stopped,
            training.best_epoch,
            seconds,
            done / seconds,
            self._progress(training),
        )

    def _progress(self, training: Training) -> Progress:
        # An averaging optimizer goes on from the weights themselves; from the mean after half an epoch.
        params, moments = training.params, None
        if self.state is not None:
            params, moments = _copied(self.state.params), self.state.moments
        return Progress(
            params,
            moments,
            self.taken,
            tuple(training.history),
            training.best_params,
            training.best_epoch,
            training.rate_factor,
        )
