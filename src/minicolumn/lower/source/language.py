"""The record of a source language: how numbers, expressions and loops are written in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b

Expression = Callable[..., str]  # of the node, then of its operands as text


@dataclass(frozen=True)
class Language:
    """A language of loops over flat arrays.

    name        for messages
    types       of an element, by the name of its dtype
    number      a NumPy number as a literal
    maps        how each operation on elements is written: ``maps[op](node, *operands)``
    local       ``local(type, name, value)``: a name for a value within a block
    variable    the same for one that changes
    row         ``row(type, name, count)``: so many numbers, all 0
    loop        ``loop(counter, count)``: the head of a loop, whose block ends with "}"
    joined      ``joined(dtype, sign, total, value)``: a line that adds ("+") or multiplies ("*") into a total
    within      ``within(index, count)``: a looked-up index in range; negative ones count from the end
    helpers     functions that expressions call, by name; only those that are called are written
    eager       operations whose operands stand in lines of their own: none is computed under a condition
    packed      of each dtype the function that multiplies a row with a packed weight, see `products`
    """

    name: str
    types: Mapping[str, str]
    number: Callable[[Any], str]
    maps: Mapping[Op, Expression]
    local: Callable[[str, str, str], str]
    variable: Callable[[str, str, str], str]
    row: Callable[[str, str, int], str]
    loop: Callable[[str, int], str]
    joined: Callable[[np.dtype[Any], str, str, str], str]
    within: Callable[[str, int], str]
    helpers: Mapping[str, str]
    eager: frozenset[Op] = frozenset()
    packed: Mapping[str, str] = field(default_factory=dict)

    def writes(self, node: Node) -> bool:
        """Return whether an operation on elements can be written in this language."""
        return node.op in self.maps

    def type_of(self, dtype: np.dtype[Any]) -> str:
        """Return the type of an element of an array."""
        return self.types[dtype.name]

    def called(self, text: str) -> list[str]:
        """Return the helpers that some text calls, and those that these call, in the order of the table."""
        wanted = {name for name in self.helpers if _calls(text, name)}
        while True:
            inner = {n for w in wanted for n in self.helpers if n != w and _calls(self.helpers[w], n)}
            if inner <= wanted:
                return [text for name, text in self.helpers.items() if name in wanted]
            wanted |= inner


def _calls(text: str, name: str) -> bool:
    """Return whether a text calls a helper; one in capitals is a macro, whose name alone counts."""
    return (name if name.isupper() else f"{name}(") in text


def infix(sign: str) -> Expression:
    """Return how an operation between its operands is written."""
    return lambda node, x, y: f"({x} {sign} {y})"


def called(name: str) -> Expression:
    """Return how a function is written."""
    return lambda node, *operands: call(name, *operands)


def call(name: str, *operands: str) -> str:
    """Return a function's call."""
    return f"{name}({', '.join(map(bare, operands))})"


def bare(text: str) -> str:
    """Return an expression without parentheses around all of it.

    >>> bare("(a + b)"), bare("(a) + (b)")
    ('a + b', '(a) + (b)')
    """
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for place, mark in enumerate(text):
        depth += (mark == "(") - (mark == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def unchanged(node: Node, x: str) -> str:
    """Return an operand as it is."""
    return x


def joined_truth(sign: str, total: str, value: str) -> str:
    """Return the line that adds a truth value to a total, or multiplies it: or, and."""
    return f"{total} {'|' if sign == '+' else '&'}= {value};"


# What C and its descendants write alike.
INFIX: Mapping[Op, Expression] = {
    e.ADD: infix("+"),
    e.SUBTRACT: infix("-"),
    e.MULTIPLY: infix("*"),
    e.NEGATIVE: lambda node, x: f"(-{x})",
    e.WHERE: lambda node, test, yes, no: f"({test} ? {yes} : {no})",
    e.STOP_GRADIENT: unchanged,
    e.COPY: unchanged,
    b.LESS: infix("<"),
    b.LESS_EQUAL: infix("<="),
    b.GREATER: infix(">"),
    b.GREATER_EQUAL: infix(">="),
}
