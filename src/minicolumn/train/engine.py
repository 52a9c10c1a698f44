"""What takes the steps of a training: programs, rows and orders; where it stands is known elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.model.compute import Blocks, forward
from minicolumn.model.rows import Rows, is_sparse
from minicolumn.nn.layer import Layer
from minicolumn.nn.roles import with_statistics
from minicolumn.registry import is_plain
from minicolumn.train.batches import Orders, steps_in
from minicolumn.train.programs import Lowering, epochs_program, step_of, steps_program
from minicolumn.train.rates import factors
from minicolumn.train.settings import Settings
from minicolumn.train.step import Data, Stacked, State, Steps, next_numbers, state_of
from minicolumn.tree import builder, flatten, leaves

Array = np.ndarray

# Whole epochs in one call: how many at most, and bytes of all their states together; bytes of the state of a
# small network, and multiply-adds of an epoch that lasts some 50 ms. Longer ones are cut within the epoch.
MOST, MOST_BYTES = 128, 1 << 23
SMALL, SHORT = 1 << 20, 2e8


@dataclass(frozen=True, eq=False)
class Epoch:
    """An epoch that was trained in one call, perhaps together with others.

    number      counted from 1
    state       after it
    sums        over its rows, of the losses and of the regularizer's share
    rates       learning rates of its steps, by this factor
    seconds     it took; of several in one call, an equal share
    measured    figures of the held-out rows
    """

    number: int
    state: Stacked
    sums: tuple[float, ...]
    rates: Array
    rate_factor: float
    seconds: float
    measured: dict[str, float]

    @property
    def rate(self) -> float:
        """Return the learning rate of the last step."""
        return float(self.rates[-1])


class Engine:
    """The programs of a network, its settings and its rows."""

    def __init__(self, network: Layer, settings: Settings, train: Rows, held: Rows | None) -> None:
        self.network, self.settings, self.train, self.held = network, settings, train, held
        s = settings
        self.batch = min(s.batch_size, len(train))
        self.steps = steps_in(len(train), self.batch)
        # What is held out is measured without label smoothing, so that trainings can be compared.
        self.forward = forward(network, s.record or s.loss)
        self._orders = Orders(s.seed, len(train), s.shuffle)
        self._key = random.stream(s.seed, "dropout")
        self._held_blocks: Blocks | None = None
        self._plain_schedule = is_plain(s.schedule)
        self.roles = network.roles(train.X.shape[1:])
        self._step, self._lowering = step_of(network, s), Lowering(s.backend, s.threads, s.shadow)
        # Held here: programs with own functions are kept by nobody else, and would be made for each epoch.
        self._take_steps = steps_program(self._step, self._lowering)
        self._train_epochs = epochs_program(self._step, self._lowering)

    def rates(self, steps: Array, rate_factor: float, total: int) -> Array:
        """Return the learning rates of some steps of so many in all, in the dtype of the computation."""
        s = self.settings
        factor = factors(s.schedule, steps, total)
        with np.errstate(over="ignore"):  # an infinite rate is found by what it does
            return (s.optimizer.learning_rate * rate_factor * factor).astype(s.dtype)

    # Steps --------------------------------------------------------------------------------------------------

    def piece(self, epoch: int, seen: int, most: int) -> Array:
        """Return the rows of the next steps of an epoch, int32 [steps, batch]; the short batch comes alone.

        seen    rows of the epoch behind; most: steps at most
        """
        order = self._orders.of(epoch)[seen:]
        count = min(len(order) // self.batch, most)
        return order[: count * self.batch].reshape(count, self.batch) if count else order[None]

    def take(self, state: State, piece: Array, rates: Array, first: int) -> tuple[State, list[Array]]:
        """Take some steps, in the memory of the state; return the next one and the losses of each step."""
        data, order = self._gathered(piece)
        steps = Steps(order, rates, next_numbers(first, len(order)))
        state, losses = self._take_steps(state, data, steps, self._key, self.settings.regularizer)
        return state, list(losses)

    def _gathered(self, piece: Array) -> tuple[Data, Array]:
        """Return rows as an array, and which of them make which step; of sparse ones only those needed."""
        rows = self.train
        if is_sparse(rows.X):
            rows = rows.take(piece.ravel()).dense()
            piece = np.arange(piece.size, dtype=np.int32).reshape(piece.shape)
        return Data(rows.X, rows.y, rows.weight), piece

    # Whole epochs -------------------------------------------------------------------------------------------

    def has_short_epochs(self, state: State) -> bool:
        """Return whether an epoch is one short call: of native code, a small network and not many rows."""
        lowering = self._lowering
        if lowering.backend != "native" or lowering.shadow or is_sparse(self.train.X):
            return False
        weights = sum(np.size(leaf) for leaf in leaves(state.params))
        rows = len(self.train) + (0 if self.held is None else len(self.held))
        return weights * rows <= SHORT and _bytes(state) <= SMALL

    def most_epochs(self, state: State) -> int:
        """Return how many epochs to train in one call at most: each keeps the state after it."""
        return max(1, min(MOST, MOST_BYTES // max(_bytes(state), 1)))

    def epochs(
        self, state: State, epoch: int, rates: Array, rate_factor: float, first: int
    ) -> tuple[list[Epoch], float]:
        """Train some epochs in one call, and measure each.

        state       before the first, which stays as it is
        epoch       the number of the first, counted from 1
        rates       [epochs, steps], for a training at this `rate_factor`
        first       steps taken before
        Returns     the epochs up to the first that left the finite numbers, and the seconds of it all
        """
        count, data = len(rates), Data(self.train.X, self.train.y, self.train.weight)
        steps, last = self._whole_epochs(self._orders.of_several(epoch, count), rates, first)
        began = time.perf_counter()
        states, sums = self._train_epochs(state, data, steps, last, self._key, self.settings.regularizer)
        seconds = time.perf_counter() - began
        found = list(self._told_apart(states, sums, epoch, rates, rate_factor, seconds / count))
        return found, time.perf_counter() - began

    def _whole_epochs(self, orders: Array, rates: Array, first: int) -> tuple[Steps, Steps | None]:
        """Return the steps of whole batches, [epochs, steps, ...], and the short ones [epochs, 1, ...]."""
        numbers = next_numbers(first, rates.size).reshape(rates.shape)
        whole = len(self.train) // self.batch
        cut = whole * self.batch
        order = orders[:, :cut].reshape(len(rates), whole, self.batch)
        steps = _steps(order, rates[:, :whole], numbers[:, :whole])
        if whole == self.steps:
            return steps, None
        return steps, _steps(orders[:, None, cut:], rates[:, whole:], numbers[:, whole:])

    def _told_apart(
        self,
        states: State,
        sums: tuple[Array, ...],
        epoch: int,
        rates: Array,
        rate_factor: float,
        seconds: float,
    ) -> Iterator[Epoch]:
        parts, structure = flatten(states)
        build = builder(structure)
        finite = np.logical_and.reduce([_finite_rows(part) for part in (*sums, *parts)])
        losses = self._losses_of(states)
        count = len(rates) if finite.all() else int(finite.argmin())
        totals = list(zip(*[part.tolist() for part in sums], strict=True))
        for k in range(count):
            state, measured = Stacked(parts, build, k), {}
            if losses and not self.settings.metrics:
                measured = {"val_loss": self.settings.factor * losses[k]}
            elif self.held is not None:
                measured = self.measured(self.weights(state_of(state)), losses[k] if losses else None)
            if measured and not math.isfinite(measured["val_loss"]):
                return
            yield Epoch(epoch + k, state, totals[k], rates[k], rate_factor, seconds, measured)

    def _losses_of(self, states: State) -> list[float]:
        """Return the losses of the held-out rows after each epoch, where one call finds them."""
        if self.held is None or is_sparse(self.held.X) or self.settings.optimizer.averages:
            return []
        if self._held_blocks is None:
            self._held_blocks = Blocks.of(self.held)
        return self.forward.losses(states.params, self._held_blocks).tolist()

    def rates_hold(self, epoch: Epoch, rate_factor: float, first: int, total: int) -> bool:
        """Return whether an epoch was trained at the rates that it would be trained at now."""
        if epoch.rate_factor != rate_factor:
            return False
        if self._plain_schedule:
            return True
        now = self.rates(first + np.arange(self.steps), rate_factor, total)  # own functions may have changed
        return bool((now == epoch.rates).all())

    # Measuring ----------------------------------------------------------------------------------------------

    def weights(self, state: State) -> Any:
        """Return the weights to measure and to keep, which may share the state's memory."""
        weights = self.settings.optimizer.weights(state.params, state.moments)
        # Of running statistics the optimizer knows nothing.
        return with_statistics(weights, state.params, self.roles) if self.network.observes else weights

    def measured(self, weights: Any, loss: float | None = None) -> dict[str, float]:
        """Return the figures of the held-out rows: val_loss, and the metrics that were asked for.

        loss    of these rows, where it is known already
        """
        if self.held is None:
            return {}
        s = self.settings
        found = {"val_loss": s.factor * (self.forward.loss(weights, self.held) if loss is None else loss)}
        if s.metrics:
            scores = self.forward.scores(weights, self.held, s.metrics)
            found |= {f"val_{name}": score for name, score in scores.items()}
        return found

    def overflows(self, weights: Any) -> bool:
        """Return whether predictions are no finite numbers, as those of weights that are all but infinite."""
        assert self.held is not None
        return not np.isfinite(self.forward.outputs(weights, self.held.X)).all()


def is_finite(weights: Any) -> bool:
    """Return whether all weights are finite numbers."""
    return all(np.isfinite(leaf).all() for leaf in leaves(weights))


def _finite_rows(values: Array) -> Array:
    """Return which entries along the first axis hold finite numbers alone; integers all do."""
    if values.dtype.kind != "f":
        return np.ones(len(values), bool)
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))


def _steps(order: Array, rates: Array, numbers: Array) -> Steps:
    return Steps(*map(np.ascontiguousarray, (order, rates, numbers)))


def _bytes(tree: Any) -> int:
    return sum(np.asarray(leaf).nbytes for leaf in leaves(tree))
