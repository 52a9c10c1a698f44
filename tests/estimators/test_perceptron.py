"""The perceptron estimator: scikit-learn's own checks, its own Perceptron, and laws."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets, linear_model
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import minicolumn as mc
from minicolumn.errors import DataError, DivergenceError, ShapeError
from minicolumn.estimators.perceptron_rule import PerceptronStep, RowOrders, perceptron_loss
from minicolumn.model.rows import LabeledRows
from minicolumn.nn.classic import perceptron_rule
from minicolumn.train import Snapshot, Trainer
from minicolumn.train.settings import Settings

Array = np.ndarray
ORDER_MATTERS = "a row of weight 2 is one long step, not two visits; scikit-learn's Perceptron is excused too"
LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [mc.Perceptron()],
    expected_failed_checks=lambda _: {"check_sample_weight_equivalence_on_dense_data": ORDER_MATTERS},
)
def test_scikit_learn_accepts_it(estimator, check) -> None:
    check(estimator)


def test_parameters_and_defaults_are_scikit_learns() -> None:
    assert mc.Perceptron().get_params() == linear_model.Perceptron().get_params()


def both(settings: dict, X: Array, y: Array, weight: Array | None = None) -> tuple:
    ours = mc.Perceptron(shuffle=False, **settings).fit(X, y, sample_weight=weight)
    theirs = linear_model.Perceptron(shuffle=False, **settings).fit(X, y, sample_weight=weight)
    return ours, theirs


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    "settings",
    [{}, {"early_stopping": True}, {"class_weight": "balanced"}, {"fit_intercept": False}, {"eta0": 0.25}],
    ids=str,
)
def test_same_bits_as_scikit_learn_in_the_order_of_the_rows(name: str, settings: dict) -> None:
    # An update is a row times a number, so the bits are the same while no sum of products rounds across 0.
    X, y = LOADERS[name](return_X_y=True)
    ours, theirs = both(settings, X, y)
    for attribute in ("coef_", "intercept_", "n_iter_", "t_", "classes_", "n_features_in_"):
        np.testing.assert_array_equal(getattr(ours, attribute), getattr(theirs, attribute), attribute)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.coef_.dtype == theirs.coef_.dtype


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_penalties_as_in_scikit_learn(penalty: str) -> None:
    found: Any = datasets.load_breast_cancer()
    X, y = found.data, found.target
    # So many epochs that all of them count, not the moment of stopping: scikit-learn's objective takes a norm
    # of the weights from before the cut by l1.
    settings = {"penalty": penalty, "alpha": 1e-3, "l1_ratio": 0.4, "tol": None, "max_iter": 6}
    ours, theirs = both(settings, X, y)
    # scikit-learn keeps the shrinking apart as one factor, which rounds otherwise: 3414 steps of 2^-53.
    largest = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=4e-13 * largest, rtol=0)


def test_sample_weights_and_first_weights_as_in_scikit_learn() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    weight = np.arange(len(y)) % 3 / 2.0
    first = {"coef_init": np.ones((3, 4)), "intercept_init": np.arange(3.0)}
    ours = mc.Perceptron(shuffle=False).fit(X, y, sample_weight=weight, **first)
    theirs = linear_model.Perceptron(shuffle=False).fit(X, y, sample_weight=weight, **first)
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)


def an_epoch(step: PerceptronStep, rows: LabeledRows, weight: Array, bias: Array, backend: str) -> Trainer:
    """Return a training of units after one epoch: natively in one call, by the reference in two pieces."""
    chosen = Settings(
        loss=step.loss, optimizer=step.optimizer, batch_size=1, dtype=rows.X.dtype, backend=backend
    )
    state, orders = step.first_state(weight, bias), RowOrders(3, len(rows), seen=80, each=len(rows))
    trainer = Trainer.from_snapshot(
        step.network, chosen, rows, None, Snapshot(state.params, state.moments),
        epochs=2, rule=lambda network, settings: step, orders=orders,
    )  # fmt: skip
    cut = [{"steps": 17}, {"steps": 23}] if backend == "reference" else [{"epochs": 1}]
    for piece in cut:
        trainer.advance(**piece)
    return trainer


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [(0.0, 0.0), (0.01, 0.0), (0.004, 0.02)], ids=str)
def test_an_epoch_is_that_of_the_reference_and_of_a_plain_loop(penalty: tuple, dtype: type) -> None:
    rng = np.random.default_rng(5)
    X = rng.integers(-3, 4, (40, 4)).astype(dtype)
    signs = np.where(rng.random((40, 3)) < 0.5, 1, -1).astype(dtype)
    factors = np.array([1.0, 0.0, 1.0], dtype) * np.ones((40, 1), dtype)
    weight, bias = rng.integers(-2, 3, (4, 3)).astype(dtype), np.ones(3, dtype)
    step, rows = PerceptronStep.of(3, 0.5, True, *penalty), LabeledRows(X, signs, factors)
    native, slow = (an_epoch(step, rows, weight, bias, backend) for backend in ("native", "reference"))
    assert native.epoch == slow.epoch == 1
    # Forty rows of a few roundings each; the native loop contracts products into sums.
    close = 400 * float(np.finfo(dtype).eps)
    for name in ("weight", "bias"):
        np.testing.assert_allclose(native.params[name], slow.params[name], rtol=close, atol=close)
    np.testing.assert_allclose(
        native.state.moments["paid"], slow.state.moments["paid"], rtol=close, atol=close
    )
    told, expected = native.history[0], slow.history[0]
    np.testing.assert_allclose(told["losses"], expected["losses"], rtol=close, atol=close)
    np.testing.assert_allclose(told["loss"], told["losses"].sum(), rtol=close)
    np.testing.assert_array_equal(native.state.moments["corrections"], slow.state.moments["corrections"])
    if penalty == (0.0, 0.0):
        order = RowOrders(3, 40, seen=80, each=40).of(1)
        losses = np.zeros(3)
        for row in order:
            losses += perceptron_loss(X[row] @ weight + bias, signs[row])
            weight, bias = perceptron_rule(weight, bias, X[row], signs[row], 0.5 * factors[row])
        np.testing.assert_array_equal(native.params["weight"], weight)  # whole and half numbers: exact
        np.testing.assert_array_equal(native.params["bias"], bias)
        np.testing.assert_array_equal(told["losses"], losses / 40)


def test_it_is_gradient_descent_on_the_perceptron_loss() -> None:
    X, Y = separable(3)

    def loss(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        return np.sum(np.where(targets * outputs <= 0, -targets * outputs, 0.0))

    zeros = {"weight": np.zeros((5, 3)), "bias": np.zeros(3)}
    run = mc.fit(
        mc.nn.Dense(3), X, 2.0 * Y - 1.0, loss=loss, optimizer=mc.optim.SGD(0.5), batch_size=1, epochs=4,
        shuffle=False, dtype=np.float64, params=zeros,
    )  # fmt: skip
    model = mc.Perceptron(tol=None, max_iter=4, shuffle=False, eta0=0.5).fit(X, Y)
    np.testing.assert_array_equal(model.coef_, run.params["weight"].T)
    np.testing.assert_array_equal(model.intercept_, run.params["bias"])


@pytest.mark.parametrize("settings", [{}, {"penalty": "elasticnet"}], ids=str)
def test_units_stop_one_by_one_where_they_stop_alone(settings: dict) -> None:
    X, y = datasets.load_wine(return_X_y=True)
    together = mc.Perceptron(shuffle=False, **settings).fit(X, y)
    epochs = set()
    for label in range(3):
        alone = mc.Perceptron(shuffle=False, **settings).fit(X, y == label)
        np.testing.assert_array_equal(together.coef_[label], alone.coef_[0])
        assert together.n_corrections_[label] == alone.n_corrections_[0]
        epochs.add(alone.n_iter_)
    assert len(epochs) == 3
    assert together.n_iter_ == max(epochs)


def test_labels_can_stop_early() -> None:
    X, Y = separable(3)
    model = mc.Perceptron(early_stopping=True, validation_fraction=0.3, n_iter_no_change=3).fit(X, Y)
    assert model.n_iter_ < 100
    assert (model.predict(X) == Y).mean() > 0.85


def test_float32_stays_float32() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    model = mc.Perceptron().fit(X.astype(np.float32), y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32


def separable(labels: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((120, 5))
    scores = X @ rng.standard_normal((5, labels)) + 0.2
    keep = np.abs(scores).min(axis=1) > 0.05
    return X[keep], (scores[keep] > 0).astype(int)


def test_labels_are_learnt_side_by_side_as_one_by_one() -> None:
    X, Y = separable(3)
    together = mc.Perceptron(tol=None, max_iter=300).fit(X, Y)
    assert together.predict(X).tolist() == Y.tolist()
    assert together.multilabel_
    for label in range(3):
        alone = mc.Perceptron(tol=None, max_iter=300).fit(X, Y[:, label])
        np.testing.assert_array_equal(alone.coef_[0], together.coef_[label])


def test_weights_of_labels() -> None:
    X, Y = separable(2)
    plain = mc.Perceptron(shuffle=False, tol=None, max_iter=2).fit(X, Y)
    named = mc.Perceptron(shuffle=False, tol=None, max_iter=2, class_weight={1: 3.0}).fit(X, Y)
    alone: Any = linear_model.Perceptron(shuffle=False, max_iter=2, class_weight={1: 3.0}).set_params(
        tol=None
    )
    np.testing.assert_array_equal(named.coef_[0], plain.coef_[0])
    np.testing.assert_array_equal(named.coef_[1], alone.fit(X, Y[:, 1]).coef_[0])
    balanced = mc.Perceptron(shuffle=False, tol=None, max_iter=2, class_weight="balanced")
    alone.set_params(class_weight="balanced")
    np.testing.assert_array_equal(balanced.fit(X, Y).coef_[0], alone.fit(X, Y[:, 0]).coef_[0])


@pytest.mark.parametrize("labels", [1, 2])
def test_epochs_by_partial_fit_are_those_of_fit(labels: int) -> None:
    X, Y = separable(labels)
    y = Y if labels > 1 else Y[:, 0]
    whole = mc.Perceptron(tol=None, max_iter=4).fit(X, y)
    step = mc.Perceptron()
    for _ in range(4):
        step.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(whole.coef_, step.coef_)
    assert step.t_ == whole.t_


def test_partial_fit_takes_rows_without_some_class() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    ours = mc.Perceptron(shuffle=False).partial_fit(X[:60], y[:60], classes=[0, 1, 2])
    theirs = linear_model.Perceptron(shuffle=False).partial_fit(X[:60], y[:60], classes=[0, 1, 2])
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)


def test_warm_start_goes_on() -> None:
    X, Y = separable(1)
    model = mc.Perceptron(tol=None, max_iter=1, warm_start=True, shuffle=False)
    twice = model.fit(X, Y[:, 0]).fit(X, Y[:, 0])
    np.testing.assert_array_equal(
        twice.coef_, mc.Perceptron(tol=None, max_iter=2, shuffle=False).fit(X, Y[:, 0]).coef_
    )


def test_the_seed_chooses_the_order() -> None:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    fit = lambda seed: mc.Perceptron(tol=None, max_iter=3, random_state=seed).fit(X, y).coef_  # noqa: E731
    np.testing.assert_array_equal(fit(1), fit(1))
    assert (fit(1) != fit(2)).any()


def test_xor_ends_with_a_warning_and_half_the_answers_at_best() -> None:
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    with pytest.warns(ConvergenceWarning, match="the rows of 1 from the others: this is XOR;"):
        model = mc.Perceptron(max_iter=3).fit(X, [0, 1, 1, 0])
    assert model.score(X, [0, 1, 1, 0]) <= 0.75
    told = model.convergence(X, [0, 1, 1, 0])
    assert told.separation.verdicts == ("no plane divides the rows: this is XOR",)
    assert "none" in str(told)
    with pytest.warns(ConvergenceWarning, match="whether a plane can divide"):
        mc.Perceptron(max_iter=1).fit(np.arange(8.0).reshape(4, 2) ** 2, [0, 1, 0, 1])


@pytest.mark.parametrize("labels", [False, True])
@given(seed=st.integers(0, 2**16), shuffle=st.booleans())
@settings(max_examples=15, deadline=None)
def test_corrections_stay_below_the_bound_where_planes_divide(labels: bool, seed: int, shuffle: bool) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 3))
    scores = X @ rng.standard_normal((3, 2)) + rng.standard_normal(2)
    apart = np.abs(scores).min(axis=1) > 0.1
    X, y = X[apart], (scores[apart] > 0).astype(int)
    y = y if labels else y[:, 0]
    if len(np.unique(y)) < 2 or len(X) < 2:
        return
    model = mc.Perceptron(tol=None, max_iter=300, shuffle=shuffle, random_state=seed).fit(X, y)
    told = model.convergence(X, y)
    assert told.corrections.shape == (2 if labels else 1,)
    assert (told.corrections <= told.separation.bound).all()
    if model.score(X, y) == 1.0:
        assert set(told.separation.verdicts) == {"divides all rows"}


def test_corrections_are_counted_as_by_the_training_that_shows_them() -> None:
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([[0, 0], [0, 1], [0, 1], [1, 1]])
    shown = mc.nn.classic.train_perceptron(X, y)
    model = mc.Perceptron(tol=None, max_iter=50, shuffle=False).fit(X, y)
    np.testing.assert_array_equal(model.n_corrections_, shown.updates)
    np.testing.assert_array_equal(model.coef_.T, shown.ltu.weight)


def test_convergence_names_the_classes() -> None:
    X, numbers = datasets.load_iris(return_X_y=True)
    y = np.array(["a", "bb", "c"])[numbers]
    text = str(mc.Perceptron(max_iter=50, tol=None).fit(X, y).convergence(X, y))
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["a", "bb", "c"]
    assert "divides all rows" in text
    assert "no plane divides the rows" in text
    with pytest.raises(NotFittedError):
        mc.Perceptron().convergence(X, y)


def test_it_can_be_copied_and_pickled() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    model = mc.Perceptron(class_weight={0: 2.0}).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    copy: Any = clone(model)
    assert copy.get_params() == model.get_params()


def test_verbose_speaks_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    X, y = datasets.load_iris(return_X_y=True)
    with caplog.at_level(logging.INFO, logger="minicolumn"):
        mc.Perceptron(verbose=1, tol=None, max_iter=2).fit(X, y)
    assert len(caplog.records) == 2


def test_an_interrupt_is_raised_and_leaves_the_estimator_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = datasets.load_iris(return_X_y=True)
    model = mc.Perceptron(verbose=1, tol=None, max_iter=3, warm_start=True).fit(X, y)
    before = model.coef_.copy(), model.intercept_.copy(), model.t_

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(logging.getLogger("minicolumn"), "info", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    np.testing.assert_array_equal(model.coef_, before[0])
    np.testing.assert_array_equal(model.intercept_, before[1])
    assert model.t_ == before[2]


IRIS = datasets.load_iris(return_X_y=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": "elastic"}, "did you mean 'elasticnet'"),
        ({"alpha": -1}, "alpha: expected a number >= 0, got -1"),
        ({"l1_ratio": 2}, "l1_ratio: expected a number, 0 <= l1_ratio <= 1, got 2"),
        ({"max_iter": 0}, "max_iter: expected an integer >= 1, got 0"),
        ({"tol": -1.0}, "tol: expected a number >= 0, or None, got -1"),
        ({"eta0": 0.0}, "eta0: expected a number > 0, got 0"),
        (
            {"validation_fraction": 1.0},
            "validation_fraction: expected a number, 0 < validation_fraction < 1, got 1",
        ),
        ({"n_iter_no_change": 1.5}, "n_iter_no_change: expected an integer >= 1, got 1.5"),
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mc.Perceptron(**settings).fit(*IRIS)


def test_targets_that_do_not_fit_are_refused() -> None:
    X, y = IRIS
    with pytest.raises(DataError, match="one class"):
        mc.Perceptron().fit(X, np.zeros(len(X)))
    with pytest.raises(DataError, match="several columns of classes"):
        mc.Perceptron().fit(X, np.stack([y, y], axis=1))
    with pytest.raises(DataError, match="which `classes` does not list"):
        mc.Perceptron().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(DataError, match="first call to partial_fit"):
        mc.Perceptron().partial_fit(X, y)
    with pytest.raises(DataError, match="early_stopping must be False"):
        mc.Perceptron(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(DataError, match="needs all rows"):
        mc.Perceptron(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(DataError, match="another kind of target"):
        mc.Perceptron().fit(X, np.eye(3, dtype=int)[y]).partial_fit(X, y)
    with pytest.raises(DataError, match=r"the labels are 0 \.\. 2"):
        mc.Perceptron(class_weight={5: 1.0}).fit(X, np.eye(3, dtype=int)[y])
    with pytest.raises(ShapeError, match=r"expected \[3, 4\]"):
        mc.Perceptron().fit(X, y, coef_init=np.zeros(3))


def test_numbers_that_overflow_are_named() -> None:
    X = np.array([[1e308], [-1e308], [1e308], [-1e308]])
    with pytest.raises(DivergenceError, match="StandardScaler"):
        mc.Perceptron(eta0=1e10).fit(X, [0, 1, 1, 0])


def test_a_training_with_a_rule_of_its_own_is_not_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = LabeledRows(rng.standard_normal((40, 4)), np.ones((40, 3)), np.ones((40, 3)))
    trainer = an_epoch(PerceptronStep.of(3, 0.5), rows, np.zeros((4, 3)), np.zeros(3), "native")
    with pytest.raises(mc.DataError, match="a training with a learning rule or orders of its own"):
        trainer.save(tmp_path / "it.safetensors")
    assert not list(tmp_path.iterdir())
