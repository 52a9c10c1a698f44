"""`fit`: train a network. It uses nothing private: `value_and_grad`, `scan` and `compile` are what users have."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, DivergenceError, ShapeError
from minicolumn.lower.compile import compile
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model, loss_measure, mean_loss
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LOSSES, LossRule, loss_by_name
from minicolumn.optim import Adam, Optimizer, optimizer_by_name
from minicolumn.optim.schedules import Constant, Schedule, schedule_by_name
from minicolumn.train.batches import chunks, epoch_order, steps_in
from minicolumn.train.callbacks import Callback, Training, lower_is_better
from minicolumn.train.epoch import State, next_numbers, train_epoch
from minicolumn.train.history import History

Array = np.ndarray
logger = logging.getLogger("minicolumn")

# Steps between two looks at the clock, the keyboard and the finiteness of the loss.
CHUNK_STEPS = 50


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

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Return `Model.evaluate`."""
        return self.model.evaluate(X, y, sample_weight)

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
    loss: str | Callable[..., Any] = "softmax_cross_entropy",
    optimizer: str | Optimizer = Adam(),  # noqa: B008  a frozen record
    schedule: str | Schedule = Constant(),  # noqa: B008  a frozen record
    batch_size: int = 32,
    epochs: int = 20,
    validation_data: tuple[Any, ...] | None = None,
    validation_fraction: float = 0.0,
    metrics: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    regularizer: Callable[[Any], Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    seed: int = 0,
    dtype: Any = np.float32,
    threads: int | None = None,
    backend: str = "reference",
    progress: bool | None = None,
    params: Any = None,
) -> Run:
    """Train a network by gradient descent on mini-batches.

        params = argmin  mean over rows of loss(network(X), y) + regularizer(params)

    network             a layer, most often a `Sequential`; its input shape is found from X
    X                   [rows, *input_shape], any real dtype; computed in `dtype`
    y                   [rows] class numbers for softmax_cross_entropy; numbers [rows] or [rows, outputs] otherwise
    loss                a name from `minicolumn.nn.LOSSES`, or a NumPy function (outputs, targets, sample_weight)
    optimizer           a record such as `mc.optim.Adam(1e-3)`, or its name
    schedule            a factor on the learning rate as a function of the step, by record or name
    batch_size          rows a step; an epoch's last short batch is trained on too, with its own mean
    epochs              times through the rows
    validation_data     (X, y) or (X, y, sample_weight) held out to measure on
    validation_fraction share of the rows to hold out instead, stratified by class
    metrics             scores of `Model.evaluate` to record for the held-out rows, such as "accuracy"
    callbacks           `EarlyStopping` and its kin; the best weights are handed back if one asks for them
    regularizer         `mc.nn.L2(1e-4)`, `mc.nn.L1(...)` or a NumPy function of the weights
    sample_weight       [rows], >= 0; a step's loss is the weighted mean of its rows
    shuffle             whether each epoch has its own order of the rows
    seed                one number for split, weights, order and dropout, each in its own stream
    dtype               of the computation: float32 or float64
    threads             kept for the compiled backend; the reference uses what NumPy uses
    backend             "reference"
    progress            whether to draw a progress bar on standard error
    params              weights to start from; None draws them

    Returns a `Run`. An interrupt (Ctrl-C) ends the training, not the program: the run says "interrupted" and holds
    the best weights so far.

    Raises ShapeError where shapes do not fit, DataError for settings out of range and for NaN in X or y, and
    DivergenceError when the loss leaves the finite numbers; its `run` holds the last good weights.

    >>> import numpy as np, minicolumn as mc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(2))
    >>> run = mc.fit(net, X, np.array([0, 1, 1, 0]), optimizer=mc.optim.Adam(0.1), epochs=60, batch_size=4)
    >>> run.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """
    settings = _settings(network, loss, optimizer, schedule, batch_size, epochs, threads)
    X, y, weight = _checked_rows(X, y, sample_weight, dtype, settings.rule)
    train, held = _held_out(X, y, weight, validation_data, validation_fraction, seed, dtype, settings.rule)
    _check_targets(settings, train[0].shape[1:], [train, *([held] if held else [])])
    job = _Job(settings, train, held, tuple(metrics), regularizer, shuffle, seed, np.dtype(dtype), backend)
    watchers = [*callbacks, *([_progress_bar()] if progress else [])]
    return job.run(params, watchers)


@dataclass(frozen=True)
class _Settings:
    """The settings of a training, with names looked up."""

    network: Layer
    loss: Callable[..., Any]
    rule: LossRule | None
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    epochs: int


def _settings(
    network: Any, loss: Any, optimizer: Any, schedule: Any, batch_size: Any, epochs: Any, threads: Any
) -> _Settings:
    if not isinstance(network, Layer):
        raise DataError(f"fit: the network is a {type(network).__name__}, expected a layer such as mc.nn.Sequential(...)")
    for name, value in (("batch_size", batch_size), ("epochs", epochs), *((("threads", threads),) if threads else ())):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise DataError(f"fit: {name} must be a whole number of at least 1, got {value!r}")
    rule = loss_by_name(loss) if isinstance(loss, str) else _rule_of(loss)
    optimizer = optimizer_by_name(optimizer) if isinstance(optimizer, str) else optimizer
    if not isinstance(optimizer, Optimizer):
        raise DataError(f"fit: optimizer is a {type(optimizer).__name__}, expected a name or a record such as mc.optim.Adam(1e-3)")
    schedule = schedule_by_name(schedule) if isinstance(schedule, str) else schedule
    function = rule.function if isinstance(loss, str) and rule else loss
    return _Settings(network, function, rule, optimizer, schedule, int(batch_size), int(epochs))


def _rule_of(loss: Callable[..., Any]) -> LossRule | None:
    """Return the record of a loss given as a function, also one with settings bound by functools.partial."""
    inner = loss.func if isinstance(loss, functools.partial) else loss
    return next((rule for rule in LOSSES.values() if rule.function is inner), None)


Rows = tuple[Array, Array, Array | None]


def _checked_rows(X: Any, y: Any, weight: Any, dtype: Any, rule: LossRule | None) -> Rows:
    """Return inputs, targets and weights as arrays that fit each other and hold finite numbers."""
    inputs, targets = np.asarray(X), np.asarray(y)
    if not inputs.ndim or inputs.dtype.kind not in "fiub":
        raise DataError(f"fit: X must be an array of numbers [rows, ...], got dtype {inputs.dtype}; `minicolumn train` "
                        "takes tables with words in them")  # fmt: skip
    if not len(inputs) or not targets.ndim or len(inputs) != len(targets):
        raise ShapeError(f"fit: X has {len(inputs)} rows and y {targets.size if targets.ndim else 1}; expected the same, and at least one")
    inputs = np.ascontiguousarray(inputs, dtype)
    if not np.isfinite(inputs).all():
        raise DataError("fit: X holds NaN or infinity; fill or drop missing values first, or use `minicolumn train`, which does")
    return inputs, _checked_targets(targets, dtype, rule), _checked_weight(weight, len(inputs), dtype)


def _checked_targets(targets: Array, dtype: Any, rule: LossRule | None) -> Array:
    if targets.dtype.kind in "iub":
        return targets.astype(np.int32) if rule is None or rule.task != "regression" else targets.astype(dtype)
    if targets.dtype.kind != "f":
        raise DataError(f"fit: y must hold numbers, got dtype {targets.dtype}; number the classes 0, 1, 2, ... "
                        "(np.unique(y, return_inverse=True) does)")  # fmt: skip
    if not np.isfinite(targets).all():
        raise DataError("fit: y holds NaN or infinity; drop the rows without a target")
    return np.ascontiguousarray(targets, dtype)


def _checked_weight(weight: Any, rows: int, dtype: Any) -> Array | None:
    if weight is None:
        return None
    found = np.asarray(weight, dtype)
    if found.shape != (rows,) or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise DataError(f"fit: sample_weight must hold one finite number >= 0 for each of the {rows} rows, not all 0")
    return found


def _held_out(
    X: Array, y: Array, weight: Array | None, data: Any, fraction: float, seed: int, dtype: Any, rule: LossRule | None
) -> tuple[Rows, Rows | None]:
    if data is not None:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise DataError("fit: validation_data must be (X, y) or (X, y, sample_weight)")
        held = _checked_rows(data[0], data[1], data[2] if len(data) == 3 else None, dtype, rule)
        if held[0].shape[1:] != X.shape[1:]:
            raise ShapeError(f"fit: validation rows have shape {list(held[0].shape[1:])}, training rows {list(X.shape[1:])}")
        return (X, y, weight), held
    if not fraction:
        return (X, y, weight), None
    from minicolumn.tables.split import split_rows

    classes = y if y.dtype.kind == "i" and y.ndim == 1 else None
    train, held = split_rows(classes, len(X), fraction, _split_seed(seed))
    take = lambda rows: (X[rows], y[rows], None if weight is None else weight[rows])  # noqa: E731
    return take(np.sort(train)), take(np.sort(held))


def _split_seed(seed: int) -> int:
    """Return the number that scikit-learn's splitter takes, from the seed's own stream."""
    return int(random.stream(seed, "split")[1])


def _check_targets(settings: _Settings, input_shape: tuple[int, ...], parts: list[Rows]) -> None:
    """Refuse class numbers that the network has no output for, before anything is trained."""
    outputs = settings.network.output_shape(input_shape)
    if settings.rule is None or settings.rule.name != "softmax_cross_entropy":
        return
    for _, y, _ in parts:
        if y.ndim == 1 and y.dtype.kind == "i" and outputs and (y.min() < 0 or y.max() >= outputs[-1]):
            raise DataError(
                f"fit: y holds class numbers from {y.min()} to {y.max()}, but the network has {outputs[-1]} outputs, "
                f"for classes 0 to {outputs[-1] - 1}"
            )


def _progress_bar() -> Callback:
    from minicolumn.train.progress import ProgressBar

    return ProgressBar()


@dataclass
class _Job:
    """One training: what is fixed while it runs."""

    settings: _Settings
    train: Rows
    held: Rows | None
    metrics: tuple[str, ...]
    regularizer: Callable[[Any], Any] | None
    shuffle: bool
    seed: int
    dtype: np.dtype
    backend: str

    def run(self, params: Any, callbacks: Sequence[Callback]) -> Run:
        s = self.settings
        X = self.train[0]
        self.epoch = compile(train_epoch(s.network, s.loss, s.optimizer, self.regularizer), backend=self.backend)
        # Held-out loss is measured without label smoothing and the like: it is the loss by its name.
        measured = s.rule.function if s.rule else s.loss
        self.measure = loss_measure(s.network, measured)
        first = s.network.init(self.seed, X.shape[1:], self.dtype) if params is None else params
        training = Training(s.network, s.epochs, steps_in(len(X), s.batch_size), len(X), first)
        state = State(first, s.optimizer.start(first))
        started = time.perf_counter()
        for callback in callbacks:
            callback.on_start(training)
        try:
            for epoch in range(1, s.epochs + 1):
                state = self._epoch(state, epoch, training, callbacks)
                if training.stop_reason:
                    break
        except KeyboardInterrupt:
            training.stop("interrupted")
            logger.warning("interrupted after %d epochs; what was learnt is kept", len(training.history))
        except DivergenceError as error:
            training.stop("diverged")
            error.run = self._finished(training, started)  # type: ignore[attr-defined]
            raise
        finally:
            for callback in callbacks:
                callback.on_end(training)
        return self._finished(training, started)

    def _epoch(self, state: State, epoch: int, training: Training, callbacks: Sequence[Callback]) -> State:
        """Train one epoch, measure it, and let the callbacks see it."""
        started = time.perf_counter()
        total, done, rate = 0.0, 0, 0.0
        order = epoch_order(self.seed, epoch, training.rows, self.shuffle)
        for piece in chunks(order, self.settings.batch_size, CHUNK_STEPS):
            rates = self._rates(epoch, done, len(piece), training)
            state, losses = self._chunk(state, piece, rates, (epoch - 1) * training.steps + done, epoch)
            total += float(np.sum(losses, dtype=np.float64)) * piece.shape[1]
            done, rate = done + len(piece), float(rates[-1])
            # Weights are only good once an epoch is through; until then an interrupt keeps those before it.
            for callback in callbacks:
                callback.on_chunk(training, done, float(losses[-1]))
        seconds = time.perf_counter() - started
        training.params = state.params
        row = {"epoch": epoch, "loss": total / training.rows, **self._measured(state.params), "learning_rate": rate,
               "seconds": seconds, "steps_per_second": done / seconds}  # fmt: skip
        training.history.rows.append(row)
        for callback in callbacks:
            callback.on_epoch(training, row)
        self._keep_best(training)
        return state

    def _rates(self, epoch: int, done: int, steps: int, training: Training) -> Array:
        at = (epoch - 1) * training.steps + done + np.arange(steps)
        factor = self.settings.schedule(at, self.settings.epochs * training.steps)
        return (self.settings.optimizer.learning_rate * factor).astype(self.dtype)

    def _chunk(self, state: State, piece: Array, rates: Array, first: int, epoch: int) -> tuple[State, Array]:
        X, y, weight = self.train
        numbers = next_numbers(first, len(piece))
        state, losses = self.epoch(state, X, y, weight, piece, rates, numbers, random.stream(self.seed, "dropout"))
        if not np.isfinite(losses).all():
            step = first + int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
            raise DivergenceError(self._why_diverged(step, epoch, float(losses[np.isfinite(losses)].max(initial=0))))
        return state, losses

    def _why_diverged(self, step: int, epoch: int, worst: float) -> str:
        largest = float(np.abs(self.train[0]).max())
        rate = self.settings.optimizer.learning_rate
        target = float(np.abs(self.train[1]).max()) if self.train[1].dtype.kind == "f" else 0.0
        if largest > 1e3:
            cause = f"X holds numbers up to {largest:.3g}; scale its columns to about 1"
        elif target > 1e3:
            cause = f"y holds numbers up to {target:.3g}; scale it to about 1"
        else:
            cause = f"the learning rate {rate:g} is probably too large; try {rate / 3:.2g}"
        return f"training diverged at step {step} (epoch {epoch}): the loss is no finite number any more; {cause}"

    def _measured(self, params: Any) -> dict[str, float]:
        if self.held is None:
            return {}
        X, y, weight = self.held
        found = {"val_loss": mean_loss(self.settings.network, self.settings.loss, params, X, y, weight, self.measure)}
        if self.metrics:
            scores = self._model(params, History()).evaluate(X, y)
            missing = [name for name in self.metrics if name not in scores]
            if missing:
                from minicolumn.errors import did_you_mean

                raise DataError(f"fit: unknown metric {missing[0]!r}{did_you_mean(missing[0], scores)}; there are {', '.join(scores)}")
            found |= {f"val_{name}": scores[name] for name in self.metrics}
        return found

    def _keep_best(self, training: Training) -> None:
        if training.monitor is None:
            training.best_params, training.best_epoch = training.params, len(training.history)
            return
        best = training.history.best(training.monitor, lower_is_better(training.monitor))
        if best == len(training.history) - 1:
            training.best_params, training.best_epoch = training.params, best + 1

    def _model(self, params: Any, history: History) -> Model:
        name = self.settings.rule.name if self.settings.rule else ""
        return Model(self.settings.network, params, self.train[0].shape[1:], name, None, {}, {}, history.rows)

    def _finished(self, training: Training, started: float) -> Run:
        seconds = time.perf_counter() - started
        params = training.params if training.best_params is None else training.best_params
        model = self._model(params, training.history)
        model.training.update(self._described(training, seconds))
        steps = len(training.history) * training.steps
        reason = training.stop_reason or "all epochs"
        return Run(model, training.history, reason, training.best_epoch, seconds, steps / seconds)

    def _described(self, training: Training, seconds: float) -> dict[str, Any]:
        """Return the settings as JSON, for the model file."""
        import dataclasses

        s = self.settings
        return {
            "optimizer": {"name": type(s.optimizer).__name__, **dataclasses.asdict(s.optimizer)},
            "schedule": type(s.schedule).__name__,
            "batch_size": s.batch_size,
            "epochs": s.epochs,
            "epochs_run": len(training.history),
            "best_epoch": training.best_epoch,
            "stopped": training.stop_reason or "all epochs",
            "rows": training.rows,
            "seed": self.seed,
            "dtype": str(self.dtype),
            "backend": self.backend,
            "seconds": round(seconds, 3),
        }


