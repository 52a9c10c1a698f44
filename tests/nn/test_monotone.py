"""Quantiles that cannot cross."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minicolumn as mc
from minicolumn import nn
from minicolumn.errors import ShapeError

HEAD = nn.MonotoneQuantiles()
COMPILED = mc.compile(lambda x: HEAD.apply({}, x))
# Four numbers up to 1e37 add up to less than the largest float32.
NUMBERS = st.floats(-(2.0**122), 2.0**122, width=32)


@settings(deadline=None)  # timing on shared machines says nothing
@given(arrays.arrays(np.float32, (3, 4), elements=NUMBERS))
def test_outputs_ascend_whatever_goes_in(x: np.ndarray) -> None:
    for found in (HEAD.apply({}, x), COMPILED(x)):
        assert (np.diff(found, axis=1) >= 0).all()
        np.testing.assert_array_equal(found[:, 0], x[:, 0])


def test_every_ascending_row_can_be_given() -> None:
    wanted = np.array([[-3.0, -2.5, 0.0, 7.0]])
    steps = np.diff(wanted)
    x = np.concatenate([wanted[:, :1], np.log(np.expm1(steps))], axis=1)
    np.testing.assert_allclose(HEAD.apply({}, x), wanted, rtol=1e-14)


def test_quantiles_of_a_network_do_not_cross_where_it_has_not_learnt() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (200, 1))
    y = X[:, 0] + (0.1 + np.abs(X[:, 0])) * rng.standard_normal(200)
    loss = nn.Loss("quantile", levels=(0.1, 0.5, 0.9))

    def trained(*end: nn.Layer) -> mc.Run:
        net = nn.Sequential(nn.Dense(16, "tanh"), nn.Dense(3), *end)
        return mc.fit(net, X, y, loss=loss, epochs=40, batch_size=50, optimizer=mc.optim.Adam(0.02))

    runs = trained(), trained(HEAD)
    far = np.linspace(-50.0, 50.0, 101)[:, None]
    crossed, ascending = (np.diff(run.predict(far), axis=1) < 0 for run in runs)
    assert not ascending.any()
    assert crossed.any()  # or this test would show nothing
    # What it learnt is no worse: the median's error is about that of the noise.
    assert runs[1].evaluate(X, y)["loss"] < 1.1 * runs[0].evaluate(X, y)["loss"]


def test_it_needs_an_axis_of_levels() -> None:
    with pytest.raises(
        ShapeError, match=r"MonotoneQuantiles: inputs have shape \[batch\], expected \[batch, levels"
    ):
        HEAD.output_shape(())
