"""The training loop as an object: `Trainer` can be held, advanced, changed, saved and resumed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Self, Unpack

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError, DivergenceError
from minicolumn.model.files import PathLike
from minicolumn.model.rows import LabeledRows
from minicolumn.nn.layer import Layer, Params
from minicolumn.train.batches import Orders
from minicolumn.train.callbacks import Callback, CallbackLike, check_callbacks, with_monitor
from minicolumn.train.changes import alike, check_names
from minicolumn.train.checkpoint import check_savable, read, write
from minicolumn.train.data import check_data
from minicolumn.train.engine import Engine, Rule
from minicolumn.train.evaluation import Evaluable
from minicolumn.train.goal import Goal, goal_of
from minicolumn.train.history import Row
from minicolumn.train.interrupts import deferred, heard_once
from minicolumn.train.run import Run
from minicolumn.train.settings import (
    NAMES,
    Keywords,
    Settings,
    check_network,
    check_settings,
)
from minicolumn.train.snapshot import Snapshot, check_constrained, check_params, first_snapshot
from minicolumn.train.tracker import Tracker
from minicolumn.train.types import Inputs, Validation
from minicolumn.tree import map_leaves

Array = np.ndarray
logger = logging.getLogger("minicolumn")
KEYWORDS = (
    *NAMES, "validation_data", "validation_fraction", "sample_weight", "callbacks", "progress", "params",
    "resume", "monitor",
)  # fmt: skip


class Trainer(Evaluable):
    """A resumable training loop over mini-batches, held as an object.

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

    Differs     Keras' `fit`, called again, goes on with the weights but numbers epochs and shuffles anew;
                scikit-learn's `partial_fit` passes once over rows in chunks of `batch_size`; skorch's goes by
                whole epochs. In PyTorch the loop is yours to write.

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
        X: Inputs,
        y: ArrayLike,
        *,
        validation_data: Validation | None = None,
        validation_fraction: float = 0.0,
        sample_weight: ArrayLike | None = None,
        callbacks: CallbackLike | Sequence[CallbackLike] = (),
        progress: bool | None = None,
        params: Params | None = None,
        resume: Run | Snapshot | None = None,
        monitor: bool = False,
        **settings: Unpack[Keywords],
    ) -> None:
        """Check everything and draw the first weights; see `fit` for what the arguments mean.

        Errors      ShapeError where shapes do not fit; DataError for settings out of range and NaN in X or y;
                    TypeError for a keyword that does not exist
        """
        check_names("fit", settings, KEYWORDS)
        super().__init__()
        s = check_settings("fit", settings)
        check_network("fit", network, s.rule)
        self._callbacks = with_monitor("fit", check_callbacks("fit", callbacks), monitor)
        train, held = check_data("fit", network, s, X, y, sample_weight, validation_data, validation_fraction)
        start = first_snapshot("fit", network, s, resume, params, train.X.shape[1:])
        check_constrained("fit", s.constraint, start.params)
        self.held_fraction, self.held_seed = float(validation_fraction), s.seed
        self._show(progress)
        epochs = start.epochs + s.epochs
        self._begin(network, s, train, held, replace(start, stop_reason=None), epochs)

    def _show(self, progress: bool | None) -> None:
        if progress:
            from minicolumn.train.progress import ProgressBar

            self._callbacks = (*self._callbacks, ProgressBar(keep=True))

    @classmethod
    def from_snapshot(
        cls,
        network: Layer,
        settings: Settings,
        train: LabeledRows,
        held: LabeledRows | None,
        snapshot: Snapshot,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
        *,
        epochs: int,
        horizon: int | None = None,
        monitor: str | None = None,
        held_fraction: float = 0.0,
        held_seed: int = 0,
        rule: Rule | None = None,
        orders: Orders | None = None,
    ) -> Self:
        """Return a trainer in a given state, for who resumes: all of it was checked before.

        snapshot        where it stands; epochs: that `run` goes to
        horizon         steps that a schedule spreads over; None takes those up to the last of `epochs`
        monitor         the figure by which the best weights were being chosen
        held_fraction   of all rows, where the held-out ones were found by it and by `held_seed`
        rule            makes the step of another learning rule, with moments of its own in the snapshot
        orders          of the rows in each epoch, in place of those drawn by the seed; they stay for good
        """
        trainer = cls.__new__(cls)
        Tracker.__init__(trainer)
        trainer._callbacks, trainer.monitor = check_callbacks("resume", callbacks), monitor
        trainer.held_fraction, trainer.held_seed = held_fraction, held_seed
        trainer.rule, trainer.orders = rule, orders
        trainer._show(progress)
        trainer._begin(network, settings, train, held, snapshot, epochs, horizon)
        return trainer

    # Going back ---------------------------------------------------------------------------------------------

    def restore(self, snapshot: Snapshot | Run) -> None:
        """Go back, in place, to where this training stood: weights, moments, step, history, best weights.

        snapshot    what `trainer.snapshot` was, or a run of this training
        Errors      DataError within a callback, or for what is no snapshot; ShapeError for weights of another
                    network; the trainer is then as before

        With the settings that held then, what follows is the same to the bit. Settings and rows stay as they
        are now, so a step back after a divergence may go on at another learning rate; moments of another kind
        of optimizer begin afresh. A network that was grown, pruned or rearranged since comes back too.

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> trainer = mc.Trainer(mc.nn.Dense(1), X, 2 * X, loss="squared_error")
        >>> start, before = trainer.snapshot, trainer.outputs(X)
        >>> _ = trainer.advance(epochs=3)
        >>> trainer.restore(start)
        >>> trainer.epoch, bool((trainer.outputs(X) == before).all())
        (0, True)
        """
        self._must_not_be_telling("restore")
        stood = getattr(snapshot, "snapshot", snapshot)
        if not isinstance(stood, Snapshot):
            raise DataError(f"restore: expected a trainer's snapshot, got a {type(snapshot).__name__}")
        network = stood.network or self.network
        params = check_params("restore", network, self.settings, stood.params, self.input_shape)
        engine = self.engine
        if network != self.network:
            engine = self._engine(network, self.settings, self.train_rows, self.held_rows, self.rule)
        fresh = engine.start(params)
        moments = stood.moments if alike(fresh, stood.moments) else fresh
        self._stand(engine, replace(stood, params=params, moments=map_leaves(np.array, moments)))

    def _stand(self, engine: Engine, stood: Snapshot) -> None:
        """Take up a snapshot that was checked."""
        with deferred():
            self._plan(engine)
            self.history.cut(0)
            self._settle_in(stood)

    def limit_history(self, rows: int | None) -> None:
        """Keep so many rows of the history at most, for trainings of very many short epochs.

            more than `rows`:   every second one is dropped, and from then on twice as few are noted

        rows        at least 2; there are then between half of it and it, evenly spaced, however long the
                    training lasts, and only their epochs are measured on held-out rows. None notes every
                    epoch again
        Errors      DataError for another number, and where callbacks are told of every epoch or the best
                    weights are kept

        `advance` returns the rows that were noted. `history.every` tells how far they lie apart.

        >>> import numpy as np, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> trainer = mc.Trainer(mc.nn.Dense(1), X, 2 * X, loss="squared_error")
        >>> trainer.limit_history(100)
        >>> _ = trainer.advance(epochs=1000)
        >>> len(trainer.history), trainer.history.every, trainer.epoch
        (62, 16, 1000)
        """
        whole = isinstance(rows, int | np.integer) and not isinstance(rows, bool)
        if rows is not None and not (whole and rows >= 2):
            raise DataError(f"limit_history: rows must be an integer >= 2 or None, got {rows!r:.60}")
        if rows is not None and (self._listens_to_epochs or self.monitor is not None):
            raise DataError(
                "limit_history: callbacks are told of every epoch, and the best weights chosen among all; "
                "make the trainer without them"
            )
        self.history.limit(rows)
        self._ahead = None

    # Going on -----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Compile what the next steps need, and train nothing: for who is to advance by the clock.

        Without it the first `advance` after a beginning, or after a change that makes another program, takes
        as long as compiling does beside its `seconds`: about a second, or a few hundredths from the cache on
        disk. Where all is compiled this takes as long as a few steps.

        >>> import minicolumn as mc
        >>> trainer = mc.Trainer(mc.nn.Dense(1), [[1.0], [2.0]], [0.0, 0.0], loss="squared_error")
        >>> trainer.prepare()
        >>> trainer.step
        0
        """
        engine, at, state = self.engine, self._at, self.state
        with np.errstate(all="ignore"):
            for seen in dict.fromkeys((0, self.rows // engine.batch * engine.batch)):
                if seen < self.rows:
                    piece = engine.piece(at.epoch + 1, seen, 1)
                    engine.take(map_leaves(np.array, state), piece, self._rates(len(piece)), at.step)
            if engine.most_epochs(state):
                engine.epochs(state, at.epoch + 1, self._rates(self.steps)[None], self.rate_factor, at.step)

    def advance(
        self, epochs: int | None = None, *, steps: int | None = None, seconds: float | None = None
    ) -> list[Row]:
        """Train on for so many epochs, or steps, or for so long; return the new rows of the history.

        epochs      one where nothing is said; an epoch that was begun counts as one
        steps       may end within an epoch, whose row comes when it is whole
        seconds     as many steps as fit, at least one. Compiling is not counted: a program that is needed for
                    the first time is waited for, see `prepare`

        It ends earlier where a callback stops the training, and goes on after a stop or beyond `epochs`
        where it is called again. A KeyboardInterrupt comes out between two steps: call again to go on.

        Errors      DataError for what is no number above 0, and within a callback; DivergenceError when the
                    loss leaves the finite numbers: the weights are then the last good ones, and training can
                    go on with other settings
        """
        self._must_not_be_telling("advance")
        goal, first = goal_of(self, epochs, steps, seconds), self.epoch
        self.stop_reason = None
        self._go(goal)
        return [dict(row) for row in self.history.since(first)]

    def _must_not_be_telling(self, what: str) -> None:
        if self._is_telling:
            raise DataError(f"{what}: a callback cannot advance the training that it is told of")

    @heard_once()
    def run(self) -> Run:
        """Train to the end of `epochs`, or until a callback says stop or an interrupt; what `fit` returns.

        Returns     a `Run`, also after Ctrl-C: then `stopped` is "interrupted", and a call again goes on
        Errors      DivergenceError when the loss leaves the finite numbers; its `run` holds the last good
                    weights
        """
        self._must_not_be_telling("run")
        began = time.perf_counter(), self._at.step
        try:
            if self.stop_reason in ("all epochs", "interrupted", "diverged"):
                self.stop_reason = None
            if not self.stop_reason:
                self._go(Goal(epoch=None))
            self.stop_reason = self.stop_reason or "all epochs"
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
            logger.warning("interrupted after %d epochs; what was learnt is kept", self.epoch)
        except DivergenceError as error:
            error.run = self._finished(*began)
            raise
        finally:
            with deferred(again=self.stop_reason != "interrupted"), ExitStack() as ends:
                for callback in reversed(self.callbacks):  # all are told, also where one raises
                    ends.callback(callback.on_end, self)
        return self._finished(*began)

    # Files --------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> None:
        """Write a checkpoint, from which `Trainer.resume` goes on to the bit; `mc.load` opens it as a model.

        Asked for by a callback, it is written once all callbacks have been told, so that nothing is told
        twice.

        path        the file, by custom `.safetensors`; replaced as a whole
        Errors      DataError, in one line, for own functions, which no file holds, or if the disk refuses

        >>> import numpy as np, pathlib, tempfile, minicolumn as mc
        >>> X = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> trainer = mc.Trainer(mc.nn.Dense(1), X, 2 * X, loss="squared_error", batch_size=8)
        >>> _ = trainer.advance(steps=7)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "line.safetensors"
        >>> trainer.save(path)
        >>> again = mc.Trainer.resume(path, X, 2 * X)
        >>> again.epoch, again.done
        (1, 2)
        """
        self.when_told(lambda: write(self, path))

    def check_savable(self) -> None:
        """Raise what `save` would raise of this training, such as DataError for own functions."""
        check_savable(self)

    @classmethod
    def resume(
        cls,
        path: PathLike,
        X: Inputs,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        validation_data: Validation | None = None,
        callbacks: CallbackLike | Sequence[CallbackLike] | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Return the training that a checkpoint holds, to be gone on with: exact, to the bit.

        X, y, ...   the very rows of that training: they are not in the file, but their digest is. Rows that
                    were held out by `validation_fraction` are found again
        callbacks   None takes those of this package that the training had, with their settings
        progress    whether to draw a progress bar

        Errors      ModelFileError for a file that is no checkpoint; DataError for other rows, and where own
                    callbacks have to be given again
        """
        given = None if callbacks is None else check_callbacks("resume", callbacks)
        return read(cls, path, X, y, sample_weight, validation_data, given, progress)

    def __repr__(self) -> str:
        """Return one line: what is trained, on what, how far it is and how good."""
        loss = f", loss {self.history[-1]['loss']:.4g}" if self.history else ""
        stopped = f", {self.stopped}" if self.stopped else ""
        told = f"epoch {self.epoch}, step {self.step}{loss}{stopped}"
        return f"Trainer({self.network!r}, {self.rows} rows, {told})"

    def _finished(self, began: float, first: int) -> Run:
        seconds, stopped = time.perf_counter() - began, self.stop_reason or ""
        self.history.kept = self.best_epoch or None
        model = self._model(self.best_params, stopped, seconds)
        rate = (self._at.step - first) / seconds
        history = self.history.copy()  # its own: the training may go on
        return Run(model, history, stopped, self.best_epoch, seconds, rate, self.snapshot)
