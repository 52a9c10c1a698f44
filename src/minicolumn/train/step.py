"""The training step: gradient, update and projection, scanned over steps and epochs; what is compiled.

    train_steps     state -> step -> ... -> step -> state           a chunk of an epoch
    train_epochs    (scan of steps, scan of short steps), scanned   whole epochs, each state kept

The signature of a compiled training stands here and nowhere else: ``(state, data, steps, ..., key,
regularizer, numbers)``, with `STEPS_DIMS` and `EPOCHS_DIMS` saying which axes may have any length, and
`GIVEN` which arguments are given away (donated buffers, in JAX's words).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minicolumn import random
from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.regularize import PerRow
from minicolumn.nn.roles import Roles, called, with_statistics
from minicolumn.optim import Optimizer, apply_updates
from minicolumn.optim.transform import Moments
from minicolumn.registry import is_plain
from minicolumn.trace.loops import scan
from minicolumn.train.live_numbers import with_numbers
from minicolumn.train.types import Constraint, LossFunction, Regularizer

Array = np.ndarray

# Another number of rows or steps is not another program: which leading axes may have any length.
STEPS_DIMS = {1: "rows", 2: "steps"}
EPOCHS_DIMS = {1: "rows", 2: "epochs steps", 3: "epochs"}
GIVEN = (0,)


@dataclass(frozen=True)
class State:
    """The carry of the scan over steps: the weights, and what the optimizer remembers."""

    params: Params
    moments: Moments


class Stacked(NamedTuple):
    """One of several states in a stack: arrays [count, ...], of which it is made when asked for.

    parts       the stacked leaves; build: makes a state of leaves; place: index along the first axis
    """

    parts: Sequence[Array]
    build: Callable[[Sequence[Array]], State]
    place: int


def state_of(held: State | Stacked) -> State:
    """Return a state that may lie in a stack, as arrays that share its memory (views, not copies)."""
    if isinstance(held, State):
        return held
    return held.build([part[held.place] for part in held.parts])


@dataclass(frozen=True)
class Data:
    """The training data: X [rows, *input_shape], Y [rows, ...], weight [rows] or None."""

    X: Array
    Y: Array
    weight: Array | None = None


@dataclass(frozen=True)
class Steps:
    """Some steps; their leading axis, or axes, is the loop's.

    order       int32 [steps, batch], the rows of each step
    rates       float [steps], the learning rates
    numbers     uint32 [steps]: which steps of the whole training these are. Dropout draws from them, so a
                training that is cut into other pieces draws the same.
    """

    order: Array
    rates: Array
    numbers: Array


@dataclass(frozen=True)
class Step:
    """One training step, a hashable record of all that makes it another program than the next.

        L(params) = loss(network(X[rows]), Y[rows], weight[rows]) + regularizer(params)
        params, moments = optimizer's step along dL/dparams, times rate
        params = constraint(params), with the running statistics that layers noted down

    A learning rule other than gradient descent is a subclass with its own `take`, `start`, `parts` and
    `zero_sums`; `Trainer.change(rule=...)` and `Trainer.from_snapshot` take what makes it. What it tells of a
    step may be arrays, such as one loss for each output.

    parts       names of what `take` tells of a step, in the history; those at the end may be missing

    >>> import minicolumn as mc
    >>> step = Step(mc.nn.Dense(1, bias=False), mc.nn.LOSSES["squared_error"].function, mc.optim.SGD(1.0))
    >>> state = State({"weight": np.array([[3.0]])}, step.optimizer.start({"weight": np.array([[3.0]])}))
    >>> data = Data(np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]))
    >>> one = Steps(np.array([0], np.int32), np.float64(0.25), np.uint32(0))
    >>> after, (loss,) = step.take(state, data, one, random.stream(0, "dropout"), None)
    >>> after.params["weight"].item(), float(loss)
    (2.0, 4.0)
    """

    parts: ClassVar[tuple[str, ...]] = ("loss", "penalty")
    network: Layer
    loss: LossFunction
    optimizer: Optimizer
    regularizer: Regularizer | None = None
    constraint: Constraint | None = None

    @cached_property
    def is_plain(self) -> bool:
        """Return whether the record says all about the program, which can then be kept and used again."""
        return is_plain(self)

    def take(
        self, state: State, data: Data, step: Steps, key: Array, regularizer: Regularizer | None
    ) -> tuple[State, tuple[Any, ...]]:
        """Take one step on one batch.

        step        one entry of `Steps`: order int32 [batch], one rate and one number
        key         uint32 [2], folded with the step's number where layers draw
        Returns     the state after it, and the batch's loss, then the regularizer's share if there is one
        """
        rows, own = step.order, random.fold_in(key, step.numbers) if self.network.draws else None
        batch = data.X[rows], data.Y[rows], None if data.weight is None else data.weight[rows]

        def objective(params: Params) -> tuple[Any, tuple[tuple[Any, ...], Any]]:
            return loss_of(self.network, self.loss, regularizer, params, *batch, key=own)

        (_, (losses, observed)), gradients = value_and_grad(objective, has_aux=True)(state.params)
        roles = self.network.roles(data.X.shape[1:])
        updates, moments = self.optimizer.step(gradients, state.moments, state.params, step.rates, roles)
        params = apply_updates(state.params, updates)
        if self.constraint is not None:
            params = called(self.constraint, params, roles)
        if observed is not None:  # last, so that nothing else moves them
            params = with_statistics(params, observed, roles)
        return State(params, moments), losses

    def start(self, params: Params, roles: Roles | None = None) -> Moments:
        """Return what is remembered before the first step; of gradient descent, the optimizer's moments.

        roles       of the parameters, as their network declares them
        """
        return self.optimizer.start(params, roles)

    def with_numbers(self, numbers: Sequence[Any]) -> Step:
        """Return the step with these numbers, which may be traced, in the places of `live_numbers`."""
        if not numbers:
            return self
        network, optimizer = with_numbers(self.network, self.optimizer, numbers)
        return replace(self, network=network, optimizer=optimizer)

    def zero_sums(self, state: State, regularizer: Regularizer | None) -> tuple[Any, ...]:
        """Return float64 zeros in the shapes of what `take` tells, to add up an epoch from."""
        return (np.float64(0.0),) * (1 if regularizer is None else 2)


def train_steps(step: Step) -> Callable[..., tuple[State, tuple[Any, ...]]]:
    """Return the function that takes some steps, one after the other: a scan over steps.

    It takes (state, data, steps, key, regularizer, numbers): a regularizer of the same kind as the step's, as
    an argument, makes its strength data, and so do `live_numbers` for momentum or dropout. It gives the state
    after the last step, and the losses of each, [steps], without the regularizer's share; where there is one,
    that share beside them, [steps].
    """

    def run(
        state: State,
        data: Data,
        steps: Steps,
        key: Array,
        regularizer: Regularizer | None = step.regularizer,
        numbers: Sequence[Any] = (),
    ) -> tuple[State, tuple[Any, ...]]:
        bound = step.with_numbers(numbers)
        return scan(lambda s, x: bound.take(s, data, x, key, regularizer), state, steps)

    return run


def train_epochs(step: Step) -> Callable[..., tuple[State, tuple[Any, ...]]]:
    """Return the function that trains for some epochs, each of some steps and perhaps a shorter last one.

    It takes (state, data, steps, last, key, regularizer, numbers):

    steps       the whole batches, order [epochs, steps, batch], rates and numbers [epochs, steps]
    last        the short batches of the epochs' ends, [epochs, 1, ...] each, or None
    Returns     the states after each epoch, [epochs, ...], and sums over its rows, float64 [epochs]: of the
                losses, then of the regularizer's share, where there is one
    """

    def run(
        state: State,
        data: Data,
        steps: Steps,
        last: Steps | None,
        key: Array,
        regularizer: Regularizer | None = step.regularizer,
        numbers: Sequence[Any] = (),
    ) -> tuple[State, tuple[Any, ...]]:
        bound = step.with_numbers(numbers)

        def added_up(held: tuple[State, tuple[Any, ...]], x: Steps) -> tuple[Any, None]:
            state, sums = held
            state, losses = bound.take(state, data, x, key, regularizer)
            rows = float(x.order.shape[0])
            return (
                state,
                tuple(s + part.astype(np.float64) * rows for s, part in zip(sums, losses, strict=True)),
            ), None

        def epoch(state: State, x: tuple[Steps, Steps | None]) -> tuple[State, Any]:
            whole, last = x
            held = state, step.zero_sums(state, regularizer)
            held, _ = scan(added_up, held, whole)
            if last is not None:
                held, _ = scan(added_up, held, last)
            return held[0], held

        return scan(epoch, state, (steps, last))[1]

    return run


def loss_of(
    network: Layer,
    loss: LossFunction,
    regularizer: Regularizer | None,
    params: Params,
    X: Array,
    Y: Array,
    weight: Array | None,
    *,
    key: Array | None = None,
) -> tuple[Any, tuple[tuple[Any, ...], Any]]:
    """Return the objective of a batch, and its parts: the loss and, with a regularizer, its share.

        objective = loss(network(X), Y, weight) + regularizer(params)

    Of a network that ends in `MeanOfMembers` the loss is that of all members' outputs, see `member_loss`.

    X, Y, weight    [batch, *input_shape], [batch, ...], [batch] or None
    key             what layers that draw numbers draw from
    Returns         objective, ((loss, penalty), observed): last, the weights with the running statistics that
                    layers observed, or None
    Errors          DataError or ShapeError where a function of one's own gives no single float
    """
    outputs, after = network.member_outputs(params, X, key=key, training=True)
    observed = after if network.observes else None
    plain = _one_number("the loss", member_loss(network, loss, outputs, Y, weight))
    if regularizer is None:
        return plain, ((plain,), observed)
    penalty = penalty_of(network, regularizer, params, X, weight)
    return plain + penalty, ((plain, penalty), observed)


def member_loss(network: Layer, loss: LossFunction, outputs: Array, Y: Array, weight: Array | None) -> Any:
    """Return the loss of the outputs that `Layer.member_outputs` gives.

        mean over members of  loss(outputs[:, member], Y, weight)

    Every member's row is a row of the batch: one call of the loss, with each row's target and weight as often
    as there are members, gives that mean, for any loss that is a (weighted) mean over its rows.

    outputs     [batch, *output_shape], or [batch, members, *output_shape] where ``network.by_member`` holds
    """
    if not network.by_member:
        return loss(outputs, Y, weight)
    batch, members = outputs.shape[:2]

    def repeated(rows: Array) -> Array:
        wide = np.broadcast_to(rows[:, None], (batch, members, *rows.shape[1:]))
        return wide.reshape((batch * members, *rows.shape[1:]))

    flat = outputs.reshape((batch * members, *outputs.shape[2:]))
    return loss(flat, repeated(Y), None if weight is None else repeated(weight))


def penalty_of(
    network: Layer, regularizer: Regularizer, params: Params, X: Array, weight: Array | None
) -> Any:
    """Return the regularizer's share of a batch's objective; see `loss_of`."""
    roles = network.roles(X.shape[1:])
    if isinstance(regularizer, PerRow):
        return regularizer.over(params, float(X.shape[0]) if weight is None else np.sum(weight), roles)
    return _one_number("the regularizer", called(regularizer, params, roles))


def _one_number(what: str, value: object) -> Any:
    """Return a loss or penalty that is one float; integers have no gradient, several no single descent."""
    if value is None or isinstance(value, tuple | list | dict | str):
        raise DataError(f"fit: {what} must give one number for a batch, it gave {value!r:.60}")
    dtype = getattr(value, "dtype", np.dtype(np.float64))
    if dtype.kind != "f":
        raise DataError(
            f"fit: {what} gave {dtype}, expected a float; what only counts has no gradient to descend"
        )
    shape = getattr(value, "shape", ())
    if shape:
        raise ShapeError(
            f"fit: {what} must give one number for a batch, it gave shape {list(shape)}; take np.mean of it"
        )
    return value


def next_numbers(first: int, steps: int) -> Array:
    """Return the numbers of some steps of the whole training, uint32 [steps]: first, first + 1, ... mod 2^32.

    >>> next_numbers(2**32 - 1, 2).tolist()
    [4294967295, 0]
    """
    return (np.arange(steps, dtype=np.uint64) + np.uint64(first % 2**32)).astype(np.uint32)
