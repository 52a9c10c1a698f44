"""The linear threshold unit: a weighted sum and a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.activations.sigmoids import step

Array = np.ndarray

STEP_HAS_NO_SLOPE = (
    "a step is flat on both sides of its jump, so its derivative is 0 wherever it has one: a small change of "
    "a weight changes no output, the gradient is 0 and gradient descent stands still; train with a smooth "
    "activation such as 'logistic' or 'tanh', or with the perceptron rule, which needs no derivative"
)


@final
@dataclass(frozen=True, eq=False)
class LTU:
    """Linear threshold units: each weighs its inputs, adds a bias, and fires if the sum is not negative.

        y = step(x W + b),     step(z) = 1 if z >= 0 else 0

    weight      [fan_in, units]
    bias        [units]
    Errors      ShapeError if the shapes do not fit
    Source      Rosenblatt 1958; the name from Minsky & Papert 1969
    Differs     `mc.nn.Dense(units, activation="step")` is the same as a layer, and takes `params` as it is

    One unit divides its inputs by a flat plane, w x + b = 0; XOR needs two. Gradient descent cannot train it:
    the step's derivative is 0 (`STEP_HAS_NO_SLOPE`).

    >>> majority = LTU(np.ones((3, 1)), np.array([-2.0]))
    >>> majority(np.array([[1, 1, 0], [0, 0, 1]]))
    array([[1.],
           [0.]])
    """

    weight: Array
    bias: Array

    def __post_init__(self) -> None:
        if np.ndim(self.weight) != 2 or np.shape(self.bias) != np.shape(self.weight)[1:]:
            found = f"weight {list(np.shape(self.weight))} and bias {list(np.shape(self.bias))}"
            raise ShapeError(f"LTU: expected weight [fan_in, units] and bias [units], got {found}")

    @property
    def params(self) -> dict[str, Array]:
        """Return the parameters as `mc.nn.Dense` takes them."""
        return {"weight": self.weight, "bias": self.bias}

    def scores(self, x: Array) -> Array:
        """Return the sums before the step, [batch, units]."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.weight.shape[0]:
            raise ShapeError(
                f"LTU: inputs have shape {list(x.shape)}, expected [batch, {self.weight.shape[0]}]"
            )
        return x @ self.weight + self.bias

    def __call__(self, x: Any) -> Array:
        """Return 1 where a unit fires and 0 where it does not, [batch, units].

        x           [batch, fan_in], or one row [fan_in], which gives [units]
        Errors      ShapeError for another shape
        """
        one = np.shape(x) == self.weight.shape[:1]
        fires = step(self.scores(np.asarray(x)[None] if one else x))
        return fires[0] if one else fires

    def __repr__(self) -> str:
        return f"LTU(weight={self.weight.tolist()}, bias={self.bias.tolist()})"
