"""The verifier: it accepts what is well formed, and shows the line of what is not."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minicolumn.errors import MinicolumnError, ShapeError, TraceError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, input_node
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import DTYPES, ArrayType, TupleType
from minicolumn.ir.verify import verify

F32 = DTYPES["f32"]
VECTOR = ArrayType(F32, (3,))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_well_formed_graphs_are_accepted(graphs: ModuleType, data: st.DataObject) -> None:
    verify(data.draw(graphs.random_graphs()))


def _wider(node: Node) -> Node:
    assert isinstance(node.type, ArrayType)
    return Node(node.op, node.inputs, node.attrs, node.type.with_shape((*node.type.shape, 1)))


def _other_dtype(node: Node) -> Node:
    assert isinstance(node.type, ArrayType)
    dtype = DTYPES["i64"] if node.type.dtype == DTYPES["f64"] else DTYPES["f64"]
    return Node(node.op, node.inputs, node.attrs, node.type.with_dtype(dtype))


def _unknown_attr(node: Node) -> Node:
    return Node(node.op, node.inputs, node.attrs | {"axees": 1}, node.type)


def _another_op(node: Node) -> Node:
    stranger = Op(node.op.name, node.op.kind, node.op.infer, node.op.numpy)
    return Node(stranger, node.inputs, node.attrs, node.type)


def _numpy_attr(node: Node) -> Node:
    return Node(node.op, node.inputs, node.attrs | {"note": np.int64(1)}, node.type)


def _reads_itself(node: Node) -> Node:
    changed = Node(node.op, node.inputs, node.attrs, node.type)
    changed.inputs = (*node.inputs, changed)
    return changed


def _unlisted(node: Node) -> Node:
    return input_node(node.type)


MUTATIONS = [_wider, _other_dtype, _unknown_attr, _another_op, _numpy_attr, _reads_itself, _unlisted]


@pytest.mark.parametrize("mutate", MUTATIONS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_mutated_graphs_are_refused(
    mutate: Callable[[Node], Node], graphs: ModuleType, data: st.DataObject
) -> None:
    graph = data.draw(graphs.random_graphs(most=4))
    results = [node for node in graph.outputs if node.op not in (INPUT, CONST)]
    assume(results)
    chosen = data.draw(st.sampled_from(results))
    verify(graph)
    with pytest.raises(MinicolumnError, match=r"; in \S+: "):
        verify(Graph(graph.inputs, (*graph.outputs, mutate(chosen))))


def _graph(op: str, attrs: dict[str, Any], type: Any = VECTOR) -> Graph:
    x = input_node(VECTOR, "x")
    return Graph((x,), (Node(OPS[op], (x,), attrs, type, "model.py:12"),))


def test_the_message_is_one_line_that_shows_the_node() -> None:
    with pytest.raises(ShapeError) as caught:
        verify(_graph("sum", {"axes": (0,)}))
    message = str(caught.value)
    assert message.startswith("sum ")
    assert "f32[]" in message
    assert message.endswith("in a: f32[3] = sum(x, axes=[0]) # model.py:12")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("attrs", "problem"),
    [
        ({"axes": [0]}, "attribute axes is of type list"),
        ({"axes": (np.int64(0),)}, "attribute axes is of type int64"),
        ({"axes": (1,)}, "axes [1] are not ascending axes of an array of 1 dimensions"),
        ({"axes": (-1,)}, "axes [-1] are not ascending"),
        ({}, "missing 1 required keyword-only argument: 'axes'"),
        ({"axis": (0,)}, "sum has no attribute 'axis'; did you mean 'axes'?"),
    ],
)
def test_attributes_are_plain_and_fit(attrs: dict[str, Any], problem: str) -> None:
    with pytest.raises(MinicolumnError) as caught:
        verify(_graph("sum", attrs, ArrayType(F32, ())))
    assert problem in str(caught.value)


def test_shapes_are_python_integers() -> None:
    with pytest.raises(TraceError, match="shapes are Python integers"):
        verify(_graph("exp", {}, ArrayType(F32, (np.int64(3),))))  # type: ignore[arg-type]


def test_constants_are_read_only() -> None:
    node = const_node(np.ones(3))
    writable = Node(CONST, (), {"value": np.ones(3)}, node.type)
    verify(Graph((), (node,)))
    with pytest.raises(TraceError, match=r"this constant can be written to; .*; in a: "):
        verify(Graph((), (writable,)))


def test_an_input_is_listed_once_and_is_an_input() -> None:
    x = input_node(VECTOR, "x")
    with pytest.raises(TraceError, match="lists this input twice"):
        verify(Graph((x, x), ()))
    with pytest.raises(TraceError, match="lists a node of const among its inputs"):
        verify(Graph((const_node(np.ones(3)),), ()))


def test_an_output_is_one_array() -> None:
    x = input_node(TupleType((VECTOR,)), "x")
    with pytest.raises(TraceError, match="an output is one array"):
        verify(Graph((x,), (x,)))


def test_cycles_are_found() -> None:
    x = input_node(VECTOR, "x")
    first = Node(OPS["exp"], (x,), {}, VECTOR)
    second = Node(OPS["log"], (first,), {}, VECTOR)
    first.inputs = (second,)
    with pytest.raises(TraceError, match="cycle"):
        verify(Graph((x,), (second,)))


LOOP = """fn(s: f32[], xs: f32[4]) {
  a: (f32[], f32[4]) = scan(s, xs, consts=0, carry=1, length=4, reverse=False, body=step(s: f32[], x: f32[]) {
    b: f32[] = add(s, x)
    return b, s
  })
  c: f32[] = item(a, index=0)
  return c
}"""


def test_bodies_of_loops_are_verified() -> None:
    graph = parse_graph(LOOP)
    verify(graph)
    scan = next(node for node in graph.nodes if node.op.name == "scan")
    added = scan.attrs["body"].outputs[0]
    added.type = VECTOR
    with pytest.raises(
        ShapeError, match=r"add gives f32\[\].*; in a: .*; in the body of a loop; in a: .* = scan"
    ):
        verify(graph)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("length=4", "length=5", "needs 5 rows"),
        ("consts=0", "consts=1", "the body takes"),
        ("carry=1", "carry=0", "needs 4 rows"),
        ("carry=1", "carry=3", "do not fit 2 operands"),
        ("consts=0", "consts=-1", "do not fit 2 operands"),
        ("index=0", "index=2", "has no item 2"),
        ("index=0", "index=-1", "has no item -1"),
    ],
)
def test_loops_that_do_not_fit_are_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(ShapeError, match=problem):
        parse_graph(LOOP.replace(old, new))
