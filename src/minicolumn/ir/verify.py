"""The graph verifier: invariants that every graph keeps and passes are checked against."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import MinicolumnError, ShapeError, TraceError, did_you_mean
from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import DTYPES, ArrayType, Dim, TupleType, Type, is_length
from minicolumn.ir.text import attr_names, node_names, print_node

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Attrs


def verify(graph: Graph) -> None:
    """Check that a graph is well formed, the bodies of its loops too.

    Raises ShapeError where a type is not what the operation's type rule says, and TraceError where a node is
    not in its place, is not in the operation table or holds attributes that its text would not show exactly.
    Both show the line.

    >>> from minicolumn.ir.graph import Node, const_node
    >>> from minicolumn.ir.ops.elementwise import EXP
    >>> x = const_node(np.ones(3))
    >>> verify(Graph((), (Node(EXP, (x,), {}, x.type.with_shape((4,))),)))
    Traceback (most recent call last):
    minicolumn.errors.ShapeError: exp gives f64[3], but the node says f64[4]; in b: f64[4] = exp(a)
    """
    _verify(graph, frozenset())


def _verify(graph: Graph, outer: Set[Dim]) -> None:
    """Check a graph within others, whose inputs have some symbolic dimensions."""
    names = node_names(graph)
    inputs: set[Node] = set()
    for node in graph.inputs:
        _shown(node, names, _check_input, node, inputs)
        inputs.add(node)
    dims = graph.dims.keys() | outer
    defined: set[Node] = set()
    for node in graph.nodes:
        _shown(node, names, _check_place, node, inputs, defined)
        _shown(node, names, _check_meaning, node, dims)
        defined.add(node)
    for node in graph.outputs:
        _shown(node, names, _check_output, node)


def infer_type(op: Op, types: tuple[Type, ...], attrs: Attrs) -> Type:
    """Return what the type rule of an operation gives; every misfit is a ShapeError or a TraceError."""
    known = attr_names(op)
    for name in attrs:
        if name not in known:
            raise TraceError(f"{op.name} has no attribute {name!r}{did_you_mean(name, known)}")
    try:
        return op.infer(*types, **attrs)
    except MinicolumnError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, AssertionError) as error:
        operands, given = ", ".join(map(str, types)) or "no operands", ", ".join(attrs) or "no attributes"
        raise ShapeError(f"{op.name} does not take {operands} with {given} ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    # Of a missing operand Python names the function, which is often a lambda; only the rest is of use.
    return str(error).partition("() ")[2] or str(error) or type(error).__name__


def _shown(node: Node, names: dict[Node, str], check: Callable[..., object], *args: object) -> None:
    try:
        check(*args)
    except MinicolumnError as error:
        raise type(error)(f"{error}; in {' '.join(print_node(node, names).split())}") from None


def _check_input(node: Node, before: set[Node]) -> None:
    if node.op is not INPUT:
        raise TraceError(f"the graph lists a node of {node.op.name} among its inputs")
    if node in before:
        raise TraceError("the graph lists this input twice")


def _check_place(node: Node, inputs: set[Node], defined: set[Node]) -> None:
    if node.op is INPUT and node not in inputs:
        raise TraceError("this input is read but not listed among the graph's inputs")
    for place, operand in enumerate(node.inputs):
        if operand not in defined:
            raise TraceError(f"operand {place} depends on this node itself: the graph has a cycle")


def _check_output(node: Node) -> None:
    if not isinstance(node.type, ArrayType):
        raise TraceError(f"an output is one array, but this node holds {node.type}; take its items out first")


def _check_meaning(node: Node, dims: Set[Dim]) -> None:
    if OPS.get(node.op.name) is not node.op:
        raise TraceError(f"operation {node.op.name!r} is not in the operation table")
    if node.where is not None and type(node.where) is not str:
        raise TraceError(f"where is text or None, got a {type(node.where).__name__}")
    _check_type(node.type, dims)
    for name, value in node.attrs.items():
        _check_attr(node, name, value, dims)
    found = infer_type(node.op, tuple(operand.type for operand in node.inputs), node.attrs)
    if found != node.type:
        raise ShapeError(f"{node.op.name} gives {found}, but the node says {node.type}")


def _check_type(declared: object, dims: Set[Dim]) -> None:
    parts = declared.items if isinstance(declared, TupleType) else (declared,)
    for part in parts:
        if not isinstance(part, ArrayType):
            raise TraceError(f"a type is an ArrayType or a TupleType of them, got a {type(part).__name__}")
        if not all(type(n) in (int, Dim) and is_length(n) for n in part.shape):
            raise TraceError(f"shapes are Python integers from 0 on and named dimensions, got {part.shape!r}")
        for dim in part.dims:
            _check_dim(dim, dims)


def _check_dim(dim: Dim, dims: Set[Dim]) -> None:
    if dim not in dims:
        raise ShapeError(f"no input of the graph has the dimension {dim}, so nothing says how long it is")


def _check_attr(node: Node, name: str, value: object, dims: Set[Dim]) -> None:
    if isinstance(value, Graph):
        return _check_body(value, dims)
    if node.op is CONST:
        return _check_const(value)
    if node.op is INPUT and name == "type":
        return _check_type(value, dims)
    return _check_plain(name, value, dims)


def _check_body(body: Graph, dims: Set[Dim]) -> None:
    try:
        _verify(body, dims)
    except MinicolumnError as error:
        raise type(error)(f"{error}; in the body of a loop") from None


def _check_const(value: object) -> None:
    if not isinstance(value, np.ndarray):
        raise TraceError(f"a constant holds an array, got a {type(value).__name__}")
    if value.flags.writeable:
        raise TraceError("this constant can be written to; const_node makes one that is read-only")


def _check_plain(name: str, value: object, dims: Set[Dim]) -> None:
    if isinstance(value, tuple):
        for item in value:
            _check_plain(name, item, dims)
    elif isinstance(value, Dim):
        _check_dim(value, dims)
    elif isinstance(value, np.dtype):
        if value not in DTYPES.values():
            raise TraceError(f"attribute {name} is of dtype {value}; there are {', '.join(DTYPES)}")
    elif value is not None and type(value) not in (bool, int, float, str):
        allowed = "Python numbers, text, dtypes, named dimensions, tuples of these and graphs"
        raise TraceError(f"attribute {name} is of type {type(value).__name__}; attributes are {allowed}")
