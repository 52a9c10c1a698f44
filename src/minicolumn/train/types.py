"""Type aliases of a training: the data that users hand over, and the functions that they may bring.

Inputs          rows of features, [rows, *input_shape]: what NumPy makes an array of, or a sparse matrix
Validation      held-out rows: (X, y) or (X, y, sample_weight)
LossFunction    (outputs, targets, sample_weight) -> one number; traced, so plain NumPy
Regularizer     parameters -> one number, which is added to the loss
Constraint      parameters -> parameters of the same structure, shapes and dtypes: a projection
ScheduleFunction    (steps, total_steps) -> factors on the learning rate, one for each of an array of steps

All are for readers and type checkers; `train.data` and `train.settings` check values when they come in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.nn.layer import Params

Array = np.ndarray
Number = np.ndarray | np.floating | float


class Sparse(Protocol):
    """A sparse matrix or array of SciPy, known by its way to CSR form, in which rows are found at once."""

    def tocsr(self) -> Sparse: ...


Inputs = ArrayLike | Sparse
Validation = tuple[Inputs, ArrayLike] | tuple[Inputs, ArrayLike, ArrayLike | None]
LossFunction = Callable[[Array, Array, Array | None], Number]
Regularizer = Callable[[Params], Number]
Constraint = Callable[[Params], Params]
ScheduleFunction = Callable[[Array, int], ArrayLike]
