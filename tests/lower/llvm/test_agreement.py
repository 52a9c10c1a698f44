"""Native code against NumPy: every operation, random programs, whole trainings, in memory with guards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from guarded import NO_CACHE, Fences, run_in
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pieces import LEAVES, accepts, arity
from programs import apply_each, arguments, make
from twin import DOUBTFUL, elementary, judge, opinions, same_bits, share_judged

import minicolumn
from minicolumn.ir.graph import Graph
from minicolumn.ir.op import OPS
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import DTYPES
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.llvm.mathlib import BOUNDS, MATH
from minicolumn.lower.llvm.runtime.jit import host_target
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram

HERE = Path(__file__).parent


def native(graph: Graph, **options: Any) -> NativeProgram:
    return NativeProgram(graph, cache=NO_CACHE, **options)


def check(graph: Graph, *args: np.ndarray) -> list[np.ndarray]:
    """Hold a program against the second opinion, and return its results."""
    results = native(graph)(*args)
    assert not judge(results, opinions(graph, args))
    return results


# The judge --------------------------------------------------------------------------------------------------


def test_the_judge_sees_one_wrong_element():
    made = make(3, exact=True)
    args = arguments(made, 3, exact=True)
    expected = opinions(made.graph, args)
    right = [o.value for o in expected]
    assert not judge(right, expected)
    for k, value in enumerate(right):
        for place in (0, -1) if value.size else ():
            wrong = value.copy()
            wrong.flat[place] = not wrong.flat[place] if value.dtype == bool else wrong.flat[place] + 1
            faults = judge([*right[:k], wrong, *right[k + 1 :]], expected)
            assert len(faults) == 1, (k, place)
            assert faults[0].startswith(f"output {k}:")


def test_the_judge_sees_a_sum_that_lost_its_last_term():
    graph = parse_graph("fn(x: f32[1000]) { s: f32[] = sum(x, axes=[0]) return s }")
    x = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    expected = opinions(graph, [x])
    assert expected[0].doubt == DOUBTFUL
    assert judge([np.asarray(x[:-1].sum())], expected)
    assert not judge([np.asarray(x.astype(np.float64).sum(), np.float32)], expected)


def test_the_opinion_is_the_meaning():
    for seed in range(60):
        made = make(seed, exact=True)
        args = arguments(made, seed, exact=True)
        with np.errstate(all="ignore"):
            plain = ReferenceProgram(made.graph)(*args)
        assert not judge([np.asarray(p) for p in plain], opinions(made.graph, args))


# Programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_operation_on_every_dtype_that_it_takes(dtype: str):
    made, applied = apply_each(DTYPES[dtype])
    program = native(made.graph)
    for exact in (True, False):
        args = arguments(made, 1, exact)
        assert not judge(program(*args), opinions(made.graph, args))
    missing = {
        n
        for n in OPS
        if n not in LEAVES and OPS[n].kind in ("map", "reduce", "order") and accepts(n, DTYPES[dtype])
    }
    assert not missing - applied


def test_every_operation_is_applied_to_some_dtype():
    applied = {name for dtype in DTYPES.values() for name in apply_each(dtype)[1]}
    assert {*OPS} - {*applied} == {*LEAVES, "scan"}  # which the random programs have


def test_random_programs():
    judged = total = 0
    for seed in range(60):
        made = make(seed, exact=seed % 2 == 0)
        program = native(made.graph)
        for k, exact in enumerate((True, False)):
            args = arguments(made, seed + k, exact)
            expected = opinions(made.graph, args)
            assert not judge(program(*args), expected), f"seed {seed}, {'exact' if exact else 'wild'} data"
            share = share_judged(expected)
            judged, total = judged + share[0], total + share[1]
    assert judged > 0.9 * total


@pytest.mark.parametrize("missing", ["avx512f", "avx2"])
def test_random_programs_for_lesser_processors(missing: str):
    if f"+{missing}" not in host_target().features.split(","):
        pytest.skip(f"this processor has no {missing} that could be left out")
    target = host_target((missing,))
    for seed in range(1000, 1030, 2):
        made = make(seed, exact=True)
        args = arguments(made, seed, exact=True)
        faults = judge(native(made.graph, target=target)(*args), opinions(made.graph, args))
        assert not faults, f"seed {seed}"


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_small_random_programs_with_empty_and_single_axes(graphs: ModuleType, data: st.DataObject):
    graph = data.draw(graphs.random_graphs())
    args = graphs.arguments(graph, data.draw(st.integers(0, 2**32 - 1)))
    try:
        expected = opinions(graph, args)
    except np.linalg.LinAlgError:
        with pytest.raises(np.linalg.LinAlgError):
            native(graph)(*args)
        return
    assert not judge(native(graph)(*args), expected)


@pytest.mark.parametrize("name", sorted({*MATH} - {"fmod"}))
def test_elementary_functions_are_near_to_numpys(name: str):
    # The library's own bound, and as much again for NumPy's and SciPy's, which promise less than 4.
    for dtype in (DTYPES["f32"], DTYPES["f64"]):
        rng = np.random.default_rng(0)
        operands = [rng.uniform(0.05, 3.0, 512).astype(dtype) for _ in range(arity(name))]
        if name in ("arcsin", "arccos", "arctanh"):
            operands = [x / 4 for x in operands]
        with np.errstate(invalid="ignore"):
            expected = np.asarray(OPS[name].numpy(*operands))
        found = elementary(name, operands)
        bound = BOUNDS[name, "float" if dtype == DTYPES["f32"] else "double"] + 4
        assert (np.isnan(found) == np.isnan(expected)).all()
        ulps = np.abs(found.astype(np.longdouble) - expected) / np.spacing(np.abs(expected))
        assert np.nanmax(ulps) <= bound


# Arguments --------------------------------------------------------------------------------------------------

_LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fortran": np.asfortranarray,
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "every other": lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
    "misaligned": lambda x: _misaligned(x),
    "read-only": lambda x: _read_only(x),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}


def _misaligned(x: np.ndarray) -> np.ndarray:
    held = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    held[...] = x
    assert not held.flags.aligned
    return held


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_arguments_may_lie_in_memory_as_they_like(layout: str):
    graph = parse_graph(
        """fn(x: f32[9,5], y: f64[9,5], i: i32[9,5]) {
          a: f32[5,9] = transpose(x, axes=[1, 0])  b: f64[9] = sum(y, axes=[1])  c: i32[9,5] = negative(i)
          return a, b, c, x }"""
    )
    rng = np.random.default_rng(0)
    plain = [rng.integers(-9, 9, (9, 5)).astype(t) for t in (np.float32, np.float64, np.int32)]
    args = [_LAYOUTS[layout](x) for x in plain]
    before = [x.copy() for x in args]
    check(graph, *args)
    for x, old in zip(args, before, strict=True):
        np.testing.assert_array_equal(x, old)


def test_results_are_arrays_of_their_own():
    graph = parse_graph(
        "fn(x: f32[4]) { c: f32[2] = const([1.0, 2.0])  y: f32[4] = negative(x) return x, x, c, y, y }"
    )
    x = np.arange(4, dtype=np.float32)
    results = native(graph)(x)
    for k, one in enumerate(results):
        assert one.flags.owndata
        assert one.flags.writeable
        assert not any(np.shares_memory(one, other) for other in (x, *results[:k]))


# Memory -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [0, 8])
def test_nothing_is_written_outside_of_results_and_arena(odd: int):
    for seed in range(100, 125):
        made, fences = make(seed, exact=True), Fences(odd)
        args = arguments(made, seed, exact=True)
        results = run_in(native(made.graph), args, fences.room)
        assert not judge(results, opinions(made.graph, args)), f"seed {seed}"
        assert not fences.broken(), f"seed {seed}"


@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect")
def test_nothing_is_read_outside_of_arrays():
    environment = {**os.environ, "PYTHONPATH": str(Path(minicolumn.__file__).parents[1])}
    command = [sys.executable, str(HERE / "guarded.py"), "200", "225"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]} {done.stderr[-2000:]}"


def test_any_number_of_threads_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    for name in ("ELEMENTS", "MULTIPLICATIONS", "LEAST_ROWS"):
        monkeypatch.setattr(partition, name, 1)
    for seed in range(300, 320):
        made = make(seed, exact=False)
        program, args = native(made.graph), arguments(made, seed, exact=False)
        one, *others = (run_in(program, args, Fences().room, parts) for parts in (1, 2, 3))
        for other in others:
            assert same_bits(one, other), f"seed {seed}"


def test_threads_agree_but_for_which_nan_a_nan_is(monkeypatch: pytest.MonkeyPatch):
    # 33 rows do not fill tiles: an element's place in its tile depends on which thread has it.
    for name in ("ELEMENTS", "MULTIPLICATIONS", "LEAST_ROWS"):
        monkeypatch.setattr(partition, name, 1)
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((33, 5), (5, 33)))
    a[8, 2], b[3, 32], a[9, 1], b[1, 7] = np.nan, np.nan, np.inf, -np.inf
    program = native(graph_of(lambda a, b: a @ b, a, b))
    one, *others = (run_in(program, [a, b], Fences().room, parts) for parts in (1, 2, 3))
    assert np.isnan(one[0][8]).all()
    assert all(same_bits(one, other) for other in others)
    assert not same_bits([np.zeros(1)], [-np.zeros(1)])
    assert not same_bits([np.full(1, np.nan)], [np.zeros(1)])
