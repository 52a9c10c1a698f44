"""Temperature scaling: calibrated class probabilities, fitted on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.nn import Dense, Sequential
from minicolumn.nn.outputs import ClassOutputs

Array = np.ndarray

# How far the logarithm of the factor is expected to lie from 0: what a few rows say is not believed at once.
_SPREAD = 0.3
_FARTHEST = 2.0  # of the logarithm: factors from 0.14 to 7.4


def calibrated(model: Model, X: Array, y: Array, weight: Array | None = None) -> Model:
    """Return the model with calibrated probabilities: logits scaled by a factor fitted on held-out rows.

        p' = softmax(f z),      f = best_factor(p, y),      folded into the last layer: W' = f W, b' = f b

    Which class is likeliest does not change, nor does the cost of a prediction. The temperature 1 / f is kept
    in ``training["temperature"]``.

    model       whose outputs are probabilities, its last layer linear
    X           held-out rows [rows, features], not trained on; y: their class numbers, int [rows]
    weight      of these rows, [rows]; None for all alike
    Errors      DataError for a network whose last layer is not a linear `Dense`, and without probabilities
    Source      Guo, Pleiss, Sun & Weinberger 2017 (arXiv 1706.04599), section 4.2
    Differs     the factor is drawn towards 1 where rows are few; scikit-learn's CalibratedClassifierCV wraps
                the classifier in a second model
    """
    outputs = model.outputs
    if not isinstance(outputs, ClassOutputs) or not outputs.are_probabilities:
        raise DataError("calibrated: the model predicts no probabilities")
    return tempered(model, best_factor(outputs.class_scores(model.predict(X)), y, weight))


def tempered(model: Model, factor: float) -> Model:
    """Return the model with its logits multiplied by a factor, folded into the last layer; see `calibrated`.

    Errors      DataError for a network whose last layer is not a linear `Dense`
    """
    network = model.network
    last = network.layers[-1] if isinstance(network, Sequential) and network.layers else None
    if not isinstance(last, Dense) or last.activation != "linear":
        raise DataError(f"calibrated: the last layer is {last!r}, expected a linear Dense")
    place = str(len(network.layers) - 1)  # type: ignore[union-attr]
    scale = np.float32(factor)
    scaled = {name: (value * scale).astype(value.dtype) for name, value in model.params[place].items()}
    training = {**model.training, "temperature": float(1.0 / scale)}
    return replace(model, params={**model.params, place: scaled}, training=training)


def best_factor(probabilities: Array, y: Array, weight: Array | None = None) -> float:
    """Return the inverse temperature of greatest posterior density on some rows.

        argmin over f of    - sum over rows of w log softmax(f log p)_y  +  (log f)^2 / (2 0.3^2)

    The second term is a normal prior on log f, of deviation 0.3.

    probabilities   [rows, classes]
    y               class numbers, int [rows]
    weight          w, >= 0, [rows], in units of their mean, so that the prior weighs the same against as many
                    rows; None for 1 each
    Returns         between exp(-2) and exp(2)

    >>> sure = np.array([[0.99, 0.01]] * 400)
    >>> round(best_factor(sure, np.array([0, 0, 0, 1] * 100)), 2)  # right in three of four
    0.27
    """
    # The least positive float32 of full precision: a probability that vanished still has a logarithm.
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-38))
    each = np.ones(len(y)) if weight is None else weight / np.mean(weight, dtype=np.float64)
    right = float(each @ logits[np.arange(len(y)), y])

    def loss(log_factor: float) -> float:
        factor = np.exp(log_factor)
        total = each @ np.log(np.sum(np.exp(factor * logits), axis=1)) - factor * right
        return float(total + 0.5 * (log_factor / _SPREAD) ** 2)

    return float(np.exp(_least(loss, -_FARTHEST, _FARTHEST)))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Minimize a unimodal function over [low, high], to 1e-6, by golden-section search (Kiefer 1953)."""
    inner = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - inner * (high - low), low + inner * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-6:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - inner * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + inner * (high - low)
            at_right = function(right)
    return (low + high) / 2.0
