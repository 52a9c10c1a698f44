"""`Trainer`: a training that can be held, advanced as far as one likes, changed, saved and gone on with."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Self, Unpack

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, DivergenceError, ShapeError
from minicolumn.lower.threads import one_thread
from minicolumn.model.compute import forward
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.rows import Rows, check_inputs
from minicolumn.model.scores import MetricLike, directions, name_of
from minicolumn.nn.layer import Layer
from minicolumn.train.batches import Pace, steps_in
from minicolumn.train.callbacks import Callback, check_callbacks
from minicolumn.train.data import check_data
from minicolumn.train.divergence import why_diverged
from minicolumn.train.engine import Engine, Epoch, is_finite
from minicolumn.train.goal import Goal, goal_of
from minicolumn.train.history import Row
from minicolumn.train.interrupts import deferred
from minicolumn.train.resize import Resizing, grown, pruned
from minicolumn.train.run import Run, described
from minicolumn.train.settings import (
    NAMES,
    Keywords,
    Settings,
    check_network,
    check_settings,
    unknown_keyword,
)
from minicolumn.train.snapshot import Snapshot, check_constrained, first_snapshot
from minicolumn.train.step import State
from minicolumn.train.tracker import Tracker
from minicolumn.tree import flatten, leaves, map_leaves

Array = np.ndarray
logger = logging.getLogger("minicolumn")


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a training stands, replaced as a whole: an interrupt meets the old one or the new one.

    state       the weights and what the optimizer remembers, in the memory that native code works in
    step        steps taken, over all epochs
    epoch       whole epochs behind
    seen        rows of the running epoch that were trained on
    sums        over these, of the losses and of the regularizer's share
    rate        learning rate of the last step
    seconds     that the running epoch took so far
    """

    state: State
    step: int
    epoch: int
    seen: int = 0
    sums: tuple[float, ...] = ()
    rate: float = 0.0
    seconds: float = 0.0


class Trainer(Tracker):
    """A training that can be held.

        trainer = mc.Trainer(network, X, y, ...)        the keywords of `fit`; nothing is trained yet
        trainer.advance(epochs=1)                       or steps=500, or seconds=0.02
        trainer.change(learning_rate=1e-3)              weights stay, and what the optimizer remembers
        run = trainer.run()                             to the end, or until a callback says stop

    However it is cut into advances, the weights are those of one call of `fit`, to the bit. Callbacks are
    given the trainer itself. Trainings in several threads know nothing of each other; one trainer is for one
    thread at a time.

    network, settings   what is trained, and how
    rows        that are trained on; steps: in each epoch; epochs: that `run` goes to
    step, epoch steps taken, and whole epochs
    params      the weights as they are now, a copy; best_params: those that `run` hands back
    history     one row for each whole epoch
    stopped     why it ended; None while it goes on

    >>> import numpy as np, minicolumn as mc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(2))
    >>> trainer = mc.Trainer(net, X, np.array([0, 1, 1, 0]), optimizer=mc.optim.Adam(0.1), batch_size=2)
    >>> [row["epoch"] for row in trainer.advance(epochs=2)]
    [1, 2]
    >>> trainer.advance(steps=101), trainer.epoch, trainer.step  # doctest: +ELLIPSIS
    ([{...}], 52, 105)
    >>> trainer.run().stopped, trainer.outputs(X).argmax(axis=1)
    ('all epochs', array([0, 1, 1, 0]))
    """

    def __init__(
        self,
        network: Layer,
        X: Any,
        y: Any,
        *,
        validation_data: tuple[Any, ...] | None = None,
        validation_fraction: float = 0.0,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
        params: Any = None,
        resume: Run | Snapshot | None = None,
        **settings: Unpack[Keywords],
    ) -> None:
        """Check everything and draw the first weights; see `fit` for what the arguments mean."""
        _check_names(settings)
        super().__init__()
        self.settings = s = check_settings("fit", settings)
        self.network = check_network("fit", network, s.rule)
        self.callbacks = check_callbacks("fit", callbacks)
        self._train, self._held = check_data(
            "fit", network, s, X, y, sample_weight, validation_data, validation_fraction
        )
        start = first_snapshot("fit", network, s, resume, params, self.input_shape)
        check_constrained("fit", s.constraint, start.params)
        if progress:
            from minicolumn.train.progress import ProgressBar

            self.callbacks = (*self.callbacks, ProgressBar())
        self._continue_from(replace(start, stop_reason=None), len(start.rows) + s.epochs)

    def _continue_from(self, start: Snapshot, epochs: int, total: int | None = None) -> None:
        self.history.rows.extend(start.rows)
        self.rate_factor, self.stop_reason = start.rate_factor, start.stop_reason
        if start.best_epoch:
            best = start.params if start.best_params is None else start.best_params
            self._best = start.best_epoch, map_leaves(np.array, best)
        self.epochs = epochs
        self._at = Stand(
            State(start.params, start.moments), start.step, len(start.rows), start.seen, start.sums,
            seconds=start.seconds,
        )  # fmt: skip
        self._pace, self._started = Pace(), False
        self._copied: tuple[Any, Any] = None, None  # a state, and a copy of its weights
        self._good: Any = None  # a state, or weights, to go back to where an epoch diverges
        self._ahead: deque[Epoch] = deque()
        self._first_epoch, self._one_by_one = self.epoch, False
        self._is_telling, self._unwritten = False, []  # callbacks are told; files to write after that
        self._plan(self.network, self.settings, self._train, self._held)
        self._total = self._horizon() if total is None else total

    def _plan(self, network: Layer, settings: Settings, train: Rows, held: Rows | None) -> None:
        """Set up what takes the steps; what was trained ahead is dropped."""
        self.network, self.settings, self._train, self._held = network, settings, train, held
        names = ("loss", *map(name_of, settings.metrics)) if held else ()
        self.figures = ("loss", *(f"val_{name}" for name in names))
        ways = directions(settings.metrics, settings.record)
        self.higher_is_better = {f"val_{name}": way for name, way in ways.items()}
        self.engine = Engine(network, settings, train, held)
        self._ahead.clear()
        self._one_by_one = False

    def _horizon(self) -> int:
        """Return the number of the last step of `epochs`, for schedules."""
        left = self.epochs - self._at.epoch - 1
        return self._at.step + self._steps_left() + max(left, 0) * self.steps if left >= 0 else self._at.step

    def _steps_left(self) -> int:
        """Return how many steps the running epoch still has."""
        return steps_in(self.rows - self._at.seen, self.engine.batch)

    # Where it stands ----------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Return how many rows are trained on."""
        return len(self._train)

    @property
    def steps(self) -> int:
        """Return how many steps an epoch has, a shorter last one included."""
        return self.engine.steps

    @property
    def step(self) -> int:
        """Return how many steps were taken, over all epochs."""
        return self._at.step

    @property
    def epoch(self) -> int:
        """Return how many whole epochs were trained."""
        return self._at.epoch

    @property
    def done(self) -> int:
        """Return how many steps of the running epoch were taken."""
        return self.steps - self._steps_left()

    @property
    def stopped(self) -> str | None:
        """Return why the training ended: "all epochs", "early stopping", ...; None while it goes on."""
        return self.stop_reason

    @property
    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        return float(self._rates(1)[0])

    @property
    def seconds_a_step(self) -> float:
        """Return how long a step is expected to take."""
        return self._pace.seconds / self._pace.steps

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of one row."""
        return tuple(self._train.X.shape[1:])

    @property
    def params(self) -> Any:
        """Return a copy of the weights as they are now; of an optimizer that averages, the mean."""
        state = self._at.state
        if self._copied[0] is not state:
            self._copied = state, map_leaves(np.array, self.engine.weights(state))
        return self._copied[1]

    @property
    def snapshot(self) -> Snapshot:
        """Return where the training stands, for `fit(..., resume=...)`; later steps do not change it."""
        at = self._at
        best = (self.best_params, self.best_epoch) if self._best is not None else (None, 0)
        return Snapshot(
            map_leaves(np.array, at.state.params), map_leaves(np.array, at.state.moments), at.step,
            tuple(self.history.rows), at.seen, at.sums, at.seconds, *best, self.rate_factor, self.stop_reason,
        )  # fmt: skip

    @property
    def model(self) -> Model:
        """Return the network with the weights that would be handed back now."""
        return self._model(self.best_params)

    def outputs(self, X: Any) -> Array:
        """Return the network's raw outputs with the weights of now, before the output activation of the loss.

        X           [rows, *input_shape]
        Returns     float [rows, outputs]
        """
        inputs = check_inputs("outputs", X)
        self._check_width("outputs", inputs)
        return forward(self.network, None).outputs(self.params, inputs)

    def measure(
        self,
        X: Any,
        y: Any,
        metrics: MetricLike | Sequence[MetricLike] | None = None,
        sample_weight: Any = None,
    ) -> dict[str, float]:
        """Return the loss of some rows with the weights of now, and scores, as `Model.evaluate` does.

        Where the loss is an own function its value is given, and own metrics beside it.
        """
        s, chosen = self.settings, None if metrics is None else {"metrics": metrics}
        wanted = None if chosen is None else check_settings("measure", chosen, s).metrics
        held = check_data("measure", self.network, replace(s, metrics=()), X, y, sample_weight)[0]
        self._check_width("measure", held.X)
        run = self.engine.forward
        return {"loss": s.factor * run.loss(self.params, held), **run.scores(self.params, held, wanted)}

    # Going on -----------------------------------------------------------------------------------------------

    def advance(
        self, epochs: int | None = None, *, steps: int | None = None, seconds: float | None = None
    ) -> list[Row]:
        """Train on for so many epochs, or steps, or for so long; return the new rows of the history.

        epochs      one where nothing is said; an epoch that was begun counts as one
        steps       may end within an epoch, whose row comes when it is whole
        seconds     as many steps as fit, at least one

        It ends earlier where a callback stops the training, and goes on after a stop or beyond `epochs`
        where it is called again. A KeyboardInterrupt comes out between two steps: call again to go on.

        Errors      DataError for what is no number above 0; DivergenceError when the loss leaves the finite
                    numbers: the weights are then the last good ones, and training can go on with others
                    settings
        """
        goal, first = goal_of(self, epochs, steps, seconds), len(self.history)
        self.stop_reason = None
        self._go(goal)
        return self.history[first:]

    def run(self) -> Run:
        """Train to the end of `epochs`, or until a callback says stop or an interrupt; what `fit` returns.

        Errors      DivergenceError when the loss leaves the finite numbers; its `run` holds the last good
                    weights
        """
        began = time.perf_counter(), self._at.step
        try:
            if self.stop_reason in ("all epochs", "interrupted", "diverged"):
                self.stop_reason = None
            if not self.stop_reason:
                self._go(Goal(epoch=self.epochs))
            self.stop_reason = self.stop_reason or "all epochs"
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
            logger.warning("interrupted after %d epochs; what was learnt is kept", len(self.history))
        except DivergenceError as error:
            error.run = self._finished(*began)
            raise
        finally:
            for callback in self.callbacks:
                callback.on_end(self)
        return self._finished(*began)

    def _go(self, goal: Goal) -> None:
        """Train until a goal is reached or somebody stops it."""
        if not self._started:
            self._started = True
            for callback in self.callbacks:
                callback.on_start(self)
        with _numpy_threads(self.settings):
            while not self.stop_reason and (most := goal.steps(self)):
                self._forth(most)

    def _forth(self, most: int) -> None:
        """Take some steps in one native call, at most so many, and end the epoch where they end it."""
        epoch = None
        if self._at.seen < self.rows:  # else an interrupt came before the epoch's end was noted
            epoch = self._epoch_ahead(most)
            if epoch is None:
                self._chunk(most)
            else:
                self._take(epoch)
        if self._at.seen >= self.rows:
            self._end_epoch(epoch)

    def _chunk(self, most: int) -> None:
        """Take the next steps of the epoch; the weights from its beginning are kept where they diverge."""
        at, engine = self._at, self.engine
        if at.seen == 0:
            self._good = self.params
        piece = engine.piece(at.epoch + 1, at.seen, min(most, self._pace.steps))
        rates, state = self._rates(len(piece)), _owned(at.state)
        with deferred():  # what is given away is overwritten, and the books are kept after that
            began = time.perf_counter()
            state, losses = engine.take(state, piece, rates, at.step)
            took = time.perf_counter() - began
            parts = [part.astype(np.float64) * piece.shape[1] for part in losses]
            sums = tuple(_added(s, part) for s, part in zip_longest(at.sums, parts, fillvalue=0.0))
            self._at = replace(
                at, state=state, step=at.step + len(piece), seen=at.seen + piece.size, sums=sums,
                rate=float(rates[-1]), seconds=at.seconds + took,
            )  # fmt: skip
        if piece.shape[1] == engine.batch:
            self._pace.took(len(piece), took)
        if not np.isfinite(losses[0]).all():
            odd = int(np.flatnonzero(~np.isfinite(losses[0]))[0])
            self._diverge(at.step + odd + 1, "the loss")
        self._tell("on_chunk", self.done, float(losses[0][-1]))

    def _rates(self, steps: int) -> Array:
        """Return the learning rates of the next steps."""
        return self.engine.rates(self._at.step + np.arange(steps), self.rate_factor, self._total)

    # Whole epochs in one call -------------------------------------------------------------------------------

    def _epoch_ahead(self, most: int) -> Epoch | None:
        """Return the next epoch, if it was trained together with others or can be now."""
        at, ahead = self._at, self._ahead
        if at.seen or most < self.steps or self._one_by_one:
            return None
        fits = ahead and ahead[0].number == at.epoch + 1
        if not fits or not self.engine.rates_hold(ahead[0], self.rate_factor, at.step, self._total):
            ahead.clear()
            self._train_ahead(most // self.steps)
        return ahead.popleft() if ahead else None

    def _train_ahead(self, most: int) -> None:
        """Train some epochs in one call: as if nobody stopped, and no rate changed but by the schedule.

        No more than were trained already, so that a stop drops few; what a callback drops is trained anew.
        """
        at, engine = self._at, self.engine
        self._one_by_one = not engine.has_short_epochs(at.state)
        if self._one_by_one:
            return
        count = min(most, at.epoch - self._first_epoch, self._pace.steps // self.steps)
        count = max(1, min(count, engine.most_epochs(at.state)))
        rates = self._rates(count * self.steps).reshape(count, self.steps)
        epochs, took = engine.epochs(at.state, at.epoch + 1, rates, self.rate_factor, at.step)
        self._pace.took(count * self.steps, took)
        self._ahead.extend(epochs)
        self._one_by_one = not epochs  # it left the finite numbers: step by step it is seen where

    def _take(self, epoch: Epoch) -> None:
        """Go on to the end of an epoch that was trained in one call."""
        at, self._good = self._at, self._at.state
        self._at = replace(
            at, state=epoch.state, step=at.step + self.steps, seen=self.rows, sums=epoch.sums,
            rate=float(epoch.rates[-1]), seconds=at.seconds + epoch.seconds,
        )  # fmt: skip
        if self.callbacks:
            self._tell("on_chunk", self.steps, epoch.sums[0] / self.rows)

    # The end of an epoch ------------------------------------------------------------------------------------

    def _end_epoch(self, epoch: Epoch | None = None) -> None:
        """Measure an epoch, unless that was done with it, note it, and let the callbacks see it."""
        at = self._at
        measured = self._measured_now() if epoch is None else epoch.measured
        losses = dict(zip(("loss", "penalty"), (s / self.rows for s in at.sums), strict=False))
        times = {"seconds": at.seconds, "steps_per_second": self.steps / max(at.seconds, 1e-9)}
        row = {"epoch": at.epoch + 1, **losses, **measured, "learning_rate": at.rate, **times}
        self.history.add(row, at.epoch + 1)
        self._at = replace(at, epoch=at.epoch + 1, seen=0, sums=(), seconds=0.0)
        try:
            self._tell("on_epoch", row)
        finally:  # an interrupt here comes after the epoch, so the epoch counts
            self.settle_best()
        self._write_waiting()

    def _measured_now(self) -> dict[str, float]:
        """Return the figures of the held-out rows; weights and predictions must be finite numbers."""
        at, engine = self._at, self.engine
        weights = engine.weights(at.state)
        if not is_finite(weights):
            self._diverge(at.step, "a weight")
        measured = engine.measured(weights)
        if not np.isfinite(measured.get("val_loss", 0.0)) and engine.overflows(weights):
            self._diverge(at.step, "a prediction")
        return measured

    def _diverge(self, step: int, what: str) -> None:
        """Go back to the weights before this epoch, and say why."""
        at, rate = self._at, self.settings.optimizer.learning_rate
        why = why_diverged(self._train, rate, step, at.epoch + 1, what)
        good = self.engine.weights(self._good) if isinstance(self._good, State) else self._good
        good = map_leaves(np.array, good)
        self._at = replace(
            at, state=State(good, self.settings.optimizer.start(good)), seen=0, sums=(), seconds=0.0
        )
        self.stop_reason = "diverged"
        raise DivergenceError(why)

    def _tell(self, what: str, *news: Any) -> None:
        """Tell all callbacks; files that they ask for are written once all know."""
        self._is_telling = True
        try:
            for callback in self.callbacks:
                getattr(callback, what)(self, *news)
        finally:
            self._is_telling = False

    # Changing -----------------------------------------------------------------------------------------------

    def change(
        self,
        *,
        learning_rate: float | None = None,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, ...] | None = None,
        **settings: Unpack[Keywords],
    ) -> None:
        """Change settings or rows; weights stay, and so does what an optimizer of the same kind remembers.

        learning_rate   of the optimizer; a factor that callbacks have set stays
        X, y            other rows, of the same shape; an epoch that was begun begins anew
        validation_data other rows to measure on
        settings        any keyword of `fit` but dtype: `optimizer`, `batch_size`, `epochs` (in all), ...

        Errors          one line, and the trainer is as before: ShapeError for rows of another shape,
                        DataError for what is out of range or does not fit the targets, TypeError for
                        unknown names
        """
        _check_names(settings, "change", CHANGEABLE)
        s = check_settings("change", settings, self.settings)
        if s.dtype != self.settings.dtype:
            raise DataError(f"change: dtype stays {self.settings.dtype}; begin a new training for {s.dtype}")
        if learning_rate is not None:
            s = replace(s, optimizer=s.optimizer.with_rate(learning_rate))
        check_network("change", self.network, s.rule)
        train, held = self._changed_rows(s, X, y, sample_weight, validation_data)
        if self.monitor is not None and not _has_figure(self.monitor, s, held):
            raise DataError(
                f"change: {self.monitor} chooses the best weights and would not be measured any more"
            )
        check_constrained("change", s.constraint, self._at.state.params)
        state, begun_anew = self._changed_state(s), X is not None
        self._plan(self.network, s, train, held)
        self._at = replace(self._at, state=state)
        if begun_anew:
            self._at = replace(self._at, seen=0, sums=(), seconds=0.0)
        self.epochs = s.epochs if "epochs" in settings else self.epochs
        self._total = self._horizon()

    def _changed_rows(
        self, s: Settings, X: Any, y: Any, weight: Any, validation_data: Any
    ) -> tuple[Rows, Rows | None]:
        """Return the rows to go on with, each checked against the settings that are to be."""
        if (X is None) != (y is None):
            raise DataError("change: give X and y together")
        rows, held = self._train, self._held
        if X is None:
            X, y, weight = rows.X, rows.y, rows.weight if weight is None else weight
        self._check_width("change", check_inputs("change", X))
        if validation_data is None and held is not None:
            validation_data = held.X, held.y, held.weight
        return check_data("change", self.network, s, X, y, weight, validation_data)

    def _changed_state(self, s: Settings) -> State:
        """Return the state to go on with: the weights, and moments of the same kind."""
        state, old = self._at.state, self.settings.optimizer
        fresh = s.optimizer.start(state.params)
        same = type(old) is type(s.optimizer) and flatten(fresh)[1] == flatten(state.moments)[1]
        return State(state.params, state.moments if same else fresh)

    def grow(self, layer: int, units: int, keep: bool = True) -> None:
        """Give a hidden layer more units, drawn as first weights are.

        layer       its number in the network, as in the names of the weights
        keep        whether the function is kept: then the next layer does not listen to the new units yet,
                    and learns to
        Errors      DataError for a layer that is not a hidden dense one
        """
        resizing = grown(self.network, layer, units)
        self._resize(resizing, resizing.without_effect if keep else None)

    def prune(self, layer: int, units: int | Sequence[int]) -> None:
        """Take units from a hidden layer: those with these numbers, or so many of the least important.

        A unit matters by the length of what comes in times that of what goes out.

        Errors      DataError for a layer that is not a hidden dense one, and where no unit would be left
        """
        self._resize(pruned(self.network, self._at.state.params, layer, units))

    def _resize(self, resizing: Resizing, settle: Callable[[Any], Any] | None = None) -> None:
        s, old = self.settings, self._at.state
        # Each time other weights: drawn by the seed and by how far the training is.
        seed = int(random.fold_in(random.stream(s.seed, "init"), self._at.step)[1])
        fresh = resizing.network.init(seed, self.input_shape, s.dtype)
        before = len(old.params[str(resizing.following)]["weight"])
        params = resizing.as_loud(resizing.carried(fresh, old.params), before)
        params = params if settle is None else settle(params)
        moments = resizing.carried(s.optimizer.start(params), old.moments)
        best = None if self._best is None else (self.epoch, map_leaves(np.array, params))
        self._plan(resizing.network, s, self._train, self._held)
        self._at, self._best = replace(self._at, state=State(params, moments)), best

    # Files --------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> None:
        """Write a checkpoint, from which `Trainer.resume` goes on to the bit; `mc.load` opens it as a model.

        Asked for by a callback, it is written once all callbacks have been told, so that nothing is told
        twice.

        Errors      DataError, in one line, for own functions, which no file holds, or if the disk refuses
        """
        from minicolumn.train.checkpoint import check_storable, write

        check_storable(self)
        if self._is_telling:
            self._unwritten.append(path)
        else:
            write(self, path)

    def _write_waiting(self) -> None:
        while self._unwritten:
            self.save(self._unwritten.pop(0))

    @classmethod
    def resume(
        cls,
        path: PathLike,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        validation_data: tuple[Any, ...] | None = None,
        callbacks: Sequence[Callback] | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Return the training that a checkpoint holds, to be gone on with: exact, to the bit.

        X, y, ...   the very rows of that training: they are not in the file, but their digest is. Rows that
                    were held out by `validation_fraction` are found again
        callbacks   None takes those of this package that the training had, with their settings

        Errors      ModelFileError for a file that is no checkpoint; DataError for other rows
        """
        from minicolumn.train.checkpoint import read

        return read(cls, path, X, y, sample_weight, validation_data, callbacks, progress)

    # What comes out -----------------------------------------------------------------------------------------

    def _check_width(self, who: str, inputs: Any) -> None:
        found = tuple(inputs.shape[1:])
        if found != self.input_shape:
            raise ShapeError(
                f"{who}: X has rows of shape {list(found)}, the training's are {list(self.input_shape)}"
            )

    def _model(self, params: Any, stopped: str = "", seconds: float = 0.0) -> Model:
        s = self.settings
        return Model(
            self.network,
            params,
            self.input_shape,
            s.record.name if s.record else "",
            training=described(
                s, epochs=self.epochs, epochs_run=self.epoch, best_epoch=self.best_epoch, stopped=stopped,
                rows=self.rows, seconds=seconds,
            ),
            history=self.history.rows,
            loss_settings=dict(s.record.measured().changed) if s.record else {},
        )  # fmt: skip

    def _finished(self, began: float, first: int) -> Run:
        seconds, stopped = time.perf_counter() - began, self.stop_reason or ""
        self.history.kept = self.best_epoch or None
        model = self._model(self.best_params, stopped, seconds)
        rate = (self._at.step - first) / seconds
        return Run(model, self.history, stopped, self.best_epoch, seconds, rate, self.snapshot)


CHANGEABLE = (*NAMES, "learning_rate", "X", "y", "sample_weight", "validation_data")
_KEYWORDS = (
    *NAMES, "validation_data", "validation_fraction", "sample_weight", "callbacks", "progress", "params",
    "resume",
)  # fmt: skip


def _check_names(given: Any, who: str = "fit", known: Sequence[str] = _KEYWORDS) -> None:
    """Refuse keywords that do not exist."""
    for name in given:
        if name not in NAMES:
            raise TypeError(unknown_keyword(who, name, known))


def _has_figure(figure: str, settings: Settings, held: Rows | None) -> bool:
    names = ("loss", *map(name_of, settings.metrics)) if held else ()
    return figure == "loss" or figure in [f"val_{name}" for name in names]


def _numpy_threads(settings: Settings) -> AbstractContextManager[None]:
    """Limit NumPy's threads where it multiplies matrices: in the reference alone."""
    from minicolumn.lower.llvm.jit import available

    native = settings.backend == "native" and settings.shadow is None and available()
    return nullcontext() if native else one_thread()


def _owned(state: State) -> State:
    """Return a state whose memory is the program's own to work in; a view of others' is copied."""
    own = all(np.asarray(leaf).flags.owndata for leaf in leaves(state))
    return state if own else map_leaves(np.array, state)


def _added(total: float, terms: Array) -> float:
    """Return a sum that was begun, one term after the other: the same however the terms are cut."""
    return float(np.add.accumulate(np.concatenate([[total], terms]))[-1])
