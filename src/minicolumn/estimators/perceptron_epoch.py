"""One pass of the perceptron rule through the rows, for all units side by side, as one native function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.lower.compile import compile
from minicolumn.nn.classic.rules import correction
from minicolumn.trace.loops import scan

Array = np.ndarray


@dataclass(frozen=True)
class Penalty:
    """What pulls weights towards 0, times the learning rate: a share of each, and an amount off each."""

    share: float = 0.0
    amount: float = 0.0


@dataclass(frozen=True)
class Units:
    """Some perceptrons while they learn.

    weight      [fan_in, units]
    bias        [units]
    due         what the amount of the penalty has come to by now, a number
    paid        how much of it each weight has been moved, [fan_in, units]
    objective   sum over the rows of the epoch of each unit's loss and penalty, float64 [units]
    corrections how often each unit was corrected so far, int64 [units]
    """

    weight: Array
    bias: Array
    due: Array
    paid: Array
    objective: Array
    corrections: Array


def start(weight: Array, bias: Array) -> Units:
    """Return units that have not been penalised yet."""
    none, count = np.zeros(len(bias), np.float64), np.zeros(len(bias), np.int64)
    return Units(weight, bias, weight.dtype.type(0), np.zeros_like(weight), none, count)


# Kept, so that the folds of a cross-validation are compiled once.
@functools.lru_cache(maxsize=16)
def perceptron_epoch(
    penalty: Penalty, learning_rate: float, fit_bias: bool, backend: str = "native"
) -> Callable[..., Units]:
    """Return the compiled function that takes units through rows.

        z = x W + b     W *= 1 - share     where sign z <= 0:  W += rate x' sign,  b += rate sign
        then each weight moves towards 0 by the amount, but not past it

    The function takes (units, X, signs, rates, order, active):

    X           [rows, fan_in]
    signs       +1 or -1, [rows, units]
    rates       learning rate times the row's weight and its class's, [rows, units]
    order       int32, the rows in the order to go through
    active      which units still learn, bool [units]
    Returns     the units; `objective` is the sum over this epoch
    Source      Rosenblatt 1958; the amount: Tsuruoka, Tsujii, Ananiadou 2009, cumulative penalty
    """

    def run(units: Units, X: Array, signs: Array, rates: Array, order: Array, active: Array) -> Units:
        def step(units: Units, row: Array) -> tuple[Units, None]:
            x, sign = X[row], signs[row]
            scores = x @ units.weight + units.bias
            lost = np.maximum(-sign * scores, 0.0) + _penalized(units.weight, penalty, learning_rate)
            change = correction(scores, sign, np.where(active, rates[row], 0.0))
            weight = _shrunk(units.weight, penalty, active) + x[:, None] * change[None, :]
            weight, due, paid = _cut(weight, units, penalty, active)
            bias = units.bias + change if fit_bias else units.bias
            objective, count = units.objective + lost.astype(np.float64), units.corrections + (change != 0)
            return Units(weight, bias, due, paid, objective, count), None

        return scan(step, units, order)[0]

    dims = {1: "rows", 2: "rows", 3: "rows", 4: "steps"}
    return compile(run, backend=backend, dims=dims, flush_subnormals=True)


def _penalized(weight: Array, penalty: Penalty, learning_rate: float) -> Any:
    """Return what the penalty adds to each unit's objective."""
    total: Any = 0.0
    if penalty.share:
        total = total + (0.5 * penalty.share / learning_rate) * np.sum(weight * weight, axis=0)
    if penalty.amount:
        total = total + (penalty.amount / learning_rate) * np.sum(np.abs(weight), axis=0)
    return total


def _shrunk(weight: Array, penalty: Penalty, active: Array) -> Array:
    if not penalty.share:
        return weight
    return weight * np.where(active, max(0.0, 1.0 - penalty.share), 1.0).astype(weight.dtype)


def _cut(weight: Array, units: Units, penalty: Penalty, active: Array) -> tuple[Array, Array, Array]:
    """Move each weight towards 0 by what it still owes, but not past it."""
    if not penalty.amount:
        return weight, units.due, units.paid
    due = units.due + weight.dtype.type(penalty.amount)
    down = np.maximum(weight - (due + units.paid), 0.0)
    up = np.minimum(weight + (due - units.paid), 0.0)
    moved = np.where(weight > 0, down, np.where(weight < 0, up, weight))
    moved = np.where(active, moved, weight)
    return moved, due, units.paid + (moved - weight)
