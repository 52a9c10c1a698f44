"""The pipeline: passes in order, and a law that is broken is found right after the pass that broke it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.ops.elementwise import TANH
from minicolumn.ir.parse import parse_graph
from minicolumn.ir.shapes import ArrayType
from minicolumn.lower import compile as compiling
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.lower.llvm.schedule import schedule
from minicolumn.passes.expand import expand
from minicolumn.passes.fuse import fuse
from minicolumn.passes.memory import plan_memory
from minicolumn.passes.pipeline import EXPAND, FUSE, PASSES, PLACE, SIMPLIFY, VARIABLE, Pass, is_verifying
from minicolumn.passes.simplify import PARTS, simplify

SOURCE = Path(mc.__file__).parent
X = np.ones((4, 3), np.float32)
WRONG = ArrayType(X.dtype, (4, 4))


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINICOLUMN_CACHE_DIR", "off")  # code that is found there runs no passes


def _f(x: Any) -> Any:
    return np.sum(np.tanh(x) * 2.0, axis=0), np.sort(x, axis=0)


def test_tests_verify() -> None:
    assert is_verifying()


@pytest.mark.parametrize(("value", "verifies"), [("", False), ("0", False), ("1", True)])
def test_verifying_is_asked_for(monkeypatch: pytest.MonkeyPatch, value: str, verifies: bool) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert is_verifying() == verifies


def test_every_pass_runs_in_order_and_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(Pass, "_verify", lambda self, result, *args: checked.append(self.name))
    mc.compile(_f)(X)
    assert checked == [step.name for step in PASSES]


def test_nothing_is_checked_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    monkeypatch.setattr(Pass, "_verify", lambda *_: pytest.fail("checked"))
    mc.compile(_f)(X)


def test_lowerings_run_passes_by_the_pipeline_alone() -> None:
    functions = {simplify.__name__, expand.__name__, fuse.__name__, plan_memory.__name__}
    assert len(functions) == len(PASSES)
    for path in (SOURCE / "lower").rglob("*.py"):
        for name, line in _imported_from_passes(path):
            assert name not in functions, f"{path.name}, line {line} imports {name}; the pipeline has it"


def _imported_from_passes(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minicolumn.passes"):
            yield from ((alias.name, node.lineno) for alias in node.names)


# Laws that are broken -------------------------------------------------------------------------------------


def _widened(graph: Graph) -> Graph:
    """Return a graph that is wrong about the type of its result."""
    (out,) = graph.outputs
    type = out.array_type.with_shape((*out.array_type.shape, 2))
    return Graph(graph.inputs, (Node(out.op, out.inputs, out.attrs, type),))


def test_a_wrong_type_is_found_after_the_pass_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(SIMPLIFY, run=lambda graph: _widened(SIMPLIFY.run(graph)), parts=())
    monkeypatch.setattr(compiling, "SIMPLIFY", wrong)
    with pytest.raises(ShapeError, match=r"after simplify: .* in c: f32\[4,3,2\]"):
        mc.compile(lambda x: np.tanh(x) * 2.0)(X)


@pytest.mark.parametrize("part", SIMPLIFY.parts)
def test_the_part_that_broke_a_law_is_named(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    right = PARTS[part]

    def wrong(work: Any, node: Node) -> Node:
        made = right(work, node)
        return Node(made.op, made.inputs, made.attrs, WRONG) if made.op is TANH else made

    monkeypatch.setitem(PARTS, part, wrong)
    with pytest.raises(ShapeError, match=rf"after simplify \({part}\): tanh gives f32\[4,3\]"):
        mc.compile(lambda x: np.sum(np.tanh(x)))(X)


def test_kernels_out_of_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(*args: Any) -> Any:
        fused = FUSE.run(*args)
        return replace(fused, kernels=fused.kernels[::-1])

    monkeypatch.setattr(schedule, "FUSE", replace(FUSE, run=backwards))
    with pytest.raises(TraceError, match=r"after fuse: .* before"):
        mc.compile(lambda x: np.sort(np.cumsum(x, axis=0), axis=0))(X)


CHAIN = parse_graph(
    "fn(x: f32[99]) { a: f32[99] = sort(x, axis=0) b: f32[99] = cumsum(a, axis=0) "
    "c: f32[99] = sort(b, axis=0) d: f32[99] = add(c, a) return d }"
)


def test_a_store_that_is_lost_is_found() -> None:
    fused = FUSE.run(CHAIN, is_native)
    fused.kernels[-1].stores.clear()
    with pytest.raises(TraceError, match="nothing computes the result"):
        FUSE.check(fused)


def test_a_store_that_comes_twice_is_found() -> None:
    fused = FUSE.run(CHAIN, is_native)
    fused.kernels[-1].stores.append(fused.kernels[-1].stores[0])
    with pytest.raises(TraceError, match=r"198 elements of .* not 99"):
        FUSE.check(fused)


def test_arrays_that_meet_in_memory_are_found() -> None:
    fused = FUSE(CHAIN, is_native)
    memory = PLACE(fused, {})
    assert len(memory.offsets) >= 2
    with pytest.raises(TraceError, match="share memory while both are needed"):
        PLACE.check(replace(memory, offsets=dict.fromkeys(memory.offsets, 0)), fused, {})
    with pytest.raises(TraceError, match="beyond the arena"):
        PLACE.check(replace(memory, size=64), fused, {})


def test_workspaces_that_meet_arrays_are_found() -> None:
    fused = FUSE(CHAIN, is_native)
    needs = {fused.kernels[1]: 64}
    memory = PLACE(fused, needs)
    taken = next(iter(memory.offsets.values()))
    with pytest.raises(TraceError, match="share memory"):
        PLACE.check(replace(memory, workspaces={fused.kernels[1]: taken}), fused, needs)


def test_an_expansion_is_a_graph_by_the_laws() -> None:
    assert EXPAND(CHAIN) is CHAIN
