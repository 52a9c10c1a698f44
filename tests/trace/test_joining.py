"""Joining, cutting, repeating, padding: every row of the table keeps the laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicolumn.trace.joining import TABLE as JOINING
from minicolumn.trace.padding import TABLE as PADDING

TABLE = {**JOINING, **PADDING}

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
    np.concatenate: [
        of(lambda a, b: np.concatenate([a, b]), M, N),
        of(lambda a, b: np.concatenate((a, b), axis=-1), M, S),
        of(lambda a, b: np.concatenate([a, b], axis=None), M, V),
        of(lambda a: np.concatenate([a, a[:0]]), M),
    ],
    np.concat: [of(lambda a, b: np.concat([a, b]), M, N)],
    np.stack: [of(lambda a, b, k=k: np.stack([a, b], axis=k), M, N) for k in (0, 1, -1)]
    + [of(lambda a: np.stack([a, 1.0, a * a]), NUMBER)],
    np.hstack: [of(lambda a, b: np.hstack([a, b]), M, N), of(lambda a, b: np.hstack([a, b]), V, NUMBER)],
    np.vstack: [of(lambda a, b: np.vstack([a, b]), V, W), of(lambda a, b: np.vstack([a, b]), M, V[:4])],
    np.dstack: [of(lambda a, b: np.dstack([a, b]), M, N), of(lambda a, b: np.dstack([a, b]), V, W)],
    np.column_stack: [
        of(lambda a, b: np.column_stack([a, b]), V, W),
        of(lambda a, b: np.column_stack([a, b]), M, V[:3]),
    ],
    np.block: [
        of(lambda a, b: np.block([[a, b], [b, a]]), M, N),
        of(lambda a, b: np.block([a, b, 1.0]), V, W),
        of(lambda a: np.block([[a, np.zeros((3, 1))], [np.ones((1, 5))]]), M),
    ],
    np.append: [of(np.append, M, N), of(np.append, M, N, axis=1)],
    np.insert: [
        of(np.insert, V, 2, NUMBER),
        of(np.insert, V, [1, 3], W[:2]),
        of(np.insert, M, 1, V[:4], axis=0),
        of(np.insert, M, 1, V[:3], axis=1),
        of(np.insert, V, [0, -1], NUMBER),
        of(np.insert, M, [1], S, axis=1),
        of(np.insert, V, 2, W[:3]),
    ],
    np.split: [of(np.split, T, 2), of(np.split, M, [1, 3], axis=1), of(np.split, M, 2, axis=-1)],
    np.array_split: [of(np.array_split, V, 3), of(np.array_split, M, 3, axis=1)],
    np.hsplit: [of(np.hsplit, M, 2), of(np.hsplit, V, [2])],
    np.vsplit: [of(np.vsplit, M, 3)],
    np.dsplit: [of(np.dsplit, T, 2)],
    np.tile: [of(np.tile, M, 2), of(np.tile, M, (2, 1, 3)), of(np.tile, T, (2, 1)), of(np.tile, NUMBER, 3)],
    np.repeat: [of(np.repeat, M, 2), of(np.repeat, M, 2, axis=-1), of(np.repeat, M, [1, 0, 2], axis=0)],
    np.resize: [of(np.resize, M, (2, 7)), of(np.resize, V, 3)],
    np.take: [
        of(np.take, M, [3, -1, 3]),
        of(np.take, M, np.array([[0, 2], [1, 0]]), axis=1),
        of(np.take, M, 1, axis=0),
        of(np.take, V, [7, -9], mode="clip"),
        of(np.take, V, [7, -9], mode="wrap"),
    ],
    np.roll: [
        of(np.roll, M, 2),
        of(np.roll, M, -1, axis=1),
        of(np.roll, M, (1, 7), axis=(0, 1)),
        of(np.roll, M, 2, (0, 1)),
        of(np.roll, NONE, 1),
    ],
    np.fft.fftshift: [of(np.fft.fftshift, M), of(np.fft.fftshift, V), of(np.fft.fftshift, M, axes=0)],
    np.fft.ifftshift: [of(np.fft.ifftshift, M), of(np.fft.ifftshift, V), of(np.fft.ifftshift, M, axes=(1,))],
    np.pad: [
        of(np.pad, M, 1),
        of(np.pad, M, ((1, 0), (0, 2))),
        of(np.pad, V, (2, 1), mode="edge"),
        of(np.pad, M, 2, mode="reflect"),
        of(np.pad, M, 2, mode="symmetric"),
        of(np.pad, M, 2, mode="wrap"),
        *(
            of(np.pad, M, w, mode=m, reflect_type="odd")
            for m in ("reflect", "symmetric")
            for w in (1, (2, 1))
        ),
        of(np.pad, M, (2, 1), mode="linear_ramp", rtol=2e-15),
        of(np.pad, M, 2, mode="linear_ramp", end_values=((1.0, 2.0), (-1.0, 0.5)), rtol=2e-15),
        *(of(np.pad, M, 2, mode=m, rtol=2e-15) for m in ("maximum", "mean", "median", "minimum")),
        *(of(np.pad, M, ((1, 2), (0, 3)), mode=m, stat_length=2, rtol=2e-15) for m in ("maximum", "mean")),
        of(np.pad, M, 1, constant_values=3.0),
        of(np.pad, M, 1, constant_values=((1, 2), (3, 4))),
        of(np.pad, M, (2, 1)),
        of(np.pad, EMPTY, 1),
    ],
    np.lib.stride_tricks.sliding_window_view: [
        of(np.lib.stride_tricks.sliding_window_view, V, 3),
        of(np.lib.stride_tricks.sliding_window_view, M, (2, 3)),
        of(np.lib.stride_tricks.sliding_window_view, T, 2, axis=1),
    ],
}
if hasattr(np, "unstack"):  # NumPy 2.1
    EXAMPLES[np.unstack] = [of(np.unstack, T), of(np.unstack, T, axis=1)]


def test_every_row_has_an_example() -> None:
    rows = set(TABLE)
    assert {f.__name__ for f in rows} == {f.__name__ for f in EXAMPLES}
    assert rows == set(EXAMPLES)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda f: f.__name__)
def test_rows_keep_the_laws(function: Callable[..., Any], example_keeps_laws: Callable[..., None]) -> None:
    for i, (f, args, rtol) in enumerate(EXAMPLES[function]):
        example_keeps_laws(f, args, rtol, f"example {i} of {function.__name__}")
