"""Sums of products: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.products import TABLE

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
B = rng.standard_normal((2, 3, 3))
NUMBER = np.float64(0.7)
NONE, EMPTY = np.zeros((0, 3)), np.zeros((2, 0))
# One rounding more or less: sums in another order, or a composition for NumPy's single loop.
CLOSE = 2e-15


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.dot: [
        of(np.dot, V, W, rtol=CLOSE),
        of(np.dot, M, V[:4], rtol=CLOSE),
        of(np.dot, T, N.T, rtol=CLOSE),
        of(np.dot, T, rng.standard_normal((2, 4, 3)), rtol=CLOSE),
        of(np.dot, NUMBER, M),
        of(np.dot, EMPTY, NONE),
    ],
    np.vdot: [of(np.vdot, M, N, rtol=CLOSE)],
    np.inner: [
        of(np.inner, V, W, rtol=CLOSE),
        of(np.inner, M, N, rtol=CLOSE),
        of(np.inner, NUMBER, V),
        of(np.inner, T, M, rtol=CLOSE),
    ],
    np.outer: [of(np.outer, V, M)],
    np.tensordot: [
        of(np.tensordot, M, N, rtol=CLOSE),
        of(np.tensordot, M, N, ([1], [1]), rtol=CLOSE),
        of(np.tensordot, V, W, 0),
        of(np.tensordot, T, M, ([1, 2], [0, 1]), rtol=CLOSE),
        of(np.tensordot, M, N.T, 1, rtol=CLOSE),
    ],
    np.kron: [of(np.kron, M, S), of(np.kron, V, W), of(np.kron, V, M), of(np.kron, NUMBER, V)],
    np.cross: [
        of(np.cross, S, B[0], rtol=CLOSE),
        of(np.cross, S, B[0], axis=0, rtol=CLOSE),
        of(np.cross, V[:3], S, rtol=CLOSE),
    ],
    np.einsum: [
        of(lambda a, b: np.einsum("ij,kj->ik", a, b), M, N, rtol=CLOSE),
        of(lambda a: np.einsum("ii->i", a), S),
    ],
    np.convolve: [of(np.convolve, V, W[:3], mode, rtol=CLOSE) for mode in ("full", "same", "valid")]
    + [of(np.convolve, V[:2], W, mode, rtol=CLOSE) for mode in ("full", "same", "valid")],
    np.correlate: [
        of(np.correlate, V, W[:k], mode, rtol=CLOSE) for mode in ("full", "same", "valid") for k in (2, 3)
    ]
    + [of(np.correlate, V[:k], W, mode, rtol=CLOSE) for mode in ("full", "same", "valid") for k in (2, 3)],
    np.cov: [
        of(np.cov, M, rtol=CLOSE),
        of(np.cov, M, rowvar=False, rtol=CLOSE),
        of(np.cov, V, W, rtol=CLOSE),
        of(np.cov, M, bias=True, rtol=CLOSE),
        of(np.cov, V, rtol=CLOSE),
        *(of(np.cov, M, fweights=np.array([1, 2, 0, 3]), ddof=d, rtol=1e-14) for d in (None, 0, 2)),
        *(of(lambda m, a, d=d: np.cov(m, aweights=a**2, ddof=d), M, N[0], rtol=1e-14) for d in (None, 0, 2)),
        of(lambda m, a: np.cov(m, aweights=a**2, fweights=[1, 2, 1, 3]), M, N[0], rtol=1e-14),
        of(lambda v, w, a: np.cov(v, w, aweights=a**2, bias=True), V, W, V + 2.0 * W, rtol=1e-14),
    ],
    np.corrcoef: [of(np.corrcoef, M[:, :3] + np.eye(3), rtol=1e-14)],
    np.linalg.matmul: [of(np.linalg.matmul, M, N.T, rtol=CLOSE)],
    np.linalg.outer: [of(np.linalg.outer, V, W)],
    np.linalg.tensordot: [of(np.linalg.tensordot, M, N, axes=2, rtol=CLOSE)],
    np.linalg.vecdot: [
        of(np.linalg.vecdot, M, N, rtol=CLOSE),
        of(np.linalg.vecdot, M, N, axis=0, rtol=CLOSE),
    ],
    np.linalg.cross: [of(np.linalg.cross, S, B[0], rtol=CLOSE)],
}


def test_every_row_has_an_example() -> None:
    rows = set(TABLE)
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
