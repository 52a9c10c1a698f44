"""Estimators of several networks: their mean is one network, and the rest means what it means for one."""

from __future__ import annotations

import functools
import pickle
import signal
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.base
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import minicolumn as mc
from minicolumn.estimators import members
from minicolumn.estimators.holdout import held_in_turn
from minicolumn.estimators.training import NothingLearnt
from minicolumn.train.side_by_side import Progress, do_side_by_side

Array = np.ndarray
KINDS = ["binary", "multiclass", "multilabel", "numbers", "two numbers", "counts"]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WIDE: dict[str, Any] = {"members": 2, "dtype": "float64", "max_iter": 100}


@pytest.mark.filterwarnings("default")
@parametrize_with_checks([mc.MLPClassifier((30,), **WIDE), mc.MLPRegressor(hidden_layer_sizes=(30,), **WIDE)])
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)


def clone(model: Any) -> Any:
    return sklearn.base.clone(model)


def _model(kind: str, count: int = 3, **settings: Any) -> Any:
    loss: dict[str, Any] = {"loss": "poisson"} if kind == "counts" else {}
    Model: Any = mc.MLPClassifier if kind in ("binary", "multiclass", "multilabel") else mc.MLPRegressor
    quick: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 3, "members": count}
    return Model(**(quick | loss | settings))


def _bits(model: Any) -> list[bytes]:
    each = getattr(model, "estimators_", [model])
    return [w.tobytes() for one in each for w in (*one.coefs_, *one.intercepts_)]


# The mean of networks that are as if each were trained alone ------------------------------------------------


@quiet
@pytest.mark.parametrize("kind", KINDS)
def test_each_member_is_the_network_of_its_seed_and_the_whole_is_their_mean(kind: str, targets: Any) -> None:
    X, y = targets[kind]
    model = _model(kind).fit(X, y)
    alone = [_model(kind, 1, random_state=one.random_state).fit(X, y) for one in model.estimators_]
    assert [_bits(one) for one in alone] == [_bits(one) for one in model.estimators_]
    assert alone[0].random_state == model.random_state
    assert len({one.random_state for one in alone}) == 3
    # A mean of three float32 in one order or another, through a logarithm and back of probabilities.
    close: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}
    if hasattr(model, "classes_"):
        mean = np.mean([one.predict_proba(X) for one in alone], axis=0)
        np.testing.assert_allclose(model.predict_proba(X), mean, **close)
        picked = (
            model.predict_proba(X) > 0.5 if kind == "multilabel" else model.predict_proba(X).argmax(axis=1)
        )
        np.testing.assert_array_equal(
            model.predict(X), picked if kind == "multilabel" else model.classes_[picked]
        )
    else:
        np.testing.assert_allclose(
            model.predict(X), np.mean([one.predict(X) for one in alone], axis=0), **close
        )
    assert model.to_model().members == 3


@quiet
@pytest.mark.parametrize("loss", ["quantile:levels=0.1+0.5+0.9", "gaussian_nll"])
def test_distributions_are_averaged_as_such(loss: str, wave: Any) -> None:
    X, y = wave
    model = _model("numbers", loss=loss).fit(X, y)
    if loss == "gaussian_nll":
        each = [one.predict(X, return_std=True) for one in model.estimators_]
        mean, spread = model.predict(X, return_std=True)
        means = np.stack([m for m, _ in each])
        second = np.mean([m**2 + s**2 for m, s in each], axis=0)
        np.testing.assert_allclose(mean, means.mean(axis=0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(spread**2, second - means.mean(axis=0) ** 2, rtol=1e-3)
    else:
        each = [one.predict_quantiles(X) for one in model.estimators_]
        np.testing.assert_allclose(model.predict_quantiles(X), np.mean(each, axis=0), rtol=1e-4, atol=1e-5)
        assert (np.diff(model.predict_quantiles(X), axis=1) >= 0).all()


@quiet
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_bits_do_not_depend_on_the_threads(solver: str, targets: Any) -> None:
    X, y = targets["multiclass"]
    settings = {"solver": solver, "early_stopping": solver == "adam", "validation_fraction": 0.3}
    fits = [_model("multiclass", 4, threads=threads, **settings).fit(X, y) for threads in (1, 2, 7, None)]
    assert all(_bits(one) == _bits(fits[0]) for one in fits[1:])
    assert all((one.predict_proba(X) == fits[0].predict_proba(X)).all() for one in fits[1:])


@quiet
def test_one_member_is_what_it_was(targets: Any) -> None:
    X, y = targets["numbers"]
    one = _model("numbers", 1, early_stopping=True).fit(X, y)
    assert not hasattr(one, "estimators_")
    assert not hasattr(one, "oob_score_")
    assert one.coefs_[0].shape == (2, 6)


def test_what_only_one_network_has_is_said(targets: Any) -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'coefs_'$"):
        _ = _model("numbers").coefs_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _model("numbers").fit(*targets["numbers"])
    for name in members.OF_ONE_NETWORK[:-3]:
        assert hasattr(model.estimators_[1], name)
        with pytest.raises(AttributeError, match=rf"averages 3 networks.*estimators_\[0\].{name}"):
            getattr(model, name)
    assert len(model.history_) == model.n_iter_ == 5
    means = [np.mean([one.loss_curve_[epoch] for one in model.estimators_]) for epoch in range(5)]
    np.testing.assert_allclose(model.history_["loss"], means, rtol=0.05)  # without the penalty


# Going on ---------------------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("kind", ["multilabel", "numbers"])
def test_partial_fits_are_epochs_of_one_fit(kind: str, targets: Any) -> None:
    X, y = targets[kind]
    whole, model = _model(kind).fit(X, y), _model(kind)
    classes = {"classes": np.arange(3)} if kind == "multilabel" else {}
    for _ in range(5):
        model.partial_fit(X, y, **classes)
    assert _bits(model) == _bits(whole)


@quiet
def test_a_warm_start_goes_on_with_each_member(targets: Any) -> None:
    X, y = targets["multiclass"]
    model = _model("multiclass", warm_start=True).fit(X, y)
    alone = _model("multiclass", 1, warm_start=True, random_state=model.estimators_[2].random_state)
    alone.fit(X, y).fit(X, y)
    before = _bits(model)
    assert _bits(model.fit(X, y).estimators_[2]) == _bits(alone)
    with pytest.raises(mc.DataError, match="fit before was of 3, now members=2"):
        model.set_params(members=2).fit(X, y)
    with pytest.raises(mc.DataError, match="same classes"):
        model.set_params(members=3).fit(X[:60], np.where(y[:60] == 12, 10, y[:60]))
    assert _bits(model) != before
    assert (model.predict_proba(X) == clone(model).fit(X, y).fit(X, y).predict_proba(X)).all()
    assert model.set_params(warm_start=False, members=1).fit(X, y).coefs_
    assert not hasattr(model, "estimators_")


# Rows held out in turn --------------------------------------------------------------------------------------


def test_rows_are_held_out_in_turn_and_classes_evenly() -> None:
    rng = np.random.default_rng(0)
    for rows, fraction, count in ((100, 0.1, 10), (97, 0.25, 6), (40, 0.3, 3), (7, 0.3, 1)):
        strata = rng.integers(0, 3, rows)
        held = held_in_turn(rows, fraction, count, 1, strata, "validation_fraction")
        assert {len(each) for each in held} == {int(np.ceil(fraction * rows))}
        times = np.bincount(np.concatenate(held), minlength=rows)
        assert times.max() - times.min() <= 1
        for each in held:
            share = len(each) / rows
            counts = np.bincount(strata[each], minlength=3) - share * np.bincount(strata, minlength=3)
            assert np.abs(counts).max() < 2  # a stretch of a circle has a class's share but for its two ends
    with pytest.raises(mc.DataError, match="validation set is too small"):
        held_in_turn(9, 0.1, 3, 0, None, "validation_fraction")


@quiet
@pytest.mark.parametrize("kind", ["binary", "multilabel", "two numbers"])
def test_out_of_bag_predictions_are_of_the_members_that_have_not_seen_the_row(
    kind: str, targets: Any
) -> None:
    X, y = targets[kind]
    weight = np.where(np.arange(len(X)) % 9, 1.0, 0.0)  # rows of weight 0 are left out, and keep their place
    model = _model(kind, 3, early_stopping=True, validation_fraction=0.4).fit(X, y, sample_weight=weight)
    found = getattr(model, "oob_decision_function_", None)
    found = model.oob_prediction_ if found is None else found
    absent = np.isnan(found).reshape(len(X), -1).all(axis=1)
    assert (absent == (weight == 0)).all()  # three times 0.4 are more than all
    each = [one.predict_proba(X) if hasattr(one, "classes_") else one.predict(X) for one in model.estimators_]
    for row in np.flatnonzero(~absent)[:20]:
        pairs = [np.mean([each[i][row], each[j][row]], axis=0) for i in range(3) for j in range(i, 3)]
        assert min(np.abs(pair - found[row]).max() for pair in pairs) < 1e-5
    seen = ~absent
    if kind == "binary":
        right = model.classes_[found[seen].argmax(axis=1)] == y[seen]
        assert model.oob_score_ == pytest.approx(right.mean())
    assert found.shape == (model.predict(X) if kind == "two numbers" else model.predict_proba(X)).shape


@quiet
def test_validation_rows_of_ones_own_are_everybodys(targets: Any) -> None:
    X, y = targets["multiclass"]
    model = _model("multiclass", 2).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    alone = _model("multiclass", 1, random_state=model.estimators_[1].random_state)
    alone.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert model.estimators_[1].validation_scores_ == alone.validation_scores_
    assert not hasattr(model, "oob_score_")


@quiet
def test_one_temperature_for_all_by_what_each_held_out(targets: Any) -> None:
    X, y = targets["multiclass"]
    settings: dict[str, Any] = {"early_stopping": True, "validation_fraction": 0.4, "max_iter": 60}
    plain = _model("multiclass", **settings).fit(X, y)
    model = _model("multiclass", calibrate=True, **settings).fit(X, y)
    for one, before in zip(model.estimators_, plain.estimators_, strict=True):
        np.testing.assert_allclose(
            one.coefs_[-1] * model.temperature_, before.coefs_[-1], rtol=1e-5, atol=1e-7
        )
        assert not hasattr(one, "temperature_")
    assert model.temperature_ != pytest.approx(1.0, abs=1e-3)


@quiet
@pytest.mark.parametrize("settings", [{"early_stopping": True}, {"conformal_fraction": 0.3}, {}], ids=str)
def test_intervals_cover_what_they_say(settings: dict[str, Any], wave: Any) -> None:
    rng = np.random.default_rng(1)
    X = rng.uniform(-2.0, 2.0, (1000, 2))
    y = np.sin(2.0 * X[:, 0]) + 0.3 * rng.standard_normal(1000)
    shared = {"validation_fraction": 0.25, "max_iter": 40, "learning_rate_init": 0.01}
    model = _model("numbers", 4, **shared, **settings).fit(X[:600], y[:600])
    if not settings:
        with pytest.raises(mc.DataError, match="no rows were held out"):
            model.predict_interval(X)
        return
    assert len(model.held_outputs_) == (180 if "conformal_fraction" in settings else 600)
    low, high = model.predict_interval(X[600:], 0.8).T
    # 400 rows by chance: a deviation of 0.02, and as much again from the quantile of 180 to 600 rows.
    assert np.mean((low <= y[600:]) & (y[600:] <= high)) == pytest.approx(0.8, abs=4 * 0.03)


# Files ------------------------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("kind", KINDS)
def test_files_pickles_and_clones(kind: str, targets: Any, tmp_path: Path) -> None:
    X, y = targets[kind]
    calibrate = {"calibrate": True} if kind in ("binary", "multiclass", "multilabel") else {}
    model = _model(kind, early_stopping=True, validation_fraction=0.3, **calibrate).fit(X, y)
    model.save(tmp_path / "it.safetensors")
    for found in (type(model).load(tmp_path / "it.safetensors"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(found.predict(X), model.predict(X), strict=True)
        assert _bits(found) == _bits(model)
        for name in ("oob_score_", "loss_", "n_iter_", "n_layers_"):
            assert getattr(found, name) == getattr(model, name), name
        for one, other in zip(found.estimators_, model.estimators_, strict=True):
            assert vars(one).keys() == vars(other).keys()
            assert one.loss_curve_ == other.loss_curve_
            assert one.history_.rows == other.history_.rows
        if "two" not in kind:
            assert found.score(X, y) == model.score(X, y)
    plain: Any = mc.load(tmp_path / "it.safetensors")
    # Stacked into one network of batched products, which add in another order.
    close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-6}
    if kind in ("binary", "multiclass", "multilabel"):
        np.testing.assert_allclose(plain.predict_proba(X), model.predict_proba(X), **close)
        assert np.mean(plain.predict(X) == model.predict(X)) > 0.99
    else:
        np.testing.assert_allclose(plain.predict(X), model.predict(X), **close)
    assert clone(model).members == 3
    assert not hasattr(clone(model), "estimators_")


# What goes wrong --------------------------------------------------------------------------------------------


def _diverging(monkeypatch: pytest.MonkeyPatch, which: set[int]) -> None:
    """Let some members, counted by their seeds, fail as a training that diverges at once does."""
    inner, seen = members.fit_one, []

    def fit_one(member: Any, *rest: Any) -> Any:
        seen.append(member.random_state)
        if any(member.random_state == seed for seed in which):
            raise NothingLearnt("the loss is inf")
        return inner(member, *rest)

    monkeypatch.setattr(members, "fit_one", fit_one)


def test_members_that_diverge_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch, targets: Any) -> None:
    X, y = targets["numbers"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        seeds = [one.random_state for one in _model("numbers").fit(X, y).estimators_]
    _diverging(monkeypatch, {seeds[1]})
    model = _model("numbers", n_iter_no_change=2, tol=10.0, max_iter=50)
    with pytest.warns(ConvergenceWarning, match="1 of 3 networks diverged and are left out: the loss is inf"):
        model.fit(X, y)
    assert [one.random_state for one in model.estimators_] == [seeds[0], seeds[2]]
    assert np.isfinite(model.predict(X)).all()
    _diverging(monkeypatch, set(seeds))
    with pytest.raises(NothingLearnt, match="the loss is inf"):
        model.fit(X, y)
    assert len(model.estimators_) == 2  # as it was before


def test_an_interrupt_keeps_what_was_learnt(monkeypatch: pytest.MonkeyPatch, targets: Any) -> None:
    def watch(progress: Progress) -> None:
        if sum(epochs > 0 for epochs in progress.epochs) == 2 and not any(progress.ended):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(members, "do_side_by_side", functools.partial(do_side_by_side, watch=watch))
    X, y = targets["multiclass"]
    endless = {"max_iter": 10**6, "tol": 0.0, "n_iter_no_change": np.inf, "threads": 2}
    with pytest.warns(UserWarning, match=r"interrupted by user. 2 of 3 networks have learnt and are kept"):
        model = _model("multiclass", **endless).fit(X, y)
    assert len(model.estimators_) == 2
    assert np.isfinite(model.predict_proba(X)).all()


@quiet
def test_callbacks_that_follow_one_training_are_refused(targets: Any, tmp_path: Path) -> None:
    X, y = targets["multiclass"]
    checkpoint = mc.Checkpoint(tmp_path / "it.safetensors")
    with pytest.raises(mc.DataError, match="Checkpoint follows one training, and members=3 train at once"):
        _model("multiclass", callbacks=[checkpoint]).fit(X, y)
    model = _model("multiclass", callbacks="early_stopping:patience=1,monitor=loss", max_iter=40)
    model.set_params(learning_rate_init=0.5).fit(X, y)
    assert {one.n_iter_ for one in model.estimators_} != {40}


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "two"])
def test_members_is_a_count(wrong: Any, targets: Any) -> None:
    with pytest.raises(ValueError, match="'members' parameter"):
        _model("numbers", wrong).fit(*targets["numbers"])
