"""The printer of graphs in a text form that a person can review; `minicolumn.ir.parse` reads it back."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.ir.op import Op
from minicolumn.ir.shapes import DTYPES, RESERVED, ArrayType, Dim, TupleType, type_of

NAME = r"[^\W\d]\w*(?:\.\w+)*"
_NUMBERS = {"nan": float("nan"), "inf": float("inf")}
WORDS: dict[str, Any] = {"True": True, "False": False, "None": None, **_NUMBERS, **DTYPES}
COMMENT_COLUMN = 38


def print_graph(graph: Graph, constants: int | None = 8) -> str:
    """Return the text of a graph: one line a node, each with its type and, if known, where it was written.

        fn(x: f32[3]) {
          a: f32[3] = exp(x)
          return a
        }

    A name among lengths, as in f32[rows,4], is one that is not known before the graph runs (`Dim`).

    constants   arrays of more elements are elided; None writes all of them out, and then
                `minicolumn.ir.parse.parse_graph` gives the same graph back, bit for bit

    >>> from minicolumn.ir.parse import parse_graph
    >>> print(print_graph(parse_graph("fn(x: f32[3]) { y: f32[3] = exp(x) return y }")))
    fn(x: f32[3]) {
      a: f32[3] = exp(x)
      return a
    }
    """
    return _graph_text(graph, constants, "")


def print_node(node: Node, names: dict[Node, str], constants: int | None = 8) -> str:
    """Return the first line of a node's text; of a loop's body only the head."""
    return _line(node, names, constants, "").partition("\n")[0]


def attr_text(value: object) -> str:
    """Return the text of one attribute in a line; of a graph only the name and the number of nodes."""
    if isinstance(value, Graph):
        return f"{legal_name(value.name)}(...) {{ {len(value.nodes)} nodes }}"
    return _value(value, 8, "")


def node_names(graph: Graph) -> dict[Node, str]:
    """Return a name for every node: inputs keep theirs, made legal; others are a, ..., z, a1, ..."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    for node in graph.inputs:
        given = node.attrs.get("name")
        if isinstance(given, str) and given and node not in names:
            names[node] = _unique(legal_name(given), taken)
    fresh = (name for name in _short_names() if name not in taken)
    for node in graph.nodes:
        if node not in names:
            names[node] = next(fresh)
    return names


def ordered_attrs(node: Node) -> list[tuple[str, Any]]:
    """Return the attributes in the order of the type rule, graphs last; theirs means nothing."""
    shown = list(node.attrs.items()) if node.op is not CONST else []
    if len(shown) < 2:
        return shown
    places = {name: i for i, name in enumerate(attr_names(node.op))}
    return sorted(shown, key=lambda item: (isinstance(item[1], Graph), places.get(item[0], 99), item[0]))


@cache
def attr_names(op: Op) -> tuple[str, ...]:
    """Return the attributes that an operation has, in the order of its type rule."""
    parameters = inspect.signature(op.infer).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)


def legal_name(given: str) -> str:
    """Return the nearest name that the text form can read back.

    >>> legal_name("params[0].weight"), legal_name("2nd value"), legal_name("return")
    ('params.0.weight', '_2nd_value', '_return')
    """
    cleaned = re.sub(r"[^\w.]", "_", re.sub(r"\[['\"]?(\w+)['\"]?\]", r".\1", given))
    legal = re.sub(r"\.+", ".", cleaned).strip(".") or "_"
    return legal if re.fullmatch(NAME, legal) and legal not in RESERVED else f"_{legal}"


def _unique(name: str, taken: set[str]) -> str:
    found = next(n for n in (name, *(f"{name}_{i}" for i in range(1, len(taken) + 2))) if n not in taken)
    taken.add(found)
    return found


def _short_names() -> Iterator[str]:
    for i in count():
        for letter in "abcdefghijklmnopqrstuvwxyz":
            name = f"{letter}{i or ''}"
            if name not in RESERVED:
                yield name


def _graph_text(graph: Graph, constants: int | None, indent: str) -> str:
    names = node_names(graph)
    inputs = ", ".join(f"{names[node]}: {node.type}" for node in graph.inputs)
    listed = set(graph.inputs)
    lines = [f"{indent}  {_line(n, names, constants, indent + '  ')}" for n in graph.nodes if n not in listed]
    outputs = ", ".join(names[node] for node in graph.outputs)
    result = f"{indent}  return {outputs}".rstrip()
    return "\n".join([f"{legal_name(graph.name)}({inputs}) {{", *lines, result, f"{indent}}}"])


def _line(node: Node, names: dict[Node, str], constants: int | None, indent: str) -> str:
    # A node that another graph owns has no name here; the verifier shows such lines.
    parts = [names.get(operand, "?") for operand in node.inputs]
    if node.op is CONST:
        parts = [_value(node.attrs.get("value"), constants, indent)]
    elif node.attrs:
        parts += [f"{name}={_value(value, constants, indent)}" for name, value in ordered_attrs(node)]
    text = f"{names.get(node, '?')}: {node.type} = {node.op.name}({', '.join(parts)})"
    return text + _comment(node.where, text, indent) if node.where else text


def _comment(where: str, text: str, indent: str) -> str:
    column = len(text.rpartition("\n")[2]) + (0 if "\n" in text else len(indent))
    return f"{' ' * (COMMENT_COLUMN - column)}  # {' '.join(where.split())}"


def _value(value: object, constants: int | None, indent: str) -> str:
    if isinstance(value, Graph):
        return _graph_text(value, constants, indent)
    if isinstance(value, np.ndarray):
        return _array(value, constants)
    if isinstance(value, tuple):
        return f"[{', '.join(_value(item, constants, indent) for item in value)}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, np.dtype) and value in DTYPES.values():
        return str(ArrayType(value, ())).removesuffix("[]")
    if isinstance(value, (ArrayType, TupleType, Dim)):
        return str(value)
    # Not in the grammar: the verifier refuses such a graph, and this is the line it shows.
    return f"<{type(value).__name__}>"


def _array(value: np.ndarray, constants: int | None) -> str:
    if constants is not None and value.size > constants:
        dtype = str(type_of(value)).partition("[")[0]
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return f"<{dtype} array, {value.size} elements, sha256 {digest[:8]}>"
    flat = value.ravel()
    elements = map(_float32, flat) if value.dtype == np.float32 else map(repr, flat.tolist())
    return _nested(elements, value.shape)


def _nested(elements: Iterator[str], shape: tuple[int, ...]) -> str:
    if not shape:
        return next(elements)
    return f"[{', '.join(_nested(elements, shape[1:]) for _ in range(shape[0]))}]"


def _float32(value: np.float32) -> str:
    short = str(value)
    # The fewest digits that mean this float32 are read through a float64, which may round twice.
    same = np.float32(float(short)) == value or short == "nan"
    return short if same else repr(value.item())
