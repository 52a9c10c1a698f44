"""Whole epochs of training, every layer, activation, loss and optimizer, native against NumPy."""

from __future__ import annotations

from itertools import cycle, islice, zip_longest
from typing import Any

import numpy as np
import pytest
from guarded import NO_CACHE

from minicolumn import nn, optim, random
from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import graph_of
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.reference import ReferenceProgram
from minicolumn.train.step import Data, State, Step, Steps, train_steps
from minicolumn.tree import flatten, unflatten

ROWS, FEATURES, OUTPUTS, STEPS = 30, 5, 3, 3
# How many outputs a loss takes that describes one target by several.
WIDTHS = {"quantile": 1, "gaussian_nll": 2}
FRONTS: dict[str, nn.Layer] = {
    "scale": nn.Scale(),
    "dropout": nn.Dropout(0.3),
    "residual": nn.Residual(nn.Sequential(nn.Dense(FEATURES, "tanh"), nn.Dropout(0.1))),
    "piecewise": nn.PiecewiseLinear(((2, (-1.0, 0.0, 0.5)), (0, (0.0, 1.0)))),
    "formulas": nn.Formulas(("a", "b^2", "sin(c*d)", "max(d,e)"), ("a", "b", "c", "d", "e")),
    "columns": nn.ColumnEmbedding(((1, 4), (0, 4)), dim=2),
    "nothing": nn.Sequential(),
    "ntk": nn.Dense(8, "selu", parametrization="ntk", bias_rate=0.1),
    "no bias": nn.Dense(17, bias=False),
    "embedding": nn.Sequential(nn.Embedding(4, 3), nn.Flatten()),
}
ACTIVATIONS = [name for name, rule in nn.ACTIVATIONS.items() if rule.trainable]
PAIRS = list(zip_longest(ACTIVATIONS[::2], ACTIVATIONS[1::2], fillvalue=ACTIVATIONS[0]))  # of two layers
BATCHES = (7, 16, 33)
COUNT = max(map(len, (PAIRS, FRONTS, nn.LOSSES, optim.OPTIMIZERS)))
CASES = list(
    islice(
        zip(
            cycle(PAIRS),
            cycle(FRONTS),
            cycle(nn.LOSSES),
            cycle(optim.OPTIMIZERS),
            cycle(BATCHES),
        ),
        COUNT,
    )
)


def test_every_part_of_the_catalogue_is_trained():
    for k, catalogue in enumerate((PAIRS, FRONTS, nn.LOSSES, optim.OPTIMIZERS)):
        assert {case[k] for case in CASES} == set(catalogue)


def epoch(case: tuple[Any, ...], dtype: Any) -> tuple[Graph, list[np.ndarray]]:
    """Return an epoch as a graph and its arguments, in one precision throughout."""
    (first, second), front, loss, optimizer, batch = case
    rule = nn.LOSSES[loss]
    outputs = WIDTHS.get(loss, OUTPUTS)
    net = nn.Sequential(FRONTS[front], nn.Dense(9, first), nn.Dense(6, second), nn.Dense(outputs))
    codes = front in ("columns", "embedding")
    uniform = random.uniform(random.key(1), (ROWS, FEATURES))
    X = np.floor(4 * uniform) if codes else random.normal(random.key(1), (ROWS, FEATURES))
    X = X.astype(np.int32 if front == "embedding" else dtype)
    labels = np.arange(ROWS, dtype=np.int32) % OUTPUTS
    shares = random.uniform(random.key(2), (ROWS, OUTPUTS)).astype(dtype)
    Y = labels if rule.task == "multiclass" else shares[:, 0] if loss in WIDTHS else shares
    params = in_precision(net.init(0, (FEATURES,)), dtype)
    recipe = optim.optimizer_by_name(optimizer)
    order = np.random.default_rng(0).integers(0, ROWS, (STEPS, batch)).astype(np.int32)
    run = train_steps(Step(net, rule.function, recipe, nn.L2(0.01)))
    rates, numbers = np.full(STEPS, 0.01, dtype), np.arange(STEPS, dtype=np.uint32)
    weight = random.uniform(random.key(3), (ROWS,)).astype(dtype)
    state = State(params, in_precision(recipe.start(params, net.roles((FEATURES,))), dtype))
    args = (state, Data(X, Y, weight), Steps(order, rates, numbers), random.stream(0, "dropout"))
    graph = graph_of(run, *args)
    leaves = [np.asarray(x) for x in flatten(args)[0]]
    return graph, [np.asarray(x, n.array_type.dtype) for x, n in zip(leaves, graph.inputs, strict=True)]


def in_precision(values: Any, dtype: Any) -> Any:
    """Return a tree with its floats in this precision."""
    leaves, structure = flatten(values)
    cast = [np.asarray(x, dtype) if np.asarray(x).dtype.kind == "f" else np.asarray(x) for x in leaves]
    return unflatten(structure, cast)


def run(kind: Any, graph: Graph, args: list[np.ndarray]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return [np.asarray(r) for r in kind(graph)(*args)]


def native(graph: Graph) -> NativeProgram:
    return NativeProgram(graph, cache=NO_CACHE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, (*case[0], *case[1:]))))
def test_an_epoch(case: tuple[Any, ...]):
    double, args = epoch(case, np.float64)
    exact = run(ReferenceProgram, double, args)
    for found, expected in zip(run(native, double, args), exact, strict=True):
        # Some thousand roundings of 1e-16 in three steps, which the optimizers' divisions by small moments
        # can make a hundred times larger.
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * scale(expected))
    single, args = epoch(case, np.float32)
    plain = run(ReferenceProgram, single, args)
    for found, near, expected in zip(run(native, single, args), plain, exact, strict=True):
        # Both have rounded as often, in different orders: native code may be off by what NumPy is off by,
        # eight times over since each has its own luck, and some roundings of the largest number.
        assert found.dtype == near.dtype
        off = float(np.abs(near.astype(np.float64) - expected).max(initial=0.0))
        bound = 8 * off + 16 * float(np.finfo(np.float32).eps) * scale(expected)
        assert np.abs(found.astype(np.float64) - expected).max(initial=0.0) <= bound


def scale(values: np.ndarray) -> float:
    """Return the largest magnitude."""
    return float(np.abs(values).max(initial=0.0))
