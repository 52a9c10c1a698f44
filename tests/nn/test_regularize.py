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


@pytest.mark.parametrize(
    ("penalty", "value"),
    [(nn.L1(0.1), 0.7), (nn.L2(0.1), 1.25), (nn.L2(0), 0), (nn.ElasticNet(0.1, 0.2), 3.2)],
)
def test_penalty_is_the_formula_over_weights_only(penalty, value):
    assert float(penalty(PARAMS)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("penalty", [nn.L1(0.1), nn.L2(0.1), nn.ElasticNet(0.1, 0.1)])
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


@pytest.mark.parametrize("settings", [{"l1": -1}, {"l2": "0.1"}])
def test_elastic_net_refuses_rates_out_of_range(settings):
    with pytest.raises(DataError, match="expected a number >= 0"):
        nn.ElasticNet(**settings)


def test_a_penalty_per_row_is_divided_by_the_rows():
    shared = nn.PerRow(nn.L2(0.1))
    assert float(shared.over(PARAMS, 5.0)) == pytest.approx(1.25 / 5, rel=1e-15)
    assert float(shared(PARAMS)) == pytest.approx(1.25, rel=1e-15)
    own = nn.PerRow(lambda params: 3.0)
    assert own.over(PARAMS, 2.0) == 1.5
    with pytest.raises(DataError, match="penalty: expected a penalty such as"):
        nn.PerRow(0.1)  # type: ignore[arg-type]


def test_a_rate_may_be_an_argument_of_a_compiled_program():
    import minicolumn as mc

    value = mc.compile(lambda penalty, params: penalty(params))
    weights = {"weight": np.array([[3.0, -4.0]])}
    assert [float(value(nn.L2(rate), weights)) for rate in (0.1, 0.2)] == pytest.approx(
        [1.25, 2.5], rel=1e-15
    )
