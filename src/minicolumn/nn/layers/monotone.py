"""The monotone quantile head: outputs in order, so that quantiles cannot cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.ops.elementwise import SOFTPLUS
from minicolumn.nn.layer import Array, Deterministic, Params, Shape


@final
@dataclass(frozen=True, repr=False)
class MonotoneQuantiles(Deterministic):
    """Put the numbers of a row in order, by adding to each what leads to the next: an end for quantiles.

        y_1 = x_1,      y_k = y_(k-1) + log(1 + e^(x_k))

    As `Sequential(..., Dense(3), MonotoneQuantiles())` with `Loss("quantile", levels=(0.1, 0.5, 0.9))`.

    x           [batch, ..., levels], and y the same
    Errors      ShapeError for inputs without an axis of levels
    Source      Gasthaus, Benidis, Wang, Rangapuram, Salinas, Flunkert, Januschowski 2019, "Probabilistic
                forecasting with spline quantile function RNNs": increments that cannot be negative

    >>> MonotoneQuantiles().apply({}, np.array([[1.0, -100.0, 0.0]])).round(4)
    array([[1.    , 1.    , 1.6931]])
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape or input_shape[-1] < 1:
            found = ", ".join(map(str, ("batch", *input_shape)))
            raise ShapeError(f"MonotoneQuantiles: inputs have shape [{found}], expected [batch, levels >= 1]")
        return tuple(input_shape)

    @property
    def operations(self) -> int:
        return 5

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        first, rest = x[..., :1], x[..., 1:]
        # One after the other, not a matrix product: sums in another order could cross by a rounding.
        return np.cumsum(np.concatenate([first, SOFTPLUS(rest)], axis=-1), axis=-1)
