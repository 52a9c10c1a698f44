"""Scores against scikit-learn's, on random predictions and at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.dummy import DummyClassifier, DummyRegressor

from minicolumn.model import metrics

# Both add up the same float64 numbers; only the order of additions differs.
CLOSE: dict[str, Any] = {"rel": 1e-12, "abs": 1e-12}


def _predictions(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    logits = np.round(rng.standard_normal((len(codes), classes)), 1)  # rounded, so that there are ties
    p = np.exp(logits)
    return codes, p / p.sum(axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(1, 60), st.integers(2, 5))
def test_classification_scores(seed: int, rows: int, classes: int) -> None:
    codes, p = _predictions(seed, rows, classes)
    guess = np.argmax(p, axis=1)
    area = oracle.roc_auc_score(codes, p[:, 1] if classes == 2 else p, multi_class="ovr", average="macro")
    assert metrics.classification_scores(codes, p) == {
        "accuracy": pytest.approx(oracle.accuracy_score(codes, guess), **CLOSE),
        "balanced_accuracy": pytest.approx(oracle.balanced_accuracy_score(codes, guess), **CLOSE),
        "log_loss": pytest.approx(oracle.log_loss(codes, p), **CLOSE),
        "roc_auc": pytest.approx(area, **CLOSE),
    }
    np.testing.assert_array_equal(
        metrics.confusion(codes, guess, classes), oracle.confusion_matrix(codes, guess)
    )


def test_probabilities_of_zero_and_one_are_finite() -> None:
    scores = metrics.classification_scores(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert scores["log_loss"] == pytest.approx(oracle.log_loss([0, 1], [[1.0, 0.0], [1.0, 0.0]]), **CLOSE)


def test_a_single_class_has_no_area() -> None:
    scores = metrics.classification_scores(np.array([1, 1]), np.array([[0.4, 0.6], [0.6, 0.4]]))
    assert set(scores) == {"accuracy", "balanced_accuracy", "log_loss"}


def test_a_class_that_never_occurs_does_not_count() -> None:
    codes, p = np.array([0, 0, 2]), np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    scores = metrics.classification_scores(codes, p)
    assert scores["balanced_accuracy"] == pytest.approx(0.75)
    assert scores["roc_auc"] == pytest.approx(
        np.mean([oracle.roc_auc_score(codes == c, p[:, c]) for c in (0, 2)])
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(2, 60), st.sampled_from([(), (1,), (3,)]))
def test_regression_scores(seed: int, rows: int, outputs: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    y, p = (rng.standard_normal((rows, *outputs)) * 100.0 for _ in range(2))
    assert metrics.regression_scores(y, p) == {
        "r2": pytest.approx(oracle.r2_score(y, p), **CLOSE),
        "rmse": pytest.approx(np.sqrt(oracle.mean_squared_error(y, p)), **CLOSE),
        "mae": pytest.approx(oracle.mean_absolute_error(y, p), **CLOSE),
    }


def test_targets_that_do_not_vary_have_no_r2() -> None:
    assert set(metrics.regression_scores(np.ones(3), np.zeros(3))) == {"rmse", "mae"}
    y = np.array([[1.0, 5.0], [2.0, 5.0]])
    assert metrics.regression_scores(y, y + 0.5)["r2"] == pytest.approx(
        oracle.r2_score(y[:, 0], y[:, 0] + 0.5)
    )


def test_baselines_are_the_trivial_guesses() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 3, 50), rng.integers(0, 3, 20)
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((50, 1)), train)
    p = np.asarray(dummy.predict_proba(np.zeros((20, 1))))
    assert metrics.majority_baseline(train, test, 3) == pytest.approx(metrics.classification_scores(test, p))
    assert metrics.majority_baseline(train, test, 3)["roc_auc"] == 0.5
    y, held = rng.standard_normal(30), rng.standard_normal(9)
    mean = np.asarray(DummyRegressor().fit(np.zeros((30, 1)), y).predict(np.zeros((9, 1))))
    assert metrics.mean_baseline(y, held) == pytest.approx(metrics.regression_scores(held, mean))


def test_every_score_is_named_once() -> None:
    codes, p = _predictions(0, 10, 3)
    assert (
        tuple(metrics.classification_scores(codes, p))
        == metrics.SCORES["multiclass"]
        == metrics.SCORES["binary"]
    )
    assert tuple(metrics.regression_scores(np.arange(3.0), np.ones(3))) == metrics.SCORES["regression"]
    every = {**metrics.CLASS_SCORES, **metrics.NUMBER_SCORES}
    assert len(every) == len(metrics.CLASS_SCORES) + len(metrics.NUMBER_SCORES)
    assert [*every, *metrics.DISTRIBUTION_SCORES] == [*metrics.METRICS]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 60), st.integers(2, 5))
def test_classification_scores_on_request(seed: int, rows: int, classes: int) -> None:
    codes, p = _predictions(seed, rows, classes)
    guess = np.argmax(p, axis=1)
    average = "binary" if classes == 2 else "macro"
    one_hot = np.eye(classes)[codes]
    area = [oracle.average_precision_score(one_hot[:, c], p[:, c]) for c in range(classes)]
    assert metrics.scored(metrics.CLASS_SCORES, ["f1", "mcc", "average_precision"], [(codes, p)]) == {
        "f1": pytest.approx(oracle.f1_score(codes, guess, average=average), **CLOSE),
        "mcc": pytest.approx(oracle.matthews_corrcoef(codes, guess), **CLOSE),
        "average_precision": pytest.approx(area[1] if classes == 2 else np.mean(area), **CLOSE),
    }


def test_number_scores_on_request() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.uniform(1.5, 3.0, (2, 30, 2))
    names = ["mape", "poisson_deviance", "gamma_deviance"]
    assert metrics.scored(metrics.NUMBER_SCORES, names, [(y, p)]) == {
        "mape": pytest.approx(oracle.mean_absolute_percentage_error(y, p), **CLOSE),
        "poisson_deviance": pytest.approx(oracle.mean_poisson_deviance(y.ravel(), p.ravel()), **CLOSE),
        "gamma_deviance": pytest.approx(oracle.mean_gamma_deviance(y.ravel(), p.ravel()), **CLOSE),
    }
    assert metrics.scored(metrics.NUMBER_SCORES, names, [(y, -p)]).keys() == {"mape"}
    assert metrics.scored(metrics.NUMBER_SCORES, names, [(0.0 * y, p)]).keys() == {"poisson_deviance"}


def test_scores_of_a_single_class_on_request() -> None:
    pair = np.array([1, 1]), np.array([[0.4, 0.6], [0.6, 0.4]])
    found = metrics.scored(metrics.CLASS_SCORES, metrics.CLASS_SCORES, [pair])
    assert found.keys() == metrics.CLASS_SCORES.keys() - {"roc_auc", "mcc", "average_precision"}
    assert found["f1"] == pytest.approx(2 / 3)
