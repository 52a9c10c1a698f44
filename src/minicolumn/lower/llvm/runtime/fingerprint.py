"""What a program's code depends on, as bytes: the graph without names and places of origin."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.shapes import one_number
from minicolumn.lower.llvm.runtime.abi import CODE_CONSTANT_BYTES


@functools.cache
def compiler_version() -> str:
    """Return the package's version and a digest of the sources that turn graphs into code.

    With the version alone, whoever changes the lowering would go on running what it made before.
    """
    import minicolumn

    return f"{minicolumn.__version__} {digest_of(Path(minicolumn.__file__).parent)}"


def digest_of(package: Path) -> str:
    """Return a digest of the sources in a package's folder that turn graphs into code."""
    digest = hashlib.sha256()
    for folder in ("ir", "passes", "lower"):
        for source in sorted((package / folder).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()


def all_nodes(graph: Graph) -> Iterator[Node]:
    """Yield every node, those of nested bodies after the node that holds them; always in the same order."""
    for node in graph.nodes:
        yield node
        for value in node.attrs.values():
            if isinstance(value, Graph):
                yield from all_nodes(value)


def fingerprint(graph: Graph) -> bytes:
    """Return bytes that two graphs share only if their code is the same."""
    return "\n".join(_lines(graph)).encode()


def _lines(graph: Graph) -> Iterator[str]:
    numbers: dict[Node, int] = {}
    for node in graph.nodes:
        numbers[node] = len(numbers)
        yield f"{node.type} {node.op.name} {[numbers[i] for i in node.inputs]} {_attributes(node)}"
    yield f"{[numbers[i] for i in graph.inputs]} -> {[numbers[o] for o in graph.outputs]}"


def _attributes(node: Node) -> str:
    if node.op is INPUT:
        return ""
    if node.op is CONST:
        return _constant(node)
    return " ".join(f"{name}={_value(node.attrs[name])}" for name in sorted(node.attrs))


def _value(value: Any) -> str:
    return "{\n" + "\n".join(_lines(value)) + "\n}" if isinstance(value, Graph) else repr(value)


def _constant(node: Node) -> str:
    """Return what of a constant is part of the code: a small one whole, of a large one that it is uniform."""
    value = node.attrs["value"]
    if value.nbytes <= CODE_CONSTANT_BYTES:
        return value.tobytes().hex()
    number = one_number(value)
    return "table" if number is None else number.tobytes().hex()
