"""Embeddings of many columns in one table: they learn what a table a column does, and codes stay apart."""

from __future__ import annotations

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, random

SIDE_BY_SIDE, APART = ((3, 4), (4, 3), (5, 5)), ((5, 4), (0, 3), (3, 5))


@pytest.mark.parametrize("pairs", [SIDE_BY_SIDE, APART])
def test_a_shared_table_learns_what_a_table_a_column_learns_bit_by_bit(pairs: tuple[tuple[int, int], ...]):
    x = np.floor(random.uniform(random.key(1), (40, 6)) * 3).astype(np.float32)
    columns = [column for column, _ in pairs]
    y = (x[:, columns].sum(axis=1) > 3).astype(np.int32)
    nets = [nn.Sequential(nn.ColumnEmbedding(pairs, 2, shared), nn.Dense(2)) for shared in (False, True)]
    start = nets[0].init(0, (6,))
    joined = {"dim_2": np.concatenate([start["0"][str(column)] for column in columns])}
    runs = [
        mc.fit(net, x, y, loss="softmax_cross_entropy", params=params, epochs=3, batch_size=8)
        for net, params in zip(nets, (start, {**start, "0": joined}), strict=True)
    ]
    one, other = (run.model.params["0"] for run in runs)
    assert not np.array_equal(other["dim_2"], joined["dim_2"])
    np.testing.assert_array_equal(np.concatenate([one[str(column)] for column in columns]), other["dim_2"])
    np.testing.assert_array_equal(runs[0].predict(x), runs[1].predict(x))


def test_shared_tables_stand_by_the_length_of_their_vectors():
    layer = nn.ColumnEmbedding(((2, 4), (0, 9), (4, 4)), shared=True)
    params = layer.init(0, (5,))
    assert {name: table.shape for name, table in params.items()} == {"dim_3": (8, 3), "dim_5": (9, 5)}
    found = layer.apply(params, np.array([[8.0, 0.5, 3.0, 0.25, 1.0]], np.float32))
    vectors = params["dim_3"][3], params["dim_3"][4 + 1], params["dim_5"][8]
    np.testing.assert_array_equal(found, [np.concatenate([[0.5, 0.25], *vectors]).astype(np.float32)])
    with pytest.raises(mc.DataError, match="at most 10,000,000 levels of all columns that share a table"):
        nn.ColumnEmbedding(((0, 10**7), (1, 1)), dim=1, shared=True)


@pytest.mark.parametrize("code", [-1.0, 3.0, 4.0])
def test_a_code_never_reaches_the_rows_of_another_column(code: float):
    net = nn.Sequential(nn.ColumnEmbedding(((0, 3), (1, 3), (2, 3)), dim=1, shared=True), nn.Dense(1))
    model = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
    rows = np.array([[0, 0, 0], [0, code, 0]], np.float32)
    with pytest.raises(mc.DataError, match=f"row 1, column 1: {code:g} is no code of its embedding"):
        model.predict(rows)
    with pytest.raises(mc.DataError, match=f"column 1: {code:g} is no code of its embedding"):
        model.predictor()(rows[1])
