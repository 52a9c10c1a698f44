"""Input validation: inputs, targets and sample weights as arrays that fit each other; errors are one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.losses import LossRule

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Labeled examples: inputs [rows, *input_shape], targets [rows, ...], sample weights [rows] or None.

    All are in the network's dtype, class numbers in int32. The inputs may be sparse: SciPy's CSR form, of
    which `dense` makes arrays, some rows at a time.

    >>> rows = LabeledRows(np.zeros((3, 2)), np.arange(3))
    >>> len(rows), rows.take(slice(1, 3)).y.tolist()
    (3, [1, 2])
    """

    X: Any
    y: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return self.X.shape[0]

    def dense(self) -> LabeledRows:
        """Return the rows with their inputs as a dense array."""
        return LabeledRows(self.X.toarray(), self.y, self.weight) if is_sparse(self.X) else self

    def take(self, places: Array | slice) -> LabeledRows:
        """Return some of the rows: by their indices, or a slice."""
        weight = None if self.weight is None else self.weight[places]
        return LabeledRows(self.X[places], self.y[places], weight)


def is_sparse(X: Any) -> bool:
    """Return whether this is one of SciPy's sparse arrays or matrices; SciPy itself is not imported."""
    return hasattr(X, "tocsr")


def check_inputs(
    who: str, X: Any, remedy: str = "tables with words in them are for `minicolumn train`"
) -> Any:
    """Validate inputs: X as numbers [rows, ...], as it is in memory; its values are not looked at.

    Sparse rows come back in CSR form, in which rows are found at once.

    remedy      what to do about a table with words
    Errors      DataError for a single number, and for words or objects

    >>> check_inputs("fit", [[1, 2], [3, 4]]).shape
    (2, 2)
    """
    inputs = X.tocsr() if is_sparse(X) else np.asarray(X)
    if not inputs.ndim or inputs.dtype.kind not in "fiub":
        raise DataError(
            f"{who}: X must be an array of numbers [rows, ...], got {inputs.dtype}{list(inputs.shape)}; "
            f"{remedy}"
        )
    return inputs


def check_rows(
    who: str, X: Any, y: Any, weight: Any, dtype: Any, rule: LossRule | None, outputs: tuple[int, ...]
) -> LabeledRows:
    """Validate inputs, targets and sample weights; they come back in the network's dtype and fit each other.

    who         what asked for them, for messages
    X, y        [rows, ...] and [rows, ...], as many rows; weight: [rows] or None
    dtype       of the network
    rule        record of the loss, which says what targets may be; None for an own loss function, which gets
                weights in any case: 1 for each row where none are given
    outputs     shape of one row of the network's output
    Errors      ShapeError where lengths or shapes do not fit, DataError for values that cannot be used
    Differs     scikit-learn's check_X_y does not know the loss, so negative counts or class 7 of 5 pass it
    """
    inputs, targets = check_inputs(who, X), np.asarray(y)
    rows = inputs.shape[0]
    if not rows or not targets.ndim or rows != len(targets):
        found = len(targets) if targets.ndim else "is one number"
        raise ShapeError(f"{who}: X has {rows} rows and y {found}; expected the same, and at least one")
    remedy = "fill or drop missing values first, or use `minicolumn train`"
    if is_sparse(inputs):
        parts = (_finite(f"{who}: X", inputs.data, dtype, remedy), inputs.indices, inputs.indptr)
        inputs = type(inputs)(parts, shape=inputs.shape)
    else:
        inputs = _finite(f"{who}: X", inputs, dtype, remedy)
    if weight is None and (rule is None or rule.is_own):
        weight = np.ones(rows)
    return LabeledRows(
        inputs, _targets(who, targets, dtype, rule, outputs), _weight(who, weight, rows, dtype)
    )


def _finite(what: str, values: Array, dtype: Any, remedy: str) -> Array:
    """Return values in a dtype, contiguous; DataError for NaN, infinity and what the dtype cannot hold."""
    if not _all_finite(values):
        raise DataError(f"{what} holds NaN or infinity; {remedy}")
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(values, dtype)
    if found is not values and not _all_finite(found):
        raise DataError(f"{what} holds numbers too large for {np.dtype(dtype)}; scale them to about 1")
    return found


def _all_finite(values: Array) -> bool:
    """Return whether all numbers are finite; mostly their sum tells, in a third of the time."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.sum(values)) or np.isfinite(values).all())


def _targets(who: str, y: Array, dtype: Any, rule: LossRule | None, outputs: tuple[int, ...]) -> Array:
    """Return targets in the dtype that the loss takes; DataError for values outside its range."""
    if y.dtype.kind not in "fiub":
        raise DataError(
            f"{who}: y must hold numbers, got {y.dtype}; number the classes 0, 1, 2, ... "
            "(np.unique(y, return_inverse=True) does)"
        )
    finite = _finite(f"{who}: y", y, np.float64, "drop the rows without a target")
    if rule is None:  # own functions get integers as they are, so that they can be class numbers
        if y.ndim == 1 and outputs == (1,):  # [batch] beside [batch, 1] would broadcast to [batch, batch]
            y = y[:, None]
        return np.ascontiguousarray(y, np.int32 if y.dtype.kind in "iub" else dtype)
    if rule.task == "multiclass" and y.ndim == 1:
        return _class_numbers(who, finite, outputs)
    if finite.size and not rule.targets.holds(float(finite.min()), float(finite.max())):
        raise DataError(
            f"{who}: y goes from {finite.min():g} to {finite.max():g}; "
            f"{rule.name} takes targets {rule.targets}"
        )
    return _finite(f"{who}: y", finite, dtype, "")


def _class_numbers(who: str, y: Array, outputs: tuple[int, ...]) -> Array:
    """Return whole class numbers as int32, refusing those that the network has no output for."""
    classes = outputs[-1] if outputs else 0
    if classes < 2:
        raise DataError(
            f"{who}: the loss chooses among classes, but the network has {classes} output; give it one for "
            "each class, or take binary_cross_entropy"
        )
    if (y != np.floor(y)).any():
        raise DataError(f"{who}: y holds {y[y != np.floor(y)][0]:g}; class numbers are whole: 0, 1, 2, ...")
    if y.min() < 0 or y.max() >= classes:
        raise DataError(
            f"{who}: y holds class numbers from {y.min():g} to {y.max():g}, but the network has {classes} "
            f"outputs, for classes 0 to {classes - 1}"
        )
    return y.astype(np.int32)


def _weight(who: str, weight: Any, rows: int, dtype: Any) -> Array | None:
    """Return sample weights in a dtype, or None; they must be finite, >= 0 and not all 0."""
    if weight is None:
        return None
    found = np.asarray(weight)
    numbers = found.shape == (rows,) and found.dtype.kind in "fiub"
    if not numbers or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise DataError(
            f"{who}: sample_weight must hold one finite number >= 0 for each of the {rows} rows, not all 0"
        )
    with np.errstate(over="ignore"):
        given = found.astype(dtype)
        usable = given.any() and np.isfinite(given.sum())
    if not usable:
        raise DataError(
            f"{who}: sample_weight goes up to {found.max():.3g}, out of the range of {np.dtype(dtype)}; "
            "scale the weights to about 1"
        )
    return given
