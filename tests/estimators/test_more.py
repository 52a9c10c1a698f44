"""What scikit-learn's networks do not have: each parameter does what it says."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, make_scorer, mean_absolute_error

import minicolumn as mc
from minicolumn.estimators.intervals import conformal_radius
from minicolumn.estimators.network import build_network, draw_weights
from minicolumn.model.classifier import ClassifierModel
from minicolumn.nn.outputs import Band

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK: dict[str, Any] = {
    "hidden_layer_sizes": (8, 6),
    "max_iter": 10,
    "random_state": 0,
    "learning_rate_init": 0.02,
}


def _classifier(**settings: Any) -> Any:
    return mc.MLPClassifier(**(QUICK | settings))


def _regressor(**settings: Any) -> Any:
    return mc.MLPRegressor(**(QUICK | settings))


# The network ------------------------------------------------------------------------------------------------


def test_dropout_and_activations_layer_by_layer() -> None:
    net = build_network((4, 3), ["tanh", "identity"], 2, dropout=[0.0, 0.5], input_dropout=0.1)
    parts = "Dropout(0.1), Dense(4, activation='tanh'), Dense(3), Dropout(0.5), Dense(2)"
    assert repr(net) == f"Sequential({parts})"
    with pytest.raises(mc.DataError, match="activation holds 1 entries for 2 hidden layers"):
        build_network((4, 3), ["tanh"], 2)
    with pytest.raises(mc.DataError, match="hidden_layer_sizes must be > 0"):
        build_network((4, -1), "tanh", 2)


@pytest.mark.parametrize(("activation", "factor"), [("relu", 6.0), ("logistic", 2.0), ("tanh", 6.0)])
def test_first_weights_are_scikit_learns(activation: str, factor: float) -> None:
    net = build_network((200,), activation, 100)
    params = draw_weights(net, 300, 0, np.float32)
    for name, fans in (("0", 500), ("1", 300)):
        bound = np.sqrt(factor / fans)
        for part in params[name].values():
            assert np.abs(part).max() <= bound
            # Uniform on +-bound: the deviation of a mean square of 100 and more draws is below 0.09 of it.
            assert np.mean(part**2.0) == pytest.approx(bound**2 / 3, rel=0.25)
            assert abs(float(np.mean(part))) < 4 * bound / np.sqrt(3 * part.size)


def test_an_own_activation_and_lists_are_trained(blobs: Any) -> None:
    X, y = blobs
    for activation in (lambda x: np.sin(x), ["relu", "gelu"], "mish", ["tanh", lambda x: x * 0.5]):
        model = _classifier(activation=activation, max_iter=60).fit(X, y)
        assert model.score(X, y) > 0.6
    model = _classifier(activation=["leaky_relu:slope=0.3", "mish"], max_iter=60).fit(X, y)
    own = _classifier(activation=[lambda x: np.where(x > 0, x, 0.3 * x), "mish"], max_iter=60).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], own.coefs_[0])
    for name, said in (
        ("leaky_relu:slop=1", "activation: leaky_relu: unknown"),
        ("tanhh:a=1", "did you mean 'tanh'"),
    ):
        with pytest.raises(ValueError, match=said):
            _classifier(activation=name).fit(X, y)
    for listed in (["glu", "relu"], np.array(["glu", "relu"])):
        with pytest.raises(mc.DataError, match="activation holds 'glu'"):
            _classifier(activation=listed).fit(X, y)
    with pytest.raises(mc.DataError, match=r"activation holds 'tanhh'; did you mean 'tanh'"):
        _classifier(activation=["tanhh", "tanh"]).fit(X, y)


def test_dropout_acts_in_training_alone(blobs: Any) -> None:
    X, y = blobs
    plain, dropped = _classifier().fit(X, y), _classifier(dropout=0.5, input_dropout=0.2).fit(X, y)
    assert not np.array_equal(plain.coefs_[0], dropped.coefs_[0])
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))


# Losses, optimizers, penalties ------------------------------------------------------------------------------


def test_losses_by_name(blobs: Any, wave: Any, targets: Any) -> None:
    X, y = blobs
    assert _classifier(loss="softmax_cross_entropy").fit(X, y == 1).predict_proba(X).shape == (90, 2)
    two, one = _classifier(loss="softmax_cross_entropy", max_iter=80), _classifier(max_iter=80)
    assert two.fit(X, y == 1).score(X, y == 1) > one.fit(X, y == 1).score(X, y == 1) - 0.1
    for loss in ("absolute_error", "huber"):
        assert _regressor(loss=loss, max_iter=200).fit(*wave).score(*wave) > 0.8
    with pytest.raises(mc.DataError, match="loss 'binary_cross_entropy' does not fit this target"):
        _classifier(loss="binary_cross_entropy").fit(X, y)
    with pytest.raises(ValueError, match="'loss' parameter of MLPRegressor"):
        _regressor(loss="log_loss").fit(*wave)


def test_an_own_loss_is_what_it_computes(targets: Any) -> None:
    def half_squares(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        return np.mean(0.5 * np.sum((outputs - targets) ** 2, axis=1))

    settings = {"dtype": "float64", "early_stopping": True}
    for kind in ("numbers", "two numbers"):
        X, y = targets[kind]
        own = _regressor(loss=half_squares, **settings).fit(X, y)
        named = _regressor(loss="squared_error", **settings).fit(X, y)
        np.testing.assert_allclose(own.loss_curve_, named.loss_curve_, rtol=1e-10)
        np.testing.assert_allclose(own.predict(X), named.predict(X), rtol=1e-8)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_own_loss_gets_class_numbers(solver: str, blobs: Any) -> None:
    seen = []

    def squares(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        seen.append((outputs.shape, targets.shape, str(targets.dtype)))
        right = targets.reshape((-1, 1)) == np.arange(3, dtype=np.int32).reshape((1, 3))
        return np.mean(np.sum((outputs - np.where(right, 1.0, -1.0)) ** 2, axis=1))

    model = _classifier(loss=squares, solver=solver, max_iter=60).fit(*blobs)
    assert model.score(*blobs) > 0.7
    assert set(seen) == {((90, 3), (90,), "int32")}
    with pytest.raises(mc.DataError, match="own loss function"):
        model.save("never.safetensors")


@pytest.mark.parametrize("solver", ["adamw", "nadam", mc.optim.AdamW(0.02), mc.optim.SGD(0.1, momentum=0.9)])
def test_any_optimizer(solver: Any, blobs: Any) -> None:
    rate = solver.learning_rate if isinstance(solver, mc.optim.Optimizer) else 0.02
    model = _classifier(solver=solver, learning_rate_init=rate, max_iter=80).fit(*blobs)
    assert model.score(*blobs) > 0.7
    assert model.history_[0]["learning_rate"] == pytest.approx(rate)


def test_a_record_is_the_name_and_its_settings(blobs: Any) -> None:
    named, record = _classifier(solver="adam"), _classifier(solver=mc.optim.Adam(0.02))
    np.testing.assert_array_equal(named.fit(*blobs).coefs_[0], record.fit(*blobs).coefs_[0])


@pytest.mark.parametrize("rate", ["cosine", mc.optim.Cosine(), lambda step, total: 1.0 - step / total])
def test_any_schedule(rate: Any, blobs: Any) -> None:
    rates = _classifier(learning_rate=rate).fit(*blobs).history_["learning_rate"]
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] < 0.003


def test_l1_drives_weights_to_nothing(blobs: Any) -> None:
    X = np.column_stack([blobs[0], np.random.default_rng(0).standard_normal((90, 20))])
    dense, thin = (_classifier(l1=l1, max_iter=300).fit(X, blobs[1]) for l1 in (0.0, 2.0))
    small = lambda model: float(np.mean(np.abs(model.coefs_[0][4:]) < 0.01))  # noqa: E731
    assert small(thin) > small(dense) + 0.3


# What is held out -------------------------------------------------------------------------------------------


def test_own_validation_rows_are_measured_on(targets: Any) -> None:
    for kind, make in (("multiclass", _classifier), ("binary", _classifier), ("two numbers", _regressor)):
        X, y = targets[kind]
        model = make().fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
        alone = make().fit(X[:60], y[:60])
        np.testing.assert_array_equal(model.coefs_[0], alone.coefs_[0])  # measuring changes nothing
        assert model.validation_scores_[-1] == pytest.approx(model.score(X[60:], y[60:]), rel=1e-6)
        if kind == "two numbers":
            expected = 0.5 * np.mean(np.sum((model.predict(X[60:]) - y[60:]) ** 2, axis=1))
        else:
            expected = log_loss(y[60:], model.predict_proba(X[60:]))
        assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(mc.DataError, match="X_val and y_val together"):
        _classifier().fit(X, y[:, 0] > 0, X_val=X)


def test_early_stopping_on_own_rows_by_an_own_score(blobs: Any, wave: Any) -> None:
    X, y = blobs
    model = _classifier(early_stopping=True, scoring="neg_log_loss", max_iter=200, learning_rate_init=0.1)
    model.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert model.best_validation_score_ == pytest.approx(
        -log_loss(y[60:], model.predict_proba(X[60:])), rel=1e-5
    )
    assert model.n_iter_ < 200
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    X, y = wave
    other = _regressor(early_stopping=True, scoring=scorer).fit(X, y, X_val=X, y_val=y)
    assert other.best_validation_score_ == pytest.approx(-mean_absolute_error(y, other.predict(X)))


def test_callbacks_of_minicolumn(blobs: Any) -> None:
    X, y = blobs
    stopping = mc.EarlyStopping(patience=2, min_delta=1e9, monitor="loss")
    assert _classifier(callbacks=[stopping], max_iter=50).fit(X, y).n_iter_ == 3
    best = _classifier(callbacks=mc.KeepBest("val_loss"), max_iter=60, learning_rate_init=0.3)
    best.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    kept = log_loss(y[60:], best.predict_proba(X[60:]))
    assert kept == pytest.approx(min(best.validation_loss_curve_), rel=1e-5)


def test_restarts_keep_the_best(blobs: Any) -> None:
    X, y = blobs
    several = _classifier(n_restarts=3).fit(X, y)
    assert several.loss_ <= _classifier().fit(X, y).loss_
    held = _classifier(n_restarts=3, early_stopping=True).fit(X, y)
    assert held.best_validation_score_ >= _classifier(early_stopping=True).fit(X, y).best_validation_score_


class Stumble(mc.Callback):
    """Lets one of several trainings diverge in its first epoch."""

    def __init__(self, which: int) -> None:
        self.which, self.starts = which, 0

    def on_start(self, trainer: Any, /) -> None:
        """Count the trainings, and take steps that are far too long in the chosen one."""
        self.starts += 1
        if self.starts == self.which:
            trainer.change(learning_rate=1e38)


def test_a_start_that_diverges_is_none(blobs: Any, capsys: Any) -> None:
    fit = lambda **settings: _classifier(batch_size=30, **settings).fit(*blobs)  # noqa: E731
    losses = []
    for which in (1, 2):
        model = fit(n_restarts=2, verbose=True, callbacks=[Stumble(which)])
        told = capsys.readouterr().out
        assert f"Start {which} diverged" in told
        assert f"Start {3 - which} is the best" in told
        losses.append(model.loss_)
    assert losses[0] != losses[1]
    assert fit(n_restarts=2).loss_ == min(losses)
    with pytest.raises(ValueError, match="non-finite"):
        fit(callbacks=[Stumble(1)])


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_where_all_starts_diverge_there_is_nothing_to_keep(solver: str) -> None:
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1e300, -1e300, 1e300])
    settings = {"solver": solver, "dtype": "float64", "learning_rate_init": 1e200, "n_restarts": 2}
    refused = pytest.raises(ValueError, match="Solver produced non-finite parameter weights")
    with pytest.warns(UserWarning, match="y has a standard deviation"), np.errstate(all="ignore"), refused:
        _regressor(**settings).fit(X, y)


@pytest.mark.parametrize(
    ("parameter", "value", "meant"),
    [
        ("solver", "adm", "adam"),
        ("activation", "rleu", "relu"),
        ("loss", "log_los", "log_loss"),
        ("learning_rate", "one_cycel", "one_cycle"),
        ("dtype", "float46", "float64"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(
    blobs: Any, parameter: str, value: str, meant: str
) -> None:
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter .* did you mean '{meant}'"):
        _classifier(**{parameter: value}).fit(*blobs)
    with pytest.raises(ValueError, match=r"Got 'zzzzzz' instead\.$"):
        _classifier(**{parameter: "zzzzzz"}).fit(*blobs)


def test_sizes_in_the_place_of_the_loss_are_recognised(blobs: Any) -> None:
    with pytest.raises(ValueError, match=r"did you mean hidden_layer_sizes=\(8, 8\)\?"):
        mc.MLPRegressor((8, 8)).fit(blobs[0], blobs[1])  # type: ignore[arg-type]


@pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "nesterov"])
def test_solvers_go_by_their_usual_names_too(blobs: Any, solver: str) -> None:
    record = mc.optim.optimizer_by_name(solver, learning_rate=0.02)
    named, given = _classifier(solver=solver).fit(*blobs), _classifier(solver=record).fit(*blobs)
    np.testing.assert_array_equal(named.coefs_[0], given.coefs_[0])
    assert _classifier(solver=solver, learning_rate_init=None).fit(*blobs).n_iter_ > 0


@pytest.mark.parametrize("weight", [1e300, 1e38, 1e-300])
def test_weights_that_float32_cannot_hold_are_refused(blobs: Any, weight: float) -> None:
    X, y = blobs
    with pytest.raises(mc.DataError, match=r"sample_weight goes up to .* out of the range of float32"):
        _classifier().fit(X, y, np.full(len(y), weight))
    settings = {"dtype": "float64", "max_iter": 2, "alpha": 0.0}
    heavy = _classifier(**settings).fit(X, y, np.full(len(y), weight))
    plain = _classifier(**settings).fit(X, y)
    assert heavy.loss_curve_ == pytest.approx(plain.loss_curve_, rel=1e-9)  # roundings of the products


def test_own_functions_that_give_another_shape_are_told(blobs: Any) -> None:
    with pytest.raises(mc.ShapeError, match=r"the loss must give one number for a batch, it gave shape \["):
        _classifier(loss=lambda outputs, targets, weight: outputs).fit(*blobs)
    with pytest.raises(mc.ShapeError, match=r"the activation <lambda> makes shape \[\d+, 2\] of \[\d+, 8\]"):
        _classifier(activation=lambda x: x[:, :2]).fit(*blobs)
    with pytest.raises(mc.ShapeError, match=r"the activation sum makes shape \[\] of"):
        _classifier(activation=np.sum).fit(*blobs)


def test_scores_that_are_no_numbers_stop_nothing_early(blobs: Any) -> None:
    X, y = blobs
    settings: dict[str, Any] = {"early_stopping": True}
    with pytest.raises(mc.DataError, match="no finite number in any epoch"):
        _classifier(scoring=lambda *_: float("nan"), **settings).fit(X, y)
    with pytest.raises(mc.DataError, match="scoring must give one number, it gave None"):
        _classifier(scoring=lambda *_: None, **settings).fit(X, y)
    with (
        pytest.warns(UserWarning, match="R.2 score is not well-defined"),
        pytest.raises(mc.DataError, match="one row"),
    ):
        _regressor(**settings).fit(X, X[:, 0], X_val=X[:1], y_val=X[:1, 0])


def test_the_history_holds_the_scores_and_callbacks_may_watch_them(blobs: Any) -> None:
    X, y = blobs
    model = _classifier(early_stopping=True).fit(X, y)
    assert model.history_["val_score"].tolist() == model.validation_scores_
    lowered = _classifier(
        callbacks=[mc.train.ReduceOnPlateau(0.5, patience=1, monitor="val_score", min_delta=1.0)], max_iter=4
    )
    rates = lowered.fit(X, y, X_val=X, y_val=y).history_["learning_rate"]
    assert rates[-1] < rates[0]
    with pytest.raises(mc.DataError, match="did you mean 'val_score'"):
        _classifier(callbacks=[mc.KeepBest("val_scor")]).fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize(
    "solver",
    [
        mc.optim.ScheduleFreeAdamW(0.01),
        mc.optim.Averaged(mc.optim.Adam(0.01), decay=0.9),
        mc.optim.Averaged(mc.optim.Clipped(mc.optim.SGD(0.05, momentum=0.9), norm=1.0), decay=0.99),
    ],
    ids=["schedule-free", "averaged", "averaged, clipped"],
)
def test_partial_fits_go_on_where_an_averaging_optimizer_trains(solver: Any, blobs: Any) -> None:
    X, y = blobs
    settings = {"solver": solver, "learning_rate_init": None, "n_iter_no_change": 1000, "batch_size": 16}
    whole = _classifier(**settings, max_iter=12).fit(X, y)
    parts = _classifier(**settings)
    for _ in range(12):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y, classes=np.unique(y))))
    for w, v in zip(whole.coefs_ + whole.intercepts_, parts.coefs_ + parts.intercepts_, strict=True):
        np.testing.assert_array_equal(w, v)


def test_partial_fits_go_on_when_dropout_comes_between(blobs: Any) -> None:
    X, y = blobs
    model = _classifier().fit(X, y)
    steps = model._snapshot.step
    model.set_params(dropout=0.5, input_dropout=0.1).partial_fit(X, y).set_params(dropout=0.0).partial_fit(
        X, y
    )
    assert model._snapshot.step == steps + 2


@pytest.mark.filterwarnings("ignore:y has a standard deviation")
@pytest.mark.parametrize("failing", ["y_val", "divergence", "loss", "callback"])
def test_a_fit_that_fails_loses_nothing(failing: str, blobs: Any) -> None:
    X = blobs[0]

    class Stumbles(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            raise RuntimeError("stumbled")

    model = _regressor().fit(X, X[:, 0])
    before, names = model.predict(X), set(vars(model))
    more: dict[str, Any] = {"X_val": X} if failing == "y_val" else {}
    target = 1e30 * X[:, 0] if failing == "divergence" else X[:, 0]
    settings = {"loss": {"loss": lambda *_: 1 / 0}, "callback": {"callbacks": [Stumbles()]}}.get(failing, {})
    words = {"loss": "division by zero", "callback": "stumbled", "divergence": "non-finite", "y_val": "y_val"}
    fresh = _regressor(**settings)
    for estimator in (model.set_params(**settings), fresh):
        with pytest.raises((ValueError, ZeroDivisionError, RuntimeError), match=words[failing]):
            estimator.fit(X, target, **more)
    assert set(vars(model)) == names
    np.testing.assert_array_equal(model.set_params(loss="squared_error", callbacks=None).predict(X), before)
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_a_first_partial_fit_that_fails_leaves_nothing(blobs: Any) -> None:
    X, y = blobs
    for model in (_classifier(), mc.Perceptron()):
        before = set(vars(model))
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit(X, y, classes=[0, 1])
        assert set(vars(model)) == before


def test_intervals_count_weights_as_copies(fans: Any) -> None:
    X, y = fans
    X, y = X[:400], y[:400]
    weight = np.random.default_rng(0).integers(0, 4, 400)
    copies = np.repeat(np.arange(400), weight)
    residuals = np.abs(y[:, None] - np.array([[0.0]]))
    for coverage in (0.5, 0.8, 0.9, 0.97):
        np.testing.assert_array_equal(
            conformal_radius(residuals, coverage, weight), conformal_radius(residuals[copies], coverage)
        )
    y = np.where(np.arange(400) % 4 == 0, y + 1000.0, y)
    light = np.where(np.arange(400) % 4 == 0, 1e-6, 1.0)
    model = _regressor(conformal_fraction=0.3).fit(X, y, light)
    low, high = model.predict_interval(X, 0.8).T
    assert (high - low).max() < 20.0
    with pytest.raises(mc.DataError, match="needs at least 99 held-out rows, there are 92"):
        model.predict_interval(X, 0.99)


def test_one_quantile_too_describes_a_single_number(blobs: Any) -> None:
    X = blobs[0]
    with pytest.raises(mc.DataError, match="describes one number, y holds 2 for each row"):
        _regressor(loss=mc.nn.Loss("quantile", levels=(0.5,))).fit(X, X[:, :2])


def test_targets_to_encode_are_looked_at(blobs: Any) -> None:
    X, y = blobs
    one, two, classes = _regressor().fit(X, X[:, 0]), _regressor().fit(X, X[:, :2]), _classifier().fit(X, y)
    for model, wrong, message in (
        (one, 3.0, r"y has shape \[\], expected \[rows\] or"),
        (one, np.zeros((2, 2, 2)), r"y has shape \[2, 2, 2\]"),
        (one, [], r"y has shape \[0\]"),
        (one, [1 + 2j], "y must hold numbers, got complex128"),
        (one, ["a"], "y must hold numbers, got <U1"),
        (one, [[1.0, 2.0]], "asks for 2 outputs, the network has 1"),
        (two, [1.0, 2.0], "asks for 1 outputs, the network has 2"),
        (classes, ["a"], "not in `self.classes_`"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            model.encode_target(wrong)
    assert two.encode_target(X[:3, :2]).shape == (3, 2)


def test_labels_may_be_sparse(targets: Any) -> None:
    X, y = targets["multilabel"]
    dense, sparse = _classifier().fit(X, y), _classifier().fit(X, csr_matrix(y))
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(X))


def test_training_goes_on_only_at_the_same_sizes(blobs: Any) -> None:
    model = _classifier(warm_start=True).fit(*blobs)
    for sizes in ((4, 6), (8,)):
        with pytest.raises(mc.DataError, match=r"of \(8, 6, 3\) units, .* ask for \(\d"):
            model.set_params(hidden_layer_sizes=sizes).fit(*blobs)
    model.set_params(hidden_layer_sizes=(8, 6)).fit(*blobs)


@pytest.mark.parametrize(
    ("usual", "own"), [("swish", "silu"), ("sigmoid", "logistic"), ("identity", "linear")]
)
def test_activations_go_by_their_usual_names_too(blobs: Any, usual: str, own: str) -> None:
    one, two = (_classifier(activation=[name, "relu"]).fit(*blobs) for name in (usual, own))
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])
    assert _classifier(activation=usual, max_iter=2).fit(*blobs).n_iter_ == 2


def test_predictions_are_those_of_the_weights_whatever_the_parameters_say_later(blobs: Any) -> None:
    X, y = blobs
    model = _classifier().fit(X, y)
    before = model.predict_proba(X)
    np.testing.assert_array_equal(model.set_params(hidden_layer_sizes=(3, 3)).predict_proba(X), before)


# Probabilities and intervals --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_calibration_makes_held_out_rows_likelier_and_changes_no_label(kind: str, targets: Any) -> None:
    X, y = targets[kind]
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y)) < 0.25  # labels that no network can know
    y = np.where(wrong if y.ndim == 1 else wrong[:, None], rng.permutation(y), y)
    settings = {"max_iter": 400, "validation_fraction": 0.3, "early_stopping": False}
    model = _classifier(calibrate=True, **settings).fit(X, y)
    assert model.temperature_ > 1.0  # it was too sure of itself
    sure = _classifier(calibrate=True, **settings).fit(X, y)
    sure.coefs_[-1] = sure.coefs_[-1] * sure.temperature_
    sure.intercepts_[-1] = sure.intercepts_[-1] * sure.temperature_
    np.testing.assert_array_equal(model.predict(X), sure.predict(X))
    mean = lambda m: float(np.mean(np.maximum(m.predict_proba(X), 1 - m.predict_proba(X))))  # noqa: E731
    assert mean(model) < mean(sure)


def test_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (1200, 1))
    y = np.sin(X[:, 0]) + 0.3 * rng.standard_normal(1200)
    model = _regressor(conformal_fraction=0.3, max_iter=30).fit(X[:600], y[:600])
    widths = []
    for coverage in (0.5, 0.9):
        low, high = model.predict_interval(X[600:], coverage).T
        inside = float(np.mean((low <= y[600:]) & (y[600:] <= high)))
        # 180 residuals and 600 new rows: the share inside has a deviation of about 0.04.
        assert inside == pytest.approx(coverage, abs=0.12)
        np.testing.assert_allclose((low + high) / 2, model.predict(X[600:]), rtol=1e-5, atol=1e-6)
        widths.append(float(np.mean(high - low)))
    assert widths[0] < widths[1]


LEVELS = mc.nn.Loss("quantile", levels=(0.1, 0.5, 0.9))


@pytest.fixture(scope="module")
def fans() -> tuple[np.ndarray, np.ndarray]:
    """Numbers that scatter the more the further their input is from 0."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (1800, 1))
    return X, np.sin(X[:, 0]) + (0.05 + 0.3 * np.abs(X[:, 0])) * rng.standard_normal(1800)


# Any two of the three settings meet in every way.
@pytest.mark.parametrize(
    ("loss", "solver", "apart"),
    [
        (LEVELS, "adam", 0.0),
        (LEVELS, "lbfgs", 0.4),
        ("gaussian_nll", "adam", 0.4),
        ("gaussian_nll", "lbfgs", 0.0),
    ],
)
def test_networks_that_learn_their_predictive_uncertainty(
    fans: Any, loss: Any, solver: str, apart: float
) -> None:
    X, y = fans
    settings = {"hidden_layer_sizes": (16,), "max_iter": 200, "conformal_fraction": apart}
    model = _regressor(loss=loss, solver=solver, **settings).fit(X[:900], y[:900])
    low, high = model.predict_interval(X[900:], 0.8).T
    inside = float(np.mean((low <= y[900:]) & (y[900:] <= high)))
    # 360 rows held out and 900 new ones: a deviation of 0.025. What a network has learnt is no promise.
    assert inside == pytest.approx(0.8, abs=0.08 if apart else 0.12)
    wide, far = high - low, np.abs(X[900:, 0])
    assert wide[far > 1.5].mean() > 1.5 * wide[far < 0.5].mean()  # of the truth: 4.6 times
    assert model.predict(X).shape == (1800,)
    assert model.score(X, y) > 0.5


def test_quantiles_do_not_cross_and_the_middle_is_the_prediction(fans: Any, tmp_path: Path) -> None:
    X, y = fans
    model = _regressor(loss=LEVELS).fit(X, y)
    quantiles = model.predict_quantiles(100 * X)  # far from all that it has seen
    assert quantiles.shape == (1800, 3)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_array_equal(model.predict(100 * X), quantiles[:, 1])
    model.save(tmp_path / "m.mcol")
    np.testing.assert_array_equal(mc.load(tmp_path / "m.mcol").predict(100 * X), quantiles)


def test_the_spread_of_each_row(fans: Any) -> None:
    X, y = fans
    model = _regressor(loss="gaussian_nll", max_iter=60).fit(X, y)
    mean, spread = model.predict(X, return_std=True)
    assert mean.dtype == spread.dtype == model.predict_interval(X, 0.8).dtype == np.float64
    single = _regressor(loss=LEVELS, max_iter=2).fit(X.astype(np.float32), y.astype(np.float32))
    assert single.predict_quantiles(X).dtype == single.predict_interval(X, 0.8).dtype == np.float32
    np.testing.assert_array_equal(mean, model.predict(X))
    low, high = model.predict_interval(X, 0.5).T  # the quartiles of a normal distribution
    np.testing.assert_allclose(high - low, 2 * 0.6744898 * spread, rtol=1e-5)  # float32, and 7 digits of it
    np.testing.assert_allclose((low + high) / 2, mean, rtol=1e-5, atol=1e-6)


def test_bands_are_widened_and_narrowed_by_what_they_missed() -> None:
    column = lambda *numbers: np.array(numbers, np.float64)[:, None]  # noqa: E731
    band = Band(column(0, 0, 0), column(2, 2, 2), column(1, 1, 2))
    np.testing.assert_array_equal(band.residuals(column(1, 3, -1)), column(-1, 1, 0.5))
    np.testing.assert_array_equal(band.widened(1.0)[:, 0], [[-1, 3], [-1, 3], [-2, 4]])
    np.testing.assert_array_equal(band.widened(-0.75)[:, 0], [[0.75, 1.25], [0.75, 1.25], [1, 1]])


def test_what_a_loss_does_not_know_is_said(fans: Any, targets: Any) -> None:
    X, y = fans
    model = _regressor(loss=LEVELS).fit(X, y)
    with pytest.raises(
        mc.DataError, match=r"0\.9 lies between the quantiles 0\.05 and 0\.95; the loss has 0\.1"
    ):
        model.predict_interval(X)
    with pytest.raises(mc.DataError, match="return_std needs loss='gaussian_nll'"):
        model.predict(X, return_std=True)
    with pytest.raises(mc.DataError, match="predict_quantiles: fit with loss="):
        _regressor().fit(X, y).predict_quantiles(X)
    with pytest.raises(mc.DataError, match=r"describes one number, y holds 2 .*MultiOutputRegressor"):
        _regressor(loss=LEVELS).fit(*targets["two numbers"])


def test_intervals_of_several_outputs_and_without_rows(targets: Any) -> None:
    X, y = targets["two numbers"]
    assert _regressor(early_stopping=True).fit(X, y).predict_interval(X, 0.5).shape == (120, 2, 2)
    with pytest.raises(mc.DataError, match="no rows were held out"):
        _regressor().fit(X, y).predict_interval(X)
    few = _regressor(early_stopping=True).fit(X, y)
    with pytest.raises(mc.DataError, match=r"0\.99 needs at least 99 held-out rows, there are 12"):
        few.predict_interval(X, 0.99)
    with pytest.raises(mc.DataError, match="between 0 and 1"):
        few.predict_interval(X, 1.0)


# The file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "numbers"])
def test_the_file_holds_network_and_classes(kind: str, targets: Any, tmp_path: Path) -> None:
    X, y = targets[kind]
    model = (_regressor if kind == "numbers" else _classifier)(dropout=0.1).fit(X, y)
    model.save(tmp_path / "m.safetensors")
    loaded = mc.load(tmp_path / "m.safetensors")
    if kind == "numbers":
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        return
    assert isinstance(loaded, ClassifierModel)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X), strict=True)
    p, plain = model.predict_proba(X), model.to_model()
    np.testing.assert_array_equal(plain.predict(X), p[:, 1] if kind == "binary" else p)
    assert loaded.training["classes"] == model.classes_.tolist()


# What contradicts itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "lbfgs", "dropout": 0.1}, "so no dropout"),
        ({"solver": "lbfgs", "callbacks": [mc.KeepBest()]}, "no epochs that callbacks could watch"),
        ({"dropout": 1.0}, "'dropout' parameter of MLPClassifier"),
        ({"solver": "adammm"}, "'solver' parameter of MLPClassifier"),
        ({"callbacks": [3]}, "callbacks holds a int"),
        ({"dtype": "float16"}, "'dtype' parameter"),
    ],
)
def test_what_contradicts_itself_is_refused(settings: Any, message: str, blobs: Any) -> None:
    with pytest.raises(ValueError, match=message):
        _classifier(**settings).fit(*blobs)


def test_a_constraint_holds_after_the_last_step(blobs: Any) -> None:
    X, y = blobs
    free = _classifier(max_iter=40).fit(X, y)
    bound = _classifier(max_iter=40, constraint=mc.nn.MaxNorm(0.5)).fit(X, y)
    lengths = [np.sqrt(np.sum(w.astype(np.float64) ** 2, axis=0)).max() for w in bound.coefs_]
    assert max(lengths) < 0.5 * (1 + 1e-6)  # a root and a division in float32
    assert max(np.linalg.norm(w, axis=0).max() for w in free.coefs_) > 0.5
    with pytest.raises(mc.DataError, match="lbfgs"):
        _classifier(solver="lbfgs", constraint=mc.nn.MaxNorm(0.5)).fit(X, y)


def test_losses_with_settings_are_those_of_the_catalogue(blobs: Any, tmp_path: Path) -> None:
    X, y = blobs
    counts = np.exp(np.clip(X[:, 0], -1, 1) + 1)
    named, given, function = (
        _regressor(loss=loss).fit(X, counts).predict(X)
        for loss in ("poisson", mc.nn.Loss("poisson"), mc.nn.LOSSES["poisson"].function)
    )
    np.testing.assert_array_equal(named, given)
    np.testing.assert_array_equal(named, function)
    huber = _regressor(loss=mc.nn.Loss("huber", delta=2.0)).fit(X, counts)
    huber.save(tmp_path / "huber.safetensors")
    assert mc.load(tmp_path / "huber.safetensors").loss_settings == {"delta": 2.0}
    smooth = _classifier(loss=mc.nn.Loss("softmax_cross_entropy", label_smoothing=0.1)).fit(X, y == 1)
    assert smooth.predict_proba(X).shape == (len(X), 2)


def test_lbfgs_refuses_what_the_other_solvers_refuse(blobs: Any) -> None:
    X, y = blobs
    with pytest.raises(ValueError, match="poisson takes targets"):
        _regressor(loss="poisson", solver="lbfgs").fit(X, X[:, 0])
    with pytest.raises(ValueError, match="sample_weight"):
        _classifier(solver="lbfgs").fit(X, y, sample_weight=np.where(np.arange(len(X)) < 5, -1.0, 1.0))


def test_intervals_are_those_of_the_weights_at_hand(blobs: Any) -> None:
    X = blobs[0]
    model = _regressor(conformal_fraction=0.3).fit(X, X[:, 0])
    model.predict_interval(X)
    model.partial_fit(X, -X[:, 0])
    with pytest.raises(mc.DataError, match="no rows were held out"):
        model.predict_interval(X)


def test_an_adaptive_rate_stays_lowered_over_partial_fits(blobs: Any) -> None:
    model = _regressor(solver="sgd", learning_rate="adaptive", tol=9.0, n_iter_no_change=1)
    for _ in range(8):
        model.partial_fit(blobs[0], blobs[0][:, 0])
    assert model.history_["learning_rate"][-1] < 0.01 * model.history_["learning_rate"][0]


def test_both_losses_of_a_history_are_on_one_scale(blobs: Any) -> None:
    X = blobs[0]
    model = _regressor(alpha=0.0, solver="sgd", learning_rate_init=1e-12, max_iter=1)
    model.fit(X, X[:, 0], X_val=X, y_val=X[:, 0])
    assert model.history_["loss"][0] == pytest.approx(model.history_["val_loss"][0], rel=1e-5)  # float32 sums
    assert model.validation_loss_curve_ == model.history_["val_loss"].tolist()


@pytest.mark.parametrize("solver", sorted(mc.optim.OPTIMIZERS))
def test_every_optimizer_is_a_solver_by_its_name(solver: str, blobs: Any) -> None:
    assert np.isfinite(_classifier(solver=solver, max_iter=2).fit(*blobs).loss_)


@pytest.mark.parametrize("loss", ["mae", "mse", "huber", "log_cosh"])
def test_losses_by_their_other_names(loss: str, blobs: Any) -> None:
    assert np.isfinite(_regressor(loss=loss, max_iter=2).fit(blobs[0], blobs[0][:, 0]).loss_)


def test_an_activation_that_halves_its_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="activation"):
        _classifier(activation="glu").fit([[0.0], [1.0]], [0, 1])


# What is refused, and what is said --------------------------------------------------------------------------


def test_weights_below_zero_are_refused(blobs: Any) -> None:
    X, y = blobs
    for model in (_classifier(), mc.Perceptron()):
        with pytest.raises(ValueError, match=r"[Nn]egative|>= 0"):
            model.fit(X, y, sample_weight=-np.ones(len(X)))
        with pytest.raises(mc.DataError, match=r"class_weight must be >= 0, got \{1: -1\}"):
            model.set_params(class_weight={0: 1, 1: -1, 2: 1}).fit(X, y)


def test_own_losses_get_weights_in_any_case(blobs: Any) -> None:
    X, y = blobs[0], blobs[0][:, 0]

    def loss(outputs: Any, targets: Any, weight: Any) -> Any:
        return np.sum(weight[:, None] * (outputs - targets) ** 2) / np.sum(weight)

    for solver in ("adam", "lbfgs"):
        plain = _regressor(loss=loss, solver=solver).fit(X, y)
        ones = _regressor(loss=loss, solver=solver).fit(X, y, sample_weight=np.ones(len(X)))
        np.testing.assert_array_equal(plain.predict(X), ones.predict(X))


@pytest.mark.parametrize(
    ("X_val", "y_val", "said"),
    [
        (np.full((3, 4), np.nan), [0, 1, 0], "X_val and y_val: Input X contains NaN"),
        (np.ones((3, 2)), [0, 1, 0], "X_val and y_val: X has 2 features"),
        (np.ones((3, 4)), [0, 1, 7], "X_val and y_val: `y` has classes not in"),
        (np.ones((3, 4)), [0, 1], "X_val and y_val: Found input variables with inconsistent numbers"),
    ],
)
def test_errors_name_the_rows_to_measure_on(blobs: Any, X_val: Any, y_val: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _classifier().fit(*blobs, X_val=X_val, y_val=y_val)


def test_one_class_is_always_right(blobs: Any) -> None:
    X = blobs[0]
    model = _classifier().fit(X, np.full(len(X), "a"))
    assert set(model.predict(X)) == {"a"}
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))


@pytest.mark.parametrize("kind", ["binary", "multiclass", "words", "one"])
def test_labels_are_those_of_the_probabilities(targets: Any, blobs: Any, kind: str) -> None:
    made = {"words": (blobs[0], np.array(["b", "a", "c"])[blobs[1]]), "one": (blobs[0], blobs[1] * 0)}
    X, y = made.get(kind) or targets[kind]
    model = _classifier().fit(X, y)
    expected = model.classes_[model.predict_proba(X).argmax(axis=1)]
    found = model.predict(X)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    for rows in (1, 5, 40):  # by other programs
        np.testing.assert_array_equal(model.predict(X[:rows]), expected[:rows])


def test_restarts_say_where_they_stand(blobs: Any, capsys: Any) -> None:
    _classifier(n_restarts=2, verbose=True, max_iter=2).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "tart" in line][:2] == ["Start 1 of 2", "Start 2 of 2"]
    assert lines[-1] in ("Start 1 is the best, and kept", "Start 2 is the best, and kept")


@pytest.mark.parametrize("factor", [1e5, 1e-5])
def test_targets_far_from_one_ask_for_a_scaler(blobs: Any, factor: float) -> None:
    X = blobs[0]
    with pytest.warns(UserWarning, match="y has a standard deviation of .*TransformedTargetRegressor"):
        _regressor(max_iter=1).fit(X, factor * X[:, 0])
    _regressor(max_iter=1, loss="poisson").fit(X, 1e5 * np.abs(X[:, 0]))  # whose output is a logarithm


def test_targets_far_from_zero_ask_for_a_scaler_unless_the_network_begins_there(blobs: Any) -> None:
    X = blobs[0]
    y = X[:, 0] + 30.0 * X[:, 0].std()
    with pytest.warns(UserWarning, match="y lies around .* standard deviations from 0; .*before fit where"):
        _regressor(max_iter=1).fit(X, y)
    for loss in (LEVELS, "gaussian_nll"):
        _regressor(loss=loss, max_iter=1).fit(X, y)


@pytest.mark.parametrize("away", [0.0, 100.0, -1e4])
@pytest.mark.parametrize("loss", [LEVELS, "gaussian_nll"], ids=["quantile", "normal"])
def test_predictive_distributions_begin_where_the_targets_are(loss: Any, away: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1))
    y = 7.0 * (X[:, 0] + 0.1 * rng.normal(size=300) + away)
    model = _regressor(loss=loss, hidden_layer_sizes=(16,), max_iter=200, dtype="float64").fit(X, y)
    assert model.score(X, y) > 0.98


def test_the_initial_bias_is_the_best_for_all_rows_alike() -> None:
    rng = np.random.default_rng(0)
    y, weight = rng.gamma(2.0, 5.0, (101, 1)) + 40.0, rng.integers(0, 4, 101)
    copies = np.repeat(y, weight, axis=0)
    for record, ordered in ((mc.nn.Loss("gaussian_nll"), lambda b: b), (LEVELS, _in_order)):
        units = 2 if record.name == "gaussian_nll" else 3
        bias = record.outputs.initial_bias(y, weight, units)
        by_copies = record.outputs.initial_bias(copies, None, units)
        assert bias is not None
        assert by_copies is not None
        np.testing.assert_allclose(bias, by_copies, rtol=1e-12)  # sums in another order

        def mean_loss(bias: np.ndarray, record: Any = record, ordered: Any = ordered) -> float:
            outputs = np.tile(ordered(bias), (len(copies), 1))
            return float(np.mean(record(outputs, copies)))

        for step in 0.5 * np.eye(len(bias)):
            assert mean_loss(bias) <= min(mean_loss(bias + step), mean_loss(bias - step))


def _in_order(bias: np.ndarray) -> np.ndarray:
    return np.cumsum(np.concatenate([bias[:1], np.log1p(np.exp(bias[1:]))]))


@pytest.mark.filterwarnings("ignore:y has a standard deviation:UserWarning")
@pytest.mark.parametrize("loss", [LEVELS, "gaussian_nll"], ids=["quantile", "normal"])
@pytest.mark.parametrize("far", [1e200, 1e308])
def test_targets_beyond_the_dtype_are_refused_in_one_line(loss: Any, far: float) -> None:
    X = np.linspace(-1.0, 1.0, 50)[:, None]
    with pytest.raises(ValueError, match=r"^(fit: y holds|Solver produced)") as caught:
        _regressor(loss=loss).fit(X, far * np.sign(X[:, 0]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", [LEVELS, "gaussian_nll"], ids=["quantile", "normal"])
def test_equal_targets_are_answered_at_once(loss: Any) -> None:
    X = np.linspace(-1.0, 1.0, 50)[:, None]
    model = _regressor(loss=loss, max_iter=50).fit(X, np.full(50, 1e3))
    assert np.abs(model.predict(X) - 1e3).max() < 5.0


def test_a_rate_beside_a_solver_that_brings_its_own_is_told(blobs: Any) -> None:
    with pytest.warns(UserWarning, match=r"learning_rate_init=0\.5 is not used"):
        _classifier(solver=mc.optim.Adam(0.01), learning_rate_init=0.5, max_iter=1).fit(*blobs)
    for rate in (None, 0.001, 0.01):
        _classifier(solver=mc.optim.Adam(0.01), learning_rate_init=rate, max_iter=1).fit(*blobs)


def test_a_solvers_own_rate(blobs: Any) -> None:
    for solver, rate in (("adadelta", 1.0), ("lion", 1e-4), ("adam", 1e-3), ("sgd", 1e-3)):
        model = _classifier(solver=solver, learning_rate_init=None, max_iter=1).fit(*blobs)
        assert model.history_["learning_rate"][0] == pytest.approx(rate, rel=1e-6)  # kept in float32
    with pytest.warns(UserWarning, match="learning_rate_init=None takes its own"):
        _classifier(solver="adadelta", learning_rate_init=0.001, max_iter=1).fit(*blobs)


def test_attributes_are_in_the_dtype_of_the_rows(blobs: Any) -> None:
    X = blobs[0]
    for dtype in (np.float32, np.float64):
        model = _regressor(max_iter=1).fit(X.astype(dtype), X[:, 0])
        assert {a.dtype for a in (*model.coefs_, *model.intercepts_, model.predict(X))} == {np.dtype(dtype)}
        np.testing.assert_array_equal(model.coefs_[0], model.coefs_[0].astype(np.float32))


def test_stopping_without_rows_to_watch_is_told(blobs: Any) -> None:
    with pytest.warns(UserWarning, match="EarlyStopping watches the loss of the rows that are trained on"):
        _classifier(callbacks=[mc.EarlyStopping()]).fit(*blobs)
    _classifier(callbacks=[mc.EarlyStopping(monitor="loss")]).fit(*blobs)
    _classifier(callbacks=[mc.EarlyStopping()], early_stopping=True).fit(*blobs)


def test_the_history_knows_which_epoch_was_kept(blobs: Any) -> None:
    X, y = blobs
    model = _classifier(max_iter=12, warm_start=True, early_stopping=True, n_iter_no_change=99).fit(X, y)
    for _ in range(2):  # a warm start goes on with the best of before
        assert model.history_.kept == 1 + int(np.argmax(model.validation_scores_))
        model.fit(X, y)
    assert len(model.history_) == 36
    assert _classifier(max_iter=3).fit(X, y).history_.kept == 3
    found = _classifier(solver="lbfgs", max_iter=3).fit(X, y)
    assert found.history_.kept == len(found.history_)


def test_a_run_knows_which_epoch_was_kept(blobs: Any) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(8, "tanh"), mc.nn.Dense(3))
    data = {"validation_data": blobs, "callbacks": [mc.KeepBest()], "epochs": 4}
    run = mc.fit(net, *blobs, **data)
    assert run.history.kept == run.best_epoch == 1 + run.history.best()


def test_a_saved_classifier_knows_its_labels(blobs: Any, tmp_path: Path) -> None:
    X, y = blobs
    words = np.array(["red", "green", "blue"])[y]
    model = _classifier(max_iter=30).fit(X, words)
    model.save(tmp_path / "m.mcol")
    loaded = mc.load(tmp_path / "m.mcol")
    assert loaded.classes == ("blue", "green", "red") == tuple(model.classes_)
    scores = loaded.evaluate(X, words)
    assert scores["accuracy"] == model.score(X, words)
    assert scores == loaded.evaluate(X, model.encode_target(words)) == loaded.evaluate(X, words.tolist())
    with pytest.raises(mc.DataError, match=r"y holds 'gren', which is none of .*; did you mean 'green'"):
        loaded.evaluate(X[:1], ["gren"])
    with pytest.raises(mc.DataError, match="which is none of the model's classes"):
        loaded.evaluate(X[:2], np.array([["red"], None], object))


def test_a_saved_classifier_of_other_whole_numbers_takes_these(blobs: Any, tmp_path: Path) -> None:
    X, y = blobs
    model = _classifier(max_iter=30).fit(X, y + 1)
    model.save(tmp_path / "m.mcol")
    loaded = mc.load(tmp_path / "m.mcol")
    assert loaded.evaluate(X, y + 1)["accuracy"] == model.score(X, y + 1)
    with pytest.raises(mc.DataError, match="y holds 0, which is none of the model's classes"):
        loaded.evaluate(X, y)


def test_partial_fit_of_sparse_labels_predicts_dense_ones() -> None:
    X = np.random.default_rng(0).standard_normal((64, 3))
    Y = np.stack([X[:, 0] > 0, X[:, 0] <= 0], 1).astype(int)
    sparse, dense = (mc.MLPClassifier((5,), random_state=0) for _ in range(2))
    given: Any = csr_matrix(Y)
    sparse.partial_fit(X, given, classes=[0, 1])
    dense.partial_fit(X, Y, classes=[0, 1])
    np.testing.assert_array_equal(sparse.predict(X), dense.predict(X), strict=True)
    assert sparse.score(X, Y) == dense.score(X, Y)


@pytest.mark.parametrize("first", [1, 2])
def test_the_number_of_labels_a_row_does_not_change(first: int) -> None:
    X = np.random.default_rng(0).standard_normal((64, 3))
    one = (X[:, 0] > 0).astype(int)
    given = [one, np.stack([one, 1 - one], 1)]
    model = mc.MLPClassifier((5,), random_state=0, warm_start=True, max_iter=2).fit(X, given[first - 1])
    before = model.predict(X)
    with pytest.raises(mc.DataError, match=r"`y` has (one label|several labels) for each row; it had"):
        model.fit(X, given[2 - first])
    np.testing.assert_array_equal(model.predict(X), before)
