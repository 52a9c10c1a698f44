"""Tracing a Python function to a graph: run it once on values that know only their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.graph import INPUT, Graph, topological
from minicolumn.ir.shapes import ArrayType
from minicolumn.trace.nodes import LiveNode, Scope
from minicolumn.trace.tracer import Traced, leaf, node_of, run
from minicolumn.tree import Structure, Tree, flatten, unflatten


@dataclass(frozen=True)
class Argument:
    """What tracing must know of one leaf of the arguments: its type, or the value of what is no data."""

    type: ArrayType | None
    weak: bool = False
    static: Any = None


@dataclass(frozen=True)
class Program:
    """A traced function: its graph, which leaves feed it, and how to put its results together."""

    graph: Graph
    fed: tuple[int, ...]
    results: Structure


def argument(value: object) -> Argument:
    """Return what tracing must know of a leaf: arrays and numbers are data, all else is program."""
    if isinstance(value, np.ndarray | np.generic):
        held = value if isinstance(value, np.ndarray) else np.asarray(value)
        return Argument(ArrayType(_graph_dtype(held), held.shape))
    if type(value) in (int, float):
        return Argument(ArrayType(np.asarray(value).dtype, ()), weak=True)
    try:
        hash(value)
    except TypeError:
        raise TraceError(
            f"compile: an argument of type {type(value).__name__} is neither data nor hashable"
        ) from None
    if type(value).__hash__ is object.__hash__ and not isinstance(value, _UNCHANGING):
        raise TraceError(
            f"compile: an argument (of a method, self) is a {type(value).__name__}, which is compared by "
            "identity, so that a change of it would go unseen; make its class a @dataclass, whose fields are "
            "arguments too, or give it __eq__ and __hash__, or let the function close over it"
        )
    return Argument(None, static=value)


# What is compared by identity, and stays what it is.
_UNCHANGING = (
    *(type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, partial, np.ufunc),
    *(type(np.sum), type(np._NoValue)),
)


def _graph_dtype(array: np.ndarray) -> np.dtype:
    from minicolumn.ir.shapes import DTYPES

    if array.dtype not in DTYPES.values():
        raise TraceError(
            f"compile: an argument has dtype {array.dtype}, which graphs do not have; convert it with "
            ".astype(np.float32) or to another of " + ", ".join(str(d) for d in DTYPES.values())
        )
    return array.dtype


def trace(function: Callable[..., Tree], arguments: Sequence[Argument], structure: Structure) -> Program:
    """Run a function of (args, kwargs) on traced leaves and return what it did as a graph."""
    with Scope() as scope:
        leaves = [_variable(a, f"x{i}", scope) for i, a in enumerate(arguments)]
        variables = [x.node for x in leaves if isinstance(x, Traced)]  # before the function works in place
        args, kwargs = unflatten(structure, leaves)
        _name_inputs(function, args, kwargs)
        out = run(function, *args, **kwargs)
    results, shape = flatten(out)
    nodes = [result_node(r) for r in results]
    _must_be_closed(nodes, variables)
    fed = tuple(i for i, a in enumerate(arguments) if a.type is not None)
    return Program(Graph(tuple(variables), tuple(nodes), getattr(function, "__name__", "fn")), fed, shape)


def _must_be_closed(outputs: Sequence[LiveNode], variables: Sequence[LiveNode]) -> None:
    """Refuse a program that reads what another trace left behind or is still at work on."""
    own = set(variables)
    for node in topological(outputs):
        # What depends on a scope that is still open is varied by a derivative around this trace.
        if (node.op is INPUT and node not in own) or (isinstance(node, LiveNode) and node.is_live):
            name = node.attrs.get("name") or "of another trace"
            raise TraceError(
                f"the function reads a traced {node.type} value {name} that is none of its arguments; "
                "pass it as an argument, and return values instead of storing them outside"
            )


def _variable(a: Argument, name: str, scope: Scope) -> Any:
    if a.type is None:
        return a.static
    variable = leaf(a.type, None, scope, name)
    variable.node.weak = a.weak
    return variable


def _name_inputs(function: Callable[..., Tree], args: Sequence[Tree], kwargs: Mapping[str, Tree]) -> None:
    """Give variables the names of the parameters they arrive in, for those who read the graph."""
    import inspect

    from minicolumn.tree import named_leaves

    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return
    named = [(names[i] if i < len(names) else f"x{i}", tree) for i, tree in enumerate(args)]
    for root, tree in [*named, *kwargs.items()]:
        for path, value in named_leaves(tree, root):
            if isinstance(value, Traced):
                value.node.attrs["name"] = path.replace(".", "_")


def result_node(value: object) -> LiveNode:
    """Return the node of one result of a traced function."""
    if isinstance(value, Traced):
        return value.node
    if isinstance(value, np.ndarray | np.generic | int | float | bool):
        return node_of(np.array(value))
    raise TraceError(
        f"a traced function returned a {type(value).__name__}; it may return arrays, numbers and their nests"
    )


def trace_call(function: Callable[..., Tree], *args: Tree, **kwargs: Tree) -> Program:
    """Trace a function for the shapes and dtypes of some example arguments."""
    leaves, structure = flatten((args, kwargs))
    return trace(function, [argument(x) for x in leaves], structure)
