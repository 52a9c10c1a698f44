"""PyTorch's side: eager steps, and steps through torch.compile."""

from __future__ import annotations

from typing import Any

import torch

from minicolumn.bench.sides import Side
from minicolumn.bench.workloads import Problem, Workload

_ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def training(problem: Problem, compiled: bool = False) -> list[Side]:
    """Return the sides of PyTorch on a training; torch.compile takes long to begin, so it is asked for."""
    sides = [_side(problem, "PyTorch eager", False)]
    return [*sides, _side(problem, "torch.compile", True)] if compiled else sides


def network(problem: Problem, dropout: bool = True) -> torch.nn.Sequential:
    """Return the problem's network with its first weights."""
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
    # `fused` is the fastest of PyTorch's own ways to do it on a CPU.
    kind = torch.optim.Adam if workload.optimizer == "adam" else torch.optim.SGD
    return kind(parameters, lr=workload.learning_rate, fused=True)


def _side(problem: Problem, name: str, compiled: bool) -> Side:
    workload, net = problem.workload, network(problem)
    X, Y = torch.from_numpy(problem.X), torch.from_numpy(problem.Y)
    Y = Y.long() if workload.loss == "softmax_cross_entropy" else Y
    loss = torch.nn.CrossEntropyLoss() if workload.loss == "softmax_cross_entropy" else torch.nn.MSELoss()
    optimizer = _optimizer(workload, net.parameters())
    order = list(torch.from_numpy(problem.order).long())

    def objective(rows: torch.Tensor) -> torch.Tensor:
        return loss(net(X[rows]), Y[rows])

    objective = torch.compile(objective) if compiled else objective

    def call() -> None:
        for rows in order:
            optimizer.zero_grad(set_to_none=True)
            objective(rows).backward()
            optimizer.step()

    return Side(name, call, problem.steps, "fused optimizer")
