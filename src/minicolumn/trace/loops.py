"""`scan`: a loop that stays a loop when it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.graph import CONST, Graph, input_node, substitute, topological
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import ArrayType
from minicolumn.trace.program import result_node
from minicolumn.trace.promote import array
from minicolumn.trace.tracer import LiveNode, Scope, Traced, _joined, abstract_tuple, cast, leaf, node_of
from minicolumn.tree import Structure, Tree, flatten, named_leaves, unflatten

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(step: Step, state: Tree, xs: Tree = None, length: int | None = None, reverse: bool = False) -> tuple[Tree, Tree]:
    """Run ``state, y = step(state, x)`` over the leading axis of xs; return the last state and the stacked ys.

        state[i+1], ys[i] = step(state[i], xs[i])        i = 0 .. length-1

    step     a function of the state (any tree of arrays) and of one row of xs; the state keeps its shapes and dtypes
    state    the first state
    xs       a tree of arrays of shape [length, ...]; None for a loop that only counts
    length   needed where xs is None
    reverse  run from the last row to the first; ys keep the order of xs

    Raises ShapeError when xs disagree in length or the state changes its type.

    Compiled, the loop is one operation and the state is updated in place. With values known, inside `mc.grad` or
    outside of everything, it is a Python loop, so the step may branch on values.

    Source   the `scan` of Lisp's SERIES and of JAX (`jax.lax.scan`), whose signature this is.
    Differs  a step may return None for y; numbers are accepted as state.

    >>> import numpy as np, minicolumn as mc
    >>> total, sums = mc.scan(lambda s, x: (s + x, s + x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> print(total, sums)
    6.0 [1. 3. 6.]
    """
    rows, row_structure = flatten(xs)
    rows = [array(row) for row in rows]
    steps = _steps(rows, length)
    if not _is_abstract([*flatten(state)[0], *rows]):
        eager = _run(step, state, rows, row_structure, steps, reverse)
        if eager is not None:
            return eager
    return _record(step, state, rows, row_structure, steps, reverse)


def _steps(rows: list[Any], length: int | None) -> int:
    lengths = {row.shape[0] if row.shape else None for row in rows} | ({length} if length is not None else set())
    if len(lengths) != 1 or None in lengths:
        found = ", ".join(str(list(row.shape)) for row in rows) or "nothing"
        raise ShapeError(f"scan: xs need one common leading length, got {found} and length={length}")
    return lengths.pop()


def _is_abstract(leaves: list[Any]) -> bool:
    return any(isinstance(x, Traced) and x.node.value is None for x in leaves)


def _run(step: Step, state: Tree, rows: list[Any], structure: Structure, steps: int, reverse: bool) -> Any:
    """Loop in Python; None when the step turns out to read values that are not known."""
    if not steps:
        return None
    collected: list[list[Any]] = []
    shape = flatten(state)[1]
    for i in reversed(range(steps)) if reverse else range(steps):
        state, y = _pair(step(state, unflatten(structure, [row[i] for row in rows])))
        ys, y_structure = flatten(y)
        if _is_abstract([*flatten(state)[0], *ys]):
            return None
        _same_structure(shape, flatten(state)[1])
        collected.append(ys)
    if reverse:
        collected.reverse()
    return state, unflatten(y_structure, [np.stack(column) for column in zip(*collected, strict=True)])


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TraceError("scan: the step must return a pair (state, y); y may be None")
    return result


def _same_structure(before: Structure, after: Structure) -> None:
    if before != after:
        raise ShapeError(f"scan: the state must keep its structure; {before} became {after}")


def _record(step: Step, state: Tree, rows: list[Any], structure: Structure, steps: int, reverse: bool) -> tuple[Tree, Tree]:
    leaves, state_structure = flatten(state)
    first = [node_of(x) for x in leaves]
    body, outputs, y_structure, captured = _trace_body(step, first, state_structure, rows, structure)
    if any(a.type != b.type for a, b in zip(first, outputs, strict=False)):
        first = _settled(first, outputs, leaves, state)
        body, outputs, y_structure, captured = _trace_body(step, first, state_structure, rows, structure)
    operands = [*captured, *first, *(node_of(row) for row in rows)]
    attrs = {"body": body, "consts": len(captured), "carry": len(first), "length": steps, "reverse": reverse}
    type_ = SCAN.infer(*(n.type for n in operands), **attrs)
    results = abstract_tuple(LiveNode(SCAN, operands, attrs, type_, None, _joined(operands)))
    return unflatten(state_structure, results[: len(first)]), unflatten(y_structure, results[len(first) :])


def _trace_body(step: Step, first: list[LiveNode], state_structure: Structure, rows: list[Any], structure: Structure) -> Any:
    """Return the body as a graph, its output nodes, the structure of y and the outer nodes that it reads."""
    with Scope() as scope:
        carry = [leaf(node.array_type, None, scope, f"s{i}") for i, node in enumerate(first)]
        parts = [leaf(ArrayType(row.dtype, row.shape[1:]), None, scope, f"x{i}") for i, row in enumerate(rows)]
        state, y = _pair(step(unflatten(state_structure, carry), unflatten(structure, parts)))
    after, after_structure = flatten(state)
    _same_structure(state_structure, after_structure)
    ys, y_structure = flatten(y)
    outputs = [result_node(x) for x in (*after, *ys)]
    captured = _captured(outputs, scope)
    consts = {node: input_node(node.type, f"c{i}") for i, node in enumerate(captured)}
    inputs = (*consts.values(), *(x.node for x in (*carry, *parts)))
    return Graph(inputs, substitute(outputs, consts), "step"), outputs, y_structure, captured


def _captured(outputs: list[LiveNode], scope: Scope) -> list[LiveNode]:
    """Return the nodes from outside that the body reads; constants move into the body instead."""
    inside = lambda node: scope in node.scopes  # noqa: E731
    return [n for n in topological(outputs, enter=inside) if not inside(n) and n.op is not CONST]  # type: ignore[misc]


def _settled(first: list[LiveNode], outputs: list[LiveNode], leaves: list[Any], state: Tree) -> list[LiveNode]:
    """Give Python numbers in the first state the dtype that the step gives them; refuse any other change."""
    names = [name for name, _ in named_leaves(state)]
    out = []
    for name, value, before, after in zip(names, leaves, first, outputs, strict=False):
        is_number = type(value) in (int, float) or before.weak
        if before.type == after.type:
            out.append(before)
        elif is_number and after.array_type.shape == ():
            out.append(node_of(cast(value, after.array_type.dtype)))
        else:
            raise ShapeError(f"scan: the state must keep its type; {name or 'it'} was {before.type}, became {after.type}")
    return out
