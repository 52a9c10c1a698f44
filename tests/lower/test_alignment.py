"""Arrays on cache lines: the same numbers, in memory that begins where a line does."""

from __future__ import annotations

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower.alignment import LINE, MOST_BYTES, on_cache_lines


@pytest.mark.parametrize("offset", range(0, 16, 4))
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 4, 2)])
def test_the_numbers_are_the_same_and_begin_on_a_line(offset, shape):
    size = int(np.prod(shape))
    array = np.arange(size + 16, dtype=np.float32)[offset : offset + size].reshape(shape)
    found = on_cache_lines(array)
    assert found.ctypes.data % LINE == 0 or not size
    assert found.shape == shape
    np.testing.assert_array_equal(found, array)


def test_an_array_on_a_line_and_a_large_one_are_not_copied():
    once = on_cache_lines(np.ones(100)[1:])
    assert on_cache_lines(once) is once
    large = np.zeros(MOST_BYTES + 64, np.uint8)[1:]
    assert on_cache_lines(large) is large


def test_a_copy_is_read_only_where_the_array_was():
    array = np.ones(100)[1:]
    assert on_cache_lines(array).flags.writeable
    array.setflags(write=False)
    assert not on_cache_lines(array).flags.writeable


def test_the_weights_of_an_ensemble_at_work_begin_on_lines():
    net = mc.nn.Ensemble(mc.nn.Dense(8, "tanh"), mc.nn.Dense(8, "tanh"))
    model = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
    x = np.ones((4, 3), np.float32)
    np.testing.assert_allclose(model.predict(x), net.apply(model.params, x), atol=1e-6)
    assert all(leaf.ctypes.data % LINE == 0 for leaf in mc.tree.leaves(model._quick[1]))
