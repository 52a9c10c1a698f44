"""Simplification: algebraic rewrites, constant folding, common subexpressions and dead code, in one walk.

    fn(x: f32[4]) {                         fn(x: f32[4]) {
      a: f32[4] = exp(x)                      a: f32[4] = exp(x)
      b: f32[4] = exp(x)            ->        b: f32[4] = add(a, a)
      c: f32[4] = add(a, b)                   return b
      d: f32[4] = sqrt(x)                   }
      return c
    }

Invariants  types of inputs and outputs stay; with tolerance 0 so does every bit of every result
Complexity  linear in nodes and rewrites: each node is rebuilt once, on operands that are final
Source      value numbering by hashing (Cocke & Schwartz 1970): equal operations on equal operands are one
Elsewhere   LLVM's InstCombine, EarlyCSE and GVN; XLA's AlgebraicSimplifier, HloConstantFolding, HloCSE and
            HloDCE. Here operands are final before their readers come, so no pass has to run again
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, rebuilt
from minicolumn.ir.op import Kind, Op
from minicolumn.ir.ops.control import SCAN
from minicolumn.ir.shapes import TupleType
from minicolumn.passes.rules import RULES, Rule

# Larger results are kept as operations: a program that holds its tables is no gain.
FOLD_UP_TO = 4096


def simplify(graph: Graph, tolerance: float = 0.0, parts: Sequence[str] | None = None) -> Graph:
    """Return a graph that computes the same with fewer operations; nested bodies are simplified too.

    tolerance   the rules to use are those that move a result by at most this many units in its last place,
                wherever one applies; with 0 every bit stays
    parts       names of PARTS to go by; all of them, in their order, if None

    Its constants are its own and read-only, so that a program means the same for as long as it lives.

    >>> from minicolumn.ir.parse import parse_graph
    >>> from minicolumn.ir.text import print_graph
    >>> text = "fn(x: f32[4]) { a: f32[4] = exp(x) b: f32[4] = exp(x) c: f32[4] = add(a, b) return c }"
    >>> print(print_graph(simplify(parse_graph(text))))
    fn(x: f32[4]) {
      a: f32[4] = exp(x)
      b: f32[4] = add(a, a)
      return b
    }
    """
    chosen = tuple(part for name, part in PARTS.items() if parts is None or name in parts)
    work = _Work(_rules(tolerance), chosen, final=set(graph.inputs))
    return rebuilt(graph, lambda node, made: work.simplified(_on(made, node, tolerance, parts)))


@lru_cache(maxsize=16)
def _rules(tolerance: float) -> dict[Op | Kind, list[Rule]]:
    """Return the rules of a tolerance by what they find."""
    found: dict[Op | Kind, list[Rule]] = {}
    for rule in RULES:
        if rule.tolerance <= tolerance:
            found.setdefault(rule.find, []).append(rule)
    return found


def _on(made: dict[Node, Node], node: Node, tolerance: float, parts: Sequence[str] | None) -> Node:
    """Return a node on its simplified operands; a loop's body is simplified on its own."""
    attrs = node.attrs
    if node.op is CONST:
        return _frozen(node)
    if node.op is SCAN:
        attrs = {**attrs, "body": simplify(attrs["body"], tolerance, parts)}
    return Node(node.op, [made[i] for i in node.inputs], attrs, node.type, node.where)


def _frozen(node: Node) -> Node:
    """Return a constant that nobody else can write to: neither who owned the array nor who gets a result."""
    flags = node.attrs["value"].flags
    return node if flags.owndata and not flags.writeable else const_node(node.attrs["value"])


@dataclass(frozen=True)
class _Work:
    """What is carried from node to node: the rules in use, and the final nodes, also by their value number.

    final       nodes that nothing changes any more; operands of a final node are final
    known       the first final node of each key: an operation, its operands and attributes
    """

    rules: dict[Op | Kind, list[Rule]]
    parts: Sequence[Part]
    final: set[Node]
    known: dict[Any, Node] = field(default_factory=dict)

    def simplified(self, node: Node) -> Node:
        """Return the final node that stands for one whose operands are final."""
        for part in self.parts:
            node = part(self, node)
            if node in self.final:
                return node
        self.final.add(node)
        return node

    def better(self, node: Node) -> Node | None:
        """Return what the first rule that fits puts in a node's place."""
        for find in (node.op, node.op.kind):
            for rule in self.rules.get(find, ()):
                better = rule.put(node)
                if better is not None:
                    return better
        return None


Part = Callable[[_Work, Node], Node]


def _rewritten(work: _Work, node: Node) -> Node:
    """Apply rules until none fits."""
    better = work.better(node)
    while better is not None:
        if better in work.final:
            return better
        inputs = [i if i in work.final else work.simplified(i) for i in better.inputs]
        node = Node(better.op, inputs, better.attrs, better.type, better.where)
        better = work.better(node)
    return node


def _folded(work: _Work, node: Node) -> Node:
    """Constant folding: compute what depends on constants alone, by the operation's own NumPy function.

    Not where the result has more than FOLD_UP_TO elements or a symbolic dimension.
    """
    for operand in node.inputs:
        if operand.op is not CONST:
            return node
    if not node.inputs or isinstance(node.type, TupleType) or node.type.dims or node.type.size > FOLD_UP_TO:
        return node
    with np.errstate(all="ignore"):
        try:
            return const_node(
                np.asarray(node.op.numpy(*(i.attrs["value"] for i in node.inputs), **node.attrs))
            )
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError):
            return node  # it fails when it runs, with the message it has there


def _shared(work: _Work, node: Node) -> Node:
    """Common subexpression elimination: return the earlier node that computes the same, if there is one."""
    key = _key(node)
    return node if key is None else work.known.setdefault(key, node)


# What is done to each node, in this order; what nothing reads is never reached.
PARTS: dict[str, Part] = {"rewrite": _rewritten, "fold": _folded, "share": _shared}


def _key(node: Node) -> Any:
    """Return the value number of a node: equal keys mean equal values. None where it is shared with none.

    Operands are compared by identity, which is enough once they are final themselves.
    """
    if node.op is INPUT or node.op is SCAN:
        return None
    if node.op is CONST:
        value = node.attrs["value"]
        return (CONST, str(node.type), value.tobytes()) if value.size <= FOLD_UP_TO else None
    attrs = tuple(sorted([(k, repr(v)) for k, v in node.attrs.items()])) if node.attrs else ()
    return (node.op, node.inputs, attrs)
