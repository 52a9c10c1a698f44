"""IndexMap as affine functions: reading through views by address is what NumPy does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from minicolumn.ir.graph import Node, const_node
from minicolumn.ir.shapes import Shape
from minicolumn.passes.index_map import Affine, affine, identity_map, linear, operand_map, split, strides_of

Apply = Callable[..., Node]
COUNTERS = st.dictionaries(st.integers(0, 3), st.integers(-3, 3), max_size=3)
AFFINE = st.builds(affine, st.integers(-5, 5), COUNTERS)
RANGES = st.lists(st.integers(1, 4), min_size=4, max_size=4)


def at(place: Affine, counters: tuple[int, ...]) -> int:
    """Return the value of a place, from its definition."""
    return place.const + sum(c * counters[d] for d, c in place.terms)


def everywhere(ranges: Shape | list[int]) -> list[tuple[int, ...]]:
    return list(product(*map(range, ranges)))


@given(AFFINE, AFFINE, st.integers(-3, 3), RANGES)
def test_arithmetic_is_pointwise(a: Affine, b: Affine, factor: int, ranges: list[int]):
    for counters in everywhere(ranges):
        assert at(a + b, counters) == at(a, counters) + at(b, counters)
        assert at(a * factor, counters) == at(a, counters) * factor
    assert all(a.coefficient(d) == dict(a.terms).get(d, 0) for d in range(4))


@given(AFFINE, RANGES)
def test_bounds_are_the_extremes(a: Affine, ranges: list[int]):
    values = [at(a, counters) for counters in everywhere(ranges)]
    assert a.bounds(ranges) == (min(values), max(values))


@given(st.integers(-5, 5), COUNTERS, COUNTERS)
def test_equal_functions_are_equal(const: int, some: dict[int, int], more: dict[int, int]):
    total = affine(const, some) + affine(0, more)
    assert total == affine(0, more) + affine(const, some)
    assert total + affine(-const, {d: -c for d, c in total.terms}) == Affine()


@given(st.lists(st.integers(0, 4), max_size=4).map(tuple))
def test_strides_are_numpys(shape: Shape):
    expected = np.zeros(shape, np.int8).strides
    if 0 not in shape:  # NumPy's own strides of empty arrays mean nothing
        assert all(s == e for s, e, n in zip(strides_of(shape), expected, shape, strict=True) if n > 1)


VIEWS = ("reshape", "transpose", "broadcast", "slice", "flip")


@settings(max_examples=150, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_views_read_by_address_what_numpy_gives(graphs: ModuleType, apply: Apply, data: st.DataObject):
    chain = data.draw(st.lists(st.sampled_from(VIEWS), min_size=1, max_size=4))
    type = data.draw(graphs.array_types(["i64"]))
    source = const_node(np.arange(type.size).reshape(type.shape))
    node, value = source, source.attrs["value"]
    for name in chain:
        _, attrs = data.draw(graphs.applications(name, node.array_type))
        node = apply(name, node, **attrs)
        value = node.op.numpy(value, **attrs)
    ranges = node.array_type.shape
    places, current = identity_map(ranges), node
    while current is not source:
        found = operand_map(current, 0, places, ranges)
        if found is None:
            return  # a reshape of what is not contiguous has to be an array
        places, current = found, current.inputs[0]
    address = linear(places, source.array_type.shape)
    assert [at(address, c) for c in everywhere(ranges)] == value.reshape(-1).tolist()


@given(st.permutations([2, 3, 4]), st.sampled_from([(24,), (6, 4), (2, 12), (2, 3, 4), (4, 1, 6)]))
def test_a_number_splits_into_places_or_not_at_all(sizes: list[int], shape: Shape):
    number = linear(identity_map(tuple(sizes)), tuple(sizes))
    places = split(number, shape, sizes)
    if places is not None:
        for counters in everywhere(sizes):
            where = tuple(at(p, counters) for p in places)
            assert np.ravel_multi_index(where, shape) == at(number, counters)


@pytest.mark.parametrize(
    ("before", "after", "splits"),
    [((6,), (2, 3), True), ((2, 3), (6,), False), ((2, 3), (3, 2), False), ((4, 1, 3), (4, 3), True)],
)
def test_only_a_counter_that_stays_on_one_axis_splits(
    before: Shape, after: Shape, splits: bool, apply: Apply
):
    # Reading an array of shape `before` through a reshape to `after`, element by element of `after`.
    node = apply("reshape", const_node(np.zeros(before)), shape=after)
    assert (operand_map(node, 0, identity_map(after), after) is not None) == splits
