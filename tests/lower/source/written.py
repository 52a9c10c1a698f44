"""Graphs as one program of C or JavaScript that is run, with the values of their outputs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from minicolumn.ir.graph import Graph, Node
from minicolumn.lower.source import c99, javascript
from minicolumn.lower.source.c99 import C99
from minicolumn.lower.source.javascript import DECODED, JAVASCRIPT
from minicolumn.lower.source.program import write_program

Case = tuple[Graph, Sequence[np.ndarray]]
C_COMPILER = next((found for name in ("gcc", "clang", "cc") if (found := shutil.which(name))), None)
NODE = shutil.which("node")
needs_c = pytest.mark.skipif(C_COMPILER is None, reason="needs a C compiler: apt install gcc")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node.js: apt install nodejs")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
CHECKED = ["-O0", "-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"]
QUICK = ["-O3"]
C_HEAD = "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n"


def run_c(cases: Sequence[Case], folder: Path, options: Sequence[str]) -> list[list[np.ndarray]]:
    """Return the outputs of graphs, computed by one program of C."""
    helpers: dict[str, None] = {}
    functions, calls = [], []
    for k, (graph, args) in enumerate(cases):
        ins, outs = _names(graph)
        program = write_program(graph, C99, inputs=ins, outputs=outs)
        helpers |= dict.fromkeys(program.helpers)
        constants = "\n".join(c99.array_text(name, value) for name, value in program.constants.items())
        taken = [
            f"const {c99.TYPES[n.array_type.dtype.name]} *{i}" for n, i in zip(graph.inputs, ins, strict=True)
        ]
        taken += [
            f"{c99.TYPES[n.array_type.dtype.name]} *{o}" for n, o in zip(graph.outputs, outs, strict=True)
        ]
        unused = "".join(f"  (void){name};\n" for name in (*ins, *outs))
        body = f"{unused}{c99.workspace_text(program)}{program.body}"
        head = f"static void f{k}({', '.join(taken) or 'void'})"
        functions.append(_apart(f"{constants}\n{head} {{\n{body}\n}}", k))
        calls += _c_call(k, graph, args)
    text = "\n".join([C_HEAD, *helpers, *functions, "int main(void) {", *calls, "  return 0;\n}\n"])
    folder.joinpath("programs.c").write_text(text)
    assert C_COMPILER is not None
    built = [C_COMPILER, *STRICT, *options, "programs.c", "-lm", "-o", "programs"]
    made = subprocess.run(built, cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:2000]
    ran = subprocess.run([str(folder / "programs")], capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()[:2000]
    return _parts(cases, ran.stdout)


def _apart(text: str, k: int) -> str:
    """Return a function and its constants, whose names no other function has."""
    return re.sub(r"\b([cw])(\d+)\b", rf"\g<1>{k}_\g<2>", text)


def _c_call(k: int, graph: Graph, args: Sequence[np.ndarray]) -> list[str]:
    lines = ["  {"]
    ins, outs = _names(graph)
    lines += ["  " + c99.array_text(name, np.asarray(value)) for name, value in zip(ins, args, strict=True)]
    for node, name in zip(graph.outputs, outs, strict=True):
        type = c99.TYPES[node.array_type.dtype.name]
        lines.append(f"    static {type} {name}[{max(node.array_type.size, 1)}];")
    lines.append(f"    f{k}({', '.join([*ins, *outs])});")
    for node, name in zip(graph.outputs, outs, strict=True):
        lines.append(f"    fwrite({name}, sizeof *{name}, {node.array_type.size}, stdout);")
    return [*lines, "  }"]


def run_js(cases: Sequence[Case], folder: Path) -> list[list[np.ndarray]]:
    """Return the outputs of graphs, computed by one program of JavaScript."""
    helpers: dict[str, None] = {}
    parts = []
    for graph, args in cases:
        ins, outs = _names(graph)
        program = write_program(graph, JAVASCRIPT, inputs=ins, outputs=outs)
        helpers |= dict.fromkeys(program.helpers)
        arrays = [javascript.array_text(name, np.asarray(v)) for name, v in zip(ins, args, strict=True)]
        arrays += [javascript.array_text(name, value) for name, value in program.constants.items()]
        for node, name in zip(graph.outputs, outs, strict=True):
            kind = javascript.TYPES[node.array_type.dtype.name]
            arrays.append(f"const {name} = new {kind}({node.array_type.size});")
        given = [f"found.push({name});" for name in outs]
        parts.append("\n".join(["{", *arrays, javascript.workspace_text(program), program.body, *given, "}"]))
    end = "process.stdout.write(Buffer.concat(found.map((a) => Buffer.from(a.buffer))));\n"
    text = "\n".join([DECODED, *helpers, "const found = [];", *parts, end])
    folder.joinpath("programs.mjs").write_text(text)
    assert NODE is not None
    ran = subprocess.run([NODE, "programs.mjs"], cwd=folder, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()[:2000]
    return _parts(cases, ran.stdout, longs=np.dtype(np.float64))


def _names(graph: Graph) -> tuple[list[str], list[str]]:
    return [f"x{k}_" for k in range(len(graph.inputs))], [f"y{k}_" for k in range(len(graph.outputs))]


def _parts(cases: Sequence[Case], data: bytes, longs: np.dtype | None = None) -> list[list[np.ndarray]]:
    """Return the arrays that lie in the output of a program, one after the other."""
    found, place = [], 0

    def taken(node: Node) -> np.ndarray:
        nonlocal place
        type = node.array_type
        stored = longs if longs is not None and type.dtype == np.int64 else type.dtype
        first, place = place, place + type.size * stored.itemsize
        return np.frombuffer(data[first:place], stored).astype(type.dtype).reshape(type.shape)

    for graph, _ in cases:
        found.append([taken(node) for node in graph.outputs])
    assert place == len(data)
    return found
