"""Estimators from their files: `load` gives back what was saved, `mc.load` a model that gives labels."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.cli import main
from minicolumn.model import ClassifierModel
from minicolumn.model.artifact import load_artifact, save_artifact

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
Array = np.ndarray

KINDS = ["binary", "multiclass", "multilabel", "numbers", "two numbers", "counts"]
LABELS: dict[str, Any] = {
    "words": np.array(["a", "bb", "ccc"]),
    "wide words": np.array(["a", "bb", "ccc"], "<U20"),
    "objects": np.array(["a", "bb", "ccc"], object),
    "small integers": np.array([-3, 5, 9], np.int8),
    "unsigned": np.array([3, 5, 9], np.uint16),
    "numbers": np.array([0.0, 1.0, 2.0], np.float32),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "records": {
        "solver": mc.optim.AdamW(0.01, weight_decay=0.1), "learning_rate": mc.optim.Cosine(),
        "constraint": mc.nn.MaxNorm(3), "callbacks": [mc.KeepBest("loss")], "activation": ["tanh", "selu"],
        "n_iter_no_change": np.inf,
    },
    "NumPy's values": {
        "hidden_layer_sizes": np.array([6, 4]), "alpha": np.float32(0.1), "batch_size": np.int64(16),
        "dropout": np.array([0.1, 0.2]), "dtype": np.float64,
    },
    "held out": {"early_stopping": True, "validation_fraction": 0.3, "scoring": None},
    "lbfgs": {"solver": "lbfgs", "l1": 1e-3},
}  # fmt: skip


def _fitted(kind: str, targets: Any, **settings: Any) -> Any:
    make: Any = mc.MLPRegressor if kind in ("numbers", "two numbers", "counts") else mc.MLPClassifier
    quick: dict[str, Any] = {"hidden_layer_sizes": (6, 4), "max_iter": 6, "random_state": 0}
    return make(**(quick | settings)).fit(*targets[kind])


def _reloaded(model: Any, folder: Path) -> Any:
    model.save(folder / "it.safetensors")
    return type(model).load(folder / "it.safetensors")


def _same(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(found, wanted, strict=True)


# Every kind as it stands, and every setting with two kinds.
PAIRS = [(kind, "plain") for kind in KINDS] + [
    (KINDS[(2 * k + further) % len(KINDS)], name)
    for k, name in enumerate(list(SETTINGS)[1:])
    for further in (0, 1)
]


@pytest.mark.parametrize(("kind", "settings"), PAIRS)
def test_an_estimator_comes_back_to_the_bit(kind: str, settings: str, targets: Any, tmp_path: Path) -> None:
    X, y = targets[kind]
    model = _fitted(kind, targets, **SETTINGS[settings])
    found = _reloaded(model, tmp_path)
    assert type(found) is type(model)
    _same(found.predict(X), model.predict(X))
    if kind in ("binary", "multiclass", "multilabel"):
        _same(found.predict_proba(X), model.predict_proba(X))
        _same(found.classes_, model.classes_)
    assert found.score(X, y) == model.score(X, y)
    for name in ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "n_layers_", "out_activation_"):
        assert getattr(found, name) == getattr(model, name), name
    assert found.history_.rows == model.history_.rows
    assert found.history_.kept == model.history_.kept
    given, said = model.get_params(), found.get_params()
    assert said["alpha"] == given["alpha"]
    assert repr(said["solver"]) == repr(given["solver"])
    assert vars(found).keys() == vars(model).keys()


@pytest.mark.parametrize("labels", LABELS)
def test_labels_have_their_dtype(labels: str, blobs: Any, tmp_path: Path) -> None:
    X, y = blobs
    model = _fitted("multiclass", {"multiclass": (X, LABELS[labels][y])})
    again, plain = _reloaded(model, tmp_path), mc.load(tmp_path / "it.safetensors")
    assert isinstance(plain, ClassifierModel)
    for one in (again, plain):
        _same(one.predict(X), model.predict(X))
        _same(one.predict_proba(X), model.predict_proba(X))
        _same(one.classes_, model.classes_)


def test_booleans_and_a_single_class(blobs: Any, tmp_path: Path) -> None:
    X, y = blobs
    for labels in (y > 0, np.full(len(y), "all")):
        model = _fitted("binary", {"binary": (X, labels)})
        found: list[Any] = [_reloaded(model, tmp_path), mc.load(tmp_path / "it.safetensors")]
        for one in found:
            _same(one.predict(X), model.predict(X))
            _same(one.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("loss", ["squared_error", "quantile:levels=0.1+0.5+0.9", "gaussian_nll"])
def test_intervals_come_back(loss: str, wave: Any, tmp_path: Path) -> None:
    X, y = wave
    weight = np.linspace(0.5, 1.5, len(X))
    model: Any = mc.MLPRegressor(loss, (6,), conformal_fraction=0.4, max_iter=6, random_state=0)
    found = _reloaded(model.fit(X, y, sample_weight=weight), tmp_path)
    _same(found.predict_interval(X, 0.8), model.predict_interval(X, 0.8))
    assert isinstance(mc.load(tmp_path / "it.safetensors"), mc.Model)


def test_names_of_features_and_a_fit_that_goes_on(blobs: Any, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    X, y = blobs
    table = polars.DataFrame(X, ["a", "b", "c", "d"])
    model = _fitted("multiclass", {"multiclass": (table, y)})
    found = _reloaded(model, tmp_path)
    assert list(found.feature_names_in_) == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        found.predict(table.select("b", "a", "c", "d"))
    before = found.score(table, y)
    found.set_params(warm_start=True, max_iter=100).fit(table, y)
    assert found.score(table, y) > before
    found.partial_fit(table, y)
    assert len(found.history_) == len(found.loss_curve_) == 107


def test_what_no_file_can_hold_has_its_default(blobs: Any, tmp_path: Path) -> None:
    class Quiet(mc.Callback):
        pass

    settings = {
        "callbacks": [Quiet()],
        "random_state": np.random.RandomState(3),
        "scoring": lambda e, X, y: 0.0,
    }
    model = _fitted("multiclass", {"multiclass": blobs}, early_stopping=True, **settings)
    found = _reloaded(model, tmp_path)
    assert (found.callbacks, found.random_state, found.scoring) == (None, None, None)
    _same(found.predict(blobs[0]), model.predict(blobs[0]))


def test_a_loaded_classifier_needs_no_scikit_learn(blobs: Any, tmp_path: Path) -> None:
    path = tmp_path / "it.safetensors"
    _fitted("multiclass", {"multiclass": blobs}).save(path)
    code = f"import sys, numpy, minicolumn as mc; print(mc.load({str(path)!r}).predict(numpy.zeros((1, 4))))"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}; print('sklearn' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.split()[-1] == "False"


def test_inspect_shows_parameters_and_no_curves(
    blobs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "it.safetensors"
    _fitted("multiclass", {"multiclass": blobs}).save(path)
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "hidden_layer_sizes [6, 4]" in shown
    assert "loss_curve_" not in shown


# Files that lie ---------------------------------------------------------------------------------------------


def _said(training: Any) -> Any:
    return training["fitted"]["parameters"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["fitted"].pop("dtype"), "cannot be made again"),
        (lambda t: t["fitted"].pop("multilabel"), "cannot be made again"),
        (lambda t: _said(t).update(hidden_layer_sizes=[5]), "another network"),
        (lambda t: _said(t).update(hidden_layer_sizes="x"), "cannot be made again"),
        (lambda t: _said(t).update(alfa=1.0), "unknown parameter 'alfa'; did you mean 'alpha'"),
        (lambda t: _said(t).update(solver={"record": {"name": "os"}}), "cannot be made again|optimizer"),
        (lambda t: t["fitted"].update(n_iter_="many"), "cannot be made again"),
        (lambda t: t["fitted"].update(convergence=[1.0]), "cannot be made again"),
        (lambda t: t["fitted"].update(kept=[1]), "cannot be made again"),
        (lambda t: t.update(class_dtype="<U99999999"), "no known dtype"),
        (lambda t: t.update(class_dtype="int8"), "not int8"),
        (lambda t: t.update(classes=["a", "b"]), "2 labels, its network gives"),
        (lambda t: t.update(classes=["a", "b", "c", "d"]), "4 labels, its network gives"),
        (lambda t: t.update(features=["a"]), "a name for each feature"),
        (lambda t: t.update(estimator="MLPRegressor"), "holds a MLPRegressor; open it with mc"),
        (lambda t: t.pop("fitted"), r"holds a model, not an estimator; open it with mc\.load"),
    ],
)  # fmt: skip
def test_a_file_that_was_changed_is_refused_in_one_line(
    change: Any, message: str, blobs: Any, tmp_path: Path
) -> None:
    path = tmp_path / "it.safetensors"
    _fitted("multiclass", {"multiclass": (blobs[0], LABELS["words"][blobs[1]])}).save(path)
    found = load_artifact(path)
    change(found.training)
    save_artifact(replace(found, training=found.training), path)
    with pytest.raises(mc.ModelFileError, match=message) as caught:
        mc.MLPClassifier.load(path)
    assert "\n" not in str(caught.value)
    if "class" in message or "label" in message or "dtype" in message or "int8" in message:
        with pytest.raises(mc.ModelFileError, match=message):
            mc.load(path)
    else:
        assert len(mc.load(path).predict(blobs[0])) == len(blobs[0])


@pytest.mark.parametrize("name", ["t_", "n_iter_", "_seed", "_no_improvement_count"])
@pytest.mark.parametrize("members", [1, 2])
def test_a_file_without_a_count_is_refused_in_one_line(name: str, members: int, tmp_path: Path) -> None:
    X, y = np.eye(6), [0, 1] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs are no training
        estimator = mc.MLPClassifier((2,), max_iter=2, random_state=0, members=members).fit(X, y)
    estimator.save(tmp_path / "m.safetensors")
    artifact = load_artifact(tmp_path / "m.safetensors")
    fitted = artifact.training["fitted"]
    (fitted["members"][0] if members > 1 else fitted).pop(name)
    save_artifact(artifact, tmp_path / "m.safetensors")
    with pytest.raises(mc.ModelFileError, match=name):
        mc.MLPClassifier.load(tmp_path / "m.safetensors")
