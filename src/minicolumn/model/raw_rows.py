"""Predictions and scores of a model for raw rows of a table, as files and frames hold them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError, DataWarning, did_you_mean
from minicolumn.model import metrics
from minicolumn.model.intervals import distribution, interval_scores, predicted_interval
from minicolumn.model.residuals import Residuals
from minicolumn.model.weighted_scores import weighted_decision_scores, weighted_scores
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs

if TYPE_CHECKING:
    import polars

    from minicolumn.tables.encode import Encoder
    from minicolumn.tables.typed import Typed

Array = np.ndarray

# Rows of a table that are encoded at a time.
TABLE_ROWS = 8192
_MOST_WARNINGS = 8  # of columns unlike those of the training; `typed_table` has all


class RawRows:
    """What of a `Model` takes raw rows: the methods whose names end in ``_table``, and the scores of rows.

    Rows are read as in the training, encoded, and given to the network some thousands at a time.
    """

    if TYPE_CHECKING:  # what a `Model` has
        table: Encoder | None
        loss: str

        @property
        def outputs(self) -> Outputs | None: ...

        @property
        def residuals(self) -> Residuals | None: ...

        def _outputs_for(self, X: Array) -> Array: ...

        def _inputs(self, who: str, X: Array) -> Array: ...

    def _encoder(self) -> Encoder:
        """Return the table's encoder; DataError for a model of arrays."""
        if self.table is None:
            raise DataError(
                "this model was trained on arrays, not on a table; use predict(X) and evaluate(X, y)"
            )
        return self.table

    def typed_table(self, frame: polars.DataFrame | object) -> Typed:
        """Return raw rows with numbers and dates read as in the training, and remarks on what is unlike it.

        frame       a table in any form of `minicolumn.tables.as_frame`: polars, pandas, a path, ...
        Returns     a `Typed`, which every method of tables takes in place of raw rows; its remarks are told
                    by them as warnings (`DataWarning`) otherwise: columns in another form, words taken as
                    missing, levels and ranges that the training has not seen
        Errors      DataError, with column, row and form, for cells that cannot be read
        """
        from minicolumn.tables.drift import drift

        encoder = self._encoder()
        typed = encoder.typed(_frame_of(frame))
        return replace(typed, remarks=(*typed.remarks, *drift(encoder, typed.frame)))

    def predict_table(self, frame: polars.DataFrame | object) -> Array:
        """Return labels, or numbers in the target's unit, for raw rows with columns in any order.

        frame       a table in any form of `minicolumn.tables.as_frame`: polars, pandas, a path, ...

        Of quantiles the one nearest to 1/2, of a normal distribution the mean; all of it is told by
        `predict_distribution_table`.
        """
        encoder, outputs = self._encoder(), self._table_outputs()
        predictions = self._raw_predictions(frame)
        if isinstance(outputs, ClassOutputs):
            return encoder.decode_target(outputs.class_scores(predictions))
        outputs.check(predictions)
        return encoder.decode_target(outputs.expected(predictions))

    def predict_distribution_table(
        self, frame: polars.DataFrame | object, interval: float | None = None
    ) -> dict[str, Array]:
        """Return the predictive distribution of raw rows as columns by name, [rows] each.

        interval    the coverage of prediction intervals that are wanted beside
        Returns     {"prediction": labels, "probability LABEL": ..., ...} for classes;
                    {"prediction": numbers} in the target's unit, with {"quantile 0.05": ..., ...} after
                    `quantile` at several levels, with {"standard deviation": ...} after `gaussian_nll`, and
                    with {"lower 0.9": ..., "upper 0.9": ...} of an interval
        Errors      DataError for an interval of classes, and as for `predict_interval_table`
        """
        encoder, outputs = self._encoder(), self._table_outputs()
        if interval is not None and not isinstance(outputs, NumberOutputs):
            raise DataError(
                f"predict_interval: the target {encoder.target!r} has classes; they have probabilities"
            )
        predictions = self._raw_predictions(frame)
        if isinstance(outputs, NumberOutputs):
            found = distribution(outputs, predictions, encoder)
            return found if interval is None else found | self._ends(predictions, interval)
        scores = outputs.class_scores(predictions)
        columns = zip(encoder.classes or (), scores.T, strict=True)
        return {
            "prediction": encoder.decode_target(scores),
            **{f"probability {label}": column for label, column in columns},
        }

    def predict_proba_table(self, frame: polars.DataFrame | object) -> Array:
        """Return class probabilities for raw rows, [rows, classes], in the order of `model.table.classes`.

        Errors      DataError where the target is a number, or a column is missing
        """
        outputs = self._table_outputs()
        if not isinstance(outputs, ClassOutputs):
            raise DataError(
                f"the target {self._encoder().target!r} is a number; it has no class probabilities"
            )
        return outputs.class_scores(self._raw_predictions(frame))

    def predict_interval_table(self, frame: polars.DataFrame | object, coverage: float = 0.9) -> Array:
        """Return prediction intervals for raw rows, in the target's unit; see `predict_interval`.

        Returns     float64 [rows, 2]
        """
        return self._interval(self._raw_predictions(frame), coverage)

    def _interval(self, predictions: Array, coverage: float) -> Array:
        """Return intervals in the target's unit, [rows, 2], around predictions [rows, outputs]."""
        ends = predicted_interval(self._table_outputs(), predictions, coverage, self.residuals)
        return self._encoder().in_unit(ends)

    def _ends(self, predictions: Array, coverage: float) -> dict[str, Array]:
        lower, upper = self._interval(predictions, coverage).T
        return {f"lower {coverage:g}": lower, f"upper {coverage:g}": upper}

    def _table_outputs(self) -> ClassOutputs | NumberOutputs:
        """Return what the outputs mean; DataError where the table asks for something else."""
        classes, outputs = self._encoder().classes, self.outputs
        wanted = NumberOutputs if classes is None else ClassOutputs
        if not isinstance(outputs, wanted):
            kind = "numbers" if classes is None else "classes"
            raise DataError(f"the table has {kind} to predict, which outputs of {self.loss!r} are not")
        return outputs

    def _raw_predictions(self, frame: polars.DataFrame | object) -> Array:
        """Return the network's outputs for raw rows, [rows, outputs].

        Rows are encoded 8,192 at a time, so a large file needs no second copy of itself.
        """
        encoder, rows = self._encoder(), self._typed_rows(frame)
        parts = [
            self._outputs_for(encoder.matrix(rows.slice(start, TABLE_ROWS)))
            for start in range(0, max(rows.height, 1), TABLE_ROWS)
        ]
        return np.concatenate(parts)

    def _typed_rows(self, frame: polars.DataFrame | object) -> polars.DataFrame:
        """Return typed rows; of raw ones the remarks are warned of."""
        from minicolumn.tables.typed import Typed

        if isinstance(frame, Typed):
            return frame.frame
        typed = self.typed_table(frame)
        for remark in typed.remarks[:_MOST_WARNINGS]:
            warnings.warn(str(remark), DataWarning, stacklevel=4)
        if (more := len(typed.remarks) - _MOST_WARNINGS) > 0:
            warnings.warn(f"{more} more columns; typed_table tells all", DataWarning, stacklevel=4)
        return typed.frame

    def evaluate_table(self, frame: polars.DataFrame | object) -> dict[str, float]:
        """Return the metrics on raw rows that hold the target; rows without one are left out.

        Returns     as `evaluate`, without the loss; numbers are judged in the target's unit
        Errors      DataError where the target column or all targets are missing
        """
        return self.score_table(frame)[0]

    def score_table(self, frame: polars.DataFrame | object) -> tuple[dict[str, float], Array, Array]:
        """Return the metrics on raw rows, the true targets and the predicted, as class codes or numbers."""
        encoder = self._encoder()
        rows = rows_with_target(_frame_of(frame), encoder)
        return self.score_typed(self.typed_table(rows), encoder.encode_target(rows))

    def score_typed(self, typed: Typed, y: Array) -> tuple[dict[str, float], Array, Array]:
        """Return what `score_table` returns, for rows of `typed_table` and the target's codes or numbers."""
        return self.score_predictions(self._raw_predictions(typed), y)

    def score_encoded(self, X: Array, y: Array) -> tuple[dict[str, float], Array, Array]:
        """Return what `score_table` returns, for rows that the table's encoder has encoded already."""
        return self.score_predictions(self._outputs_for(self._inputs("score_encoded", X)), y)

    def score_predictions(
        self, predictions: Array, y: Array, weight: Array | None = None
    ) -> tuple[dict[str, float], Array, Array]:
        """Return what `score_table` returns, for predictions of any origin, such as out-of-fold ones.

        predictions as `predict` gives them, [rows, outputs]
        y           class codes, or numbers on the network's scale
        weight      of the rows, [rows]; None for all alike
        """
        encoder, outputs = self._encoder(), self._table_outputs()
        if isinstance(outputs, ClassOutputs):
            p = outputs.class_scores(predictions)
            guess = encoder.choose(p)
            scores = _usual_scores(outputs, y, p, weight)
            if encoder.threshold != 0.5:  # of what was predicted, not of what is likeliest
                scores |= _decision_scores(y, guess, p.shape[1], weight)
            return scores, y, guess
        outputs.check(predictions)
        true = encoder.in_unit(y)
        predicted = encoder.decode_target(outputs.expected(predictions))
        scores = _usual_scores(outputs, true, predicted, weight)
        return {**scores, **interval_scores(outputs, predictions, y, weight)}, true, predicted


def _usual_scores(outputs: Outputs, y: Array, predicted: Array, weight: Array | None) -> dict[str, float]:
    if weight is None:
        return metrics.usual_scores(outputs, y, predicted)
    return weighted_scores(outputs, y, predicted, weight)


def _decision_scores(codes: Array, guess: Array, classes: int, weight: Array | None) -> dict[str, float]:
    if weight is None:
        return metrics.decision_scores(codes, guess, classes)
    return weighted_decision_scores(codes, guess, classes, weight)


def _frame_of(table: polars.DataFrame | object) -> polars.DataFrame:
    """Return raw rows in any form as a polars frame, which may have no row."""
    from polars import DataFrame

    from minicolumn.tables import as_frame

    return table if isinstance(table, DataFrame) else as_frame(table)


def rows_with_target(frame: polars.DataFrame, encoder: Encoder) -> polars.DataFrame:
    """Return the labeled rows of a table; DataError where there is none.

    encoder     says which column is the target, and how it is written
    """
    if encoder.target not in frame.columns:
        hint = did_you_mean(encoder.target, frame.columns)
        raise DataError(
            f"the table has no target column {encoder.target!r}{hint}; evaluating needs the right answers"
        )
    rows = encoder.labeled(frame)
    if not rows.height:
        raise DataError(f"no row has a target {encoder.target!r}; evaluating needs the right answers")
    return rows
