"""What computing a value again takes, against reading it back from memory."""

from __future__ import annotations

from collections.abc import Container

from minicolumn.ir.graph import Node
from minicolumn.passes.kernel import VIEWS

# Maps that cost about as much as reading their result back from memory; all others cost DEAR of them.
CHEAP_OPS = frozenset(
    [
        "add",
        "subtract",
        "multiply",
        "negative",
        "absolute",
        "maximum",
        "minimum",
        "where",
        "cast",
        "stop_gradient",
        "copy",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "invert",
        "left_shift",
        "right_shift",
        "isnan",
        "isinf",
        "isfinite",
        "signbit",
        "floor",
        "ceil",
        "trunc",
        "rint",
    ]
)
DEAR = 5
# What is cheaper than this is computed again rather than stored.
WORTH_STORING = 3


def cost(node: Node, arrays: Container[Node]) -> int:
    """Return what computing one element takes, in cheap operations, down to the arrays it is read from."""
    if node in arrays:
        return 0
    total, seen, stack = 0, {node}, [node]
    while stack:
        current = stack.pop()
        total += 0 if current.op.name in VIEWS else 1 if current.op.name in CHEAP_OPS else DEAR
        for operand in current.inputs:
            if operand not in seen and operand not in arrays:
                seen.add(operand)
                stack.append(operand)
    return total
