"""Gradients clipped before a step, weights averaged after it, around any optimizer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn import optim, random, tree
from minicolumn.errors import DataError

PARAMS = {"weight": random.normal(random.key(1), (4, 3), np.float64), "bias": np.ones(3)}
SLOPES = {"weight": 3.0 * random.normal(random.key(2), (4, 3), np.float64), "bias": np.full(3, -0.5)}
NAMES = sorted(optim.OPTIMIZERS)


def wrapped(name: str) -> optim.Optimizer:
    return optim.Averaged(optim.Clipped(optim.optimizer_by_name(name), norm=1.0), decay=0.9)


def length(values: Any) -> float:
    return float(np.sqrt(sum(np.sum(leaf**2) for leaf in tree.flatten(values)[0])))


def clipped(slopes: Any, **settings: float) -> Any:
    """Return what SGD at rate 1 is given to see."""
    optimizer = optim.Clipped(optim.SGD(1.0), **settings)
    updates, _ = optimizer.step(slopes, optimizer.start(slopes), slopes)
    return tree.map_leaves(np.negative, updates)


@given(st.floats(0.01, 1000))
def test_clipping_by_norm_bounds_the_length_and_keeps_the_direction(norm):
    found, before = clipped(SLOPES, norm=norm), length(SLOPES)
    assert length(found) <= norm * (1 + 1e-12)
    share = min(1.0, norm / (before + 1e-6))
    for name, slope in SLOPES.items():
        np.testing.assert_allclose(found[name], share * slope, rtol=1e-14)
        if norm > before + 1e-6:
            np.testing.assert_array_equal(found[name], slope)


def test_clipping_by_value_bounds_each_slope():
    found = clipped(SLOPES, value=0.25)
    for name, slope in SLOPES.items():
        np.testing.assert_array_equal(found[name], np.clip(slope, -0.25, 0.25))


def test_values_are_clipped_before_the_length():
    found = clipped({"weight": np.array([3.0, -100.0])}, value=4.0, norm=1.0)
    np.testing.assert_allclose(found["weight"], [0.6, -0.8], rtol=1e-6)  # but for the 1e-6 beside the length


def test_no_number_stays_none():
    for settings in ({"norm": 1.0}, {"value": 1.0}):
        assert np.isnan(clipped({"weight": np.array([np.nan, 1.0])}, **settings)["weight"][0])


def test_a_mean_of_constants_is_the_constant():
    optimizer = optim.Averaged(optim.SGD(0.0), decay=0.99)
    moments = optimizer.start(PARAMS)
    for _ in range(20):
        _, moments = optimizer.step(SLOPES, moments, PARAMS)
    for name, value in PARAMS.items():
        np.testing.assert_array_equal(optimizer.weights(PARAMS, moments)[name], value)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_the_mean_is_the_exponential_one_freed_of_its_start(decay):
    optimizer, p = optim.Averaged(optim.SGD(0.5), decay), np.array([4.0, -2.0])
    moments, seen = optimizer.start(p), []
    np.testing.assert_array_equal(optimizer.weights(p, moments), p)
    for t in range(1, 30):
        updates, moments = optimizer.step(np.sin(t + p), moments, p)
        p = p + updates
        seen.append(p)
        weights = decay ** np.arange(t)[::-1]
        expected = np.average(seen, axis=0, weights=weights)
        np.testing.assert_allclose(
            optimizer.weights(p, moments), expected, rtol=1e-11
        )  # roundings of 29 steps


def test_the_mean_is_of_what_the_inner_optimizer_keeps():
    inner = optim.ScheduleFreeAdamW(0.1)
    optimizer, p = optim.Averaged(inner, decay=0.0), np.array([4.0])
    moments = optimizer.start(p)
    for _ in range(5):
        updates, moments = optimizer.step(p, moments, p)
        p = p + updates
    # With decay 0 the mean is the last of them; adding and subtracting the one before may round it.
    np.testing.assert_allclose(optimizer.weights(p, moments), inner.weights(p, moments["inner"]), rtol=1e-15)
    around = optim.Clipped(optimizer, norm=1.0)
    assert around.weights(p, moments) is optimizer.weights(p, moments)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_traced_steps_give_what_plain_steps_give(name, dtype):
    optimizer = wrapped(name)
    params, slopes = (tree.map_leaves(lambda x: x.astype(dtype), values) for values in (PARAMS, SLOPES))
    step, weights = mc.compile(optimizer.step), mc.compile(optimizer.weights)
    plain = traced = (params, optimizer.start(params))
    for rate in np.array([0.1, 0.05, 0.2], dtype):
        pairs = []
        for take, (point, moments) in ((optimizer.step, plain), (step, traced)):
            updates, moments = take(slopes, moments, point, rate)
            pairs.append((optim.apply_updates(point, updates), moments))
        plain, traced = pairs
    kept = optimizer.weights(*plain), weights(*traced)
    # Lowerings may fuse a product and a sum into one rounding: a few units of the last place.
    rtol, atol = (1e-5, 1e-6) if dtype == np.float32 else (1e-12, 1e-13)
    for expected, found in ((plain, traced), kept):
        assert tree.flatten(expected)[1] == tree.flatten(found)[1]
        for (path, a), (_, b) in zip(tree.named_leaves(expected), tree.named_leaves(found), strict=True):
            np.testing.assert_allclose(b, a, rtol=rtol, atol=atol, err_msg=path)
            assert (a.dtype, a.shape) == (b.dtype, b.shape), path


@pytest.mark.parametrize("name", NAMES)
def test_they_step_as_what_they_are_around(name):
    inner = optim.optimizer_by_name(name)
    optimizer = optim.Averaged(optim.Clipped(inner, norm=1e9))
    ours, _ = optimizer.step(SLOPES, optimizer.start(PARAMS), PARAMS)
    theirs, _ = inner.step(SLOPES, inner.start(PARAMS), PARAMS)
    for leaf in PARAMS:
        np.testing.assert_array_equal(ours[leaf], theirs[leaf])
    assert optimizer.learning_rate == inner.learning_rate


def test_nothing_to_train_is_fine():
    optimizer = wrapped("adam")
    updates, moments = optimizer.step({"0": {}}, optimizer.start({"0": {}}), {"0": {}})
    assert updates == optimizer.weights({"0": {}}, moments) == {"0": {}}


def test_records_print_as_their_recipe_and_are_described_as_json():
    optimizer = wrapped("adam")
    assert eval(repr(optimizer), dict(vars(optim))) == optimizer
    assert hash(optimizer) == hash(dataclasses.replace(optimizer))
    assert dataclasses.replace(optimizer, optimizer=optim.SGD(0.5)).learning_rate == 0.5
    assert optimizer.with_rate(0.25).learning_rate == 0.25
    assert optimizer.with_rate(0.25).with_rate(optimizer.learning_rate) == optimizer
    told = json.loads(json.dumps(optim.described(optimizer)))
    assert [told["name"], told["optimizer"]["name"], told["optimizer"]["optimizer"]["name"]] == [
        "Averaged", "Clipped", "Adam",
    ]  # fmt: skip
    assert told["optimizer"]["norm"] == 1.0
    assert told["optimizer"]["optimizer"]["b2"] == 0.999


def test_traits_are_those_of_what_is_wrapped() -> None:
    plain, rolling = optim.SGD(0.1), optim.SGD(0.1, momentum=0.9)
    assert [o.adaptive for o in (plain, rolling, optim.Adam())] == [False, False, True]
    assert [o.plain for o in (plain, rolling, optim.Adam())] == [True, False, False]
    for inner in (*map(optim.optimizer_by_name, NAMES), rolling):
        for around in (optim.Clipped(inner, norm=1.0), optim.Averaged(inner), around_all(inner)):
            assert (around.adaptive, around.plain) == (inner.adaptive, inner.plain)


def around_all(inner: optim.Optimizer) -> optim.Optimizer:
    return optim.Averaged(optim.Clipped(inner, value=0.5))


@pytest.mark.parametrize("name", NAMES)
def test_adaptive_steps_do_not_grow_with_the_gradient(name: str) -> None:
    """The trait says what a step does: ten times the gradient is ten times the step, or is not."""
    optimizer = optim.optimizer_by_name(name, weight_decay=0.0)
    sizes = []
    for scale in (1.0, 10.0):
        params = {"weight": np.eye(3)}
        moments, updates = optimizer.start(params), params
        for _ in range(10):  # of RAdam the first few steps are not adaptive yet
            updates, moments = optimizer.step({"weight": scale * np.diag([1.0, -2.0, 3.0])}, moments, params)
        sizes.append(np.abs(updates["weight"]).sum())
    grown = sizes[1] / sizes[0]
    assert (grown < 3.0) == optimizer.adaptive
    assert optimizer.adaptive or grown == pytest.approx(10.0, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: optim.Clipped(optim.SGD()),
            "Clipped: norm: expected a number > 0, or one for value, got None",
        ),
        (lambda: optim.Clipped(optim.SGD(), norm=0), "Clipped: norm: expected a number > 0, or None, got 0"),
        (
            lambda: optim.Clipped(optim.SGD(), value=-1),
            "Clipped: value: expected a number > 0, or None, got -1",
        ),
        (
            lambda: optim.Clipped(3, norm=1),  # type: ignore[arg-type]
            "Clipped: optimizer: expected a name, or a record such as",
        ),
        (
            lambda: optim.Averaged(optim.SGD(), 1.0),
            "Averaged: decay: expected a number, 0 <= decay < 1, got 1.0",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(DataError) as caught:
        make()
    assert str(caught.value).startswith(message)
