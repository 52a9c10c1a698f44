"""The backward walk: cotangents from the outputs of a trace to its variables.

Reverse mode is graph to graph: each step calls the operation's rule, which is plain NumPy. On values that nothing
open depends on the rules compute; on traced ones they record, and derivatives of any order follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicolumn.autodiff.loops import pull_scan
from minicolumn.ir.graph import Node, topological
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.trace.tracer import LiveNode, Scope, cast, lift


def pullback(
    outputs: Sequence[LiveNode], cotangents: Sequence[Any], variables: Sequence[LiveNode], scope: Scope
) -> list[Any]:
    """Return, for each variable of a scope, sum over outputs of cotangent * d output / d variable; None for none."""
    depends = lambda node: scope in node.scopes  # noqa: E731
    collected: dict[Node, Any] = {}
    for node, g in zip(outputs, cotangents, strict=True):
        _add(collected, node, g)
    wanted = set(variables)
    with np.errstate(all="ignore"):  # branches that np.where discards may divide by zero on the way back
        for node in reversed(topological(outputs, enter=depends)):  # type: ignore[arg-type]
            if node in collected and node not in wanted and depends(node):
                _step(node, collected.pop(node), collected, scope)  # type: ignore[arg-type]
    return [collected.get(v) for v in variables]


def _step(node: LiveNode, g: Any, collected: dict[Node, Any], scope: Scope) -> None:
    if node.op is ITEM:
        collected.setdefault(node.inputs[0], {})[node.attrs["index"]] = g
        return
    targets = [(i, x) for i, x in enumerate(node.inputs) if scope in x.scopes]  # type: ignore[attr-defined]
    if node.op is SCAN:
        parts = pull_scan(node, g, [i for i, _ in targets])
        for (_, operand), part in zip(targets, parts, strict=True):
            _add(collected, operand, part)
        return
    out, inputs = lift(node), tuple(lift(x) for x in node.inputs)  # type: ignore[arg-type]
    for i, operand in targets:
        if operand.array_type.is_float and node.op.flows_to(i):
            part = node.op.pull(i, g, out, inputs, node.attrs)
            if part is not None:
                _add(collected, operand, sum_to(part, operand.array_type.shape))


def _add(collected: dict[Node, Any], node: Node, g: Any) -> None:
    if g is None:
        return
    g = cast(g, node.array_type.dtype)
    collected[node] = g if node not in collected else collected[node] + g


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum a cotangent over the axes along which its operand was stretched."""
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    if lead < 0:  # a rule may answer with a number where every element has the same slope
        return np.broadcast_to(g, shape)
    stretched = tuple(lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1)
    axes = (*range(lead), *stretched)
    summed = np.sum(g, axis=axes) if axes else g
    return np.broadcast_to(np.reshape(summed, shape) if summed.size == int(np.prod(shape)) else summed, shape)
