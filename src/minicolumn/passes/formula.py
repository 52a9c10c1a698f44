"""What a kernel computes, as one would write it: ``h = maximum(x @ w + b, 0)``."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from minicolumn.ir.graph import CONST, Node
from minicolumn.passes.kernel import Kernel, Store

# Beyond this many characters nobody reads a formula; building it ends there.
MOST = 200
# Operators with how tightly they bind; names where there is none.
_INFIX = {
    "add": ("+", 4), "subtract": ("-", 4), "multiply": ("*", 5), "divide": ("/", 5), "matmul": ("@", 5),
    "less": ("<", 2), "less_equal": ("<=", 2), "greater": (">", 2), "greater_equal": (">=", 2),
    "equal": ("==", 2), "not_equal": ("!=", 2), "bitwise_and": ("&", 3), "bitwise_or": ("|", 3),
    "bitwise_xor": ("^", 3), "left_shift": ("<<", 3), "right_shift": (">>", 3), "power": ("**", 7),
}  # fmt: skip
_ATOM, _UNARY = 9, 6
# The same elements under another shape; a formula is easier to read without.
_SILENT = ("reshape", "broadcast", "copy", "stop_gradient")


class Formulas:
    """Formulas of the kernels of one graph."""

    def __init__(self, names: Mapping[Node, str], arrays: Container[Node]) -> None:
        self._names, self._arrays = names, arrays

    def of(self, kernel: Kernel) -> str:
        """Return a formula for each array that the kernel writes."""
        if kernel.kind == "fill" and kernel.anchor is not None:
            return f"{self._names[kernel.anchor]} = 0"
        if not kernel.stores:
            return "" if kernel.anchor is None else self.anchor(kernel)
        plain = [s for s in kernel.stores if s.value is not kernel.anchor]
        if kernel.anchor is not None and len(plain) == len(kernel.stores):
            return "; ".join(self._store(s, kernel) for s in plain)
        lead = [] if kernel.anchor is None else [f"{self._names[kernel.anchor]} = {self.anchor(kernel)}"]
        return "; ".join([*lead, *(self._store(s, kernel) for s in plain)])

    def anchor(self, kernel: Kernel) -> str:
        """Return the formula of the product, the reduction or whatever else the kernel is made around."""
        assert kernel.anchor is not None
        return self._own(kernel.anchor, {kernel.anchor}, MOST)[0]

    def _store(self, store: Store, kernel: Kernel) -> str:
        here = {s.target for s in kernel.stores if s.is_plain and s.value is not store.value}
        target = self._names[store.target] + ("" if store.is_plain else "[...]")
        stored = kernel.anchor is not None and any(s.value is kernel.anchor for s in kernel.stores)
        shown = {kernel.anchor} if kernel.anchor is not None and not stored else set()
        computed = {store.value} if store.is_plain else set()
        return f"{target} = {self._text(store.value, (shown | computed) - here, MOST)[0]}"

    def _text(self, node: Node, open: Container[Node], room: int) -> tuple[str, int]:
        """Return a value's formula and how tightly it binds; arrays that are not `open` by name."""
        if node.op is CONST and node.array_type.size == 1:
            return _number(node), _ATOM
        if node in self._arrays and node not in open:
            return self._names[node], _ATOM
        if room <= 0:
            return "...", _ATOM
        return self._own(node, open, room)

    def _own(self, node: Node, open: Container[Node], room: int) -> tuple[str, int]:
        name = node.op.name
        if name in _SILENT:
            return self._text(node.inputs[0], open, room)
        parts: list[tuple[str, int]] = []
        for operand in node.inputs:
            parts.append(self._text(operand, open, room - 4 - sum(len(p) for p, _ in parts)))
        if name in _INFIX:
            sign, tight = _INFIX[name]
            left, right = _within(parts[0], tight), _within(parts[1], tight + 1)
            return f"{left} {sign} {right}", tight
        return self._called(node, parts)

    def _called(self, node: Node, parts: list[tuple[str, int]]) -> tuple[str, int]:
        name, texts = node.op.name, [p for p, _ in parts]
        if name == "negative":
            return f"-{_within(parts[0], _UNARY)}", _UNARY
        if name == "transpose" and len(node.attrs["axes"]) == 2:
            return f"{_within(parts[0], _ATOM)}.T", _ATOM
        if name == "gather":
            return f"{_within(parts[0], _ATOM)}[{', '.join(texts[1:])}]", _ATOM
        if name == "cast":
            return f"{node.array_type.dtype.name}({texts[0]})", _ATOM
        if name in ("slice", "flip"):
            return f"{_within(parts[0], _ATOM)}[:]" if name == "slice" else f"flip({texts[0]})", _ATOM
        if node.op.kind == "reduce" or node.op.kind == "order":
            axes = node.attrs.get("axes", (node.attrs.get("axis"),))
            whole = len(axes) == len(node.inputs[0].array_type.shape)
            along = "" if whole else f", axis {', '.join(map(str, axes))}"
            return f"{name}({texts[0]}{along})", _ATOM
        return f"{name}({', '.join(texts)})", _ATOM


def _within(part: tuple[str, int], tight: int) -> str:
    text, own = part
    return text if own >= tight else f"({text})"


def _number(node: Node) -> str:
    value = np.ravel(node.attrs["value"])[0]
    return f"{value:.4g}" if value.dtype.kind == "f" else str(value)
