"""Pretty printing: what a kernel computes, as one would write it: ``h = maximum(x @ w + b, 0)``."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.notation import Text, unwritten
from minicolumn.passes.kernel import Kernel, Store

# Beyond this many characters nobody reads a formula; building it ends there.
MOST = 200


class Formulas:
    """Formulas of the kernels of one graph.

    names       of the arrays; arrays: what lies in memory, and so is shown by name, not by its formula

    >>> from minicolumn.ir.parse import parse_graph
    >>> from minicolumn.passes.fuse import fuse
    >>> text = "fn(x: f32[4,8], w: f32[8,3]) { a: f32[4,3] = matmul(x, w) b: f32[4,3] = tanh(a) return b }"
    >>> graph = parse_graph(text)
    >>> fused = fuse(graph, native=lambda node: True)
    >>> names = dict(zip((*graph.inputs, *graph.outputs), "xwh"))
    >>> Formulas(names, fused.arrays).of(fused.kernels[0])
    'h = tanh(x @ w)'
    """

    def __init__(self, names: Mapping[Node, str], arrays: Container[Node]) -> None:
        self._names, self._arrays = names, arrays

    def of(self, kernel: Kernel) -> str:
        """Return a formula for each array that the kernel writes, joined by semicolons."""
        if kernel.kind == "fill" and kernel.anchor is not None:
            return f"{self._names[kernel.anchor]} = 0"
        if not kernel.stores:
            return "" if kernel.anchor is None else self.anchor(kernel)
        plain = [s for s in kernel.stores if s.value is not kernel.anchor]
        if kernel.anchor is not None and len(plain) == len(kernel.stores):
            return "; ".join(self._store(s, kernel) for s in plain)
        lead = [f"{self._target(s)} = {self.anchor(kernel)}" for s in kernel.stores if s not in plain]
        return "; ".join([*lead, *(self._store(s, kernel) for s in plain)])

    def anchor(self, kernel: Kernel) -> str:
        """Return the formula of the product, the reduction or whatever else the kernel is made around."""
        assert kernel.anchor is not None
        return self._own(kernel.anchor, {kernel.anchor}, MOST).text

    def _store(self, store: Store, kernel: Kernel) -> str:
        """Return the formula of one store; arrays that the same kernel stores besides are shown by name."""
        here = {s.target for s in kernel.stores if s.is_plain and s.value is not store.value}
        stored = any(s.target is kernel.anchor for s in kernel.stores)
        shown = {kernel.anchor} if kernel.anchor is not None and not stored else set()
        computed = {store.value} if store.is_plain else set()
        return f"{self._target(store)} = {self._text(store.value, (shown | computed) - here, MOST).text}"

    def _target(self, store: Store) -> str:
        return self._names[store.target] + ("" if store.is_plain else "[...]")

    def _text(self, node: Node, open: Container[Node], room: int) -> Text:
        """Return a value's formula; arrays that are not `open` by name.

        room        characters that are left; below 0 the rest is "..."
        """
        if node.op is CONST and node.array_type.size == 1:
            return Text(_number(node))
        if node in self._arrays and node not in open:
            return Text(self._names[node])
        if room <= 0:
            return Text("...")
        return self._own(node, open, room)

    def _own(self, node: Node, open: Container[Node], room: int) -> Text:
        """Return the formula of a node by its operation; operations that only reshape are not written."""
        if node.op.formula is unwritten:
            return self._text(node.inputs[0], open, room)
        parts: list[Text] = []
        for operand in node.inputs:
            parts.append(self._text(operand, open, room - 4 - sum(len(p.text) for p in parts)))
        return node.op.formula(node, parts)


def _number(node: Node) -> str:
    value = np.ravel(node.attrs["value"])[0]
    return f"{value:.4g}" if value.dtype.kind == "f" else str(value)
