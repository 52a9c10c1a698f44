"""Outlining: what equals an operation's expansion gives way to it, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import TraceError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.op import Op
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.compile import graph_of, graph_with_dims
from minicolumn.nn.activations import ACTIVATIONS
from minicolumn.passes.pipeline import EXPAND, OUTLINE

X = np.linspace(-3, 3, 12, dtype=np.float32).reshape(4, 3)


def operation(name: str) -> Op:
    function = ACTIVATIONS[name].function
    return Op(name, "map", lambda x: x, function, expansion=function)


SELU, ELU, SOFTMAX, RELU = map(operation, ("selu", "elu", "softmax", "relu"))


def outlined(graph: Graph, *ops: Op) -> list[str]:
    """Return the names of what is left between inputs and outputs; the pass checks that it means the same."""
    return [n.op.name for n in OUTLINE(EXPAND(graph), ops).nodes if n.op.kind != "leaf"]


def test_the_largest_is_put_in_the_place_of_nested_ones() -> None:
    graph = graph_of(ACTIVATIONS["selu"].function, X)
    assert outlined(graph, ELU) == outlined(graph, ELU, RELU)
    assert outlined(graph, ELU, SELU) == outlined(graph, SELU, ELU) == ["selu"]


def test_it_is_found_wherever_it_lies_and_as_often() -> None:
    function = ACTIVATIONS["softmax"].function
    graph = graph_with_dims(lambda x: function(np.tanh(function(x))) + 1.0, {0: "batch"}, X)
    assert outlined(graph, SOFTMAX) == ["softmax", "tanh", "softmax", "add"]


def test_a_part_that_something_else_reads_stays() -> None:
    def function(x: np.ndarray) -> np.ndarray:
        weights = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return weights / np.sum(weights, axis=-1, keepdims=True) + weights

    names = outlined(graph_of(function, X), SOFTMAX)
    assert "softmax" in names
    assert "exp" in names


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.where(x < 0, 0.0, x),  # another test
        lambda x: np.where(x <= 0, 0.5, x),  # another constant
        lambda x: np.where(x <= 0, 0.0, x + 1),  # another array behind the test than before it
        lambda x: np.exp(x) / np.sum(np.exp(x), axis=0, keepdims=True),  # another axis, no shift
        lambda x: np.exp(x - np.max(x, axis=0)) / np.sum(np.exp(x - np.max(x, axis=0)), axis=0),
    ],
)
def test_what_differs_in_anything_stays(function: object) -> None:
    graph = graph_of(function, X)  # type: ignore[arg-type]
    assert outlined(graph, RELU, SOFTMAX) == outlined(graph)


def test_every_activation_that_is_put_in_can_be_taken_out() -> None:
    ops = [operation(name) for name, rule in ACTIVATIONS.items() if rule.scores == 1 and name != "linear"]
    for op in ops:
        graph = EXPAND(graph_of(op.expansion, X))  # type: ignore[arg-type]
        names = [n.op.name for n in OUTLINE(graph, ops).nodes if n.op.kind != "leaf"]
        assert len(names) == 1, op


def test_a_wrong_one_is_found_by_its_expansion() -> None:
    graph = parse_graph("fn(x: f32[4,3]) { a: f32[4,3] = tanh(x) return a }")
    (out,) = graph.outputs
    wrong = Graph(graph.inputs, (Node(RELU, out.inputs, {}, out.type),))
    with pytest.raises(TraceError, match="expands to another graph"):
        OUTLINE.check(wrong, graph, (RELU,))


def test_networks_of_layers_keep_their_meaning() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, "selu"), mc.nn.Dense(4, "mish"), mc.nn.Dense(2, "softmax"))
    params = net.init(0, (3,))
    ops = [operation(name) for name in ("selu", "mish", "softmax", "relu")]
    names = outlined(graph_of(lambda x: net.apply(params, x), X), *ops)
    assert names == ["matmul", "add", "selu", "matmul", "add", "mish", "matmul", "add", "softmax"]
