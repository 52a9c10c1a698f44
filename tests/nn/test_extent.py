"""What a network becomes for one row is known without running it, and is bounded before anything is built."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.nn import (
    Activation,
    ColumnEmbedding,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Heads,
    LayerNorm,
    MonotoneQuantiles,
    PiecewiseLinear,
    Residual,
    Sequential,
)
from minicolumn.nn.extent import MAX_OPERATIONS, extent, first_bad_code


def test_shapes_and_moved_columns_are_those_of_the_forward_pass(case: Any) -> None:
    found = extent(case.layer, case.input_shape)
    x = case.rows(1)
    y = case.layer.apply(case.layer.init(0, case.input_shape), x)
    assert y.shape[1:] == found.output_shape
    if case.layer.inside:
        return
    columns = np.arange(x.size, dtype=np.float32).reshape(x.shape)
    moved = case.layer.moved(columns)
    assert moved.shape == y.shape
    told = ~np.isnan(moved)
    np.testing.assert_array_equal(y[told], x.ravel()[moved[told].astype(int)])


def test_codes_are_followed_through_layers_that_move_columns() -> None:
    front = PiecewiseLinear(((0, (0.0, 1.0, 2.0)),))
    side = Concatenate(Sequential(Flatten(), Dropout(0.5)), Dense(2))
    found = extent(Sequential(front, side, ColumnEmbedding(((2, 7), (4, 3)), 1), Dense(1)), (3,)).lookups
    assert [(lookup.path, lookup.levels) for lookup in found] == [("2", 7), ("2", 3)]
    assert found[0].columns.tolist() == [2.0]
    assert not found[0].is_computed
    assert found[1].is_computed
    behind = ColumnEmbedding(((0, 5),), 2), ColumnEmbedding(((0, 6),), 2)
    assert [float(lookup.columns[0]) for lookup in extent(Sequential(*behind), (3,)).lookups] == [0.0, 1.0]
    doubled = Residual(Dense(3)), Embedding(5, 2)
    assert extent(Sequential(*doubled), (3,)).lookups[0].is_computed


def test_the_first_bad_code_is_named() -> None:
    lookups = extent(ColumnEmbedding(((1, 3),), 2), (2,)).lookups
    X = np.array([[9.0, 0.0], [9.0, 2.0], [9.0, 3.0]], np.float32)
    assert first_bad_code(lookups, X[:2]) is None
    assert first_bad_code(lookups, X) == (2, 1, 3)
    for code in (-1.0, np.nan, np.inf, -np.inf, 1e30):
        X[0, 1] = code
        assert first_bad_code(lookups, X) == (0, 1, 3)


def _column_codes(columns: int) -> Sequential:
    return Sequential(ColumnEmbedding(tuple((k, 3) for k in range(columns)), 2), Dense(1))


HUGE: dict[str, tuple[Any, tuple[int, ...]]] = {
    "doubled 24 times": (Sequential(*[Concatenate(Sequential(), Sequential())] * 24), (2,)),
    "doubled 300 times": (Sequential(*[Concatenate(Sequential(), Sequential())] * 300), (2,)),
    "layer norms": (Sequential(*[LayerNorm(affine=False)] * 900), (3,)),
    "ascending": (Sequential(*[MonotoneQuantiles()] * 990), (3,)),
    "heads": (Heads(**{f"h{k}": Dense(1) for k in range(900)}), (3,)),
    "column embeddings": (_column_codes(5_000), (5_000,)),
    "a huge input": (Flatten(), (2**31,) * 8),
    "too wide": (Dense(10**7), (1,)),
    "ramps of ramps": (
        Sequential(*[PiecewiseLinear(((0, tuple(map(float, range(1000)))),))] * 600),
        (6_000,),
    ),
    "axes": (Sequential(*[Embedding(3, 2)] * 2), (2,)),
}


@pytest.mark.parametrize("name", HUGE)
def test_small_descriptions_of_huge_networks_are_refused_at_once(name: str) -> None:
    network, shape = HUGE[name]
    started = time.process_time()
    with pytest.raises(mc.MinicolumnError) as refusal:
        extent(network, shape)
    assert len(str(refusal.value)) < 300
    # A tenth of a second is what the largest of them takes; building any would take minutes or gigabytes.
    assert time.process_time() - started < 2.0


LARGE: dict[str, tuple[Any, tuple[int, ...]]] = {
    "64 hidden layers": (Sequential(*[Dense(64, "relu"), LayerNorm(), Dropout(0.1)] * 64, Dense(3)), (50,)),
    "512 ramps": (
        Sequential(
            PiecewiseLinear(tuple((k, tuple(map(float, range(9)))) for k in range(512))), Dense(256), Dense(1)
        ),
        (5_000,),
    ),
    "100 column embeddings": (_column_codes(100), (100,)),
    "50,000 columns": (Sequential(Dense(256, "relu"), Dense(1)), (50_000,)),
    "an image": (Sequential(Flatten(), Dense(128), Activation("relu"), Dense(10)), (512, 512, 3)),
}


@pytest.mark.parametrize("name", LARGE)
def test_networks_as_people_have_them_are_within_the_bounds(name: str) -> None:
    network, shape = LARGE[name]
    assert extent(network, shape).operations <= MAX_OPERATIONS


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (_column_codes(600), (600,)),
        (Concatenate(*[Dense(1)] * 450), (4,)),
        (Heads(**{f"h{k}": Dense(1) for k in range(450)}), (4,)),
    ],
    ids=["600 column embeddings", "450 layers side by side", "450 heads"],
)
def test_what_would_take_many_seconds_to_compile_is_refused(network: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(mc.DataError, match="more than 2,000 operations"):
        extent(network, shape)
