"""The printed plan: small text files that a person can review, and sums that can be counted by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.codegen.scalar import is_native
from minicolumn.passes.fuse import fuse
from minicolumn.passes.kernel import Fused, Kernel
from minicolumn.passes.memory import Memory, plan_memory
from minicolumn.passes.show import Shown, show_plan
from minicolumn.train.step import Data, State, Step, Steps, train_steps

GOLDEN = Path(__file__).with_name("golden")
NET = mc.nn.Sequential(mc.nn.Dense(8, "relu"), mc.nn.Dropout(0.5), mc.nn.Dense(3))
ROWS, BATCH, STEPS, FEATURES = 60, 20, 5, 4


@dataclass(frozen=True)
class _Stage:
    """Kernels and memory as any lowering has them, without workspaces, which depend on the machine."""

    graph: Graph
    fused: Fused
    memory: Memory
    inner: Mapping[Kernel, Any]
    lanes: Mapping[Kernel, int]


def _stage(graph: Graph, carried: Any = ()) -> _Stage:
    fused = fuse(graph, is_native)
    inner = {k: _body(k) for k in fused.kernels if k.kind == "scan"}
    return _Stage(graph, fused, plan_memory(fused, {}, carried), inner, {})


def _body(kernel: Kernel) -> _Stage:
    assert kernel.anchor is not None
    attrs = kernel.anchor.attrs
    states = attrs["body"].inputs[attrs["consts"] : attrs["consts"] + attrs["carry"]]
    return _stage(attrs["body"], tuple((node, k) for k, node in enumerate(states)))


def _plan(graph: Graph) -> Shown:
    return show_plan(_stage(graph), lambda fused, kernel: prod(kernel.shape) > 100)


def _forward(params: Any, x: Any) -> Any:
    return NET.apply(params, x)


def _epoch() -> Graph:
    optimizer, params = mc.optim.Adam(1e-3), NET.init(0, (FEATURES,))
    steps = train_steps(Step(NET, mc.nn.LOSSES["softmax_cross_entropy"].function, optimizer))

    def epoch(
        params: Any, moments: Any, X: Any, Y: Any, order: Any, rates: Any, numbers: Any, key: Any
    ) -> Any:
        state, (losses,) = steps(State(params, moments), Data(X, Y), Steps(order, rates, numbers), key)
        return state.params, state.moments, losses

    X, Y = np.zeros((ROWS, FEATURES), np.float32), np.zeros(ROWS, np.int32)
    order, rates = np.zeros((STEPS, BATCH), np.int32), np.zeros(STEPS, np.float32)
    numbers, key = np.zeros(STEPS, np.uint32), mc.random.stream(0, "dropout")
    return graph_of(epoch, params, optimizer.start(params), X, Y, order, rates, numbers, key)


def _graphs() -> dict[str, Graph]:
    x = np.zeros((BATCH, FEATURES), np.float32)
    return {"forward": graph_of(_forward, NET.init(0, (FEATURES,)), x), "adam_epoch": _epoch()}


@pytest.mark.parametrize("name", ["forward", "adam_epoch"])
def test_the_plan_is_the_one_that_was_reviewed(name: str) -> None:
    """Where a difference is meant: MINICOLUMN_GOLDEN=write pytest tests/passes/test_show.py."""
    file, text = GOLDEN / f"{name}.txt", f"{_plan(_graphs()[name])}\n"
    if os.environ.get("MINICOLUMN_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_a_products_cost_is_counted_by_hand() -> None:
    plan = _plan(graph_of(lambda x, w, b: x @ w + b, np.ones((4, 5)), np.ones((5, 6)), np.ones(6)))
    (line,) = plan.lines
    assert line.words == "a = x @ w + b"
    assert line.flops == plan.flops == 2 * 4 * 5 * 6 + 4 * 6
    assert line.bytes == plan.bytes == 8 * (4 * 5 + 5 * 6 + 6 + 4 * 6)
    assert line.operations == 2
    assert not line.shared


def test_a_reduction_that_lies_in_a_part_of_its_result_is_shown_there() -> None:
    # The sum is nowhere else: it has no name of its own.
    plan = _plan(graph_of(lambda x: np.concatenate([np.sum(x, axis=0), x[0]]), np.ones((4, 3))))
    assert any("[...] = sum(x, axis 0)" in line.words for line in plan.lines), str(plan)


def test_a_loop_counts_its_turns() -> None:
    step = lambda s, x: (s * 2.0 + x, x)  # noqa: E731
    plan = _plan(graph_of(lambda s, xs: mc.scan(step, s, xs), np.ones(3), np.ones((7, 3))))
    assert plan.flops == 7 * 2 * 3
    assert any(line.words.startswith("loop of 7 iterations") for line in plan.lines)
    assert any("s' in place" in line.writes for line in plan.lines)


def test_gathers_read_only_their_rows() -> None:
    rows = np.zeros(2, np.int32)
    plan = _plan(graph_of(lambda x: x[rows] * 2.0, np.ones((1000, 3))))
    assert plan.bytes < 200


def test_a_plan_is_plain_values_for_json() -> None:
    import json

    found = json.loads(json.dumps(_plan(_epoch()).to_json()))
    assert found["kernels"] == len([x for x in found["lines"] if x["kind"] not in ("scan", "copy")])
