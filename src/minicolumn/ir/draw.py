"""Graphs in DOT, the language of Graphviz, and the colours that all drawings share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.op import Kind
from minicolumn.ir.shapes import TupleType
from minicolumn.ir.text import attr_text, node_names, ordered_attrs, print_node

LONGEST = 30


@dataclass(frozen=True)
class Colour:
    """The fill and the border of a box; text on it is dark."""

    fill: str
    border: str


COLOURS: dict[Kind, Colour] = {
    "leaf": Colour("#f1f3f5", "#868e96"),
    "map": Colour("#e3f2fd", "#4a90d9"),
    "reduce": Colour("#fff1dc", "#e08e0b"),
    "shape": Colour("#f3ecfd", "#9470dc"),
    "index": Colour("#ddf6f1", "#20a08a"),
    "product": Colour("#fde4e4", "#d9534f"),
    "order": Colour("#fbe7f3", "#cf5fa4"),
    "linalg": Colour("#ece7e1", "#8d6e53"),
    "control": Colour("#fff9cf", "#b89b00"),
}


def to_dot(graph: Graph) -> str:
    """Return a graph in Graphviz's language: a box a node, an arrow from each operand to its reader.

    >>> from minicolumn.ir.parse import parse_graph
    >>> print(to_dot(parse_graph("fn(x: f32[3]) { y: f32[3] = exp(x) return y }")).splitlines()[0])
    digraph "fn" {
    """
    names = node_names(graph)
    numbers = {node: i for i, node in enumerate(graph.nodes)}
    boxes = [_box(node, numbers[node], names, node in graph.outputs) for node in graph.nodes]
    arrows = [f"  n{numbers[operand]} -> n{numbers[node]}" for node in graph.nodes for operand in node.inputs]
    style = '  node [shape=box style="rounded,filled" fontname="Helvetica" fontcolor="#212529"]'
    return "\n".join([f"digraph {_quoted(graph.name)} {{", style, *boxes, *arrows, "}"]) + "\n"


def _box(node: Node, number: int, names: dict[Node, str], output: bool) -> str:
    colour = COLOURS[node.op.kind]
    label = "\n".join(caption(node, names))
    attrs = {
        "label": label,
        "tooltip": tooltip(node, names),
        "fillcolor": colour.fill,
        "color": colour.border,
        "penwidth": "2.5" if output else "1",
    }
    return f"  n{number} [{' '.join(f'{name}={_quoted(value)}' for name, value in attrs.items())}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def caption(node: Node, names: dict[Node, str]) -> tuple[str, str]:
    """Return the two lines that stand in a node's box: what it is, and its type."""
    return shortened(_what(node, names)), shortened(_type(node))


def _what(node: Node, names: dict[Node, str]) -> str:
    if node.op is INPUT:
        return names[node]
    if node.op is CONST:
        value = node.attrs["value"]
        return attr_text(value) if isinstance(value, np.ndarray) and value.size == 1 else "const"
    attrs = [attr_text(value) for _, value in ordered_attrs(node) if not isinstance(value, Graph)]
    bodies = [value.name for value in node.attrs.values() if isinstance(value, Graph)]
    if bodies:
        return " ".join([node.op.name, *bodies])
    return " ".join([node.op.name, *(attrs[:1] if len(attrs) == 1 else [])])


def _type(node: Node) -> str:
    if isinstance(node.type, TupleType):
        return f"{len(node.type.items)} results"
    return str(node.type)


def tooltip(node: Node, names: dict[Node, str]) -> str:
    """Return what a reader sees who points at a node: its line of text, with where it was written."""
    return " ".join(print_node(node, names).split()).removesuffix("{").rstrip()


def shortened(text: str) -> str:
    """Return a text that fits into a box."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
