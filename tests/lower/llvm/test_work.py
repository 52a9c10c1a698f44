"""Threads that keep to their own rows: few meetings, and the same bits for any number of threads."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guarded import NO_CACHE, Fences, run_in

import minicolumn as mc
from minicolumn import nn, optim, random
from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.compile import call_directly, graph_of
from minicolumn.lower.llvm.codegen import partition
from minicolumn.lower.llvm.codegen.emit import Function, Module
from minicolumn.lower.llvm.codegen.program import emit_program
from minicolumn.lower.llvm.matmul import shapes
from minicolumn.lower.llvm.runtime.jit import Loaded, compile_object, host_target
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.train.step import Data, State, Step, Steps, train_steps
from minicolumn.tree import flatten

STEPS, FEATURES = 2, 21


def epoch(batch: int, hidden: int, dropout: float = 0.0) -> tuple[Graph, list[np.ndarray]]:
    """Return some steps of training a network with two hidden layers, and their arguments."""
    layers: list[Any] = [nn.Dense(hidden, "relu"), nn.Dropout(dropout), nn.Dense(64, "tanh"), nn.Dense(7)]
    net, rng = nn.Sequential(*layers), np.random.default_rng(0)
    X, Y = rng.standard_normal((300, FEATURES), np.float32), rng.integers(0, 7, 300, np.int32)
    params, recipe = net.init(0, (FEATURES,)), optim.Adam()
    run = train_steps(Step(net, nn.LOSSES["softmax_cross_entropy"].function, recipe))
    order = rng.integers(0, 300, (STEPS, batch)).astype(np.int32)
    rates, numbers = np.full(STEPS, 0.01, np.float32), np.arange(STEPS, dtype=np.uint32)
    state = State(params, recipe.start(params))
    args = (state, Data(X, Y), Steps(order, rates, numbers), random.stream(0, "dropout"))
    graph = graph_of(run, *args)
    leaves = [np.asarray(x) for x in flatten(args)[0]]
    return graph, [np.asarray(x, n.array_type.dtype) for x, n in zip(leaves, graph.inputs, strict=True)]


def test_a_step_of_training_needs_three_meetings():
    # When its rows are there and the weights are packed, before sums over the batch, and when it is done;
    # two more are before the loop, around the copies of the first state.
    graph, _ = epoch(batch=256, hidden=128)
    text = emit_program(graph, host_target()).text
    run = text[text.index("@run(") :]
    assert run[: run.index("\n}")].count("@mc.barrier") == 2 + 3


@pytest.mark.parametrize("batch", [64, 79, 80, 100, 256])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_epoch_has_the_same_bits_for_any_number_of_threads(batch: int, dropout: float):
    graph, args = epoch(batch, hidden=130, dropout=dropout)
    program = NativeProgram(graph, cache=NO_CACHE)
    expected, *others = (run_in(program, args, Fences().room, parts) for parts in (1, 2, 3, 5))
    for other in others:
        assert [x.tobytes() for x in other] == [x.tobytes() for x in expected]


ROWS = (1, 15, 16, 17, 63, 64, 65, 79, 100, 256, 1000, 1999)


def test_rows_are_shared_out_whole_each_once():
    shared_rows = _native_share_of_rows()
    for rows in ROWS:
        for parts in range(1, 41):
            bounds = [shared_rows(rows, part, parts) for part in range(parts)]
            assert [b for b, _ in bounds] == [0, *(e for _, e in bounds[:-1])]
            assert bounds[-1][1] == rows
            # A tile fits into what a thread has, unless it has nothing.
            assert all(e - b == 0 or e - b >= min(partition.ROW_UNIT, rows) for b, e in bounds)
    assert partition.ROW_UNIT >= shapes.TALLEST


def _native_share_of_rows() -> Any:
    """Return `share_rows` as machine code: a function of rows, one of ROWS, part and parts."""
    module = Module()
    for rows in ROWS:
        f = Function(module, f"of{rows}", [("out", "ptr"), ("part", "i64"), ("parts", "i64")])
        bounds = partition.share_rows(f, rows, f.parameters["part"], f.parameters["parts"])
        for k, bound in enumerate(bounds):
            f.store(bound, f.at(f.parameters["out"], k, "i64"))
        f.finish()
    names = [f"of{rows}" for rows in ROWS]
    loaded, out = Loaded(compile_object(str(module), host_target()), names), np.zeros(2, np.int64)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)

    def call(rows: int, part: int, parts: int) -> tuple[int, int]:
        kind(loaded.address(f"of{rows}"))(out.ctypes.data, part, parts)
        return int(out[0]), int(out[1])

    return call


def test_matrices_of_a_batch_are_waited_for():
    # Meetings in the middle of a batched product say nothing about its last matrix.
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-3, 4, shape).astype(np.float32) for shape in ((2, 70, 300), (2, 300, 801)))
    program = NativeProgram(graph_of(lambda a, b: -(a @ b), a, b), cache=NO_CACHE)
    for parts in (1, 2, 3):
        for _ in range(4):  # who comes first is chance
            assert np.array_equal(run_in(program, [a, b], Fences(odd=4).room, parts)[0], -(a @ b))


def test_sums_are_the_same_bits_where_nan_meets_nan():
    # Whole vectors and their rests may add in another order, which shows in a NaN's sign: a column's place in
    # a vector must not depend on the number of threads.
    graph = graph_of(lambda x: np.sum(np.transpose(x), axis=1), np.zeros((33, 200), np.float32))
    rng = np.random.default_rng(0)
    x = rng.choice([1.0, np.inf, -np.inf, np.nan, -np.nan], (33, 200)).astype(np.float32)
    program = NativeProgram(graph, cache=NO_CACHE)
    one, *others = (run_in(program, [x], Fences().room, parts)[0].tobytes() for parts in (1, 2, 3, 5))
    assert all(other == one for other in others)


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("k", [15, 16, 31, 32, 33, 63, 64, 127, 128])
def test_one_row_against_columns_that_lie_in_order(k: int, dtype: type):
    # Long enough for dot products in one type is not long enough in another.
    rng = np.random.default_rng(k)
    a, b = (rng.integers(0, 2, shape).astype(dtype) for shape in ((1, k), (7, k)))
    run = mc.compile(lambda a, b: (a @ b.T).astype(np.float32))
    assert np.array_equal(run(a, b), (a @ b.T).astype(np.float32))


def same_for_any_threads(function: Any, *args: np.ndarray) -> None:
    """Check a function against the reference, in fenced memory, for several numbers of threads."""
    graph = graph_of(function, *args)
    program, expected = NativeProgram(graph, cache=NO_CACHE), ReferenceProgram(graph)(*args)
    for parts in (1, 2, 3):
        fences = Fences()
        for got, want in zip(run_in(program, list(args), fences.room, parts), expected, strict=True):
            # Sums in another order: a few roundings of 1,024 terms of about 1.
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
        assert not fences.broken()


def small(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, np.float32) / np.float32(8)


def test_a_loop_within_a_loop_has_room_of_its_own_for_every_thread():
    def run(W: np.ndarray, X: np.ndarray, few: np.ndarray) -> Any:
        def rows(carry: Any, x: np.ndarray) -> Any:
            return carry, np.tanh(x @ W) @ W

        def outer(total: np.ndarray, x: np.ndarray) -> Any:
            return total + mc.scan(rows, None, x)[1].sum(), None

        first = mc.scan(lambda carry, x: (carry, np.tanh(x @ few) @ few), None, few[None])[1]
        return mc.scan(outer, np.float32(0), X)[0], first

    same_for_any_threads(run, small(300, 300), small(2, 3, 40, 300), small(8, 8))


def test_rows_that_nobody_reads_stay_with_their_thread():
    def run(W: np.ndarray, X: np.ndarray) -> Any:
        def rows(carry: Any, x: np.ndarray) -> Any:
            h = np.tanh(x @ W)
            return carry, (h, np.tanh(h @ W.T) @ W)

        return mc.scan(rows, None, X)[1][1]

    same_for_any_threads(run, small(70, 70), small(12, 80, 70))


def test_a_state_that_is_read_where_sums_come_together_is_not_overwritten():
    def run(A: np.ndarray, B: np.ndarray, W: np.ndarray) -> Any:
        def step(W: np.ndarray, x: np.ndarray) -> Any:
            new = A @ B
            return new, new - W + x

        return mc.scan(step, W, np.zeros(2, np.float32))

    same_for_any_threads(run, small(128, 1024), small(1024, 2048), small(128, 2048))


@pytest.mark.parametrize("threads", [0, -1, True, 1.5, "2"])
def test_threads_are_a_whole_number_from_one(threads: Any):
    with pytest.raises(DataError, match="threads must be an integer"):
        mc.compile(np.tanh, threads=threads)


def test_a_predictor_whose_layer_needs_python_goes_the_checked_way():
    run = call_directly(lambda x: np.sort(x), np.zeros(5, np.float32))
    assert run(np.array([3, 1, 2, 5, 4], np.float32)).tolist() == [1, 2, 3, 4, 5]


def test_the_same_program_is_the_same_text_in_every_process():
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "from test_work import emit_program, epoch, host_target\n"
        "text = emit_program(epoch(64, 40, 0.5)[0], host_target()).text\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    texts = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_a_single_row_is_not_shared_out(monkeypatch: pytest.MonkeyPatch):
    # All threads summed it up, and one of them overwrote it meanwhile; only where so few rows are shared out.
    for threshold in ("ELEMENTS", "MULTIPLICATIONS", "LEAST_ROWS"):
        monkeypatch.setattr(partition, threshold, 1)
    graph = parse_graph(
        """fn(a: f32[1,1], b: f32[1], c: u32[3,9], d: f32[1,1]) {
          e: (f32[1,1], f32[1], f32[3,1,1], f32[3,1,16]) = scan(a, d, b, c, consts=1, carry=2, length=3,
            reverse=False, body=step(a: f32[1,1], b: f32[1,1], c: f32[1], d: u32[9]) {
              e: f32[1,1] = absolute(b)
              f: f32[1,1] = copy(e)
              g: f32[1,1] = sum(b, axes=[])
              h: f32[1,16] = const([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]])
              i: f32[1,16] = matmul(e, h)
              return f, c, g, i })
          f: f32[3,1,1] = item(e, index=2)
          return f }"""
    )
    program = NativeProgram(graph, cache=NO_CACHE)
    args = [np.full(n.array_type.shape, -1).astype(n.array_type.dtype) for n in graph.inputs]
    expected = run_in(program, args, Fences(odd=4).room, 1)[0]
    assert expected.ravel().tolist() == [-1, 1, 1]
    for parts in (2, 3) * 50:
        assert run_in(program, args, Fences(odd=4).room, parts)[0].tobytes() == expected.tobytes()
