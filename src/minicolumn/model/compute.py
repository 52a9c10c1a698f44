"""A network at work on many rows: predictions, losses and scores, in blocks and for any weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minicolumn.lower.compile import compile
from minicolumn.model import metrics
from minicolumn.model.rows import Rows
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LossRule
from minicolumn.tree import flatten

Array = np.ndarray
# Rows worked on at a time: the memory needed does not grow with the table.
BLOCK = 8192


class Forward:
    """A network compiled once, without dropout or noise; the weights come in as an argument.

    network     the layers
    rule        record of the loss, which says how raw outputs become predictions; None for an own function
    own_loss    what to measure where there is no record
    """

    def __init__(
        self, network: Layer, rule: LossRule | None, own_loss: Callable[..., Any] | None = None
    ) -> None:
        activation = activation_by_name(rule.output_activation if rule else "linear").function
        measured = rule.function if rule else own_loss
        self.rule = rule
        self._outputs = compile(lambda params, x: activation(network.apply(params, x)))

        def loss(params: Any, x: Array, y: Array, weight: Array) -> Any:
            assert measured is not None  # whoever has no loss asks for none
            return measured(network.apply(params, x), y, weight)

        self._loss = compile(loss)

    def predict(self, params: Any, X: Array) -> Array:
        """Return the predictions, [rows, outputs], or [rows] where the network has one output."""
        dtype = dtype_of(params)
        with np.errstate(over="ignore"):  # what is too large for the dtype is infinite to the network
            parts = [self._outputs(params, np.asarray(X[part], dtype)) for part in _blocks(len(X))]
        out = np.concatenate(parts)
        return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 else out

    def loss(self, params: Any, rows: Rows) -> float:
        """Return the (weighted) mean loss; NaN where all weights are 0."""
        weight = np.ones(len(rows), rows.X.dtype) if rows.weight is None else rows.weight
        total = scale = 0.0
        for part in _blocks(len(rows)):
            share = float(np.sum(weight[part], dtype=np.float64))
            if share:
                total += share * float(self._loss(params, rows.X[part], rows.y[part], weight[part]))
                scale += share
        return total / scale if scale else float("nan")

    def scores(self, params: Any, rows: Rows) -> dict[str, float]:
        """Return the scores that go with the loss and these targets; none for an own function."""
        if self.rule is None:
            return {}
        predicted, y = self.predict(params, rows.X), rows.y
        if self.rule.task == "regression":
            return metrics.regression_scores(y.reshape(predicted.shape), predicted)
        labels = y.reshape(-1) if y.size == len(y) else None
        if labels is None or (labels != np.floor(labels)).any():
            return {}  # shares of classes, or several answers a row
        p = predicted if predicted.ndim == 2 else np.stack([1.0 - predicted, predicted], axis=1)
        return metrics.classification_scores(labels.astype(np.int64), p)


def dtype_of(params: Any) -> np.dtype:
    """Return the dtype of the weights, in which the network computes."""
    leaves = flatten(params)[0]
    return leaves[0].dtype if leaves else np.dtype(np.float32)


def _blocks(rows: int) -> Iterator[slice]:
    """Cut rows into blocks; no rows at all are one empty block, so that results have their shape."""
    return (slice(start, start + BLOCK) for start in range(0, max(rows, 1), BLOCK))
