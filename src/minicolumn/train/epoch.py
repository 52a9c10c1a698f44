"""The training step, and many of them as one loop: what `fit` compiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.nn.layer import Layer
from minicolumn.nn.regularize import with_statistics
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
) -> Callable[..., tuple[State, Array]]:
    """Return the function that trains over some steps; plain NumPy, ready to be compiled.

        for rows, rate, number in zip(order, rates, numbers):
            gradient of  loss(network(X[rows]), Y[rows]) + regularizer(params)
            params, moments = optimizer's step along it, times rate
            params = constraint(params), with the running statistics that layers noted down

    The function takes (state, X, Y, weight, order, rates, numbers, key):

    weight      float [rows], or None
    order       int32 [steps, batch], the rows of each step
    rates       float [steps], the learning rates
    numbers     uint32 [steps]: which steps of the whole training these are. Dropout draws from them, so a
                training that is cut into other chunks draws the same.
    Returns     the state, and the losses [steps] without the regularizer's share
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
    ) -> tuple[State, Array]:
        def step(state: State, x: tuple[Array, Array, Array]) -> tuple[State, Array]:
            rows, rate, number = x

            def objective(params: Any) -> tuple[Any, Any]:
                own = random.fold_in(key, number) if network.draws else None
                if network.observes:
                    outputs, observed = network.apply_training(params, X[rows], own)
                else:
                    outputs, observed = network.apply(params, X[rows], key=own, training=True), None
                plain = loss(outputs, Y[rows], None if weight is None else weight[rows])
                return (plain if regularizer is None else plain + regularizer(params)), (plain, observed)

            (_, (plain, observed)), gradients = value_and_grad(objective, has_aux=True)(state.params)
            updates, moments = optimizer.step(gradients, state.moments, state.params, rate)
            params = apply_updates(state.params, updates)
            if constraint is not None:
                params = constraint(params)
            if observed is not None:  # last, so that nothing else moves them
                params = with_statistics(params, observed)
            return State(params, moments), plain

        return scan(step, state, (order, rates, numbers))

    return run


def next_numbers(first: int, steps: int) -> Array:
    """Return the numbers of some steps, uint32 [steps]."""
    return np.arange(first, first + steps, dtype=np.uint32)
