"""scikit-learn's side of the benchmarks: `fit` of its multilayer perceptrons, many epochs a call."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem, Workload


def training(problem: Problem) -> list[Side]:
    """Return the side of `fit`: whole epochs, so it may do fewer steps than the others; time is a step's.

    `fit` validates its data and draws new weights in each call, which is part of what it takes.
    """
    workload = problem.workload
    wanted, each = workload.eager_steps, math.ceil(workload.rows / workload.batch)
    epochs, rows = max(1, wanted // each), min(workload.rows, wanted * workload.batch)
    steps = epochs * math.ceil(rows / workload.batch)
    network, X, Y = _network(workload, epochs), problem.X[:rows], _targets(problem)[:rows]

    def call() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(X, Y)

    note = "no dropout there" if workload.dropout else ""
    return [Side("scikit-learn", call, steps, note)]


def prediction(problem: Problem, X: np.ndarray, repeat: int) -> list[Side]:
    """Return the side of `predict_proba`.

    Its networks take weights only by way of a training: a short one is run, then they are replaced.
    """
    network, classes = _network(problem.workload, 1), problem.workload.widths[-1]
    # Its networks take weights only by way of a training.
    network.batch_size = classes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(problem.X[:classes], np.arange(classes))
    network.coefs_ = [weight for weight, _ in problem.weights]
    network.intercepts_ = [bias for _, bias in problem.weights]

    def call() -> np.ndarray:
        for _ in range(repeat - 1):
            network.predict_proba(X)
        return network.predict_proba(X)

    return [Side("scikit-learn", call, repeat)]


def _targets(problem: Problem) -> Any:
    return problem.Y.ravel() if problem.workload.loss == "squared_error" else problem.Y


def _network(workload: Workload, epochs: int) -> Any:
    """Return scikit-learn's network with the same settings: no L2 penalty, no momentum, no early stopping."""
    kind = MLPRegressor if workload.loss == "squared_error" else MLPClassifier
    return kind(
        hidden_layer_sizes=workload.widths[:-1],
        activation=workload.activation,
        solver=workload.optimizer,
        alpha=0.0,
        batch_size=workload.batch,  # pyright: ignore[reportArgumentType]  a number or 'auto'
        learning_rate_init=workload.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
        max_iter=epochs,
        n_iter_no_change=1_000_000,
        random_state=0,
    )
