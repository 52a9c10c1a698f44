"""scikit-learn import: fitted MLPClassifier and MLPRegressor objects, also behind scalers in a Pipeline.

The objects are given, not opened: a pickle is never read here. They are known by their class's name and
module and by their fitted attributes, so scikit-learn is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.imports.chain import Chain
from minicolumn.model.model import Model

Array = np.ndarray
_ACTIVATIONS = {
    "identity": "linear", "logistic": "logistic", "tanh": "tanh", "relu": "relu", "softmax": "softmax",
    "exp": "exponential",
}  # fmt: skip


def from_sklearn(estimator: Any) -> Model:
    """Return a fitted multilayer perceptron of scikit-learn as a model, with its labels.

    estimator   an MLPClassifier or MLPRegressor; or a Pipeline of StandardScaler, MinMaxScaler, MaxAbsScaler
                or RobustScaler and one of these
    Returns     a `Model`, float64 where the estimator's weights are; of a classifier a `ClassifierModel` with
                ``predict``, ``predict_proba`` and ``classes_`` as there
    Errors      DataError for what is not fitted, another class, or a setting that has no layer
    Differs     skl2onnx gives a file for ONNX Runtime; this can be trained on, and saved as one of our files

    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), ["low", "low", "high", "high"]
    >>> theirs = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, y)
    >>> ours = from_sklearn(theirs)
    >>> ours.predict(X).tolist(), bool(np.allclose(ours.predict_proba(X), theirs.predict_proba(X)))
    (['low', 'low', 'high', 'high'], True)
    """
    *front, last = [step for _, step in estimator.steps] if _is(estimator, "Pipeline") else [estimator]
    if not _is(last, "MLPClassifier") and not _is(last, "MLPRegressor"):
        raise DataError(
            f"from_sklearn: {type(last).__name__} is none of MLPClassifier, MLPRegressor, or a Pipeline that "
            "ends in one"
        )
    if not hasattr(last, "coefs_"):
        raise DataError(f"from_sklearn: this {type(last).__name__} is not fitted; call fit first")
    try:
        with np.errstate(all="ignore"):
            return _model(front, last)
    except ModelFileError as error:
        raise DataError(f"from_sklearn: it {error}") from None


def _model(front: list[Any], last: Any) -> Model:
    coefs = [np.asarray(weight) for weight in last.coefs_]
    width = getattr((front or [last])[0], "n_features_in_", coefs[0].shape[0])
    chain = Chain((int(width),))
    for step in front:
        chain = _scaled(step, chain)
    for place, (weight, bias) in enumerate(zip(coefs, last.intercepts_, strict=True)):
        chain = chain.dense(weight.astype(np.float64), np.asarray(bias))
        chain = chain.activation(
            _activation(last.out_activation_ if place == len(coefs) - 1 else last.activation)
        )
    source = {"format": "scikit-learn", "estimator": type(last).__name__}
    dtype = np.result_type(*coefs)
    if _is(last, "MLPRegressor"):
        return chain.model(
            source, "poisson" if last.out_activation_ == "exp" else "squared_error", dtype=dtype
        )
    multilabel = getattr(last._label_binarizer, "y_type_", "").startswith("multilabel")
    return chain.model(source, classes=np.asarray(last.classes_), multilabel=multilabel, dtype=dtype)


def _is(value: Any, name: str) -> bool:
    """Return whether a value is of a class of scikit-learn with this name, or of one made from it."""
    return any(
        kind.__name__ == name and kind.__module__.split(".")[0] == "sklearn" for kind in type(value).__mro__
    )


def _activation(name: str) -> str:
    if name not in _ACTIVATIONS:
        raise ModelFileError(f"has the activation {name!r:.60}, which is not known here")
    return _ACTIVATIONS[name]


def _scaled(step: Any, chain: Chain) -> Chain:
    """Return a chain behind a scaler."""
    if step is None or step == "passthrough":
        return chain
    for name, append in _SCALERS.items():
        if _is(step, name):
            if not hasattr(step, "n_features_in_"):
                raise ModelFileError(f"has a {name} that is not fitted")
            return append(step, chain)
    raise ModelFileError(f"has a {type(step).__name__} in its Pipeline; known are {', '.join(_SCALERS)}")


def _standard(step: Any, chain: Chain) -> Chain:
    mean = step.mean_ if step.with_mean else np.zeros(())
    return chain.standardize(mean, step.scale_ if step.with_std else np.ones(()))


def _robust(step: Any, chain: Chain) -> Chain:
    center = step.center_ if step.with_centering else np.zeros(())
    return chain.standardize(center, step.scale_ if step.with_scaling else np.ones(()))


def _min_max(step: Any, chain: Chain) -> Chain:
    if step.clip:
        raise ModelFileError("has a MinMaxScaler that clips")
    scale, shift = np.asarray(step.scale_, np.float64), np.asarray(step.min_, np.float64)
    return chain.standardize(-shift / scale, 1.0 / scale)  # x scale + shift


_SCALERS: dict[str, Callable[[Any, Chain], Chain]] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": lambda step, chain: chain.standardize(np.zeros(()), step.scale_),
}
