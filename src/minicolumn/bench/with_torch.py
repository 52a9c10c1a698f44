"""PyTorch's side of the benchmarks: eager steps, and steps through torch.compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]  an optional peer

from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem, Workload

_ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def training(problem: Problem, compiled: bool = False) -> list[Side]:
    """Return the sides of PyTorch on a training: eager, and torch.compile if asked for.

    compiled    whether torch.compile takes part; compiling takes long
    """
    sides = [_side(problem, "PyTorch eager", False)]
    return [*sides, _side(problem, "torch.compile", True)] if compiled else sides


def losses(problem: Problem) -> np.ndarray:
    """Return the loss of each step, float32 [steps], from the problem's initial weights."""
    objective, optimizer = _objective(problem)
    found = []
    for rows in torch.from_numpy(problem.order).long():
        optimizer.zero_grad(set_to_none=True)
        loss = objective(rows)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return np.array(found, np.float32)


def prediction(problem: Problem, X: np.ndarray, repeat: int) -> list[Side]:
    """Return the side of a forward pass and softmax in inference_mode."""
    net = torch.nn.Sequential(*network(problem, dropout=False), torch.nn.Softmax(dim=1)).eval()
    x = torch.from_numpy(X)

    def call() -> np.ndarray:
        with torch.inference_mode():
            for _ in range(repeat - 1):
                net(x)
            return net(x).numpy()

    return [Side("PyTorch", call, repeat, "inference_mode")]


def network(problem: Problem, dropout: bool = True) -> torch.nn.Sequential:
    """Return the problem's network with its initial weights; dropout may be left out."""
    workload, layers = problem.workload, []
    for number, (weight, bias) in enumerate(problem.weights):
        linear = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias))
        layers.append(linear)
        if number < len(problem.weights) - 1:
            layers.append(_ACTIVATIONS[workload.activation]())
        if number == 0 and workload.dropout and dropout:
            layers.append(torch.nn.Dropout(workload.dropout))
    return torch.nn.Sequential(*layers)


def _optimizer(workload: Workload, parameters: Any) -> torch.optim.Optimizer:
    """Return PyTorch's optimizer, fused: the fastest of its own implementations on a CPU."""
    kind = torch.optim.Adam if workload.optimizer == "adam" else torch.optim.SGD
    return kind(parameters, lr=workload.learning_rate, fused=True)


def _objective(problem: Problem) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.optim.Optimizer]:
    """Return the function from a step's rows to its loss, and the optimizer of its parameters."""
    workload, net = problem.workload, network(problem)
    X, Y = torch.from_numpy(problem.X), torch.from_numpy(problem.Y)
    classes = workload.loss == "softmax_cross_entropy"
    targets = Y.long() if classes else Y
    loss = torch.nn.CrossEntropyLoss() if classes else torch.nn.MSELoss()
    return lambda rows: loss(net(X[rows]), targets[rows]), _optimizer(workload, net.parameters())


def _side(problem: Problem, name: str, compiled: bool) -> Side:
    """Return the side of a training loop in Python, one step after the other."""
    objective, optimizer = _objective(problem)
    objective = torch.compile(objective) if compiled else objective
    order = list(torch.from_numpy(problem.order[: problem.workload.eager_steps]).long())

    def call() -> None:
        for rows in order:
            optimizer.zero_grad(set_to_none=True)
            objective(rows).backward()
            optimizer.step()

    return Side(name, call, len(order), "fused optimizer")
