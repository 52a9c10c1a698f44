"""The slow interpreter that defines what a graph means: NumPy, step by step, in the order of the plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.interpret import Function, Interpreter, Table


class ReferenceProgram(Interpreter):
    """A graph made ready to run many times in NumPy.

    flush_subnormals    whether subnormal numbers become 0, among arguments and in each operation's result
    """

    def __init__(self, graph: Graph, flush_subnormals: bool = False) -> None:
        super().__init__(graph, _Flushing() if flush_subnormals else Table())


class _Flushing(Table):
    """The meaning in NumPy, with 0 in place of each subnormal number."""

    argument = staticmethod(lambda value: _flushed(value))

    def constant(self, node: Node) -> Any:
        return _flushed(node.attrs["value"])

    def operation(self, node: Node) -> Function:
        plain = super().operation(node)
        return lambda *operands: _flushed(plain(*operands))


def _flushed(value: Any) -> Any:
    """Return a value whose subnormal numbers are 0 of their sign."""
    if np.asarray(value).dtype.kind != "f":
        return value
    small = np.abs(value) < np.finfo(value.dtype).smallest_normal
    return np.where(small, np.copysign(value.dtype.type(0), value), value) if small.any() else value
