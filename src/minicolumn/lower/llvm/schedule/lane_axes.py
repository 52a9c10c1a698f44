"""Which loops run in registers, and which axis of each value runs along the lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.op import Kind, Op
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.ops.shaping import BROADCAST, CONCATENATE, FLIP, RESHAPE, SLICE, TRANSPOSE
from minicolumn.ir.shapes import Shape, TupleType
from minicolumn.lower.llvm.codegen.scalar import is_native

# Beyond this many values the code no longer fits the caches of instructions, and takes long to compile.
MOST_VALUES = 3000
MOST_LANES = 64


def without(shape: Shape, axis: int | None) -> Shape:
    """Return a shape without the lanes' axis."""
    return shape if axis is None else (*shape[:axis], *shape[axis + 1 :])


def lanes_of_body(body: Graph) -> int | None:
    """Return how many lanes a loop's body needs, or None if it is not for registers."""
    batches = {n.inputs[1].array_type.shape for n in body.nodes if n.op is GATHER and len(n.inputs) == 2}
    if len(batches) != 1 or len(batch := batches.pop()) != 1 or not 2 <= batch[0] <= MOST_LANES:
        return None
    try:
        total = sum(_values(node, axis) for node, axis in lane_axes(body, batch[0]).items())
    except NotForRegisters:
        return None
    return batch[0] if total <= MOST_VALUES else None


class NotForRegisters(Exception):
    """A program that has an operation, or a mixture of axes, that registers cannot hold."""


def _values(node: Node, axis: int | None) -> int:
    if node.op is INPUT and axis is None:
        return 0  # read where it is needed
    count = prod(without(node.array_type.shape, axis))
    return count * (node.inputs[0].array_type.shape[-1] if node.op is MATMUL else 1)


def lane_axes(body: Graph, batch: int) -> dict[Node, int | None]:
    """Return which axis of each value runs along the lanes."""
    found: dict[Node, int | None] = {}
    # The rows of the batch run along the lanes; a bias that happens to be as long as the batch does not.
    rows = {n.inputs[1] for n in body.nodes if n.op is GATHER}
    for node in body.nodes:
        if isinstance(node.type, TupleType) or 0 in node.array_type.shape:
            raise NotForRegisters
        if node.op is INPUT:
            found[node] = 0 if node in rows else None
            continue
        if node.op is CONST:
            found[node] = None
            continue
        rule = _AXES.get(node.op) or _AXES.get(node.op.kind)
        if rule is None:
            raise NotForRegisters
        found[node] = rule(node, [found[i] for i in node.inputs], batch)
    return found


def _axis_of_map(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if not is_native(node):
        raise NotForRegisters
    ndim = len(node.array_type.shape)
    laned = {
        a + ndim - len(i.array_type.shape) for a, i in zip(axes, node.inputs, strict=True) if a is not None
    }
    if len(laned) > 1:
        raise NotForRegisters
    return laned.pop() if laned else None


def _axis_of_reduce(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if "axes" not in node.attrs:
        raise NotForRegisters
    removed, axis = node.attrs["axes"], axes[0]
    if axis is None or axis in removed:
        return None
    return axis - sum(a < axis for a in removed)


def _axis_of_matmul(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if not node.array_type.is_float or any(len(i.array_type.shape) != 2 for i in node.inputs):
        raise NotForRegisters
    known = {(None, None): None, (0, None): 0, (None, 1): 1, (1, 0): None}
    if tuple(axes) not in known:
        raise NotForRegisters
    return known[tuple(axes)]  # type: ignore[index]


def _axis_of_gather(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if len(node.inputs) != 2 or node.inputs[0].op is not INPUT or axes[0] is not None or axes[1] is None:
        raise NotForRegisters
    return axes[1]


def _axis_of_reshape(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    axis = axes[0]
    if axis is None:
        return None
    before = prod(node.inputs[0].array_type.shape[:axis])
    shape = node.array_type.shape
    for k, n in enumerate(shape):
        if n == batch and prod(shape[:k]) == before:
            return k
    raise NotForRegisters


def _axis_of_transpose(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    return None if axes[0] is None else node.attrs["axes"].index(axes[0])


def _axis_of_broadcast(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if axes[0] is None:
        return None
    return axes[0] + len(node.array_type.shape) - len(node.inputs[0].array_type.shape)


def _unlaned(node: Node, axes: Sequence[int | None], batch: int) -> int | None:
    if any(a is not None for a in axes):
        raise NotForRegisters
    return None


_AXES: dict[Op | Kind, Callable[[Node, Sequence[int | None], int], int | None]] = {
    "map": _axis_of_map,
    "reduce": _axis_of_reduce,
    MATMUL: _axis_of_matmul,
    GATHER: _axis_of_gather,
    RESHAPE: _axis_of_reshape,
    TRANSPOSE: _axis_of_transpose,
    BROADCAST: _axis_of_broadcast,
    CONCATENATE: _unlaned,
    SLICE: _unlaned,
    FLIP: _unlaned,
}
