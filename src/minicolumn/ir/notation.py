"""Infix notation of operations in formulas: ``x @ w + b`` rather than ``add(matmul(x, w), b)``.

A formula of an operation is ``formula(node, parts) -> Text``, given the texts of its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from minicolumn.ir.graph import Node

# How tightly what needs no parentheses binds, and a sign in front.
ATOM, UNARY = 9, 6


class Text(NamedTuple):
    """A formula and how tightly its outermost operator binds."""

    text: str
    tight: int = ATOM

    def within(self, tight: int) -> str:
        """Return the text as an operand of what binds so tightly."""
        return self.text if self.tight >= tight else f"({self.text})"


Formula = Callable[["Node", Sequence[Text]], Text]


def infix(sign: str, tight: int) -> Formula:
    """Return the formula of an operator between two operands; of equal ones the left is applied first."""
    return lambda node, parts: Text(f"{parts[0].within(tight)} {sign} {parts[1].within(tight + 1)}", tight)


def prefix(sign: str) -> Formula:
    """Return the formula of an operator in front of its operand."""
    return lambda node, parts: Text(f"{sign}{parts[0].within(UNARY)}", UNARY)


def called(node: Node, parts: Sequence[Text]) -> Text:
    """Return ``name(a, b)``."""
    return Text(f"{node.op.name}({', '.join(p.text for p in parts)})")


def along_axes(node: Node, parts: Sequence[Text]) -> Text:
    """Return ``name(a, axis 0)``, and ``name(a)`` where every axis takes part."""
    axes = node.attrs.get("axes", (node.attrs.get("axis"),))
    whole = len(axes) == len(node.inputs[0].array_type.shape)
    along = "" if whole else f", axis {', '.join(map(str, axes))}"
    return Text(f"{node.op.name}({parts[0].text}{along})")


def unwritten(node: Node, parts: Sequence[Text]) -> Text:
    """Return the operand: a formula is easier to read without the operation."""
    return parts[0]
