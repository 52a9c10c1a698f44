"""minicolumn's side of a benchmark, through the same code as `fit` and `Model.predict`."""

from __future__ import annotations

from typing import Any

import numpy as np

import minicolumn as mc
from minicolumn import random
from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem, Workload
from minicolumn.nn import Dense, Dropout
from minicolumn.nn.losses import loss_by_name
from minicolumn.optim import Optimizer, optimizer_by_name
from minicolumn.train.programs import steps_program
from minicolumn.train.step import Data, State, Step, Steps, next_numbers
from minicolumn.tree import map_leaves

NAME = "minicolumn"
# Whether several threads are faster is tried out in the first calls.
_WARM = 8


def network(workload: Workload) -> mc.nn.Sequential:
    """Return the workload's network: dense layers, dropout behind the first if it has any.

    >>> from minicolumn.bench.workloads import workload_by_name
    >>> [layer.units for layer in network(workload_by_name("playground")).layers]
    [4, 2, 1]
    """
    layers: list[Any] = [Dense(units, activation=workload.activation) for units in workload.widths[:-1]]
    if workload.dropout:
        layers.insert(1, Dropout(workload.dropout))
    return mc.nn.Sequential(*layers, Dense(workload.widths[-1]))


def weights(net: mc.nn.Sequential, problem: Problem) -> dict[str, Any]:
    """Return the problem's initial weights in the network's tree of parameters; they are not copied.

    Returns     {"0": {"weight": float32 [fan_in, fan_out], "bias": [fan_out]}, ...}; dropout has none
    """
    given = iter(problem.weights)
    params: dict[str, Any] = {}
    for number, layer in enumerate(net.layers):
        pair = next(given) if isinstance(layer, Dense) else None
        params[str(number)] = {"weight": pair[0], "bias": pair[1]} if pair else {}
    return params


def step(workload: Workload) -> Step:
    """Return the training step of a workload: loss, gradient and optimizer update."""
    return Step(network(workload), loss_by_name(workload.loss).function, _optimizer(workload))


def program(workload: Workload) -> Any:
    """Return the compiled program of many steps, one loop, as `fit` has it."""
    return steps_program(step(workload))


def arguments(problem: Problem) -> tuple[Any, ...]:
    """Return the arguments of that program: initial weights, data, order of rows, rates, random key.

    The weights are copies, so that a call cannot change what other sides start from.
    """
    workload = problem.workload
    params = map_leaves(np.array, weights(network(workload), problem))
    state = State(params, _optimizer(workload).start(params))
    rates = np.full(problem.steps, workload.learning_rate, np.float32)
    steps = Steps(problem.order, rates, next_numbers(0, problem.steps))
    return state, Data(problem.X, problem.Y), steps, random.stream(0, "dropout")


def training(problem: Problem) -> list[Side]:
    """Return our side of a training: all steps in one call, which goes on from the weights of the last.

    Eight calls warm it up: in the first ones the number of threads is tuned.
    """
    run, (first, *rest) = program(problem.workload), arguments(problem)
    held = [first]

    def call() -> None:
        held[0], _ = run(held[0], *rest)

    return [Side(NAME, call, problem.steps, "many steps a call", _WARM)]


def losses(problem: Problem) -> np.ndarray:
    """Return the loss of each step, float32 [steps], from the problem's initial weights."""
    return program(problem.workload)(*arguments(problem))[1][0]


def prediction(problem: Problem, X: np.ndarray, repeat: int) -> list[Side]:
    """Return our sides of the probabilities of some rows.

    X           [rows, features]
    repeat      predictions in one call; a predictor takes one row, so it takes part only there
    """
    net = network(problem.workload)
    model = mc.Model(net, weights(net, problem), (problem.workload.features,), problem.workload.loss)
    sides = [_repeated(f"{NAME} predict", model.predict, X, repeat)]
    if len(X) == 1:
        note = "one row only"
        sides.append(_repeated(f"{NAME} predictor", model.predictor(), X[0], repeat, note))
    return sides


def _repeated(name: str, way: Any, x: np.ndarray, repeat: int, note: str = "") -> Side:
    """Return a side that predicts several times a call, so that a clock can tell."""

    def call() -> np.ndarray:
        for _ in range(repeat - 1):
            way(x)
        return way(x)

    return Side(name, call, repeat, note, _WARM)


def _optimizer(workload: Workload) -> Optimizer:
    """Return the workload's optimizer at its learning rate, all else by default."""
    return type(optimizer_by_name(workload.optimizer))(workload.learning_rate)
