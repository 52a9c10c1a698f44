"""Functions that index: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.indexing import TABLE

Example = tuple[Callable[..., Any], tuple[Any, ...], float]

rng = np.random.default_rng(0)
V, W = rng.standard_normal(5), rng.standard_normal(5)
M, N = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
MASK = M > 0


def of(f: Callable[..., Any], *args: Any, rtol: float = 0.0, **kwargs: Any) -> Example:
    """Return an example: a function, its arguments, and how near it comes to NumPy's own values."""
    return partial(f, **kwargs), args, rtol


EXAMPLES: dict[Callable[..., Any], list[Example]] = {
    np.take_along_axis: [
        of(lambda x: np.take_along_axis(x, np.argsort(M, axis=1), axis=1), N),
        of(lambda x: np.take_along_axis(x, np.array([3, 1]), axis=None), M),
        of(lambda x: np.take_along_axis(x, np.array([[2], [-1], [2], [0]]), axis=0), M),
    ],
    np.compress: [
        of(lambda x: np.compress([True, False, True], x, axis=0), M),
        of(lambda x: np.compress([False, True, True], x), M),
    ],
    np.extract: [of(lambda x: np.extract(MASK, x), M)],
    np.delete: [
        of(np.delete, M, 1, axis=0),
        of(np.delete, M, [0, -1], axis=1),
        of(np.delete, M, [2, 5]),
        of(np.delete, M, slice(0, 2), axis=-1),
    ],
    np.choose: [of(lambda a, b: np.choose(np.array([0, 1, 1, 0]), [a, b]), V[:4], W[:4])],
}
# What refuses, in words; see test_errors.py.
REFUSING = {np.nonzero, np.argwhere, np.flatnonzero}


def test_every_row_has_an_example() -> None:
    rows = set(TABLE) - REFUSING
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
