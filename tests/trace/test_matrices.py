"""Matrices as a whole: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.matrices import TABLE

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
P = S @ S.T + 3.0 * np.eye(3)
B = rng.standard_normal((2, 3, 3))
# One rounding more or less: sums in another order, or a composition for NumPy's single loop.
CLOSE = 2e-15


def _projections(values: Any, vectors: Any) -> Any:
    """Return values, and the projection onto the first eigenvector."""
    first = vectors[..., :1]
    return values, first @ np.swapaxes(first, -1, -2)


def _low_rank(u: Any, s: Any, vh: Any) -> Any:
    """Return the nearest matrix of rank 1, which moves with vectors and values, and a mix of all."""
    first = u[..., :1] * s[..., None, :1] @ vh[..., :1, :]
    return first, (u * np.tanh(s)[..., None, :]) @ vh


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.linalg.norm: [of(np.linalg.norm, x, rtol=CLOSE) for x in (V, M, T)]
    + [of(np.linalg.norm, M, ord=o, rtol=CLOSE) for o in ("fro", 1, -1, np.inf, -np.inf)]
    + [of(np.linalg.norm, x, ord=o, rtol=1e-13) for o in ("nuc", 2, -2) for x in (M, M.T)]
    + [of(np.linalg.norm, T, ord="nuc", axis=(2, 0), keepdims=True, rtol=1e-13)]
    + [of(np.linalg.norm, V, ord=o, rtol=1e-14) for o in (0, 1, 2, 3, 2.5, -1, np.inf, -np.inf)]
    + [of(np.linalg.norm, T, axis=k, rtol=CLOSE) for k in (0, -1, (0, 2), (2, 1))]
    + [
        of(np.linalg.norm, M, axis=1, keepdims=True, rtol=CLOSE),
        of(np.linalg.norm, M, keepdims=True, rtol=CLOSE),
        of(np.linalg.norm, T, ord=1, axis=(0, 1), keepdims=True, rtol=CLOSE),
    ],
    np.linalg.vector_norm: [
        of(np.linalg.vector_norm, T, rtol=CLOSE),
        of(np.linalg.vector_norm, T, axis=(0, 2), rtol=CLOSE),
        of(np.linalg.vector_norm, T, axis=(0, 2), keepdims=True, rtol=CLOSE),
        of(np.linalg.vector_norm, T, keepdims=True, ord=3, rtol=1e-14),
        of(np.linalg.vector_norm, T, axis=1, rtol=CLOSE),
    ],
    np.linalg.matrix_norm: [
        of(np.linalg.matrix_norm, T, rtol=CLOSE),
        of(np.linalg.matrix_norm, T, ord=1, keepdims=True, rtol=CLOSE),
    ],
    np.linalg.inv: [of(np.linalg.inv, P, rtol=1e-13), of(np.linalg.inv, B + 3.0 * np.eye(3), rtol=1e-13)],
    np.linalg.solve: [
        of(np.linalg.solve, P, M, rtol=1e-13),
        of(np.linalg.solve, P, V[:3], rtol=1e-13),
        of(np.linalg.solve, B + 3.0 * np.eye(3), M, rtol=1e-13),
        of(np.linalg.solve, P, B, rtol=1e-13),
    ],
    np.linalg.det: [of(np.linalg.det, S, rtol=1e-13), of(np.linalg.det, B, rtol=1e-13)],
    np.linalg.slogdet: [of(np.linalg.slogdet, S, rtol=1e-13), of(np.linalg.slogdet, B, rtol=1e-13)],
    np.linalg.cholesky: [
        of(lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)), S, rtol=1e-13),
        of(lambda x: np.linalg.cholesky(x @ x.mT + np.eye(3), upper=True), B, rtol=1e-13),
    ],
    np.linalg.matrix_power: [of(np.linalg.matrix_power, P, n, rtol=1e-13) for n in (-2, -1, 0, 1, 2, 3, 5)],
    # Vectors are taken to what does not depend on their signs: a projection, a product.
    np.linalg.eigh: [
        of(lambda x: _projections(*np.linalg.eigh(x)), P, rtol=1e-12),
        of(lambda x: _projections(*np.linalg.eigh(x, "U")), B, rtol=1e-12),
        of(lambda x: np.linalg.eigh(x + np.swapaxes(x, -1, -2)).eigenvectors[..., 0] ** 2, B, rtol=1e-12),
    ],
    np.linalg.eigvalsh: [of(np.linalg.eigvalsh, x, UPLO=u, rtol=1e-13) for x in (P, B) for u in "LU"],
    np.linalg.svd: [of(np.linalg.svd, x, compute_uv=False, rtol=1e-13) for x in (M, M.T, T)]
    + [of(lambda x: _low_rank(*np.linalg.svd(x, full_matrices=False)), x, rtol=1e-12) for x in (M, M.T, T)]
    + [of(lambda x: _low_rank(*np.linalg.svd(x)), S, rtol=1e-12)],
    np.linalg.svdvals: [of(np.linalg.svdvals, x, rtol=1e-13) for x in (M, M.T, T)],
    np.linalg.qr: [of(lambda x: tuple(np.linalg.qr(x)), x, rtol=1e-13) for x in (M, M.T, T, S)]
    + [of(np.linalg.qr, x, mode="r", rtol=1e-13) for x in (M, M.T)]
    + [of(lambda x: tuple(np.linalg.qr(x, mode="complete")), M, rtol=1e-13)],
    np.linalg.pinv: [of(np.linalg.pinv, x, rtol=1e-12) for x in (M, M.T, T, S)]
    + [of(lambda x: np.linalg.pinv(x[:, :2] @ x[:2], rtol=1e-8), S, rtol=1e-11)],
    np.linalg.multi_dot: [of(lambda a, b, c: np.linalg.multi_dot([a, b, c]), V[:3], M, V[:4], rtol=1e-13)],
}


def test_every_row_has_an_example() -> None:
    rows = set(TABLE)
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
