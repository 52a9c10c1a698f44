"""Arrays whose first axis may have any length: programs that serve for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minicolumn.errors import DataError, TraceError
from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.ops.control import ITEM, SCAN
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import TupleType
from minicolumn.trace.program import Argument
from minicolumn.tree import Structure, flatten, unflatten

# What a program is traced with in place of a length that may vary: primes that no real shape has.
LENGTHS = (1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099, 1_000_117, 1_000_121)


def varying_arguments(
    arguments: Sequence[Argument], structure: Structure, groups: Sequence[Sequence[int]]
) -> tuple[tuple[Argument, ...], frozenset[int]]:
    """Return the arguments with stand-ins for varying lengths, and which leaves these are.

    groups  positions of arguments whose arrays share a length
    """
    if len(groups) > len(LENGTHS):
        raise DataError(f"compile: at most {len(LENGTHS)} groups of varying arguments, got {len(groups)}")
    args, _ = unflatten(structure, list(range(len(arguments))))
    if any(position >= len(args) for group in groups for position in group):
        raise DataError(f"compile: varying={tuple(groups)} but {len(args)} arguments were given by position")
    found = list(arguments)
    flexible: set[int] = set()
    for group, length in zip(groups, LENGTHS, strict=False):
        leaves = [leaf for position in group for leaf in flatten(args[position])[0]]
        _share_a_length([arguments[leaf] for leaf in leaves], group)
        for leaf in leaves:
            type = arguments[leaf].type
            if type is not None:
                found[leaf] = replace(arguments[leaf], type=type.with_shape((length, *type.shape[1:])))
                flexible.add(leaf)
    return tuple(found), frozenset(flexible)


def _share_a_length(arguments: Sequence[Argument], group: Sequence[int]) -> None:
    lengths = {a.type.shape[:1] for a in arguments if a.type is not None}
    if len(lengths) > 1 or () in lengths:
        shown = " and ".join(str(list(s)) for s in sorted(lengths))
        raise DataError(f"compile: arguments {list(group)} must share their first axis, which has {shown}")


def check_varying(graph: Graph, flexible: Sequence[int]) -> None:
    """Refuse a program that depends on a length which may vary."""
    inputs = [graph.inputs[k] for k in flexible]
    lengths = {node.array_type.shape[0] for node in inputs}
    if lengths:
        _check(graph, set(inputs), lengths)


def _check(graph: Graph, varying: set[Node], lengths: set[int]) -> None:
    for node in graph.nodes:
        if node.op is CONST and _is_made_of(node.attrs["value"], lengths):
            raise TraceError(
                "compile: the length of a varying first axis is used as a number; hand it over as an argument"
            )
        if node.op is SCAN:
            _check_loop(node, varying, lengths)
            continue
        uses = [operand for k, operand in enumerate(node.inputs) if operand in varying and not _may(node, k)]
        types = node.type.items if isinstance(node.type, TupleType) else (node.type,)
        grown = node not in varying and node.op is not ITEM and any(lengths & {*t.shape} for t in types)
        if uses or grown:
            where = f" (at {node.where})" if node.where else ""
            raise TraceError(
                f"compile: {node.op.name}{where} needs to know how long a varying first axis is; only "
                "indexing it with integers and scanning over it do not"
            )


def _is_made_of(value: np.ndarray, lengths: set[int]) -> bool:
    """Return whether a constant is such a length or its inverse, as in a mean."""
    if value.size != 1 or value.dtype.kind == "b":
        return False
    number = float(value.reshape(-1)[0])
    return any(number in (n, -n, value.dtype.type(1) / value.dtype.type(n)) for n in lengths)


def _may(node: Node, operand: int) -> bool:
    return node.op is GATHER and operand == 0


def _check_loop(node: Node, varying: set[Node], lengths: set[int]) -> None:
    attrs, body = node.attrs, node.attrs["body"]
    consts, carry = attrs["consts"], attrs["carry"]
    state = [operand for operand in node.inputs[consts : consts + carry] if operand in varying]
    if state:
        raise TraceError("compile: an array of varying length cannot be the state of a loop")
    inner = {body.inputs[k] for k in range(consts) if node.inputs[k] in varying}
    _check(body, inner, lengths)
