"""The same elements under other axes: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.shaping import TABLE

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
S, T = rng.standard_normal((3, 3)), rng.standard_normal((2, 3, 4))
NUMBER = np.float64(0.7)
NONE, EMPTY = np.zeros((0, 3)), np.zeros((2, 0))


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.reshape: [
        *(of(np.reshape, M, shape) for shape in ((4, 3), -1, (2, -1), (2, 3, 2))),
        of(np.reshape, M, (4, 3), order="F"),
        of(np.reshape, EMPTY, (0, 7)),
        of(np.reshape, NUMBER, (1, 1)),
    ],
    np.ravel: [of(np.ravel, T), of(np.ravel, T, order="F"), of(np.ravel, NUMBER)],
    np.transpose: [of(np.transpose, T), of(np.transpose, T, (1, 0, 2)), of(np.transpose, T, (-1, 0, 1))],
    np.swapaxes: [of(np.swapaxes, T, 0, -1)],
    np.moveaxis: [of(np.moveaxis, T, 0, -1), of(np.moveaxis, T, (0, 1), (-1, 0))],
    np.rollaxis: [of(np.rollaxis, T, 2), of(np.rollaxis, T, 0, 2), of(np.rollaxis, T, -1, 1)],
    np.expand_dims: [of(np.expand_dims, M, 0), of(np.expand_dims, M, (0, -1))],
    np.squeeze: [
        of(np.squeeze, M[None, :, :1]),
        of(np.squeeze, M[None], 0),
        of(np.squeeze, M[None, :, :1], (0, -1)),
    ],
    np.broadcast_to: [
        of(np.broadcast_to, V, (2, 5)),
        of(np.broadcast_to, NUMBER, (2,)),
        of(np.broadcast_to, NUMBER, 2),
        of(np.broadcast_to, V[:1], (0,)),
    ],
    np.broadcast_arrays: [of(lambda a, b: np.broadcast_arrays(a, b), M[:, :1], V)],
    np.atleast_1d: [
        of(np.atleast_1d, NUMBER),
        of(np.atleast_1d, M),
        of(lambda a, b: np.atleast_1d(a, b), NUMBER, M),
    ],
    np.atleast_2d: [of(np.atleast_2d, x) for x in (NUMBER, V, T)],
    np.atleast_3d: [of(np.atleast_3d, x) for x in (NUMBER, V, M, T)],
    np.flip: [of(np.flip, T), of(np.flip, T, 1), of(np.flip, T, (0, -1))],
    np.flipud: [of(np.flipud, M)],
    np.fliplr: [of(np.fliplr, M)],
    np.rot90: [of(np.rot90, M, k) for k in (-1, 0, 1, 2, 5)] + [of(np.rot90, T, 1, (2, 0))],
    np.permute_dims: [of(np.permute_dims, T, (2, 0, 1))],
    np.matrix_transpose: [of(np.matrix_transpose, T)],
    np.linalg.matrix_transpose: [of(np.linalg.matrix_transpose, T)],
    np.copy: [of(np.copy, M)],
    np.real: [of(np.real, M)],
    np.real_if_close: [of(np.real_if_close, M)],
    np.imag: [of(np.imag, M)],
    np.iscomplex: [of(np.iscomplex, M)],
    np.isreal: [of(np.isreal, M)],
    np.iscomplexobj: [of(lambda x: x * np.iscomplexobj(x), M)],
    np.isrealobj: [of(lambda x: x * np.isrealobj(x), M)],
    np.shape: [of(lambda x: np.reshape(x, np.shape(x)[::-1]), M)],
    np.ndim: [of(lambda x: x * np.ndim(x), M)],
    np.size: [of(lambda x: x * np.size(x) + np.size(x, 1), M)],
    np.result_type: [of(lambda x: np.ones(2, np.result_type(x, np.float32)) * x[0, :2], M)],
}


def test_every_row_has_an_example() -> None:
    rows = set(TABLE)
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
