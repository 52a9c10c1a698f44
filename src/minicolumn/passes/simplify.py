"""Rewrites that change no bit: a table of rules, common subexpressions, constant folding, dead code.

Each row of `RULES` says what it finds, what it puts in its place, and why that is safe. All rows here have
tolerance 0: the value that comes out has the same bits (x + 0 is not among them, because -0.0 + 0 is 0.0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, topological
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import TupleType

# Larger results are kept as operations: a program that holds its tables is no gain.
FOLD_UP_TO = 4096


@dataclass(frozen=True)
class Rule:
    """One rewrite: `put(node)` returns what replaces the node, or None where the rule does not apply."""

    find: str
    put: Callable[[Node], Node | None]
    safe: str


def _operand(node: Node) -> Node:
    return node.inputs[0]


def _same_type(node: Node) -> Node | None:
    return _operand(node) if _operand(node).type == node.type else None


def _is_constant(node: Node, number: float) -> bool:
    # The sign counts: x - (-0) is x + 0, which turns -0 into 0.
    if node.op is not CONST:
        return False
    value = node.attrs["value"]
    return bool(np.all(value == number) and not np.any(np.signbit(value)))


def _without(position: int, number: float) -> Callable[[Node], Node | None]:
    def put(node: Node) -> Node | None:
        kept = node.inputs[1 - position]
        return kept if _is_constant(node.inputs[position], number) and kept.type == node.type else None

    return put


def _twice(name: str) -> Callable[[Node], Node | None]:
    return lambda node: _operand(_operand(node)) if _operand(node).op.name == name else None


def _flip_twice(node: Node) -> Node | None:
    inner = _operand(node)
    return _operand(inner) if inner.op is node.op and inner.attrs == node.attrs else None


def _merged_reshape(node: Node) -> Node | None:
    inner = _operand(node)
    return Node(node.op, inner.inputs, node.attrs, node.type, node.where) if inner.op is node.op else None


def _merged_transpose(node: Node) -> Node | None:
    inner = _operand(node)
    if inner.op is not node.op:
        return None
    axes = tuple(inner.attrs["axes"][a] for a in node.attrs["axes"])
    return Node(node.op, inner.inputs, {"axes": axes}, node.type, node.where)


def _plain_transpose(node: Node) -> Node | None:
    axes = node.attrs["axes"]
    return _operand(node) if axes == tuple(range(len(axes))) else None


def _chosen(node: Node) -> Node | None:
    condition, x, y = node.inputs
    if condition.op is not CONST:
        return None
    values = condition.attrs["value"]
    kept = x if values.all() else None if values.any() else y
    return kept if kept is not None and kept.type == node.type else None


RULES: tuple[Rule, ...] = (
    Rule("copy", _operand, "a copy is the value under another name"),
    Rule("stop_gradient", _operand, "derivatives have been taken by now"),
    Rule("cast", _same_type, "the operand has the dtype already"),
    Rule("reshape", _same_type, "the operand has the shape already"),
    Rule("reshape", _merged_reshape, "only the last shape counts"),
    Rule("broadcast", _same_type, "nothing is stretched"),
    Rule("transpose", _plain_transpose, "no axis moves"),
    Rule("transpose", _merged_transpose, "two permutations make one"),
    Rule("slice", _same_type, "every element is taken: a slice of the same length starts at 0 with step 1"),
    Rule("pad", _same_type, "nothing is added"),
    Rule("flip", _flip_twice, "twice is not at all"),
    Rule("negative", _twice("negative"), "changing the sign bit twice"),
    Rule("invert", _twice("invert"), "changing every bit twice"),
    Rule("multiply", _without(0, 1.0), "1 x = x, for NaN and -0 too"),
    Rule("multiply", _without(1, 1.0), "x 1 = x, for NaN and -0 too"),
    Rule("divide", _without(1, 1.0), "x / 1 = x, for NaN and -0 too"),
    Rule("subtract", _without(1, 0.0), "x - 0 = x, for NaN and -0 too; the constant is +0"),
    Rule("where", _chosen, "the condition is the same everywhere"),
    Rule(
        "concatenate", lambda node: _operand(node) if len(node.inputs) == 1 else None, "one part is the whole"
    ),
)
_BY_NAME: dict[str, list[Rule]] = {}
for _rule in RULES:
    _BY_NAME.setdefault(_rule.find, []).append(_rule)


def simplify(graph: Graph) -> Graph:
    """Return a graph that computes the same bits with fewer operations; nested bodies are simplified too.

    Its constants are its own and read-only, so that a program means the same for as long as it lives.
    """
    made: dict[Node, Node] = {node: node for node in graph.inputs}
    known: dict[Any, Node] = {}
    for node in topological(graph.outputs):
        if node not in made:
            made[node] = _shared(_rewritten(_rebuilt(node, made)), known)
    return Graph(graph.inputs, tuple(made[o] for o in graph.outputs), graph.name)


def _rebuilt(node: Node, made: dict[Node, Node]) -> Node:
    attrs = node.attrs
    if node.op is CONST:
        return _frozen(node)
    if node.op is SCAN:
        attrs = {**attrs, "body": simplify(attrs["body"])}
    return Node(node.op, [made[i] for i in node.inputs], attrs, node.type, node.where)


def _frozen(node: Node) -> Node:
    """Return a constant that nobody else can write to: neither who owned the array nor who gets a result."""
    flags = node.attrs["value"].flags
    return node if flags.owndata and not flags.writeable else const_node(node.attrs["value"])


def _rewritten(node: Node) -> Node:
    """Apply rules until none fits, then fold what depends on constants alone."""
    changed = True
    while changed:
        changed = False
        for rule in _BY_NAME.get(node.op.name, ()):
            better = rule.put(node)
            if better is not None:
                node, changed = better, True
                break
    return _folded(node)


def _folded(node: Node) -> Node:
    if node.op in (CONST, INPUT) or isinstance(node.type, TupleType) or node.array_type.size > FOLD_UP_TO:
        return node
    if not node.inputs or any(i.op is not CONST for i in node.inputs):
        return node
    with np.errstate(all="ignore"):
        try:
            return const_node(
                np.asarray(node.op.numpy(*(i.attrs["value"] for i in node.inputs), **node.attrs))
            )
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
            return node  # it fails when it runs, with the message it has there


def _shared(node: Node, known: dict[Any, Node]) -> Node:
    """Return the earlier node that computes the same, if there is one."""
    key = _key(node)
    return node if key is None else known.setdefault(key, node)


def _key(node: Node) -> Any:
    if node.op is INPUT or node.op is SCAN:
        return None
    if node.op is CONST:
        value = node.attrs["value"]
        return ("const", str(node.type), value.tobytes()) if value.size <= FOLD_UP_TO else None
    return (node.op.name, node.inputs, tuple(sorted((k, repr(v)) for k, v in node.attrs.items())))
