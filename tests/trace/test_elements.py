"""`np.array([x, y])` and its kin: arrays of traced numbers are NumPy's arrays, or a TraceError."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.compile import graph_of
from minicolumn.trace.elements import MOST

X = np.array([0.7, -0.4, 1.3])
ROTATION: Callable[[Any], Any] = lambda a: np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])  # noqa: E731


def _assigned(x: Any) -> Any:
    out = np.array([x[0], 0.0, x[1]])
    out[1] = x[2] * 2.0
    out[0] += 1.0
    return out


def _residuals(x: Any) -> Any:
    r = np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])
    return r @ r


def _rows(x: Any) -> Any:
    table = np.array([x, x**2, [1.0, 2.0, 3.0]])
    return table.T @ table


def _inner(x: Any) -> Any:
    return mc.grad(lambda q: np.sum(np.sin(q)))(np.array([x[0], 2.0]))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "numbers": lambda x: np.array([x[0], x[2]]),
    "numbers and plain ones": lambda x: np.array([x[0], 1, 2.5, True]),
    "arrays": lambda x: np.array([x, np.sin(x)]),
    "nested": lambda x: np.array([[x[0], 1.0], [0, x[1]]]),
    "tuple": lambda x: np.array((x[0], x[1])),
    "asarray": lambda x: np.asarray([x[0], x[1]]) * x[2],
    "whole": lambda x: np.asarray(x) * x,
    "r_": lambda x: np.r_[x, 1.0, x[0]],
    "r_ of slices": lambda x: np.r_[x[1:], x[:1]],
    "c_": lambda x: np.c_[x, x * x],
    "stack": lambda x: np.vstack([np.array([x[0], 1.0]), x[:2]]),
    "a product": lambda x: ROTATION(x[0]) @ x[:2],
    "products alone": lambda x: ROTATION(x[0]) @ ROTATION(x[1]) @ np.array([1.0, 2.0]),
    "functions alone": lambda x: np.exp(np.array([x[0], x[1]])) / np.sqrt(np.array([x[2], x[2]])),
    "two operands alone": lambda x: np.arctan2(np.array([x[0], x[1]]), np.array([x[2], x[0]])),
    "sum": lambda x: np.sum(np.array([x[0], x[1], 4.0]) ** 2),
    "sum of a list": lambda x: np.sum([x[0], x[1]]),
    "sum along an axis": lambda x: np.sum([x, 2.0 * x], axis=0),
    "mean along an axis": lambda x: np.mean([x, np.cos(x)], axis=1),
    "product of a list": lambda x: np.prod([x[0], x[2]]),
    "cumulative": lambda x: np.cumsum(np.array([x[0], 1.0, x[1]])),
    "power": lambda x: np.array([x[2], 2.0]) ** np.array([2.0, x[0]]),
    "with an array": lambda x: np.array([x[0], x[1], x[2]]) * x + np.array([1.0, x[0], 0.0]),
    "reshaped": lambda x: np.array([x[0], x[1], x[2], 1.0]).reshape(2, 2).T * 2.0,
    "indexed": lambda x: np.array([x, x * 2.0])[1, ::-1],
    "assigned": _assigned,
    "residuals": _residuals,
    "rows": _rows,
    "where": lambda x: np.where(x > 0, np.array([x[0], x[0], x[0]]), 0.0),
    "plain condition": lambda x: np.where([True, False], np.array([x[0], x[1]]), 0.0),
    "in a nest": lambda x: {"a": np.array([x[0], x[1]]), "b": (x, np.array([x[2]]))},
    "inner derivative": _inner,
    "norm of traced": lambda x: np.linalg.norm(np.stack([np.array([x[0], 3.0]), x[:2]])),
    "an operand by name": lambda x: np.dot(a=np.array([x[0], x[1]]), b=x[:2]),
}


def _leaves(out: Any) -> list[Any]:
    from minicolumn.tree import flatten

    return flatten(out)[0]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("backend", ["reference", "native"])
def test_values_are_numpys(name: str, backend: str) -> None:
    f = FUNCTIONS[name]
    expected = _leaves(f(X))
    for out in (mc.compile(f, backend=backend)(X), mc.vjp(f, X)[0]):
        for found, wanted in zip(_leaves(out), expected, strict=True):
            assert (found.dtype, np.shape(found)) == (np.float64, np.shape(wanted))
            # Native functions are within an ulp or two; sums of a few terms go in another order.
            np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_right(name: str) -> None:
    f = FUNCTIONS[name]
    weights = np.random.default_rng(0).standard_normal(64)

    def total(x: Any) -> Any:
        parts = [np.reshape(y, -1) for y in _leaves(f(x))]
        return sum(np.sum(p * weights[: p.size]) for p in parts)

    slope = mc.grad(total)(X)
    step = 1e-6
    difference = [(total(X + step * e) - total(X - step * e)) / (2 * step) for e in np.eye(3)]
    # Central differences: 1e-16 / 1e-6 of rounding of values of some tens, and a third derivative * 1e-12.
    np.testing.assert_allclose(slope, difference, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(mc.compile(mc.grad(total))(X), slope, rtol=1e-12, atol=1e-14)


def test_whole_arrays_stay_whole() -> None:
    graph = graph_of(lambda x: np.array([x, x]) * x, X)
    assert {n.op.name for n in graph.nodes} <= {"input", "concatenate", "reshape", "multiply", "broadcast"}


def test_python_numbers_become_float64() -> None:
    f = lambda a: np.array([a, 1.0]) * np.ones(2, np.float32)  # noqa: E731
    for found in (mc.compile(f)(0.1), mc.compile(f, backend="reference")(0.1), mc.vjp(f, 0.1)[0]):
        assert found.dtype == f(0.1).dtype == np.float64
        np.testing.assert_array_equal(found, f(0.1))


def test_compiled_and_traced_by_name() -> None:
    fast = mc.compile(lambda a: mc.hessian(lambda x: _residuals(x))(a))
    x, y = 0.3, 0.4
    # Rosenbrock's function: 100 (y - x^2)^2 + (1 - x)^2
    expected = [[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200]]
    np.testing.assert_allclose(fast(np.array([x, y])), expected, rtol=1e-12)


REFUSED: dict[str, tuple[Callable[[Any], Any], Any, str]] = {
    "float32": (lambda x: np.array([x[0], x[1]]), X.astype(np.float32), r"np\.stack"),
    "many": (lambda x: np.array([x, x]), np.ones(MOST + 1), r"np\.stack"),
    "integers": (lambda x: np.array([x[0], x[1]]), np.arange(3), r"np\.stack"),
    "dtypes": (lambda x: np.array([x[0], x[1]], dtype=np.float32), X, r"np\.stack"),
    "strings": (lambda x: np.array([x[0], "a"], dtype=object) * x[:2], X, "str"),
    "a float alone": (lambda x: np.sin(np.array([x[0], 1.0])), X, r"sin.*np\.stack"),
    "mean of a list": (lambda x: np.mean([x[0], x[1]]), X, r"float\(\)|np\.stack"),
    "math": (lambda x: math.sin(np.array([x[0]])[0]), X, r"np\.sin"),
    "astype": (lambda x: np.array([x[0], x[1]]).astype(np.float32), X, r"np\.stack"),
    "a determinant alone": (lambda x: np.linalg.det(ROTATION(x[0])), X, r"np\.stack"),
    "what objects have not": (lambda x: np.isnan(np.array([x[0], x[1]])), X, r"isnan.*np\.stack"),
    "words": (lambda x: np.array([x[0], None]), X, "NoneType"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_be_right_is_refused(name: str) -> None:
    f, x, message = REFUSED[name]
    with pytest.raises(mc.TraceError, match=message):
        mc.compile(f)(x)


def test_branches_on_values_are_refused() -> None:
    with pytest.raises(mc.TraceError, match=r"write np\.max\(np\.stack"):
        mc.compile(lambda x: np.max([x[0], x[1]]))(X)
    assert mc.grad(lambda x: np.max([x[0], x[1]]))(X).tolist() == [1.0, 0.0, 0.0]


LISTS: dict[str, Callable[[Any, Any], Any]] = {
    "mean": lambda x, y: np.mean([x, y]),
    "std": lambda x, y: np.std([x, y]),
    "max": lambda x, y: np.max([x, y]),
    "sort": lambda x, y: np.sort([x, y]),
    "median": lambda x, y: np.median([x, y]),
    "argmax": lambda x, y: np.argmax([x, y]),
}


@pytest.mark.parametrize("name", LISTS)
def test_what_numpy_does_not_ask_about_lists_says_what_to_write(name: str) -> None:
    for dtype in (np.float64, np.float32):
        with pytest.raises(
            mc.TraceError, match=rf"np\.{name} of traced values in a list.*np\.{name}\(np\.stack"
        ):
            mc.compile(LISTS[name], backend="reference")(dtype(1.0), dtype(2.0))


def test_lists_beside_traced_arrays() -> None:
    def f(x: Any, y: Any) -> Any:
        return (
            np.where(x > 0, [y, x[0]], 0),
            np.dot(x, [y, 1.0]),
            np.append(x, [y, y]),
            np.sum(x, where=[True, False]),
        )

    for dtype in (np.float64, np.float32):
        x, y = np.array([0.5, -1.0], dtype), dtype(3.0)
        for found, wanted in zip(mc.compile(f)(x, y), f(x, y), strict=True):
            np.testing.assert_array_equal(found, wanted, strict=np.ndim(wanted) > 0)
