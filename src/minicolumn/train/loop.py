"""The training loop: native calls, the convergence state that goes with them, and calls of callbacks.

    chunk of steps -> ... -> end of epoch: measure, note, on_epoch -> next epoch

A long epoch is cut into chunks of some 60 ms, so Ctrl-C and callbacks stay live. Short epochs are trained
several in one call by `train.speculative`; the weights are the same bits either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicolumn.lower.threads import one_thread
from minicolumn.model.rows import LabeledRows
from minicolumn.model.scores import directions, name_of
from minicolumn.nn.layer import Layer, Params
from minicolumn.train.batches import Orders, Pace, steps_in
from minicolumn.train.callbacks import Callback
from minicolumn.train.divergence import why_diverged
from minicolumn.train.engine import Engine, Rule, is_finite
from minicolumn.train.epochs import Epochs
from minicolumn.train.history import Row, history_rows
from minicolumn.train.interrupts import deferred
from minicolumn.train.settings import Settings
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.step import Stacked, State, state_of
from minicolumn.train.tracker import Tracker
from minicolumn.tree import leaves, map_leaves

if TYPE_CHECKING:
    from minicolumn.train.goal import Goal

Array = np.ndarray


class LoopState(NamedTuple):
    """The convergence state of a training, replaced as a whole: an interrupt meets the old or the new.

    state       the weights and what the optimizer remembers, in the memory that native code works in
    step        steps taken, over all epochs
    epoch       whole epochs behind
    seen        rows of the running epoch that were trained on
    sums        over these, of what a step tells: the losses and the regularizer's share
    rate        learning rate of the last step
    seconds     that the running epoch took so far
    """

    state: State | Stacked
    step: int
    epoch: int
    seen: int = 0
    sums: tuple[Any, ...] = ()
    rate: float = 0.0
    seconds: float = 0.0


class Loop(Tracker):
    """The training loop of a `Trainer` between two looks from outside: so many steps, from where it stands.

    network, settings   what is trained, and how
    callbacks   that are told, fixed when the trainer was made
    rows        that are trained on; steps: in each epoch, a shorter last one included
    epochs      that `run` goes to; horizon: the steps that a schedule spreads over
    train_rows, held_rows   that are trained on, and measured on
    held_fraction   of all rows, where the latter were found by it, and by `held_seed`; else 0
    rule        makes the step of another learning rule; None is gradient descent
    orders      what `from_snapshot` was given in place of drawn orders
    """

    network: Layer
    settings: Settings
    engine: Engine
    epochs: int
    _callbacks: tuple[Callback, ...]
    held_fraction: float = 0.0
    held_seed: int = 0
    rule: Rule | None = None
    orders: Orders | None = None

    def _begin(
        self,
        network: Layer,
        settings: Settings,
        train: LabeledRows,
        held: LabeledRows | None,
        start: Snapshot,
        epochs: int,
        horizon: int | None = None,
    ) -> None:
        """Begin where a snapshot says; a schedule spreads over `horizon` steps."""
        self.epochs = epochs
        self._pace, self._started = Pace(), False
        self._copied: tuple[State | Stacked | None, Params] = None, {}  # a state, and a copy of its weights
        self._ahead: Epochs | None = None
        self._listeners = {
            what: [getattr(callback, what) for callback in self.callbacks if _listens(callback, what)]
            for what in ("on_start", "on_chunk", "on_epoch")
        }
        self._quiet: list[Callable[..., object]] = [
            callback.quiet_epochs
            for callback in self.callbacks
            if _listens(callback, "on_epoch") or _listens(callback, "on_chunk")
        ]
        self._is_telling = False
        self._settle_in(start)
        self._later: list[Callable[[], None]] = []  # what callbacks asked for that waits until all are told
        self._plan(self._engine(network, settings, train, held, self.rule))
        self.horizon = self._last_step() if horizon is None else horizon

    def _settle_in(self, start: Snapshot) -> None:
        """Stand where a snapshot says, with a history that was empty."""
        self.history.rows.extend(start.rows)
        self.history.epochs, self.history.every = start.epochs, start.every
        self.history.limit(None if self._listens_to_epochs else start.most)
        self.rate_factor, self.stop_reason = start.rate_factor, start.stop_reason
        self._best = None
        if start.best_epoch:
            best = start.params if start.best_params is None else start.best_params
            self._best = start.best_epoch, map_leaves(np.array, best)
        self._at = LoopState(
            State(start.params, start.moments), start.step, start.epochs, start.seen, start.sums,
            start.rate, start.seconds,
        )  # fmt: skip
        # A state, or weights, to go back to where an epoch diverges, and the steps taken until there.
        self._good: tuple[State | Stacked | Params, int] | None = None
        self._first_epoch = self._settled = self.epoch  # `_settled`: the last that may have become the best

    @property
    def _listens_to_epochs(self) -> bool:
        """Return whether somebody is told of every epoch."""
        return bool(self._listeners["on_epoch"] or self._listeners["on_chunk"])

    def _engine(
        self,
        network: Layer,
        settings: Settings,
        train: LabeledRows,
        held: LabeledRows | None,
        rule: Rule | None,
    ) -> Engine:
        return Engine(network, settings, train, held, rule, self.orders)

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """Return those that are told; they are given when a trainer is made, and stay.

        Errors      AttributeError where it is set
        """
        return self._callbacks

    @callbacks.setter
    def callbacks(self, callbacks: object) -> None:
        raise AttributeError(
            "the callbacks of a trainer are fixed when it is made; go on with others by "
            "mc.Trainer(network, X, y, resume=trainer.snapshot, callbacks=[...])"
        )

    def _plan(self, engine: Engine) -> None:
        """Let an engine take the steps from now on; what was trained ahead is dropped."""
        settings, held = engine.settings, engine.held
        names = ("loss", *map(name_of, settings.metrics)) if held else ()
        ways = directions(settings.metrics, settings.record)
        self.engine, self.network, self.settings = engine, engine.network, settings
        self.train_rows, self.held_rows = engine.train, held
        self.figures = ("loss", *(f"val_{name}" for name in names))
        self.higher_is_better = {"loss": False, "val_loss": False}
        self.higher_is_better |= {f"val_{name}": way for name, way in ways.items()}
        self.rows, self.steps = len(engine.train), engine.steps
        self._ahead, self._one_by_one = None, False

    def _last_step(self) -> int:
        """Return the number of the last step of `epochs`, for schedules."""
        left = self.epochs - self._at.epoch - 1
        return self._at.step + self._steps_left() + max(left, 0) * self.steps if left >= 0 else self._at.step

    def _steps_left(self) -> int:
        """Return how many steps the running epoch still has."""
        return steps_in(self.rows - self._at.seen, self.engine.batch)

    # Where it stands ----------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Return the state as arrays of its own, in whose memory native code may be at work."""
        return state_of(self._at.state)

    @property
    def step(self) -> int:
        """Return how many steps (updates of the weights) were taken, over all epochs."""
        return self._at.step

    @property
    def epoch(self) -> int:
        """Return how many whole epochs were trained."""
        return self._at.epoch

    @property
    def done(self) -> int:
        """Return how many steps of the running epoch were taken; `steps` of them make an epoch."""
        return self.steps - self._steps_left()

    @property
    def stopped(self) -> str | None:
        """Return why the training ended: "all epochs", "early stopping", ...; None while it goes on."""
        return self.stop_reason

    @property
    def learning_rate(self) -> float:
        """Return the learning rate of the next step: optimizer's rate * schedule's factor * `rate_factor`."""
        return float(self._rates(1)[0])

    @property
    def seconds_a_step(self) -> float:
        """Return how long a step is expected to take, in seconds, by the chunks so far."""
        return self._pace.seconds / self._pace.steps

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of one row, without the batch axis."""
        return tuple(self.train_rows.X.shape[1:])

    @property
    def params(self) -> Params:
        """Return a copy of the weights as they are now; of an optimizer that averages, the mean."""
        return self._handed(self._params_of(self._at.state))

    def _handed(self, params: Params) -> Params:
        return map_leaves(np.array, params)

    def _kept(self) -> Stacked | Params:
        """Return the weights to keep: a stack is as good as a copy, since nobody works in its memory."""
        return self._at.state if isinstance(self._at.state, Stacked) else self._params_of(self._at.state)

    def _params_of(self, kept: State | Stacked | Params) -> Params:
        """Return the weights of a state as arrays of their own, or weights that were kept."""
        if not isinstance(kept, State | Stacked):
            return kept
        if self._copied[0] is not kept:
            self._copied = kept, map_leaves(np.array, self.engine.weights(state_of(kept)))
        return self._copied[1]

    @property
    def snapshot(self) -> Snapshot:
        """Return where the training stands, for `fit(..., resume=...)`; later steps do not change it."""
        at, state = self._at, self.state
        best = (self.best_params, self.best_epoch) if self._best is not None else (None, 0)
        return Snapshot(
            map_leaves(np.array, state.params), map_leaves(np.array, state.moments), at.step,
            tuple(self.history.rows), at.seen, at.sums, at.rate, at.seconds, *best, self.rate_factor,
            self.stop_reason, self.history.epochs, self.history.most, self.history.every, self.network,
        )  # fmt: skip

    # Going on -----------------------------------------------------------------------------------------------

    def _go(self, goal: Goal) -> None:
        """Train until a goal is reached or somebody stops it."""
        if not self._started:
            self._started = True
            self._tell("on_start")
        try:
            with _numpy_threads(self.settings):
                while not self.stop_reason and (most := goal.steps(self)):
                    self._advance_some(most)
        finally:
            with deferred(again=False):  # after an interrupt between two statements
                self.history.cut(self._at.epoch)
                if self.monitor is not None and self._settled < self._at.epoch:
                    self.settle_best()

    def _advance_some(self, most: int) -> None:
        """Take some steps, at most so many: whole epochs in one native call, or a piece of one."""
        if not self._pass_epochs(most):
            if self._at.seen < self.rows:  # else an interrupt came before the epoch's end was noted
                self._chunk(most)
            if self._at.seen >= self.rows:
                self._end_epoch()
        while self._later:
            self._later.pop(0)()

    def _chunk(self, most: int) -> None:
        """Take the next steps of the epoch; the weights from its beginning are kept where they diverge."""
        at, engine = self._at, self.engine
        if at.seen == 0 or self._good is None:
            self._good = self._params_of(at.state), at.step
        piece = engine.piece(at.epoch + 1, at.seen, min(most, self._pace.steps))
        rates, state = self._rates(len(piece)), _owned(self.state)
        with deferred():  # what is given away is overwritten, and the convergence state follows after that
            began = time.perf_counter()
            state, losses = engine.take(state, piece, rates, at.step)
            took = time.perf_counter() - began
            parts = [part.astype(np.float64) * piece.shape[1] for part in losses]
            sums = tuple(_added(s, part) for s, part in zip_longest(at.sums, parts))
            self._at = at._replace(
                state=state, step=at.step + len(piece), seen=at.seen + piece.size, sums=sums,
                rate=float(rates[-1]), seconds=at.seconds + took,
            )  # fmt: skip
        if piece.shape[1] == engine.batch:
            self._pace.took(len(piece), took)
        if not np.isfinite(losses[0]).all():
            odd = int(np.flatnonzero(~np.isfinite(losses[0]))[0])
            self._diverge(at.step + odd + 1, "the loss")
        self._tell("on_chunk", self.done, float(losses[0][-1]))

    def _pass_epochs(self, most: int) -> bool:
        """Pass whole epochs, of at most so many steps, in one call; False for none, as here."""
        return False

    def _rates(self, steps: int) -> Array:
        """Return the learning rates of the next steps."""
        return self.engine.rates(self._at.step + np.arange(steps), self.rate_factor, self.horizon)

    # The end of an epoch ------------------------------------------------------------------------------------

    def _end_epoch(self) -> None:
        """Measure an epoch that was trained in pieces, and note it."""
        at = self._at
        measured = self._measured_now()
        losses = {name: total / self.rows for name, total in zip(self.engine.parts, at.sums, strict=False)}
        figures = {name: [figure] for name, figure in (losses | measured).items()}
        [row] = history_rows([at.epoch + 1], figures, [at.rate], at.seconds, self.steps)
        self._note(row, LoopState(at.state, at.step, at.epoch + 1, rate=at.rate))

    def _note(self, row: Row, after: LoopState) -> None:
        """Write an epoch into the history, stand after it, and call the callbacks."""
        self.history.add(row, after.epoch)
        self._at = after
        try:
            if self._listeners["on_epoch"]:
                self._tell("on_epoch", row)
        finally:  # an interrupt here comes after the epoch, so the epoch counts
            if self.monitor is not None:
                self.settle_best()
                self._settled = after.epoch

    def _measured_now(self) -> dict[str, float]:
        """Return the figures of the held-out rows; weights and predictions must be finite numbers."""
        at, engine = self._at, self.engine
        weights = engine.weights(self.state)
        if not is_finite(weights):
            self._diverge(at.step, "a weight")
        if (at.epoch + 1) % self.history.every:  # nobody keeps the figures
            return {}
        measured = engine.measured(weights)
        if not np.isfinite(measured.get("val_loss", 0.0)) and engine.overflows(weights):
            self._diverge(at.step, "a prediction")
        return measured

    def _diverge(self, step: int, what: str) -> None:
        """Roll back to the weights before this epoch, with moments begun afresh, and raise DivergenceError.

        step        the one that was found out, from 1; what: is no finite number any more
        """
        at, s = self._at, self.settings
        assert self._good is not None  # an epoch begins by noting it
        kept, first = self._good
        good = self.engine.weights(state_of(kept)) if isinstance(kept, State | Stacked) else kept
        good = map_leaves(np.array, good)
        why = why_diverged(
            self.train_rows, s.optimizer.learning_rate, step, at.epoch + 1, what, regularizer=s.regularizer,
            now=at.rate, layer=self.engine.steepest(good),
        )  # fmt: skip
        self._at = at._replace(
            state=State(good, self.engine.start(good)), step=first, seen=0, sums=(), seconds=0.0
        )
        self.stop_reason = "diverged"
        raise why.error()

    def when_told(self, do: Callable[[], None]) -> None:
        """Do something once all callbacks have been told of this moment, and the best epoch is settled.

        At once where nobody is being told.
        """
        if self._is_telling:
            self._later.append(do)
        else:
            do()

    def _tell(self, what: str, *news: Row | int | float) -> None:
        """Tell all callbacks."""
        self._is_telling = True  # they may change the training meanwhile, but not advance it
        try:
            for listener in self._listeners[what]:
                listener(self, *news)
        finally:
            self._is_telling = False


def _listens(callback: Callback, what: str) -> bool:
    """Return whether a callback does anything at a moment."""
    return getattr(type(callback), what) is not getattr(Callback, what)


def _numpy_threads(settings: Settings) -> AbstractContextManager[None]:
    """Limit NumPy's threads where it multiplies matrices: in the reference alone."""
    from minicolumn.lower.llvm.runtime.jit import available

    native = settings.backend == "native" and settings.shadow is None and available()
    return nullcontext() if native else one_thread()


def _owned(state: State) -> State:
    """Return a state whose memory is the program's own to work in; a view of others' is copied."""
    own = all(np.asarray(leaf).flags.owndata for leaf in leaves(state))
    return state if own else map_leaves(np.array, state)


def _added(total: Any, terms: Array | None) -> Any:
    """Return a running sum continued, one term after the other: the same bits however the terms are cut.

    `np.sum` adds in pairs, so two sums of parts would not make the sum of all.

    total       a number, or an array where each of the terms is one; None where none was begun
    terms       [steps, ...]; None where nothing more is told since a change
    """
    if terms is None:
        return total
    begun = np.zeros_like(terms[:1]) if total is None else np.asarray(total)[None]
    found = np.add.accumulate(np.concatenate([begun, terms]))[-1]
    return found if found.ndim else float(found)
