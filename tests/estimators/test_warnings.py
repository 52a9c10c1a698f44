"""Warnings of the estimators: once for each fit, at the user's line, of what float32 cannot tell apart."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import minicolumn as mc

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
Y = (X[:, 0] > 0).astype(int)


def _said(action: Callable[[], Any]) -> list[Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return caught


def _classifier(**settings: Any) -> mc.MLPClassifier:
    return mc.MLPClassifier(**({"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0} | settings))


@pytest.mark.parametrize(
    "action",
    [
        lambda: _classifier().fit(X, Y),
        lambda: _classifier(n_restarts=3).fit(X, Y),
        lambda: _classifier(n_restarts=3, solver="lbfgs").fit(X, Y),
        lambda: _classifier(solver="sgd", learning_rate_init=1e30, n_restarts=2).fit(X, Y),
        lambda: make_pipeline(_classifier()).fit(X, Y),
        lambda: mc.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(X, X[:, 0]),
        lambda: mc.Perceptron(max_iter=2).fit(X, RNG.permutation(Y)),
    ],
)
def test_a_fit_gives_one_convergence_warning_at_the_users_line(action: Callable[[], Any]) -> None:
    caught = _said(action)
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert caught[0].filename == __file__
    assert caught[0].lineno == inspect.getsourcelines(action)[1]


def test_in_a_cross_validation_it_points_at_its_line() -> None:
    caught = _said(lambda: cross_val_score(_classifier(), X, Y, cv=3))
    assert [(w.category, w.filename) for w in caught] == 3 * [(ConvergenceWarning, __file__)]


def test_early_stopping_without_held_out_rows_warns_at_the_users_line() -> None:
    net = mc.nn.Dense(2)
    caught = _said(lambda: mc.fit(net, X, Y, epochs=1, callbacks=["early_stopping"]))
    assert [w.filename for w in caught] == [__file__]


COLUMNS = {
    "1e8 + small": (1e8 + X[:, 0], True),
    "a second in nanoseconds since 1970": (1.7e18 + 1e9 * np.arange(60), True),
    "-1e8 + small": (-1e8 + X[:, 0], True),
    "1e5 + small": (1e5 + X[:, 0], False),
    "a day in nanoseconds since 1970": (1.7e18 + 86_400e9 * np.arange(60), False),
    "constant": (np.full(60, 1e8 + 0.1), False),
    "two numbers": (1e8 + 8.0 * Y, False),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_that_float32_cannot_resolve_are_said(column: str) -> None:
    values, coarse = COLUMNS[column]
    data = values[:, None]
    said = [w for w in _said(lambda: _classifier().fit(data, Y)) if w.category is mc.DataWarning]
    assert bool(said) == coarse
    for warning in said:
        assert warning.filename == __file__
        assert "float32 cannot tell the values of X apart in column 0 (60 different values become " in str(
            warning.message
        )
    for quiet in (
        lambda: _classifier(dtype="float64").fit(data, Y),
        lambda: _classifier().fit(data.astype("f4"), Y),
    ):
        assert not [w for w in _said(quiet) if w.category is mc.DataWarning]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_names_and_sparse_columns() -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"a": 1e8 + X[:, 0], "b": 2e8 + X[:, 1]})
    with pytest.warns(mc.DataWarning, match=r"apart in 'a' \(60 .*'b' \(60 "):
        _classifier().fit(table, Y)
    dense: Any = sparse.csr_array(1e8 + X)  # no zero in it
    with pytest.warns(mc.DataWarning, match="column 0"):
        _classifier().fit(dense, Y)
