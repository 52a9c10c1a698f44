"""Normalization by hand: means, variances and running statistics."""

from __future__ import annotations

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, random

X = random.normal(random.key(1), (6, 4, 3), np.float64) * 3.0 + 2.0
START = {"mean": np.array([1.0, 2.0]), "variance": np.array([4.0, 9.0])}
AFFINE = {"scale": np.array([2.0, -1.0]), "bias": np.array([0.5, 10.0])}
ROUNDED = 1e-13  # some ten roundings of numbers of size 1 to 10 in float64


def test_batch_norm_by_hand():
    x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]])
    layer = nn.BatchNorm(momentum=0.75, eps=1.0)
    y, after = layer.apply_training(AFFINE | START, x)
    mean, variance = np.array([3.0, 20.0]), np.array([8 / 3, 200.0])
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1) * [2, -1] + [0.5, 10], rtol=ROUNDED)
    np.testing.assert_allclose(after["mean"], 0.75 * START["mean"] + 0.25 * mean, rtol=ROUNDED)
    np.testing.assert_allclose(after["variance"], 0.75 * START["variance"] + 0.25 * variance, rtol=ROUNDED)
    assert after["scale"] is AFFINE["scale"]
    y = layer.apply(AFFINE | START, x)
    expected = (x - [1, 2]) / np.sqrt([5.0, 10.0]) * [2, -1] + [0.5, 10]
    np.testing.assert_allclose(y, expected, rtol=ROUNDED)


def test_a_batch_of_one_row_gives_the_bias_and_moves_the_mean():
    x = np.array([[5.0, 7.0]])
    y, after = nn.BatchNorm(momentum=0.5).apply_training(AFFINE | START, x)
    np.testing.assert_array_equal(y, [AFFINE["bias"]])
    np.testing.assert_array_equal(after["mean"], [3.0, 4.5])
    np.testing.assert_array_equal(after["variance"], [2.0, 4.5])


def test_an_empty_batch_moves_nothing():
    y, after = nn.BatchNorm().apply_training(AFFINE | START, np.zeros((0, 2)))
    assert y.shape == (0, 2)
    assert all(after[name] is value for name, value in (AFFINE | START).items())


def test_batch_norm_takes_all_axes_but_the_last():
    layer = nn.BatchNorm()
    params = layer.init(0, (4, 3), np.float64)
    y, after = layer.apply_training(params, X)
    flat, flat_after = layer.apply_training(params, X.reshape(-1, 3))
    np.testing.assert_allclose(y.reshape(-1, 3), flat, rtol=ROUNDED, atol=ROUNDED)
    np.testing.assert_allclose(after["variance"], flat_after["variance"], rtol=ROUNDED)
    np.testing.assert_allclose(y.mean(axis=(0, 1)), 0, atol=ROUNDED)
    np.testing.assert_allclose(y.var(axis=(0, 1)), 1, atol=1e-4)  # eps beside a variance of about 9


def test_running_statistics_come_to_those_of_the_rows():
    layer = nn.BatchNorm(momentum=0.5)
    params = layer.init(0, (4, 3), np.float64)
    for _ in range(60):
        _, params = layer.apply_training(params, X)
    # 0.5^60 = 1e-18 of the start is left.
    np.testing.assert_allclose(params["mean"], X.mean(axis=(0, 1)), rtol=ROUNDED)
    np.testing.assert_allclose(params["variance"], X.var(axis=(0, 1)), rtol=ROUNDED)
    trained = layer.apply(params, X, training=True)
    np.testing.assert_allclose(layer.apply(params, X), trained, rtol=1e-11, atol=ROUNDED)


def test_columns_far_from_zero_keep_their_variance():
    # The mean of squares minus the square of the mean would be 0 or negative here, in float32.
    x = (random.normal(random.key(2), (1000, 1)) + np.float32(3000)).astype(np.float32)
    y = nn.BatchNorm(affine=False).apply(nn.BatchNorm(affine=False).init(0, (1,)), x, training=True)
    assert abs(float(y.var()) - 1) < 1e-3  # x is rounded to 1 / 4096


def test_statistics_are_not_penalized_and_have_no_slope():
    layer = nn.Sequential(nn.Dense(3), nn.BatchNorm())
    params = layer.init(0, (3,), np.float64)
    moved = {
        **params,
        "1": {**params["1"], "mean": params["1"]["mean"] + 9, "variance": params["1"]["variance"] * 9},
    }
    for penalty in (nn.L1(1.0), nn.L2(1.0)):
        assert penalty(moved) == penalty(params)
    assert not any(nn.is_penalized(f"1.{name}") for name in ("scale", "bias", "mean", "variance"))
    assert not nn.is_penalized("0.slope")


def test_a_shift_or_a_factor_of_the_batch_is_not_seen():
    layer = nn.BatchNorm(eps=1e-12)
    params = layer.init(0, (4, 3), np.float64)
    plain = layer.apply(params, X, training=True)
    np.testing.assert_allclose(layer.apply(params, 5 * X - 100, training=True), plain, rtol=1e-9, atol=1e-11)
    slope = mc.grad(lambda x: np.sum(np.sin(layer.apply(params, x, training=True))))(X)
    np.testing.assert_allclose(slope.sum(axis=(0, 1)), 0, atol=ROUNDED)  # along a shift nothing changes
    np.testing.assert_allclose((slope * X).sum(axis=(0, 1)), 0, atol=1e-11)  # nor along a factor


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_layer_norm_is_the_formula(eps):
    params = {"scale": np.array([1.0, 2.0, 3.0]), "bias": np.array([0.0, -1.0, 1.0])}
    y = nn.LayerNorm(eps).apply(params, X)
    mean, variance = X.mean(axis=-1, keepdims=True), X.var(axis=-1, keepdims=True)
    plain = (X - mean) / np.sqrt(variance + eps)
    np.testing.assert_allclose(y, plain * params["scale"] + params["bias"], rtol=1e-11, atol=ROUNDED)
    np.testing.assert_allclose(nn.LayerNorm(eps, affine=False).apply({}, X), plain, rtol=1e-11, atol=ROUNDED)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_rms_norm_is_the_formula(eps):
    scale = np.array([1.0, 2.0, 3.0])
    y = nn.RMSNorm(eps).apply({"scale": scale}, X)
    square = np.mean(X**2, axis=-1, keepdims=True)
    np.testing.assert_allclose(y, X / np.sqrt(square + eps) * scale, rtol=ROUNDED)


@pytest.mark.parametrize("layer", [nn.BatchNorm(), nn.LayerNorm(), nn.RMSNorm()])
def test_rows_of_zeros_stay_finite_with_finite_slopes(layer):
    params, x = layer.init(0, (3,)), np.zeros((4, 3), np.float32)
    assert not layer.apply(params, x, training=True).any()
    slope = mc.grad(lambda x: np.sum(layer.apply(params, x, training=True) ** 3))(x)
    assert np.isfinite(slope).all()
