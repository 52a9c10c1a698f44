"""scikit-learn as the oracle: from the same weights the same path, and from own weights the same quality."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import minicolumn as mc

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(
        tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7),
        reason="scikit-learn 1.6 has neither sample weights nor a loss for its networks: 1.7 is the oracle",
    ),
]

PAIRS = {
    "binary": (mc.MLPClassifier, MLPClassifier, {}),
    "multiclass": (mc.MLPClassifier, MLPClassifier, {}),
    "multilabel": (mc.MLPClassifier, MLPClassifier, {}),
    "numbers": (mc.MLPRegressor, MLPRegressor, {}),
    "two numbers": (mc.MLPRegressor, MLPRegressor, {}),
    "counts": (mc.MLPRegressor, MLPRegressor, {"loss": "poisson"}),
}
SGD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.01}
# scikit-learn's momentum holds the rate, ours does not: the paths part where the rate changes under momentum.
PLAIN: dict[str, Any] = {"solver": "sgd", "momentum": 0.0}
SOLVERS: dict[str, dict[str, Any]] = {
    "sgd": SGD,
    "plain sgd": PLAIN | {"learning_rate_init": 0.05},
    "heavy ball": SGD | {"nesterovs_momentum": False},
    "invscaling": PLAIN | {"learning_rate_init": 0.2, "learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": PLAIN
    | {"learning_rate_init": 0.05, "learning_rate": "adaptive", "tol": 0.03, "n_iter_no_change": 2},
    # scikit-learn's epsilon acts inside of Adam's corrections; one this small acts nowhere.
    "adam": {"solver": "adam", "learning_rate_init": 0.01, "epsilon": 1e-30},
}


def _same_start(kind: str, targets: Any, settings: dict[str, Any], epochs: int, weight: Any = None) -> Any:
    """Return both estimators after some epochs from the same weights."""
    X, y = targets[kind]
    Ours, Theirs, extra = PAIRS[kind]
    shared = {
        "hidden_layer_sizes": (6, 5), "activation": "tanh", "batch_size": 30, "shuffle": False, "alpha": 0.3,
        "warm_start": True, "n_iter_no_change": 1000,
    } | extra | settings  # fmt: skip
    # The loss of the first fit stays the one to beat, so it must not be lucky: it is that of a fixed seed.
    ours, theirs = (make(**shared, max_iter=1, random_state=0) for make in (Ours, Theirs))
    ours.set_params(dtype="float64").fit(X, y)
    theirs.fit(X, y)
    rng = np.random.default_rng(1)
    coefs = [0.3 * rng.standard_normal(w.shape) for w in theirs.coefs_]
    biases = [0.1 * rng.standard_normal(b.shape) for b in theirs.intercepts_]
    for model in (ours, theirs):
        model.coefs_, model.intercepts_ = [w.copy() for w in coefs], [b.copy() for b in biases]
        model.set_params(max_iter=epochs)
        model.fit(X, y, sample_weight=weight)
    return ours, theirs


# Hidden layers are drawn by their activation, the last one by the kind.
@pytest.mark.parametrize(
    ("kind", "activation"),
    [*((kind, "relu") for kind in PAIRS), ("multiclass", "logistic"), ("numbers", "logistic")],
)
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_the_first_weights_are_scikit_learns_to_the_bit(
    kind: str, activation: str, seed: int, targets: Any
) -> None:
    X, y = targets[kind]
    Ours, Theirs, extra = PAIRS[kind]
    shared = {"hidden_layer_sizes": (6, 5), "activation": activation, "random_state": seed, "max_iter": 1}
    still = shared | {"solver": "sgd", "learning_rate_init": 1e-300, "alpha": 0.0} | extra
    ours, theirs = Ours(**still, dtype="float64").fit(X, y), Theirs(**still).fit(X, y)
    for w, v in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_array_equal(w, v)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "numbers"])
def test_lbfgs_takes_scikit_learns_path_from_its_first_weights(kind: str, targets: Any) -> None:
    X, y = targets[kind]
    Ours, Theirs, extra = PAIRS[kind]
    shared = {
        "hidden_layer_sizes": (6, 5),
        "activation": "tanh",
        "random_state": 3,
        "max_iter": 15,
        "alpha": 0.3,
    }
    shared |= {"solver": "lbfgs"} | extra
    ours, theirs = Ours(**shared, dtype="float64").fit(X, y), Theirs(**shared).fit(X, y)
    # Fifteen line searches carry a rounding on: some hundred times as far as one step would.
    for w, v in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-6, atol=1e-8)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-10)


@pytest.mark.parametrize(
    ("kind", "solver"), [*((kind, "sgd") for kind in PAIRS), ("multilabel", "adam"), ("numbers", "adam")]
)
def test_the_same_path_from_the_same_weights(kind: str, solver: str, targets: Any) -> None:
    ours, theirs = _same_start(kind, targets, SOLVERS[solver], epochs=6)
    # Some hundred float64 operations in another order, and Adam's division by small moments.
    for w, v in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-7, atol=1e-9)
    if kind != "two numbers":  # where scikit-learn reports another loss than it descends
        np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-8)
    X = targets[kind][0]
    np.testing.assert_array_equal(
        *((m.predict(X) if hasattr(m, "classes_") else m.predict(X).round(6)) for m in (ours, theirs))
    )
    assert ours.out_activation_ == theirs.out_activation_
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_takes_the_same_path(solver: str, targets: Any) -> None:
    uneven = {"batch_size": 25} if solver == "adam" else {}  # of 90 rows, so the last batch is a shorter one
    ours, theirs = _same_start("multiclass", targets, SOLVERS[solver] | uneven, epochs=12)
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-7)
    assert ours._no_improvement_count == theirs._no_improvement_count


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "numbers"])
def test_sample_weights_act_as_in_scikit_learn(kind: str, targets: Any) -> None:
    weight = np.random.default_rng(0).uniform(0.1, 3.0, len(targets[kind][0]))
    uneven = SOLVERS["sgd"] | {"batch_size": 25}  # the last batch is a shorter one
    ours, theirs = _same_start(kind, targets, uneven, epochs=4, weight=weight)
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-9)
    for w, v in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "numbers", "counts"])
def test_lbfgs_finds_the_same_minimum(kind: str, targets: Any) -> None:
    """A network without hidden units has one minimum; both must come to it."""
    X, y = targets[kind]
    Ours, Theirs, extra = PAIRS[kind]
    settings = {"hidden_layer_sizes": (1,), "activation": "identity", "solver": "lbfgs", "tol": 1e-9}
    settings |= {"alpha": 0.5, "max_iter": 2000, "random_state": 0, "hidden_layer_sizes": (5,)} | extra
    ours, theirs = Ours(**settings, dtype="float64").fit(X, y), Theirs(**settings).fit(X, y)
    # The linear network's product of weights is convex enough: every minimum is as low.
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-5)


def test_adaptive_lowers_the_rate_until_it_is_too_small() -> None:
    X, y = [[3, 2], [1, 6]], [1, 0]
    settings: dict[str, Any] = {"tol": 0.5, "max_iter": 3000, "solver": "sgd", "learning_rate": "adaptive"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # it ends by itself
        ours, theirs = mc.MLPClassifier(**settings).fit(X, y), MLPClassifier(**settings).fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_
    rates = ours.history_["learning_rate"]
    assert rates[-1] < 1e-6
    np.testing.assert_allclose(
        np.unique(rates)[::-1], 1e-3 / 5.0 ** np.arange(len(np.unique(rates))), rtol=1e-6
    )


def test_invscaling_counts_rows_over_fits() -> None:
    X, y = [[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0]
    settings: dict[str, Any] = {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "power_t": 0.25,
        "max_iter": 3,
    }
    model = mc.MLPClassifier(**settings, warm_start=True).fit(X, y).fit(X, y)
    # A fit starts at the rate itself; from then on all rows ever seen count.
    expected = 1e-3 * np.array([1, 5**-0.25, 9**-0.25, 1, 17**-0.25, 21**-0.25])
    np.testing.assert_allclose(model.history_["learning_rate"], expected, rtol=1e-6)


@pytest.mark.parametrize(("solver", "rate"), [("adam", 0.01), ("sgd", 0.1), ("lbfgs", 0.01)])
@pytest.mark.parametrize("load", [load_iris, load_digits], ids=["iris", "digits"])
def test_the_same_quality(load: Any, solver: str, rate: float) -> None:
    X, y = load(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    scaler = StandardScaler().fit(X)
    settings: dict[str, Any] = {"solver": solver, "learning_rate_init": rate, "max_iter": 60}
    scores = []
    for Model in (mc.MLPClassifier, MLPClassifier):
        model = Model(hidden_layer_sizes=(30,), random_state=0, **settings).fit(scaler.transform(X), y)
        scores.append(model.score(scaler.transform(X_test), y_test))
    # 38 and 450 test rows: two trainings of one kind differ by two rows of the 38.
    assert scores[0] > scores[1] - 0.06
    assert scores[0] > 0.9


def test_early_stopping_keeps_the_weights_of_the_best_score(targets: Any) -> None:
    X, y = targets["multiclass"]
    model = mc.MLPClassifier(
        (20,), early_stopping=True, validation_fraction=0.3, learning_rate_init=0.05, random_state=1,
        max_iter=100, n_iter_no_change=8,
    ).fit(X, y)  # fmt: skip
    scores = model.validation_scores_
    assert scores is not None
    assert model.validation_loss_curve_ is not None
    assert model.best_validation_score_ == max(scores)
    assert model.best_loss_ is None
    assert len(scores) == len(model.loss_curve_) == len(model.validation_loss_curve_) == model.n_iter_
    # No gain for more than n_iter_no_change epochs ended it.
    assert max(scores[:-9]) + 1e-4 > max(scores[-9:])
