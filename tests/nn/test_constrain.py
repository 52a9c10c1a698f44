"""Constraints: where weights end up, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import DataError

CONSTRAINTS = [nn.MaxNorm(1.5), nn.UnitNorm(), nn.NonNegative()]
WEIGHTS = arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3, width=16))


def tree_of(weight):
    other = np.array([-9.0, 9.0])
    return {"0": {"weight": weight, "bias": other}, "1": {"scale": other, "mean": other, "table": other}}


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@settings(max_examples=100, deadline=None)  # timing on shared machines says nothing
@given(weight=WEIGHTS)
def test_a_constraint_is_a_projection_of_weights_alone(constraint, weight):
    params = tree_of(weight)
    once = constraint(params)
    np.testing.assert_allclose(constraint(once)["0"]["weight"], once["0"]["weight"], rtol=1e-14)  # idempotent
    for layer, name in (("0", "bias"), ("1", "scale"), ("1", "mean"), ("1", "table")):
        assert once[layer][name] is params[layer][name]


@settings(max_examples=100, deadline=None)  # as above
@given(WEIGHTS)
def test_where_weights_end_up(weight):
    before = np.linalg.norm(weight, axis=0)
    shortened = nn.MaxNorm(1.5)(tree_of(weight))["0"]["weight"]
    after = np.linalg.norm(shortened, axis=0)
    np.testing.assert_allclose(after, np.minimum(before, 1.5), rtol=1e-14)  # a few roundings
    np.testing.assert_array_equal(shortened[:, before < 1.49], weight[:, before < 1.49])
    unit = np.linalg.norm(nn.UnitNorm()(tree_of(weight))["0"]["weight"], axis=0)
    np.testing.assert_allclose(unit, before > 0, rtol=1e-14)
    np.testing.assert_array_equal(nn.NonNegative()(tree_of(weight))["0"]["weight"], np.maximum(weight, 0))


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_dtype_stays_nan_travels_and_records_say_what_they_are(constraint):
    found = constraint(tree_of(np.array([[np.nan, -2.0]], np.float32)))["0"]["weight"]
    assert found.dtype == np.float32
    assert np.isnan(found).tolist() == [[True, False]]
    assert eval(repr(constraint), dict(vars(nn))) == constraint


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "2"])
def test_limits_out_of_range_are_refused(limit):
    with pytest.raises(DataError, match="MaxNorm: limit: expected a number > 0"):
        nn.MaxNorm(limit)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_traced_it_is_the_same(constraint):
    params = tree_of(np.random.default_rng(0).standard_normal((3, 4)))
    found = mc.compile(constraint)(params)
    np.testing.assert_allclose(found["0"]["weight"], constraint(params)["0"]["weight"], rtol=1e-14)
