"""TopologySearchCV: scikit-learn's checks, what is tried, the winner, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import minicolumn as mc
from minicolumn.tune.search_cv import PARAMETERS, SPACE, TopologySearchCV

X, Y = load_iris(return_X_y=True)
QUICK: dict[str, Any] = {"solver": "lbfgs", "max_iter": 20, "random_state": 0}
# A few iterations are no convergence, and need not be.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FIXED = {"layers": 1, "width": (4, 8)}


def _search(space: Any = FIXED, estimator: Any = None, **said: Any) -> TopologySearchCV:
    given = {"strategy": "grid", "cv": 2, "random_state": 0} | said
    return TopologySearchCV(estimator or mc.MLPClassifier(**QUICK), space, **given)


# Checks that a search of either kind has, in which the kind of the target has a part.
OF_TARGETS = (
    "check_supervised_y_2d",
    "check_fit_score_takes_y",
    "check_fit_idempotent",
    "check_dtype_object",
)


def _checks() -> list[Any]:
    """Return all checks of a search of classifiers, and those that a search of regressors may fail alone."""
    found = []
    seen: set[str] = set()
    for search in (_search(n_trials=1), _search(estimator=mc.MLPRegressor(**QUICK), n_trials=1)):
        kind = type(search.estimator).__name__
        pairs: list[Any] = list(estimator_checks_generator(search))
        own = [(check, check.func.__name__) for _, check in pairs]
        new = [(check, name) for check, name in own if name not in seen or name in OF_TARGETS]
        found += [pytest.param(search, check, id=f"{kind}-{name}-{k}") for k, (check, name) in enumerate(new)]
        seen |= {name for _, name in own}
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), _checks())
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_grid_is_tried_and_the_winner_fitted() -> None:
    search = _search({"layers": (1, 2), "width": (2, 16), "shape": "constant"}, winner="best").fit(X, Y)
    tried = [params["hidden_layer_sizes"] for params in search.cv_results_["params"]]
    assert tried == [(2,), (16,), (2, 2), (16, 16)]
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert search.best_estimator_.coefs_[0].shape[1] == search.best_params_["hidden_layer_sizes"][0]
    assert search.predict(X[:3]).shape == (3,)
    assert search.predict_proba(X[:3]).shape == (3, 3)
    assert float(search.score(X, Y)) > 0.9  # type: ignore[arg-type]
    assert list(search.classes_) == [0, 1, 2]


def test_its_results_are_those_of_a_grid_search() -> None:
    """The same candidates, folds and seeds: the same scores."""
    found = _search(FIXED).fit(X, Y).cv_results_
    grid = {"hidden_layer_sizes": [(4,), (8,)]}
    expected = GridSearchCV(mc.MLPClassifier(**QUICK), grid, cv=2).fit(X, Y).cv_results_
    np.testing.assert_array_equal(found["mean_test_score"], expected["mean_test_score"])


def test_the_smallest_within_one_standard_error_wins_unless_told_otherwise() -> None:
    space = {"layers": 1, "width": (4, 64), "activation": "relu"}
    smallest, best = (_search(space, winner=rule, cv=4).fit(X, Y) for rule in ("smallest", "best"))
    np.testing.assert_array_equal(
        smallest.cv_results_["mean_test_score"], best.cv_results_["mean_test_score"]
    )
    assert smallest.best_params_["hidden_layer_sizes"] <= best.best_params_["hidden_layer_sizes"]


@pytest.mark.parametrize("strategy", ["course", "random", "tpe"])
def test_every_strategy_tries_as_many_as_it_may(strategy: str) -> None:
    space = {"layers": "1-2", "width": "2-8", "learning_rate": "1e-3..1e-1", "dropout": "0..0.2"}
    search = _search(space, mc.MLPClassifier(max_iter=2, random_state=0), strategy=strategy, n_trials=5)
    search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 5
    assert {"hidden_layer_sizes", "learning_rate_init", "dropout"} == set(search.best_params_)
    assert bool(search.story_) == (strategy == "course")


def test_the_same_seed_tries_the_same() -> None:
    one, other = (_search(None, strategy="random", n_trials=2).fit(X[:60], Y[:60]) for _ in range(2))
    assert one.cv_results_["params"] == other.cv_results_["params"]


def test_without_a_space_topology_and_rates_are_searched() -> None:
    search = _search(None, strategy="random", n_trials=2, estimator=mc.MLPRegressor(**QUICK)).fit(X, Y)
    assert set(search.best_params_) == {"hidden_layer_sizes", "activation", "alpha"}  # lbfgs has no rate
    search = _search(None, mc.MLPRegressor(max_iter=1), strategy="random", n_trials=1).fit(X, Y)
    assert set(search.best_params_) == {
        "hidden_layer_sizes", "activation", "dropout", "learning_rate_init", "alpha",
    }  # fmt: skip
    assert set(PARAMETERS) | {"layers", "width", "shape"} >= set(SPACE.said())


def test_a_time_ends_it() -> None:
    search = _search({"layers": 1, "width": tuple(range(1, 400))}, n_trials=None, time=0.1).fit(X, Y)
    assert 1 <= len(search.cv_results_["params"]) < 399


def test_candidates_that_fail_have_no_score_and_do_not_win() -> None:
    """Two layers want two rates of dropout."""
    net = mc.MLPClassifier(max_iter=3, random_state=0, dropout=[0.1])
    search = _search({"layers": (1, 2), "width": 4, "shape": "constant"}, net)
    with pytest.warns(FitFailedWarning):
        search.fit(X, Y)
    assert [params["hidden_layer_sizes"] for params in search.cv_results_["params"]] == [(4,)]
    assert search.best_params_["hidden_layer_sizes"] == (4,)
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="dropout holds 1 entries"):
        _search({"layers": 2, "width": (4, 8), "shape": "constant"}, net).fit(X, Y)


def test_it_is_cloned_and_stands_in_pipelines() -> None:
    search: Any = clone(_search())
    assert search.get_params()["estimator__solver"] == "lbfgs"
    assert make_pipeline(StandardScaler(), search).fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (_search({"ramps": True}), "ramps is no parameter of the estimators"),
        (_search({"widht": 3}), "a space has no part 'widht'"),
        (_search(estimator=mc.MLPClassifier(n_layers=2)), "n_layers of the estimator: say it in the space"),
        (_search({"learning_rate": "1e-3..1e-1"}), "grid: learning_rate goes from"),
        (_search(time="soon"), "time"),
    ],
)
def test_what_cannot_be_searched_is_one_line(search: TopologySearchCV, message: str) -> None:
    with pytest.raises(mc.DataError, match=message):
        search.fit(X, Y)


# The estimators' own plain numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ({"n_layers": 2}, (100, 100)),
        ({"width": 8}, (8,)),
        ({"n_layers": 3, "width": 16, "shape": "funnel"}, (16, 8, 4)),
        ({"n_layers": 3, "width": 24, "shape": "pyramid"}, (24, 16, 8)),
        ({"shape": "funnel"}, (100,)),
        ({}, (100,)),
    ],
)
def test_layers_follow_from_plain_numbers(said: dict[str, Any], hidden: tuple[int, ...]) -> None:
    model = mc.MLPRegressor(max_iter=1, solver="lbfgs", random_state=0, **said)
    model.fit(X, Y)
    assert tuple(len(b) for b in model.intercepts_[:-1]) == hidden


def test_plain_numbers_are_searched_by_a_grid() -> None:
    grid = {"n_layers": [1, 2], "width": [2, 4], "shape": ["constant", "funnel"]}
    search = GridSearchCV(mc.MLPClassifier(**QUICK), grid, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 8


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"n_layers": 2, "hidden_layer_sizes": (8,)}, r"hidden_layer_sizes=\[8\] and n_layers both say"),
        ({"width": 2, "shape": "funnel", "hidden_layer_sizes": 5}, "width and shape both say"),
        ({"n_layers": 0}, "n_layers"),
        ({"width": 2.5}, "width"),
        ({"shape": "funel"}, "did you mean 'funnel'"),
    ],
)
def test_a_topology_is_said_once_and_rightly(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mc.MLPClassifier(**said).fit(X, Y)
