"""Benchmark workloads: a few networks from tiny to wide, on random data equal for all sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minicolumn.registry import Registry

Array = np.ndarray
# Assumed before anything is measured, to choose how many steps a call does: far from exact is good enough.
_FLOPS_PER_SECOND, _SECONDS_PER_STEP, _SECONDS_PER_EAGER_STEP = 250e9, 1e-6, 2e-4
_SECONDS_PER_CALL = 0.075


@dataclass(frozen=True)
class Workload:
    """A network and its training on random data, equal for all libraries.

    features    inputs of a row
    widths      units of each layer; the last is the output's, the others are hidden
    activation  of the hidden layers, "relu" or "tanh"
    loss        "softmax_cross_entropy" or "squared_error"
    batch       rows a step; rows: of the data
    optimizer   "adam" or "sgd", at ``learning_rate``
    dropout     the rate behind the first hidden layer, or 0

    >>> Workload("tiny", 2, (4, 1), "tanh", "squared_error", 10, "sgd", 0.03, 200).title
    '2-4-1 tanh, MSE, batch 10, SGD'
    """

    name: str
    features: int
    widths: tuple[int, ...]
    activation: str
    loss: str
    batch: int
    optimizer: str
    learning_rate: float
    rows: int
    dropout: float = 0.0

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """The (fan_in, fan_out) of each layer."""
        return tuple(zip((self.features, *self.widths[:-1]), self.widths, strict=True))

    @property
    def flops(self) -> int:
        """The floating-point operations of a step's matrix products, two for a multiply-add.

        Forward, and back to the weights, 2 batch fan_in fan_out each; back to the inputs for all but the
        first layer. Activations, the loss and the optimizer are not counted, so no step can be faster.
        """
        products = [2 * self.batch * fan_in * fan_out for fan_in, fan_out in self.sizes]
        return 3 * sum(products) - products[0]

    @property
    def title(self) -> str:
        """The network and its training in a few words, for headings."""
        shape = "-".join(map(str, (self.features, *self.widths)))
        dropout = f" + dropout {self.dropout:g}" if self.dropout else ""
        loss = "MSE" if self.loss == "squared_error" else "cross entropy"
        optimizer = {"adam": "Adam", "sgd": "SGD"}[self.optimizer]
        activation = {"relu": "ReLU"}.get(self.activation, self.activation)
        return f"{shape} {activation}{dropout}, {loss}, batch {self.batch}, {optimizer}"

    @property
    def steps(self) -> int:
        """The steps in one call, so that it lasts some 50 to 100 ms."""
        return self._steps(_SECONDS_PER_STEP)

    @property
    def eager_steps(self) -> int:
        """The steps in one call where each is dispatched by itself."""
        return self._steps(_SECONDS_PER_EAGER_STEP)

    def _steps(self, overhead: float) -> int:
        """Return the steps that last 75 ms at an assumed speed; overhead: seconds a step beside products."""
        return max(1, round(_SECONDS_PER_CALL / (self.flops / _FLOPS_PER_SECOND + overhead)))


WORKLOADS: Registry[Workload] = Registry("workload", {
    w.name: w
    for w in (
        Workload("playground", 2, (4, 2, 1), "tanh", "squared_error", 10, "sgd", 0.03, 200),
        Workload("tabular", 54, (128, 64, 7), "relu", "softmax_cross_entropy", 256, "adam", 1e-3, 25_600),
        Workload(
            "mnist", 784, (300, 100, 10), "relu", "softmax_cross_entropy", 128, "adam", 1e-3, 12_800, 0.5
        ),
        Workload("wide", 1024, (2048, 2048, 10), "relu", "softmax_cross_entropy", 512, "adam", 1e-3, 5_120),
    )
})  # fmt: skip


def workload_by_name(name: str) -> Workload:
    """Return a workload; DataError, with the nearest name, for an unknown one.

    >>> workload_by_name("playground").sizes
    ((2, 4), (4, 2), (2, 1))
    """
    return WORKLOADS[name]


class Problem:
    """A workload with its data, initial weights and order of rows, equal for all sides.

    X         float32 [rows, features], standard normal
    Y         int32 [rows] class numbers, or float32 [rows, outputs]
    weights   a (weight [fan_in, fan_out], bias [fan_out]) for each layer; He or LeCun normal, biases 0
    order     int32 [steps, batch]
    """

    def __init__(self, workload: Workload, steps: int | None = None, seed: int = 0) -> None:
        self.workload = workload
        self.steps = workload.steps if steps is None else steps
        self._rng = np.random.default_rng(seed)
        self.X = self._rng.standard_normal((workload.rows, workload.features), np.float32)
        self.Y = self._targets()
        self.weights = [self._layer(*size) for size in workload.sizes]

    def _targets(self) -> Array:
        """Return random targets: class numbers, or standard normal numbers."""
        rows, outputs = self.workload.rows, self.workload.widths[-1]
        if self.workload.loss == "squared_error":
            return self._rng.standard_normal((rows, outputs), np.float32)
        return self._rng.integers(0, outputs, rows, np.int32)

    def _layer(self, fan_in: int, fan_out: int) -> tuple[Array, Array]:
        """Return a layer's weight and bias: deviation sqrt(2 / fan_in) for ReLU, else sqrt(1 / fan_in); 0."""
        scale = np.float32(np.sqrt((2 if self.workload.activation == "relu" else 1) / fan_in))
        return self._rng.standard_normal((fan_in, fan_out), np.float32) * scale, np.zeros(fan_out, np.float32)

    @cached_property
    def order(self) -> Array:
        """The rows of each step, int32 [steps, batch]: permutations of all rows, one behind the other."""
        rows, needed = self.workload.rows, self.steps * self.workload.batch
        epochs = [self._rng.permutation(rows) for _ in range(-(-needed // rows))]
        return np.concatenate(epochs)[:needed].reshape(self.steps, -1).astype(np.int32)
