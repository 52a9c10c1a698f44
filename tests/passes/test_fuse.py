"""Kernels: every array is computed once, before it is read; known graphs give the kernels one expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import prod
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn import optim
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, input_node
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.passes.fuse import fuse
from minicolumn.passes.kernel import Fused


def every_map(node: Node) -> bool:
    return True


def fused(function: Callable[..., Any], *args: Any) -> list[str]:
    """Return the kernels of a function: kind, anchor, shape, and what is stored."""
    found = []
    for kernel in fuse(graph_of(function, *args), every_map).kernels:
        stored = " ".join(s.value.op.name for s in kernel.stores)
        name = f" {kernel.anchor.op.name}" if kernel.anchor else ""
        found.append(f"{kernel.kind}{name} {list(kernel.shape)}: {stored}")
    return found


def floats(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


# Known graphs -----------------------------------------------------------------------------------------------

PARAMS = {"w": floats(20, 30), "b": floats(30)}
X, Y = floats(8, 20), floats(8, 30)


def dense(params: Any, x: Any) -> Any:
    return np.maximum(x @ params["w"] + params["b"], 0)


def loss(params: Any, x: Any, y: Any) -> Any:
    return np.mean((dense(params, x) - y) ** 2)


def test_a_layer_is_one_product():
    assert fused(dense, PARAMS, X) == ["product matmul [8, 30]: maximum"]


def test_its_gradient_is_two_products_and_two_sums():
    assert fused(mc.grad(loss), PARAMS, X, Y) == [
        "product matmul [8, 30]: where",
        "product matmul [20, 30]: matmul",
        "reduce sum [30]: sum",
    ]


def test_the_optimizer_follows_the_gradient_where_it_is_computed():
    adam = optim.Adam(1e-3)

    def step(params: Any, moments: Any, x: Any, y: Any) -> Any:
        updates, moments = adam.step(mc.grad(loss)(params, x, y), moments, params, np.float32(1e-3))
        return optim.apply_updates(params, updates), moments

    first, count, *rest = fused(step, PARAMS, adam.start(PARAMS), X, Y)
    assert first == "product matmul [8, 30]: where"
    assert count.startswith("loop []: ")
    # Both moments and the weights, in one pass over each.
    assert rest == ["product matmul [20, 30]: add add add", "reduce sum [30]: add add add"]


def test_a_softmax_stores_what_is_dear_once():
    def softmax(x: Any) -> Any:
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)

    assert fused(softmax, X) == [
        "reduce max [8]: max",
        "loop [8, 20]: exp",
        "reduce sum [8]: sum",
        "loop [8, 20]: divide",
    ]


def test_what_is_cheap_is_computed_again():
    assert fused(lambda x, y: (np.sum(x + x, axis=0), np.sum(x + x, axis=1)), X, X) == [
        "reduce sum [20]: sum",
        "reduce sum [8]: sum",
    ]


def test_of_broadcast_products_the_factor_is_stored_that_costs_something():
    def both(x: Any, y: Any) -> Any:
        wide = x[:, None, :] * np.exp(y)[:, :, None]  # [8, 4, 20]
        return np.sum(wide, axis=0), np.max(wide, axis=1)

    kernels = fused(both, X, floats(8, 4))
    assert kernels == ["loop [8, 4]: exp", "reduce sum [4, 20]: sum", "reduce max [8, 20]: max"]
    kernels = fused(lambda x, w, y: both(x @ w, y), X, floats(20, 20), floats(8, 4))
    assert kernels[0] == "product matmul [8, 20]: matmul"
    assert kernels[1:] == ["loop [8, 4]: exp", "reduce sum [4, 20]: sum", "reduce max [8, 20]: max"]


def test_maps_over_one_shape_that_share_work_are_one_loop():
    assert fused(lambda x: (np.tanh(x) + 1, np.tanh(x) * 2), X) == ["loop [8, 20]: add multiply"]


def test_maps_that_share_nothing_stay_apart():
    assert fused(lambda x, y: (np.tanh(x), np.exp(y)), X, X + 1) == [
        "loop [8, 20]: tanh",
        "loop [8, 20]: exp",
    ]


def test_parts_are_written_where_they_belong():
    assert fused(lambda x, y: np.concatenate([x @ y, np.exp(x)], axis=1), floats(4, 4), floats(4, 4)) == [
        "product matmul [4, 4]: matmul",
        "loop [4, 4]: exp",
    ]


# Graphs that went wrong once --------------------------------------------------------------------------------


def test_a_padding_is_filled_before_it_is_written(apply: Callable[..., Node]):
    x = input_node(ArrayType(np.dtype(np.float32), (3,)))
    padded = apply("pad", apply("exp", x), low=(1,), high=(0,), gap=(0,))
    done = fuse(Graph((x,), (padded,)), every_map)
    fill, write = done.kernels
    assert fill.kind == "fill"
    assert fill.targets == write.targets == [padded]
    assert fill in done.needs[write]


# Laws -------------------------------------------------------------------------------------------------------


def written(done: Fused) -> Counter[Node]:
    """Return how many elements of each array are stored."""
    found: Counter[Node] = Counter()
    for kernel in done.kernels:
        for store in kernel.stores:
            found[store.target] += prod(store.value.array_type.shape)
    return found


@settings(max_examples=120, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_array_is_computed_once_and_before_it_is_read(graphs: ModuleType, data: st.DataObject):
    graph = data.draw(graphs.random_graphs())
    done = fuse(graph, every_map)
    stored = written(done)
    for node in done.arrays - {
        n for n in graph.nodes if n.op in (INPUT, CONST) or n.op.name in ("item", "scan")
    }:
        whole = node.inputs[0].array_type.size if node.op.name == "pad" else node.array_type.size
        expected = whole if node in stored or whole == 0 or node in graph.outputs else 0
        assert stored[node] == expected, node
    assert set(graph.outputs) <= done.arrays
    finished: set[Node] = {n for n in graph.nodes if n.op in (INPUT, CONST)}
    left = Counter(s.target for k in done.kernels for s in k.stores)
    for kernel in done.kernels:
        assert set(done.reads(kernel)) <= finished, kernel
        left.subtract(s.target for s in kernel.stores)
        finished |= {s.target for s in kernel.stores if not left[s.target]}
        if kernel.kind == "scan":
            finished |= {i for i in done.items if i.inputs[0] is kernel.anchor}
    assert set(graph.outputs) <= finished


@settings(max_examples=60, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_kernels_come_after_what_they_need(graphs: ModuleType, data: st.DataObject):
    done = fuse(data.draw(graphs.random_graphs()), every_map)
    place = {kernel: k for k, kernel in enumerate(done.kernels)}
    assert all(place[n] < place[k] for k in done.kernels for n in done.needs[k])


@pytest.mark.parametrize("name", ["sum", "max"])
def test_a_reduction_of_a_constant_reads_no_more_than_that(name: str, apply: Callable[..., Node]):
    c = const_node(np.ones((3, 4), np.float32))
    done = fuse(Graph((), (apply(name, c, axes=(0,)),)), every_map)
    assert [done.reads(k) for k in done.kernels] == [[c]]


@pytest.mark.parametrize(
    ("first", "kinds"), [("sort(x, axis=0)", ["host", "loop"]), ("cumsum(x, axis=0)", ["order", "loop"])]
)
def test_what_comes_after_a_kernel_without_a_loop_of_its_own_has_one(first: str, kinds: list[str]) -> None:
    graph = parse_graph(f"fn(x: f32[9,9]) {{ a: f32[9,9] = {first} b: f32[9,9] = tanh(a) return a, b }}")
    assert [(kernel.kind, len(kernel.stores)) for kernel in fuse(graph, is_native).kernels] == [
        (kind, 1) for kind in kinds
    ]
