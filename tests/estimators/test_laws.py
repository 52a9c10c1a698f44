"""Weights mean what they say, the same seed gives the same bits, and a training that fails says why."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight

import minicolumn as mc

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "random_state": 3}
EXACT: dict[str, Any] = QUICK | {"dtype": "float64", "max_iter": 20}


def _model(kind: str, **settings: Any) -> Any:
    loss: dict[str, Any] = {"loss": "poisson"} if kind == "counts" else {}
    Model: Any = mc.MLPClassifier if kind in ("binary", "multiclass", "multilabel") else mc.MLPRegressor
    return Model(**(QUICK | {"max_iter": 5} | loss | settings))


def _same_bits(a: Any, b: Any) -> bool:
    pairs = zip([*a.coefs_, *a.intercepts_], [*b.coefs_, *b.intercepts_], strict=True)
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)


# Weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "solver"),
    [("binary", "adam"), ("multilabel", "lbfgs"), ("numbers", "adam"), ("numbers", "lbfgs")],
)
def test_a_weight_of_k_is_k_copies(kind: str, solver: str, targets: Any) -> None:
    X, y = targets[kind]
    copies = np.arange(len(X)) % 4
    settings = EXACT | {"batch_size": 1000, "solver": solver, "alpha": 0.5}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the batch is clipped to all rows
        weighted = _model(kind, **settings).fit(X, y, sample_weight=copies)
        copied = _model(kind, **settings).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies, axis=0))
    # The same sums in another order, through 20 steps in float64.
    np.testing.assert_allclose(weighted.loss_, copied.loss_, rtol=1e-9)
    for w, v in zip(weighted.coefs_, copied.coefs_, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-6, atol=1e-8)


def test_a_weight_of_k_is_k_copies_in_float32_too(targets: Any) -> None:
    X, y = targets["multiclass"]
    copies = 1 + np.arange(len(X)) % 2
    weighted = _model("multiclass", max_iter=60).fit(X, y, sample_weight=copies)
    copied = _model("multiclass", max_iter=60).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies))
    # 60 steps of roundings of 6e-8, which Adam's division can make a hundred times larger.
    np.testing.assert_allclose(weighted.predict_proba(X), copied.predict_proba(X), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("weights", ["balanced", {10: 1.0, 11: 4.0, 12: 0.5}], ids=["balanced", "dict"])
def test_class_weights_are_sample_weights(weights: Any, early: bool, targets: Any) -> None:
    X, y = targets["multiclass"]
    X, y = X[:80], np.where(np.arange(80) < 60, y[:80], 10)
    settings = {"early_stopping": early, "validation_fraction": 0.2}
    by_class = _model("multiclass", class_weight=weights, **settings).fit(X, y)
    by_row = _model("multiclass", **settings).fit(X, y, sample_weight=compute_sample_weight(weights, y))
    assert _same_bits(by_class, by_row)
    assert by_class.validation_scores_ == by_row.validation_scores_


def test_class_weights_of_several_labels_and_beside_sample_weights(targets: Any) -> None:
    X, y = targets["multilabel"]
    own = np.linspace(0.5, 2.0, len(X))
    both = _model("multilabel", class_weight="balanced").fit(X, y, sample_weight=own)
    product = _model("multilabel").fit(X, y, sample_weight=own * compute_sample_weight("balanced", y))
    assert _same_bits(both, product)
    with pytest.raises(mc.DataError, match="needs all rows at once"):
        _model("binary", class_weight="balanced").partial_fit(X, y[:, 0], classes=[0, 1])


def test_the_last_short_batch_bears_the_whole_penalty(targets: Any) -> None:
    X, y = targets["numbers"]
    model = _model("numbers", batch_size=50, alpha=3.0, learning_rate_init=1e-12, max_iter=1, dtype="float64")
    model.fit(X, y)
    plain = _model("numbers", batch_size=50, alpha=0.0, learning_rate_init=1e-12, max_iter=1, dtype="float64")
    squares = sum(float(np.sum(w**2)) for w in model.coefs_)
    # Batches of 50, 50 and 20 rows, each with all of alpha / 2 |W|^2; the epoch's loss is the mean over rows.
    expected = plain.fit(X, y).loss_ + 3 * 1.5 * squares / len(X)
    assert model.loss_ == pytest.approx(expected, rel=1e-9)


# Seeds and bits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["binary", "multilabel", "two numbers"])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(kind: str, targets: Any) -> None:
    X, y = targets[kind]
    settings = {"dropout": 0.3, "early_stopping": True, "batch_size": 16}
    first, again, single = (_model(kind, **settings, threads=threads).fit(X, y) for threads in (2, 2, 1))
    assert _same_bits(first, again)
    assert _same_bits(first, single)
    assert not _same_bits(first, _model(kind, **settings, random_state=4).fit(X, y))


def test_a_generator_as_random_state_moves_on(targets: Any) -> None:
    X, y = targets["binary"]
    generator = np.random.RandomState(0)
    first, second = (_model("binary", random_state=generator).fit(X, y) for _ in range(2))
    assert not _same_bits(first, second)
    assert _same_bits(first, _model("binary", random_state=np.random.RandomState(0)).fit(X, y))


# Each kind and each solver once: what is counted on from call to call knows nothing of the other.
@pytest.mark.parametrize(
    ("kind", "solver"),
    [("multiclass", "adam"), ("multilabel", "sgd"), ("numbers", mc.optim.RMSProp(0.01))],
)
def test_partial_fit_k_times_is_fit_of_k_epochs_to_the_bit(kind: str, solver: Any, targets: Any) -> None:
    X, y = targets[kind]
    settings = {"solver": solver, "batch_size": 32, "dropout": 0.2, "learning_rate": "invscaling"}
    if not isinstance(solver, str):
        settings["learning_rate_init"] = None
    whole = _model(kind, max_iter=4, **settings).fit(X, y)
    parts = _model(kind, max_iter=4, **settings)
    declared = {"classes": getattr(whole, "classes_", None)} if hasattr(whole, "classes_") else {}
    for _ in range(4):
        parts.partial_fit(X, y, **declared)
    assert _same_bits(whole, parts)
    assert whole.loss_curve_ == parts.loss_curve_
    assert (whole.t_, parts.n_iter_) == (parts.t_, 1)


def test_partial_fit_after_fit_goes_on(targets: Any) -> None:
    X, y = targets["multiclass"]
    longer, shorter = _model("multiclass", max_iter=6).fit(X, y), _model("multiclass", max_iter=5).fit(X, y)
    assert _same_bits(longer, shorter.partial_fit(X, y))


def test_a_warm_start_keeps_weights_and_starts_the_optimizer_anew(targets: Any) -> None:
    X, y = targets["numbers"]
    settings = {"solver": "sgd", "momentum": 0.0, "shuffle": False}
    model = _model("numbers", warm_start=True, **settings).fit(X, y).fit(X, y)
    assert _same_bits(model, _model("numbers", max_iter=10, **settings).fit(X, y))
    assert (model.n_iter_, len(model.loss_curve_), len(model.history_)) == (5, 10, 10)


def test_a_warm_start_of_another_network_is_refused(targets: Any) -> None:
    X, y = targets["numbers"]
    model = _model("numbers", warm_start=True).fit(X, y)
    with pytest.raises(mc.DataError, match=r"of \(8, 1\) units, .* ask for \(8, 8, 1\)"):
        model.set_params(hidden_layer_sizes=(8, 8)).fit(X, y)
    with pytest.raises(mc.DataError, match=r"ask for \(9, 1\); set .* back, or fit anew"):
        model.set_params(hidden_layer_sizes=(9,)).fit(X, y)


def test_a_fit_forgets_the_one_before(targets: Any) -> None:
    X, y = targets["binary"]
    twice = _model("binary", early_stopping=True)
    twice.fit(X[:50], y[:50]).fit(X, y)
    once = _model("binary", early_stopping=True).fit(X, y)
    assert _same_bits(once, twice)
    assert (twice.loss_curve_, twice.validation_scores_, twice.t_) == (
        once.loss_curve_, once.validation_scores_, once.t_,
    )  # fmt: skip


# Failures ---------------------------------------------------------------------------------------------------


def test_divergence_keeps_the_last_good_weights_and_names_its_cause(targets: Any) -> None:
    X, y = targets["numbers"]
    model = _model("numbers", solver="sgd", learning_rate_init=3.0, max_iter=200, early_stopping=True)
    with pytest.warns(ConvergenceWarning, match=r"the learning rate 3 is probably too large.* are kept"):
        model.fit(X, y)
    assert all(np.isfinite(w).all() for w in model.coefs_)
    assert np.isnan(model.loss_curve_[-1])
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.predict(X)).all()


def test_weights_that_never_were_good_are_an_error(targets: Any) -> None:
    X, y = targets["numbers"]
    model = _model("numbers", solver="sgd", learning_rate_init=1e30, batch_size=10)
    with pytest.raises(mc.DataError, match=r"non-finite parameter weights.* the learning rate 1e\+30"):
        model.fit(X, y)


def test_partial_fit_that_diverges_keeps_what_was_learnt(targets: Any) -> None:
    X, y = targets["numbers"]
    model = _model("numbers", solver="sgd").fit(X, y)
    before = [w.copy() for w in model.coefs_]
    model.set_params(learning_rate_init=1e30, batch_size=10)
    with pytest.warns(ConvergenceWarning, match="are kept"):
        model.partial_fit(X, y)
    for old, new in zip(before, model.coefs_, strict=True):
        np.testing.assert_array_equal(old, new)


def test_wild_scales_are_warned_of_once(targets: Any) -> None:
    X, y = targets["numbers"]
    wild = X * [1.0, 5000.0]
    with pytest.warns(UserWarning, match=r"column 0 spans .*, column 1 spans .*StandardScaler") as caught:
        _model("numbers", warm_start=True).fit(wild, y).fit(wild, y)
    assert len([w for w in caught if "scales" in str(w.message)]) == 1
    for tame in (X, X * [1.0, 100.0], np.column_stack([X, np.zeros(len(X))])):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="the columns of X")
            _model("numbers").fit(tame, y)


def test_numbers_beyond_the_dtype_are_refused(targets: Any) -> None:
    X, y = targets["numbers"]
    with pytest.raises(ValueError, match=r"X holds numbers up to .*e\+200, beyond the largest float32"):
        _model("numbers").fit(X * 1e200, y)


def test_an_interrupt_keeps_what_was_learnt(targets: Any) -> None:
    class Stop(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            if row["epoch"] == 3:
                raise KeyboardInterrupt

    X, y = targets["numbers"]
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = _model("numbers", callbacks=[Stop()]).fit(X, y)
    assert model.n_iter_ in (2, 3)
    assert model.predict(X).shape == y.shape
