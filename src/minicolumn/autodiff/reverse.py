"""Reverse-mode automatic differentiation: cotangents from the outputs of a trace to its variables.

Reverse mode is graph to graph: each step calls the operation's rule, which is plain NumPy. On values that
nothing open depends on the rules compute; on traced ones they record, and derivatives of any order follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minicolumn.autodiff.loops import pull_scan
from minicolumn.ir.graph import Node
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.ops.shaping import CONCATENATE
from minicolumn.ir.shapes import Dim
from minicolumn.trace.nodes import LiveNode, Scope
from minicolumn.trace.tracer import cast, lift

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array

# By node, the sum of the cotangents that have arrived; for an operation with several results one by index.
Cotangents: TypeAlias = "dict[Node, Any]"
Parts: TypeAlias = "list[tuple[LiveNode, slice]]"


def pullback(
    outputs: Sequence[LiveNode],
    cotangents: Sequence[Array | None],
    variables: Sequence[LiveNode],
    scope: Scope,
) -> list[Any]:
    """Return, for each variable, the sum over outputs of cotangent * d output / d variable; None for none."""
    collected: dict[Node, Any] = {}
    for node, g in zip(outputs, cotangents, strict=True):
        _add(collected, node, g)
    wanted = set(variables)
    with np.errstate(all="ignore"):  # branches that np.where discards may divide by zero on the way back
        for node in reversed(_dependents(outputs, scope)):
            if node in collected and node not in wanted:
                _step(node, collected.pop(node), collected, scope)
    return [collected.get(v) for v in variables]


def _dependents(outputs: Sequence[LiveNode], scope: Scope) -> list[LiveNode]:
    """Return the nodes that depend on a scope's variables, each after all that it reads."""
    order: list[LiveNode] = []
    seen: set[Node] = set()
    stack: list[Any] = list(outputs)
    while stack:
        node = stack.pop()
        if node is None:  # all that the node below reads is listed
            order.append(stack.pop())
        elif node not in seen and scope in node.scopes:
            seen.add(node)
            stack += (node, None, *node.inputs)
    return order


def _step(node: LiveNode, g: Any, collected: Cotangents, scope: Scope) -> None:
    """Hand a node's cotangent on to what it reads."""
    op = node.op
    if op is ITEM:
        collected.setdefault(node.inputs[0], {})[node.attrs["index"]] = g
        return
    inputs: Any = node.inputs
    if op is SCAN:
        targets = [i for i, x in enumerate(inputs) if scope in x.scopes]
        for i, part in zip(targets, pull_scan(node, g, targets), strict=True):
            _add(collected, inputs[i], part)
        return
    out, lifted = lift(node), tuple([lift(x) for x in inputs])
    for i, operand in enumerate(inputs):
        if scope in operand.scopes and operand.type.dtype.kind == "f" and op.flows_to(i):
            if op is MATMUL and i == 0 and (parts := _dependent_parts(operand, scope)):
                _pull_to_parts(g, operand, parts, lifted[1], collected)
                continue
            part = op.pull(i, g, out, lifted, node.attrs)
            if part is not None:
                _add(collected, operand, sum_to(part, operand.type.shape))


def _dependent_parts(joined: LiveNode, scope: Scope) -> Parts:
    """Return the parts that depend on a scope's variables, of parts joined side by side, and their columns.

    Empty where it is no such array, or where all of them do. Of a table's numbers beside the embeddings of
    its codes only the latter do; to find the cotangent of every column would be nearly in vain.
    """
    if joined.op is not CONCATENATE or joined.attrs["axis"] != len(joined.array_type.shape) - 1:
        return []
    parts: Any = joined.inputs
    widths = [part.array_type.shape[-1] for part in parts]
    if any(isinstance(width, Dim) for width in widths):
        return []
    ends = list(accumulate(widths))
    columns = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
    found = [each for each in zip(parts, columns, strict=True) if scope in each[0].scopes]
    return found if len(found) < len(columns) else []


def _pull_to_parts(g: Any, joined: LiveNode, parts: Parts, y: Any, collected: Cotangents) -> None:
    """Hand the cotangent of a product  joined @ y  on to some of the parts, by one product for all."""
    first, last = parts[0][1].start, parts[-1][1].stop
    narrow = np.matmul(g, np.swapaxes(y[..., first:last, :], -1, -2))
    narrow = sum_to(narrow, (*joined.array_type.shape[:-1], last - first))
    for part, columns in parts:
        _add(collected, part, narrow[..., columns.start - first : columns.stop - first])


def _add(collected: Cotangents, node: Node, g: Array | None) -> None:
    if g is None:
        return
    dtype = node.type.dtype  # type: ignore[union-attr]
    if g.dtype != dtype:
        g = cast(g, dtype)
    collected[node] = g if node not in collected else collected[node] + g


def sum_to(g: Array, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum a cotangent over the axes along which its operand was broadcast."""
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    if lead < 0:  # a rule may answer with a number where every element has the same slope
        return np.broadcast_to(g, shape)
    repeated = tuple(lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1)
    axes = (*range(lead), *repeated)
    summed = np.sum(g, axis=axes) if axes else g
    return np.broadcast_to(np.reshape(summed, shape) if summed.size == int(np.prod(shape)) else summed, shape)
