"""Passes and lowerings ask an operation's record, or compare records: none of them knows a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.op import OPS

SOURCE = Path(__file__).parents[1] / "src" / "minicolumn"
STAGES = ("passes", "lower")

# Words that are names of operations too: where they are allowed to stand, and what they mean there.
WORDS = {
    ("lower", "i1"): "LLVM's type of one bit",
    ("lower/llvm", "add"): "LLVM's instruction",
    ("lower/single_array_call.py", "add"): "LLVM's instruction",
    ("lower/llvm", "trunc"): "LLVM's conversion to a narrower integer",
    ("lower/llvm", "sqrt"): "LLVM's intrinsic",
    ("lower/llvm/codegen/shuffle.py", "sort"): "a function in its module",
    ("lower/llvm/codegen/scalar.py", "floor"): "LLVM's intrinsic",
    ("lower/llvm/codegen/scalar.py", "ceil"): "LLVM's intrinsic",
    ("lower/llvm/codegen/scalar.py", "max"): "the end of LLVM's intrinsics smax and umax",
    ("lower/llvm/codegen/scalar.py", "min"): "the end of LLVM's intrinsics smin and umin",
    ("passes/show.py", "const"): "the beginning of the names of constants in a printed plan",
    ("passes/show.py", "input"): "the beginning of the names of inputs that have none",
    ("passes", "scan"): "a kind of kernel",
    ("lower", "scan"): "a kind of kernel",
    ("lower/source/program.py", "i0"): "a loop's counter",
    ("passes/show.py", "copy"): "a kind of line in a printed plan",
}
# Functions of C, of JavaScript, and ours where these have none.
FUNCTIONS = {
    "lower/source/c99.py": "floor ceil trunc rint sign absolute power logistic softplus logaddexp fmod "
    "hypot cbrt erf erfc isnan isinf isfinite signbit",
    "lower/source/javascript.py": "logistic softplus logaddexp erfc",
}
WORDS |= {(place, word): "a function" for place, words in FUNCTIONS.items() for word in words.split()}
# Who writes names: for people, for files that tell programs apart, or into a library by the same names.
WRITERS = {
    "passes/kernel.py": ("__repr__",),
    "passes/show.py": ("_words",),
    "passes/expand.py": ("_inlined", "_traced"),
    "lower/inspect.py": ("operations",),
    "lower/compare/shadow.py": ("error",),
    "lower/onnx_nodes.py": ("graph",),
    "lower/source/javascript.py": ("_refuse_long",),
    "lower/source/kernels.py": ("write",),
    "lower/llvm/codegen/standalone.py": ("emit_standalone",),
    "lower/llvm/schedule/symbolic_dims.py": ("_refuse",),
    "passes/addresses.py": ("operands",),
    "lower/llvm/runtime/fingerprint.py": ("_lines",),
}


def _modules() -> list[Path]:
    return sorted(path for stage in STAGES for path in (SOURCE / stage).rglob("*.py"))


def _under(path: Path, place: str) -> bool:
    name = path.relative_to(SOURCE).as_posix()
    return name == place or name.startswith(f"{place}/")


def _literals(path: Path) -> Iterator[ast.Constant]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in OPS:
            yield node


def _names_read(tree: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    """Yield the functions that read ``op.name``, with the line."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else within
        if isinstance(node, ast.Attribute) and node.attr == "name" and _is_op(node.value):
            yield inner, node.lineno
        yield from _names_read(node, inner)


def _is_op(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "op") or (
        isinstance(node, ast.Name) and node.id == "op"
    )


@pytest.mark.parametrize("path", _modules(), ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_no_literal_names_an_operation(path: Path) -> None:
    for node in _literals(path):
        allowed = any(node.value == word and _under(path, place) for place, word in WORDS)
        assert allowed, f"line {node.lineno} names {node.value!r}: compare records, or ask the record"


@pytest.mark.parametrize("path", _modules(), ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_names_are_read_to_be_written_only(path: Path) -> None:
    writers = WRITERS.get(path.relative_to(SOURCE).as_posix(), ())
    for function, line in _names_read(ast.parse(path.read_text())):
        assert function in writers, f"line {line}: {function} reads an operation's name"


def test_no_exception_is_stale() -> None:
    for place, word in WORDS:
        found = [p for p in _modules() if _under(p, place) and any(n.value == word for n in _literals(p))]
        assert found, f"{place} no longer uses the word {word!r}"
    for name, functions in WRITERS.items():
        assert {*functions} == {f for f, _ in _names_read(ast.parse((SOURCE / name).read_text()))}
