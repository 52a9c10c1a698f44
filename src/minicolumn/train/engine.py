"""The engine: compiled programs, rows and their orders, which take the steps of a training and measure it.

It is told where a training stands and keeps no count of its own: `train.loop` does that. So the same call
gives the same result, and what was trained ahead can be dropped.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import MinicolumnError
from minicolumn.model.compute import forward
from minicolumn.model.mean_loss import Blocks
from minicolumn.model.rows import LabeledRows, is_sparse
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.roles import with_statistics
from minicolumn.optim.transform import Moments
from minicolumn.registry import is_plain
from minicolumn.train.backward import backward_pass
from minicolumn.train.batches import Orders, steps_in
from minicolumn.train.epochs import Epochs
from minicolumn.train.history import history_rows
from minicolumn.train.live_numbers import live_numbers
from minicolumn.train.programs import Lowering, epochs_program, step_of, steps_program
from minicolumn.train.rates import factors
from minicolumn.train.settings import Settings
from minicolumn.train.step import Data, Stacked, State, Step, Steps, next_numbers, state_of
from minicolumn.tree import Tree, builder, flatten, leaves

Array = np.ndarray

# Whole epochs in one call: how many at most, and bytes of all their states together; bytes of the state of a
# small network, and multiply-adds of an epoch that lasts some 50 ms. Longer ones are cut within the epoch.
MOST, MOST_BYTES = 1024, 1 << 23
SMALL, SHORT = 1 << 20, 2e8
# Bytes of sparse rows that are made dense at a time.
DENSE_BYTES = 1 << 24


Rule = Callable[[Layer, Settings], Step]  # makes the step of a learning rule for a network and settings


class Engine:
    """The compiled programs of a network with its settings and rows.

    rule        makes the step of a learning rule; None is gradient descent as the settings say
    orders      of the rows in each epoch; None draws them by the seed
    step        what is compiled: gradient descent, or what `rule` made
    batch       rows of a step, no more than there are; steps: of an epoch, a shorter last one included
    roles       of the parameters, by which penalties, constraints and weight decay choose them
    forward     the program that measures; it knows no label smoothing, so trainings can be compared
    """

    def __init__(
        self,
        network: Layer,
        settings: Settings,
        train: LabeledRows,
        held: LabeledRows | None,
        rule: Rule | None = None,
        orders: Orders | None = None,
    ) -> None:
        self.network, self.settings, self.train, self.held = network, settings, train, held
        s = settings
        self.batch = min(s.batch_size, len(train))
        self.steps = steps_in(len(train), self.batch)
        # What is held out is measured without label smoothing, so that trainings can be compared.
        self.forward = forward(network, s.record or s.loss, backend=s.backend, threads=s.threads)
        self._orders = orders or Orders(s.seed, len(train), s.shuffle)
        self._key = random.stream(s.seed, "dropout")
        self._most_steps = _most_steps(train, self.batch)
        self._held_blocks: Blocks | None = None
        self.has_plain_schedule = is_plain(s.schedule)
        self.roles = network.roles(train.X.shape[1:])
        self.step = step_of(network, s) if rule is None else rule(network, s)
        self._numbers = live_numbers(network, s.optimizer) if rule is None else ()
        self.parts = self.step.parts
        self._lowering = Lowering(s.backend, s.threads, s.shadow)
        self._is_native = s.backend == "native" and not s.shadow and not is_sparse(train.X)
        self._most_epochs: int | None = None

    def start(self, params: Params) -> Moments:
        """Return what the learning rule remembers before its first step."""
        return self.step.start(params, self.roles)

    def step_key(self, number: int) -> Array:
        """Return the key that layers draw from in one step of the training, uint32 [2]."""
        return random.fold_in(self._key, next_numbers(number, 1)[0])

    # Both held, since a program with own functions is kept by nobody else and would be made for each epoch.

    @cached_property
    def _take_steps(self) -> Callable[..., Any]:
        return steps_program(self.step, self._lowering)

    @cached_property
    def _train_epochs(self) -> Callable[..., Any]:
        return epochs_program(self.step, self._lowering)

    def rates(self, steps: Array, rate_factor: float, total: int) -> Array:
        """Return the learning rates of some steps, in the dtype of the computation.

            rate(step) = optimizer's learning_rate * rate_factor * schedule(step, total)

        steps       numbers of the steps, from 0; total: of the whole training, over which a schedule spreads
        """
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
        count = min(len(order) // self.batch, most, self._most_steps)
        return order[: count * self.batch].reshape(count, self.batch) if count else order[None]

    def take(self, state: State, piece: Array, rates: Array, first: int) -> tuple[State, list[Array]]:
        """Take some steps in one native call, in the memory of the state, which must not be used any more.

        piece       int32 [steps, batch], the rows of each step; rates: [steps]
        first       number of the first step, from 0: what dropout and noise are drawn by
        Returns     the next state, and [steps] each: losses, and where there is a regularizer its share
        """
        data, order = self._gathered(piece)
        steps = Steps(order, rates, next_numbers(first, len(order)))
        state, losses = self._take_steps(
            state, data, steps, self._key, self.settings.regularizer, self._numbers
        )
        return state, list(losses)

    def _gathered(self, piece: Array) -> tuple[Data, Array]:
        """Return rows as an array, and which of them make which step; of sparse ones only those needed."""
        rows = self.train
        if is_sparse(rows.X):
            rows = rows.take(piece.ravel()).dense()
            piece = np.arange(piece.size, dtype=np.int32).reshape(piece.shape)
        return Data(rows.X, rows.y, rows.weight), piece

    # Whole epochs -------------------------------------------------------------------------------------------

    def most_epochs(self, state: State) -> int:
        """Return how many epochs to train in one call at most, since each keeps the state after it.

        0 where one alone may be long: of a large network, of many rows, or not of native code.
        """
        if self._most_epochs is None:
            held = _bytes(state)
            short = self._multiplications(state) <= SHORT and held <= SMALL and self._is_native
            held += self._predicted_bytes
            self._most_epochs = max(1, min(MOST, MOST_BYTES // max(held, 1))) if short else 0
        return self._most_epochs

    @property
    def _predicted_bytes(self) -> int:
        """Return about how many bytes the held-out rows' predictions of one epoch take; 0 without metrics."""
        if self.held is None or not self.settings.metrics:
            return 0
        outputs = math.prod(self.network.output_shape(self.held.X.shape[1:]))
        return len(self.held) * outputs * self.held.X.dtype.itemsize

    def guessed_epochs(self, state: State, seconds: float) -> int:
        """Return how many epochs may last so long, where none was trained yet.

        One is thought to take 50 ms for SHORT multiplications and a microsecond a step. Own functions may
        take any time, so of these it is one epoch.
        """
        if not self.step.is_plain:
            return 1
        epoch = 0.05 * self._multiplications(state) / SHORT + 1e-6 * self.steps
        return max(1, int(min(seconds / epoch, MOST)))

    def _multiplications(self, state: State) -> int:
        """Return weights x rows, which is about the multiply-adds of one pass over the rows."""
        weights = sum(np.size(leaf) for leaf in leaves(state.params))
        return weights * (len(self.train) + (0 if self.held is None else len(self.held)))

    def epochs(
        self, state: State, epoch: int, rates: Array, rate_factor: float, first: int, every: int = 1
    ) -> Epochs:
        """Train some epochs in one call, and measure each, or those whose numbers are multiples of `every`.

        state       before the first, which stays as it is
        epoch       the number of the first, counted from 1
        rates       [epochs, steps], for a training at this `rate_factor`
        first       steps taken before
        """
        count, data = len(rates), Data(self.train.X, self.train.y, self.train.weight)
        steps, last = self._whole_epochs(self._orders.of_several(epoch, count), rates, first)
        began = time.perf_counter()
        states, sums = self._train_epochs(
            state, data, steps, last, self._key, self.settings.regularizer, self._numbers
        )
        seconds = (time.perf_counter() - began) / count
        parts, structure = flatten(states)
        build = builder(structure)
        finite = np.logical_and.reduce([_finite_rows(part) for part in (*sums, *parts)])
        some = count if finite.all() else int(finite.argmin())
        places = np.arange(-epoch % every, some, every)
        chosen = parts if len(places) == count else [part[places] for part in parts]
        measured = self._measured_epochs(build(chosen), Stacked(chosen, build, 0), len(places))
        good = min(map(len, measured.values()), default=len(places))
        if good < len(places):
            some, places = int(places[good]), places[:good]
        losses = {n: part[places] / len(self.train) for n, part in zip(self.parts, sums, strict=False)}
        figures = {n: _by_epoch(part) for n, part in losses.items()} | measured
        numbers = (epoch + places).tolist()
        rows = history_rows(numbers, figures, rates[places, -1].tolist(), seconds, self.steps)
        return Epochs(
            epoch, Stacked(parts, build, 0), sums, rates, rate_factor, seconds, some,
            dict(zip(places.tolist(), rows, strict=True)),
        )  # fmt: skip

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

    def _measured_epochs(self, states: State, stack: Stacked, count: int) -> dict[str, list[float]]:
        """Return the figures of the held-out rows after so many epochs, up to a loss that is not finite."""
        if self.held is None:
            return {}
        found = self._held_figures(states)
        if found is not None:
            return self._figures(found, count)
        each: list[dict[str, float]] = []
        for k in range(count):
            each.append(self.measured(self.weights(state_of(stack._replace(place=k)))))
            if not math.isfinite(each[-1]["val_loss"]):
                del each[-1]
                break
        return {name: [figures[name] for figures in each] for name in (each or [{"val_loss": 0.0}])[0]}

    def _held_figures(self, states: State) -> tuple[list[float], Sequence[Array]] | None:
        """Return the held-out loss after each epoch, as `val_loss` has it; for metrics, what was predicted.

        None where no one call finds them all.
        """
        if self.held is None or is_sparse(self.held.X) or self.settings.optimizer.averages:
            return None
        if self._held_blocks is None:
            self._held_blocks = self.forward.blocks(
                self.held, sum(math.prod(part.shape[1:]) for part in leaves(states.params))
            )
        if not self.settings.metrics:
            losses = self.forward.losses(states.params, self._held_blocks)
            return (self.settings.factor * losses).tolist(), ()
        losses, outputs = self.forward.measured_several(states.params, self._held_blocks)
        return (self.settings.factor * losses).tolist(), list(outputs)

    def _figures(self, found: tuple[list[float], Sequence[Array]], count: int) -> dict[str, list[float]]:
        """Return the figures of some epochs, by name, up to a loss that is not finite."""
        assert self.held is not None
        losses = list(takewhile(math.isfinite, found[0][:count]))
        scores = [
            self.forward.scores(predicted, self.held, self.settings.metrics)
            for predicted in found[1][: len(losses)]
        ]
        names = scores[0] if scores else {}
        return {"val_loss": losses} | {f"val_{name}": [each[name] for each in scores] for name in names}

    def rates_hold(self, ahead: Epochs, k: int, rate_factor: float, first: int, total: int) -> bool:
        """Return whether the k-th epoch of a call used the learning rates that it would be trained at now.

        first       steps before it; total: as for `rates`
        """
        if ahead.rate_factor != rate_factor:
            return False
        if self.has_plain_schedule:
            return True
        now = self.rates(first + np.arange(self.steps), rate_factor, total)  # own functions may have changed
        return bool((now == ahead.rates[k]).all())

    # Measuring ----------------------------------------------------------------------------------------------

    def weights(self, state: State) -> Params:
        """Return the weights to measure and to keep, which may share the state's memory.

        Of an averaging optimizer they are the mean of its iterates, else those that are trained.
        """
        weights = self.settings.optimizer.weights(state.params, state.moments)
        # Of running statistics the optimizer knows nothing.
        return with_statistics(weights, state.params, self.roles) if self.network.observes else weights

    def measured(self, weights: Params) -> dict[str, float]:
        """Return the figures of the held-out rows: val_loss, and the metrics that were asked for."""
        if self.held is None:
            return {}
        s = self.settings
        if not s.metrics:
            return {"val_loss": s.factor * self.forward.loss(weights, self.held)}
        loss, predicted = self.forward.measured(weights, self.held)
        scores = self.forward.scores(predicted, self.held, s.metrics)
        return {"val_loss": s.factor * loss} | {f"val_{name}": score for name, score in scores.items()}

    def steepest(self, params: Params) -> str | None:
        """Return the path of the layer whose gradient is largest beside its weights, over the first rows.

        None where there is no telling, as of an own loss that fails on these weights.
        """
        rows = self.train.take(np.arange(min(self.batch, len(self.train))))
        try:
            with np.errstate(all="ignore"):
                layers = backward_pass(self.network, self.settings, params, rows).layers
        except (MinicolumnError, ArithmeticError, ValueError):
            return None
        shares = {part.path: part.gradient_norm / max(part.weight_norm, 1e-12) for part in layers}
        finite = {path: share for path, share in shares.items() if share == share}
        return max(finite, key=finite.__getitem__) if finite else None

    def overflows(self, weights: Params) -> bool:
        """Return whether predictions are no finite numbers, as those of weights that are all but infinite."""
        assert self.held is not None
        return not np.isfinite(self.forward.outputs(weights, self.held.X)).all()


def is_finite(weights: Params) -> bool:
    """Return whether all weights are finite numbers."""
    return all(np.isfinite(leaf).all() for leaf in leaves(weights))


def _most_steps(rows: LabeledRows, batch: int) -> int:
    """Return how many steps one call may take: of sparse rows, no more than may be dense at a time."""
    if not is_sparse(rows.X):
        return sys.maxsize
    return max(1, DENSE_BYTES // max(1, batch * rows.X.shape[1] * rows.X.dtype.itemsize))


def _finite_rows(values: Array) -> Array:
    """Return which entries along the first axis hold finite numbers alone; integers all do."""
    if values.dtype.kind != "f":
        return np.ones(len(values), bool)
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).all(axis=1))


def _steps(order: Array, rates: Array, numbers: Array) -> Steps:
    return Steps(*map(np.ascontiguousarray, (order, rates, numbers)))


def _by_epoch(part: Array) -> list[Any]:
    """Return what has an entry for each epoch as a list, of numbers or of arrays."""
    return part.tolist() if part.ndim == 1 else list(part)


def _bytes(tree: Tree) -> int:
    return sum(np.asarray(leaf).nbytes for leaf in leaves(tree))
