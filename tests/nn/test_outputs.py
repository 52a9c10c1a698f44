"""What outputs mean, for every loss: shapes, classes, numbers, bands, output-bias initialisation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from minicolumn import nn
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs

ROWS, CLASSES = 200, 3
LEVELS = (0.1, 0.5, 0.9)
RNG = np.random.default_rng(3)
AMOUNTS = RNG.gamma(2.0, 2.0, (ROWS, 1)) + 1.0
CODES = RNG.choice(CLASSES, ROWS, p=[0.7, 0.2, 0.1])
NAMES = list(nn.LOSSES)
# Losses whose best constant has no closed form that the record knows.
WITHOUT_CLOSED_FORM = {"binary_focal", "softmax_focal"}
# Losses for which the record knows a good constant, not the best: the median for the Huber-like, 2 p - 1.
NOT_THE_BEST = {"log_cosh", "hinge"}


def loss_of(name: str) -> nn.Loss:
    return nn.Loss(name, levels=LEVELS) if name == "quantile" else nn.Loss(name)


def targets_of(loss: nn.Loss) -> tuple[np.ndarray, int]:
    """Return targets as a loss takes them, and how many outputs stand beside them."""
    outputs = loss.outputs
    if isinstance(outputs, ClassOutputs):
        return (CODES, CLASSES) if outputs.task == "multiclass" else ((CODES == 0)[:, None] * 1.0, 1)
    assert isinstance(outputs, NumberOutputs)
    if outputs.least_targets > 1:
        return np.concatenate([AMOUNTS, -AMOUNTS], axis=1), 2
    return AMOUNTS, outputs.width


def bias_of(loss: nn.Loss, targets: np.ndarray, weight: np.ndarray | None, units: int) -> np.ndarray:
    """Return an initial bias that is there."""
    found = loss.outputs.initial_bias(targets, weight, units)
    assert found is not None
    return found


def network_of(outputs: Any, units: int) -> nn.Sequential:
    return nn.Sequential(nn.Dense(units), *(outputs.end if isinstance(outputs, NumberOutputs) else ()))


def constant_loss(loss: nn.Loss, bias: np.ndarray, targets: np.ndarray) -> float:
    """Return the loss of a network that answers all rows alike."""
    network = network_of(loss.outputs, len(bias))
    params = {"0": {"weight": np.zeros((1, len(bias))), "bias": np.asarray(bias, np.float64)}}
    params |= {str(place): {} for place in range(1, len(network.layers))}
    return float(loss(network.apply(params, np.zeros((len(targets), 1))), targets))


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_says_what_its_outputs_mean(name: str) -> None:
    loss = loss_of(name)
    outputs, rule = loss.outputs, nn.LOSSES[name]
    assert outputs == loss_of(name).outputs
    assert (outputs.task, outputs.activation) == (rule.task, rule.output_activation)
    assert outputs.activation in nn.ACTIVATIONS
    assert outputs.kind in type(outputs).__name__.lower() + "quantiles"
    assert "0x" not in repr(outputs)
    if rule.multiclass:
        other = nn.LOSSES[rule.multiclass].outputs
        assert isinstance(other, ClassOutputs)
        assert (other.kind, other.task) == (outputs.kind, "multiclass")


@pytest.mark.parametrize("name", NAMES)
def test_targets_have_the_shape_that_is_said(name: str) -> None:
    loss = loss_of(name)
    targets, units = targets_of(loss)
    shape = loss.outputs.target_shape((units,))
    assert targets.reshape(ROWS, *shape).size == targets.size
    assert np.isfinite(loss(np.full((ROWS, units), 0.5), targets.reshape(ROWS, *shape)))


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_classes_or_numbers(name: str) -> None:
    outputs = loss_of(name).outputs
    _, units = targets_of(loss_of(name))
    raw = RNG.standard_normal((ROWS, units))
    predictions = nn.activation_by_name(outputs.activation).function(raw)
    if isinstance(outputs, NumberOutputs):
        expected = outputs.expected(predictions)
        assert expected.shape == ((ROWS,) if outputs.describes_one else (ROWS, units))
        return
    assert isinstance(outputs, ClassOutputs)
    scores, codes = outputs.class_scores(predictions), outputs.codes(predictions)
    assert scores.shape == (ROWS, max(units, 2))
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, scores.argmax(axis=1))
    np.testing.assert_array_equal(outputs.class_scores(predictions.squeeze()), scores)
    # In float64, 1 - p and a few sums of exponentials round a handful of times.
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, rtol=1e-14) if outputs.are_probabilities else None
    # Raw outputs above 0, the middle of every link, speak for yes.
    np.testing.assert_array_equal(codes, raw[:, 0] > 0 if units == 1 else raw.argmax(axis=1))


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_bias_lowers_the_first_loss(name: str) -> None:
    loss = loss_of(name)
    targets, units = targets_of(loss)
    bias = loss.outputs.initial_bias(targets, None, units)
    assert (bias is None) == (name in WITHOUT_CLOSED_FORM)
    if bias is None:
        return
    assert bias.shape == (units,)
    least = constant_loss(loss, bias, targets)
    assert least < constant_loss(loss, np.zeros(units), targets)
    # Of shares one row more, spread evenly, moves the best constant by less than such a step.
    better = [
        constant_loss(loss, bias + step, targets) < least
        for e in np.eye(units)
        for step in (0.05 * e, -0.05 * e)
    ]
    assert any(better) == (name in NOT_THE_BEST)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_CLOSED_FORM])
def test_initial_biases_count_weights_as_copies(name: str) -> None:
    loss = loss_of(name)
    targets, units = targets_of(loss)
    weight = np.arange(ROWS) % 4
    by_copies = bias_of(loss, np.repeat(targets, weight, axis=0), None, units)
    # Sums in another order; a mean of 200 rows has lost less than 200 roundings.
    np.testing.assert_allclose(bias_of(loss, targets, weight, units), by_copies, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_CLOSED_FORM])
def test_initial_biases_fit_the_network_or_are_refused(name: str) -> None:
    targets, units = targets_of(loss_of(name))
    if name in ("softmax_cross_entropy", "kl_divergence", "categorical_hinge"):  # a class that no row has
        assert np.isfinite(bias_of(loss_of(name), targets, None, units + 1)).all()
        targets = np.eye(CLASSES)[targets]
    with pytest.raises(ShapeError, match="initial_bias: "):
        loss_of(name).outputs.initial_bias(targets, None, units + 1)


def test_shares_of_classes_are_as_good_as_numbers() -> None:
    loss = nn.Loss("kl_divergence")
    by_number = bias_of(loss, CODES, None, CLASSES)
    np.testing.assert_allclose(bias_of(loss, np.eye(CLASSES)[CODES], None, CLASSES), by_number, rtol=1e-15)


def test_nothing_that_ever_happens_has_no_finite_rate() -> None:
    assert nn.Loss("poisson").outputs.initial_bias(np.zeros((5, 1)), None, 1) is None


@pytest.mark.parametrize("name", NAMES)
def test_bands_grow_with_the_coverage(name: str) -> None:
    outputs = loss_of(name).outputs
    if not isinstance(outputs, NumberOutputs):
        return
    predictions = np.sort(RNG.standard_normal((ROWS, targets_of(loss_of(name))[1])), axis=1)
    widths = [np.diff(outputs.band(predictions, c).widened(), axis=2) for c in (0.05, 0.5, 0.8, 0.95)]
    for narrow, wide in itertools.pairwise(widths):
        assert (narrow <= wide).all()
    assert (widths[-1] > 0).all() == outputs.is_distribution == (outputs.interval_level is not None)
    middle = outputs.expected(predictions).reshape(ROWS, -1)
    inside = outputs.band(predictions, 0.8).residuals(middle)
    assert (inside <= 0).all()
    for coverage in (0.0, 1.0, float("nan"), "0.9"):
        with pytest.raises(DataError, match="coverage must be a number between 0 and 1"):
            outputs.band(predictions, coverage)  # type: ignore[arg-type]


def test_the_number_to_expect_among_several() -> None:
    row = np.array([[1.0, 2.0, 3.0]])
    assert nn.outputs.Quantiles((0.1, 0.45, 0.9)).expected(row) == 2.0
    assert nn.outputs.Quantiles((0.9, 0.95, 0.99)).expected(row) == 1.0
    assert nn.outputs.Normal().expected(row[:, :2]) == 1.0


def test_a_band_is_whole_only_at_levels_that_were_learnt() -> None:
    outputs = nn.outputs.Quantiles(LEVELS)
    row = np.array([[1.0, 2.0, 3.0]])
    assert outputs.band(row, 0.8).is_whole
    assert not outputs.band(row, 0.9).is_whole
    assert not nn.outputs.Quantiles((0.5,)).band(row[:, :1], 0.5).is_whole
    assert nn.outputs.Quantiles((0.5,)).interval_level is None
