"""``x[key]`` for every kind of key, against NumPy's own result and the gradient that follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minicolumn as mc


def _expected_gradient(x: np.ndarray, key: Any, weights: np.ndarray) -> np.ndarray:
    """Add each weight where its element came from: indexing the positions shows where that is."""
    places = np.arange(x.size).reshape(x.shape)[key]
    return np.bincount(np.ravel(places), np.ravel(weights), minlength=x.size).reshape(x.shape)


def _check(x: np.ndarray, key: Any) -> None:
    expected = x[key]
    weights = np.random.default_rng(0).standard_normal(np.shape(expected))
    found, pull = mc.vjp(lambda x: x[key], x)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)
    gradient = _expected_gradient(x, key, weights)
    # The same few numbers added to the same places, in the same order.
    np.testing.assert_allclose(pull(weights)[0], gradient, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(mc.compile(lambda x: x[key])(x), expected)
    slope = mc.grad(lambda x: np.sum(x[key] * weights))
    np.testing.assert_array_equal(mc.compile(slope)(x), slope(x))


@st.composite
def _key(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key of any kinds that NumPy allows for this shape."""
    broadcast = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    entries: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        kinds = ["slice", "new"] + (["int", "list", "array"] if n else []) + ["mask1"]
        if axis + 1 < len(shape):
            kinds.append("mask2")
        kind = draw(st.sampled_from(kinds))
        if kind == "new":
            entries.append(None)
            if sum(e is None for e in entries) > 2:
                break
            continue
        if kind == "slice":
            entries.append(draw(st.slices(n)))
        elif kind == "int":
            entries.append(draw(st.integers(-n, n - 1)))
        elif kind == "list":
            entries.append([draw(st.integers(-n, n - 1))])
        elif kind == "array":
            entries.append(draw(hnp.arrays(np.int64, broadcast, elements=st.integers(-n, n - 1))))
        elif kind == "mask1":
            entries.append(draw(hnp.arrays(np.bool_, (n,))))
        else:
            entries.append(draw(hnp.arrays(np.bool_, shape[axis : axis + 2])))
            axis += 1
        axis += 1
        if draw(st.integers(0, 5)) == 0:
            break
    if draw(st.booleans()):
        entries.insert(draw(st.integers(0, len(entries))), Ellipsis)
    return tuple(entries)


@st.composite
def _case(draw: st.DrawFn) -> tuple[np.ndarray, Any]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    x = np.random.default_rng(draw(st.integers(0, 9))).standard_normal(shape)
    return x, draw(_key(shape))


@settings(max_examples=200, deadline=None)
@given(_case())
def test_any_key(case: tuple[np.ndarray, Any]) -> None:
    x, key = case
    try:
        x[key]
    except IndexError:  # index arrays that do not broadcast together, an ellipsis between the axes of a mask
        with pytest.raises((IndexError, mc.ShapeError)):
            mc.vjp(lambda x: x[key], x)
        return
    # NumPy lets a mask without elements choose from an axis of any length.
    assume(not any(isinstance(e, np.ndarray) and e.dtype == np.bool_ and e.size == 0 for e in key) or x.size)
    _check(x, key)


X = np.random.default_rng(1).standard_normal((4, 3, 5))
ROWS, GRID = np.array([0, -1, 2]), np.array([[1], [0]])


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(None, None, -1),
        (slice(3, 0, -2), ..., 1),
        (..., None, 0),
        np.int64(2),
        np.array([1, 3], np.uint32),
        (ROWS, slice(None), np.array([1, 2, 2])),  # separated: the indexed axes come first
        (slice(None), np.array([1, 2]), np.array([1, 4])),  # adjacent: they stay in place
        (0, slice(None), np.array([1, 1])),  # an integer counts as an array
        (slice(None), 0, np.array([1, 1])),
        (GRID, ROWS[:2]),
        (ROWS, None, slice(None), 1),
        (X[:, 0, 0] > 0,),
        (X[:, :, 0] > 0, slice(1, 3)),
        (slice(None), X[0, :, 0] > 0, 2),
        X > 0,
        np.zeros(4, bool),
        [],
        ([0, 1], [1, 2]),
        (np.array([], int), slice(None)),
        (),
        ...,
    ],
    ids=str,
)
def test_key(key: Any) -> None:
    _check(X, key)


def test_repeated_places_add_up() -> None:
    np.testing.assert_array_equal(mc.grad(lambda x: np.sum(x[[0, 0, -3]]))(np.ones(3)), [3.0, 0.0, 0.0])


def test_second_derivative_through_a_gather() -> None:
    # d2/dx2 sum x[i]^2 counts how often each element is taken.
    h = mc.hessian(lambda x: np.sum(x[np.array([0, 2, 2])] ** 2))(np.ones(3))
    np.testing.assert_array_equal(h, np.diag([2.0, 0.0, 4.0]))


@given(st.data())
def test_what_lies_in_one_of_joined_parts_is_taken_from_it(data: st.DataObject) -> None:
    widths = data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=3))
    parts = [np.arange(4.0 * n).reshape(4, n) + 100.0 * k for k, n in enumerate(widths)]
    places = data.draw(st.lists(st.integers(-sum(widths), sum(widths) - 1), min_size=1, max_size=4))

    def taken(parts: Any) -> Any:
        return np.concatenate(parts, axis=1)[:, np.array(places)]

    whole = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(mc.compile(taken)(parts), whole[:, places])
    owners = np.repeat(np.arange(len(widths)), widths)[places]
    joins = "concatenate" in str(mc.inspect(taken, parts))
    assert joins == (len(set(owners)) > 1)
    weights = np.random.default_rng(0).standard_normal((4, len(places)))
    expected = _expected_gradient(whole, (slice(None), np.array(places)), weights)
    found = mc.compile(mc.grad(lambda parts: np.sum(taken(parts) * weights)))(parts)
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "uint64"])
def test_narrow_indices_of_joined_parts(dtype: str) -> None:
    x, places = np.arange(600.0).reshape(2, 300), np.array([1, 120, 0], dtype)
    found = mc.compile(lambda x: np.concatenate([x, -x], axis=1)[:, places])(x)
    np.testing.assert_array_equal(found, x[:, places])


def test_traced_indices() -> None:
    x = np.arange(12.0).reshape(4, 3)
    rows = np.array([2, 0, 2])
    for dtype in (np.int32, np.int64, np.uint32):
        np.testing.assert_array_equal(mc.compile(lambda x, i: x[i])(x, rows.astype(dtype)), x[rows])
        np.testing.assert_array_equal(mc.compile(lambda x, i: x[:, i])(x, rows.astype(dtype)), x[:, rows])
    np.testing.assert_array_equal(mc.compile(lambda x, i: x[i, 1])(x, 2), x[2, 1])
    np.testing.assert_array_equal(mc.compile(lambda x: x[np.argmax(x[:, 0])])(x), x[3])
    assert mc.grad(lambda x: x[np.argmax(x)] ** 2)(np.array([1.0, 3.0, 2.0])).tolist() == [0.0, 6.0, 0.0]


def test_methods_take_part() -> None:
    x = np.arange(6.0).reshape(2, 3)
    for f in (
        lambda x: x.T,
        lambda x: x.ravel(),
        lambda x: x.flatten(),
        lambda x: x.reshape(3, 2),
        lambda x: x.flat[1:],
        lambda x: x.reshape((3, -1)),
        lambda x: x.transpose(1, 0),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.sum(axis=1),
        lambda x: x.mean(0),
        lambda x: x.std(),
        lambda x: x.max(axis=0),
        lambda x: x.cumsum(axis=1),
        lambda x: x.dot(x.T),
        lambda x: x.clip(1.0, 3.0),
        lambda x: x.take([1, 0], axis=1),
        lambda x: x.repeat(2, axis=0),
        lambda x: x.mT,
        lambda x: x.squeeze(),
        lambda x: x.trace(),
        lambda x: x.diagonal(),
        lambda x: x.astype(np.float32),
        lambda x: x.copy(),
        lambda x: x.real,
        lambda x: x.prod(axis=0, keepdims=True),
        lambda x: x.round(),
        lambda x: x.argmax(axis=1),
        lambda x: (x > 1).any(axis=0),
        lambda x: (x > 1).all(),
        lambda x: x.var(ddof=1),
        lambda x: next(iter(x)),
        lambda x: x.min() + len(x) + x.ndim + x.size,
        lambda x: x.conj(),
    ):
        np.testing.assert_array_equal(mc.compile(f)(x), f(x))
        traced = mc.vjp(lambda x, f=f: f(x) * 1.0, x)[0]
        np.testing.assert_array_equal(traced, f(x) * 1.0)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (4, "index 4 is out of bounds for an axis of 4"),
        ((0, 0, 0, 0), "too many indices"),
        (np.array([9]), "out of bounds"),
        (np.array([True, False]), r"a mask of shape \[2\] cannot choose from axes of shape \[4\]"),
        ((..., 0, ...), "single ellipsis"),
        (1.5, "integers or booleans"),
        (np.array([0.0]), "integers or booleans"),
    ],
)
def test_wrong_keys(key: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        mc.grad(lambda x: np.sum(x[key]))(X)


def test_masks_in_compile_name_where() -> None:
    with pytest.raises(mc.TraceError, match=r"np\.where\(mask, x, 0\)"):
        mc.compile(lambda x: x[x > 0])(X)
