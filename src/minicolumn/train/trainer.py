"""`Trainer`: a training that can be held, advanced as far as one likes, changed, saved and gone on with."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self, Unpack

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, DivergenceError
from minicolumn.model.compute import forward
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.rows import Rows, check_inputs
from minicolumn.model.scores import MetricLike, name_of
from minicolumn.nn.layer import Layer
from minicolumn.train.batches import Orders
from minicolumn.train.callbacks import Callback, check_callbacks
from minicolumn.train.checkpoint import read, write
from minicolumn.train.data import check_data, check_shape
from minicolumn.train.goal import Goal, goal_of
from minicolumn.train.history import Row
from minicolumn.train.interrupts import deferred
from minicolumn.train.loop import Loop
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
from minicolumn.train.step import State, Step
from minicolumn.train.tracker import Tracker
from minicolumn.tree import flatten, map_leaves

Array = np.ndarray
logger = logging.getLogger("minicolumn")


class Trainer(Loop):
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
        s = check_settings("fit", settings)
        check_network("fit", network, s.rule)
        self.callbacks = check_callbacks("fit", callbacks)
        train, held = check_data("fit", network, s, X, y, sample_weight, validation_data, validation_fraction)
        start = first_snapshot("fit", network, s, resume, params, train.X.shape[1:])
        check_constrained("fit", s.constraint, start.params)
        self.held_fraction = float(validation_fraction)
        self._show(progress)
        epochs = len(start.rows) + s.epochs
        self._begin(network, s, train, held, replace(start, stop_reason=None), epochs)

    def _show(self, progress: bool | None) -> None:
        if progress:
            from minicolumn.train.progress import ProgressBar

            self.callbacks = (*self.callbacks, ProgressBar())

    @classmethod
    def standing(
        cls,
        network: Layer,
        settings: Settings,
        train: Rows,
        held: Rows | None,
        snapshot: Snapshot,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
        *,
        epochs: int,
        horizon: int | None = None,
        monitor: str | None = None,
        held_fraction: float = 0.0,
        rule: Step | None = None,
        orders: Orders | None = None,
    ) -> Self:
        """Return a trainer that stands where a snapshot says, all of it checked before.

        rule        a learning rule in place of gradient descent, with moments of its own in the snapshot
        orders      of the rows in each epoch, in place of those drawn by the seed; both stay for good
        """
        trainer = cls.__new__(cls)
        Tracker.__init__(trainer)
        trainer.callbacks, trainer.monitor = check_callbacks("resume", callbacks), monitor
        trainer.held_fraction, trainer.rule, trainer.orders = held_fraction, rule, orders
        trainer._show(progress)
        trainer._begin(network, settings, train, held, snapshot, epochs, horizon)
        return trainer

    @property
    def model(self) -> Model:
        """Return the network with the weights that would be handed back now."""
        return self._model(self.best_params)

    def outputs(self, X: Any) -> Array:
        """Return the network's raw outputs with the weights of now, before the output activation of the loss.

        X           [rows, *input_shape]
        Returns     float [rows, outputs]
        """
        check_shape("outputs", X, self.input_shape)
        inputs = check_inputs("outputs", X)
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
        check_shape("measure", X, self.input_shape)
        held = check_data("measure", self.network, replace(s, metrics=()), X, y, sample_weight)[0]
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
            with deferred(again=self.stop_reason != "interrupted"):
                for callback in self.callbacks:
                    callback.on_end(self)
        return self._finished(*began)

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
        X, y, sample_weight     other rows of the same shape, or weights; an epoch that was begun begins anew
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
        check_constrained("change", s.constraint, self.state.params)
        # Rows without weight are left out, so other weights may be other rows.
        state, begun_anew = self._changed_state(s), X is not None or sample_weight is not None
        if begun_anew or validation_data is not None:
            self.held_fraction = 0.0
        self._plan(self.network, s, train, held)
        self._at = self._at._replace(state=state)
        if begun_anew:
            self._at = self._at._replace(seen=0, sums=(), seconds=0.0)
        self.epochs = s.epochs if "epochs" in settings else self.epochs
        self.horizon = self._last_step()

    def _changed_rows(
        self, s: Settings, X: Any, y: Any, weight: Any, validation_data: Any
    ) -> tuple[Rows, Rows | None]:
        """Return the rows to go on with, each checked against the settings that are to be."""
        if (X is None) != (y is None):
            raise DataError("change: give X and y together")
        rows, held = self.train_rows, self.held_rows
        if X is None:
            X, y, weight = rows.X, rows.y, rows.weight if weight is None else weight
        check_shape("change", X, self.input_shape)
        if validation_data is None and held is not None:
            validation_data = held.X, held.y, held.weight
        return check_data("change", self.network, s, X, y, weight, validation_data)

    def _changed_state(self, s: Settings) -> State:
        """Return the state to go on with: the weights, and moments of the same kind."""
        state, old = self.state, self.settings.optimizer
        fresh = s.optimizer.start(state.params, self.engine.roles)
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
        self._resize(pruned(self.network, self.state.params, layer, units))

    def _resize(self, resizing: Resizing, settle: Callable[[Any], Any] | None = None) -> None:
        s, old = self.settings, self.state
        # Each time other weights: drawn by the seed and by how far the training is.
        seed = int(random.fold_in(random.stream(s.seed, "init"), self._at.step)[1])
        fresh = resizing.network.init(seed, self.input_shape, s.dtype)
        before = len(old.params[str(resizing.following)]["weight"])
        params = resizing.as_loud(resizing.carried(fresh, old.params), before)
        params = params if settle is None else settle(params)
        roles = resizing.network.roles(self.input_shape)
        moments = resizing.carried(s.optimizer.start(params, roles), old.moments)
        best = None if self._best is None else (self.epoch, map_leaves(np.array, params))
        self._plan(resizing.network, s, self.train_rows, self.held_rows)
        self._at, self._best = self._at._replace(state=State(params, moments)), best
        self._good = None  # weights of the old size are no way back

    # Files --------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> None:
        """Write a checkpoint, from which `Trainer.resume` goes on to the bit; `mc.load` opens it as a model.

        Asked for by a callback, it is written once all callbacks have been told, so that nothing is told
        twice.

        Errors      DataError, in one line, for own functions, which no file holds, or if the disk refuses
        """
        if self._is_telling:
            self._later.append(lambda: write(self, path))
        else:
            write(self, path)

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
        return read(cls, path, X, y, sample_weight, validation_data, callbacks, progress)

    # What comes out -----------------------------------------------------------------------------------------

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
