"""The perceptron rule as a training: stochastic subgradient descent on the perceptron loss, for each unit.

`mc.Trainer` trains the units of one dense layer side by side, a row at a time. What is special to them stands
here: the step, which tells each unit's loss by itself, and the rule by which the units stop one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minicolumn import random
from minicolumn.errors import DivergenceError
from minicolumn.estimators.convergence import idle_epochs
from minicolumn.model.rows import LabeledRows
from minicolumn.nn import Dense
from minicolumn.nn.classic.rules import correction
from minicolumn.nn.layer import Params
from minicolumn.nn.roles import Roles
from minicolumn.optim import SGD
from minicolumn.optim.transform import Moments
from minicolumn.train import Callback, Snapshot, Trainer
from minicolumn.train.batches import Orders
from minicolumn.train.history import Row
from minicolumn.train.settings import Settings
from minicolumn.train.step import Data, State, Step, Steps

Array = np.ndarray
# Of (weight [fan_in, units], bias [units]): a score of each unit, higher is better, [units].
Score = Callable[[Array, Array], Array]
logger = logging.getLogger("minicolumn")


def perceptron_loss(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Array:
    """Return the perceptron loss of each output: what a wrong one is off by.

        max(0, -t y)

    outputs         scores, any shape
    targets         +1 or -1, the same shape
    sample_weight   scales the steps, not the loss by which an epoch is judged; not used
    Returns         the same shape
    Differs         from the hinge loss: no margin, so a right answer costs nothing however near it is

    >>> perceptron_loss(np.array([0.5, 2.0]), np.array([-1.0, 1.0]))
    array([0.5, 0. ])
    """
    return np.maximum(-targets * outputs, 0.0)


@dataclass(frozen=True)
class PerceptronStep(Step):
    """One step of the perceptron rule, a subgradient step on the perceptron loss of one row.

        z = x W + b     W *= 1 - shrink     where t z <= 0:  W += rate x' t,  b += rate t
        then each weight moves towards 0 by the cut, but not past it

    The rate of a row and a unit is the learning rate times its weight. Targets t, +1 or -1, and weights are
    [rows, units]; a batch is one row. The state holds, beside weight [fan_in, units] and bias [units]:

    due         what the cuts of one weight have come to by now, a number
    paid        how much of that each weight has been moved, [fan_in, units]
    corrections how often each unit was corrected so far, int64 [units]

    fit_bias    whether biases are learnt
    shrink      l2 penalty times the learning rate: the share that each weight loses in a step
    cut         l1 penalty times the learning rate: the amount that it loses
    Tells       the loss with the penalty, in all and of each unit, [units]
    Source      Rosenblatt 1958; the cut: Tsuruoka, Tsujii, Ananiadou 2009, cumulative penalty
    Differs     from `mc.optim.SGD` with `mc.nn.ElasticNet`: a score of exactly 0 counts as wrong; a weight
                that the l1 penalty brings to 0 stays there; weights may differ from unit to unit
    """

    parts: ClassVar[tuple[str, ...]] = ("loss", "losses")
    fit_bias: bool = True
    shrink: float = 0.0
    cut: float = 0.0

    @classmethod
    def of(
        cls, units: int, learning_rate: float, fit_bias: bool = True, shrink: float = 0.0, cut: float = 0.0
    ) -> PerceptronStep:
        """Return the step of so many units in one dense layer."""
        return cls(Dense(units), perceptron_loss, SGD(learning_rate), None, None, fit_bias, shrink, cut)

    def first_state(self, weight: Array, bias: Array) -> State:
        """Return the state of units that were not corrected yet, with a copy of weight and bias."""
        params = {"weight": np.array(weight, order="C"), "bias": np.array(bias)}
        return State(params, self.start(params))

    def start(self, params: Params, roles: Roles | None = None) -> Moments:
        """Return what is remembered of units that were not corrected yet."""
        weight, count = params["weight"], np.zeros(len(params["bias"]), np.int64)
        due, paid = np.zeros((), weight.dtype), np.zeros_like(weight)
        return {"due": due, "paid": paid, "corrections": count}

    def take(
        self, state: State, data: Data, step: Steps, key: Array, regularizer: Callable[[Any], Any] | None
    ) -> tuple[State, tuple[Array, Array]]:
        """Take one step on one row; see `Step.take`."""
        assert data.weight is not None
        weight, bias, moments = state.params["weight"], state.params["bias"], state.moments
        row = step.order[0]
        x, sign = data.X[row], data.Y[row]
        scores = x @ weight + bias
        losses = self.loss(scores, sign, None) + self._penalty(weight)
        change = correction(scores, sign, step.rates * data.weight[row])
        moved = (weight * max(0.0, 1.0 - self.shrink) if self.shrink else weight) + x[:, None] * change
        moved, due, paid = self._cut(moved, moments["due"], moments["paid"])
        bias = bias + change if self.fit_bias else bias
        moments = {"due": due, "paid": paid, "corrections": moments["corrections"] + (change != 0)}
        return State({"weight": moved, "bias": bias}, moments), (np.sum(losses), losses)

    def zero_sums(self, state: State, regularizer: Callable[[Any], Any] | None) -> tuple[np.float64, Array]:
        """Return zeros for the loss in all and that of each unit."""
        return np.float64(0.0), np.zeros(state.params["bias"].shape[0], np.float64)

    def _penalty(self, weight: Array) -> Any:
        """Return what the penalty adds to each unit's loss, [units]; 0 without one."""
        total, rate = 0.0, self.optimizer.learning_rate
        if self.shrink:
            total = total + (0.5 * self.shrink / rate) * np.sum(weight * weight, axis=0)
        if self.cut:
            total = total + (self.cut / rate) * np.sum(np.abs(weight), axis=0)
        return total

    def _cut(self, weight: Array, due: Array, paid: Array) -> tuple[Array, Array, Array]:
        """Move each weight towards 0 by what it still owes, but not past it; return what is due and paid."""
        if not self.cut:
            return weight, due, paid
        due = due + weight.dtype.type(self.cut)
        down = np.maximum(weight - (due + paid), 0.0)
        up = np.minimum(weight + (due - paid), 0.0)
        moved = np.where(weight > 0, down, np.where(weight < 0, up, weight))
        return moved, due, paid + (moved - weight)


class RowOrders(Orders):
    """Orders of rows that are drawn by how many rows were seen before, not by the number of the epoch.

    So calls on some rows at a time, whose epochs nobody counts, each have an order of their own.

    seen        rows before the first epoch
    each        rows by which an epoch counts: those held out are among them
    """

    def __init__(self, seed: int | None, rows: int, seen: int, each: int) -> None:
        super().__init__(seed or 0, rows, shuffle=seed is not None)
        self._seen, self._each = seen, each

    def of(self, epoch: int) -> Array:
        """Return the order of an epoch, counted from 1, int32 [rows]."""
        if self._key is None:
            return super().of(epoch)
        seen = self._seen + (epoch - 1) * self._each
        return random.permutation(random.fold_in(self._key, seen % 2**32), self._rows)

    def of_several(self, epoch: int, count: int) -> Array:
        """Return the orders of some epochs, int32 [epochs, rows]."""
        return np.stack([self.of(epoch + k) for k in range(count)])


class UnitStopping(Callback):
    """Stop each unit when its own figure has not got better for a while, and the training with the last one.

    The units share no weights, so those that have stopped may go on beside the others: what they are handed
    back with is what they had when they stopped.

    tol         by how much a figure must be better than the best before; None: units never stop
    patience    epochs in a row that may fail to be
    score       by which units are judged; None judges by each one's loss with its penalty
    verbose     whether to log every unit's figure after each epoch
    active      which units have not stopped, bool [units]
    Differs     from `EarlyStopping`: many figures at once, and the rule of `sklearn.linear_model`, by which
                small gains make the best better and still count as failures
    """

    def __init__(
        self,
        state: State,
        tol: float | None,
        patience: int,
        score: Score | None = None,
        verbose: bool = False,
    ) -> None:
        self.tol, self.patience, self.score, self.verbose = tol, patience, score, verbose
        self.weight, self.bias = (np.array(state.params[name]) for name in ("weight", "bias"))
        self.corrections = np.array(state.moments["corrections"])
        units = len(self.bias)
        self.active, self._idle = np.ones(units, bool), np.zeros(units, np.int64)
        self._best = np.full(units, np.inf)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return how many more epochs there are in any case, before the last unit can stop."""
        return np.inf if self.tol is None else int((self.patience - self._idle)[self.active].max())

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Judge the units, and keep the weights of those that stop here."""
        figures = row["losses"]
        if self.score is not None:
            params = trainer.state.params
            figures = -self.score(params["weight"], params["bias"])
        if self.verbose:
            logger.info("epoch %d: %s", row["epoch"], ", ".join(f"{figure:.6g}" for figure in figures))
        if self.tol is None:
            return
        self._idle = idle_epochs(self._idle, figures, self._best, self.tol)
        self._best = np.minimum(self._best, figures)
        stops = self.active & (self._idle >= self.patience)
        if stops.any():
            self.keep(trainer, stops)
            self.active &= ~stops
        if not self.active.any():
            trainer.stop("converged")

    def keep(self, trainer: Trainer, units: Array) -> None:
        """Note the weights and corrections of some units as they are now, bool [units]."""
        state = trainer.state
        self.weight[:, units] = state.params["weight"][:, units]
        self.bias[units] = state.params["bias"][units]
        self.corrections[units] = state.moments["corrections"][units]


def train_units(
    step: PerceptronStep, rows: LabeledRows, state: State, watch: UnitStopping, orders: Orders, epochs: int
) -> int:
    """Train units until each has stopped or the epochs are over; `watch` then holds what they came to.

    rows        X [rows, fan_in], y +1 or -1 and weights, both [rows, units]
    state       from `PerceptronStep.first_state`
    Returns     the number of epochs
    Errors      DivergenceError where a loss or a weight leaves the finite numbers
    """
    settings = Settings(
        loss=step.loss, optimizer=step.optimizer, batch_size=1, epochs=epochs, dtype=rows.X.dtype
    )
    trainer = Trainer.from_snapshot(
        step.network, settings, rows, None, Snapshot(state.params, state.moments), [watch],
        epochs=epochs, rule=lambda network, settings: step, orders=orders,
    )  # fmt: skip
    try:
        # With `epochs` for a goal, up to half of all might be trained in vain, beyond the last stop.
        while not trainer.stopped and (left := epochs - trainer.epoch):
            trainer.advance(epochs=int(min(left, watch.quiet_epochs(trainer))))
    except DivergenceError as error:
        raise DivergenceError(
            f"Perceptron: {error}; sklearn.preprocessing.StandardScaler scales columns"
        ) from None
    watch.keep(trainer, watch.active)
    return trainer.epoch
