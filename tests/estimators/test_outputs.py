"""Whoever is downstream asks a loss's outputs, never its name: a new loss needs one declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars
import pytest
from scipy import special

import minicolumn as mc
from minicolumn.ir.ops.elementwise import SOFTPLUS
from minicolumn.model.metrics import METRICS, higher_is_better, scores_for
from minicolumn.nn.losses import LossRule, regression
from minicolumn.nn.losses.reduce import alike, bounded_exp, mean, one_each, per_row
from minicolumn.nn.outputs import (
    ClassOutputs,
    Normal,
    NumberOutputs,
    Outputs,
    Point,
    Probabilities,
    Quantiles,
    Rate,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LEVELS = (0.1, 0.5, 0.9)


def _smooth_pinball(
    outputs: Any, targets: Any, weight: Any = None, *, levels: Annotated[Any, regression.LEVELS] = LEVELS
) -> Any:
    """Zheng 2011, "Gradient descent algorithms for quantile regression with smooth approximation"."""
    above = one_each("smooth", outputs, targets, len(levels), "a level each") - outputs
    q, width = np.array(levels, outputs.dtype), 0.05
    return mean("smooth", per_row((q - 1.0) * above + width * SOFTPLUS(above / width)), weight)


def _crps(outputs: Any, targets: Any, weight: Any = None) -> Any:
    """Gneiting & Raftery 2007, equation 21: the continuous ranked probability score."""
    targets = one_each("crps", outputs, targets, 2, "mean and logarithm of the variance")
    spread = np.exp(0.5 * outputs[..., 1:2])
    z = (targets - outputs[..., 0:1]) / spread
    density, share = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi), 0.5 * (1.0 + special.erf(z / np.sqrt(2.0)))
    return mean(
        "crps", per_row(spread * (z * (2.0 * share - 1.0) + 2.0 * density - 1 / np.sqrt(np.pi))), weight
    )


def _brier(outputs: Any, targets: Any, weight: Any = None) -> Any:
    """Brier 1950: the squared distance of probabilities from the right class."""
    p = np.exp(mc.nn.log_softmax(outputs))
    columns = np.arange(outputs.shape[1], dtype=np.int32).reshape((1, outputs.shape[1]))
    right = (targets.astype(np.int32).reshape((targets.shape[0], 1)) == columns).astype(outputs.dtype)
    return mean("brier", np.sum((p - right) ** 2, axis=1), weight)


def _squared(outputs: Any, targets: Any, weight: Any = None) -> Any:
    """Brier's, of yes or no."""
    p = np.exp(-SOFTPLUS(-outputs))
    return mean("square", per_row((p - alike("square", outputs, targets)) ** 2), weight)


def _quasi_poisson(outputs: Any, targets: Any, weight: Any = None) -> Any:
    counts = alike("quasi", outputs, targets)
    return mean("quasi", per_row(bounded_exp(outputs) - counts * outputs), weight)


def _fourth_power(outputs: Any, targets: Any, weight: Any = None) -> Any:
    return mean("quartic", per_row((outputs - alike("quartic", outputs, targets)) ** 4), weight)


NEW = {
    rule.name: rule
    for rule in (
        LossRule("lab.smooth_pinball", _smooth_pinball, lambda levels: Quantiles(levels), ""),
        LossRule("lab.crps", _crps, Normal(), ""),
        LossRule("lab.quasi_poisson", _quasi_poisson, Rate(), ""),
        LossRule("lab.quartic", _fourth_power, Point(), ""),
        LossRule("lab.brier", _brier, Probabilities("softmax"), ""),
        LossRule("lab.square", _squared, Probabilities("logistic"), "", multiclass="lab.brier"),
    )
}


@pytest.fixture
def declared() -> Iterator[None]:
    with mc.nn.LOSSES.including(NEW):
        yield


@dataclass(frozen=True)
class Data:
    """Rows with a number, a count and two or three classes to predict."""

    X: np.ndarray
    y: np.ndarray

    @property
    def frame(self) -> polars.DataFrame:
        return polars.DataFrame({"a": self.X[:, 0], "b": self.X[:, 1], "y": self.y})


def _data(outputs: Outputs) -> Data:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (300, 2)).astype(np.float32)
    signal = 2.0 * X[:, 0] + np.abs(X[:, 1])
    if outputs.task == "regression":
        noisy = signal + 0.3 * rng.standard_normal(300)
        return Data(X, np.exp(0.5 * noisy) if isinstance(outputs, Rate) else noisy)
    codes = np.digitize(signal, [0.5] if outputs.task == "binary" else [-0.5, 1.0])
    return Data(X, codes)


def _has_interval(outputs: Outputs) -> bool:
    return isinstance(outputs, NumberOutputs) and outputs.is_distribution


@pytest.mark.parametrize("name", NEW)
def test_a_new_loss_is_fitted_predicted_evaluated_and_saved(
    name: str, declared: None, tmp_path: Path
) -> None:
    loss = mc.nn.Loss(name)
    outputs = loss.outputs
    data, units = _data(outputs), {"multiclass": 3}.get(outputs.task, 1)
    end = ()
    if isinstance(outputs, NumberOutputs):
        units, end = outputs.width, outputs.end
    net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(units), *end)
    # Deviances are for counts and amounts; half of these numbers are below 0.
    metrics = [metric for metric in scores_for(outputs) if "deviance" not in metric]
    monitor = "val_loss" if outputs.task == "regression" else "val_accuracy"
    run = mc.fit(
        net, data.X, data.y, loss=loss, metrics=metrics, epochs=80, optimizer=mc.optim.Adam(0.02),
        batch_size=30, validation_fraction=0.3, callbacks=[mc.KeepBest(monitor)],
    )  # fmt: skip
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert {f"val_{metric}" for metric in metrics} <= set(run.history.names)
    run.save(tmp_path / "m.safetensors")
    model = mc.load(tmp_path / "m.safetensors")
    assert model.outputs == outputs
    predictions = model.predict(data.X)
    assert predictions.shape == ((300,) if units == 1 else (300, units))
    scores = model.evaluate(data.X, data.y)
    assert scores["r2" if outputs.task == "regression" else "accuracy"] > 0.8
    if not _has_interval(outputs):
        with pytest.raises(mc.DataError, match="predict_interval: this network predicts no intervals"):
            model.predict_interval(data.X, 0.8)
        return
    low, high = model.predict_interval(data.X, 0.8).T
    inside = float(np.mean((low <= data.y) & (data.y <= high)))
    assert inside == pytest.approx(
        0.8, abs=0.15
    )  # a network promises no coverage, but it was shown these rows
    if isinstance(outputs, Quantiles):
        with pytest.raises(
            mc.DataError, match=r"0\.9 lies between the quantiles 0\.05 and 0\.95; the loss has 0\.1"
        ):
            model.predict_interval(data.X)


@pytest.mark.parametrize("name", NEW)
def test_estimators_take_a_new_loss(name: str, declared: None) -> None:
    loss = mc.nn.Loss(name)
    data, of_numbers = _data(loss.outputs), loss.outputs.task == "regression"
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (16,), "max_iter": 150, "learning_rate_init": 0.02, "random_state": 0,
        "early_stopping": True, "n_iter_no_change": 50, "batch_size": 90,
    }  # fmt: skip
    model = (mc.MLPRegressor if of_numbers else mc.MLPClassifier)(loss=loss, **settings)
    if not of_numbers:
        model.set_params(calibrate=True)
    assert model.fit(data.X, data.y).score(data.X, data.y) > 0.8
    if of_numbers:
        low, high = model.predict_interval(data.X, 0.8).T
        assert (low <= high).all()
        return
    p = model.predict_proba(data.X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)  # float32
    np.testing.assert_array_equal(p.argmax(axis=1), model.predict(data.X))


@pytest.mark.parametrize("name", NEW)
def test_tables_take_a_new_loss(name: str, declared: None, tmp_path: Path) -> None:
    loss = mc.nn.Loss(name)
    outputs, frame = loss.outputs, _data(loss.outputs).frame
    wishes: dict[str, Any] = {"hidden": (16,), "epochs": 30, "dropout": 0.0}
    done = mc.fit_table(frame, "y", loss=loss, **wishes)
    assert done.metrics["r2" if outputs.task == "regression" else "accuracy"] > 0.7
    done.model.save(tmp_path / "m.safetensors")
    model = mc.load(tmp_path / "m.safetensors")
    columns = model.predict_distribution_table(frame)
    np.testing.assert_array_equal(columns.pop("prediction"), model.predict_table(frame))
    if isinstance(outputs, ClassOutputs):
        assert list(columns) == [f"probability {label}" for label in model.table.classes]  # type: ignore[union-attr]
        np.testing.assert_array_equal(np.stack(list(columns.values()), 1), model.predict_proba_table(frame))
        return
    assert bool(columns) == _has_interval(outputs) == ("interval_coverage" in done.metrics)
    low, high = model.predict_interval_table(frame, 0.8).T  # of its outputs, or by residuals of rows held out
    y = frame["y"].to_numpy()
    assert low.dtype == np.float64
    assert float(np.mean((low <= y) & (y <= high))) == pytest.approx(0.8, abs=0.15)


# Scores and their directions --------------------------------------------------------------------------------

# As scikit-learn's scorers have them: a "neg_" in front says that lower is better.
DIRECTIONS = {
    "accuracy": True, "balanced_accuracy": True, "log_loss": False, "roc_auc": True, "f1": True, "mcc": True,
    "average_precision": True, "r2": True, "rmse": False, "mae": False, "mape": False,
    "poisson_deviance": False, "gamma_deviance": False, "pinball": False, "interval_coverage": None,
}  # fmt: skip


def test_which_scores_are_better_when_higher() -> None:
    from minicolumn.cli.score_report import beats
    from minicolumn.model.metric_names import NAMES
    from minicolumn.train.tracker import lower_is_better

    assert {name: higher_is_better(name) for name in METRICS} == DIRECTIONS
    for name, higher in DIRECTIONS.items():
        if higher is not None:
            assert lower_is_better(f"val_{name}") == (not higher)
        if name in NAMES and higher is not None:
            assert beats({name: 2.0}, {name: 1.0}) == higher
            assert beats({name: 1.0}, {name: 2.0}) == (not higher)


def _pair(outputs: Outputs, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return answers, and predictions of a kind that are the further off the more noise there is."""
    rng = np.random.default_rng(0)
    off = noise * rng.standard_normal((90, 3))
    codes = np.arange(90) % (3 if outputs.task == "multiclass" else 2)
    if isinstance(outputs, NumberOutputs):
        y = rng.gamma(3.0, 1.0, 90) + 1.0
        guess = np.maximum(y + off[:, 0], 0.1)
        spread = {1: [0.0], 3: [-0.2, 0.0, 0.2]}.get(outputs.width)
        wide = np.stack([guess, np.full(90, -2.0)], axis=1) if spread is None else guess[:, None] + spread
        return y, wide
    if outputs.task == "multiclass":
        raw = 4.0 * np.eye(3)[codes] + off
    else:
        raw = (8.0 * codes - 4.0)[:, None] + off[:, :1]
    return codes, mc.nn.activation_by_name(outputs.activation).function(raw)


@pytest.mark.parametrize("name", mc.nn.LOSSES)
def test_better_predictions_score_better_in_the_direction_that_is_said(name: str) -> None:
    from minicolumn.model.scores import check_metrics, directions, measure

    loss = mc.nn.Loss(name, levels=LEVELS) if name == "quantile" else mc.nn.Loss(name)
    metrics = check_metrics("fit", list(scores_for(loss.outputs)), loss)
    (y, good), (_, bad) = _pair(loss.outputs, 0.3), _pair(loss.outputs, 6.0)
    better, worse = measure(loss, y, good, None, metrics), measure(loss, y, bad, None, metrics)
    assert list(better) == [*metrics]
    for metric, higher in directions(metrics, loss).items():
        assert higher == DIRECTIONS[metric]
        if higher is not None:
            assert (better[metric] > worse[metric]) == higher, metric
