"""Epochs of the perceptron rule until they stop helping, unit by unit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from minicolumn import random
from minicolumn.errors import DivergenceError
from minicolumn.estimators.perceptron_epoch import Penalty, Units, perceptron_epoch, start

Array = np.ndarray
logger = logging.getLogger("minicolumn")


@dataclass(frozen=True)
class Settings:
    """How long and in which order to train.

    tol         by how much an epoch must be better than the best before it; None for all epochs
    patience    epochs in a row that may fail to be
    key         of the orders; None keeps the rows' own
    """

    penalty: Penalty
    learning_rate: float
    fit_bias: bool
    epochs: int
    tol: float | None
    patience: int
    key: Array | None
    verbose: bool


@dataclass(frozen=True)
class Rows:
    """What to learn from: X [rows, fan_in], signs and rates [rows, units], and which rows to go through."""

    X: Array
    signs: Array
    rates: Array
    numbers: Array


def train(
    settings: Settings,
    rows: Rows,
    weight: Array,
    bias: Array,
    seen: int,
    score: Callable[[Array, Array], Array] | None = None,
) -> tuple[Units, int]:
    """Train units until each has stopped getting better; one that has stays as it is.

    weight, bias    to start from, [fan_in, units] and [units]
    seen            rows seen before, which chooses the orders that come
    score           of (weight, bias), by unit, on held-out rows; None judges by the training objective
    Returns         the units and the number of epochs
    """
    epoch = perceptron_epoch(settings.penalty, settings.learning_rate, settings.fit_bias)
    units, active = start(weight, bias), np.ones(len(bias), bool)
    best, bad = np.full(len(bias), np.inf), np.zeros(len(bias), int)
    number = 0
    while number < settings.epochs and active.any():
        order = _order(settings.key, rows.numbers, seen + number * len(rows.X))
        units = replace(units, objective=np.zeros(len(bias)))
        units = epoch(units, rows.X, rows.signs, rows.rates, order, active)
        number += 1
        _must_be_finite(units, number)
        figure = units.objective / len(order) if score is None else -score(units.weight, units.bias)
        if settings.verbose:
            logger.info("epoch %d: %s", number, ", ".join(f"{value:.6g}" for value in figure))
        worse = figure > best - settings.tol if settings.tol is not None else np.zeros_like(active)
        bad = np.where(worse, bad + 1, 0)
        best = np.minimum(best, figure)
        active = active & (bad < settings.patience)
    return units, number


def _order(key: Array | None, numbers: Array, seen: int) -> Array:
    if key is None:
        return numbers
    return numbers[random.permutation(random.fold_in(key, np.uint32(seen)), len(numbers))]


def _must_be_finite(units: Units, epoch: int) -> None:
    if not (np.isfinite(units.weight).all() and np.isfinite(units.bias).all()):
        raise DivergenceError(
            f"Perceptron: a weight is no finite number any more after epoch {epoch}; scale the columns of X "
            "to about 1, for example with StandardScaler"
        )
