"""A fitted multilayer perceptron of scikit-learn from its weights; exports carry this function as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer


def estimator(
    coefs: Any,
    intercepts: Any,
    activation: str,
    out_activation: str,
    classes: Any = None,
    multilabel: bool = False,
) -> Any:
    """Return an MLPClassifier, or without classes an MLPRegressor, as `fit` leaves it.

    coefs               [fan_in, units] of each layer; intercepts [units]
    activation          of the hidden layers; out_activation: "identity", "exp", "logistic" or "softmax"
    classes             the labels, sorted; multilabel: whether a row may have any number of them
    """
    coefs, intercepts = [np.array(w) for w in coefs], [np.array(b) for b in intercepts]
    hidden = tuple(w.shape[1] for w in coefs[:-1])
    kind = MLPRegressor if classes is None else MLPClassifier
    found: Any = kind(hidden_layer_sizes=hidden, activation=activation)
    if out_activation == "exp":
        found.set_params(loss="poisson")
    found.n_features_in_ = coefs[0].shape[0]
    found.n_layers_, found.n_outputs_ = len(coefs) + 1, coefs[-1].shape[1]
    found.coefs_, found.intercepts_, found.out_activation_ = coefs, intercepts, out_activation
    # No training is behind it.
    found.n_iter_, found.t_, found.loss_, found.best_loss_, found.loss_curve_ = 0, 0, np.nan, None, []
    if classes is not None:
        classes = np.array(classes)
        several = np.array([[0] * len(classes), [1] * len(classes)])  # what a LabelBinarizer of labels sees
        found._label_binarizer = LabelBinarizer().fit(several if multilabel else classes)
        found.classes_ = found._label_binarizer.classes_
    return found
