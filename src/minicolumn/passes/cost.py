"""What computing a value again takes, against reading it back from memory."""

from __future__ import annotations

from collections.abc import Container

from minicolumn.ir.graph import Node

# What is cheaper than this is computed again rather than stored.
WORTH_STORING = 3


def cost(node: Node, arrays: Container[Node]) -> int:
    """Return what computing one element takes, in cheap operations, down to the arrays it is read from."""
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
