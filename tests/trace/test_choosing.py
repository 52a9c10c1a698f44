"""Choosing among arrays, and building them from parts: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.choosing import TABLE

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
MASK = M > 0
NUMBER = np.float64(0.7)
# One rounding more or less: sums in another order, or a composition for NumPy's single loop.
CLOSE = 2e-15


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.diagonal: [of(np.diagonal, M, k) for k in (-2, 0, 1)]
    + [of(np.diagonal, T, 0, 1, 2), of(np.diagonal, T, 1, -1, 0)],
    np.linalg.diagonal: [of(np.linalg.diagonal, T, offset=1)],
    np.diag: [of(np.diag, M, k) for k in (-1, 0, 2)] + [of(np.diag, V, k) for k in (-1, 0, 2)],
    np.diagflat: [of(np.diagflat, M, 1)],
    np.trace: [of(np.trace, M), of(np.trace, T, 1, 2, 1)],
    np.linalg.trace: [of(np.linalg.trace, T, offset=-1)],
    np.triu: [of(np.triu, M, k) for k in (-1, 0, 1)] + [of(np.triu, T)],
    np.tril: [of(np.tril, M, k) for k in (-1, 0, 1)] + [of(np.tril, T)],
    np.vander: [of(np.vander, V), of(np.vander, V, 3, increasing=True)],
    np.where: [
        of(lambda a, b: np.where(MASK, a, b), M, N),
        of(lambda a: np.where(MASK[0], a, 0.0), M),
        of(lambda a: np.where(a > 0, a, -1), M),
        of(lambda a, b: np.where(MASK[:, :1], a, b), V[:4], NUMBER),
    ],
    np.clip: [
        of(np.clip, M, -0.5, 0.5),
        of(np.clip, M, -0.5, None),
        of(np.clip, M, None, V[:4]),
        of(np.clip, M, N, N + 1.0),
    ],
    np.select: [of(lambda a, b: np.select([MASK, M > -1], [a, b], 3.0), M, N)],
    np.piecewise: [
        of(lambda x: np.piecewise(x, [x < -0.5, x >= 0.5], [lambda v: v * v, np.sin, 3.0]), M),
        of(lambda x: np.piecewise(x, [x < 0, x < 1], [1.0, lambda v: 2.0 * v]), M),
    ],
    np.isin: [
        of(lambda x: np.isin(x, [M[0, 0], 7.0]), M),
        of(lambda x: np.isin(x, [M[0, 0]], invert=True), M),
    ],
    np.angle: [of(np.angle, M), of(np.angle, M, deg=True)],
    np.apply_along_axis: [
        of(lambda x, k=k: np.apply_along_axis(lambda row: np.cumsum(row), k, x), T) for k in (0, 1, -1)
    ]
    + [of(lambda x: np.apply_along_axis(lambda row: np.sum(row), 1, x), T)],
    np.zeros_like: [of(lambda x: x + np.zeros_like(x), M), of(lambda x: np.zeros_like(x, shape=(2,)), M)],
    np.ones_like: [of(lambda x: x + np.ones_like(x), M)],
    np.empty_like: [of(lambda x: x + 0.0 * np.nan_to_num(np.empty_like(x) * 0.0), M)],
    np.full_like: [of(lambda x: np.full_like(x, 3.0) * x, M), of(lambda x, v: np.full_like(x, v), M, NUMBER)],
    np.meshgrid: [
        of(lambda a, b: np.meshgrid(a, b), V, W[:3]),
        of(lambda a, b: np.meshgrid(a, b, indexing="ij"), V, W[:3]),
        of(lambda a, b: np.meshgrid(a, b, sparse=True), V, W[:3]),
    ],
    np.linspace: [of(np.linspace, NUMBER, np.float64(3.0), n, rtol=CLOSE) for n in (0, 1, 2, 7)]
    + [of(np.linspace, V, W, 4, axis=-1, rtol=CLOSE), of(np.linspace, V, W, 4, endpoint=False, rtol=CLOSE)],
    np.logspace: [of(np.logspace, NUMBER, np.float64(1.5), 4, rtol=CLOSE)],
}
# What refuses, in words; see test_errors.py.
REFUSING = {np.ix_}


def test_every_row_has_an_example() -> None:
    rows = set(TABLE) - REFUSING
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
