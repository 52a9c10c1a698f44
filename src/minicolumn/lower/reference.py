"""The slow interpreter that defines what a graph means: NumPy, step by step, in the order of the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.ops.control import SCAN
from minicolumn.passes.plan import make_plan

Arrays = Sequence[np.ndarray]


class ReferenceProgram:
    """A graph made ready to run many times: operations bound to their attributes, slots numbered.

    flush_subnormals    whether subnormal numbers become 0, among arguments and in each operation's result
    """

    def __init__(self, graph: Graph, flush_subnormals: bool = False) -> None:
        self.plan, self._flushes = make_plan(graph), flush_subnormals
        constants = [(slot, node.attrs["value"]) for slot, node in self.plan.constants]
        self._constants = [(slot, _flushed(v) if flush_subnormals else v) for slot, v in constants]
        self._steps = [(bound(s.node, flush_subnormals), s.reads, s.writes, s.frees) for s in self.plan.steps]

    def __call__(self, *args: np.ndarray) -> list[Any]:
        """Run on arrays of the graph's input types; the results may share memory with the arguments."""
        slots: list[Any] = [None] * self.plan.slots
        slots[: len(args)] = map(_flushed, args) if self._flushes else args
        for slot, value in self._constants:
            slots[slot] = value
        for function, reads, writes, frees in self._steps:
            value = function(*[slots[i] for i in reads])
            if self._flushes:
                value = _flushed(value)
            for i in frees:
                slots[i] = None
            slots[writes] = value
        return [slots[i] for i in self.plan.outputs]


def bound(node: Node, flush_subnormals: bool = False) -> Callable[..., Any]:
    """Return a node's meaning as a function of its operands alone."""
    if node.op is SCAN:
        return partial(run_scan, ReferenceProgram(node.attrs["body"], flush_subnormals), node)
    return partial(node.op.numpy, **node.attrs) if node.attrs else node.op.numpy


def run_scan(body: ReferenceProgram, node: Node, *operands: np.ndarray) -> tuple[Any, ...]:
    """Run a loop: the body once for each row, with the state that the last run left."""
    consts, carry = node.attrs["consts"], node.attrs["carry"]
    fixed, state = operands[:consts], list(operands[consts : consts + carry])
    rows = operands[consts + carry :]
    length = len(rows[0]) if rows else node.attrs["length"]  # a program may serve for any number of rows
    types = [y.array_type for y in body.plan.graph.outputs[carry:]]
    ys = [np.empty((length, *t.shape), t.dtype) for t in types]
    for i in reversed(range(length)) if node.attrs["reverse"] else range(length):
        out = body(*fixed, *state, *[row[i] for row in rows])
        state = out[:carry]
        for y, value in zip(ys, out[carry:], strict=True):
            y[i] = value
    return (*state, *ys)


def _flushed(value: Any) -> Any:
    """Return a value whose subnormal numbers are 0 of their sign."""
    if isinstance(value, tuple):  # a loop, whose body has done so
        return value
    if np.asarray(value).dtype.kind != "f":
        return value
    small = np.abs(value) < np.finfo(value.dtype).smallest_normal
    return np.where(small, np.copysign(value.dtype.type(0), value), value) if small.any() else value
