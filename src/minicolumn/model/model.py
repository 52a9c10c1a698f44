"""A trained network as users hold it: predict, evaluate, save, load; from arrays or from raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.lower.compile import compile
from minicolumn.model.artifact import Artifact, load_artifact, save_artifact
from minicolumn.model.files import PathLike
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LOSSES, LossRule
from minicolumn.nn.serialize import from_json, to_json

if TYPE_CHECKING:
    import polars

    from minicolumn.tables.encode import Encoder

Array = np.ndarray
# Rows predicted at a time: the memory of a prediction does not grow with the table.
BLOCK = 8192


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network with its weights, and with the encoder of the table that it was trained on, if there was one.

    network     the layers
    params      their weights
    input_shape shape of one input row, without the batch
    loss        name of the loss, which also says how outputs become predictions; "" for an own function
    table       what turns raw rows into input rows; None where the network was trained on arrays
    training    how it was trained; metrics: how it scored; history: one row an epoch
    """

    network: Layer
    params: Any
    input_shape: tuple[int, ...]
    loss: str = ""
    table: Encoder | None = None
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    data_hash: str | None = None

    def __repr__(self) -> str:
        return f"Model({self.network!r}, input_shape={self.input_shape})"

    # Arrays --------------------------------------------------------------------------------------------------

    @cached_property
    def _forward(self) -> Callable[[Any, Array], Array]:
        activation = activation_by_name(self._rule.output_activation if self._rule else "linear").function

        def forward(params: Any, x: Array) -> Array:
            return activation(self.network.apply(params, x))

        return compile(forward)

    @property
    def _rule(self) -> LossRule | None:
        return LOSSES.get(self.loss)

    def predict(self, X: Any) -> Array:
        """Return the network's outputs: probabilities after a cross-entropy loss, numbers otherwise.

        X           [rows, *input_shape], any real dtype
        Returns     float [rows, outputs]; float [rows] where the network has one output
        Errors      ShapeError if the rows do not have the network's input shape

        Rows are worked on in blocks, so the memory needed beside the result does not depend on their number.
        """
        x = np.asarray(X)
        if x.shape[1:] != self.input_shape or not x.ndim:
            raise ShapeError(
                f"predict: rows have shape {list(x.shape[1:])}, expected {list(self.input_shape)}, in an array "
                "[rows, *shape]"
            )
        dtype = self.dtype
        parts = [self._forward(self.params, np.asarray(block, dtype)) for block in _blocks(x)]
        out = np.concatenate(parts) if parts else self._forward(self.params, np.asarray(x, dtype))
        return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 else out

    @property
    def dtype(self) -> np.dtype:
        """Return the dtype of the weights, in which the network computes."""
        from minicolumn.tree import flatten

        leaves = flatten(self.params)[0]
        return leaves[0].dtype if leaves else np.dtype(np.float32)

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Return the loss on some rows, and the scores that go with it.

        X, y            as in `fit`
        sample_weight   [rows], for the loss
        Returns         {"loss": ..., and for classes accuracy, balanced_accuracy, log_loss, roc_auc; for numbers
                        r2, rmse, mae}
        Errors          ShapeError if X and y differ in length; DataError for a model with an own loss function
        """
        from minicolumn.model import metrics

        rule = self._rule
        if rule is None:
            raise DataError("evaluate: this model was trained with an own loss function, which a file cannot hold")
        targets = np.asarray(y)
        if not len(targets) or len(targets) != len(X):
            raise ShapeError(f"evaluate: X has {len(X)} rows and y {len(targets)}; expected the same, and at least one")
        predicted = self.predict(X)
        loss = mean_loss(self.network, rule.function, self.params, np.asarray(X, self.dtype), targets, sample_weight)
        scores = {"loss": loss}
        if rule.task == "regression":
            return {**scores, **metrics.regression_scores(targets, predicted)}
        if targets.ndim > 1 and targets.shape != predicted.shape:
            targets = targets.reshape(-1)
        if targets.ndim == 1:
            p = predicted if predicted.ndim == 2 else np.stack([1.0 - predicted, predicted], axis=1)
            scores |= metrics.classification_scores(targets.astype(np.int64), p)
        return scores

    # Raw rows ------------------------------------------------------------------------------------------------

    def _encoder(self) -> Encoder:
        if self.table is None:
            raise DataError("this model was trained on arrays, not on a table; use predict(X) and evaluate(X, y)")
        return self.table

    def predict_table(self, frame: polars.DataFrame) -> Array:
        """Return labels, or numbers in the target's own unit, for raw rows; column order and extra columns are free."""
        encoder = self._encoder()
        return encoder.decode_target(self._outputs(frame))

    def predict_proba_table(self, frame: polars.DataFrame) -> Array:
        """Return probabilities [rows, classes], in the order of `model.table.classes`, for raw rows."""
        if self._encoder().classes is None:
            raise DataError(f"the target {self._encoder().target!r} is a number; it has no class probabilities")
        return self._outputs(frame)

    def _outputs(self, frame: polars.DataFrame) -> Array:
        # Encoded block by block too: a large file needs no second copy of itself.
        encoder = self._encoder()
        parts = [
            self.predict(encoder.transform(frame.slice(start, BLOCK))) for start in range(0, max(frame.height, 1), BLOCK)
        ]
        out = np.concatenate(parts)
        if encoder.classes is not None and out.ndim == 1:
            return np.stack([1.0 - out, out], axis=1)
        return out

    def evaluate_table(self, frame: polars.DataFrame) -> dict[str, float]:
        """Return the scores on raw rows that hold the target; rows without one are left out."""
        return self.score_table(frame)[0]

    def score_table(self, frame: polars.DataFrame) -> tuple[dict[str, float], Array, Array]:
        """Return the scores on raw rows, the true target and the predicted one: codes for classes, else numbers."""
        from minicolumn.model import metrics

        encoder = self._encoder()
        rows = rows_with_target(frame, encoder)
        y = encoder.encode_target(rows)
        outputs = self._outputs(rows)
        if encoder.classes is not None:
            return metrics.classification_scores(y, outputs), y, np.argmax(outputs, axis=1)
        true = y.astype(np.float64) * encoder.target_scale + encoder.target_mean
        predicted = encoder.decode_target(outputs)
        return metrics.regression_scores(true, predicted), true, predicted

    # The file ------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> None:
        """Write the one file that holds the network, its weights and its table.

        At every instant the path holds the old file or the new one.

        Errors      DataError, in one line, if the network has own functions or the disk refuses
        """
        if self._rule is None:
            raise DataError("save: this model was trained with an own loss function, which a file cannot hold")
        save_artifact(self._artifact(), path)

    def _artifact(self) -> Artifact:
        from minicolumn import __version__

        return Artifact(
            network=to_json(self.network),
            input_shape=self.input_shape,
            params=self.params,
            loss=self.loss,
            table=None if self.table is None else self.table.to_json(),
            training=self.training,
            metrics=self.metrics,
            history=self.history,
            package=__version__,
            data_hash=self.data_hash,
        )

    @classmethod
    def load(cls, path: PathLike) -> Model:
        """Read a model file; nothing in it is run.

        Errors      ModelFileError, in one line, for anything but a whole and untouched model file
        """
        found = load_artifact(path)
        table = None
        if found.table is not None:
            from minicolumn.tables.encode import Encoder

            table = Encoder.from_json(found.table)
        return cls(
            from_json(found.network), found.params, found.input_shape, found.loss, table, found.training,
            found.metrics, found.history, found.data_hash,
        )  # fmt: skip


def load(path: PathLike) -> Model:
    """Return the model in a file: `Model.load`, under the name that goes with `run.save`."""
    return Model.load(path)


def _blocks(x: Array) -> Iterator[Array]:
    return (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))


def rows_with_target(frame: polars.DataFrame, encoder: Encoder) -> polars.DataFrame:
    """Return the rows that have a target; DataError where there is none."""
    from minicolumn.tables.schema import Schema, with_target

    schema = Schema((), encoder.target, encoder.task, encoder.classes or (), encoder.target_form, frame.height, 0)
    if encoder.target not in frame.columns:
        from minicolumn.errors import did_you_mean

        raise DataError(
            f"the table has no target column {encoder.target!r}{did_you_mean(encoder.target, frame.columns)}; "
            "evaluating needs the right answers"
        )
    rows = with_target(frame, schema)
    if not rows.height:
        raise DataError(f"no row has a target {encoder.target!r}; evaluating needs the right answers")
    return rows


def mean_loss(
    network: Layer, loss: Callable[..., Any], params: Any, X: Array, y: Array, sample_weight: Any = None,
    measure: Callable[..., Array] | None = None,
) -> float:  # fmt: skip
    """Return the loss over all rows, in blocks; `measure` is `loss_measure(network, loss)` if it is at hand."""
    measure = measure or loss_measure(network, loss)
    weight = np.ones(len(X), X.dtype) if sample_weight is None else np.asarray(sample_weight, X.dtype)
    total = scale = 0.0
    for start in range(0, len(X), BLOCK):
        part = slice(start, start + BLOCK)
        w = float(np.sum(weight[part], dtype=np.float64))
        if w:
            total += w * float(measure(params, X[part], y[part], weight[part]))
            scale += w
    return total / scale if scale else float("nan")


def loss_measure(network: Layer, loss: Callable[..., Any]) -> Callable[..., Array]:
    """Return the compiled mean loss of (params, X, y, weight), without dropout or noise."""
    return compile(lambda params, X, y, weight: loss(network.apply(params, X), y, weight))
