"""Penalties: what they add, and what they leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from minicolumn import nn
from minicolumn.errors import DataError

PARAMS = {
    "0": {"weight": np.array([[3.0, -4.0]]), "bias": np.array([100.0])},
    "1": {"scale": np.array([100.0])},
}


@pytest.mark.parametrize(("penalty", "value"), [(nn.L1(0.1), 0.7), (nn.L2(0.1), 1.25), (nn.L2(0), 0)])
def test_penalty_is_the_formula_over_weights_only(penalty, value):
    assert float(penalty(PARAMS)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("penalty", [nn.L1(0.1), nn.L2(0.1)])
def test_dtype_stays_and_empty_trees_cost_nothing(penalty):
    assert penalty({"weight": np.ones((2, 2), np.float32)}).dtype == np.float32
    assert float(penalty({})) == 0


def test_slopes():
    import minicolumn as mc

    slope = mc.grad(nn.L2(0.5))(PARAMS)
    np.testing.assert_array_equal(slope["0"]["weight"], 0.5 * PARAMS["0"]["weight"])
    np.testing.assert_array_equal(slope["0"]["bias"], [0.0])
    np.testing.assert_array_equal(mc.grad(nn.L1(0.5))(PARAMS)["0"]["weight"], [[0.5, -0.5]])


@pytest.mark.parametrize("kind", [nn.L1, nn.L2])
@pytest.mark.parametrize("rate", [-1, float("nan"), "0.1", True])
def test_rates_out_of_range_are_refused(kind, rate):
    with pytest.raises(DataError, match="rate: expected a number >= 0"):
        kind(rate)
