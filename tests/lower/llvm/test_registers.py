"""Tiny networks in registers: the same results as the reference, for every batch that fits the lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import graph_of
from minicolumn.lower.llvm.schedule.lane_axes import MOST_LANES, lanes_of_body
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.train.step import Data, State, Step, Steps, train_steps
from minicolumn.tree import flatten

ROWS, STEPS = 40, 7


def _epoch(
    net: Any, loss: str, optimizer: Any, batch: int, dtype: Any = np.float32
) -> tuple[Graph, list[Any]]:
    """Return the graph of some steps of training, and arrays to run it on."""
    rng = np.random.default_rng(batch)
    X = rng.standard_normal((ROWS, 3)).astype(dtype)
    classes = loss == "softmax_cross_entropy"
    y = rng.integers(0, 3, ROWS).astype(np.int32) if classes else rng.standard_normal((ROWS, 1)).astype(dtype)
    params = net.init(0, (3,), dtype=dtype)
    order = rng.integers(0, ROWS, (STEPS, batch)).astype(np.int32)
    rates, numbers = np.full(STEPS, 0.05, dtype), np.arange(STEPS, dtype=np.uint32)
    state = State(params, optimizer.start(params))
    args = (state, Data(X, y), Steps(order, rates, numbers), mc.random.stream(0, "dropout"))
    graph = graph_of(train_steps(Step(net, mc.nn.LOSSES[loss].function, optimizer)), *args)
    leaves = [np.asarray(leaf) for leaf in flatten(args)[0] if leaf is not None]
    return graph, [leaf.astype(i.array_type.dtype) for leaf, i in zip(leaves, graph.inputs, strict=True)]


def _body(graph: Graph) -> Graph:
    return next(node.attrs["body"] for node in graph.nodes if node.op.name == "scan")


NETS = {
    "tanh": (
        mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(2, "tanh"), mc.nn.Dense(1)),
        "squared_error",
    ),
    "relu": (mc.nn.Sequential(mc.nn.Dense(5, "relu"), mc.nn.Dense(3)), "softmax_cross_entropy"),
    "none": (mc.nn.Sequential(mc.nn.Dense(1)), "squared_error"),
}


@pytest.mark.parametrize(
    "optimizer", [mc.optim.SGD(0.1), mc.optim.SGD(0.1, momentum=0.9), mc.optim.Adam(0.01)]
)
@pytest.mark.parametrize("net", NETS)
def test_a_tiny_networks_epoch_is_the_references(net: str, optimizer: Any) -> None:
    graph, arrays = _epoch(*NETS[net], optimizer, batch=10, dtype=np.float64)
    assert lanes_of_body(_body(graph)) == 10
    for found, expected in zip(NativeProgram(graph)(*arrays), ReferenceProgram(graph)(*arrays), strict=True):
        # Seven steps, each some hundred roundings; a wrong lane would be off by a percent.
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("batch", [2, 3, 7, 8, 9, 16, 17, 31, 64])
def test_every_batch_uses_its_own_lanes_and_no_others(batch: int) -> None:
    graph, arrays = _epoch(*NETS["relu"], mc.optim.SGD(0.1), batch, dtype=np.float64)
    assert lanes_of_body(_body(graph)) == batch
    for found, expected in zip(NativeProgram(graph)(*arrays), ReferenceProgram(graph)(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_larger_things_are_left_to_loops() -> None:
    wide = mc.nn.Sequential(mc.nn.Dense(64, "tanh"), mc.nn.Dense(64, "tanh"), mc.nn.Dense(1))
    assert lanes_of_body(_body(_epoch(wide, "squared_error", mc.optim.Adam(0.01), 8)[0])) is None
    many = _epoch(*NETS["none"], mc.optim.SGD(0.1), MOST_LANES + 1)[0]
    assert lanes_of_body(_body(many)) is None


def test_rows_out_of_range_are_an_error_here_too() -> None:
    graph, arrays = _epoch(*NETS["relu"], mc.optim.SGD(0.1), 8)
    program = NativeProgram(graph)
    place = next(k for k, a in enumerate(arrays) if a.shape == (STEPS, 8))
    for wrong in (ROWS, -ROWS - 1):
        bad = [a.copy() for a in arrays]
        bad[place][3, 5] = wrong
        with pytest.raises(IndexError):
            program(*bad)
    arrays[place][0, 0] = -1  # counts from the end
    for found, expected in zip(program(*arrays), ReferenceProgram(graph)(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)  # float32


def test_nan_travels() -> None:
    graph, arrays = _epoch(*NETS["relu"], mc.optim.SGD(0.1), 8)
    arrays[0][0, 0] = np.nan
    for found, expected in zip(NativeProgram(graph)(*arrays), ReferenceProgram(graph)(*arrays), strict=True):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
