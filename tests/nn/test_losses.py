"""Losses against scikit-learn and SciPy, at the ends, and the shapes they refuse."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn import metrics

from minicolumn import nn, random
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn import losses

BATCH, CLASSES = 12, 4
OUTPUTS = 3 * random.normal(random.key(1), (BATCH, CLASSES), np.float64)
LABELS = np.arange(BATCH) % CLASSES
YES = (random.uniform(random.key(2), (BATCH, CLASSES)) < 0.4).astype(np.float64)
COUNTS = np.floor(5 * random.uniform(random.key(3), (BATCH, CLASSES), np.float64))
WEIGHT = random.uniform(random.key(4), (BATCH,), np.float64)


def mean_huber(targets, outputs, sample_weight=None):
    rows = special.huber(1.0, outputs - targets).mean(axis=1)
    return np.average(rows, weights=sample_weight)


def mean_binary(targets, outputs, sample_weight=None):
    each = [
        metrics.log_loss(t, p, sample_weight=sample_weight, labels=[0, 1])
        for t, p in zip(targets.T, outputs.T, strict=True)
    ]
    return np.mean(each)


def half_poisson(targets, outputs, sample_weight=None):
    each = [
        metrics.mean_poisson_deviance(t, p, sample_weight=sample_weight)
        for t, p in zip(targets.T, outputs.T, strict=True)
    ]
    return np.mean(each) / 2


# loss -> (targets, reference on predictions)
ORACLES = {
    "squared_error": (YES, metrics.mean_squared_error),
    "absolute_error": (YES, metrics.mean_absolute_error),
    "huber": (YES, mean_huber),
    "poisson": (COUNTS, half_poisson),
    "binary_cross_entropy": (YES, mean_binary),
    "softmax_cross_entropy": (LABELS, functools.partial(metrics.log_loss, labels=range(CLASSES))),
}
NAMES = sorted(nn.LOSSES)


def predictions(name: str, outputs: np.ndarray) -> np.ndarray:
    return nn.ACTIVATIONS[nn.LOSSES[name].output_activation].function(outputs)


def test_every_loss_has_an_oracle():
    assert set(ORACLES) == set(nn.LOSSES)
    assert all(rule.name == name for name, rule in nn.LOSSES.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_loss_is_the_metric_of_its_predictions(name, weight):
    targets, oracle = ORACLES[name]
    found = nn.LOSSES[name].function(OUTPUTS, targets, weight)
    expected = oracle(targets, predictions(name, OUTPUTS), sample_weight=weight)
    assert np.shape(found) == ()
    assert found == pytest.approx(expected, rel=1e-12)  # float64, a few hundred roundings


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32_whatever_the_targets_are(name):
    targets, _ = ORACLES[name]
    for sent in (targets, targets.astype(np.int64), targets.astype(np.int32)):
        assert nn.LOSSES[name].function(OUTPUTS.astype(np.float32), sent, WEIGHT).dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_whole_weights_are_repetitions(name):
    targets, _ = ORACLES[name]
    times = np.arange(BATCH) % 3
    found = nn.LOSSES[name].function(OUTPUTS, targets, times)
    repeated = nn.LOSSES[name].function(np.repeat(OUTPUTS, times, axis=0), np.repeat(targets, times, axis=0))
    assert found == pytest.approx(repeated, rel=1e-12)  # the same terms, added in another order


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"softmax_cross_entropy"}))
def test_a_column_of_outputs_takes_a_vector_of_targets(name):
    targets = ORACLES[name][0][:, 0]
    loss, column = nn.LOSSES[name].function, OUTPUTS[:, :1]
    assert loss(column, targets) == loss(column, targets[:, None]) == loss(column[:, 0], targets)


@settings(deadline=None)  # timing on shared machines says nothing
@given(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0]))
def test_binary_cross_entropy_keeps_its_digits(logit, target):
    found = losses.binary_cross_entropy(np.array([logit]), np.array([target]))
    wrong_by = logit if target == 0 else -logit
    exact = math.log1p(math.exp(wrong_by)) if wrong_by < 30 else wrong_by + math.exp(-wrong_by)
    assert float(found) == pytest.approx(exact, rel=1e-14, abs=1e-300)  # float64, two roundings


@settings(deadline=None)  # timing on shared machines says nothing
@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=6))
def test_log_softmax_is_finite_and_normalised(scores):
    x = np.array([scores])
    found = losses.log_softmax(x)
    assert np.isfinite(found).all()
    assert (found <= 0).all()
    assert np.exp(found).sum() == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(losses.logsumexp(x), special.logsumexp(x, axis=-1), rtol=1e-14)


def test_labels_and_their_shares_lose_the_same():
    shares = np.eye(CLASSES)[LABELS]
    assert losses.softmax_cross_entropy(OUTPUTS, LABELS) == losses.softmax_cross_entropy(OUTPUTS, shares)


def test_label_smoothing_is_a_mixture_of_targets():
    smooth = losses.softmax_cross_entropy(OUTPUTS, LABELS, label_smoothing=0.1)
    shares = 0.9 * np.eye(CLASSES)[LABELS] + 0.1 / CLASSES
    assert smooth == pytest.approx(losses.softmax_cross_entropy(OUTPUTS, shares), rel=1e-14)
    with pytest.raises(DataError, match="0 <= s < 1"):
        losses.softmax_cross_entropy(OUTPUTS, LABELS, label_smoothing=1.0)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint32, np.bool_])
def test_labels_of_any_whole_dtype(kind):
    labels = (LABELS % 2).astype(kind)
    assert losses.softmax_cross_entropy(OUTPUTS, labels) == losses.softmax_cross_entropy(OUTPUTS, LABELS % 2)


def test_huber_takes_its_delta():
    far = losses.huber(np.array([10.0]), np.array([0.0]), delta=2.0)
    assert float(far) == 2.0 * (10.0 - 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_fit_loses_nothing(name):
    perfect = {
        "poisson": (np.log(COUNTS + 1), COUNTS + 1),
        "binary_cross_entropy": (np.where(YES > 0, 50.0, -50.0), YES),
        "softmax_cross_entropy": (100.0 * np.eye(CLASSES)[LABELS], LABELS),
    }
    outputs, targets = perfect.get(name, (YES, YES))
    # e^-50 is 2e-22; Poisson's terms of size 10 cancel to a rounding.
    assert 0 <= float(nn.LOSSES[name].function(outputs, targets)) + 1e-14 < 2e-14


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.softmax_cross_entropy(np.zeros((32, 3)), np.zeros((32, 1), int)),
            r"labels have shape \[32, 1\], expected \[batch\] = \[32\].*; did you mean labels.ravel\(\)\?",
        ),
        (
            lambda: losses.softmax_cross_entropy(np.zeros((4, 3)), np.zeros(5, int)),
            r"labels have shape \[5\], expected \[batch\] = \[4\]",
        ),
        (
            lambda: losses.softmax_cross_entropy(np.zeros((4, 3)), np.zeros(4)),
            r"labels are float64, expected whole numbers 0 .. 2",
        ),
        (
            lambda: losses.softmax_cross_entropy(np.zeros(4), np.zeros(4, int)),
            r"outputs have shape \[4\], expected \[batch, classes\]",
        ),
        (
            lambda: losses.squared_error(np.zeros((4, 3)), np.zeros(4)),
            r"targets have shape \[4\], outputs \[4, 3\], expected the same; the network has 3 outputs a row",
        ),
        (
            lambda: losses.squared_error(np.zeros(4), np.zeros((4, 1))),
            r"targets have shape \[4, 1\], outputs \[4\], .* did you mean targets.ravel\(\)\?",
        ),
        (lambda: losses.squared_error(np.zeros((0, 1)), np.zeros((0, 1))), r"outputs have shape \[0, 1\]"),
        (
            lambda: losses.squared_error(np.zeros((4, 1)), np.zeros((4, 1)), np.ones((4, 1))),
            r"sample_weight has shape \[4, 1\], expected \[batch\] = \[4\]",
        ),
        (lambda: losses.huber(np.zeros(2), np.zeros(2), delta=0.0), r"delta: expected a number > 0, got 0.0"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):
    with pytest.raises((ShapeError, DataError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_unknown_name_gets_a_hint():
    with pytest.raises(DataError, match="did you mean 'squared_error'"):
        nn.loss_by_name("squared_eror")


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_right(name):
    import minicolumn as mc

    targets = ORACLES[name][0]
    mc.check_grads(lambda outputs: nn.LOSSES[name].function(outputs, targets, WEIGHT), (OUTPUTS,))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "softmax_cross_entropy", "poisson"])
def test_the_slope_is_prediction_less_target(name):
    import minicolumn as mc

    targets, _ = ORACLES[name]
    shares = np.eye(CLASSES)[targets] if targets.ndim == 1 else targets / CLASSES
    expected = (predictions(name, OUTPUTS) / (1 if targets.ndim == 1 else CLASSES) - shares) / BATCH
    found = mc.grad(nn.LOSSES[name].function)(OUTPUTS, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)  # prediction - target cancels


@pytest.mark.parametrize("name", NAMES)
def test_traced_losses_give_what_plain_losses_give(name):
    import minicolumn as mc

    targets, loss = ORACLES[name][0], nn.LOSSES[name].function
    found = mc.compile(loss)(OUTPUTS, targets, WEIGHT)
    assert float(found) == pytest.approx(float(loss(OUTPUTS, targets, WEIGHT)), rel=1e-12)
