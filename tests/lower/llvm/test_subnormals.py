"""Subnormal numbers: kept as NumPy keeps them, or counted as 0 where a program is told to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.llvm.codegen.emit import Function, Module
from minicolumn.lower.llvm.codegen.subnormals import emit_flushing
from minicolumn.lower.llvm.runtime import jit

Array = np.ndarray
native = pytest.mark.skipif(not jit.available(), reason=jit.why_missing())
BACKENDS = [pytest.param("native", marks=native), "reference"]
DTYPES = [np.float32, np.float64]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": lambda x, y: x * y,
    "add": lambda x, y: x + y,
    "divide": lambda x, y: x / y,
    "compare": lambda x, y: x > y,
    "root": lambda x, y: np.sqrt(np.abs(x)),
    "product": lambda x, y: x @ y,
    "sum": lambda x, y: np.sum(x, axis=0),
}


def grid(dtype: Any) -> tuple[Array, Array]:
    """Return numbers on both sides of the least normal one, each beside each."""
    tiny = np.finfo(dtype).smallest_normal
    some = tiny * np.array([0.0, -0.0, 1e-5, -0.5, 0.75, 1.0, -1.0, 1.5, 4.0, 1e6], dtype)
    some = np.concatenate([some, np.array([0.5, -1.0, 3.0], dtype)])
    return tuple(np.ascontiguousarray(a) for a in np.meshgrid(some, some))  # type: ignore[return-value]


def is_subnormal(x: Array) -> Array:
    return (x != 0) & (np.abs(x) < np.finfo(x.dtype).smallest_normal)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_kept_unless_told_otherwise(backend: str, name: str, dtype: Any) -> None:
    x, y = grid(dtype)
    with np.errstate(all="ignore"):
        expected = FUNCTIONS[name](x, y)
    found = mc.compile(FUNCTIONS[name], backend)(x, y)
    if name in ("product", "sum"):  # in another order, which moves the last bit of a few
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps, atol=0)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@native
def test_flushed_by_both_backends_alike(name: str, dtype: Any) -> None:
    x, y = grid(dtype)
    found, expected = (
        mc.compile(FUNCTIONS[name], backend, flush_subnormals=True)(x, y)
        for backend in ("native", "reference")
    )
    if found.dtype.kind == "f":
        assert not is_subnormal(found).any()
        # Within a sum each addition flushes; the reference flushes what comes of all of them.
        slack = 26 * np.finfo(dtype).smallest_normal if name in ("product", "sum") else 0
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps, atol=slack)
    else:
        np.testing.assert_array_equal(found, expected)


@native
def test_the_thread_that_calls_keeps_its_ways() -> None:
    tiny = np.float32(1e-40)
    assert mc.compile(lambda x: x * 2, flush_subnormals=True)(tiny) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.float32(1e-40) * np.float32(2) > 0
    assert mc.compile(lambda x: x * 2)(tiny) > 0


@native
def test_every_thread_flushes() -> None:
    x = np.full(1 << 20, 1e-40, np.float32)
    double = mc.compile(lambda x: x * 2, flush_subnormals=True)
    for _ in range(12):  # first with one thread and with all in turn
        assert not double(x).any()
    assert mc.compile(lambda x: x * 2)(x).all()


@native
def test_python_works_for_a_program_as_it_does_for_others() -> None:
    from scipy.special import erfinv

    x = np.full(3, 1e-40, np.float32)
    found = mc.compile(lambda x: erfinv(x), flush_subnormals=True)(x)  # which SciPy does
    np.testing.assert_array_equal(found, erfinv(x))
    assert is_subnormal(found).all()


@native
def test_other_processors() -> None:
    texts = {}
    for family in ("x86_64", "aarch64", "riscv64"):
        module = Module()
        inner = Function(module, "inner", [("table", "ptr")], "void", "noinline nounwind")
        inner.finish()
        emit_flushing(module, family, "run", inner)
        texts[family] = str(module)
    arm = replace(jit.host_target(), triple="aarch64-unknown-linux-gnu", cpu="generic", features="+neon")
    assert jit.assembly(texts["aarch64"], arm).lower().count("msr\tfpcr") == 2
    x86 = replace(jit.host_target(), triple="x86_64-unknown-linux-gnu", cpu="x86-64", features="")
    assert jit.assembly(texts["x86_64"], x86).count("ldmxcsr") == 2
    assert "call" in texts["riscv64"]


@native
def test_weights_that_nothing_moves_do_not_decay_into_them() -> None:
    # An input that is always 0 has no gradient but the penalty's, and Adam's second moments shrink for ever.
    X = np.zeros((64, 3), np.float32)
    X[:, 0] = np.linspace(-1, 1, 64)
    net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))
    run = mc.fit(
        net, X, X[:, :1], loss="squared_error", optimizer=mc.optim.Adam(0.1), epochs=400, batch_size=8,
        regularizer=mc.nn.L2(1e-2), seed=0,
    )  # fmt: skip
    numbers = [np.asarray(leaf) for leaf in mc.tree.leaves((run.params, run.snapshot.moments))]
    floats = [x for x in numbers if x.dtype.kind == "f"]
    assert not any(is_subnormal(x).any() for x in floats)
