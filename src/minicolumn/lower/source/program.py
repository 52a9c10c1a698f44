"""A graph as the body of a function of source: kernels, constants and workspace.

    traced graph -> SIMPLIFY -> EXPAND -> FUSE -> PLACE -> a loop nest for each kernel

The passes are those of native code, so the same operations are fused, and nothing is allocated: what lies
between kernels has its place in a workspace whose size is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, Graph, Node
from minicolumn.lower.source.kernels import KernelWriter
from minicolumn.lower.source.language import Language
from minicolumn.lower.source.values import Lines
from minicolumn.passes.addresses import uniform
from minicolumn.passes.memory import Memory, bytes_of
from minicolumn.passes.pipeline import EXPAND, FUSE, PLACE

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Place:
    """Where an array lies in the workspace: its dtype, the first byte, and how many elements it has."""

    dtype: np.dtype[Any]
    offset: int
    size: int


@dataclass(frozen=True, eq=False)
class SourceProgram:
    """A function of source.

    body        its lines, which read the inputs, write the outputs, and name constants and the workspace
    helpers     functions that it calls
    constants   its arrays, by name
    workspace   the arrays between kernels, by name; those that are not needed at once overlap
    size        of the workspace, in bytes
    row         bytes that the largest kernel keeps beside it while it runs
    """

    body: str
    helpers: tuple[str, ...]
    constants: Mapping[str, Array]
    workspace: Mapping[str, Place]
    size: int
    row: int


def write_program(
    graph: Graph,
    language: Language,
    depth: int = 1,
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("out",),
    int8: bool = False,
) -> SourceProgram:
    """Write a graph in a language.

    graph       simplified, its shapes known
    depth       how far the body is indented
    inputs, outputs     what the flat arrays of its inputs and outputs are called
    int8        whether weights become int8, in a language that packs them; see `minicolumn.lower.source.int8`
    Errors      DataError, naming it, for an operation that the language has no line for

    >>> from minicolumn.ir.parse import parse_graph
    >>> from minicolumn.lower.source.c99 import C99
    >>> text = "fn(x: f32[3]) { a: f32[3] = multiply(x, x) b: f32[] = sum(a, axes=[0]) return b }"
    >>> print(write_program(parse_graph(text), C99, depth=0).body)
    {
      float s1 = 0.0f;
      for (int32_t i0 = 0; i0 < 3; ++i0) {
        const float t3 = x[i0];
        s1 += t3 * t3;
      }
      out[0] = s1;
    }
    """
    fused = FUSE(EXPAND(graph), language.writes)
    memory = PLACE(fused, {})
    constants = _constants(fused.graph)
    workspace = {f"a{k}": node for k, node in enumerate(memory.offsets)}
    names = {node: name for name, node in (constants | workspace).items()}
    names |= {node: outputs[k] for node, k in memory.results.items()}
    names |= dict(zip(fused.graph.inputs, inputs, strict=True))
    lines = Lines(depth)
    writer = KernelWriter(lines, language, fused, names, int8=int8)
    for kernel in memory.kernels:
        writer.write(kernel)
    _copy(lines, language, memory, names, outputs)
    body = str(lines)
    return SourceProgram(
        body,
        tuple(language.called(body)),
        {name: node.attrs["value"] for name, node in constants.items() if _is_named(name, body)}
        | writer.extra,
        {name: _place(node, memory) for name, node in workspace.items() if _is_named(name, body)},
        memory.size,
        max(writer.rows, default=0),
    )


def _constants(graph: Graph) -> dict[str, Node]:
    """Return the constants by name; those of one number stand in expressions mostly."""
    found = [node for node in graph.nodes if node.op is CONST]
    return {f"c{k}": node for k, node in enumerate(found)}


def _is_named(name: str, body: str) -> bool:
    """Return whether an array's element is read or written, or its address taken."""
    return f"{name}[" in body or f"({name} + " in body


def _place(node: Node, memory: Memory) -> Place:
    dtype = node.array_type.dtype
    return Place(dtype, memory.offsets[node], bytes_of(node.array_type) // dtype.itemsize)


def _copy(
    lines: Lines, language: Language, memory: Memory, names: Mapping[Node, str], outputs: Sequence[str]
) -> None:
    """Write the copies of arrays that are results, but lie elsewhere: inputs, say."""
    for copy in memory.copies:
        constant = uniform(copy.source)
        lines.open(language.loop("i0", copy.source.array_type.size))
        value = language.number(constant) if constant is not None else f"{names[copy.source]}[i0]"
        lines.add(f"{outputs[copy.output]}[i0] = {value};")
        lines.close()
