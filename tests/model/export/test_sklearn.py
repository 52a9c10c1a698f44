"""Models as fitted scikit-learn estimators: the same predictions, back again, a file form without pickles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted
from tables import frame
from tables import model as model_of
from test_torch import chain, loaded

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model.export import checks
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.sklearn_object import sklearn_files

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
# Sums in another order, in float32.
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}

NUMBERS = {
    "numbers": chain(mc.nn.Dense(5, "tanh"), mc.nn.Dense(2), loss="squared_error"),
    "one number": chain(mc.nn.Dense(5, "logistic"), mc.nn.Dense(3, "logistic"), mc.nn.Dense(1), loss="huber"),
    "no hidden layer": chain(mc.nn.Dense(1), loss="squared_error"),
    "rates": chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(1), loss="poisson"),
    "scaled": chain(
        mc.nn.Standardize(), mc.nn.Scale(), mc.nn.Dense(5, "relu", parametrization="ntk", bias_rate=0.1),
        mc.nn.Dropout(0.3), mc.nn.Dense(2, bias=False), loss="squared_error",
    ),
    "activation apart": chain(
        mc.nn.Sequential(mc.nn.Dense(5), mc.nn.Activation("relu")), mc.nn.Dense(2), loss="squared_error"
    ),
}  # fmt: skip
CLASSES = {
    "classes": chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(3)),
    "two outputs": chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(2)),
    "one output": chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(1), loss="binary_cross_entropy"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_predicted_as_here(name: str) -> None:
    model = NUMBERS[name]
    theirs: Any = mc.to_sklearn(model)
    kind = type(theirs)
    assert kind is MLPRegressor
    check_is_fitted(theirs)
    np.testing.assert_allclose(theirs.predict(X), model.predict(X), **CLOSE)
    np.testing.assert_allclose(mc.from_sklearn(theirs).predict(X), model.predict(X), **CLOSE)


@pytest.mark.parametrize("name", CLASSES)
def test_probabilities_are_those_here(name: str) -> None:
    model = CLASSES[name]
    theirs: Any = mc.to_sklearn(model)
    kind = type(theirs)
    assert kind is MLPClassifier
    scores = model.outputs.class_scores(model.predict(X))  # type: ignore[union-attr]
    np.testing.assert_allclose(theirs.predict_proba(X), scores, **CLOSE)
    assert theirs.predict(X).tolist() == scores.argmax(axis=1).tolist()
    again: Any = mc.from_sklearn(theirs)
    np.testing.assert_allclose(again.predict_proba(X), scores, **CLOSE)


# A few steps are enough: what is tested is not how well they fit.
few_steps = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")


@few_steps
@pytest.mark.parametrize("labels", [["a", "b"], ["x", "y", "z"], [3, 5, 9]])
def test_labels_come_along(labels: list[Any]) -> None:
    y = np.array(labels)[np.arange(40) % len(labels)]
    first: Any = MLPClassifier((6,), max_iter=30, solver="lbfgs", random_state=0).fit(X, y)
    theirs: Any = mc.to_sklearn(mc.from_sklearn(first))
    assert theirs.classes_.tolist() == first.classes_.tolist()
    assert theirs.out_activation_ == first.out_activation_
    assert all(np.array_equal(a, b) for a, b in zip(theirs.coefs_, first.coefs_, strict=True))
    assert theirs.predict(X).tolist() == first.predict(X).tolist()
    assert theirs.score(X, y) == first.score(X, y)


@few_steps
def test_several_labels_a_row_come_along() -> None:
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1], axis=1).astype(int)
    first: Any = MLPClassifier((6,), max_iter=30, solver="lbfgs", random_state=0).fit(X, y)
    theirs: Any = mc.to_sklearn(mc.from_sklearn(first))
    assert np.array_equal(theirs.predict(X), first.predict(X))
    np.testing.assert_allclose(theirs.predict_proba(X), first.predict_proba(X), **CLOSE)


@few_steps
def test_what_comes_out_has_every_attribute_that_fit_leaves_public() -> None:
    theirs: Any = mc.to_sklearn(CLASSES["classes"])
    fitted = MLPClassifier((5,), max_iter=3, solver="lbfgs").fit(X, np.arange(40) % 3)
    assert {name for name in vars(fitted) if name.endswith("_")} <= {*vars(theirs)}
    copy: Any = clone(theirs)
    again = copy.set_params(max_iter=3, solver="lbfgs").fit(X, np.arange(40) % 3)
    assert again.n_layers_ == theirs.n_layers_ == 3


def test_flattened_images_are_taken_as_rows() -> None:
    net = mc.nn.Sequential(mc.nn.Flatten(), mc.nn.Dense(4, "relu"), mc.nn.Dense(3))
    model = mc.Model(net, net.init(0, (2, 5)), (2, 5), "softmax_cross_entropy")
    images = np.random.default_rng(1).normal(size=(6, 2, 5)).astype(np.float32)
    found = mc.to_sklearn(model).predict_proba(images.reshape(6, 10))
    np.testing.assert_allclose(found, model.predict(images), **CLOSE)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            chain(mc.nn.Dense(3, "gelu"), mc.nn.Dense(2)),
            "no activation gelu; it has linear, logistic, tanh, relu",
        ),
        (chain(mc.nn.Dense(3, "relu"), mc.nn.Dense(3, "tanh"), mc.nn.Dense(2)), "relu and tanh"),
        (chain(mc.nn.Dense(3, "relu"), mc.nn.BatchNorm(), mc.nn.Dense(2)), "no layer for BatchNorm"),
        (chain(mc.nn.Dense(3, "relu"), mc.nn.Residual(mc.nn.Dense(3))), "no layer for Residual"),
        (chain(mc.nn.Dense(3, "relu")), "last layer is linear, this one has relu"),
        (chain(mc.nn.Dense(3), mc.nn.Standardize()), "end in a dense layer"),
        (chain(mc.nn.Dense(2), loss="gaussian_nll"), "outputs are normal"),
        (chain(mc.nn.Dense(1), loss="hinge"), "outputs are margins"),
        (model_of(frame("number", 0.1)), "no part for its preprocessing"),
        ("a model", "expected a model, got str"),
    ],
    ids=str,
)
def test_what_scikit_learn_has_not_is_named(model: Any, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        mc.to_sklearn(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*NUMBERS, *CLASSES])
def test_the_file_form_passes_its_own_test(name: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="needs safetensors: pip install safetensors")
    model = (NUMBERS | CLASSES)[name]
    exported = model.export("sklearn", tmp_path / "it.py")
    assert exported.checked == "scikit-learn"
    assert [path.name for path in exported.paths] == ["it.py", "it.safetensors"]
    found, wanted = loaded(tmp_path / "it.py").load(), mc.to_sklearn(model)
    assert np.array_equal(found.predict(X), wanted.predict(X))


def test_a_self_test_sees_answers_that_are_off() -> None:
    pytest.importorskip("safetensors", reason="needs safetensors: pip install safetensors")
    pipeline, other = (
        Pipeline(CLASSES["classes"], "it"),
        chain(mc.nn.Dense(5, "relu"), mc.nn.Dense(3, bias=False)),
    )
    wrong = sklearn_files(pipeline) | {
        name: data
        for name, data in sklearn_files(Pipeline(other, "it")).items()
        if name.endswith(".safetensors")
    }
    with pytest.raises(DataError, match="scikit-learn answers row 1"):
        checks.by_sklearn(pipeline, wrong)
