"""LLVM text: what is written is what runs, and what cannot be meant is refused."""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.lower.llvm.codegen.emit import (
    Function,
    Module,
    Value,
    const,
    const_lanes,
    element_of,
    index,
    lanes_of,
    literal_integer,
    size_of,
    vector,
)
from minicolumn.lower.llvm.runtime.jit import Loaded, compile_object, host_target


def run(write: Callable[[Function, Value], None], memory: np.ndarray, level: int = 2) -> np.ndarray:
    """Run a function on some memory, which it may change, and return the memory."""
    module = Module()
    f = Function(module, "run", [("memory", "ptr")], "void", "nounwind")
    write(f, f.parameters["memory"])
    f.finish()
    loaded = Loaded(compile_object(str(module), host_target(), level))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(loaded.address("run"))(memory.ctypes.data)
    return memory


@given(st.sampled_from(["float", "double", "i1", "i8", "i32", "i64"]), st.sampled_from([1, 2, 8, 16]))
def test_types_know_their_lanes(element: str, lanes: int):
    type = vector(element, lanes)
    assert (element_of(type), lanes_of(type)) == (element, lanes)
    assert size_of(type) == lanes * size_of(element)


@given(st.floats(width=64))
def test_double_literals_keep_every_bit(number: float):
    text = const("double", number).text
    assert struct.pack(">d", number).hex() == text[2:].lower()


@given(st.floats(-3.4e38, 3.4e38) | st.floats(width=32))
def test_float_literals_are_rounded_once(number: float):
    nearest = float(np.float32(number))
    found = struct.unpack(">d", bytes.fromhex(const("float", number).text[2:]))[0]
    assert found == nearest or (math.isnan(found) and math.isnan(nearest))


def test_literals_arrive():
    def write(f: Function, p: Value) -> None:
        for k, number in enumerate((-0.0, math.inf, -math.inf, 1e-45, 0.1)):
            f.store(const("float", number), f.at(p, k, "float"))
        f.store(const_lanes(vector("float", 4), [1, 2, 3, 4]), f.at(p, 5, "float"))

    found = run(write, np.zeros(9, np.float32))
    expected = np.array([-0.0, np.inf, -np.inf, 1e-45, 0.1, 1, 2, 3, 4], np.float32)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 0, 1), (3, 3, 1), (5, 2, 1), (0, 10, 3), (2, 11, 4)])
def test_loops_count_like_range(start: int, stop: int, step: int):
    def write(f: Function, p: Value) -> None:
        with f.loop(start, stop, step, carried=[index(0), index(0)]) as loop:
            iterations, total = loop.carried
            loop.next(f.op("add", iterations, index(1)), f.op("add", total, loop.counter))
        for k, result in enumerate(loop.results):
            f.store(result, f.at(p, k, "i64"))

    numbers = range(start, stop, step)
    assert run(write, np.zeros(2, np.int64)).tolist() == [len(numbers), sum(numbers)]


def test_loops_nest_and_hold_branches():
    def write(f: Function, p: Value) -> None:
        with f.loop(0, 4) as i, f.loop(0, i.counter) as j, f.when(f.compare("ne", j.counter, index(1))):
            slot = f.at(p, i.counter, "i64")
            f.store(f.op("add", f.load("i64", slot), j.counter), slot)

    assert run(write, np.zeros(4, np.int64)).tolist() == [0, 0, 0, 2]


def test_a_loop_that_carries_asks_for_the_next_values():
    f = Function(Module(), "run", [])
    with pytest.raises(AssertionError, match="next"), f.loop(0, 3, carried=[index(0)]):
        pass


@pytest.mark.parametrize("count", range(9))
def test_masked_lanes_are_not_touched(count: int):
    def write(f: Function, p: Value) -> None:
        type = vector("float", 8)
        mask = const_lanes(vector("i1", 8), [k < count for k in range(8)])
        f.store_masked(f.op("fadd", f.load_masked(type, p, mask), const(type, 1)), f.at(p, 8, "float"), mask)

    memory = np.concatenate([np.arange(8), np.full(8, -1)]).astype(np.float32)
    expected = np.where(np.arange(8) < count, np.arange(8) + 1, -1)
    np.testing.assert_array_equal(run(write, memory)[8:], expected)


def test_room_on_the_stack_is_taken_once_however_often_a_loop_runs():
    def write(f: Function, p: Value) -> None:
        with f.loop(0, 10_000_000):  # 640 MB, were each iteration to take its own
            room = f.alloca("i64", 8)
            f.store(f.op("add", f.load("i64", p), index(1)), room)
            f.store(f.load("i64", room), p)

    assert run(write, np.zeros(1, np.int64), level=0)[0] == 10_000_000


def test_lanes_can_be_picked_replaced_and_shuffled():
    def write(f: Function, p: Value) -> None:
        type = vector("i32", 4)
        value = f.load(type, p)
        value = f.with_lane(value, 2, f.lane(value, 0))
        f.store(f.shuffle(value, const(type, 9), [3, 2, 1, 7]), p)

    assert run(write, np.array([1, 2, 3, 4], np.int32)).tolist() == [4, 1, 2, 9]


def test_fma_rounds_once():
    def write(f: Function, p: Value) -> None:
        x, y, z = (f.load("double", f.at(p, k, "double")) for k in range(3))
        f.store(f.fma(x, y, z), p)

    x = 1 + 2.0**-30
    assert run(write, np.array([x, x, -(x * x)]))[0] == 2.0**-60


def test_no_instruction_has_a_fast_math_flag():
    # 1e20 - 1e20 + x and x + 1 - 1 would become x under reassociation.
    def write(f: Function, p: Value) -> None:
        x = f.load("float", p)
        big = const("float", 1e20)
        f.store(f.op("fsub", f.op("fadd", x, big), big), p)

    assert run(write, np.array([3.0], np.float32))[0] == 0.0


def test_functions_are_declared_unless_they_are_defined():
    module = Module()
    f = Function(module, "run", [("x", "double")], "double")
    f.finish(f.call("mc.own", "double", f.call("llvm.fabs.f64", "double", f.parameters["x"])))
    own = Function(module, "mc.own", [("x", "double")], "double", "internal")
    own.finish(own.parameters["x"])
    text = str(module)
    assert text.count("@llvm.fabs.f64(double)") == 1
    assert "declare double @mc.own" not in text
    assert "define internal double @mc.own(double %x)" in text


def test_arrays_are_part_of_the_code():
    def write(f: Function, p: Value) -> None:
        table: Any = f.module.array("table", "i64", [5, 7, 11])
        f.store(f.load("i64", f.at(table, 2, "i64")), p)

    assert run(write, np.zeros(1, np.int64))[0] == 11


@pytest.mark.parametrize("type", ["i32", "i64", vector("i32", 8)])
@pytest.mark.parametrize("number", [0, 15, -3])
def test_a_literal_is_known_for_the_integer_that_it_is(type: str, number: int) -> None:
    assert literal_integer(const(type, number)) == number


def test_what_is_computed_is_no_literal() -> None:
    assert literal_integer(Value("%v1", "i32")) is None
    assert literal_integer(const("float", 1.0)) is None
    assert literal_integer(const_lanes(vector("i32", 2), [1, 2])) is None
