"""Derivatives beside JAX's. Needs the extra `oracles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

pytestmark = pytest.mark.oracles
jax = pytest.importorskip("jax", reason="JAX is not installed; pip install 'minicolumn[oracles]' brings it")
jnp = jax.numpy

# Both compute in float64, in another order; a thousand roundings leave thirteen digits of sixteen.
RTOL, ATOL = 1e-11, 1e-12

X = np.random.default_rng(0).uniform(0.2, 1.8, (4, 3))
S = X @ X.T + 4.0 * np.eye(4)

# name -> (function of (np, x), point); `np` is NumPy for us and jax.numpy for JAX.
CASES: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray]] = {
    "tanh": (lambda np, x: np.sum(np.tanh(x) ** 2), X),
    "powers": (lambda np, x: np.sum(x**x + x**-1.5 + 2.0**x), X),
    "exponentials": (lambda np, x: np.sum(np.exp(x) * np.log1p(x) - np.expm1(x) / np.log2(1.5 + x)), X),
    "trigonometry": (lambda np, x: np.sum(np.sin(x) * np.cos(x) + np.arctan2(x, 1 + x) * np.sinh(x)), X),
    "logaddexp": (lambda np, x: np.sum(np.logaddexp(x, x[::-1])), X),
    "maximum at no tie": (lambda np, x: np.sum(np.maximum(x, x[::-1] + 0.01) * np.minimum(x, 1.0)), X),
    "where": (lambda np, x: np.sum(np.where(x > 1.0, x**2, np.sin(x))), X),
    "var": (lambda np, x: np.sum(np.var(x, axis=0) * np.std(x, axis=0, ddof=1)), X),
    "prod": (lambda np, x: np.sum(np.prod(x, axis=1) * np.cumprod(x, axis=0)[-1].sum()), X),
    "prod with a zero": (lambda np, x: np.prod(x), np.array([2.0, 0.0, 3.0])),
    "extremes": (lambda np, x: np.sum(np.max(x, axis=0) * np.min(x, axis=0)), X),
    "sort": (lambda np, x: np.sum(np.sort(x, axis=0) * np.arange(12.0).reshape(4, 3)), X),
    "median": (lambda np, x: np.median(x) ** 3 + np.quantile(x, 0.3), X),
    "shapes": (lambda np, x: np.sum(np.stack([x, x[::-1]], axis=1).reshape(-1)[::5] ** 2), X),
    "roll, pad, tile": (lambda np, x: np.sum(np.tile(np.pad(np.roll(x, 1, 0), 1), 2) ** 2), X),
    "indexing": (lambda np, x: np.sum(x[np.array([0, 0, 3]), np.array([1, 1, 2])] ** 3 + x[1:, None, 1]), X),
    "einsum": (lambda np, x: np.sum(np.einsum("ij,kj,kl->il", x, x, x) ** 2), X),
    "tensordot": (lambda np, x: np.sum(np.tensordot(x, x, axes=([0], [0])) ** 3), X),
    "kron": (lambda np, x: np.sum(np.kron(x, x[:2]) ** 2), X),
    "solve": (lambda np, x: np.sum(np.linalg.solve(x, np.ones((4, 2))) ** 2), S),
    "inverse": (lambda np, x: np.sum(np.linalg.inv(x) ** 2), S),
    "determinants": (lambda np, x: np.linalg.slogdet(x)[1] + np.linalg.det(x / 4.0), S),
    "cholesky": (lambda np, x: np.sum(np.linalg.cholesky((x + x.T) / 2.0) ** 3), S),
    "norms": (lambda np, x: np.linalg.norm(x) + np.linalg.norm(x, axis=1).sum(), X),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    f, x = CASES[name]
    expected = jax.grad(lambda x: f(jnp, x))(x)
    for ours in (mc.grad(lambda x: f(np, x)), mc.compile(mc.grad(lambda x: f(np, x)))):
        np.testing.assert_allclose(ours(x), expected, RTOL, ATOL)


@pytest.mark.parametrize("name", CASES)
def test_second_derivative_along_a_direction(name: str) -> None:
    f, x = CASES[name]
    v = np.random.default_rng(1).standard_normal(x.shape)
    _, expected = jax.jvp(jax.grad(lambda x: f(jnp, x)), (x,), (v,))
    _, ours = mc.jvp(mc.grad(lambda x: f(np, x)), (x,), (v,))
    # One more differentiation, and sums of large terms that cancel: two digits less.
    np.testing.assert_allclose(ours, expected, 1e-9, 1e-9)


def test_a_loop() -> None:
    w, xs = X[:3], np.random.default_rng(2).standard_normal((6, 3))

    def loss(np: Any, scan: Callable[..., Any], w: Any, xs: Any) -> Any:
        def step(s: Any, x: Any) -> Any:
            s = np.tanh(w @ s + x)
            return s, np.sum(s**2)

        s, ys = scan(step, np.zeros(3), xs)
        return np.sum(ys) + np.sum(s)

    expected = jax.grad(lambda w, xs: loss(jnp, jax.lax.scan, w, xs), (0, 1))(w, xs)
    ours = mc.compile(mc.grad(lambda w, xs: loss(np, mc.scan, w, xs), (0, 1)))(w, xs)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, RTOL, ATOL)


def test_a_hessian() -> None:
    f, x = CASES["tanh"]
    expected = jax.hessian(lambda x: f(jnp, x))(x)
    np.testing.assert_allclose(mc.hessian(lambda x: f(np, x))(x), expected, RTOL, ATOL)
