"""What machine code does with arrays of symbolic dimensions: index them, scan over them, hand them on.

Everything else has its shape built in. So what is made along the way needs memory of a size that is known; an
array with a symbolic dimension is written right into a result, for which the caller made room at each call.
"""

from __future__ import annotations

from minicolumn.errors import TraceError
from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import ArrayType, Dim, TupleType


def check_dims(graph: Graph) -> None:
    """Refuse a graph that does more with an array of symbolic dimensions than machine code can."""
    for node in graph.nodes:
        if node.op is SCAN:
            _check_loop(graph, node)
        elif node.op is ITEM:
            _check_item(graph, node)
        elif node.op not in (INPUT, CONST) and not _is_row(node):
            for type in (node.array_type, *(operand.array_type for operand in node.inputs)):
                _refuse(node, type)


def _is_row(node: Node) -> bool:
    """Return whether rows of known size are read by their number."""
    if node.op is not GATHER:
        return False
    (_, *row), indices = node.inputs[0].array_type.shape, node.inputs[1:]
    open_row = any(isinstance(n, Dim) for n in row)
    return not open_row and not node.array_type.dims and not any(i.array_type.dims for i in indices)


def _refuse(node: Node, type: ArrayType) -> None:
    if type.dims:
        raise TraceError(
            f"compile: {node.op.name}{_at(node)} needs the length {type.dims[0].name!r} of {type}, which is "
            "not known; native code indexes such a first axis with integers or scans over it, and "
            'backend="reference" does everything'
        )


def _at(node: Node) -> str:
    return f" (at {node.where})" if node.where else ""


def _check_item(graph: Graph, node: Node) -> None:
    """Refuse a stack of symbolic length that is no result: nobody made room for it."""
    if node.array_type.dims and node not in graph.outputs:
        raise TraceError(
            f"compile: the {node.array_type} that a loop makes{_at(node)} is read but no result, and native "
            "code has no memory for an array of unknown length; return it too, or read it in the loop"
        )


def _check_loop(graph: Graph, node: Node) -> None:
    attrs, body, types = node.attrs, node.attrs["body"], node.type
    assert isinstance(types, TupleType)
    for type in types.items[: attrs["carry"]]:
        if type.dims:
            raise TraceError(f"compile: {type} of unknown length cannot be the state of a loop{_at(node)}")
    read = {n.attrs["index"] for n in graph.nodes if n.op is ITEM and n.inputs[0] is node}
    for k, type in enumerate(types.items):
        if k not in read and any(isinstance(n, Dim) for n in type.shape[1:]):
            raise TraceError(
                f"compile: nobody reads the {type} that a loop makes{_at(node)}; do not return it"
            )
    check_dims(body)
