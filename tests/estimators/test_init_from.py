"""`init_from`: estimators that begin with the hidden layers of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

import minicolumn as mc
from minicolumn.estimators.init_from import begun_with
from minicolumn.estimators.network import build_network, draw_weights
from minicolumn.nn import Sequential

DIGITS: Any = load_digits()
X = (DIGITS.images / 16).reshape(-1, 64).astype(np.float32)
ODD = DIGITS.target % 2
HIDDEN = (128, 64)


@pytest.fixture(scope="module")
def source() -> mc.Model:
    return mc.zoo.load("digits")


def begun(source: mc.Model | Path | str, **said: Any) -> mc.MLPClassifier:
    return mc.MLPClassifier(HIDDEN, init_from=source, random_state=0, **said)


def test_before_the_first_step_hidden_values_are_those_of_the_network(source: mc.Model) -> None:
    network = build_network(HIDDEN, "relu", 1)
    params = begun_with(network, draw_weights(network, 64, 0, "float32"), source)
    found = Sequential(*network.layers[:-1]).apply(params, X)
    old = Sequential(*source.network.layers[:-1]).apply(source.params, X.reshape(-1, 8, 8))  # type: ignore[attr-defined]
    assert np.array_equal(np.asarray(found), np.asarray(old))


@pytest.mark.parametrize("form", ["standard", "ntk"])
def test_a_layer_in_another_form_computes_the_same(form: str) -> None:
    dense = mc.nn.Dense(8, "tanh", parametrization=form, bias_rate=0.1)
    net = mc.nn.Sequential(dense, mc.nn.Dense(2))
    model = mc.Model(net, net.init(3, (4,)), (4,), "softmax_cross_entropy")
    model.params["0"]["bias"] += 0.5
    network = build_network((8,), "tanh", 3)
    params = begun_with(network, draw_weights(network, 4, 0, "float32"), model)
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    found = network.layers[0].apply(params["0"], rows)
    # A division and a product in float32 more, each to half an ulp of numbers up to 3.
    np.testing.assert_allclose(found, dense.apply(model.params["0"], rows), rtol=0, atol=1e-6)


def test_it_learns_with_few_rows_what_random_weights_do_not(source: mc.Model) -> None:
    rows, rest = slice(0, 60), slice(1400, None)
    said: dict[str, Any] = {"max_iter": 20, "random_state": 0}
    with pytest.warns(Warning, match="Maximum iterations"):
        scores = [
            mc.MLPClassifier(HIDDEN, init_from=model, **said)
            .fit(X[rows], ODD[rows])
            .score(X[rest], ODD[rest])
            for model in (source, None)
        ]
    assert scores[0] > scores[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_seed_clone_path_and_warm_start(source: mc.Model, tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    source.save(path)
    fits = [begun(model, max_iter=2).fit(X, ODD) for model in (source, path, str(path))]
    again: Any = clone(fits[0])
    fits.append(again.fit(X, ODD))
    assert len({fit.coefs_[0].tobytes() for fit in fits}) == 1
    assert not np.array_equal(
        mc.MLPClassifier(HIDDEN, max_iter=2, random_state=0).fit(X, ODD).coefs_[0], fits[0].coefs_[0]
    )
    warm = begun(source, max_iter=2, warm_start=True).fit(X, ODD)
    first = warm.coefs_[0].copy()
    assert not np.array_equal(warm.fit(X, ODD).coefs_[0], first)
    fits[1].save(tmp_path / "odd.safetensors")
    path.unlink()
    loaded = mc.MLPClassifier.load(tmp_path / "odd.safetensors")
    assert loaded.init_from is None
    assert np.array_equal(loaded.predict(X), fits[1].predict(X))
    number = mc.MLPRegressor(hidden_layer_sizes=HIDDEN, init_from=source, max_iter=2).fit(X, ODD)
    assert number.coefs_[-1].shape == (64, 1)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"hidden_layer_sizes": (8,)},
            r"ask for hidden_layer_sizes=\(128, 64\) and activation=\['relu', 'relu'\]",
        ),
        ({"activation": "tanh"}, "of other units or activations"),
        ({"init_from": "no.safetensors"}, "cannot open"),
        ({"init_from": 3}, "init_from"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(source: mc.Model, said: dict[str, Any], message: str) -> None:
    given = {"hidden_layer_sizes": HIDDEN, "init_from": source, **said}
    with pytest.raises(ValueError, match=message):
        mc.MLPClassifier(**given).fit(X, ODD)
    with pytest.raises(ValueError, match="takes 64 features a row, and X has 10"):
        mc.MLPClassifier(HIDDEN, init_from=source).fit(X[:, :10], ODD)
    with pytest.raises(ValueError, match="has a PiecewiseDense"):
        mc.MLPClassifier(HIDDEN, init_from=mc.zoo.load("penguins")).fit(X, ODD)


def _linear() -> mc.Model:
    """Return a network without hidden layers: it fits rows of any width."""
    return mc.Model(mc.nn.Dense(1), {"weight": np.ones((1, 1)), "bias": np.ones(1)}, (1,), "squared_error")


@parametrize_with_checks([mc.MLPClassifier((), init_from=_linear(), solver="lbfgs", random_state=0)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_checks_hold(estimator: Any, check: Any) -> None:
    check(estimator)
