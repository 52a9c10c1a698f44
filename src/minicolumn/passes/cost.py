"""Recomputation cost: what computing a value again takes, against reading it back from memory.

Elsewhere   rematerialization (Briggs, Cooper & Torczon 1992); XLA's fusion asks whether an operation is
            "expensive" before it computes it twice
"""

from __future__ import annotations

from collections.abc import Container

from minicolumn.ir.graph import Node

# What is cheaper than this is computed again rather than stored.
WORTH_STORING = 3


def cost(node: Node, arrays: Container[Node]) -> int:
    """Return the recomputation cost of one element, in cheap operations, down to arrays that are read.

        cost = sum of op.cost over the nodes between, each once

    arrays      what lies in memory already; reading it costs nothing here
    Complexity  linear in the nodes between

    >>> from minicolumn.ir.parse import parse_graph
    >>> graph = parse_graph("fn(x: f32[4]) { a: f32[4] = exp(x) b: f32[4] = multiply(a, a) return b }")
    >>> cost(graph.outputs[0], arrays=graph.inputs)
    6
    """
    if node in arrays:
        return 0
    total, seen, stack = 0, {node}, [node]
    while stack:
        current = stack.pop()
        total += current.op.cost
        for operand in current.inputs:
            if operand not in seen and operand not in arrays:
                seen.add(operand)
                stack.append(operand)
    return total
