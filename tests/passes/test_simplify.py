"""Simplified programs: the same bits, fewer operations."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.ir.graph import CONST, Graph, Node, const_node, input_node
from minicolumn.ir.interpret import interpret
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import ArrayType
from minicolumn.ir.verify import verify
from minicolumn.passes.simplify import FOLD_UP_TO, PARTS, simplify
from minicolumn.trace.program import trace_call

F64 = np.dtype(np.float64)
# The fixtures hand out functions and a module, which no example can change.
CALM = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SEEDS = st.integers(0, 2**32 - 1)


def _names(graph: Graph) -> list[str]:
    return sorted(node.op.name for node in graph.nodes if node.op.kind != "leaf")


def _operations(graph: Graph) -> int:
    """Return how many operations there are, those in bodies of loops among them."""
    inner = [node.attrs["body"] for node in graph.nodes if node.op is SCAN]
    return len(_names(graph)) + sum(_operations(body) for body in inner)


@CALM
@given(data=st.data(), seed=SEEDS)
def test_no_bit_changes(graphs: ModuleType, bits: Any, data: st.DataObject, seed: int) -> None:
    graph = data.draw(graphs.random_graphs())
    args = graphs.arguments(graph, seed)
    with np.errstate(all="ignore"):
        assert bits(interpret(graph)(*args)) == bits(interpret(simplify(graph))(*args))


@CALM
@given(data=st.data(), seed=SEEDS, parts=st.sets(st.sampled_from([*PARTS])))
def test_any_part_can_be_left_out(
    graphs: ModuleType, bits: Any, data: st.DataObject, seed: int, parts: set[str]
) -> None:
    graph = data.draw(graphs.random_graphs())
    args = graphs.arguments(graph, seed)
    with np.errstate(all="ignore"):
        some = simplify(graph, parts=tuple(parts))
        assert bits(interpret(graph)(*args)) == bits(interpret(some)(*args))
    verify(some)
    assert _operations(simplify(graph)) <= _operations(some) <= _operations(graph)


@CALM
@given(data=st.data())
def test_a_simplified_graph_is_whole_small_and_final(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs())
    with np.errstate(all="ignore"):
        once = simplify(graph)
        twice = simplify(once)
    verify(once)
    assert once.inputs == graph.inputs
    assert [o.type for o in once.outputs] == [o.type for o in graph.outputs]
    assert _operations(once) <= _operations(graph)
    assert str(once) == str(twice)


def _x(*shape: int) -> Node:
    return input_node(ArrayType(F64, shape), "x")


def test_what_is_computed_twice_is_computed_once(apply: Any) -> None:
    x = _x(3)
    graph = Graph((x,), (apply("add", apply("exp", x), apply("exp", x)),))
    assert _names(simplify(graph)) == ["add", "exp"]


def test_operands_in_another_order_are_another_operation(apply: Any) -> None:
    x, y = _x(3), _x(3)
    graph = Graph((x, y), (apply("subtract", x, y), apply("subtract", y, x)))
    assert _names(simplify(graph)) == ["subtract", "subtract"]


def test_attributes_make_another_operation(apply: Any) -> None:
    x = _x(3, 3)
    graph = Graph((x,), (apply("sum", x, axes=(0,)), apply("sum", x, axes=(1,))))
    assert _names(simplify(graph)) == ["sum", "sum"]


def test_what_depends_on_constants_alone_is_a_constant(apply: Any) -> None:
    graph = Graph((), (apply("sum", apply("exp", const_node(np.zeros(4))), axes=(0,)),))
    found = simplify(graph)
    assert found.outputs[0].op is CONST
    assert found.outputs[0].attrs["value"] == 4.0


def test_large_constants_are_not_unfolded(apply: Any) -> None:
    wide = apply("broadcast", const_node(np.zeros(())), shape=(FOLD_UP_TO + 1,))
    assert _names(simplify(Graph((), (wide,)))) == ["broadcast"]


def test_what_fails_is_left_to_fail_when_it_runs(apply: Any) -> None:
    solved = apply("solve", const_node(np.zeros((2, 2))), const_node(np.ones((2, 1))))
    assert _names(simplify(Graph((), (solved,)))) == ["solve"]


def test_what_nothing_reads_is_gone() -> None:
    def f(x: Any) -> Any:
        np.exp(x)
        return x + 1.0

    assert _names(simplify(trace_call(f, np.ones(3)).graph)) == ["add"]


def test_constants_of_different_bits_stay_apart() -> None:
    nan = np.array([np.nan])
    other = nan.copy()
    other.view(np.int64)[0] ^= 1  # another NaN
    values = [
        np.array([0.0]),
        np.array([-0.0]),
        nan,
        other,
        np.array([0], np.int64),
        np.array([0.0], np.float32),
    ]
    found = simplify(Graph((), tuple(const_node(v) for v in values)))
    assert len(set(found.outputs)) == len(values)
    for node, value in zip(found.outputs, values, strict=True):
        assert node.attrs["value"].tobytes() == value.tobytes()


def test_equal_constants_are_one() -> None:
    found = simplify(Graph((), (const_node(np.array([np.nan])), const_node(np.array([np.nan])))))
    assert len(set(found.outputs)) == 1


def test_constants_are_the_programs_own() -> None:
    table = np.arange(3.0)
    graph = simplify(trace_call(lambda x: x + table, np.zeros(3)).graph)
    table[:] = 9.0
    held = [node.attrs["value"] for node in graph.nodes if node.op is CONST]
    assert [list(v) for v in held] == [[0.0, 1.0, 2.0]]
    assert not any(v.flags.writeable for v in held)


def test_the_slope_of_a_mean_is_one_number() -> None:
    def loss(x: Any) -> Any:
        return np.mean(np.sum(np.exp(x) * x, axis=1))

    found = simplify(trace_call(mc.grad(loss), np.ones((8, 3))).graph)
    assert [node.array_type.shape for node in found.nodes if node.op is CONST] == [()]
    assert "broadcast" not in _names(found)


def test_only_a_tolerance_lets_results_move() -> None:
    def step(state: Any, x: Any) -> Any:
        return state, x / np.float64(3.0)

    xs = np.array([0.1, 0.7, 5.0])
    graph = trace_call(lambda xs: mc.scan(step, np.float64(1.0), xs), xs).graph

    def body(tolerance: float) -> list[str]:
        found = simplify(graph, tolerance)
        return _names(next(node.attrs["body"] for node in found.nodes if node.op is SCAN))

    assert (body(0.0), body(0.5), body(1.0)) == (["divide"], ["divide"], ["multiply"])


def test_bodies_of_loops_are_simplified_and_right() -> None:
    def step(state: Any, x: Any) -> Any:
        twice = np.exp(x) + np.exp(x)
        return state * 1.0 + twice, np.negative(np.negative(state))

    xs = np.array([0.5, -0.0, 2.0])
    graph = trace_call(lambda xs: mc.scan(step, np.float64(1.0), xs), xs).graph
    found = simplify(graph)
    body = next(node.attrs["body"] for node in found.nodes if node.op is SCAN)
    assert _names(body) == ["add", "add", "exp"]
    before, after = interpret(graph)(xs), interpret(found)(xs)
    assert [np.asarray(v).tobytes() for v in before] == [np.asarray(v).tobytes() for v in after]


def test_transposes_are_merged_but_for_what_a_batch_of_products_reads_by_strides(apply: Any) -> None:
    def merged(*axes: tuple[int, ...]) -> list[Any]:
        node = input_node(ArrayType(np.dtype(np.float32), (2, 3, 4)), "x")
        graph = Graph((node,), (node,))
        for permutation in axes:
            graph = Graph((graph.inputs[0],), (apply("transpose", graph.outputs[0], axes=permutation),))
        return [n.attrs["axes"] for n in simplify(graph).nodes if n.op.name == "transpose"]

    turned, gathered = (0, 2, 1), (1, 0, 2)
    assert merged(gathered, turned) == [gathered, turned]
    assert merged(gathered, turned, turned) == [gathered]
    assert merged(turned, gathered) == [(2, 0, 1)]
    assert merged(turned, turned) == merged(gathered, gathered) == []
    assert merged((1, 2, 0), turned) == [(1, 0, 2)]
