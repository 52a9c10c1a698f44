"""Plans: nothing is read after it was let go, and what comes out is what the graph says."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minicolumn.ir.graph import CONST, Graph, Node, input_node
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.plan import Plan, make_plan
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.passes.simplify import simplify

# The fixtures hand out functions and a module, which no example can change.
CALM = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def evaluate(graph: Graph, args: Sequence[np.ndarray]) -> list[Any]:
    """Return what a graph means: every node by hand, loops too; what the interpreter is held against."""
    values: dict[Node, Any] = dict(zip(graph.inputs, args, strict=True))
    for node in graph.nodes:
        if node not in values:
            mean = _loop if node.op is SCAN else node.op.numpy
            values[node] = mean(*(values[i] for i in node.inputs), **node.attrs)
    return [values[node] for node in graph.outputs]


def _loop(*args: Any, body: Graph, consts: int, carry: int, length: int, reverse: bool) -> tuple[Any, ...]:
    fixed, state, rows = args[:consts], list(args[consts : consts + carry]), args[consts + carry :]
    ys: list[list[Any]] = [[] for _ in body.outputs[carry:]]
    for i in range(length)[:: -1 if reverse else 1]:
        out = evaluate(body, [*fixed, *state, *(row[i] for row in rows)])
        state = out[:carry]
        for y, value in zip(ys, out[carry:], strict=True):
            y.append(value)
    types = (node.array_type for node in body.outputs[carry:])
    stacked = (
        np.array(y[:: -1 if reverse else 1], t.dtype).reshape(length, *t.shape)
        for y, t in zip(ys, types, strict=True)
    )
    return (*state, *stacked)


def run_symbolically(plan: Plan) -> list[Node | None]:
    """Run a plan on the nodes themselves: a slot holds the node whose value it would hold."""
    slots: list[Node | None] = [None] * plan.slots
    for slot, node in zip(plan.inputs, plan.graph.inputs, strict=True):
        slots[slot] = node
    for slot, node in plan.constants:
        assert slots[slot] is None
        slots[slot] = node
    for step in plan.steps:
        assert tuple(slots[i] for i in step.reads) == step.node.inputs
        for slot in step.frees:
            assert slots[slot] is not None, "freed twice"
            slots[slot] = None
        assert slots[step.writes] is None, "a value that was not let go is overwritten"
        slots[step.writes] = step.node
    return [slots[i] for i in plan.outputs]


@CALM
@given(data=st.data())
def test_plans_hold_on_to_what_is_still_needed(graphs: ModuleType, data: st.DataObject) -> None:
    graph = data.draw(graphs.random_graphs())
    plan = make_plan(graph)
    assert run_symbolically(plan) == list(graph.outputs)
    expected = {n for n in graph.nodes if n not in graph.inputs and n.op is not CONST}
    assert {step.node for step in plan.steps} == expected
    assert len(plan.steps) == len(expected)


@CALM
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_the_reference_program_is_the_meaning_of_the_graph(
    graphs: ModuleType, bits: Any, data: st.DataObject, seed: int
) -> None:
    graph = data.draw(graphs.random_graphs())
    args = graphs.arguments(graph, seed)
    program = ReferenceProgram(graph)
    with np.errstate(all="ignore"):
        expected = bits(evaluate(graph, args))
        assert bits(program(*args)) == expected
        assert bits(program(*args)) == expected  # again: a program keeps nothing from one run to the next


def test_a_long_chain_needs_two_slots_beside_its_input(apply: Any) -> None:
    x = node = input_node(ArrayType(np.dtype(np.float64), (3,)), "x")
    for _ in range(20):
        node = apply("exp", node)
    assert make_plan(Graph((x,), (node,))).slots == 3


def test_an_input_may_be_an_output_and_come_twice(apply: Any) -> None:
    x = input_node(ArrayType(np.dtype(np.float64), (3,)), "x")
    graph = simplify(Graph((x,), (x, apply("exp", x), x)))
    assert run_symbolically(make_plan(graph)) == list(graph.outputs)


def test_a_plan_can_be_read(apply: Any) -> None:
    x = input_node(ArrayType(np.dtype(np.float64), (3,)), "x")
    plan = make_plan(Graph((x,), (apply("exp", apply("sin", x)),), "wave"))
    assert str(plan) == (
        "plan of wave: 2 steps, 3 slots\n  %1: f64[3] = sin(%0)\n  %2: f64[3] = exp(%1)  frees %1"
    )
