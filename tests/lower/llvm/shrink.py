"""Make a failing program small: fewer outputs, then inputs in the place of values, as long as it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from twin import opinions

from minicolumn.ir.graph import Graph, Node, input_node, substitute
from minicolumn.ir.shapes import ArrayType

Fails = Callable[[Graph, list[np.ndarray]], bool]


def shrink(graph: Graph, args: Sequence[np.ndarray], fails: Fails) -> tuple[Graph, list[np.ndarray]]:
    """Return a smaller graph and arguments that fail too."""
    best = (graph, list(args))
    best = _fewer_outputs(*best, fails)
    return _fewer_nodes(*best, fails)


def _fewer_outputs(graph: Graph, args: list[np.ndarray], fails: Fails) -> tuple[Graph, list[np.ndarray]]:
    k = 0
    while k < len(graph.outputs) and len(graph.outputs) > 1:
        smaller = _tidy(graph.inputs, graph.outputs[:k] + graph.outputs[k + 1 :], args)
        if fails(*smaller):
            graph, args = smaller
        else:
            k += 1
    return graph, args


def _tidy(
    inputs: Sequence[Node], outputs: Sequence[Node], args: Sequence[np.ndarray]
) -> tuple[Graph, list[np.ndarray]]:
    """Return the program without the inputs that nobody reads."""
    read = set(Graph((), tuple(outputs)).nodes)
    kept = [k for k, node in enumerate(inputs) if node in read]
    return Graph(tuple(inputs[k] for k in kept), tuple(outputs)), [args[k] for k in kept]


def _fewer_nodes(graph: Graph, args: list[np.ndarray], fails: Fails) -> tuple[Graph, list[np.ndarray]]:
    tried: set[tuple[str, int]] = set()
    while True:
        for number, node in reversed(list(enumerate(graph.nodes))):
            if node in graph.inputs or not isinstance(node.type, ArrayType) or (str(graph), number) in tried:
                continue
            tried.add((str(graph), number))
            smaller = _cut(graph, args, node)
            if fails(*smaller):
                graph, args = smaller
                break
        else:
            return graph, args


def _cut(graph: Graph, args: list[np.ndarray], node: Node) -> tuple[Graph, list[np.ndarray]]:
    value = opinions(Graph(graph.inputs, (node,)), args)[0].value
    fresh = input_node(node.array_type)
    outputs = substitute(graph.outputs, {node: fresh})
    return _tidy((*graph.inputs, fresh), outputs, [*args, value])
