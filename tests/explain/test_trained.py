"""Explanations of whatever was trained: models, runs, and estimators with labels of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import minicolumn as mc
from minicolumn.explain.trained import trained

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    return rng.standard_normal((60, 4)) + 2 * np.eye(4)[y], np.array(["b", "a", "c"])[y]


def test_a_classifier_is_looked_at_with_its_own_labels(rows: Any) -> None:
    X, words = rows
    codes = np.unique(words, return_inverse=True)[1]
    model = mc.MLPClassifier((5,), max_iter=3, random_state=0).fit(X, words)
    plain = model.to_model()
    one, other = mc.landscape(model, X, words, points=3), mc.landscape(plain, X, codes, points=3)
    np.testing.assert_array_equal(one.losses, other.losses)
    assert str(mc.backprop_report(model, X[:4], words[:4])) == str(
        mc.backprop_report(plain.network, plain.params, X[:4], codes[:4], loss="softmax_cross_entropy")
    )


def test_targets_may_be_a_column(rows: Any) -> None:
    X, words = rows
    for model in (mc.MLPClassifier((5,), max_iter=2), mc.MLPRegressor(hidden_layer_sizes=(5,), max_iter=2)):
        y = words if isinstance(model, mc.MLPClassifier) else X[:, 0]
        model.fit(X, y)
        np.testing.assert_array_equal(model.encode_target(y[:, None]), model.encode_target(y))


def test_a_run_is_looked_at_by_its_own_loss(rows: Any) -> None:
    X = rows[0]
    run = mc.fit(mc.nn.Dense(1), X, X[:, :1], loss=mc.nn.Loss("huber", delta=2.0), epochs=1)
    report = mc.backprop_report(run, X[:4], X[:4, :1])
    assert report.loss_name == "Loss('huber', delta=2.0)"
    np.testing.assert_array_equal(report.weights[0].before, run.params["weight"].astype(np.float64))


def test_an_own_loss_comes_with_its_estimator(rows: Any) -> None:
    X = rows[0]

    def quartic(outputs: Any, targets: Any, weight: Any) -> Any:
        return np.mean(weight[:, None] * (outputs - targets) ** 4)

    model = mc.MLPRegressor(quartic, (4,), max_iter=2).fit(X, X[:, 0])
    assert mc.backprop_report(model, X[:3], X[:3, 0]).loss_name == "quartic"
    assert mc.landscape(model, X, X[:, 0], points=3).losses.shape == (3, 3)
    with pytest.raises(mc.DataError, match="own loss function; pass it as loss="):
        mc.backprop_report(model.to_model(), X[:3], X[:3, :1])


def test_weights_may_be_lists() -> None:
    net = mc.nn.Dense(1, activation="logistic")
    listed = {"weight": [[0.5], [-0.5]], "bias": [0]}
    arrays = {"weight": np.array([[0.5], [-0.5]]), "bias": np.zeros(1)}
    one, other = (mc.backprop_report(net, params, [[1, 1]], [1]) for params in (listed, arrays))
    assert str(one) == str(other)


def test_an_estimators_predictor_answers_as_it_does(rows: Any) -> None:
    model = mc.MLPClassifier((5,), max_iter=3, random_state=0).fit(*rows)
    predict = model.to_model().predictor()
    for row, expected in zip(rows[0][:5], model.predict_proba(rows[0][:5]), strict=True):
        # One row by itself and rows in a block are added up in another order.
        np.testing.assert_allclose(predict(row), expected, rtol=1e-5)


@pytest.mark.parametrize("wrong", [3, mc.MLPClassifier, {"weight": 1}, None])
def test_what_was_never_trained_is_refused(wrong: Any, rows: Any) -> None:
    with pytest.raises(mc.DataError, match="expected a model, a run of `fit` or a fitted estimator, got a"):
        trained("landscape", wrong, rows[1])
    with pytest.raises(mc.DataError, match="backprop_report: "):
        mc.backprop_report(wrong, *rows)
    with pytest.raises(mc.DataError, match=r"give \(network, params, X, y\)"):
        mc.backprop_report(mc.nn.Dense(1), *rows)  # type: ignore[call-overload]


def test_an_estimator_is_fitted_first(rows: Any) -> None:
    with pytest.raises(NotFittedError):
        mc.landscape(mc.MLPClassifier(), *rows)
