"""What an elementwise operation costs that is defined by others: one record, and it is there everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.autodiff.check import check_grads
from minicolumn.errors import TraceError
from minicolumn.ir.graph import Graph
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.ops.elementwise import TANH, unary
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.schedule.schedule import Schedule
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.train.step import Data, State, Step, Steps, train_steps

RNG = np.random.default_rng(0)


def _defined(**traits: Any) -> Op:
    """Define softsign, x / (1 + |x|); the one declaration it takes."""
    return unary(
        "softsign",
        traits.pop("numpy", None),
        lambda g, out, x: g / np.square(1.0 + np.abs(x)),
        **{"expansion": lambda x: x / (1.0 + np.abs(x)), **traits},
    )


@pytest.fixture
def softsign() -> Iterator[Op]:
    yield _defined()
    del OPS["softsign"]


@pytest.fixture
def define() -> Iterator[Callable[..., Op]]:
    yield _defined
    OPS.pop("softsign", None)


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINICOLUMN_CACHE_DIR", "off")  # code with a fault in it must not be kept


def _floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def _network(squash: Any) -> Callable[..., Any]:
    def loss(w: Any, v: Any, x: Any) -> Any:
        return np.mean(squash(squash(x @ w) @ v) ** 2)

    return mc.value_and_grad(loss, argnums=(0, 1))


ARRAYS = _floats(13, 17), _floats(17, 5), _floats(33, 13)


def test_its_derivatives_are_those_of_finite_differences(softsign: Op) -> None:
    check_grads(lambda x: np.sum(softsign(x) * x), (np.array([0.3, -1.2, 4.0]),), order=2)


def test_it_is_printed_and_read(softsign: Op) -> None:
    graph = graph_of(lambda x: softsign(x) * 2.0, _floats(3))
    assert "= softsign(x)" in str(graph)
    assert str(parse_graph(str(graph))) == str(graph)


def test_a_plan_shows_what_it_is_made_of(softsign: Op) -> None:
    assert "a = x / (1 + absolute(x))" in str(mc.inspect(lambda x: softsign(x), _floats(3)).fused)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (7, 13), (257,)])
def test_native_code_agrees_with_the_reference_to_the_bit(softsign: Op, shape: Any, dtype: Any) -> None:
    # One addition and one division, each correctly rounded in both.
    x = np.asarray(RNG.standard_normal(shape) * 100, dtype)
    graph = graph_of(lambda x: softsign(x), x)
    (native,), (reference,) = NativeProgram(graph)(x), ReferenceProgram(graph)(x)
    assert native.tobytes() == np.asarray(reference).tobytes()


def test_its_derivative_agrees_too(softsign: Op) -> None:
    for backend in ("native", "reference"):
        value, (w, v) = mc.compile(_network(softsign), backend=backend)(*ARRAYS)
        assert np.isfinite([value, w.sum(), v.sum()]).all()
    # The order of sums of 33 terms is free; each rounds by at most 6e-8 of terms below 1.
    exact = mc.compile(_network(softsign), backend="reference")(*ARRAYS)[1]
    for found, expected in zip(mc.compile(_network(softsign))(*ARRAYS)[1], exact, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_python_is_never_called(softsign: Op) -> None:
    assert not NativeProgram(graph_of(_network(softsign), *ARRAYS)).calls_host
    assert not NativeProgram(_epoch(softsign)).calls_host


def test_it_is_fused_as_tanh_is(softsign: Op) -> None:
    for function, arrays in ((_network, ARRAYS), (lambda f: lambda x: np.sum(f(x) * x), ARRAYS[:1])):
        kernels, same = (
            mc.inspect(function(op), *arrays).fused.kernels for op in (softsign, lambda x: np.tanh(x))
        )
        assert len(kernels) == len(same)


@pytest.mark.parametrize("units", [4, 40])  # in registers, and not
def test_it_trains_in_as_many_kernels_as_tanh(softsign: Op, units: int) -> None:
    plan, same = (NativeProgram(_epoch(op, units)).emitted.schedule for op in (softsign, TANH))
    assert len(plan.lanes) == len(same.lanes) == (units == 4)
    assert _kernels(plan) == _kernels(same)


def _kernels(level: Schedule) -> int:
    return len(level.fused.kernels) + sum(map(_kernels, level.inner.values()))


def _epoch(op: Op, units: int = 4) -> Graph:
    """Return an epoch of training a network whose activation is an operation."""
    net, optimizer = mc.nn.Sequential(mc.nn.Dense(units, op), mc.nn.Dense(3)), mc.optim.Adam(0.01)
    run = train_steps(Step(net, mc.nn.LOSSES["softmax_cross_entropy"].function, optimizer))
    params = net.init(0, (5,))
    state, data = State(params, optimizer.start(params)), Data(_floats(60, 5), np.zeros(60, np.int32))
    numbers = np.arange(6, dtype=np.uint32)
    steps = Steps(np.zeros((6, 16), np.int32), np.full(6, 0.01, np.float32), numbers)
    return graph_of(run, state, data, steps, mc.random.stream(0, "dropout"))


def test_its_shadow_agrees(softsign: Op) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e38, 1e-40, -3.0], np.float32)
    mc.compile(lambda x: softsign(x), shadow="reference")(x)
    mc.compile(_network(softsign), shadow="reference")(*ARRAYS)


def test_another_formula_is_compared_within_its_bound(define: Callable[..., Op]) -> None:
    def by_reciprocal(x: np.ndarray) -> np.ndarray:
        return x * (1 / (1 + np.abs(x)))  # one rounding more: 1.5 units at most, the expansion 1

    op = define(numpy=by_reciprocal, ulp=1.5)
    mc.compile(lambda x: op(x), shadow="reference")(_floats(999))


def test_an_expansion_that_is_another_function_is_found(define: Callable[..., Op]) -> None:
    op = define(numpy=lambda x: x / (1 + np.abs(x)) * np.float32(1.00001), ulp=2.0)
    with pytest.raises(mc.ShadowError, match="on softsign"):
        mc.compile(lambda x: op(x), shadow="reference")(_floats(99))


def test_an_expansion_keeps_the_type(define: Callable[..., Op]) -> None:
    op = define(expansion=lambda x: x > 0, numpy=np.sign)
    with pytest.raises(TraceError, match=r"softsign is f32\[3\], but its expansion gives bool\[3\]"):
        mc.compile(lambda x: op(x))(_floats(3))


def test_an_expansion_does_not_come_back_to_itself(define: Callable[..., Op]) -> None:
    op = define(expansion=lambda x: OPS["softsign"](x) * 2.0, numpy=np.sign)
    with pytest.raises(TraceError, match="uses softsign itself"):
        mc.compile(lambda x: op(x))(_floats(3))


def test_expansions_may_use_each_other(softsign: Op) -> None:
    op = unary("twice", None, None, expansion=lambda x: softsign(softsign(x)))
    try:
        x = _floats(5)
        graph = graph_of(lambda x: op(x), x)
        assert NativeProgram(graph)(x)[0].tobytes() == ReferenceProgram(graph)(x)[0].tobytes()
    finally:
        del OPS["twice"]
