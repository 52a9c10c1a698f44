"""The shadow names the operation that is wrong, wherever a fault is planted, and lets correct code pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.ops import elementwise as e
from minicolumn.lower.compare import shadow
from minicolumn.lower.llvm.codegen import emit, scalar, steps
from minicolumn.passes import memory
from minicolumn.train.step import STEPS_DIMS, Data, State, Step, Steps, train_steps
from minicolumn.tree import flatten

Array = np.ndarray
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    # Code with a fault in it must not be kept, nor good code be found in its place.
    monkeypatch.setenv("MINICOLUMN_CACHE_DIR", "off")


def _floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


def _shadowed(function: Callable[..., Any]) -> Callable[..., Any]:
    return mc.compile(function, shadow="reference")


def _forward(x: Array, w: Array) -> Array:
    h = np.tanh(np.matmul(x, w))
    return np.sum(np.exp(h) * np.where(h > 0, h, 0.5), axis=1)


# Correct code passes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (37, 65)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_correct_code_passes_and_gives_the_native_bits(shape: tuple[int, int], dtype: Any) -> None:
    x, w = _floats(*shape).astype(dtype), _floats(shape[1], 19).astype(dtype)
    assert _shadowed(_forward)(x, w).tobytes() == mc.compile(_forward)(x, w).tobytes()


def test_numbers_that_are_none_pass() -> None:
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 1e38, 3.0], np.float32)
    f = lambda x: (np.sum(x), x * x, np.exp(x), np.max(x), x > 0, np.prod(x))  # noqa: E731
    _shadowed(f)(x)


def _data() -> tuple[Array, Array]:
    return RNG.standard_normal((60, 5)).astype(np.float32), RNG.integers(0, 3, 60)


@pytest.mark.parametrize(
    ("net", "batch"),
    [
        (mc.nn.Sequential(mc.nn.Dense(24, "relu"), mc.nn.Dropout(0.5), mc.nn.Dense(3)), 16),
        (mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(3)), 10),  # in registers
    ],
)
def test_a_training_passes_and_learns_the_same(net: Any, batch: int) -> None:
    X, y = _data()
    settings: dict[str, Any] = {"epochs": 2, "batch_size": batch, "optimizer": mc.optim.Adam(0.01)}
    plain, shadowed = mc.fit(net, X, y, **settings), mc.fit(net, X, y, shadow="reference", **settings)
    for a, b in zip(flatten(plain.params)[0], flatten(shadowed.params)[0], strict=True):
        assert a.tobytes() == b.tobytes()


def test_loops_within_loops_and_backwards_pass() -> None:
    def inner(state: Array, x: Array) -> tuple[Array, Array]:
        return np.tanh(state * 0.5 + x), state

    def outer(state: Array, xs: Array) -> tuple[Array, Array]:
        last, seen = mc.scan(inner, state, xs)
        return last, np.sum(seen, axis=0)

    f = lambda s, xs: np.sum(mc.scan(outer, s, xs)[1])  # noqa: E731
    _shadowed(mc.grad(f))(_floats(9), _floats(3, 4, 9))


# Faults are found -----------------------------------------------------------------------------------------


def test_a_swapped_operation_is_named_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scalar.MAPS, e.TANH, scalar.MAPS[e.SIN])
    with pytest.raises(
        mc.ShadowError, match=r"disagree on tanh: f32\[6,4\] \(at .*test_shadow.py:\d+"
    ) as found:
        _shadowed(_forward)(_floats(6, 3), _floats(3, 4))
    error = found.value
    assert error.operation == "tanh"
    assert error.iterations == ()
    assert abs(error.native - error.reference) > error.bound > 0
    assert len(error.place) == 2


def test_one_wrong_lane_in_a_tail_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = emit.Function.store_masked

    def wrong(f: Any, value: Any, pointer: Any, mask: Any) -> None:
        right(f, f.with_lane(value, 0, emit.const(emit.element_of(value.type), 7)), pointer, mask)

    monkeypatch.setattr(emit.Function, "store_masked", wrong)
    with pytest.raises(mc.ShadowError, match="on multiply") as found:
        _shadowed(lambda x: (x * 2.0) @ np.ones((13, 2), np.float32))(_floats(5, 13))
    assert found.value.native == 7
    assert found.value.place[-1] % 4 == 0  # the first lane of some vector


def test_the_first_fault_in_the_order_of_the_graph_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for op in (e.EXP, e.TANH):
        monkeypatch.setitem(scalar.MAPS, op, scalar.MAPS[e.NEGATIVE])
    with pytest.raises(mc.ShadowError, match="on tanh"):
        _shadowed(_forward)(_floats(6, 3), _floats(3, 4))


def test_a_fault_too_small_for_any_tolerance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_one_place(f: Any, node: Any, x: Any, y: Any) -> Any:
        eps = emit.const(x.type, 1 + float(np.finfo(np.float32).eps))
        return f.op("fmul", f.op("fadd", x, y), eps)

    monkeypatch.setitem(scalar.MAPS, e.ADD, off_by_one_place)
    with pytest.raises(mc.ShadowError, match="on add"):
        _shadowed(lambda x, y: x + y)(_floats(9), _floats(9))


def _turning(x: Array, rows: Array) -> Array:
    return mc.scan(lambda state, row: (state[::-1] + row, np.sum(state)), x, rows)[0]


def test_a_fault_in_a_loop_names_the_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_when_large(f: Any, node: Any, x: Any, y: Any) -> Any:
        total = f.op("fadd", x, y)
        return f.select(f.compare("ogt", total, emit.const(x.type, 3.5)), x, total)

    monkeypatch.setitem(scalar.MAPS, e.ADD, wrong_when_large)
    with pytest.raises(mc.ShadowError, match=r"on add: .* at iteration 3 of its loop") as found:
        _shadowed(_turning)(np.zeros(33, np.float32), np.ones((6, 33), np.float32))
    assert found.value.iterations == (3,)


def test_a_fault_of_memory_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is overwritten while it is still read: every operation by itself is right."""
    monkeypatch.setattr(memory, "_reads_as_it_writes", lambda *_: True)
    with pytest.raises(mc.ShadowError, match=r"one operation after the other") as found:
        _shadowed(_turning)(_floats(33), _floats(6, 33))
    assert found.value.operation == "add"
    assert found.value.iterations == (0,)


def test_a_fault_between_iterations_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every iteration reads the first row: each by itself is right."""
    monkeypatch.setattr(steps.ScheduleCode, "_row", lambda self, pointer, type, row: pointer)
    with pytest.raises(mc.ShadowError, match=r"on item"):
        _shadowed(_turning)(_floats(33), _floats(6, 33))


def test_a_fault_in_training_is_found_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scalar.MAPS, e.SQRT, scalar.MAPS[e.ABSOLUTE])
    X, y = _data()
    with pytest.raises(mc.ShadowError, match=r"on sqrt: f32\[\d+.*at iteration 0 of its loop"):
        mc.fit(mc.nn.Sequential(mc.nn.Dense(3)), X, y, optimizer="adam", epochs=1, shadow="reference")


# Refusals -------------------------------------------------------------------------------------------------


def test_unknown_shadows_are_refused() -> None:
    with pytest.raises(mc.DataError, match=re.escape("did you mean 'reference'?")):
        mc.compile(np.sum, shadow="refrence")
    with pytest.raises(mc.DataError, match="cannot be its own shadow"):
        mc.compile(np.sum, backend="reference", shadow="reference")
    with pytest.raises(mc.DataError, match="fit: shadow: expected one of reference"):
        mc.fit(mc.nn.Dense(3), *_data(), shadow="native")


def test_without_native_code_there_is_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "why_missing", lambda: "no llvmlite")
    with pytest.raises(mc.DataError, match="no llvmlite"):
        _shadowed(np.sum)(np.ones(3))


def test_an_epoch_of_any_number_of_rows_passes() -> None:
    X, y = _data()
    net, optimizer = mc.nn.Sequential(mc.nn.Dense(6, "gelu"), mc.nn.Dense(3)), mc.optim.SGD(0.1)
    step = train_steps(Step(net, mc.nn.LOSSES["softmax_cross_entropy"].function, optimizer))
    epoch = mc.compile(step, dims=STEPS_DIMS, shadow="reference")
    params = net.init(0, (5,))
    for rows, iterations in ((60, 2), (41, 3)):
        order = RNG.integers(0, rows, (iterations, 20)).astype(np.int32)
        numbers, rates = np.arange(iterations, dtype=np.uint32), np.full(iterations, 0.1, np.float32)
        state = State(params, optimizer.start(params))
        data, steps = Data(X[:rows], y[:rows]), Steps(order, rates, numbers)
        epoch(state, data, steps, mc.random.stream(0, "dropout"))
