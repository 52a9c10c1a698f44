"""L-BFGS on all rows: minima known in closed form, limits, weights, callbacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train.lbfgs import minimize_lbfgs

SQUARES = mc.nn.LOSSES["squared_error"].function
CLASSES = mc.nn.LOSSES["softmax_cross_entropy"].function


def _rows(rows: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.3 + 0.1 * rng.standard_normal(rows)


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_regression_in_closed_form(weighted: bool) -> None:
    X, y = _rows()
    weight = np.linspace(0.5, 2.0, 30) if weighted else None
    w = np.ones(30) if weight is None else weight
    net = mc.nn.Dense(1)
    found = minimize_lbfgs(
        net, X, y[:, None], net.init(0, (3,)), loss=SQUARES, sample_weight=weight, tol=1e-10,
        regularizer=mc.nn.PerRow(mc.nn.L2(2.0)),
    )  # fmt: skip
    # Of sum w (x b + c - y)^2 + |b|^2 all over sum w: the normal equations, with no penalty on c.
    A = np.column_stack([X, np.ones(30)])
    exact = np.linalg.solve(A.T @ (w[:, None] * A) + np.diag([1.0, 1.0, 1.0, 0.0]), A.T @ (w * y))
    np.testing.assert_allclose(found.params["weight"][:, 0], exact[:3], rtol=1e-6)
    np.testing.assert_allclose(found.params["bias"], exact[3:], rtol=1e-6)
    assert found.converged
    assert found.losses[-1] == found.loss
    assert all(a >= b for a, b in zip(found.losses, found.losses[1:], strict=False))


def test_it_starts_where_it_is_told_and_leaves_that_as_it_is(blobs: Any, net: Any) -> None:
    X, y = blobs
    first = net.init(0, (3,))
    before = {name: {part: a.copy() for part, a in layer.items()} for name, layer in first.items()}
    settings: dict[str, Any] = {"loss": CLASSES, "tol": 1e-8}
    found = minimize_lbfgs(net, X, y.astype(np.int32), first, **settings)
    for name, layer in before.items():
        for part, array in layer.items():
            np.testing.assert_array_equal(first[name][part], array)
            assert found.params[name][part].dtype == np.float64
    again = minimize_lbfgs(net, X, y.astype(np.int32), found.params, **settings)
    assert again.iterations < found.iterations
    assert again.loss <= found.loss + 1e-9


def test_limits_and_callbacks_end_it(blobs: Any, net: Any) -> None:
    X, y = blobs[0], blobs[1].astype(np.int32)
    short = minimize_lbfgs(net, X, y, net.init(0, (3,)), loss=CLASSES, max_iter=3)
    assert (short.iterations, short.converged) == (3, False)
    assert minimize_lbfgs(net, X, y, net.init(0, (3,)), loss=CLASSES, max_fun=2).iterations <= 2
    seen: list[float] = []

    def third(params: Any, loss: float) -> bool:
        seen.append(loss)
        return len(seen) == 3

    stopped = minimize_lbfgs(net, X, y, net.init(0, (3,)), loss=CLASSES, callback=third)
    assert stopped.losses == tuple(seen) == short.losses
    assert not stopped.converged


def test_a_loss_that_changes_by_chance_is_refused(blobs: Any) -> None:
    noisy = mc.nn.Sequential(mc.nn.Dropout(0.5), mc.nn.Dense(3))
    with pytest.raises(mc.DataError, match="lbfgs: the network drops out"):
        minimize_lbfgs(noisy, blobs[0], blobs[1].astype(np.int32), noisy.init(0, (3,)), loss=CLASSES)


def test_the_number_of_threads_changes_no_bit(blobs: Any, net: Any, same_bits: Any) -> None:
    X, y = blobs[0], blobs[1].astype(np.int32)
    one, two = (
        minimize_lbfgs(net, X, y, net.init(0, (3,)), loss=CLASSES, max_iter=20, threads=threads)
        for threads in (1, 2)
    )
    assert same_bits(one.params, two.params)
