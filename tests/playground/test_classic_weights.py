"""First weights of old links, beside those that the original drew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from minicolumn.data.points.arc4 import Arc4
from minicolumn.data.points.points import draw_points
from minicolumn.playground.network.classic_weights import classic_weights

# Made by golden/make_playground.cjs, which says how.
GOLDEN = json.loads((Path(__file__).parent / "golden" / "playground.json").read_text())["networks"]


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['name']}-{len(row['sizes'])}")
def test_a_seed_gives_the_points_and_then_the_weights_of_the_original(row):
    random = Arc4(row["seed"])
    draw_points(row["name"], random, noise=0)
    layers = classic_weights(row["sizes"], random)
    assert layers[0][0][:, 0].tolist() == row["first"]
    assert layers[-1][0][:, -1].tolist() == row["last"]
    flat = np.concatenate([weight.T.ravel() for weight, _ in layers])
    assert len(flat) == row["count"]
    # The sum of up to 384 numbers below 1, each times its place.
    np.testing.assert_allclose(flat @ np.arange(1, len(flat) + 1), row["sum"], rtol=0, atol=1e-10)
    assert {b for _, bias in layers for b in bias} == set(row["biases"])
    assert random.seed() == row["next_seed"]


def test_weights_of_zero_take_as_many_numbers():
    random, other = Arc4("1"), Arc4("1")
    layers = classic_weights((2, 4, 1), random, zero=True)
    classic_weights((2, 4, 1), other)
    assert [(weight.shape, bias.shape) for weight, bias in layers] == [((2, 4), (4,)), ((4, 1), (1,))]
    assert not any(weight.any() or bias.any() for weight, bias in layers)
    assert random() == other()
