"""Reverse-mode differentiation of a loop (`scan`): backpropagation through time, as a loop the other way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.interpret import Function, Table, interpret
from minicolumn.trace.loops import scan
from minicolumn.trace.nodes import LiveNode
from minicolumn.trace.tracer import Traced

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array


class _Recording(Table):
    """Operations applied to traced or plain values; a loop is one operation too."""

    def operation(self, node: Node) -> Function:
        return partial(node.op, **node.attrs)

    loop = operation


def inline(graph: Graph, args: Sequence[Array]) -> list[Any]:
    """Apply a graph to traced or plain values."""
    return interpret(graph, _Recording())(*args)


def pull_scan(node: LiveNode, g: Mapping[int, Array], wanted: list[int]) -> list[Any]:
    """Return the cotangents of a loop's wanted operands, from those of its results.

    Runs the loop once more to write down each step's state, then backwards over these states: the cotangent
    of the state is handed from step to step, that of each constant is summed.
    """
    from minicolumn.autodiff.derivatives import vjp

    body, n_const, n_carry = node.attrs["body"], node.attrs["consts"], node.attrs["carry"]
    reverse, length = node.attrs["reverse"], node.attrs["length"]
    operands: list[Any] = [Traced(x) for x in node.inputs]  # type: ignore[arg-type]
    consts, first, xs = (
        operands[:n_const],
        operands[n_const : n_const + n_carry],
        operands[n_const + n_carry :],
    )
    flows = [x.type.is_float for x in operands]

    def forward(state: list[Array], row: list[Array]) -> tuple[list[Any], list[Any]]:
        return inline(body, [*consts, *state, *row])[:n_carry], state

    _, states = scan(forward, first, xs, length=length, reverse=reverse)

    def float_results(args: Sequence[Array]) -> list[Any]:
        return [out for out in inline(body, args) if np.dtype(out.dtype).kind == "f"]

    def split(values: list[Array]) -> tuple[list[Any], list[Any]]:
        return [v for v, f in zip(values, flows, strict=True) if f], [
            v for v, f in zip(values, flows, strict=True) if not f
        ]

    def joined(moving: list[Array], fixed: list[Array]) -> list[Any]:
        a, b = iter(moving), iter(fixed)
        return [next(a) if f else next(b) for f in flows]

    n_float_const, n_float_carry = sum(flows[:n_const]), sum(flows[n_const : n_const + n_carry])

    def backward(
        cotangents: tuple[list[Array], list[Array]], row: tuple[list[Array], list[Array], list[Array]]
    ) -> Any:
        g_state, g_consts = cotangents
        state, x, g_ys = row
        moving, fixed = split([*consts, *state, *x])
        _, pull = vjp(lambda *m: float_results(joined(list(m), fixed)), *moving)
        parts = pull([*g_state, *g_ys])
        summed = [a + b for a, b in zip(g_consts, parts[:n_float_const], strict=True)]
        rest = parts[n_float_const:]
        return (list(rest[:n_float_carry]), summed), list(rest[n_float_carry:])

    types = node.type.items  # type: ignore[union-attr]
    full = [g.get(i, np.zeros(t.shape, t.dtype)) for i, t in enumerate(types) if t.is_float]
    zeros = [np.zeros(x.shape, x.dtype) for x in consts if x.type.is_float]
    rows = (states, xs, full[n_float_carry:])
    (g_first, g_consts), g_xs = scan(
        backward, (full[:n_float_carry], zeros), rows, length=length, reverse=not reverse
    )
    found = iter([*g_consts, *g_first, *g_xs])
    every = [next(found) if f else None for f in flows]
    return [every[i] for i in wanted]
