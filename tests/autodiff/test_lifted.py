"""Derivatives by what is no argument of the function around them: constants are lifted to be varied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

POINTS = np.array([0.5, -1.0, 2.0])


def _logistic(a: Any, steps: int = 4) -> Any:
    """Return weights after gradient descent that begins at a constant."""
    X = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
    y = np.array([0.0, 1.0, 1.0, 0.0])

    def loss(w: Any) -> Any:
        z = a * (X @ w)
        return np.mean(np.log1p(np.exp(-z)) * y + np.log1p(np.exp(z)) * (1.0 - y))

    w: Any = np.zeros(3)
    for _ in range(steps):
        w = w - 0.5 * mc.grad(loss)(w)
    return w


def _scanned(a: Any) -> Any:
    def body(total: Any, x: Any) -> tuple[Any, Any]:
        return total + mc.grad(lambda q: np.sin(q * a))(np.float64(0.5)) * x, None

    return mc.scan(body, 0.0, POINTS)[0]


WAYS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda a: np.sum(mc.grad(lambda q: np.sum(np.sin(a * q)))(POINTS)),
    "number": lambda a: mc.grad(lambda q: a * np.sin(q))(2),
    "value and grad": lambda a: mc.value_and_grad(lambda q: a * np.sum(q**3))(POINTS),
    "vjp": lambda a: mc.vjp(lambda q: a * q**2, POINTS)[1](np.ones(3))[0],
    "jvp": lambda a: mc.jvp(lambda q: a * q**2, (POINTS,), (np.ones(3),)),
    "jacobian": lambda a: mc.jacobian(lambda q: a * q**2)(POINTS),
    "hessian": lambda a: mc.hessian(lambda q: a * np.sum(q**3))(POINTS),
    "tree with a plain leaf": lambda a: mc.grad(lambda p: a * p["x"] ** 2 * p["y"])({"x": 2.0, "y": a}),
    "derivative of a derivative": lambda a: mc.grad(lambda q: mc.grad(lambda p: a * p**3)(q))(1.5),
    "gradient penalty": lambda a: np.sum(mc.grad(lambda x: np.sum(np.tanh(a * x)))(POINTS) ** 2),
    "training": _logistic,
    "within a loop": _scanned,
    "around a loop": lambda a: mc.grad(lambda w: a * mc.scan(lambda s, x: (s + w * x, s), 0.0, POINTS)[0])(
        3.0
    ),
    "along a loop": lambda a: mc.jvp(
        lambda w: a * mc.scan(lambda s, x: (s * w + x, s), 0.0, POINTS)[0], (3.0,), (2.0,)
    ),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_compiled_it_is_what_it_is(name: str, backend: str) -> None:
    way, a = WAYS[name], np.float64(1.3)
    expected = mc.tree.flatten(way(a))[0]
    for found, value in zip(mc.tree.flatten(mc.compile(way, backend)(a))[0], expected, strict=True):
        # A compiled sum adds in another order than NumPy's, and so rounds otherwise.
        np.testing.assert_allclose(found, value, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["grad", "training", "gradient penalty"])
def test_what_lies_around_it_has_a_derivative_too(name: str) -> None:
    total = lambda a: np.sum(WAYS[name](a))  # noqa: E731
    step = 1e-6
    slope = (total(1.3 + step) - total(1.3 - step)) / (2 * step)
    found = mc.grad(total)(1.3), mc.compile(mc.grad(total))(1.3)
    # Central differences: roundings of some 1e-16 over the step.
    np.testing.assert_allclose(found, [slope, slope], rtol=1e-7, atol=1e-9)


def test_the_graph_can_be_looked_at() -> None:
    assert "cos" in str(mc.inspect(WAYS["grad"], 1.3))
