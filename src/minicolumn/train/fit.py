"""`fit`: train a network, by means that users have too: `value_and_grad`, `scan` and `compile`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DivergenceError
from minicolumn.lower.compile import compile
from minicolumn.lower.threads import one_thread
from minicolumn.model.compute import Forward
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.rows import Rows
from minicolumn.model.scores import MetricLike, directions, name_of
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import Loss
from minicolumn.nn.regularize import with_statistics
from minicolumn.optim import Adam, Optimizer, described
from minicolumn.optim.schedules import Constant, Schedule
from minicolumn.train.batches import Pace, chunks, epoch_order, steps_in
from minicolumn.train.callbacks import Callback, Training
from minicolumn.train.check import Settings, check_callbacks, check_data, check_params, check_settings
from minicolumn.train.epoch import State, next_numbers, train_epoch
from minicolumn.train.history import History
from minicolumn.tree import flatten, map_leaves

Array = np.ndarray
logger = logging.getLogger("minicolumn")

# Numbers beyond this are the likelier cause of a divergence than the learning rate.
LARGE = 1e3


@dataclass(frozen=True, eq=False)
class Run:
    """What `fit` hands back: the trained model, and how it came to be.

    model           the network with its weights; `predict`, `evaluate` and `save` are its own
    history         one row an epoch
    stopped         "all epochs", "early stopping", "interrupted", or a callback's reason
    best_epoch      the epoch whose weights these are, counted from 1
    seconds         of training, with compiling
    steps_per_second of all steps together
    """

    model: Model
    history: History
    stopped: str
    best_epoch: int
    seconds: float
    steps_per_second: float

    @property
    def params(self) -> Any:
        """Return the weights."""
        return self.model.params

    def predict(self, X: Any) -> Array:
        """Return `Model.predict`."""
        return self.model.predict(X)

    def predictor(self) -> Callable[[Array], Array]:
        """Return `Model.predictor`."""
        return self.model.predictor()

    def evaluate(
        self, X: Any, y: Any, sample_weight: Any = None, *, metrics: Sequence[MetricLike] | None = None
    ) -> dict[str, float]:
        """Return `Model.evaluate`."""
        return self.model.evaluate(X, y, sample_weight, metrics=metrics)

    def save(self, path: PathLike) -> None:
        """Write the model file; see `Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        return f"Run({len(self.history)} epochs, {self.stopped}, best epoch {self.best_epoch})"


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
) -> Run:
    """Train a network by gradient descent on mini-batches.

        params = argmin  mean over rows of loss(network(X), y) + regularizer(params)

    network             a layer, most often a `Sequential`; its input shape is found from X
    X                   [rows, *input_shape], any real dtype; computed in `dtype`
    y                   [rows] class numbers for softmax_cross_entropy, else numbers [rows] or [rows, outputs]
    loss                a name from `mc.nn.LOSSES`, a record with settings such as
                        `mc.nn.Loss("huber", delta=2.0)`, or a NumPy function of (outputs, targets,
                        sample_weight) that returns one number; where there is one output, targets are shaped
                        like the outputs, and sample_weight is [batch] or None
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
    regularizer         `mc.nn.L2(1e-4)`, `mc.nn.L1(...)` or a NumPy function of the weights
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
    first = check_params(settings, params, train.X.shape[1:])
    if progress:
        from minicolumn.train.progress import ProgressBar

        watchers = (*watchers, ProgressBar())
    return _Job(settings, train, held, watchers).run(first)


def _copied(params: Any) -> Any:
    """Return weights that stay as they are while the training goes on."""
    return map_leaves(np.array, params)


class _Job:
    """One training: what is fixed while it runs."""

    def __init__(
        self, settings: Settings, train: Rows, held: Rows | None, callbacks: Sequence[Callback]
    ) -> None:
        s = self.settings = settings
        self.train, self.held, self.callbacks = train, held, callbacks
        step = train_epoch(s.network, s.loss, s.optimizer, s.regularizer, s.constraint)
        # Another number of rows or steps is not another program: X, y, weight; order, rates, numbers.
        # The state is this training's own, so that each chunk may go on in the memory of the one before.
        varying = (1, 2, 3), (4, 5, 6)
        self.epoch = compile(
            step, backend=s.backend, varying=varying, donate=(0,), threads=s.threads, shadow=s.shadow
        )
        # What is held out is measured without label smoothing, so that trainings can be compared.
        self.forward = Forward(s.network, s.loss)
        self.key = random.stream(s.seed, "dropout")
        self.pace = Pace()

    def run(self, params: Any) -> Run:
        """Train until all epochs are over or something ends it earlier."""
        s, started = self.settings, time.perf_counter()
        steps = steps_in(len(self.train), s.batch_size)
        training = Training(
            s.network, s.epochs, steps, len(self.train), self._figures(), params, best_params=params,
            higher_is_better={f"val_{k}": v for k, v in directions(s.metrics, s.record).items()},
        )  # fmt: skip
        try:
            with one_thread():
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

    def _figures(self) -> tuple[str, ...]:
        held = ("loss", *map(name_of, self.settings.metrics)) if self.held else ()
        return ("loss", *(f"val_{name}" for name in held))

    def _epochs(self, training: Training) -> None:
        for callback in self.callbacks:
            callback.on_start(training)
        params = _copied(training.params)
        state = State(params, self.settings.optimizer.start(params))
        while len(training.history) < training.epochs and not training.stop_reason:
            state = self._one_epoch(state, training)

    def _one_epoch(self, state: State, training: Training) -> State:
        """Train one epoch, measure it, and let the callbacks see it."""
        started, epoch = time.perf_counter(), len(training.history) + 1
        state, loss, rate = self._steps(state, training, epoch)
        if not all(np.isfinite(leaf).all() for leaf in flatten(state.params)[0]):
            raise DivergenceError(self._why_diverged(epoch * training.steps, epoch, "a weight"))
        seconds = time.perf_counter() - started
        averaged = self.settings.optimizer.weights(state.params, state.moments)
        weights = with_statistics(averaged, state.params)  # which the optimizer knows nothing of
        measured = {"loss": loss, **self._measured(weights), "learning_rate": rate}
        row = {"epoch": epoch, **measured, "seconds": seconds, "steps_per_second": training.steps / seconds}
        training.add(row, _copied(weights))
        try:
            for callback in self.callbacks:
                callback.on_epoch(training, row)
        finally:  # an interrupt here comes after the epoch, so the epoch counts
            training.settle_best()
        return state

    def _steps(self, state: State, training: Training, epoch: int) -> tuple[State, float, float]:
        """Take the steps of an epoch, chunk by chunk; return the state, the mean loss and the last rate."""
        before = (epoch - 1) * training.steps
        losses_of, done, rate = [], 0, 0.0
        order = epoch_order(self.settings.seed, epoch, training.rows, self.settings.shuffle)
        for piece in chunks(order, self.settings.batch_size, self.pace):
            rates = self._rates(before + done + np.arange(len(piece)), training)
            began = time.perf_counter()
            state, losses = self._chunk(state, piece, rates, before + done, epoch)
            if piece.shape[1] == self.settings.batch_size:
                self.pace.took(len(piece), time.perf_counter() - began)
            losses_of.append(losses.astype(np.float64) * piece.shape[1])
            done, rate = done + len(piece), float(rates[-1])
            for callback in self.callbacks:
                callback.on_chunk(training, done, float(losses[-1]))
        # Added up once an epoch, so that the sum does not depend on where the chunks were cut.
        return state, float(np.sum(np.concatenate(losses_of))) / training.rows, rate

    def _rates(self, steps: Array, training: Training) -> Array:
        factor = self.settings.schedule(steps, self.settings.epochs * training.steps)
        rate = self.settings.optimizer.learning_rate * training.rate_factor
        rates = rate * np.asarray(factor, np.float64)
        with np.errstate(over="ignore"):  # an infinite rate is found by what it does
            return np.broadcast_to(rates, steps.shape).astype(self.settings.dtype)

    def _chunk(self, state: State, piece: Array, rates: Array, done: int, epoch: int) -> tuple[State, Array]:
        """Run some steps; the weights of the last whole epoch are kept where they diverge."""
        rows, numbers = self.train, next_numbers(done, len(piece))
        state, losses = self.epoch(state, rows.X, rows.y, rows.weight, piece, rates, numbers, self.key)
        odd = np.flatnonzero(~np.isfinite(losses))
        if len(odd):
            raise DivergenceError(self._why_diverged(done + int(odd[0]) + 1, epoch, "the loss"))
        return state, losses

    def _why_diverged(self, step: int, epoch: int, what: str) -> str:
        largest = float(np.abs(self.train.X).max(initial=0.0))
        target = float(np.abs(self.train.y).max(initial=0.0)) if self.train.y.dtype.kind == "f" else 0.0
        rate = self.settings.optimizer.learning_rate
        if largest > LARGE:
            cause = f"X holds numbers up to {largest:.3g}; scale its columns to about 1"
        elif target > LARGE:
            cause = f"y holds numbers up to {target:.3g}; scale it to about 1"
        elif step == 1 and what == "the loss":
            cause = (
                "it was none at the very first step, before any weight had moved; look at the loss function"
            )
        else:
            better = min(rate / 3, 0.1)
            cause = f"the learning rate {rate:g} is probably too large; try {better:.2g}"
        return (
            f"training diverged at step {step} (epoch {epoch}): {what} is no finite number any more; {cause}"
        )

    def _measured(self, params: Any) -> dict[str, float]:
        if self.held is None:
            return {}
        found = {"val_loss": self.forward.loss(params, self.held)}
        if self.settings.metrics:
            scores = self.forward.scores(params, self.held, self.settings.metrics)
            found |= {f"val_{name}": score for name, score in scores.items()}
        return found

    def _finished(self, training: Training, started: float) -> Run:
        s, seconds = self.settings, time.perf_counter() - started
        stopped = training.stop_reason or "all epochs"
        model = Model(
            s.network,
            training.best_params,
            self.train.X.shape[1:],
            s.record.name if s.record else "",
            training=self._described(training, stopped, seconds),
            history=training.history.rows,
            loss_settings=dict(s.record.measured().changed) if s.record else {},
        )
        done = len(training.history) * training.steps
        return Run(model, training.history, stopped, training.best_epoch, seconds, done / seconds)

    def _described(self, training: Training, stopped: str, seconds: float) -> dict[str, Any]:
        """Return the settings as JSON, for the model file."""
        s = self.settings
        return {
            "loss": s.record.to_json() if s.record else "",
            "optimizer": described(s.optimizer),
            "schedule": getattr(s.schedule, "__name__", type(s.schedule).__name__),
            "batch_size": s.batch_size,
            "epochs": s.epochs,
            "epochs_run": len(training.history),
            "best_epoch": training.best_epoch,
            "stopped": stopped,
            "rows": training.rows,
            "seed": s.seed,
            "dtype": str(s.dtype),
            "backend": s.backend,
            "seconds": round(seconds, 3),
        }
