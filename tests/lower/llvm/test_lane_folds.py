"""Folds along lanes: each vector's by halves, to the same bits in any company."""

from __future__ import annotations

import ctypes

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.lower.llvm.codegen.emit import Function, Module, const_lanes, llvm_type, vector
from minicolumn.lower.llvm.codegen.lane_folds import fold_lanes
from minicolumn.lower.llvm.codegen.reduce import ADD
from minicolumn.lower.llvm.runtime.jit import Loaded, compile_object, host_target


def folded(values: np.ndarray, used: int) -> np.ndarray:
    """Return the sums of vectors [count, lanes], of whose lanes so many count, by machine code."""
    count, lanes = values.shape
    element = llvm_type(values.dtype)
    module = Module()
    f = Function(module, "run", [("given", "ptr"), ("found", "ptr")], "void", "nounwind")
    given, found = f.parameters.values()
    mask = const_lanes(vector("i1", lanes), [k < used for k in range(lanes)])
    vectors = [f.load(vector(element, lanes), f.at(given, k * lanes, element)) for k in range(count)]
    for k, total in enumerate(fold_lanes(f, vectors, ADD, None if used == lanes else mask)):
        f.store(total, f.at(found, k, element))
    f.finish()
    loaded, result = Loaded(compile_object(str(module), host_target())), np.empty(count, values.dtype)
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2)(loaded.address("run"))(
        values.ctypes.data, result.ctypes.data
    )
    return result


def by_halves(values: np.ndarray, used: int) -> np.ndarray:
    """Return the same by NumPy: lanes that do not count are -0, which changes nothing."""
    values = values.copy()
    values[:, used:] = -0.0 if values.dtype.kind == "f" else 0
    while values.shape[1] > 1:
        half = values.shape[1] // 2
        values = values[:, :half] + values[:, half:]
    return values[:, 0]


@settings(deadline=None, max_examples=60)  # timing on shared machines says nothing
@given(
    st.sampled_from([np.float32, np.float64, np.int32, np.int64]),
    st.integers(1, 40),
    st.integers(2, 64),
    st.integers(0, 99),
)
def test_every_vector_has_its_own_sum(dtype: type, count: int, used: int, seed: int) -> None:
    lanes = 1 << (used - 1).bit_length()
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal((count, lanes)) * 1000).astype(dtype)
    np.testing.assert_array_equal(folded(values, used), by_halves(values, used), strict=True)


def test_zeros_keep_their_signs() -> None:
    np.testing.assert_array_equal(np.signbit(folded(np.full((3, 8), -0.0, np.float32), 6)), [True] * 3)
