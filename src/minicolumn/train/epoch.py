"""The training step, and many of them as one loop: what `fit` compiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import Layer
from minicolumn.nn.regularize import PerRow, with_statistics
from minicolumn.optim import Optimizer, apply_updates
from minicolumn.trace.loops import scan

Array = np.ndarray


@dataclass(frozen=True)
class State:
    """What one step hands to the next: the weights, and what the optimizer remembers."""

    params: Any
    moments: Any


def train_epoch(
    network: Layer,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    regularizer: Callable[[Any], Any] | None,
    constraint: Callable[[Any], Any] | None = None,
    each: bool = False,
) -> Callable[..., tuple[Any, ...]]:
    """Return the function that trains over some steps; plain NumPy, ready to be compiled.

        for rows, rate, number in zip(order, rates, numbers):
            gradient of  loss(network(X[rows]), Y[rows]) + regularizer(params)
            params, moments = optimizer's step along it, times rate
            params = constraint(params), with the running statistics that layers noted down

    The function takes (state, X, Y, weight, order, rates, numbers, key, regularizer):

    weight      float [rows], or None
    order       int32 [steps, batch], the rows of each step
    rates       float [steps], the learning rates
    numbers     uint32 [steps]: which steps of the whole training these are. Dropout draws from them, so a
                training that is cut into other chunks draws the same.
    regularizer by default the one above; a record of the same kind, as an argument, makes its strength data
    Returns     the state, and the losses [steps] without the regularizer's share; where there is one, also
                that share [steps]. With `each`, the state after each step, its arrays [steps, ...]
    """

    def run(
        state: State,
        X: Array,
        Y: Array,
        weight: Array | None,
        order: Array,
        rates: Array,
        numbers: Array,
        key: Array,
        regularizer: Callable[[Any], Any] | None = regularizer,
    ) -> tuple[Any, ...]:
        def step(state: State, x: tuple[Array, Array, Array]) -> tuple[State, tuple[Any, ...]]:
            rows, rate, number = x

            own = random.fold_in(key, number) if network.draws else None
            batch = X[rows], Y[rows], None if weight is None else weight[rows]

            def objective(params: Any) -> tuple[Any, tuple[tuple[Any, ...], Any]]:
                return loss_of(network, loss, regularizer, params, *batch, key=own)

            (_, (losses, observed)), gradients = value_and_grad(objective, has_aux=True)(state.params)
            updates, moments = optimizer.step(gradients, state.moments, state.params, rate)
            params = apply_updates(state.params, updates)
            if constraint is not None:
                params = constraint(params)
            if observed is not None:  # last, so that nothing else moves them
                params = with_statistics(params, observed)
            after = State(params, moments)
            return after, ((after, *losses) if each else losses)

        last, found = scan(step, state, (order, rates, numbers))
        return found if each else (last, *found)

    return run


def loss_of(
    network: Layer,
    loss: Callable[..., Any],
    regularizer: Callable[[Any], Any] | None,
    params: Any,
    X: Array,
    Y: Array,
    weight: Array | None,
    *,
    key: Array | None = None,
) -> tuple[Any, tuple[tuple[Any, ...], Any]]:
    """Return what a batch minimises, and besides its parts: the loss and, with a regularizer, its share.

    key         what layers that draw numbers draw from
    Returns     last, the weights with the running statistics that layers observed, or None
    """
    observed = None
    if network.observes:
        outputs, observed = network.apply_training(params, X, key)
    else:
        outputs = network.apply(params, X, key=key, training=True)
    plain = _one_number("the loss", loss(outputs, Y, weight))
    if regularizer is None:
        return plain, ((plain,), observed)
    if isinstance(regularizer, PerRow):
        penalty = regularizer.over(params, float(X.shape[0]) if weight is None else np.sum(weight))
    else:
        penalty = _one_number("the regularizer", regularizer(params))
    return plain + penalty, ((plain, penalty), observed)


def _one_number(what: str, value: Any) -> Any:
    if value is None or isinstance(value, tuple | list | dict | str):
        raise DataError(f"fit: {what} must give one number for a batch, it gave {value!r:.60}")
    if getattr(value, "dtype", np.dtype(np.float64)).kind != "f":
        raise DataError(
            f"fit: {what} gave {value.dtype}, expected a float; what only counts has no slope to descend"
        )
    shape = getattr(value, "shape", ())
    if shape:
        raise ShapeError(
            f"fit: {what} must give one number for a batch, it gave shape {list(shape)}; take np.mean of it"
        )
    return value


def next_numbers(first: int, steps: int) -> Array:
    """Return the numbers of some steps, uint32 [steps]."""
    return np.arange(first, first + steps, dtype=np.uint32)
