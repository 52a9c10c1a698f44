"""`scan`: a loop with carried state that stays a loop when it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.graph import CONST, Graph, Node, input_node, substitute, topological
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import ArrayType
from minicolumn.trace.nodes import LiveNode, Scope, joined
from minicolumn.trace.program import result_node
from minicolumn.trace.promote import array
from minicolumn.trace.tracer import Traced, abstract_tuple, cast, leaf, lift, node_of, run
from minicolumn.tree import Structure, Tree, flatten, named_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Array, Operand

# step(state, row) -> (state, y)
Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: Step, state: Tree, xs: Tree = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    """Run ``state, y = step(state, x)`` over the rows of xs; return the last state and the stacked ys.

        state[i+1], ys[i] = step(state[i], xs[i])        i = 0 .. length-1

    step     a function of the state (any tree of arrays) and of one row of xs; the state keeps its shapes and
             dtypes
    state    the first state
    xs       a tree of arrays of shape [length, ...]; None for a loop that only counts
    length   needed where xs is None
    reverse  run from the last row to the first; ys keep the order of xs

    Raises ShapeError when xs disagree in length or the state changes its type.

    Compiled, the loop is one operation and the state is updated in place. With values known, inside `mc.grad`
    or outside of everything, it is a Python loop, so the step may branch on values.

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
        run = _run(step, state, rows, row_structure, steps, reverse) if steps else None
        if run is not None:
            return run
    loop = _record(step, state, rows, row_structure)
    return loop.nothing_done() if steps == 0 and not loop.is_abstract else loop.applied(steps, reverse)


def _steps(rows: list[Array], length: int | None) -> int:
    lengths = [row.shape[0] if row.shape else None for row in rows] + ([] if length is None else [length])
    first = lengths[0] if lengths else None
    if first is None or any(n != first for n in lengths):
        found = ", ".join(str(list(row.shape)) for row in rows) or "nothing"
        raise ShapeError(f"scan: xs need one common leading length, got {found} and length={length}")
    return first


def _is_abstract(leaves: Sequence[object]) -> bool:
    return any(isinstance(x, Traced) and x.node.value is None for x in leaves)


def _run(step: Step, state: Any, rows: list[Array], structure: Structure, steps: int, reverse: bool) -> Any:
    """Loop in Python; None when the step turns out to read values that are not known."""
    collected: list[list[Any]] = []
    names = [name for name, _ in named_leaves(state)]
    before, shape = flatten(state)
    y_structure = None
    for i in reversed(range(steps)) if reverse else range(steps):
        state, y = _pair(step(state, unflatten(structure, [row[i] for row in rows])))
        after, after_structure = flatten(state)
        ys, y_structure = flatten(y)
        if _is_abstract([*after, *ys]):
            return None
        _same_structure(shape, after_structure)
        _same_types(names, before, after)
        before = after
        collected.append(ys)
    if reverse:
        collected.reverse()
    assert y_structure is not None
    return state, unflatten(y_structure, [np.stack(column) for column in zip(*collected, strict=True)])


def _same_types(names: list[str], before: list[Any], after: list[Any]) -> None:
    """Refuse a state that changes; a Python number may take the dtype of what it meets."""
    for name, x, y in zip(names, before, after, strict=True):
        if np.shape(x) != np.shape(y) or (not _is_number(x) and x.dtype != array(y).dtype):
            raise ShapeError(_changed(name, describe(x), describe(y)))


def _is_number(x: object) -> bool:
    return type(x) in (int, float, bool) or (isinstance(x, Traced) and x.node.weak)


def _changed(name: str, before: object, after: object) -> str:
    return f"scan: the state must keep its type; {name or 'it'} was {before}, became {after}"


def describe(x: Operand) -> str:
    """Return the type of an array or number as the text form writes it."""
    return str(node_of(x).type)


def _pair(result: object) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TraceError("scan: the step must return a pair (state, y); y may be None")
    return result


def _same_structure(before: Structure, after: Structure) -> None:
    if before != after:
        raise ShapeError(f"scan: the state must keep its structure; {before} became {after}")


@dataclass(frozen=True)
class _Loop:
    """A step as a graph, with all that it will be run on."""

    body: Graph
    captured: list[LiveNode]
    first: list[LiveNode]
    rows: list[LiveNode]
    state_structure: Structure
    y_structure: Structure

    @property
    def is_abstract(self) -> bool:
        """Return whether something that the loop reads has no known value."""
        return any(node.value is None for node in (*self.captured, *self.first, *self.rows))

    def applied(self, steps: int, reverse: bool) -> tuple[Any, Any]:
        """Return the results of the loop as one operation."""
        operands = [*self.captured, *self.first, *self.rows]
        n_const, n_carry = len(self.captured), len(self.first)
        attrs = {"body": self.body, "consts": n_const, "carry": n_carry, "length": steps, "reverse": reverse}
        type_ = SCAN.infer(*(n.type for n in operands), **attrs)
        results = abstract_tuple(LiveNode(SCAN, operands, attrs, type_, None, joined(operands)))
        return unflatten(self.state_structure, results[:n_carry]), unflatten(
            self.y_structure, results[n_carry:]
        )

    def nothing_done(self) -> tuple[Any, Any]:
        """Return the results of no step at all: the first state, and ys without rows."""
        types = [y.array_type for y in self.body.outputs[len(self.first) :]]
        state = [x if isinstance(x, Traced) else np.array(x)[()] for x in map(lift, self.first)]
        ys = [np.zeros((0, *t.shape), t.dtype) for t in types]
        return unflatten(self.state_structure, state), unflatten(self.y_structure, ys)


def _record(step: Step, state: Tree, rows: list[Array], structure: Structure) -> _Loop:
    leaves, state_structure = flatten(state)
    first = [_start(x) for x in leaves]
    body, outputs, y_structure, captured = _trace_body(step, first, state_structure, rows, structure)
    if any(a.type != b.type for a, b in zip(first, outputs, strict=False)):
        first = _settled(first, outputs, state)
        body, outputs, y_structure, captured = _trace_body(step, first, state_structure, rows, structure)
        _settled(first, outputs, state)  # what still changes has no type to settle on
    return _Loop(body, captured, first, [node_of(row) for row in rows], state_structure, y_structure)


def _trace_body(
    step: Step,
    first: list[LiveNode],
    state_structure: Structure,
    rows: list[Array],
    structure: Structure,
) -> Any:
    """Return the body as a graph, its output nodes, the structure of y and the outer nodes that it reads."""
    with Scope() as scope:
        carry = [leaf(node.array_type, None, scope, f"s{i}") for i, node in enumerate(first)]
        for variable, node in zip(carry, first, strict=True):
            variable.node.weak = node.weak
        parts = [
            leaf(ArrayType(row.dtype, row.shape[1:]), None, scope, f"x{i}") for i, row in enumerate(rows)
        ]
        variables = [x.node for x in (*carry, *parts)]  # before the step works in place
        state, y = _pair(run(step, unflatten(state_structure, carry), unflatten(structure, parts)))
    after, after_structure = flatten(state)
    _same_structure(state_structure, after_structure)
    ys, y_structure = flatten(y)
    outputs = [result_node(x) for x in (*after, *ys)]
    captured = _captured(outputs, scope)
    consts: dict[Node, Node] = {node: input_node(node.type, f"c{i}") for i, node in enumerate(captured)}
    inputs = (*consts.values(), *variables)
    return Graph(inputs, substitute(outputs, consts), "step"), outputs, y_structure, captured


def _captured(outputs: list[LiveNode], scope: Scope) -> list[LiveNode]:
    """Return the nodes from outside that the body reads; constants move into the body instead."""
    found: Any = topological(outputs, enter=lambda node: scope in node.scopes)  # type: ignore[attr-defined]
    return [node for node in found if scope not in node.scopes and node.op is not CONST]


def _start(x: Operand) -> LiveNode:
    node = node_of(x)
    node.weak = node.weak or type(x) in (int, float)
    return node


def _settled(first: list[LiveNode], outputs: list[LiveNode], state: Tree) -> list[LiveNode]:
    """Give Python numbers in the first state the dtype that the step gives them; refuse any other change."""
    names = [name for name, _ in named_leaves(state)]
    out = []
    for name, before, after in zip(names, first, outputs, strict=False):
        if before.type == after.type:
            out.append(before)
        elif before.weak and after.array_type.shape == ():
            out.append(node_of(cast(lift(before), after.array_type.dtype)))
        else:
            raise ShapeError(_changed(name, before.type, after.type))
    return out
