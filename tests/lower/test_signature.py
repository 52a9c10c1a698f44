"""`sight`: a glance never takes two calls for the same that a closer look tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.lower.signature import Unseen, signature_of
from minicolumn.trace.program import argument
from minicolumn.tree import flatten


@dataclass
class Point:
    x: Any
    y: Any


class Pair(NamedTuple):
    a: Any
    b: Any


LEAVES = st.one_of(
    st.sampled_from([0, 1, 2**62, -(2**63), 2**63, 1.5, True, None, "mean", b"x", np.float32(1), np.int8(1)]),
    st.builds(
        np.zeros,
        st.lists(st.integers(0, 2), max_size=2),
        st.sampled_from([np.float32, np.float64, np.int32, np.bool_]),
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", 0]), inner, max_size=2),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=4,
)


def _glance(tree: Any) -> tuple[Any, list[Any]] | None:
    leaves: list[Any] = []
    try:
        return signature_of(tree, leaves), leaves
    except Unseen:
        return None


def _closer_look(tree: Any) -> Any:
    leaves, structure = flatten(tree)
    try:
        return structure, [argument(x) for x in leaves], [type(argument(x).static) for x in leaves]
    except mc.TraceError as error:  # of a dtype that graphs do not have
        return str(error)


@given(TREES, TREES)
def test_what_looks_the_same_is_the_same(one: Any, other: Any) -> None:
    first, second = _glance(one), _glance(other)
    if first is None or second is None or first[0] != second[0]:
        return
    assert hash(first[0]) == hash(second[0])
    assert _closer_look(one) == _closer_look(other)


@given(TREES)
def test_leaves_come_in_the_order_of_flatten(tree: Any) -> None:
    seen = _glance(tree)
    if seen is not None:
        assert [id(x) for x in seen[1]] == [id(x) for x in flatten(tree)[0]]


@pytest.mark.parametrize("odd", ["mean", True, 2**63, object(), Pair(1, 2), np.ma.zeros(3), np.matrix])
def test_what_takes_a_closer_look(odd: Any) -> None:
    assert _glance((odd,)) is None


def test_usual_arguments_are_seen_at_a_glance() -> None:
    weights = {"0": {"weight": np.zeros((2, 3), np.float32)}, "1": {}}
    assert _glance(((Point(weights, {"count": np.int32(0)}), None, [1.5, 3]), {})) is not None
    assert _glance(np.zeros(3)) != _glance(np.zeros(4))
    assert _glance({"a": 1.5, "b": 2.5}) != _glance({"b": 1.5, "a": 2.5})


def test_arguments_by_name_are_not_taken_for_a_tuple_and_a_dict() -> None:
    seen = []

    def f(x, y=None):
        seen.append((type(x), type(y)))
        first = x[0] if isinstance(x, tuple) else x
        return first + (y["y"] if isinstance(y, dict) else y)

    fast, x = mc.compile(f), np.ones(2)
    for _ in range(2):
        np.testing.assert_array_equal(fast(x, y=x), [2.0, 2.0])
        np.testing.assert_array_equal(fast((x,), {"y": 3 * x}), [4.0, 4.0])
    assert len(seen) == 2
