"""Long sums are trees: their rounding error is a few units in the last place for any number of terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.llvm.codegen.reduce import ACCUMULATORS, BLOCK, FAN, LEAF

EPS = float(np.finfo(np.float32).eps)
FORMS: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "rows": (lambda x: np.sum(x), lambda x: x),
    "fused": (lambda x: np.sum(x * x + x), lambda x: x),
    "a few rows": (lambda x: np.sum(x, axis=1), lambda x: x.reshape(4, -1)),
    "columns": (lambda x: np.sum(x, axis=0), lambda x: x.reshape(-1, 8)),
    "axes apart": (lambda x: np.sum(x, axis=(0, 2)), lambda x: x.reshape(-1, 10, 4)),
    "every other": (lambda x: np.sum(x[::2]), lambda x: x),
    "mean": (lambda x: np.mean(x), lambda x: x),
    "what follows": (lambda x: np.tanh(np.sum(x) / x.size), lambda x: x),
}


@pytest.mark.parametrize("form", FORMS)
def test_equal_numbers_add_up(form: str) -> None:
    f, shaped = FORMS[form]
    # Equal numbers are the worst case: within a power of two each addition is rounded the same way.
    x = shaped(np.full(20_000_000, 0.1, np.float32))
    exact = f(x.astype(np.float64))
    one, two = (mc.compile(f, threads=n)(x) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    # Five levels of 16 terms and halves, each rounded with an error of up to 16 * eps / 4 that is rarely all
    # one way; one after the other they would be 1e-5 and more, in columns 4e-2.
    np.testing.assert_allclose(one, exact, rtol=4 * EPS)


SIZES = [
    *(BLOCK * ACCUMULATORS * 16 + d for d in (-1, 0, 1, 15, 16, 17)),
    *(LEAF * ACCUMULATORS * 16 * FAN + d for d in (-3, 0, 5)),
    *(LEAF * ACCUMULATORS * 16 * FAN**2 + d for d in (-1, 0, 1, 1000)),
    123_457,
    300_001,
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_term_is_added_once(size: int, dtype: type) -> None:
    # Integers whose sums are exact in the dtype: one term too few, too many or twice would show.
    x = np.random.default_rng(size).integers(-8, 9, size).astype(dtype)
    assert mc.compile(lambda x: np.sum(x))(x) == np.sum(x.astype(np.int64))
    columns = np.stack([x, 2 * x, -x], axis=1)
    total = np.sum(columns.astype(np.int64), axis=0)
    np.testing.assert_array_equal(mc.compile(lambda x: np.sum(x, axis=0))(columns), total)
    strips = x[: size // 7 * 7].reshape(-1, 7)
    wanted = np.sum(strips.astype(np.int64)[:, :5])
    assert mc.compile(lambda x: np.sum(x[:, :5]))(strips) == wanted


def test_long_products_and_extremes() -> None:
    x = np.ones(100_003)
    x[[5, 50_000, 100_002]] = 2.0, 3.0, -0.5
    assert mc.compile(lambda x: np.prod(x))(x) == -3.0
    assert mc.compile(lambda x: (np.max(x), np.min(x)))(x) == (3.0, -0.5)
    x[70_000] = np.nan
    assert np.isnan(mc.compile(lambda x: np.sum(x))(x))
    assert np.signbit(mc.compile(lambda x: np.sum(x))(np.full(100_003, -0.0))) == np.signbit(-0.0)
