"""Every loss: against scikit-learn, SciPy and its definition, at its ends and kinks, and what it refuses."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn import metrics
from sklearn.metrics.pairwise import paired_cosine_distances

import minicolumn as mc
from minicolumn import nn, random
from minicolumn.errors import DataError, ShapeError
from minicolumn.nn import losses

BATCH, CLASSES = 12, 4
OUTPUTS = 3 * random.normal(random.key(1), (BATCH, CLASSES), np.float64)
LABELS = np.arange(BATCH) % CLASSES
YES = (random.uniform(random.key(2), (BATCH, CLASSES)) < 0.4).astype(np.float64)
COUNTS = np.floor(5 * random.uniform(random.key(3), (BATCH, CLASSES), np.float64))
AMOUNTS = 0.1 + COUNTS + random.uniform(random.key(5), (BATCH, CLASSES), np.float64)
SHARES = special.softmax(random.normal(random.key(6), (BATCH, CLASSES), np.float64), axis=1)
WEIGHT = random.uniform(random.key(4), (BATCH,), np.float64)
LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Case:
    """Targets of a loss, and what it must be: a function of (targets, predictions, weight of the rows)."""

    targets: np.ndarray
    oracle: Callable[..., Any]
    outputs: np.ndarray = field(default_factory=lambda: OUTPUTS)
    settings: dict[str, Any] = field(default_factory=dict)
    same: bool = True  # whether targets are shaped like outputs


def by_rows(each: Callable[..., Any]) -> Callable[..., Any]:
    """Return the weighted mean of a function of single numbers, or of a row's numbers together."""

    def oracle(targets: Any, predicted: Any, weight: Any) -> Any:
        values = each(targets, predicted)
        return np.average(values.reshape(BATCH, -1).mean(axis=1), weights=weight)

    return oracle


def by_columns(metric: Callable[..., Any], factor: float = 1.0) -> Callable[..., Any]:
    """Return the mean over the outputs of one of scikit-learn's metrics."""

    def oracle(targets: Any, predicted: Any, weight: Any) -> Any:
        columns = zip(targets.T, predicted.T, strict=True)
        return factor * np.mean([metric(t, p, sample_weight=weight) for t, p in columns])

    return oracle


def whole(metric: Callable[..., Any]) -> Callable[..., Any]:
    return lambda targets, predicted, weight: metric(targets, predicted, sample_weight=weight)


def mean_pinball(targets: Any, predicted: Any, weight: Any) -> Any:
    columns = zip(LEVELS, predicted.T, strict=True)
    return np.mean([metrics.mean_pinball_loss(targets, p, alpha=q, sample_weight=weight) for q, p in columns])


def focal(gamma: float, yes: float = 1.0, no: float = 1.0) -> Callable[..., Any]:
    def each(t: Any, p: Any) -> Any:
        right = -yes * t * (1 - p) ** gamma * np.log(p)
        return right - no * (1 - t) * p**gamma * np.log1p(-p)

    return by_rows(each)


def class_focal(gamma: float) -> Callable[..., Any]:
    def each(labels: Any, p: Any) -> Any:
        right = p[np.arange(BATCH), labels]
        return -((1 - right) ** gamma) * np.log(right)

    return by_rows(each)


def normal(t: Any, p: Any) -> Any:
    return -stats.norm.logpdf(t, p[:, 0], np.exp(p[:, 1] / 2))


def mean_hinge(t: Any, margins: Any, sample_weight: Any) -> Any:
    return metrics.hinge_loss(t, margins, labels=[0, 1], sample_weight=sample_weight)


LOG_LOSS = functools.partial(metrics.log_loss, labels=[0, 1])
CLASS_HINGE = functools.partial(metrics.hinge_loss, labels=range(CLASSES))
MEAN_TWEEDIE: Any = metrics.mean_tweedie_deviance  # whose stubs want a whole power
TWEEDIE = functools.partial(MEAN_TWEEDIE, power=1.5)
TWEEDIE_12 = functools.partial(MEAN_TWEEDIE, power=1.2)
CASES = {
    "squared_error": Case(YES, whole(metrics.mean_squared_error)),
    "absolute_error": Case(YES, whole(metrics.mean_absolute_error)),
    "huber": Case(YES, by_rows(lambda t, p: special.huber(1.0, p - t))),
    "huber of 2.5": Case(YES, by_rows(lambda t, p: special.huber(2.5, p - t)), settings={"delta": 2.5}),
    "log_cosh": Case(YES, by_rows(lambda t, p: np.log(np.cosh(p - t)))),
    "quantile": Case(
        AMOUNTS[:, 0],
        lambda t, p, w: metrics.mean_pinball_loss(t, p[:, 0], sample_weight=w),
        OUTPUTS[:, :1],
        same=False,
    ),
    "quantile of three": Case(AMOUNTS[:, 0], mean_pinball, OUTPUTS[:, :3], {"levels": LEVELS}, same=False),
    "absolute_percentage_error": Case(AMOUNTS, whole(metrics.mean_absolute_percentage_error)),
    "absolute_percentage_error from 3": Case(
        AMOUNTS, by_rows(lambda t, p: np.abs(t - p) / np.maximum(t, 3.0)), settings={"floor": 3.0}
    ),
    "squared_log_error": Case(COUNTS, whole(metrics.mean_squared_log_error)),
    "cosine_distance": Case(COUNTS + YES, by_rows(lambda t, p: paired_cosine_distances(t, p))),
    "poisson": Case(COUNTS, by_columns(metrics.mean_poisson_deviance, 0.5)),
    "gamma": Case(AMOUNTS, by_columns(metrics.mean_gamma_deviance, 0.5)),
    "tweedie": Case(COUNTS, by_columns(TWEEDIE, 0.5)),
    "tweedie of 1.2": Case(COUNTS, by_columns(TWEEDIE_12, 0.5), settings={"power": 1.2}),
    "gaussian_nll": Case(AMOUNTS[:, 0], by_rows(normal), OUTPUTS[:, :2], same=False),
    "binary_cross_entropy": Case(YES, by_columns(LOG_LOSS)),
    "binary_cross_entropy, smooth": Case(
        YES,
        by_rows(lambda t, p: -(0.8 * t + 0.1) * np.log(p) - (0.9 - 0.8 * t) * np.log1p(-p)),
        settings={"label_smoothing": 0.2},
    ),
    "binary_focal": Case(YES, focal(2.0)),
    "binary_focal, balanced": Case(YES, focal(1.5, 0.25, 0.75), settings={"gamma": 1.5, "alpha": 0.25}),
    "hinge": Case(YES, by_columns(mean_hinge)),
    "squared_hinge": Case(YES, by_rows(lambda t, p: np.maximum(0, 1 - np.where(t > 0, p, -p)) ** 2)),
    "softmax_cross_entropy": Case(
        LABELS, whole(functools.partial(metrics.log_loss, labels=range(CLASSES))), same=False
    ),
    "softmax_cross_entropy, smooth": Case(
        LABELS,
        by_rows(lambda t, p: -((0.9 * np.eye(CLASSES)[t] + 0.025) * np.log(p)).sum(axis=1)),
        settings={"label_smoothing": 0.1},
        same=False,
    ),
    "softmax_focal": Case(LABELS, class_focal(2.0), same=False),
    "softmax_focal of 0.5": Case(LABELS, class_focal(0.5), settings={"gamma": 0.5}, same=False),
    # A row of OUTPUTS leads by 1.0003, too near to the kink for differences.
    "categorical_hinge": Case(LABELS, whole(CLASS_HINGE), 0.9 * OUTPUTS, same=False),
    "kl_divergence": Case(SHARES, by_rows(lambda t, p: special.rel_entr(t, p).sum(axis=1)), same=False),
}
NAMES = list(CASES)
SMOOTH = [name for name, case in CASES.items() if "label_smoothing" in case.settings]


def loss_of(name: str) -> nn.Loss:
    return nn.Loss(name.split(",")[0].split(" ")[0], **CASES[name].settings)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]


@pytest.fixture
def loss(name: str) -> nn.Loss:
    return loss_of(name)


def predictions(loss: nn.Loss, outputs: np.ndarray) -> np.ndarray:
    return nn.ACTIVATIONS[loss.rule.output_activation].function(outputs)


def slope(loss: Any, *args: Any) -> np.ndarray:
    return mc.grad(loss)(*args)


# Laws of every loss -----------------------------------------------------------------------------------------


def test_every_loss_and_every_setting_has_a_case():
    assert {loss_of(name).name for name in NAMES} == set(nn.LOSSES)
    assert all(rule.name == name for name, rule in nn.LOSSES.items())
    tried = {(loss_of(name).name, setting) for name in NAMES for setting in CASES[name].settings}
    assert tried == {(rule.name, setting) for rule in nn.LOSSES.values() for setting in rule.settings}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_loss_is_the_metric_of_its_predictions(case, loss, weight):
    found = loss(case.outputs, case.targets, weight)
    expected = case.oracle(case.targets, predictions(loss, case.outputs), weight)
    assert np.shape(found) == ()
    # float64 and a few hundred roundings; where the definition takes 1 - p, its own cancel four digits.
    assert found == pytest.approx(expected, rel=1e-12 if "focal" not in loss.name else 1e-11)


def test_float32_stays_float32_whatever_the_targets_are(case, loss):
    for kind in (np.float64, np.float32, np.int64, np.int32):
        if case.targets.ndim == 1 and loss.rule.task == "multiclass" and kind in (np.float64, np.float32):
            continue  # labels are whole numbers
        sent = np.ceil(case.targets).astype(kind)
        assert loss(case.outputs.astype(np.float32), sent, WEIGHT).dtype == np.float32


def test_whole_weights_are_repetitions(case, loss):
    times = np.arange(BATCH) % 3  # some rows have weight 0: as if they were not there
    repeated = [np.repeat(a, times, axis=0) for a in (case.outputs, case.targets)]
    # The same terms, added in another order.
    assert loss(case.outputs, case.targets, times) == pytest.approx(loss(*repeated), rel=1e-12)
    sums = np.zeros_like(case.outputs)
    np.add.at(sums, np.repeat(np.arange(BATCH), times), slope(loss, *repeated))
    np.testing.assert_allclose(slope(loss, case.outputs, case.targets, times), sums, rtol=1e-11, atol=1e-15)


def test_only_the_ratios_of_weights_count(case, loss):
    found = loss(case.outputs, case.targets, WEIGHT)
    assert loss(case.outputs, case.targets, 1024.0 * WEIGHT) == found  # a power of two rounds nothing
    assert loss(case.outputs, case.targets, 1e-3 * WEIGHT) == pytest.approx(found, rel=1e-13)
    alike = loss(case.outputs, case.targets, np.full(BATCH, 0.3))
    assert alike == pytest.approx(loss(case.outputs, case.targets), rel=1e-13)


def test_a_row_of_weight_0_is_absent_however_far_off_it_is(case, loss):
    weight, outputs = WEIGHT.copy(), case.outputs.copy()
    weight[3], outputs[3] = 0.0, -1e4
    rest = np.arange(BATCH) != 3
    expected = loss(case.outputs[rest], case.targets[rest], weight[rest])
    assert loss(outputs, case.targets, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if CASES[name].same])
def test_a_column_of_outputs_takes_a_vector_of_targets(case, loss):
    targets, column = case.targets[:, 0], case.outputs[:, :1]
    found = loss(column, targets)
    assert found == loss(column, targets[:, None])
    if loss.name != "cosine_distance":
        assert found == loss(column[:, 0], targets)


def test_derivatives_are_right(case, loss):
    # The points are drawn, so none lies at a kink.
    mc.check_grads(lambda outputs: loss(outputs, case.targets, WEIGHT), (case.outputs,))


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_far_off_the_loss_and_its_derivatives_are_finite_in_float32(case, loss, sign):
    far = np.float32(1e4) * np.where(case.outputs > 0, np.float32(sign), np.float32(-sign))
    targets = case.targets.astype(np.float32 if case.targets.dtype.kind == "f" else np.int32)
    for outputs in (far, np.full_like(far, sign * 1e4), np.zeros_like(far)):

        def slopes(y: Any) -> Any:
            return mc.grad(lambda z: loss(z, targets))(y)

        assert np.isfinite(loss(outputs, targets))
        assert np.isfinite(slopes(outputs)).all()
        curvature = mc.grad(lambda y: np.sum(slopes(y)))(outputs)
        assert np.isfinite(curvature).all()


def test_traced_losses_give_what_plain_losses_give(case, loss):
    args = case.outputs, case.targets, WEIGHT
    value, slopes = mc.compile(mc.value_and_grad(loss))(*args)
    assert float(value) == pytest.approx(float(loss(*args)), rel=1e-12)
    # Elementary functions may differ by their last digits between lowerings.
    np.testing.assert_allclose(slopes, slope(loss, *args), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"gaussian_nll", *SMOOTH}))
def test_a_perfect_fit_loses_nothing(case, loss):
    amounts, right = AMOUNTS, np.eye(CLASSES)[LABELS]
    perfect = {
        "poisson": (np.log(amounts), amounts),
        "gamma": (np.log(amounts), amounts),
        "tweedie": (np.log(amounts), amounts),
        "squared_log_error": (np.log(amounts), amounts),
        "binary_cross_entropy": (np.where(YES > 0, 50.0, -50.0), YES),
        "binary_focal": (np.where(YES > 0, 50.0, -50.0), YES),
        "hinge": (np.where(YES > 0, 1.0, -1.0), YES),
        "squared_hinge": (np.where(YES > 0, 1.0, -1.0), YES),
        "softmax_cross_entropy": (100.0 * right, LABELS),
        "softmax_focal": (100.0 * right, LABELS),
        "categorical_hinge": (right, LABELS),
        "kl_divergence": (np.log(SHARES) + 7.0, SHARES),
        "quantile": (np.repeat(amounts[:, :1], len(loss.settings.get("levels", ())), 1), amounts[:, 0]),
        "cosine_distance": (3.0 * amounts, amounts),
    }
    outputs, targets = perfect.get(loss.name, (YES, YES))
    # e^-50 is 2e-22; Poisson's terms of size 10 cancel to a rounding.
    assert 0 <= float(loss(outputs, targets)) + 1e-14 < 4e-14
    assert float(loss(case.outputs, case.targets)) > 0.01


# Kinks and ties, as stated ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "outputs", "target", "expected"),
    [
        (nn.Loss("absolute_error"), [2.0], 2.0, [0.0]),
        (nn.Loss("absolute_percentage_error"), [2.0], 2.0, [0.0]),
        (nn.Loss("huber"), [3.0], 2.0, [1.0]),
        (nn.Loss("log_cosh"), [2.0], 2.0, [0.0]),
        (nn.Loss("quantile", levels=0.9), [2.0], 2.0, [-0.4]),
        (nn.Loss("quantile", levels=(0.1, 0.5)), [2.0, 2.0], 2.0, [0.2, 0.0]),
        (nn.Loss("hinge"), [1.0], 1.0, [-0.5]),
        (nn.Loss("squared_hinge"), [1.0], 1.0, [0.0]),
        (nn.Loss("categorical_hinge"), [2.0, 1.0], 0, [-0.5, 0.5]),
        (nn.Loss("categorical_hinge"), [0.0, 1.0, 1.0], 0, [-1.0, 0.5, 0.5]),
        (nn.Loss("cosine_distance"), [0.0, 0.0], [3.0, 4.0], [-0.6, -0.8]),
        (nn.Loss("poisson"), [40.0], 0.0, [math.exp(40.0)]),
    ],
    ids=str,
)
def test_slopes_at_kinks(loss, outputs, target, expected):
    found = slope(loss, np.array([outputs]), np.array([target]))
    np.testing.assert_allclose(found[0], expected, rtol=1e-14, atol=1e-15)


def test_log_cosh_is_curved_at_its_lowest_point():
    np.testing.assert_allclose(mc.hessian(lambda y: losses.log_cosh(y, np.zeros(1)))(np.zeros(1)), [[1.0]])


@pytest.mark.parametrize(
    ("loss", "sign"), [("poisson", 1.0), ("tweedie", 2.0), ("gamma", -1.0)], ids=lambda x: str(x)
)
def test_past_40_exponentials_go_on_as_their_tangent(loss, sign):
    at = lambda y: float(nn.Loss(loss)(np.array([sign * y]), np.array([1.0])))  # noqa: E731
    rise = slope(nn.Loss(loss), np.array([sign * 40.0]), np.array([1.0]))[0]
    # Straight on: float64 sums of numbers near e^40.
    assert at(45.0) - at(40.0) == pytest.approx(5.0 * sign * rise, rel=1e-12)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_far_off_are_never_nan(loss, dtype):
    outputs = np.array([1e30, -1e30, 1e30, -1e30], dtype)
    amounts = np.array([3.0, 3.0, 1.0 if loss == "gamma" else 0.0, 1.0 if loss == "gamma" else 0.0], dtype)
    with np.errstate(over="ignore"):
        value, slopes = mc.value_and_grad(lambda y: nn.Loss(loss)(y, amounts))(outputs)
    assert not np.isnan(value)
    assert not np.isnan(slopes).any()


# Each for itself --------------------------------------------------------------------------------------------


@settings(deadline=None)  # timing on shared machines says nothing
@given(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0]))
def test_binary_cross_entropy_keeps_its_digits(logit, target):
    found = losses.binary_cross_entropy(np.array([logit]), np.array([target]))
    wrong_by = logit if target == 0 else -logit
    exact = math.log1p(math.exp(wrong_by)) if wrong_by < 30 else wrong_by + math.exp(-wrong_by)
    assert float(found) == pytest.approx(exact, rel=1e-14, abs=1e-300)  # float64, two roundings


@settings(deadline=None)  # timing on shared machines says nothing
@given(st.floats(-300, 300), st.floats(0, 5))
def test_focal_losses_of_two_classes_are_one(lead, gamma):
    two = losses.softmax_focal(np.array([[0.0, lead]]), np.array([1]), gamma=gamma)
    one = losses.binary_focal(np.array([lead]), np.array([1]), gamma=gamma)
    # Shares below 1e-15 count as 1e-15.
    assert float(two) == pytest.approx(float(one), rel=1e-12, abs=2e-15)


@pytest.mark.parametrize("loss", ["binary", "softmax"])
def test_focal_without_focus_is_the_cross_entropy(loss):
    targets = YES if loss == "binary" else SHARES
    plain = nn.Loss(f"{loss}_cross_entropy")(OUTPUTS, targets)
    assert nn.Loss(f"{loss}_focal", gamma=0)(OUTPUTS, targets) == pytest.approx(plain, rel=1e-14)


@settings(deadline=None)  # timing on shared machines says nothing
@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=6))
def test_log_softmax_is_finite_and_normalised(scores):
    x = np.array([scores])
    found = losses.log_softmax(x)
    assert np.isfinite(found).all()
    assert (found <= 0).all()
    assert np.exp(found).sum() == pytest.approx(1, rel=1e-12)
    # Near 0 the sum of a shift and a logarithm cancels: a rounding of either is all that is left.
    np.testing.assert_allclose(losses.logsumexp(x), special.logsumexp(x, axis=-1), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in NAMES if loss_of(name).rule.task == "multiclass"])
def test_labels_and_their_shares_lose_the_same(loss):
    assert loss(OUTPUTS, LABELS) == loss(OUTPUTS, np.eye(CLASSES)[LABELS])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint32, np.bool_])
def test_labels_of_any_whole_dtype(kind):
    labels = (LABELS % 2).astype(kind)
    assert losses.softmax_cross_entropy(OUTPUTS, labels) == losses.softmax_cross_entropy(OUTPUTS, LABELS % 2)


def test_of_shares_all_classes_that_have_any_are_right():
    shares = np.array([[0.5, 0.5, 0.0]])
    assert float(losses.categorical_hinge(np.array([[1.0, 3.0, 2.5]]), shares)) == 1.0 + 2.5 - 2.0
    assert float(losses.categorical_hinge(np.array([[1.0, 3.0]]), shares[:, :2])) == 0.0


def test_the_best_constants_are_quantiles_and_moments():
    rows = random.normal(random.key(9), (501,), np.float64) ** 2
    best = np.quantile(rows, LEVELS)
    quantiles = nn.Loss("quantile", levels=LEVELS)
    lowest = quantiles(np.tile(best, (501, 1)), rows)
    moments = np.array([rows.mean(), np.log(rows.var())])
    likeliest = losses.gaussian_nll(np.tile(moments, (501, 1)), rows)
    for k, by in [(0, 0.05), (0, -0.05), (1, 0.05), (1, -0.05)]:
        assert quantiles(np.tile(best + by * np.eye(3)[k], (501, 1)), rows) > lowest
        assert losses.gaussian_nll(np.tile(moments + by * np.eye(2)[k], (501, 1)), rows) > likeliest


def test_a_single_quantile_takes_a_vector():
    expected = losses.quantile(OUTPUTS[:, :1], AMOUNTS[:, 0], levels=0.9)
    assert losses.quantile(OUTPUTS[:, 0], AMOUNTS[:, 0], levels=(0.9,)) == expected
    assert losses.quantile(OUTPUTS[:, :1], AMOUNTS[:, :1], levels=[0.9]) == expected  # type: ignore[arg-type]


def test_directions_of_any_length():
    y, t = np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]])
    for length in (1e-300, 1e-10, 1e10, 1e300):
        assert losses.cosine_distance(length * y, t) == pytest.approx(0.04, rel=1e-12)
    assert losses.cosine_distance(np.zeros((1, 2)), t) == losses.cosine_distance(y, np.zeros((1, 2))) == 1.0


@pytest.mark.parametrize(
    "name", ["binary_cross_entropy", "softmax_cross_entropy", "poisson", "kl_divergence"]
)
def test_the_slope_is_prediction_less_target(name, case, loss):
    shares = np.eye(CLASSES)[case.targets] if case.targets.ndim == 1 else case.targets
    expected = (predictions(loss, OUTPUTS) - shares) / BATCH
    if loss.rule.task != "multiclass":
        expected = expected / CLASSES
    found = slope(loss, OUTPUTS, case.targets)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)  # prediction - target cancels


# What is refused --------------------------------------------------------------------------------------------


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
            r"labels are float64, expected integers 0 .. 2",
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
        (
            lambda: losses.quantile(np.zeros((4, 2)), np.zeros(4), levels=LEVELS),
            r"outputs have shape \[4, 2\], expected \[batch, ..., 3\]: one output for each of \(0.1",
        ),
        (
            lambda: losses.quantile(np.zeros((4, 3)), np.zeros((4, 3)), levels=LEVELS),
            r"targets have shape \[4, 3\], expected \[4\] for outputs \[4, 3\]",
        ),
        (
            lambda: losses.gaussian_nll(np.zeros((4, 1)), np.zeros(4)),
            r"outputs have shape \[4, 1\], expected \[batch, ..., 2\]: mean and logarithm of the variance",
        ),
        (lambda: losses.gaussian_nll(np.zeros(4), np.zeros(4)), r"outputs have shape \[4\], expected"),
        (
            lambda: losses.quantile(np.zeros((4, 2)), np.zeros(4), levels=(0.9, 0.1)),
            r"levels: expected numbers between 0 and 1, ascending, got \(0.9, 0.1\)",
        ),
        (
            lambda: losses.tweedie(np.zeros(2), np.zeros(2), power=2),
            r"tweedie: power: expected a number, 1 < power < 2, got 2",
        ),
        (
            lambda: losses.softmax_cross_entropy(OUTPUTS, LABELS, label_smoothing=1.0),
            r"label_smoothing: expected a number, 0 <= label_smoothing < 1, got 1.0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):
    with pytest.raises((ShapeError, DataError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_unknown_name_gets_a_hint():
    with pytest.raises(DataError, match="did you mean 'squared_error'"):
        nn.loss_by_name("squared_eror")
