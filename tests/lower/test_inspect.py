"""`inspect`: what it shows is the program that runs, and what it counts was counted."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.parse import parse_graph


def net(w: Any, x: Any) -> Any:
    return np.tanh(x @ w)


def test_the_text_is_the_simplified_graph() -> None:
    look = mc.inspect(lambda x: np.sum(1.0 * np.tanh(x)), np.ones(3))
    assert look.operations == {"sum": 1, "tanh": 1}
    assert str(parse_graph(look.text)) == look.text
    assert repr(look).startswith(look.text)
    assert repr(look).endswith("2 operations: 1 sum, 1 tanh")


def test_arguments_give_their_names_to_the_inputs() -> None:
    text = mc.inspect(net, np.ones((3, 2)), np.ones((4, 3))).text
    assert "w: f64[3,2]" in text
    assert "x: f64[4,3]" in text


def test_keywords_and_derivatives_can_be_inspected() -> None:
    look = mc.inspect(lambda x, k: np.sum(x**k), np.ones(3), k=2)
    assert look.traversals.reverse == 2
    assert "cos" in mc.inspect(mc.grad(lambda x: np.sum(np.sin(x))), np.ones(3)).operations


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 2), (2, 3), (5, 1)])
def test_reverse_mode_takes_outputs_plus_one_and_differences_inputs_plus_one(
    inputs: int, outputs: int
) -> None:
    matrix = np.random.default_rng(0).standard_normal((outputs, inputs))
    found = mc.inspect(lambda x: np.tanh(matrix @ x), np.linspace(-1.0, 1.0, inputs)).traversals
    assert (found.inputs, found.outputs) == (inputs, outputs)
    assert (found.reverse, found.finite_differences) == (outputs + 1, inputs + 1)
    # One-sided differences with a step of 2^-26: the curvature costs a step, the rounding another.
    assert found.difference < 1e-6
    assert f"takes {outputs + 1} traversals" in str(found)


def test_traversals_are_counted_over_nests_and_in_float64() -> None:
    params = {"w": np.ones((2, 1), np.float32), "b": [np.float32(0.5)]}
    found = mc.inspect(lambda p: np.sum(np.exp(np.ones((3, 2)) @ p["w"] + p["b"][0])), params).traversals
    assert (found.inputs, found.outputs) == (3, 1)
    assert found.difference < 1e-6  # in float32 it would be a thousand times as large


def test_what_would_take_too_long_is_refused() -> None:
    with pytest.raises(mc.DataError, match="at most 20,000 input elements"):
        _ = mc.inspect(lambda x: np.sum(x), np.ones(20_001)).traversals
    with pytest.raises(mc.DataError, match="bool"):
        _ = mc.inspect(lambda x, m: np.sum(np.where(m, x, 0.0)), np.ones(2), np.ones(2, bool)).traversals


def test_the_plan_and_the_pictures_are_of_the_same_graph() -> None:
    look = mc.inspect(net, np.ones((3, 2)), np.ones((4, 3)))
    assert look.plan.graph is look.graph
    assert [step.node.op.name for step in look.plan.steps] == ["matmul", "tanh"]
    assert look.dot().startswith("digraph")
    assert "matmul" in look.dot()
    assert ElementTree.fromstring(look.svg()).tag.endswith("svg")
    assert look._repr_svg_() == look.svg()


def test_the_native_program_can_be_looked_at() -> None:
    look = mc.inspect(
        lambda x, w: np.tanh(x @ w), np.ones((40, 30), np.float32), np.ones((30, 20), np.float32)
    )
    assert "a = tanh(x @ w)" in str(look.fused)
    assert look.fused.flops == 2 * 40 * 30 * 20 + 40 * 20
    assert "define void @run(" in look.llvm
    assert "run:" in look.assembly


def test_times_are_of_every_kernel_and_add_up() -> None:
    look = mc.inspect(lambda x: (np.sum(np.exp(x)), np.sort(x)), np.ones(5000))
    times = look.times(runs=3)
    assert len(times.rows) == len(look.fused.kernels)
    assert sum(row.share for row in times.rows) == pytest.approx(1.0)
    # The kernels are part of the call; both are read from the same clock to a few microseconds.
    assert 0 < times.kernels < times.microseconds + 5
    assert "GFLOP/s" in str(times)
