"""The room `tape`: reverse-mode differentiation, one node at a time, on the graph of a formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.interpret import Table
from minicolumn.lower.inspect import inspect
from minicolumn.nn.formula import parse_formula
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Room
from minicolumn.registry import Listed, Number, Record, Text

NAMES = ("x", "y", "z", "w")
MOST_NODES = 40
EXAMPLES = (
    "x*y + sin(x)",
    "(x + y)^2 * exp(-x)",
    "tanh(w*x + y)",
    "log(1 + exp(-z))",
    "x*x*x - 2*x",
)


@dataclass(frozen=True, kw_only=True)
class Program(Record):
    """A formula of x, y, z and w, and where it is taken."""

    formula: Annotated[str, Text(help="A formula.", longest=120)] = EXAMPLES[0]
    at: Annotated[
        tuple[float, ...],
        Listed(help="Values of x, y, z and w.", of=Number(help="A value.", ge=-100, le=100),
               words="four numbers", least=4, longest=4),
    ] = (2.0, -1.0, 0.5, 1.5)  # fmt: skip


# What a node hands to an operand: the operand's place, the derivative by it, that times the adjoint, and
# the operand's adjoint as far as it is summed then.
Part = tuple[int, Any, Any, Any]


class TapeRoom(Room):
    """The graph of a formula: values forward, adjoints back, each handed on by the rule of its operation.

    The graph is that of the tracer, values are the interpreter's, and the parts that a node hands back are
    what its derivative rule gives: nothing here differentiates by itself.
    """

    name = "tape"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {"open": (Program, "open")}

    def open(self, said: Program) -> list[Frame]:
        """Answer with the graph, and every step of both passes.

        Errors      DataError for what is no formula, and for one that is too large to be drawn
        """
        formula = parse_formula(said.formula, NAMES)
        used = [name for name in NAMES if name in formula.columns]
        if not used:
            raise DataError(line("noVariable"))
        values = {name: np.float64(v) for name, v in zip(NAMES, said.at, strict=True)}

        def program(*arguments: Any) -> Any:
            return formula(dict(zip(used, arguments, strict=True)))

        arguments = [values[name] for name in used]
        with np.errstate(all="ignore"):  # 1 / 0 and the like are answers here
            look = inspect(program, *arguments)
            if len(look.graph.nodes) > MOST_NODES:
                raise DataError(line("graphTooLarge", count=len(look.graph.nodes), most=MOST_NODES))
            counted, passes = look.traversals, _passes(look.graph, used, arguments)
        says = {
            "formula": said.formula, "parsed": str(formula), "at": list(said.at), "used": used,
            "examples": list(EXAMPLES),
            **passes,
            "traversals": {"reverse": counted.reverse, "finite_differences": counted.finite_differences},
            "inputs": len(used),
        }  # fmt: skip
        return [self.frame("state", says)]


def _passes(graph: Graph, names: list[str], arguments: list[Any]) -> dict[str, Any]:
    """Return the nodes, the order in which they get values, and what each hands back."""
    nodes, table = graph.nodes, Table()
    places = {node: place for place, node in enumerate(nodes)}
    values: dict[Node, Any] = dict(zip(graph.inputs, arguments, strict=True))
    for node in nodes:
        if node not in values:
            values[node] = _value(node, values, table)
    adjoints, steps = _backward(graph, nodes, values)
    labels, depths = dict(zip(graph.inputs, names, strict=True)), _depths(nodes)
    return {
        "nodes": [
            {
                "op": node.op.name, "label": labels.get(node, ""), "value": float(values[node]),
                "adjoint": float(adjoints.get(node, 0.0)), "inputs": [places[x] for x in node.inputs],
                "depth": depths[node], "constant": node.op.name == "const",
            }
            for node in nodes
        ],
        "forward": [places[node] for node in nodes if node.op.kind != "leaf"],
        "backward": [
            {"node": places[node], "parts": [_told(places[node.inputs[part[0]]], part) for part in parts]}
            for node, parts in steps
        ],
        "output": places[graph.outputs[0]],
    }  # fmt: skip


def _told(to: int, part: Part) -> dict[str, Any]:
    at, local, handed, total = part
    return {"to": to, "at": at, "local": float(local), "part": float(handed), "sum": float(total)}


def _value(node: Node, values: dict[Node, Any], table: Table) -> Any:
    if node.op.name == "const":
        return table.constant(node)
    return table.operation(node)(*(values[operand] for operand in node.inputs))


def _backward(
    graph: Graph, nodes: list[Node], values: dict[Node, Any]
) -> tuple[dict[Node, Any], list[tuple[Node, list[Part]]]]:
    """Walk back from the output: each node multiplies its adjoint with its own derivatives and hands on.

    The derivative itself is what a node hands on of an adjoint of 1.
    """
    adjoints: dict[Node, Any] = {graph.outputs[0]: np.float64(1.0)}
    steps = []
    for node in reversed(nodes):
        if node.op.kind == "leaf" or node not in adjoints:
            continue
        operands = tuple(values[operand] for operand in node.inputs)
        parts = []
        for place, operand in enumerate(node.inputs):
            if operand.op.name == "const" or not node.op.flows_to(place):
                continue
            part = node.op.pull(place, adjoints[node], values[node], operands, node.attrs)
            local = node.op.pull(place, np.ones(()), values[node], operands, node.attrs)
            if part is not None:
                adjoints[operand] = adjoints.get(operand, 0.0) + part
                parts.append((place, local, part, adjoints[operand]))
        steps.append((node, parts))
    return adjoints, steps


def _depths(nodes: Iterable[Node]) -> dict[Node, int]:
    """Return how many operations stand between each node and what it is made of, operands first."""
    depths: dict[Node, int] = {}
    for node in nodes:  # once each: x^2^2^2 has as many paths to x as its value has factors
        depths[node] = 1 + max((depths[operand] for operand in node.inputs), default=-1)
    return depths
