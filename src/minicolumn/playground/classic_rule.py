"""The learning rule of TensorFlow Playground, exactly: for lessons and links that were written for it.

    trainer = mc.Trainer(network, X, y, loss="squared_error", optimizer=mc.optim.SGD(0.03), batch_size=10,
                         shuffle=False, regularizer=mc.nn.L1(0.003))
    trainer.change(rule=classic_rule)

It is plain NumPy as all steps are, so a whole epoch of it is one native call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.errors import DataError
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.losses.reduce import alike
from minicolumn.nn.regularize import L1, L2
from minicolumn.nn.roles import Roles, is_penalized
from minicolumn.optim import SGD
from minicolumn.optim.transform import Moments
from minicolumn.train.settings import Settings
from minicolumn.train.step import Data, State, Step, Steps
from minicolumn.train.types import LossFunction, Regularizer
from minicolumn.tree import flatten, map_leaves, named_leaves, unflatten

Array = np.ndarray


def half_squared_error(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean over rows of half the squared error, summed over outputs.

        mean of (o - t)^2 / 2

    outputs, targets    [rows, outputs]
    sample_weight       not used: rows count alike

    >>> float(half_squared_error(np.array([[3.0], [0.0]]), np.array([[1.0], [0.0]])))
    1.0
    """
    difference = outputs - alike("half_squared_error", outputs, targets)
    return 0.5 * np.sum(difference * difference) / outputs.shape[0]


@dataclass(frozen=True)
class ClassicStep(Step):
    """One batch of TensorFlow Playground's rule; the settings' order of the rows, rate and penalty hold.

        G += sum over the rows of dE/dw,  n += rows,       E = (o - t)^2 / 2
        where the batch is whole:
            w' = w - rate G / n
            w  = w' - rate strength r'(w)      r' = sign(w) for L1, w for L2; taken before the data step
            L1: where that turns the sign of w', w = 0 and stays so for good
            b  = b - rate G / n                biases are not penalised
            G = 0,  n = 0

    A shorter batch at the end of an epoch is not applied: its gradients wait for the first whole batch of the
    next. So a batch size above the number of rows never moves anything.

    batch_size  rows of a whole batch
    State       moments `gradient` (G) and `alive` (1, or 0 for a weight that L1 has ended), trees like the
                weights, and `count` (n)
    Tells       the mean of E over the batch, before its update
    Differs     from `mc.optim.SGD` with a regularizer: there the penalty is part of the gradient, a short
                batch is a step, and L1 may cross 0. With rate * strength > 2 an L2 penalty diverges, here too
    """

    parts: ClassVar[tuple[str, ...]] = ("loss",)
    batch_size: int = 10

    def start(self, params: Params, roles: Roles | None = None) -> Moments:
        return {
            "count": np.zeros((), np.int32),
            "gradient": map_leaves(np.zeros_like, params),
            "alive": map_leaves(np.ones_like, params),
        }

    def take(
        self, state: State, data: Data, step: Steps, key: Array, regularizer: Regularizer | None
    ) -> tuple[State, tuple[Any, ...]]:
        """Take one batch; see `Step.take`."""
        X, Y = data.X[step.order], data.Y[step.order]
        rows = step.order.shape[0]

        def total(params: Params) -> Any:
            outputs = self.network.apply(params, X)
            difference = outputs - alike("classic_rule", outputs, Y)
            return 0.5 * np.sum(difference * difference)

        error, gradient = value_and_grad(total)(state.params)
        moments = state.moments
        gathered = map_leaves(lambda held, new: held + new, moments["gradient"], gradient)
        count = moments["count"] + np.int32(rows)
        if rows < self.batch_size:
            return State(state.params, {**moments, "count": count, "gradient": gathered}), (error / rows,)
        roles = self.network.roles(data.X.shape[1:])
        params, alive = self._updated(
            state.params, gathered, moments["alive"], count, step.rates, regularizer, roles
        )
        fresh = {"count": count * np.int32(0), "gradient": map_leaves(np.zeros_like, gathered)}
        return State(params, {**fresh, "alive": alive}), (error / rows,)

    def _updated(
        self,
        params: Params,
        gathered: Params,
        alive: Params,
        count: Any,
        rate: Any,
        regularizer: Regularizer | None,
        roles: Roles,
    ) -> tuple[Params, Params]:
        """Return the weights after a whole batch, and which of them are alive."""
        structure = flatten(params)[1]
        found, living = [], []
        columns = zip(named_leaves(params), flatten(gathered)[0], flatten(alive)[0], strict=True)
        for (path, w), total, lives in columns:
            moved = w - rate / count.astype(w.dtype) * total
            if is_penalized(path, roles):
                moved, lives = _penalised(w, moved, lives, rate, regularizer)
            found.append(moved)
            living.append(lives)
        return unflatten(structure, found), unflatten(structure, living)

    def zero_sums(self, state: State, regularizer: Regularizer | None) -> tuple[Any, ...]:
        return (np.float64(0.0),)


def _penalised(
    w: Array, moved: Array, alive: Array, rate: Any, regularizer: Regularizer | None
) -> tuple[Array, Array]:
    """Return weights after the penalty's step from `moved`, its derivative taken at `w`; and who is alive."""
    if isinstance(regularizer, L2):
        after = moved - rate * regularizer.rate * w
    elif isinstance(regularizer, L1):
        after = moved - rate * regularizer.rate * np.sign(w)
        alive = np.where(moved * after < 0, 0.0, alive).astype(w.dtype)
    else:
        after = moved
    return np.where(alive > 0, after, 0.0).astype(w.dtype), alive


def classic_rule(network: Layer, settings: Settings) -> ClassicStep:
    """Return the rule for a network and settings, as `Trainer.change(rule=classic_rule)` asks for it.

    Learning rate, schedule, batch size, order of the rows (`shuffle=False` for the fixed one) and the
    strength of `mc.nn.L1` or `mc.nn.L2` are the settings', and may be changed. The loss is always half the
    squared error; the settings' loss is what held-out rows are measured with.

    Errors      DataError for another optimizer than plain SGD, another penalty, a constraint, and layers that
                draw or observe

    >>> import numpy as np, minicolumn as mc
    >>> line = mc.Trainer(
    ...     mc.nn.Dense(1), [[1.0]], [3.0], loss="squared_error", optimizer=mc.optim.SGD(0.5), batch_size=1
    ... )
    >>> line.change(rule=classic_rule)
    >>> line.set_params({"weight": [[1.0]], "bias": [0.0]})
    >>> _ = line.advance(steps=1)  # o - t = -2:  w = 1 + 0.5 * 2
    >>> line.params["weight"].item(), line.params["bias"].item()
    (2.0, 1.0)
    """
    optimizer, penalty = settings.optimizer, settings.regularizer
    if type(optimizer) is not SGD or optimizer != SGD(optimizer.learning_rate):
        raise DataError(f"classic_rule: optimizer must be plain SGD, such as 'sgd', got {optimizer!r}")
    if penalty is not None and type(penalty) not in (L1, L2):
        raise DataError(f"classic_rule: regularizer must be L1, L2 or None, got {penalty!r:.60}")
    if settings.constraint is not None:
        raise DataError("classic_rule: there is no constraint in this rule; leave it out")
    if network.draws or network.observes:
        raise DataError("classic_rule: dropout, noise and batch normalisation are no part of this rule")
    loss: LossFunction = half_squared_error
    return ClassicStep(network, loss, SGD(1.0), None, None, settings.batch_size)
