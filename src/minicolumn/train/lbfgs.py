"""L-BFGS, a quasi-Newton method: full-batch training by SciPy's minimiser with compiled gradients.

It needs hundreds of evaluations over all rows and no learning rate: for small tables and smooth losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.lower.threads import one_thread
from minicolumn.nn.layer import Layer, Params
from minicolumn.train.programs import full_batch_program
from minicolumn.train.types import LossFunction, Regularizer
from minicolumn.tree import flatten, unflatten

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimiser came to: SciPy's OptimizeResult in terms of a network.

    params      the weights, float64
    loss        there, the regularizer's share included
    losses      after each iteration
    converged   whether it ended because there was nothing to gain, and not by a limit
    message     of the minimiser, in one line
    """

    params: Params
    loss: float
    losses: tuple[float, ...]
    converged: bool
    message: str

    @property
    def iterations(self) -> int:
        """Return how many iterations it took."""
        return len(self.losses)


def minimize_lbfgs(
    network: Layer,
    X: Array,
    y: Array,
    params: Params,
    *,
    loss: LossFunction,
    regularizer: Regularizer | None = None,
    sample_weight: Array | None = None,
    max_iter: int = 200,
    max_fun: int = 15000,
    tol: float = 1e-4,
    callback: Callable[[Params, float], bool | None] | None = None,
    threads: int | None = None,
) -> Minimum:
    """Minimise the loss over all rows by limited-memory BFGS, a quasi-Newton method.

        params = argmin  mean over rows of loss(network(X), y) + regularizer(params)
        p -= a H g,     H from the last 10 differences of p and g,  a by a line search (strong Wolfe)

    network         layers that draw no random numbers: the loss must be one function of the weights
    X, y            [rows, *input_shape], and targets as the loss takes them; computed in float64
    params          weights to start from
    loss            a NumPy function of (outputs, targets, sample_weight) that returns one number
    sample_weight   [rows], > 0, or None
    max_iter        iterations at most; max_fun: evaluations of loss and gradient at most
    tol             ends it where no entry of the gradient is larger
    callback        called with (params, loss) after each iteration; it ends the training by returning True
    Returns         a `Minimum`
    Errors          DataError for a network with dropout or noise
    Source          Liu & Nocedal 1989; Zhu, Byrd, Lu & Nocedal 1997, algorithm 778: L-BFGS-B
    Differs         scikit-learn's solver="lbfgs" calls the same minimiser, with gradients by NumPy in the
                    dtype of X; PyTorch's LBFGS takes fixed steps unless asked for a line search.

    >>> import minicolumn as mc
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> net = mc.nn.Dense(1)
    >>> loss = mc.nn.LOSSES["squared_error"].function
    >>> found = minimize_lbfgs(net, X, 2 * X + 1, net.init(0, (1,)), loss=loss)
    >>> found.params["weight"].round(3), found.converged
    (array([[2.]]), True)
    """
    from scipy.optimize import minimize

    if network.draws:
        raise DataError("lbfgs: the network drops out or draws noise; use a stochastic solver such as adam")
    wide = [np.ascontiguousarray(a, np.float64) if a.dtype.kind == "f" else a for a in (X, y)]
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    leaves, structure = flatten(params)
    shapes = [np.shape(leaf) for leaf in leaves]
    program = full_batch_program(network, loss, regularizer, threads)
    losses: list[float] = []

    def unpacked(vector: Array) -> Params:
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        parts = zip(np.split(vector, ends), shapes, strict=True)
        return unflatten(structure, [part.reshape(shape) for part, shape in parts])

    def value_and_gradient(vector: Array) -> tuple[float, Array]:
        (value, _), gradients = program(unpacked(vector), *wide, weight, regularizer)
        return float(value), _packed(flatten(gradients)[0])

    def after_iteration(intermediate_result: OptimizeResult) -> None:
        losses.append(float(intermediate_result.fun))
        if callback is not None and callback(unpacked(intermediate_result.x), losses[-1]):
            raise StopIteration

    options = {"maxiter": max_iter, "maxfun": max_fun, "gtol": tol}
    with one_thread():
        found = minimize(
            value_and_gradient,
            _packed(leaves),
            method="L-BFGS-B",
            jac=True,
            options=options,
            callback=after_iteration,
        )
    message = " ".join(str(found.message).split())
    return Minimum(unpacked(found.x), float(found.fun), tuple(losses), found.status == 0, message)


def _packed(leaves: list[Array]) -> Array:
    """Return the leaves of a tree as one vector float64 [parameters], in their order."""
    return np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(np.float64)
