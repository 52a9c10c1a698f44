"""The pipeline: passes in order, and a law that is broken is found right after the pass that broke it."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import ShapeError, TraceError
from minicolumn.ir.graph import Graph, Node
from minicolumn.ir.parse import parse_graph
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.lower.llvm.runtime import jit
from minicolumn.passes.expand import expand
from minicolumn.passes.fuse import fuse
from minicolumn.passes.memory import plan_memory
from minicolumn.passes.pipeline import EXPAND, FUSE, PASSES, PLACE, SIMPLIFY, VARIABLE, is_verifying
from minicolumn.passes.simplify import simplify

SOURCE = Path(mc.__file__).parent
X = np.ones((4, 3), np.float32)


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


def _checked(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the names of the passes whose results were checked while a function was compiled."""
    with caplog.at_level(logging.DEBUG, "minicolumn"):
        mc.compile(_f)(X)
    return [text.removeprefix("checked ") for text in caplog.messages if text.startswith("checked ")]


@pytest.mark.skipif(not jit.available(), reason=jit.why_missing())
def test_every_pass_runs_in_order_and_is_checked(caplog: pytest.LogCaptureFixture) -> None:
    assert _checked(caplog) == [step.name for step in PASSES]


def test_nothing_is_checked_unless_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    assert _checked(caplog) == []
    wrong = _widened(SIMPLIFY(TANH_OF_X))
    assert replace(SIMPLIFY, run=lambda _: wrong)(TANH_OF_X) is wrong


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


TANH_OF_X = parse_graph("fn(x: f32[4,3]) { a: f32[4,3] = tanh(x) return a }")


def _widened(graph: Graph) -> Graph:
    """Return a graph that is wrong about the type of its result."""
    (out,) = graph.outputs
    type = out.array_type.with_shape((*out.array_type.shape, 2))
    return Graph(graph.inputs, (Node(out.op, out.inputs, out.attrs, type),))


def test_a_wrong_type_is_found_after_the_pass_that_made_it() -> None:
    wrong = replace(SIMPLIFY, run=lambda graph: _widened(SIMPLIFY.run(graph)), parts=())
    with pytest.raises(ShapeError, match=r"^after simplify: .* in a: f32\[4,3,2\]"):
        wrong(TANH_OF_X)


@pytest.mark.parametrize("part", SIMPLIFY.parts)
def test_the_part_that_broke_a_law_is_named(part: str) -> None:
    def run(graph: Graph, parts: Sequence[str] = SIMPLIFY.parts) -> Graph:
        made = SIMPLIFY.run(graph, parts=parts)
        return _widened(made) if part in parts else made

    with pytest.raises(ShapeError, match=rf"^after simplify \({part}\): .* in a: f32\[4,3,2\]"):
        replace(SIMPLIFY, run=run)(TANH_OF_X)


def test_a_part_that_is_left_out_does_nothing() -> None:
    graph = parse_graph(
        "fn(x: f32[3]) { a: f32[3] = tanh(x) b: f32[3] = copy(a) c: f32[3] = tanh(x) "
        "d: f32[3] = add(b, c) return d }"
    )
    names = lambda parts: [node.op.name for node in simplify(graph, parts=parts).nodes]  # noqa: E731
    assert names(()) == ["input", "tanh", "copy", "tanh", "add"]
    assert names(("rewrite",)) == ["input", "tanh", "tanh", "add"]
    assert names(("share",)) == ["input", "tanh", "copy", "add"]
    assert names(SIMPLIFY.parts) == ["input", "tanh", "add"]


def test_kernels_out_of_order_are_found() -> None:
    def backwards(*args: Any) -> Any:
        fused = FUSE.run(*args)
        return replace(fused, kernels=fused.kernels[::-1])

    with pytest.raises(TraceError, match=r"^after fuse: .* before"):
        replace(FUSE, run=backwards)(CHAIN, is_native)


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


def test_expansion_folds_no_constants() -> None:
    """Which bits an operation gives does not depend on what else is in the program."""
    body = "a: f32[] = const(-5.667638) b: f32[] = exp2(a) c: f64[] = squared_root(x)"
    text = f"fn(x: f64[]) {{ {body} return b, c }}"
    names = [node.op.name for node in expand(parse_graph(text)).nodes]
    assert "exp2" in names
    assert "squared_root" not in names
